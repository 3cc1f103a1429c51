"""What a person sees: how things were read, the plan, the tables. Text only, colours by rich."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hipaudit.summary import HEAD, STRESSED_HEAD, footnote, rows, stressed_rows
from reports.wording import FOOTER

if TYPE_CHECKING:
    from audit.gate.verdict import Verdict
    from audit.results import DataDescription, ModelDescription, Note, Results
    from hipaudit.workflow import Understood

NOTE_COLOURS = {"assumed": "cyan", "warning": "yellow", "fault": "bold red"}


def console(*, machine: bool = False) -> Console:
    """Where people read: stdout, or stderr when stdout belongs to a machine. Wide when piped."""
    stream = sys.stderr if machine else sys.stdout
    width = None if stream.isatty() else 140
    return Console(file=stream, highlight=False, soft_wrap=not stream.isatty(), width=width)


def show_understood(out: Console, understood: Understood, *, everything: bool = False) -> None:
    """How model and data were read, and what was assumed about them."""
    model, data = understood.classifier.description, understood.cases.description
    show_model(out, model)
    show_data(out, data)
    show_notes(out, (*model.notes, *data.notes, *understood.notes), everything=everything)


def show_model(out: Console, model: ModelDescription) -> None:
    way = model.preparation
    hashes = ", ".join(digest[:12] for digest in model.sha256) or "none (made in memory)"
    threshold = "argmax" if model.threshold is None else f"P ≥ {model.threshold:g}"
    origin = "" if model.threshold is None else f" ({model.threshold_origin})"
    _heading(out, "Model", f"{model.name}: {model.architecture}, {model.parameters:,} parameters")
    _line(out, "sha256", hashes)
    _line(out, "classes", f"{', '.join(model.classes)}; positive: {model.positive_class}")
    _line(out, "decides by", threshold + origin)
    _line(
        out,
        "input",
        f"{way.height}×{way.width} {way.resize}, {way.channels} channel(s), mean "
        f"{_numbers(way.mean)}, std {_numbers(way.std)} ({model.preparation_origin})",
    )
    if not model.gradients:
        _line(out, "gradients", "none: attacks that need them do not apply")


def show_data(out: Console, data: DataDescription) -> None:
    _heading(out, "Data", f"{data.name}: read as {data.layout}, {data.cases} images")
    if data.synthetic:
        _line(out, "SYNTHETIC", "says nothing about patients")
    patients = "unknown" if data.patients is None else str(data.patients)
    _line(out, "patients", patients)
    _line(out, "labels", _counts(data.labels))
    for name, counts in data.attributes.items():
        _line(out, name, _counts(counts))
    if data.skipped:
        reasons: dict[str, int] = {}
        for item in data.skipped:
            reasons[item.reason] = reasons.get(item.reason, 0) + 1
        _line(out, "skipped", f"{len(data.skipped)}: {_counts(reasons)}")


def show_notes(out: Console, notes: Iterable[Note], *, everything: bool = False) -> None:
    """Assumptions, warnings and faults; what is merely informative when `everything`."""
    for note in notes:
        if note.level != "info" or everything:
            colour = NOTE_COLOURS.get(note.level, "default")
            out.print(f"  [{colour}]{note.level}[/]: {escape(_one_line(note.text))}")


def show_numbers(out: Console, results: Results) -> None:
    """Without stress, then a row per stress and level."""
    out.print()
    if results.data.synthetic:
        out.print("[bold]SYNTHETIC images: these numbers say nothing about patients[/]\n")
    show_table(out, HEAD, rows(results), right=("value", "95% interval", "n"))
    stressed = stressed_rows(results)
    if stressed:
        out.print()
        show_table(out, STRESSED_HEAD, stressed, right=STRESSED_HEAD[1:])
    if remark := footnote(results):
        out.print(f"  [yellow]{escape(remark)}[/]")
    if any(finding.independent and finding.value is not None for finding in results.findings):
        out.print("  * images treated as independent: not every image names its patient")


def show_closing(
    out: Console,
    results: Results,
    verdict: Verdict,
    written: Sequence[Path],
    problems: Sequence[str] = (),
    *,
    everything: bool = False,
) -> None:
    """What was found, the rules, where the files are; in a log, and if `everything`, in full."""
    from hipaudit.closing import closing

    full = everything or not out.is_terminal
    for style, text in closing(results, verdict, written, problems, width=out.width, full=full):
        out.print(escape(text), style=style or None, soft_wrap=True)


def show_table(
    out: Console, head: Sequence[str], body: Iterable[Sequence[str]], right: Sequence[str]
) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in head:
        table.add_column(name, justify="right" if name in right else "left")
    for row in body:
        table.add_row(*(escape(_one_line(cell)) for cell in row))
    out.print(table)


def show_written(out: Console, written: Iterable[Path], problems: Iterable[str]) -> None:
    for problem in problems:
        out.print(f"[yellow]warning[/]: {escape(_one_line(problem))}")
    out.print("\nWritten:")
    for path in written:
        remark = "   (which case is which file: keep it to yourself)"
        out.print(f"  {escape(str(path))}{remark if path.parent.name == 'private' else ''}")
    out.print(f"\n{FOOTER}", style="dim")


def duration(seconds: float) -> str:
    """A time in words nobody has to divide.

    >>> duration(5), duration(100), duration(4000)
    ('5 s', '2 min', '1 h 7 min')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _heading(out: Console, word: str, text: str) -> None:
    out.print(f"[bold]{word}[/]  {escape(_one_line(text))}")


def _line(out: Console, word: str, text: str) -> None:
    out.print(f"  {escape(_one_line(word)):<12} {escape(_one_line(text))}")


def _counts(counts: Mapping[str, int]) -> str:
    shown = [f"{name} {count}" for name, count in list(counts.items())[:12]]
    more = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _numbers(values: Iterable[float]) -> str:
    return "/".join(f"{value:.3g}" for value in values)


def _one_line(text: str) -> str:
    """Text of others without control characters: a class name cannot move the cursor."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
