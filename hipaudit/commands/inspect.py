"""hipaudit inspect: what was understood; attacks nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hipaudit.parameters import CONFIG, DATA, ENVIRONMENT, FILE, MODEL, TALK, OneOf, with_options

HELP = """Say how MODEL and the data are read, and whether they fit each other.

Shows architecture, classes, positive class, preparation, counts by label and attribute, what
was skipped and why, and every assumption. Checks finite and repeatable outputs, plausible
normalisation and class order. Attacks nothing and writes nothing.
"""
EPILOG = """\b
Examples:
  hipaudit inspect model.pt --data val/
  hipaudit inspect model.pt --data val.csv --format json

Exit codes: 0 no fault, 2 unusable input, 3 a fault that would make every rule inconclusive.
"""


@click.command("inspect", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("model", type=FILE)
@with_options((*DATA, *MODEL, CONFIG, *TALK))
@click.option(
    "--format",
    "form",
    type=OneOf(["text", "json"]),
    default="text",
    show_default=True,
    help="Tables, or one JSON object.",
)
@click.pass_obj
def command(session: Any, /, model: Path, **flags: Any) -> int:
    session.talk(flags["verbose"])
    from hipaudit.papers import read_papers
    from hipaudit.progress import Talking
    from hipaudit.request import data_options, model_options, settings_of
    from hipaudit.workflow import understand

    settings = settings_of(read_papers(flags["config"], with_card=False))
    options = model_options(flags, settings), data_options(flags, settings)
    with Talking(quiet=flags["quiet"], started=lambda: None) as progress:
        understood = understand(model, flags["data"], *options, progress.reading)
    description, data = understood.classifier.description, understood.cases.description
    notes = [*description.notes, *data.notes, *understood.notes]
    if flags["form"] == "json":
        found = {
            "model": description.model_dump(mode="json"),
            "data": data.model_dump(mode="json"),
            "notes": [note.model_dump(mode="json") for note in understood.notes],
        }
        click.echo(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False))
    else:
        from hipaudit.screen import console, show_understood

        show_understood(console(), understood, everything=not flags["quiet"])
    return 3 if any(note.level == "fault" for note in notes) else 0
