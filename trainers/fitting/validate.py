"""What the network says of the validation split, and the threshold chosen on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from trainers.fitting.scores import Scores, score, youden
from trainers.fitting.steps import Steps


def logits(steps: Steps) -> np.ndarray[Any, Any]:
    """(N, K) of the validation split, in its order; the network is left in eval mode."""
    steps.module.eval()
    images, team = steps.material.val, steps.team
    mine = torch.arange(len(images)).tensor_split(team.size)[team.rank]
    with torch.no_grad():
        parts = [
            steps.answers(images.batch(rows.tolist()).to(steps.device)).float()
            for rows in torch.split(mine, steps.recipe.batch_size)
        ]
    return team.gathered(torch.cat(parts)).numpy()


def validate(steps: Steps) -> Scores:
    return score(logits(steps), steps.material.val_y.numpy(), steps.material.positive)


def threshold(steps: Steps) -> float | None:
    """The recipe's: None for argmax, or Youden's on the validation split."""
    if steps.recipe.threshold == "argmax":
        return None
    return youden(logits(steps), steps.material.val_y.numpy(), steps.material.positive)
