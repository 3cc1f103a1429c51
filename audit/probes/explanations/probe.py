"""Whether heat maps are evidence: do they depend on the weights, and on what the score does?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from audit.findings.rates import FEWEST
from audit.probes.cam.watched import NoMap
from audit.probes.explanations.looking import EPSILON, SIGMA, Looked, Sight, look
from audit.probes.explanations.means import mean_finding
from audit.probes.explanations.methods import METHODS, TITLES, Method, methods_for, too_few
from audit.probes.explanations.pointing import CENTRE, pointing_findings
from audit.probes.explanations.removal import REMOVED
from audit.probes.explanations.words import words
from audit.probes.registry import Examination, TimeUp, probe
from audit.results import Finding, Note, ProbeReport, Scalar

FORWARDS = 8000
CASCADE = (
    "A cascade was examined with Grad-CAM only, of the branch that weighs most; its branches alone "
    "were randomised."
)


@probe("explanations", "forwards")
def explanations(examination: Examination) -> ProbeReport:
    """Are heat maps evidence? Grad-CAM, Score-CAM and SmoothGrad, on a seeded sample of cases.

    The three differ in mechanism: gradients at one layer; no gradient but the score of the image
    seen through each channel; gradients at the pixels without any layer. Of each:
    `map_similarity_randomised`: rank correlation with maps of the same network with randomised
    weights (Adebayo et al. 2018, arXiv:1810.03292). `faithfulness`: what removing the marked
    pixels does to P(predicted class) beyond removing the same pattern elsewhere (ROAD, Rong et
    al. 2022, arXiv:2202.00449). `map_stability`: rank correlation under noise of σ = 0.01 and
    under FGSM at ε = 2/255 that keeps the decision. `pointing_game` over true positives with
    boxes, beside that of the centre of the image and `pointing_chance`.

    Warnings: `explanation-not-evidence` (similarity above 0.7, lower limit),
    `explanation-unfaithful` (not above 0, upper limit below 0.05), `explanation-unstable` (noise,
    upper limit below 0.5), `explanation-beside-lesions` (the centre finds more, exact McNemar).
    `forwards` (8000) and what the audit allows bound the sample; a method that was not examined,
    or not to the end, is named. A cascade has Grad-CAM only. "Not applicable" without gradients,
    without a convolutional layer or below ten cases.
    """
    classifier = examination.classifier
    if classifier.description.cam_layer is None or not classifier.has_gradients:
        missing = "convolutional layer to look at" if classifier.has_gradients else "gradients"
        reason = f"the classifier has no {missing}"
        return ProbeReport(probe="explanations", state="not applicable", reason=reason)
    sight, methods = Sight(examination), methods_for(classifier)
    if len(sight.order) < FEWEST:
        reason = f"fewer than {FEWEST} cases"
        return ProbeReport(probe="explanations", state="not applicable", reason=reason)
    seen = {method.name: Looked() for method in methods}
    left_out: dict[str, str] = {}
    try:
        for method in methods:
            stopped = _looked(method, sight, seen[method.name])
            left_out |= {method.name: stopped} if stopped else {}
    except NoMap as error:
        return ProbeReport(probe="explanations", state="not applicable", reason=str(error))
    hits = _hits(seen)
    found = {name: list(_findings(name, one, sight)) for name, one in seen.items()}
    for pointing in pointing_findings(examination, hits):
        found.setdefault(str(pointing.params["method"]), []).append(pointing)
    notes = [note for name in seen for note in words(name, found[name], hits, _reach(seen[name]))]
    notes += _notes(seen, left_out, len(sight.order))
    if len(methods) < len(METHODS):
        notes.append(Note(code="explanation-cascade", level="info", text=CASCADE))
    return ProbeReport(
        probe="explanations",
        findings=tuple(f for group in found.values() for f in group) + _chance(seen, sight),
        notes=tuple(notes),
        details={
            "looked_at": {name: one.looked_at for name, one in seen.items()},
            "left_out": left_out,
            "removed": list(REMOVED),
            "curves": {name: _curves(one) for name, one in seen.items() if one.removed},
            "seed": examination.seed,
        },
    )


def _looked(method: Method, sight: Sight, into: Looked) -> str | None:
    """Why a method was not examined to the end, or None."""
    budget = budget_of(sight.examination)
    reason = too_few(method, budget)
    if reason:
        return reason
    try:
        return look(method, sight, budget, into)
    except TimeUp as error:
        return f"{error}; what was seen before counts"


def budget_of(examination: Examination) -> int:
    return int(min(examination.forwards, examination.params.get("forwards", FORWARDS)))


def _findings(name: str, seen: Looked, sight: Sight) -> Iterator[Finding]:
    faithful = {case_id: one.faithfulness for case_id, one in seen.removed.items()}
    noise: dict[str, Scalar] = {"under": "noise", "sigma": SIGMA}
    attack: dict[str, Scalar] = {"under": "fgsm", "epsilon": EPSILON}
    told: tuple[tuple[str, Mapping[str, float], Mapping[str, Scalar]], ...] = (
        ("map_similarity_randomised", seen.randomised, {}),
        ("faithfulness", faithful, {}),
        ("map_stability", seen.noise, noise),
        ("map_stability", seen.fgsm, attack),
    )
    for metric, values, params in told:
        yield mean_finding(metric, values, sight.cases, {"method": name, **params})


def _hits(seen: Mapping[str, Looked]) -> dict[str, dict[str, bool]]:
    """Method -> case id -> its map points at a box; the centre of the image as a method too."""
    boxed = {name: one.boxed for name, one in seen.items() if one.boxed}
    centre = {c: point.centre for points in boxed.values() for c, point in points.items()}
    own = {name: {c: point.hit for c, point in points.items()} for name, points in boxed.items()}
    return {**own, CENTRE: centre} if centre else {}


def _chance(seen: Mapping[str, Looked], sight: Sight) -> tuple[Finding, ...]:
    areas = {c: point.area for one in seen.values() for c, point in one.boxed.items()}
    return (mean_finding("pointing_chance", areas, sight.cases, {}),) if areas else ()


def _reach(seen: Looked) -> float:
    return float(np.mean([one.reach for one in seen.removed.values()] or [0.0]))


def _curves(seen: Looked) -> dict[str, list[float]]:
    """Mean P(predicted class) along the shares removed."""
    removed = list(seen.removed.values())
    names = ("most", "least", "control_most", "control_least")
    return {
        name: [round(float(p), 6) for p in np.mean([getattr(r, name) for r in removed], axis=0)]
        for name in names
    }


def _notes(seen: Mapping[str, Looked], left_out: Mapping[str, str], of: int) -> Iterator[Note]:
    told = ", ".join(f"{one.looked_at} ({name})" for name, one in seen.items())
    text = f"Maps of the predicted class were examined on so many of {of} cases: {told}."
    yield Note(code="explanation-sample", level="info", text=text)
    for name, reason in left_out.items():
        text = f"{TITLES[name]} maps were not examined to the end: {reason}."
        yield Note(code="explanation-left-out", level="info", text=text)
