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
from reports.panels.checks import MOST_ROWS
from reports.panels.registry import load_panels
from reports.values.quality import measure_name
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
    assert "12 audited images lie in the training data with identical pixels." in told
    report = next(r for r in done.results.probes if r.probe == "leakage")
    for metric, words in (("leaked", "images met in training"), ("unleaked", "the others")):
        (found,) = [f for f in report.findings if f.metric == f"accuracy_{metric}"]
        (line,) = [x for x in told if x.startswith(f"Decided correctly among {words}: ")]
        assert f"{found.events}/{found.n}" in line
    repeats = load_values()["data.duplicates"](done)
    assert repeats == (
        "2 of the audited images repeat one another: 1 pair with identical pixels, "
        "0 pairs nearly alike. Each counts more than once."
    )


def test_without_training_data_the_field_stays_open() -> None:
    assert load_values()["data.overlap"](material(sample_results())) is None
    assert load_values()["errors.confident"](material(sample_results())) is None


def test_pairs_labels_and_errors_are_listed_by_case_id(done) -> None:
    (table,) = load_panels()["repeated_images"](done)
    assert isinstance(table, Table)
    # 12 met in training and one pair among themselves; the table shows the first dozen.
    assert table.caption == "Repeated images (13 pairs)"
    assert len(table.rows) == MOST_ROWS == 12
    assert table.note.endswith("The first 12 of 13; all are in audit.json.")
    labels = next(b for b in load_panels()["labels_to_read"](done) if isinstance(b, Table))
    known = [row[0] for row in labels.rows]
    listed = next(r for r in done.results.probes if r.probe == "label_errors").details["listed"]
    assert known == [entry["case"] for entry in listed[:MOST_ROWS]]


def test_the_ten_surest_wrong_decisions_of_the_twenty_wrong_labels_are_listed(done) -> None:
    """The model reads the brightness without fault: it is wrong just where the label is."""
    told = load_values()["errors.confident"](done)
    assert told.startswith("The 20 surest wrong decisions are listed; the first was made with P = ")
    (table,) = load_panels()["confident_errors"](done)
    assert isinstance(table, Table)
    assert len(table.rows) == len({row[0] for row in table.rows}) == 10
    sure = [float(row[3]) for row in table.rows]
    assert sure == sorted(sure, reverse=True)
    assert all(row[1] != row[2] for row in table.rows)
    assert f"P = {table.rows[0][3]} (" in told
    assert "The 10 surest of 20 listed" in table.note


def test_the_plan_for_spot_checks_says_598_and_what_that_shows(done) -> None:
    blocks = load_panels()["spot_checks"](done)
    table = next(b for b in blocks if isinstance(b, Table))
    first = table.rows[0]
    assert table.columns[1] == "0 missed when re-read"
    assert [first[0], first[1].text] == ["below 0.5%", "598"]
    assert any(isinstance(b, Text) and "598 cases re-read" in b.text for b in blocks)


def test_quartiles_of_quality_are_a_picture_with_a_table_under_it(done) -> None:
    blocks = load_panels()["quality_quartiles"](done)
    figure, table = (next(b for b in blocks if isinstance(b, kind)) for kind in (Figure, Table))
    again = next(b for b in load_panels()["quality_quartiles"](done) if isinstance(b, Figure))
    assert figure.source == again.source
    report = next(r for r in done.results.probes if r.probe == "quality")
    links = {
        str(f.params["measure"]): abs(f.value - 0.5)
        for f in report.findings
        if f.metric == "error_by_quality" and f.value is not None
    }
    strongest = sorted(links, key=lambda name: (-links[name], name))[:4]
    assert [row[0] for row in table.rows] == [measure_name(name) for name in strongest]
    assert all(len(row) == 6 for row in table.rows)
