"""Baseline JPEG from the standard's formulas: the reference for libjpeg's."""

from __future__ import annotations

import numpy as np
from scipy.fft import dctn, idctn

# ITU-T T.81, Annex K, Table K.1: luminance
TABLE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


def jpeg_by_hand(levels: np.ndarray, quality: int) -> np.ndarray:
    """(H, W) of whole grey levels -> what quantising 8 x 8 cosine transforms leaves of it."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    table = np.clip((TABLE * scale + 50) // 100, 1, 255)
    height, width = levels.shape
    found = np.pad(levels, ((0, -height % 8), (0, -width % 8)), mode="edge") - 128.0
    for top in range(0, len(found), 8):
        for left in range(0, found.shape[1], 8):
            block = np.s_[top : top + 8, left : left + 8]
            steps = dctn(found[block], norm="ortho") / table
            coefficients = np.sign(steps) * np.floor(np.abs(steps) + 0.5) * table
            found[block] = idctn(coefficients, norm="ortho")
    return np.clip(np.round(found + 128), 0, 255)[:height, :width]
