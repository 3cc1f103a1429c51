"""What a user sets of a stress, defence or probe: checked before any work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.classifier import Classifier
from audit.defences.registry import get_defence, load_defences, under_defence
from audit.errors import HipauditError, did_you_mean
from audit.options import AuditOptions
from audit.presets import get_preset
from audit.probes.registry import SETTINGS, load_probes
from audit.stresses.registry import get_stress, load_stresses


def check_settings(options: AuditOptions) -> None:
    """HipauditError for a setting of nothing, of what it does not have, or of what is not run.

    Values are checked by the stress or defence itself; a probe checks its own when it runs.
    """
    stresses, defences, probes = load_stresses(), load_defences(), load_probes()
    used = _used(options)
    for name, params in options.params.items():
        if name in probes:
            _check_probe(name, params)
            continue
        if name not in stresses and name not in defences:
            hint = did_you_mean(name, [*stresses, *defences, *probes])
            raise HipauditError("the name of a stress, defence or probe to set", f'"{name}"', hint)
        (get_stress(name) if name in stresses else get_defence(name)).check(params)
        if name not in used:
            flag = "--stress" if name in stresses else "--defence"
            raise HipauditError(
                f"a setting of what is run ({name})", "that it is not", f"Add {flag} {name}."
            )


def _check_probe(name: str, params: Mapping[str, Any]) -> None:
    known = SETTINGS[name]
    for parameter in params:
        if parameter not in known:
            hint = did_you_mean(parameter, list(known)) or f"{name} has nothing to set."
            raise HipauditError(f"a parameter of {name}", f'"{parameter}"', hint)


def set_defences(classifier: Classifier, options: AuditOptions) -> dict[str, Classifier]:
    """The classifier under each defence that something is set of, by the defence's name.

    Raises HipauditError for a value that the defence refuses.
    """
    defences = load_defences()
    return {
        name: under_defence(classifier, name, {}, params)
        for name, params in options.params.items()
        if name in defences
    }


def _used(options: AuditOptions) -> set[str]:
    """Names of the stresses and defences that the audit will run."""
    entries = get_preset(options.preset)
    stresses = {entry.stress for entry in entries} if options.stresses is None else options.stresses
    defences = (
        {entry.defence for entry in entries} if options.defences is None else options.defences
    )
    return {*stresses, *defences} - {*options.skip, "none"}
