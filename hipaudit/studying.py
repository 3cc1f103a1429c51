"""What `hipaudit study` does around a study: its options, its report, its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.errors import HipauditError
from audit.files import write_whole
from audit.reasons import reason_of
from hipaudit.training import area, share, show_table

if TYPE_CHECKING:
    from audit.study_results import StudyResults, Trained
    from trainers.study.options import StudyOptions

HEAD = ("model", "accuracy (Wilson)", "published", "sensitivity", "AUROC", "audit")
PUBLISHED = HEAD.index("published")  # a column of the seven-model study alone
# Flags that change the numbers, in the order they are printed; never a path.
REPEATED = {
    "models": "--models",
    "points": "--points",
    "as_published": "--as-published",
    "size": "--size",
    "freeze_epochs": "--freeze-epochs",
    "epochs": "--epochs",
    "batch_size": "--batch-size",
    "lr": "--lr",
    "schedule": "--schedule",
    "head": "--head",
    "resize": "--resize",
    "adversarial": "--adversarial",
    "adversarial_eps": "--adversarial-eps",
    "extra": "--set",
    "cluster_by": "--cluster-by",
    "positive_class": "--positive-class",
    "preset": "--preset",
    "audit_samples": "--audit-samples",
    "audit_time": "--audit-time",
    "subgroups": "--subgroup",
    "seed": "--seed",
    "device": "--device",
}


def study_options(flags: Mapping[str, Any], settings: Mapping[str, Any]) -> StudyOptions:
    """From flags to the options of a study. Raises HipauditError for no such device."""
    from hipaudit.workflow import real_device
    from trainers.study.options import StudyOptions

    return StudyOptions(
        architectures=flags["models"] or (),
        weights=flags["weights"],
        settings=settings,
        as_published=flags["as_published"],
        preset=flags["preset"],
        audit_samples=flags["audit_samples"],
        audit_time=flags["audit_time"],
        subgroups=flags["subgroups"] or ("view",),
        positive_class=flags["positive_class"],
        images=not flags["no_images"],
        points=flags["points"] or (),
        device=real_device(flags["device"]),
        seed=flags["seed"],
        command=command_line(flags),
    )


def command_line(flags: Mapping[str, Any]) -> str:
    """The command to type again, without paths: DATA and WEIGHTS stand for them."""
    import shlex

    weights = "WEIGHTS" if isinstance(flags["weights"], Path) else flags["weights"]
    words = ["hipaudit", "study", flags["kind"], "--data", "DATA", "--weights", weights]
    for name, flag in REPEATED.items():
        value = flags.get(name)
        if value is None or value is False or value == ():
            continue
        if value is True:
            words.append(flag)
            continue
        for one in value if name in ("extra", "subgroups") else [value]:
            words += [flag, shlex.quote(_text(name, one))]
    return " ".join(words)


def _text(name: str, value: Any) -> str:
    from audit.results import as_levels

    if name == "extra":
        return f"{value[0]}={value[1]}"
    if name == "adversarial_eps":
        return as_levels(value[0])
    if isinstance(value, tuple):
        return ",".join(f"{part:g}" if isinstance(part, float) else part for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def render(results: StudyResults, folder: Path, *, images: bool) -> tuple[list[Path], list[str]]:
    """study.html and study.pdf in `folder`: the files written, and what could not be.

    A report that cannot be made takes an older one away: it would show another study.
    """
    from reports.pdf import render_pdf
    from reports.study.render import render_study

    page, paper = folder / "study.html", folder / "study.pdf"
    try:
        html = render_study(results, folder, images=images)
    except Exception as error:  # noqa: BLE001 hours of training are not lost to a template
        for path in (page, paper):
            path.unlink(missing_ok=True)
        return [], [f"no report: {reason_of(error)[:300]}"]
    written = [write_whole(page, html)]
    try:
        attached = {"study.json": results.to_json().encode()}
        pdf = render_pdf(html, attachments=attached, date=results.provenance.date)
    except HipauditError as error:
        paper.unlink(missing_ok=True)
        return written, [f"no PDF: {error}"]
    return [*written, write_whole(paper, pdf)], []


def show_study(
    results: StudyResults, folder: Path, written: Sequence[Path], problems: Sequence[str]
) -> None:
    """The table, what failed and why, warnings, and where everything lies."""
    from hipaudit.screen import console, show_notes, show_written

    people = console()
    if results.synthetic:
        people.print("[bold]SYNTHETIC images: these numbers say nothing about patients[/]\n")
    published = {row.architecture: row for row in results.published}
    rows = [HEAD, *(_row(model, published) for model in results.models)]
    if not published:
        rows = [row[:PUBLISHED] + row[PUBLISHED + 1 :] for row in rows]
    show_table(rows[0], rows[1:])
    if results.baseline is not None:
        people.print(f"\nAlways saying the commoner class: {100 * results.baseline:.1f}%")
    failed = [f"{m.name}: {m.reason}" for m in results.models if m.reason]
    show_notes(people, results.notes)
    beside = [folder / "study.json", *written, folder / "models"]
    show_written(people, [path for path in beside if path.exists()], [*failed, *problems])


def _row(model: Trained, published: Mapping[str, Any]) -> tuple[str, ...]:
    found = {
        f.metric: f
        for f in reversed(model.findings)
        if f.stress == "clean" and not f.group and f.contrast is None and f.defence == "none"
    }
    theirs = published.get(model.architecture)
    beside = "–" if theirs is None else f"{100 * theirs.accuracy:.1f}%"
    if model.state != "done":
        return model.title, model.state, beside, "–", "–", "–"
    accuracy, sensitivity = share(found.get("accuracy")), share(found.get("sensitivity"))
    audited = model.audit_run_id or "none"
    return model.title, accuracy, beside, sensitivity, area(found.get("auroc")), audited
