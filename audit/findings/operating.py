"""What a call is worth: likelihood ratios, and predictive values at declared prevalences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from audit.findings.frame import Frame
from audit.findings.handled import ONLY_REFER
from audit.findings.measure import Measured, finding, with_value
from audit.findings.proportions import BOOTSTRAP, Table, counts
from audit.findings.rates import FEWEST, NEGATIVES, POSITIVES
from audit.findings.view import Floats
from audit.metrics.interval import Interval, Z
from audit.metrics.likelihood import predictive_value, ratio, ratio_limits
from audit.results import Finding

Names = npt.NDArray[np.str_]
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
    values, low, high, method = _ratios(
        measured.table, found.index("sensitivity"), found.index("specificity")
    )
    for g in range(len(measured.names)):
        for sign in (0, 1):
            limits = Interval(float(low[sign, g]), float(high[sign, g]), str(method[g]))
            known = float(values[sign, g]), limits
            yield from _told(measured, g, sign, known, frame.prevalences)


def _ratios(table: Table, sens: int, spec: int) -> tuple[Floats, Floats, Floats, Names]:
    """(2, G) LR+ and LR-, their limits, and the (G,) method."""
    both = [sens, spec]
    joint = table.clustered[both].any(axis=0)
    careful = joint & table.few[both].any(axis=0)
    events, trials = counts(table, np.broadcast_to(careful, table.whole.shape), slice(None))
    (hit, quiet), (m, n) = events[both], trials[both]
    m, n = np.maximum(m, 1), np.maximum(n, 1)
    called = np.stack([hit, m - hit]), np.stack([n - quiet, quiet])
    values = ratio(called[0], m, called[1], n)
    low, high = ratio_limits(called[0], m, called[1], n)
    method = np.where(careful, KOOPMAN_PATIENTS, KOOPMAN).astype("<U40")
    drawn = joint & ~careful
    if table.draws is not None and drawn.any():
        low[:, drawn], high[:, drawn] = _resampled(
            values[:, drawn], table.draws[:, both][:, :, drawn]
        )
        method[drawn] = f"{BOOTSTRAP}, log scale"
    return values, low, high, method


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
    measured: Measured, g: int, sign: int, known: Known, shares: Sequence[float]
) -> Iterator[Finding]:
    """The ratio, and for everyone the predictive value at each declared prevalence."""
    start = _start(measured, g)
    reason = start.reason
    value, interval = known
    if reason is None and np.isnan(value):
        reason = UNDEFINED[sign]
    plain = start.model_copy(update={"metric": SIGNS[sign], "reason": reason})
    if reason is None and np.isinf(value):
        words = f"{INFINITE[sign]}: not finite; its lower 95% limit is {interval.low:.3g}"
        yield plain.model_copy(update={"reason": words})
    else:
        yield plain if reason else with_value(plain, value, interval, proportion=False)
    for share in () if measured.names[g] else shares:
        named = {"metric": VALUES[sign], "params": {**start.params, "prevalence": share}}
        at = plain.model_copy(update=named)
        yield at if reason else with_value(at, *_at_prevalence(value, interval, share, sign))


def _at_prevalence(
    value: float, limits: Interval, share: float, sign: int
) -> tuple[float, Interval]:
    """PPV from LR+ and NPV from LR-, which falls as the ratio rises."""
    known = predictive_value([limits.low, value, limits.high], share)
    low, middle, high = (known if sign == 0 else 1 - known[::-1]).tolist()
    return middle, Interval(low, high, limits.method)


def _start(measured: Measured, g: int) -> Finding:
    """A finding of a group without metric or value, and with a reason where there are too few."""
    found = [rate.metric for rate in measured.found]
    reason = None
    for metric, words in (("specificity", NEGATIVES), ("sensitivity", POSITIVES)):
        if measured.table.needs[found.index(metric), g] < FEWEST:
            reason = f"fewer than {FEWEST} {words}"
    return finding(
        "",
        measured.view.label,
        measured.names[g],
        n=measured.sizes[g],
        independent=measured.assumed[g],
        reason=reason,
    )
