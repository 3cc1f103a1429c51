"""Fields of section 7: what was altered, and whether the same image gets the same answer."""

from __future__ import annotations

from audit.results import Results
from reports.language import _, decimal, recorded
from reports.masking import masking_report
from reports.material import Material
from reports.numbers import listed, stress_name, under_defence
from reports.values.adversarial import rule_of
from reports.values.registry import Value, value

# What audit/preflight.py does with every model before the first unit; a fault is a note.
PASSES = 3
IMAGES = 16
AGAIN = 1e-5
COMPANY = 1e-3
RANDOM = "random-model"
BATCHED = "batch-dependent"
ANSWERS_DIFFER = "masking-random"


@value("natural.examined")
def natural(material: Material) -> Value:
    """The corruptions by the number of images they saw."""
    plan = material.results.plan.runs
    runs = [r for r in plan if r.kind == "corruption" and r.state == "done"]
    lines = []
    for defence, sample, of in dict.fromkeys((r.defence, r.sample, r.of) for r in runs):
        same = [r for r in runs if (r.defence, r.sample, r.of) == (defence, sample, of)]
        names = listed(list(dict.fromkeys(stress_name(r.stress) for r in same)))
        under = "" if defence == "none" else f" {under_defence(defence)}"
        words = _("{names}{under}: {n} of {of} images ({rule}).")
        rule = rule_of(same[0])
        lines.append(words.format(names=names, under=under, n=sample, of=of, rule=rule))
    return lines or None


@value("natural.repeatability")
def repeatability(material: Material) -> Value:
    """What was repeated in this run, with its result, and what was not."""
    results = material.results
    return [
        *_before(results),
        *_after(results),
        _search(results),
        _(
            "Every draw comes from the recorded seed ({seed}), so that the run can be repeated; "
            "whether a second run gives the same file was not checked in this run."
        ).format(seed=results.plan.seed),
        _(
            "Not covered: the same patient imaged again, another device, operator or day (no "
            "re-acquisition), another machine or version of the libraries."
        ),
    ]


def _before(results: Results) -> list[str]:
    """The passes before the first unit; both texts are faults when they failed."""
    noted = {note.code: note for note in results.notes}
    images = min(IMAGES, results.data.cases)
    if RANDOM in noted:
        return [_("Not repeatable. {fault}").format(fault=recorded(noted[RANDOM].text))]
    said = _(
        "{n} images went through {passes} times before the audit: their logits agreed to within "
        "{part} of the largest."
    ).format(n=images, passes=PASSES, part=decimal(f"{AGAIN:.5f}"))
    if BATCHED in noted:
        fault = recorded(noted[BATCHED].text)
        return [said, _("But not when sent through two by two. {fault}").format(fault=fault)]
    beside = _("Sent through two by two instead of together, they agreed to within {part}.")
    return [said, beside.format(part=decimal(f"{COMPANY:.3f}"))]


def _after(results: Results) -> list[str]:
    """The second look of the probe of masked gradients, per defence."""
    report = masking_report(results)
    if report is None or "compared" not in report.details:
        return []
    tried = [d for d in report.details["compared"] if d not in report.details.get("not_tried", {})]
    differ = {
        str(f["defence"]): f"{f['count']}/{f['of']}"
        for f in report.details.get("flags", [])
        if f.get("code") == ANSWERS_DIFFER
    }
    lines = [
        _("The same images twice got other answers {under}: {counts}.").format(
            under=under_defence(name), counts=counts
        )
        for name, counts in differ.items()
    ]
    same = [under_defence(name) for name in tried if name not in differ]
    if same:
        words = _("After the attacks the same images twice got the same logits {under}.")
        lines.append(words.format(under=listed(same)))
    return lines


def _search(results: Results) -> str:
    known = results.provenance
    if known.search == "exact":
        return _("Attacks searched with the audited network itself.")
    part = f"{known.search_drift:.12f}".rstrip("0").rstrip(".")
    return _(
        "Attacks searched with a faster form of the network ({form}), whose logits differed by "
        "at most {drift} of the largest; every success was judged by the untouched network."
    ).format(form=recorded(known.search), drift=decimal(part))
