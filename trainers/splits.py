"""Train, val and test: a patient on one side, the labels and views of the whole in each part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from audit.cases.case import Case, Cases
from audit.cases.decoding import Progress
from audit.cases.options import DataOptions
from audit.cases.read import read_cases
from audit.cases.subset import subset
from audit.draws import ranked
from audit.errors import HipauditError
from audit.results import Note
from audit.study_results import SplitCount
from trainers.allot import allot
from trainers.overlap import Overlap, drop_overlap, refuse_overlap, together

Name = Literal["train", "val", "test"]
NAMES: tuple[Name, ...] = get_args(Name)
KNOWN: dict[str, Name] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "holdout", "held-out"), "test"),
}
# A test split of the published size keeps its intervals comparable; stopping needs fewer.
SHARES = (0.7, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Splits:
    """Three parts of one reading; `notes` say how they came about.

    `test` is `val` itself where the published way was asked for.
    """

    train: Cases
    val: Cases
    test: Cases
    notes: tuple[Note, ...] = ()

    def counts(self, positive_class: str) -> tuple[SplitCount, ...]:
        """Images, patients, labels, views and the share of `positive_class`, per split."""
        return tuple(
            _count(name, cases, positive_class)
            for name, cases in zip(NAMES, (self.train, self.val, self.test), strict=True)
        )


def read_splits(
    path: str | Path,
    options: DataOptions | None = None,
    *,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
    as_published: bool = False,
    overlap: Overlap = "refuse",
    progress: Progress | None = None,
) -> Splits:
    """Read a data set once and part it as `part` does."""
    wanted = replace(options or DataOptions(), split=None, every_split=True)
    cases = read_cases(path, wanted, progress)
    return part(cases, shares=shares, seed=seed, as_published=as_published, overlap=overlap)


def part(
    cases: Cases,
    *,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
    as_published: bool = False,
    overlap: Overlap = "refuse",
) -> Splits:
    """Train, val and test of cases whose attribute "split" may say which is which.

    Declared train, val and test are kept. Of train and val alone, val becomes the held-out
    test and a val is taken out of train; of train and test alone, val is taken out of train.
    Without a declaration all three are drawn in `shares`, stratified by the labels and views
    of a patient. `as_published` chooses and reports on the same images: test is val.
    `overlap`: patients or identical images in two declared splits are refused, or with "drop"
    left out of the split that comes first in train, val, test.

    Raises HipauditError for overlaps, unknown or missing splits, a split of one class, a label
    that train lacks, and too few patients.
    """
    ratio = _checked(shares)
    roles = _declared(cases)
    plain = _without_split(cases)
    notes: list[Note] = []
    if set(roles.values()) - {"train"}:
        kept = list(plain)
        if overlap == "drop":
            kept, notes = drop_overlap(kept, roles)
        refuse_overlap(kept, roles)
        parts, more = _completed(kept, roles, ratio, seed, as_published)
    else:
        parts, more = _drawn(plain, ratio, seed, as_published)
    train, val, test = (_described(plain, parts[name], name, len(cases)) for name in NAMES)
    splits = Splits(train, val, test, (*notes, *more))
    _check_labels(splits)
    return splits


def carve(cases: Cases, fraction: float, *, seed: int = 0) -> tuple[Cases, Cases]:
    """(rest, part) with about `fraction` of the patients of each label in `part`.

    A case without a patient counts as a patient of its own. Stratified by the set of labels
    a patient has; the order is `audit.draws.ranked`, so it depends on the seed and the ids only.
    """
    if not 0 < fraction < 1:
        raise HipauditError("a fraction between 0 and 1", f"{fraction}")
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.patient or f"case {case.id}"].append(case)
    strata: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, members in groups.items():
        strata[tuple(sorted({case.label for case in members}))].append(name)
    taken: set[str] = set()
    for names in strata.values():
        order = ranked(seed, names, "carve")
        taken.update(order[: round(len(order) * fraction)])
    chosen = [case for name in taken for case in groups[name]]
    rest = [case for name, members in groups.items() if name not in taken for case in members]
    if not chosen or not rest:
        raise HipauditError(
            "enough patients for two splits", f"{len(groups)}", "Use more images or another share."
        )
    return subset(cases, rest), subset(cases, chosen)


def _completed(
    cases: Sequence[Case],
    roles: Mapping[str, Name],
    shares: Sequence[float],
    seed: int,
    as_published: bool,
) -> tuple[dict[Name, list[Case]], list[Note]]:
    """Declared splits, and what they lack."""
    found: dict[Name, list[Case]] = {name: [] for name in NAMES}
    for case in cases:
        found[roles[case.id]].append(case)
    if not found["train"]:
        raise HipauditError(
            "training data", "no train split", "Name a split train, or leave the split column out."
        )
    if as_published:
        same = found["val"] or found["test"]
        return {"train": found["train"], "val": same, "test": same}, [OPTIMISTIC]
    if found["val"] and found["test"]:
        return found, [_note("splits", "info", "Train, val and test as the data declares them.")]
    given: Name = "val" if found["val"] else "test"
    share = shares[1] / (shares[0] + shares[1])
    train, val = allot(found["train"], (1 - share, share), seed)
    by = "by patient" if any(case.patient for case in train) else "by image, no patient being known"
    text = (
        f"Train and {given} were given. The given {given} is the held-out test; val is "
        f"{len(val)} images taken out of train {by}."
    )
    parts: dict[Name, list[Case]] = {"train": train, "val": val, "test": found[given]}
    return parts, [_note("val-carved", "assumed", text)]


def _drawn(
    cases: Cases, shares: Sequence[float], seed: int, as_published: bool
) -> tuple[dict[Name, list[Case]], list[Note]]:
    """Splits of data that declares none."""
    by = "by patient" if cases.description.patients else "by image, no patient being known"
    if as_published:
        train, val = allot(list(cases), (shares[0], shares[1] + shares[2]), seed)
        parts: dict[Name, list[Case]] = {"train": train, "val": val, "test": val}
        return parts, [_note("splits", "assumed", f"Split in two {by}."), OPTIMISTIC]
    train, val, test = allot(list(cases), shares, seed)
    text = f"No splits were given: train, val and test were drawn {by}, stratified."
    return {"train": train, "val": val, "test": test}, [_note("splits", "assumed", text)]


def _note(code: str, level: Literal["info", "assumed", "warning"], text: str) -> Note:
    return Note(code=code, level=level, text=text)


OPTIMISTIC = _note(
    "as-published",
    "warning",
    "Optimistic: the images that chose the epoch are the images reported, as published.",
)


def _checked(shares: Sequence[float]) -> tuple[float, ...]:
    total = sum(shares)
    if len(shares) != 3 or not all(share > 0 for share in shares) or not total < float("inf"):
        shown = ", ".join(f"{share:g}" for share in shares)
        raise HipauditError("three positive shares for train, val and test", shown, "Use 7 1 2.")
    return tuple(share / total for share in shares)


def _declared(cases: Cases) -> dict[str, Name]:
    """Case id -> role, empty when no case names a split."""
    said = {case.id: case.attributes.get("split", "") for case in cases}
    if not any(said.values()):
        return {}
    strange = sorted({text for text in said.values() if text.lower() not in KNOWN})
    if strange:
        shown = ", ".join(f'"{text}"' if text else "none" for text in strange[:8])
        raise HipauditError(
            "train, val or test as the split of every image",
            shown,
            "Rename it, or leave the split column out to have the splits drawn.",
        )
    return {case_id: KNOWN[text.lower()] for case_id, text in said.items()}


def _without_split(cases: Cases) -> Cases:
    def plain(case: Case) -> Case:
        kept = {name: value for name, value in case.attributes.items() if name != "split"}
        return replace(case, attributes=kept)

    return subset(cases, [plain(case) for case in cases])


def _described(cases: Cases, kept: list[Case], name: Name, of: int) -> Cases:
    if not kept:
        raise HipauditError(
            f"enough patients for a {name} split",
            f"{len(together(list(cases)))} patients in all",
            "Use more images, or other shares.",
        )
    text = f"The {name} split: {len(kept)} of {of} images read together."
    return subset(cases, kept, _note("split", "info", text))


def _check_labels(splits: Splits) -> None:
    for name, cases in zip(NAMES, (splits.train, splits.val, splits.test), strict=True):
        if len(cases.labels) < 2:
            raise HipauditError(
                f"images of two classes in the {name} split",
                f'only "{cases.labels[0]}" ({len(cases)} images)',
                "Use more patients of the other class, other shares, or another --seed.",
            )
        strange = sorted(set(cases.labels) - set(splits.train.labels))
        if strange:
            raise HipauditError(
                "every class among the training images",
                f'"{strange[0]}" in {name} only',
                "Mend the labels or the splits.",
            )


def _count(name: Name, cases: Cases, positive_class: str) -> SplitCount:
    described = cases.description
    if positive_class not in cases.labels:
        raise HipauditError(
            f"a positive class among {', '.join(cases.labels)}", f'"{positive_class}"'
        )
    return SplitCount(
        name=name,
        images=len(cases),
        patients=described.patients,
        labels=described.labels,
        views=described.attributes.get("view", {}),
        prevalence=described.labels[positive_class] / len(cases),
    )
