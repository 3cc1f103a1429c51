"""Presets as data: which stresses, with which parameters, on how many cases, under which defence.

Budgets follow the cost of one forward: cheap attacks see every case, expensive ones a stated,
stratified, seeded sample: never under twelve, for under ten cases no rate is given. `None` means
every case. A preset ships no threshold.

For SqueezeNet 1.1 at 224 pixels on two cores: `quick` under two minutes for 200 cases, `standard`
under thirty for 500 (measured: benchmarks/README.md); `full` has the budgets of the papers and
takes what it takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from audit.errors import HipauditError, did_you_mean
from audit.results import UNDEFENDED

_EPS = (1 / 255, 2 / 255, 4 / 255, 8 / 255)
# With a defence and without it the same parameters, or there is nothing to pair; Square and PGD
# share a radius, or neither tells whether the other was blind.
_PGD_QUICK = {"epsilons": (2 / 255, 8 / 255), "steps": 10}
_PGD = {"epsilons": (2 / 255, 4 / 255, 8 / 255), "steps": 20}
_PGD_FULL = {"epsilons": _EPS, "steps": 40, "restarts": 10}
_SQUARE = {"epsilons": (8 / 255,), "queries": 500}
_SQUARE_FULL = {"epsilons": _EPS, "queries": 5000}


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


# Three of five severities, where a look has to do.
_GLANCE: Mapping[str, Mapping[str, Any]] = {
    "bit_depth": {"bits": (6, 4, 2)},
    "collimation": {"closed": (0.1, 0.3, 0.6)},
    "contrast_loss": {"kept": (0.8, 0.4, 0.1)},
    "dead_rows": {"per_thousand": (3, 30, 120)},
    "defocus_blur": {"sigmas": (0.002, 0.008, 0.032)},
    "exposure": {"stops": (0.25, 1.0, 2.0)},
    "gamma": {"gammas": (1.2, 2.0, 3.0)},
    "inverted": {},
    "jpeg_quality": {"qualities": (90, 50, 10)},
    "low_resolution": {"sides": (192, 96, 32)},
    "metal": {"areas": (0.005, 0.02, 0.08)},
    "motion_blur": {"lengths": (0.005, 0.02, 0.08)},
    "quantum_noise": {"doses": (0.5, 0.1, 0.02)},
    "side_marker": {"heights": (0.02, 0.06, 0.1)},
    "window_level": {"widths": (0.9, 0.6, 0.3)},
}


def _glance(sample: int) -> tuple[Entry, ...]:
    """Every corruption at three severities."""
    return tuple(Entry(name, sample, params) for name, params in _GLANCE.items())


def _dose_response(sample: int | None) -> tuple[Entry, ...]:
    """Every corruption at its five severities."""
    return tuple(Entry(name, sample) for name in _GLANCE)


def _carried_over(*entries: Entry) -> tuple[Entry, ...]:
    """Made on the model without its defence, to tell a defence from masked gradients."""
    return tuple(replace(entry, surrogate=UNDEFENDED) for entry in entries)


PRESETS: dict[str, tuple[Entry, ...]] = {
    "ci": (
        Entry("fgsm", None, {"epsilons": (2 / 255, 8 / 255)}),
        Entry("pgd", 32, {"epsilons": (2 / 255,), "steps": 10}),
        Entry("rotation_translation", 64, {"mode": "worst_of_k", "k": 5}),
        Entry("quantum_noise", 64),
        Entry("jpeg_quality", 32, {"qualities": (50,)}),
        Entry("inverted", 32),
    ),
    "quick": (
        Entry("fgsm", None, {"epsilons": _EPS}),
        Entry("pgd", 32, _PGD_QUICK),
        Entry("apgd", 16, {"epsilons": (2 / 255,), "steps": 10}),
        Entry("square", 12, {"epsilons": (8 / 255,), "queries": 100}),
        Entry("smallest_epsilon", 32),
        Entry("rotation_translation", 64, {"mode": "worst_of_k", "k": 10}),
        Entry("rotation_translation_map", 16, {"angles": 5, "shifts": 3}),
        Entry("one_pixel", 12, {"queries": 200}),
        *_glance(24),
        *_under(
            "tta",
            Entry("fgsm", 24, {"epsilons": _EPS}),
            Entry("pgd", 12, {**_PGD_QUICK, "epsilons": (8 / 255,)}),
            *_carried_over(Entry("pgd", 12, {**_PGD_QUICK, "epsilons": (8 / 255,)})),
            Entry("rotation_translation", 12, {"mode": "worst_of_k", "k": 10}),
        ),
    ),
    "standard": (
        Entry("fgsm", None, {"epsilons": _EPS}),
        Entry("pgd", 128, _PGD),
        Entry("apgd", 48, {"epsilons": (2 / 255, 4 / 255, 8 / 255), "steps": 30}),
        Entry("square", 32, _SQUARE),
        Entry("smallest_epsilon", 200),
        Entry("rotation_translation", None, {"mode": "worst_of_k", "k": 10}),
        Entry("rotation_translation", 24, {"mode": "grid"}),
        Entry("rotation_translation_map", 64, {"angles": 7, "shifts": 3}),
        Entry("one_pixel", 32, {"queries": 2000}),
        Entry("one_pixel_seeded", 16, {"queries": 500}),
        Entry("sparse_rs", 12, {"pixels": (1, 5, 20), "queries": 400}),
        *_dose_response(128),
        *_under(
            "tta",
            Entry("fgsm", 128, {"epsilons": _EPS}),
            Entry("pgd", 16, _PGD),
            *_carried_over(Entry("pgd", 32, _PGD)),
            Entry("square", 12, _SQUARE),
            Entry("rotation_translation", 64, {"mode": "worst_of_k", "k": 10}),
        ),
        *_under(
            "randomised-smoothing",
            Entry("fgsm", 64, {"epsilons": _EPS}),
            Entry("pgd", 16, _PGD),
            *_carried_over(Entry("pgd", 32, _PGD)),
        ),
        *(
            entry
            for defence in ("jpeg", "bit-depth")
            for entry in _under(
                defence,
                Entry("fgsm", 128, {"epsilons": _EPS}),
                Entry("pgd", 32, _PGD),
                *_carried_over(Entry("pgd", 32, _PGD)),
                Entry("square", 16, _SQUARE),
            )
        ),
    ),
    "full": (
        Entry("fgsm", None, {"epsilons": _EPS}),
        Entry("pgd", None, _PGD_FULL),
        Entry("apgd", None, {"epsilons": _EPS, "steps": 100, "restarts": 5}),
        Entry("square", None, _SQUARE_FULL),
        Entry("smallest_epsilon", None, {"attack": "pgd", "steps": 20}),
        Entry("rotation_translation", None, {"mode": "worst_of_k", "k": 10}),
        Entry("rotation_translation", None, {"mode": "grid"}),
        Entry("rotation_translation_map", None, {"angles": 31, "shifts": 5}),
        Entry("one_pixel", None, {"queries": 40_400}),
        Entry("one_pixel", None, {"queries": 40_400, "pixels": 3}),
        Entry("one_pixel", None, {"queries": 40_400, "pixels": 5}),
        Entry("one_pixel_seeded", None, {"queries": 2000}),
        Entry("sparse_rs", None, {"pixels": (1, 5, 20), "queries": 10_000}),
        *_dose_response(None),
        *(
            entry
            for defence in ("tta", "randomised-smoothing", "jpeg", "bit-depth", "blur")
            for entry in _under(
                defence,
                Entry("fgsm", None, {"epsilons": _EPS}),
                Entry("pgd", None, _PGD_FULL),
                *_carried_over(Entry("pgd", None, _PGD_FULL)),
                Entry("square", 64, _SQUARE_FULL),
                Entry("rotation_translation", None, {"mode": "worst_of_k", "k": 10}),
                Entry("one_pixel", 32, {"queries": 40_400}),
            )
        ),
    ),
}


# Images that one probe may send through the network; the whole of a preset keeps to its minutes.
PROBE_FORWARDS = {"ci": 600, "quick": 2000, "standard": 8000, "full": 20_000}


def get_preset(name: str) -> tuple[Entry, ...]:
    if name not in PRESETS:
        raise HipauditError("the name of a preset", f'"{name}"', did_you_mean(name, list(PRESETS)))
    return PRESETS[name]
