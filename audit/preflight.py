"""Is this model with this data worth auditing? A look before the hours of work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from audit.cases.case import Case
from audit.classifier import Classifier
from audit.draws import ranked
from audit.results import Note

PASSES = 3
TOLERANCE = 1e-5  # relative; the same machine and batch give the same numbers


def preflight(classifier: Classifier, cases: Sequence[Case], limit: int = 64) -> list[Note]:
    """Faults and warnings about a classifier on a stratified sample of at most `limit` cases.

    Three passes must agree; logits must be finite and vary; the data must hold more than one
    class; another normalisation or class order must not fit much better.
    """
    if not cases:
        return []
    sample = stratified(cases, limit)
    x = [classifier.prepare(case) for case in sample]
    passes = [_logits(classifier, x) for _ in range(PASSES)]
    return [*_repeatable(passes), *_finite(passes[0]), *_constant(passes[0])]


def stratified(cases: Sequence[Case], limit: int) -> list[Case]:
    """At most `limit` cases, labels in turn, in a fixed order that depends on ids alone."""
    by_id = {case.id: case for case in cases}
    order = ranked(0, list(by_id), "preflight")
    queues = {
        label: [i for i in order if by_id[i].label == label]
        for label in sorted({case.label for case in cases})
    }
    chosen: list[Case] = []
    while len(chosen) < limit and any(queues.values()):
        for queue in queues.values():
            if queue and len(chosen) < limit:
                chosen.append(by_id[queue.pop(0)])
    return chosen


def _logits(classifier: Classifier, images: Sequence[Tensor]) -> npt.NDArray[np.float32]:
    """(N, K); one image at a time where grey and colour are mixed."""
    with torch.no_grad():
        rows = [classifier.predict(image[None]).logits for image in images]
    return torch.cat(rows).numpy()


def _repeatable(passes: Sequence[npt.NDArray[np.float32]]) -> list[Note]:
    first = passes[0]
    scale = TOLERANCE * max(1.0, float(np.abs(first[np.isfinite(first)]).max(initial=0.0)))
    if all(np.allclose(first, other, rtol=0, atol=scale, equal_nan=True) for other in passes[1:]):
        return []
    worst = max(float(np.nanmax(np.abs(first - other))) for other in passes[1:])
    text = (
        f"The same image gives other logits on another pass (by up to {worst:.3g}): the model "
        "is random (dropout or sampling left on). Nothing below can be repeated."
    )
    return [Note(code="random-model", level="fault", text=text)]


def _finite(logits: npt.NDArray[np.float32]) -> list[Note]:
    bad = int((~np.isfinite(logits).all(axis=1)).sum())
    if not bad:
        return []
    text = f"NaN or infinite logits for {bad} of {len(logits)} sampled images; counted as errors."
    return [Note(code="nan-logits", level="fault", text=text)]


def _constant(logits: npt.NDArray[np.float32]) -> list[Note]:
    if len(logits) < 2 or not np.isfinite(logits).all() or float(np.ptp(logits, axis=0).max()) > 0:
        return []
    text = f"All {len(logits)} sampled images get exactly the same logits: the output is constant."
    return [Note(code="constant-output", level="fault", text=text)]
