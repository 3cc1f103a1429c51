"""Names that torchvision gives to the parts of its classifiers (no torch here)."""

from __future__ import annotations

HEAD_NAMES = ("fc", "classifier", "head", "heads")
AUXILIARY = ("aux1", "aux2", "AuxLogits")
# Their forward is more than "children in order, pool, head": only torchvision's head fits.
NOT_SEQUENTIAL = ("googlenet", "inception", "maxvit", "swin", "vit")

# The last convolutional stage, after its activation, so that an in-place ReLU cannot
# overwrite what is hooked (DenseNet's map is of relu(features)). Negative numbers count from
# the end of the container. Vision transformers have none.
_CAM = {
    "alexnet": "features.-2",
    "convnext": "features.-1",
    "densenet": "features",
    "efficientnet": "features.-1",
    "googlenet": "inception5b",
    "inception_v3": "Mixed_7c",
    "maxvit": "blocks.-1",
    "mnasnet": "layers.-1",
    "mobilenet": "features.-1",
    "regnet": "trunk_output",
    "resne": "layer4.-1",
    "shufflenet": "conv5",
    "squeezenet": "features.-1",
    "swin": "permute",
    "vgg": "features.-2",
    "wide_resnet": "layer4.-1",
}


def cam_place(architecture: str) -> str | None:
    """Where Grad-CAM looks in torchvision's own module: "layer4.-1"; None where it cannot.

    Source: Selvaraju et al. 2017 (the last convolutional layer).
    """
    return next((place for name, place in _CAM.items() if architecture.startswith(name)), None)
