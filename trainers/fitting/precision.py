"""In what numbers and in what memory order a network is trained: asked for, tried, recorded."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audit.errors import HipauditError

Mixed = Literal["auto", "bf16", "fp16", "off"]
Order = Literal["auto", "on", "off"]
Timer = Callable[[nn.Module, Tensor, "Precision"], float]
FULL = "float32"
ASKED = {"bf16": "bfloat16", "fp16": "float16", "off": FULL}
DTYPES = {FULL: torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
GAIN = 1.05  # less is within what timings of a few steps scatter by
STEPS, WARM_UP = 4, 2


@dataclass(frozen=True, slots=True)
class Precision:
    """`dtype`: of autocast, "float32" for none. `channels_last`: the order of values in memory.

    `tried`: what was timed, as speed relative to the first; empty when nothing was.
    """

    dtype: str = FULL
    channels_last: bool = False
    tried: dict[str, float] = field(default_factory=dict)

    def autocast(self, device: torch.device) -> AbstractContextManager[object]:
        """Within: matrix products and convolutions in `dtype`."""
        return torch.autocast(device.type, DTYPES[self.dtype], enabled=self.dtype != FULL)

    def scaler(self, device: torch.device) -> torch.amp.GradScaler:
        """Keeps the gradients of float16 from underflowing; does nothing for other types."""
        return torch.amp.GradScaler(device.type, enabled=self.dtype == "float16")

    @property
    def order(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def recorded(self) -> dict[str, Any]:
        return asdict(self)


def choose_precision(
    module: nn.Module,
    shape: tuple[int, int, int, int],
    device: torch.device,
    mixed: Mixed,
    channels_last: Order,
    *,
    timer: Timer | None = None,
) -> Precision:
    """What to train `module` in, on batches of `shape` (N, C, H, W) of normalised pixels.

    On a GPU "auto" times a few steps and takes what is at least 5% faster. On a CPU "auto" is a
    rule, so that a run repeats bit for bit: float32, channels last (up to 1.4 times as fast on
    the study's networks, slower on none by more than timings scatter). "bf16" on a CPU is tried
    and used only if it is faster; on a GPU, what is asked for is used. "off" is float32 in the
    ordinary order. Weights, the loss and validation are float32 in every case.

    The network, its gradients and statistics and torch's random state stay as they are.
    `timer` gives the seconds of a step (for tests). Raises HipauditError for what the device
    cannot do.
    """
    types = _types(device, mixed)
    orders = {"on": [True], "off": [False], "auto": [False, True]}[channels_last]
    if channels_last == "auto" and device.type == "cpu":
        orders = [True]
    candidates = [Precision(dtype, last) for dtype in types for last in orders]
    if len(candidates) == 1:
        return candidates[0]
    cards = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cards):
        x = torch.randn(shape, device=device)
        times = [(timer or step_seconds)(copy.deepcopy(module), x, one) for one in candidates]
    speeds = [times[0] / taken for taken in times]
    best = max(range(len(candidates)), key=lambda index: speeds[index])
    chosen = candidates[best if speeds[best] >= GAIN else 0]
    tried = {_name(one): round(speed, 2) for one, speed in zip(candidates, speeds, strict=True)}
    return Precision(chosen.dtype, chosen.channels_last, tried)


def step_seconds(module: nn.Module, x: Tensor, precision: Precision) -> float:
    """The fastest of a few forward and backward passes, in seconds. The module is changed."""
    module = module.train().to(memory_format=precision.order)
    x = x.contiguous(memory_format=precision.order)
    taken = []
    for _ in range(WARM_UP + STEPS):
        _wait(x.device)
        start = time.perf_counter()
        with precision.autocast(x.device):
            logits = module(x)
        F.cross_entropy(
            logits.float(), torch.zeros(len(x), dtype=torch.long, device=x.device)
        ).backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        module.zero_grad(set_to_none=True)
        _wait(x.device)
        taken.append(time.perf_counter() - start)
    return min(taken[WARM_UP:])


def _types(device: torch.device, mixed: Mixed) -> list[str]:
    """The types to choose from, the first being what is used when none is faster."""
    if device.type != "cuda":
        if mixed == "fp16":
            raise HipauditError("a GPU for fp16", f"the device {device.type}", "Use bf16 or off.")
        return [FULL, "bfloat16"] if mixed == "bf16" else [FULL]
    half = torch.cuda.is_bf16_supported()
    if mixed == "auto":
        return [FULL, "bfloat16" if half else "float16"]
    if mixed == "bf16" and not half:
        raise HipauditError("a GPU that computes in bf16", "an older one", "Use fp16.")
    return [ASKED[mixed]]


def _name(precision: Precision) -> str:
    return precision.dtype + (", channels last" if precision.channels_last else "")


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
