"""Section 11: what this run counted of each failure mode, the worst of each. Computed only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from audit.results import Finding, ProbeReport
from reports.calibration import told as calibrated
from reports.language import _, decimal
from reports.material import EVERYONE, Material, epsilon
from reports.numbers import difference, full, group_name, listed, metric_name, setting
from reports.referral import HEADLINE, at, bound
from reports.shortcuts import TOGETHER, attribute_name, names, one, report_of


@dataclass(frozen=True)
class Observation:
    """`rate`: the number with interval and counts; `where`: under what it was counted."""

    rate: str
    where: str = ""


def observations(material: Material) -> dict[str, Observation]:
    """Failure mode -> what was counted, for the modes that this run can speak of."""
    found = {mode: look(material) for mode, look in LOOKS.items()}
    return {mode: seen for mode, seen in found.items() if seen is not None}


def missed(material: Material, group: Mapping[str, str] = EVERYONE) -> Finding | None:
    """The share of positive cases that were missed, without stress."""
    return complement(material.clean("sensitivity", group))


def complement(f: Finding | None) -> Finding | None:
    """What is left of a rate: of 46 found in 61, 15 missed, with the limits turned round."""
    if f is None or f.value is None or f.events is None:
        return None
    left = {
        "value": 1 - f.value,
        "events": f.n - f.events,
        "low": None if f.high is None else 1 - f.high,
        "high": None if f.low is None else 1 - f.low,
    }
    return f.model_copy(update=left)


def _missed_positive(material: Material) -> Observation | None:
    return _told(missed(material))


def _false_alarm(material: Material) -> Observation | None:
    return _told(complement(material.clean("specificity")))


def _missed_in_group(material: Material) -> Observation | None:
    overall = material.clean("sensitivity")
    known = [f for g in material.groups() if (f := material.clean("sensitivity", g)) is not None]
    known = [f for f in known if f.value is not None]
    worst = min(known, key=_value, default=None)
    if worst is None or overall is None or _value(worst) >= _value(overall):
        return None
    where = _("{group}; the worst of {n} groups").format(
        group=group_name(worst.group), n=len(known)
    )
    return _told(complement(worst), where)


def _weak_slice(material: Material) -> Observation | None:
    found = material.results.find("weak_slice", stress="clean", defence="none")
    worst = min((f for f in found if f.value is not None), key=_value, default=None)
    if worst is None:
        return None
    where = _("{metric} of {group} against all other cases; the worst of a search").format(
        metric=metric_name(str(worst.params.get("of"))), group=group_name(worst.group)
    )
    return Observation(difference(worst), where)


def _natural_change(material: Material) -> Observation | None:
    for metric in ("sensitivity", "robust_sensitivity"):
        worst = min(_under(material, metric, "corruption"), key=_value, default=None)
        if worst is not None:
            return _told(complement(worst), setting(worst))
    return None


def _attack(material: Material) -> Observation | None:
    """The largest success; among equals the one of the smallest change."""
    found = _under(material, "attack_success", "attack")
    worst = max(found, key=lambda f: (_value(f), -epsilon(f)), default=None)
    return _told(worst, setting(worst)) if worst else None


def _confident_miss(material: Material) -> Observation | None:
    found = at(material, "missed_above", HEADLINE)
    if found is None or found.value is None:
        return None
    where = _("of those above {cutoff}, one-sided 95%").format(cutoff=decimal(f"{HEADLINE:.1%}"))
    return Observation(bound(found), where)


def _unseen_error(material: Material) -> Observation | None:
    found = material.results.find("unseen_error_rate", stress="clean", defence="none", group={})
    return _told(found[0]) if found else None


def _uncalibrated(material: Material) -> Observation | None:
    ece, slope = material.clean("ece"), material.clean("calibration_slope")
    if ece is None or ece.value is None:
        return None
    where = _("expected calibration error; slope {slope}").format(slope=calibrated(slope))
    return Observation(calibrated(ece), where)


def _shortcut(material: Material) -> Observation | None:
    report = report_of(material)
    attributes = names(report) if report else []
    if report is None or not attributes:
        return None
    attribute = TOGETHER if len(attributes) > 1 else attributes[0]
    change = one(report, "matched_auroc", "matched=no", attribute=attribute)
    if change is None or change.value is None:
        return None
    matched = listed([attribute_name(name) for name in attributes])
    where = _("change of AUROC when matched on {names}").format(names=matched)
    return Observation(difference(change), where)


def _misleading_map(material: Material) -> Observation | None:
    found = _of(material, "explanations", "pointing_game")
    maps = [f for f in found if f.params.get("method") != "centre of the image"]
    if maps:
        return _told(complement(maps[0]), str(maps[0].params.get("method", "")))
    alike = _of(material, "explanations", "map_similarity_randomised")
    return _told(alike[0], metric_name(alike[0].metric)) if alike else None


def _poor_image(material: Material) -> Observation | None:
    found = _of(material, "quality", "accuracy_poor")
    where = _("decided wrongly, of the pictures beyond the limits of quality")
    return _told(complement(found[0]), where) if found else None


def _leakage(material: Material) -> Observation | None:
    metrics = ("shared_patients", "shared_images", "near_duplicates")
    found = [f for metric in metrics for f in _of(material, "leakage", metric)]
    across = [f for f in found if f.params.get("where", "across") == "across"]
    worst = max(across, key=_value, default=None)
    return _told(worst, metric_name(worst.metric)) if worst else None


def _label_error(material: Material) -> Observation | None:
    found = _of(material, "label_errors", "label_errors_suspected")
    return _told(found[0], _("labels worth reading again; no verdict")) if found else None


LOOKS: dict[str, Callable[[Material], Observation | None]] = {
    "missed_positive": _missed_positive,
    "false_alarm": _false_alarm,
    "missed_in_group": _missed_in_group,
    "weak_slice": _weak_slice,
    "natural_change": _natural_change,
    "attack": _attack,
    "confident_miss": _confident_miss,
    "unseen_error": _unseen_error,
    "uncalibrated": _uncalibrated,
    "shortcut": _shortcut,
    "misleading_map": _misleading_map,
    "poor_image": _poor_image,
    "leakage": _leakage,
    "label_error": _label_error,
}


def _told(f: Finding | None, where: str = "") -> Observation | None:
    return Observation(full(f), where) if f is not None and f.value is not None else None


def _value(f: Finding) -> float:
    return f.value if f.value is not None else 0.0


def _under(material: Material, metric: str, kind: str) -> Iterable[Finding]:
    """Findings with a value of everyone under that kind of stress, without defence."""
    return (
        f
        for f in material.stressed(metric)
        if f.defence == "none" and f.value is not None and material.kind_of(f.stress) == kind
    )


def _of(material: Material, probe: str, metric: str) -> list[Finding]:
    """A probe's findings of a metric that have a value."""
    reports: Iterable[ProbeReport] = material.results.probes
    done = (r for r in reports if r.probe == probe and r.state == "done")
    return [f for r in done for f in r.findings if f.metric == metric and f.value is not None]
