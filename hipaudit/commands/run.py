"""hipaudit run: audit, judge, write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hipaudit.parameters import (
    BASELINE,
    CARD,
    CONFIG,
    DATA,
    EDITION,
    ENVIRONMENT,
    FILE,
    FORMAT,
    MODEL,
    OUTPUT,
    PRESETS,
    TALK,
    Duration,
    Levels,
    OneOf,
    Setting,
    Shares,
    edition_of,
    with_options,
)

if TYPE_CHECKING:
    from hipaudit.papers import Papers

HELP = """Audit MODEL on the labelled radiographs at --data.

MODEL is a state_dict, a wrapped checkpoint or safetensors of any torchvision classifier, or a
checkpoint of hipaudit. What the file and the folder do not say is assumed, and said aloud.

\b
Written to hipaudit-out/<model>/ (or --out):
  audit.json        every number with its interval, denominator and origin
  verdict.json      what the gate said of each rule
  report.pdf, .html the report, from the two above and card.yaml
  predictions.csv   a row per case and run; no path, no identity
  private/cases.csv which case is which file; readable by you alone
  hardened.pt       with --defence adversarial-training: the hardened weights
"""

EPILOG = """\b
Examples:
  hipaudit run model.pt --data val/
  hipaudit run model.pt --data val.csv --positive-class fracture
  hipaudit run model.pt --data dicom/ --labels labels.csv --subgroup view
  hipaudit run model.pt --data val/ --stress pgd --eps 1/255 --defence tta
  hipaudit run model.pt --data val/ --stress pgd --surrogate other.pt
  hipaudit run model.pt --data val/ --preset ci --max-time 10m --format github
  hipaudit run model.pt --data val/ --baseline v1/audit.json
  hipaudit run model.pt --data val/ --train-data train/
  hipaudit run model.pt --data val/ --train-data train/ \\
    --defence adversarial-training
  hipaudit run model.pt --data test/ --calibration-data val/ \\
    --defence temperature-scaling

The same command again resumes what was interrupted. Exit codes: 0 gate passed or no gate set,
1 failed, 2 unusable input, 3 inconclusive, 130 interrupted.
"""

AUDIT = (
    click.option(
        "--preset",
        type=OneOf(PRESETS),
        default="standard",
        show_default=True,
        help="How much work: which stresses, on how many images.",
    ),
    click.option(
        "--stress",
        "stresses",
        multiple=True,
        metavar="NAME",
        help="Only this stress. Repeatable; see: hipaudit list stresses.",
    ),
    click.option("--skip", multiple=True, metavar="NAME", help="Not this stress. Repeatable."),
    click.option("--eps", type=Levels(), metavar="1/255,2/255", help="Radii in pixels of [0, 1]."),
    click.option(
        "--defence",
        "defences",
        multiple=True,
        metavar="NAME",
        help="Also under this defence, or none. Repeatable; see: hipaudit list defences.",
    ),
    click.option(
        "--set",
        "params",
        type=Setting(),
        multiple=True,
        metavar="NAME.PARAMETER=VALUE",
        help="One parameter of a stress, defence or probe. Repeatable; see: hipaudit explain NAME.",
    ),
    click.option(
        "--surrogate",
        "surrogates",
        type=FILE,
        multiple=True,
        metavar="PATH",
        help="Also show MODEL what gradient attacks make on this other model. Repeatable.",
    ),
    click.option(
        "--subgroup",
        "subgroups",
        multiple=True,
        metavar="COLUMN",
        help="Report by this attribute, or two crossed (view*sex). Repeatable. [default: all]",
    ),
    click.option(
        "--prevalence",
        "prevalences",
        type=Shares(),
        metavar="2%,10%",
        help="Shares of patients with the disease where the model is used; for predictive values "
        "and errors per 1,000.",
    ),
    click.option(
        "--max-samples",
        type=click.IntRange(1),
        metavar="N",
        help="At most so many images, in proportion to the labels.",
    ),
    click.option(
        "--max-time",
        type=Duration(),
        metavar="30m",
        help="Shrink the samples until the estimate fits.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of every random draw."),
    click.option(
        "--batch-size",
        type=click.IntRange(1),
        help="Changes speed, not decisions. [default: what a share of memory holds, at most 16]",
    ),
    click.option(
        "--search",
        type=OneOf(["exact", "fused", "compiled", "bf16", "auto"]),
        default="fused",
        show_default=True,
        help="The network that attacks search with; the untouched one judges what they find.",
    ),
)
HARDENING = (
    click.option(
        "--train-data",
        type=FILE,
        metavar="PATH",
        help="Images the model was trained on: sought among the audited ones (leakage). Defences "
        "adversarial-training and quality-filter learn from them; then none may be audited.",
    ),
    click.option(
        "--adversarial-method",
        type=OneOf(["fbf", "fgsm", "pgd"]),
        help="How its adversarial examples are made. [default: fbf]",
    ),
    click.option(
        "--adversarial-eps", type=Levels(), metavar="4/255", help="Their radius. [default: 4/255]"
    ),
    click.option("--adversarial-epochs", type=click.IntRange(1), metavar="N", help="[default: 10]"),
    click.option(
        "--adversarial-lr",
        type=click.FloatRange(0, 1, min_open=True),
        metavar="X",
        help="Peak learning rate. [default: 0.001]",
    ),
)
CALIBRATION = click.option(
    "--calibration-data",
    type=FILE,
    metavar="PATH",
    help="Images that --defence temperature-scaling is fitted to; none may be audited.",
)
FILES = (
    click.option("--out", type=FILE, metavar="DIR", help="[default: hipaudit-out/<model>]"),
    OUTPUT,
    CONFIG,
    BASELINE,
    CARD,
    click.option(
        "--resume/--no-resume", default=True, show_default=True, help="Use units already computed."
    ),
    click.option("--overwrite", is_flag=True, help="Replace another audit in the folder."),
    click.option("--no-images", is_flag=True, help="A report without radiographs."),
    *EDITION,
)


@click.command("run", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("model", type=FILE)
@with_options((*DATA, *MODEL, *AUDIT, *HARDENING, CALIBRATION, *FILES, FORMAT, *TALK))
@click.option("--no-progress", is_flag=True, help="Lines instead of bars.")
@click.pass_obj
def command(session: Any, /, **flags: Any) -> int:
    from hipaudit.papers import read_papers

    session.talk(flags["verbose"])
    papers = read_papers(flags["config"], flags["card"], flags["baseline"])
    return carry_out(session, flags, papers)


def carry_out(session: Any, flags: Mapping[str, Any], papers: Papers) -> int:
    """Understand, say so, audit, judge, write, tell; the exit code."""
    from hipaudit.bars import working
    from hipaudit.calibrating import calibrated, calibrating
    from hipaudit.hardening import given_to_train, hardened, trained, trained_on
    from hipaudit.progress import Talking
    from hipaudit.request import audit_options, data_options, model_options, settings_of
    from hipaudit.screen import console, show_understood
    from hipaudit.surrogates import check_surrogates, surrogates
    from hipaudit.tell import tell
    from hipaudit.workflow import (
        check_places,
        conclude,
        default_folder,
        understand,
        verdict_of,
    )

    settings = settings_of(papers)
    options = audit_options(flags, settings, papers)
    folder: Path = flags["out"] or default_folder(flags["model"])
    check_places(folder, flags["outputs"])
    check_surrogates(flags)
    defences, reading = trained(flags), data_options(flags, settings)
    fitted = calibrating(flags)
    people = console(machine=flags["form"] != "text")
    bars = not flags["no_progress"]
    with Talking(quiet=flags["quiet"], bars=bars, started=session.start) as progress:
        understood = understand(
            flags["model"],
            flags["data"],
            model_options(flags, settings),
            reading,
            progress.reading,
            options,
            (*defences, *fitted),
        )
        if not flags["quiet"]:
            show_understood(progress.beside(people), understood, everything=flags["verbose"] > 0)
        from audit.conduct import conduct

        classifier, cases, notes = understood.classifier, understood.cases, understood.notes
        if defences:
            session.start()  # hours may pass: an interruption resumes
        others = surrogates(understood, flags, settings)
        made = calibrated(understood, flags, reading)
        given = given_to_train(flags, reading, progress.reading)
        train = trained_on(given)
        made |= hardened(understood, flags, given, options, folder, progress)
        results = conduct(classifier, cases, folder, options, progress, notes, made, others, train)
    if not flags["quiet"]:
        progress.note("judging and rendering")
    verdict = verdict_of(results, papers, folder)
    with working("rendering", quiet=flags["quiet"] or not bars):
        done = conclude(results, folder, verdict, papers, flags["outputs"], edition_of(flags))
    everything = flags["verbose"] > 0
    tell(results, done, form=flags["form"], quiet=flags["quiet"], everything=everything)
    return done.verdict.exit_code
