"""The three papers a site brings to an audit: rules, card, baseline. Read before any work."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from audit.results import GateFile, Results, read_results

if TYPE_CHECKING:
    from audit.gate.rules import GateRules
    from reports.card import Card

RULES = "hipaudit.toml"
PYPROJECT = "pyproject.toml"
CARD = "card.yaml"
AUDIT = "audit.json"


@dataclass(frozen=True)
class Papers:
    """None where a site has none. `baseline_from`: the audit folder it lies in, where its
    predictions may be; None for a copy under another name. `files`: those to attach to the
    report, by name."""

    rules: GateRules | None = None
    card: Card | None = None
    baseline: Results | None = None
    baseline_from: Path | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    rules_at: str = ""  # as seen from the top of the repository; "" where it lies outside

    @property
    def gate_file(self) -> GateFile | None:
        """The rules as they stand now, to be recorded before the first unit runs."""
        from audit.folder import today

        if self.rules is None or not self.rules.rules or self.rules.sha256 is None:
            return None
        return GateFile(sha256=self.rules.sha256, recorded=today())


def read_papers(
    config: Path | None = None,
    card: Path | None = None,
    baseline: Path | None = None,
    *,
    with_card: bool = True,
    usual: bool = True,
) -> Papers:
    """What was named, else (`usual`) what lies in the working directory under its usual name.

    Raises HipauditError for a paper that was named and is not there, and for any that is
    malformed.
    """
    here = Path.cwd()
    if usual and config is None:
        config = _usual_rules(here)
    if usual and card is None and with_card and (here / CARD).is_file():
        card = here / CARD
    return Papers(
        rules=_rules(config) if config else None,
        card=_card(card) if card else None,
        baseline=read_results(baseline) if baseline else None,
        baseline_from=baseline.parent if baseline and baseline.name == AUDIT else None,
        files=_files(config, card),
        rules_at=_from_the_top(config) if config else "",
    )


def _rules(path: Path) -> GateRules:
    from audit.gate.rule_file import load_rules

    return load_rules(path)


def _card(path: Path) -> Card:
    from reports.card import load_card  # a quarter of the time that the gate may take

    return load_card(path)


def _from_the_top(config: Path) -> str:
    top = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    place = config.resolve()
    return place.relative_to(top).as_posix() if place.is_relative_to(top) else ""


def _files(config: Path | None, card: Path | None) -> dict[str, bytes]:
    """The card and the rule file as they are; a pyproject.toml is about more than the audit."""
    files = {CARD: card.read_bytes()} if card else {}
    if config and config.name != PYPROJECT:
        files[RULES] = config.read_bytes()
    return files


def _usual_rules(here: Path) -> Path | None:
    if (here / RULES).is_file():
        return here / RULES
    pyproject = here / PYPROJECT
    if not pyproject.is_file():
        return None
    try:
        table = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # somebody else's file: not ours to complain about
        return None
    tools = table.get("tool")
    return pyproject if isinstance(tools, dict) and "hipaudit" in tools else None
