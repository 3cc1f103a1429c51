"""The made-up table of the benchmark of statistics is of the size it says."""

from __future__ import annotations

from collections import Counter

from benchmarks.derive import RESAMPLES, VALUES, as_markdown, planned, subjects, table


def test_patients_have_one_to_three_images_and_twelve_groups() -> None:
    who = subjects(600)
    images = Counter(s.patient for s in who)
    assert len(who) == 600
    assert set(images.values()) == {1, 2, 3}
    assert len({(k, v) for s in who for k, v in s.attributes.items()}) == 12
    assert sum(len(values) for values in VALUES.values()) == 12


def test_sixty_runs_hold_two_without_stress_and_half_under_a_defence() -> None:
    runs = list(planned(60))
    assert len(runs) == 60
    assert Counter(defence for _, _, defence, _ in runs) == {"none": 30, "tta": 30}
    assert Counter(kind for _, kind, _, _ in runs) == {"clean": 2, "corruption": 40, "attack": 18}


def test_attacks_hold_rows_of_what_is_right_without_them_only() -> None:
    made = table(300, 8)
    right = {d: made.clean_correct(d) for d in ("none", "tta")}
    attacks = [run for run in made.runs if run.run.kind == "attack"]
    assert attacks
    assert all(right[run.run.defence][run.rows.case].all() for run in attacks)


def test_the_page_says_whether_the_target_was_met() -> None:
    found = {
        "cases": 10_000, "patients": 5000, "runs": 60, "levels": 274, "groups": 12, "others": 0.1,
        "findings": 9, "tests": 4, "seconds": 59.0, "cpu_seconds": 58.0, "cores": 2,
        "bytes_before": 1, "peak": 10**9,
    }  # fmt: skip
    assert f"{RESAMPLES:,}" in as_markdown(found)
    assert "60 s and 2 GB: met" in as_markdown(found)
    assert "not met" in as_markdown({**found, "peak": 3 * 10**9})
    assert "not met" in as_markdown({**found, "seconds": 61.0})
