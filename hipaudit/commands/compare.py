"""hipaudit compare: two audits of the same cases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hipaudit.parameters import (
    CONFIG,
    EDITION,
    ENVIRONMENT,
    FILE,
    TALK,
    OneOf,
    edition_of,
    with_options,
)

if TYPE_CHECKING:
    from audit.compare.results import Comparison

HELP = """Compare the audit NEW with the audit BASE, paired case by case.

BASE and NEW are audit folders, or audit.json files with predictions.csv beside them. Cases are
paired by their id. Every level of every stress that both audits have is compared, for everyone
and by subgroup: difference with 95% interval and test, and the cases that flipped. Nothing is
computed again and no model is opened. With --out a report to sign is written too.
"""
EPILOG = """\b
Examples:
  hipaudit compare hipaudit-out/v1 hipaudit-out/v2
  hipaudit compare v1 v2 --out v1-v2/
  hipaudit compare v1/audit.json v2/audit.json --out v1-v2/ --fail-on worse
  hipaudit compare v1 v2 --out v1-v2/ --language nl --card-new card.yaml
  hipaudit compare v1 v2 --subgroup view --format markdown

Exit codes: 0 compared, 2 unusable input; with --fail-on worse 1 when a regression is shown and
3 when there were too few cases to tell. Rules on a drop (max_drop) are shown in the report; their
exit code comes from: hipaudit gate NEW/audit.json --baseline BASE/audit.json
"""


@click.command("compare", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("base", type=FILE)
@click.argument("new", type=FILE)
@click.option(
    "--subgroup",
    "subgroups",
    multiple=True,
    metavar="NAME",
    help="Attribute to report by. Repeatable. [default: all with 2 to 12 values]",
)
@click.option(
    "--fail-on",
    type=OneOf(["worse"]),
    help="Exit with 1 when a regression is shown after Holm's adjustment.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the patient bootstrap.")
@click.option(
    "--out",
    type=FILE,
    metavar="DIR",
    help="Write the report (compare.pdf, compare.html), compare.json, flips.csv and compare.md.",
)
@click.option("--no-report", is_flag=True, help="With --out: neither compare.pdf nor compare.html.")
@click.option("--card-base", type=FILE, metavar="YAML", help="What people say about BASE.")
@click.option("--card-new", type=FILE, metavar="YAML", help="What people say about NEW.")
@with_options((*EDITION, CONFIG))
@click.option(
    "--format",
    "form",
    type=OneOf(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="What goes to stdout: tables, compare.json, or Markdown.",
)
@with_options(TALK)
@click.pass_obj
def command(session: Any, /, base: Path, new: Path, **flags: Any) -> int:
    session.talk(flags["verbose"])
    from audit.compare.compare import compare
    from hipaudit.comparing import as_markdown, conclusion, show

    _check_cards(flags)
    found = compare(base, new, flags["subgroups"] or None, flags["seed"])
    written, problems = _written(found, base, new, flags) if flags["out"] else ([], [])
    if flags["form"] == "json":
        click.echo(found.to_json(), nl=False)
    elif flags["form"] == "markdown":
        click.echo(as_markdown(found), nl=False)
    elif flags["quiet"]:
        click.echo(conclusion(found))
    else:
        from hipaudit.screen import console

        show(console(), found, written, problems)
    if flags["form"] != "text" or flags["quiet"]:
        for problem in problems:
            click.echo(f"warning: {problem}", err=True)
    if not flags["fail_on"]:
        return 0
    return 1 if found.regressions else 0 if found.answered else 3


def _check_cards(flags: Mapping[str, Any]) -> None:
    """Raises HipauditError for a card that cannot be read, before any work."""
    for path in filter(None, (flags["card_base"], flags["card_new"])):
        from reports.card import load_card

        load_card(path)


def _written(
    found: Comparison, base: Path, new: Path, flags: Mapping[str, Any]
) -> tuple[list[Path], list[str]]:
    """All files of a comparison: what was written, and what could not be."""
    from hipaudit.bars import working
    from hipaudit.compare_files import judged, keep, render
    from hipaudit.comparing import write
    from hipaudit.papers import read_papers

    folder = flags["out"]
    papers = read_papers(flags["config"], with_card=False)
    verdict, rules = judged(base, new, papers) or (None, b"")
    written = write(found, folder)
    kept = keep(folder, (base, new), (flags["card_base"], flags["card_new"]), verdict, rules)
    if flags["no_report"]:
        return [*written, *kept], []
    with working("rendering", quiet=flags["quiet"]):
        rendered, problems = render(found, folder, edition_of({**flags, "no_images": False}))
    return [*rendered, *written, *kept], problems
