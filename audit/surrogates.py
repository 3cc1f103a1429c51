"""Another model to make attacks on, seen through the audited model's pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from audit.classifier import Classifier, at_size
from audit.errors import HipauditError
from audit.fingerprint import model_digest
from audit.results import UNDEFENDED

RESERVED = ("none", UNDEFENDED)  # words that mean something else where a surrogate is named


def as_surrogate(surrogate: Classifier, like: Classifier) -> Classifier:
    """`surrogate` as a classifier of x in the coordinates and class order of `like`.

    x (N, C, H, W) at the input size of `like` is resized to the surrogate's own as
    `prepare_pixels` does it, differentiably, so a gradient of the answer is a gradient in the
    pixels of `like`. The surrogate keeps its own threshold: the attack is on what it decides.
    Raises HipauditError unless both know the same classes and the surrogate has gradients.
    """
    if sorted(surrogate.classes) != sorted(like.classes):
        raise HipauditError(
            f"a surrogate of the classes {', '.join(like.classes)}",
            ", ".join(surrogate.classes),
            "Choose another --surrogate.",
        )
    if not surrogate.has_gradients:
        raise HipauditError(
            f"a surrogate with gradients ({surrogate.description.name})",
            "none",
            "Choose another --surrogate.",
        )
    order = [surrogate.classes.index(name) for name in like.classes]
    way = surrogate.preparation

    def forward(x: Tensor) -> Tensor:
        x = x.to(surrogate.device)
        if x.shape[-2:] != (way.height, way.width):
            x = at_size(x, way).clamp(0.0, 1.0)
        return surrogate.logits(x)[:, order]

    seen = surrogate.derived(forward)
    told = {"classes": like.classes, "preparation": like.preparation}
    seen.description = surrogate.description.model_copy(update=told)
    return seen


def named(surrogates: Sequence[Classifier], like: Classifier) -> Mapping[str, Classifier]:
    """Each as a surrogate of `like` under the name of its description, made unique by a number.

    Raises HipauditError as `as_surrogate` does, and for the audited model itself or one that
    is named twice: an attack on the same weights would be counted again.
    """
    known = {model_digest(like): "the audited model itself"}
    found: dict[str, Classifier] = {}
    for one in surrogates:
        digest = model_digest(one)
        if digest in known:
            raise HipauditError(
                "another model after --surrogate", known[digest], "Leave this --surrogate out."
            )
        name = _unique(one.description.name or "surrogate", (*RESERVED, *found))
        known[digest] = f"the surrogate {name} again"
        found[name] = as_surrogate(one, like)
    return found


def _unique(name: str, taken: Sequence[str]) -> str:
    """`name`, or with the first number that makes it unique.

    >>> _unique("resnet18", ["resnet18"])
    'resnet18-2'
    """
    number, one = 1, name
    while one in taken:
        number += 1
        one = f"{name}-{number}"
    return one
