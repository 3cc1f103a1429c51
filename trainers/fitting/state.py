"""What a training must remember to be taken up again after any epoch, in one file.

Weights, the best weights, the optimiser, the epochs so far and what the range tests chose.
Random draws need no memory: they are functions of the seed and the epoch.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from audit.cases.case import Cases
from audit.checkpoints.container import kind_of, read_content
from audit.errors import DamagedFile, HipauditError
from audit.files import sha256_of, write_whole
from audit.study_results import RangeTest
from trainers.fitting.log import Epoch
from trainers.fitting.tuning import Tuned
from trainers.recipe import Recipe

FILE = "training-state.pt"
FORMAT = 1


@dataclass
class State:
    """How far a training is. `best`: the value, epoch and weights early stopping keeps.

    `stale`: epochs of the present phase since its own best, `phase_best`.
    """

    epochs: list[Epoch] = field(default_factory=list)
    tuned: dict[str, Tuned] = field(default_factory=dict)
    best_value: float = -math.inf
    best_epoch: int = 0
    phase_best: float = -math.inf
    stale: int = 0
    ended: str = ""
    best: dict[str, Tensor] = field(default_factory=dict)
    optimiser: dict[str, Any] = field(default_factory=dict)
    precision: dict[str, Any] = field(default_factory=dict)
    scaler: dict[str, Any] = field(default_factory=dict)


def identity(
    module: nn.Module, recipe: Recipe, train: Cases, val: Cases, classes: tuple[str, ...]
) -> dict[str, Any]:
    """What must be equal for a training to be the same one: recipe, images, starting weights."""
    start = hashlib.sha256()
    for name, value in module.state_dict().items():
        start.update(name.encode())
        start.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return {
        "recipe": recipe.recorded(),
        "classes": list(classes),
        "train": _digest(train),
        "val": _digest(val),
        "start": start.hexdigest(),
    }


def _digest(cases: Cases) -> str:
    text = "\n".join(f"{case.id}\t{case.label}" for case in cases)
    return hashlib.sha256(text.encode()).hexdigest()


def write_state(folder: Path, identity: dict[str, Any], state: State, module: nn.Module) -> None:
    """Old state or new one, never a torn one; readable by its owner only.

    A training that has ended keeps its best weights only. Raises HipauditError when the disk
    says no; the state of the epoch before then stays.
    """
    over = state.ended in ("epochs", "early stop")
    record = {
        "format": FORMAT,
        "identity": identity,
        "epochs": [asdict(epoch) for epoch in state.epochs],
        "tuned": [
            {**asdict(t), "tests": [test.model_dump() for test in t.tests]}
            for t in state.tuned.values()
        ],
        **{name: getattr(state, name) for name in _PLAIN},
    }
    content = {
        "hipaudit training": json.dumps(record, sort_keys=True),
        "best": _on_cpu(state.best),
        "module": {} if over else _on_cpu(module.state_dict()),
        "optimiser": {} if over else state.optimiser,
    }
    stream = io.BytesIO()
    torch.save(content, stream)
    write_whole(folder / FILE, stream.getvalue(), mode=0o600)


_PLAIN = ("best_value", "best_epoch", "phase_best", "stale", "ended", "precision", "scaler")


def _on_cpu(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu() for name, value in weights.items()}


def read_state(folder: Path, identity: dict[str, Any]) -> tuple[State, dict[str, Tensor]] | None:
    """(state, weights to go on with) as an earlier call left them in `folder`; None without one.

    Raises HipauditError where the state is that of another training, which is not overwritten:
    hours may be in it. Raises DamagedFile for a file that is not a whole state.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        content = read_content(path, kind_of(path), sha256_of(path))
    except HipauditError as error:
        raise DamagedFile("a whole training state", "a file that cannot be read") from error
    try:
        record = json.loads(content["hipaudit training"])
        differs = [name for name in identity if record["identity"].get(name) != identity[name]]
        if record["format"] != FORMAT:
            raise DamagedFile(f"a training state of format {FORMAT}", f"{record['format']!r}"[:20])
        if differs:
            raise _other(record["identity"], identity, differs)
        state = State(
            epochs=[Epoch(**row) for row in record["epochs"]],
            tuned={row["phase"]: _tuned(row) for row in record["tuned"]},
            best=content["best"],
            optimiser=content["optimiser"],
            **{name: record[name] for name in _PLAIN},
        )
        return state, content["module"] or content["best"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedFile("a whole training state", type(error).__name__) from error


def _tuned(row: dict[str, Any]) -> Tuned:
    tests = tuple(RangeTest.model_validate(test) for test in row["tests"])
    return Tuned(**{**row, "tests": tests})


def _other(there: dict[str, Any], here: dict[str, Any], differs: list[str]) -> HipauditError:
    words = {"train": "training images", "val": "validation images", "start": "starting weights"}
    said = [words.get(name, name) for name in differs if name != "recipe"]
    if "recipe" in differs:
        recipe = there["recipe"] if isinstance(there.get("recipe"), dict) else {}
        said = [name for name, value in here["recipe"].items() if recipe.get(name) != value] + said
    return HipauditError(
        "to go on with the training begun in this folder",
        f"one with another {', '.join(said)}",
        f"Use another folder, or delete {FILE} there.",
    )
