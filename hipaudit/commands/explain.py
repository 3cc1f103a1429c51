"""hipaudit explain: meaning, method, limits, source of one thing."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from audit.errors import HipauditError, did_you_mean
from hipaudit.parameters import CONFIG, ENVIRONMENT

HELP = """Explain NAME: a stress, defence, probe, metric, preset, or a rule of hipaudit.toml."""
EPILOG = """\b
Examples:
  hipaudit explain robust_sensitivity
  hipaudit explain fgsm
  hipaudit explain HA301 --config hipaudit.toml
"""


@click.command("explain", help=HELP, epilog=EPILOG, context_settings=ENVIRONMENT)
@click.argument("name")
@CONFIG
def command(name: str, config: Path | None) -> int:
    found = [_metric(name), _rule(name, config), preset_text(name), *_registered(name)]
    told = [text for text in found if text]  # a metric may bear the name of its stress
    if not told:
        raise _unknown(name)
    click.echo("\n\n".join(told))
    return 0


def _metric(name: str) -> str | None:
    from hipaudit.metric_words import METRICS

    words = METRICS.get(name)
    if words is None:
        return None
    lines = [
        f"{name} (metric): {words.meaning}.",
        f"  how:    {words.how}",
        f"  limits: {words.limits}",
    ]
    return "\n".join([*lines, *([f"  source: {words.source}"] if words.source else [])])


def _rule(name: str, config: Path | None) -> str | None:
    from audit.gate.wording import rule_text
    from hipaudit.papers import read_papers

    rules = read_papers(config, with_card=False).rules
    for rule in rules.rules if rules else ():
        if rule.id == name:
            where = f"{rules.name if rules else ''}, line {rules.lines.get(name) if rules else ''}"
            metric = _metric(rule.metric)
            return f"{name} (rule, level {rule.level}; {where}): {rule_text(rule)}" + (
                f"\n{metric}" if metric else ""
            )
    return None


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
    from hipaudit.stress_words import parameters_text, stress_text

    stresses, defences, probes = load_stresses(), load_defences(), load_probes()
    if name in stresses:
        yield stress_text(stresses[name])
    if name in defences:
        found = defences[name]
        text = inspect.getdoc(found.harden) or ""
        looks = f"Cost: {found.looks():g} forward passes per image with these"
        given = f"Parameters: {parameters_text(found.defaults) or 'none'}\n{looks}"
        yield f"{name} (defence)\n\n{text}\n\n{given}"
    if name in probes:
        yield f"{name} (probe)\n\n{inspect.getdoc(probes[name]) or ''}"


def _unknown(name: str) -> HipauditError:
    from audit.defences.registry import load_defences
    from audit.presets import PRESETS
    from audit.probes.registry import load_probes
    from audit.stresses.registry import load_stresses
    from hipaudit.metric_words import METRICS

    known = [*METRICS, *PRESETS, *load_stresses(), *load_defences(), *load_probes()]
    return HipauditError(
        "a stress, defence, probe, metric, preset or rule",
        f'"{name}"',
        did_you_mean(name, known),
    )
