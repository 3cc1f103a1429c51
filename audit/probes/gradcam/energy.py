"""How much of a Grad-CAM map lies inside the lesion boxes, beside what chance would put there."""

from __future__ import annotations

import numpy as np

from audit.draws import ranked
from audit.metrics.bootstrap import patient_sums, percentile_limits, resample, resampled_ratios
from audit.probes.cam.maps import Map
from audit.probes.gradcam.gallery import Shown, box_mask, enlarged
from audit.probes.registry import Examination
from audit.results import Finding

MOST = 64
RESAMPLES = 2000


def energy_findings(found: list[Shown], examination: Examination, cam: Map) -> list[Finding]:
    """Means over true positives with boxes, at most `box_cases` (64) in seeded order.

    `cam_energy_in_box`: share of the map's sum inside the boxes (the energy-based pointing
    game, Wang et al. 2020, arXiv:1910.01279). `box_area`: share of the image inside them, what
    a map without aim would reach. Both over the same n cases: maps that are zero everywhere
    have no share and count in neither.
    """
    cases = examination.cases.by_id()
    boxed = {m.case: m for m in found if m.outcome == "TP" and cases[m.case].boxes}
    order = ranked(examination.seed, list(boxed), "gradcam boxes")
    shares, areas, patients = [], [], []
    for case_id in order[: int(examination.params.get("box_cases", MOST))]:
        examination.check_time()
        case = cases[case_id]
        x = examination.classifier.prepare(case)
        heat = enlarged(cam(x, boxed[case_id].predicted), *x.shape[-2:])
        if heat.sum() <= 0:
            continue
        mask = box_mask(case, examination.classifier.preparation)
        shares.append(float((heat * mask).sum(dtype=np.float64) / heat.sum(dtype=np.float64)))
        areas.append(float(mask.mean(dtype=np.float64)))
        patients.append(case.patient or f"image {case_id}")
    if not shares:
        return []
    known = all(cases[case_id].patient is not None for case_id in boxed)
    return [
        _mean("cam_energy_in_box", shares, patients, known, examination.seed),
        _mean("box_area", areas, patients, known, examination.seed),
    ]


def _mean(metric: str, values: list[float], patients: list[str], known: bool, seed: int) -> Finding:
    """The mean with a 95% percentile interval over resampled patients."""
    start = Finding(
        metric=metric, value=float(np.mean(values)), n=len(values), independent=not known
    )
    numbers = np.unique(patients, return_inverse=True)[1].astype(np.int64)
    if numbers.max() < 1:
        return start.model_copy(update={"imprecise": True})
    drawn = resample(numbers, np.ones(len(values), dtype=bool), RESAMPLES, seed)
    part = patient_sums(drawn, np.array(values)[:, None])
    whole = patient_sums(drawn, np.ones((len(values), 1)))
    low, high = percentile_limits(resampled_ratios(drawn, part, whole))
    limits = {"low": float(low[0]), "high": float(high[0]), "method": "patient bootstrap"}
    return start.model_copy(update=limits)
