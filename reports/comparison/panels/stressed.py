"""Chapter 3: both models under the same stresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.blocks import Block, Cell, Figure, Items, Table, Text
from reports.comparison.figures import forest
from reports.comparison.material import ComparisonMaterial
from reports.comparison.sweeps import Sweep, sweeps
from reports.comparison.words import change_cell, told
from reports.language import _
from reports.numbers import listed, metric_name, sentence, setting, under_defence

STRESSED = ("robust_sensitivity", "robust_specificity")
MOST = 25  # rows of a table and of a picture
LEVELS = 5  # columns of the matrix
NAMED = 12  # stresses in an alternative text
MOST_NAMED = 10  # sentences about groups
WIDTHS = (46, 10, 22, 22)


def stressed(material: ComparisonMaterial) -> Sequence[Block]:
    """At the strongest level of each stress, then over the levels, then under defences."""
    found = sweeps(material)
    plain = [sweep for sweep in found if sweep.defence == "none"]
    defended = [sweep for sweep in found if sweep.defence != "none"]
    if not found:
        return [Text(_("Nothing was compared under a stress: the audits share no stressed level."))]
    return [*_strongest(material, plain), *_matrix(plain), *_defended(material, defended)]


def _strongest(material: ComparisonMaterial, found: list[Sweep]) -> list[Block]:
    if not found:
        return []
    kept = _largest(found)
    names = [_at_strongest(sweep) for sweep in kept]
    panes = {m: [material.beside(sweep.strongest, m) for sweep in kept] for m in STRESSED}
    caption = _(
        "New − Base at the strongest level of each stress, with 95% CI, on the cases that both "
        "audits sampled. Filled: holds after Holm's adjustment. Strong is what both audits tried, "
        "not the worst that can be."
    )
    alt = _(
        "Forest plot of the difference in {metrics} for {groups}; the numbers are in the table "
        "below."
    ).format(
        metrics=listed([metric_name(m) for m in STRESSED]),
        groups=", ".join(name[:60] for name in names[:NAMED]),
    )
    rows: list[list[str | Cell]] = [
        [name, str(sweep.strongest.n), *(change_cell(panes[m][at]) for m in STRESSED)]
        for at, (name, sweep) in enumerate(zip(names, kept, strict=True))
    ]
    columns = [_("Stress"), _("Cases"), *(sentence(metric_name(m)) for m in STRESSED)]
    title = _("At the strongest level of each stress, without a defence")
    table = Table(title, columns, rows, _note(found, kept), frozenset({1, 2, 3}), WIDTHS)
    return [Figure(forest(names, panes, caption), alt, caption), table]


def _matrix(found: list[Sweep]) -> list[Block]:
    """Stress × level, of robust accuracy: only where there are several levels."""
    several = [sweep for sweep in found if len(sweep.points) > 1]
    if not several:
        return []
    kept = _largest(several)
    most = min(LEVELS, max(len(sweep.points) for sweep in kept))
    rows: list[list[str | Cell]] = [_levels(sweep, most) for sweep in kept]
    weaker = [_("{n} below").format(n=n) for n in range(most - 1, 0, -1)]
    note = _(
        "Points, with the level and the 95% CI below. Strongest is the end at which both models "
        "together lose more; of more than {n} levels the strongest {n} stand here."
    ).format(n=LEVELS)
    return [
        Table(
            _("Robust accuracy, New − Base, over the levels of each stress"),
            [_("Stress"), *weaker, _("strongest")],
            rows,
            f"{note} {_note(several, kept)}",
            frozenset(range(1, most + 1)),
            (100 - 15 * most, *([15] * most)),
        )
    ]


def _levels(sweep: Sweep, most: int) -> list[str | Cell]:
    points = sweep.points[-most:]
    cells: list[str | Cell] = [""] * (most - len(points))
    for one in points:
        cell = change_cell(one)
        cells.append(replace(cell, sub=f"{sweep.words(one)}: {cell.sub}"))
    return [sweep.name, *cells]


def _defended(material: ComparisonMaterial, found: list[Sweep]) -> list[Block]:
    """Both models under the same stress and the same defence, at the strongest level."""
    if not found:
        return []
    kept = _largest(found)
    rows: list[list[str | Cell]] = [
        [
            f"{_at_strongest(sweep)}, {under_defence(sweep.defence)}",
            str(sweep.strongest.n),
            *(change_cell(material.beside(sweep.strongest, m)) for m in STRESSED),
        ]
        for sweep in kept
    ]
    columns = [_("Stress and defence"), _("Cases"), *(sentence(metric_name(m)) for m in STRESSED)]
    title = _("At the strongest level of each stress, under a defence")
    return [Table(title, columns, rows, _note(found, kept), frozenset({1, 2, 3}), WIDTHS)]


def in_groups(material: ComparisonMaterial) -> Sequence[Block]:
    """Groups under stress: hundreds of differences, of which only what holds is named."""
    tested = [d for d in material.tested if d.group and d.stress != "clean"]
    if not tested:
        return []
    held = [d for d in tested if d.shown and d.verdict in ("worse", "better")]
    held.sort(key=lambda d: -abs(d.value or 0.0))
    if not held:
        words = _(
            "Of {n} differences in subgroups under a stress none has p below .05 after Holm's "
            "adjustment. All are in compare.json."
        )
        return [Text(words.format(n=len(tested)), _("In subgroups."))]
    words = _("In subgroups under stress: the {kept} largest of {held} that hold, of {n} tested")
    title = words.format(kept=min(MOST_NAMED, len(held)), held=len(held), n=len(tested))
    return [Items([told(material, d) for d in held[:MOST_NAMED]], title)]


def _at_strongest(sweep: Sweep) -> str:
    """ "FGSM, ε = 8/255"."""
    return setting(sweep.strongest)


def _largest(found: list[Sweep]) -> list[Sweep]:
    """All in their order, or those whose strongest level differs most."""
    if len(found) <= MOST:
        return found
    first = sorted(found, key=lambda sweep: -abs(sweep.strongest.value or 0.0))[:MOST]
    return [sweep for sweep in found if sweep in first]


def _note(found: list[Sweep], kept: list[Sweep]) -> str:
    words = _("Bold: the interval lies off 0; *: p below .05 after Holm's adjustment too.")
    if len(kept) == len(found):
        return words
    cut = _("The {n} with the largest difference in robust accuracy; all {total} are in {file}.")
    return f"{words} {cut.format(n=len(kept), total=len(found), file='compare.json')}"
