"""Speed against peers, as ratios measured side by side in one process.

Same network, images, budgets and thread count; arms interleaved; warm-up apart; median of
five with the range. Absolute times of a shared machine mean little, ratios mean something.

    python benchmarks/peers.py [--images 16] [--size 224] [--repeats 5] [--arch squeezenet1_1]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torchvision
from art.attacks.evasion import FastGradientMethod, SpatialTransformation
from art.estimators.classification import PyTorchClassifier

from audit.checkpoints.load import from_module
from audit.classifier import Classifier
from audit.draws import generator
from audit.fingerprint import machine, versions
from audit.stresses.registry import Batch, get_stress

EPSILONS = tuple(i / 255 for i in (1, 2, 3, 4, 5, 6, 7, 8))
CELLS = (3, 3)  # angles × shifts per axis: 27 cells, so that stock ART ends today


def batch_of(x: torch.Tensor, y: torch.Tensor) -> Batch:
    return Batch(x.clone(), y, [generator(0, str(i)) for i in range(len(x))])


def drain(name: str, model: Classifier, x: torch.Tensor, y: torch.Tensor, **params: object) -> int:
    """Run a stress as the engine does: predict every variant; number of images predicted."""
    predicted = 0
    batch = batch_of(x, y)
    for altered in get_stress(name).perturb(model, batch, **params):
        predicted += len(model.predict(altered.images).logits)
    return predicted


def arms(
    model: Classifier, module: torch.nn.Module, x: torch.Tensor
) -> dict[str, dict[str, Callable[[], object]]]:
    """Cases of comparison: each maps an arm's name to what it runs."""
    wide = x.expand(-1, 3, -1, -1).contiguous()
    mean, std = (
        torch.tensor(v).view(1, 3, 1, 1) for v in (model.preparation.mean, model.preparation.std)
    )

    class Normalised(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return module((images - mean) / std)

    stock = PyTorchClassifier(
        Normalised().eval(),
        torch.nn.CrossEntropyLoss(),
        tuple(wide.shape[1:]),
        2,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    y = torch.from_numpy(model.decide(model.predict(x).logits))
    pixels, hot = wide.numpy(), np.eye(2, dtype=np.float32)[y.numpy()]

    def art_fgsm(epsilons: tuple[float, ...]) -> None:
        for epsilon in epsilons:
            attack = FastGradientMethod(stock, eps=epsilon, batch_size=len(x))
            stock.predict(attack.generate(pixels, hot))

    def art_spatial() -> None:
        attack = SpatialTransformation(
            stock,
            max_translation=10.0,
            num_translations=CELLS[1],
            max_rotation=30.0,
            num_rotations=CELLS[0],
            verbose=False,
        )
        attack.generate(pixels, hot)

    return {
        "fgsm, 1 epsilon": {
            "hipaudit": lambda: drain("fgsm", model, x, y, epsilons=EPSILONS[:1]),
            "ART": lambda: art_fgsm(EPSILONS[:1]),
        },
        "fgsm, 8 epsilons": {
            "hipaudit": lambda: drain("fgsm", model, x, y, epsilons=EPSILONS),
            "ART": lambda: art_fgsm(EPSILONS),
        },
        "rotation-translation, per image and cell": {
            "hipaudit": lambda: drain(
                "rotation_translation_map", model, x, y, angles=CELLS[0], shifts=CELLS[1]
            ),
            "ART": art_spatial,
        },
        "bare forward (the floor)": {
            "hipaudit": lambda: model.predict(x),
            "torch": lambda: Normalised()(wide).detach(),
        },
    }


def units(case: str, arm: str, images: int) -> int:
    """What one pass does: ART's spatial attack skips the vertical shift of NCHW images."""
    if case.startswith("rotation"):
        cells = CELLS[0] * CELLS[1] ** 2 if arm == "hipaudit" else CELLS[0] * CELLS[1]
        return images * cells
    return images


def measure(runs: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each arm, interleaved; the first round warms up and is dropped."""
    seconds: dict[str, list[float]] = {arm: [] for arm in runs}
    for turn in range(repeats + 1):
        for arm, run in runs.items():
            start = time.perf_counter()
            run()
            if turn:
                seconds[arm].append(time.perf_counter() - start)
    return seconds


def _range(values: list[float]) -> list[float]:
    """Minimum, median, maximum."""
    return [round(pick(values), 5) for pick in (min, statistics.median, max)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--arch", default="squeezenet1_1")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/peers.json"))
    given = parser.parse_args()
    torch.manual_seed(0)
    module = torchvision.models.get_model(given.arch, weights=None, num_classes=2).eval()
    model = from_module(module, ("fracture", "normal"))
    x = torch.rand(given.images, 1, given.size, given.size)
    table = {}
    for case, runs in arms(model, module, x).items():
        seconds = measure(runs, given.repeats)
        per = {
            arm: [s / units(case, arm, given.images) for s in values]
            for arm, values in seconds.items()
        }
        middle = {arm: statistics.median(values) for arm, values in per.items()}
        peer = next(arm for arm in middle if arm != "hipaudit")
        table[case] = {
            "ratio": round(middle[peer] / middle["hipaudit"], 2),
            "peer": peer,
            "seconds": {arm: _range(values) for arm, values in per.items()},
        }
        print(f"{case}: {table[case]['ratio']} x {peer}")
        print(f"    min, median, max in s: {table[case]['seconds']}")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    facts = {"machine": machine(), "threads": torch.get_num_threads(), "versions": versions()}
    options = {key: str(value) for key, value in vars(given).items() if key != "out"}
    given.out.write_text(json.dumps({**facts, "options": options, "cases": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
