"""A whole audit against the forwards and backwards it needed.

"Inside the network" is measured in the audit itself (`inside.py`). The target is 1.15 × that. As a
check from outside, the same images are sent
through the bare networks at the audit's batch size, and their time multiplied by the counts.

    python -m benchmarks.overhead [--arch squeezenet1_1,resnet18] [--cases 200] [--size 224]
        [--preset quick] [--no-profile]
"""

from __future__ import annotations

import argparse
import cProfile
import importlib
import json
import os
import pstats
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audit.cases.case import Cases
from audit.cases.options import DataOptions
from audit.cases.read import read_cases
from audit.checkpoints.assemble import cam_module
from audit.classifier import Classifier
from audit.conduct import conduct
from audit.fingerprint import machine
from audit.options import AuditOptions
from audit.speed.pages import keep_freed_memory
from benchmarks.inside import Inside, Stages, watched
from benchmarks.peers.subject import described, fit

ROOT = Path(__file__).resolve().parents[1]
TARGET = 1.15
TOP = 40  # lines of the profile kept


def imported(classifier: Classifier, x: Tensor) -> float:
    """Seconds for what is imported late, once per process: ART, the stresses, the probes, and
    the libraries that draw."""
    from audit.probes.registry import load_probes
    from audit.stresses.art_bridge import estimator
    from audit.stresses.registry import load_stresses

    start = time.perf_counter()
    load_stresses()
    load_probes()
    importlib.import_module("matplotlib.figure")
    importlib.import_module("pytorch_grad_cam")
    estimator(classifier, tuple(x.shape[1:]))
    return time.perf_counter() - start


def phantoms(folder: Path, count: int, size: int, split: str = "test") -> Cases:
    """Phantom radiographs, frontal and lateral of each patient, kept between calls."""
    from trainers.phantom.write import write_phantoms

    place = folder / f"phantoms-{count}-{size}"
    if not (place / split / "labels.csv").exists():
        write_phantoms(place, patients=(count + 1) // 2, size=size, splits={split: 1.0})
    return read_cases(place / split, DataOptions(positive_class="fracture"))


def fitted(architecture: str, cases: Cases, size: int) -> Classifier:
    """Random weights with a head fitted on some of the cases: decisions vary, attacks succeed.

    With its Grad-CAM layer, so that heat maps are drawn and examined as in anybody's audit.
    """
    import torchvision

    from audit.results import Preparation

    torch.manual_seed(0)
    network = torchvision.models.get_model(architecture, weights=None, num_classes=2).eval()
    way = Preparation(height=size, width=size)
    layer = cam_module(architecture, network)
    description = described(architecture, way).model_copy(update={"cam_layer": layer})
    classifier = Classifier(network, description)
    fit(classifier, cases[: min(len(cases), 64)])
    return classifier


def one_audit(
    architecture: str, cases: Cases, given: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    classifier = fitted(architecture, cases, given.size)
    options = AuditOptions(preset=given.preset)
    imports = imported(classifier, classifier.prepare(cases[0])[None])
    with watched(classifier) as inside:
        stages = Stages(inside)
        results = conduct(classifier, cases, folder / "timed", options, stages)
        parts = stages.ended()
    whole = sum(part["seconds"] for part in parts.values())
    failed = [f"{run.id}: {run.reason}" for run in results.plan.runs if run.state == "failed"]
    found: dict[str, Any] = {
        "cases": len(cases),
        "preset": given.preset,
        "batch size": results.provenance.batch_size,
        "imports, apart": imports,
        "seconds": whole,
        "inside the network": inside.seconds,
        "forward": inside.forward,
        "backward": inside.backward,
        "images forward": inside.looks,
        "images backward": inside.gradients,
        "calls": inside.calls,
        "ratio": whole / inside.seconds,
        "met": whole <= TARGET * inside.seconds,
        "parts": parts,
        "failed": failed,
    }
    batch = results.provenance.batch_size or 32
    found |= from_outside(classifier, cases, inside, int(batch))
    if not given.no_profile:
        found["elsewhere"] = profiled(classifier, cases, options, folder / "profiled")
    return found


def from_outside(
    classifier: Classifier, cases: Cases, inside: Inside, batch: int
) -> dict[str, Any]:
    """Counts × bare rates at the audit's batch size. What ran in smaller batches makes it low."""
    x = torch.stack([classifier.prepare(case) for case in cases[: min(batch, len(cases))]])

    def forward() -> None:
        classifier.predict(x)

    def gradient() -> None:
        asked = x.clone().requires_grad_(True)
        torch.autograd.grad(classifier.logits(asked).sum(), asked)

    look, both = _median(forward) / len(x), _median(gradient) / len(x)
    plain = inside.looks - inside.gradients
    return {
        "bare forward": look,
        "bare forward and backward": both,
        "counts x bare": plain * look + inside.gradients * both,
    }


def _median(work: Callable[[], None], times: int = 3) -> float:
    took = []
    for _ in range(times + 1):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return sorted(took[1:])[times // 2]


def profiled(
    classifier: Classifier, cases: Cases, options: AuditOptions, folder: Path
) -> dict[str, Any]:
    """The same audit again under cProfile: by own time, and our functions by time with callees."""
    profile = cProfile.Profile()
    profile.runcall(conduct, classifier, cases, folder, options)
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    rows = [
        (f"{_short(file)}:{line} {name}", calls, own, total)
        for (file, line, name), (_, calls, own, total, _) in stats.items()
    ]
    mine = [row for row in rows if row[0].startswith(("audit/", "trainers/"))]
    return {
        "note": "seconds under cProfile, which slows Python and not the network",
        "own": [_row(row) for row in sorted(rows, key=lambda row: -row[2])[:TOP]],
        "with callees": [_row(row) for row in sorted(mine, key=lambda row: -row[3])[:TOP]],
    }


def _short(file: str) -> str:
    """No path of this machine: from the package on."""
    for start in ("site-packages/", f"{ROOT}/"):
        if start in file:
            return file.partition(start)[2]
    return Path(file).name


def _row(row: tuple[str, int, float, float]) -> dict[str, Any]:
    name, calls, own, total = row
    return {"where": name, "calls": calls, "own": round(own, 3), "with callees": round(total, 3)}


def as_markdown(found: dict[str, Any]) -> str:
    lines = [
        "# A whole audit against its forwards and backwards",
        "",
        f"{found['day']}; {', '.join(f'{k} {v}' for k, v in found['machine'].items())}.",
        "",
        "| network | cases | preset | audit | inside the network | ratio | target "
        f"{TARGET:g} | images forward | backward | counts × bare | imports, apart |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {one['cases']} | {one['preset']} | {one['seconds']:.1f} s "
        f"| {one['inside the network']:.1f} s | {one['ratio']:.2f} "
        f"| {'met' if one['met'] else 'not met'} | {one['images forward']:,} "
        f"| {one['images backward']:,} | {one['counts x bare']:.1f} s "
        f"| {one['imports, apart']:.1f} s |"
        for name, one in found["networks"].items()
    ]
    for name, one in found["networks"].items():
        lines += ["", f"## {name}: its parts", ""]
        lines += ["| part | seconds | inside the network | ratio |", "|---|---|---|---|"]
        lines += [
            f"| {part} | {spent['seconds']:.1f} | {spent['inside the network']:.1f} "
            f"| {_ratio(spent['seconds'], spent['inside the network'])} |"
            for part, spent in one["parts"].items()
        ]
    for name, one in found["networks"].items():
        if "elsewhere" in one:
            lines += ["", f"## {name}: where the time goes, with callees (cProfile)", ""]
            lines += ["| seconds | own | calls | where |", "|---|---|---|---|"]
            lines += [
                f"| {row['with callees']:.2f} | {row['own']:.2f} | {row['calls']:,} "
                f"| `{row['where']}` |"
                for row in one["elsewhere"]["with callees"][:25]
            ]
    return "\n".join([*lines, ""])


def _ratio(seconds: float, inside: float) -> str:
    return f"{seconds / inside:.2f}" if inside else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--arch", default="squeezenet1_1,resnet18")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--native", type=int, default=256, help="side of the phantoms")
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--no-profile", action="store_true")
    parser.add_argument("--data", type=Path, default=ROOT / "hipaudit-out/benchmarks")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/overhead")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    kept = keep_freed_memory()  # as the command line does
    cases = phantoms(given.data, given.cases, given.native)
    found: dict[str, Any] = {
        "day": datetime.now(UTC).date().isoformat(),
        "machine": {
            "platform": machine(),
            "cores": os.cpu_count(),
            "threads": given.threads,
            "load": round(os.getloadavg()[0], 1),
            "torch": str(torch.__version__),
            "freed memory kept": kept,
        },
        "target": TARGET,
        "networks": {},
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    for architecture in given.arch.split(","):
        with tempfile.TemporaryDirectory() as folder:
            found["networks"][architecture] = one_audit(architecture, cases, given, Path(folder))
        text = as_markdown(found)
        given.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
        given.out.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
