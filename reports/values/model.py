"""What is known of the model and how it was loaded."""

from __future__ import annotations

from reports.material import Material
from reports.numbers import amount, blocks_of
from reports.values.registry import Value, value

SELECTION = ("selected_by", "selection", "seed", "best_epoch")


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
    return [f"{_name(k)}: {v}" for k, v in known.items() if k not in SELECTION] or None


@value("model.selection")
def selection(material: Material) -> Value:
    known = material.results.model.training
    return [f"{_name(k)}: {known[k]}" for k in SELECTION if k in known] or None


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
