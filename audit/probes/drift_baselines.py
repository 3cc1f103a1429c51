"""What a site needs to notice later that scores or images have drifted from those of this audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from audit.decision import margin
from audit.draws import ranked
from audit.errors import HipauditError
from audit.evidence import Predictions, RunEvidence
from audit.probes.measured import measured
from audit.probes.registry import Examination, probe
from audit.quality.measures import MEASURES
from audit.results import Note, ProbeReport

QUANTILES = (0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95)
FEWEST = 5  # persons in a cell
FEWEST_FOR_QUANTILES = 20  # with fewer a quantile is the number of one person
MOST_MEASURED = 500
Floats = npt.NDArray[np.float64]
Quantiles = dict[str, float]


@probe("drift_baselines", "most")
def drift_baselines(examination: Examination) -> ProbeReport:
    """Quantiles of scores and of image quality, and shares, to compare later images with.

    Details: per defence quantiles of the positive class's probability, of all images and per
    decision, with the shares called positive and referred; quantiles of ten measures of the
    picture as the model sees it, on at most `most` cases in seeded order; shares of the values
    of every attribute. Groups under 5 are left out or merged, quantiles need 20 cases; no case
    id. No image goes through the network. No findings: a baseline has no right value.
    """
    try:
        most = _most(examination.params.get("most", MOST_MEASURED))
    except HipauditError as error:  # what was asked for is no reason to lose the audit
        return ProbeReport(probe="drift_baselines", state="failed", reason=str(error)[:300])
    predictions = examination.predictions
    clean = [run for run in predictions.runs if run.run.kind == "clean"]
    sample = predictions.clean().sample
    subjects = [predictions.subjects[int(index)] for index in sample]
    chosen = ranked(examination.seed, [subject.id for subject in subjects], "drift baselines")
    pictures = _pictures(examination, chosen[:most])
    labelled = int((predictions.targets[sample] == predictions.decision.positive).sum())
    return ProbeReport(
        probe="drift_baselines",
        notes=(_note(len(subjects), min(most, len(chosen))),),
        details={
            "schema_version": 1,
            "positive_class": predictions.classes[predictions.decision.positive],
            "cases": len(subjects),
            "labelled_positive": share(labelled, len(subjects)),
            "decisions": {run.run.defence: _decisions(predictions, run) for run in clean},
            "attributes": _attributes([subject.attributes for subject in subjects]),
            "pictures": pictures,
        },
    )


def _most(asked: Any) -> int:
    if isinstance(asked, bool) or not isinstance(asked, int) or asked < FEWEST_FOR_QUANTILES:
        raise HipauditError(
            f"most as a whole number from {FEWEST_FOR_QUANTILES} up", repr(asked)[:40]
        )
    return asked


def _decisions(predictions: Predictions, run: RunEvidence) -> dict[str, Any]:
    """Shares and quantiles of the score under one defence; a score that is not finite is counted
    and left out of the quantiles."""
    logits = run.rows.logits
    decided = predictions.decided(logits)
    positive = decided == predictions.decision.positive
    finite = np.isfinite(logits).all(axis=1)
    score = probability(margin(logits[finite], predictions.decision.positive))
    called = positive[finite]
    total = len(decided)
    return {
        "cases": total,
        "called_positive": share(int(positive.sum()), total),
        "referred": share(int(run.rows.referred.sum()), total),
        "without_score": share(int((~finite).sum()), total),
        "score": {
            "all": quantiles(score),
            "called_positive": quantiles(score[called]),
            "called_otherwise": quantiles(score[~called]),
        },
    }


def probability(log_odds: Floats) -> Floats:
    """Of log-odds; 0 and 1 where they are infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def quantiles(values: Floats) -> dict[str, Any] | None:
    """The number of values and their quantiles (numpy's linear ones); None under 20 values."""
    if len(values) < FEWEST_FOR_QUANTILES:
        return None
    found = np.quantile(values, QUANTILES)
    told = {f"{q:g}": round(float(v), 6) for q, v in zip(QUANTILES, found, strict=True)}
    return {"cases": len(values), "quantiles": told}


def share(count: int, total: int) -> float | None:
    """A share; None where it would tell of 1 to 4 persons, or of all but so many."""
    if not total or 0 < count < FEWEST or 0 < total - count < FEWEST:
        return None
    return round(count / total, 6)


def _pictures(examination: Examination, chosen: list[str]) -> dict[str, Any]:
    """Quantiles of every measure of the chosen pictures."""
    table = measured(examination, chosen)
    told = {name: quantiles(table[:, column]) for column, name in enumerate(MEASURES)}
    return {"cases": len(chosen), "seed": examination.seed, "measures": told}


def _attributes(known: list[Mapping[str, str]]) -> dict[str, dict[str, float]]:
    """Attribute -> value -> share of the cases that have one. Values of fewer than 5 cases are
    merged as "other", with the next smallest where all of them together are fewer than 5."""
    names = dict.fromkeys(name for attributes in known for name in attributes)
    found = {}
    for name in names:
        counts = Counter(attributes[name] for attributes in known if attributes.get(name))
        merged = _merged(counts)
        total = sum(merged.values())
        if total:
            found[name] = {word: round(n / total, 6) for word, n in merged.items()}
    return found


def _merged(counts: Counter[str]) -> dict[str, int]:
    """Counts in falling order, none of them from 1 to 4; empty where that cannot be."""
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = [(word, n) for word, n in order if n >= FEWEST]
    other = sum(n for _, n in order[len(kept) :])
    while 0 < other < FEWEST and kept:
        other += kept.pop()[1]
    if other < FEWEST:
        return dict(kept)
    return {**dict(kept), "other": other + dict(kept).get("other", 0)}


def _note(cases: int, measured: int) -> Note:
    text = (
        f"Baselines of {cases} scores and of {measured} pictures, to compare later images with. "
        "They say what was usual in this set, not what is right."
    )
    return Note(code="drift-baselines", level="info", text=text)
