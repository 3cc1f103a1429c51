"""A short, committed account of a study: its table, timings and machine, from a study's folder.

    python benchmarks/study.py hipaudit-out/study-small --name study-small

Reads study.json and timings.json; writes benchmarks/results/NAME.json and NAME.md. No weights,
no images, no path, no host name.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from pathlib import Path
from typing import Any

from audit.files import write_whole
from audit.results import Finding
from audit.study_results import StudyResults, Trained, read_study

RESULTS = Path(__file__).parent / "results"
METRICS = ("accuracy", "sensitivity", "specificity", "precision", "f1", "auroc")
HEAD = (
    "model", "parameters", "accuracy (Wilson)", "published", "sensitivity", "specificity", "AUROC",
    "frontal", "lateral", "FGSM 2/255", "best epoch", "fit", "test + audit",
)  # fmt: skip


def processor() -> str:
    """The processor's model, as Linux names it; its architecture elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def machine(device: str) -> dict[str, Any]:
    import torch

    found: dict[str, Any] = {
        "system": platform.system(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "device": device,
    }
    if device.startswith("cuda"):
        found["gpus"] = [
            torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())
        ]
    return found


def find(model: Trained, metric: str, **where: object) -> Finding | None:
    wanted = {"stress": "clean", "group": {}, "contrast": None, "defence": "none", **where}
    for f in model.findings:
        if f.metric == metric and all(getattr(f, name) == value for name, value in wanted.items()):
            return f
    return None


def robust(model: Trained, epsilon: float) -> Finding | None:
    """Robust accuracy under FGSM at a radius in [0, 1]."""
    for f in model.findings:
        near = abs(float(f.params.get("epsilon", -1)) - epsilon) < 1e-9
        if f.metric == "robust_accuracy" and f.stress == "fgsm" and near:
            return f
    return None


def summary(results: StudyResults, timings: dict[str, Any]) -> dict[str, Any]:
    """Everything the table needs, as plain data."""
    published = {row.architecture: row for row in results.published}
    return {
        "title": results.title,
        "synthetic": results.synthetic,
        "as_published": results.as_published,
        "command": results.provenance.command,
        "date": results.provenance.date,
        "tool_version": results.tool_version,
        "machine": machine(results.provenance.device),
        "splits": [split.model_dump(mode="json") for split in results.splits],
        "baseline": results.baseline,
        "models": [
            {
                "name": model.name,
                "title": model.title,
                "state": model.state,
                "reason": model.reason,
                "parameters": model.parameters,
                "weights": model.weights,
                "sha256": model.sha256,
                "recipe": model.recipe,
                "epochs": len(model.epochs),
                "best_epoch": model.best_epoch,
                "ended": model.ended,
                "published": _published(published.get(model.architecture)),
                "test": {name: _plain(find(model, name)) for name in METRICS},
                "frontal": _plain(find(model, "accuracy", group={"view": "frontal"})),
                "lateral": _plain(find(model, "accuracy", group={"view": "lateral"})),
                "fgsm_2_255": _plain(robust(model, 2 / 255)),
                "audit_run_id": model.audit_run_id,
                "seconds": timings.get(model.name, {}),
            }
            for model in results.models
        ],
        "tests": [test.model_dump(mode="json") for test in results.tests],
        "notes": [note.text for note in results.notes if note.level != "info"],
    }


def _published(row: Any) -> dict[str, float] | None:
    return None if row is None else {"value": row.accuracy, "low": row.low, "high": row.high}


def _plain(finding: Finding | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    kept = ("value", "low", "high", "method", "n", "events", "reason")
    return {name: getattr(finding, name) for name in kept}


def as_markdown(found: dict[str, Any]) -> str:
    """The table and what a reader must know about it."""
    place = found["machine"]
    lines = [f"# {found['title']}", ""]
    if found["synthetic"]:
        lines += ["**Synthetic images: these numbers say nothing about patients.**", ""]
    if found["as_published"]:
        lines += ["**Chosen and reported on the same images: optimistic.**", ""]
    lines += [f"    {found['command']}", ""]
    where = ", ".join(f"{name} {value}" for name, value in place.items())
    lines += [f"{found['date']}; {where}.", ""]
    for split in found["splits"]:
        views = ", ".join(f"{count} {view}" for view, count in split["views"].items())
        people = f" of {split['patients']:,} patients" if split["patients"] else ""
        lines.append(
            f"* {split['name']}: {split['images']:,} images{people}, "
            f"{split['prevalence']:.1%} positive" + (f" ({views})" if views else "")
        )
    baseline = found["baseline"]
    if baseline is not None:
        lines += ["", f"Always saying the commoner class: {baseline:.1%}."]
    lines += ["", _line(HEAD), _line("---" for _ in HEAD)]
    lines += [_line(_row(model)) for model in found["models"]]
    total = sum(sum(model["seconds"].values()) for model in found["models"])
    lines += ["", f"Fitting, testing and auditing took {total / 60:.1f} minutes in all.", ""]
    lines += _pairs(found["tests"])
    lines += [f"* {text}" for text in found["notes"]]
    return "\n".join([*lines, ""])


def _row(model: dict[str, Any]) -> list[str]:
    seconds = model["seconds"]
    if model["state"] != "done":
        return [model["title"], model["state"], model["reason"] or "", *[""] * (len(HEAD) - 3)]
    test = model["test"]
    published = model["published"]
    return [
        model["title"],
        f"{model['parameters']:,}",
        share(test["accuracy"]),
        "–" if published is None else f"{100 * published['value']:.1f}%",
        share(test["sensitivity"]),
        share(test["specificity"]),
        share(test["auroc"]),
        share(model["frontal"]),
        share(model["lateral"]),
        share(model["fgsm_2_255"]),
        f"{model['best_epoch']}/{model['epochs']} ({model['ended']})",
        f"{seconds.get('fit', 0):.0f} s",
        f"{seconds.get('test', 0) + seconds.get('audit', 0):.0f} s",
    ]


def share(finding: dict[str, Any] | None) -> str:
    if finding is None or finding["value"] is None:
        return "–"
    value = f"{100 * finding['value']:.1f}%"
    if finding["low"] is None:
        return value
    return f"{value} ({100 * finding['low']:.1f}–{100 * finding['high']:.1f})"


def _pairs(tests: list[dict[str, Any]]) -> list[str]:
    if not tests:
        return []
    apart = [t for t in tests if t["p_holm"] < 0.05]
    words = [f"{t['first']} against {t['second']} (p = {t['p_holm']:.2g})" for t in apart]
    return [
        f"Of {len(tests)} pairs, compared on the same images by McNemar's exact test with Holm's "
        f"correction, {len(apart)} differ at 5%" + (": " + "; ".join(words) if words else "") + ".",
        "",
    ]


def _line(cells: Any) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def main() -> None:
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("folder", type=Path)
    parse.add_argument("--name", required=True)
    asked = parse.parse_args()
    results = read_study(asked.folder / "study.json")
    timings = json.loads((asked.folder / "timings.json").read_text(encoding="utf-8"))
    found = summary(results, timings)
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    print(write_whole(RESULTS / f"{asked.name}.json", text))
    print(write_whole(RESULTS / f"{asked.name}.md", as_markdown(found)))


if __name__ == "__main__":
    main()
