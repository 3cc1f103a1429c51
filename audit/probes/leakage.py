"""Leakage: patients, pixels and near-duplicates shared with the training data, or repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np

from audit.cases.case import Case
from audit.cases.near import Looks, looks_of, near_pairs
from audit.findings.frame import make_frame
from audit.findings.groups import make_groups
from audit.findings.measure import rate_finding
from audit.findings.proportions import limits, tabulate
from audit.findings.rates import CASES, FEWEST, Rate
from audit.findings.view import Bools, Ints, Label
from audit.metrics.interval import Interval
from audit.metrics.proportion import clopper_pearson
from audit.probes.registry import Examination, probe
from audit.results import Finding, Note, ProbeReport, Scalar
from audit.speed.threads import ahead

RESAMPLES = 2000
MOST_LISTED = 200
NAMED = 10  # case ids in a note
PER_PAIR = 2  # laying two pictures over each other takes about as long as two small forwards
LABEL = Label("clean", "none", "clean", {})


@dataclass
class Shared:
    """What was found. Pairs are (audited case id, other case id, in words what differs).

    `patients`: None where they do not compare, for `why`. `unconfirmed`: pairs that look alike at
    first and were not laid over each other, as there were too many.
    """

    across: bool
    audited: int = 0
    patients: dict[str, list[str]] | None = None
    why: str = ""
    of_patients: int = 0
    unconfirmed: int = 0
    pixels: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    near: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)

    def ids(self, where: str) -> set[str]:
        """Audited cases with a twin `where` ("within" or "across"), by pixels or nearly."""
        pairs = [*self.pixels.get(where, ()), *self.near.get(where, ())]
        both = {pair[0] for pair in pairs}
        return both | {pair[1] for pair in pairs} if where == "within" else both


@probe("leakage")
def leakage(examination: Examination) -> ProbeReport:
    """Compares the audited cases with the training cases and with each other.

    Findings: `shared_patients`, `shared_images` (identical pixels) and `near_duplicates` [where:
    across, within], shares of the audited; `accuracy_leaked` and `accuracy_unleaked` where ten or
    more audited cases have a twin or their patient in the training data. Details: the pairs by
    case id. Warnings: `leakage-patients`, `leakage-pixels`, `leakage-near`, `duplicates` (within).
    Patients compare only within one reading, or where an audited image lies in the training data
    as well. Without training cases only repeats within the audited ones are sought.
    """
    shared = _sought(examination)
    return ProbeReport(
        probe="leakage",
        findings=tuple(_findings(examination, shared)),
        notes=tuple(_notes(shared)),
        details={
            "trained_on": None if examination.train is None else len(examination.train),
            "patients": dict(list((shared.patients or {}).items())[:MOST_LISTED]),
            **{
                f"{kind}_{where}": [list(pair) for pair in pairs[:MOST_LISTED]]
                for kind, found in (("pixels", shared.pixels), ("near", shared.near))
                for where, pairs in found.items()
            },
        },
    )


def _sought(examination: Examination) -> Shared:
    sample = examination.predictions.clean().sample
    by_id = examination.cases.by_id()
    audited = [by_id[examination.predictions.subjects[int(index)].id] for index in sample]
    shared = Shared(examination.train is not None, len(audited))
    shared.pixels["within"] = _same_pixels(audited)
    with _looks(examination, audited) as looks:
        shared.near["within"] = _near(shared, examination, audited, looks)
        if examination.train is not None:
            train = list(examination.train)
            shared.pixels["across"] = _same_pixels(audited, train)
            with _looks(examination, train) as theirs:
                shared.near["across"] = _near(shared, examination, audited, looks, train, theirs)
            _compare_patients(shared, examination, audited, train)
    return shared


def _looks(examination: Examination, cases: list[Case]) -> AbstractContextManager[Looks]:
    return looks_of(ahead(lambda case: case.load(), cases), examination.check_time)


def _digest(case: Case) -> str:
    return case.id.partition("-")[0]


def _same_pixels(
    audited: list[Case], others: list[Case] | None = None
) -> list[tuple[str, str, str]]:
    """Pairs of identical decoded pixels: a repeat with the first of its kind, within."""
    first: dict[str, str] = {}
    for case in sorted(others if others is not None else audited, key=lambda case: case.id):
        first.setdefault(_digest(case), case.id)
    pairs = [(first[_digest(c)], c.id) for c in audited if _digest(c) in first]
    if others is None:
        return [(one, other, "identical pixels") for one, other in pairs if one != other]
    return [(mine, theirs, "identical pixels") for theirs, mine in pairs]


def _near(
    shared: Shared,
    examination: Examination,
    audited: list[Case],
    looks: Looks,
    others: list[Case] | None = None,
    their: Looks | None = None,
) -> list[tuple[str, str, str]]:
    """Near-duplicates whose pixels are not identical, the most alike first."""
    those = audited if others is None else others
    most = examination.forwards // PER_PAIR
    found, left = near_pairs(looks, their, examination.check_time, most)
    shared.unconfirmed += left
    apart = [p for p in found if _digest(audited[p.one]) != _digest(those[p.other])]
    apart.sort(key=lambda pair: (-pair.alike, audited[pair.one].id, those[pair.other].id))
    return [(audited[p.one].id, those[p.other].id, p.how) for p in apart]


def _compare_patients(
    shared: Shared, examination: Examination, audited: list[Case], train: list[Case]
) -> None:
    """Patients of one reading compare by number; of two, through images that both hold."""
    given = examination.train or examination.cases
    theirs = {case.patient for case in train if case.patient}
    if given.reading == examination.cases.reading:
        who = {case.id: case.patient for case in audited if case.patient}
    else:
        known = given.people
        who = {case.id: known[_digest(case)] for case in audited if _digest(case) in known}
    if not who or not theirs:
        named = any(case.patient for case in audited) and theirs
        shared.why = (
            "the two were read apart, and a number means nothing outside its own reading"
            if named
            else "no patient is known on both sides"
        )
        return
    both = {case_id: patient for case_id, patient in who.items() if patient in theirs}
    shared.of_patients = len(set(who.values()))
    grouped: dict[str, list[str]] = {}
    for case_id, patient in sorted(both.items()):
        grouped.setdefault(str(patient), []).append(case_id)
    shared.patients = grouped


def _findings(examination: Examination, shared: Shared) -> Iterator[Finding]:
    predictions = examination.predictions
    cases = predictions.clean().sample.astype(np.int64)
    ids = [predictions.subjects[int(index)].id for index in cases]
    for where in ("across", "within") if shared.across else ("within",):
        twins = {"shared_images": shared.pixels[where], "near_duplicates": shared.near[where]}
        for metric, pairs in twins.items():
            mine = {pair[0] for pair in pairs}
            mine |= {pair[1] for pair in pairs} if where == "within" else set()
            part = np.array([case_id in mine for case_id in ids])
            everyone = np.ones(len(ids), dtype=bool)
            rate = Rate(metric, part, everyone, everyone, CASES)
            yield from _counted(examination, cases, [rate], {"where": where})
    if shared.across:
        yield _of_patients(shared)
        yield from _accuracies(examination, cases, ids, shared)


def _of_patients(shared: Shared) -> Finding:
    start = Finding(metric="shared_patients", params={"where": "across"}, independent=False)
    if shared.patients is None:
        return start.model_copy(update={"reason": f"patients do not compare: {shared.why}"})
    n, events = shared.of_patients, len(shared.patients)
    start = start.model_copy(update={"n": n, "events": events})
    if n < FEWEST:
        return start.model_copy(update={"reason": f"fewer than {FEWEST} patients"})
    low, high = clopper_pearson(events, n)
    limits = {"low": float(low), "high": float(high), "method": "Clopper-Pearson"}
    return start.model_copy(update={"value": events / n, **limits})


def _accuracies(
    examination: Examination, cases: Ints, ids: list[str], shared: Shared
) -> Iterator[Finding]:
    """Decided as labelled without stress, among the cases that were trained on and the others."""
    leaked = shared.ids("across") | {i for ids in (shared.patients or {}).values() for i in ids}
    part = np.array([case_id in leaked for case_id in ids])
    if part.sum() < FEWEST:
        return
    right = examination.predictions.clean_correct()[cases]
    rates = [
        Rate("accuracy_leaked", right & part, part, part, "cases met in training"),
        Rate("accuracy_unleaked", right & ~part, ~part, ~part, "cases not met in training"),
    ]
    yield from _counted(examination, cases, rates, {})


def _counted(
    examination: Examination, cases: Ints, rates: list[Rate], params: Mapping[str, Scalar]
) -> Iterator[Finding]:
    predictions = examination.predictions
    groups = make_groups(predictions.subjects, [])
    frame = make_frame(predictions, groups, examination.seed, RESAMPLES)
    members: Bools = groups.members[cases]
    table = tabulate(frame, cases, rates, members)
    low, high, method = limits(table)
    label = Label("clean", "none", "clean", params)
    for m, rate in enumerate(rates):
        interval = Interval(float(low[m, 0]), float(high[m, 0]), str(method[m, 0]))
        yield rate_finding(label, {}, rate, table, (m, 0), interval)


def _notes(shared: Shared) -> Iterator[Note]:
    if shared.unconfirmed:
        text = (
            f"{shared.unconfirmed} further pairs of images look alike at first and were not laid "
            "over each other; the most alike were. A larger preset looks at more."
        )
        yield Note(code="leakage-sample", level="info", text=text)
    if not shared.across:
        text = "Nothing is said of leakage: no training data was given (--train-data)."
        yield Note(code="leakage-no-train", level="info", text=text)
    else:
        yield from _across(shared)
    within = [*shared.pixels["within"], *shared.near["within"]]
    if within:
        text = (
            f"{len(shared.ids('within'))} of the audited images repeat one another: "
            f"{len(shared.pixels['within'])} pairs with identical pixels, "
            f"{len(shared.near['within'])} nearly so ({_named(within)}). "
            "Each counts more than once."
        )
        yield Note(code="duplicates", level="warning", text=text)


def _across(shared: Shared) -> Iterator[Note]:
    if shared.patients is None:
        text = f"Whether patients were trained on is not known: {shared.why}."
        yield Note(code="leakage-patients-unknown", level="info", text=text)
    elif shared.patients:
        count = sum(map(len, shared.patients.values()))
        text = (
            f"{len(shared.patients)} of {shared.of_patients} audited patients were also trained "
            f"on ({count} audited images): {_listed(sorted(shared.patients))}."
        )
        yield Note(code="leakage-patients", level="warning", text=text)
    for code, words, pairs in (
        ("leakage-pixels", "lie in the training data with identical pixels", shared.pixels),
        ("leakage-near", "are near-duplicates of a training image", shared.near),
    ):
        if pairs["across"]:
            count = len({pair[0] for pair in pairs["across"]})
            text = f"{count} of {shared.audited} audited images {words}: {_named(pairs['across'])}."
            yield Note(code=code, level="warning", text=text)
    if not (shared.patients or shared.pixels["across"] or shared.near["across"]):
        text = "No image and no patient that compares was found in both. That is no proof of none."
        yield Note(code="leakage-none", level="info", text=text)


def _named(pairs: list[tuple[str, str, str]]) -> str:
    return _listed([f"{one} and {other}" for one, other, _ in pairs])


def _listed(words: list[str]) -> str:
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more
