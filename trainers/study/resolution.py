"""Resolution sweep: the same network at several input sizes, and where its Grad-CAM maps lie.

The thesis works at 224 × 224 for want of memory and names a higher resolution as further work.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audit.checkpoints.load import load_classifier
from audit.checkpoints.options import ModelOptions
from audit.errors import HipauditError
from audit.findings.rates import FEWEST
from audit.probes.registry import Examination, Picture, get_probe
from audit.reasons import reason_of
from audit.results import Finding, Note
from audit.study_results import StudyResults
from trainers.progress import Progress
from trainers.splits import Splits
from trainers.study.conduct import conduct_study
from trainers.study.member import Member, Outcome
from trainers.study.options import StudyOptions
from trainers.study.run import title_of
from trainers.study.testing import baseline

SIZES = (64, 96, 128, 224, 320, 448)
ARCHITECTURE = "densenet169"  # the best of the published table


def resolution_study(
    splits: Splits, folder: Path, options: StudyOptions, progress: Progress
) -> StudyResults:
    """Fit each architecture at several input sizes; write `folder/study.json`.

    `options.points`: heights and widths in pixels; by default SIZES up to the images' own.
    Where cases have lesion boxes, `cam_energy_in_box` (with `box_area`, what chance would
    reach) says how well Grad-CAM maps of found fractures lie on them. Raises HipauditError for
    sizes that are not whole numbers from 32 to 1024, and for a size among the settings.
    """
    names = options.architectures or (ARCHITECTURE,)
    native = short_side(splits)
    sizes = _sizes(options, native)
    members = [
        Member(
            f"{name}-{size}-px",
            f"{title_of(name)}, {size} × {size}",
            name,
            splits.train,
            splits.val,
            splits.test,
            overrides={"size": size},
            settings={"size": size},
        )
        for name in names
        for size in sizes
    ]
    enlarged = [size for size in sizes if size > native]
    located: dict[str, tuple[Finding, ...]] = {}

    def completed(results: StudyResults, outcomes: Sequence[Outcome]) -> StudyResults:
        models, notes = [], list(_notes(native, enlarged))
        for outcome in outcomes:
            name = outcome.member.name
            if name not in located and outcome.checkpoint is not None:
                located[name] = localisation(outcome, options)
            found = (*outcome.trained.findings, *located.get(name, ()))
            models.append(outcome.trained.model_copy(update={"findings": found}))
        update = {
            "models": tuple(models),
            "baseline": baseline(outcomes[0].member.test),
            "notes": (*results.notes, *notes),
        }
        return results.model_copy(update=update)

    title = f"Accuracy and localisation over the input size: {', '.join(map(title_of, names))}"
    return conduct_study(
        "resolution", title, members, splits, folder, options, progress, complete=completed
    )


def short_side(splits: Splits) -> int:
    """The median short side of the test images, in pixels."""
    sides = sorted(min(case.shape[:2]) for case in splits.test if case.shape)
    return sides[len(sides) // 2] if sides else max(SIZES)


def _sizes(options: StudyOptions, native: int) -> list[int]:
    if "size" in options.settings:
        raise HipauditError("sizes by --points", "--size too", "Leave --size out.")
    if not options.points:
        return [size for size in SIZES if size <= native] or [SIZES[0]]
    for point in options.points:
        if point != int(point) or not 32 <= point <= 1024:
            raise HipauditError(
                "input sizes as whole numbers from 32 to 1024", f"{point:g}", "Change --points."
            )
    return sorted({int(point) for point in options.points})


def localisation(outcome: Outcome, options: StudyOptions) -> tuple[Finding, ...]:
    """What the Grad-CAM probe says of the lesion boxes; why not, where it cannot."""
    cases = outcome.member.test
    if outcome.checkpoint is None or outcome.predictions is None:
        return ()
    if not any(case.boxes for case in cases):
        return (_without("no lesion boxes in the data"),)
    classifier = load_classifier(
        outcome.checkpoint, cases.labels, ModelOptions(device=options.device)
    )

    def drop(_: Picture) -> None:
        """No pictures are asked for here."""

    sight = Examination(
        classifier, cases, outcome.predictions, options.seed, 8, drop, {"images": False}
    )
    try:
        report = get_probe("gradcam")(sight)
    except Exception as error:  # noqa: BLE001 a probe may raise anything: its number is named absent
        return (_without(reason_of(error)[:200]),)
    kept = tuple(_few(f) for f in report.findings if f.metric in ("cam_energy_in_box", "box_area"))
    return kept or (_without(report.reason or "no found fracture has a box"),)


def _few(finding: Finding) -> Finding:
    """Marked imprecise where so few maps make the mean that its interval says little."""
    few = finding.n < FEWEST
    return finding.model_copy(update={"imprecise": True}) if few else finding


def _without(reason: str) -> Finding:
    return Finding(metric="cam_energy_in_box", reason=reason)


def _notes(native: int, enlarged: Sequence[int]) -> list[Note]:
    text = f"The median short side of the test images is {native} pixels"
    more = f"; sizes above it ({', '.join(map(str, enlarged))}) only enlarge" if enlarged else ""
    return [
        Note(code="native-size", level="warning" if enlarged else "info", text=f"{text}{more}.")
    ]
