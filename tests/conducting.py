"""A whole small audit, for tests that interrupt it: python tests/conducting.py FOLDER."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from doubles import Brightness, cases_of, classifier_of

from audit.conduct import conduct
from audit.options import AuditOptions
from audit.results import Note, Results

LEVELS = [0.3 + 0.4 * i / 59 for i in range(60)]
NOTES = (Note(code="double", level="info", text="a double, not a model"),)


class Slow(Brightness):
    """Slow enough that a signal arrives in the middle."""

    def forward(self, x):
        time.sleep(0.005)
        return super().forward(x)


def whole_audit(folder: Path) -> Results:
    """Every stress of the preset "quick", plain and defended."""
    chosen = AuditOptions(preset="quick", seed=5, batch_size=8, probes=())
    return conduct(classifier_of(Brightness()), cases_of(LEVELS), folder, chosen, notes=NOTES)


def slow_audit(folder: Path) -> Results:
    """Few stresses and a second or two of work, to be interrupted."""
    stresses = ("rotation_translation", "rotation_translation_map", "quantum_noise")
    chosen = AuditOptions(
        preset="quick", stresses=stresses, defences=("none",), seed=5, batch_size=8, probes=()
    )
    return conduct(classifier_of(Slow()), cases_of(LEVELS), folder, chosen, notes=NOTES)


if __name__ == "__main__":
    slow_audit(Path(sys.argv[1]))
