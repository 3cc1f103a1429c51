"""hipaudit doctor: is this installation fit?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hipaudit.parameters import ENVIRONMENT, OneOf

if TYPE_CHECKING:
    from hipaudit.doctor import Check

HELP = """Check this installation: libraries, PDF rendering, DICOM decoders, device, places to
write, disk, memory, terminal, optional tools.

Prints a line per check, and what to type where something is wrong. Nothing is changed or sent.
"""
EPILOG = """\b
Examples:
  hipaudit doctor
  hipaudit doctor --folder /audits          where results would be written
  hipaudit doctor --format json

\b
Exit codes: 0 an audit can run here, 2 something stands in the way (PROBLEM).
"""
MARKS = {"ok": "ok", "warning": "warning", "problem": "PROBLEM", "optional": "optional"}


@click.command("doctor", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where results would be written. [default: the working directory]",
)
@click.option(
    "--format",
    "form",
    type=OneOf(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines, or one JSON object.",
)
def command(folder: Path, form: str) -> int:
    from hipaudit.bars import counted
    from hipaudit.doctor import checks

    found = {}
    asked = checks(folder)
    for name, check in counted("checking", asked.items()):
        found[name] = check()
        if form == "text":
            _tell(name, found[name])
    sick = [name for name, check in found.items() if check.state == "problem"]
    if form == "json":
        told = {name: vars(check) for name, check in found.items()}
        click.echo(json.dumps({"fit": not sick, "checks": told}, indent=1, ensure_ascii=False))
    elif sick:
        click.echo(f"\n{len(sick)} in the way of an audit: {', '.join(sick)}")
    else:
        click.echo("\nAn audit can run here.")
    return 2 if sick else 0


def _tell(name: str, check: Check) -> None:
    click.echo(f"{MARKS[check.state]:<8}  {name}: {check.found}")
    if check.fix:
        click.echo(f"{'':<10}fix: {check.fix}")
