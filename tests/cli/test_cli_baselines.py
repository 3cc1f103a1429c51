"""The baselines for drift go with the PDF, as a file of their own."""

from __future__ import annotations

import json

import pytest

from audit.gate.verdict import Verdict
from audit.results import ProbeReport
from hipaudit.outputs import render
from hipaudit.papers import Papers
from reports.edition import ENGLISH
from tests.sample_results import sample_results


@pytest.mark.parametrize("state", ["done", "failed"])
def test_the_pdf_carries_the_baselines_of_a_probe_that_was_run(tmp_path, monkeypatch, state):
    attached: dict[str, bytes] = {}

    def kept(_html: str, *, attachments: dict[str, bytes], **_rest: object) -> bytes:
        attached.update(attachments)
        return b"%PDF"

    monkeypatch.setattr("reports.pdf.render_pdf", kept)
    monkeypatch.setattr("reports.render.render_html", lambda *_args, **_rest: "<html></html>")
    details = {"schema_version": 1, "cases": 100}
    report = ProbeReport(probe="drift_baselines", state=state, details=details)
    results = sample_results().model_copy(update={"probes": (report,)})
    verdict = Verdict(outcome="no gate set", exit_code=0)
    render(results, tmp_path, Papers(), verdict, ENGLISH)
    assert ("baselines.json" in attached) == (state == "done")
    if state == "done":
        told = json.loads(attached["baselines.json"])
        assert (told["cases"], told["run_id"]) == (100, results.run_id)
