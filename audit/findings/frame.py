"""What every number of one audit shares: groups, patients and their resamples."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from audit.evidence import Predictions
from audit.findings.groups import Groups
from audit.findings.view import Bools, Ints
from audit.metrics.bootstrap import Resampling, resample, resampled_totals

Single = npt.NDArray[np.float32]


@dataclass
class Frame:
    """`patients` (N,): patient number of each subject, its own where unknown; `known` (N,).

    `prevalences`: shares of positives declared for where the model will be used.
    """

    predictions: Predictions
    groups: Groups
    patients: Ints
    known: Bools
    seed: int
    resamples: int
    prevalences: tuple[float, ...] = ()
    _drawn: dict[tuple[bytes, bool], Resampling] = field(default_factory=dict)
    _kept: dict[tuple[bytes, bool, bytes], Single] = field(default_factory=dict)

    def repeats(self, cases: Ints) -> bool:
        """Whether some patient has more than one of these cases."""
        return bool((np.bincount(self.patients[cases]) > 1).any())

    def resampling(self, cases: Ints, *, stratified: bool) -> Resampling:
        """Resamples of the patients of a sample, drawn once per distinct sample."""
        key = _digest(cases), stratified
        if key not in self._drawn:
            truth = self.predictions.targets[cases] == self.predictions.decision.positive
            self._drawn[key] = resample(
                self.patients[cases], truth if stratified else None, self.resamples, self.seed
            )
        return self._drawn[key]

    def resampled(
        self, cases: Ints, sums: Single, *, stratified: bool, keep: bool = False
    ) -> Single:
        """Patient sums (P, M) -> their resampled totals (B, M).

        `keep`: remember them by content, as denominators come back in every view.
        """
        drawn = self.resampling(cases, stratified=stratified)
        if not keep:
            return resampled_totals(drawn, sums)
        sample = _digest(cases)
        columns = np.ascontiguousarray(sums.T)
        names = [(sample, stratified, _digest(column)) for column in columns]
        fresh = {name: i for i, name in enumerate(names) if name not in self._kept}
        if fresh:
            totals = resampled_totals(drawn, sums[:, list(fresh.values())])
            self._kept.update(zip(fresh, np.ascontiguousarray(totals.T), strict=True))
        return np.stack([self._kept[name] for name in names], axis=1)


def _digest(column: npt.NDArray[np.generic]) -> bytes:
    """A key of 16 bytes, where the content would grow with the cases."""
    return hashlib.blake2b(column.tobytes(), digest_size=16).digest()


def make_frame(
    predictions: Predictions,
    groups: Groups,
    seed: int,
    resamples: int,
    prevalences: tuple[float, ...] = (),
) -> Frame:
    known = np.array([s.patient is not None for s in predictions.subjects], dtype=bool)
    names: dict[str, int] = {}
    numbers = [
        names.setdefault(f"image {i}" if s.patient is None else f"patient {s.patient}", len(names))
        for i, s in enumerate(predictions.subjects)
    ]
    patients = np.array(numbers, np.int64)
    return Frame(predictions, groups, patients, known, seed, resamples, prevalences)
