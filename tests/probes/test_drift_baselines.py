"""Baselines for drift: numpy's quantiles of what the model said, and no trace of a person."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from audit.cases.case import Cases
from audit.options import AuditOptions
from audit.probes.drift_baselines import FEWEST, _merged, share
from audit.results import ProbeReport
from tests.doubles import Brightness, cases_of, classifier_of

LEVELS = [*np.linspace(0.05, 0.45, 60), *np.linspace(0.52, 0.9, 40)]


def with_attributes(cases: Cases, name: str, values: list[str]) -> Cases:
    from dataclasses import replace

    made = [
        replace(case, attributes={**case.attributes, name: value})
        for case, value in zip(cases, values, strict=True)
    ]
    return Cases(made, cases.description)


def baselines(folder, cases: Cases | None = None, **params: Any) -> ProbeReport:
    from audit.conduct import conduct

    chosen = AuditOptions(
        preset="ci", stresses=("fgsm",), probes=("drift_baselines",),
        params={"drift_baselines": params},
    )  # fmt: skip
    done = conduct(classifier_of(Brightness()), cases or cases_of(LEVELS), folder, chosen, notes=())
    return done.probes[0]


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> ProbeReport:
    scanners = ["A"] * 70 + ["B"] * 23 + ["C"] * 4 + ["D"] * 3
    cases = with_attributes(cases_of(LEVELS), "scanner", scanners)
    return baselines(tmp_path_factory.mktemp("drift"), cases)


def scores() -> np.ndarray:
    """What Brightness says of the levels: log-odds 20 × (mean − .5), as a probability."""
    return 1 / (1 + np.exp(-20 * (np.float32(LEVELS).astype(np.float64) - 0.5)))


def test_quantiles_are_those_of_numpy_for_all_and_per_decision(report) -> None:
    told = report.details["decisions"]["none"]["score"]
    called = np.array(LEVELS) > 0.5
    for name, values in (
        ("all", scores()),
        ("called_positive", scores()[called]),
        ("called_otherwise", scores()[~called]),
    ):
        assert told[name]["cases"] == len(values)
        for q, value in told[name]["quantiles"].items():
            assert value == pytest.approx(np.quantile(values, float(q)), abs=2e-6)
    assert {"0.05", "0.25", "0.5", "0.75", "0.95"} <= set(told["all"]["quantiles"])


def test_pictures_are_measured_as_the_model_sees_them(report) -> None:
    told = report.details["pictures"]
    assert told["cases"] == 100
    # Flat pictures have no contrast and are neither black nor white.
    for name in ("contrast", "standard_deviation", "black", "white"):
        assert set(told["measures"][name]["quantiles"].values()) == {0.0}


def test_shares_are_those_of_the_set(report) -> None:
    assert report.details["labelled_positive"] == 0.4
    told = report.details["decisions"]["none"]
    assert (told["cases"], told["called_positive"], told["referred"]) == (100, 0.4, 0.0)
    assert told["without_score"] == 0.0
    assert report.details["attributes"]["view"] == {"frontal": 0.5, "lateral": 0.5}


def test_values_of_fewer_than_five_cases_are_merged(report) -> None:
    assert report.details["attributes"]["scanner"] == {"A": 0.7, "B": 0.23, "other": 0.07}


@pytest.mark.parametrize(
    ("counts", "merged"),
    [
        ({"a": 50, "b": 50}, {"a": 50, "b": 50}),
        ({"a": 50, "b": 8, "c": 2}, {"a": 50, "other": 10}),
        ({"a": 50, "b": 3, "c": 3}, {"a": 50, "other": 6}),
        ({"a": 3, "b": 1}, {}),
        ({"a": 6, "b": 1}, {"other": 7}),
        ({"other": 9, "b": 3, "c": 3}, {"other": 15}),
        ({}, {}),
    ],
)
def test_no_count_from_one_to_four_can_be_told_from_what_is_kept(counts, merged) -> None:
    found = _merged(Counter(counts))
    assert found == merged
    missing = sum(counts.values()) - sum(found.values())
    assert missing == 0 or not found


@pytest.mark.parametrize(
    ("count", "total", "told"),
    [(0, 50, 0.0), (50, 50, 1.0), (4, 50, None), (46, 50, None), (5, 50, 0.1), (45, 50, 0.9)],
)
def test_a_share_that_tells_of_one_to_four_persons_is_withheld(count, total, told) -> None:
    assert FEWEST == 5
    assert share(count, total) == told


def test_groups_too_small_for_a_quantile_have_none_and_no_case_is_named(tmp_path) -> None:
    cases = cases_of([*np.linspace(0.05, 0.45, 30), *np.linspace(0.6, 0.9, 19)])
    report = baselines(tmp_path, cases)
    told = report.details["decisions"]["none"]["score"]
    assert told["called_positive"] is None
    assert told["called_otherwise"]["cases"] == 30
    text = json.dumps(report.model_dump(mode="json"))
    assert not [case.id for case in cases if case.id in text]


def test_a_sample_of_the_pictures_is_measured_and_said(tmp_path) -> None:
    report = baselines(tmp_path, most=25)
    assert report.details["pictures"]["cases"] == 25
    assert report.details["decisions"]["none"]["cases"] == 100
    assert "100 scores and of 25 pictures" in report.notes[0].text


@pytest.mark.parametrize("most", [0, 19, "many", 2.5, True])
def test_a_sample_that_makes_no_sense_fails_the_probe_by_name(tmp_path, most) -> None:
    report = baselines(tmp_path, most=most)
    assert report.state == "failed"
    assert "whole number from 20 up" in (report.reason or "")
