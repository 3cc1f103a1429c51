"""The last page of a command: what was found, the rules, where the files are. At most 25 lines of
80 columns in a terminal; in a log every rule and warning stands in full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells, set_cell_size

from hipaudit.account import account, name_of
from hipaudit.summary import WORDS, headline, judged
from reports.wording import FOOTER

if TYPE_CHECKING:
    from audit.gate.verdict import RuleVerdict, Verdict
    from audit.results import Results

COLUMN = 22  # where the sentences begin
MOST_LINES = 25
MOST_RULES = 3
MOST_WARNINGS = 2
STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "waived": "magenta"}
WORST_FIRST = ("fail", "inconclusive", "waived", "pass", "off")
Line = tuple[str, str]  # a style of rich's, a text
BLANK: Line = ("", "")


def closing(
    results: Results,
    verdict: Verdict,
    written: Sequence[Path],
    problems: Sequence[str] = (),
    *,
    width: int = 80,
    full: bool = False,
) -> list[Line]:
    """Lines of at most `width` columns. `full`: every rule and warning, whole."""
    warnings = [*_not_done(results), *verdict.warnings, *problems]
    above = [*_heading(results, width), *_sentences(results, width), BLANK]
    below = [
        *_warned(warnings, width, full=full),
        *_files(written, width),
        *(("dim", line) for line in wrapped(FOOTER, width)),
    ]
    if full:
        lines = [*above, *_rules(verdict, width, full=True), *below]
    else:
        lines = _fitted(above, verdict, below, width)
    return [(style, _inert(line)) for style, line in lines]


def _fitted(
    above: Sequence[Line], verdict: Verdict, below: Sequence[Line], width: int
) -> list[Line]:
    """On one screen even where names are long: blank lines give way first, then rules but one."""
    for most in range(MOST_RULES, 0, -1):
        lines = [*above, *_rules(verdict, width, most), *below]
        if len(lines) > MOST_LINES:
            lines = [line for line in lines if line != BLANK]
        if len(lines) <= MOST_LINES:
            break
    return lines


def _inert(line: str) -> str:
    """GitHub's runner obeys what begins with "::" or holds "##[": text of others may not."""
    line = line.replace("##[", "# [")
    return line.replace("::", " :", 1) if line.lstrip().startswith("::") else line


def wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    """The text in lines of at most `width` columns of a terminal, all but the first indented.

    >>> wrapped("found 46 of 61", 9, 2)
    ['found 46', '  of 61']
    """
    plain = _plain(text)
    line = " " * (len(plain) - len(plain.lstrip()))
    lines: list[str] = []
    empty = True
    for word in plain.split():
        for piece in chop_cells(word, max(1, width - indent)):
            longer = f"{line}{'' if empty else ' '}{piece}"
            if not empty and cell_len(longer) > width:
                lines.append(line)
                longer = " " * indent + piece
            line, empty = longer, False
    return [*lines, line]


def clipped(text: str, width: int) -> str:
    """On one line of at most `width` columns."""
    plain = _plain(text)
    if cell_len(plain) <= width:
        return plain
    return set_cell_size(plain, width - 1).rstrip() + "…"


def _heading(results: Results, width: int) -> list[Line]:
    data = results.data
    who = "patients unknown" if data.patients is None else f"{data.patients} patients"
    base = f"On {name_of(data.name)}: {data.cases} images, {who}"
    if any(f.independent and f.value is not None for f in results.findings):
        base += " (images treated as independent)"
    lines = [("bold", line) for line in wrapped(base, width)]
    if data.synthetic:
        lines += [("bold", "SYNTHETIC images: these numbers say nothing about patients")]
    return [BLANK, *lines]


def _sentences(results: Results, width: int) -> list[Line]:
    """The subject in a column of its own where there is room for it."""
    narrow = width < 3 * COLUMN
    lines: list[Line] = []
    for told in account(results):
        lead = f"{told.about}: " if narrow else f"{told.about:<{COLUMN}}"
        lines += [("", line) for line in wrapped_after(lead, told.text, width, narrow)]
    return lines


def wrapped_after(lead: str, text: str, width: int, narrow: bool) -> list[str]:
    """`lead`, then the text, whose further lines begin below its first (or two in, if narrow)."""
    if narrow:
        return wrapped(lead + text, width, 2)
    room = wrapped(text, width - COLUMN)
    return [lead + room[0], *(" " * COLUMN + line for line in room[1:])]


def _rules(
    verdict: Verdict, width: int, most: int = MOST_RULES, *, full: bool = False
) -> list[Line]:
    ranked = sorted(verdict.rules, key=lambda rule: WORST_FIRST.index(rule.outcome))
    shown = ranked if full else ranked[:most]
    more = f"; {len(shown)} of {len(ranked)} rules:" if len(shown) < len(ranked) else ""
    style = STYLES.get(verdict.outcome, "bold")
    lines = [(style, line) for line in wrapped(headline(verdict) + more, width)]
    for rule in shown:
        text = _ruling(rule, full=full)
        whole = wrapped(text, width, 4) if full else [clipped(text, width)]
        lines += [(STYLES.get(rule.outcome, ""), line) for line in whole]
    return lines


def _ruling(rule: RuleVerdict, *, full: bool) -> str:
    """What was found before what was asked: the end of a long line may be cut off."""
    decided = rule.outcome in ("pass", "fail") and rule.observed is not None
    count = "" if rule.n is None else f", n = {rule.n}"
    found = f"found {judged(rule)}{count}" if decided else rule.reason
    asked = f"; asks {rule.text}" if rule.text else ""
    why = f"; {rule.reason}" if full and decided and rule.reason else ""
    return f"  {WORDS[rule.outcome]} {rule.id}: {found}{asked}{why}"


def _warned(warnings: Sequence[str], width: int, *, full: bool) -> list[Line]:
    few = full or len(warnings) <= MOST_WARNINGS
    shown = warnings if few else warnings[: MOST_WARNINGS - 1]
    lines: list[Line] = []
    for warning in shown:
        text = f"warning: {warning}"
        whole = wrapped(text, width, 2) if full else [clipped(text, width)]
        lines += [("yellow", line) for line in whole]
    if more := len(warnings) - len(shown):
        lines += [("yellow", f"warning: {more} more: add -v, or see the report")]
    return lines


def _not_done(results: Results) -> list[str]:
    """Runs and probes that were planned and did not come to an end."""
    runs = [(f"run {r.id}", r.state, r.reason) for r in results.plan.runs if r.state != "done"]
    probes = [
        (f"probe {p.probe}", p.state, p.reason) for p in results.probes if p.state == "failed"
    ]
    return [
        f"{name} {state}{f': {reason}' if reason else ''}" for name, state, reason in runs + probes
    ]


def _files(written: Sequence[Path], width: int) -> list[Line]:
    """The report whole, to be copied; the rest by folder."""
    lines: list[str] = []
    folders: dict[Path, list[str]] = {}
    for path in dict.fromkeys(written):
        if path.name.endswith(".pdf") and path.name.startswith("report"):
            lines += wrapped(f"To read and sign: {path}", width, 2)
        elif path.parent.name == "private":
            lines += wrapped(f"Keep to yourself: {path} (which case is which file)", width, 2)
        else:
            folders.setdefault(path.parent, []).append(path.name)
    for folder, names in folders.items():
        where = "" if folder == Path() else f" in {folder}/"
        lines += wrapped(f"Written{where}: {', '.join(names)}", width, 2)
    return [("", line) for line in lines]


def _plain(text: str) -> str:
    """Text of others without control characters: a class name cannot move the cursor."""
    return "".join(c if c.isprintable() else " " for c in text)


def texts(lines: Iterable[Line]) -> list[str]:
    return [text for _, text in lines]
