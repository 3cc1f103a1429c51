"""A cascade as one file: every link's weights and the wiring as JSON, readable with weights_only.

A torch zip of {"hipaudit": JSON text, "state_dict": tensors}; tensor names start with the
link's place ("view.", "branches.0."). Nothing in it is code.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from audit.cascade.assemble import joined
from audit.cascade.describe import ARCHITECTURE, links_of, weights_digest
from audit.cascade.link import Link
from audit.cascade.module import Cascade
from audit.cascade.wiring import Wiring
from audit.checkpoints.outputs import AsLogits
from audit.checkpoints.own import FORMAT, KEY, NOT_KEPT, Shape, network_of, shape_of
from audit.checkpoints.text import listed, quoted
from audit.errors import DamagedFile, HipauditError
from audit.files import write_whole
from audit.results import ModelDescription

KIND = "cascade"
PLACES = ("view", "localiser", "metal")


def save_cascade(
    path: Path,
    cascade: Cascade,
    description: ModelDescription,
    training: Mapping[str, Any] | None = None,
) -> Path:
    """Write the cascade whole or not at all; `load_classifier` reads it like any model.

    `cascade` is the `module` of the Classifier that `assemble` or `fit_cascade` gives; its
    links must be networks that `audit.checkpoints.architectures.build` makes. `training` is
    plain JSON data and joins `description.training`. Raises HipauditError.
    """
    if not isinstance(cascade, Cascade):
        raise HipauditError("a cascade", type(cascade).__name__, "Use save_checkpoint instead.")
    kept = description.model_dump(mode="json", exclude=NOT_KEPT)
    kept["training"] = {**description.training, **(training or {})}
    state: dict[str, Tensor] = {}
    links: dict[str, Any] = {}
    for place, _, link in links_of(cascade):
        tensors = {k: v.detach().cpu().clone() for k, v in _bare(link).state_dict().items()}
        said = link.description
        links[place] = {
            "description": said.model_dump(mode="json", exclude=NOT_KEPT),
            "build": vars(shape_of(_bare(link), tensors, said)),
            "weights_sha256": weights_digest(link),
            "file_sha256": list(said.sha256),
        }
        state |= {f"{place}.{name}": value for name, value in tensors.items()}
    record = {
        "format": FORMAT,
        "kind": KIND,
        "description": kept,
        "wiring": cascade.wiring.model_dump(mode="json"),
        "links": links,
    }
    try:
        text = json.dumps(record, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise HipauditError("a training record of plain JSON values", str(error)) from error
    stream = io.BytesIO()
    torch.save({KEY: text, "state_dict": state}, stream)
    return write_whole(path, stream.getvalue())


def _bare(link: Link) -> nn.Module:
    network = link.network
    return network.network if isinstance(network, AsLogits) else network


def is_cascade(content: object) -> bool:
    """Is this the content of a file that `save_cascade` wrote?"""
    text = content.get(KEY) if isinstance(content, Mapping) else None
    try:
        record = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return False
    return isinstance(record, dict) and record.get("kind") == KIND


def read_cascade(content: Mapping[str, Any]) -> tuple[Cascade, ModelDescription]:
    """The chain and its description. Raises DamagedFile or HipauditError in one line."""
    try:
        record = json.loads(content[KEY])
        if record.get("format") != FORMAT:
            raise DamagedFile(
                f"a cascade of format {FORMAT}",
                f"format {quoted(record.get('format'))}",
                "Use the version of hipaudit that wrote it.",
            )
        description = ModelDescription.model_validate(record["description"])
        wiring = Wiring.model_validate(record["wiring"])
        links = dict(record["links"])
        parts = _parted(content["state_dict"], wiring, links)
        made = {place: _link(links[place], state) for place, state in parts.items()}
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
        raise DamagedFile(
            "a whole cascade", f"a record that cannot be read ({type(error).__name__})"
        ) from error
    cascade = joined(
        [made[f"branches.{place}"] for place in range(len(wiring.branches))],
        wiring,
        **{place: made.get(place) for place in PLACES},
    )
    _same_question(cascade, description)
    return cascade, description


def _parted(
    state: Mapping[str, Tensor], wiring: Wiring, links: Mapping[str, Any]
) -> dict[str, dict[str, Tensor]]:
    """Every link's tensors under their own names. Raises DamagedFile for what belongs to none."""
    wanted = {f"branches.{place}" for place in range(len(wiring.branches))}
    strangers = sorted(set(links) - wanted - set(PLACES))
    missing = sorted(wanted - set(links))
    if strangers or missing:
        found = f"unknown {listed(strangers)}" if strangers else f"no {listed(missing)}"
        raise DamagedFile("a cascade with the links of its wiring", found)
    parts: dict[str, dict[str, Tensor]] = {place: {} for place in links}
    for name, value in state.items():
        place = next((p for p in parts if name.startswith(f"{p}.")), None)
        if place is None:
            raise DamagedFile("weights of the cascade's links", f"{quoted(name)} of none of them")
        parts[place][name.removeprefix(f"{place}.")] = value
    return parts


def _link(record: Mapping[str, Any], state: Mapping[str, Tensor]) -> Link:
    said = ModelDescription.model_validate(record["description"])
    network = network_of(said.architecture, Shape(**record["build"]), state)
    module: nn.Module = network.module
    if said.output != "logits":
        module = AsLogits(module, said.output, said.classes.index(said.positive_class))
    inside = "network." if module is not network.module else ""
    layer = f"{inside}{network.cam_layer}" if network.cam_layer else None
    files = tuple(str(digest) for digest in record["file_sha256"])
    link = Link(module, said.model_copy(update={"cam_layer": layer, "sha256": files}))
    outputs = Shape(**record["build"]).outputs
    if outputs != len(said.classes) and not (outputs == 1 and len(said.classes) == 2):
        raise DamagedFile(
            f"a link of {len(said.classes)} outputs ({listed(said.classes)})", f"{outputs}"
        )
    if weights_digest(link) != record["weights_sha256"]:
        raise DamagedFile(
            "the weights whose SHA-256 the cascade records", "others", "Copy the file again."
        )
    return link


def _same_question(cascade: Cascade, description: ModelDescription) -> None:
    branch = next(link for place, _, link in links_of(cascade) if place == "branches.0")
    said = branch.description
    found = (said.classes, said.positive_class)
    if found != (description.classes, description.positive_class):
        raise DamagedFile(
            f"branches that answer {listed(description.classes)}", listed(said.classes)
        )
    way = description.preparation
    plain = (way.channels, way.value_range, way.mean, way.std) == (1, 1.0, (0.0,), (1.0,))
    if description.architecture != ARCHITECTURE or not plain:
        raise DamagedFile("a cascade that takes grey pixels in [0, 1]", "another preparation")
