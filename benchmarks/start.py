"""How long a command takes to begin and end: whole processes, beside `python -c pass`.

    python benchmarks/start.py [--audit audit.json] [--rounds 15] [--name start]

Every round starts each command once, in turn, so that a busy minute meets all of them. `gate`
judges a made-up audit of 4,000 findings by 20 rules, or the one given.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FINDINGS = 4000
RULES = 20
EVERYONE = 100  # findings without a group, so that each rule has one at its level
TARGET = 0.5  # seconds
BARE = "python -c pass"


def commands(audit: Path) -> Mapping[str, Sequence[str]]:
    """Name -> arguments of this Python."""
    ours = ("-m", "hipaudit")
    return {
        BARE: ("-c", "pass"),
        "hipaudit --help": (*ours, "--help"),
        "hipaudit run --help": (*ours, "run", "--help"),
        "hipaudit list metrics": (*ours, "list", "metrics"),
        "hipaudit explain net_benefit": (*ours, "explain", "net_benefit"),
        "hipaudit gate audit.json": (*ours, "gate", str(audit)),
        "hipaudit gate audit.json -q": (*ours, "gate", str(audit), "-q"),
    }


ANSWERED = (0, 1, 3)  # a gate may say no


def made_up(folder: Path) -> Path:
    """An audit.json of 4,000 findings and a rule file that asks about twenty of them."""
    sys.path.insert(0, str(ROOT))
    from audit.results import (
        DataDescription,
        Finding,
        ModelDescription,
        Plan,
        PlannedRun,
        Provenance,
        Results,
    )

    def one(number: int) -> Finding:
        level = {"epsilon": (1 + number % 50) / 255}
        params = {"stress": "fgsm", "params": level} if number % 4 else {}
        group = {"view": f"v{number // 200}"} if number >= EVERYONE else {}
        metric = f"{'robust_' if params else ''}{('sensitivity', 'specificity')[number % 2]}"
        return Finding(metric=metric, group=group, value=0.8, low=0.7, high=0.9, n=100, events=80,
                       method="Clopper-Pearson", independent=False, **params)  # fmt: skip

    runs = tuple(
        PlannedRun(id=name, stress=name, kind=kind, sample=100, of=100, state="done")
        for name, kind in (("clean", "clean"), ("fgsm", "attack"))
    )
    results = Results(
        model=ModelDescription(
            name="made up", architecture="none", classes=("a", "b"), positive_class="b"
        ),
        data=DataDescription(layout="none", cases=100, patients=100),
        plan=Plan(preset="quick", seed=0, runs=runs),
        findings=tuple(one(number) for number in range(FINDINGS)),
        provenance=Provenance(date="2026-01-01"),
    )
    path = folder / "audit.json"
    path.write_text(results.to_json(), encoding="utf-8")
    rules = [
        f'[[gate.rule]]\nid = "R{n}"\nmetric = "robust_sensitivity"\n'
        f'where = {{ stress = "fgsm", epsilon = "{1 + 2 * n}/255" }}\nmin = 0.5\n'
        for n in range(RULES)
    ]
    (folder / "hipaudit.toml").write_text("schema = 1\n" + "\n".join(rules), encoding="utf-8")
    return path


def timed(arguments: Sequence[str], folder: Path) -> float:
    """Seconds of one whole process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    child = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if child.returncode not in ANSWERED:
        raise RuntimeError(f"{arguments}: {child.stderr.decode()[-500:]}")
    return seconds


def measured(audit: Path, folder: Path, rounds: int) -> dict[str, list[float]]:
    asked = commands(audit)
    for arguments in asked.values():
        timed(arguments, folder)  # compiled files and the disk's cache
    found: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(rounds):
        for name, arguments in asked.items():
            found[name].append(timed(arguments, folder))
    return found


def rows(found: Mapping[str, list[float]]) -> list[dict[str, object]]:
    """The least of many is the machine's own speed; the middle says what a person meets."""
    bare = min(found[BARE])
    return [
        {
            "command": name,
            "least_s": round(min(times), 3),
            "median_s": round(statistics.median(times), 3),
            "ratio": round(min(times) / bare, 1),
        }
        for name, times in found.items()
    ]


def page(told: Sequence[Mapping[str, object]], machine: str, findings: int) -> str:
    lines = [
        "# How long a command takes",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}; {machine}. `gate`: {findings:,} findings, {RULES} rules.",
        "",
        f"| command | least, s | median, s | × python | target {TARGET} s |",
        "|---|---|---|---|---|",
    ]
    for row in told:
        met = "met" if float(str(row["least_s"])) < TARGET else "not met"
        met = "" if row["command"] == BARE else met
        cells = (f"`{row['command']}`", row["least_s"], row["median_s"], row["ratio"], met)
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audit", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--name", default="start")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        audit = given.audit.resolve() if given.audit else made_up(folder)
        findings = len(json.loads(audit.read_text())["findings"])
        told = rows(measured(audit, folder, given.rounds))
    machine = (
        f"{sys.platform}, cores {os.cpu_count()}, load {load:.1f}, Python {sys.version.split()[0]}"
    )
    text = page(told, machine, findings)
    print(text)
    target = ROOT / "benchmarks" / "results" / given.name
    target.with_suffix(".md").write_text(text, encoding="utf-8")
    kept = {"machine": machine, "findings": findings, "rounds": given.rounds, "commands": told}
    target.with_suffix(".json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
