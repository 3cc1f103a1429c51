"""What happens between a request and its files. The command line and the Python API share it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.errors import HipauditError

if TYPE_CHECKING:
    from audit.cases.case import Cases
    from audit.cases.options import DataOptions
    from audit.checkpoints.options import ModelOptions
    from audit.classifier import Classifier
    from audit.gate.measures import Paired
    from audit.gate.verdict import Verdict
    from audit.options import AuditOptions
    from audit.results import Note, Results
    from hipaudit.papers import Papers
    from reports.edition import Edition

MARKER = "SYNTHETIC"  # a file of this name in the data folder: nothing in it is of a person
HOME = Path("hipaudit-out")
PREDICTIONS = "predictions.csv"
HARDENED = "adversarial-training"  # the defence that leaves weights of its own


@dataclass(frozen=True)
class Understood:
    """A model and its cases as they were read, and what a reader must know about the pair."""

    classifier: Classifier
    cases: Cases
    notes: tuple[Note, ...]


def understand(
    model: Any,
    data: Any,
    model_options: ModelOptions,
    data_options: DataOptions,
    reading: Callable[[int, int], None] | None = None,
    options: AuditOptions | None = None,
    trained: tuple[str, ...] = (),
) -> Understood:
    """Read cases and model, and check that they fit each other; attacks nothing.

    `model`: a path, a Classifier or any `nn.Module`; `data`: a path or Cases.
    `reading(done, total)` is called while images are read. `options`: of the audit to come,
    so that a mistyped name is refused before an image is read or a model opened. `trained`:
    defences that will have been trained by then.
    """
    check_paths(model, data)  # before torch is imported, which takes seconds
    if options is not None and (options.stresses or options.skip or options.defences):
        from audit.plan import check_names

        check_names(options, trained)
    if options is not None and options.params:
        from audit.settings import check_settings

        check_settings(options)
    cases = read_data(data, data_options, reading)
    if options is not None and options.subgroups:
        from audit.findings.groups import check_subgroups

        check_subgroups(cases.attributes, options.subgroups)
    from audit.preflight import preflight

    classifier = read_model(model, cases.labels, model_options)
    return Understood(classifier, cases, tuple(preflight(classifier, cases)))


def check_paths(model: Any, data: Any) -> None:
    """Raises HipauditError for a path that leads nowhere."""
    if isinstance(model, str | Path) and not Path(model).is_file():
        raise HipauditError(
            "a model file",
            f'nothing at "{model}"' if not Path(model).exists() else f'a folder at "{model}"',
            "Check the path: hipaudit run MODEL --data PATH",
        )
    if isinstance(data, str | Path) and not Path(data).exists():
        raise HipauditError(
            "a folder or table of labelled radiographs",
            f'nothing at "{data}"',
            "Check the path: hipaudit run MODEL --data PATH",
        )


def check_places(folder: Path, outputs: tuple[tuple[str, Path], ...]) -> None:
    """Raises HipauditError, before any work, for a place where no result could be written."""
    _can_be_written(folder, "a folder for the results", "Choose another --out.")
    for kind, path in outputs:
        if path.is_dir():
            raise HipauditError(
                f"a file name after --output {kind}=", f'the folder "{path}"', "Add a name."
            )
        _can_be_written(path.parent, f"a folder for --output {kind}", "Choose another path.")


def _can_be_written(folder: Path, wanted: str, fix: str) -> None:
    """Of the folder, or the first above it that is there."""
    place = next((p for p in (folder, *folder.parents) if p.exists()), Path())
    if not place.is_dir():
        raise HipauditError(wanted, f'a file at "{place}"', fix)
    if not os.access(place, os.W_OK | os.X_OK):
        raise HipauditError(f"{wanted} that can be written", "one that cannot", fix)


def read_data(
    data: Any, options: DataOptions, reading: Callable[[int, int], None] | None = None
) -> Cases:
    """Cases of a path (Cases pass through), marked synthetic where the folder says so."""
    from audit.cases.case import Cases
    from audit.cases.read import read_cases

    if isinstance(data, Cases):
        return data
    path = Path(data)
    cases = read_cases(path, options, reading)
    folder = path if path.is_dir() else path.parent
    if (folder / MARKER).exists():
        cases.description = cases.description.model_copy(update={"synthetic": True})
    return cases


def read_model(model: Any, labels: tuple[str, ...], options: ModelOptions) -> Classifier:
    """Classifier of a checkpoint or module (a Classifier passes through), on a real device."""
    from audit.checkpoints.load import from_module, load_classifier
    from audit.classifier import Classifier

    if isinstance(model, Classifier):
        return model
    options = replace(options, device=real_device(options.device))
    if isinstance(model, str | Path):
        return load_classifier(Path(model), labels, options)
    return from_module(model, labels, options)


def real_device(name: str) -> str:
    """`auto` is the first CUDA device where there is one. Raises HipauditError for no device."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(name).type
    except RuntimeError as error:
        raise HipauditError(
            "a device: auto, cpu or cuda", f'"{name}"', "Type --device auto."
        ) from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise HipauditError("a CUDA device", "none on this machine", "Type --device cpu.")
    return name


def default_folder(model: Any) -> Path:
    """hipaudit-out/<name of the model>, in small letters, digits and dashes.

    >>> default_folder("weights/My Model v2.pt").as_posix()
    'hipaudit-out/my-model-v2'
    """
    name = Path(model).stem if isinstance(model, str | Path) else type(model).__name__
    return HOME / (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "model")


@dataclass(frozen=True)
class Conclusion:
    """What the gate said, what was written, and what could not be."""

    verdict: Verdict
    written: tuple[Path, ...]
    problems: tuple[str, ...] = ()
    rules_at: str = ""  # the rule file, as seen from the top of the repository


def verdict_of(results: Results, papers: Papers, folder: Path) -> Verdict:
    """The rules as they stand today, held against the results.

    `folder`: where audit.json lies. A drop from the baseline is judged case by case where both
    have their predictions.csv, which is read only when a rule asks.
    """
    from datetime import UTC, date, datetime

    from audit.folder import today
    from audit.gate.judge import judge

    day = date.fromisoformat(today())
    paired = _paired(results, papers, folder)
    # SOURCE_DATE_EPOCH of a build lies in the past, where no waiver has expired yet.
    now = max(day, datetime.now(UTC).date())
    return judge(results, papers.rules, baseline=papers.baseline, today=day, now=now, paired=paired)


def _paired(results: Results, papers: Papers, folder: Path) -> Paired | None:
    baseline = papers.baseline
    if baseline is None or papers.baseline_from is None:
        return None
    before, now = papers.baseline_from / PREDICTIONS, folder / PREDICTIONS
    if not (before.is_file() and now.is_file()):
        return None

    @cache
    def prepared() -> Paired:
        from audit.compare.drop import changes  # numpy and scipy: only for a rule that asks

        return changes(baseline, before, results, now)

    return lambda old, new: prepared()(old, new)


def conclude(
    results: Results,
    folder: Path,
    verdict: Verdict,
    papers: Papers,
    outputs: tuple[tuple[str, Path], ...] = (),
    edition: Edition | None = None,
) -> Conclusion:
    """Write verdict.json, report.html and report.pdf beside audit.json, and `outputs`.

    A report that cannot be rendered is a problem that is named, not the end.
    """
    from hipaudit.outputs import render, write_outputs, write_verdict
    from reports.edition import Edition

    edition = edition or Edition()
    verdict_file = write_verdict(folder, verdict)
    rendered, problems = render(results, folder, papers, verdict, edition)
    kept = [folder / "audit.json", verdict_file, *rendered]
    beside = [PREDICTIONS, "figures", "private/cases.csv"]
    if any(run.defence == HARDENED for run in results.plan.runs):
        beside.append("hardened.pt")
    kept += [folder / name for name in beside if (folder / name).exists()]
    written = write_outputs(outputs, results, folder, verdict, papers, edition)
    return Conclusion(verdict, (*kept, *written), tuple(problems), papers.rules_at)
