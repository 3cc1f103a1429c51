"""Does the decision hang on the border or on a side marker? Each is filled, and a control too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from audit.decision import margin
from audit.draws import generator
from audit.findings.measure import rate_finding, with_value
from audit.findings.proportions import limits, tabulate
from audit.findings.rates import CASES, FEWEST, Rate
from audit.findings.view import Floats, Ints, Label
from audit.metrics.bootstrap import patient_sums, percentile_limits
from audit.metrics.difference import mcnemar
from audit.metrics.interval import Interval
from audit.metrics.multiplicity import holm
from audit.probes.registry import Examination
from audit.probes.shortcuts.metadata import clean
from audit.probes.shortcuts.regions import Bools, Box, border, boxed, filled, moved_inside, ring
from audit.probes.shortcuts.table import Table
from audit.results import Finding

REGIONS = ("border", "marker")
FAMILY = "shortcuts: occlusion"
AGAINST = "region=control"


@dataclass
class Filled:
    """Of one region: rows of the table, and per row the change of the log-odds by filling the
    region and its control (m, 2), and whether the decision changed (m, 2)."""

    rows: list[int] = field(default_factory=list)
    shifts: list[list[float]] = field(default_factory=list)
    changed: list[list[bool]] = field(default_factory=list)


def variants(x: Tensor, boxes: list[Box], case_id: str, seed: int) -> tuple[Tensor, list[str]]:
    """x (C, H, W) -> (1 + 2r, C, H, W): as it is, then each region and its control filled.

    `boxes`: those of its markers.
    """
    height, width = x.shape[-2:]
    masks: list[Bools] = [border(height, width), ring(height, width)]
    names = ["border"]
    if boxes:
        mask = boxed(boxes, (height, width))
        masks += [mask, moved_inside(mask, generator(seed, case_id, "shortcuts control"))]
        names.append("marker")
    planes = x.numpy()
    rows = [planes, *(np.stack([filled(plane, mask) for plane in planes]) for mask in masks)]
    return torch.from_numpy(np.stack(rows)), names


def measured(found: dict[str, Filled], row: int, logits: Tensor, names: Sequence[str],
             examination: Examination) -> None:  # fmt: skip
    """Add one case: `logits` (1 + 2r, K) of its variants."""
    z = logits.numpy()
    score = margin(z, examination.classifier.decision.positive)
    decided = examination.classifier.decide(z)
    for place, name in enumerate(names):
        pair = slice(1 + 2 * place, 3 + 2 * place)
        shift = np.abs(score[pair] - score[0])
        if not np.isfinite(shift).all():
            continue  # a decision that is none is told elsewhere
        found[name].rows.append(row)
        found[name].shifts.append([float(value) for value in shift])
        found[name].changed.append([bool(value) for value in decided[pair] != decided[0]])


def occlusion_findings(table: Table, found: dict[str, Filled], looked: int) -> list[Finding]:
    """Changes of decisions and log-odds by region, by its control, and the difference of both."""
    told: list[Finding] = []
    for region in REGIONS:
        told += _of_region(table, region, found[region], looked)
    tested = [i for i, one in enumerate(told) if one.p is not None]
    adjusted = holm([told[i].p or 0.0 for i in tested])
    for i, q in zip(tested, adjusted, strict=True):
        told[i] = told[i].model_copy(update={"p_holm": q, "family": FAMILY})
    return told


def _of_region(table: Table, region: str, found: Filled, looked: int) -> list[Finding]:
    names = "decision_change_occluded", "score_shift_occluded"
    if len(found.rows) < FEWEST:
        reason = f"fewer than {FEWEST} of the {looked} images looked at have a {region}"
        return [
            clean(name, {"region": region}, len(found.rows), table.assumed).model_copy(
                update={"metric": name, "reason": reason}
            )
            for name in names
        ]
    rows = np.array(found.rows, dtype=np.int64)
    changed, shifts = np.array(found.changed), np.array(found.shifts)
    return [
        *_rates(table, region, rows, changed),
        *_shifts(table, region, rows, shifts),
    ]


def _rates(table: Table, region: str, rows: Ints, changed: Bools) -> list[Finding]:
    cases, everyone = table.cases[rows], np.ones(len(rows), dtype=bool)
    rates = [
        Rate("decision_change_occluded", changed[:, side], everyone, everyone, CASES)
        for side in (0, 1)
    ]
    counted = tabulate(table.frame, cases, rates, table.frame.groups.members[cases])
    low, high, method = limits(counted)
    found = []
    for side, name in enumerate((region, f"control of {region}")):
        label = Label("clean", "none", "clean", {"region": name})
        interval = Interval(float(low[side, 0]), float(high[side, 0]), str(method[side, 0]))
        found.append(rate_finding(label, {}, rates[side], counted, (side, 0), interval))
    excess = changed[:, 0].astype(np.float64) - changed[:, 1]
    start = clean("decision_change_occluded", {"region": region}, len(rows), table.assumed)
    start = start.model_copy(update={"contrast": AGAINST, "p": sign_p(table, rows, excess)})
    return [*found, _mean(start, table, rows, excess, proportion=True)]


def _shifts(table: Table, region: str, rows: Ints, shifts: Floats) -> list[Finding]:
    found = []
    for side, name in enumerate((region, f"control of {region}")):
        start = clean("score_shift_occluded", {"region": name}, len(rows), table.assumed)
        found.append(_mean(start, table, rows, shifts[:, side], proportion=False))
    start = clean("score_shift_occluded", {"region": region}, len(rows), table.assumed)
    start = start.model_copy(update={"contrast": AGAINST})
    return [*found, _mean(start, table, rows, shifts[:, 0] - shifts[:, 1], proportion=False)]


def _mean(start: Finding, table: Table, rows: Ints, values: Floats, *, proportion: bool) -> Finding:
    """The mean with percentile limits over resampled patients."""
    interval = mean_interval(table, rows, values)
    return with_value(start, float(values.mean()), interval, proportion=proportion)


def mean_interval(table: Table, rows: Ints, values: Floats) -> Interval:
    cases = table.cases[rows]
    drawn = table.frame.resampling(cases, stratified=False)
    columns = np.stack([values, np.ones(len(values))], axis=1)
    totals = table.frame.resampled(cases, patient_sums(drawn, columns), stratified=False)
    low, high = percentile_limits((totals[:, 0] / totals[:, 1])[:, None].astype(np.float64))
    return Interval(float(low[0]), float(high[0]), "patient bootstrap")


def sign_p(table: Table, rows: Ints, excess: Floats) -> float:
    """Two-sided exact sign test over patients; McNemar's where no patient repeats."""
    sums = np.bincount(table.patients[rows], excess, minlength=table.count)
    return mcnemar(int((sums > 0).sum()), int((sums < 0).sum()))
