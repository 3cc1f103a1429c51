"""The spot-check plan: sizes for what is handled alone, and a draw by case id."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import hypergeom

from audit.options import AuditOptions
from audit.results import ProbeReport
from tests.doubles import Brightness, cases_of, classifier_of


def planned(folder, seed: int = 0, **params: object) -> ProbeReport:
    """120 flat images: 50 brighter or darker than .77 or .23, where log-odds pass those of .995."""
    from audit.conduct import conduct

    levels = [*np.linspace(0.8, 0.95, 25), *np.linspace(0.05, 0.2, 25), *np.linspace(0.4, 0.6, 70)]
    chosen = AuditOptions(
        preset="ci", stresses=("fgsm",), probes=("spot_check",), seed=seed,
        params={"spot_check": params},
    )  # fmt: skip
    return conduct(classifier_of(Brightness()), cases_of(levels), folder, chosen, notes=()).probes[
        0
    ]


def value(report: ProbeReport, level: float, allowed: int, cutoff: float | None = None):
    return next(
        f
        for f in report.findings
        if f.metric == "spot_check_size"
        and (f.params["level"], f.params["misses_allowed"]) == (level, allowed)
        and f.params.get("cutoff") == cutoff
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> ProbeReport:
    return planned(tmp_path_factory.mktemp("plan"))


def test_598_without_a_miss_is_half_a_per_cent(report) -> None:
    assert value(report, 0.005, 0).value == 598
    (note,) = [n for n in report.notes if n.code == "spot-check-plan"]
    assert note.text.startswith("598 cases re-read without one missed show")
    assert not [n for n in report.notes if n.level == "warning"]


def test_of_the_cases_above_a_cut_off_the_size_is_hypergeometric(report) -> None:
    found = value(report, 0.01, 0, 0.995)
    assert found.n == report.details["handled_above"]["0.995"] == 50
    sizes = [n for n in range(1, 51) if hypergeom.cdf(0, 50, 1, n) <= 0.05]
    assert found.value == sizes[0]
    impossible = value(report, 0.01, 2, 0.995)  # one miss of 50 is two per cent already
    assert impossible.value is None
    assert "not below the level" in (impossible.reason or "")


def test_the_draw_is_of_the_cases_above_the_cut_off_in_an_order_of_the_seed(report, tmp_path):
    drawn = report.details["draw"]
    assert len(drawn) == len(set(drawn)) == 50
    other = planned(tmp_path, seed=1).details["draw"]
    assert sorted(drawn) == sorted(other)
    assert drawn != other


def test_levels_that_make_no_sense_fail_the_probe_by_name(tmp_path) -> None:
    report = planned(tmp_path, levels=(1.5,))
    assert report.state == "failed"
    assert "between 0 and 1" in (report.reason or "")
