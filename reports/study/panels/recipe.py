"""The recipe: what every number is, what all models share and where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.study_results import Trained
from reports.blocks import Block, Cell, Table, Text
from reports.study.figures.rates import PHASES
from reports.study.material import StudyMaterial
from reports.texts import text_data

LONGEST = 160
WORDS = "study/recipe_words.yaml"
MOST_COLUMNS = 5
USED = "used"
VERSIONS = ("torch", "torchvision")


def recipe(material: StudyMaterial) -> Sequence[Block]:
    """One table of what is the same everywhere, one or more of what differs."""
    models = [model for model in material.results.models if model.recipe]
    if not models:
        return [Text("No recipe was recorded.", "Recipe.")]
    plain = {m.name: {k: v for k, v in m.recipe.items() if k != USED} for m in models}
    used = {m.name: _used(m.recipe.get(USED)) for m in models}
    asked = _tables(material, models, {n: flattened(r) for n, r in plain.items()}, "Recipe")
    fitted = [model for model in models if used[model.name]]  # a cascade has several of these
    if not fitted:
        return asked
    return [*asked, *_tables(material, fitted, used, "What training used")]


def _used(recorded: Any) -> dict[str, str]:
    """What the recipe left open and the fit filled in; versions are told with the methods."""
    found = flattened(recorded) if isinstance(recorded, Mapping) else {}
    return {f"{USED}.{name}": text for name, text in found.items() if name not in VERSIONS}


def _tables(
    material: StudyMaterial,
    models: Sequence[Trained],
    flat: Mapping[str, Mapping[str, str]],
    title: str,
) -> list[Table]:
    """What all models share, then what differs."""
    names = list(dict.fromkeys(name for known in flat.values() for name in known))
    same = [n for n in names if len({flat[m.name].get(n) for m in models}) == 1]
    first = flat[models[0].name]
    words = text_data(WORDS)
    rows = [[_spoken(name), first[name], words.get(name, "")] for name in same]
    found: list[Table] = []
    if rows:
        shared = "the same for all models" if len(models) > 1 else "the model"
        columns = ["Setting", "Value", "What it is"]
        caption = f"{title}: {shared}"
        found.append(Table(caption, columns, rows, "", frozenset(), (28, 24, 48), "M"))
    differ = [name for name in names if name not in same and name != "architecture"]
    return [*found, *_differing(material, models, flat, differ, title)]


def _differing(
    material: StudyMaterial,
    models: Sequence[Trained],
    flat: Mapping[str, Mapping[str, str]],
    names: Sequence[str],
    title: str,
) -> list[Table]:
    """A column per setting, five a table; explained below."""
    words = text_data(WORDS)
    found = []
    for at in range(0, len(names), MOST_COLUMNS):
        part = names[at : at + MOST_COLUMNS]
        rows: list[list[str | Cell]] = [
            [material.label(model.name), *(flat[model.name].get(name, "–") for name in part)]
            for model in models
        ]
        share = 74 // len(part)
        widths = (100 - share * len(part), *(share for _ in part))
        note = " ".join(f"{_spoken(n).capitalize()}: {words[n]}" for n in part if n in words)
        columns = ["Model", *(_spoken(name) for name in part)]
        caption = f"{title}: what differs between models"
        found.append(Table(caption, columns, rows, note, frozenset(), widths, "M"))
    return found


def flattened(recipe: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Nested settings by dotted name, values as text.

    >>> flattened({"lr": 0.001, "adversarial": {"epsilon": 0.5}, "betas": [0.9, 0.99]})
    {'lr': '0.001', 'adversarial.epsilon': '0.5', 'betas': '0.9, 0.99'}
    """
    found: dict[str, str] = {}
    for name, value in recipe.items():
        place = f"{before}{name}"
        if isinstance(value, Mapping) and value:
            found |= flattened(value, f"{place}.")
        else:
            text = _text(value)
            found[place] = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return found


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping) and not value:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(_text(part) for part in value) or "none"
    return str(value)


def _spoken(name: str) -> str:
    """ "used.phases.all.lr" as a reader meets it: "all layers: lr"."""
    name = name.removeprefix(f"{USED}.")
    for phase, words in PHASES.items():
        name = name.replace(f"phases.{phase}.", f"{words}: ")
    return name.replace("_", " ")
