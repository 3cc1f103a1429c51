"""An edition without small counts: none is printed, none follows by subtraction."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.compare.results import Comparison, Difference
from reports.comparison.render import render_comparison
from reports.comparison.suppression import suppressed_below, suppressed_comparison
from reports.edition import Edition
from tests.reports.page import read_page
from tests.reports.sample_comparison import difference, sample_comparison

BELOW = 5


def tells(count: int) -> bool:
    return 0 < abs(count) < BELOW


def printed(d: Difference) -> list[int]:
    """What the report prints of a difference, or lets a reader work out; by hand."""
    if d.base is None or d.new is None or d.lost is None or d.gained is None:
        return []
    right = round(d.base * d.n)
    now = round(d.new * d.n)
    return [d.n, right, now, d.n - right, d.n - now, d.lost, d.gained, right - d.lost,
            d.n - right - d.gained]  # fmt: skip


def by_subtraction(found: Comparison) -> list[int]:
    """For each metric at each place, everyone less the groups that are shown."""
    left = []
    known = [d for d in found.differences if d.value is not None and d.metric != "auroc"]
    for whole in (d for d in known if not d.group):
        like = [
            d for d in known
            if (d.metric, d.stress, d.params) == (whole.metric, whole.stress, whole.params)
        ]  # fmt: skip
        for name in {name for d in like for name in d.group}:
            parts = [printed(d) for d in like if name in d.group]
            left += [n - sum(part[i] for part in parts) for i, n in enumerate(printed(whole))]
    return left


def test_no_small_count_is_left_and_none_follows_by_subtraction() -> None:
    before, after = sample_comparison(), suppressed_comparison(sample_comparison(), BELOW)
    assert any(tells(n) for d in before.differences for n in printed(d))
    assert any(tells(n) for n in by_subtraction(before))
    assert not any(tells(n) for d in after.differences for n in printed(d))
    assert not any(tells(n) for n in by_subtraction(after))
    assert after.flips == ()
    assert not any(tells(n) for level in after.levels for n in (level.lost, level.gained))


def test_what_is_large_stays() -> None:
    many = [difference("sensitivity", 100, 60, 12, 9)]
    found = sample_comparison(differences=tuple(many), levels=(), flips=())
    (kept,) = suppressed_comparison(found, BELOW).differences
    assert kept == many[0]


def test_a_number_below_two_hides_nothing() -> None:
    assert suppressed_comparison(sample_comparison(), 0) == sample_comparison()


def test_it_says_below_what_it_hides_and_the_same_again_hides_no_more() -> None:
    once = suppressed_comparison(sample_comparison(), 7)
    assert suppressed_below(once) == 7
    assert suppressed_below(sample_comparison()) == 0


def test_the_report_prints_no_case_and_no_small_flip() -> None:
    found = suppressed_comparison(sample_comparison(), BELOW)
    page = read_page(render_comparison(found, edition=Edition(suppress=BELOW)))
    assert "000000000000" not in page.text
    assert "Case ids are not printed" in page.text
    for lost, gained in re.findall(r"(\d+) lost, (\d+) gained", page.text):
        assert not tells(int(lost))
        assert not tells(int(gained))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(10, 40), st.integers(0, 40), st.integers(0, 9), st.integers(0, 9)),
        min_size=2,
        max_size=6,
    ),
    st.integers(2, 9),
)
def test_whatever_the_groups_none_follows_by_subtraction(
    groups: list[tuple[int, int, int, int]], below: int
) -> None:
    made, total = [], [0, 0, 0, 0]
    for at, (n, base, lost, gained) in enumerate(groups):
        base = min(base, n)
        cell = (n, base, min(lost, base), min(gained, n - base))
        total = [a + b for a, b in zip(total, cell, strict=True)]
        made.append(difference("sensitivity", *cell, group={"site": str(at)}))
    whole = difference("sensitivity", *total)
    found = suppressed_comparison(
        sample_comparison(differences=(whole, *made), levels=(), flips=()), below
    )
    few = range(1, below)
    assert not any(abs(n) in few for d in found.differences for n in printed(d))
    assert not any(abs(n) in few for n in by_subtraction(found))
