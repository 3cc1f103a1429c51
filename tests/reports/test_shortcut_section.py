"""Section 10 as a reader meets it: the shortcut probe's numbers and words, from Results alone."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from audit.conduct import conduct
from audit.options import AuditOptions
from audit.results import ProbeReport, Results
from reports.blocks import Figure, Table, Text
from reports.card import Card
from reports.material import Material
from reports.panels.registry import load_panels
from reports.render import render_html
from reports.values.registry import load_values
from reports.verdict import read_verdict
from reports.wording import overclaims
from tests.probes.shortcut_models import Reader, classifier_of, scenes


@pytest.fixture(scope="module")
def results() -> Results:
    options = AuditOptions(
        preset="ci", stresses=("gamma",), probes=("shortcuts",), images=False, batch_size=16
    )
    with TemporaryDirectory() as folder:
        cases = scenes(120, 1, marker=0.6)
        return conduct(classifier_of(Reader(marker=1)), cases, Path(folder), options, notes=())


def material_of(results: Results) -> Material:
    return Material(results, Path(), Card(), read_verdict(None))


def blocks(results: Results) -> list[object]:
    return list(load_panels()["shortcuts"](material_of(results)))


def test_each_way_of_looking_has_a_table_and_the_areas_a_picture(results):
    found = blocks(results)
    captions = [block.caption for block in found if isinstance(block, Table)]
    assert captions == [
        "Metadata and the label",
        "Attributes in the model's features",
        "Border and marker occlusion",
    ]
    (picture,) = [block for block in found if isinstance(block, Figure)]
    assert picture.source.startswith("data:image/svg+xml")


def test_the_table_prints_the_probes_own_number(results):
    (report,) = results.probes
    (whole,) = [f for f in report.findings if f.metric == "metadata_auroc" and not f.params]
    (table,) = [b for b in blocks(results) if getattr(b, "caption", "") == "Metadata and the label"
                and isinstance(b, Table)]  # fmt: skip
    (row,) = [row for row in table.rows if row[0] == "all together"]
    assert row[1].text == f"{whole.value:.3f}".removeprefix("0")


def test_border_and_marker_have_a_row_each_with_decisions_and_map_beside_their_controls(results):
    (report,) = results.probes
    (table,) = [b for b in blocks(results) if getattr(b, "caption", "").startswith("Border and")]
    rows = {row[0]: row[1:] for row in table.rows}
    assert set(rows) == {"border", "side marker"}
    for name, region in (("border", "border"), ("side marker", "marker")):
        for place, which in enumerate((region, f"control of {region}")):
            (by_probe,) = [
                f
                for f in report.findings
                if f.metric == "decision_change_occluded"
                and f.contrast is None
                and f.params["region"] == which
            ]
            assert rows[name][place].sub.endswith(f"{by_probe.events}/{by_probe.n}")


def test_no_table_has_more_rows_than_fit_and_the_cut_is_said(results):
    (report,) = results.probes
    one = next(f for f in report.findings if f.metric == "attribute_from_features")
    many = [
        one.model_copy(update={"params": {"attribute": f"a{n}", "value": "1"}}) for n in range(40)
    ]
    longer = report.model_copy(update={"findings": (*report.findings, *many)})
    found = blocks(results.model_copy(update={"probes": (longer,)}))
    (table,) = [
        b for b in found if getattr(b, "caption", "") == "Attributes in the model's features"
    ]
    assert len(table.rows) == 15
    assert "The first 15 of" in table.note


def test_the_two_fields_say_the_signs(results):
    values = load_values()
    metadata = " ".join(values["errors.metadata"](material_of(results)))
    occlusion = " ".join(values["errors.occlusion"](material_of(results)))
    assert "Metadata alone predict the label, without the image (marker)" in metadata
    assert "Decisions depend on the side marker" in occlusion
    assert not overclaims(f"{metadata} {occlusion}")


def test_without_the_probe_the_fields_are_empty_and_a_failure_is_named(results):
    none = results.model_copy(update={"probes": ()})
    values = load_values()
    assert values["errors.metadata"](material_of(none)) is None
    assert values["errors.occlusion"](material_of(none)) is None
    assert blocks(none) == []
    failed = ProbeReport(probe="shortcuts", state="failed", reason="TimeUp")
    (said,) = blocks(results.model_copy(update={"probes": (failed,)}))
    assert isinstance(said, Text)
    assert said.text == "Failed: TimeUp"


def test_the_whole_report_renders_with_it(results):
    html = render_html(results, Path())
    assert "Border and marker occlusion" in html
    assert "Findings of shortcuts" not in html  # it has a panel of its own
