"""hipaudit phantom: a labelled set of synthetic hip radiographs to train and audit on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hipaudit.parameters import ENVIRONMENT, FILE, TALK, OneOf, Parameter, with_options
from trainers.phantom.spec import PhantomSpec, made, read_spec, scaled

if TYPE_CHECKING:
    from trainers.phantom.outlook import Outlook

HELP = """Write synthetic hip radiographs with their ground truth: train, val and test.

Computed from geometric shapes: femur, pelvis and soft tissue of many patients, frontal and
lateral, whole or with fractures from occult to gross, as several scanners show them. No image
shows a person, and no number found on them says anything about patients.

\b
Written to OUT:
  train/, val/, test/  images, labels.csv, ground_truth.csv (fracture and
                       every nuisance)
  spec.json            the whole specification; the same gives the same bytes

An interrupted command resumes when it is typed again.
"""
EPILOG = """\b
Examples:
  hipaudit phantom radiographs/
  hipaudit phantom small/ --images 1000 --size 128
  hipaudit phantom biased/ --images 4000 --shortcut marker=0.6
  hipaudit phantom hard/ --spec hard.toml    with lines such as "occult = 0.3"

\b
Fields of a specification, with what they are when not named:
"""


def _fields() -> str:
    """The fields of a specification as lines of TOML."""
    lines = [f"  {name} = {_toml(value)}" for name, value in PhantomSpec().recorded().items()]
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {part}" for name, part in value.items()) + "}"
    return str(value).replace("'", '"') if isinstance(value, list) else json.dumps(value)


class Planted(Parameter):
    """FEATURE=STRENGTH."""

    name = "feature=strength"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        feature, _, strength = str(value).partition("=")
        try:
            return feature.strip(), float(strength)
        except ValueError:
            self.fail(
                f'expected FEATURE=STRENGTH such as "marker=0.6", found "{value}"', param, ctx
            )


@click.command("phantom", help=HELP, epilog=EPILOG + _fields(), context_settings=ENVIRONMENT)
@click.argument("out", type=FILE, metavar="OUT")
@click.option("--images", type=click.IntRange(1), metavar="N",
              help="Radiographs in all, shared out over the splits. [default: 10,304]")  # fmt: skip
@click.option("--size", type=click.IntRange(32, 4096), help="Pixels a side. [default: 256]")
@click.option("--prevalence", type=click.FloatRange(0, 1),
              help="Share with a fracture. [default: .431 train, .425 others]")  # fmt: skip
@click.option("--shortcut", "shortcuts", type=Planted(), multiple=True, metavar="FEATURE=S",
              help="Plant scanner, marker, age or view: how much more often it comes with a "
              "fracture than without, -1 to 1. Repeatable.")  # fmt: skip
@click.option("--spec", "file", type=FILE, metavar="TOML", help="Fields of the specification.")
@click.option("--format", "form", type=OneOf(["png", "dicom"]), help="[default: png]")
@click.option("--seed", type=int, help="Of every random draw. [default: 0]")
@click.option("--workers", type=click.IntRange(1), help="Processes. [default: one per core]")
@click.option("--device", default="cpu", show_default=True, metavar="auto|cpu|cuda",
              help="Where to compute.")  # fmt: skip
@with_options(TALK)
@click.pass_obj
def command(session: Any, /, **flags: Any) -> int:
    from hipaudit.progress import Talking
    from hipaudit.workflow import real_device
    from trainers.phantom.outlook import check_room, outlook
    from trainers.phantom.write import write_dataset

    session.talk(flags["verbose"])
    spec, out = _spec(flags), flags["out"]
    workers, device = flags["workers"] or os.cpu_count() or 1, real_device(flags["device"])
    ahead = outlook(spec, workers, device)
    check_room(out, ahead)
    with Talking(quiet=flags["quiet"], started=lambda: None) as told:
        told.note(_words(spec, ahead))
        session.start()  # from here on the same command resumes
        write_dataset(out, spec, told, workers=workers, device=device)
    click.echo(f"{sum(spec.counts.values()):,} synthetic radiographs in {out}")
    return 0


def _spec(flags: dict[str, Any]) -> PhantomSpec:
    """The default specification, then the file, then the flags."""
    file: Path | None = flags["file"]
    spec = PhantomSpec() if file is None else read_spec(file)
    if flags["images"] is not None:
        spec = scaled(spec, flags["images"])
    wanted = {name: flags[name] for name in ("size", "seed", "form") if flags[name] is not None}
    if flags["prevalence"] is not None:
        wanted |= {f"prevalence_{split}": flags["prevalence"] for split in ("train", "val", "test")}
    if flags["shortcuts"]:
        wanted["shortcuts"] = {**spec.shortcuts, **dict(flags["shortcuts"])}
    return made(wanted, spec)


def _words(spec: PhantomSpec, ahead: Outlook) -> str:
    """What is about to be written, how large and for how long."""
    from hipaudit.screen import duration

    counts = ", ".join(f"{count:,} {split}" for split, count in spec.counts.items())
    return (
        f"{sum(spec.counts.values()):,} radiographs ({counts}) of {spec.size} x {spec.size} pixels "
        f"as {spec.form.upper()}: about {ahead.megabytes:,.0f} MB, "
        f"about {duration(ahead.seconds)} on this machine"
    )
