"""The documents: links that lead somewhere, commands that exist, every name in its place."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from audit.defences.registry import load_defences
from audit.probes.registry import load_probes
from audit.stresses.registry import load_stresses
from hipaudit.cli import COMMANDS, commands
from reports.wording import overclaims

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for folder in (ROOT, ROOT / "docs", ROOT / "examples", ROOT / "examples" / "ci-gate")
    for path in folder.glob("*.md")
)
GREETING = ("README.md", "docs/index.md", "docs/ci.md", "docs/hospital.md", "docs/tutorial.md")
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(
    r"^\s*(?:- (?:run: )?)?(?:\.venv/bin/)?hipaudit ([a-z].*?)(?:\s#.*)?$", re.MULTILINE
)


def links(page: Path) -> Iterator[str]:
    yield from _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings: small letters, no punctuation, dashes for spaces."""
    headings = re.findall(r"^#+ +(.+)$", _FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    bare = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in bare}


@every_page
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page):
    for link in links(page):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


def test_every_page_can_be_reached_from_the_index():
    seen: set[Path] = set()
    waiting = [ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        here = (link.partition("#")[0] for link in links(page) if "://" not in link)
        waiting += [
            p for name in here if name and (p := (page.parent / name).resolve()).suffix == ".md"
        ]
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= {path.name for path in seen}


def flags_of(name: str) -> set[str]:
    command = commands.get_command(click.Context(commands), name)
    both = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}
    return both | {"--help", "-h"}


@every_page
def test_every_command_in_a_page_exists_with_its_options(page):
    fenced = "\n".join(_FENCE.findall(page.read_text(encoding="utf-8"))).replace("\\\n", " ")
    for line in _COMMAND.findall(fenced):
        words = shlex.split(line.replace("…", ""))
        assert words[0] in COMMANDS, line
        known = flags_of(words[0])
        asked = {word.partition("=")[0] for word in words[1:] if word.startswith("-")}
        assert asked <= known, f"hipaudit {words[0]}: {asked - known}"


@pytest.mark.parametrize("name", ["github.yml", "gitlab.yml", "Jenkinsfile"])
def test_every_command_of_a_pipeline_to_copy_exists(name):
    text = (ROOT / "examples" / "ci-gate" / name).read_text()
    lines = re.findall(r"hipaudit run ((?:.|\n\s+--|\\\n)*)", text)
    asked = set(re.findall(r"(?<= )--[a-z-]+", " ".join(lines) + text.partition("arguments:")[2]))
    assert asked
    assert asked <= flags_of("run")


def test_every_stress_defence_and_probe_has_its_place_in_the_documents():
    stresses = load_stresses()
    attacks, corruptions = anchors(ROOT / "docs/attacks.md"), anchors(ROOT / "docs/corruptions.md")
    assert {name for name, one in stresses.items() if one.kind == "attack"} <= attacks
    told = corruptions | {"rotation_translation_map"}
    assert {name for name, one in stresses.items() if one.kind == "corruption"} <= told
    assert set(load_defences()) <= anchors(ROOT / "docs/defences.md")
    pages = " ".join(path.read_text("utf-8") for path in PAGES if path.name != "reference.md")
    assert [name for name in load_probes() if f"`{name}`" not in pages] == []


@pytest.mark.parametrize("name", GREETING)
def test_the_pages_a_stranger_reads_first_promise_nothing_too_much(name):
    assert overclaims((ROOT / name).read_text(encoding="utf-8")) == []


def test_the_pictures_of_the_readme_are_there_described_and_small():
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert pictures
    for alt, place in pictures:
        assert len(alt) > 20, place
        assert (ROOT / place).is_file(), place
    assert sum((ROOT / place).stat().st_size for _, place in pictures) < 300_000
