"""The engine: runs × shards → units → Predictions. Success is decided here, not by a stress."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from audit.attempt import Sight, clean_rows, stressed_rows
from audit.cases.case import Case, Cases
from audit.classifier import Classifier
from audit.defences.registry import under_defence
from audit.errors import HipauditError
from audit.evidence import Predictions, Rows, RunEvidence, Subject, join
from audit.fingerprint import model_digest, sources_digest, versions
from audit.plan import Run
from audit.reasons import reason_of
from audit.results import PlannedRun
from audit.speed.prepared import Kept
from audit.speed.search import Search
from audit.store import Store, Unit, unit_key
from audit.stresses.registry import get_stress

FORWARDS_PER_UNIT = 20_000
# Bytes of images as acquired kept for the next corruption of the same sample: thirty of four
# megapixels, each of which takes longer to decode than most corruptions take.
NATIVES = 512 * 2**20


class Progress(Protocol):
    """Who wants to know. All calls come from the main thread."""

    def plan(self, runs: Sequence[PlannedRun], seconds: float, forwards: float) -> None: ...
    def run(self, run_id: str, done: int, total: int) -> None: ...
    def note(self, text: str) -> None: ...


class Quiet:
    """Tells nobody."""

    def plan(self, runs: Sequence[PlannedRun], seconds: float, forwards: float) -> None: ...
    def run(self, run_id: str, done: int, total: int) -> None: ...
    def note(self, text: str) -> None: ...


@dataclass(frozen=True)
class Bench:
    """What every unit of one audit shares."""

    classifier: Classifier
    search: Search
    surrogates: Mapping[str, Classifier]
    cases: Mapping[str, Case]
    store: Store
    seed: int
    batch_size: int
    natives: Kept
    common: Mapping[str, object]
    digests: Mapping[str, str]
    say: Callable[[str], None]


def execute(
    runs: Sequence[Run],
    classifier: Classifier,
    cases: Cases,
    store: Store,
    *,
    seed: int,
    batch_size: int = 32,
    progress: Progress | None = None,
    hardened: Mapping[str, Classifier] | None = None,
    surrogates: Mapping[str, Classifier] | None = None,
    search: Search | None = None,
) -> Predictions:
    """Carry out the plan and return the one table.

    `hardened`: a classifier per defence that was trained beforehand, by the defence's name.
    `surrogates`: other classifiers, by name, that images are made on to be shown to this one.
    `search`: the network that attacks search with; None: the classifier itself.

    Runs that cannot be carried out keep their place with state "failed" or "not applicable"
    and a reason. A unit already in the store is not computed again.
    """
    progress = progress or Quiet()
    subjects = tuple(
        Subject(c.id, classifier.classes.index(c.label), c.patient, dict(c.attributes))
        for c in cases
    )
    common = {
        "model": model_digest(classifier),
        "sources": sources_digest(),
        "versions": versions(),
        "device": str(classifier.device),
        "seed": seed,
    }
    hardened, surrogates = hardened or {}, surrogates or {}
    search = search or Search(classifier)
    digests = {n: model_digest(other) for n, other in {**hardened, **surrogates}.items()}
    bench = Bench(
        classifier,
        search,
        surrogates,
        cases.by_id(),
        store,
        seed,
        batch_size,
        Kept(NATIVES, first=True),
        {**common, "search": search.how},
        digests,
        progress.note,
    )
    place = {subject.id: index for index, subject in enumerate(subjects)}
    right: dict[str, dict[str, bool]] = {}
    done: list[RunEvidence] = []
    for run in runs:
        evidence = _carry_out(run, bench, _sight(run, bench, hardened), right, place, progress)
        done.append(evidence)
    return Predictions(subjects, classifier.classes, classifier.decision, tuple(done))


def _sight(run: Run, bench: Bench, hardened: Mapping[str, Classifier]) -> Sight:
    """The judge, what the stress is shown and what screens its candidates, for one run."""
    defence, surrogate = run.planned.defence, run.planned.surrogate
    judge = under_defence(bench.classifier, defence, hardened)
    screen = judge
    if defence not in hardened:
        screen = under_defence(bench.search.screen.classifier, defence, hardened)
    maker = screen
    if surrogate:
        maker = bench.surrogates.get(surrogate, bench.search.classifier)
    elif defence not in hardened:
        maker = under_defence(bench.search.classifier, defence, hardened)
    return Sight(judge, maker, screen, bench.search.screen.tolerance)


def _carry_out(
    run: Run,
    bench: Bench,
    sight: Sight,
    right: dict[str, dict[str, bool]],
    place: Mapping[str, int],
    progress: Progress,
) -> RunEvidence:
    if run.planned.state != "planned":
        return _evidence(run, place, [], run.planned)
    parts: list[Rows] = []
    forwards = finished = 0
    progress.run(run.id, 0, len(run.cases))
    try:
        for ids in shards(run):
            unit = _unit(run, ids, bench, sight, right)
            parts.append(_placed(unit.rows, ids, place))
            forwards += unit.forwards
            finished += len(ids)
            progress.run(run.id, finished, len(run.cases))
    except HipauditError:
        raise  # a slip of the user, a full disk, a file that changed: nothing to score
    except Exception as error:  # noqa: BLE001 a stress may raise anything: the run is named failed
        reason = reason_of(error)
        failed = run.planned.model_copy(update={"state": "failed", "reason": reason[:300]})
        progress.note(f"{run.id} failed: {reason}")
        return _evidence(run, place, [], failed)
    state = run.planned.model_copy(update={"state": "done", "forwards": forwards})
    evidence = _evidence(run, place, parts, state)
    if run.planned.kind == "clean":
        right[run.planned.defence] = _correct(evidence, bench)
    return evidence


def shards(run: Run) -> list[list[str]]:
    """Case ids by prefix: a unit costs about 20,000 forwards at most, or is one of 256 shards."""
    length = 0
    while length < 2 and run.forwards / 16**length > FORWARDS_PER_UNIT:
        length += 1
    groups: dict[str, list[str]] = defaultdict(list)
    for case_id in run.cases:
        groups[case_id[:length]].append(case_id)
    return [groups[prefix] for prefix in sorted(groups)]


def _unit(
    run: Run,
    ids: Sequence[str],
    bench: Bench,
    sight: Sight,
    right: Mapping[str, Mapping[str, bool]],
) -> Unit:
    """From the store, or computed and stored."""
    cases = [bench.cases[case_id] for case_id in ids]
    known = right.get(run.planned.defence, {})
    attacked = run.planned.kind == "attack"
    key = unit_key(
        {
            **bench.common,
            "stress": run.planned.stress,
            "params": dict(run.params),
            "defence": run.planned.defence,
            "hardened": bench.digests.get(run.planned.defence),
            "surrogate": (run.planned.surrogate, bench.digests.get(run.planned.surrogate)),
            "cases": [(case.id, case.label) for case in cases],
            "correct": [known[i] for i in ids] if attacked else None,
        }
    )
    stored = bench.store.load(key)
    if stored is not None:
        return stored
    before = _forwards(sight)
    size = _batch_size(run, bench.batch_size)
    if run.planned.kind == "clean":
        rows = clean_rows(sight.judge, cases, size, bench.say)
    else:
        keep = [known[i] for i in ids] if attacked else [True] * len(ids)
        stress = get_stress(run.planned.stress)
        rows = stressed_rows(
            stress,
            dict(run.params),
            sight,
            cases,
            keep,
            seed=bench.seed,
            batch_size=size,
            say=bench.say,
            natives=bench.natives,
        )
    unit = Unit(rows, _forwards(sight) - before)
    bench.store.save(key, unit)
    return unit


def _forwards(sight: Sight) -> int:
    """Of the audited network and of the surrogate; a search network counts with its original."""
    other = sight.maker.counts_with(sight.judge)
    return sight.judge.forwards + (0 if other else sight.maker.forwards)


def _batch_size(run: Run, asked: int) -> int:
    """Fewer images at a time where a gradient goes through a defence that looks at each several
    times: it holds all of them in memory."""
    planned = run.planned
    gradients = planned.kind != "clean" and get_stress(planned.stress).needs_gradients
    return max(1, int(asked / max(1.0, run.looks))) if gradients else asked


def _placed(rows: Rows, ids: Sequence[str], place: Mapping[str, int]) -> Rows:
    """A unit counts within its own cases; the table counts over all subjects."""
    lookup = np.array([place[case_id] for case_id in ids], dtype=np.int64)
    columns = {name: getattr(rows, name) for name in Rows.__dataclass_fields__}
    return Rows(**{**columns, "case": lookup[rows.case]})


def _evidence(
    run: Run, place: Mapping[str, int], parts: Sequence[Rows], planned: PlannedRun
) -> RunEvidence:
    sample = np.array([place[case_id] for case_id in run.cases], dtype=np.int64)
    kind = "level" if planned.kind == "clean" else get_stress(planned.stress).variants
    return RunEvidence(planned, sample, join(parts), kind == "level", kind == "search")


def _correct(evidence: RunEvidence, bench: Bench) -> dict[str, bool]:
    """Case id -> decided correctly without stress (under this defence)."""
    classifier = bench.classifier
    decided = classifier.decide(evidence.rows.logits)
    ids = sorted(bench.cases)
    return {
        ids[int(case)]: bool(classifier.classes[chosen] == bench.cases[ids[int(case)]].label)
        if chosen >= 0
        else False
        for case, chosen in zip(evidence.rows.case, decided, strict=True)
    }
