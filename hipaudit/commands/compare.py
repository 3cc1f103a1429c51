"""hipaudit compare: two audits of the same cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hipaudit.parameters import ENVIRONMENT, FILE, TALK, OneOf, with_options

HELP = """Compare the audit NEW with the audit BASE, paired case by case.

BASE and NEW are audit folders, or audit.json files with predictions.csv beside them. Cases are
paired by their id. Every level of every stress that both audits have is compared, for everyone
and by subgroup: difference with 95% interval and test, and the cases that flipped. Nothing is
computed again and no model is opened.
"""
EPILOG = """\b
Examples:
  hipaudit compare hipaudit-out/v1 hipaudit-out/v2
  hipaudit compare v1/audit.json v2/audit.json --out v1-v2/ --fail-on worse
  hipaudit compare v1 v2 --subgroup view --format markdown

\b
Exit codes: 0 compared, 2 unusable input; with --fail-on worse 1 when a regression is shown and
3 when there were too few cases to tell.
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
    "--out", type=FILE, metavar="DIR", help="Write compare.json, flips.csv and compare.md there."
)
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
    from hipaudit.comparing import as_markdown, conclusion, show, write

    found = compare(base, new, flags["subgroups"] or None, flags["seed"])
    written = write(found, flags["out"]) if flags["out"] else []
    if flags["form"] == "json":
        click.echo(found.to_json(), nl=False)
    elif flags["form"] == "markdown":
        click.echo(as_markdown(found), nl=False)
    elif flags["quiet"]:
        click.echo(conclusion(found))
    else:
        from hipaudit.screen import console

        show(console(), found, written)
    if not flags["fail_on"]:
        return 0
    return 1 if found.regressions else 0 if found.answered else 3
