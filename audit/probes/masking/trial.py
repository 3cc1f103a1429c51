"""Signs of masked gradients that only the classifier itself can show, on a few of its cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from audit.classifier import Classifier
from audit.draws import generator
from audit.preflight import SATURATED, TOLERANCE, are_probabilities
from audit.probes.masking.flags import Flag, enough, under
from audit.stresses.registry import Batch, get_stress

HALF = 0.5
OTHERS = 4  # pictures of other labels tried on an image that withstood PGD
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trial:
    """A classifier under one defence and a few cases it decides correctly.

    `x` (n, C, H, W) in [0, 1], `y` (n,) true classes, `ids` their cases; at most `batch` images
    go through at a time.
    """

    classifier: Classifier
    defence: str
    ids: Sequence[str]
    x: Tensor
    y: Tensor
    batch: int
    seed: int

    def parts(self) -> Iterator[slice]:
        for start in range(0, len(self.x), self.batch):
            yield slice(start, start + self.batch)

    def logits(self, x: Tensor) -> Tensor:
        """(N, K) on the CPU, in parts, without gradient."""
        starts = range(0, len(x), self.batch)
        pieces = [self.classifier.predict(x[i : i + self.batch]).logits for i in starts]
        return torch.cat(pieces)

    def decided(self, x: Tensor) -> npt.NDArray[np.int64]:
        return self.classifier.decide(self.logits(x))


def random_forward(trial: Trial) -> Iterator[Flag]:
    """The same images twice, in the same batches: a sound answer is the same."""
    first, again = (trial.logits(trial.x).numpy() for _ in range(2))
    scale = TOLERANCE * max(1.0, float(np.abs(first[np.isfinite(first)]).max(initial=0.0)))
    differ = int((~np.isclose(first, again, rtol=0, atol=scale, equal_nan=True)).any(1).sum())
    if differ:
        yield Flag(
            "masking-random", trial.defence, differ, len(first),
            f"The answer {under(trial.defence)} is random: {differ} of {len(first)} images get "
            "other logits the second time. An attack that follows one draw of the gradient is "
            "misled; only one that averages over draws (EOT) would count.",
        )  # fmt: skip


def outputs(trial: Trial) -> Iterator[Flag]:
    """Probabilities taken for logits: a softmax on top of a softmax flattens every gradient."""
    z = trial.logits(trial.x).numpy()
    if trial.classifier.description.output == "logits" and are_probabilities(z):
        yield Flag(
            "masking-probabilities", trial.defence, len(z), len(z),
            f"What comes out {under(trial.defence)} lies in [0, 1] and sums to 1: probabilities "
            "taken for logits. Where they are 0 or 1 to the last digit no gradient is left.",
        )  # fmt: skip


def gradients(trial: Trial) -> Iterator[Flag]:
    """Zero everywhere, or so far from the boundary that a loss of probabilities is blind."""
    blind, margins = (np.concatenate(column) for column in zip(*_gradients(trial), strict=True))
    count = int(blind.sum())
    if enough(count, len(blind)):
        yield Flag(
            "masking-zero-gradient", trial.defence, count, len(blind),
            f"The gradient is exactly zero everywhere, or not finite, for {count} of "
            f"{len(blind)} images {under(trial.defence)}: no attack that follows it can begin.",
        )  # fmt: skip
    far = int((np.abs(margins) >= SATURATED).sum())
    if 2 * far >= len(margins):
        yield Flag(
            "masking-saturated", trial.defence, far, len(margins),
            f"The answer {under(trial.defence)} is at 0% or 100% to float32's last digit for "
            f"{far} of {len(margins)} images: attacks whose loss is made of probabilities, the "
            "default of most libraries, are blind there. Those run here use a loss that does not "
            "saturate.",
            artefact=False,
        )  # fmt: skip


def _gradients(trial: Trial) -> Iterator[tuple[Bools, npt.NDArray[np.float64]]]:
    """Per part: (n,) gradient of the margin zero or not finite; (n,) margin of the truth."""
    for part in trial.parts():
        x = trial.x[part].clone().requires_grad_(True)
        z = trial.classifier.decision_logits(x)
        true = F.one_hot(trial.y[part].to(z.device), z.shape[1]).bool()
        margin = z[true] - torch.logsumexp(z.masked_fill(true, -torch.inf), 1)
        slope = torch.zeros_like(x)
        if margin.requires_grad:
            (found,) = torch.autograd.grad(margin.sum(), x, allow_unused=True)
            slope = slope if found is None else found
        flat = slope.flatten(1)
        blind = ~flat.any(1) | ~flat.isfinite().all(1)
        yield blind.cpu().numpy(), margin.detach().double().cpu().numpy()


def half(trial: Trial, steps: int) -> Iterator[Flag]:
    """PGD at ε = 0.5, where every image of the ball around x may become uniform grey.

    Grey gets one answer, so a search that works leaves at most the cases of that class. Counted
    are cases that withstood PGD and are fooled by a picture inside the same ball that needed no
    search: black, white or grey as far as the ball allows, or another case's image.
    """
    left = withstood(trial, steps)
    easy = [row for row in left if _fooled_by_a_picture(trial, row)]
    if enough(len(easy), len(trial.x)):
        yield Flag(
            "masking-half", trial.defence, len(easy), len(trial.x),
            f"PGD at ε = 0.5 {under(trial.defence)} left {len(left)} of {len(trial.x)} cases "
            f"standing, and {len(easy)} of these are fooled by a flat picture or another case's "
            "image inside the same ball: the search failed, not the alterations.",
        )  # fmt: skip


def withstood(trial: Trial, steps: int) -> list[int]:
    """Rows that the registered PGD at ε = 0.5 does not fool, each with draws of its own."""
    stress = get_stress("pgd")
    params = stress.check({"epsilons": (HALF,), "steps": steps})
    standing = np.ones(len(trial.x), dtype=bool)
    for part in trial.parts():
        rngs = [generator(trial.seed, case_id, "probe:masking") for case_id in trial.ids[part]]
        batch = Batch(trial.x[part].clone(), trial.y[part], rngs)
        for altered in stress.perturb(trial.classifier, batch, **params):
            rows = list(range(len(batch.y))) if altered.rows is None else list(altered.rows)
            images = cast(Tensor, altered.images)  # PGD works on prepared input
            fooled = trial.decided(images) != batch.y[rows].numpy()
            standing[part.start + np.array(rows)[fooled]] = False
    return [int(row) for row in np.flatnonzero(standing)]


def _fooled_by_a_picture(trial: Trial, row: int) -> bool:
    x, y = trial.x[row], int(trial.y[row])
    flat = [torch.full_like(x, level) for level in (HALF, 0.0, 1.0)]
    others = [trial.x[i] for i in np.flatnonzero(trial.y.numpy() != y)[:OTHERS]]
    ball = (x - HALF, x + HALF)
    inside = torch.stack([torch.clamp(picture, *ball) for picture in [*flat, *others]])
    return bool((trial.decided(inside.clamp(0.0, 1.0)) != y).any())
