"""Section 8: every sign of masked gradients that was looked for, per defence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit.results import ProbeReport, Results
from reports.blocks import Block, Cell, Table
from reports.language import _, recorded
from reports.masking import masking_report
from reports.masking_signs import BY_GRADIENT, CHECKS, COMPARED, OWN, RISING
from reports.material import Material
from reports.numbers import defence_name, sentence
from reports.panels.registry import panel


@panel("masking_checks")
def masking_checks(material: Material) -> Sequence[Block]:
    report = masking_report(material.results)
    if report is None or "compared" not in report.details:
        return []
    defences = list(report.details["compared"])
    if not defences:
        return []
    rows: list[list[str | Cell]] = [
        [_(words), *(_result(material.results, report, code, name) for name in defences)]
        for code, words in CHECKS.items()
    ]
    share = 62 // len(defences)
    columns = [_("Sign looked for"), *(_heading(name) for name in defences)]
    note = _(
        "A count becomes a sign at 2 cases and 5% of those looked at. Saturation misleads attacks "
        "that other people run; those run here use a loss that does not saturate. No sign is no "
        "proof that gradients are not masked."
    )
    widths = (100 - share * len(defences), *(share for _name in defences))
    caption = _("Checks for masked gradients")
    return [Table(caption, columns, rows, note, frozenset(), widths)]


def _heading(defence: str) -> str:
    return _("No defence") if defence == "none" else sentence(defence_name(defence))


def _result(results: Results, report: ProbeReport, code: str, defence: str) -> str | Cell:
    flags: list[dict[str, Any]] = report.details.get("flags", [])
    found = [f for f in flags if f.get("code") == code and f.get("defence") == defence]
    if found:
        counts = ", ".join(f"{f.get('count')}/{f.get('of')}" for f in found)
        return Cell(_("sign: {counts}").format(counts=counts), strong=True)
    reason = _not_looked(results, report, code, defence)
    return Cell(_("not looked at"), sub=reason) if reason else _("no sign")


def _not_looked(results: Results, report: ProbeReport, code: str, defence: str) -> str:
    """Why a check says nothing; "" where it was made."""
    left_out = report.details.get("not_tried", {}).get(defence)
    if code in {**OWN, **BY_GRADIENT} and left_out:
        return recorded(str(left_out))
    if code in BY_GRADIENT and not results.model.gradients:
        return _("the model gives no gradients")
    held = [str(name) for name in report.details["compared"].get(defence, [])]
    if code in COMPARED and not any(_sort(name) == code for name in held):
        return _("no such pair of attacks")
    if code in RISING and not _iterated(results, defence):
        return _("no iterative attack at two ε")
    return ""


def _sort(attack: str) -> str:
    """Which comparison a name of the probe stands for: "square at 8/255", "…, made on X,"."""
    if ", made " in attack:
        return "masking-transfer"
    return "masking-single-step" if attack.startswith("fgsm") else "masking-black-box"


def _iterated(results: Results, defence: str) -> bool:
    done = [r for r in results.plan.runs if r.state == "done" and r.defence == defence]
    own = [r for r in done if r.norm == "linf" and not r.surrogate and "steps" in r.params]
    return any(len(_listed(r.params.get("epsilons"))) > 1 for r in own)


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
