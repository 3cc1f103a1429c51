"""What the published study leaves open, and how to repeat this one."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Items, Table
from reports.numbers import listed
from reports.study.material import StudyMaterial
from reports.study.panels.paired import LEVEL

AGREEMENT = (
    "Cohen's kappa and the shares of agreement: the interval's method is recorded with each "
    "number in study.json.",
    "Agreement is not correctness: two readers may err alike.",
)
RULES = (
    "Accuracy: 95% Wilson interval. Other shares: the interval's method is recorded with each "
    "number in study.json; AUROC by DeLong.",
    "Pairs of models: exact McNemar test on the same images, adjusted by Holm over all pairs of a "
    "metric. Differences are tested; whether two intervals overlap decides nothing.",
    "Best model: the highest accuracy on the test split. Chosen on the images it is reported on, "
    "so its value is optimistic.",
    "One fit per model with one seed: how much a second fit would differ is not measured here.",
)


def inconsistencies(material: StudyMaterial) -> Sequence[Block]:
    """What the published text says that cannot be so, or leaves open."""
    known = material.results.inconsistencies
    if not known:
        return []
    rows = [[entry.claim, entry.finding] for entry in known]
    columns = ["The published text says", "What follows from it"]
    note = "Settled here by the recipe of this study, which records every number it used."
    return [Table("What the published study leaves open", columns, rows, note, widths=(42, 58))]


def limits(material: StudyMaterial) -> Sequence[Block]:
    return [Items(found_limits(material), "Limits of this study")]


def found_limits(material: StudyMaterial) -> list[str]:
    """Sentences that follow from the data and the runs; the gravest first."""
    results = material.results
    found = []
    if results.synthetic:
        found.append("The data is synthetic: nothing here was observed in a patient.")
    if results.as_published:
        found.append(
            "Models were judged on the images that chose their weights: every number is optimistic."
        )
    told = {note.code for note in results.notes}
    if len(material.done) > 1 and results.kind == "models" and "best-of-several" not in told:
        found.append(
            f"The best of {len(material.done)} was chosen on the test split it is reported on: "
            "its number is optimistic."
        )
    found += [*_chance(material), *_pairs(material)]
    found.append("One data set on one date; other hospitals, devices and years were not seen.")
    if results.published:
        found.append("The published values are of other images; nothing tests the difference.")
    if material.independent and "no-patients" not in told:
        found.append(
            "Images treated as independent: images of one patient resemble each other, and "
            "intervals may be too narrow."
        )
    if material.unfinished:
        names = ", ".join(material.label(model.name) for model in material.unfinished)
        found.append(f"Without a result: {names}.")
    found += [f"{material.label(m.name)}: {m.reason}." for m in material.done if m.reason]
    found += [note.text for note in results.notes if note.level in ("warning", "fault")]
    return list(dict.fromkeys(found))


def _chance(material: StudyMaterial) -> list[str]:
    """Models that may have learned nothing."""
    baseline = material.results.baseline
    if baseline is None:
        return []
    found = [(m, material.found(m, "accuracy")) for m in material.comparable]
    weak = [
        material.label(m.name) for m, f in found if f and f.low is not None and f.low <= baseline
    ]
    if not weak:
        return []
    return [
        f"Not shown to do better than always answering the commoner class ({100 * baseline:.1f}%): "
        f"{listed(weak)}."
    ]


def _pairs(material: StudyMaterial) -> list[str]:
    tests = [test for test in material.results.tests if test.metric == "accuracy"]
    if not tests:
        return []
    apart = sum(test.p_holm < LEVEL for test in tests)
    return [
        f"Pairs of models that differ in accuracy: {apart} of {len(tests)} (McNemar, p < .05 "
        "after Holm); the order of the others may be chance."
    ]


def methods(material: StudyMaterial) -> Sequence[Block]:
    results = material.results
    made = results.provenance
    versions = ", ".join(f"{name} {version}" for name, version in sorted(made.packages.items()))
    rows = [
        ["Report", material.report_id],
        ["Kind of study", results.kind],
        ["Classes", f"{', '.join(results.classes)}; positive: {results.positive_class}"],
        ["Date", made.date],
        ["Command", made.command or "not recorded"],
        ["Python", made.python or "not recorded"],
        ["Machine", ", ".join(p for p in (made.platform, made.device) if p) or "not recorded"],
        ["Versions", versions or "not recorded"],
        ["Tool", f"{results.tool} {results.tool_version}"],
    ]
    notes = [f"{note.level}: {note.text}" for note in results.notes]
    table = Table("How to repeat this", ["What", "Value"], rows, "", frozenset(), (22, 78), "M")
    rules = AGREEMENT if results.kind == "readers" else RULES
    found: list[Block] = [Items(rules, "Methods"), table]
    return [*found, *([Items(notes, "Notes of the study")] if notes else [])]
