"""Every number of a large audit: seconds and peak memory of `audit.findings.derive`.

A fresh process makes a table of predictions of 10,000 cases under 60 runs and derives all its
findings; the table itself is made before the clock starts. Patients have one to three images.

    python benchmarks/derive.py [--cases 10000] [--runs 60] [--profile]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

# Nothing large is imported here: Linux carries a parent's peak over into the process it starts.
ROOT = Path(__file__).resolve().parents[1]
VALUES = {
    "view": ("frontal", "lateral"),
    "sex": ("F", "M"),
    "age": ("-59", "60-69", "70-79", "80+"),
    "vendor": ("A", "B", "C", "D"),
}
SEVERITIES = (0.1, 0.2, 0.3, 0.4, 0.5)
EPSILONS = (0.5 / 255, 1 / 255, 2 / 255, 4 / 255)
RESAMPLES = 2000
SECONDS, BYTES = 60.0, 2e9  # the targets


def subjects(cases: int) -> Any:
    """One to three images of each patient, a third positive; attributes of patient and image."""
    import numpy as np

    from audit.evidence import Subject

    rng = np.random.default_rng(0)
    images = rng.integers(1, 4, cases)
    patients = np.repeat(np.arange(cases), images)[:cases]
    ill = rng.random(cases) < 1 / 3
    own = {
        name: rng.integers(0, len(found), cases) for name, found in VALUES.items() if name != "view"
    }
    lateral = rng.integers(0, 2, cases)
    return tuple(
        Subject(
            f"c{i:06d}",
            int(ill[p]),
            f"P{p:05d}",
            {
                "view": VALUES["view"][lateral[i]],
                **{name: VALUES[name][column[p]] for name, column in own.items()},
            },
        )
        for i, p in enumerate(patients.tolist())
    )


def planned(runs: int) -> Iterator[tuple[str, str, str, int]]:
    """(stress, kind, defence, number): half of the runs under a defence; two corruptions to an
    attack."""
    for defence, count in (("none", runs // 2), ("tta", runs - runs // 2)):
        yield "clean", "clean", defence, 0
        for number in range(1, count):
            kind = "attack" if number % 3 == 0 else "corruption"
            yield f"{kind}_{number}", kind, defence, number


def table(cases: int, runs: int) -> Any:
    """Predictions of a model that is right in about 90% and loses some under each stress."""
    import numpy as np

    from audit.decision import Decision
    from audit.evidence import Predictions

    who = subjects(cases)
    rng = np.random.default_rng(1)
    truth = np.array([s.target for s in who])
    clean = {
        name: (2 * truth - 1) * 1.3 + rng.normal(0, 1, cases) + shift
        for name, shift in (("none", 0.0), ("tta", 0.02))
    }
    found = tuple(
        _evidence(run, truth, clean[run[2]], np.random.default_rng((2, i)))
        for i, run in enumerate(planned(runs))
    )
    return Predictions(who, ("normal", "fracture"), Decision(1), found)


def _evidence(run: tuple[str, str, str, int], truth: Any, clean: Any, rng: Any) -> Any:
    """Rows of one run: every level of it, an attack only where it is right without."""
    import numpy as np

    from audit.evidence import Rows, RunEvidence
    from audit.results import PlannedRun

    stress, kind, defence, number = run
    sign = 2 * truth - 1
    right = np.flatnonzero((clean > 0) == (truth == 1))
    cases = right if kind == "attack" else np.arange(len(truth))
    name, levels = {
        "clean": ("", (0.0,)),
        "corruption": ("severity", SEVERITIES),
        "attack": ("epsilon", EPSILONS),
    }[kind]
    noise = rng.normal(0, 1, len(truth))
    scores = [
        clean - sign * (200 * level if kind == "attack" else level) * (0.5 + number / 60)
        + 2 * level * noise
        for level in levels
    ]  # fmt: skip
    log_odds = np.concatenate([score[cases] for score in scores]).astype(np.float32)
    count = len(log_odds)
    fooled = (log_odds > 0) != np.tile(truth[cases] == 1, len(levels))
    hit = fooled.astype(np.int8) if kind == "attack" else np.full(count, -1, np.int8)
    rows = Rows(
        case=np.tile(cases, len(levels)).astype(np.int64),
        variant=np.repeat(np.arange(len(levels)), len(cases)).astype(np.int64),
        logits=np.stack([-log_odds / 2, log_odds / 2], axis=1),
        referred=np.zeros(count, bool),
        success=hit,
        success_8bit=hit,
        queries=np.full(count, -1, np.int64),
        variants=tuple({name: level} if name else {} for level in levels),
        found=({},) * count,
    )
    plan = PlannedRun(
        id=f"{stress}@{defence}", stress=stress, kind=kind, defence=defence, state="done",
        norm="linf" if kind == "attack" else None, sample=len(truth), of=len(truth),
        params={f"{name}s": list(levels)} if name else {},
    )  # fmt: skip
    return RunEvidence(plan, np.arange(len(truth)), rows)


def peak_bytes() -> int:
    """Peak resident set of this process (Linux counts in KiB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def profiled(cases: int, runs: int) -> None:
    """Print where the time goes."""
    import cProfile
    import pstats

    from audit.findings import derive

    made = table(cases, runs)
    with cProfile.Profile() as watched:
        derive(made, None, 0, RESAMPLES)
    for order, lines in (("tottime", 30), ("cumulative", 60)):
        pstats.Stats(watched).sort_stats(order).print_stats(lines)


def one(cases: int, runs: int) -> dict[str, Any]:
    """Derive the findings of one table in this process."""
    from audit.findings import derive

    made = table(cases, runs)
    before = peak_bytes()
    start, used = time.perf_counter(), time.process_time()
    found = derive(made, None, 0, RESAMPLES)
    return {
        "cases": cases,
        "patients": len({s.patient for s in made.subjects}),
        "runs": len(made.runs),
        "levels": sum(len(run.rows.variants) for run in made.runs),
        "groups": sum(len(v) for v in VALUES.values()),
        "findings": len(found),
        "tests": sum(f.p is not None for f in found),
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(time.process_time() - used, 1),
        "bytes_before": before,
        "peak": peak_bytes(),
    }


def apart(arguments: Sequence[str]) -> dict[str, Any]:
    """This script in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--here", *arguments]
    where = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=where, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def as_markdown(found: dict[str, Any]) -> str:
    met = found["seconds"] <= SECONDS and found["peak"] <= BYTES
    rows = [
        ("cases", f"{found['cases']:,} of {found['patients']:,} patients"),
        ("runs", f"{found['runs']}, with {found['levels']} levels"),
        ("groups", f"{found['groups']} of 4 attributes"),
        ("resamples", f"{RESAMPLES:,}"),
        ("findings", f"{found['findings']:,}, of which {found['tests']:,} are tested"),
        ("seconds", f"{found['seconds']} on {found['cores']} cores"),
        ("load of the machine beforehand", f"{found['others']}"),
        ("seconds of processor", f"{found['cpu_seconds']}"),
        ("peak memory", f"{found['peak'] / 1e6:.0f} MB"),
        ("of which the table and imports", f"{found['bytes_before'] / 1e6:.0f} MB"),
        ("target", f"{SECONDS:.0f} s and {BYTES / 1e9:.0f} GB: {'met' if met else 'not met'}"),
    ]  # fmt: skip
    lines = ["# Every number of a large audit", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.profile:
        profiled(given.cases, given.runs)
        return
    if given.here:
        print(json.dumps(one(given.cases, given.runs)))
        return
    load = os.getloadavg()[1]
    found = apart(["--cases", str(given.cases), "--runs", str(given.runs)])
    found |= {"cores": os.cpu_count(), "python": platform.python_version()}
    found["others"] = round(load, 1)
    page = as_markdown(found)
    print(page)
    results = ROOT / "benchmarks" / "results"
    (results / "statistics.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    (results / "statistics.md").write_text(page)


if __name__ == "__main__":
    main()
