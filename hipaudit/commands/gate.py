"""hipaudit gate: judge an audit again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from hipaudit.papers import Papers

PASSED, FAILED, INCONCLUSIVE = 0, 1, 3

HELP = """Judge AUDIT.json by the rules of hipaudit.toml; nothing is computed again.

A rule passes only when its finding is there, was computed from runs that finished, has an
interval and meets the threshold with its worse 95% limit. Anything missing is inconclusive,
never a pass. verdict.json is written beside AUDIT.json.
"""
EPILOG = """\b
Examples:
  hipaudit gate hipaudit-out/model/audit.json
  hipaudit gate audit.json --config hipaudit.toml --baseline v1/audit.json
  hipaudit gate audit.json --format github --output sarif=gate.sarif

Exit codes: 0 passed or no gate set, 1 failed, 2 unusable input, 3 inconclusive; of several audits
the worst.
"""


@click.command("gate", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("audits", type=FILE, metavar="AUDIT.json…", nargs=-1, required=True)
@with_options((CONFIG, BASELINE, OUTPUT, FORMAT, *TALK))
@click.pass_obj
def command(
    session: Any,
    /,
    audits: tuple[Path, ...],
    config: Path | None,
    baseline: Path | None,
    outputs: tuple[tuple[str, Path], ...],
    form: str,
    quiet: bool,
    verbose: int,
) -> int:
    session.talk(verbose)
    from audit.errors import HipauditError
    from hipaudit.papers import read_papers

    if len(audits) > 1 and (outputs or form == "json"):
        what = "--output" if outputs else "--format json"
        raise HipauditError(
            f"one audit with {what}", f"{len(audits)} of them", "Judge them one at a time."
        )
    if len({audit.resolve().parent for audit in audits}) < len(audits):
        raise HipauditError(
            "audits in folders of their own",
            "two in one, where verdict.json lies",
            "Judge them one at a time.",
        )
    papers = read_papers(config, baseline=baseline, with_card=False)
    how = {"form": form, "quiet": quiet, "everything": verbose > 0}
    codes = {_judged(audit, papers, outputs, how) for audit in audits}
    return next(code for code in (FAILED, INCONCLUSIVE, PASSED) if code in codes)


def _judged(
    audit: Path,
    papers: Papers,
    outputs: tuple[tuple[str, Path], ...],
    how: Mapping[str, Any],
) -> int:
    """Judge one, write verdict.json beside it, tell it (`how`); its exit code."""
    from audit.results import read_results
    from hipaudit.outputs import write_outputs, write_verdict
    from hipaudit.tell import tell
    from hipaudit.workflow import Conclusion, verdict_of

    results = read_results(audit)
    verdict = verdict_of(results, papers, audit.parent)
    written = write_verdict(audit.parent, verdict)
    copies = write_outputs(outputs, results, audit.parent, verdict, papers)
    done = Conclusion(verdict, (written, *copies), rules_at=papers.rules_at)
    tell(results, done, **how)
    return verdict.exit_code
