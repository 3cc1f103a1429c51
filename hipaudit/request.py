"""From flags and the rule file's [data] table to the options of intake and audit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.gate.rules import DataSettings
from hipaudit.settings import as_params, as_words
from hipaudit.surrogates import asked

if TYPE_CHECKING:
    from audit.cases.options import DataOptions
    from audit.checkpoints.options import ModelOptions
    from audit.options import AuditOptions
    from hipaudit.papers import Papers

Flags = Mapping[str, Any]


def settings_of(papers: Papers) -> DataSettings:
    return papers.rules.data if papers.rules else DataSettings()


def model_options(flags: Flags, settings: DataSettings) -> ModelOptions:
    """A flag goes before the rule file."""
    from audit.checkpoints.options import ModelOptions

    return ModelOptions(
        arch=flags["arch"],
        classes=flags["classes"] or settings.classes,
        positive_class=flags["positive_class"] or settings.positive_class,
        sidecar=flags["preprocess"],
        threshold=flags["threshold"],
        trust_code=flags["trust_code"],
        sha256=flags["sha256"],
        device=flags["device"],
    )


def data_options(flags: Flags, settings: DataSettings) -> DataOptions:
    """A flag goes before the rule file; what neither names keeps the reader's default."""
    from audit.cases.options import DataOptions

    wanted = {
        "labels": flags["labels"],
        "split": flags["split"],
        "positive_class": flags["positive_class"] or settings.positive_class,
        "cluster_by": flags["cluster_by"] or settings.cluster_by,
        "max_skipped": flags["max_skipped"],
        "workers": flags["workers"],
    }
    return DataOptions(**{name: value for name, value in wanted.items() if value is not None})


def audit_options(flags: Flags, settings: DataSettings, papers: Papers) -> AuditOptions:
    from audit.options import AuditOptions

    return AuditOptions(
        preset=flags["preset"],
        stresses=flags["stresses"] or None,
        skip=flags["skip"],
        params=as_params(flags["params"]),
        epsilons=flags["eps"],
        defences=flags["defences"] or None,
        subgroups=flags["subgroups"] or settings.subgroups,
        prevalences=_shares(flags["prevalences"], settings.prevalences),
        max_samples=flags["max_samples"],
        max_time=flags["max_time"],
        seed=flags["seed"],
        batch_size=flags["batch_size"],
        search=flags["search"],
        resume=flags["resume"],
        overwrite=flags["overwrite"],
        images=not flags["no_images"],
        device=flags["device"],
        command=command_line(flags),
        gate_file=papers.gate_file,
    )


def _shares(asked: Any, usual: tuple[float, ...] | None) -> tuple[float, ...]:
    """A flag goes before the rule file; () where neither says."""
    from hipaudit.shares import read_shares

    wanted = usual if asked is None else asked
    return () if wanted is None else read_shares(wanted)


# Flags that change the numbers, in the order they are printed.
REPEATED = {
    "arch": "--arch",
    "classes": "--classes",
    "positive_class": "--positive-class",
    "threshold": "--threshold",
    "split": "--split",
    "cluster_by": "--cluster-by",
    "max_skipped": "--max-skipped",
    "preset": "--preset",
    "stresses": "--stress",
    "skip": "--skip",
    "eps": "--eps",
    "defences": "--defence",
    "subgroups": "--subgroup",
    "prevalences": "--prevalence",
    "max_samples": "--max-samples",
    "max_time": "--max-time",
    "adversarial_method": "--adversarial-method",
    "adversarial_eps": "--adversarial-eps",
    "adversarial_epochs": "--adversarial-epochs",
    "adversarial_lr": "--adversarial-lr",
    "seed": "--seed",
    "batch_size": "--batch-size",
    "search": "--search",
    "device": "--device",
}
REPEATABLE = ("stresses", "skip", "defences", "subgroups")


def command_line(flags: Flags) -> str:
    """The command to type again, without paths: MODEL and DATA stand for the files.

    A path may name a person; what is in the files is known by its hashes.
    """
    import shlex

    words = ["hipaudit", "run", "MODEL", "--data", "DATA"]
    for name, flag in REPEATED.items():
        value = flags.get(name)
        if value is None or value == ():
            continue
        each = value if name in REPEATABLE else [value]
        if name == "prevalences":
            each = [",".join(f"{share:g}" for share in _shares(value, None))]
        for one in each:
            words += [flag, shlex.quote(_text(one))]
    files = {
        "preprocess": "--preprocess FILE",
        "labels": "--labels FILE",
        "train_data": "--train-data TRAIN",
        "calibration_data": "--calibration-data CALIBRATION",
    }
    words += [text for name, text in files.items() if flags.get(name)]
    for setting in as_words(flags.get("params", ())):
        words += ["--set", shlex.quote(setting)]
    return " ".join([*words, *("--surrogate OTHER" for _ in asked(flags))])


def _text(value: Any) -> str:
    from audit.results import as_levels

    if isinstance(value, tuple):
        return ",".join(as_levels(v) if isinstance(v, float) else str(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def defaults() -> dict[str, Any]:
    """Every flag of `run` as it stands when nobody sets it, for the Python API."""
    empty = ("stresses", "skip", "defences", "subgroups", "surrogates", "params")
    nothing = (
        *("arch", "classes", "positive_class", "preprocess", "threshold", "trust_code", "sha256"),
        *("labels", "split", "cluster_by", "max_skipped", "eps", "max_samples", "max_time"),
        *("train_data", "adversarial_method", "adversarial_eps", "adversarial_epochs"),
        *("adversarial_lr", "calibration_data"),
        "prevalences",
    )
    return {
        **dict.fromkeys(nothing),
        **dict.fromkeys(empty, ()),
        "preset": "standard",
        "seed": 0,
        "batch_size": None,
        "search": "fused",
        "device": "cpu",
        "workers": 1,
        "resume": True,
        "overwrite": False,
        "no_images": False,
        "language": "en",
        "suppress": None,
        "variant": "pdf/ua-1",
    }


def as_path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)
