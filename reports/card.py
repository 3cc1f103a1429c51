"""card.yaml: what only people can say about the model. Every field may be left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from audit.errors import HipauditError, did_you_mean
from reports.card_template import TEMPLATE
from reports.wording import overclaims
from reports.yaml_lines import read_yaml

__all__ = ["TEMPLATE", "Card", "card_overclaims", "load_card", "statements"]

LARGEST = 256 * 1024


def _not_none(value: object) -> object:
    if isinstance(value, str) and value.strip().strip(".").lower() in {"none", "no", "n/a", "-"}:
        raise ValueError('"none" is not accepted here; say what was looked for and found')
    return value


Words = Annotated[str, Field(max_length=8000)]
Text = Words | None
Stated = Annotated[Words | None, BeforeValidator(_not_none)]
YesNo = bool | None


class Group(BaseModel):
    """A group of human statements; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Identity(Group):
    version: Text = None
    developer: Text = None
    contact: Text = None
    licence: Text = None
    funding: Text = None


class Purpose(Group):
    intended_purpose: Text = None
    users: Text = None
    population: Text = None
    role: Literal["informs", "augments", "replaces"] | None = None
    workflow: Text = None
    out_of_scope: Text = None


class Regulation(Group):
    track: Text = None
    mdr_class: Text = None
    udi: Text = None
    in_house_declaration: Text = None
    research_only: YesNo = None
    emergency_triage: YesNo = None


class Data(Group):
    source: Text = None
    dates: Text = None
    sampling: Text = None
    reference_standard: Text = None
    annotators: Text = None
    agreement: Text = None
    exclusions: Text = None


class Performance(Group):
    prevalences: list[Annotated[float, Field(gt=0, lt=1)]] = Field(default=[], max_length=12)
    acceptable_values: Text = None
    justification: Text = None


class Review(Group):
    rule: Text = None
    cut_off: Text = None


class Subgroups(Group):
    bias: Stated = None
    not_available: Text = None


class Explainability(Group):
    use_of_maps: Text = None


class Risk(Group):
    failure_mode: Annotated[str, Field(max_length=2000)]
    severity: Text = None
    detectability: Text = None
    control: Text = None
    residual: Text = None
    owner: Text = None


class Oversight(Group):
    overseer: Text = None
    training: Text = None
    override: Text = None
    automation_bias: Text = None
    patient_information: Text = None


class LegalBasis(Group):
    """GDPR Article 6 basis and Article 9(2) condition of one purpose, and the law behind it."""

    article_6: Text = None
    article_9_2: Text = None
    national_law: Text = None


class DataProtection(Group):
    category: Text = None
    development: LegalBasis = LegalBasis()
    this_audit: LegalBasis = LegalBasis()
    clinical_use: LegalBasis = LegalBasis()
    monitoring: LegalBasis = LegalBasis()
    purpose_limitation: Text = None
    automated_decisions: Text = None
    measures: Text = None
    records: Text = None
    dpia: Text = None
    research_protections: Text = None
    retention: Text = None
    opt_out: Text = None


class Security(Group):
    access_control: Text = None
    incident_owner: Text = None


class Accountability(Group):
    controller: Text = None
    processor: Text = None
    manufacturer: Text = None
    deployer: Text = None
    liability: Text = None
    secondary_use: Text = None
    autonomy: Text = None
    stakeholders: Text = None
    dissent: Text = None


class Monitoring(Group):
    owner: Text = None
    frequency: Text = None
    triggers: Text = None
    rollback: Text = None
    expiry: Text = None


class Limitations(Group):
    known: Stated = None


class PlainLanguage(Group):
    summary: Text = None


class Board(Group):
    name: Text = None
    decision: Text = None
    conditions: Text = None
    signatories: list[Annotated[str, Field(max_length=300)]] = Field(default=[], max_length=4)


class Card(Group):
    """The human statements of a report, grouped as its sections are."""

    identity: Identity = Identity()
    purpose: Purpose = Purpose()
    regulation: Regulation = Regulation()
    data: Data = Data()
    performance: Performance = Performance()
    review: Review = Review()
    subgroups: Subgroups = Subgroups()
    explainability: Explainability = Explainability()
    risks: list[Risk] = Field(default=[], max_length=200)
    oversight: Oversight = Oversight()
    data_protection: DataProtection = DataProtection()
    security: Security = Security()
    accountability: Accountability = Accountability()
    monitoring: Monitoring = Monitoring()
    limitations: Limitations = Limitations()
    plain_language: PlainLanguage = PlainLanguage()
    board: Board = Board()

    def get(self, path: str) -> Any:
        """The value at "group.field"; None when it was left blank."""
        value: Any = self
        for part in path.split("."):
            value = getattr(value, part)
        blank = isinstance(value, str) and not value.strip()
        return None if blank or value == [] else value


def load_card(path: Path) -> Card:
    """Read card.yaml. Raises HipauditError in one line, with the line number of the fault."""
    raw, lines = read_yaml(path, LARGEST)
    try:
        return Card.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        line = _line(lines, place)
        if first["type"] == "extra_forbidden":
            word = str(first["loc"][-1])
            known = _fields_at(first["loc"][:-1])
            raise HipauditError(
                f"a field of {path.name}", f'"{word}" on line {line}', did_you_mean(word, known)
            ) from error
        reason = first["msg"].removeprefix("Value error, ")
        raise HipauditError(
            f"a valid {place} in {path.name}", f"on line {line}: {reason}"
        ) from error


def _line(lines: Mapping[str, int], place: str) -> int:
    """The line of a place, or of the nearest enclosing place that has one."""
    while place and place not in lines:
        place = place.rpartition(".")[0]
    return lines.get(place, 1)


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Card
    for part in location:
        if part == "risks":
            model = Risk
        elif isinstance(part, str):
            found = model.model_fields[part].annotation
            model = found if isinstance(found, type) and issubclass(found, BaseModel) else model
    return list(model.model_fields)


def statements(card: Card) -> Iterator[tuple[str, str]]:
    """("purpose.users", "…") for every text somebody wrote."""
    yield from _walk("", card.model_dump())


def _walk(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _walk(f"{place}.{name}" if place else name, inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _walk(f"{place}.{number}", inner)


def card_overclaims(card: Card) -> list[tuple[str, str]]:
    """(place of the field, word) for each word the evidence cannot carry."""
    return [(place, word) for place, text in statements(card) for word in overclaims(text)]
