"""Classifiers over `scenes`: a sound reader, and readers each with one known defect."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from audit.classifier import Classifier
from audit.results import ModelDescription, Preparation
from tests.planted.scenes import CLASSES, GAIN, GREY, LESION, MARKER, SEX, SIDE, VIEW, ring


def classifier_of(module: nn.Module, side: int = SIDE, **changes: object) -> Classifier:
    """A Classifier of (`normal`, `fracture`) over grey side × side pixels as they are."""
    way = Preparation(height=side, width=side, channels=1, mean=(0.0,), std=(1.0,))
    description = ModelDescription(
        name="planted",
        architecture=type(module).__name__,
        classes=CLASSES,
        positive_class="fracture",
        preparation=way,
        preparation_origin="test",
    )
    return Classifier(module, description.model_copy(update=changes))


def weights() -> Tensor:
    """(SIDE, SIDE): mean of the lesion minus mean of the ring; they sum to 0."""
    around = torch.from_numpy(ring())
    weight = torch.zeros(SIDE, SIDE)
    weight[LESION] = 1.0 / 64
    weight[around] = -1.0 / int(around.sum())
    return weight


def answer(log_odds: Tensor) -> Tensor:
    """(N,) log-odds of a fracture -> (N, 2) logits."""
    return torch.stack([-log_odds / 2, log_odds / 2], dim=1)


class Reader(nn.Module):
    """Reads the lesion against its ring: gives each picture the log-odds written into it."""

    def __init__(self, temperature: float = 1.0, shift: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(GAIN * temperature * weights())
        self.shift = shift

    def log_odds(self, x: Tensor) -> Tensor:
        return (x.mean(1) * self.weight).sum((1, 2)) + self.shift

    def forward(self, x: Tensor) -> Tensor:
        return answer(self.log_odds(x))


class Blind(Reader):
    """The reader, but where `where(x)` is true it says "normal" whatever it sees."""

    def __init__(self, where: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.where = where

    def log_odds(self, x: Tensor) -> Tensor:
        read = super().log_odds(x)
        return torch.where(self.where(x), -read.abs() - 0.5, read)


class Through(Reader):
    """The reader behind something done to the pixels or to the answer."""

    def __init__(
        self,
        before: Callable[[Tensor], Tensor] = lambda x: x,
        after: Callable[[Tensor], Tensor] = lambda z: z,
    ) -> None:
        super().__init__()
        self.before, self.after = before, after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(super().forward(self.before(x)))


class Reads(nn.Module):
    """Brightness of one patch, above or below a boundary: a shortcut and nothing else."""

    def __init__(self, place: tuple[slice, slice], boundary: float, gain: float = 10.0) -> None:
        super().__init__()
        self.place, self.boundary = place, boundary
        self.gain = nn.Parameter(torch.tensor(gain))

    def forward(self, x: Tensor) -> Tensor:
        return answer(self.gain * (x[:, 0][:, *self.place].mean((1, 2)) - self.boundary))


def bright(place: tuple[slice, slice], boundary: float = 0.4) -> Callable[[Tensor], Tensor]:
    """(N,) where a patch of the picture is bright."""
    return lambda x: x[:, 0][:, *place].mean((1, 2)) > boundary


is_lateral, is_female = bright(VIEW), bright(SEX)


def reads_marker() -> nn.Module:
    return Reads(MARKER, 0.7)


class ReadsScanner(nn.Module):
    """Brightness of the ring, which a scanner's offset shifts and the lesion does not."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(1, 2)
        self.head.weight.data = torch.tensor([[-30.0], [30.0]])
        self.head.bias.data = 30 * (GREY + 0.075) * torch.tensor([1.0, -1.0])
        self.register_buffer("around", torch.from_numpy(ring()))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x[:, 0][:, self.around].mean(1, keepdim=True))
        return logits


class BatchStatistics(nn.Module):
    """A reader whose normalisation was left in training: each answer depends on its batch."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = Reader()
        self.norm = nn.BatchNorm1d(1, affine=False, track_running_stats=False)

    def forward(self, x: Tensor) -> Tensor:
        return answer(2 * self.norm(self.reader.log_odds(x)[:, None])[:, 0])


class Flat(nn.Module):
    """One answer for every picture: `logits` (2,)."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.said = nn.Parameter(torch.tensor(logits))

    def forward(self, x: Tensor) -> Tensor:
        return self.said.expand(len(x), -1) + 0 * x.mean((1, 2, 3))[:, None]
