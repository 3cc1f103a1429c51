"""How the model came to be, as its file records it: four fields of section 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reports.language import N_, _
from reports.material import Material
from reports.values.registry import Value, value

START = ("start", "start_digest", "initialisation", "pretrained")
SELECTION = ("selected_by", "selection", "metric", "best_epoch", "ended", "threshold", "seed")
ELSEWHERE = ("log", "train", "val", "cascade")  # told by other fields, or too long to print
MOST = 160  # characters of one value; the rest is in audit.json
MOST_FIELDS = 40
NAMES = {
    "start": N_("weights at the start"),
    "start_digest": N_("digest of these weights"),
    "selected_by": N_("selected by"),
    "metric": N_("watched"),
    "best_epoch": N_("epoch kept"),
    "ended": N_("ended by"),
    "threshold": N_("threshold"),
    "seed": N_("seed"),
}


@value("model.initialisation")
def initialisation(material: Material) -> Value:
    return _chosen(material, START)


@value("model.selection")
def selection(material: Material) -> Value:
    return _chosen(material, SELECTION)


@value("model.hyperparameters")
def hyperparameters(material: Material) -> Value:
    """The recipe in one paragraph: names and plain values, as recorded."""
    known = _flat(material.results.model.training, ELSEWHERE)
    told = [
        f"{_name(key)} {_told(known[key])}"
        for key in known
        if key not in (*START, *SELECTION, *ELSEWHERE)
    ]
    more = _("{n} more in audit.json").format(n=len(told) - MOST_FIELDS)
    return "; ".join([*told[:MOST_FIELDS], *([more] if len(told) > MOST_FIELDS else [])]) or None


@value("model.trained_on")
def trained_on(material: Material) -> Value:
    """Images per class that the model was fitted to and selected on."""
    known = _flat(material.results.model.training, ())
    lines = [
        (_("Fitted to {counts}."), known.get("train")),
        (_("Selected on {counts}."), known.get("val")),
    ]
    return [
        line.format(counts=", ".join(f"{_short(name)} {n}" for name, n in counts.items()))
        for line, counts in lines
        if isinstance(counts, Mapping) and counts
    ] or None


def _chosen(material: Material, names: tuple[str, ...]) -> Value:
    known = _flat(material.results.model.training, ())
    told = [f"{_name(key)}: {_told(known[key])}" for key in names if key in known]
    return "; ".join(told) or None


def _flat(known: Mapping[str, Any], closed: tuple[str, ...]) -> dict[str, Any]:
    """The fields of the recipe and of other parts beside those around them."""

    def inner() -> Iterator[tuple[str, Any]]:
        for name, part in known.items():
            if isinstance(part, Mapping) and name not in closed and name not in ("train", "val"):
                yield from part.items()
            else:
                yield name, part

    return {str(name): part for name, part in inner()}


def _told(found: Any) -> str:
    """One line: scalars as they are, a short list joined, the rest as a count."""
    if isinstance(found, Mapping) or (isinstance(found, list | tuple) and not _plain(found)):
        return _("{n} entries, in audit.json").format(n=len(found))
    if isinstance(found, list | tuple):
        return "/".join(_told(v) for v in found) or _("none")
    if isinstance(found, bool) or found is None:
        return _("none") if found is None else _("yes") if found else _("no")
    return f"{found:.4g}" if isinstance(found, float) else _short(str(found))


def _plain(found: list[Any] | tuple[Any, ...]) -> bool:
    return len(found) <= 6 and not any(isinstance(v, Mapping | list) for v in found)


def _short(text: str) -> str:
    return text if len(text) <= MOST else f"{text[:MOST]}…"


def _name(key: str) -> str:
    return _(NAMES[key]) if key in NAMES else _short(key.replace("_", " "))
