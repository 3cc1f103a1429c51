"""report.html in a real browser: without its script everything stands there, with it one may
filter the gallery and slide over ε."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from audit.results import Results
from reports.edition import Edition
from reports.render import render_html
from tests.reports.page import read_page
from tests.reports.sample_flips import with_flips
from tests.sample_results import sample_results

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
browser = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")

LOOKS = """
const all = (which) => [...document.querySelectorAll(which)];
const seen = (which) => all(which).filter((one) => one.getClientRects().length > 0);
const maps = () => seen('.gallery[data-use="filter"] figure')
  .map((one) => `${one.dataset.outcome}/${one.dataset.view}`);
const steps = () => seen('.gallery[data-use="slider"]')
  .map((one) => [...one.querySelectorAll("figure[data-step]")]
    .filter((figure) => figure.getClientRects().length > 0)
    .map((figure) => figure.dataset.step));
const found = {
  injected: document.title.includes("INJECTED"),
  fetched: performance.getEntriesByType("resource")
    .map((one) => one.name).filter((name) => !name.startsWith("data:")),
  bars: all(".companion").length,
  maps: maps(),
  steps: steps(),
};
"""
ACTS = """
const button = (text) => all('[data-companion="filter"] button')
  .find((one) => one.textContent === text);
const pressed = () => all('[data-companion="filter"] button[aria-pressed="true"]')
  .map((one) => one.textContent);
const state = () => ({
  maps: maps(),
  pressed: pressed(),
  told: document.querySelector('[role="status"]').textContent,
  headings: seen('.gallery[data-use="filter"] h3').map((one) => one.textContent),
});
found.buttons = all('[data-companion="filter"] button').map((one) => one.textContent);
found.start = state();
button("False negatives").click();
found.missed = state();
button("lateral").click();
found.lateral = state();
all('[data-companion="filter"] button').filter((one) => one.textContent === "All")
  .forEach((one) => one.click());
found.again = state();
button("frontal").focus();
found.focused = document.activeElement.textContent;
const range = document.querySelector('input[type="range"]');
range.focus();
found.sliderHasFocus = document.activeElement === range;
range.value = 2;
range.dispatchEvent(new Event("input"));
found.moved = { steps: steps(), text: range.getAttribute("aria-valuetext"),
  told: document.querySelector("output").textContent, label: range.getAttribute("aria-label") };
document.querySelector('[data-companion="slider"] button').click();
found.together = steps();
found.added = seen('.gallery[data-use="slider"] figure:not([data-step])').length;
"""
TELLS = """
const told = document.createElement("pre");
told.id = "found";
told.textContent = JSON.stringify(found);
document.body.append(told);
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("companion")


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return with_flips(sample_results(folder), folder)


@pytest.fixture(scope="module")
def page(results: Results, folder: Path) -> str:
    return render_html(results, folder)


def digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def opened(page: str, script: str, folder: Path) -> dict[str, Any]:
    """What `script`, which the page's policy is made to allow, finds in Chromium."""
    allowed = page.replace("script-src ", f"script-src {html.escape(digest(script))} ", 1)
    assert allowed != page
    return shown(allowed.replace("</body>", f"<script>{script}</script></body>"), folder)


def shown(page: str, folder: Path) -> dict[str, Any]:
    """What a page writes into pre#found when Chromium shows it."""
    place = folder / "opened.html"
    place.write_text(page, encoding="utf-8")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=2000",
        "--window-size=1400,900", "--dump-dom", place.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    told = re.search(r'<pre id="found">(.*?)</pre>', done.stdout.decode(), re.DOTALL)
    assert told, done.stderr.decode()[-500:]
    found: dict[str, Any] = json.loads(html.unescape(told[1]))
    return found


@pytest.fixture(scope="module")
def used(page: str, folder: Path) -> dict[str, Any]:
    """With the script, after clicks; a foreign script and a handler were put into the page."""
    foreign = "<script>document.title='INJECTED'</script>"
    foreign += "<img src='data:,' onerror=\"document.title='INJECTED'\" alt=''>"
    return opened(page.replace("<main>", f"<main>{foreign}"), LOOKS + ACTS + TELLS, folder)


@pytest.fixture(scope="module")
def plain(page: str, folder: Path) -> dict[str, Any]:
    """The page where its script may not run: one letter of it was changed."""
    return opened(page.replace('"use strict";', '"use  strict";'), LOOKS + TELLS, folder)


def test_the_policy_allows_exactly_the_script_that_stands_in_the_page(page: str) -> None:
    (policy,) = [
        a["content"]
        for a in read_page(page).tags("meta")
        if a.get("http-equiv") == "Content-Security-Policy"
    ]
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["script-src"] == digest(script)
    assert parts["default-src"] == "'none'"
    assert parts["img-src"] == "data:"
    assert not [n for _, a in read_page(page).elements for n in a if n.startswith("on")]


def test_the_pdf_carries_no_script_no_policy_and_fewer_pictures(
    results: Results, folder: Path
) -> None:
    missed = tuple(
        a.model_copy(update={"meta": {**a.meta, "outcome": "FN"}}) if a.kind == "gradcam" else a
        for a in results.artefacts
    )
    results = results.model_copy(update={"artefacts": missed})
    paper, page = (read_page(render_html(results, folder, for_pdf=one)) for one in (True, False))
    assert paper.tags("script") == []
    assert [a for a in paper.tags("meta") if "http-equiv" in a] == []
    assert len(page.tags("img")) - len(paper.tags("img")) == 12  # of sixteen of one outcome


def test_the_script_speaks_dutch_in_a_dutch_report(results: Results, folder: Path) -> None:
    dutch = read_page(render_html(results, folder, edition=Edition(language="nl")))
    (script,) = dutch.tags("script")
    words = json.loads(script["data-words"])
    assert words["all"] == "Alle"
    assert words["shown"] == "{n} van {total} afbeeldingen getoond"


@browser
def test_without_its_script_every_picture_stands_there(plain: dict[str, Any]) -> None:
    assert plain["bars"] == 0
    assert len(plain["maps"]) == 16
    assert [len(series) for series in plain["steps"]] == [5, 5]


@browser
def test_no_other_script_and_no_handler_runs_and_nothing_is_fetched(used: dict[str, Any]) -> None:
    assert used["injected"] is False
    assert used["fetched"] == []


@browser
def test_the_filter_offers_what_the_gallery_has_and_begins_with_everything(
    used: dict[str, Any],
) -> None:
    assert used["buttons"] == [
        "All", "True positives", "False positives", "False negatives", "True negatives",
        "All", "frontal", "lateral",
    ]  # fmt: skip
    assert len(used["start"]["maps"]) == 16
    assert used["start"]["pressed"] == ["All", "All"]


@browser
def test_the_filter_hides_every_other_outcome_and_says_how_many_are_left(
    used: dict[str, Any],
) -> None:
    missed = used["missed"]
    assert missed["maps"] == [
        "False negatives/frontal", "False negatives/frontal",
        "False negatives/lateral", "False negatives/lateral",
    ]  # fmt: skip
    assert missed["headings"] == ["False negatives"]
    assert missed["pressed"] == ["False negatives", "All"]
    assert missed["told"] == "4 of 16 pictures shown"


@browser
def test_outcome_and_view_filter_together_and_can_be_undone(used: dict[str, Any]) -> None:
    assert used["lateral"]["maps"] == ["False negatives/lateral"] * 2
    assert used["lateral"]["pressed"] == ["False negatives", "lateral"]
    assert used["again"] == used["start"]


@browser
def test_buttons_and_slider_take_the_focus_of_a_keyboard(used: dict[str, Any]) -> None:
    assert used["focused"] == "frontal"
    assert used["sliderHasFocus"] is True


@browser
def test_the_slider_shows_one_level_with_its_score_and_decision(used: dict[str, Any]) -> None:
    first, second = used["steps"]
    assert first == ["ε = 0/255: predicted normal, P(fractured) = .10"]
    assert second == ["ε = 0/255: predicted fractured, P(fractured) = .90"]
    moved = used["moved"]
    expected = "ε = 2/255: predicted fractured, P(fractured) = .50"
    assert moved["steps"][0] == [expected]
    assert moved["steps"][1] == second
    assert moved["text"] == moved["told"] == expected
    assert moved["label"]


@browser
def test_all_levels_come_side_by_side_on_request_and_the_difference_always_stays(
    used: dict[str, Any],
) -> None:
    assert [len(series) for series in used["together"]] == [5, 1]
    assert used["added"] == 2


# A window is never narrower than 500 pixels; a frame is.
FRAME = """<body><iframe src="framed.html" style="width: {width}px; border: 0"></iframe>
<script>addEventListener("message", (told) => {{
  const found = document.createElement("pre");
  found.id = "found";
  found.textContent = told.data;
  document.body.append(found);
}});</script></body>"""
FITS = """
const seen = (which) => [...document.querySelectorAll(which)];
parent.postMessage(JSON.stringify({
  page: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  cells: seen("table.data td, table.data th, table.sign td, table.facts td")
    .filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.textContent),
  low: seen(".companion button, .contents a").filter((one) => one.offsetHeight < 24).length,
  lost: seen('a[href^="#"]').filter((a) => !document.getElementById(a.hash.slice(1))).length,
}), "*");
"""


@browser
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_a_phone_and_no_number_runs_into_the_next(
    page: str, folder: Path, width: int
) -> None:
    allowed = page.replace("script-src ", f"script-src {html.escape(digest(FITS))} ", 1)
    inner = allowed.replace("</body>", f"<script>{FITS}</script></body>")
    (folder / "framed.html").write_text(inner, encoding="utf-8")
    found = shown(FRAME.format(width=width), folder)
    assert found["page"] == 0
    assert found["cells"] == []
    assert found["lost"] == 0
    if width < 500:
        assert found["low"] == 0
