"""Compare two audits of the same cases: what changed, for whom, and which cases flipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from audit.compare.calibration import brier_change
from audit.compare.differences import Twice, adjusted, differences, twice
from audit.compare.flips import changed, flips
from audit.compare.pair import Pair, pair
from audit.compare.results import Audit, Comparison, Difference, Flip, Level, Pairs
from audit.compare.side import Key, Side, read_side
from audit.findings.view import Gap, Label, View
from audit.results import Note

ONLY_IN = "only in {}"
CALIBRATION = ("calibration_intercept", "calibration_slope", "observed_expected", "brier", "ece")
PLAIN: dict[str, object] = {"stress": "clean", "defence": "none", "group": {}, "contrast": None}


def compare(
    base: Path,
    new: Path,
    subgroups: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> Comparison:
    """NEW − BASE, paired case by case, of two audit folders (or audit.json files).

    Each needs its predictions.csv beside it. `subgroups`: attributes to report by; None means
    every attribute with 2 to 12 distinct values. Raises HipauditError when a file is missing or
    damaged, when no case is shared, or when a shared case has two labels.
    """
    return compared(read_side(base, "BASE"), read_side(new, "NEW"), subgroups, seed, resamples)


def compared(
    base: Side,
    new: Side,
    subgroups: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> Comparison:
    """The same for audits that were read already."""
    both = pair(base, new, subgroups, seed, resamples)
    levels: list[Level] = []
    found: list[Difference] = []
    flipped: list[Flip] = []
    calibration: list[Difference] = []
    for key in dict.fromkeys([*base.levels, *new.levels]):
        level, seen = _level(both, base, new, key)
        if seen is not None:
            found += differences(both, seen)
            flipped += flips(both, seen, len(levels))
            if (level.stress, level.defence) == ("clean", "none"):
                calibration.append(brier_change(both, seen))
        levels.append(level)
    subjects = both.frame.predictions.subjects
    patients = {subject.patient for subject in subjects} - {None}
    labels = Counter(both.frame.predictions.classes[s.target] for s in subjects)
    return Comparison(
        tool_version=version("hipaudit"),
        base=_audit(base),
        new=_audit(new),
        classes=both.frame.predictions.classes,
        positive_class=base.results.model.positive_class,
        pairs=Pairs(
            paired=len(subjects),
            only_base=int((both.base_at < 0).sum()),
            only_new=int((both.new_at < 0).sum()),
            patients=len(patients) or None,
            labels=dict(sorted(labels.items())),
        ),
        subgroups=both.attributes,
        seed=seed,
        resamples=resamples,
        levels=tuple(levels),
        differences=tuple(adjusted(found)),
        flips=tuple(flipped),
        calibration=tuple(calibration),
        notes=(*both.notes, *_uncompared(levels)),
    )


def _level(both: Pair, base: Side, new: Side, key: Key) -> tuple[Level, Twice | None]:
    """One level, and the two views of it; the level tells why when there are none."""
    one, two = base.levels.get(key), new.levels.get(key)
    known = two or one
    assert known is not None  # noqa: S101  the key came from one of the two
    start = _named(known.label)
    for side, name in ((one, "BASE"), (two, "NEW")):
        if side is None:
            other = "NEW" if name == "BASE" else "BASE"
            return start.model_copy(update={"reason": ONLY_IN.format(other)}), None
        if isinstance(side, Gap):
            return start.model_copy(update={"reason": f"in {name}: {side.reason}"}), None
    assert isinstance(one, View)  # noqa: S101  for the type checker: said above
    assert isinstance(two, View)  # noqa: S101
    seen = twice(both, one, two)
    if seen is None:
        return start.model_copy(update={"reason": "no case was seen in both"}), None
    lost, gained = changed(seen)
    facts = {"cases": len(lost), "lost": int(lost.sum()), "gained": int(gained.sum())}
    return start.model_copy(update=facts), seen


def _named(label: Label) -> Level:
    return Level(
        stress=label.stress,
        kind=label.kind,
        defence=label.defence,
        params=dict(label.params),
        variant=label.variant,
    )


def _uncompared(levels: Sequence[Level]) -> list[Note]:
    missing = [level for level in levels if level.reason]
    if not missing:
        return []
    text = f"{len(missing)} of {len(levels)} levels are not compared; each says why."
    return [Note(code="not-compared", level="warning", text=text)]


def _audit(side: Side) -> Audit:
    results = side.results
    ran, recorded = results.provenance, results.provenance.gate_file
    return Audit(
        model=results.model.name,
        architecture=results.model.architecture,
        weights=results.model.sha256,
        threshold=results.model.threshold,
        threshold_origin=results.model.threshold_origin,
        data=results.data.name,
        cases=results.data.cases,
        run_id=results.run_id,
        date=ran.date,
        seed=results.plan.seed,
        sha256=side.sha256,
        synthetic=results.data.synthetic,
        patients=results.data.patients,
        labels=results.data.labels,
        data_sha256=results.data.sha256,
        preset=results.plan.preset,
        preparation=results.model.preparation,
        preparation_origin=results.model.preparation_origin,
        tool_version=results.tool_version,
        python=ran.python,
        platform=ran.platform,
        device=ran.device,
        search=ran.search,
        packages=ran.packages,
        gate_file=recorded.sha256 if recorded else "",
        calibration=tuple(f for name in CALIBRATION for f in results.find(name, **PLAIN)),
    )
