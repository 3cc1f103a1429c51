"""What a person reads last: the account in words, the rules, the files."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len
from scipy.stats import beta

from audit.gate.verdict import RuleVerdict, Verdict
from audit.results import DataDescription, Results
from hipaudit.account import account, percent
from hipaudit.closing import clipped, closing, wrapped
from reports.suppression.mark import edition_note
from reports.wording import overclaims
from tests.sample_results import sample_results

WRITTEN = tuple(
    Path("hipaudit-out/m") / name
    for name in (
        *("audit.json", "verdict.json", "report.html", "report.pdf"),
        *("predictions.csv", "figures", "private/cases.csv"),
    )
)
HOSTILE = "<b>[red]\x1b[31m\u202e病院の名前" + "x" * 300 + "\n\n::error::"


def verdict(rules: int = 0, words: str = "sensitivity ≥ 0.9") -> Verdict:
    outcomes = ("pass", "fail", "inconclusive", "waived", "off")
    made = tuple(
        RuleVerdict(
            id=f"HA{number}",
            metric="sensitivity",
            outcome=outcomes[number % 5],
            level="error",
            observed=0.754,
            low=0.627,
            high=0.855,
            n=61,
            text=words,
            reason=words,
        )
        for number in range(rules)
    )
    if not made:
        return Verdict(outcome="no gate set", exit_code=0)
    return Verdict(outcome="fail", exit_code=1, rules=made, warnings=(words,) * 5)


def lines(results: Results, rules: int = 0, width: int = 80, **more: object) -> list[str]:
    found = closing(results, verdict(rules), WRITTEN, width=width, **more)
    return [text for _, text in found]


def test_the_first_sentence_counts_what_was_found_and_what_raised_no_alarm():
    """46 of 61 and 312 of 339, with Clopper-Pearson limits by scipy."""
    first = account(sample_results())[0]
    low, high = beta.ppf(0.025, 46, 16), beta.ppf(0.975, 47, 15)
    assert f"found 46 of 61 fractured (75%, 95% CI {100 * low:.0f}–{100 * high:.0f}%)" in first.text
    assert "no false alarm in 312 of 339 others (92%, 95% CI" in first.text


def test_the_worst_of_a_kind_is_the_largest_fall_over_all_its_levels():
    results = sample_results()
    told = {one.about: one.text for one in account(results)}
    kinds = {run.stress: run.kind for run in results.plan.runs} | {"worst_case": "attack"}
    clean = {"robust_sensitivity": 46 / 61, "robust_specificity": 312 / 339}
    for about, kind in (("Worst natural change", "corruption"), ("Worst attack", "attack")):
        falls = {
            (clean[f.metric] - f.value, f.events, f.n)
            for f in results.findings
            if f.metric in clean and not f.group and f.value is not None and f.contrast is None
            and f.defence == "none" and kinds[f.stress] == kind
        }  # fmt: skip
        _, events, n = max(falls)
        assert f"{events} of {n}" in told[about]
    assert "view lateral: found 12 of 21 (57%" in told["Worst group"]


def test_what_was_not_tested_or_not_counted_says_so():
    results = sample_results()
    plain = tuple(f for f in results.findings if f.stress == "clean" and not f.group)
    told = {one.about: one.text for one in account(results.model_copy(update={"findings": plain}))}
    assert told["Worst attack"] == "none was tested, or on too few images"
    assert told["Worst group"] == "no group is large enough"
    blank = tuple(f.model_copy(update={"value": None, "reason": "too few"}) for f in plain)
    (only,) = account(results.model_copy(update={"findings": blank}))
    assert only.text == "no rate was computed: too few"


def test_an_edition_without_small_counts_does_not_say_that_nothing_was_worse():
    """Every rate in groups and under stress is hidden: that is no sign that none fell."""
    whole = sample_results()
    gone = {"value": None, "low": None, "high": None, "reason": "suppressed: fewer than 5"}
    found = tuple(
        f if f.stress == "clean" and not f.group else f.model_copy(update=gone)
        for f in whole.findings
    )
    note = edition_note(5)
    told = account(whole.model_copy(update={"findings": found, "notes": (note,)}))
    assert [one.about for one in told][1:] == [
        "Worst natural change",
        "Worst attack",
        "Worst group",
    ]
    for one in told[1:]:
        assert one.text.startswith("none ")
        assert one.text.endswith("told here; small counts are left out") or (
            one.text == "none that is told here lies below everyone; small counts are left out"
        )


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0%"), (1.0, "100%"), (0.9949, "99.5%"), (0.9999, ">99.9%"), (0.0001, "<0.1%"),
     (0.004, "0.4%"), (0.5, "50%")],
)  # fmt: skip
def test_only_what_is_nothing_or_everything_reads_so(share, text):
    assert percent(share) == text


@pytest.mark.parametrize("rules", [0, 1, 3, 12])
@pytest.mark.parametrize("synthetic", [False, True])
def test_it_fits_a_terminal_of_80_columns_and_25_lines(rules, synthetic):
    found = lines(sample_results(synthetic=synthetic), rules, problems=["no PDF: " + "y" * 200])
    assert len(found) <= 25
    assert max(map(cell_len, found)) <= 80


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("full", [False, True])
def test_names_of_others_neither_overflow_nor_command_the_terminal(width, full):
    results = sample_results(synthetic=True)
    data: DataDescription = results.data.model_copy(update={"name": HOSTILE})
    model = results.model.model_copy(update={"positive_class": HOSTILE, "name": HOSTILE})
    views = {"frontal": HOSTILE, "lateral": f"{HOSTILE}2", "oblique": f"{HOSTILE}3"}
    findings = tuple(
        f.model_copy(update={"group": {HOSTILE: views[f.group["view"]]}}) if f.group else f
        for f in results.findings
    )
    changed = {"data": data, "model": model, "findings": findings}
    hostile = results.model_copy(update=changed)
    found = closing(hostile, verdict(6, HOSTILE), WRITTEN, [HOSTILE], width=width, full=full)
    texts = [text for _, text in found]
    assert max(map(cell_len, texts)) <= width
    assert all(text.isprintable() for text in texts)
    if width == 80 and not full:
        assert len(texts) <= 25


def test_a_long_folder_costs_rules_but_never_the_worst_nor_the_screen():
    folder = Path("/".join(["a-folder-of-a-long-name"] * 3))
    written = tuple(folder / path for path in WRITTEN)
    results = sample_results(synthetic=True)
    texts = [t for _, t in closing(results, verdict(12), written, ["no PDF"], width=80)]
    assert len(texts) <= 25
    (headline,) = [line for line in texts if line.startswith("gate: fail")]
    shown = [line for line in texts if " HA" in line]
    assert 1 <= len(shown) < 3
    assert f"; {len(shown)} of 12 rules:" in " ".join(texts)
    assert texts[texts.index(headline) + 1 :].index(shown[0]) <= 1
    assert all("NOT MET" in line for line in shown)
    assert "".join(texts).replace(" ", "").count(str(folder)) == 3


def test_no_text_of_others_is_a_command_to_the_runner_that_reads_the_log():
    hostile = "because " + "::stop-commands::x ##[add-mask]y " * 40
    found = closing(sample_results(), verdict(12, hostile), WRITTEN, [hostile], width=90, full=True)
    texts = [text for _, text in found]
    assert sum("stop-commands::x" in text for text in texts) > 40
    assert not [text for text in texts if text.lstrip().startswith("::") or "##[" in text]
    assert max(map(cell_len, texts)) <= 90


def test_a_log_gets_every_rule_and_every_reason_whole():
    results = sample_results()
    long = "because " + "many words " * 30 + "END"
    found = closing(results, verdict(12, long), WRITTEN, width=140, full=True)
    text = " ".join(" ".join(line for _, line in found).split())
    assert all(f"HA{number}:" in text for number in range(12))
    assert text.count("END") >= 12
    short = closing(results, verdict(12, long), WRITTEN, width=80)
    assert sum("HA" in line for _, line in short) == 3
    assert any("3 of 12 rules" in line for _, line in short)


def test_what_failed_comes_first_and_what_was_not_done_is_a_warning():
    found = lines(sample_results(), 12)
    rules = [line for line in found if " HA" in line]
    assert all("NOT MET" in line for line in rules[:2])
    assert "warning: run square failed: stopped at the time limit" in found


def test_no_word_promises_too_much():
    for told in account(sample_results()):
        assert overclaims(told.text) == []


def test_words_that_are_too_long_are_cut_where_the_line_ends():
    assert wrapped("abcdef gh", 4, 1) == ["abc", " def", " gh"]
    assert clipped("abcdef", 4) == "abc…"
    assert cell_len(clipped("病院の名前です", 7)) <= 7


def test_the_tables_come_with_v(hipaudit, audit_json):
    code, brief, _ = hipaudit("gate", audit_json)
    _, whole, _ = hipaudit("gate", audit_json, "-v")
    assert code == 0
    assert "found" in brief
    assert "95% interval" not in brief
    assert "95% interval" in whole
