"""The gate's rules as data: `hipaudit.toml`, or `[tool.hipaudit]` in pyproject.toml."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Tuple = Annotated[tuple[str, ...], Field(strict=False)]
Share = Annotated[float, Field(gt=0, lt=1)]
Shares = Annotated[tuple[Share, ...], Field(strict=False, min_length=1, max_length=12)]
Wanted = bool | int | float | str
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
ANY = "any"  # in `where`: every value of a stress, defence or attribute


class Strict(BaseModel):
    """Unknown keys, NaN and wrong types ("0.3" for 0.3) are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=True
    )


class Rule(Strict):
    """One threshold on one metric.

    `where` selects findings: `stress` (unless named: "clean"; "any": every stress), `defence`
    (unless named: "none"), attributes (`view = "lateral"`) and parameters
    (`epsilon = "2/255"`). `bound` names what is judged: the lower or upper 95% limit or the
    point; unless named, the limit that makes the rule harder to meet. `min_n` is the least
    denominator. `gap_by` judges the difference between groups, `max_drop` the difference
    from a baseline audit.
    """

    id: Text
    metric: Text
    where: dict[str, Wanted] = {}
    minimum: float | None = Field(default=None, alias="min")
    maximum: float | None = Field(default=None, alias="max")
    max_drop: float | None = None
    gap_by: str | None = None
    between: Tuple | None = None
    bound: Literal["lower", "upper", "point"] | None = None
    min_n: Annotated[int, Field(ge=1)] | None = None
    level: Literal["error", "warn", "off"] = "error"

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Rule:
        low, high = self.minimum, self.maximum
        if low is None and high is None and self.max_drop is None:
            raise ValueError("a rule needs min, max or max_drop")
        if self.max_drop is not None and (low is not None or high is not None or self.gap_by):
            raise ValueError("max_drop stands alone: no min, max or gap_by beside it")
        if low is not None and high is not None and low > high:
            raise ValueError(f"min {low:g} is above max {high:g}")
        if self.gap_by and (high is None or low is not None):
            raise ValueError("gap_by needs max (the largest gap allowed) and no min")
        if self.between is not None and not self.gap_by:
            raise ValueError("between needs gap_by (which attribute?)")
        if self.between is not None and len(set(self.between)) < 2:
            raise ValueError("between needs two different values")
        # both sides of such a gap would hold the same cases, and their difference would be 0
        if self.gap_by in self.where:
            raise ValueError(f'gap_by compares by "{self.gap_by}": leave it out of where')
        if ANY in (self.between or ()):
            raise ValueError(f'between needs values, not "{ANY}"')
        return self


class Waiver(Strict):
    """Someone accepts that a rule is not met, until a day (that day included)."""

    rule: Text
    reason: Text
    owner: Text
    expires: date


class Gate(Strict):
    """`max_skipped`: share of unreadable cases above which nothing is concluded; None leaves
    it to the limit the audit was made with, which marks itself with a fault."""

    on_inconclusive: Literal["fail", "warn"] = "fail"
    assume_independent: bool = False
    max_skipped: Annotated[float, Field(ge=0, le=1)] | None = None
    rule: Annotated[tuple[Rule, ...], Field(strict=False)] = ()
    waiver: Annotated[tuple[Waiver, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Gate:
        ids = [rule.id for rule in self.rule]
        for name in ids:
            if ids.count(name) > 1:
                raise ValueError(f'two rules are called "{name}"')
        waived = [waiver.rule for waiver in self.waiver]
        for name in waived:
            if name not in ids:
                raise ValueError(f'a waiver names the rule "{name}", which does not exist')
            if waived.count(name) > 1:
                raise ValueError(f'two waivers name the rule "{name}"')
        return self


class DataSettings(Strict):
    """What is always true of this site's data; flags of the command line go before it.

    `prevalences`: shares of positives where the model is used, for what depends on them.
    """

    positive_class: str | None = None
    classes: Tuple | None = None
    cluster_by: str | None = None
    subgroups: Tuple | None = None
    prevalences: Shares | None = None


class GateRules(Strict):
    """A whole rule file. `sha256` is of the file's bytes (in pyproject.toml: of the table as
    sorted JSON, so that other tools' settings do not change it); `name` is the file's name
    without folder; `lines` gives the line each rule starts on."""

    version: Literal[1] = Field(alias="schema")
    data: DataSettings = DataSettings()
    gate: Gate = Gate()
    sha256: str | None = None
    name: str = ""
    lines: dict[str, int] = {}

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self.gate.rule


def amount(value: Wanted) -> float | None:
    """A number written as a number, a decimal or a fraction; None when it is not one.

    >>> amount("2/255") == 2 / 255, amount(0.1), amount("lateral")
    (True, 0.1, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    parts = re.fullmatch(r"\s*([\d.eE+-]+)\s*(?:/\s*([\d.]+)\s*)?", value)
    if parts is None:
        return None
    try:
        number = float(parts[1]) / float(parts[2] or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None
