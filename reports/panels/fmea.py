"""Section 11: failure modes. Rates are computed; the rest people state."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Table
from reports.material import Material
from reports.numbers import amount, interval, ratio, setting
from reports.panels.registry import panel
from reports.wording import NOT_SUPPLIED


@panel("fmea")
def fmea(material: Material) -> Sequence[Block]:
    rows = [[mode, rate, *[NOT_SUPPLIED] * 4] for mode, rate in observed(material)]
    for risk in material.card.risks:
        stated = (risk.severity, risk.detectability, risk.control, risk.residual)
        rows.append(
            [risk.failure_mode, "stated, not computed", *(s or NOT_SUPPLIED for s in stated)]
        )
    columns = ["Failure mode", "Observed", "Severity", "Detectability", "Control", "Residual"]
    note = "Observed rates: A. Severity, detectability, control, residual risk: H (card.yaml)."
    return [
        Table("Failure modes", columns, rows, note, widths=(24, 18, 13, 14, 17, 14), source="A H")
    ]


def observed(material: Material) -> list[tuple[str, str]]:
    """(failure mode, its observed rate) for what this run can count."""
    found = []
    sens, spec = material.clean("sensitivity"), material.clean("specificity")
    for f, words in ((sens, "A positive case is missed"), (spec, "A false alarm is raised")):
        if f and f.value is not None and f.events is not None:
            wrong = f.model_copy(
                update={
                    "value": 1 - f.value,
                    "events": f.n - f.events,
                    "low": None if f.high is None else 1 - f.high,
                    "high": None if f.low is None else 1 - f.low,
                }
            )
            rate = f"{amount(f.metric, 1 - f.value)} ({interval(wrong)}; {ratio(wrong)})"
            found.append((words, rate))
    for name in sorted({f.stress for f in material.stressed("attack_success")}):
        top = [
            f
            for f in material.stressed("attack_success")
            if f.stress == name and f.defence == "none" and f.value is not None
        ]
        if top:
            worst = max(top, key=lambda f: f.value or 0.0)
            rate = f"{amount(worst.metric, worst.value or 0.0)} ({interval(worst)}; {ratio(worst)})"
            found.append((f"A correct decision is changed by {setting(worst)}", rate))
    return found
