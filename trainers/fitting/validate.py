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
    with torch.no_grad():
        parts = [
            steps.forward(part.float().to(steps.device)).float().cpu()
            for part in torch.split(steps.material.val_x, steps.recipe.batch_size)
        ]
    return torch.cat(parts).numpy()


def validate(steps: Steps) -> Scores:
    return score(logits(steps), steps.material.val_y.numpy(), steps.material.positive)


def threshold(steps: Steps) -> float | None:
    """The recipe's: None for argmax, or Youden's on the validation split."""
    if steps.recipe.threshold == "argmax":
        return None
    return youden(logits(steps), steps.material.val_y.numpy(), steps.material.positive)
