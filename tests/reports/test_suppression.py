"""Small cells are left out with what would tell them; every expectation is worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.errors import HipauditError
from audit.results import (
    Artefact,
    Curve,
    DataDescription,
    Finding,
    ModelDescription,
    Note,
    Plan,
    ProbeReport,
    Provenance,
    Results,
    Skipped,
)
from reports.suppression import suppressed, suppressed_below, suppressed_verdict
from tests.sample_results import sample_results

REASON = "suppressed: fewer than 5"


def rate(metric: str, k: int, n: int, **rest: object) -> Finding:
    return Finding(metric=metric, value=k / n, low=0.1, high=0.9, n=n, events=k, **rest)  # type: ignore[arg-type]


def results(*findings: Finding, **rest: object) -> Results:
    data = rest.pop("data", DataDescription(layout="folder", cases=400))
    return Results(
        model=ModelDescription(
            name="m", architecture="a", classes=("no", "yes"), positive_class="yes"
        ),
        data=data,  # type: ignore[arg-type]
        plan=Plan(preset="ci", seed=0),
        provenance=Provenance(date="2026-11-23"),
        findings=findings,
        **rest,  # type: ignore[arg-type]
    )


def told(found: Results) -> list[bool]:
    """Per finding whether its value is told."""
    return [f.value is not None for f in found.findings]


@pytest.mark.parametrize(
    ("events", "n", "stays"),
    [(0, 40, True), (1, 40, False), (4, 40, False), (5, 40, True), (36, 40, False), (35, 40, True),
     (40, 40, True), (3, 4, False), (0, 4, False), (0, 5, True)],
)  # fmt: skip
def test_a_count_its_complement_and_its_denominator_must_be_none_or_five(events, n, stays) -> None:
    (found,) = suppressed(results(rate("poor_quality", events, n)), 5).findings
    assert (found.value is not None) is stays
    if not stays:
        assert (found.low, found.high, found.events, found.p, found.reason) == (
            None, None, None, None, REASON,
        )  # fmt: skip


def test_without_one_row_of_the_table_nothing_mixes_the_two() -> None:
    """58 of 61 found (3 missed), 312 of 339 right: 370 of 400 less 312 would tell the 58."""
    before = results(
        rate("accuracy", 370, 400),
        rate("sensitivity", 58, 61),
        rate("specificity", 312, 339),
        rate("precision", 58, 85),
        Finding(metric="f1", value=0.79, n=88),
        Finding(metric="likelihood_ratio_positive", value=11.9, n=400),
        Finding(metric="ppv", params={"prevalence": 0.1}, value=0.57, n=400),
        Finding(metric="missed_per_1000", params={"prevalence": 0.1}, value=4.9, n=61),
        Finding(metric="false_alarms_per_1000", params={"prevalence": 0.1}, value=71.7, n=339),
        Finding(metric="auroc", value=0.9, n=400),
    )
    after = suppressed(before, 5)
    assert told(after) == [False, False, True, False, False, False, False, False, True, True]
    assert [after.findings[i].n for i in (0, 1)] == [400, 61], "known from the labels anyway"
    assert [after.findings[i].n for i in (3, 4)] == [0, 0], "85 − 27 would tell the 58"


def test_the_next_smallest_group_goes_with_a_suppressed_one() -> None:
    """Missed: 3 of 12, 8 of 20, 10 of 60. 21 less 8 less 10 would tell the 3."""
    groups = {"a": (9, 12), "b": (12, 20), "c": (50, 60)}
    before = results(
        rate("sensitivity", 71, 92),
        *(rate("sensitivity", k, n, group={"view": v}) for v, (k, n) in groups.items()),
    )
    assert told(suppressed(before, 5)) == [True, False, False, True]


def test_groups_follow_until_their_sum_is_no_small_count() -> None:
    """Missed: 1 of 10, 2 of 12, 30 of 50: 1 + 2 is still a count below five."""
    groups = {"a": (9, 10), "b": (10, 12), "c": (20, 50)}
    before = results(
        rate("sensitivity", 39, 72),
        *(rate("sensitivity", k, n, group={"view": v}) for v, (k, n) in groups.items()),
    )
    assert told(suppressed(before, 5)) == [True, False, False, False]


def test_a_group_with_few_positives_is_left_out_as_a_whole_and_the_next_with_it() -> None:
    """Positives: 3, 20, 40. The 3 would follow from 63 less the others; so would 17 negatives."""
    sizes = {"a": (3, 17), "b": (20, 80), "c": (40, 240)}
    before = results(
        rate("sensitivity", 30, 63),
        rate("specificity", 300, 337),
        *(
            f
            for v, (p, n) in sizes.items()
            for f in (
                rate("sensitivity", p // 2 + 1, p, group={"view": v}),
                rate("specificity", n - 7, n, group={"view": v}),
                Finding(metric="auroc", value=0.8, n=p + n, group={"view": v}),
            )
        ),
    )
    after = suppressed(before, 5)
    assert told(after) == [True, True, *[False] * 6, True, True, True]
    assert {f.n for f in after.findings[2:8]} == {0}


def test_a_crossing_is_not_told_where_the_data_tell_how_many_its_group_holds() -> None:
    """View a: 20 cases, 2 of them negative. 16 women there would tell that 4 are men; of all that
    is left out, 5 positives and 32 others, none is few."""
    cells = [({}, 110, 110), ({"view": "a"}, 18, 2), ({"view": "b"}, 92, 108)]
    cells += [({"view": "a", "sex": "F"}, 16, 0), ({"view": "a", "sex": "M"}, 2, 2)]
    cells += [({"view": "b", "sex": "F"}, 3, 30), ({"view": "b", "sex": "M"}, 89, 78)]
    found = [
        rate(metric, n // 2, n, group=group) if n else Finding(metric=metric, n=0, group=group)
        for group, positive, negative in cells
        for metric, n in (("sensitivity", positive), ("specificity", negative))
    ]
    data = DataDescription(
        layout="folder",
        cases=220,
        attributes={"view": {"a": 20, "b": 200}, "sex": {"F": 49, "M": 171}},
    )
    after = suppressed(results(*found, data=data), 5)
    assert after.data.attributes["view"] == {"a": 20, "b": 200}
    women = [f for f in after.findings if f.group == {"view": "a", "sex": "F"}]
    assert [f.n for f in women] == [0, 0]
    assert {f.reason for f in women} == {REASON}


def test_what_a_stress_changed_in_few_cases_is_not_told_by_two_counts() -> None:
    """46 right without stress, 44 right both times: two cases changed."""
    where = {"stress": "fgsm", "params": {"epsilon": 0.01}}
    before = results(
        rate("sensitivity", 46, 61),
        rate("specificity", 312, 339),
        rate("robust_sensitivity", 44, 61, **where),
        rate("robust_specificity", 250, 339, **where),
        rate("robust_accuracy", 294, 400, **where),
        rate("attack_success", 64, 358, **where),
    )
    assert told(suppressed(before, 5)) == [True, True, False, True, False, False]


def test_a_difference_goes_with_either_of_its_sides() -> None:
    pair = {"contrast": "view=c", "low": -0.5, "high": 0.5, "n": 12}
    before = results(
        rate("sensitivity", 71, 92),
        *(
            rate("sensitivity", k, n, group={"view": v})
            for v, (k, n) in {"a": (9, 12), "b": (12, 20), "c": (50, 60), "d": (30, 45)}.items()
        ),
        Finding(metric="sensitivity", group={"view": "a"}, value=9 / 12 - 50 / 60, p=0.5, **pair),  # type: ignore[arg-type]
        Finding(metric="sensitivity", group={"view": "d"}, value=30 / 45 - 50 / 60, p=0.1, **pair),  # type: ignore[arg-type]
    )
    after = suppressed(before, 5)
    assert told(after)[-2:] == [False, True]
    assert after.findings[-2].p is None


def test_a_defence_is_not_told_by_its_difference_from_none() -> None:
    before = results(
        rate("sensitivity", 46, 61),
        rate("sensitivity", 59, 61, defence="tta"),
        Finding(
            metric="sensitivity", defence="tta", contrast="defence=none", value=13 / 61, n=61, p=0.1
        ),
    )
    assert told(suppressed(before, 5)) == [True, False, False]


def test_halves_and_quartiles_of_a_whole_go_together() -> None:
    """3 poor of 400: the accuracy of the 397 others would tell them."""
    before = results(rate("accuracy", 300, 400))
    probe = ProbeReport(
        probe="quality",
        findings=(
            rate("poor_quality", 3, 400),
            rate("accuracy_poor", 1, 3),
            rate("accuracy_sound", 299, 397),
        ),
    )
    after = suppressed(before.model_copy(update={"probes": (probe,)}), 5)
    assert [f.value for f in after.probes[0].findings] == [None, None, None]
    assert [f.n for f in after.probes[0].findings] == [0, 0, 0]
    assert told(after) == [True]


def test_rare_labels_and_values_are_one_entry_that_is_not_small() -> None:
    data = DataDescription(
        layout="folder",
        cases=400,
        labels={"yes": 3, "no": 397},
        attributes={
            "part": {"foot": 2, "hip": 1, "hand": 97, "leg": 300},
            "sex": {"F": 200, "M": 200},
        },
        burned_in=2,
        skipped=tuple(Skipped(case=f"file {i}", reason="no pixel data") for i in range(3)),
    )  # fmt: skip
    after = suppressed(results(data=data), 5).data
    assert after.labels == {}, "the other of two labels would tell it"
    assert after.attributes["part"] == {"leg": 300, "(suppressed)": 100}
    assert after.attributes["sex"] == {"F": 200, "M": 200}
    assert (after.burned_in, after.skipped) == (0, ())
    assert {"burned-in-suppressed", "skipped-suppressed"} <= {note.code for note in after.notes}


def test_an_audit_of_fewer_patients_than_a_count_must_be_of_is_refused() -> None:
    data = DataDescription(layout="folder", cases=400, patients=4)
    with pytest.raises(HipauditError, match="an audit of at least 5 patients"):
        suppressed(results(data=data), 5)


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("3 of the images repeat one another", False),
        ("397 of 400 labels agree", False),
        ("18 of 400 images lie in the training data", True),
        ("rank correlation 0.15 (95% CI 0.13 to 0.18; n = 46), at ε = 2/255", True),
        ("n = 4 images", False),
        ("2/9 were wrong", False),
    ],
)
def test_notes_that_count_few_lose_their_text_and_keep_their_code(text, stays) -> None:
    note = Note(code="a-code", level="warning", text=text)
    (after, edition) = suppressed(results(notes=(note,)), 5).notes
    assert (after.code, after.level) == ("a-code", "warning")
    assert (after.text == text) is stays
    assert suppressed_below(suppressed(results(), 5)) == 5
    assert "below 5" in edition.text


def test_lists_of_few_cases_and_captions_that_count_few_are_left_out() -> None:
    few = [{"case": "0123456789abcdef", "label": "yes"}] * 3
    probe = ProbeReport(probe="p", details={"listed": few, "cells": {"FN": 4}, "seed": 3, "n": 40})
    picture = Artefact(
        path="a.png", kind="gradcam", sha256="00", title="FN", alt="one of 3 errors", caption="x"
    )
    after = suppressed(results(probes=(probe,), artefacts=(picture,)), 5)
    assert after.probes[0].details == {"seed": 3, "n": 40}
    assert after.artefacts[0].alt == "gradcam"
    assert after.artefacts[0].sha256 == "00"


def test_a_probe_may_not_keep_a_count_that_all_but_few_are_in_or_two_that_differ_by_few() -> None:
    kept = {"found_in": 396, "above": {"0.5": 300, "0.9": 200, "0.95": 198}, "looked_at": 395}
    after = suppressed(results(probes=(ProbeReport(probe="p", details=kept),)), 5)
    assert after.probes[0].details == {"looked_at": 395}


def test_baselines_tell_no_few_by_their_shares() -> None:
    """6 of 250 stand in the drift baselines as .024: counted with the next smallest, 22."""
    ages = {"<50": 6, "50-59": 22, "60+": 222}
    details = {
        "cases": 250,
        "labelled_positive": 0.432,
        "attributes": {"age": {name: n / 250 for name, n in ages.items()}},
        "decisions": {"none": {"cases": 250, "called_positive": 0.4, "referred": 0.028}},
    }
    data = DataDescription(layout="folder", cases=250, attributes={"age": ages})
    probe = ProbeReport(probe="drift_baselines", details=details)
    asked = results(probes=(probe,), data=data)
    told = suppressed(asked, 10).probes[0].details
    assert told["attributes"] == {"age": {"60+": 222 / 250, "(suppressed)": 28 / 250}}
    assert told["decisions"]["none"] == {"cases": 250, "called_positive": 0.4, "referred": None}
    assert told["labelled_positive"] == 0.432
    assert suppressed(asked, 5).probes[0].details == details


def test_pictures_of_an_outcome_that_few_have_are_not_shown() -> None:
    """The first three of each outcome are shown: where two are, there are two."""
    probe = ProbeReport(
        probe="gradcam",
        details={"cells": {"FP a": {"cases": 2, "shown": 2}, "TP a": {"cases": 41, "shown": 3}}},
    )
    pictures = tuple(
        Artefact(
            path=f"{outcome}.png",
            kind="gradcam",
            sha256="00",
            title=outcome,
            alt="x",
            caption="x",
            meta={"outcome": outcome, "view": "a"},
        )
        for outcome in ("FP", "TP")
    )
    after = suppressed(results(probes=(probe,), artefacts=pictures), 5)
    assert [picture.title for picture in after.artefacts] == ["TP"]


def test_cut_offs_with_few_cases_between_them_are_not_told_side_by_side() -> None:
    """60, 57 and 20 of 100 are handled alone: 3 lie between the first two cut-offs."""
    handled = [rate("handled_above", k, 100, params={"cutoff": c})
               for c, k in ((0.8, 60), (0.9, 57), (0.95, 20))]  # fmt: skip
    missed = [rate("missed_above", 10, n, params={"cutoff": c}) for c, n in ((0.8, 60), (0.9, 57))]
    after = suppressed(results(*handled, *missed), 5)
    assert told(after) == [True, False, True, True, False]
    assert after.findings[4].n == 0


def test_curves_of_few_go_and_one_on_which_a_told_rate_finds_a_hidden_one() -> None:
    """312 of 339 is told: at 27 false alarms the line says 58 of 61, which leaves the 3 missed."""
    line = {"x": (0.0, 27 / 339, 1.0), "y": (0.0, 58 / 61, 1.0), "at": (27 / 339, 58 / 61)}
    whole = Curve(kind="roc", n=400, events=61, **line)  # type: ignore[arg-type]
    few = Curve(kind="roc", n=400, events=3, group={"view": "a"}, **line)  # type: ignore[arg-type]
    rates = rate("sensitivity", 58, 61), rate("specificity", 312, 339)
    after = suppressed(results(*rates, curves=(whole, few)), 5)
    assert told(after) == [False, True]
    assert after.curves == ()
    plenty = rate("sensitivity", 50, 61), rate("specificity", 312, 339)
    assert suppressed(results(*plenty, curves=(whole, few)), 5).curves == (whole,)


def test_the_verdict_keeps_its_outcome_and_loses_numbers_that_are_hidden() -> None:
    before = results(rate("sensitivity", 58, 61), rate("specificity", 312, 339))
    after = suppressed(before, 5)
    rules = [
        {"id": "A", "metric": "sensitivity", "outcome": "fail", "observed": 58 / 61, "n": 61,
         "low": 0.8, "reason": "lower limit 0.86"},
        {"id": "B", "metric": "specificity", "outcome": "pass", "observed": 312 / 339, "n": 339,
         "low": 0.8, "reason": "lower limit 0.88"},
        {"id": "C", "metric": "auroc", "outcome": "inconclusive", "reason": "n = 3, fewer than 50"},
    ]  # fmt: skip
    one, two, three = suppressed_verdict({"rules": rules}, before, after, 5)["rules"]
    assert (one["outcome"], one["observed"], one["low"], one["n"]) == ("fail", None, None, None)
    assert one["reason"] == REASON
    assert two == rules[1]
    assert (three["outcome"], three["reason"]) == ("inconclusive", REASON)


def test_results_stay_as_they_are_and_nothing_to_hide_hides_nothing() -> None:
    before = sample_results()
    kept = before.to_json()
    assert suppressed(before, 0) is before
    suppressed(before, 5)
    assert before.to_json() == kept
    assert Results.model_validate_json(suppressed(before, 5).to_json()) == suppressed(before, 5)


def test_the_order_of_findings_attributes_and_files_changes_nothing(tmp_path: Path) -> None:
    """The same audit read back from audit.json, whose keys are sorted, hides the same."""
    before = sample_results()
    again = Results.model_validate_json(before.to_json())
    assert suppressed(again, 5).to_json() == suppressed(before, 5).to_json()
