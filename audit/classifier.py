"""The Classifier: module + preparation + decision rule. The only stateful object."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audit.cases.case import Case, Pixels
from audit.decision import Decision, decide, log_odds
from audit.results import ModelDescription, Preparation
from audit.speed.prepared import Kept

# x (N, C, H, W) in [0, 1] and its logits (N, K) -> (N,) bool: handed to a human instead
Refer = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Output:
    """`logits` (N, K >= 2) float32; `referred` (N,) bool: handed to a human by the model."""

    logits: Tensor
    referred: Tensor

    def only(self, places: Sequence[int]) -> Output:
        """What was said of the images at these places."""
        return Output(self.logits[places], self.referred[places])


class Classifier:
    """What every stress, defence, probe and metric sees of a model.

    `module` maps a normalised (N, C, H, W) tensor to logits (N, K); everything before
    (resize, expansion of grey to the module's channels, normalisation) happens in here, so
    that a perturbation is always measured in [0, 1] pixels and a grey image stays grey.
    """

    def __init__(
        self,
        module: nn.Module,
        description: ModelDescription,
        *,
        device: str = "cpu",
        refer: Refer | None = None,
    ) -> None:
        """`refer` marks the images the model does not answer alone (a filter, a cut-off).

        The module keeps its values, but not the order of its weights in memory: channels last,
        which CPUs and GPUs convolve faster, so a logit may differ in its last digits.
        """
        self.description = description
        self.device = torch.device(device)
        self.module = module.to(self.device).to(memory_format=torch.channels_last).eval()
        for parameter in self.module.parameters():
            parameter.requires_grad_(False)
        way = description.preparation
        self._mean = torch.tensor(way.mean, device=self.device).view(1, -1, 1, 1)
        self._std = torch.tensor(way.std, device=self.device).view(1, -1, 1, 1)
        self._forward: Callable[[Tensor], Tensor] = self._plain
        self._refer = refer
        self._counter = [0]
        self._kept = Kept()
        # Part of the largest logit within which a margin is not trusted: of a search network.
        self.tolerance = 0.0

    @property
    def classes(self) -> tuple[str, ...]:
        return self.description.classes

    @property
    def preparation(self) -> Preparation:
        return self.description.preparation

    @property
    def decision(self) -> Decision:
        found = self.description
        return Decision(
            positive=found.classes.index(found.positive_class),
            threshold=found.threshold,
            origin=found.threshold_origin,
        )

    @property
    def has_gradients(self) -> bool:
        return self.description.gradients

    @property
    def plain(self) -> bool:
        """Answers by its module alone: no defence around it, nothing referred."""
        untouched = getattr(self._forward, "__func__", None) is Classifier._plain
        return untouched and self._refer is None

    def prepare(self, case: Case) -> Tensor:
        """Case -> x, float32 in [0, 1], (1, H, W) for grey and (3, H, W) for colour, on the CPU.

        Not to be written into: it may be kept for the next run.
        """
        return self._kept.get(case, self._prepared)

    def prepare_all(self, cases: Sequence[Case]) -> list[Tensor]:
        """`prepare` of each; files are read ahead."""
        return self._kept.all(cases, self._prepared)

    def _prepared(self, pixels: Pixels) -> Tensor:
        return prepare_pixels(pixels, self.preparation)

    @property
    def forwards(self) -> int:
        """Images sent through the network so far, by this classifier and all derived from it."""
        return self._counter[0]

    def logits(self, x: Tensor) -> Tensor:
        """(N, 1 or 3, H, W) in [0, 1] -> raw logits (N, K), differentiable."""
        return self._forward(x.to(self.device))

    def counts_with(self, other: Classifier) -> bool:
        """Both add to one count: one was derived from the other."""
        return self._counter is other._counter

    def count(self, images: int) -> None:
        """Adds forwards that were computed beside the module (a local update of a known one)."""
        self._counter[0] += images

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """What goes through meanwhile is a trial and no forward of the audit."""
        before = self._counter[0]
        try:
            yield
        finally:
            self._counter[0] = before

    def _plain(self, x: Tensor) -> Tensor:
        self.count(len(x))
        logits: Tensor = self.module(self.normalised(x))
        return logits

    def normalised(self, x: Tensor) -> Tensor:
        """(N, 1 or 3, H, W) in [0, 1] on the classifier's device -> what its module takes."""
        wide = _to_channels(x, self.preparation.channels)
        if self.preparation.value_range != 1:
            wide = wide * self.preparation.value_range
        return (wide - self._mean).div_(self._std)  # one image-sized tensor instead of three

    def through(self, module: nn.Module) -> Classifier:
        """The same classifier over another module of the same function, for searching with.

        Only for a plain one: a defence keeps asking the module it was built around.
        """
        if not self.plain:
            raise ValueError("only a plain classifier can be given another module")
        other = copy.copy(self)
        other.module = module.to(self.device).eval()
        other._forward = other._plain
        return other

    def derived(
        self, forward: Callable[[Tensor], Tensor] | None = None, refer: Refer | None = None
    ) -> Classifier:
        """The same classifier answering through `forward` (x in [0, 1] -> logits): a defence.

        `refer` adds to what is referred already; it never takes a referral back.
        """
        other = copy.copy(self)
        if forward is not None:
            other._forward = forward
        if refer is not None:
            before = self._refer
            other._refer = refer if before is None else lambda x, z: before(x, z) | refer(x, z)
        return other

    def predict(self, x: Tensor) -> Output:
        """(N, 1 or 3, H, W) in [0, 1] -> Output on the CPU, float32, no gradient."""
        with torch.no_grad():
            logits = self.logits(x).float()
            if self._refer is None:
                referred = torch.zeros(len(logits), dtype=torch.bool)
            else:
                referred = self._refer(x.to(self.device), logits).bool()
        return Output(logits.cpu(), referred.cpu())

    def decision_logits(self, x: Tensor) -> Tensor:
        """Logits shifted so that argmax is the deployed rule: what attacks see. Differentiable."""
        return self.shifted(self.logits(x))

    def shifted(self, z: Tensor) -> Tensor:
        """Raw logits (N, K) -> decision logits: the positive one moved by the threshold."""
        rule = self.decision
        if rule.threshold is None:
            return z
        others = torch.cat([z[:, : rule.positive], z[:, rule.positive + 1 :]], dim=1)
        shift = others.amax(1) - torch.logsumexp(others, 1) - log_odds(rule.threshold)
        kept = z.clone()
        kept[:, rule.positive] = z[:, rule.positive] + shift
        return kept

    def decide(self, logits: Tensor | np.ndarray) -> np.ndarray:
        """The deployed rule: logits (N, K) -> class indices (N,), -1 where not finite."""
        array = logits.detach().cpu().numpy() if isinstance(logits, Tensor) else logits
        return decide(array, self.decision)

    def targets(self, cases: Sequence[Case]) -> Tensor:
        """Class indices (N,) int64 of the cases' labels."""
        return torch.tensor([self.classes.index(case.label) for case in cases])


def prepare_pixels(pixels: Pixels, way: Preparation) -> Tensor:
    """Native pixels (H, W[, 3]) in [0, 1] -> (1 or 3, height, width) float32 in [0, 1].

    Antialiased resize of the short side and centre crop ("crop"), of both sides ("squish"),
    or of the long side with zero padding ("pad").
    """
    array = np.ascontiguousarray(pixels, dtype=np.float32)
    image = (
        torch.from_numpy(array)[None]
        if array.ndim == 2
        else torch.from_numpy(array).permute(2, 0, 1)
    )
    return at_size(image[None], way)[0].clamp(0.0, 1.0).contiguous()


def at_size(x: Tensor, way: Preparation) -> Tensor:
    """(N, C, any height, any width) -> (N, C, way.height, way.width), as `prepare_pixels` does it.

    Differentiable and not clamped: bicubic may overshoot.
    """
    height, width = x.shape[-2:]
    ratios = (way.height / height, way.width / width)
    if way.resize == "squish":
        size = (way.height, way.width)
    else:
        ratio = max(ratios) if way.resize == "crop" else min(ratios)
        size = (max(1, round(height * ratio)), max(1, round(width * ratio)))
    if size != (height, width):
        smooth = way.interpolation != "nearest"
        options = {"antialias": True, "align_corners": False} if smooth else {}
        x = F.interpolate(x, size=size, mode=way.interpolation, **options)
    return _fit(x, way.height, way.width)


def _fit(x: Tensor, height: int, width: int) -> Tensor:
    """Centre crop what is too large, centre pad with zeros what is too small."""
    top = max(0, (x.shape[-2] - height) // 2)
    left = max(0, (x.shape[-1] - width) // 2)
    x = x[..., top : top + height, left : left + width]
    low = height - x.shape[-2]
    side = width - x.shape[-1]
    return F.pad(x, (side // 2, side - side // 2, low // 2, low - low // 2))


def _to_channels(x: Tensor, channels: int) -> Tensor:
    if x.shape[1] == channels:
        return x
    if x.shape[1] == 1:
        return x.expand(-1, channels, -1, -1)
    return x.mean(1, keepdim=True)
