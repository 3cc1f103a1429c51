"""hipaudit verify: is this report what it says?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from hipaudit.parameters import ENVIRONMENT, FILE, TALK, OneOf, with_options

HELP = """Check REPORT.pdf: what is attached, whether it belongs together, and its signature.

The files inside the PDF are held against the hashes they were attached with, against each other
and against the files beside it. A signature (REPORT.pdf.sig) is checked when there is one; with
--key there must be one, by that key. Only a signature covers the pages themselves. It does not
check that the numbers are right: repeat the audit.
"""
EPILOG = """\b
Examples:
  hipaudit verify report.pdf
  hipaudit verify report.pdf --key board.pub.pem

Exit codes: 0 nothing is wrong, 1 something is, 2 unusable input.
"""


@click.command("verify", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("report", type=FILE, metavar="REPORT.pdf")
@click.option("--key", type=FILE, metavar="PEM", help="The public key that must have signed it.")
@click.option("--signature", type=FILE, metavar="FILE", help="[default: REPORT.pdf.sig]")
@click.option("--format", "form", type=OneOf(["text", "json"]), default="text", show_default=True)
@with_options(TALK)
@click.pass_obj
def command(
    session: Any,
    /,
    report: Path,
    key: Path | None,
    signature: Path | None,
    form: str,
    quiet: bool,
    verbose: int,
) -> int:
    session.talk(verbose)
    from hipaudit.account import name_of
    from hipaudit.sealing.verify import verified

    checks = verified(report, signature, key)
    if form == "json":
        click.echo(json.dumps([asdict(check) for check in checks], indent=1, ensure_ascii=False))
    elif not quiet:
        wide = max(len(check.what) for check in checks)
        for check in checks:
            click.echo(f"{check.what:<{wide}}  {check.state:<11}  {name_of(check.why, 300)}")
    return int(any(check.state == "FAILED" for check in checks))
