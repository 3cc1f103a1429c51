"""What the documents say that the code knows: docs/reference.md, and tables inside other pages.

python tools/reference.py            writes them
python tools/reference.py --check    exits 1 where one is not what the code says
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import click

from audit.defences.registry import load_defences
from audit.presets import PRESETS
from audit.probes.registry import load_probes
from audit.stresses.registry import load_stresses
from hipaudit import metric_words
from hipaudit.cli import COMMANDS, commands
from hipaudit.commands.explain import preset_text
from hipaudit.commands.listing import first_line
from hipaudit.field_words import FIELDS
from hipaudit.method_words import METHODS
from hipaudit.metric_words import METRICS
from hipaudit.note_words import NOTES
from hipaudit.parameters import FORMATS
from hipaudit.stress_words import NORMS, meaning, parameters_text, stress_text, value_text

if TYPE_CHECKING:
    from audit.stresses.registry import Stress

BESIDE_ITS_SEARCH = "rotation_translation_map"  # docs/attacks.md tells it
FIRST = ("decisions", "operating", "calibration", "handled", "stressed", "slices")  # then the rest
DOCS = Path(__file__).parents[1] / "docs"
HEAD = """\
# Reference

Made from the code by `make docs`; do not edit. The same words come from `hipaudit COMMAND --help`,
`hipaudit list` and `hipaudit explain NAME`.

[Commands](#commands) · [Presets](#presets) · [Stresses](#stresses) · [Defences](#defences) ·
[Probes](#probes) · [Metrics](#metrics) · [Methods](#methods) · [Fields](#fields) ·
[Notes](#notes) · [Output formats](#output-formats)
"""
Row = tuple[str, ...]
_BLOCK = re.compile(r"(<!-- made from the code: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def reference() -> str:
    parts = [HEAD, *_commands(), *_presets(), *_stresses(), *_defences(), *_probes()]
    metrics = [_words_row(name, METRICS[name]) for name in sorted(METRICS)]
    parts += ["## Metrics\n", table(("metric", "means", "how", "limits", "source"), metrics)]
    methods = [_words_row(name, words) for name, words in METHODS.items()]
    parts += ["## Methods\n", "Where 95% limits come from: a finding's `method`.\n"]
    parts += [table(("method", "gives", "how", "limits", "source"), methods)]
    parts += ["## Fields\n", "Values of fields, and parameters that belong to a finding.\n"]
    parts += [table(("name", "is"), _pairs(FIELDS.items()))]
    parts += ["## Notes\n", "What to do about a note; what was found stands in the note.\n"]
    parts += [table(("code", "to do"), _pairs(NOTES.items()))]
    parts += ["## Output formats\n", "`--output FMT=PATH`\n"]
    parts += [table(("format", "is"), _pairs(FORMATS.items()))]
    return "\n".join(parts)


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    context = click.Context(commands, info_name="hipaudit", terminal_width=100)
    for name in COMMANDS:
        command = commands.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, info_name=name, parent=context, terminal_width=100)
        yield f"### hipaudit {name}\n\n```text\n{command.get_help(inner).rstrip()}\n```\n"


def _presets() -> Iterator[str]:
    yield "## Presets\n"
    for name in PRESETS:
        yield f"### {name}\n\n```text\n{preset_text(name)}\n```\n"


def _stresses() -> Iterator[str]:
    yield "## Stresses\n"
    for name, stress in sorted(load_stresses().items()):
        yield f"### {name}\n\n```text\n{stress_text(stress)}\n```\n"


def _defences() -> Iterator[str]:
    yield "## Defences\n"
    for name, found in sorted(load_defences().items()):
        given = parameters_text(found.defaults) or "none"
        words = inspect.getdoc(found.harden) or ""
        yield f"### {name}\n\n```text\n{words}\n\nParameters: {given}\n```\n"


def _probes() -> Iterator[str]:
    yield "## Probes\n"
    for name, examine in sorted(load_probes().items()):
        yield f"### {name}\n\n```text\n{inspect.getdoc(examine) or ''}\n```\n"


def _words_row(name: str, words: metric_words.Words) -> Row:
    return (f"`{name}`", words.meaning, words.how, words.limits, words.source)


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[Row]:
    return [(f"`{name}`", words) for name, words in pairs]


def attacks() -> str:
    """A row per attack: what it sees, its budget, its cost, the presets that have it."""
    head = ("attack", "sees", "budget", "passes per image", "in the presets")
    return table(head, [_attack_row(one) for one in _of_kind("attack")])


def _attack_row(found: Stress) -> Row:
    sees = "gradients" if found.needs_gradients else "scores or decisions"
    return (
        f"[`{found.name}`](#{found.name})",
        sees,
        NORMS.get(found.norm or "", "none in a norm"),
        f"{found.cost(found.defaults):,.0f}",
        _presets_of(found.name),
    )


def corruptions() -> str:
    """A row per corruption: its severity, unit and defaults, the presets that have it."""
    head = ("corruption", "does", "severity", "unit", "default", "in the presets")
    found = [one for one in _of_kind("corruption") if one.name != BESIDE_ITS_SEARCH]
    return table(head, [_corruption_row(one) for one in found])


def _corruption_row(found: Stress) -> Row:
    steps = [name for name, value in found.defaults.items() if isinstance(value, tuple)]
    severity = ", ".join(f"`{name}`" for name in steps) or "one"
    units = "; ".join(words for name in steps if (words := meaning(found.name, name)))
    defaults = "; ".join(value_text(name, found.defaults[name]) for name in steps)
    return (
        f"[`{found.name}`](#{found.name})",
        first_line(found.perturb),
        severity,
        units,
        defaults,
        _presets_of(found.name),
    )


def defences() -> str:
    """A row per defence: settings and cost."""
    rows = [
        (
            f"[`{name}`](#{name})",
            first_line(found.harden),
            parameters_text(found.defaults) or "none",
            f"{found.looks():g}",
            f"from `{found.images}`" if found.trained else "",
        )
        for name, found in sorted(load_defences().items())
    ]
    return table(("defence", "does", "settings", "passes per image", "made beforehand"), rows)


def metrics() -> str:
    """A table for each file of words, under its own heading."""
    others = {one.name for one in iter_modules(metric_words.__path__)} - {"words", *FIRST}
    parts = []
    for name in (*FIRST, *sorted(others)):
        file = import_module(f"hipaudit.metric_words.{name}")
        about = (file.__doc__ or "").removeprefix("Words for ").rstrip(".\n")
        rows = [(f"`{name}`", words.meaning, words.how) for name, words in file.METRICS.items()]
        parts.append(f"### {about[:1].upper()}{about[1:]}\n")
        parts.append(table(("metric", "means", "how"), rows))
    return "\n".join(parts)


def table(head: Row, rows: Iterable[Row]) -> str:
    """A Markdown table; the bars of a cell are escaped."""
    cells = [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]
    lines = [head, tuple("---" for _ in head), *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _of_kind(kind: str) -> list[Stress]:
    return [one for _, one in sorted(load_stresses().items()) if one.kind == kind]


def _presets_of(name: str) -> str:
    having = [p for p, entries in PRESETS.items() if name in {entry.stress for entry in entries}]
    return ", ".join(having) or "by `--stress`"


BLOCKS = {"attacks": attacks, "corruptions": corruptions, "defences": defences, "metrics": metrics}


def pages() -> dict[Path, str]:
    """Every page with something of the code in it, as it should be."""
    found = {DOCS / "reference.md": reference()}
    for path in sorted(DOCS.glob("*.md")):
        if path not in found:
            text = path.read_text(encoding="utf-8")
            filled = _BLOCK.sub(lambda hit: f"{hit[1]}\n{BLOCKS[hit[2]]()}\n{hit[3]}", text)
            if _BLOCK.search(text):
                found[path] = filled
    return found


def main() -> int:
    stale = []
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if "--check" not in sys.argv[1:]:
                path.write_text(text, encoding="utf-8")
    if "--check" in sys.argv[1:] and stale:
        sys.stderr.write(f"not what the code says: docs/{', docs/'.join(stale)}. Type: make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
