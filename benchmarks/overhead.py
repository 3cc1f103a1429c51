"""A whole audit against the forwards and backwards it needed.

"Inside the network" is measured in the audit itself: wall time between entering the outermost
module of the network (the untouched one, the search one, or a part of it) and leaving it, and of
every backward pass. The target is 1.15 × that. As a check from outside, the same images are sent
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from audit.cases.case import Cases
from audit.cases.options import DataOptions
from audit.cases.read import read_cases
from audit.checkpoints.assemble import cam_module
from audit.classifier import Classifier
from audit.conduct import conduct
from audit.engine import Quiet
from audit.fingerprint import machine
from audit.options import AuditOptions
from audit.speed.local_run import LocalImage
from audit.speed.pages import keep_freed_memory
from benchmarks.peers.subject import described, fit

ROOT = Path(__file__).resolve().parents[1]
TARGET = 1.15
TOP = 40  # lines of the profile kept
BEFORE, RUNS, PROBES = "before the first run", "attacks, corruptions, defences", "probes"
FINDINGS = "findings, files"


@dataclass
class Inside:
    """Seconds and images inside the network. `depth` > 0 while inside."""

    forward: float = 0.0
    backward: float = 0.0
    looks: int = 0
    gradients: int = 0
    calls: int = 0
    depth: int = 0
    since: float = 0.0
    doors: dict[int, nn.Module] = field(default_factory=dict)  # kept, or others get their ids

    @property
    def seconds(self) -> float:
        return self.forward + self.backward

    def enter(self, module: nn.Module, given: tuple[object, ...]) -> None:
        if id(module) not in self.doors:
            return
        self.depth += 1
        if self.depth > 1:
            return
        if given and isinstance(given[0], Tensor):
            self.calls += 1
            self.looks += len(given[0])
            if given[0].requires_grad and torch.is_grad_enabled():
                self.gradients += len(given[0])
        self.since = time.perf_counter()

    def leave(self, module: nn.Module, _given: object, _output: object) -> None:
        if id(module) not in self.doors:
            return
        self.depth -= 1
        if self.depth == 0:
            self.forward += time.perf_counter() - self.since


@contextmanager
def watched(classifier: Classifier) -> Iterator[Inside]:
    """Times every stay inside a network of this classifier or of one made from it."""
    inside = Inside()
    _admit(inside, classifier.module)
    through, make = Classifier.through, Classifier.__init__

    def admitting(self: Classifier, module: nn.Module) -> Classifier:
        _admit(inside, module)
        return through(self, module)

    def making(self: Classifier, module: nn.Module, *given: Any, **named: Any) -> None:
        _admit(inside, module)  # a copy with randomised weights, to hold heat maps against
        make(self, module, *given, **named)

    hooks = [
        register_module_forward_pre_hook(inside.enter),
        register_module_forward_hook(inside.leave, always_call=True),
    ]
    Classifier.through = admitting  # type: ignore[method-assign]
    Classifier.__init__ = making  # type: ignore[method-assign]
    try:
        with _timed_backwards(inside), _timed_local(inside):
            yield inside
    finally:
        Classifier.through = through  # type: ignore[method-assign]
        Classifier.__init__ = make  # type: ignore[method-assign]
        for hook in hooks:
            hook.remove()


class Stages(Quiet):
    """Seconds, and seconds inside the network, of each part of an audit, by what it tells."""

    def __init__(self, inside: Inside) -> None:
        self.spent: dict[str, list[float]] = {}
        self._inside, self._part = inside, BEFORE
        self._since = time.perf_counter(), inside.seconds

    def plan(self, *_: object) -> None:
        self.turn(RUNS)

    def run(self, run_id: str, done: int, total: int) -> None:
        if run_id.startswith("probe "):  # told at its start and at its end
            self.turn(FINDINGS if self._part == PROBES else PROBES)
        else:
            self.turn(FINDINGS if done == total else RUNS)

    def turn(self, part: str) -> None:
        """What went by since the last word was the part before."""
        now = time.perf_counter(), self._inside.seconds
        spent = self.spent.setdefault(self._part, [0.0, 0.0])
        for place, (this, last) in enumerate(zip(now, self._since, strict=True)):
            spent[place] += this - last
        self._part, self._since = part, now


def _admit(inside: Inside, network: nn.Module) -> None:
    """Every part of it too: a local update calls the parts and not the whole."""
    inside.doors |= {id(part): part for part in network.modules()}


@contextmanager
def _timed_local(inside: Inside) -> Iterator[None]:
    """What a local update computes of the network, mostly not by calling its modules."""
    before = LocalImage.logits

    def timed(self: LocalImage, *given: Tensor) -> Tensor:
        inside.depth += 1
        start = time.perf_counter()
        try:
            return before(self, *given)
        finally:
            inside.depth -= 1
            if inside.depth == 0:
                inside.forward += time.perf_counter() - start

    LocalImage.logits = timed  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        LocalImage.logits = before  # type: ignore[method-assign]


@contextmanager
def _timed_backwards(inside: Inside) -> Iterator[None]:
    """Both of autograd's doors; Tensor.backward goes through the first."""
    before = torch.autograd.backward, torch.autograd.grad

    def timed(work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                inside.backward += time.perf_counter() - start

        return run

    torch.autograd.backward, torch.autograd.grad = (timed(work) for work in before)
    try:
        yield
    finally:
        torch.autograd.backward, torch.autograd.grad = before


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
        start, stages = time.perf_counter(), Stages(inside)
        results = conduct(classifier, cases, folder / "timed", options, stages)
        whole = time.perf_counter() - start
        stages.turn("")
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
        "parts": {
            part: {"seconds": seconds, "inside the network": within}
            for part, (seconds, within) in stages.spent.items()
        },
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
