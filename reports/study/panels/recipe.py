"""The recipe: what every number is, what all models share and where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.study_results import Trained
from reports.blocks import Block, Cell, Table, Text
from reports.study.material import StudyMaterial
from reports.texts import text_data

LONGEST = 160
WORDS = "study/recipe_words.yaml"
MOST_COLUMNS = 5


def recipe(material: StudyMaterial) -> Sequence[Block]:
    """One table of what is the same everywhere, one or more of what differs."""
    models = [model for model in material.results.models if model.recipe]
    if not models:
        return [Text("No recipe was recorded.", "Recipe.")]
    flat = {model.name: flattened(model.recipe) for model in models}
    names = list(dict.fromkeys(name for known in flat.values() for name in known))
    same = [n for n in names if len({known.get(n) for known in flat.values()}) == 1]
    first = flat[models[0].name]
    words = text_data(WORDS)
    rows = [[_spoken(name), first[name], words.get(name, "")] for name in same]
    found: list[Block] = []
    if rows:
        shared = "all models" if len(models) > 1 else "the model"
        columns = ["Setting", "Value", "What it is"]
        title = f"Recipe of {shared}"
        found.append(Table(title, columns, rows, "", frozenset(), (22, 28, 50), "M"))
    differ = [name for name in names if name not in same and name != "architecture"]
    return [*found, *_differing(material, models, flat, differ, words)]


def _differing(
    material: StudyMaterial,
    models: Sequence[Trained],
    flat: Mapping[str, Mapping[str, str]],
    names: Sequence[str],
    words: Mapping[str, str],
) -> list[Table]:
    """A column per setting, five a table; explained below."""
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
        title = "Recipe: what differs between models"
        found.append(Table(title, columns, rows, note, frozenset(), widths, "M"))
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
    if isinstance(value, list | tuple):
        return ", ".join(_text(part) for part in value) or "none"
    return str(value)


def _spoken(name: str) -> str:
    return name.replace("_", " ")
