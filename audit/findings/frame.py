"""What every number of one audit shares: groups, patients and their resamples."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from audit.evidence import Predictions
from audit.findings.groups import Groups
from audit.findings.view import Bools, Ints
from audit.metrics.bootstrap import Resampling, resample


@dataclass
class Frame:
    """`patients` (N,): patient number of each subject, its own where unknown; `known` (N,)."""

    predictions: Predictions
    groups: Groups
    patients: Ints
    known: Bools
    seed: int
    resamples: int
    _drawn: dict[bytes, Resampling] = field(default_factory=dict)

    def resampling(self, cases: Ints) -> Resampling:
        """Resamples of the patients of a sample, drawn once per distinct sample."""
        key = cases.tobytes()
        if key not in self._drawn:
            positive = self.predictions.targets[cases] == self.predictions.decision.positive
            self._drawn[key] = resample(self.patients[cases], positive, self.resamples, self.seed)
        return self._drawn[key]


def make_frame(predictions: Predictions, groups: Groups, seed: int, resamples: int) -> Frame:
    known = np.array([s.patient is not None for s in predictions.subjects], dtype=bool)
    names: dict[str, int] = {}
    numbers = [
        names.setdefault(f"image {i}" if s.patient is None else f"patient {s.patient}", len(names))
        for i, s in enumerate(predictions.subjects)
    ]
    return Frame(predictions, groups, np.array(numbers, np.int64), known, seed, resamples)
