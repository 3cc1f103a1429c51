"""Models that fail one group of patients, or one crossing of two."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from audit.cases.case import Cases
from tests.planted.models import Blind, Reader, classifier_of, is_female, is_lateral
from tests.planted.planting import Flaw, audited, differs, stands_out
from tests.planted.scenes import calibrated, cases_of, named, pictures, sound_cases, tossed


def blind_on_the_crossing(x: Tensor) -> Tensor:
    return torch.logical_and(is_lateral(x), is_female(x))


def one_site_inverted() -> Cases:
    """One scanner's files say the wrong polarity: its pictures reach the model as negatives."""
    odds, truth = calibrated()
    second = tossed(len(odds), 3)
    images = pictures(odds)
    images[second] = 1 - images[second]
    return cases_of(images, truth, {"scanner": named(second, "B", "A")})


def twice_each() -> Cases:
    """Two pictures of each patient, one frontal and one lateral."""
    odds, truth = calibrated()
    odds, truth = np.repeat(odds, 2), np.repeat(truth, 2)
    lateral = np.arange(len(odds)) % 2 == 1
    images = pictures(odds, view=lateral)
    attributes = {"view": named(lateral, "lateral", "frontal")}
    return cases_of(images, truth, attributes, patients=np.arange(len(odds)) // 2)


FLAWS = (
    Flaw(
        "lateral views",
        "calls every lateral view normal",
        "sensitivity of `view=lateral` minus frontal, Holm-adjusted",
        audited(lambda: classifier_of(Blind(is_lateral)), sound_cases),
        differs("sensitivity", {"view": "lateral"}),
    ),
    Flaw(
        "lateral views, two pictures per patient",
        "the same, where the two views are of one patient",
        "sensitivity of `view=lateral` minus frontal, Holm-adjusted",
        audited(lambda: classifier_of(Blind(is_lateral)), twice_each),
        differs("sensitivity", {"view": "lateral"}),
    ),
    Flaw(
        "a crossing",
        "calls normal what is lateral and of a woman; either alone is well read",
        "`weak_slice` sex=F & view=lateral",
        audited(lambda: classifier_of(Blind(blind_on_the_crossing)), sound_cases),
        stands_out({"sex": "F", "view": "lateral"}),
    ),
    Flaw(
        "wrong polarity at one site",
        "scanner B's images arrive as negatives",
        "accuracy of `scanner=B` minus A, Holm-adjusted",
        audited(lambda: classifier_of(Reader()), one_site_inverted),
        differs("accuracy", {"scanner": "B"}),
    ),
)
