"""What is known of the model and how it was loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.material import Material
from reports.numbers import amount, blocks_of
from reports.values.registry import Value, value

SELECTION = ("selected_by", "selection", "metric", "best_epoch", "ended", "threshold", "seed")
MOST_LISTED = 6


@value("model.sha256")
def sha256(material: Material) -> Value:
    return [blocks_of(digest) for digest in material.results.model.sha256] or None


@value("model.name")
def name(material: Material) -> Value:
    return material.results.model.name


@value("model.architecture")
def architecture(material: Material) -> Value:
    model = material.results.model
    if not model.parameters:
        return model.architecture
    count = f"{model.parameters:,}".replace(",", "\u202f")
    return f"{model.architecture}; {count} parameters"


@value("model.training")
def training(material: Material) -> Value:
    known = material.results.model.training
    told = {key: known[key] for key in known if key not in SELECTION}
    return [f"{_name(key)}: {_told(inner)}" for key, inner in told.items()] or None


@value("model.selection")
def selection(material: Material) -> Value:
    known = _flat(material.results.model.training)
    return [f"{_name(key)}: {known[key]}" for key in SELECTION if key in known] or None


def _flat(known: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe's own fields beside those around it."""
    inner = [v for v in known.values() if isinstance(v, Mapping)]
    return {**{k: v for part in inner for k, v in part.items()}, **known}


def _told(value: Any) -> str:
    """One line: scalars as they are, a mapping as its scalars, a long list as its length."""
    if isinstance(value, Mapping):
        return ", ".join(f"{_name(str(k))} {_told(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        if len(value) > MOST_LISTED or any(isinstance(v, Mapping | list) for v in value):
            return f"{len(value)} entries, in audit.json"
        return "/".join(_told(v) for v in value) or "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@value("model.classes")
def classes(material: Material) -> Value:
    model = material.results.model
    return f"{', '.join(model.classes)}; positive class: {model.positive_class}"


@value("model.preparation")
def preparation(material: Material) -> Value:
    model = material.results.model
    way = model.preparation
    words = (
        f"{way.height} × {way.width} pixels, {way.resize}, {way.interpolation}, "
        f"{way.channels} channel{'s' if way.channels > 1 else ''}; "
        f"mean {_triple(way.mean)}, standard deviation {_triple(way.std)}"
    )
    origin = model.preparation_origin
    unverified = " Preprocessing unverified." if origin == "assumed" else ""
    return f"{words}. Origin: {origin}.{unverified}"


@value("model.threshold")
def threshold(material: Material) -> Value:
    model = material.results.model
    if model.threshold is None:
        return f"The class with the highest score (argmax). Origin: {model.threshold_origin}."
    return (
        f'"{model.positive_class}" when its probability is at least '
        f"{amount('auroc', model.threshold)}. Origin: {model.threshold_origin}."
    )


@value("model.loading")
def loading(material: Material) -> Value:
    model = material.results.model
    if model.trusted_code:
        return f"{model.container}; the file was allowed to run code, for this exact hash."
    return f"{model.container}; read as weights only, no code in the file was run."


def _name(key: str) -> str:
    return key.replace("_", " ")


def _triple(values: tuple[float, ...]) -> str:
    return ", ".join(f"{v:g}" for v in values)
