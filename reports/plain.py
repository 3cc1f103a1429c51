"""The findings in sentences without jargon, for patients and for who reads nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from audit.results import Finding
from reports.language import _, decimal, ngettext
from reports.material import Material
from reports.numbers import group_name
from reports.suppression import mark

CONFIDENT = 0.995


def in_plain_language(material: Material) -> list[str]:
    """Paragraphs: what was looked at, what was found and missed, what changes it, what is open."""
    told = [
        _opening(material),
        " ".join(_alone(material)),
        " ".join(_groups(material)),
        " ".join(_changed(material)),
        " ".join(_sure(material)),
        _(
            "This was one set of pictures on one day. It does not say how the model will do in "
            "another hospital, or whether to use it. People decide that, and a doctor stays "
            "responsible for what is done with a picture."
        ),
    ]
    return [paragraph for paragraph in told if paragraph]


def _opening(material: Material) -> str:
    data = material.results.data
    n = [run.sample for run in material.results.plan.runs if run.kind == "clean"]
    shown = min(n[0], data.cases) if n else data.cases
    words = ngettext(
        "A computer model was shown {n} X-ray picture from {data} and said for each what it saw.",
        "A computer model was shown {n} X-ray pictures from {data} and said for each what it saw.",
        shown,
    ).format(n=shown, data=data.name)
    if data.synthetic:
        made = _("The pictures were made by a computer; no patient was involved.")
        return f"{words} {made}"
    return words


def _alone(material: Material) -> Iterator[str]:
    """What it found and missed, without anything done to the pictures."""
    positive = material.results.model.positive_class
    ill, well = material.clean("sensitivity"), material.clean("specificity")
    if _told(ill):
        yield _("Of {n} pictures labelled “{label}” it found {k} and missed {missed}.").format(
            n=ill.n, label=positive, k=ill.events, missed=ill.n - (ill.events or 0)
        )
        yield _likely(ill)
    else:
        yield _too_few(material, positive)
    if _told(well):
        wrong = well.n - (well.events or 0)
        words = ngettext(
            "Of the {n} other pictures it wrongly called {wrong} “{label}”: a false alarm.",
            "Of the {n} other pictures it wrongly called {wrong} “{label}”: false alarms.",
            wrong,
        )
        yield words.format(n=well.n, label=positive, wrong=wrong)


def _told(finding: Finding | None) -> TypeGuard[Finding]:
    return finding is not None and finding.value is not None and finding.events is not None


def _likely(finding: Finding) -> str:
    if finding.low is None or finding.high is None:
        return ""
    words = _(
        "On many more pictures like these it would find between {low} and {high} of every 100, as "
        "far as this number of pictures can tell."
    )
    return words.format(low=f"{100 * finding.low:.0f}", high=f"{100 * finding.high:.0f}")


def _too_few(material: Material, positive: str) -> str:
    if mark.suppressed_below(material.results):
        return _("How many pictures labelled “{label}” it found is left out here.").format(
            label=positive
        )
    return _("There were too few pictures labelled “{label}” to say how many it finds.").format(
        label=positive
    )


def _groups(material: Material) -> Iterator[str]:
    """The group in which the largest share is missed, beside everyone."""
    whole = material.clean("sensitivity")
    found = [material.clean("sensitivity", group) for group in material.groups()]
    known = [f for f in found if _told(f)]
    if not known or whole is None or whole.value is None:
        return
    worst = min(known, key=lambda f: f.value or 0.0)
    if (worst.value or 0.0) >= whole.value:
        return
    yield _("It did not do equally well in every group: in “{group}” it found {k} of {n}.").format(
        group=group_name(worst.group), k=worst.events, n=worst.n
    )
    if worst.imprecise:
        yield _("That is a small number of pictures, so chance may explain the difference.")


def _changed(material: Material) -> Iterator[str]:
    """The worst of natural changes, and the worst of changes made on purpose."""
    whole = material.clean("sensitivity")
    natural = _under(material, "sensitivity", "corruption")  # as in the table of failure modes
    natural = natural or _under(material, "robust_sensitivity", "corruption")
    attacks = _under(material, "robust_sensitivity", "attack")
    if natural:
        worst = min(natural, key=lambda f: f.value or 0.0)
        yield _(
            "Then the pictures were made worse in ways that happen in practice, such as noise, "
            "blur or a turned picture. In the worst of them it still found {k} of {n}."
        ).format(k=worst.events, n=worst.n)
    if attacks:
        worst = min(attacks, key=lambda f: f.value or 0.0)
        yield _(
            "Somebody who means harm can also change a picture by so little that people hardly see "
            "it. In the worst such test it still found {k} of {n}."
        ).format(k=worst.events, n=worst.n)
    if (natural or attacks) and _told(whole):
        fewer = any(f.n < whole.n for f in (*natural, *attacks))
        words = (
            _("Without any change it was {k} of {n}; fewer pictures were tried with a change.")
            if fewer
            else _("Without any change it was {k} of {n}.")
        )
        yield words.format(k=whole.events, n=whole.n)


def _under(material: Material, metric: str, kind: str) -> list[Finding]:
    told = (f for f in material.stressed(metric) if _told(f) and _ours(f))
    return [f for f in told if material.kind_of(f.stress) == kind]


def _ours(finding: Finding) -> bool:
    """The model as it is, and pictures made for it; each picture at its worst or at one level."""
    made_here = "surrogate" not in finding.params
    return finding.defence == "none" and made_here and finding.variant != "average"


def _sure(material: Material) -> Iterator[str]:
    """Errors made with great confidence."""
    found = material.results.find(
        "unseen_error_above", stress="clean", defence="none", group={}, contrast=None
    )
    at = next((f for f in found if f.params.get("cutoff") == CONFIDENT and _told(f)), None)
    if at is None:
        return
    wrong = at.events or 0
    percent = decimal(f"{100 * CONFIDENT:.1f}%")
    if wrong:
        words = ngettext(
            "It was wrong and yet more than {percent} sure in {n} picture: sure is not right.",
            "It was wrong and yet more than {percent} sure in {n} pictures: sure is not right.",
            wrong,
        )
        yield words.format(percent=percent, n=wrong)
    else:
        yield _(
            "In none of these pictures was it wrong while more than {percent} sure. That does not "
            "mean that it never will be."
        ).format(percent=percent)
