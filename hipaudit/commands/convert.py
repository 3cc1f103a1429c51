"""hipaudit convert: radiographs to PNG without metadata, and a de-identified manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hipaudit.parameters import ENVIRONMENT, FILE, READING, TALK, Names, OneOf, with_options

if TYPE_CHECKING:
    from trainers.convert.convert import Converted

HELP = """Write the radiographs of SRC to OUT as PNG, without metadata, with a manifest.

SRC: DICOM, PNG or JPEG in any layout "hipaudit run" reads, or a folder without labels. Every tag
of a file is discarded, its pixels are kept as the reader sees them (window, polarity). The study
this tool repeats threw all metadata away, so nobody could ask whether its models had learned the
scanner, the view or the age instead of the fracture. Therefore a manifest is kept.

\b
Written to OUT, for its owner alone to read:
  images/<case id>.png  pixels; no text, no EXIF, no name, no date
  manifest.csv          path, label where known, patient number, split, view,
                        sex, age band (topped at 90+), vendor, scanner,
                        laterality, boxes
  conversion.json       settings, how grey levels were mapped, what was
                        skipped and why
  private/cases.csv     case id and source path: the only way back; do not
                        pass it on

Text burned into pixels is not looked for: an image whose header says it has some is left out.
Removing tags is not anonymity; pixels and rare combinations can still point to a person.
"""
EPILOG = """\b
Examples:
  hipaudit convert pacs-export/ radiographs/
  hipaudit convert pacs-export/ small/ --size 512 --bits 8 --workers 4
  hipaudit convert scans/ out/ --classes garden1,garden2   labels by folder
  hipaudit convert cases.csv out/ --keep site,hardware     further columns

What comes back: hipaudit run --data OUT reads the same cases. Without --size and with 16 bits,
PNG, JPEG and whatever has 8- or 16-bit grey levels after windowing are pixel-exact and keep their
case ids; other images (12 bits, say) agree within half a 16-bit step and get other ids.

Exit codes: 0 converted, 2 unusable input, 3 converted but more was unreadable than --max-skipped,
130 interrupted (the same command goes on).
"""
SHOWN = 20


@click.command("convert", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("source", type=FILE, metavar="SRC")
@click.argument("out", type=FILE, metavar="OUT")
@click.option("--labels", type=FILE, metavar="CSV", help="Table of labels for a DICOM folder.")
@click.option("--classes", type=Names(), metavar="A,B",
              help="Folder names that are labels. [default: the usual words for fractured and "
              "normal; other folder names may be people's]")  # fmt: skip
@click.option("--split", help="Convert only this part. [default: all]")
@click.option("--size", type=click.IntRange(8, 8192), metavar="N",
              help="Pixels of the shorter side, averaged over areas; never enlarged. "
              "[default: as it is]")  # fmt: skip
@click.option("--bits", type=OneOf(["8", "16"]), default="16", show_default=True,
              help="Grey levels; 16 keeps the depth.")  # fmt: skip
@click.option("--format", "form", type=OneOf(["png"]), default="png", show_default=True)
@click.option("--burned-in", type=OneOf(["skip", "flag"]), default="skip", show_default=True,
              help="Images whose header says text is burned in: leave out, or keep and mark.",
)  # fmt: skip
@click.option("--strict-burned-in", is_flag=True,
              help="A DICOM header that does not say counts as one that says so.")  # fmt: skip
@click.option("--keep", type=Names(), metavar="A,B", default=(),
              help="Further columns of the table for the manifest.")  # fmt: skip
@with_options((*READING, *TALK))
@click.pass_obj
def command(session: Any, /, source: Path, out: Path, **flags: Any) -> int:
    session.talk(flags["verbose"])
    from audit.cases.options import DataOptions
    from hipaudit.progress import Talking
    from trainers.convert.convert import convert
    from trainers.convert.options import ConvertOptions

    wanted = {
        "labels": flags["labels"],
        "split": flags["split"],
        "cluster_by": flags["cluster_by"],
        "max_skipped": flags["max_skipped"],
        "folder_labels": flags["classes"],
    }
    reading = DataOptions(
        workers=flags["workers"],
        strict_burned_in=flags["strict_burned_in"],
        **{name: value for name, value in wanted.items() if value is not None},
    )
    options = ConvertOptions(
        size=flags["size"],
        bits=16 if flags["bits"] == "16" else 8,
        burned_in=flags["burned_in"],
        keep=flags["keep"],
    )
    with Talking(quiet=flags["quiet"], started=session.start) as told:
        done = convert(source, out, reading, options, told, told.reading)
        _tell_skipped(done, told)
    click.echo(_summary(done, out))
    return 3 if any(note.level == "fault" for note in done.notes) else 0


def _tell_skipped(done: Converted, told: Any) -> None:
    for item in done.skipped[:SHOWN]:
        told.note(f"skipped {item.case}: {item.reason}")
    if len(done.skipped) > SHOWN:
        told.note(f"{len(done.skipped) - SHOWN} more skipped; all are in conversion.json")
    for note in done.notes:
        if note.level != "info" or note.code in ("window", "polarity", "unlabelled"):
            told.note(f"{note.level}: {note.text}")


def _summary(done: Converted, out: Path) -> str:
    labels = ", ".join(f"{name or 'no label'} {n:,}" for name, n in done.labels.items())
    people = "patients not identified" if done.patients is None else f"{done.patients:,} patients"
    kept = f", {done.kept:,} of them already there" if done.kept else ""
    lines = [
        f"{done.written:,} images in {out}{kept} ({labels}; {people})",
        f"{done.exact:,} read back as exactly the source's pixels, with the same case id",
        f"{len(done.skipped):,} skipped; burned-in text said of {done.burned_in:,}",
    ]
    return "\n".join(lines)
