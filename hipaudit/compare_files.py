"""What lies beside compare.json, and the report made from it: compare.html and compare.pdf."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import HipauditError
from audit.files import write_whole
from reports.edition import ENGLISH, Edition

if TYPE_CHECKING:
    from audit.compare.results import Audit, Comparison
    from audit.gate.verdict import Verdict
    from hipaudit.papers import Papers
    from reports.card import Card

COMPARISON = "compare.json"
AUDIT = "audit.json"
VERDICT = "verdict.json"
RULES = "hipaudit.toml"
SIDES = ("base", "new")
AUDITS = tuple(f"{side}-{AUDIT}" for side in SIDES)
CARDS = tuple(f"{side}-card.yaml" for side in SIDES)
ENVIRONMENTS = tuple(f"{side}-environment.txt" for side in SIDES)


def is_comparison(path: Path) -> bool:
    """Whether a file is a compare.json, whatever its name: it counts pairs."""
    import json

    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(known, dict) and {"base", "new", "pairs"} <= known.keys()


def keep(
    folder: Path,
    audits: tuple[Path, Path],
    cards: tuple[Path | None, Path | None] = (None, None),
    verdict: Verdict | None = None,
    rules: bytes = b"",
) -> list[Path]:
    """Copies of what the report is made from and carries, so that the folder stands alone."""
    kept = [
        write_whole(folder / name, (path / AUDIT if path.is_dir() else path).read_bytes())
        for name, path in zip(AUDITS, audits, strict=True)
    ]
    for name, card in zip(CARDS, cards, strict=True):
        (folder / name).unlink(missing_ok=True)
        if card is not None:
            kept.append(write_whole(folder / name, card.read_bytes()))
    for name, content in (
        (VERDICT, verdict.to_json().encode() if verdict else b""),
        (RULES, rules),
    ):
        (folder / name).unlink(missing_ok=True)
        if content:
            kept.append(write_whole(folder / name, content))
    return kept


def judged(base: Path, new: Path, papers: Papers) -> tuple[Verdict, bytes] | None:
    """The rules on a drop, held against NEW with BASE as the baseline; None where there are none.

    With the rule file itself, unless the rules stand in a pyproject.toml.
    """
    drops = (
        [] if papers.rules is None else [r for r in papers.rules.rules if r.max_drop is not None]
    )
    if papers.rules is None or not drops:
        return None
    from dataclasses import replace

    from audit.results import read_results
    from hipaudit.workflow import verdict_of

    gate = papers.rules.gate.model_copy(update={"rule": tuple(drops)})
    files = [path / AUDIT if path.is_dir() else path for path in (base, new)]
    asked = replace(
        papers,
        rules=papers.rules.model_copy(update={"gate": gate}),
        baseline=read_results(files[0]),
        baseline_from=files[0].parent,
    )
    verdict = verdict_of(read_results(files[1]), asked, files[1].parent)
    return verdict, papers.files.get(RULES, b"")


def render(
    found: Comparison, folder: Path, edition: Edition = ENGLISH, card: Path | None = None
) -> tuple[list[Path], list[str]]:
    """compare.html and compare.pdf in `folder`: the files written, and what could not be.

    `folder`: where compare.json and its copies lie. `card`: of NEW, instead of the one there. A
    PDF that cannot be made takes an older one away: it would show another comparison.
    """
    from reports.comparison.render import render_comparison
    from reports.comparison.suppression import suppressed_comparison
    from reports.pdf import render_pdf

    cards = _cards(folder, card)
    beside, problems = _beside(found, folder)
    if card is not None:
        beside[CARDS[1]] = card.read_bytes()
    shown = suppressed_comparison(found, edition.suppress)
    verdict = _verdict(beside.get(VERDICT, b""))
    page = partial(
        render_comparison,
        shown,
        cards=cards,
        verdict=verdict,
        edition=edition,
    )
    written = [write_whole(folder / _name("html", edition), page())]
    target = folder / _name("pdf", edition)
    try:
        pdf = render_pdf(
            page(for_pdf=True),
            attachments=_attachments(shown, beside, edition),
            variant=edition.variant,
            date=found.new.date,
        )
    except HipauditError as error:
        target.unlink(missing_ok=True)
        return written, [*problems, f"no PDF: {error}"]
    return [*written, write_whole(target, pdf)], problems


def copies(
    outputs: Sequence[tuple[str, Path]], found: Comparison, folder: Path, edition: Edition = ENGLISH
) -> list[Path]:
    """Copies at the paths asked for. Raises HipauditError for what a comparison has not."""
    written = []
    for kind, path in outputs:
        source = folder / (_name(kind, edition) if kind in ("html", "pdf") else COMPARISON)
        if kind == "md":
            from hipaudit.comparing import as_markdown

            content = as_markdown(found).encode()
        elif kind not in ("html", "pdf", "json"):
            raise HipauditError("html, pdf, json or md of a comparison", kind, "Leave it out.")
        elif not source.is_file():
            raise HipauditError(
                f"{source.name} to copy to {path.name}",
                "that it could not be written",
                f"Run: hipaudit report {folder.name}/{COMPARISON}",
            )
        else:
            content = source.read_bytes()
        if path.resolve() != source.resolve():
            write_whole(path, content)
        written.append(path)
    return written


def _name(kind: str, edition: Edition) -> str:
    language = "" if edition.language == "en" else f".{edition.language}"
    return f"compare{language}.{kind}"


def _beside(found: Comparison, folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """What lies there and belongs to this comparison, and what does not."""
    files = {
        name: (folder / name).read_bytes()
        for name in (*AUDITS, *CARDS, VERDICT, RULES)
        if (folder / name).is_file()
    }
    problems = []
    for name, side in zip(AUDITS, (found.base, found.new), strict=True):
        if name not in files:
            problems.append(f"no {name} beside {COMPARISON}: not attached to the report")
        elif hashlib.sha256(files[name]).hexdigest() != side.sha256:
            del files[name]
            problems.append(f"{name} is not the one that was compared: not attached")
    return files, problems


def _cards(folder: Path, card: Path | None) -> tuple[Card | None, Card | None]:
    """Of BASE and of NEW. Raises HipauditError for one that cannot be read."""
    from reports.card import load_card

    places = [place if place.is_file() else None for place in (folder / n for n in CARDS)]
    first, second = places[0], card or places[1]
    return load_card(first) if first else None, load_card(second) if second else None


def _verdict(content: bytes) -> Mapping[str, object] | None:
    from audit.gate.verdict import Verdict

    if not content:
        return None
    try:
        return Verdict.model_validate_json(content).model_dump(mode="json")
    except ValueError:
        return None


def _attachments(
    shown: Comparison, beside: Mapping[str, bytes], edition: Edition
) -> dict[str, bytes]:
    """An edition without small counts carries no audit.json and no verdict: they have them."""
    counted = (*AUDITS, VERDICT) if edition.suppress else ()
    kept = {name: content for name, content in beside.items() if name not in counted}
    return {COMPARISON: shown.to_json().encode(), **kept, **dict(_environments(shown))}


def _environments(shown: Comparison) -> Iterator[tuple[str, bytes]]:
    for name, side in zip(ENVIRONMENTS, (shown.base, shown.new), strict=True):
        yield name, environment(side).encode()


def environment(side: Audit) -> str:
    """What an audit ran on: a line per library with its version, as pip reads it."""
    head = [f"# Python {side.python}, {side.platform}, device {side.device}"]
    return "\n".join([*head, *(f"{n}=={v}" for n, v in sorted(side.packages.items())), ""])
