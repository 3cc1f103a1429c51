"""How fast a network goes forward, bare."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
import torchvision
from torch import Tensor

from audit.classifier import Classifier
from audit.results import Preparation
from audit.speed.search import search_with
from benchmarks.peers.subject import Subject, described


def seconds_per_image(classifier: Classifier, x: Tensor, repeats: int) -> float:
    """Median over the rounds of one batch, after one to warm up."""
    found = []
    for turn in range(repeats + 1):
        start = time.perf_counter()
        classifier.predict(x)  # brings the logits to the CPU, so a GPU has finished
        if turn:
            found.append((time.perf_counter() - start) / len(x))
    return statistics.median(found)


def bare(subject: Subject, images: int, repeats: int) -> dict[str, float]:
    x = subject.x[:images]
    return {
        "untouched": seconds_per_image(subject.classifier, x, repeats),
        "search": seconds_per_image(subject.search.classifier, x, repeats),
    }


def study_rates(
    size: int, device: str, batch: int, repeats: int, say: Callable[[str], object]
) -> list[dict[str, Any]]:
    """Images per second of the seven networks of the study; None where a kind is not to be had."""
    from trainers.architectures import STUDY

    rows: list[dict[str, Any]] = []
    for member in STUDY:
        torch.manual_seed(0)
        module = torchvision.models.get_model(member.name, weights=None, num_classes=2).eval()
        way = Preparation(height=size, width=size)
        plain = Classifier(module, described(member.name, way), device=device)
        x = torch.rand(batch, 1, size, size)
        row: dict[str, Any] = {"network": member.name, "bf16": None}
        row["untouched"] = 1 / seconds_per_image(plain, x, repeats)
        row["search"] = 1 / seconds_per_image(search_with(plain, x[:2]).classifier, x, repeats)
        if device.startswith("cuda"):
            half = search_with(plain, x[:2], "bf16")
            if half.how == "bf16":
                row["bf16"] = 1 / seconds_per_image(half.classifier, x, repeats)
        rows.append(row)
        say(str(row))
    return rows
