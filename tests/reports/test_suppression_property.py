"""From a suppressed report no small count can be recomputed: checked by exact linear algebra.

Cases are drawn with a label, two attributes, and right or wrong without and under a stress. Every
number the report would print is a sum over kinds of cases; what is left after suppression is a
system of equations in the numbers of each kind. A count leaks when its sum follows from those that
are left, that is, lies in the span of their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.results import DataDescription, Finding, Results
from reports.suppression import suppressed
from tests.reports.test_suppression import results

PRIME = (1 << 61) - 1
BELOW = 5


class Kind(NamedTuple):
    positive: bool
    view: str
    sex: str
    clean: bool
    stressed: bool


KINDS = [Kind(*k) for k in product((True, False), "abc", "FM", (True, False), (True, False))]
Row = tuple[int, ...]


def row(wanted: Callable[[Kind], bool]) -> Row:
    return tuple(int(wanted(kind)) for kind in KINDS)


def total(of: Row, counts: Row) -> int:
    return sum(a * n for a, n in zip(of, counts, strict=True))


class Told(NamedTuple):
    """A finding and what its denominator and its events count."""

    finding: Finding
    whole: Row
    part: Row


GROUPS: list[dict[str, str]] = [{}, *({"view": v} for v in "abc"), *({"sex": s} for s in "FM")]
STRESS: dict[str, object] = {"stress": "fgsm", "params": {"epsilon": 0.01}}


def inside(group: dict[str, str]) -> Callable[[Kind], bool]:
    return lambda kind: all(getattr(kind, name) == value for name, value in group.items())


def questions(group: dict[str, str]) -> Iterator[tuple[str, dict[str, object], Row, Row]]:
    """(metric, where, denominator, numerator) of all findings of a group."""
    here = inside(group)
    among = {
        "accuracy": row(here),
        "sensitivity": row(lambda k: here(k) and k.positive),
        "specificity": row(lambda k: here(k) and not k.positive),
    }
    right: list[tuple[str, dict[str, object], Callable[[Kind], bool]]] = [
        ("", {}, lambda k: k.clean),
        ("", STRESS, lambda k: k.stressed),
        ("robust_", STRESS, lambda k: k.clean and k.stressed),
    ]
    for prefix, where, well in right:
        kept = row(well)
        for name, whole in among.items():
            yield (
                prefix + name,
                where,
                whole,
                tuple(a * b for a, b in zip(whole, kept, strict=True)),
            )
    clean = row(lambda k: here(k) and k.clean)
    yield "attack_success", STRESS, clean, row(lambda k: here(k) and k.clean and not k.stressed)
    called = row(lambda k: here(k) and k.positive == k.clean)
    yield "precision", {}, called, row(lambda k: here(k) and k.positive and k.clean)


def findings(counts: Row) -> Iterator[Told]:
    for group in GROUPS:
        for metric, where, whole, part in questions(group):
            n, k = total(whole, counts), total(part, counts)
            value = k / n if n >= 10 else None
            found = Finding(metric=metric, n=n, events=k, value=value, group=group, **where)  # type: ignore[arg-type]
            yield Told(found, whole, part)


def reduced(rows: list[Row]) -> list[tuple[int, list[int]]]:
    """The rows in echelon form modulo a prime: (pivot, row)."""
    basis: list[tuple[int, list[int]]] = []
    for one in rows:
        left = remainder(list(one), basis)
        pivot = next((i for i, x in enumerate(left) if x), None)
        if pivot is not None:
            inverse = pow(left[pivot], -1, PRIME)
            basis.append((pivot, [x * inverse % PRIME for x in left]))
    return basis


def remainder(left: list[int], basis: list[tuple[int, list[int]]]) -> list[int]:
    for pivot, known in basis:
        if factor := left[pivot]:
            left = [(x - factor * y) % PRIME for x, y in zip(left, known, strict=True)]
    return left


def described(counts: Row) -> DataDescription:
    labels = {"yes": row(lambda k: k.positive), "no": row(lambda k: not k.positive)}
    return DataDescription(
        layout="drawn",
        cases=sum(counts),
        labels={name: total(of, counts) for name, of in labels.items()},
        attributes={
            name: {v: total(row(inside({name: v})), counts) for v in values}
            for name, values in (("view", "abc"), ("sex", "FM"))
        },
    )


def told_rows(after: Results, asked: list[Told]) -> list[Row]:
    """What a reader of the suppressed report can write down as equations."""
    known = [tuple([1] * len(KINDS))]
    for told, shown in zip(asked, after.findings, strict=True):
        if shown.reason is None or shown.n:
            known.append(told.whole)
        if shown.events is not None:
            known.append(told.part)
    for name, of in (("yes", True), ("no", False)):
        if name in after.data.labels:
            known.append(row(lambda k, of=of: k.positive is of))  # type: ignore[misc]
    for attribute, values in after.data.attributes.items():
        known += [row(inside({attribute: value})) for value in values if len(value) == 1]
    return known


def small_counts(counts: Row, asked: list[Told]) -> Iterator[tuple[str, Row]]:
    for told in asked:
        f = told.finding
        rest = tuple(a - b for a, b in zip(told.whole, told.part, strict=True))
        for words, of in (("n", told.whole), ("events", told.part), ("n − events", rest)):
            if 0 < total(of, counts) < BELOW:
                yield f"{words} of {f.metric} {f.stress} {f.group}", of
    for attribute, values in (("view", "abc"), ("sex", "FM")):
        for value in values:
            of = row(inside({attribute: value}))
            if 0 < total(of, counts) < BELOW:
                yield f"{attribute} {value}", of


@st.composite
def drawn(draw: st.DrawFn) -> Row:
    """Numbers of each kind: many of some, few of others, none of most."""
    some = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 5, 8, 13, 40])
    return tuple(draw(st.lists(some, min_size=len(KINDS), max_size=len(KINDS))))


@settings(max_examples=60, deadline=None)
@given(drawn())
def test_no_small_count_follows_from_what_is_left(counts: Row) -> None:
    asked = list(findings(counts))
    if sum(counts) < BELOW:
        return
    after = suppressed(results(*(t.finding for t in asked), data=described(counts)), BELOW)
    basis = reduced(told_rows(after, asked))
    leaks = [
        words for words, of in small_counts(counts, asked) if not any(remainder(list(of), basis))
    ]
    assert not leaks, f"recomputed: {leaks}"


def test_the_check_finds_a_leak_where_there_is_one() -> None:
    """Without suppression small counts stand there, and they are found."""
    counts = tuple(1 if kind.view == "c" and kind.positive else 20 for kind in KINDS)
    asked = list(findings(counts))
    basis = reduced([row for t in asked for row in (t.whole, t.part)])
    found = [
        words for words, of in small_counts(counts, asked) if not any(remainder(list(of), basis))
    ]
    assert found


def test_enough_is_told_that_a_report_is_left() -> None:
    """Large cells everywhere: nothing at all is suppressed."""
    counts = tuple([20] * len(KINDS))
    asked = list(findings(counts))
    after = suppressed(results(*(t.finding for t in asked), data=described(counts)), BELOW)
    assert list(after.findings) == [t.finding for t in asked]
