"""The report as HTML: complete, escaped, and made from audit.json alone."""

from __future__ import annotations

from pathlib import Path

from reports.outline import outline
from reports.render import render_html
from tests.sample_results import sample_results, sample_verdict


def test_every_section_of_the_outline_stands_in_the_report(tmp_path: Path) -> None:
    html = render_html(sample_results(tmp_path), tmp_path, verdict=sample_verdict())
    for section in outline():
        assert f'id="{section.id}"' in html
        for row in section.rows:
            assert row.label.replace("&", "&amp;") in html
