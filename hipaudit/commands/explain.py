"""hipaudit explain: meaning, method, limits, source of one thing."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.errors import HipauditError, did_you_mean
from hipaudit.paragraphs import for_stdout
from hipaudit.parameters import CONFIG, ENVIRONMENT

if TYPE_CHECKING:
    from hipaudit.metric_words.words import Words

HELP = """Explain NAME, with its limits and its source.

A stress, defence, probe, metric or preset; a rule of hipaudit.toml or one of its keys; the method
of an interval; a parameter; the code of a note; a field of a finding or its value.
"""
EPILOG = """\b
Examples:
  hipaudit explain robust_sensitivity
  hipaudit explain fgsm
  hipaudit explain "Clopper-Pearson"
  hipaudit explain no-patients
  hipaudit explain HA301 --config hipaudit.toml
"""


@click.command("explain", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("name")
@CONFIG
def command(name: str, config: Path | None) -> int:
    told = [*_ours(name), *_rules(name, config)]
    if not told or _may_be_registered(name):
        told += _registered(name)
    if not told:
        raise _unknown(name, config)
    click.echo(for_stdout("\n\n".join(told)))  # a metric may bear the name of its stress
    return 0


def _ours(name: str) -> Iterator[str]:
    """What is explained without importing a library."""
    from hipaudit.field_words import FIELDS
    from hipaudit.method_words import METHODS
    from hipaudit.metric_words import METRICS
    from hipaudit.note_words import NOTES

    for kind, known in (("metric", METRICS), ("method", METHODS)):
        found = next((one for one in known if one.casefold() == name.casefold()), None)
        if found is not None:
            yield words_text(found, kind, known[found])
    if name in FIELDS:
        yield f"{name}: {FIELDS[name]}."
    if name in NOTES:
        yield f"{name} (note): {NOTES[name]}"
    if preset := preset_text(name):
        yield preset


def _may_be_registered(name: str) -> bool:
    """Whether it is worth the seconds that importing torch takes: a metric may bear the name of
    its stress, a field that of a parameter, a note that of its defence."""
    from audit.presets import PRESETS
    from hipaudit.field_words import FIELDS
    from hipaudit.metric_words import METRICS
    from hipaudit.note_words import NOTES

    stresses = {entry.stress for entries in PRESETS.values() for entry in entries}
    parameter = FIELDS.get(name, "").startswith("parameter")
    of_defence = any(code.startswith(f"{name}.") for code in NOTES)
    return parameter or of_defence or (name in METRICS and name in stresses)


def words_text(name: str, kind: str, words: Words) -> str:
    """Meaning, how, limits and source, a line each."""
    lines = [
        f"{name} ({kind}): {words.meaning}.",
        f"  how:    {words.how}",
        f"  limits: {words.limits}",
    ]
    return "\n".join([*lines, *([f"  source: {words.source}"] if words.source else [])])


def _rules(name: str, config: Path | None) -> Iterator[str]:
    from audit.gate.wording import rule_text
    from hipaudit.metric_words import METRICS
    from hipaudit.papers import read_papers

    rules = read_papers(config, with_card=False).rules
    for rule in rules.rules if rules else ():
        if rules is not None and rule.id == name:
            where = f"{rules.name}, line {rules.lines.get(name)}"
            yield f"{name} (rule, level {rule.level}; {where}): {rule_text(rule)}"
            if rule.metric in METRICS:
                yield words_text(rule.metric, "metric", METRICS[rule.metric])


def preset_text(name: str) -> str | None:
    from audit.presets import PRESETS
    from hipaudit.stress_words import parameters_text

    if name not in PRESETS:
        return None
    lines = [f"{name} (preset):"]
    for entry in PRESETS[name]:
        size = "every case" if entry.sample is None else f"up to {entry.sample} cases"
        params = parameters_text(entry.params)
        under = "" if entry.defence == "none" else f" with {entry.defence}"
        lines.append(f"  {entry.stress}{under}: {size}" + (f"; {params}" if params else ""))
    return "\n".join(lines)


def _registered(name: str) -> Iterator[str]:
    from audit.defences.registry import load_defences
    from audit.probes.registry import load_probes
    from audit.stresses.registry import load_stresses
    from hipaudit.stress_words import defence_text, parameter_text, stress_text

    stresses, defences, probes = load_stresses(), load_defences(), load_probes()
    if name in stresses:
        yield stress_text(stresses[name])
    if name in defences:
        yield defence_text(name, defences[name])
    if name in probes:
        yield f"{name} (probe)\n\n{inspect.getdoc(probes[name]) or ''}"
    if parameter := parameter_text(name, stresses, defences):
        yield parameter
    defence, dot, _ = name.partition(".")
    if dot and defence in defences:  # a note's code, such as "tta.views"
        yield f"{name} (note): a setting of the defence {defence}; see: hipaudit explain {defence}"


def _unknown(name: str, config: Path | None) -> HipauditError:
    from audit.defences.registry import load_defences
    from audit.presets import PRESETS
    from audit.probes.registry import load_probes
    from audit.stresses.registry import load_stresses
    from hipaudit.field_words import FIELDS
    from hipaudit.method_words import METHODS
    from hipaudit.metric_words import METRICS
    from hipaudit.note_words import NOTES
    from hipaudit.papers import read_papers

    rules = read_papers(config, with_card=False).rules
    named = [rule.id for rule in rules.rules] if rules else []
    registered = [*load_stresses(), *load_defences(), *load_probes()]
    known = [*METRICS, *PRESETS, *registered, *METHODS, *FIELDS, *NOTES, *named]
    hint = did_you_mean(name, known)
    if hint.startswith("Known"):  # hundreds of names are no help
        hint = "See: hipaudit list metrics (or stresses, defences, probes, methods, notes)."
    return HipauditError(
        "a stress, defence, probe, metric, preset, method, note or rule", f'"{name}"', hint
    )
