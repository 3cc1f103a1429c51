"""What a rule asks and what was found, as a board reads it, from the parts of verdict.json.

A text that is not of the gate's own form is printed as it stands there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reports.language import N_, _, decimal, recorded
from reports.names import TOLD
from reports.numbers import (
    PER_1000,
    RATIOS,
    SCORES,
    amount,
    listed,
    metric_name,
    parameter_name,
    stress_name,
    under_defence,
)
from reports.verdict import Ruling

LONGEST = 600  # characters of a rule that are read
_RULE = re.compile(
    r"(?P<kind>gap in |drop in |)(?P<metric>\w+)(?: by (?P<by>.+?))?(?: between (?P<pair>.+?))?"
    r"(?: from the baseline)? (?P<asked>[≥≤] [\d.e+-]+(?: and [≥≤] [\d.e+-]+)*) \((?P<given>.*)\)"
)
# How the gate says that a number was held against a limit; what follows it is worth reading.
_HELD = re.compile(
    r"^.*?: (?:lower 95% limit|upper 95% limit|value) [^,]+, at (?:least|most) \S+ asked(?:; )?"
)
JUDGED = (
    N_("judged by its lower 95% limit"),
    N_("judged by its upper 95% limit"),
    N_("judged by its value"),
    N_("judged by both 95% limits"),
)


def asked(ruling: Ruling) -> str:
    """ "Sensitivity, view lateral: at least 60%, judged by its lower 95% limit"."""
    told = _parts(ruling)
    if told is None:
        return recorded(ruling.text)
    given = told["given"].split("; ")
    judged = [_(words) for words in JUDGED if words in given]
    least = [_least(words) for words in given if words.startswith("n at least ")]
    return ", ".join([f"{_subject(ruling, told)}: {_limits(ruling, told)}", *least, *judged])


def found(ruling: Ruling) -> str:
    """ "75.4% (95% CI 62.7–85.5%)", and what the gate adds to it or why there is no number."""
    return "; ".join(part for part in (_number(ruling), _rest(ruling)) if part)


def in_short(ruling: Ruling) -> str:
    """Asked and found in one line for page one."""
    told = _parts(ruling)
    if told is None:
        return recorded(ruling.text) if ruling.text else found(ruling)
    rest = "" if ruling.outcome in ("pass", "fail") and _number(ruling) else _rest(ruling)
    head = f"{_subject(ruling, told)} {_limits(ruling, told)}"
    tail = "; ".join(part for part in (_number(ruling), rest) if part)
    return f"{head}: {tail}" if tail else head


def _parts(ruling: Ruling) -> re.Match[str] | None:
    told = _RULE.fullmatch(ruling.text[:LONGEST])
    return told if told and told["metric"] == ruling.metric else None


def _subject(ruling: Ruling, told: re.Match[str]) -> str:
    name = metric_name(ruling.metric)
    if told["kind"] == "drop in ":
        name = _("drop in {metric} from the baseline").format(metric=name)
    elif told["pair"]:
        values = listed(told["pair"].split(" and "))
        name = _("gap in {metric} by {attribute} between {values}").format(
            metric=name, attribute=_named(told["by"]), values=values
        )
    elif told["by"]:
        name = _("gap in {metric} by {attribute}").format(metric=name, attribute=_named(told["by"]))
    return ", ".join([name, *_where(ruling.where)])


def _where(where: Mapping[str, str]) -> list[str]:
    """["under FGSM", "ε = 2/255", "view lateral"]."""
    words = []
    for key, value in where.items():
        if key == "stress":
            words.append(_("under {stress}").format(stress=stress_name(value)))
        elif key == "defence":
            words.append(under_defence(value))
        elif key == "epsilon":
            words.append(f"ε = {decimal(value)}")
        else:
            words.append(f"{_named(key)} {value}")
    return words


def _named(key: str) -> str:
    """A parameter has a name of ours; an attribute is data, named as there in every language."""
    return parameter_name(key) if key in TOLD else key.replace("_", " ")


def _limits(ruling: Ruling, told: re.Match[str]) -> str:
    sides = []
    for side in told["asked"].split(" and "):
        words = N_("at least {limit}") if side[0] == "≥" else N_("at most {limit}")
        sides.append(_(words).format(limit=_limit(ruling.metric, side[2:], told["kind"] != "")))
    return listed(sides)


def _limit(metric: str, number: str, of_difference: bool) -> str:
    """ "0.6" as "60%", of a difference as "60 points"; scores and ratios as the site wrote them."""
    if metric in SCORES | RATIOS | PER_1000 or metric.startswith("smallest_epsilon"):
        return decimal(number)
    try:
        share = decimal(f"{100 * float(number):.4g}")
    except ValueError:
        return number
    return _("{value} points").format(value=share) if of_difference else f"{share}%"


def _least(words: str) -> str:
    return _("n at least {n}").format(n=words.removeprefix("n at least "))


def _number(ruling: Ruling) -> str:
    if ruling.observed is None:
        return ""
    value = amount(ruling.metric, ruling.observed)
    if ruling.low is None or ruling.high is None:
        return value
    low, high = amount(ruling.metric, ruling.low), amount(ruling.metric, ruling.high)
    limits = f"{low.removesuffix('%')}–{high}"
    if ruling.low < 0:
        limits = _("{low} to {high}").format(low=low, high=high).replace("-", "−")
    return _("{value} (95% CI {interval})").format(value=value, interval=limits)


def _rest(ruling: Ruling) -> str:
    """The gate's reason without the comparison that the number itself shows."""
    text = ruling.reason[:LONGEST]
    held = _HELD.match(text)
    if held:
        text = text[held.end() :].strip(" ()")
    elif ": " in text and recorded(text) == text:
        tail = text.partition(": ")[2]
        told = recorded(tail)
        text = told if told != tail else text
    return recorded(text)
