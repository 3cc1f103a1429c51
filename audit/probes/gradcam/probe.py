"""Grad-CAM: which regions are associated with the score, beside the same of randomised weights.

Source: Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74.
"""

from __future__ import annotations

from torch import Tensor

from audit.draws import ranked
from audit.probes.cam.maps import Map, grad_cam
from audit.probes.cam.randomised import randomised
from audit.probes.cam.watched import NoMap
from audit.probes.gradcam.energy import energy_findings
from audit.probes.gradcam.gallery import PER_CELL, SUREST, Array, Shown, choose, draw, outcomes
from audit.probes.registry import Examination, Picture, probe
from audit.results import Note, ProbeReport
from audit.speed.threads import spread

__all__ = ["NoMap", "grad_cam", "gradcam"]

MEASURED = 16  # images for the statistics of the randomised network
TOGETHER = 4  # pictures that a lack of time can cost, though their maps were made
READING = (
    "Grad-CAM shows regions associated with the score of the predicted class, at the resolution "
    "of one layer. It does not show what caused a decision, and a plausible map is no evidence "
    "that a decision is right. Each map is scaled to its own maximum. Beside each stands the map "
    "of the same network with randomised weights: what both show is no finding about the model."
)


@probe("gradcam", "per_cell", "surest", "box_cases")
def gradcam(examination: Examination) -> ProbeReport:
    """A gallery by TP, FP, FN, TN and by view, and the share of the map inside lesion boxes.

    Maps are of the predicted class, by the deployed rule. Cells hold the first `per_cell`
    cases (3) in a seeded order, and the `surest` (4) correct and wrong decisions by log-odds;
    cases with text burned into the image are shown nowhere. Beside each map stands that of the
    same network with randomised weights.
    "Not applicable" without gradients or without a convolutional layer to look at.
    """
    classifier = examination.classifier
    layer = classifier.description.cam_layer
    if layer is None or not classifier.has_gradients:
        missing = "gradients" if layer else "convolutional layer to look at"
        reason = f"the classifier has no {missing}"
        return ProbeReport(probe="gradcam", state="not applicable", reason=reason)
    cases = examination.cases.by_id()
    found = outcomes(examination.predictions)
    chosen, cells = choose(found, cases, examination)
    try:
        cam = grad_cam(classifier)
        if examination.params.get("images", True):
            control = _control(found, examination)
            for start in range(0, len(chosen), TOGETHER):
                next_ones = chosen[start : start + TOGETHER]
                for picture in _pictures(next_ones, examination, cam, control):
                    examination.keep(picture)
        findings = energy_findings(found, examination, cam)
    except NoMap as error:
        return ProbeReport(probe="gradcam", state="not applicable", reason=str(error))
    surest = int(examination.params.get("surest", SUREST))
    details = {
        "layer": layer,
        "target": "predicted class",
        "rule": f"first {examination.params.get('per_cell', PER_CELL)} of each outcome and view "
        f"in seeded order, and the {surest} correct and {surest} wrong decisions with the "
        "largest log-odds",
        "control": "the same network with randomised weights",
        "seed": examination.seed,
        "cells": cells,
    }
    notes = [Note(code="gradcam.reading", level="info", text=READING)]
    hidden = sum(case.burned_in is True for case in examination.cases)
    if hidden:
        some = "1 case" if hidden == 1 else f"{hidden} cases"
        text = f"{some} with text burned into the image left out of the gallery."
        notes.append(Note(code="gradcam.burned-in", level="info", text=text))
    return ProbeReport(
        probe="gradcam", findings=tuple(findings), notes=tuple(notes), details=details
    )


def _control(found: list[Shown], examination: Examination) -> Map:
    """Grad-CAM of the same network with randomised weights."""
    cases = examination.cases.by_id()
    first = ranked(examination.seed, [place.case for place in found], "randomised weights")
    images = [examination.classifier.prepare(cases[case_id]) for case_id in first[:MEASURED]]
    return grad_cam(randomised(examination.classifier, images, examination.seed))


def _pictures(some: list[Shown], examination: Examination, cam: Map, control: Map) -> list[Picture]:
    """The maps one after the other, the drawing of them on several threads."""
    classifier, cases = examination.classifier, examination.cases.by_id()
    mapped = []
    for place in some:
        examination.check_time()
        x = classifier.prepare(cases[place.case])
        mapped.append((x, cam(x, place.predicted), control(x, place.predicted)))

    def drawn(place: Shown, seen: tuple[Tensor, Array, Array]) -> Picture:
        x, heat, beside = seen
        return draw(place, cases[place.case], x, heat, classifier, examination.seed, beside)

    return spread(drawn, some, mapped)
