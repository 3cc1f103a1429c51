"""What a defence is trained on must not be what it is audited on."""

from __future__ import annotations

from audit.cases.case import Case, Cases
from audit.cases.subset import subset
from audit.errors import HipauditError


def training_part(cases: Cases) -> Cases:
    """The images of a declared train split, or all where none is declared.

    Raises HipauditError where splits are declared and none is for training.
    """
    splits = {case.attributes.get("split", "") for case in cases} - {""}
    train = [c for c in cases if c.attributes.get("split", "").lower() in ("train", "training")]
    if not splits:
        return cases
    if not train:
        shown = ", ".join(f'"{name}"' for name in sorted(splits))
        raise HipauditError("a train split in --train-data", f"only {shown}")
    return subset(cases, train)


def check_apart(train: Cases, given: Cases, audited: Cases, use: str = "trained on") -> None:
    """Raises HipauditError where an image, or a patient seen in the same reading, is in both.

    `given`: all that was read with the training images, so that an audited image among them
    tells whose patient it is. Between two readings patients have no name in common. `use`: what
    is done with the images of `train`.
    """
    outside = {_image(case) for case in audited}
    images = sum(_image(case) in outside for case in train)
    if images:
        raise HipauditError(
            f"images {use} that are not audited", f"{images} in both", "Split them by patient."
        )
    theirs = {case.patient for case in given if case.patient and _image(case) in outside}
    patients = len(theirs & {case.patient for case in train if case.patient})
    if patients:
        raise HipauditError(
            f"no patient both {use} and audited", f"{patients}", "Split them by patient."
        )


def _image(case: Case) -> str:
    return case.id.partition("-")[0]
