"""From named tensors to a network: architecture recognised, head rebuilt, loaded strictly."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from audit.checkpoints import rebuild
from audit.checkpoints.architectures import (
    cut,
    features,
    replace_stem,
    shapes_only,
    torchvision_module,
)
from audit.checkpoints.layout import AUXILIARY, HEAD_NAMES, cam_place
from audit.checkpoints.network import Network
from audit.checkpoints.signatures import OLD_DENSENET, Match, counts, nearest, recognise, table
from audit.checkpoints.text import listed
from audit.checkpoints.unwrap import inside
from audit.errors import HipauditError
from audit.results import Note

Tensors = Mapping[str, Tensor]
Shapes = dict[str, tuple[int, ...]]


def assemble(tensors: Tensors, arch: str | None = None) -> Network:
    """The torchvision network whose weights these are.

    `arch` is a torchvision name that must fit. Raises HipauditError naming the nearest
    architecture and the difference where none fits.
    """
    _all_floating(tensors)
    match, modern, left = _recognised(tensors, arch)
    if arch is not None and arch != match.architecture:
        raise HipauditError(
            f"the weights of {arch}",
            f"those of {match.architecture}",
            f"Use --arch {match.architecture}, or leave --arch out.",
        )
    module, renamed, notes = _fit(match, modern)
    load_strictly(module, renamed)
    place = cam_module(match.architecture, module, cut_body=match.by != "keys")
    notes = [*_left_out(left), *_half(tensors), *_grey(match), *notes]
    return Network(module, match.architecture, match.channels, place, True, tuple(notes))


def _recognised(tensors: Tensors, arch: str | None) -> tuple[Match, Tensors, list[str]]:
    """The match, the tensors under the names that matched, and the names left out."""
    ways = inside(tensors)
    found: list[tuple[Match, Tensors, list[str]]] = []
    for named, left in ways:
        modern = {OLD_DENSENET.sub(r"\1\2.", name): value for name, value in named.items()}
        match = recognise(_shapes(modern))
        if match is not None:
            found.append((match, modern, left))
    if not found:
        raise _unknown(_shapes(ways[0][0]), arch)
    by_name = [way for way in found if way[0].by != "sequence"]
    return (by_name or found)[0]


def _fit(match: Match, tensors: Tensors) -> tuple[nn.Module, dict[str, Tensor], list[Note]]:
    """The module with a head of the checkpoint's shapes, and the tensors under its names."""
    rest = {k: v for k, v in tensors.items() if k not in match.body and counts(k)}
    if match.by == "keys":
        return _with_own_names(match, tensors, rest)
    body = cut(match.architecture, _module(match))
    heads = pooled_head(match.architecture, rest)
    module = nn.Sequential(body, heads)
    wanted = [key for key in module.state_dict() if counts(key)]
    given = [*match.body, *rest]
    if match.by == "fastai":
        wanted_body = [key for key in wanted if key.startswith("0.")]
        given = [*wanted_body, *rest]
    renamed = {new: tensors[old] for new, old in zip(wanted, given, strict=True)}
    return module, renamed, _assumed(heads)


def pooled_head(architecture: str, rest: Tensors) -> nn.Sequential:
    if not rest:
        raise _headless(architecture)
    return rebuild.pooled(features(architecture), _shapes(rest))


def _with_own_names(
    match: Match, tensors: Tensors, rest: Tensors
) -> tuple[nn.Module, dict[str, Tensor], list[Note]]:
    module = _module(match)
    head = {k: v for k, v in rest.items() if k.split(".")[0] in HEAD_NAMES}
    if not head:
        raise _headless(match.architecture)
    kept = {k: v for k, v in tensors.items() if k.split(".")[0] not in AUXILIARY}
    native = {k for k in module.state_dict() if k.split(".")[0] in HEAD_NAMES and counts(k)}
    for name, part in rebuild.grow(_shapes(head)).items():
        if not isinstance(part, dict) or not hasattr(module, name):
            raise rebuild.cannot(_shapes(head))
        module.set_submodule(name, rebuild.refit(module.get_submodule(name), part, _shapes(head)))
    changed = set(head) != native
    return module, kept, _assumed(module.get_submodule(name)) if changed else []


def _module(match: Match) -> nn.Module:
    def make() -> nn.Module:
        module = torchvision_module(match.architecture, 2)
        if match.channels != 3:
            replace_stem(module, match.channels)
        return module

    return shapes_only(make)


def load_strictly(module: nn.Module, tensors: Tensors) -> None:
    """Every tensor in its place and none left over; only BatchNorm's counters may be absent.

    Raises HipauditError naming the first differences.
    """
    own = module.state_dict()
    full = type(own)(tensors)
    for key, value in own.items():
        if not counts(key) and key not in full:
            full[key] = value
    # Without its version a module may take its weights for older ones and change itself.
    full._metadata = getattr(own, "_metadata", {})  # type: ignore[attr-defined]
    difference = _difference(_shapes(own), _shapes(full))
    if difference:
        raise HipauditError("weights that fit the network", difference)
    empty = any(value.is_meta for value in own.values())
    if empty:  # weights without memory: take the tensors themselves, as float32
        full.update({k: v.float() if v.is_floating_point() else v for k, v in full.items()})
    module.load_state_dict(full, strict=True, assign=empty)


def cam_module(architecture: str, module: nn.Module, *, cut_body: bool = False) -> str | None:
    """Dotted name of the layer Grad-CAM looks at, in `module` as built; None where none fits."""
    place = cam_place(architecture)
    if place is None:
        return None
    container, _, index = place.rpartition(".-")
    name = container or place
    if cut_body:
        whole, *_ = name.split(".")
        parts = [n for n, _ in torchvision_children(architecture)]
        name = f"0.{parts.index(whole)}"
    if not container:
        return name
    return f"{name}.{len(list(module.get_submodule(name).children())) - int(index)}"


def torchvision_children(architecture: str) -> list[tuple[str, nn.Module]]:
    return list(shapes_only(lambda: torchvision_module(architecture, 2)).named_children())


def _difference(wanted: Shapes, given: Shapes) -> str:
    missing = [key for key in wanted if key not in given]
    extra = [key for key in given if key not in wanted]
    other = [key for key in wanted if key in given and wanted[key] != given[key]]
    parts = []
    if missing:
        parts.append(f"no {listed(missing, 3)}")
    if extra:
        parts.append(f"unknown {listed(extra, 3)}")
    if other:
        sizes = f"{tuple(given[other[0]])} instead of {tuple(wanted[other[0]])}"
        parts.append(f"other shapes of {listed(other, 3)} ({sizes})")
    return "; ".join(parts)


def _unknown(shapes: Shapes, arch: str | None) -> HipauditError:
    name = arch if arch in table() else nearest(shapes)
    own = _shapes(shapes_only(lambda: torchvision_module(name, 2)).state_dict())
    shared = {k: s for k, s in own.items() if counts(k) and k.split(".")[0] not in HEAD_NAMES}
    given = {k: s for k, s in shapes.items() if counts(k) and k.split(".")[0] not in HEAD_NAMES}
    return HipauditError(
        f"the weights of {arch or 'a torchvision architecture'}",
        f"{len(shapes)} tensors, nearest to {name} with {_difference(shared, given)}",
        "Give the network's own code: --arch package.module:factory",
    )


def _headless(architecture: str) -> HipauditError:
    return HipauditError(
        f"a {architecture} with a classification head",
        "its body only",
        "Audit the fine-tuned model, not the pretrained body.",
    )


def _all_floating(tensors: Tensors) -> None:
    odd = [k for k, v in tensors.items() if counts(k) and (v.is_complex() or v.is_quantized)]
    if odd:
        raise HipauditError(
            "weights in floating point", f"complex or quantised {listed(odd)}", "Save in float32."
        )


def _half(tensors: Tensors) -> list[Note]:
    if not any(value.dtype in (torch.float16, torch.bfloat16) for value in tensors.values()):
        return []
    text = "The weights are stored in 16 bits; they were computed with in 32."
    return [Note(code="half-precision", level="info", text=text)]


def _grey(match: Match) -> list[Note]:
    if match.channels == 3:
        return []
    text = "The first convolution takes one channel: the network sees greyscale."
    return [Note(code="greyscale", level="info", text=text)]


def _left_out(names: list[str]) -> list[Note]:
    if not names:
        return []
    text = f"Tensors beside the network were left out: {listed(names)}."
    return [Note(code="tensors-left-out", level="warning", text=text)]


def _assumed(head: nn.Module) -> list[Note]:
    if not rebuild.assumes_activation(head):
        return []
    return [Note(code="head-rebuilt", level="assumed", text=rebuild.ASSUMED)]


def _shapes(tensors: Tensors) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}
