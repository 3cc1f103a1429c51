"""Models that break under a known alteration from a known size on, and no earlier."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from audit.cases.case import Cases
from audit.results import Results
from tests import toys
from tests.planted.models import Reader, answer, classifier_of
from tests.planted.planting import Check, Flaw, Outcome, audited, measured, pick
from tests.planted.scenes import GAIN, SIDE, calibrated, cases_of, pictures, sound_cases

DOT_SIDE, DOTS = 20, 24
TURN_SIDE, RADIUS = 25, 8
SHIFTS, ANGLES = (
    tuple(k / DOT_SIDE for k in range(-4, 5)),
    (-15.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0),
)
COLUMN, ROW, PIXEL_SIDE = 8, 4, 12
QUALITIES = (95, 80, 60, 40, 20)
DOSES = (0.5, 0.25, 0.1, 0.05, 0.02, 0.01)
AMPLITUDE = 0.02


def dots(images: Tensor) -> Cases:
    """Each picture a little dimmer than the one before, so that none is a copy of another."""
    dimmed = images[:, 0].numpy() * (1 - 0.01 * np.arange(len(images)))[:, None, None]
    return cases_of(dimmed, np.arange(len(images)) % 2 == 1)


def shifted(direction: str, pixels: int) -> Flaw:
    """Lost are exactly the cells that move the content `pixels` or more in one direction."""
    right, down = toys.DIRECTIONS[direction]

    def lost(dx: float, dy: float) -> bool:
        return round((right * dx + down * dy) * DOT_SIDE) >= pixels

    def check(results: Results, _folder: Path) -> Outcome:
        cells = {}
        for finding in results.find("sensitivity", stress="rotation_translation_map"):
            if "dx" in finding.params:
                dx, dy = float(finding.params["dx"]), float(finding.params["dy"])
                cells[dx, dy] = finding.value
        right_cells = sum(value == float(not lost(*cell)) for cell, value in cells.items())
        broken = [cell for cell, value in cells.items() if value == 0]
        moved = [round((right * dx + down * dy) * DOT_SIDE) for dx, dy in broken]
        onset = f"from {min(moved)} px {direction}" if moved else "no loss"
        every = len(cells) == len(SHIFTS) ** 2
        said = f"{onset}; {right_cells} of {len(cells)} cells as planted"
        return Outcome(every and right_cells == len(cells), said, f"from {pixels} px {direction}")

    audit = audited(
        lambda: toys.classifier_of(toys.FooledByShift(direction, pixels), DOT_SIDE, DOT_SIDE),
        lambda: dots(toys.centred_dot(DOTS, DOT_SIDE, DOT_SIDE)),
        "rotation_translation_map",
        params={"rotation_translation_map": {"angles": [0.0], "shifts": SHIFTS, "max_shift": 0.2}},
    )
    planted = f"lost when the hip lies {pixels} pixels or more further {direction}"
    return Flaw(f"shift {direction}", planted, "sensitivity per cell of the map", audit, check)


def turned(degrees: float) -> Flaw:
    """Lost at the angles beyond `degrees` on one side only."""

    def check(results: Results, _folder: Path) -> Outcome:
        found = {
            float(f.params["angle"]): f.value
            for f in results.find("sensitivity", stress="rotation_translation_map")
            if "angle" in f.params
        }
        broken = sorted(angle for angle, value in found.items() if value == 0)
        wanted = [a for a in ANGLES if a * np.sign(degrees) >= abs(degrees)]
        told = ", ".join(f"{angle:+g}°" for angle in broken) or "no loss"
        return Outcome(broken == wanted, told, ", ".join(f"{a:+g}°" for a in wanted))

    audit = audited(
        lambda: toys.classifier_of(toys.FooledByRotation(degrees), TURN_SIDE, TURN_SIDE),
        lambda: dots(toys.side_dot(DOTS, TURN_SIDE, TURN_SIDE, RADIUS)),
        "rotation_translation_map",
        params={"rotation_translation_map": {"angles": ANGLES, "shifts": 1}},
    )
    planted = f"lost when turned by {degrees:+g}° or more"
    return Flaw("rotation", planted, "sensitivity per cell of the map", audit, check)


def rows_of(folder: Path, stress: str) -> list[dict[str, str]]:
    """The lines of predictions.csv about a stress."""
    with (folder / "predictions.csv").open(newline="", encoding="utf-8") as stream:
        return [row for row in csv.DictReader(stream) if row["stress"] == stress]


def known_pixel(_results: Results, folder: Path) -> Outcome:
    """Every success changed the planted pixel and no other."""
    hits = [r for r in rows_of(folder, "one_pixel") if r["success"] == "1"]
    places = {(found["x"], found["y"]) for found in (json.loads(r["found"]) for r in hits)}
    said = f"{len(hits)} fooled, at {sorted(places)}"
    return Outcome(len(hits) >= 10 and places == {(COLUMN, ROW)}, said, f"at ({COLUMN}, {ROW})")


def black() -> Cases:
    """Nearly black pictures, no two alike."""
    drawn = np.random.default_rng(0).uniform(0, 0.0002, (24, PIXEL_SIDE, PIXEL_SIDE))
    return cases_of(drawn, np.arange(24) % 2 == 1)


def known_radius(results: Results, folder: Path) -> Outcome:
    """Smallest ε of every picture: |log-odds| / ‖w‖₁, where ‖w‖₁ = 2 · GAIN."""
    clean = {r["case"]: float(r["log_odds"]) for r in rows_of(folder, "clean")}
    errors = [
        json.loads(r["found"])["epsilon"] / (abs(clean[r["case"]]) / (2 * GAIN)) - 1
        for r in rows_of(folder, "smallest_epsilon")
    ]
    worst = float(np.abs(errors).max())
    said = f"{len(errors)} images, largest deviation {worst:.2%}"
    return Outcome(len(errors) == 212 and worst < 0.01, said, "|margin| / ‖w‖₁ per image")


class Grain(nn.Module):
    """Reads the finest checkerboard there is: its sign is the answer."""

    def __init__(self) -> None:
        super().__init__()
        sign = 1.0 - 2.0 * ((torch.arange(SIDE)[:, None] + torch.arange(SIDE)) % 2)
        self.sign = nn.Parameter(sign)

    def forward(self, x: Tensor) -> Tensor:
        return answer(200 * (x[:, 0] * self.sign).mean((1, 2)))


def grained() -> Cases:
    """48 pictures: grey, faint noise, and the checkerboard whose sign is the label."""
    truth = np.arange(48) % 2 == 1
    noise = np.random.default_rng(1).uniform(-0.004, 0.004, (48, SIDE, SIDE))
    sign = 1.0 - 2.0 * (np.add.outer(np.arange(SIDE), np.arange(SIDE)) % 2)
    return cases_of(0.5 + noise + AMPLITUDE * np.where(truth, 1, -1)[:, None, None] * sign, truth)


def first_flat_quality() -> int:
    """By Pillow itself: the first quality at which the checkerboard alone comes back flat."""
    sign = 1.0 - 2.0 * (np.add.outer(np.arange(SIDE), np.arange(SIDE)) % 2)
    levels = np.rint(255 * (0.5 + AMPLITUDE * sign)).astype(np.uint8)
    for quality in QUALITIES:
        file = BytesIO()
        Image.fromarray(levels).save(file, "JPEG", quality=quality)
        with Image.open(file) as image:
            if np.ptp(np.asarray(image)) == 0:
                return quality
    raise AssertionError("the checkerboard survives every quality")


class Tidy(Reader):
    """The reader, but "normal" once the pixel noise exceeds `limit` (standard deviation)."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit = limit

    def log_odds(self, x: Tensor) -> Tensor:
        read = super().log_odds(x)
        noisy = (x[:, 0, :, 1:] - x[:, 0, :, :-1]).std((1, 2)) > self.limit
        return torch.where(noisy, -5.0, read)


def clean_scenes() -> Cases:
    """Sure answers on pictures almost without noise."""
    odds, truth = calibrated((0.02, 0.98), 24)
    truth = odds > 0
    return cases_of(pictures(odds, seed=4, noise=0.01), truth)


def noise_limit() -> float:
    """Halfway, in theory, between the noise at a dose of .1 and of .05.

    Thinning N quanta to a share d adds a variance of (1 - d) / (d·N) / depth² per pixel with
    N = photons·exp(-depth·v); neighbours differ by twice that and twice the scene's own.
    """
    quanta = 10_000 * np.exp(-4 * 0.4)
    own = 0.01**2 / 3
    at = [np.sqrt(2 * ((1 - d) / (d * quanta) / 16 + own)) for d in (0.1, 0.05)]
    return float(np.mean(at))


def onset(metric: str, stress: str, level: str, theory: float) -> Check:
    """`first_loss` names exactly this level."""

    def check(results: Results, _folder: Path) -> Outcome:
        found = pick(results, metric, stress=stress, contrast="stress=clean")
        if found is None or found.value is None:
            return Outcome(False, (found and found.reason) or "no such number", f"{theory:g}")
        at = float(found.params[level])
        return Outcome(at == theory, f"{found.value:+.2f} from {level} = {at:g}", f"{theory:g}")

    return check


def worse_with_tta(results: Results, _folder: Path) -> Outcome:
    found = pick(results, "accuracy", defence="tta", contrast="defence=none", stress="clean")
    if found is None or found.high is None:
        return Outcome(False, "no such difference")
    said = f"{found.value:+.2f} (to {found.high:+.2f})"
    significant = found.p_holm is not None and found.p_holm < 0.05
    return Outcome(found.high < 0 and significant, said, "−1.00")


def _grainy(*stresses: str, **options: object) -> Callable[[Path], Results]:
    return audited(lambda: classifier_of(Grain()), grained, *stresses, **options)


FLAWS = (
    shifted("right", 2),
    shifted("up", 3),
    turned(10.0),
    Flaw(
        "one pixel",
        f"fooled by one bright pixel, at column {COLUMN}, row {ROW}",
        "place found by `one_pixel`",
        audited(
            lambda: toys.classifier_of(
                toys.FooledByPixel(COLUMN, ROW, PIXEL_SIDE, PIXEL_SIDE), PIXEL_SIDE, PIXEL_SIDE
            ),
            black,
            "one_pixel",
            params={"one_pixel": {"queries": 2000, "population": 100}},
            preset="standard",
        ),
        known_pixel,
        slow=True,
    ),
    Flaw(
        "linear model",
        "FGSM radius of each image known: |margin| / ‖w‖₁",
        "`smallest_epsilon` of each image",
        audited(
            lambda: classifier_of(Reader()),
            sound_cases,
            "smallest_epsilon",
            params={"smallest_epsilon": {"attack": "fgsm", "resolution": 1e-5, "max_epsilon": 0.1}},
        ),
        known_radius,
    ),
    Flaw(
        "inversion",
        "reads a negative (MONOCHROME1) the wrong way round: wrong on every case it had right",
        "accuracy under `inverted`",
        audited(lambda: classifier_of(Reader()), sound_cases, "inverted"),
        measured("accuracy", 28 / 240, stress="inverted"),
    ),
    Flaw(
        "noise",
        "right down to a tenth of the dose, lost at a twentieth",
        "`first_loss` under `quantum_noise`",
        audited(
            lambda: classifier_of(Tidy(noise_limit())),
            clean_scenes,
            "quantum_noise",
            params={"quantum_noise": {"doses": DOSES}},
        ),
        onset("first_loss", "quantum_noise", "dose", 0.05),
    ),
    Flaw(
        "JPEG",
        f"reads the finest grain, which JPEG drops at quality {first_flat_quality()}",
        "`first_loss` under `jpeg_quality`",
        _grainy("jpeg_quality", params={"jpeg_quality": {"qualities": QUALITIES}}),
        onset("first_loss", "jpeg_quality", "quality", first_flat_quality()),
    ),
    Flaw(
        "a defence that hurts",
        "test-time augmentation turns the grain's sign: wrong on every case",
        "accuracy with `tta` minus without, Holm-adjusted",
        _grainy("jpeg_quality", defences=("none", "tta"), params={"tta": {"shift": 0.04}}),
        worse_with_tta,
    ),
)
