"""docs/reference.md from the code: commands, stresses, defences, probes, presets, metrics.

python tools/reference.py            writes it
python tools/reference.py --check    exits 1 where it is not what the code says
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from audit.defences.registry import load_defences
from audit.presets import PRESETS
from audit.probes.registry import load_probes
from audit.stresses.registry import load_stresses
from hipaudit.cli import COMMANDS, commands
from hipaudit.commands.explain import preset_text
from hipaudit.metric_words import METRICS
from hipaudit.parameters import FORMATS
from hipaudit.stress_words import parameters_text, stress_text

TARGET = Path(__file__).parents[1] / "docs" / "reference.md"
HEAD = """\
# Reference

Made from the code by `make docs`; do not edit. The same words come from `hipaudit COMMAND --help`,
`hipaudit list` and `hipaudit explain NAME`.

[Commands](#commands) · [Presets](#presets) · [Stresses](#stresses) · [Defences](#defences) ·
[Probes](#probes) · [Metrics](#metrics) · [Output formats](#output-formats)
"""


def reference() -> str:
    parts = [HEAD, *_commands(), *_presets(), *_stresses(), *_defences(), *_probes(), *_metrics()]
    formats = "\n".join(f"| `{name}` | {words} |" for name, words in FORMATS.items())
    parts.append(
        f"## Output formats\n\n`--output FMT=PATH`\n\n| format | is |\n|---|---|\n{formats}\n"
    )
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


def _metrics() -> Iterator[str]:
    yield "## Metrics\n\n| metric | means | how | limits | source |\n|---|---|---|---|---|"
    for name, words in sorted(METRICS.items()):
        cells = (words.meaning, words.how, words.limits, words.source)
        told = " | ".join(cell.replace("|", "\\|") for cell in cells)
        yield f"| `{name}` | {told} |"
    yield ""


def main() -> int:
    text = reference()
    if "--check" in sys.argv[1:]:
        same = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        if not same:
            sys.stderr.write("docs/reference.md is not what the code says. Type: make docs\n")
        return int(not same)
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
