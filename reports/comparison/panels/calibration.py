"""Chapter 4: how well the scores of each model are calibrated, side by side and not tested."""

from __future__ import annotations

from collections.abc import Sequence

from audit.compare.results import Audit
from audit.results import Finding
from reports.blocks import Block, Cell, Table, Text
from reports.comparison.material import ComparisonMaterial
from reports.comparison.words import in_words
from reports.language import N_, _, recorded
from reports.numbers import amount, interval, metric_name, sentence

METRICS = ("calibration_intercept", "calibration_slope", "observed_expected", "brier", "ece")
IDEAL = {
    "calibration_intercept": N_("0: neither too high nor too low"),
    "calibration_slope": N_("1; below 1 too extreme"),
    "observed_expected": N_("1; above 1 more positives than predicted"),
    "brier": N_("lower is better"),
    "ece": N_("lower is better"),
}


def calibration(material: ComparisonMaterial) -> Sequence[Block]:
    sides = (material.found.base, material.found.new)
    if not any(side.calibration for side in sides):
        return [Text(_("Neither audit has numbers on calibration."))]
    rows: list[list[str | Cell]] = [
        [
            sentence(metric_name(metric)),
            *(_cell(_found(side, metric)) for side in sides),
            _(IDEAL[metric]),
        ]
        for metric in METRICS
        if any(_found(side, metric) for side in sides)
    ]
    columns = [_("Metric"), _("Base"), _("New"), _("Reading")]
    note = _(
        "Each over the cases of its own audit ({base} and {new}), with its own 95% CI. These "
        "columns are not tested against each other: overlapping intervals say nothing of a "
        "difference."
    ).format(base=material.found.base.cases, new=material.found.new.cases)
    title = _("Calibration without stress")
    table = Table(title, columns, rows, note, frozenset({1, 2}), (30, 20, 20, 30))
    return [*(Text(in_words(d), _("Paired.")) for d in material.found.calibration), table]


def _found(side: Audit, metric: str) -> Finding | None:
    return next((f for f in side.calibration if f.metric == metric), None)


def _cell(finding: Finding | None) -> Cell:
    if finding is None:
        return Cell("–", sub=_("not computed"))
    if finding.value is None:
        return Cell("–", sub=recorded(finding.reason or "") or _("no reason recorded"))
    return Cell(amount(finding.metric, finding.value), sub=interval(finding))
