"""Section 4: predictive values, the decision curve, and errors per 1,000 patients under stress."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.figures.decision import decision
from reports.material import Material, is_cell
from reports.numbers import amount, defence_name, interval, setting, short
from reports.operating import at, declared, disagreement, percent
from reports.panels.registry import panel

MOST_ROWS = 40
MOST_PREVALENCES = 3
RATES = ("missed_per_1000", "false_alarms_per_1000")


@panel("predictive_values")
def predictive_values(material: Material) -> Sequence[Block]:
    shares = declared(material)
    if not shares:
        return _by_card(material)
    metrics = ("ppv", "npv", *RATES)
    rows: list[list[str | Cell]] = [
        [percent([share]), *(_cell(at(material, metric, share)) for metric in metrics)]
        for share in shares
    ]
    columns = ["Prevalence", "PPV", "NPV", "Missed per 1,000", "False alarms per 1,000"]
    note = (
        "At the deployed threshold, from the sensitivity and specificity of this set; the share "
        "of positives of the set plays no part. 95% CI below each value."
    )
    if len(shares) < 3:
        note += " Fewer than three prevalences were declared."
    caption = "Predictive values and errors at declared prevalences"
    table = Table(caption, columns, rows, note, frozenset({0, 1, 2, 3, 4}), (16, 20, 20, 22, 22))
    words = disagreement(material)
    return [table, Text(words, "Two declarations differ.")] if words else [table]


def _by_card(material: Material) -> Sequence[Block]:
    """Without intervals, from the rates, where only the card declares prevalences."""
    sens, spec = material.clean("sensitivity"), material.clean("specificity")
    shares = material.card.performance.prevalences
    if not (sens and spec) or sens.value is None or spec.value is None:
        return []
    if len(shares) < 3:
        words = (
            "NOT SUPPLIED: three or more prevalences of the site (hipaudit run --prevalence, or "
            "card.yaml, performance.prevalences). PPV and NPV of this set hold at its own share "
            "of positives only and are not given for practice."
        )
        return [Text(words, "Predictive values at declared prevalences.")]
    rows = [_bayes(share, sens.value, spec.value) for share in shares]
    columns = ["Prevalence", "PPV", "NPV", "Missed per 1,000"]
    note = (
        "By Bayes' rule from the sensitivity and specificity above; interval not computed: it "
        f"takes hipaudit run … --prevalence {percent(sorted(shares)).replace(' ', '')}."
    )
    caption = "Predictive values at declared prevalences"
    return [Table(caption, columns, rows, note, frozenset({0, 1, 2, 3}), (25, 25, 25, 25))]


def _bayes(share: float, sens: float, spec: float) -> list[str]:
    hit, alarm = share * sens, (1 - share) * (1 - spec)
    quiet, missed = (1 - share) * spec, share * (1 - sens)
    ppv = f"{100 * hit / (hit + alarm):.1f}%" if hit + alarm else "–"
    npv = f"{100 * quiet / (quiet + missed):.2f}%" if quiet + missed else "–"
    return [percent([share]), ppv, npv, f"{1000 * missed:.1f}"]


def _cell(finding: Finding | None) -> Cell:
    if finding is None:
        return Cell("–", sub="not computed")
    if finding.value is None:
        return Cell("–", sub=finding.reason or "not computed")
    return Cell(amount(finding.metric, finding.value), sub=interval(finding))


@panel("decision_curve")
def decision_curve(material: Material) -> Sequence[Block]:
    found = [(None, "At the share of positives of this set"), *(
        (share, f"At a prevalence of {percent([share])}") for share in declared(material)[:1]
    )]  # fmt: skip
    curves = [
        (heading, _curve(material, "net_benefit", share),
         _curve(material, "net_benefit_of_all", share))
        for share, heading in found
    ]  # fmt: skip
    curves = [one for one in curves if one[1] and one[2]]
    if not curves:
        return []
    title = "Decision curve"
    alt = f"{title}. " + " ".join(
        f"{heading}: net benefit of the model {short(model[0][1])} at a threshold of "
        f"{model[0][0]:g}, {short(model[-1][1])} at {model[-1][0]:g}."
        for heading, model, _ in curves
    )
    caption = (
        "A model is of use at a threshold where its curve lies above both others. The threshold "
        "says how many false alarms someone would accept for one hit: 1 at .5, 9 at .1."
    )
    rows: list[list[str | Cell]] = [
        [f"{point:g}", *(text for _, *both in curves for text in _pair(both, i))]
        for i, (point, _) in enumerate(curves[0][1])
    ]
    columns = ["Threshold"]
    for heading, _, _ in curves:
        where = heading.removeprefix("At ").removeprefix("the ").removeprefix("a ")
        columns += [f"Model, {where}", "Everyone"]
    width = (88 // len(curves)) // 2
    widths = (12, *[width] * (2 * len(curves)))
    numeric = frozenset(range(len(columns)))
    picture = Figure(decision(curves, title), alt, caption)
    return [picture, Table("Net benefit per patient", columns, rows, "", numeric, widths)]


def _pair(both: Sequence[Sequence[tuple[float, Finding]]], i: int) -> list[str]:
    model, everyone = both[0][i][1], both[1][i][1]
    return [short(model), amount(everyone.metric, everyone.value or 0.0)]


def _curve(material: Material, metric: str, share: float | None) -> list[tuple[float, Finding]]:
    found = material.results.find(metric, stress="clean", group={}, defence="none")
    return [
        (float(f.params["threshold"]), f)
        for f in found
        if f.value is not None and f.params.get("prevalence") == share
    ]


@panel("harm")
def harm(material: Material) -> Sequence[Block]:
    """Missed and false alarms per 1,000 under every stress, at up to three prevalences."""
    shares = declared(material)
    if not shares:
        return []
    if len(shares) > MOST_PREVALENCES:
        shares = [shares[0], shares[len(shares) // 2], shares[-1]]
    blocks: list[Block] = []
    for metric, title in zip(RATES, ("Missed", "False alarms"), strict=True):
        rows = _harm_rows(material, metric, shares)
        if len(rows) < 2:
            continue
        columns = ["Stress", "Defence", *(f"Prevalence {percent([share])}" for share in shares)]
        note = (
            "At the deployed threshold, if nobody looks after the model; 95% CI. The worst case "
            "over attacks counts an image as lost that any attack fooled."
        )
        if len(rows) > MOST_ROWS:
            note += f" The first {MOST_ROWS} of {len(rows)} rows; all are in audit.json."
        widths = (34, 15, *[51 // len(shares)] * len(shares))
        blocks.append(
            Table(f"{title} per 1,000 patients, by stress", columns, rows[:MOST_ROWS], note,
                  frozenset(range(2, 2 + len(shares))), widths)
        )  # fmt: skip
    return blocks


def _harm_rows(material: Material, metric: str, shares: Sequence[float]) -> list[list[str | Cell]]:
    rows: dict[tuple[str, str], dict[object, Finding]] = {}
    for f in material.results.find(metric, group={}, contrast=None):
        if not is_cell(f):
            params = {k: v for k, v in f.params.items() if k != "prevalence"}
            where = setting(f.model_copy(update={"params": params}))
            rows.setdefault((where, defence_name(f.defence)), {})[f.params["prevalence"]] = f
    return [
        [where, defence, *(_cell(by_share.get(share)) for share in shares)]
        for (where, defence), by_share in rows.items()
    ]
