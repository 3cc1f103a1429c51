"""Section 7: dose and response, a set of axes per corruption, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table
from reports.cells import rate_cell
from reports.figures.curves import Pane, curves
from reports.material import Material, level_name
from reports.numbers import LEVELS, difference, level, metric_name, setting, stress_name
from reports.panels.registry import panel

METRICS = ("accuracy", "sensitivity", "specificity")
NO_STRESS = "accuracy without stress"
CONTRAST = "stress=clean"


@panel("corruption_curves")
def corruption_curves(material: Material) -> Sequence[Block]:
    panes = [pane for pane in (_pane(material, name) for name in _names(material)) if pane]
    table = dose_table(material, "corruption")
    if not panes:
        return table
    titles = ", ".join(pane.title for pane in panes)
    caption = (
        "Accuracy, sensitivity and specificity against severity, from none and mild (left) to "
        "gross. Bands: 95% CI. Dashed: accuracy of the same cases without stress."
    )
    alt = (
        f"One set of axes per corruption ({titles}): {', '.join(METRICS)} against severity with "
        "95% bands, and accuracy without stress as a dashed line. The numbers are in the tables "
        "below."
    )
    picture = curves(panes, "severity", caption)
    return [Figure(picture, alt, caption, "half" if len(panes) == 1 else "full"), *table]


@panel("corruption_table")
def corruption_table(material: Material) -> Sequence[Block]:
    rows: list[list[str | Cell]] = []
    found = [f for f in material.stressed("accuracy") if _corrupted(material, f)]
    for name in dict.fromkeys(f.stress for f in found):
        for f in _mild_first(material, [f for f in found if f.stress == name]):
            cells = [rate_cell(_like(material, f, metric)) for metric in METRICS]
            rows.append([setting(f), *cells, _change(_paired(material, f), counted=True)])
    if not rows:
        return []
    columns = ["Corruption", *(metric_name(m).capitalize() for m in METRICS), "Change, paired"]
    note = (
        "95% CI · k/n below each value. Change: of accuracy, in points, against the same cases "
        "without stress. † imprecise."
    )
    widths = (24, 19, 19, 19, 19)
    numeric = frozenset(range(1, len(columns)))
    return [Table("Decisions under corruption", columns, rows, note, numeric, widths)]


def dose_table(material: Material, kind: str) -> list[Block]:
    """Per run with three levels or more: from where on accuracy is lost, and how fast."""
    rows: list[list[str | Cell]] = []
    for f in material.results.find("first_loss", group={}, contrast=CONTRAST, defence="none"):
        if material.kind_of(f.stress) != kind or "surrogate" in f.params:
            continue
        found = f.value is not None
        where = setting(f) if found else stress_name(f.stress)
        step = _step(material, f)
        first: str | Cell = Cell("none", sub=f.reason or "")
        rows.append([where, _change(f) if found else first, _change(step)])
    if not rows:
        return []
    columns = ["First level with a detectable loss", "Change there", "Change per step, mean"]
    note = (
        "Change of accuracy in points against the same cases without stress, paired, 95% CI: "
        "detectable where the interval lies below 0. Each level is looked at on its own. None "
        "detected is no proof of none."
    )
    widths = (40, 32, 28)
    return [Table("Dose and response", columns, rows, note, frozenset({1, 2}), widths)]


def _names(material: Material) -> list[str]:
    """Corruptions whose levels count one by one, in the order of the audit."""
    found = [f.stress for f in material.stressed("accuracy") if _plain(material, f)]
    return list(dict.fromkeys(found))


def _corrupted(material: Material, f: Finding) -> bool:
    return f.defence == "none" and material.kind_of(f.stress) == "corruption"


def _plain(material: Material, f: Finding) -> bool:
    return not f.variant and _corrupted(material, f)


def _found(material: Material, stress: str, metric: str) -> list[Finding]:
    known = material.stressed(metric)
    return _mild_first(material, [f for f in known if f.stress == stress and _plain(material, f)])


def _mild_first(material: Material, found: list[Finding]) -> list[Finding]:
    """Levels as their run lists them, which is from mild to gross; a table has no order."""
    name = level_name(found)
    levels = [f.params[name] for f in found] if name else []
    for run in material.results.plan.runs:
        for planned in run.params.values():
            known = isinstance(planned, list) and all(level in planned for level in levels)
            if name and known and run.stress == found[0].stress:
                return sorted(found, key=lambda f: planned.index(f.params[name]))
    return found


def _pane(material: Material, stress: str) -> Pane | None:
    """From none over mild to gross; None without two levels of one number."""
    name = level_name(_found(material, stress, "accuracy"))
    if name is None:
        return None
    series: dict[str, list[tuple[float, Finding]]] = {}
    ticks: list[str] = []
    for metric in METRICS:
        found = _one_run(_found(material, stress, metric), name)
        if found:
            clean = _clean(material, found[0])
            series[metric_name(metric)] = list(enumerate([clean, *found]))
            ticks = ["none", *(level(f.params[name]) for f in found)]
    lines = {}
    height = series["accuracy"][0][1].value
    if height is not None:
        lines[NO_STRESS] = height
    return Pane(stress_name(stress), series, lines, LEVELS.get(name, name), ticks)


def _one_run(found: Sequence[Finding], name: str) -> list[Finding]:
    """Those that differ from the first in the level alone."""
    return [f for f in found if _rest(f, name) == _rest(found[0], name)]


def _rest(f: Finding, name: str) -> Mapping[str, object]:
    return {key: value for key, value in f.params.items() if key != name}


def _clean(material: Material, f: Finding) -> Finding:
    """What the same cases gave without stress; a sample has no interval of its own."""
    clean = material.clean(f.metric)
    if clean is not None and clean.n == f.n:
        return clean
    paired = _paired(material, f)
    known = f.value is not None and paired is not None and paired.value is not None
    value = (f.value or 0.0) - (paired.value or 0.0) if known and paired else None
    return Finding(metric=f.metric, value=value, n=f.n)


def _like(material: Material, f: Finding, metric: str) -> Finding | None:
    return _same(material.results.find(metric, contrast=None, stress=f.stress, group={}), f)


def _paired(material: Material, f: Finding) -> Finding | None:
    return _same(material.results.find(f.metric, contrast=CONTRAST, stress=f.stress, group={}), f)


def _step(material: Material, f: Finding) -> Finding | None:
    """The change per step of the run whose first loss this is: they differ in the level only."""
    found = material.results.find("change_per_step", contrast=CONTRAST, stress=f.stress)
    mine = [s for s in found if (s.variant, s.defence) == (f.variant, f.defence)]
    for s in mine:
        apart = {k for k in s.params.keys() | f.params.keys() if s.params.get(k) != f.params.get(k)}
        if len(apart) <= 1:
            return s
    return None


def _same(found: Sequence[Finding], f: Finding) -> Finding | None:
    alike = [
        o for o in found if (o.params, o.variant, o.defence) == (f.params, f.variant, f.defence)
    ]
    return alike[0] if alike else None


def _change(f: Finding | None, *, counted: bool = False) -> Cell:
    """ "−5.6 points" over its interval; `counted`: the number of cases stands elsewhere."""
    if f is None or f.value is None:
        return Cell("–", sub=(f.reason or "") if f else "not computed")
    value, _, rest = difference(f).partition(" (95% CI ")
    limits = rest.removesuffix(")")
    return Cell(value, sub=limits.partition("; n =")[0] if counted else limits)
