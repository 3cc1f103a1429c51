"""Images per second of training against the bare forward and backward pass of the same network.

Training is all of it: reading stored pixels, augmenting on the device, forward, backward, AdamW.
Both arms run in one process in the precision training chose, by turns; the ratio is the median
over the rounds, and the target is 85%. The absolute rates of a busy machine mean little.

    python benchmarks/training.py [--architectures squeezenet1_1,resnet50] [--size 224]
        [--batch 32] [--device cpu|cuda] [--steps 4] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from audit.cases.arrays import from_arrays
from audit.cases.case import Cases
from audit.checkpoints.architectures import build
from audit.results import Preparation
from trainers.architectures import STUDY
from trainers.fitting.groups import freeze
from trainers.fitting.material import Material
from trainers.fitting.precision import choose_precision
from trainers.fitting.steps import Steps, normalised
from trainers.fitting.team import join_team
from trainers.progress import Quiet
from trainers.recipe import Recipe, study_recipe

TARGET = 0.85
NATIVE = (544, 448)  # a radiograph to be shrunk to, and cropped from, a little more than twice 224
CLASSES = ("fracture", "normal")
RATE = 1e-4


def radiographs(count: int, size: int) -> Cases:
    """8-bit images in the shape of radiographs, at the size the study's have beside `size`."""
    draw = np.random.default_rng(0)
    shape = tuple(side * size // 224 for side in NATIVE)
    images = [draw.integers(0, 256, shape, np.uint8) for _ in range(count)]
    return from_arrays(images, [CLASSES[n % 2] for n in range(count)])


def steps_of(recipe: Recipe, cases: Cases, device: str, pixels: Path) -> Steps:
    way = Preparation(height=recipe.size, width=recipe.size, resize=recipe.resize)
    team = join_team(device)
    material = Material(cases, cases, CLASSES, 0, recipe, way, team, pixels, Quiet())
    module = build(recipe.architecture, 2, recipe.head).to(team.device)
    steps = Steps(module, material, recipe, way)
    shape = (recipe.batch_size, 3, recipe.size, recipe.size)
    mixed, order = recipe.mixed_precision, recipe.channels_last
    steps.use(choose_precision(module, shape, team.device, mixed, order))
    freeze(module, steps.groups, frozen=False)
    steps.begin()
    return steps


def arms(steps: Steps, count: int) -> dict[str, Callable[[], object]]:
    """What is timed: each does `count` batches of the same size."""
    rows = torch.arange(len(steps.material.y))[: steps.recipe.batch_size]
    draw = torch.Generator().manual_seed(0)
    batches = steps.material.train
    x, y = steps.batch(rows, draw)
    seen = normalised(x, steps.way).contiguous(memory_format=steps.precision.order)
    optimiser = steps.optimiser([RATE] * len(steps.groups), 1e-2)
    order = [rows for _ in range(count)]

    def bare() -> None:
        steps.module.train()
        for _ in order:
            with steps.precision.autocast(steps.device):
                logits = steps.module(seen)
            F.cross_entropy(logits.float(), y).backward()
            steps.module.zero_grad(set_to_none=True)

    def training() -> None:
        steps.epoch(optimiser, lambda _: (1.0, 0.9), 1, 0, lambda _: None)

    def reading() -> None:
        for _ in batches.ahead(order, draw):
            pass

    def augmenting() -> None:
        ready = batches.ready(rows, draw)
        for _ in order:
            batches.see(ready)

    return {"bare": bare, "training": training, "reading": reading, "augmenting": augmenting}


def measure(runs: dict[str, Callable[[], object]], rounds: int, device: torch.device) -> Any:
    """(wall, CPU) seconds of each arm by round, interleaved; the first round warms up."""
    found: dict[str, list[tuple[float, float]]] = {arm: [] for arm in runs}
    for turn in range(rounds + 1):
        for arm, run in runs.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if turn:
                found[arm].append((time.perf_counter() - wall, time.process_time() - cpu))
    return found


def row_of(architecture: str, given: argparse.Namespace, cases: Cases, pixels: Path) -> Any:
    settings = {"mixed_precision": given.mixed, "channels_last": given.channels_last}
    recipe = study_recipe(architecture, size=given.size, batch_size=given.batch, **settings)
    torch.manual_seed(0)
    steps = steps_of(recipe, cases, given.device, pixels)
    found = measure(arms(steps, given.steps), given.rounds, steps.device)
    images = given.steps * given.batch

    def rate(arm: str) -> float:
        return float(images / statistics.median(wall for wall, _ in found[arm]))

    def ratios(clock: int) -> list[float]:
        pairs = zip(found["bare"], found["training"], strict=True)
        return [bare[clock] / training[clock] for bare, training in pairs]

    ratio = statistics.median(ratios(0))
    return {
        "architecture": architecture,
        "images_per_s": {arm: round(rate(arm), 1) for arm in found},
        "ratio": round(ratio, 3),
        "ratio_range": [round(min(ratios(0)), 3), round(max(ratios(0)), 3)],
        "ratio_of_cpu_time": round(statistics.median(ratios(1)), 3),
        "met": ratio >= TARGET,
        "precision": steps.precision.recorded(),
    }


def described(device: str) -> dict[str, Any]:
    """The machine without its name."""
    lines = (
        Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []
    )
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "gpu": torch.cuda.get_device_name() if device.startswith("cuda") else None,
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
    }


def table(rows: list[Any], facts: dict[str, Any], given: argparse.Namespace) -> str:
    device = facts["gpu"] or facts["cpu"]
    lines = [
        "# Training against the bare forward and backward pass",
        "",
        f"{facts['day']}, {device}, {facts['cores']} cores, {facts['threads']} threads, load "
        f"{facts['load']}, torch {facts['torch']}; {given.size} × {given.size}, batches of "
        f"{given.batch}, {given.rounds} rounds of {given.steps} steps. Target: {TARGET:.0%}.",
        "",
        "| network | images/s | bare images/s | ratio (range) | of CPU time | target | numbers |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        numbers = row["precision"]["dtype"]
        numbers += ", channels last" if row["precision"]["channels_last"] else ""
        low, high = row["ratio_range"]
        rate = row["images_per_s"]
        lines.append(
            f"| {row['architecture']} | {rate['training']:.1f} | {rate['bare']:.1f} | "
            f"{row['ratio']:.1%} ({low:.1%}–{high:.1%}) | {row['ratio_of_cpu_time']:.1%} | "
            f"{'met' if row['met'] else 'not met'} | {numbers} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architectures", default=",".join(row.name for row in STUDY))
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mixed", default="auto")
    parser.add_argument("--channels-last", default="auto")
    parser.add_argument("--out", type=Path, help="[default: benchmarks/results/training-DEVICE]")
    given = parser.parse_args()
    facts = {"day": datetime.now(UTC).date().isoformat(), **described(given.device)}
    cases = radiographs(given.steps * given.batch, given.size)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in given.architectures.split(","):
            rows.append(row_of(name, given, cases, Path(folder)))
            print(table(rows[-1:], facts, given).splitlines()[-1], flush=True)
    kind = given.device.partition(":")[0]
    out = given.out or Path("benchmarks/results") / f"training-{kind}"
    out.parent.mkdir(parents=True, exist_ok=True)
    options = {name: value for name, value in vars(given).items() if name != "out"}
    record = {"machine": facts, "options": options, "target": TARGET, "rows": rows}
    out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    out.with_suffix(".md").write_text(table(rows, facts, given))


if __name__ == "__main__":
    main()
