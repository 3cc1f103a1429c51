"""hipaudit study: the seven-model study, and what the thesis says comes next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hipaudit.parameters import (
    ENVIRONMENT,
    EVERY_SPLIT,
    FILE,
    PRESETS,
    TALK,
    Duration,
    Names,
    OneOf,
    Points,
    with_options,
)
from hipaudit.training import COMMON, RECIPE, WEIGHTS

# name: (module of trainers.study, its function)
STUDIES = {
    "models": ("run", "models_study"),
    "views": ("views", "views_study"),
    "learning-curve": ("learning_curve", "learning_curve_study"),
    "resolution": ("resolution", "resolution_study"),
}
KINDS = (*STUDIES, "readers")  # readers fits nothing: hipaudit.agreeing
CURVES = ("learning-curve", "resolution")
FAILED = 3

HELP = """Fit, test and audit several networks alike; compare them; write a report.

KIND is one of:

\b
models          the study's seven networks beside the published ones (default)
views           one network for all views, one per view, and the cascade
learning-curve  how accuracy grows with the number of training images
resolution      how it changes with the input's size; Grad-CAM localisation
readers         agreement of two readers, and of the model with each

Train, validation and test splits are read from the data, or drawn by patient. Validation chooses
each model's epoch; the test split is looked at once per model. The thesis chose and reported on
the same images: --as-published does the same and marks every number optimistic.

\b
Written to hipaudit-out/study-<kind>/ (or --out):
  study.json              every number; written whole after each model
  study.html, study.pdf   the report
  models/<name>/          model.pt, training/ (log), audit/ (audit.json, …)
  figures/                pictures, where images may be shown
"""
EPILOG = """\b
Examples:
  hipaudit study --data radiographs/ --device cuda
  hipaudit study --data phantoms/ --weights none --size 64 --epochs 4
  hipaudit study --data radiographs/ --models squeezenet1_1,alexnet
  hipaudit study --data radiographs/ --weights weights/ --set patience=5
  hipaudit study learning-curve --data radiographs/ --points 500,1000,2000
  hipaudit study readers --data radiographs/ --readers reader_1,reader_2

The same command again resumes: what is trained stays, what was interrupted continues at its
epoch. Exit codes: 0 all done, 2 unusable input, 3 some model failed (its reason is in the table
and in study.json; the others are complete), 130 interrupted.
"""


@click.command("study", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("kind", type=OneOf(list(KINDS)), default="models", metavar="[KIND]")
@with_options((*EVERY_SPLIT, WEIGHTS))
@click.option("--models", type=Names(), metavar="A,B", help="[default: the study's seven]")
@click.option(
    "--as-published", is_flag=True, help="Choose and report on the same images: optimistic."
)
@with_options((*RECIPE, *COMMON))
@click.option(
    "--preset",
    type=OneOf([*PRESETS, "none"]),
    default="quick",
    show_default=True,
    help="Of every model's audit.",
)
@click.option("--audit-samples", type=click.IntRange(1), help="At most so many images per audit.")
@click.option("--audit-time", type=Duration(), metavar="10m", help="At most so long per audit.")
@click.option(
    "--subgroup",
    "subgroups",
    multiple=True,
    metavar="COLUMN",
    help="Split results by this attribute. Repeatable. [default: view]",
)
@click.option(
    "--readers", type=Names(), metavar="A,B", help="Of readers: the columns of their labels."
)
@click.option("--model", type=FILE, help="Of readers: a checkpoint that reads the same images.")
@click.option(
    "--points",
    type=Points(),
    metavar="A,B",
    help="Of a curve: numbers of training images (or shares up to 1), or input sizes.",
)
@click.option("--out", type=FILE, metavar="DIR", help="[default: hipaudit-out/study-<kind>]")
@click.option("--no-images", is_flag=True, help="No radiograph in figures or report.")
@with_options(TALK)
@click.option("--no-progress", is_flag=True, help="Lines instead of bars.")
@click.pass_obj
def command(session: Any, /, **flags: Any) -> int:
    from hipaudit.agreeing import check_readers
    from hipaudit.training import check_data, check_name, settings_of, weights_of
    from hipaudit.workflow import HOME, check_places

    session.talk(flags["verbose"])
    for name in flags["models"] or ():
        check_name(name)
    check_readers(flags)
    check_alone(flags)
    check_data(flags["data"])
    flags["weights"] = weights_of(flags["weights"])
    settings = settings_of(flags)
    folder: Path = flags["out"] or HOME / f"study-{flags['kind']}"
    check_places(folder, ())
    if flags["kind"] == "readers":
        return compare(session, flags, folder)
    return carry_out(session, flags, settings, folder)


def check_alone(flags: dict[str, Any]) -> None:
    """HipauditError for --points of no curve, and for several processes at one study."""
    import os

    from audit.errors import HipauditError

    if flags["points"] is not None and flags["kind"] not in CURVES:
        raise HipauditError(
            f"--points with {' or '.join(CURVES)}", f"the study {flags['kind']}", "Leave it out."
        )
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise HipauditError(
            "one process for a study, which also audits",
            "several under torchrun",
            "Train each model by torchrun -m hipaudit train, or type: hipaudit study",
        )


def _names(flags: dict[str, Any]) -> list[str]:
    """The architectures, as far as they are known before the data is read."""
    from trainers.architectures import STUDY

    usual = [row.name for row in STUDY] if flags["kind"] == "models" else []
    return list(flags["models"] or usual)


def compare(session: Any, flags: dict[str, Any], folder: Path) -> int:
    """The study of readers: read, compare, render, show; the exit code."""
    from hipaudit.agreeing import agree, show_agreement
    from hipaudit.progress import Talking
    from hipaudit.studying import render, study_options

    options = study_options(flags, {})
    bars = not flags["no_progress"]
    with Talking(quiet=flags["quiet"], bars=bars, started=session.start) as progress:
        results = agree(flags, folder, options, progress)
        written, problems = render(results, folder, images=False)
    show_agreement(results, folder, written, problems)
    return 0


def carry_out(session: Any, flags: dict[str, Any], settings: dict[str, Any], folder: Path) -> int:
    """Read, conduct, render, show; the exit code."""
    from importlib import import_module

    from hipaudit.progress import Talking
    from hipaudit.studying import render, show_study, study_options
    from hipaudit.training import check_means, read_material

    module, function = STUDIES[flags["kind"]]
    conduct = getattr(import_module(f"trainers.study.{module}"), function)
    options = study_options(flags, settings)
    check_means(_names(flags), settings, flags["weights"])
    bars = not flags["no_progress"]
    with Talking(quiet=flags["quiet"], bars=bars, started=session.start) as progress:
        splits = read_material(flags, progress, as_published=flags["as_published"])
        session.start()
        results = conduct(splits, folder, options, progress)
        if not flags["quiet"]:
            progress.note("rendering the report")
        written, problems = render(results, folder, images=options.images)
    show_study(results, folder, written, problems)
    incomplete = any(model.state == "failed" or model.reason for model in results.models)
    return FAILED if incomplete else 0
