"""Which cases two audits share, and what is refused or said when they do not fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.compare.compare import compare
from audit.decision import Decision
from audit.errors import HipauditError
from audit.evidence import Predictions, Subject
from tests.compare.audits import logits, predictions, subjects, written
from tests.tables import evidence, rows

TARGETS = [i % 2 for i in range(40)]
IDS = [f"c{i:04d}" for i in range(40)]


def table(ids=IDS, targets=TARGETS, patients=None, views=None, called=None) -> Predictions:
    return predictions(subjects(targets, patients, views, ids), called or targets)


def both(tmp_path, base: Predictions, new: Predictions, **asked):
    return compare(written(tmp_path / "base", base), written(tmp_path / "new", new), **asked)


def codes(found) -> set[str]:
    return {note.code for note in found.notes}


def test_cases_of_one_side_only_are_counted_and_left_out(tmp_path):
    new = table(ids=[f"c{i:04d}" for i in range(5, 45)], targets=[i % 2 for i in range(5, 45)])
    found = both(tmp_path, table(), new)
    assert (found.pairs.paired, found.pairs.only_base, found.pairs.only_new) == (35, 5, 5)
    assert {d.n for d in found.differences if d.metric == "accuracy"} == {35}
    (note,) = [note for note in found.notes if note.code == "cases-left-out"]
    assert "35 cases" in note.text


def test_audits_without_a_common_case_are_refused(tmp_path):
    with pytest.raises(HipauditError, match="none of 40 and 40 case ids in common"):
        both(tmp_path, table(), table(ids=[f"d{i:04d}" for i in range(40)]))


def test_two_labels_of_one_case_are_refused_with_the_count_and_the_first_ids(tmp_path):
    other = [1 - t if i < 7 else t for i, t in enumerate(TARGETS)]
    with pytest.raises(HipauditError, match=r"two for 7 of 40 cases \(c0000, c0001, .*c0004, …\)"):
        both(tmp_path, table(), table(targets=other))


def test_other_classes_are_refused(tmp_path):
    other = replace(table(), classes=("healthy", "fracture"))
    with pytest.raises(HipauditError, match="two models of the classes normal, fracture"):
        both(tmp_path, table(), other)


def test_another_positive_class_is_refused(tmp_path):
    with pytest.raises(HipauditError, match='"fracture" as the positive class of both'):
        both(tmp_path, table(), replace(table(), decision=Decision(0)))


def test_classes_in_another_order_are_the_same_classes(tmp_path):
    """NEW puts the fracture first; it calls case 3 wrong and everything else right."""
    called = [1 - t if i == 3 else t for i, t in enumerate(TARGETS)]
    known = tuple(Subject(f"c{i:04d}", 1 - t, None, {}) for i, t in enumerate(TARGETS))
    z = logits(called)[:, ::-1]
    clean = evidence(rows(range(40), z), range(40))
    turned = Predictions(known, ("fracture", "normal"), Decision(0), (clean,))
    found = both(tmp_path, table(), turned)
    assert [(flip.case, flip.change, flip.label) for flip in found.flips] == [
        ("c0003", "lost", "fracture")
    ]
    by_metric = {d.metric: d.value for d in found.differences}
    assert by_metric["sensitivity"] == pytest.approx(-1 / 20)
    assert by_metric["specificity"] == 0


def test_each_model_is_judged_by_its_own_threshold(tmp_path):
    base = replace(table(), decision=Decision(1, 0.5))
    strict = replace(table(), decision=Decision(1, 0.999))  # log-odds of 4 are too few
    found = both(tmp_path, base, strict)
    by_metric = {d.metric: d for d in found.differences}
    assert (by_metric["sensitivity"].base, by_metric["sensitivity"].new) == (1.0, 0.0)
    assert by_metric["auroc"].value == 0


def test_patients_are_bases_where_the_two_disagree_and_that_is_said(tmp_path):
    pairs = [f"P{i // 2:04d}" for i in range(40)]
    apart = [f"P{i:04d}" for i in range(40)]
    found = both(tmp_path, table(patients=pairs), table(patients=apart))
    assert found.pairs.patients == 20
    assert "patients-differ" in codes(found)


def test_patients_numbered_otherwise_are_the_same_patients(tmp_path):
    """A number says which patient comes first among the cases of one audit; no more."""
    one = [f"P{i // 2:04d}" for i in range(40)]
    two = [f"P{99 - i // 2:04d}" for i in range(40)]
    found = both(tmp_path, table(patients=one), table(patients=two))
    assert "patients-differ" not in codes(found)


def test_patients_known_to_one_audit_only_are_used(tmp_path):
    pairs = [f"P{i // 2:04d}" for i in range(40)]
    for base, new in ((None, pairs), (pairs, None)):
        found = both(tmp_path, table(patients=base), table(patients=new))
        assert found.pairs.patients == 20
        assert not any(d.independent for d in found.differences)
    unknown = both(tmp_path, table(), table())
    assert unknown.pairs.patients is None
    assert all(d.independent for d in unknown.differences)


def test_an_attribute_that_differs_is_bases_and_is_said(tmp_path):
    one, two = (["lateral" if i < edge else "frontal" for i in range(40)] for edge in (20, 23))
    found = both(tmp_path, table(views=one), table(views=two))
    sizes = {d.group["view"]: d.n for d in found.differences if d.metric == "accuracy" and d.group}
    assert sizes == {"frontal": 20, "lateral": 20}
    (note,) = [note for note in found.notes if note.code == "attribute-differs"]
    assert "3 cases" in note.text


def test_a_subgroup_nobody_has_is_refused_with_what_there_is(tmp_path):
    views = ["lateral" if i % 3 else "frontal" for i in range(40)]
    with pytest.raises(HipauditError, match='Did you mean "view"'):
        both(tmp_path, table(views=views), table(views=views), subgroups=["veiw"])


@pytest.mark.parametrize("gone", ["audit.json", "predictions.csv"])
def test_a_missing_file_is_named_with_the_side_it_is_missing_on(tmp_path, gone):
    base, new = written(tmp_path / "base", table()), written(tmp_path / "new", table())
    (new / gone).unlink()
    with pytest.raises(HipauditError, match=gone) as caught:
        compare(base, new)
    assert "NEW" in str(caught.value)


def test_other_seeds_and_the_same_weights_are_said(tmp_path):
    base = written(tmp_path / "base", table())
    plan = {"seed": 4}
    from audit.results import read_results

    new = written(tmp_path / "new", table())
    results = read_results(new / "audit.json")
    changed = results.model_copy(update={"plan": results.plan.model_copy(update=plan)})
    (new / "audit.json").write_text(changed.to_json())
    assert "seeds-differ" in codes(compare(base, new))
