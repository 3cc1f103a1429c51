"""max_drop, case by case: narrower than two intervals, and never a pass on a damaged file."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from audit.compare.drop import changes
from audit.evidence import Predictions
from audit.gate.judge import PAIRED, UNPAIRED, judge
from audit.gate.verdict import RuleVerdict
from audit.results import Results, read_results
from tests.compare.audits import predictions, subjects, written
from tests.gate_audits import rules
from tests.tables import attack

N = 400
TARGETS = [i % 2 for i in range(N)]
PATIENTS = [f"P{i:04d}" for i in range(N)]
VIEWS = ["lateral" if i % 4 < 2 else "frontal" for i in range(N)]
DAY = date(2026, 6, 1)
BEFORE = set(range(40))


def model(wrong: set[int], hit: set[int] | None = None, **known: object) -> Predictions:
    called = [1 - t if i in wrong else t for i, t in enumerate(TARGETS)]
    facts = {"patients": PATIENTS, "views": VIEWS, **known}
    runs = () if hit is None else (attack(TARGETS, called, hit - wrong),)
    return predictions(subjects(TARGETS, **facts), called, *runs)


def judged(
    folder: Path, base: Predictions, new: Predictions, rule: dict[str, object], **gate: object
) -> RuleVerdict:
    one, two = written(folder / "base", base), written(folder / "new", new)
    return verdict(one, two, rule, **gate)


def verdict(one: Path, two: Path, rule: dict[str, object], **gate: object) -> RuleVerdict:
    before, now = (read_results(place / "audit.json") for place in (one, two))
    paired = changes(before, one / "predictions.csv", now, two / "predictions.csv")
    asked = rules({"metric": "accuracy", "max_drop": 0.05, **rule}, **gate)
    return judge(now, asked, baseline=before, today=DAY, paired=paired).rules[0]


def unpaired(base: Predictions, new: Predictions, folder: Path) -> RuleVerdict:
    folders = written(folder / "base", base), written(folder / "new", new)
    one, two = (read_results(place / "audit.json") for place in folders)
    asked = rules({"metric": "accuracy", "max_drop": 0.02})
    return judge(two, asked, baseline=one, today=DAY).rules[0]


def bonett_price(gained: int, lost: int, n: int) -> tuple[float, float]:
    """Bonett and Price 2012, equation 3, written down anew."""
    a, b = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = 1.959964 * math.sqrt((a + b - (a - b) ** 2) / (n + 2))
    return a - b - half, a - b + half


def test_a_drop_has_the_paired_difference_and_its_interval(tmp_path):
    found = judged(tmp_path, model(BEFORE), model(BEFORE | {101, 102, 103}), {})
    low, high = bonett_price(0, 3, N)
    assert found.observed == pytest.approx(3 / N)
    assert (found.low, found.high) == pytest.approx((-high, -low), abs=1e-6)
    assert found.outcome == "pass"
    assert "paired" in found.reason


def test_pairing_rules_out_a_drop_that_two_intervals_cannot(tmp_path):
    base, new = model(BEFORE), model(BEFORE)
    narrow = judged(tmp_path / "paired", base, new, {"max_drop": 0.02})
    wide = unpaired(base, new, tmp_path / "apart")
    assert (narrow.outcome, wide.outcome) == ("pass", "inconclusive")
    assert narrow.high - narrow.low < (wide.high - wide.low) / 3


def test_a_drop_that_is_shown_fails(tmp_path):
    found = judged(tmp_path, model(BEFORE), model(set(range(100))), {})
    assert found.outcome == "fail"
    table = [[300, 60], [0, 40]]  # by hand: 60 right before and wrong now
    assert mcnemar(table, exact=True).pvalue < 0.001


def test_a_drop_neither_shown_nor_ruled_out_is_inconclusive(tmp_path):
    found = judged(tmp_path, model(BEFORE), model(set(range(58))), {})
    assert found.outcome == "inconclusive"
    assert PAIRED in found.reason
    assert UNPAIRED not in found.reason


@pytest.mark.parametrize(
    ("rule", "n"),
    [
        ({"metric": "sensitivity"}, N // 2),
        ({"metric": "specificity", "where": {"view": "lateral"}}, N // 4),
        ({"metric": "auroc"}, N),
        ({"metric": "robust_accuracy", "where": {"stress": "fgsm", "epsilon": "2/255"}}, N),
        (
            {"metric": "robust_sensitivity", "where": {"stress": "worst_case", "norm": "any"}},
            N // 2,
        ),
    ],
)
def test_every_metric_counted_case_by_case_is_paired(tmp_path, rule, n):
    hit = set(range(50, 90))
    found = judged(tmp_path, model(BEFORE, hit), model(BEFORE | {201, 202}, hit), rule)
    assert "paired" in found.reason
    assert UNPAIRED not in found.reason
    assert found.n == n


def test_a_metric_that_is_not_counted_case_by_case_is_judged_as_before(tmp_path):
    found = judged(
        tmp_path, model(BEFORE), model(BEFORE), {"metric": "precision", "max_drop": 0.01}
    )
    assert found.outcome == "inconclusive"
    assert UNPAIRED in found.reason


def test_audits_of_other_cases_are_judged_as_before(tmp_path):
    ids = [f"d{i:04d}" for i in range(N)]
    found = judged(tmp_path, model(BEFORE), model(BEFORE, ids=ids), {"max_drop": 0.01})
    assert found.outcome == "inconclusive"
    assert UNPAIRED in found.reason


def test_without_patients_a_paired_drop_is_inconclusive_unless_the_site_assumes(tmp_path):
    base, new = model(BEFORE, patients=None), model(BEFORE, patients=None)
    assert judged(tmp_path / "a", base, new, {}).outcome == "inconclusive"
    assert judged(tmp_path / "b", base, new, {}, assume_independent=True).outcome == "pass"


def test_labels_that_differ_are_inconclusive(tmp_path):
    other = [1 - t if i < 5 else t for i, t in enumerate(TARGETS)]
    new = predictions(subjects(other, PATIENTS, VIEWS), other)
    found = judged(tmp_path, model(BEFORE), new, {"max_drop": 1.0})
    assert found.outcome == "inconclusive"
    assert "one label for the same case" in found.reason


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda raw: raw[: len(raw) // 2],
    "a row gone": lambda raw: raw.replace(raw.splitlines(keepends=True)[9], b"", 1),
    "a row twice": lambda raw: raw + raw.splitlines(keepends=True)[9],
    "bytes": lambda raw: raw.replace(b"lateral", b"\xff\xfe\x00", 3),
    "noise": lambda _: np.random.default_rng(0).bytes(5000),
    "labels": lambda raw: raw.replace(b",fracture,", b",normal,"),
    "words for numbers": lambda raw: raw.replace(b",-2,", b",low,", 1),
}


@pytest.mark.parametrize("side", ["base", "new"])
@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_inconclusive_never_a_pass(tmp_path, change, side):
    places = {n: written(tmp_path / n, model(BEFORE)) for n in ("base", "new")}
    assert verdict(places["base"], places["new"], {"max_drop": 1.0}).outcome == "pass"
    path = places[side] / "predictions.csv"
    path.write_bytes(change(path.read_bytes()))
    found = verdict(places["base"], places["new"], {"max_drop": 1.0})
    assert found.outcome == "inconclusive"
    assert "predictions.csv of " in found.reason


def test_predictions_edited_to_look_better_are_inconclusive(tmp_path):
    """NEW is much worse; BASE's file is put in its place."""
    base = written(tmp_path / "base", model(BEFORE))
    new = written(tmp_path / "new", model(set(range(200))))
    (new / "predictions.csv").write_bytes((base / "predictions.csv").read_bytes())
    assert verdict(base, new, {}).outcome == "inconclusive"


@pytest.fixture(scope="module")
def pair_of_folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("audits")
    return written(folder / "base", model(BEFORE)), written(folder / "new", model(BEFORE))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_is_done_to_a_file_a_rule_never_passes_on_other_numbers(pair_of_folders, data):
    """Any byte changed: either the file still says the same, or nothing is concluded."""
    base, new = pair_of_folders
    path = data.draw(st.sampled_from((base, new))) / "predictions.csv"
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = bytes([data.draw(st.integers(0, 255))])
    path.write_bytes(whole[:at] + byte + whole[at + 1 :])
    try:
        found = verdict(base, new, {})
    finally:
        path.write_bytes(whole)
    if found.outcome == "pass":
        assert found.observed == 0.0
        assert found.n == N
    else:
        assert found.outcome == "inconclusive"


def test_only_the_first_question_reads_the_files(tmp_path, monkeypatch):
    base, new = (written(tmp_path / n, model(BEFORE)) for n in ("base", "new"))
    before, now = (read_results(place / "audit.json") for place in (base, new))
    paired = changes(before, base / "predictions.csv", now, new / "predictions.csv")

    def value(results: Results) -> object:
        return results.find("accuracy", stress="clean", group={}, contrast=None)[0]

    assert paired(value(before), value(now)).value == 0
    for place in (base, new):
        (place / "predictions.csv").unlink()
    assert paired(value(before), value(now)).value == 0
