"""Stock ART attacks on a classifier of ours: what our own are held against."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from audit.classifier import Classifier
from audit.stresses.art_bridge import estimator


def one_hot(y: Tensor, classes: int = 2) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[y.numpy()]


def projected_gradient(
    classifier: Classifier, x: Tensor, y: Tensor, epsilon: float, step: float, steps: int
) -> Tensor:
    """ART's PGD from x itself, all its steps."""
    from art.attacks.evasion import ProjectedGradientDescentPyTorch

    attack = ProjectedGradientDescentPyTorch(
        estimator(classifier, x.shape[1:]),
        eps=epsilon,
        eps_step=step,
        max_iter=steps,
        batch_size=len(x),
        verbose=False,
    )
    labels = one_hot(y, len(classifier.classes))
    return torch.from_numpy(attack.generate(x.numpy(), labels))


def auto_projected_gradient(
    classifier: Classifier, x: Tensor, y: Tensor, epsilon: float, steps: int, restarts: int = 1
) -> Tensor:
    """ART's APGD-CE with the paper's first step of 2ε."""
    from art.attacks.evasion import AutoProjectedGradientDescent

    attack = AutoProjectedGradientDescent(
        estimator(classifier, x.shape[1:]),
        eps=epsilon,
        eps_step=2 * epsilon,
        max_iter=steps,
        nb_random_init=restarts,
        batch_size=len(x),
        loss_type=None,
        verbose=False,
    )
    with numpy_seeded(0):
        return torch.from_numpy(attack.generate(x.numpy(), one_hot(y, len(classifier.classes))))


def square(
    classifier: Classifier, x: Tensor, y: Tensor, epsilon: float, queries: int, seed: int
) -> tuple[Tensor, int]:
    """ART's Square on one image x (1, C, H, W) -> (image, stripes and squares it tried)."""
    from art.attacks.evasion import SquareAttack

    attack = SquareAttack(
        estimator(classifier, x.shape[1:]), eps=epsilon, max_iter=queries - 1, verbose=False
    )
    tried = [0]  # ART looks up the share of the image before every square, and once when done
    share = attack._get_percentage_of_elements

    def counted(turn: int) -> float:
        tried[0] = turn + 1
        return float(share(turn))

    attack._get_percentage_of_elements = counted
    with numpy_seeded(seed):
        image = torch.from_numpy(attack.generate(x.numpy(), one_hot(y)))
    fooled = bool((classifier.predict(image).logits.argmax(1) != y).all())
    return image, tried[0] + (not fooled)


class numpy_seeded:  # noqa: N801 - reads as the context it is
    """NumPy's global generator, which ART draws from, seeded for a while and put back."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __enter__(self) -> None:
        self.before = np.random.get_state()  # noqa: NPY002 - ART's own source
        np.random.seed(self.seed)  # noqa: NPY002 - as above

    def __exit__(self, *_: object) -> None:
        np.random.set_state(self.before)  # noqa: NPY002 - as above
