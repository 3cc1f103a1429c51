"""hipaudit train: one network by the study's recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hipaudit.parameters import ENVIRONMENT, EVERY_SPLIT, FILE, TALK, Duration, with_options
from hipaudit.training import COMMON, RECIPE, WEIGHTS

HELP = """Fit ARCH to labelled radiographs by the study's recipe, and test it.

ARCH is any torchvision classifier; the study's are densenet169, resnet50, vgg19_bn, densenet121,
resnet152, squeezenet1_1 and alexnet. Train, validation and test splits are read from the data,
or drawn by patient; validation chooses the epoch, test is looked at once, at the end.

\b
Written to hipaudit-out/train-<arch>/ (or --out):
  model.pt    the checkpoint, which describes itself; audit it: hipaudit run
  training/   log.csv and log.json: every epoch, every number that was used
"""
EPILOG = """\b
Examples:
  hipaudit train squeezenet1_1 --data radiographs/
  hipaudit train resnet50 --data radiographs/ --weights w.pth --device cuda
  hipaudit train alexnet --data phantoms/ --weights none --size 64 --epochs 4
  hipaudit train resnet18 --data radiographs/ --adversarial fbf
  torchrun --nproc-per-node 4 -m hipaudit train resnet50 --data radiographs/

The same command again resumes at the epoch where it was interrupted. Exit codes: 0 done,
2 unusable input, 130 interrupted.
"""


@click.command("train", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("arch")
@with_options((*EVERY_SPLIT, WEIGHTS, *RECIPE, *COMMON))
@click.option("--max-time", type=Duration(), metavar="2h", help="End after the epoch it passes in.")
@click.option("--out", type=FILE, metavar="DIR", help="[default: hipaudit-out/train-<arch>]")
@with_options(TALK)
@click.option("--no-progress", is_flag=True, help="Lines instead of bars.")
@click.pass_obj
def command(session: Any, /, **flags: Any) -> int:
    from hipaudit.training import check_data, check_name, settings_of, weights_of
    from hipaudit.workflow import HOME, check_places

    session.talk(flags["verbose"])
    check_name(flags["arch"])
    check_data(flags["data"])
    flags["weights"] = weights_of(flags["weights"])
    settings = settings_of(flags)
    folder: Path = flags["out"] or HOME / f"train-{flags['arch'].replace('_', '-')}"
    check_places(folder, ())
    return carry_out(session, flags, settings, folder)


def carry_out(session: Any, flags: dict[str, Any], settings: dict[str, Any], folder: Path) -> int:
    """Read, fit, test, show; the exit code."""
    from hipaudit.progress import Talking
    from hipaudit.training import check_means, read_material, show_single
    from hipaudit.workflow import real_device
    from trainers.fitting.team import speaks
    from trainers.study.options import StudyOptions
    from trainers.study.single import train_one

    options = StudyOptions(
        weights=flags["weights"],
        settings=settings,
        positive_class=flags["positive_class"],
        device=real_device(flags["device"]),
        seed=flags["seed"],
    )
    check_means([flags["arch"]], settings, flags["weights"])
    quiet, bars = flags["quiet"] or not speaks(), not flags["no_progress"]
    with Talking(quiet=quiet, bars=bars, started=session.start) as progress:
        splits = read_material(flags, progress)
        session.start()
        single = train_one(
            flags["arch"], splits, folder, options, progress, max_seconds=flags["max_time"]
        )
    if single is not None:
        show_single(single, splits, folder)
    return 0
