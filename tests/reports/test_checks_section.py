"""What the probes of labels, repeats, quality and spot checks found stands in the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audit.cases.read import from_arrays
from audit.conduct import conduct
from audit.options import AuditOptions
from audit.results import Results
from reports.blocks import Figure, Table, Text
from reports.card import Card
from reports.material import Material
from reports.panels.registry import load_panels
from reports.values.registry import load_values
from reports.verdict import read_verdict
from tests.planted.scenes import pictures
from tests.probes.test_label_errors import Lesion
from tests.sample_results import sample_results
from tests.toys import classifier_of

CASES = 200


def material(results: Results) -> Material:
    return Material(results, Path(), Card(), read_verdict(None))


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Material:
    """200 cases of which 20 have the wrong label, two repeat, and 12 were trained on."""
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 8, CASES)
    truth = (odds > 0) ^ (np.arange(CASES) < 20)
    images = pictures(odds)
    images[-1] = images[-2]
    labels = [("normal", "fracture")[int(t)] for t in truth]
    audited = from_arrays(images, labels)
    train = from_arrays(images[30:42], labels[30:42])
    chosen = AuditOptions(
        preset="ci", stresses=("fgsm",), images=False,
        probes=("quality", "label_errors", "leakage", "spot_check"),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("checks")
    classifier = classifier_of(Lesion(), 32, 32)
    return material(conduct(classifier, audited, folder, chosen, notes=(), train=train))


def test_overlap_and_repeats_are_told_with_their_counts(done) -> None:
    told = load_values()["data.overlap"](done)
    assert told[0] == "Compared with 12 training images."
    assert any(line.startswith("12 of 200 audited images lie in the training") for line in told)
    assert any("of the images met in training" in line for line in told)
    (repeats,) = load_values()["data.duplicates"](done)
    assert repeats.startswith("2 of the audited images repeat one another: 1 pairs")


def test_without_training_data_the_field_stays_open() -> None:
    assert load_values()["data.overlap"](material(sample_results())) is None
    assert load_values()["errors.confident"](material(sample_results())) is None


def test_pairs_labels_and_errors_are_listed_by_case_id(done) -> None:
    (table,) = load_panels()["repeated_images"](done)
    assert isinstance(table, Table)
    assert len(table.rows) == 13
    labels = next(b for b in load_panels()["labels_to_read"](done) if isinstance(b, Table))
    known = {row[0] for row in labels.rows}
    listed = next(r for r in done.results.probes if r.probe == "label_errors").details["listed"]
    assert known == {entry["case"] for entry in listed[:20]}
    assert len(load_values()["errors.confident"](done)) == 11


def test_the_plan_for_spot_checks_says_598_and_what_that_shows(done) -> None:
    blocks = load_panels()["spot_check_plan"](done)
    table = next(b for b in blocks if isinstance(b, Table))
    first = table.rows[0]
    assert [first[0], first[1], first[2].text] == ["below 0.5%", "0", "598"]
    assert any(isinstance(b, Text) and "598 cases re-read" in b.text for b in blocks)


def test_quartiles_of_quality_are_a_picture_with_a_table_under_it(done) -> None:
    blocks = load_panels()["quality_quartiles"](done)
    figure, table = (next(b for b in blocks if isinstance(b, kind)) for kind in (Figure, Table))
    again = next(b for b in load_panels()["quality_quartiles"](done) if isinstance(b, Figure))
    assert figure.source == again.source
    measures = {row[0] for row in table.rows}
    assert {"contrast", "noise share", "entropy"} <= measures
    assert all(len(row) == 6 for row in table.rows)
