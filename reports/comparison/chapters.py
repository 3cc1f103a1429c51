"""Which chapters the report on a comparison has, and what each is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reports.blocks import Block
from reports.comparison.material import ComparisonMaterial
from reports.comparison.panels import flips
from reports.comparison.panels.audits import what_differs
from reports.comparison.panels.calibration import calibration
from reports.comparison.panels.clean import with_defences, without_stress
from reports.comparison.panels.gate import rules_on_drops
from reports.comparison.panels.groups import by_group
from reports.comparison.panels.methods import limits, methods
from reports.comparison.panels.stressed import in_groups, stressed
from reports.comparison.panels.uncompared import not_compared
from reports.language import N_, _

Panel = Callable[[ComparisonMaterial], Sequence[Block]]
FLIPS: tuple[Panel, ...] = (flips.outcomes, flips.by_group, flips.under_stress, flips.cases)
PLAN: tuple[tuple[str, str, tuple[Panel, ...]], ...] = (
    ("clean", N_("Without stress"), (without_stress, with_defences)),
    ("groups", N_("Subgroups"), (by_group,)),
    ("stressed", N_("Under stress"), (stressed, in_groups)),
    ("calibration", N_("Calibration"), (calibration,)),
    ("flips", N_("Cases that flipped"), FLIPS),
    ("rules", N_("Rules of the site"), (rules_on_drops,)),
    ("not-compared", N_("What was not compared, and why"), (not_compared,)),
    ("audits", N_("What differs between the audits"), (what_differs,)),
    ("methods", N_("Limits and methods"), (limits, methods)),
)


@dataclass(frozen=True)
class Chapter:
    id: str
    number: int
    title: str
    blocks: Sequence[Block]


def chapters(material: ComparisonMaterial) -> list[Chapter]:
    """All of them, numbered, in the order of the report."""
    return [
        Chapter(name, number, _(title), [b for panel in panels for b in panel(material)])
        for number, (name, title, panels) in enumerate(PLAN, start=1)
    ]
