"""How the learning rate and the momentum move over a phase: functions of the step alone.

No state: a training that is taken up again at step 500 has the rate of step 500.
"""

from __future__ import annotations

import math

WAY_UP = 0.3  # of the cycle
START, END = 25.0, 25.0e4  # the peak divided by these
CALM, BOLD = 0.95, 0.85  # momentum at the lowest rate and at the peak
TRIANGLE_BASE = 4.0  # Smith 2017, section 3.3: a third or a quarter of the highest
TRIANGLE_EPOCHS = 2  # up, and as many down


def one_cycle(step: int, total: int) -> tuple[float, float]:
    """(share of the peak rate, momentum) at `step` of `total`, from 0.

    Cosine from peak/25 to the peak in the first 30% of the steps, cosine to peak/250,000 in the
    rest. Source: Smith 2018, arXiv:1803.09820, as in fastai 1.0.52 and torch's OneCycleLR.
    """
    top = WAY_UP * total - 1
    if step <= top:
        up = _part(step, top)
        return _between(1 / START, 1, up), _between(CALM, BOLD, up)
    down = _part(step - top, total - 1 - top)
    return _between(1, 1 / END, down), _between(BOLD, CALM, down)


def triangular(step: int, per_epoch: int) -> tuple[float, float]:
    """(share of the peak rate, momentum) at `step`, from 0: linear, two epochs each way.

    Source: Smith 2017, arXiv:1506.01186, equation of section 3.2; momentum moves the other way.
    """
    half = TRIANGLE_EPOCHS * per_epoch
    height = 1 - abs(step / half - 2 * math.floor(1 + step / (2 * half)) + 1)
    base = 1 / TRIANGLE_BASE
    return base + (1 - base) * height, CALM + (BOLD - CALM) * height


def _part(step: float, length: float) -> float:
    return min(1.0, step / length) if length > 0 else 1.0


def _between(start: float, end: float, part: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * part))
