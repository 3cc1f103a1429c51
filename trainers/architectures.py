"""The networks of the study and what comes next: each a row of data.

Source of the groups of layers: fastai 1.0.52, `vision/learner.py` (`_resnet_split` and its
siblings), the library the study used. EfficientNet and ConvNeXt are younger than it: their
middle group begins, as ResNet's does, where the map falls to a sixteenth of the image.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.errors import HipauditError, did_you_mean


@dataclass(frozen=True, slots=True)
class Architecture:
    """One network. `name` is torchvision's; `title` as the thesis prints it.

    `published`: validation accuracy the thesis reports, in [0, 1]; None where it has none.
    `starts`: the part with which each group of layers after the first begins, by the names
    torchvision gives; `pooled_starts`: the same under the concat-pool head (body `0.*`, head
    `1.*`). `groups` is one more than there are starts.
    """

    name: str
    title: str
    published: float | None
    starts: tuple[str, ...]
    pooled_starts: tuple[str, ...]

    @property
    def groups(self) -> int:
        return len(self.starts) + 1


def _dense(name: str, title: str, published: float) -> Architecture:
    middle = "transition2"
    return Architecture(
        name, title, published, (f"features.{middle}", "classifier"), (f"0.0.{middle}", "1")
    )


def _res(name: str, title: str, published: float | None) -> Architecture:
    return Architecture(name, title, published, ("layer3", "fc"), ("0.6", "1"))


def _features(name: str, title: str, published: float | None, *cuts: int) -> Architecture:
    """An architecture whose body is one list of layers called `features`."""
    return Architecture(
        name,
        title,
        published,
        (*(f"features.{cut}" for cut in cuts), "classifier"),
        (*(f"0.0.{cut}" for cut in cuts), "1"),
    )


# In the order of the published table.
STUDY = (
    _dense("densenet169", "Densenet169", 0.9650),
    _res("resnet50", "Resnet50", 0.9632),
    _features("vgg19_bn", "VGG_19", 0.9280, 23),
    _dense("densenet121", "Densenet121", 0.9260),
    _res("resnet152", "Resnet152", 0.9000),
    _features("squeezenet1_1", "SqueezeNet", 0.8812, 6, 9),
    _features("alexnet", "Alexnet", 0.8800, 6),
)
NEXT = (
    _features("vgg19", "VGG_19 without BatchNorm", None, 16),
    _features("squeezenet1_0", "SqueezeNet 1.0", None, 5, 8),
    _features("efficientnet_b0", "EfficientNet-B0", None, 4),
    _features("efficientnet_b4", "EfficientNet-B4", None, 4),
    _features("convnext_tiny", "ConvNeXt-Tiny", None, 4),
)
OTHERS = (_res("resnet18", "ResNet-18", None),)
ROWS = {row.name: row for row in (*STUDY, *NEXT, *OTHERS)}


def architecture(name: str) -> Architecture:
    """The row of a network. Raises HipauditError for one that has none."""
    if name not in ROWS:
        raise HipauditError(
            "an architecture of the study", f'"{name}"', did_you_mean(name, [*ROWS])
        )
    return ROWS[name]


def hub_file(name: str) -> tuple[str, str, str]:
    """(address, file name, first digits of its SHA-256) of torchvision's IMAGENET1K_V1 weights.

    Version 1 for all: the weights of the time of the study. Raises HipauditError where
    torchvision has none.
    """
    from torchvision import models

    try:
        address = str(models.get_model_weights(name)["IMAGENET1K_V1"].url)
    except (KeyError, ValueError) as error:
        raise HipauditError(
            "an architecture with ImageNet weights in torchvision",
            f'"{name}"',
            "Give a file of weights, or none.",
        ) from error
    file = address.rpartition("/")[2]
    return address, file, file.removesuffix(".pth").rpartition("-")[2]
