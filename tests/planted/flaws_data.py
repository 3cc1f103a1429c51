"""Data that flatter or mislead: copies, patients seen in training, wrong labels, poor pictures."""

from __future__ import annotations

import csv
import functools
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from audit.cases.arrays import Kept
from audit.cases.case import Cases
from audit.cases.identity import pixel_digest
from audit.cases.options import DataOptions
from audit.cases.read import read_cases
from audit.cases.subset import subset
from audit.results import Results
from tests.planted.models import Reader, classifier_of
from tests.planted.planting import (
    Check,
    Flaw,
    Outcome,
    audited,
    findings_of,
    measured,
    named,
    together,
)
from tests.planted.scenes import CLASSES, cases_of, pictures
from tests.planted.sound import reader

LEAKAGE, LABELS, QUALITY = ("leakage",), ("label_errors",), ("quality",)
SHARED, COPIED, NEAR, WITHIN = 20, 12, 15, 10
FLIPPED = 0.08
N = 300
WIDE = 96


@functools.cache
def anatomy(n: int, seed: int) -> np.ndarray:
    """(n, WIDE, WIDE) bytes: broad smooth shapes and a little grain; no two pictures alike."""
    drawn = np.random.default_rng(seed)
    coarse = gaussian_filter(drawn.normal(size=(n, WIDE, WIDE)), (0, 6, 6))
    coarse = (coarse - coarse.mean()) / coarse.std()
    return np.clip(128 + 40 * coarse + drawn.normal(0, 3, coarse.shape), 0, 255).astype(np.uint8)


def labels_of(n: int) -> list[str]:
    return [CLASSES[k % 2] for k in range(n)]


def both_splits(shared: int) -> tuple[Cases, Cases]:
    """(train, test) of one reading: 60 patients in each, of whom `shared` are in both."""
    pixels = anatomy(120, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream)
            table.writerow(("path", "label", "patient_id", "split"))
            for k, (image, label) in enumerate(zip(pixels, labels_of(120), strict=True)):
                Image.fromarray(image).save(folder / f"{k}.png")
                patient = 1 + (k - 60 if 60 <= k < 60 + shared else k)
                table.writerow((f"{k}.png", label, patient, "train" if k < 60 else "test"))
        whole = read_cases(folder, DataOptions(every_split=True))
        kept = [replace(case, load=Kept(case.load())) for case in whole]
    train, test = (
        subset(whole, [replace(c, attributes={}) for c in kept if c.attributes["split"] == split])
        for split in ("train", "test")
    )
    return train, test


def arrays(pixels: np.ndarray) -> Cases:
    return cases_of(pixels, np.arange(len(pixels)) % 2 == 1)


def learnt() -> Cases:
    return arrays(anatomy(80, 1))


def copied() -> Cases:
    """80 others, of which 12 are the training pictures to the last bit."""
    pixels = anatomy(80, 2).copy()
    pixels[:COPIED] = anatomy(80, 1)[:COPIED]
    return arrays(pixels)


def resaved() -> Cases:
    """80 others, of which 15 are training pictures a little brighter and with faint noise."""
    pixels = anatomy(80, 2).copy()
    changed = anatomy(80, 1)[:NEAR] * 1.04 + np.random.default_rng(5).normal(
        0, 1, (NEAR, WIDE, WIDE)
    )
    pixels[:NEAR] = np.clip(changed, 0, 255).astype(np.uint8)
    return arrays(pixels)


def doubled() -> Cases:
    """90 pictures of 80: ten are there twice, as two patients."""
    pixels = anatomy(80, 2)
    return arrays(np.concatenate([pixels, pixels[:WITHIN]]))


def separate() -> Cases:
    return arrays(anatomy(80, 2))


def truth_and_flips() -> tuple[np.ndarray, np.ndarray]:
    truth = np.arange(N) % 2 == 1
    wrong = np.zeros(N, dtype=bool)
    wrong[np.random.default_rng(6).choice(N, round(FLIPPED * N), replace=False)] = True
    return truth, wrong


def accurate() -> np.ndarray:
    """(N, SIDE, SIDE) pictures that the reader has no trouble with."""
    truth, _ = truth_and_flips()
    return pictures(np.random.default_rng(7).normal(np.where(truth, 5, -5), 1.0), seed=16)


def mislabelled() -> Cases:
    """An accurate model's cases, 8% of whose labels were turned round."""
    truth, wrong = truth_and_flips()
    return cases_of(accurate(), truth ^ wrong)


def found_labels(results: Results, _folder: Path) -> Outcome:
    """Nine in ten of the turned labels are listed, and nine in ten of those listed were turned."""
    _, wrong = truth_and_flips()
    turned = {pixel_digest(image) for image in accurate()[wrong]}
    (report,) = results.probes
    told = str(report.details)
    listed = {case.id for case in mislabelled() if case.id in told}
    hit = len(listed & turned)
    said = f"{len(listed)} listed, {hit} of {len(turned)} turned labels among them"
    return Outcome(hit >= 0.9 * len(turned) and hit >= 0.9 * len(listed), said, f"{len(turned)}")


def grainy(x: Tensor) -> Tensor:
    """(N,) noise of a picture: the mean step between neighbours."""
    return (x[:, 0, :, 1:] - x[:, 0, :, :-1]).abs().mean((1, 2))


class Fragile(Reader):
    """Guesses from the first pixel where the picture is noisy."""

    def log_odds(self, x: Tensor) -> Tensor:
        read = super().log_odds(x)
        guess = torch.where(x[:, 0, 0, 0] > 0.4, 2.0, -2.0)
        return torch.where(grainy(x) > 0.05, guess, read)


def of_mixed_quality() -> Cases:
    """240 pictures of rising noise; above the median the reader can only guess."""
    truth = np.arange(240) % 2 == 1
    odds = np.where(truth, 3.0, -3.0)
    levels = np.linspace(0.02, 0.12, 240)
    images = np.concatenate(
        [pictures(odds[k : k + 1], seed=200 + k, noise=levels[k]) for k in range(240)]
    )
    return cases_of(images, truth)


def counted(metric: str, theory: int) -> Check:
    """A probe's count of exactly so many."""

    def check(results: Results, _folder: Path) -> Outcome:
        found = [f for f in findings_of(results) if f.metric == metric]
        numbers = {f.events if f.events is not None else f.value for f in found}
        said = ", ".join(f"{n:g}" for n in numbers if n is not None) or "no such number"
        return Outcome(theory in numbers, said, str(theory))

    return check


FLAWS = (
    Flaw(
        "patient leakage",
        f"{SHARED} patients are in the training data, with other pictures",
        "probe leakage: `leakage-patients`, `shared_patients`",
        reader(
            lambda: both_splits(SHARED)[1], train=lambda: both_splits(SHARED)[0], probes=LEAKAGE
        ),
        together(named("leakage-patients"), counted("shared_patients", SHARED)),
    ),
    Flaw(
        "identical pixels",
        f"{COPIED} audited pictures are training pictures",
        "probe leakage: `leakage-pixels`, `shared_images`",
        reader(copied, train=learnt, probes=LEAKAGE),
        together(named("leakage-pixels"), counted("shared_images", COPIED)),
    ),
    Flaw(
        "near-duplicates",
        f"{NEAR} audited pictures are training pictures, 4% brighter and with faint noise",
        "probe leakage: `leakage-near`, `near_duplicates`",
        reader(resaved, train=learnt, probes=LEAKAGE),
        together(named("leakage-near"), counted("near_duplicates", NEAR)),
    ),
    Flaw(
        "duplicates",
        f"{WITHIN} pictures are there twice, as two patients",
        "probe leakage: `duplicates`",
        reader(doubled, probes=LEAKAGE),
        named("duplicates"),
    ),
    Flaw(
        "label noise",
        f"{FLIPPED:.0%} of the labels turned round, an accurate model",
        "probe label_errors: `label-noise`, `label_errors_suspected`, and its list",
        reader(mislabelled, probes=LABELS),
        together(named("label-noise"), found_labels, measured("label_errors_suspected", FLIPPED)),
    ),
    Flaw(
        "quality",
        "guesses where the picture is noisy",
        "probe quality: `quality-dependent`",
        audited(lambda: classifier_of(Fragile()), of_mixed_quality, probes=QUALITY),
        named("quality-dependent"),
    ),
)
