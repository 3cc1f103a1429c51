"""Is this model with this data worth auditing? A look before the hours of work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from audit.cases.case import Case
from audit.classifier import Classifier
from audit.decision import margin
from audit.draws import ranked
from audit.plausibility import implausible
from audit.results import Note

PASSES = 3
REPEATED = 16  # images of the sample that go through again
BATCH = 16
TOLERANCE = 1e-5  # relative; the same machine and batch give the same numbers
COMPANY = 1e-3  # relative; another batch adds up in another order
GOLDEN_TOLERANCE = 1e-3
# Beyond this margin float32's softmax is exactly 0 or 1 and its gradient vanishes.
SATURATED = 17.0
Floats = npt.NDArray[np.float32]


def preflight(classifier: Classifier, cases: Sequence[Case], limit: int = 64) -> list[Note]:
    """Faults and warnings about a classifier on a stratified sample of at most `limit` cases.

    Three passes must agree, and so must the same images two by two; logits be finite, vary and be
    logits, decisions name more than one class; golden logits must be met; another normalisation
    or class order must not fit much better. Costs at most 7 × `limit` forwards, 1.75 × for a model
    that separates well.
    """
    sample = stratified(cases, limit)
    if not sample:
        return []
    x = [classifier.prepare(case) for case in sample]
    first = logits_of(classifier, x)
    again = [logits_of(classifier, x[:REPEATED]) for _ in range(PASSES - 1)]
    faults = [
        *_repeatable(first[:REPEATED], again),
        *_in_company(classifier, x[:REPEATED], first[:REPEATED], again),
        *_finite(first),
        *_constant(first),
        *_golden(classifier, cases),
    ]
    if faults and any(note.level == "fault" for note in faults):
        return faults  # what follows would only repeat it in other words
    targets = classifier.targets(sample).numpy()
    return [
        *faults,
        *_not_logits(classifier, first),
        *_saturated(classifier, first),
        *_one_class(classifier, first, targets),
        *implausible(classifier, x, first, targets, logits_of),
    ]


def stratified(cases: Sequence[Case], limit: int) -> list[Case]:
    """At most `limit` cases, labels in turn, in an order that depends on their ids alone."""
    by_id = {case.id: case for case in cases}
    order = ranked(0, list(by_id), "preflight")
    queues = {
        label: [i for i in order if by_id[i].label == label]
        for label in sorted({case.label for case in cases})
    }
    chosen: list[Case] = []
    for place in range(len(by_id)):
        chosen += [by_id[queue[place]] for queue in queues.values() if place < len(queue)]
        if len(chosen) >= limit:
            break
    return chosen[:limit]


def logits_of(classifier: Classifier, images: Sequence[Tensor]) -> Floats:
    """(N, K) of prepared images, in batches of those with the same number of channels."""
    rows: dict[int, Tensor] = {}
    for channels in (1, 3):
        places = [i for i, image in enumerate(images) if len(image) == channels]
        for start in range(0, len(places), BATCH):
            chosen = places[start : start + BATCH]
            z = classifier.predict(torch.stack([images[i] for i in chosen])).logits
            rows.update(zip(chosen, z, strict=True))
    return torch.stack([rows[i] for i in range(len(images))]).numpy()


def _repeatable(first: Floats, again: Sequence[Floats]) -> list[Note]:
    scale = TOLERANCE * max(1.0, float(np.abs(first[np.isfinite(first)]).max(initial=0.0)))
    if all(np.allclose(first, other, rtol=0, atol=scale, equal_nan=True) for other in again):
        return []
    text = (
        f"The same images get other logits on another of {PASSES} passes: the model is random "
        "(dropout or sampling left on). No number about it can be repeated."
    )
    return [Note(code="random-model", level="fault", text=text)]


def _in_company(
    classifier: Classifier, x: Sequence[Tensor], together: Floats, again: Sequence[Floats]
) -> list[Note]:
    """The same images two by two: an answer may not depend on who else is in the batch."""
    if any(not np.array_equal(together, other, equal_nan=True) for other in again):
        return []  # random anyway
    pairs = np.array_split(np.arange(len(x)), max(1, len(x) // 2))
    apart = np.concatenate([logits_of(classifier, [x[i] for i in pair]) for pair in pairs])
    scale = COMPANY * max(1.0, float(np.abs(together[np.isfinite(together)]).max(initial=0.0)))
    if np.allclose(together, apart, rtol=0, atol=scale, equal_nan=True):
        return []
    text = (
        "An image gets other logits in another batch: the model looks at all of a batch together "
        "(batch statistics left on). What it says of a patient depends on who else is examined."
    )
    return [Note(code="batch-dependent", level="fault", text=text)]


def _finite(logits: Floats) -> list[Note]:
    bad = int((~np.isfinite(logits).all(axis=1)).sum())
    if not bad:
        return []
    text = f"NaN or infinite logits for {bad} of {len(logits)} sampled images; counted as errors."
    return [Note(code="nan-logits", level="fault", text=text)]


def _constant(logits: Floats) -> list[Note]:
    """Exactly one answer for every image: dead weights or a broken input."""
    if len(logits) < 2 or not np.isfinite(logits).all() or np.ptp(logits, axis=0).max() > 0:
        return []
    text = f"All {len(logits)} sampled images get exactly the same logits: the output is constant."
    return [Note(code="constant-output", level="fault", text=text)]


def _golden(classifier: Classifier, cases: Sequence[Case]) -> list[Note]:
    """The logits that model.yaml promises for named cases."""
    golden = classifier.description.golden
    if not golden:
        return []
    here = [case for case in cases if case.id in golden]
    if not here:
        text = "None of the golden cases in model.yaml is in this data; nothing was compared."
        return [Note(code="golden-absent", level="warning", text=text)]
    found = logits_of(classifier, [classifier.prepare(case) for case in here])
    wanted = [np.asarray(golden[case.id]) for case in here]
    same = [
        len(w) == len(f) and np.allclose(w, f, rtol=0, atol=GOLDEN_TOLERANCE)
        for w, f in zip(wanted, found, strict=True)
    ]
    if all(same):
        text = f"Golden logits met for {len(here)} of {len(golden)} cases in model.yaml."
        return [Note(code="golden-met", level="info", text=text)]
    text = (
        f"{same.count(False)} of {len(here)} golden cases in model.yaml get other logits (beyond "
        f"{GOLDEN_TOLERANCE:g}): the weights or the preprocessing are not what its maker used."
    )
    return [Note(code="golden-missed", level="fault", text=text)]


def _not_logits(classifier: Classifier, z: Floats) -> list[Note]:
    """Softmax outputs taken as logits: every confidence would be squeezed towards chance."""
    if classifier.description.output != "logits" or not are_probabilities(z):
        return []
    text = (
        "Every row of outputs lies in [0, 1] and sums to 1: these are probabilities, not logits. "
        "Write in model.yaml: output: probabilities."
    )
    return [Note(code="probabilities-as-logits", level="warning", text=text)]


def are_probabilities(z: Floats) -> bool:
    """Every row of outputs (N, K) lies in [0, 1] and sums to 1."""
    inside = bool(z.min() >= 0 and z.max() <= 1)
    return inside and bool(np.allclose(z.sum(axis=1), 1.0, atol=1e-4))


def _saturated(classifier: Classifier, z: Floats) -> list[Note]:
    share = float((np.abs(margin(z, classifier.decision.positive)) >= SATURATED).mean())
    if share < 0.5:
        return []
    text = (
        f"The model is at 0 % or 100 % to float32's last digit on {share:.0%} of sampled images: "
        "gradients through probabilities vanish there, and gradient attacks may look weaker "
        "than they are."
    )
    return [Note(code="saturated", level="warning", text=text)]


def _one_class(classifier: Classifier, z: Floats, targets: npt.NDArray[np.int64]) -> list[Note]:
    if len(set(targets.tolist())) < 2:
        text = "All cases have one label: neither AUROC nor class order can be judged."
        return [Note(code="one-label", level="warning", text=text)]
    decided = set(classifier.decide(z).tolist())
    if len(decided) > 1:
        return []
    name = classifier.classes[decided.pop()]
    text = f'Every one of {len(z)} sampled images, of all labels, is called "{name}".'
    return [Note(code="all-one-class", level="warning", text=text)]
