"""Section 4: the two-by-two table, and the lines behind the deployed rule."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Curve, Finding
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.figures.roc import Benefit, Line, cross, performance
from reports.language import _
from reports.material import Material
from reports.numbers import amount, full, level, setting
from reports.operating import benefit_share, net_benefit, where
from reports.panels.registry import panel
from reports.selection import chosen_on_these
from reports.suppression import mark
from reports.views import beside, line_is_of, settings_that_matter


@panel("chosen_here")
def chosen_here(material: Material) -> Sequence[Block]:
    """What makes every number of this section too good, where the model file says so."""
    words = chosen_on_these(material)
    return [Text(words, _("Optimistic."))] if words else []


@panel("two_by_two")
def two_by_two(material: Material) -> Sequence[Block]:
    sens, spec = material.clean("sensitivity"), material.clean("specificity")
    if not (sens and spec) or sens.events is None or spec.events is None:
        return []
    positive = material.results.model.positive_class
    rows: list[list[str | Cell]] = [
        [
            Cell(_("labelled {name}").format(name=positive), strong=True),
            *map(str, (sens.events, sens.n - sens.events, sens.n)),
        ],
        [
            Cell(_("labelled otherwise"), strong=True),
            *map(str, (spec.n - spec.events, spec.events, spec.n)),
        ],
    ]
    columns = ["", _("decided {name}").format(name=positive), _("decided otherwise"), _("all")]
    note = _("At the deployed rule. A decision that is not a number counts as wrong.")
    numeric = frozenset({1, 2, 3})
    return [Table(_("Two-by-two table"), columns, rows, note, numeric, (34, 26, 24, 16))]


@panel("performance_lines")
def performance_lines(material: Material) -> Sequence[Block]:
    views = settings_that_matter(material)
    roc = _lines(material, views, "roc")
    precision = _lines(material, views, "precision-recall")
    benefit = _benefit(material)
    if not roc and benefit is None:
        return [Text(words) for words in _left_out(material)]
    caption = " ".join(_captions(material, bool(roc), bool(precision), benefit))
    alt = " ".join([*_told(material, roc), *_told_benefit(benefit)])
    picture = performance(roc, precision, benefit, caption)
    panes = sum(map(bool, (roc, precision, benefit)))
    return [Figure(picture, alt, caption, "full" if panes > 1 else "half")]


def _lines(material: Material, views: Sequence[Finding], kind: str) -> list[Line]:
    """Lines of the views that have one, with the limits of the deployed rule's two rates."""
    found = []
    for view in views:
        curve = _curve(material, view, kind)
        if curve is None:
            continue
        sens, spec, precision = (
            beside(material, view, m) for m in ("sensitivity", "specificity", "precision")
        )
        ends = cross(spec, sens, turned=True) if kind == "roc" else cross(sens, precision)
        found.append(Line(setting(view), curve, ends))
    return found


def _curve(material: Material, view: Finding, kind: str) -> Curve | None:
    lines = (line for line in material.results.curves if line.kind == kind)
    return next((line for line in lines if line_is_of(line, view)), None)


def _benefit(material: Material) -> Benefit | None:
    share = benefit_share(material)
    model = net_benefit(material, "net_benefit", share)
    everyone = net_benefit(material, "net_benefit_of_all", share)
    return Benefit(model, everyone) if model and everyone else None


def _captions(material: Material, roc: bool, precision: bool, benefit: Benefit | None) -> list[str]:
    words = []
    if roc:
        words.append(
            _(
                "Each line: every threshold the score allows on these images. Open marker and "
                "cross: the deployed rule and its 95% limits. Dashed in ROC: guessing."
            )
        )
    if precision:
        words.append(
            _(
                "Precision holds at the share of positives of this set (dashed) and says nothing "
                "of another."
            )
        )
    if benefit is not None:
        told = where(benefit_share(material))
        words.append(
            _(
                "Decision curve, {where}: a model is of use at a threshold where its line lies "
                "above both others."
            ).format(where=told)
        )
    words.append(_("No line shows how another set would turn out."))
    return [*words, *_left_out(material)]


def _left_out(material: Material) -> list[str]:
    """That an edition without small counts may lack lines; which ones would tell."""
    if mark.suppressed_below(material.results) is None:
        return []
    return [_("Lines by which a small count could be reckoned are left out of this edition.")]


def _told(material: Material, roc: Sequence[Line]) -> list[str]:
    drawn = [
        view
        for view in settings_that_matter(material)
        if any(line_is_of(line.curve, view) for line in roc)
    ]
    words = _("ROC line, {name}: AUROC {value}.")
    return [words.format(name=setting(view), value=full(view)) for view in drawn]


def _told_benefit(benefit: Benefit | None) -> list[str]:
    if benefit is None:
        return []
    (first, least), (last, most) = benefit.model[0], benefit.model[-1]
    words = _("Decision curve: net benefit of the model {a} at a threshold of {b}, {c} at {d}.")
    told = {"b": level(first), "d": level(last)}
    a, c = (amount(f.metric, f.value or 0.0) for f in (least, most))
    return [words.format(a=a, c=c, **told)]
