"""Building torchvision's classification architectures, with torchvision's head or the study's."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from audit.checkpoints.heads import concat_pool_head, recipe_head
from audit.checkpoints.layout import HEAD_NAMES, NOT_SEQUENTIAL
from audit.errors import HipauditError, did_you_mean

Head = Literal["torchvision", "native", "concat-pool"]
# The auxiliary outputs serve training only; the initialisation takes minutes.
_WITHOUT_AUXILIARY = {"init_weights": False, "aux_logits": False, "transform_input": False}
HEADS: tuple[str, ...] = ("torchvision", "native", "concat-pool")


def names() -> list[str]:
    """The names of torchvision's classification architectures."""
    from torchvision import models

    return list(models.list_models(module=models))


def torchvision_module(name: str, classes: int, **options: Any) -> nn.Module:
    """Torchvision's own module with `classes` outputs, no weights downloaded.

    Raises HipauditError for a name torchvision does not have.
    """
    from torchvision import models

    if name not in names():
        raise HipauditError(
            "the name of a torchvision architecture", f'"{name}"', did_you_mean(name, names())
        )
    if name in ("googlenet", "inception_v3"):
        options = {**_WITHOUT_AUXILIARY, **options}
    return cast(nn.Module, models.get_model(name, weights=None, num_classes=classes, **options))


def build(
    name: str, classes: int, head: str = "native", channels: int = 3, width: int = 512
) -> nn.Module:
    """A classifier of `classes` outputs for (N, channels, H, W) input, randomly initialised.

    `head`: "torchvision" is torchvision's classifier as it is; "native" is the same with
    Dropout(0.5) where it has none and without SqueezeNet's final ReLU; "concat-pool" is the
    head fastai puts on a body cut before pooling, with a hidden layer of `width`.
    Raises HipauditError for an unknown name, or a head the architecture cannot take.
    """
    if head not in HEADS:
        raise HipauditError("the name of a head", f'"{head}"', did_you_mean(head, list(HEADS)))
    module = torchvision_module(name, classes)
    if channels != 3:
        replace_stem(module, channels)
    if head == "native":
        return recipe_head(module)
    if head == "torchvision":
        return module
    body = cut(name, module)
    return nn.Sequential(body, concat_pool_head(features(name), classes, width))


def cut(name: str, module: nn.Module) -> nn.Sequential:
    """The body before pooling, as fastai cuts it (so DenseNet's functional ReLU is left out)."""
    if name.startswith(NOT_SEQUENTIAL):
        raise HipauditError(
            "an architecture whose body can be cut before pooling",
            f'"{name}"',
            'Use head "native".',
        )
    body: list[nn.Module] = []
    for child, part in module.named_children():
        if child in ("avgpool", *HEAD_NAMES):
            break
        body.append(part)
    return nn.Sequential(*body)


@lru_cache
def features(name: str) -> int:
    """Channels that the body of an architecture puts out; found by shapes alone."""
    body = cut(name, shapes_only(lambda: torchvision_module(name, 2))).to("meta").eval()
    out: Tensor = body(torch.zeros(1, 3, 64, 64, device="meta"))
    return int(out.shape[1])


def stem(module: nn.Module) -> tuple[str, nn.Conv2d]:
    """Name and module of the first convolution."""
    for name, part in module.named_modules():
        if isinstance(part, nn.Conv2d):
            return name, part
    raise HipauditError("a network that starts with a convolution", "none in it")


def replace_stem(module: nn.Module, channels: int) -> None:
    """Give the first convolution `channels` inputs (1 for a greyscale network)."""
    name, old = stem(module)
    new = nn.Conv2d(
        channels,
        old.out_channels,
        cast(tuple[int, int], old.kernel_size),
        cast(tuple[int, int], old.stride),
        cast(tuple[int, int], old.padding),
        bias=old.bias is not None,
        device=old.weight.device,
    )
    module.set_submodule(name, new)


class _EmptyOnMeta(TorchFunctionMode):
    """Weights without memory. Only `torch.empty`: some constructors compute with real tensors."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.empty:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


def shapes_only(make: Callable[[], nn.Module]) -> nn.Module:
    """A module whose weights have shapes and no memory."""
    with _EmptyOnMeta():
        return make()
