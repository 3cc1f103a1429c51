"""Risk against coverage: how often the surest cases are wrong, and where cut-offs lie on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audit.results import Finding
from reports.figures.style import COLOURS, INSIDE, SOFT, look
from reports.language import _, decimal


@dataclass(frozen=True)
class Risk:
    """`curve`: (coverage, share wrong) by rising coverage. `cut_offs`: (cut-off, share handled
    alone, share wrong of it); the one that is `headline` gets a line."""

    curve: Sequence[tuple[float, Finding]]
    cut_offs: Sequence[tuple[float, float, float]]
    headline: float


def risk_pane(axes: Any, risk: Risk) -> None:
    """Draws into `axes`."""
    style = look(0)
    at = [100 * x for x, _f in risk.curve]
    handles = axes.plot(at, [100 * (f.value or 0) for _x, f in risk.curve], **style)
    banded = [(x, f) for x, f in risk.curve if f.low is not None and f.high is not None]
    axes.fill_between(
        [100 * x for x, _f in banded],
        [100 * (f.low or 0) for _x, f in banded],
        [100 * (f.high or 0) for _x, f in banded],
        color=style["color"],
        alpha=0.13,
        linewidth=0,
    )
    words = [_("wrong among the surest")]
    if risk.cut_offs:
        handles += axes.plot(
            [100 * x for _cutoff, x, _y in risk.cut_offs],
            [100 * y for _cutoff, _x, y in risk.cut_offs],
            color=COLOURS[1],
            marker="s",
            linestyle="",
        )
        words.append(_("cut-offs of the table"))
    for cutoff, x, _y in risk.cut_offs:
        if cutoff == risk.headline:
            handles.append(axes.axvline(100 * x, color=SOFT, linewidth=0.8, linestyle=(0, (2, 2))))
            words.append(_("cut-off {cutoff}").format(cutoff=decimal(f"{cutoff:.1%}")))
    axes.set_xlim(0, 102)
    axes.set_ylim(bottom=-0.5)
    axes.set_xticks(range(0, 101, 20), [f"{x}%" for x in range(0, 101, 20)])
    axes.yaxis.set_major_formatter(lambda y, _place: decimal(f"{y:g}%"))
    axes.set_title(_("Risk–coverage"))
    axes.set_xlabel(_("Handled alone, the surest first"))
    axes.set_ylabel(_("Wrong among these"))
    axes.legend(handles, words, fontsize=6, **INSIDE)
