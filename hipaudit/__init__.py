"""An executable medical algorithmic audit: from a checkpoint and labelled radiographs to evidence.

Public names are imported from here; each is loaded when it is first used, so that
`import hipaudit` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.cases.case import Case as Case
    from audit.cases.case import Cases as Cases
    from audit.cases.options import DataOptions as DataOptions
    from audit.cases.read import from_arrays as from_arrays
    from audit.cases.read import read_cases as read_cases
    from audit.checkpoints.load import from_module as from_module
    from audit.checkpoints.load import load_classifier as load_classifier
    from audit.checkpoints.options import ModelOptions as ModelOptions
    from audit.classifier import Classifier as Classifier
    from audit.defences.registry import defence as defence
    from audit.errors import HipauditError as HipauditError
    from audit.gate.judge import judge as judge
    from audit.gate.rule_file import load_rules as load_rules
    from audit.gate.verdict import Verdict as Verdict
    from audit.probes.registry import probe as probe
    from audit.results import Finding as Finding
    from audit.results import Results as Results
    from audit.results import read_results as read_results
    from audit.stresses.registry import stress as stress
    from hipaudit.api import run as run

_HOME = {
    "Case": "audit.cases.case",
    "Cases": "audit.cases.case",
    "Classifier": "audit.classifier",
    "DataOptions": "audit.cases.options",
    "Finding": "audit.results",
    "HipauditError": "audit.errors",
    "ModelOptions": "audit.checkpoints.options",
    "Results": "audit.results",
    "Verdict": "audit.gate.verdict",
    "defence": "audit.defences.registry",
    "from_arrays": "audit.cases.read",
    "from_module": "audit.checkpoints.load",
    "judge": "audit.gate.judge",
    "load_classifier": "audit.checkpoints.load",
    "load_rules": "audit.gate.rule_file",
    "probe": "audit.probes.registry",
    "read_cases": "audit.cases.read",
    "read_results": "audit.results",
    "run": "hipaudit.api",
    "stress": "audit.stresses.registry",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hipaudit' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
