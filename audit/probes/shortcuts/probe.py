"""Whether the label, or the model, can be explained by something other than the finding."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from audit.cases.case import Case
from audit.draws import ranked
from audit.findings.view import Floats
from audit.probes.cam.maps import grad_cam
from audit.probes.cam.watched import NoMap
from audit.probes.registry import Examination, probe
from audit.probes.shortcuts.cam import MOST as MOST_MAPS
from audit.probes.shortcuts.cam import Mass, cam_findings, weighed
from audit.probes.shortcuts.features import NoFeatures, encoded_findings, last_layer, watched
from audit.probes.shortcuts.matched import matched_findings
from audit.probes.shortcuts.metadata import PERMUTED_FITS, label_findings, score_finding
from audit.probes.shortcuts.notes import notes
from audit.probes.shortcuts.occlusion import (
    REGIONS,
    Filled,
    measured,
    occlusion_findings,
    variants,
)
from audit.probes.shortcuts.regions import RULE, Box, markers
from audit.probes.shortcuts.table import Table, table_of
from audit.results import Finding, Note, ProbeReport

MOST_CASES = 600
PER_CASE = 5  # forwards: as it is; border, marker and a control of each, filled
PER_MAP = 3  # a forward and a backward


@dataclass
class Seen:
    """What the network showed of the sampled cases; `missing`: part -> why it is not there."""

    rows: list[int] = field(default_factory=list)
    features: list[Floats] = field(default_factory=list)
    filled: dict[str, Filled] = field(default_factory=lambda: {r: Filled() for r in REGIONS})
    masses: dict[str, Mass] = field(default_factory=lambda: {r: Mass() for r in REGIONS})
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Waiting:
    """A case whose variants x (v, C, H, W) are to go through the network."""

    row: int
    x: torch.Tensor
    names: list[str]


@probe("shortcuts", "cases", "permutations")
def shortcuts(examination: Examination) -> ProbeReport:
    """What else than the finding tells the label, and whether the model reads it.

    From the table: `metadata_auroc` (the label from metadata alone, out of fold), also by
    attribute; `model_explained_by_metadata`; `matched_auroc` with its fall from the unmatched.
    From the network, on at most 600 cases: `attribute_from_features` (before the last linear
    layer, among cases of the same label), `decision_change_occluded` and `score_shift_occluded`
    (border and side marker filled, each against a control region of the same area), and on at
    most 64 `cam_mass`. Filling is itself a change of the image: only more than the control counts.

    Warnings: `shortcut-metadata`, `shortcut-encoded` (information where the metadata does not
    predict the label), `shortcut-matched`, `shortcut-occlusion`, `shortcut-cam` (information
    unless filling that region changes decisions); each rests on an interval and on a test at 1%,
    after Holm within its family. `shortcut-none`,
    `shortcut-sample`, `shortcut-not-examined`, `shortcut-reading`: information.
    Parameters: `permutations` (119) of the whole metadata procedure, `cases` (600).
    Sources: Badgeley et al. 2019, doi:10.1038/s41746-019-0105-1; DeGrave et al. 2021,
    doi:10.1038/s42256-021-00338-7; Liu et al. 2022, doi:10.1016/S2589-7500(22)00003-6.
    """
    table = table_of(examination.predictions, examination.seed)
    seen, limit = _seen(examination, table), _affordable(examination)
    findings = [*_of_table(examination, table, seen), *_of_network(examination, table, seen)]
    said = [*notes(table, findings, _classes(examination)), *_asides(table, seen, limit)]
    return ProbeReport(
        probe="shortcuts",
        findings=tuple(findings),
        notes=tuple(said),
        details={
            "attributes": {column.name: list(column.values) for column in table.columns},
            "cases": len(table.cases),
            "cases_through_network": len(seen.rows),
            "marker_rule": RULE,
            "markers_found_in": len(seen.filled["marker"].rows),
            "maps": len(seen.masses["border"].rows),
            "not_examined": seen.missing,
        },
    )


def _classes(examination: Examination) -> tuple[str, str]:
    """What the positive images are called, and the others."""
    description = examination.classifier.description
    others = [name for name in description.classes if name != description.positive_class]
    return description.positive_class, others[0] if len(others) == 1 else "other"


def _of_table(examination: Examination, table: Table, seen: Seen) -> list[Finding]:
    if not table.columns:
        seen.missing["metadata"] = "the data carries no attribute with two or more values"
        return []
    most = int(examination.params.get("permutations", PERMUTED_FITS))
    check = examination.check_time
    return [
        *label_findings(table, examination.seed, most, check),
        score_finding(table, examination.seed),
        *matched_findings(table),
    ]


def _of_network(examination: Examination, table: Table, seen: Seen) -> list[Finding]:
    found: list[Finding] = []
    if seen.features and table.columns:
        rows, features = np.array(seen.rows), np.stack(seen.features)
        found += encoded_findings(table, rows, features, examination.seed, examination.check_time)
    found += occlusion_findings(table, seen.filled, len(seen.rows))
    if "Grad-CAM" not in seen.missing:
        found += cam_findings(table, seen.masses)
    return found


def _affordable(examination: Examination) -> tuple[int, int]:
    """How many cases go through the network, and how many of these get a map."""
    maps = min(MOST_MAPS, examination.forwards // (4 * PER_MAP))
    left = max(0, examination.forwards - maps * PER_MAP) // PER_CASE
    cases = min(int(examination.params.get("cases", MOST_CASES)), left)
    return cases, min(maps, cases)


def _seen(examination: Examination, table: Table) -> Seen:
    """One pass over the sampled cases: features, filled regions, maps."""
    seen = Seen()
    cases, maps = _affordable(examination)
    ids = [examination.predictions.subjects[int(i)].id for i in table.cases]
    place = {case_id: row for row, case_id in enumerate(ids)}
    chosen = ranked(examination.seed, ids, "shortcuts")[:cases]
    known = examination.cases.by_id()
    mapped: list[tuple[Case, int, list[Box]]] = []
    waiting: list[Waiting] = []
    for case_id in chosen:
        examination.check_time()
        image = examination.classifier.prepare(known[case_id])
        boxes = markers((image[0] if len(image) == 1 else image.mean(0)).numpy())
        if len(mapped) < maps:
            mapped.append((known[case_id], place[case_id], boxes))
        x, names = variants(image, boxes, case_id, examination.seed)
        full = sum(len(one.x) for one in waiting) + len(x) > examination.batch_size
        if waiting and (full or waiting[0].x.shape[1:] != x.shape[1:]):
            _look(examination, seen, waiting)
            waiting = []
        waiting.append(Waiting(place[case_id], x, names))
    if waiting:
        _look(examination, seen, waiting)
    _mapped(examination, seen, mapped)
    return seen


def _look(examination: Examination, seen: Seen, waiting: list[Waiting]) -> None:
    """Send the variants of some cases through the network at once."""
    logits, features = _asked(examination, seen, torch.cat([one.x for one in waiting]))
    start = 0
    for one in waiting:
        seen.rows.append(one.row)
        if features is not None:
            seen.features.append(features[start])
        own = logits[start : start + len(one.x)]
        measured(seen.filled, one.row, own, one.names, examination)
        start += len(one.x)


def _asked(
    examination: Examination, seen: Seen, x: torch.Tensor
) -> tuple[torch.Tensor, Floats | None]:
    """Logits (n, K) and features (n, d); or why there are none of the latter."""
    classifier = examination.classifier
    if "features" in seen.missing:
        return classifier.predict(x).logits, None
    try:
        with watched(last_layer(classifier)) as found:
            logits = classifier.predict(x).logits
        if len(found) != 1 or len(found[0]) != len(x):
            raise NoFeatures("the last layer is not used once per image")
        return logits, found[0]
    except NoFeatures as error:
        seen.missing["features"] = str(error)
        seen.features.clear()
        return classifier.predict(x).logits, None


def _mapped(
    examination: Examination, seen: Seen, chosen: list[tuple[Case, int, list[Box]]]
) -> None:
    """Grad-CAM of the chosen cases: each with its row and the boxes of its markers."""
    classifier = examination.classifier
    if classifier.description.cam_layer is None or not classifier.has_gradients:
        seen.missing["Grad-CAM"] = "the classifier has no gradients or no layer to look at"
        return
    decided = examination.predictions.decided(examination.predictions.clean_logits())
    places = {subject.id: i for i, subject in enumerate(examination.predictions.subjects)}
    try:
        cam = grad_cam(classifier)
        for case, row, boxes in chosen:
            examination.check_time()
            target = int(decided[places[case.id]])
            if target >= 0:
                weighed(seen.masses, row, classifier.prepare(case), boxes, cam, target)
    except NoMap as error:
        seen.missing["Grad-CAM"] = str(error)


def _asides(table: Table, seen: Seen, limit: tuple[int, int]) -> list[Note]:
    reading = (
        "Attributes, borders and markers are looked at one way only: an association is no proof "
        "that the model uses it, and none found is no proof of its absence. Filling a region "
        f"changes the image as such; hence the control. The rule for markers: {RULE}."
    )
    said = [Note(code="shortcut-reading", level="info", text=reading)]
    if len(seen.rows) < len(table.cases):
        text = (
            f"Features and occlusion were looked at in {len(seen.rows)} of {len(table.cases)} "
            f"cases, in seeded order; Grad-CAM in at most {limit[1]}."
        )
        said.append(Note(code="shortcut-sample", level="info", text=text))
    if seen.missing:
        what = "; ".join(f"{name}: {why}" for name, why in seen.missing.items())
        text = f"Not examined for shortcuts: {what}."
        said.append(Note(code="shortcut-not-examined", level="info", text=text))
    return said
