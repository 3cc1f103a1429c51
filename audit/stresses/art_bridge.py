"""The only door to the Adversarial Robustness Toolbox (ART 1.20.1).

One way: `estimator` shows ART a classifier of ours, and FGSM runs in ART itself. The other way:
`as_evasion_attack` turns any registered stress into an ART `EvasionAttack`. ART is imported
inside functions, because importing it costs seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audit.errors import HipauditError, StressFailed
from audit.stresses.one_image import as_batch, first_fooling, label_indices
from audit.stresses.registry import Attackable, Stress, get_stress

Array = npt.NDArray[np.float32]
FEW = 4  # images ART moves at a time: what it makes of them on the way stays in the cache


def estimator(model: Attackable, shape: Sequence[int]) -> Any:
    """An ART `PyTorchClassifier` over `model.decision_logits`, for x of `shape` (C, H, W).

    Clip values (0, 1), no preprocessing of ART's: ε means pixels. Logits or gradients that are
    not finite raise StressFailed: ART would return the input unchanged, which looks unbreakable.
    """
    from art.estimators.classification import PyTorchClassifier

    with _quiet():
        made = PyTorchClassifier(
            model=_DecisionLogits(model),
            loss=_UnsaturatedCrossEntropy(reduction="sum"),
            input_shape=tuple(shape),
            nb_classes=len(model.classes),
            clip_values=(0.0, 1.0),
            preprocessing=None,
            device_type="cpu",
        )
    made.loss_gradient = _finite(made.loss_gradient)
    return made


def _finite(gradient_of: Callable[..., Any]) -> Callable[..., Any]:
    """As `gradient_of`, but NaN is a named failure: ART would take it for 0 and move nothing."""

    def checked(*given: Any, **named: Any) -> Any:
        gradient = gradient_of(*given, **named)
        if not bool(torch.isfinite(torch.as_tensor(gradient)).all()):
            raise StressFailed("the model's gradient is not finite inside the attack")
        return gradient

    return checked


class _DecisionLogits(nn.Module):
    """Holds the model as a plain attribute, so that ART cannot reach its mode or its weights."""

    def __init__(self, model: Attackable) -> None:
        super().__init__()
        self.ask = model.decision_logits

    def forward(self, x: Tensor) -> Tensor:
        logits = self.ask(x).float().to(x.device)
        if not torch.isfinite(logits).all():
            raise StressFailed("the model's logits are not finite inside the attack")
        return logits


class _UnsaturatedCrossEntropy(nn.CrossEntropyLoss):
    """Cross-entropy by value, with each image's gradient divided by its P(error).

    With m = logsumexp(other logits) - true logit, CE = softplus(m) and ∇CE = sigmoid(m)·∇m.
    In float32 the factor sigmoid(m) loses half the gradient from about m = -17 and all of it
    from -104, which would make a saturated model look robust. It is positive and one number
    per image, so dropping it changes no sign and no normalised direction.
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        true = F.one_hot(target, logits.shape[1]).bool()
        others = logits.masked_fill(true, -torch.inf)
        m = torch.logsumexp(others, 1) - logits[true]
        loss = F.softplus(m).detach() + (m - m.detach())  # (N,)
        if self.reduction == "none":
            return loss
        return loss.sum() if self.reduction == "sum" else loss.mean()


def fast_gradient(
    model: Attackable, x: Tensor, y: Tensor
) -> tuple[Callable[[float], Tensor], npt.NDArray[np.bool_]]:
    """ART's `FastGradientMethod` for any number of radii from one gradient.

    x (N, C, H, W) in [0, 1], y (N,) true classes -> (ε -> images like x, (N,) bool: the
    gradient is zero everywhere, so the attack was blind).
    """
    from art.attacks.evasion import FastGradientMethod

    clean, labels = _numpy(x), _one_hot(y, model)
    target = estimator(model, x.shape[1:])
    gradient = target.loss_gradient(clean, labels)

    def step(epsilon: float) -> Tensor:
        attack = FastGradientMethod(target, eps=epsilon, eps_step=epsilon, batch_size=FEW)
        moved = np.empty_like(clean)
        with _quiet():
            for start in range(0, len(clean), FEW):
                part = slice(start, start + FEW)
                target.loss_gradient = _always(gradient[part])  # that at x, whatever the ε
                moved[part] = attack.generate(clean[part], labels[part])
        return _tensor(moved)

    return step, ~gradient.reshape(len(gradient), -1).any(axis=1)


def _always(gradient: Array) -> Callable[..., Array]:
    return lambda *_, **__: gradient


def as_evasion_attack(
    stress_name: str, estimator: Any, *, seed: int = 0, batch_size: int = 32, **params: Any
) -> Any:
    """A registered stress as an ART `EvasionAttack` on any ART `PyTorchClassifier`.

    `.generate(x, y=None)` takes x (N, C, H, W) float in [0, 1], y as class indices or one-hot
    (None: the estimator's own predictions), and returns images like x: per image the first
    candidate that changes the decision away from y; where none does, the last level for a
    stress of levels and x itself for a search. Images decided wrongly from the start come back
    unchanged. Raises HipauditError for an unknown stress or parameter, and for an estimator
    whose clip_values are not (0, 1) or whose channels come last.
    """
    chosen = get_stress(stress_name)
    settings = chosen.check(params)
    _check_estimator(estimator)
    return _adapter()(estimator, chosen, settings, seed, batch_size)


@cache
def _adapter() -> Any:
    """The class is made on first use: its parent lives in ART."""
    from art.attacks import EvasionAttack
    from art.estimators.classification import PyTorchClassifier

    class RegisteredStress(EvasionAttack):  # type: ignore[misc]  # ART carries no types
        """A stress of hipaudit's registry behind ART's interface."""

        attack_params: ClassVar = [*EvasionAttack.attack_params, "params", "seed", "batch_size"]
        _estimator_requirements = (PyTorchClassifier,)

        def __init__(
            self, estimator: Any, stress: Stress, params: dict[str, Any], seed: int, batch_size: int
        ) -> None:
            super().__init__(estimator=estimator)
            self.stress, self.params = stress, params
            self.seed, self.batch_size = seed, batch_size

        def generate(self, x: Array, y: Any = None, **_: Any) -> Array:
            images = torch.from_numpy(np.array(x, dtype=np.float32))
            model = _FromArt(self.estimator)
            done = []
            with _undisturbed(self.estimator.model):
                labels = label_indices(y, model, images, self.batch_size)
                for part in range(0, len(images), self.batch_size):
                    cut = slice(part, part + self.batch_size)
                    batch = as_batch(
                        images[cut], labels[cut], self.stress, self.seed, self.batch_size
                    )
                    done.append(first_fooling(self.stress, self.params, model, batch))
            return torch.cat(done).numpy() if done else _numpy(images)

    return RegisteredStress


class _FromArt:
    """An ART classifier as an `Attackable`. One logit z becomes [-z/2, z/2]."""

    has_gradients = True

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(str(index) for index in range(max(2, self._estimator.nb_classes)))

    def decision_logits(self, x: Tensor) -> Tensor:
        logits: Tensor = self._estimator._predict_framework(x.to(self._estimator.device))[0]
        if logits.ndim == 1 or logits.shape[1] == 1:
            z = logits.reshape(-1, 1)
            return torch.cat([-z / 2, z / 2], dim=1)
        return logits


def _check_estimator(estimator: Any) -> None:
    clip = estimator.clip_values
    if clip is None or not (np.all(clip[0] == 0) and np.all(clip[1] == 1)):
        raise HipauditError(
            "an ART estimator with clip_values=(0, 1)",
            f"clip_values={clip!r}",
            "Scale images to [0, 1] and give the estimator clip_values=(0, 1).",
        )
    if not estimator.channels_first:
        raise HipauditError(
            "an ART estimator with channels_first=True", "channels_first=False", "Use NCHW images."
        )


@contextmanager
def _undisturbed(module: nn.Module) -> Iterator[None]:
    """ART's and our attacks leave mode and gradients of somebody else's module as they were."""
    modes = [(part, part.training) for part in module.modules()]
    wanted = [(weight, weight.requires_grad) for weight in module.parameters()]
    try:
        for weight, _ in wanted:
            weight.requires_grad_(False)
        yield
    finally:
        for part, mode in modes:
            part.training = mode
        for weight, needs in wanted:
            weight.requires_grad_(needs)


@contextmanager
def _quiet() -> Iterator[None]:
    """ART logs success rates that are not ours (FGSM's is always 0.00%)."""
    log = logging.getLogger("art")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _one_hot(y: Tensor, model: Attackable) -> Array:
    return F.one_hot(y, len(model.classes)).numpy().astype(np.float32)


def _numpy(x: Tensor) -> Array:
    return x.detach().cpu().numpy().astype(np.float32)


def _tensor(images: Array) -> Tensor:
    return torch.from_numpy(np.asarray(images, np.float32)).clamp(0.0, 1.0)
