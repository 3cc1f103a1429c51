"""The published table of the study, with the intervals that its counts imply."""

from __future__ import annotations

from audit.metrics.proportion import wilson
from audit.study_results import Published
from trainers.architectures import STUDY

SOURCE = "Lemsalu 2019, bachelor thesis, University of Twente"
TRAINING, VALIDATION, TOTAL = 6952, 1676, 8643  # images, as the thesis counts them
PREVALENCE = 0.425  # of fracture in its validation split
# Of the two best models: recall, precision and F1 as printed.
DETAILS = {"densenet169": (0.968, 0.970, 0.967), "resnet50": (0.950, 0.98, 0.958)}


def nearest_count(accuracy: float, n: int = VALIDATION) -> int:
    """The number of right answers among `n` that is closest to an accuracy in [0, 1].

    >>> nearest_count(0.9260)
    1552
    """
    return round(accuracy * n)


def published_table() -> tuple[Published, ...]:
    """The thesis's seven accuracies, each with the 95% Wilson interval of its nearest count.

    They are accuracies on the images that also decided when to stop.
    """
    rows = []
    for row in STUDY:
        if row.published is None:
            continue
        low, high = wilson(nearest_count(row.published), VALIDATION)
        rows.append(
            Published(
                title=row.title,
                architecture=row.name,
                accuracy=row.published,
                low=float(low),
                high=float(high),
                n=VALIDATION,
                source=SOURCE,
            )
        )
    return tuple(rows)
