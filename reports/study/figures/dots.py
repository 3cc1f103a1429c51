"""Points with intervals in rows: one pane per metric, one marker per series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.results import Finding
from reports.figures.style import SOFT, as_address, drawing, look, shorten

Series = Mapping[str, Sequence[Finding | None]]


def dots(
    names: Sequence[str],
    panes: Mapping[str, Series],
    title: str,
    limits: tuple[float, float] = (0.0, 1.0),
    lines: Mapping[str, float] | None = None,
) -> str:
    """Rows `names` from the top. `limits` of the axis; in per cent unless they go below 0."""
    words = list(dict.fromkeys(word for series in panes.values() for word in series))
    thick = 0.13 * max(1, len(words)) + 0.12
    height = 0.6 + 0.25 * (len(words) > 1) + thick * len(names)
    with drawing(len(panes), 1, height, sharey=True) as (figure, grid):
        handles: dict[str, Any] = {}
        for axes, (metric, series) in zip(grid[0], panes.items(), strict=True):
            handles |= _pane(axes, series, words, limits)
            for name, value in (lines or {}).items():
                handles[name] = axes.axvline(
                    value, color=SOFT, linewidth=0.8, linestyle=(0, (2, 2))
                )
            axes.set_title(metric)
            axes.set_yticks(range(len(names)), [shorten(name, 48) for name in names])
            axes.set_ylim(len(names) - 0.4, -0.6)
        named = [word for word in handles if word]
        if len(named) > 1 or lines:
            figure.legend(
                [handles[word] for word in named],
                [shorten(word) for word in named],
                loc="outside upper left",
                ncols=min(4, len(named)),
            )
        return as_address(figure, title)


def _pane(
    axes: Any, series: Series, words: Sequence[str], limits: tuple[float, float]
) -> dict[str, Any]:
    handles = {}
    for word, found in series.items():
        at = words.index(word)
        style = look(at)
        shift = 0.0 if len(words) == 1 else -0.28 + 0.56 * at / (len(words) - 1)
        for row, f in enumerate(found):
            if f is None or f.value is None:
                continue
            if f.low is not None and f.high is not None:
                axes.plot([f.low, f.high], [row + shift] * 2, color=style["color"], linewidth=1.1)
            (handles[word],) = axes.plot(
                f.value, row + shift, color=style["color"], marker=style["marker"], ls=""
            )
    _axis(axes, limits)
    return handles


def _axis(axes: Any, limits: tuple[float, float]) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    low, high = limits
    room = 0.02 * (high - low)
    axes.set_xlim(low - room, high + room)
    if low >= 0:
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
