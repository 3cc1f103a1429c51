"""What a call is worth: likelihood ratios, and predictive values at declared prevalences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.findings.frame import Frame
from audit.findings.handled import ONLY_REFER
from audit.findings.measure import Measured, Said, finding, valued
from audit.findings.proportions import BOOTSTRAP, Table, counts
from audit.findings.rates import FEWEST, NEGATIVES, POSITIVES
from audit.findings.view import Floats, Ints
from audit.metrics.interval import Interval, Z
from audit.metrics.likelihood import predictive_value, ratio, ratio_limits
from audit.results import Finding

Known = tuple[float, Interval]
KOOPMAN = "Koopman"
KOOPMAN_PATIENTS = "Koopman on patients"
SIGNS = ("likelihood_ratio_positive", "likelihood_ratio_negative")
VALUES = ("ppv", "npv")
INFINITE = ("no negative is called positive", "every negative is called positive")
UNDEFINED = ("no case is called positive", "every case is called positive")


def operating(frame: Frame, measured: Measured) -> Iterator[Finding]:
    """Likelihood ratios of every group, under any stress, and at each declared prevalence the
    predictive values of everyone: groups have prevalences of their own that nobody declared.

    Nothing under a defence that changes no decision, for the cells of a map, for averages and
    for the worst case over attacks, which have no decisions.
    """
    view = measured.view
    usable = view.share is None and not (view.kept_only or view.everyone_only)
    if not usable or view.label.defence in ONLY_REFER:
        return
    found = [rate.metric for rate in measured.found]
    both = [found.index("sensitivity"), found.index("specificity")]
    few = measured.table.needs[both] < FEWEST
    enough = np.flatnonzero(~few.any(axis=0))
    known = _ratios(measured.table, both, enough) if len(enough) else {}
    for g in range(len(measured.names)):
        for sign in (0, 1):
            reason = f"fewer than {FEWEST} {POSITIVES if few[0, g] else NEGATIVES}"
            yield from _told(measured, g, sign, known.get((sign, g), reason), frame.prevalences)


def _ratios(table: Table, both: list[int], groups: Ints) -> dict[tuple[int, int], Known]:
    """LR+ (0) and LR- (1) of each of these groups. `both`: sensitivity and specificity."""
    joint = table.clustered[both][:, groups].any(axis=0)
    careful = joint & table.few[both][:, groups].any(axis=0)
    events, trials = counts(
        table, np.broadcast_to(careful, (len(table.whole), len(groups))), groups
    )
    (hit, quiet), (m, n) = events[both], trials[both]
    m, n = np.maximum(m, 1), np.maximum(n, 1)
    called = np.stack([hit, m - hit]), np.stack([n - quiet, quiet])
    values = ratio(called[0], m, called[1], n)
    low, high = ratio_limits(called[0], m, called[1], n)
    method = np.where(careful, KOOPMAN_PATIENTS, KOOPMAN).astype("<U40")
    drawn = joint & ~careful
    if table.draws is not None and drawn.any():
        low[:, drawn], high[:, drawn] = _resampled(
            values[:, drawn], table.draws[:, both][:, :, groups[drawn]]
        )
        method[drawn] = f"{BOOTSTRAP}, log scale"
    return {
        (sign, int(g)): (
            float(values[sign, at]),
            Interval(float(low[sign, at]), float(high[sign, at]), str(method[at])),
        )
        for at, g in enumerate(groups)
        for sign in (0, 1)
    }


def _resampled(values: Floats, draws: Floats) -> tuple[Floats, Floats]:
    """(2, G) ratios and (B, 2, G) resampled rates -> limits from the error of the log ratio.

    On this scale they cover better than percentiles do (docs/metrics.md), and those of the
    predictive values become Mercaldo's logit limits. Source: Simel, Samsa & Matchar 1991,
    doi:10.1016/0895-4356(91)90128-V.
    """
    sens, spec = draws[:, 0], draws[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.stack([sens / (1 - spec), (1 - sens) / spec], axis=1))
    spread = np.nanstd(np.where(np.isfinite(logs), logs, np.nan), axis=0)
    return values * np.exp(-Z * spread), values * np.exp(Z * spread)


def _told(
    measured: Measured, g: int, sign: int, known: Known | str, shares: Sequence[float]
) -> Iterator[Finding]:
    """The ratio, and for everyone the predictive value at each declared prevalence; or the reason
    why there is neither."""
    if not isinstance(known, str) and np.isnan(known[0]):
        known = UNDEFINED[sign]
    yield _finding(measured, g, SIGNS[sign], {}, _of_ratio(known, sign))
    for share in () if measured.names[g] else shares:
        if isinstance(known, str):
            said = Said(reason=known)
        else:
            said = valued(*_at_prevalence(*known, share, sign))
        yield _finding(measured, g, VALUES[sign], {"prevalence": share}, said)


def _of_ratio(known: Known | str, sign: int) -> Said:
    if isinstance(known, str):
        return Said(reason=known)
    value, interval = known
    if np.isinf(value):
        least = f"its lower 95% limit is {interval.low:.3g}"
        return Said(reason=f"{INFINITE[sign]}: not finite; {least}")
    return valued(value, interval, proportion=False)


def _at_prevalence(
    value: float, limits: Interval, share: float, sign: int
) -> tuple[float, Interval]:
    """PPV from LR+ and NPV from LR-, which falls as the ratio rises."""
    known = predictive_value([limits.low, value, limits.high], share)
    low, middle, high = (known if sign == 0 else 1 - known[::-1]).tolist()
    return middle, Interval(low, high, limits.method)


def _finding(
    measured: Measured, g: int, metric: str, params: dict[str, float], said: Said
) -> Finding:
    return finding(
        metric,
        measured.view.label,
        measured.names[g],
        n=measured.sizes[g],
        independent=measured.assumed[g],
        params=params,
        **said,
    )
