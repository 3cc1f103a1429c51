"""Presets as data: which stresses, with which parameters, on how many cases, under which defence.

Budgets follow the cost of one forward: cheap attacks see every case, expensive ones a stated,
stratified, seeded sample. `None` means every case. A preset ships no threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from audit.errors import HipauditError, did_you_mean

_EPS = (1 / 255, 2 / 255, 4 / 255, 8 / 255)


@dataclass(frozen=True)
class Entry:
    """One line of a preset: a stress, its parameters, a sample size, a defence.

    `surrogate`: "undefended" when the images are made on the model without its defence.
    """

    stress: str
    sample: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    defence: str = "none"
    surrogate: str = ""


def _under(defence: str, *entries: Entry) -> tuple[Entry, ...]:
    return tuple(replace(entry, defence=defence) for entry in entries)


PRESETS: dict[str, tuple[Entry, ...]] = {
    "ci": (
        Entry("fgsm", None, {"epsilons": (2 / 255, 8 / 255)}),
        Entry("pgd", 32, {"epsilons": (2 / 255,), "steps": 10}),
        Entry("rotation_translation", 64, {"mode": "worst_of_k", "k": 5}),
        Entry("quantum_noise", 64),
    ),
    "quick": (
        Entry("fgsm", None, {"epsilons": _EPS}),
        Entry("pgd", 48, {"epsilons": (1 / 255, 2 / 255), "steps": 10}),
        Entry("square", 12, {"epsilons": (8 / 255,), "queries": 100}),
        Entry("rotation_translation", None, {"mode": "worst_of_k", "k": 10}),
        Entry("rotation_translation_map", 32, {"angles": 5, "shifts": 3}),
        Entry("one_pixel", 8, {"queries": 400}),
        Entry("quantum_noise", 64),
        *_under(
            "tta",
            Entry("fgsm", 48, {"epsilons": (2 / 255, 8 / 255)}),
            Entry("pgd", 12, {"epsilons": (2 / 255,), "steps": 10}),
            Entry("square", 6, {"epsilons": (8 / 255,), "queries": 50}),
            Entry("rotation_translation", 48, {"mode": "worst_of_k", "k": 5}),
            Entry("one_pixel", 4, {"queries": 200}),
        ),
    ),
    "standard": (
        Entry("fgsm", None, {"epsilons": _EPS}),
        Entry("pgd", 128, {"epsilons": (1 / 255, 2 / 255, 4 / 255), "steps": 20}),
        Entry("square", 32, {"epsilons": (4 / 255, 8 / 255), "queries": 500}),
        Entry("rotation_translation", None, {"mode": "worst_of_k", "k": 10}),
        Entry("rotation_translation", 32, {"mode": "grid"}),
        Entry("rotation_translation_map", 64, {"angles": 7, "shifts": 3}),
        Entry("one_pixel", 32, {"queries": 2000}),
        Entry("quantum_noise", None),
        *_under(
            "tta",
            Entry("fgsm", None, {"epsilons": _EPS}),
            Entry("pgd", 64, {"epsilons": (1 / 255, 2 / 255), "steps": 20}),
            Entry("square", 16, {"epsilons": (8 / 255,), "queries": 200}),
            Entry("rotation_translation", 128, {"mode": "worst_of_k", "k": 10}),
            Entry("one_pixel", 8, {"queries": 800}),
        ),
    ),
    "full": (
        Entry("fgsm", None, {"epsilons": _EPS}),
        Entry("pgd", None, {"epsilons": _EPS, "steps": 40, "restarts": 3}),
        Entry("square", 128, {"epsilons": _EPS, "queries": 2000}),
        Entry("rotation_translation", None, {"mode": "worst_of_k", "k": 10}),
        Entry("rotation_translation", None, {"mode": "grid"}),
        Entry("rotation_translation_map", None, {"angles": 31, "shifts": 5}),
        Entry("one_pixel", 128, {"queries": 40_400}),
        Entry("quantum_noise", None),
        *_under(
            "tta",
            Entry("fgsm", None, {"epsilons": _EPS}),
            Entry("pgd", None, {"epsilons": _EPS, "steps": 40}),
            Entry("square", 64, {"epsilons": _EPS, "queries": 1000}),
            Entry("rotation_translation", None, {"mode": "worst_of_k", "k": 10}),
            Entry("one_pixel", 32, {"queries": 8000}),
        ),
    ),
}


def get_preset(name: str) -> tuple[Entry, ...]:
    if name not in PRESETS:
        raise HipauditError("the name of a preset", f'"{name}"', did_you_mean(name, list(PRESETS)))
    return PRESETS[name]
