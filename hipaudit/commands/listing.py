"""hipaudit list: what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from hipaudit.parameters import ENVIRONMENT, FORMATS, PRESETS, OneOf

HELP = """List what hipaudit knows of a kind, with one line on each.

KIND: stresses, defences, probes, metrics, methods, notes, presets or formats.
"""
EPILOG = """\b
Examples:
  hipaudit list stresses
  hipaudit list presets
  hipaudit explain fgsm        more on one of them
"""

Lines = Iterable[tuple[str, str]]


def stresses() -> Lines:
    from audit.stresses.registry import load_stresses

    for name, found in sorted(load_stresses().items()):
        norm = f", {found.norm}" if found.norm else ""
        needs = ", needs gradients" if found.needs_gradients else ""
        kind = f"{found.kind}{norm}{needs}, through {found.through}"
        yield name, f"{first_line(found.perturb)} ({kind})"


def defences() -> Lines:
    from audit.defences.registry import load_defences

    for name, found in sorted(load_defences().items()):
        yield name, first_line(found.harden)


def probes() -> Lines:
    from audit.probes.registry import load_probes

    for name, examine in sorted(load_probes().items()):
        yield name, first_line(examine)


def metrics() -> Lines:
    from hipaudit.metric_words import METRICS

    return [(name, words.meaning) for name, words in METRICS.items()]


def methods() -> Lines:
    from hipaudit.method_words import METHODS

    return [(name, words.meaning) for name, words in METHODS.items()]


def notes() -> Lines:
    from hipaudit.note_words import NOTES

    return NOTES.items()


def presets() -> Lines:
    from audit.presets import get_preset

    for name in PRESETS:
        entries = get_preset(name)
        parts = [
            entry.stress
            + (f" on {entry.sample}" if entry.sample else "")
            + (f" with {entry.defence}" if entry.defence != "none" else "")
            for entry in entries
        ]
        yield name, ", ".join(dict.fromkeys(parts))


def formats() -> Lines:
    return FORMATS.items()


KINDS: dict[str, Callable[[], Lines]] = {
    "stresses": stresses,
    "defences": defences,
    "probes": probes,
    "metrics": metrics,
    "methods": methods,
    "notes": notes,
    "presets": presets,
    "formats": formats,
}


def first_line(function: Callable[..., Any]) -> str:
    """The first sentence of a docstring, on one line."""
    text = " ".join((function.__doc__ or "").split("\n\n")[0].split())
    return text.partition(". ")[0].removesuffix(".")


@click.command("list", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("kind", type=OneOf(list(KINDS)), metavar="KIND")
def command(kind: str) -> int:
    formatter = click.HelpFormatter(max_width=100)
    formatter.write_dl(list(KINDS[kind]()))
    click.echo(formatter.getvalue().rstrip())
    return 0
