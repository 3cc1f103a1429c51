"""The pointing game: does the map's highest point lie at a lesion?

Source: Zhang et al. 2018, doi:10.1007/s11263-017-1059-x.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from audit.cases.case import Case
from audit.classifier import Classifier
from audit.findings.frame import make_frame
from audit.findings.groups import make_groups
from audit.findings.measure import rate_finding
from audit.findings.proportions import limits, tabulate
from audit.findings.rates import Rate
from audit.findings.view import Label
from audit.metrics.interval import Interval
from audit.probes.cam.maps import Array
from audit.probes.gradcam.gallery import box_mask, enlarged
from audit.probes.registry import Examination
from audit.results import Finding

TOLERANCE = 15 / 224  # of the height, as in the paper at 224 px
CENTRE = "centre of the image"
RESAMPLES = 2000


@dataclass(frozen=True)
class Pointed:
    """One map: whether its highest point, and the image's centre, lie at a box; the box's area."""

    hit: bool
    centre: bool
    area: float


def pointed(case: Case, heat: Array, classifier: Classifier) -> Pointed:
    """`heat` (h, w) against the case's boxes, each widened by TOLERANCE of the height."""
    way = classifier.preparation
    near = _near(box_mask(case, way), TOLERANCE * way.height)
    top = int(enlarged(heat, way.height, way.width).argmax())
    hit = bool(near.ravel()[top])
    return Pointed(hit, bool(near[way.height // 2, way.width // 2]), float(near.mean()))


def _near(inside: npt.NDArray[np.bool_], reach: float) -> npt.NDArray[np.bool_]:
    if not inside.any():
        return inside
    return np.asarray(distance_transform_edt(~inside) <= reach)


def pointing_findings(
    examination: Examination, found: Mapping[str, Mapping[str, bool]]
) -> Iterator[Finding]:
    """`pointing_game` of each method (and of the centre): name -> case id -> hit."""
    predictions = examination.predictions
    places = {subject.id: i for i, subject in enumerate(predictions.subjects)}
    groups = make_groups(predictions.subjects, [])
    frame = make_frame(predictions, groups, examination.seed, RESAMPLES)
    for method, hits in found.items():
        cases = np.array([places[case_id] for case_id in hits], dtype=np.int64)
        everyone = np.ones(len(cases), dtype=bool)
        part = np.array(list(hits.values()), dtype=bool)
        rate = Rate("pointing_game", part, everyone, everyone, "true positives with boxes")
        table = tabulate(frame, cases, [rate], groups.members[cases])
        low, high, how = limits(table)
        interval = Interval(float(low[0, 0]), float(high[0, 0]), str(how[0, 0]))
        label = Label("clean", "none", "clean", {"method": method})
        yield rate_finding(label, {}, rate, table, (0, 0), interval)
