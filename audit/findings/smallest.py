"""How far, and how hard: the smallest ε per image, and the queries a search needed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.evidence import RunEvidence
from audit.findings.frame import Frame
from audit.findings.levels import label_of
from audit.findings.measure import finding
from audit.findings.params import level_params
from audit.findings.rates import FEWEST
from audit.findings.view import Floats, Ints, Label
from audit.metrics.quantile import order_limits, quantile, resampled_limits
from audit.results import Finding

STRESS = "smallest_epsilon"
QUARTILES = {
    "smallest_epsilon_lower_quartile": 0.25,
    "smallest_epsilon": 0.5,
    "smallest_epsilon_upper_quartile": 0.75,
}
QUERIES = "queries_to_success"
ORDER = "order statistics"
BOOTSTRAP = "patient bootstrap"


def distances(frame: Frame, evidence: RunEvidence) -> Iterator[Finding]:
    """Quartiles of the smallest ε found, over the cases decided correctly without stress.

    A case that nothing fooled lies above the maximum: a quartile that falls on such a case has
    no value but a reason, and an upper limit that does is 1, the whole range of a pixel.
    """
    if evidence.run.stress != STRESS or not _own(evidence):
        return
    rows = evidence.rows
    told = [found.get("epsilon", np.inf) for found in rows.found]
    values = np.where(rows.success == 1, np.array(told, dtype=np.float64), np.inf)
    label = label_of(evidence, rows.variants[0] if rows.variants else {})
    most = f"{255 * float(evidence.run.params['max_epsilon']):.3g}/255"
    for metric, part in QUARTILES.items():
        reason = f"above the maximum of {most}: fewer than {part:.0%} were fooled"
        yield _quantile(frame, metric, label, (rows.case, values, part), (0.0, 1.0), reason)


def queries_to_success(frame: Frame, evidence: RunEvidence) -> Iterator[Finding]:
    """Median queries of the cases a search with a query budget fooled, one per level."""
    budget = evidence.run.params.get("queries")
    if evidence.run.kind != "attack" or budget is None or not _own(evidence):
        return
    rows = evidence.rows
    for variant in _levels(evidence):
        mine = np.isin(rows.variant, variant) & (rows.success == 1) & (rows.queries >= 0)
        cases = rows.case[mine]
        if len(np.unique(cases)) < len(cases):  # several successes of one case: which one counts?
            continue
        values = rows.queries[mine].astype(np.float64)
        known = rows.variants[variant[0]]
        label = label_of(evidence, level_params(known) if evidence.search_variants else known)
        about = (cases, values, 0.5)
        yield _quantile(frame, QUERIES, label, about, (1.0, _most(values, budget)), "")


def _most(values: Floats, budget: float) -> float:
    """The budget, or as many of it as were begun where a level goes on from the level before."""
    begun = np.ceil(values.max(initial=0.0) / budget)
    return float(budget * max(1.0, begun))


def _own(evidence: RunEvidence) -> bool:
    """Carried out, and on the model itself: what a surrogate needed says nothing of this one."""
    return evidence.run.state == "done" and not evidence.run.surrogate


def _levels(evidence: RunEvidence) -> list[list[int]]:
    """Numbers of the variants of each level."""
    levels: dict[str, list[int]] = {}
    for number, variant in enumerate(evidence.rows.variants):
        same = level_params(variant) if evidence.search_variants else variant
        levels.setdefault(repr(dict(same)), []).append(number)
    return list(levels.values())


def _quantile(
    frame: Frame,
    metric: str,
    label: Label,
    about: tuple[Ints, Floats, float],
    ends: tuple[float, float],
    censored: str,
) -> Finding:
    """`about`: cases (n,), their values (n,) and the part asked for. `ends`: limits where no
    value is extreme enough. `censored`: what to say when the quantile itself is not known."""
    cases, values, part = about
    independent = bool((~frame.known[cases]).any())
    start = finding(metric, label, {}, n=len(values), independent=independent)
    if len(values) < FEWEST:
        words = "cases" if censored else "cases that were fooled"
        return start.model_copy(update={"reason": f"fewer than {FEWEST} {words}"})
    value = quantile(values, part)
    if not np.isfinite(value):
        return start.model_copy(update={"reason": censored})
    if frame.repeats(cases):
        drawn = resampled_limits(values, part, frame.resampling(cases, stratified=False))
        method = BOOTSTRAP
    else:
        drawn, method = order_limits(values, part), ORDER
    low, high = (float(limit) for limit in np.clip(drawn, *ends))
    told = {"value": value, "low": low, "high": high, "method": method}
    return start.model_copy(update={**told, "imprecise": high - low > value})
