"""Section 5: how many cases a human must read again to bound what is missed."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding, Scalar
from reports.blocks import Block, Cell, Table, Text
from reports.language import _, decimal, recorded
from reports.material import Material
from reports.panels.registry import panel
from reports.referral import cut_off_text

PLAN = "spot-check-plan"


@panel("spot_checks")
def spot_checks(material: Material) -> Sequence[Block]:
    """The rule in words, then cases to re-read by level and misses allowed."""
    report = next(
        (r for r in material.results.probes if r.probe == "spot_check" and r.state == "done"), None
    )
    sizes = [f for f in report.findings if f.metric == "spot_check_size"] if report else []
    if report is None or not sizes:
        return []
    cutoff = report.details.get("cutoff")
    levels = _values(sizes, "level")
    allowed = _values(sizes, "misses_allowed")
    rows: list[list[str | Cell]] = [
        [_below(level), *(_size(sizes, level, count, cutoff) for count in allowed)]
        for level in levels
    ]
    columns = [
        _("Missed, to show"),
        *(_("{n} missed when re-read").format(n=f"{count:g}") for count in allowed),
    ]
    note = _(
        "Cases to re-read at one-sided {confidence}; below: of the cases of this set above "
        "{cutoff}, a finite number, listed in seeded order in audit.json."
    ).format(
        confidence=decimal(f"{float(sizes[0].params['confidence']):.0%}"),
        cutoff=cut_off_text(float(cutoff)) if isinstance(cutoff, float) else "–",
    )
    words = [Text(recorded(n.text), _("Spot checks.")) for n in report.notes if n.code == PLAN]
    part = 76 // len(allowed)
    numeric = frozenset(range(1, 1 + len(allowed)))
    table = Table(
        _("Spot checks of what is handled alone"),
        columns,
        rows,
        note,
        numeric,
        (24, *[part] * len(allowed)),
    )
    return [*words, table]


def _values(sizes: Sequence[Finding], name: str) -> list[float]:
    return sorted({float(f.params[name]) for f in sizes})


def _below(level: float) -> str:
    return _("below {level}").format(level=decimal(f"{level:.1%}"))


def _size(sizes: Sequence[Finding], level: float, allowed: float, cutoff: Scalar | None) -> Cell:
    """For cases still to come, and below it for those of this set above the cut-off."""
    those = {
        f.params.get("cutoff"): f
        for f in sizes
        if (f.params["level"], f.params["misses_allowed"]) == (level, allowed)
    }
    coming, here = those.get(None), those.get(cutoff)
    return Cell(_count(coming), sub=_("of this set {n} of {all}").format(
        n=_count(here), all=here.n if here else "–"
    ))  # fmt: skip


def _count(f: Finding | None) -> str:
    return "–" if f is None or f.value is None else f"{f.value:.0f}"
