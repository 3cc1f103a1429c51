"""The fields on overlap with the training data and on repeats, of section 3."""

from __future__ import annotations

import re

from audit.results import Finding, ProbeReport
from reports.language import N_, _, ngettext, recorded
from reports.material import Material
from reports.referral import told
from reports.values.registry import Value, value

PATIENTS = ("leakage-patients", "leakage-patients-unknown", "leakage-none")
# Key of the probe's lists, and the note that stands for one that is not kept.
SHARED = (
    ("pixels_across", "leakage-pixels",
     N_("{n} audited images lie in the training data with identical pixels.")),
    ("near_across", "leakage-near",
     N_("{n} audited images are near-duplicates of a training image.")),
)  # fmt: skip
RATES = (
    ("accuracy_leaked", N_("Decided correctly among images met in training: {rate}")),
    ("accuracy_unleaked", N_("Decided correctly among the others: {rate}")),
)


@value("data.overlap")
def overlap(material: Material) -> Value:
    """What lies in the training data as well; None where none was given."""
    report = _report(material)
    if report is None or report.details.get("trained_on") is None:
        return None
    compared = _("Compared with {n} training images.").format(n=report.details["trained_on"])
    said = [recorded(_counted(n.text)) for n in report.notes if n.code in PATIENTS]
    for key, code, words in SHARED:
        noted = [recorded(_counted(n.text)) for n in report.notes if n.code == code]
        count = len({pair[0] for pair in report.details.get(key, ())})
        said += [_(words).format(n=count)] if count else noted
    rates = [
        _(words).format(rate=told(_one(report, metric)))
        for metric, words in RATES
        if _one(report, metric) is not None
    ]
    return [compared, *said, *rates]


def _counted(text: str) -> str:
    """A note without the identifiers it ends with."""
    return re.sub(r": (?:[0-9a-f]{16}|P\d{4}).*", ".", text, flags=re.DOTALL)


@value("data.duplicates")
def duplicates(material: Material) -> Value:
    """How many of the audited images repeat one another; the pairs stand in a table."""
    report = _report(material)
    if report is None:
        return None
    same, near = (report.details.get(f"{kind}_within", ()) for kind in ("pixels", "near"))
    if not same and not near:
        noted = [recorded(note.text) for note in report.notes if note.code == "duplicates"]
        return noted or _("None found among the audited images, by pixels or by perceptual hash.")
    words = _("{images} of the audited images repeat one another: {same}, {near}. Each counts more "
              "than once.")  # fmt: skip
    return words.format(
        images=len({case for pair in (*same, *near) for case in pair[:2]}),
        same=ngettext(
            "{n} pair with identical pixels", "{n} pairs with identical pixels", len(same)
        ).format(n=len(same)),
        near=ngettext("{n} pair nearly alike", "{n} pairs nearly alike", len(near)).format(
            n=len(near)
        ),
    )


def _report(material: Material) -> ProbeReport | None:
    found = (r for r in material.results.probes if r.probe == "leakage" and r.state == "done")
    return next(found, None)


def _one(report: ProbeReport, metric: str) -> Finding | None:
    return next((f for f in report.findings if f.metric == metric), None)
