"""What limits this evidence, as it follows from data, model and run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from audit.results import Finding, Note
from reports.flow import thousands
from reports.language import N_, _, ngettext, recorded
from reports.material import Material
from reports.numbers import run_name
from reports.suppression import mark

FEW, VERY_FEW = 100, 50  # events; our convention, said so where it is printed
MOST_NOTES = 12
LEVELS = {"fault": N_("Fault"), "warning": N_("Warning"), "assumed": N_("Assumed")}


def limitations_of(material: Material) -> list[str]:
    """Sentences, the general ones first; no sentence twice."""
    told = [*_general(material), *_few_events(material), *_samples(material), *_numbers(material)]
    return list(dict.fromkeys([*told, *_noted(material)]))


def _general(material: Material) -> Iterator[str]:
    results = material.results
    yield _("One data set on one date; other hospitals, devices and years were not seen.")
    if results.data.synthetic:
        yield _("The data is synthetic: nothing here was observed in a patient.")
    if material.independent:
        yield _(
            "Images treated as independent: patients are not identified, or not for all images. "
            "Several images of one patient would make the intervals too narrow."
        )
    if results.model.preparation_origin == "assumed":
        yield _("Preprocessing unverified: the model file does not say how images are prepared.")
    below = mark.suppressed_below(results)
    if below:
        yield recorded(mark.edition_note(below).text)


def _few_events(material: Material) -> Iterator[str]:
    ill, well = material.clean("sensitivity"), material.clean("specificity")
    for finding, words in (
        (ill, N_("{n} positive cases: fewer than {few} (our convention for {word}).")),
        (well, N_("{n} negative cases: fewer than {few} (our convention for {word}).")),
    ):
        if finding and 0 < finding.n < FEW:
            very = finding.n < VERY_FEW
            word = _("very few") if very else _("few")
            yield _(words).format(n=finding.n, few=VERY_FEW if very else FEW, word=word)
    if ill and well and ill.n and ill.n / (ill.n + well.n) > 0.1:
        share = f"{100 * ill.n / (ill.n + well.n):.0f}%"
        yield _("{share} of the cases are positive; in practice the share may differ.").format(
            share=share
        )


def _samples(material: Material) -> Iterator[str]:
    """Runs on part of the cases, those on the same part together."""
    found: dict[tuple[int, int, str], list[str]] = {}
    for run in material.results.plan.runs:
        if run.state == "done" and run.sample < run.of:
            found.setdefault((run.sample, run.of, run.rule), []).append(run_name(run))
    for (sample, of, rule), names in found.items():
        words = _("On {sample} of {of} cases only ({rule}): {names}.")
        told = "; ".join(dict.fromkeys(names))  # names hold commas
        yield words.format(sample=sample, of=of, rule=recorded(rule), names=told)


def _numbers(material: Material) -> Iterator[str]:
    findings = material.results.findings
    wide = sum(f.imprecise for f in findings)
    if wide:
        words = _("{wide} of {n} numbers are imprecise (half-width over 10 points).")
        yield words.format(wide=thousands(wide), n=thousands(len(findings)))
    missing = [f for f in findings if f.value is None]
    if missing:
        words = _("{missing} of {n} numbers have no value: {reasons}.")
        counts = {"missing": thousands(len(missing)), "n": thousands(len(findings))}
        yield words.format(**counts, reasons=_reasons(missing))


def _reasons(missing: list[Finding]) -> str:
    """The three commonest reasons with how often each was given."""
    counts = Counter(f.reason or "" for f in missing).most_common()
    told = [f"{recorded(why) or _('no reason recorded')} ({thousands(n)})" for why, n in counts[:3]]
    rest = sum(n for _why, n in counts[3:])
    if rest:
        words = ngettext("other reasons ({n})", "other reasons ({n})", rest)
        told.append(words.format(n=thousands(rest)))
    return "; ".join(told)


def _noted(material: Material) -> Iterator[str]:
    """Faults, warnings and assumptions of the run, the model file and the data."""
    results = material.results
    notes: list[Note] = [*results.notes, *results.model.notes, *results.data.notes]
    below = mark.suppressed_below(results)
    notes = [note for note in notes if not below or note.text != mark.reason(below)]
    ranked = sorted(
        (n for n in notes if n.level in LEVELS), key=lambda n: list(LEVELS).index(n.level)
    )
    for note in ranked[:MOST_NOTES]:
        yield f"{_(LEVELS[note.level])}: {recorded(note.text)}"
    more = len(ranked) - MOST_NOTES
    if more > 0:
        words = ngettext(
            "{n} more note is in audit.json.", "{n} more notes are in audit.json.", more
        )
        yield words.format(n=more)
