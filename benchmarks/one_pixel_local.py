"""One pixel at a time: following it locally against sending whole images, in one process.

    python benchmarks/one_pixel_local.py --candidates 64 --networks vgg19,alexnet

Random weights (the time does not depend on them), 224 × 224, the network that searches (conv–BN
fused, channels last) on both sides, arms interleaved, one thread. On a CPU the seconds are those
of the process, so that other programs on the machine count little; on a GPU they are elapsed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torchvision
from torch import Tensor, nn

from audit.classifier import Classifier
from audit.results import ModelDescription, Preparation
from audit.speed.local import LEAST_GAIN, local_scorer
from audit.speed.local_plan import ideal_gain
from audit.speed.pixels import PixelScorer, dense_scorer
from audit.speed.search import quickened

NETWORKS = "alexnet,vgg19,squeezenet1_1,squeezenet1_0,resnet50,densenet121"
SIZE = 224
Places = tuple[Tensor, Tensor, Tensor]


def classifier(name: str, device: str) -> Classifier:
    torch.manual_seed(0)
    way = Preparation(
        height=SIZE,
        width=SIZE,
        channels=3,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )
    description = ModelDescription(
        name=name,
        architecture=name,
        classes=("normal", "fracture"),
        positive_class="fracture",
        preparation=way,
    )
    module = torchvision.models.get_model(name, weights=None, num_classes=2)
    for part in module.modules():
        if isinstance(part, nn.Conv2d):  # so that the pixel is seen at the end
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
    return quickened(Classifier(module, description, device=device))


def places(kind: str, candidates: int) -> Places:
    low, high = {
        "uniform": (0, SIZE),
        "centre": (SIZE // 2 - 8, SIZE // 2 + 8),
        "corner": (0, 4),
    }[kind]
    generator = torch.Generator().manual_seed(1)
    rows, cols = torch.randint(low, high, (2, candidates, 1), generator=generator)
    return rows, cols, torch.rand(candidates, 1, 1, generator=generator)


def seconds(score: PixelScorer, where: Places, clock: Callable[[], float]) -> float:
    """Logits come back to the CPU, so a GPU has finished too."""
    start = clock()
    score(*where)
    return clock() - start


def compare(name: str, candidates: int, device: str, repeats: int) -> None:
    model = classifier(name, device)
    clock = time.process_time if device == "cpu" else time.perf_counter
    x = torch.rand(1, SIZE, SIZE, generator=torch.Generator().manual_seed(2))
    start = clock()
    local = local_scorer(model, x)
    ready = clock() - start
    gain = ideal_gain(model.module, (3, SIZE, SIZE))
    if local is None:
        print(f"{name:14s} ideal {gain:4.1f}: whole images (locality from {LEAST_GAIN} on)")
        return
    whole = dense_scorer(model, x)
    for kind in ("uniform", "centre", "corner"):
        where = places(kind, candidates)
        wanted = whole(*where)  # warms up, too
        off = float((local(*where) - wanted).abs().max() / wanted.abs().max())
        pairs = [
            (seconds(local, where, clock), seconds(whole, where, clock)) for _ in range(repeats)
        ]
        ours, theirs = (
            statistics.median(arm) / candidates * 1e3 for arm in zip(*pairs, strict=True)
        )
        ratios = [b / a for a, b in pairs]
        print(
            f"{name:14s} ideal {gain:4.1f}  {kind:8s} local {ours:7.2f} ms, whole {theirs:7.2f} ms"
            f" per candidate: ×{statistics.median(ratios):.2f}"
            f" ({min(ratios):.2f}–{max(ratios):.2f}); difference at most {off:.0e} of a logit;"
            f" ready after {ready:.1f} s",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", default=NETWORKS)
    parser.add_argument("--candidates", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.networks.split(","):
        compare(name, given.candidates, given.device, given.repeats)


if __name__ == "__main__":
    main()
