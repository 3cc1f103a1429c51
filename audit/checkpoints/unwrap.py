"""From what a checkpoint holds to one flat mapping of names to tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from audit.checkpoints.text import listed
from audit.errors import HipauditError
from audit.results import Note

# In the order of preference: a moving average of the weights is what was validated.
WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model", "net")
PREFIXES = ("module.", "model.", "net.", "backbone.", "_orig_mod.")
CLASS_KEYS = ("class_to_idx", "classes", "class_names")
MAX_DEPTH = 8


@dataclass(frozen=True)
class Weights:
    """Tensors by name, the class names found beside them, and what was done to get there."""

    tensors: Mapping[str, Tensor]
    classes: tuple[str, ...] | None = None
    notes: tuple[Note, ...] = field(default=())


def unwrap(content: object) -> Weights:
    """Strip wrapper keys. Raises HipauditError where no tensors are inside."""
    path: list[str] = []
    classes: tuple[str, ...] | None = None
    here = content
    for _ in range(MAX_DEPTH):
        if not isinstance(here, Mapping):
            break
        classes = classes or _class_names(here)
        key = next((k for k in WRAPPERS if isinstance(here.get(k), Mapping)), None)
        if key is None:
            break
        path.append(key)
        here = here[key]
    return Weights(_tensors(here), classes, _notes(path))


def _tensors(here: object) -> dict[str, Tensor]:
    if not isinstance(here, Mapping):
        raise HipauditError(
            "a checkpoint that holds a mapping of names to tensors",
            f"an object of type {type(here).__name__}",
            "Save it with torch.save(model.state_dict(), 'model.pt').",
        )
    tensors = {str(name): value for name, value in here.items() if isinstance(value, Tensor)}
    if not tensors:
        raise HipauditError(
            "a checkpoint that holds weights",
            f"no tensors under the keys {listed(here)}" if here else "an empty mapping",
            "Save it with torch.save(model.state_dict(), 'model.pt').",
        )
    return tensors


def _notes(path: list[str]) -> tuple[Note, ...]:
    averaged = [key for key in path if key.endswith("_ema")]
    if not averaged:
        return ()
    text = f"The checkpoint holds a moving average of the weights ({averaged[0]}); it was used."
    return (Note(code="averaged-weights", level="info", text=text),)


def _class_names(here: Mapping[Any, Any]) -> tuple[str, ...] | None:
    """Names in the order of the outputs, where a training script kept them."""
    for key in CLASS_KEYS:
        value = here.get(key)
        if isinstance(value, Mapping):
            value = _by_index(value)
        if isinstance(value, list | tuple) and value and all(map(_is_name, value)):
            return tuple(value)
    return None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isprintable()


def _by_index(value: Mapping[Any, Any]) -> list[Any] | None:
    """{"normal": 0, "fractured": 1} -> its keys in the order 0, 1, …; None when it is not that."""
    turned = {index: name for name, index in value.items() if isinstance(index, int)}
    if sorted(turned) != list(range(len(value))):
        return None
    return [turned[index] for index in range(len(value))]


def strip_prefixes(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names without `module.`, `model.`, …, taken off as often as they stand there.

    Where two names would become one, they are left alone.
    """
    stripped = {_strip(name): value for name, value in tensors.items()}
    return stripped if len(stripped) == len(tensors) else dict(tensors)


def _strip(name: str) -> str:
    while True:
        prefix = next((p for p in PREFIXES if name.startswith(p)), None)
        if prefix is None:
            return name
        name = name[len(prefix) :]


def inside(tensors: Mapping[str, Tensor]) -> list[tuple[dict[str, Tensor], list[str]]]:
    """Ways to read the names, best first: all of them, or only those under one known prefix.

    The second drops what a training module keeps beside its network (a loss's class
    weights, a metric's state); what was left out is given with it.
    """
    ways = [(strip_prefixes(tensors), list[str]())]
    for prefix in PREFIXES:
        kept = {name: value for name, value in tensors.items() if name.startswith(prefix)}
        if kept and len(kept) < len(tensors):
            left = [name for name in tensors if name not in kept]
            ways.append((strip_prefixes(kept), left))
    return ways
