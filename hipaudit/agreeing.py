"""`hipaudit study readers`: two columns of readings and perhaps a model, to study.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.errors import HipauditError
from audit.files import write_whole
from hipaudit.training import share, show_table

if TYPE_CHECKING:
    from audit.results import Finding
    from audit.study_results import StudyResults
    from hipaudit.progress import Talking
    from trainers.study.options import StudyOptions

HEAD = ("who", "images", "kappa", "agreement", "positive", "negative", "read by both")
RATES = ("agreement", "positive_agreement", "negative_agreement")


def check_readers(flags: Mapping[str, Any]) -> None:
    """HipauditError, before any work, for flags of this study that do not go together."""
    wanted = flags["kind"] == "readers"
    for flag in ("readers", "model"):
        if flags[flag] is not None and not wanted:
            raise HipauditError(
                f"--{flag} with the study of readers", f"the study {flags['kind']}",
                "Type: hipaudit study readers --data PATH --readers A,B",
            )  # fmt: skip
    if wanted and (flags["readers"] is None or len(flags["readers"]) != 2):
        raise HipauditError(
            "two columns of readings", f"{len(flags['readers'] or ())}", "Add --readers A,B."
        )
    model = flags["model"]
    if model is not None and not model.is_file():
        raise HipauditError("a model file", f'nothing at "{model}"', "Check --model.")


def agree(
    flags: Mapping[str, Any], folder: Path, options: StudyOptions, progress: Talking
) -> StudyResults:
    """Read cases with their readings, and the model if one is given; write folder/study.json."""
    from audit.cases.options import DataOptions
    from audit.checkpoints.options import ModelOptions
    from hipaudit.workflow import read_data, read_model
    from trainers.study.readers import readers_study

    wanted = {
        name: flags[name]
        for name in ("labels", "positive_class", "cluster_by", "max_skipped", "workers")
        if flags.get(name) is not None
    }
    readers = flags["readers"]
    asked = DataOptions(**wanted, reader_columns=readers)
    cases = read_data(flags["data"], asked, progress.reading)
    classifier = None
    if flags["model"] is not None:
        about = ModelOptions(positive_class=flags["positive_class"], device=options.device)
        classifier = read_model(flags["model"], cases.labels, about)
    # A column may be called after a person: its name stays out of what is written.
    words = ["--readers A,B", *(["--model MODEL"] if classifier else [])]
    options = replace(options, command=" ".join([options.command, *words]))
    results = readers_study(cases, readers, classifier, options, progress)
    write_whole(folder / "study.json", results.to_json())
    return results


def show_agreement(
    results: StudyResults, folder: Path, written: Sequence[Path], problems: Sequence[str]
) -> None:
    """The table, the notes, and where everything lies."""
    from hipaudit.screen import console, show_notes, show_written

    people = console()
    if results.synthetic:
        people.print("[bold]SYNTHETIC images: these numbers say nothing about patients[/]\n")
    rows: dict[tuple[str, str], dict[str, Finding]] = {}
    for f in results.findings:
        who = f"{f.params['first']} and {f.params['second']}"
        images = ", ".join(f"{name} {value}" for name, value in f.group.items()) or "all"
        rows.setdefault((who, images), {})[f.metric] = f
    body = [
        (*who, _kappa(found["kappa"]), *(share(found[m]) for m in RATES), str(found["kappa"].n))
        for who, found in rows.items()
    ]
    show_table(HEAD, body)
    show_notes(people, results.notes)
    show_written(people, [folder / "study.json", *written], problems)


def _kappa(finding: Finding) -> str:
    if finding.value is None:
        return finding.reason or "–"
    return f"{finding.value:.3f} ({finding.low:.3f}–{finding.high:.3f})"
