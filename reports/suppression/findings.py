"""Which findings may not be told: small by themselves, or telling a small one by subtraction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from audit.results import Finding
from reports.suppression.counts import Cell, any_small, left_out, small
from reports.suppression.differences import hide_differences
from reports.suppression.kinds import (
    BY_LABEL,
    Place,
    bare,
    block_of,
    family,
    group_of,
    row_of,
    settings,
    side,
    view_of,
)
from reports.suppression.nested import between_cut_offs

Group = tuple[tuple[str, str], ...]
# 1: the count above the line goes with everything made from it; 2: the one below it as well.
State = Literal[0, 1, 2]
WHOLE = ("_above", "_handled")  # families in which one hidden number takes all others along
# Parts that together make everyone: (metric, parameter that tells them apart).
DIVIDED = ("reliability", "accuracy_by_quality", "sensitivity_by_quality", "specificity_by_quality")
HALVES = (("accuracy_poor", "accuracy_sound"), ("accuracy_leaked", "accuracy_unleaked"))


class Hiding:
    """What is hidden so far, by number of the finding; hiding never goes back."""

    def __init__(self, findings: Sequence[Finding], below: int) -> None:
        self.findings, self.below = findings, below
        self.state: list[State] = [0] * len(findings)
        self.plain = [i for i, f in enumerate(findings) if f.contrast is None]
        self.changed = False

    def hide(self, number: int, *, whole: bool = False) -> None:
        state: State = 2 if whole or self.findings[number].metric not in BY_LABEL else 1
        if state > self.state[number]:
            self.state[number] = state
            self.changed = True

    def told(self, number: int) -> bool:
        return self.state[number] == 0

    def grouped(self, key: Callable[[Finding], Place]) -> dict[Place, list[int]]:
        found: dict[Place, list[int]] = defaultdict(list)
        for number in self.plain:
            found[key(self.findings[number])].append(number)
        return found


def hidden(findings: Sequence[Finding], below: int) -> list[State]:
    """Per finding what of it may not be told, so that no count from 1 to below `below` that it
    states, and none that was left out, follows from the others by sums and differences."""
    hiding = Hiding(findings, below)
    _by_themselves(hiding)
    _few_of_a_label(hiding)
    while True:
        hiding.changed = False
        between_cut_offs(hiding)
        _together(hiding)
        _changed_by_stress(hiding)
        _parts_of_a_whole(hiding)
        if not hiding.changed:
            break
    hide_differences(hiding)
    return hiding.state


def _by_themselves(hiding: Hiding) -> None:
    for number, f in enumerate(hiding.findings):
        if small(f.n, hiding.below):
            hiding.hide(number, whole=True)
        elif f.events is not None and any_small((f.events, f.n - f.events), hiding.below):
            hiding.hide(number)


def _few_of_a_label(hiding: Hiding) -> None:
    """A group with few positives, or few others, is left out of a view as a whole; so is the next
    smallest. All views of the same cases have the same counts, so they leave out the same."""
    for numbers in hiding.grouped(view_of).values():
        labels: dict[Group, dict[str, int]] = defaultdict(dict)
        for number in numbers:
            f = hiding.findings[number]
            if f.metric.removeprefix("robust_") in ("sensitivity", "specificity"):
                labels[group_of(f)][side(f)] = f.n
        cells = {
            group: (found.get("positive", 0), found.get("negative", 0))
            for group, found in labels.items()
        }
        few = _few_groups(cells, hiding.below)
        for number in numbers:
            if group_of(hiding.findings[number]) in few:
                hiding.hide(number, whole=True)


def _few_groups(cells: dict[Group, tuple[int, int]], below: int) -> set[Group]:
    few = {group for group, cell in cells.items() if any_small(cell, below)}
    while True:
        before = len(few)
        for whole, parts in _partitions(cells):
            if whole not in few:
                inside: dict[Group, Cell] = {group: cells[group] for group in parts}
                few |= left_out(cells[whole], inside, few & set(parts), below)
            else:  # how many cases it holds is told with the data, whatever their labels
                inside = {group: (sum(cells[group]),) for group in parts}
                few |= left_out((sum(cells[whole]),), inside, few & set(parts), below)
        if len(few) == before:
            return few


def _partitions(groups: Iterable[Group]) -> Iterator[tuple[Group, list[Group]]]:
    """Everyone, or a group by one attribute, and the groups by more that lie in it."""
    known = list(groups)
    for names in sorted({_names(group) for group in known if group}):
        parts = [group for group in known if _names(group) == names]
        for whole in known:
            if set(_names(whole)) < set(names):
                yield whole, [group for group in parts if set(whole) <= set(group)]


def _names(group: Group) -> tuple[str, ...]:
    return tuple(name for name, _ in group)


def _together(hiding: Hiding) -> None:
    """Without one row of a 2 × 2 table nothing is told that mixes its two rows."""
    blocks = hiding.grouped(block_of)
    without = {place for place, numbers in blocks.items() if _rows_hidden(hiding, numbers)}
    for place, numbers in blocks.items():
        gone = [n for n in numbers if not hiding.told(n)]
        kind = family(hiding.findings[numbers[0]].metric)
        if kind in WHOLE:
            if gone:
                for n in numbers:
                    hiding.hide(n)
            continue
        if kind == "robust" and not without.isdisjoint((_clean(place), _stressed(place))):
            # what is right before and after lies between the two, and is either where all or
            # none are right; the denominator of success is what was right before
            for n in numbers:
                success = hiding.findings[n].metric.startswith("attack_success")
                hiding.hide(n, whole=success)
        _rows(hiding, numbers)


def _rows_hidden(hiding: Hiding, numbers: Sequence[int]) -> bool:
    rows = [n for n in numbers if side(hiding.findings[n]) in ("positive", "negative")]
    return any(not hiding.told(n) for n in rows)


def _clean(place: Place) -> Place:
    _stress, _params, _variant, defence, _family, group = place
    return "clean", (), "", defence, "", group


def _stressed(place: Place) -> Place:
    *where, _family, group = place
    return *where, "", group


def _rows(hiding: Hiding, numbers: Sequence[int]) -> None:
    """Of more than two classes the two rows do not make up what is decided correctly: then, and
    for attacks on part of the cases, a small number of both takes its rows along."""
    both = [n for n in numbers if side(hiding.findings[n]) == "both"]
    rows = [n for n in numbers if side(hiding.findings[n]) in ("positive", "negative")]
    if not any(not hiding.told(n) for n in rows) and any(_small_itself(hiding, n) for n in both):
        for n in rows:
            hiding.hide(n)
    for row in ("positive", "negative"):
        mine = [n for n in rows if side(hiding.findings[n]) == row]
        if any(not hiding.told(n) for n in mine):
            for n in (*mine, *both):
                hiding.hide(n)


def _small_itself(hiding: Hiding, number: int) -> bool:
    f = hiding.findings[number]
    told = f.events is not None and f.metric != "attack_success_8bit"
    return told and any_small(_cell(f), hiding.below)


def _changed_by_stress(hiding: Hiding) -> None:
    """Right without stress less right with it, over the same cases: how many a stress changed."""
    found = {
        (f.metric, *view_of(f), group_of(f)): n
        for n in hiding.plain
        if (f := hiding.findings[n]).events is not None and settings(f) == view_of(f)[1]
    }
    for key, number in found.items():
        metric, stress, params, variant, defence, group = key
        robust = hiding.findings[number]
        if metric == "attack_success_8bit":
            others = [found.get(("attack_success", *key[1:]))]
        elif str(metric).startswith("robust_"):
            name = bare(str(metric))
            same = found.get((name, stress, params, variant, defence, group))
            others = [found.get((name, "clean", (), "", defence, group)), same]
        else:
            continue
        known = [n for n in others if n is not None and hiding.told(n)]
        cells = [hiding.findings[n] for n in known]
        cells = [f for f in cells if f.n == robust.n]
        if hiding.told(number) and any_small(_changes(robust, cells), hiding.below):
            hiding.hide(number)


def _changes(robust: Finding, others: Sequence[Finding]) -> tuple[int, ...]:
    """Cases right in one of the two only; of three counts also those wrong both times."""
    kept = robust.events or 0
    gone = [(f.events or 0) - kept for f in others]
    if len(others) == 2:
        gone.append(robust.n - sum(f.events or 0 for f in others) + kept)
    return tuple(gone)


def _parts_of_a_whole(hiding: Hiding) -> None:
    findings = hiding.findings
    for numbers in hiding.grouped(row_of).values():
        by_group = {group_of(findings[n]): n for n in numbers if findings[n].events is not None}
        for whole, parts in _partitions(by_group):
            _apart(hiding, [by_group[group] for group in parts], by_group[whole])
    for numbers in hiding.grouped(_division).values():
        _apart(hiding, numbers, None)


def _division(finding: Finding) -> Place:
    """What, taken together, is everyone; else every finding by itself."""
    for pair in HALVES:
        if finding.metric in pair:
            return (*view_of(finding), pair)
    if finding.metric in DIVIDED:
        told = settings(finding, "quartile", "bin", "mean_score")
        return (*view_of(finding), finding.metric, told, group_of(finding))
    if finding.metric == "attribute_from_features":
        return (*view_of(finding), finding.metric, settings(finding, "value"))
    return (*row_of(finding), group_of(finding))


def _apart(hiding: Hiding, parts: Sequence[int], whole: int | None) -> None:
    """Leave out further parts until what is left out cannot be told from the whole. `whole` None:
    the parts make it up, and it is known."""
    findings, below = hiding.findings, hiding.below
    cells = {n: _cell(findings[n]) for n in parts if findings[n].events is not None}
    out = {n for n in cells if not hiding.told(n)}
    if whole is None:
        if len(cells) < 2:
            return
        total = tuple(map(sum, zip(*cells.values(), strict=True)))
    elif not hiding.told(whole):
        _not_all(hiding, cells, out, sum(_cell(findings[whole])))
        return
    else:
        total = _cell(findings[whole])
    gone = left_out(total, cells, out, below)
    others = [n for n in cells if n not in gone]
    if others and len(gone) == 1 and not any_small(cells[next(iter(gone))], below):
        # hidden for what it tells beside others: alone, it is the total less those that stand
        gone.add(min(others, key=lambda n: (not any(cells[n]), sum(cells[n]), n)))
    for number in gone - out:
        hiding.hide(number)


def _not_all(hiding: Hiding, cells: dict[int, tuple[int, int]], out: set[int], whole: int) -> None:
    """A hidden whole may not follow from all of its parts."""
    if not out and cells and sum(map(sum, cells.values())) == whole:
        some = [n for n, cell in cells.items() if any(cell)]
        if some:
            hiding.hide(min(some, key=lambda n: sum(cells[n])))


def _cell(finding: Finding) -> tuple[int, int]:
    events = finding.events or 0
    return events, finding.n - events
