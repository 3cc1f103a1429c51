"""Measures of image quality of each case, which several probes look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from audit.probes.registry import Examination
from audit.quality.measures import MEASURES, measures


def measured(examination: Examination, case_ids: Sequence[str]) -> npt.NDArray[np.float64]:
    """(n, len(MEASURES)) of these cases as the model sees them, one picture in memory at a time.

    Computed once per audit, whichever probe asks first.
    """
    cases, known = examination.cases.by_id(), examination.measured
    for case_id in case_ids:
        if case_id not in known:
            found = measures(examination.classifier.prepare(cases[case_id])[None])
            known[case_id] = np.array([float(found[name]) for name in MEASURES])
        examination.check_time()
    rows = [known[case_id] for case_id in case_ids]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(MEASURES))
