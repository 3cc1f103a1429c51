"""The few numbers a person sees first, as rows: for the screen, Markdown and GitHub."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from audit.results import UNDEFENDED, Finding, Results, as_levels
from reports.masking import caveat, masked_defences
from reports.wording import FOOTER

if TYPE_CHECKING:
    from audit.gate.verdict import RuleVerdict, Verdict

CLEAN = ("accuracy", "sensitivity", "specificity", "auroc")
REFERRED = ("referral_rate", "accuracy_handled", "missed_handled", "unseen_error_rate")
BY_GROUP = ("sensitivity", "specificity")
UNDER_ATTACK = ("robust_sensitivity", "robust_specificity", "robust_accuracy")
WORDS = {
    "pass": "met",
    "fail": "NOT MET",
    "inconclusive": "inconclusive",
    "waived": "waived",
    "off": "off",
}


WORST_CASE = "worst_case"  # over attacks; it has no run of its own
Row = tuple[str, ...]
HEAD = ("metric", "under", "group", "value", "95% interval", "n")
STRESSED_HEAD = ("under", *(name.replace("_", " ") for name in UNDER_ATTACK), "cases")


def rows(results: Results) -> list[Row]:
    """Without stress: everyone, then by view (or the first attribute reported by)."""
    clean = [f for f in results.findings if f.stress == "clean" and f.contrast is None]
    repeated = _only_refer(results.findings)
    everyone = [
        f
        for f in clean
        if not f.group
        and (f.metric in REFERRED or (f.metric in CLEAN and f.defence not in repeated))
    ]
    attribute = _first_attribute(clean)
    grouped = [
        f
        for f in clean
        if f.defence == "none" and f.metric in BY_GROUP and list(f.group) == [attribute]
    ]
    return [_row(f) for f in [*everyone, *grouped]]


def stressed_rows(results: Results) -> list[Row]:
    """A row per stress and level: what was decided correctly without the stress and under it.

    An attack whose number may be an artefact of masked gradients is marked "†".
    """
    masked = set(masked_defences(results))
    attacks = {run.stress for run in results.plan.runs if run.kind == "attack"} | {WORST_CASE}
    repeated = _only_refer(results.findings)
    found = [
        f
        for f in results.findings
        if f.metric in UNDER_ATTACK
        and not f.group
        and f.contrast is None
        and f.defence not in repeated
    ]
    table: dict[str, dict[str, Finding]] = {}
    for f in _without_cells(found):
        mark = " †" if f.defence in masked and f.stress in attacks else ""
        table.setdefault(f"{under(f)}{mark}", {})[f.metric] = f
    return [
        (name, *(_short(cells.get(metric)) for metric in UNDER_ATTACK), _cases(cells))
        for name, cells in table.items()
        if not _combination_of_too_few(cells.values())
    ]


def _combination_of_too_few(cells: Iterable[Finding]) -> bool:
    """A worst case over attacks that share too few cases says nothing beside those attacks."""
    return all(f.stress == WORST_CASE and f.value is None for f in cells)


def footnote(results: Results) -> str:
    """What "†" means, or "" where nothing is marked."""
    said = caveat(results)
    return f"† {said}" if said else ""


def _only_refer(findings: Iterable[Finding]) -> set[str]:
    """Defences that change no decision: their other numbers are those without them."""
    return {
        f.defence
        for f in findings
        if f.metric == "unseen_error_rate" and f.contrast == "defence=none"
    }


def _first_attribute(findings: Iterable[Finding]) -> str | None:
    names = [next(iter(f.group)) for f in findings if len(f.group) == 1]
    return "view" if "view" in names else next(iter(names), None)


def _without_cells(findings: list[Finding]) -> list[Finding]:
    """A map of many cells is shown by its worst cell alone; an average is not robustness."""
    mapped = {(f.stress, f.defence) for f in findings if f.variant == "worst cell"}
    return [
        f
        for f in findings
        if f.variant != "average"
        and (f.variant == "worst cell" or (f.stress, f.defence) not in mapped)
    ]


def _row(finding: Finding) -> Row:
    value, interval = "–", finding.reason or ""
    if finding.value is not None:
        value = f"{finding.value:.3f}"
        interval = f"{finding.low:.3f}–{finding.high:.3f}" if has_interval(finding) else ""
        interval += " *" if finding.independent else ""
    group = ", ".join(f"{key} {name}" for key, name in finding.group.items()) or "everyone"
    n = str(finding.n) if finding.events is None else f"{finding.events}/{finding.n}"
    return finding.metric, under(finding), group, value, interval, n


def _short(finding: Finding | None) -> str:
    if finding is None:
        return ""
    if finding.value is None:
        return finding.reason or "–"
    if not has_interval(finding):
        return f"{finding.value:.3f}"
    return f"{finding.value:.3f} ({finding.low:.3f}–{finding.high:.3f})"


def _cases(cells: dict[str, Finding]) -> str:
    whole = cells.get("robust_accuracy")
    return str(whole.n) if whole else ""


def has_interval(part: Finding | RuleVerdict) -> bool:
    return part.low is not None and part.high is not None


def under(finding: Finding) -> str:
    """What the images went through, in words: "fgsm 2/255 with tta"."""
    parts = ["no stress" if finding.stress == "clean" else finding.stress]
    epsilon = finding.params.get("epsilon")
    if isinstance(epsilon, int | float) and not isinstance(epsilon, bool):
        parts.append(as_levels(epsilon))
    mode = finding.params.get("mode")
    parts += [str(mode)] if isinstance(mode, str) else []
    # a variant such as "epsilon=2/255" repeats the level; "worst cell" does not
    words = finding.variant if "=" not in finding.variant else ""
    parts += [f"({words})"] if words else []
    parts += [f"with {finding.defence}"] if finding.defence != "none" else []
    made_on = finding.params.get("surrogate")
    if made_on is not None:
        parts.append("(made without it)" if made_on == UNDEFENDED else f"(made on {made_on})")
    return " ".join(parts)


def judged(rule: RuleVerdict) -> str:
    """The number a rule was judged by, with its interval."""
    if rule.observed is None:
        return "–"
    known = f" ({rule.low:.3f}–{rule.high:.3f})" if has_interval(rule) else ""
    return f"{rule.observed:.3f}{known}"


def headline(verdict: Verdict) -> str:
    """The outcome in one line."""
    counts = {word: sum(r.outcome == word for r in verdict.rules) for word in WORDS}
    said = ", ".join(f"{count} {WORDS[word].lower()}" for word, count in counts.items() if count)
    if verdict.outcome == "no gate set":
        return "no gate set" + (f" ({said})" if said else "")
    return f"gate: {verdict.outcome} ({said})"


def as_markdown(results: Results, verdict: Verdict) -> str:
    """In words, then the rules and both tables, as Markdown."""
    from hipaudit.account import account

    lines = [
        f"## hipaudit: {markdown_cell(results.model.name)} on {markdown_cell(results.data.name)}",
        "",
    ]
    if results.data.synthetic:
        lines += ["**Synthetic images: says nothing about patients.**", ""]
    lines += [f"* {markdown_cell(f'{told.about}: {told.text}')}" for told in account(results)]
    lines += ["", f"**{headline(verdict)}**", ""]
    if verdict.rules:
        lines += markdown_table(
            ("rule", "asks", "found", "n", "verdict", "why"),
            (
                (r.id, r.text, judged(r), str(r.n or "–"), WORDS[r.outcome], r.reason)
                for r in verdict.rules
            ),
        )
    lines += markdown_table(HEAD, rows(results))
    lines += markdown_table(STRESSED_HEAD, stressed_rows(results))
    if remark := footnote(results):
        lines += [markdown_cell(remark), ""]
    return "\n".join([*lines, "\\* images treated as independent", "", f"_{FOOTER}_", ""])


def markdown_table(head: tuple[str, ...], body: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *(tuple(map(markdown_cell, row)) for row in body)]
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]


def markdown_cell(text: str) -> str:
    """Text that cannot break out of a table or carry markup."""
    plain = " ".join(text.split())
    for mark in "\\`|<>[]*_#":
        plain = plain.replace(mark, f"\\{mark}")
    return plain
