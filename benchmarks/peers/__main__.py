"""Speed against peers on the same checkpoint, images and budgets, side by side in one process.

    python -m benchmarks.peers [--arch squeezenet1_1,resnet50] [--cases spatial] [--images 8]
        [--repeats 5] [--device cuda] [--study-models] [--quick]

Absolute times of a shared machine mean little, ratios mean something.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from audit.fingerprint import machine, versions
from benchmarks.peers import torchattacks_arms
from benchmarks.peers.arm import Timed, take_turns
from benchmarks.peers.compare import compared
from benchmarks.peers.ours import networks
from benchmarks.peers.plan import CASES, Sizes, arms_of, sizes_of
from benchmarks.peers.rates import bare, study_rates
from benchmarks.peers.subject import Subject, make_subject
from benchmarks.peers.table import as_markdown

ARCHITECTURES = "squeezenet1_1,resnet50,densenet121,vgg19"
ONE_ROUND = ("one pixel, success",)  # dear, and only its order of magnitude is of interest


def of_network(name: str, given: argparse.Namespace) -> dict[str, Any]:
    sizes = sizes_of(name, given.device, quick=given.quick, images=given.images)
    most = max(sizes.fgsm, sizes.spatial, sizes.success, sizes.pixel)
    subject = make_subject(name, most, given.size, given.device)
    subject_forwards = bare(subject, min(most, sizes.fgsm), given.repeats)
    one: dict[str, Any] = {
        "clean accuracy": subject.clean_accuracy,
        "search": subject.search.how,
        "drift": subject.search.drift,
        "quickest": subject.quickest.how,
        "drift of quickest": subject.quickest.drift,
        "bare": subject_forwards,
        "sizes": {},
        "cases": {},
    }
    for case in given.cases:
        start = time.perf_counter()
        timed = timed_case(case, subject, sizes, given)
        rate = subject_forwards["untouched"]
        one["cases"][case] = compared(case, name, _kind(given.device), timed, sizes, rate)
        one["sizes"][case] = described(case, sizes)
        took = time.perf_counter() - start
        ratios = one["cases"][case]["ratios"]
        shown = {n: round(r["per image"][1], 2) for n, r in ratios.items()}
        print(f"{name}: {case}: × {shown} per image ({took:.0f} s)", flush=True)
    return one


def timed_case(
    case: str, subject: Subject, sizes: Sizes, given: argparse.Namespace
) -> Mapping[str, Timed]:
    repeats = 0 if case in ONE_ROUND else given.repeats
    timed = take_turns(arms_of(case, subject, sizes), networks(subject), repeats, given.device)
    for one in timed.values():
        one.seconds = one.seconds or [one.warm_up]
    return timed


def described(case: str, sizes: Sizes) -> str:
    if case.startswith("fgsm"):
        return f"{sizes.fgsm} images."
    if case == "spatial":
        return (
            f"{sizes.angles} angles × {sizes.shifts} × {sizes.shifts} shifts: {sizes.cells} cells."
        )
    return f"{sizes.budget} candidates per image at most, {sizes.population} members."


def _kind(device: str) -> str:
    return device.partition(":")[0]


def facts(device: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "platform": machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "device": device,
    }
    if device.startswith("cuda"):
        found["gpu"] = torch.cuda.get_device_name()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--arch", default=ARCHITECTURES)
    parser.add_argument("--cases", default=";".join(CASES), help="separated by ;")
    parser.add_argument("--images", type=int)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--study-models", action="store_true")
    parser.add_argument("--batch", type=int, default=64, help="of --study-models")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    given.cases = [case.strip() for case in given.cases.split(";")]
    torch.set_num_threads(given.threads)
    found: dict[str, Any] = {
        "day": datetime.now(UTC).date().isoformat(),
        "machine": facts(given.device),
        "versions": versions(),
        "absent": [] if torchattacks_arms.installed() else [torchattacks_arms.ABSENT],
        "networks": {},
    }
    for name in filter(None, given.arch.split(",")):
        found["networks"][name] = of_network(name, given)
        sizes = sizes_of(name, given.device, quick=given.quick, images=given.images)
        found["networks"][name]["sizes as data"] = asdict(sizes)
        write(found, given)
    if given.study_models:
        found["study models"] = study_rates(
            given.size, given.device, given.batch, given.repeats, print
        )
    print(write(found, given))


def write(found: dict[str, Any], given: argparse.Namespace) -> str:
    """After every network, so that an interrupted run has something to show."""
    end = "" if _kind(given.device) == "cpu" else f"-{_kind(given.device)}"
    out = given.out or Path("benchmarks/results") / f"peers{end}"
    out.parent.mkdir(parents=True, exist_ok=True)
    text = as_markdown(found)
    out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    out.with_suffix(".md").write_text(text)
    return text


if __name__ == "__main__":
    main()
