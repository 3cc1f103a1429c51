"""Rebuilding a head from the names and shapes of its tensors.

What has no weights (activation, dropout, pooling) leaves no trace but a gap in the numbering;
what is put there is stated in a note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import cast

from torch import nn

from audit.checkpoints.heads import AdaptiveConcatPool2d
from audit.checkpoints.text import listed
from audit.errors import HipauditError

Shapes = Mapping[str, tuple[int, ...]]
Tree = dict[str, "Tree | tuple[int, ...]"]
MAX_GAP = 32
ASSUMED = "The head was rebuilt from its shapes: a ReLU was assumed between linear layers."


def grow(shapes: Shapes) -> Tree:
    """{"1.weight": (2, 8)} -> {"1": {"weight": (2, 8)}}."""
    tree: Tree = {}
    for name, shape in shapes.items():
        *path, leaf = name.split(".")
        here = tree
        for part in path:
            here = cast(Tree, here.setdefault(part, {}))
            if not isinstance(here, dict):
                raise cannot(shapes)
        here[leaf] = shape
    return tree


def refit(native: nn.Module | None, tree: Tree, shapes: Shapes) -> nn.Module:
    """A module whose tensors have this tree's names and shapes; `native` where it fits.

    Raises HipauditError when the names do not say how the parts follow each other.
    """
    if isinstance(tree.get("weight"), tuple):
        return _layer(native, cast(dict[str, tuple[int, ...]], tree), shapes)
    children = {name: part for name, part in tree.items() if isinstance(part, dict)}
    if len(children) != len(tree):
        raise cannot(shapes)
    if native is not None and set(children) == _weighted(native):
        for name, part in children.items():
            native.set_submodule(name, refit(native.get_submodule(name), part, shapes))
        return native
    return in_sequence(children, shapes)


def in_sequence(children: Mapping[str, Tree], shapes: Shapes) -> nn.Sequential:
    """Numbered layers in their places; a ReLU in the first gap after each, before another."""
    if not all(name.isdecimal() and int(name) < MAX_GAP for name in children):
        raise cannot(shapes)
    made = {int(name): refit(None, part, shapes) for name, part in children.items()}
    parts: list[nn.Module] = []
    waiting = False
    for index in range(max(made) + 1):
        if index in made:
            parts.append(made[index])
            waiting = isinstance(made[index], nn.Linear) or (
                waiting and isinstance(made[index], nn.BatchNorm1d)
            )
        else:
            parts.append(nn.ReLU() if waiting else nn.Identity())
            waiting = False
    return nn.Sequential(*parts)


def assumes_activation(head: nn.Module) -> bool:
    """Whether a rebuilt head holds an activation that the file cannot confirm."""
    return any(isinstance(part, nn.ReLU) for part in head.modules())


def pooled(features: int, shapes: Shapes) -> nn.Sequential:
    """pool → flatten → the layers of `shapes`, for a body of `features` channels.

    As wide as 2 × features: fastai's concat-pool; as wide as k² × features: average-pooled
    to k × k (VGG, AlexNet); as wide as the features: average-pooled.
    """
    tree = grow(shapes)
    while len(tree) == 1 and isinstance(only := next(iter(tree.values())), dict):
        tree = only
    layers = refit(None, tree, shapes)
    layers = layers if isinstance(layers, nn.Sequential) else nn.Sequential(layers)
    first = next(p for p in layers if isinstance(p, nn.Linear | nn.BatchNorm1d))
    width = first.in_features if isinstance(first, nn.Linear) else first.num_features
    front: Sequence[nn.Module] = (_pool(width, features, shapes), nn.Flatten())
    gap = [isinstance(part, nn.Identity) for part in layers[:2]]
    return nn.Sequential(*front, *(layers[2:] if gap == [True, True] else layers))


def _pool(width: int, features: int, shapes: Shapes) -> nn.Module:
    if width == 2 * features:
        return AdaptiveConcatPool2d()
    side = isqrt(max(1, width // features))
    if side * side * features != width:
        raise cannot(shapes)
    return nn.AdaptiveAvgPool2d(side)


def _layer(
    native: nn.Module | None, leaf: Mapping[str, tuple[int, ...]], shapes: Shapes
) -> nn.Module:
    """One layer with weights. A native layer gives its kind; otherwise the shapes do."""
    weight, bias = leaf["weight"], "bias" in leaf
    if isinstance(native, nn.Conv2d) and len(weight) == 4:
        kernel = (weight[2], weight[3])
        return nn.Conv2d(
            weight[1], weight[0], kernel, cast(tuple[int, int], native.stride), bias=bias
        )
    if isinstance(native, nn.LayerNorm) and len(weight) == 1:
        return native
    if len(weight) == 2:
        return nn.Linear(weight[1], weight[0], bias=bias)
    if len(weight) == 1 and "running_mean" in leaf:
        return nn.BatchNorm1d(weight[0])
    raise cannot(shapes)


def _weighted(module: nn.Module) -> set[str]:
    """Names of the children that hold weights."""
    return {name for name, child in module.named_children() if list(child.parameters())}


def cannot(shapes: Shapes) -> HipauditError:
    return HipauditError(
        "a head of numbered linear and batch-normalisation layers",
        f"tensors named {listed(shapes)}",
        "Give the network's own code: --arch package.module:factory",
    )
