"""hipaudit report: render again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from hipaudit.parameters import (
    BASELINE,
    CARD,
    CONFIG,
    EDITION,
    ENVIRONMENT,
    FILE,
    FORMAT,
    OUTPUT,
    TALK,
    edition_of,
    with_options,
)

HELP = """Render report.html and report.pdf from AUDIT.json again, with verdict and card.

No model and no radiograph is opened: what people say (card.yaml) and what the site asks
(hipaudit.toml) may change after the audit; the evidence does not. A compare.json (of hipaudit
compare --out) gives compare.html and compare.pdf; --card is then what people say of NEW.
"""
EPILOG = """\b
Examples:
  hipaudit report hipaudit-out/model/audit.json
  hipaudit report audit.json --card card.yaml --output pdf=board/2026-03.pdf
  hipaudit report audit.json --no-images --output summary.md
  hipaudit report v1-v2/compare.json --language nl

Exit codes: 0 rendered, 2 unusable input or nothing could be rendered. The gate's own exit code
comes from: hipaudit gate AUDIT.json
"""


@click.command("report", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("audit", type=FILE, metavar="AUDIT.json")
@with_options((CARD, OUTPUT, *EDITION, CONFIG, BASELINE, FORMAT, *TALK))
@click.option("--no-images", is_flag=True, help="A report without radiographs.")
@click.pass_obj
def command(session: Any, /, audit: Path, **flags: Any) -> int:
    session.talk(flags["verbose"])
    from hipaudit.compare_files import is_comparison

    if is_comparison(audit):
        return _comparison(audit, flags)
    from audit.results import read_results
    from hipaudit.bars import working
    from hipaudit.outputs import kept_verdict
    from hipaudit.papers import read_papers
    from hipaudit.tell import tell
    from hipaudit.workflow import conclude, verdict_of

    results = read_results(audit)
    papers = read_papers(flags["config"], flags["card"], flags["baseline"])
    kept = None if papers.rules else kept_verdict(audit.parent, results)
    verdict = kept or verdict_of(results, papers, audit.parent)
    edition = edition_of(flags)
    with working("rendering", quiet=flags["quiet"]):
        done = conclude(results, audit.parent, verdict, papers, flags["outputs"], edition)
    tell(
        results,
        done,
        form=flags["form"],
        quiet=flags["quiet"],
        everything=flags["verbose"] > 0,
    )
    return 0


def _comparison(path: Path, flags: Mapping[str, Any]) -> int:
    """The report on two audits, from compare.json and what lies beside it."""
    from audit.compare.results import read_comparison
    from audit.errors import HipauditError
    from hipaudit.bars import working
    from hipaudit.compare_files import copies, render

    for name in ("config", "baseline"):
        if flags[name] is not None:
            raise HipauditError(
                "a compare.json alone",
                f"--{name}",
                "Rules on a drop are judged by: hipaudit compare BASE NEW --out DIR --config FILE",
            )
    found, edition = read_comparison(path), edition_of(flags)
    with working("rendering", quiet=flags["quiet"]):
        written, problems = render(found, path.parent, edition, flags["card"])
    written = [*written, *copies(flags["outputs"], found, path.parent, edition)]
    if flags["form"] == "json":
        told = {"written": [str(place) for place in written], "problems": problems}
        click.echo(json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False))
    elif flags["quiet"]:
        for problem in problems:
            click.echo(f"warning: {problem}", err=True)
    else:
        from hipaudit.screen import console, show_written

        show_written(console(), written, problems)
    return 0
