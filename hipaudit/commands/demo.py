"""hipaudit demo: all of it on synthetic radiographs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hipaudit.parameters import ENVIRONMENT, FILE, PRESETS, TALK, OneOf, with_options

HELP = """Everything on synthetic radiographs: make them, train on them, audit, report.

Hip phantoms (femur, pelvis, soft tissue; two views of each patient; some with a fracture, some
with metal) are projected to DICOM, a small classifier is trained on them for about two minutes,
and audited with every stress at a small budget. No image shows a person, and no number says
anything about patients. Needs no download and no GPU; about 5 minutes on 2 cores.

\b
Written to hipaudit-out/demo/ (or --out):
  data/       the synthetic DICOM images: train, val, test
  model.pt    the classifier
  audit.json, verdict.json, report.pdf, report.html, predictions.csv, figures/
"""
EPILOG = """\b
Examples:
  hipaudit demo
  hipaudit demo --preset ci --out /tmp/demo
"""


@click.command("demo", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.option("--out", type=FILE, metavar="DIR", help="[default: hipaudit-out/demo]")
@click.option("--preset", type=OneOf(PRESETS), default="quick", show_default=True,
              help="How much work the audit is.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random draw.")
@click.option("--patients", type=click.IntRange(20), default=500, show_default=True,
              help="Synthetic patients, two images each.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Begin again: new images, new training.")
@with_options(TALK)
@click.pass_obj
def command(session: Any, /, **flags: Any) -> int:
    import shutil

    from hipaudit.commands.run import carry_out
    from hipaudit.demo import prepare
    from hipaudit.papers import read_papers
    from hipaudit.progress import Talking
    from hipaudit.request import defaults
    from hipaudit.workflow import HOME

    session.talk(flags["verbose"])
    folder: Path = flags["out"] or HOME / "demo"
    if flags["overwrite"]:
        shutil.rmtree(folder / "data", ignore_errors=True)
        (folder / "model.pt").unlink(missing_ok=True)

    with Talking(quiet=flags["quiet"], started=lambda: None) as progress:
        model, data = prepare(folder, progress, patients=flags["patients"], seed=flags["seed"])
    wanted = {
        **defaults(),
        **dict.fromkeys(("config", "card", "baseline")),
        "model": model,
        "data": data,
        "out": folder,
        "outputs": (),
        "form": "text",
        "no_progress": False,
        "workers": 2,
        **{name: flags[name] for name in ("preset", "seed", "overwrite", "quiet", "verbose")},
    }
    return carry_out(session, wanted, read_papers(usual=False))
