"""Measures of image quality of each case, which several probes look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from audit.probes.registry import Examination
from audit.quality.measures import MEASURES, measures

AT_ONCE = 4  # pictures in memory


def measured(examination: Examination, case_ids: Sequence[str]) -> npt.NDArray[np.float64]:
    """(n, len(MEASURES)) of these cases as the model sees them, a few pictures at a time.

    Computed once per audit, whichever probe asks first.
    """
    cases, known = examination.cases.by_id(), examination.measured
    unknown = [case_id for case_id in dict.fromkeys(case_ids) if case_id not in known]
    for start in range(0, len(unknown), AT_ONCE):
        some = unknown[start : start + AT_ONCE]
        images = {case_id: examination.classifier.prepare(cases[case_id]) for case_id in some}
        for shape in {image.shape for image in images.values()}:  # grey and colour mix
            alike = [case_id for case_id in some if images[case_id].shape == shape]
            found = measures(torch.stack([images[case_id] for case_id in alike]))
            table = torch.stack([found[name] for name in MEASURES], dim=1).numpy()
            known.update(zip(alike, table, strict=True))
        examination.check_time()
    rows = [known[case_id] for case_id in case_ids]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(MEASURES))
