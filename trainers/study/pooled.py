"""Several networks, each for its own images, read as one: their answers put together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from audit.decision import Decision, log_odds, margin
from audit.evidence import Predictions, Rows, RunEvidence, Subject

FAR = 1e4  # log-odds that no network reaches


def pooled(parts: Sequence[Predictions]) -> Predictions:
    """The answers without stress of classifiers that share classes and no image, as one table.

    Each keeps its own decision rule: logits of the positive class are shifted so that argmax is
    the rule of the classifier they come from, and log-odds count from there.
    """
    subjects: dict[str, Subject] = {}
    logits: dict[str, npt.NDArray[np.float32]] = {}
    referred: dict[str, bool] = {}
    for part in parts:
        for subject, answer, sent in zip(
            part.subjects, by_argmax(part), _referred(part), strict=True
        ):
            subjects[subject.id], logits[subject.id] = subject, answer
            referred[subject.id] = bool(sent)
    order = sorted(subjects)
    count = len(order)
    rows = Rows(
        case=np.arange(count),
        variant=np.zeros(count, np.int64),
        logits=np.stack([logits[i] for i in order]),
        referred=np.array([referred[i] for i in order], dtype=np.bool_),
        success=np.full(count, -1, np.int8),
        success_8bit=np.full(count, -1, np.int8),
        queries=np.full(count, -1, np.int64),
        variants=({},),
        found=tuple({} for _ in order),
    )
    run = parts[0].clean().run.model_copy(update={"sample": count, "of": count})
    evidence = RunEvidence(run, np.arange(count), rows)
    decision = Decision(parts[0].decision.positive)
    return Predictions(tuple(subjects[i] for i in order), parts[0].classes, decision, (evidence,))


def by_argmax(part: Predictions) -> npt.NDArray[np.float32]:
    """(N, K) logits without stress, shifted so that argmax is the deployed rule, ties included."""
    logits, rule = part.clean_logits(), part.decision
    if rule.threshold is None:
        return logits
    positive = rule.positive
    others = np.delete(logits, positive, axis=1).max(axis=1)
    cut = np.clip(log_odds(rule.threshold), -FAR, FAR)  # a cut-off of 0 or 1 is infinitely far
    with np.errstate(invalid="ignore"):  # logits that are not finite are decided to -1 in any case
        own = (others + margin(logits, positive) - cut).astype(np.float32)
    # float32 and argmax of equals would decide a case that lies on the cut-off otherwise.
    decided = part.decided(logits)
    above, below = (
        np.nextafter(others, np.float32(np.inf)),
        np.nextafter(others, np.float32(-np.inf)),
    )
    own = np.where(decided == positive, np.maximum(own, above), own)
    own = np.where((decided >= 0) & (decided != positive), np.minimum(own, below), own)
    shifted = logits.copy()
    shifted[:, positive] = own
    return shifted


def only(part: Predictions, ids: Sequence[str]) -> npt.NDArray[np.bool_]:
    """(len(ids),) whether each of these cases is decided correctly without stress."""
    right = dict(zip((s.id for s in part.subjects), part.clean_correct(), strict=True))
    return np.array([bool(right[i]) for i in ids])


def _referred(part: Predictions) -> npt.NDArray[np.bool_]:
    rows = part.clean().rows
    out = np.zeros(len(part.subjects), dtype=bool)
    out[rows.case] = rows.referred
    return out
