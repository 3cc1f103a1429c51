"""What a comparison says, as rows: for the screen, for Markdown, and the list of flips as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hipaudit.summary import Row, markdown_cell, markdown_table, under
from reports.wording import FOOTER

if TYPE_CHECKING:
    from rich.console import Console

    from audit.compare.results import Comparison, Difference, Flip, Level

HEAD = (
    "metric",
    "under",
    "group",
    "verdict",
    "base",
    "new",
    "difference",
    "95% interval",
    "p (Holm)",
)
HEADLINES = ("sensitivity", "specificity", "accuracy", "auroc")
MOST_TOLD = 5  # sentences on subgroups and stresses
FLIP_HEAD = ("case", "label", "under", "group", "log-odds base", "log-odds new")
MOST_FLIPS = 10
MOST_LEVELS = 10
SAID = ("epsilon", "mode", "surrogate", "attacks")  # already in the words of a level, or too long
FILES = ("compare.json", "flips.csv", "compare.md")
EXPLAINED = (
    "A verdict is read off its 95% interval alone; p is adjusted (Holm) over all differences of "
    "its kind, and only what has p < 0.05 is called shown."
)


def rows(found: Comparison) -> list[Row]:
    """Without stress and for everyone, all; of the others, those whose interval lies off 0."""
    return [
        _row(found, d) for d in found.differences if _first(d) or d.verdict in ("worse", "better")
    ]


def _first(one: Difference) -> bool:
    return one.stress == "clean" and not one.group


def sentences(found: Comparison) -> list[str]:
    """In words: each headline without stress, then what holds in groups and under stress."""
    from reports.comparison.words import in_words

    plain = {d.metric: d for d in found.differences if _first(d) and d.defence == "none"}
    first = [in_words(plain[metric]) for metric in HEADLINES if metric in plain]
    held = [d for d in found.differences if not _first(d) and d.shown and d.value is not None]
    held.sort(key=lambda d: (d.verdict != "worse", -abs(d.value or 0.0)))
    rest = [in_words(d) for d in held[:MOST_TOLD]]
    if len(held) > MOST_TOLD:
        rest.append(f"And {len(held) - MOST_TOLD} more that hold, in the table.")
    return first + rest


def rest_line(found: Comparison) -> str:
    """How many differences the table leaves out, and why."""
    rest = [d for d in found.differences if not _first(d)]
    few = sum(d.verdict == "too few" for d in rest)
    none = sum(d.verdict == "no difference shown" for d in rest)
    return f"Left out: {none} under stress or in groups that show no difference, {few} of too few."


def _row(found: Comparison, one: Difference) -> Row:
    group = ", ".join(f"{name} {value}" for name, value in one.group.items()) or "everyone"
    start = (one.metric, named(found, one), group)
    if one.value is None or one.low is None or one.high is None:
        return (*start, one.verdict, "–", "–", "–", one.reason or "", "")
    mark = " *" if one.independent else ""
    p = "" if one.p_holm is None else f"{one.p_holm:.3f}" if one.p_holm >= 0.001 else "< 0.001"
    numbers = [f"{one.base:.3f}", f"{one.new:.3f}", f"{one.value:+.3f}"]
    verdict = f"{one.verdict}, shown" if one.shown else one.verdict
    return (*start, verdict, *numbers, f"{one.low:+.3f} to {one.high:+.3f}{mark}", p)


def flip_rows(found: Comparison, most: int | None = MOST_FLIPS) -> list[Row]:
    """Cases that are right in BASE and wrong in NEW without stress, the surest mistakes first."""
    clean = {at for at, level in enumerate(found.levels) if level.stress == "clean"}
    lost = [flip for flip in found.flips if flip.change == "lost" and flip.level in clean]
    return [_flip_row(flip, named(found, found.levels[flip.level])) for flip in lost[:most]]


def _flip_row(flip: Flip, level: str) -> Row:
    group = ", ".join(f"{name} {value}" for name, value in flip.group.items())
    odds = ["not finite" if x is None else f"{x:+.2f}" for x in (flip.base, flip.new)]
    return (flip.case, flip.label, level, group, *odds)


def named(found: Comparison, one: Difference | Level) -> str:
    """A level in words: "fgsm 2/255 with tta", "dead_rows rows 4".

    Beside ε, those parameters are said in which levels of that stress differ.
    """
    from audit.results import Finding

    facts = {name: getattr(one, name) for name in ("stress", "params", "variant", "defence")}
    words = under(Finding(metric="", **facts))
    alike = [
        level.params
        for level in found.levels
        if (level.stress, level.defence) == (one.stress, one.defence)
    ]
    told = [
        f"{name} {value:g}" if isinstance(value, int | float) else f"{name} {value}"
        for name, value in one.params.items()
        if name not in SAID and len({str(params.get(name)) for params in alike}) > 1
    ]
    return " ".join([words, *told])


def paired_line(found: Comparison) -> str:
    pairs = found.pairs
    left = f", {pairs.only_base} only in BASE, {pairs.only_new} only in NEW"
    patients = "unknown" if pairs.patients is None else str(pairs.patients)
    return (
        f"{pairs.paired} cases paired{left if pairs.only_base or pairs.only_new else ''}; "
        f"patients: {patients}"
    )


def flips_line(found: Comparison) -> str:
    """How many cases flipped without stress, and at how many levels any did."""
    clean = [level for level in found.levels if level.stress == "clean" and not level.reason]
    said = [
        f"{level.lost} of {level.cases} right before and wrong now, {level.gained} the reverse"
        f"{'' if level.defence == 'none' else f' with {level.defence}'}"
        for level in clean
    ]
    return "; ".join(said) or "no level without stress was compared"


def conclusion(found: Comparison) -> str:
    """The outcome in one line."""
    tested = [d for d in found.differences if d.value is not None]
    if not tested:
        return "nothing compared: too few cases"
    worse, better = (
        [d for d in tested if d.verdict == word and d.shown] for word in ("worse", "better")
    )
    hidden = sum(d.verdict == "worse" for d in tested) - len(worse)
    said = (
        f"regressions shown: {len(worse)}, gains shown: {len(better)}, of {len(tested)} differences"
    )
    return said + (f"; worse by their interval alone: {hidden}" if hidden else "")


def as_markdown(found: Comparison) -> str:
    """All of it as Markdown."""
    lines = [f"## hipaudit compare: {markdown_cell(found.base.model)} → "
             f"{markdown_cell(found.new.model)}", ""]  # fmt: skip
    if found.base.synthetic or found.new.synthetic:
        lines += ["**Synthetic images: says nothing about patients.**", ""]
    lines += [f"**{conclusion(found)}**", "", paired_line(found), ""]
    lines += [f"* {note.level}: {markdown_cell(note.text)}" for note in found.notes]
    lines += ["", *(f"* {markdown_cell(words)}" for words in sentences(found))]
    lines += ["", *markdown_table(HEAD, rows(found)), rest_line(found), EXPLAINED, ""]
    missing = [(named(found, level), str(level.reason)) for level in found.levels if level.reason]
    if missing:
        lines += ["### Not compared", "", *markdown_table(("level", "why"), missing)]
    lines += ["### Flips without stress", "", flips_line(found), ""]
    lines += markdown_table(FLIP_HEAD, flip_rows(found))
    return "\n".join([*lines, "\\* images treated as independent", "", f"_{FOOTER}_", ""])


def flips_csv(found: Comparison) -> str:
    """Every flip, a row each; text that a spreadsheet would run begins with an apostrophe."""
    from audit.export import plain_text

    attributes = sorted({name for flip in found.flips for name in flip.group})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    start = ["case", "label", "change", "stress", "defence", "level"]
    names = [plain_text(f"attribute_{name}") for name in attributes]
    writer.writerow([*start, "base_log_odds", "new_log_odds", *names])
    known = [named(found, level) for level in found.levels]
    for flip in found.flips:
        level = found.levels[flip.level]
        words = [flip.case, flip.label, flip.change, level.stress, level.defence, known[flip.level]]
        odds = ["" if x is None else f"{x:.9g}" for x in (flip.base, flip.new)]
        values = [flip.group.get(name, "") for name in attributes]
        writer.writerow([*map(plain_text, words), *odds, *map(plain_text, values)])
    return out.getvalue()


def write(found: Comparison, folder: Path) -> list[Path]:
    """compare.json, flips.csv and compare.md in `folder`."""
    from audit.files import write_whole

    texts = (found.to_json(), flips_csv(found), as_markdown(found))
    return [write_whole(folder / name, text) for name, text in zip(FILES, texts, strict=True)]


def show(
    out: Console, found: Comparison, written: Sequence[Path], problems: Sequence[str] = ()
) -> None:
    """What a person sees."""
    from hipaudit.closing import wrapped
    from hipaudit.screen import show_notes, show_table, show_written

    out.print("[bold]Base[/]  ", end="")
    out.print(_audit_line(found, "base"), markup=False)
    out.print("[bold]New[/]   ", end="")
    out.print(_audit_line(found, "new"), markup=False)
    out.print(f"  {paired_line(found)}", markup=False)
    show_notes(out, found.notes)
    missing = [level for level in found.levels if level.reason]
    for level in missing[:MOST_LEVELS]:
        out.print(f"  not compared: {named(found, level)}: {level.reason}", markup=False)
    if len(missing) > MOST_LEVELS:
        out.print(f"  and {len(missing) - MOST_LEVELS} more")
    out.print("\n[bold]In words[/]")
    for line in (line for words in sentences(found) for line in wrapped(words, out.width - 4, 2)):
        out.print(f"  {line}", markup=False)
    out.print()
    show_table(out, HEAD, rows(found), right=HEAD[4:])
    out.print(f"\n  {rest_line(found)}\n  {EXPLAINED}", markup=False)
    if any(d.independent and d.value is not None for d in found.differences):
        out.print("  * images treated as independent: not every image names its patient")
    out.print(f"\n[bold]Flips[/]  {flips_line(found)}")
    lost = flip_rows(found)
    if lost:
        show_table(out, FLIP_HEAD, lost, right=FLIP_HEAD[4:])
    colour = "bold red" if found.regressions else "bold"
    out.print(f"\n[{colour}]{conclusion(found)}[/]")
    if written:
        show_written(out, written, problems)
    else:
        out.print(f"\n{FOOTER}", style="dim")


def _audit_line(found: Comparison, which: str) -> str:
    one = found.base if which == "base" else found.new
    digest = one.weights[0][:12] if one.weights else "none"
    rule = "argmax" if one.threshold is None else f"P ≥ {one.threshold:g}"
    seen = f"{one.data}, {one.cases} images{' (SYNTHETIC)' if one.synthetic else ''}"
    return (
        f"{one.model}: {one.architecture}, sha256 {digest}, decides by {rule}; {seen}, {one.date}"
    )
