"""Means over cases with an interval that knows when patients repeat."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from audit.cases.case import Case
from audit.findings.measure import with_value
from audit.findings.rates import FEWEST
from audit.metrics.interval import LEVEL, Interval
from audit.results import Finding, Scalar

Array = npt.NDArray[np.float64]


def mean_interval(values: Array, patients: npt.NDArray[np.int64]) -> Interval:
    """Limits of the mean of `values` (n,) when cases of one patient go together (n,).

    Student's t on the sum of residuals per patient; the one-sample t interval where nobody
    repeats. Needs two patients. Source: Cameron & Miller 2015, doi:10.3368/jhr.50.2.317.

    >>> low, high, _ = mean_interval(np.array([0.0, 1.0, 2.0]), np.array([0, 1, 2]))
    >>> round(low, 3), round(high, 3)
    (-1.484, 3.484)
    """
    mean = float(values.mean())
    sums = np.bincount(patients, weights=values - mean)
    count = len(sums)
    error = np.sqrt(count / (count - 1) * (sums**2).sum()) / len(values)
    reach = float(t.ppf((1 + LEVEL) / 2, count - 1)) * float(error)
    return Interval(mean - reach, mean + reach, "t, clustered by patient")


def mean_finding(
    metric: str, found: Mapping[str, float], cases: Mapping[str, Case], params: Mapping[str, Scalar]
) -> Finding:
    """The mean of `found` (case id -> number in [-1, 1]), or why there is none."""
    known = [cases[case_id].patient for case_id in found]
    start = Finding(
        metric=metric, params=dict(params), n=len(found), independent=any(p is None for p in known)
    )
    if len(found) < FEWEST:
        return start.model_copy(update={"reason": f"fewer than {FEWEST} cases with such a map"})
    names = [p or f"image {case_id}" for p, case_id in zip(known, found, strict=True)]
    patients = np.unique(names, return_inverse=True)[1].astype(np.int64)
    values = np.array(list(found.values()), dtype=np.float64)
    if patients.max() < 1:
        update = {"value": float(values.mean()), "imprecise": True}
        return start.model_copy(update=update)
    interval = mean_interval(values, patients)
    if len(np.unique(patients)) == len(values):
        interval = interval._replace(method="t")
    return with_value(start, float(values.mean()), interval)
