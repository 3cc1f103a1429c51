"""The house stands as docs/architecture.md draws it: floors, doors, sizes."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ("hipaudit", "trainers", "reports", "audit")
MAY_IMPORT = {
    "hipaudit": {"hipaudit", "trainers", "reports", "audit"},
    "trainers": {"trainers", "audit"},
    "reports": {
        "reports",
        "audit.results",
        "audit.study_results",
        "audit.compare.results",
        "audit.errors",
    },
    "audit": {"audit"},
}
DOORS = {
    "art": {"audit/stresses/art_bridge.py"},
    "pytorch_grad_cam": {"audit/probes/cam/maps.py"},
    "weasyprint": {"reports/pdf.py"},
    # one door to read, one to write the phantoms
    "pydicom": {"audit/cases/dicom.py", "trainers/phantom/dicom.py"},
    "gdcm": {"audit/cases/dicom.py"},
    "imagehash": {"audit/cases/near.py"},
    "cryptography": {"hipaudit/sealing/keys.py"},
    "pypdf": {"hipaudit/sealing/attached.py"},
}
LIGHT = (
    "audit.results",
    "audit.study_results",
    "audit.compare.results",
    "audit.errors",
    "audit.decision",
    "audit.options",
    "audit.gate.judge",
    "audit.gate.rules",
)


@cache
def imports(path: Path) -> frozenset[str]:
    """Dotted names a file imports, at the top or inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def sources(*floors: str) -> list[Path]:
    return sorted(path for floor in floors or FLOORS for path in (ROOT / floor).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_imports_point_down_only(path):
    allowed = MAY_IMPORT[path.relative_to(ROOT).parts[0]]
    ours = [name for name in imports(path) if name.split(".")[0] in FLOORS]
    wrong = [n for n in ours if not any(n == a or n.startswith(a + ".") for a in allowed)]
    assert not wrong, f"{name_of(path)} may not import {wrong}"


@pytest.mark.parametrize("library", DOORS)
def test_each_big_dependency_has_one_door(library):
    users = {name_of(p) for p in sources() if any(n.split(".")[0] == library for n in imports(p))}
    assert users, f"nothing imports {library}: is the door named right?"
    assert users <= DOORS[library]


def test_modules_do_not_import_each_other_in_circles():
    modules = {name_of(p)[:-3].replace("/", ".").removesuffix(".__init__"): p for p in sources()}

    def targets(path: Path) -> set[str]:
        """Modules imported at the top of a file (a late import breaks no circle at run time)."""
        body = ast.parse(path.read_text(encoding="utf-8")).body
        names: set[str] = set()
        for node in body:
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names |= {str(node.module), *(f"{node.module}.{a.name}" for a in node.names)}
        return names & set(modules)

    graph = {name: targets(path) - {name} for name, path in modules.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for target in graph[name]:
                visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("module", LIGHT)
def test_what_the_gate_and_the_report_need_is_free_of_torch_and_art(module):
    heavy = "('torch', 'art', 'matplotlib')"
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert found.stdout.strip() == "[]", found.stderr


def test_files_stay_small():
    sizes = {
        name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()
    }
    too_long = {name: size for name, size in sizes.items() if size > 400}
    assert not too_long
    assert statistics.median(sizes.values()) < 120


def test_no_file_is_called_utils():
    vague = {"utils", "util", "helpers", "common", "misc", "base", "manager", "factory"}
    assert not [name_of(path) for path in sources() if path.stem in vague]


def test_the_architecture_page_names_files_that_exist():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = {word.strip("`,;.()") for word in text.split() if word.startswith("`")}
    files = {
        word for word in named if "/" in word and word.rstrip("/").count("/") and "*" not in word
    }
    paths = {word for word in files if word.split("/")[0] in (*FLOORS, "tests", "docs")}
    assert paths
    missing = {word for word in paths if not (ROOT / word).exists()}
    assert not missing
