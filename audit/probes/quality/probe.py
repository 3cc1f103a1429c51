"""Which pictures are poor as pictures, and whether the model does worse on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import torch

from audit.draws import ranked
from audit.errors import HipauditError
from audit.findings.frame import Frame, make_frame
from audit.findings.groups import make_groups
from audit.findings.measure import rate_finding
from audit.findings.proportions import limits as limits_of_rates
from audit.findings.proportions import tabulate
from audit.findings.rates import CASES, Rate
from audit.findings.view import Bools, Ints, Label
from audit.metrics.interval import Interval
from audit.probes.measured import measured
from audit.probes.quality.picture import picture
from audit.probes.quality.quartiles import by_quartile, decided, trends, warnings
from audit.probes.registry import Examination, probe
from audit.quality.limits import LIMITED, Limits, limits_of
from audit.quality.measures import MEASURES
from audit.results import Finding, Note, ProbeReport

RESAMPLES = 2000
MOST_LISTED = 200
SHOWN = 2  # pictures per reason
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
Values = Mapping[str, npt.NDArray[np.float64]]


@probe("quality")
def quality(examination: Examination) -> ProbeReport:
    """Measures every picture as the model sees it; lists those beyond the limits of quality.

    Findings: `poor_quality` (share beyond some limit, and beyond each), `accuracy_sound` and
    `accuracy_poor` (decisions without stress, within the limits and beyond); per measure
    `error_by_quality` (do errors go with it, label by label) and per quartile of it
    `accuracy_by_quality`, `sensitivity_by_quality`, `specificity_by_quality`. Details: quantiles
    of every measure, and the ids of the cases beyond with what is wrong with each: a list for a
    radiologist. Warning `quality-dependent` per measure that errors go with (Holm p < .01).
    The limits are those of the defence `quality-filter`. With `images`, two pictures per reason
    in seeded order, none with burned-in text. It looks at the audited cases only.
    """
    try:
        limits = limits_of(examination.classifier)
    except HipauditError as error:  # what the model brings is no reason to lose the audit
        return ProbeReport(probe="quality", state="failed", reason=str(error)[:300])
    sample = examination.predictions.clean().sample
    found = _measured(examination, sample)
    flags = limits.beyond({name: torch.from_numpy(values) for name, values in found.items()})
    beyond = {name: flag.numpy() for name, flag in flags.items()}
    poor = np.logical_or.reduce(list(beyond.values())) if beyond else np.zeros(len(sample), bool)
    review = _review(examination, sample, beyond)
    if examination.params.get("images", True):
        _show(examination, review)
    groups = make_groups(examination.predictions.subjects, [])
    frame = make_frame(examination.predictions, groups, examination.seed, RESAMPLES)
    told = decided(frame, sample)
    rates, links = list(by_quartile(frame, told, found)), trends(frame, told, found)
    return ProbeReport(
        probe="quality",
        findings=(*_findings(frame, sample, poor, beyond), *links, *rates),
        notes=(*_notes(limits, review), *warnings(links, rates)),
        details={
            "limits": limits.as_dict(),
            "quantiles": {name: _quantiles(values) for name, values in found.items()},
            "to_review": len(review),
            "review": dict(list(review.items())[:MOST_LISTED]),
        },
    )


def _measured(examination: Examination, sample: Ints) -> dict[str, npt.NDArray[np.float64]]:
    """Every measure (n,) of the sampled cases."""
    subjects = examination.predictions.subjects
    table = measured(examination, [subjects[int(index)].id for index in sample])
    return {name: table[:, column] for column, name in enumerate(MEASURES)}


def _review(
    examination: Examination, sample: Ints, beyond: Mapping[str, Bools]
) -> dict[str, list[str]]:
    """Case id -> in words what is wrong with it, in the order of the ids."""
    found = {}
    for row, index in enumerate(sample):
        reasons = [LIMITED[name] for name, flag in beyond.items() if flag[row]]
        if reasons:
            found[examination.predictions.subjects[int(index)].id] = reasons
    return dict(sorted(found.items()))


def _findings(
    frame: Frame, sample: Ints, poor: Bools, beyond: Mapping[str, Bools]
) -> Iterator[Finding]:
    predictions = frame.predictions
    cases = sample.astype(np.int64)
    right = predictions.clean_correct()[cases]
    everyone = np.ones(len(cases), dtype=bool)
    rates = [
        (Rate("poor_quality", poor, everyone, everyone, CASES), ""),
        (Rate("accuracy_sound", right & ~poor, ~poor, ~poor, "cases within the limits"), ""),
        (Rate("accuracy_poor", right & poor, poor, poor, "cases beyond the limits"), ""),
    ]
    rates += [
        (Rate("poor_quality", flag, everyone, everyone, CASES), LIMITED[name])
        for name, flag in beyond.items()
        if flag.any()
    ]
    table = tabulate(frame, cases, [rate for rate, _ in rates], frame.groups.members[cases])
    low, high, method = limits_of_rates(table)
    for m, (rate, reason) in enumerate(rates):
        label = Label("clean", "none", "clean", {"beyond": reason} if reason else {})
        interval = Interval(float(low[m, 0]), float(high[m, 0]), str(method[m, 0]))
        yield rate_finding(label, {}, rate, table, (m, 0), interval)


def _notes(limits: Limits, review: Mapping[str, list[str]]) -> tuple[Note, ...]:
    said = f"Poor as a picture: {limits}. These limits are {limits.origin}."
    listed = [f"{case_id} ({', '.join(why)})" for case_id, why in review.items()][:MOST_LISTED]
    more = f", and {len(review) - MOST_LISTED} more" if len(review) > MOST_LISTED else ""
    who = f"For a radiologist to look at: {', '.join(listed)}{more}." if listed else (
        "No picture lies beyond the limits."
    )  # fmt: skip
    return (
        Note(code="quality-limits", level="info", text=said),
        Note(code="quality-review", level="info", text=who),
    )


def _quantiles(values: npt.NDArray[np.float64]) -> dict[str, float]:
    return {f"{q:g}": round(float(np.quantile(values, q)), 6) for q in QUANTILES}


def _show(examination: Examination, review: Mapping[str, list[str]]) -> None:
    cases = examination.cases.by_id()
    showable = [case_id for case_id in review if cases[case_id].burned_in is not True]
    chosen: dict[str, None] = {}
    for reason in LIMITED.values():
        these = [case_id for case_id in showable if reason in review[case_id]]
        chosen |= dict.fromkeys(ranked(examination.seed, these, f"quality {reason}")[:SHOWN])
    for case_id in chosen:
        case = cases[case_id]
        examination.keep(picture(case, examination.classifier.prepare(case), review[case_id]))
