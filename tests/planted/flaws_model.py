"""Flaws of the model or of how it was put together: preflight names them before the hours."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audit.cases.case import Cases
from audit.results import Preparation
from tests.planted.models import (
    BatchStatistics,
    Flat,
    Reader,
    Through,
    answer,
    classifier_of,
    is_lateral,
)
from tests.planted.planting import Flaw, audited, named
from tests.planted.scenes import GREY, SIDE, plain_cases, sound_cases


class OfHalf(nn.Module):
    """Right for pixels given as (v - 0.5) / 0.5; as they are, both classes are equally far off."""

    def forward(self, x: Tensor) -> Tensor:
        lesion = x[:, 0][:, 12:16, 12:16].mean((1, 2))
        return answer(20 * (0.6 - (lesion - GREY).abs()))


def not_a_number(x: Tensor) -> Tensor:
    """NaN in one pixel of every picture whose patch says lateral."""
    spoilt = torch.where(is_lateral(x), torch.nan, 0.0)
    return x + spoilt[:, None, None, None]


def _golden() -> dict[str, tuple[float, ...]]:
    return {case.id: (0.0, 5.0) for case in list(sound_cases())[:3]}


def _half() -> Preparation:
    return Preparation(height=SIDE, width=SIDE, channels=1, mean=(0.5,), std=(0.5,))


def _row(name: str, planted: str, code: str, module: nn.Module, **about: object) -> Flaw:
    missing = str(about.pop("missing", ""))
    cases = about.pop("cases", sound_cases)
    assert callable(cases)

    def made() -> Cases:
        found = cases()
        assert isinstance(found, Cases)
        return found

    audit = audited(lambda: classifier_of(module, **about), made)
    return Flaw(name, planted, f"preflight: `{code}`", audit, named(code), missing=missing)


FLAWS = (
    _row("one class", "says fracture whatever it sees", "all-one-class", Reader(shift=10.0)),
    _row("NaN", "NaN on every lateral view", "nan-logits", Through(before=not_a_number)),
    _row("constant", "the same logits for every picture", "constant-output", Flat(0.3, 0.7)),
    _row(
        "swapped classes",
        "its two outputs in the other order",
        "classes-swapped",
        Through(after=lambda z: z.flip(1)),
    ),
    _row(
        "wrong normalisation",
        "fitted to (v − 0.5) / 0.5, given v",
        "normalisation-implausible",
        OfHalf(),
        cases=plain_cases,
    ),
    _row(
        "softmax as logits",
        "probabilities where logits are declared",
        "probabilities-as-logits",
        Through(after=lambda z: torch.softmax(z, dim=1)),
    ),
    _row(
        "random forward",
        "noise of σ = 0.05 in its logits, as dropout left on",
        "random-model",
        Through(after=lambda z: z + 0.05 * torch.randn_like(z)),
    ),
    _row(
        "batch statistics",
        "normalises by the batch it is in: BatchNorm left in training",
        "batch-dependent",
        BatchStatistics(),
    ),
    _row(
        "saturated",
        "logits 10,000 times too large: softmax is 0 or 1 to the last digit",
        "saturated",
        Through(after=lambda z: 1e4 * z),
    ),
    _row(
        "other weights",
        "not the weights whose logits model.yaml promises",
        "golden-missed",
        Reader(),
        golden=_golden(),
    ),
)
