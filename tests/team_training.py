"""One process of a team: fits a toy network and leaves its weights. Run by torchrun, or alone.

python -m torch.distributed.run --nproc-per-node 2 tests/team_training.py FOLDER
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from torch import nn

from audit.errors import HipauditError
from audit.results import Preparation
from tests.toy_training import CLASSES, Told, toy
from trainers.fitting.loop import train_module
from trainers.fitting.team import join_team, speaks
from trainers.recipe import Recipe

WAY = Preparation(height=12, width=12)


def network(norm):
    torch.manual_seed(5)
    middle = nn.BatchNorm2d(8) if norm else nn.GroupNorm(2, 8)
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), middle, nn.ReLU(), nn.AdaptiveAvgPool2d(2)),
        nn.Sequential(nn.Flatten(), nn.Linear(32, 2)),
    )


def train(folder, norm, told=None, batch_size=16):
    recipe = Recipe(
        "toy", size=12, freeze_epochs=1, max_epochs=2, batch_size=batch_size, lr=0.01, seed=3
    )
    module = network(norm)
    log = train_module(
        module, recipe, toy(48, 1), toy(21, 2), classes=CLASSES, positive_class="fracture",
        way=WAY, folder=folder, progress=told,
    )  # fmt: skip
    return module.state_dict(), log


def main(folder):
    torch.set_num_threads(1)
    rank, told = int(os.environ["RANK"]), Told()
    plain, log = train(folder / "plain", norm=False, told=told)
    normed, _ = train(folder / "normed", norm=True)
    try:
        train(None, norm=False, batch_size=15)
        refused = ""
    except HipauditError as error:
        refused = str(error)
    team = join_team("cpu")
    gathered = team.gathered(torch.full((rank + 1, 1), float(rank)))
    torch.save(
        {
            "plain": plain, "normed": normed, "refused": refused, "notes": len(told.notes),
            "losses": [epoch.train_loss for epoch in log.epochs],
            "val": [epoch.val_loss for epoch in log.epochs],
            "used": log.recorded()["used"], "speaks": speaks(), "gathered": gathered,
            "agreed": team.agreed(f"said by {rank}"), "kind": type(network(True)[0][1]).__name__,
        },
        folder / f"rank{rank}.pt",
    )  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
