"""The decision curve: net benefit of the model, of acting on everyone, and of acting on no one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit.results import Finding
from reports.figures.style import INSIDE, SOFT, look
from reports.language import _

Points = Sequence[tuple[float, Finding]]


def decision_pane(axes: Any, model: Points, everyone: Points) -> None:
    """Draws into `axes`.

    The vertical axis ends at the share of positives, which no net benefit exceeds, and starts a
    little below 0: how bad acting on everyone is far from its use would flatten all else.
    """
    style = look(0)
    at = [x for x, _f in model]
    (mine,) = axes.plot(at, [f.value for _x, f in model], **style)
    low, high = ([getattr(f, end) for _x, f in model] for end in ("low", "high"))
    axes.fill_between(at, low, high, color=style["color"], alpha=0.13, linewidth=0)
    (all_,) = axes.plot(
        [x for x, _f in everyone], [f.value for _x, f in everyone], **look(3), clip_on=True
    )
    nobody = axes.axhline(0, color=SOFT, linewidth=0.8, linestyle=(0, (2, 2)))
    most = _most(everyone)
    axes.set_ylim(-0.5 * most, 1.1 * most)
    axes.set_title(_("Decision curve"))
    axes.set_xlabel(_("Threshold probability"))
    axes.set_ylabel(_("Net benefit"))
    words = [_("the model, 95% band"), _("act on everyone"), _("act on no one")]
    axes.legend([mine, all_, nobody], words, fontsize=5.8, handlelength=2.6, **INSIDE)


def _most(everyone: Points) -> float:
    """The share of positives, from the net benefit of acting on everyone at one threshold."""
    at, found = everyone[0]
    odds = at / (1 - at)
    return ((found.value or 0.0) + odds) / (1 + odds)
