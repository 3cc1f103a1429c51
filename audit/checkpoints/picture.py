"""How a picture becomes the network's input: what was said, and what is assumed."""

from __future__ import annotations

from audit.checkpoints.network import Network
from audit.checkpoints.sidecar import Input, Sidecar, as_preparation
from audit.checkpoints.signatures import table
from audit.errors import HipauditError
from audit.results import ModelDescription, Note, Preparation

# ImageNet's colour statistics averaged, for networks of one channel.
GREY = ((0.449,), (0.226,))
# Pretrained, these two rescale ImageNet-normalised input to [-1, 1] inside
# (transform_input, not in a state_dict), which is the same as this.
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
HALF_USERS = ("googlenet", "inception_v3")


def preparation_of(
    network: Network, sidecar: Sidecar, own: ModelDescription | None
) -> tuple[Preparation, str, list[Note]]:
    """The preparation, its origin ("checkpoint", "model.yaml", "assumed") and a warning where
    anything was assumed. Raises HipauditError where channels contradict the network.
    """
    given = sidecar.input or Input()
    way = as_preparation(given, own.preparation if own else assumed(network, given.channels))
    if network.channels not in (None, way.channels):
        raise HipauditError(
            f"input of as many channels as the network's first layer ({network.channels})",
            f"{way.channels}",
            f"Write in model.yaml: input: {{channels: {network.channels}}}",
        )
    origin = "model.yaml" if sidecar.input else "checkpoint" if own else "assumed"
    missing = [] if own else [n for n in ("size", "mean", "std") if getattr(given, n) is None]
    return way, origin, _warning(way, missing)


def assumed(network: Network, channels: int | None = None) -> Preparation:
    """ImageNet's normalisation at the size torchvision's own weights were made with."""
    row = table().get(network.architecture, {})
    size = row.get("size", 224)
    plain = Preparation()
    mean, std = HALF if network.architecture in HALF_USERS else (plain.mean, plain.std)
    if (channels or network.channels) == 1:
        return Preparation(height=size, width=size, channels=1, mean=GREY[0], std=GREY[1])
    return Preparation(height=size, width=size, mean=mean, std=std)


def _warning(way: Preparation, missing: list[str]) -> list[Note]:
    if not missing:
        return []
    text = (
        f"Preprocessing unverified: {' and '.join(missing)} not given; used "
        f"{way.resize} to {way.height}×{way.width}, mean {_numbers(way.mean)}, "
        f"std {_numbers(way.std)} (ImageNet's). Say it in model.yaml: input."
    )
    return [Note(code="preprocessing-unverified", level="warning", text=text)]


def _numbers(values: tuple[float, ...]) -> str:
    return "/".join(f"{value:g}" for value in values)
