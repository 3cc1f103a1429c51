"""Fields of section 8: who attacks, with what, how it was counted, and whether it was blind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.results import PlannedRun, ProbeReport, Results
from reports.language import _, recorded, spoken
from reports.masking import masking_report
from reports.masking_signs import CHECKS
from reports.material import Material
from reports.numbers import level, listed, origin, sentence, stress_name, under_defence
from reports.values.registry import Value, value


@value("adversarial.threat")
def threat(material: Material) -> Value:
    runs = _done(material.results)
    if not runs:
        return None
    knows = (
        _("knows the weights, the preparation and the threshold")
        if material.results.model.gradients
        else _("sees the scores and nothing of the weights")
    )
    return [
        _(
            "An adversary who {knows} and wants an image decided wrongly, whichever way. Attacks "
            "that use less (scores only, or another model) are part of it."
        ).format(knows=knows),
        _("What may be altered in the prepared image: {ways}.").format(ways=_ways(runs)),
        _(
            "Not part of it: altered training data, altered files before preparation, theft of "
            "the model, and attacks on storage, network or acquisition."
        ),
    ]


def _done(results: Results) -> list[PlannedRun]:
    return [r for r in results.plan.runs if r.kind == "attack" and r.state == "done"]


def _ways(runs: Sequence[PlannedRun]) -> str:
    """Each kind of alteration with its largest size."""
    radii = [e for r in runs if r.norm == "linf" for e in _numbers(r.params, "epsilons")]
    radii += [e for r in runs for e in _numbers(r.params, "max_epsilon")]
    pixels = [n for r in runs if r.norm == "l0" for n in _numbers(r.params, "pixels") or [1]]
    angles = [a for r in runs for a in _numbers(r.params, "max_angle")]
    shifts = [s for r in runs for s in _numbers(r.params, "max_shift")]
    words = []
    if radii:
        most = level(round(255 * max(radii), 2))
        words.append(_("every pixel by up to {most} of 255 grey levels").format(most=most))
    if pixels:
        most, many = level(max(pixels)), _("up to {most} pixels by any amount")
        words.append((many if max(pixels) > 1 else _("one pixel by any amount")).format(most=most))
    if angles or shifts:
        words.append(
            _("position, turned by up to {angle}° and shifted by up to {shift}%").format(
                angle=level(max(angles, default=0)), shift=level(100 * max(shifts, default=0))
            )
        )
    known = {"linf", "l0"}
    words += sorted({r.norm for r in runs if r.norm and r.norm not in known})
    return listed(words) or _("not recorded")


def _numbers(params: Mapping[str, object], name: str) -> list[float]:
    given = params.get(name)
    several = given if isinstance(given, list | tuple) else [given]
    return [float(one) for one in several if isinstance(one, int | float)]


@value("adversarial.attacks")
def attacks(material: Material) -> Value:
    """A line per defence: each attack with the images it saw."""
    runs = _done(material.results)
    lines = []
    for defence in dict.fromkeys(run.defence for run in runs):
        same = [run for run in runs if run.defence == defence]
        told = "; ".join(_told(run) for run in same)
        lines.append(f"{sentence(under_defence(defence))}: {told}.")
    rules = dict.fromkeys(rule_of(run) for run in runs if run.sample < run.of)
    if rules:
        lines.append(_("Samples: {rules}.").format(rules="; ".join(rules)))
    return lines or None


def _told(run: PlannedRun) -> str:
    name = ", ".join([stress_name(run.stress), *origin(run.surrogate)])
    return f"{name} {run.sample}/{run.of}"


def rule_of(run: PlannedRun) -> str:
    """How a sample was drawn, without its size."""
    _size, comma, rule = run.rule.partition(" cases, ")
    return recorded(rule if comma else run.rule)


@value("adversarial.rule")
def counting(_material: Material) -> Value:
    return _(
        "Robust accuracy counts an image when it was decided correctly both without the attack "
        "and under it, over all images of the sample. Attack success counts images that were "
        "decided correctly and then wrongly, over those decided correctly. A success counts only "
        "after it was verified again on the untouched model."
    )


@value("adversarial.masking")
def masking(material: Material) -> Value:
    """The signs in the words of the probe; else that there was none."""
    report = masking_report(material.results)
    if report is None:
        return None
    warnings = [note.text for note in report.notes if note.level == "warning"]
    if warnings and spoken() != "en" and any(recorded(text) == text for text in warnings):
        return _signs(report)  # names of attacks stand in them: no catalogue can hold them all
    return [recorded(text) for text in warnings] or [
        _("No sign found under {n} settings; that is no proof that there are none.").format(
            n=len(report.details.get("compared", {}))
        )
    ]


def _signs(report: ProbeReport) -> list[str]:
    """The signs in words of our own, and what was not looked at."""
    may = _("Robust accuracy {under} may be an artefact of masked gradients: {sign} ({counts}).")
    lines = [
        (may if flag.get("artefact") else _("{sign} {under} ({counts}).")).format(
            under=under_defence(str(flag["defence"])),
            sign=_(CHECKS.get(str(flag["code"]), str(flag["code"]))),
            counts=f"{flag['count']}/{flag['of']}",
        )
        for flag in report.details.get("flags", [])
    ]
    left_out = _("Not looked at for masked gradients {under}: {reason}.")
    return lines + [
        left_out.format(under=under_defence(name), reason=recorded(str(reason)))
        for name, reason in report.details.get("not_tried", {}).items()
    ]
