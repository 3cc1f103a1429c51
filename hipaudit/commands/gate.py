"""hipaudit gate: judge an audit again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hipaudit.parameters import (
    BASELINE,
    CONFIG,
    ENVIRONMENT,
    FILE,
    FORMAT,
    OUTPUT,
    TALK,
    with_options,
)

HELP = """Judge AUDIT.json by the rules of hipaudit.toml; nothing is computed again.

A rule passes only when its finding is there, was computed from runs that finished, has an
interval and meets the threshold with its worse 95% limit. Anything missing is inconclusive,
never a pass. verdict.json is written beside AUDIT.json.
"""
EPILOG = """\b
Examples:
  hipaudit gate hipaudit-out/model/audit.json
  hipaudit gate audit.json --config hipaudit.toml --baseline v1/audit.json
  hipaudit gate audit.json --format github --output junit=gate.xml --output sarif=gate.sarif

\b
Exit codes: 0 passed or no gate set, 1 failed, 2 unusable input, 3 inconclusive.
"""


@click.command("gate", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("audit", type=FILE, metavar="AUDIT.json")
@with_options((CONFIG, BASELINE, OUTPUT, FORMAT, *TALK))
@click.pass_obj
def command(
    session: Any,
    /,
    audit: Path,
    config: Path | None,
    baseline: Path | None,
    outputs: tuple[tuple[str, Path], ...],
    form: str,
    quiet: bool,
    verbose: int,
) -> int:
    session.talk(verbose)
    from audit.results import read_results
    from hipaudit.outputs import write_outputs, write_verdict
    from hipaudit.papers import read_papers
    from hipaudit.tell import tell
    from hipaudit.workflow import Conclusion, verdict_of

    results = read_results(audit)
    papers = read_papers(config, baseline=baseline, with_card=False)
    verdict = verdict_of(results, papers, audit.parent)
    written = write_verdict(audit.parent, verdict)
    copies = write_outputs(outputs, results, audit.parent, verdict)
    done = Conclusion(verdict, (written, *copies))
    tell(results, done, form=form, quiet=quiet, numbers=False)
    return verdict.exit_code
