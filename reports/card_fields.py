"""The fields of card.yaml, grouped as the sections of the report are. Each may be left out."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reports.modes import MODES

# What says "none", without spaces and signs; signs alone, such as "--", say no more.
_NOTHING = {"", "0", "none", "no", "na", "nil", "null", "nothing", "notapplicable", "noneknown"}
_NOTHING |= {"geen", "nee", "nvt", "niets", "nietvantoepassing", "geenbekend"}


def _not_none(value: object) -> object:
    if isinstance(value, str) and re.sub(r"[\W_]", "", value).lower() in _NOTHING:
        said = value.strip()[:60]
        raise ValueError(f'"{said}" is not accepted here; say what was looked for')
    return value


def _day(value: str) -> str:
    """Words may say when ("a year after the first use"); what looks like a day must be one."""
    if re.fullmatch(r"\d+-\d+-\d+", value.strip()):
        try:
            date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("no such day; a day is written 2027-03-31") from None
    return value


def _mode(value: str) -> str:
    if value not in MODES:
        known = {"given": value[:60], "known": list(MODES)}
        raise PydanticCustomError("unknown_mode", '"{given}" is no failure mode', known)
    return value


Words = Annotated[str, Field(max_length=8000)]
Text = Words | None
Stated = Annotated[Words | None, BeforeValidator(_not_none)]
Day = Annotated[Words, AfterValidator(_day)] | None
YesNo = bool | None


class Group(BaseModel):
    """A group of human statements; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _blank_is_left_out(cls, raw: Any) -> Any:
        """A field with nothing behind it counts as not there; its name is still looked at."""
        if not isinstance(raw, dict):
            return raw
        known = cls.model_fields
        return {name: v for name, v in raw.items() if v is not None or name not in known}


class Identity(Group):
    version: Text = None
    environment: Text = None
    developer: Text = None
    contact: Text = None
    protocol: Text = None
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
    planned_half_width: Annotated[float, Field(gt=0, lt=0.5)] | None = None
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
    """A failure mode: one the report counts (`mode`), one described in words, or both."""

    mode: Annotated[str, AfterValidator(_mode)] | None = None
    failure_mode: Annotated[str, Field(max_length=2000)] | None = None
    severity: Text = None
    detectability: Text = None
    control: Text = None
    residual: Text = None
    owner: Text = None

    @model_validator(mode="after")
    def _names_something(self) -> Risk:
        if not (self.mode or self.failure_mode):
            raise ValueError("a risk needs a mode or a failure_mode")
        return self


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
    expiry: Day = None


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
    """The human statements of a report."""

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
