"""Writes signatures.json: python -m audit.checkpoints.make_signatures.

From the installed torchvision; takes seconds and no memory, as modules without weights are built.
"""

from __future__ import annotations

import json
from typing import Any

from torch import nn

from audit.checkpoints.architectures import cut, names, shapes_only, stem, torchvision_module
from audit.checkpoints.layout import NOT_SEQUENTIAL
from audit.checkpoints.signatures import (
    TABLE,
    Shapes,
    body_of,
    counts,
    digest,
    in_order,
    lines,
    sketch,
)
from audit.files import write_whole


def make_table() -> dict[str, dict[str, Any]]:
    """Architecture -> its row; raises ValueError if two architectures cannot be told apart."""
    rows = {name: row(name) for name in names()}
    for kind in ("keys", "fastai"):
        seen: dict[str, str] = {}
        for name, entry in rows.items():
            twin = seen.setdefault(entry.get(kind, name), name)
            if twin != name:
                raise ValueError(f"{name} and {twin} have the same {kind} signature")
    return rows


def row(name: str) -> dict[str, Any]:
    module = shapes_only(lambda: torchvision_module(name, 2))
    body = body_of(shapes_of(module))
    entry: dict[str, Any] = {
        "keys": digest(lines(body)),
        "keys_stem": f"{stem(module)[0]}.weight",
        "sketch": sketch(lines(body)),
        **picture(name),
    }
    if not name.startswith(NOT_SEQUENTIAL):
        whole = nn.Sequential(cut(name, module))
        shapes = {key: shape for key, shape in shapes_of(whole).items() if counts(key)}
        entry |= {
            "fastai": digest(lines(shapes)),
            "fastai_stem": f"{stem(whole)[0]}.weight",
            "fastai_sketch": sketch(lines(shapes)),
            "sequence": in_order(list(shapes.values())),
            "count": len(shapes),
        }
    return entry


def picture(name: str) -> dict[str, Any]:
    """Input size and interpolation that torchvision's own first weights were made with."""
    from torchvision import models

    way = next(iter(models.get_model_weights(name))).transforms()
    return {"size": way.crop_size[0], "interpolation": way.interpolation.value}


def shapes_of(module: nn.Module) -> Shapes:
    return {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}


def as_text(rows: dict[str, dict[str, Any]]) -> str:
    """JSON with one architecture per line, so that a change can be read in a diff."""
    short = [f'"{name}":{json.dumps(rows[name], sort_keys=True)}' for name in sorted(rows)]
    return "{\n" + ",\n".join(short) + "\n}\n"


if __name__ == "__main__":
    write_whole(TABLE, as_text(make_table()))
