"""What two splits must be before a network is fitted to one and judged on the other."""

from __future__ import annotations

from audit.cases.case import Cases
from audit.errors import HipauditError


def check_splits(
    train: Cases, val: Cases, classes: tuple[str, ...], positive_class: str, batch_size: int
) -> None:
    """Raises HipauditError for one class, shared images or patients, or less than a batch."""
    if positive_class not in classes:
        raise HipauditError(f"a positive class among {', '.join(classes)}", f'"{positive_class}"')
    for name, cases in (("training", train), ("validation", val)):
        if len(cases.labels) < 2:
            raise HipauditError(
                f"at least two classes in the {name} split",
                f"{', '.join(cases.labels) or 'none'}",
                "Add images of the other class, or split anew.",
            )
    if positive_class not in val.labels:
        raise HipauditError(
            f'"{positive_class}" in the validation split', f"only {', '.join(val.labels)}"
        )
    if len(train) < batch_size:
        raise HipauditError(
            f"at least one batch of {batch_size} training images",
            f"{len(train)}",
            f"Use batch_size {max(2, len(train))} or smaller.",
        )
    _check_apart(train, val)


def _check_apart(train: Cases, val: Cases) -> None:
    """Patients are numbered anew at each reading, so they compare within one reading only."""
    images = {case.id for case in train} & {case.id for case in val}
    if images:
        raise HipauditError("no image in both splits", f"{len(images)} shared", "Split them anew.")
    shared = {c.patient for c in train if c.patient} & {c.patient for c in val if c.patient}
    if shared and train.reading == val.reading:
        raise HipauditError(
            "no patient in both splits", f"{len(shared)} shared", "Split by patient."
        )
