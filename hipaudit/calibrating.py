"""What `hipaudit run` does about --calibration-data: a temperature fitted before the audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.errors import HipauditError

if TYPE_CHECKING:
    from audit.cases.case import Cases
    from audit.cases.options import DataOptions
    from audit.classifier import Classifier
    from hipaudit.workflow import Understood

NAME = "temperature-scaling"
SPLITS = ("calibration", "val", "valid", "validation")


def calibrating(flags: Mapping[str, Any]) -> tuple[str, ...]:
    """Defences that will have been fitted to --calibration-data when the audit starts.

    Raises HipauditError, before any work, for a path that leads nowhere or serves nothing.
    """
    given = flags["calibration_data"]
    if given is None:
        return ()
    if NAME not in flags["defences"]:
        raise HipauditError(
            f"--defence {NAME} with --calibration-data", "none", f"Add --defence {NAME}."
        )
    if isinstance(given, str | Path) and not Path(given).exists():
        raise HipauditError(
            "a folder or table of labelled radiographs to calibrate on",
            f'nothing at "{given}"',
            "Check the path after --calibration-data.",
        )
    return (NAME,)


def calibrated(
    understood: Understood, flags: Mapping[str, Any], data_options: DataOptions
) -> dict[str, Classifier]:
    """The model with its temperature, by the defence's name; empty where it was not asked for.

    Raises HipauditError where calibration images, or patients seen with them, are audited.
    """
    if not calibrating(flags):
        return {}
    from audit.defences.temperature import calibrated as fitted
    from hipaudit.workflow import read_data
    from trainers.adversarial.apart import check_apart

    # All splits in one reading: it tells whose patients the audited images are.
    reading = replace(data_options, labels=None, split=None, every_split=True)
    given = read_data(flags["calibration_data"], reading)
    part = _part(given)
    check_apart(part, given, understood.cases, "calibrated on")
    _check_labels(part, understood.classifier)
    return {NAME: fitted(understood.classifier, part)}


def _part(given: Cases) -> Cases:
    """The images of a declared calibration or validation split, or all where none is declared."""
    from audit.cases.subset import subset

    splits = {case.attributes.get("split", "") for case in given} - {""}
    if not splits:
        return given
    for name in SPLITS:
        chosen = [case for case in given if case.attributes.get("split", "").lower() == name]
        if chosen:
            return subset(given, chosen)
    shown = ", ".join(f'"{name}"' for name in sorted(splits))
    raise HipauditError("a val or calibration split in --calibration-data", f"only {shown}")


def _check_labels(part: Cases, classifier: Classifier) -> None:
    unknown = sorted({case.label for case in part} - {*classifier.classes})
    if unknown:
        raise HipauditError(
            f"calibration images labelled {', '.join(classifier.classes)}",
            ", ".join(f'"{name}"' for name in unknown),
            "Use the names of the model's classes.",
        )
