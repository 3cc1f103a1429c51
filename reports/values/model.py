"""What is known of the model: section 1, and its decision rule in section 4."""

from __future__ import annotations

from reports.language import _, decimal, ngettext, recorded
from reports.material import Material
from reports.numbers import amount, blocks_of, listed
from reports.values.registry import Value, value


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
    return _("{name}; {count} parameters").format(name=model.architecture, count=count)


@value("model.ensemble")
def ensemble(material: Material) -> Value:
    """Whether several networks decide together; what the cascade's own note says of them."""
    notes = [recorded(note.text) for note in material.results.model.notes if note.code == "cascade"]
    return notes or _("No: one network decides.")


@value("model.classes")
def classes(material: Material) -> Value:
    model = material.results.model
    return _("{classes}; positive class: {positive}").format(
        classes=listed(model.classes), positive=model.positive_class
    )


@value("model.preparation")
def preparation(material: Material) -> Value:
    model = material.results.model
    way = model.preparation
    channels = ngettext("{n} channel", "{n} channels", way.channels).format(n=way.channels)
    words = _(
        "{height} × {width} pixels, {resize}, {interpolation}, {channels}; mean {mean}, standard "
        "deviation {std}. Origin: {origin}."
    ).format(
        height=way.height,
        width=way.width,
        resize=recorded(way.resize),
        interpolation=recorded(way.interpolation),
        channels=channels,
        mean=_triple(way.mean),
        std=_triple(way.std),
        origin=recorded(model.preparation_origin),
    )
    if model.preparation_origin != "assumed":
        return words
    return " ".join([words, _("Preprocessing unverified.")])


@value("model.threshold")
def threshold(material: Material) -> Value:
    model = material.results.model
    if model.threshold is None:
        return _("The class with the highest score (argmax). Origin: {origin}.").format(
            origin=recorded(model.threshold_origin)
        )
    return _('"{positive}" when its probability is at least {threshold}. Origin: {origin}.').format(
        positive=model.positive_class,
        threshold=amount("auroc", model.threshold),
        origin=recorded(model.threshold_origin),
    )


def _triple(values: tuple[float, ...]) -> str:
    return decimal("/".join(f"{v:g}" for v in values))
