"""hipaudit explain: meaning, method, limits, source of one thing."""

from __future__ import annotations

import inspect
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
    click.echo(_metric(name) or _rule(name, config) or _preset(name) or _registered(name))
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


def _preset(name: str) -> str | None:
    from audit.presets import PRESETS

    if name not in PRESETS:
        return None
    lines = [f"{name} (preset):"]
    for entry in PRESETS[name]:
        size = "every case" if entry.sample is None else f"up to {entry.sample} cases"
        params = ", ".join(f"{key}={_short(value)}" for key, value in entry.params.items())
        under = "" if entry.defence == "none" else f" with {entry.defence}"
        lines.append(f"  {entry.stress}{under}: {size}" + (f"; {params}" if params else ""))
    return "\n".join(lines)


def _short(value: object) -> str:
    from audit.results import as_levels

    if isinstance(value, tuple):
        return "(" + ", ".join(_short(part) for part in value) + ")"
    return as_levels(value) if isinstance(value, float) and value < 1 else str(value)


def _registered(name: str) -> str:
    from audit.defences.registry import load_defences
    from audit.presets import PRESETS
    from audit.probes.registry import load_probes
    from audit.stresses.registry import load_stresses
    from hipaudit.metric_words import METRICS

    stresses, defences, probes = load_stresses(), load_defences(), load_probes()
    if name in stresses:
        found = stresses[name]
        facts = f"{found.kind}, {found.norm or 'no norm'}, {found.domain}, through {found.through}"
        defaults = ", ".join(f"{key}={_short(value)}" for key, value in found.defaults.items())
        text = inspect.getdoc(found.perturb) or ""
        return f"{name} (stress: {facts})\n\n{text}\n\nParameters: {defaults or 'none'}"
    if name in defences:
        return f"{name} (defence)\n\n{inspect.getdoc(defences[name].harden) or ''}"
    if name in probes:
        return f"{name} (probe)\n\n{inspect.getdoc(probes[name]) or ''}"
    known = [*METRICS, *PRESETS, *stresses, *defences, *probes]
    raise HipauditError(
        "a stress, defence, probe, metric, preset or rule",
        f'"{name}"',
        did_you_mean(name, known),
    )
