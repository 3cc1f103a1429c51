"""hipaudit init: files to fill in."""

from __future__ import annotations

from pathlib import Path

import click

from audit.errors import HipauditError

HELP = """Write hipaudit.toml, card.yaml and model.yaml to fill in.

\b
hipaudit.toml  the gate's rules: no number is filled in, none is recommended
card.yaml      what people say about the model, for the report
model.yaml     what a checkpoint cannot say: input size, mean, classes

Everything is commented out or blank: as written, nothing changes. A file that is there stays,
unless --overwrite.
"""
EPILOG = """\b
Examples:
  hipaudit init
  hipaudit init --folder audits/hip-2026
"""


@click.command("init", help=HELP, epilog=EPILOG, context_settings={"max_content_width": 100})
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Where to. [default: the working directory]",
)
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
def command(folder: Path, overwrite: bool) -> int:
    from audit.files import write_whole
    from hipaudit.starting import starters

    texts = starters()
    there = [name for name in texts if (folder / name).exists()]
    if there and not overwrite:
        raise HipauditError(
            "a folder without them",
            ", ".join(there),
            "Add --overwrite, or choose another --folder.",
        )
    for name, text in texts.items():
        click.echo(str(write_whole(folder / name, text)))
    return 0
