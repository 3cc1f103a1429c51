"""How values on the command line are read, and the options several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from audit.errors import did_you_mean

FORMATS = {
    "json": "all findings with context and provenance (audit.json)",
    "html": "the report as one file",
    "pdf": "the report to sign",
    "csv": "a row per case and run (predictions.csv); no path, no identity",
    "md": "a summary for a pull request or a wiki",
    "junit": "the verdict as JUnit XML, a test per rule",
    "sarif": "the verdict as SARIF 2.1.0, on the rules' lines",
    "chai": "the CHAI Applied Model Card 0.2 as XML",
    "huggingface": "a README.md with model-card metadata for the Hugging Face Hub",
    "cyclonedx": "a CycloneDX 1.6 ML-BOM",
}
PRESETS = ("quick", "ci", "standard", "full")
ENVIRONMENT = {"auto_envvar_prefix": "HIPAUDIT", "max_content_width": 100}
if TYPE_CHECKING:
    Parameter = click.ParamType[Any]
    from reports.edition import Edition
else:
    Parameter = click.ParamType  # generic from click 8.4 on only
F = TypeVar("F", bound=Callable[..., Any])


class OneOf(click.Choice[str]):
    """A choice that answers a near miss with what was probably meant."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:  # noqa: ARG002  click's signature
        return _not_one_of(str(value), list(self.choices))


class Levels(Parameter):
    """Comma-separated amounts in [0, 1], as fractions or decimals: 1/255,2/255."""

    name = "levels"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        from audit.gate.rules import amount

        found = [amount(part) for part in str(value).split(",")]
        if not all(number is not None and 0 < number <= 1 for number in found):
            self.fail(
                f'expected amounts above 0 and up to 1 such as "1/255,2/255", found "{value}"',
                param,
                ctx,
            )
        return tuple(number for number in found if number is not None)


class Shares(Parameter):
    """Comma-separated shares above 0 and below 1, as decimals or per cent: 0.02,10%."""

    name = "shares"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        from audit.errors import HipauditError
        from hipaudit.shares import read_shares

        try:
            return read_shares(value)
        except HipauditError as error:
            self.fail(f"expected {error.expected}, found {error.found}. {error.fix}", param, ctx)


class Duration(Parameter):
    """A time such as 90s, 30m, 2h or 1h30m; a bare number is seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        text = str(value).strip()
        parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", text)
        seconds = 0.0
        if parts:
            hours, minutes, rest = (int(part or 0) for part in parts.groups())
            seconds = hours * 3600.0 + minutes * 60.0 + rest
        if seconds <= 0:
            self.fail(f'expected a time such as 30m, 90s or 2h, found "{value}"', param, ctx)
        return seconds


class Output(Parameter):
    """FMT=PATH; the format may be left out when the suffix of the path names it."""

    name = "fmt=path"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        if isinstance(value, tuple):
            return value
        kind, equals, path = str(value).partition("=")
        if not equals:
            kind, path = Path(kind).suffix.removeprefix("."), kind
        if not kind:
            self.fail(f'expected FMT=PATH such as "pdf=board.pdf", found "{value}"', param, ctx)
        if kind not in FORMATS:
            self.fail(_not_one_of(kind, list(FORMATS)), param, ctx)
        if not path:
            self.fail(f'expected {kind}=PATH, found "{value}"', param, ctx)
        return kind, Path(path)


class Names(Parameter):
    """Comma-separated names."""

    name = "a,b"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = tuple(part.strip() for part in str(value).split(","))
        if not all(names) or len(set(names)) != len(names):
            self.fail(f'expected different names such as "a,b", found "{value}"', param, ctx)
        return names


class Points(Parameter):
    """Comma-separated different numbers above 0."""

    name = "a,b"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            numbers = ()
        good = numbers and all(0 < number < float("inf") for number in numbers)
        if not good or len(set(numbers)) != len(numbers):
            self.fail(f'expected different numbers such as "128,224", found "{value}"', param, ctx)
        return numbers


class Setting(Parameter):
    """NAME.PARAMETER=VALUE: one parameter of a stress or a defence."""

    name = "name.parameter=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str, Any]:
        if isinstance(value, tuple):
            return value
        from audit.errors import HipauditError
        from hipaudit.settings import read_setting

        try:
            return read_setting(str(value))
        except HipauditError as error:
            self.fail(f"expected {error.expected}, found {error.found}. {error.fix}", param, ctx)


FILE = click.Path(path_type=Path)

MODEL = (
    click.option("--arch", help="torchvision name, or package.module:factory."),
    click.option("--classes", type=Names(), help="Class names in the order of the outputs."),
    click.option("--positive-class", help="The class that is the disease, e.g. fracture."),
    click.option(
        "--preprocess", type=FILE, metavar="FILE", help="A model.yaml: input size, mean, std, …"
    ),
    click.option("--threshold", type=click.FloatRange(0, 1), help="Deployed cut-off."),
    click.option("--trust-code", metavar="SHA256", help="Let this one exact file run code."),
    click.option("--sha256", help="Refuse the model unless its hash is this."),
    click.option(
        "--device",
        default="cpu",
        show_default=True,
        metavar="auto|cpu|cuda",
        help="Where to compute.",
    ),
)
PLACE = (
    click.option(
        "--data",
        type=FILE,
        required=True,
        metavar="PATH",
        help="Manifest CSV, class folders, split folders or a DICOM folder with labels.csv.",
    ),
    click.option("--labels", type=FILE, metavar="CSV", help="Table of labels for a DICOM folder."),
)
SPLIT = click.option("--split", help="Which part to read when the data has several.")
READING = (
    click.option(
        "--cluster-by", metavar="COLUMN", help="Column that says who is the same patient."
    ),
    click.option(
        "--max-skipped",
        type=click.FloatRange(0, 1),
        metavar="SHARE",
        help="Unreadable share above which the audit is inconclusive. [default: 0.05]",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Images decoded at a time.",
    ),
)
DATA = (*PLACE, SPLIT, *READING)
EVERY_SPLIT = (*PLACE, *READING)  # of a command that reads them all
TALK = (
    click.option("-q", "--quiet", is_flag=True, help="Only errors and the result."),
    click.option("-v", "--verbose", count=True, help="More words; tracebacks on errors."),
)
CONFIG = click.option(
    "--config",
    type=FILE,
    metavar="TOML",
    help="Rules. [default: ./hipaudit.toml, else [tool.hipaudit] of ./pyproject.toml]",
)
CARD = click.option(
    "--card",
    type=FILE,
    metavar="YAML",
    help="What people say about the model. [default: ./card.yaml]",
)
BASELINE = click.option(
    "--baseline", type=FILE, metavar="AUDIT.json", help="Earlier audit that max_drop compares with."
)
OUTPUT = click.option(
    "--output",
    "outputs",
    type=Output(),
    multiple=True,
    metavar="FMT=PATH",
    help=f"Also write there: {', '.join(FORMATS)}. Repeatable.",
)
EDITION = (
    click.option(
        "--language",
        type=OneOf(["en", "nl"]),
        default="en",
        show_default=True,
        help="Of the report's fixed text: English or Dutch.",
    ),
    click.option(
        "--suppress",
        type=click.IntRange(2),
        metavar="N",
        help="Print no count of images or patients from 1 to below N, nor what rests on one.",
    ),
    click.option(
        "--pdf-variant",
        "variant",
        type=OneOf(["pdf/ua-1", "pdf/a-3u"]),
        default="pdf/ua-1",
        show_default=True,
        help="For readers with assistive technology, or for archives.",
    ),
)
FORMAT = click.option(
    "--format",
    "form",
    type=OneOf(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="What goes to stdout: tables, the verdict as JSON, or GitHub annotations.",
)


def _not_one_of(word: str, known: list[str]) -> str:
    """The list, and a hint only where one of it is near."""
    hint = did_you_mean(word, known)
    near = "" if hint.startswith("Known") else f" {hint}"
    return f'"{word}" is not one of {", ".join(known)}.{near}'


def edition_of(flags: Mapping[str, Any]) -> Edition:
    """The edition of the report that was asked for."""
    from reports.edition import Edition

    return Edition(
        language=flags["language"],
        images=not flags["no_images"],
        suppress=flags["suppress"] or 0,
        variant=flags["variant"],
    )


def with_options(options: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    """One decorator out of several options, shown in the order given."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate
