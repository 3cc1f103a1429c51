"""What `hipaudit run` does about --train-data: defences made from it, and the cases themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.errors import HipauditError
from hipaudit.workflow import HARDENED, read_data

if TYPE_CHECKING:
    from audit.cases.case import Cases
    from audit.cases.options import DataOptions
    from audit.classifier import Classifier
    from audit.options import AuditOptions
    from hipaudit.workflow import Understood
    from trainers.adversarial.defend import Hardening
    from trainers.progress import Progress

QUALITY = "quality-filter"
# The fields of Adversarial and Hardening behind each flag.
SETTINGS = {"adversarial_method": "method", "adversarial_eps": "epsilon"}
REST = {"adversarial_epochs": "epochs", "adversarial_lr": "lr"}


def trained(flags: Mapping[str, Any]) -> tuple[str, ...]:
    """Defences that will have been trained when the audit starts.

    Raises HipauditError, before any work, for flags that do not go together or lead nowhere.
    """
    given, wanted = flags["train_data"], HARDENED in flags["defences"]
    if given is None or not wanted:
        set_to = [name for name in (*SETTINGS, *REST) if flags[name] is not None]
        if set_to:
            flag = f"--{set_to[0].replace('_', '-')}"
            what, fix = (HARDENED, "--defence") if given else ("PATH", "--train-data")
            raise HipauditError(f"{fix} with {flag}", "none", f"Add {fix} {what}.")
    if given is None:
        return ()
    _one(flags["adversarial_eps"])
    if isinstance(given, str | Path) and not Path(given).exists():
        raise HipauditError(
            "a folder or table of the radiographs that were trained on",
            f'nothing at "{given}"',
            "Check the path after --train-data.",
        )
    return (HARDENED,) if wanted else ()


def given_to_train(
    flags: Mapping[str, Any],
    data_options: DataOptions,
    reading: Callable[[int, int], None] | None = None,
) -> Cases | None:
    """Everything at --train-data, None without it.

    All splits in one reading: it tells whose patients the audited images are.
    """
    if flags["train_data"] is None:
        return None
    every = replace(data_options, labels=None, split=None, every_split=True)
    return read_data(flags["train_data"], every, reading)


def trained_on(given: Cases | None) -> Cases | None:
    """The declared train split of what was given, or all of it."""
    if given is None:
        return None
    from trainers.adversarial.apart import training_part

    return training_part(given)


def hardened(
    understood: Understood,
    flags: Mapping[str, Any],
    given: Cases | None,
    options: AuditOptions,
    folder: Path,
    progress: Progress | None = None,
) -> dict[str, Classifier]:
    """The trained defence by name, and the quality filter with limits of the training images.

    Empty where neither was asked for. Raises HipauditError where `given` is also audited.
    """
    wanted = trained(flags)
    if given is None:
        return {}
    from trainers.adversarial.apart import training_part
    from trainers.adversarial.defend import defend, place_of

    classifier = understood.classifier
    made: dict[str, Classifier] = {}
    if QUALITY in flags["defences"]:
        made[QUALITY] = _filter(understood, given)
    if not wanted:
        return made
    asked = _asked(flags, options)
    place = place_of(classifier, training_part(given), folder, asked)
    if (folder / "started.json").exists() and not (place.exists() or options.overwrite):
        raise HipauditError(
            "an empty output folder or the same audit to resume",
            f"another audit in {folder.name}",
            "Add --overwrite, or choose another --out.",
        )
    return {**made, HARDENED: defend(classifier, given, understood.cases, folder, asked, progress)}


def _filter(understood: Understood, given: Cases) -> Classifier:
    """The quality filter whose limits the training images set."""
    from audit.defences.quality_filter import quality_filter
    from audit.quality.limits import limits_from
    from trainers.adversarial.apart import check_apart, training_part

    train = training_part(given)
    check_apart(train, given, understood.cases)
    classifier = understood.classifier
    return quality_filter(classifier, limits=limits_from(train, classifier.preparation))


def _asked(flags: Mapping[str, Any], options: AuditOptions) -> Hardening:
    from trainers.adversarial.defend import Hardening
    from trainers.adversarial.settings import make_adversarial

    chosen = {field: _one(flags[name]) for name, field in SETTINGS.items() if flags[name]}
    rest = {field: flags[name] for name, field in REST.items() if flags[name] is not None}
    return Hardening(make_adversarial(chosen), seed=options.seed, resume=options.resume, **rest)


def _one(value: Any) -> Any:
    """The one radius of --adversarial-eps."""
    if not isinstance(value, tuple):
        return value
    if len(value) != 1:
        raise HipauditError("one --adversarial-eps", f"{len(value)}", "Type one, such as 4/255.")
    return value[0]
