"""What `hipaudit explain` says of a stress: what it does, its parameters, units and cost."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.defences.registry import Defence
    from audit.stresses.registry import Stress

# "stress.parameter" goes before "parameter".
PARAMETERS: dict[str, str] = {
    "alpha": "share of the pixels moved at first",
    "angles": "number of equal steps, or degrees",
    "areas": "parts of the image's area",
    "attack": "which attack narrows the radius",
    "attenuation": "optical thickness on a rod's axis (no unit)",
    "axis": '"rows" or "columns"',
    "bits": "bits per pixel",
    "block": "candidates that share a forward pass",
    "brightness": "grey level in [0, 1], 1 white",
    "chroma": "resolution of the colour components",
    "closed": "parts of the image's area",
    "depth": "optical depth from black to white (no unit)",
    "doses": "parts of the dose",
    "epsilons": "largest change of a pixel; pixels are in [0, 1]",
    "fill": "what comes in from outside",
    "gammas": "exponents (no unit)",
    "generations": "generations at most",
    "heights": "parts of the image's height",
    "interpolation": "between pixels",
    "jitter": "part of the room there is",
    "k": "random transforms per case",
    "kept": "parts of the contrast",
    "lengths": "parts of the image's height",
    "loss": "what is climbed",
    "margin": "part of the image's height",
    "max_angle": "degrees",
    "max_epsilon": "largest change of a pixel; pixels are in [0, 1]",
    "max_shift": "part of width and of height",
    "mode": "which search",
    "per_thousand": "lines in a thousand",
    "photons": "quanta per native pixel where v = 0",
    "pixels": "pixels changed at most",
    "population": "candidates per generation",
    "qualities": "libjpeg's quality, 1 to 100",
    "queries": "forward passes per case at most",
    "resolution": "width of the last interval, in pixels of [0, 1]",
    "restarts": "random starts",
    "seeds": "places taken from the gradient",
    "shade": "grey level in [0, 1], 0 black",
    "shape": "which implant",
    "shifts": "number of equal steps, or parts of the side",
    "sides": "pixels of the short side",
    "sigmas": "parts of the image's height",
    "steps": "gradient steps",
    "stop_early": "whether a fooled case is left alone",
    "stops": "powers of two of the exposure",
    "sweep": "radii tried before bisection",
    "towards": '"darker", "brighter" or "either"',
    "travel": "length of the path, in ε",
    "value": "grey level in [0, 1], 0 black",
    "widths": "parts of the grey scale",
    "square.area": "share of the image the first squares cover",
}
DOMAINS = {
    "input": "the image prepared for the network",
    "acquisition": "the native image, before it is resized",
}
NORMS = {
    "linf": "L∞, the largest change of a pixel",
    "l2": "L2, Euclidean",
    "l0": "L0, the number of pixels changed",
}
VARIANTS = {
    "level": "each level is a result of its own",
    "search": "a case counts as fooled when any candidate fools it",
    "cell": "every cell counts for every case",
}
LEVELS_OF_255 = ("epsilon", "resolution")


def stress_text(found: Stress) -> str:
    """All of it, as `hipaudit explain` prints it."""
    text = inspect.getdoc(found.perturb) or "No description."
    return "\n\n".join([f"{found.name} ({found.kind})", text, _parameters(found), _facts(found)])


def defence_text(name: str, found: Defence) -> str:
    """What a defence does, its parameters and its cost."""
    text = inspect.getdoc(found.harden) or "No description."
    looks = f"Cost: {found.looks():g} forward passes per image with these"
    given = f"Parameters: {parameters_text(found.defaults) or 'none'}\n{looks}"
    return f"{name} (defence)\n\n{text}\n\n{given}"


def parameter_text(
    name: str, stresses: Mapping[str, Stress], defences: Mapping[str, Defence]
) -> str:
    """Which stresses and defences have a parameter of this name, and what it means; "" if none."""
    every: dict[str, Stress | Defence] = {**stresses, **defences}
    having = {
        owner: meaning(owner, name) for owner, found in every.items() if name in found.defaults
    }
    lines = [
        f"  {owner}: {words or 'see: hipaudit explain ' + owner}" for owner, words in having.items()
    ]
    return "\n".join([f"{name} (parameter)", *sorted(lines)]) if lines else ""


def meaning(stress: str, parameter: str) -> str:
    """The unit or meaning of a parameter in a few words; empty when nobody wrote it down."""
    return PARAMETERS.get(f"{stress}.{parameter}", PARAMETERS.get(parameter, ""))


def value_text(name: str, value: object) -> str:
    """A parameter's value; radii in 8-bit grey levels.

    >>> value_text("epsilons", (1 / 255, 2 / 255)), value_text("areas", (0.005, 0.01))
    ('1/255, 2/255', '0.005, 0.01')
    """
    from audit.results import as_levels

    if isinstance(value, tuple | list):
        return ", ".join(value_text(name, part) for part in value)
    if isinstance(value, float):
        in_levels = any(word in name for word in LEVELS_OF_255)
        return as_levels(value) if in_levels else f"{value:g}"
    return str(value)


def _parameters(found: Stress) -> str:
    defaults = found.defaults
    if not defaults:
        return "Parameters: none"
    rows = [
        (name, value_text(name, default), meaning(found.name, name))
        for name, default in defaults.items()
    ]
    return "\n".join(["Parameters, their defaults and units:", *_columns(rows)])


def _columns(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    rows = list(rows)
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [
        f"  {name.ljust(first)}  {value.ljust(second)}  {words}".rstrip()
        for name, value, words in rows
    ]


def _facts(found: Stress) -> str:
    facts = {
        "cost": _cost(found),
        "acts on": DOMAINS[found.domain],
        "sees": _sees(found),
        "budget": NORMS.get(found.norm or "", "none in a norm"),
        "counts": VARIANTS[found.variants],
        "code": found.through,
        "presets": ", ".join(_presets(found.name)) or "none: ask for it by --stress",
    }
    width = max(map(len, facts))
    return "\n".join(f"{name.ljust(width)}  {words}" for name, words in facts.items())


def _sees(found: Stress) -> str:
    if found.kind == "corruption":
        return "nothing of the model"
    return "gradients of the model" if found.needs_gradients else "scores or decisions of the model"


def _cost(found: Stress) -> str:
    passes = found.cost(found.defaults)
    return f"{passes:,.0f} forward passes per case with these (a backward pass counts as two)"


def _presets(name: str) -> list[str]:
    from audit.presets import PRESETS

    return [preset for preset, entries in PRESETS.items() if name in {e.stress for e in entries}]


def parameters_text(defaults: Mapping[str, Any]) -> str:
    """Parameters on one line, for what is no stress."""
    return ", ".join(f"{name}={value_text(name, value)}" for name, value in defaults.items())
