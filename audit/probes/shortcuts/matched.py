"""AUROC of the model where positives and negatives are matched on attributes, and how it falls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audit.findings.measure import with_value
from audit.findings.rates import FEWEST
from audit.findings.view import Ints
from audit.metrics.auroc import auroc_interval
from audit.metrics.matched import matched_auroc, overlap_weights, pairs_within
from audit.metrics.multiplicity import holm
from audit.probes.shortcuts.metadata import clean
from audit.probes.shortcuts.table import Column, Table
from audit.results import Finding, Scalar

FAMILY = "shortcuts: matched"
UNMATCHED = "matched=no"
TOGETHER = "all together"


def matched_findings(table: Table) -> list[Finding]:
    """`matched_auroc` for each attribute and for all together, each with its fall from unmatched.

    `n`: cases whose combination of values both labels have; `events`: disjoint pairs of them.
    """
    found: list[Finding] = []
    for column in table.columns:
        found += _pair(table, [column], everything=False)
    if len(table.columns) > 1:
        found += _pair(table, table.columns, everything=True)
    tested = [i for i, one in enumerate(found) if one.p is not None]
    adjusted = holm([found[i].p or 0.0 for i in tested])
    for i, q in zip(tested, adjusted, strict=True):
        found[i] = found[i].model_copy(update={"p_holm": q, "family": FAMILY})
    return found


def _pair(table: Table, columns: Sequence[Column], *, everything: bool) -> list[Finding]:
    """The matched AUROC and its difference from the unmatched one, or why there is none."""
    params: dict[str, Scalar] = {"attribute": TOGETHER if everything else columns[0].name}
    strata = strata_of(columns)
    pairs = pairs_within(table.positive, strata)
    n = int((overlap_weights(table.positive, strata) > 0).sum())
    start = clean("matched_auroc", params, n, table.assumed)
    start = start.model_copy(update={"events": pairs})
    fall = start.model_copy(update={"contrast": UNMATCHED})
    reason = table.too_few or (f"fewer than {FEWEST} matched pairs" if pairs < FEWEST else "")
    if reason:
        return [one.model_copy(update={"reason": reason}) for one in (start, fall)]
    found = matched_auroc(table.score, table.positive, table.patients, strata, table.count)
    return [
        with_value(start, found.roc.area, auroc_interval(found.roc)),
        with_value(fall, found.change, found.interval).model_copy(update={"p": found.p}),
    ]


def strata_of(columns: Sequence[Column]) -> Ints:
    """(n,) number of the combination of values that each case has."""
    codes = np.stack([column.codes for column in columns], axis=1)
    return np.asarray(np.unique(codes, axis=0, return_inverse=True)[1]).reshape(-1)
