"""The last chapter: how it was compared, what it cannot say, and which files stand behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reports.blocks import Block, Items, Table, Text
from reports.comparison.material import ComparisonMaterial
from reports.language import N_, _
from reports.p_values import p_text

FAMILIES = {
    "everyone, without stress": N_("everyone, without stress"),
    "everyone, under stress": N_("everyone, under stress"),
    "by group, without stress": N_("by group, without stress"),
    "by group, under stress": N_("by group, under stress"),
}


def limits(material: ComparisonMaterial) -> Sequence[Block]:
    """What follows from the data, computed; never a recommendation."""
    pairs = material.found.pairs
    found = [
        _("One data set on one date: other hospitals, devices and years were not seen."),
        _("No difference found is not the same as no difference; see what could have been shown."),
    ]
    if material.synthetic:
        found.insert(0, _("The images are synthetic: nothing here was observed in a patient."))
    if material.independent:
        found.append(
            _("Images treated as independent: patients are not identified, or not for all images.")
        )
    if pairs.only_base or pairs.only_new:
        words = _("{base} cases of Base and {new} of New have no counterpart and say nothing here.")
        found.append(words.format(base=pairs.only_base, new=pairs.only_new))
    if material.found.base.seed != material.found.new.seed:
        found.append(_("The audits drew samples and random starts with different seeds."))
    return [Items(found, _("Limits"))]


def methods(material: ComparisonMaterial) -> Sequence[Block]:
    """How it was done, a paragraph per question."""
    found = material.found
    tests = Counter(d.family for d in found.differences if d.family)
    paragraphs: list[Block] = [
        Text(
            _(
                "By the hash of a case's pixels. A level of a stress is compared where both "
                "audits have it with the same parameters, on the cases that both sampled; "
                "everything is New − Base."
            ),
            _("How cases were paired."),
        ),
        Text(
            _(
                "95% intervals of a difference in rates by Bonett and Price (2012), or by a "
                "bootstrap of patients ({resamples} resamples, seed {seed}) where patients have "
                "several images; tests by McNemar (exact) or Obuchowski (1998); AUROC by paired "
                "DeLong. Under 10 to count by there is no number."
            ).format(resamples=found.resamples, seed=found.seed),
            _("Intervals and tests."),
        ),
        Text(
            _(
                "Worse and better are read off the 95% interval of one difference. Of many "
                "intervals some lie off 0 by chance, so p is adjusted (Holm) within the four "
                "families below, and only what stays below .05 is called a regression or a gain "
                "on the first page."
            ),
            _("Many differences."),
        ),
        _families(tests),
        Text(
            _(
                "Report {report}. Attached: both audit.json, compare.json and the versions of the "
                "libraries; hipaudit verify checks that they belong together. PDF conformance: "
                "not validated by veraPDF."
            ).format(report=material.report_id),
            _("Files."),
        ),
    ]
    if material.edition.suppress:
        words = _(
            "Counts of images or patients from 1 to below {n} are left out, with what rests on "
            "them and what would give them away."
        )
        paragraphs.append(Text(words.format(n=material.edition.suppress), _("Small counts.")))
    return paragraphs


def _families(tests: Counter[str]) -> Table:
    rows = [
        [_(FAMILIES.get(name, name)), str(count), p_text(0.05 / count)]
        for name, count in sorted(tests.items())
    ]
    columns = [_("Family"), _("Tests"), _("Smallest p must be below")]
    return Table(_("Families of tests"), columns, rows, "", frozenset({1, 2}), (50, 20, 30))
