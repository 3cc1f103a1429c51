"""What the probe of masked gradients said, as a caveat beside every robust accuracy."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import ProbeReport, Results
from reports.language import N_, _
from reports.numbers import under_defence

CAVEAT = N_("may be an artefact of masked gradients")


def masking_report(results: Results) -> ProbeReport | None:
    """The probe's report, or None where it was not run to the end."""
    return next((r for r in results.probes if r.probe == "masking" and r.state == "done"), None)


def masked_defences(results: Results) -> list[str]:
    """Defences ("none" for the model as given) whose robust accuracy may be an artefact."""
    report = masking_report(results)
    flags: Sequence[dict[str, object]] = report.details.get("flags", []) if report else []
    return list(dict.fromkeys(str(f["defence"]) for f in flags if f.get("artefact")))


def caveat(results: Results) -> str:
    """One sentence for a page that shows robust accuracy; "" where there is no sign."""
    names = masked_defences(results)
    if not names:
        return ""
    return _("Robust accuracy {where} {caveat} (section 8 of the report).").format(
        where=", ".join(map(under_defence, names)), caveat=_(CAVEAT)
    )
