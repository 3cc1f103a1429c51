"""What the numbers about a method's maps come to, in words. A flag rests on an interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from audit.metrics.difference import mcnemar
from audit.probes.explanations.methods import TITLES
from audit.probes.explanations.pointing import CENTRE
from audit.results import Finding, Note

SAME = 0.7  # rank correlation with maps of randomised weights, above which they hardly changed
NEGLIGIBLE = 0.05  # of probability: less than that above a random control is next to nothing
MOVES = 0.1  # of probability: where removal changes the score by less, it cannot tell maps apart
UNSTABLE = 0.5  # rank correlation under small noise, below which a map is another map
LESIONS = 0.05  # level of the test against the centre of the image


def words(
    method: str,
    found: Sequence[Finding],
    hits: Mapping[str, Mapping[str, bool]],
    reach: float,
) -> Iterator[Note]:
    """The notes on one method from its findings and the pointing game's hits.

    `reach`: by how much removals move P(predicted class), mean over cases.
    """
    title = TITLES[method]
    for finding in found:
        if finding.value is None or finding.low is None or finding.high is None:
            continue
        if finding.metric == "map_similarity_randomised":
            yield _sanity(title, finding)
        elif finding.metric == "faithfulness":
            yield _faithful(title, finding, reach)
        elif finding.metric == "map_stability" and finding.params["under"] == "noise":
            yield from _stable(title, finding)
        elif finding.metric == "pointing_game":
            yield from _pointing(title, finding, hits[method], hits[CENTRE])


def _sanity(title: str, f: Finding) -> Note:
    told = f"rank correlation {_told(f)}, bound {SAME:g}"
    if f.low is not None and f.low > SAME:
        text = (
            f"{title} maps are not evidence: with randomised weights they hardly change ({told}). "
            "They follow the image, not what the network has learnt."
        )
        return Note(code="explanation-not-evidence", level="warning", text=text)
    if f.high is not None and f.high > SAME:
        text = f"Whether {title} maps depend on the weights is not settled ({told})."
        return Note(code="explanation-sanity-open", level="info", text=text)
    text = (
        f"{title} maps change with randomised weights ({told}). That they depend on what was "
        "learnt does not make them right."
    )
    return Note(code="explanation-depends-on-weights", level="info", text=text)


def _faithful(title: str, f: Finding, reach: float) -> Note:
    told = f"area between the curves minus the control's {_told(f)}"
    start = f"Removing what {title} marks changes the score"
    if f.low is not None and f.low > 0:
        return Note(
            code="explanation-faithful",
            level="info",
            text=f"{start} more than removing the same pattern elsewhere ({told}).",
        )
    if reach < MOVES:
        text = f"Removing parts of the image moves P by {reach:.2f}: no word on {title} ({told})."
        return Note(code="explanation-faithfulness-open", level="info", text=text)
    if f.high is not None and f.high < NEGLIGIBLE:
        text = f"{start} no more than removing the same pattern elsewhere ({told})."
        return Note(code="explanation-unfaithful", level="warning", text=text)
    text = f"{start}: whether by more than the same pattern elsewhere is not settled ({told})."
    return Note(code="explanation-faithfulness-open", level="info", text=text)


def _stable(title: str, f: Finding) -> Iterator[Note]:
    if f.high is not None and f.high < UNSTABLE:
        text = (
            f"{title} maps become other maps under noise of σ = {f.params['sigma']:g} of the "
            f"scale that nobody sees (rank correlation {_told(f)})."
        )
        yield Note(code="explanation-unstable", level="warning", text=text)


def _pointing(
    title: str, f: Finding, hits: Mapping[str, bool], centre: Mapping[str, bool]
) -> Iterator[Note]:
    """Flagged where the image's centre alone finds more lesions than the map (exact McNemar)."""
    only_map = sum(hit and not centre[case_id] for case_id, hit in hits.items())
    only_centre = sum(centre[case_id] and not hit for case_id, hit in hits.items())
    p = mcnemar(only_map, only_centre)
    if only_centre > only_map and p < LESIONS:
        text = (
            f"The highest point of {title} maps lies at a lesion less often than the centre of "
            f"the image does ({_told(f)}; alone right: map {only_map}, centre {only_centre}; "
            f"exact McNemar p = {p:.2g})."
        )
        yield Note(code="explanation-beside-lesions", level="warning", text=text)
        return
    text = (
        f"The highest point of {title} maps lies at a lesion in {_told(f)} of the true positives "
        f"with boxes; the centre of the image does in {sum(centre[c] for c in hits)} of {f.n}."
    )
    yield Note(code="explanation-pointing", level="info", text=text)


def _told(f: Finding) -> str:
    return f"{f.value:.2f} (95% CI {f.low:.2f} to {f.high:.2f}; n = {f.n})"
