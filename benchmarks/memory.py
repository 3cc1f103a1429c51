"""Peak memory of a whole audit against the number of cases.

Each point is a fresh process: a small network, generated images on disk, the preset "ci" with
every sample as the preset says. What a process needs before it has a case is measured apart and
subtracted. The slope is what one more case costs; one decoded image of 224² would be 200,704 bytes.

    python benchmarks/memory.py [--points 100,1000,10000] [--preset ci] [--trace 1000]

`--trace N` prints the lines of code that hold most memory at the end of an audit of N cases.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

# Nothing large is imported here: Linux carries a parent's peak over into the process it starts.
ROOT = Path(__file__).resolve().parents[1]
SIZE = 48  # pixels of the network's input
NATIVE = (96, 80)
CLASSES = ("fracture", "normal")
ROOM = 2**20  # bytes of prepared images kept: full at 100 cases, as 128 MiB are at 670 of 224²
ONE_IMAGE = 224 * 224 * 4  # bytes of one prepared grey image in float32
TARGET = 0.05  # of ONE_IMAGE: what a case may cost beyond its rows of the table


def write_images(folder: Path, count: int) -> None:
    """Grey PNGs of noise around a level that tells the classes apart, and labels.csv: two views
    of every patient, so that intervals come from the patient bootstrap."""
    import numpy as np
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    lines = ["path,label,patient_id,view"]
    for number in range(count):
        positive = number // 2 % 2 == 0
        draw = np.random.default_rng(number)
        level = 160 if positive else 90
        pixels = np.clip(draw.normal(level, 60, NATIVE), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:06d}.png")
        view = ("frontal", "lateral")[number % 2]
        lines.append(f"{number:06d}.png,{CLASSES[not positive]},patient {number // 2},{view}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


def small_classifier() -> Any:
    """Two convolutions that see the mean level, so that there is something to attack."""
    import torch
    from torch import nn

    from audit.classifier import Classifier
    from audit.results import ModelDescription, Preparation

    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 5, 4), nn.ReLU(), nn.Conv2d(8, 8, 3, 2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2),
    )  # fmt: skip
    way = Preparation(height=SIZE, width=SIZE)
    description = ModelDescription(
        name="small", architecture="small", classes=CLASSES, positive_class=CLASSES[0],
        preparation=way,
    )  # fmt: skip
    classifier = Classifier(net, description)
    x = torch.tensor([90.0, 160.0]).view(2, 1, 1, 1).expand(2, 1, SIZE, SIZE) / 255
    low, high = classifier.predict(x).logits.numpy()
    slope = (high - low)[0] - (high - low)[1]
    with torch.no_grad():
        net[-1].weight *= 20 / slope
        net[-1].bias.zero_()
        low, high = classifier.predict(x).logits
        net[-1].bias.copy_(-(low + high) / 2)
    return classifier


def peak_bytes() -> int:
    """Peak resident set of this process (Linux counts in KiB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def one_audit(images: Path | None, preset: str, probes: bool) -> dict[str, Any]:
    """A whole audit in this process; without images only what it takes to begin one."""
    import torch

    from audit.cases.options import DataOptions
    from audit.cases.read import read_cases
    from audit.conduct import conduct
    from audit.options import AuditOptions
    from audit.speed.pages import keep_freed_memory
    from audit.speed.prepared import Kept
    from audit.stresses.art_bridge import estimator
    from audit.stresses.registry import load_stresses

    keep_freed_memory()  # as the command line does
    torch.set_num_threads(1)
    classifier = small_classifier()
    classifier._kept = Kept(ROOM)
    load_stresses()
    estimator(classifier, (1, SIZE, SIZE))  # imports ART
    before = peak_bytes()
    if images is None:
        return {"peak": before, "before": before}
    start = time.perf_counter()
    cases = read_cases(images, DataOptions(positive_class="fracture"))
    read = peak_bytes()
    options = AuditOptions(preset=preset, probes=None if probes else ())
    with tempfile.TemporaryDirectory() as folder:
        results = conduct(classifier, cases, Path(folder), options)
        table = (Path(folder) / "predictions.csv").stat().st_size
    failed = [run.id for run in results.plan.runs if run.state == "failed"]
    assert not failed, failed
    return {
        "cases": len(cases),
        "before": before,
        "after reading": read,
        "peak": peak_bytes(),
        "seconds": round(time.perf_counter() - start, 1),
        "bytes of predictions.csv": table,
        "findings": len(results.findings),
    }


@contextmanager
def traced(lines: int = 25) -> Iterator[None]:
    """Prints what the code inside still holds when it ends, and its traced peak."""
    import tracemalloc

    tracemalloc.start(1)
    yield
    held, peak = tracemalloc.get_traced_memory()
    print(f"traced: {held / 1e6:.1f} MB held at the end, {peak / 1e6:.1f} MB at the peak")
    for entry in tracemalloc.take_snapshot().statistics("lineno")[:lines]:
        print(f"  {entry.size / 1e6:8.2f} MB {entry.count:8d} x {entry.traceback[0]}")
    tracemalloc.stop()


def apart(arguments: Sequence[str]) -> dict[str, Any]:
    """This script in a process of its own, with the arguments given."""
    where = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(Path(__file__).resolve()), *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=where, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def slope(points: Sequence[tuple[int, int]]) -> float:
    """Bytes per case between the two largest audits: [(cases, peak)], in any order.

    The small ones are left out: an allocator that has not met its largest batch yet hides growth.
    """
    (fewer, low), (more, high) = sorted(points)[-2:]
    return (high - low) / (more - fewer)


def between(points: Sequence[tuple[int, int]]) -> list[float]:
    """Bytes per case from each point to the next."""
    ordered = sorted(points)
    return [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(ordered)]


def as_markdown(found: dict[str, Any]) -> str:
    lines = [
        "# Peak memory of a whole audit",
        "",
        f"Preset {found['preset']}, a network of two convolutions at {SIZE}², images of "
        f"{NATIVE[0]} × {NATIVE[1]}, two of each patient; a fresh process per point; "
        f"{found['repeats']} per point, the median.",
        "",
        f"The store of prepared images, bounded whatever the number of cases, is held to "
        f"{ROOM / 2**20:.0f} MiB so that every point fills it; an audit's own is 128 MiB.",
        "",
        f"Before the first case (imports, network, ART): {found['baseline'] / 1e6:.0f} MB.",
        "",
        "| cases | peak | above the baseline | after reading | seconds | predictions.csv |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['cases']:,} | {row['peak'] / 1e6:.0f} MB "
        f"| {(row['peak'] - found['baseline']) / 1e6:.1f} MB "
        f"| {(row['after reading'] - found['baseline']) / 1e6:.1f} MB "
        f"| {row['seconds']:.0f} | {row['bytes of predictions.csv'] / 1e6:.1f} MB |"
        for row in found["points"]
    ]
    share = found["bytes_per_case"] / ONE_IMAGE
    lines += [
        "",
        f"One more case costs {found['bytes_per_case']:,.0f} bytes, {share:.1%} of one decoded "
        f"image of 224². Target: at most {TARGET:.0%}, so that no pixels are kept: "
        f"{'met' if found['met'] else 'not met'}.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", default="100,1000,10000")
    parser.add_argument("--preset", default="ci")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--no-probes", action="store_true")
    parser.add_argument("--trace", type=int, metavar="N")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/memory")
    given = parser.parse_args()
    if given.one or given.bare:
        print(json.dumps(one_audit(given.one, given.preset, not given.no_probes)))
        return
    with tempfile.TemporaryDirectory() as folder:
        if given.trace:
            write_images(Path(folder), given.trace)
            with traced():
                print(one_audit(Path(folder), given.preset, not given.no_probes))
            return
        found = measured(given, Path(folder))
    text = as_markdown(found)
    print(text)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    given.out.with_suffix(".md").write_text(text)


def measured(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    how = ["--preset", given.preset, *(["--no-probes"] if given.no_probes else [])]
    baseline = statistics.median(apart(["--bare"])["peak"] for _ in range(max(3, given.repeats)))
    points = []
    for count in sorted(int(n) for n in given.points.split(",")):
        write_images_apart(folder / str(count), count)
        tries = [apart(["--one", str(folder / str(count)), *how]) for _ in range(given.repeats)]
        tries.sort(key=lambda row: row["peak"])
        points.append(tries[len(tries) // 2])
        print(f"{count} cases: {points[-1]}", flush=True)
    pairs = [(row["cases"], row["peak"]) for row in points]
    cost = slope(pairs) if len(pairs) > 1 else float("nan")
    return {
        "preset": given.preset,
        "repeats": given.repeats,
        "python": platform.python_version(),
        "system": platform.system(),
        "baseline": baseline,
        "points": points,
        "bytes_per_case": cost,
        "bytes_per_case_between": between(pairs),
        "target_bytes_per_case": TARGET * ONE_IMAGE,
        "met": cost <= TARGET * ONE_IMAGE,
    }


def write_images_apart(folder: Path, count: int) -> None:
    """In a process of its own, so that this one stays small."""
    code = "import sys; from pathlib import Path; from benchmarks.memory import write_images; "
    code += "write_images(Path(sys.argv[1]), int(sys.argv[2]))"
    where = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, str(folder), str(count)], check=True, env=where)


if __name__ == "__main__":
    main()
