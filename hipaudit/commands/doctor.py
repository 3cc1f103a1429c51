"""hipaudit doctor: is this installation fit?"""

from __future__ import annotations

import click

from hipaudit.parameters import ENVIRONMENT

HELP = """Check this installation: libraries, PDF rendering, DICOM decoders, devices, disk.

Prints a line per check, and what to type where something is wrong.
"""
EPILOG = """\b
Exit codes: 0 everything needed is there, 2 something is missing.
"""


@click.command("doctor", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
def command() -> int:
    from hipaudit.doctor import checks

    sick = False
    for check in checks():
        mark = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}[check.state]
        click.echo(f"{mark}  {check.name}: {check.found}")
        if check.fix:
            click.echo(f"         fix: {check.fix}")
        sick = sick or check.state == "problem"
    return 2 if sick else 0
