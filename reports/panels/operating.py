"""Section 4: the model at the deployed rule and beside it, at declared prevalences, and its use."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Table, Text
from reports.cells import BELOW_AREA, rate_cell
from reports.language import N_, _
from reports.material import Material
from reports.numbers import amount, interval, level, reason, setting, short
from reports.operating import at, benefit_share, net_benefit, percent, shares, where
from reports.panels.registry import panel
from reports.views import beside, settings_that_matter

AT_PREVALENCE = {
    "ppv": N_("PPV"),
    "npv": N_("NPV"),
    "missed_per_1000": N_("Missed per 1,000"),
    "false_alarms_per_1000": N_("False alarms per 1,000"),
}
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)  # printed; the rest is in audit.json


@panel("worst_settings")
def worst_settings(material: Material) -> Sequence[Block]:
    """The table under the lines: without stress, and where they lie lowest."""
    views = settings_that_matter(material)
    if len(views) < 2:
        return []
    metrics = ("auroc", "sensitivity", "specificity", "precision")
    known = [m for m in metrics if any(beside(material, view, m) for view in views)]
    rows: list[list[str | Cell]] = [
        [setting(view), *(rate_cell(beside(material, view, metric)) for metric in known)]
        for view in views
    ]
    words = {
        "auroc": _("AUROC"),
        "sensitivity": _("Sensitivity"),
        "specificity": _("Specificity"),
        "precision": _("Precision in this set"),
    }
    columns = [_("Setting"), *(words[metric] for metric in known)]
    note = _(
        "95% CI · k/n below each value. The attack and the natural change that lower the AUROC "
        "most, at the level that makes most decisions wrong; all others: sections 7 and 8. Under "
        "attack each case speaks by its worst image. † imprecise: half-width over 10 points."
    )
    note = " ".join([note, _(BELOW_AREA)])
    caption = _("Without stress, and where it is worst")
    part = 68 // len(known)
    numeric = frozenset(range(1, 1 + len(known)))
    return [Table(caption, columns, rows, note, numeric, (32, *[part] * len(known)))]


@panel("predictive_values")
def predictive_values(material: Material) -> Sequence[Block]:
    views, declared = _views(material), shares(material)
    if not views:
        return []
    if not declared:
        words = _(
            "NOT SUPPLIED: three or more prevalences of the site (hipaudit run --prevalence, or "
            "card.yaml, performance.prevalences). PPV and NPV of this set hold at its own share "
            "of positives only and are not given for practice."
        )
        return [Text(words, _("Predictive values at declared prevalences."))]
    clean, stressed = views[0], views[1:]
    middle = declared[(len(declared) - 1) // 2]
    rows = [_row(material, clean, share) for share in declared]
    rows += [_row(material, view, middle) for view in stressed]
    columns = [_("Prevalence"), _("Setting"), *(_(name) for name in AT_PREVALENCE.values())]
    note = _(
        "At the deployed rule, from sensitivity and specificity; the share of positives of this "
        "set plays no part. 95% CI below each value. Missed and false alarms: of 1,000 patients, "
        "if nobody looks after the model."
    )
    if len(declared) < 3:
        note += " " + _("Fewer than three prevalences were declared.")
    caption = _("Predictive values and errors at declared prevalences")
    return [
        Table(caption, columns, rows, note, frozenset({0, 2, 3, 4, 5}), (12, 28, 14, 14, 16, 16))
    ]


def _views(material: Material) -> list[Finding]:
    """Those of the lines; without an AUROC the deployed rule alone."""
    rule = material.clean("sensitivity")
    return settings_that_matter(material) or ([] if rule is None else [rule])


def _row(material: Material, view: Finding, share: float) -> list[str | Cell]:
    cells = [_cell(at(material, view, metric, share)) for metric in AT_PREVALENCE]
    return [percent([share]), setting(view), *cells]


def _cell(finding: Finding | None) -> Cell:
    if finding is None:
        return Cell("–", sub=_("not computed"))
    if finding.value is None:
        return Cell("–", sub=reason(finding))
    return Cell(amount(finding.metric, finding.value), sub=interval(finding))


@panel("decision_curve")
def decision_curve(material: Material) -> Sequence[Block]:
    """The table under the pane of the decision curve."""
    share = benefit_share(material)
    model = net_benefit(material, "net_benefit", share)
    everyone = dict(net_benefit(material, "net_benefit_of_all", share))
    told = [(point, f) for point, f in model if point in everyone]
    shown = [(point, f) for point, f in told if point in THRESHOLDS] or told
    if not shown:
        return []
    rows: list[list[str | Cell]] = [
        [level(point), short(f), amount(f.metric, everyone[point].value or 0.0)]
        for point, f in shown
    ]
    columns = [_("Threshold"), _("The model (95% CI)"), _("Acting on everyone")]
    note = _(
        "Per patient. The threshold says how many false alarms someone would accept for one hit: "
        "1 at .5, 9 at .1."
    )
    if len(shown) < len(told):
        note += " " + _("{shown} of {all} thresholds; all are in audit.json.").format(
            shown=len(shown), all=len(told)
        )
    caption = _("Net benefit {where}").format(where=where(share))
    return [Table(caption, columns, rows, note, frozenset({0, 1, 2}), (24, 46, 30))]
