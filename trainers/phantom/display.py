"""From counted photons to the image as stored: the maker's look-up table, shutter and marker."""

from __future__ import annotations

import torch
from torch import Tensor

from trainers.phantom.detector import blurred
from trainers.phantom.patient import Patient
from trainers.phantom.scanner import Scanner
from trainers.phantom.technique import Technique

# 5 x 7 lead letters, one row of bits per line.
LETTERS = {
    "R": (0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001),
    "L": (0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111),
}
LEAD = 0.97


def display(photons: Tensor, scanner: Scanner, technique: Technique) -> Tensor:
    """Photons -> grey in [0, 1], bone bright: logarithm, unsharp mask, window, curve, toe."""
    density = -torch.log(photons.clamp(min=0.5))
    sharp = density + scanner.edge * (density - blurred(density, scanner.radius * len(density)))
    thick = sharp[density > density.quantile(0.15)]
    low = float(thick.quantile(0.02)) - technique.low
    high = float(thick.quantile(0.998)) + technique.high
    wide = max(high - low, 0.2)
    low = {"dark": low + 0.35 * wide, "washed": low - 0.9 * wide}.get(technique.fault, low)
    grey = ((sharp - low) / max(high - low, 0.2)).clamp(0, 1)
    grey = grey ** (scanner.curve * technique.curve)
    smooth = grey * grey * (3 - 2 * grey)
    return grey + scanner.toe * (smooth - grey)


def shutter(grey: Tensor, technique: Technique) -> Tensor:
    """Collimation: black borders."""
    size = len(grey)
    top, low, left, right = (int(share * size) for share in technique.shutter)
    open_field = torch.zeros_like(grey)
    open_field[top : size - low, left : size - right] = 1
    return grey * open_field


def marker(grey: Tensor, side: str, technique: Technique) -> Tensor:
    """A lead letter for the side, near the lateral upper corner, or none."""
    if technique.marker is None:
        return grey
    size = len(grey)
    scale = max(1, size // 90)
    rows = [[int(bit) for bit in f"{line:05b}"] for line in LETTERS[side]]
    glyph = torch.tensor(rows, dtype=grey.dtype, device=grey.device)
    glyph = glyph.repeat_interleave(scale, 0).repeat_interleave(scale, 1)
    high, wide = glyph.shape
    y, x = (int(share * size) for share in technique.marker)
    x = x if side == "R" else size - x - wide  # a right hip's outside is on the left
    out = grey.clone()
    patch = out[y : y + high, x : x + wide]
    out[y : y + high, x : x + wide] = torch.maximum(patch, LEAD * glyph)
    return out


def shown(photons: Tensor, patient: Patient, scanner: Scanner, technique: Technique) -> Tensor:
    """The image as stored, (size, size) in [0, 1], bone bright.

    The anatomy's lateral is right on the detector; facing the patient, a right hip's is left.
    """
    grey = display(photons, scanner, technique)
    if patient.side == "R":
        grey = grey.flip(1)
    return marker(shutter(grey, technique), patient.side, technique).clamp(0, 1)
