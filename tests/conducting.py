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
        time.sleep(0.01)
        return super().forward(x)


def whole_audit(folder: Path, *, slow: bool = False, **options: object) -> Results:
    module = Slow() if slow else Brightness()
    chosen = AuditOptions(preset="quick", seed=5, batch_size=8, probes=(), **options)
    return conduct(classifier_of(module), cases_of(LEVELS), folder, chosen, notes=NOTES)


if __name__ == "__main__":
    whole_audit(Path(sys.argv[1]), slow=True)
