"""What `hipaudit train` and `hipaudit study` share: flags, the reading of splits, tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit.errors import HipauditError
from hipaudit.parameters import Levels, OneOf, Parameter
from hipaudit.workflow import MARKER

if TYPE_CHECKING:
    from audit.cases.case import Cases
    from audit.results import Finding
    from hipaudit.progress import Talking
    from trainers.splits import Splits
    from trainers.study.single import Single

Row = tuple[str, ...]


class Setting(Parameter):
    """key=value of a recipe; the value is a number, true, false, or a word."""

    name = "key=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        key, equals, text = (part.strip() for part in str(value).partition("="))
        if not (equals and key and text):
            self.fail(f'expected a setting such as max_epochs=20, found "{value}"', param, ctx)
        try:
            return key, json.loads(text)
        except ValueError:
            return key, text


class Rate(Parameter):
    """auto, or a positive number."""

    name = "auto|x"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | str:
        if value == "auto" or isinstance(value, float):
            return value  # type: ignore[no-any-return]  # click hands over what it was given
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not 0 < number < 100:
            self.fail(f'expected auto or a number such as 0.001, found "{value}"', param, ctx)
        return number


FLAGS_OF_THEIR_OWN = {
    "seed": "--seed",
    "adversarial": "--adversarial",
    "architecture": "its own name on the command line",
}
RATES = ("sensitivity", "specificity")
HEAD = ("split", "accuracy (Wilson)", *RATES, "AUROC", "images")
# Each sets the field of the recipe that it is named after here; None leaves the study's.
FIELDS = {
    "size": "size",
    "epochs": "max_epochs",
    "freeze_epochs": "freeze_epochs",
    "batch_size": "batch_size",
    "lr": "lr",
    "schedule": "schedule",
    "head": "head",
    "resize": "resize",
}
RECIPE = (
    click.option("--size", type=click.IntRange(8), help="Input height and width. [default: 224]"),
    click.option(
        "--freeze-epochs", type=click.IntRange(0), help="First the head alone. [default: 8]"
    ),
    click.option(
        "--epochs", type=click.IntRange(0), help="Then everything, at most. [default: 40]"
    ),
    click.option("--batch-size", type=click.IntRange(2), help="[default: 32]"),
    click.option("--lr", type=Rate(), help="Peak rate; auto: by range test. [default: auto]"),
    click.option(
        "--schedule", type=OneOf(["one_cycle", "triangular"]), help="[default: one_cycle]"
    ),
    click.option(
        "--head",
        type=OneOf(["concat-pool", "native", "torchvision"]),
        help="[default: concat-pool]",
    ),
    click.option("--resize", type=OneOf(["crop", "squish", "pad"]), help="[default: crop]"),
    click.option(
        "--adversarial",
        type=OneOf(["fbf", "fgsm", "pgd"]),
        help="Adversarial examples in every batch.",
    ),
    click.option(
        "--adversarial-eps", type=Levels(), metavar="4/255", help="Their radius. [default: 4/255]"
    ),
    click.option(
        "--set",
        "extra",
        type=Setting(),
        multiple=True,
        metavar="KEY=VALUE",
        help="Any other field of the recipe, e.g. patience=5. Repeatable.",
    ),
)
COMMON = (
    click.option(
        "--overlap",
        type=OneOf(["refuse", "drop"]),
        default="refuse",
        show_default=True,
        help="A patient or an identical image in two given splits: end, or leave it out of the "
        "earlier split.",
    ),
    click.option("--positive-class", help="The class that is the disease, e.g. fracture."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of every random draw."),
    click.option(
        "--device",
        default="auto",
        show_default=True,
        metavar="auto|cpu|cuda",
        help="Where to compute.",
    ),
)
WEIGHTS = click.option(
    "--weights",
    default="imagenet",
    show_default=True,
    metavar="imagenet|none|PATH",
    help="Where the networks start; imagenet is downloaded by torchvision.",
)


def settings_of(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the recipe that the flags set. Raises HipauditError when one is set twice."""
    found = {field: flags[flag] for flag, field in FIELDS.items() if flags.get(flag) is not None}
    for key, value in flags.get("extra", ()):
        if key in FLAGS_OF_THEIR_OWN:
            raise HipauditError(f"{key} by {FLAGS_OF_THEIR_OWN[key]}", f"--set {key}")
        if key in found and found[key] != value:
            raise HipauditError(f"{key} once", "it set in two ways", f"Leave --set {key} out.")
        found[key] = value
    method, radius = flags.get("adversarial"), flags.get("adversarial_eps")
    if method is None and radius is not None:
        raise HipauditError(
            "--adversarial with --adversarial-eps", "none", "Add --adversarial fbf."
        )
    if radius is not None and len(radius) != 1:
        raise HipauditError("one --adversarial-eps", f"{len(radius)}", "Type one, such as 4/255.")
    if method is not None:
        from trainers.adversarial.settings import make_adversarial

        more = {} if radius is None else {"epsilon": radius[0]}
        found["adversarial"] = make_adversarial({"method": method, **more})
    return found


def check_name(name: str) -> None:
    """HipauditError for an architecture nobody knows; a known one costs no import of torch."""
    from trainers.architectures import ROWS

    if name not in ROWS:
        from trainers.study.conduct import check_architecture

        check_architecture(name)


def weights_of(text: str) -> Any:
    """ "imagenet", "none", or the path. Raises HipauditError, before any work, for no such path."""
    if text in ("imagenet", "none"):
        return text
    if not Path(text).exists():
        from audit.errors import did_you_mean

        raise HipauditError(
            "imagenet, none, a weights file or a folder of them",
            f'nothing at "{text}"',
            did_you_mean(text, ["imagenet", "none"]) if "/" not in text else "Check --weights.",
        )
    return Path(text)


def check_means(names: Sequence[str], settings: Mapping[str, Any], weights: Any) -> None:
    """HipauditError, before an image is read, for a recipe, size or weights that cannot be."""
    from trainers.recipe import study_recipe
    from trainers.study.shapes import check_size
    from trainers.study.weights import fetch, starting_weights

    for name in names:
        recipe = study_recipe(name, **settings)
        check_size(name, recipe.size, recipe.head)
    if names:
        fetch(starting_weights(weights, list(names)))


def check_data(path: Path) -> None:
    """HipauditError, before torch is imported, for a path that leads nowhere."""
    if not path.exists():
        raise HipauditError(
            "a folder or table of labelled radiographs", f'nothing at "{path}"', "Check --data."
        )


def read_material(
    flags: Mapping[str, Any], progress: Talking, *, as_published: bool = False
) -> Splits:
    """Train, val and test of --data, marked synthetic where its folder says so."""
    from audit.cases.options import DataOptions
    from trainers.splits import read_splits

    wanted = {
        name: flags[name]
        for name in ("labels", "positive_class", "cluster_by", "max_skipped", "workers")
        if flags.get(name) is not None
    }
    path: Path = flags["data"]
    splits = read_splits(
        path,
        DataOptions(**wanted),
        seed=flags["seed"],
        as_published=as_published,
        overlap=flags["overlap"],
        progress=progress.reading,
    )
    if ((path if path.is_dir() else path.parent) / MARKER).exists():
        for cases in (splits.train, splits.val, splits.test):
            _mark(cases)
    return splits


def _mark(cases: Cases) -> None:
    cases.description = cases.description.model_copy(update={"synthetic": True})


def share(finding: Finding | None) -> str:
    """A rate and its interval as a person reads it.

    >>> from audit.results import Finding
    >>> share(Finding(metric="accuracy", value=0.965, low=0.9549, high=0.9726))
    '96.5% (95.5–97.3)'
    """
    if finding is None or finding.value is None:
        return "–" if finding is None else finding.reason or "–"
    value = f"{100 * finding.value:.1f}%"
    if finding.low is None or finding.high is None:
        return value
    return f"{value} ({100 * finding.low:.1f}–{100 * finding.high:.1f})"


def area(finding: Finding | None) -> str:
    """An AUROC and its interval.

    >>> from audit.results import Finding
    >>> area(Finding(metric="auroc", value=0.9876, low=0.98, high=0.991))
    '.988 (.980–.991)'
    """
    if finding is None or finding.value is None:
        return "–"
    words = [
        f"{x:.3f}".removeprefix("0")
        for x in (finding.value, finding.low, finding.high)
        if x is not None
    ]
    return words[0] if len(words) < 3 else f"{words[0]} ({words[1]}–{words[2]})"


def show_single(single: Single, splits: Splits, folder: Path) -> None:
    """What `hipaudit train` says at its end."""
    from hipaudit.screen import console
    from trainers.study.testing import overall

    people, trained = console(), single.trained
    if splits.test.description.synthetic:
        people.print("[bold]SYNTHETIC images: these numbers say nothing about patients[/]")
    chosen = f"epoch {trained.best_epoch} of {len(trained.epochs)} ({trained.ended})"
    people.print(f"{trained.title}: {trained.parameters:,} parameters, {chosen}\n")
    body = []
    for split, found in single.findings.items():
        one = {name: overall(found, name) for name in ("accuracy", *RATES, "auroc")}
        rates = [share(one[name]) for name in ("accuracy", *RATES)]
        body.append((split, *rates, area(one["auroc"]), _count(one["accuracy"])))
    show_table(HEAD, body)
    people.print("\nValidation chose the epoch, so its numbers are optimistic.")
    people.print(
        f"Next: hipaudit run {folder / 'model.pt'} --data DIR --split test", soft_wrap=True
    )


def _count(finding: Finding | None) -> str:
    return "–" if finding is None else str(finding.n)


def show_table(head: Row, body: Iterable[Row]) -> None:
    """On stdout, numbers to the right."""
    from rich.markup import escape
    from rich.table import Table

    from hipaudit.screen import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(head):
        table.add_column(name, justify="right" if place else "left", no_wrap=not place)
    for row in body:
        table.add_row(*(escape(cell) for cell in row))
    console().print(table)
