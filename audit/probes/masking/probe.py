"""Whether robust accuracy may be an artefact: signs that gradients are masked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import torch

from audit.cases.case import Case
from audit.classifier import Classifier
from audit.defences.registry import get_defence, looks, under_defence
from audit.errors import StressFailed
from audit.evidence import Predictions
from audit.preflight import stratified
from audit.probes.masking.evidence import attacked_defences, compared, signs
from audit.probes.masking.flags import Flag, under
from audit.probes.masking.trial import Trial, gradients, half, outputs, random_forward
from audit.probes.registry import Examination, probe
from audit.reasons import reason_of
from audit.results import Finding, Note, ProbeReport
from audit.stresses.registry import get_stress

SAMPLE = 16
FEWEST = 4  # below that, two cases would be half of all
FORWARDS = 600  # for PGD at ε = 0.5, per attacked defence
STEPS = 10
SECONDS = 300.0
BATCH = 16


@probe("masking", "forwards", "seconds", "steps", "sample")
def masking(examination: Examination) -> ProbeReport:
    """Signs that a model survives attacks because they were blind, under every attacked defence.

    From the table of predictions: a black box, a single step or a transferred attack that fools
    cases which an iterative white-box attack at the same ε misses; a larger ε that fools fewer;
    gradients that an attack found to be zero. From the classifier, on at most `sample` (16)
    cases it decides correctly: a random answer, probabilities for logits, zero gradients,
    saturation, and PGD (`steps` 10) at ε = 0.5, where every image may become grey. A count
    becomes a sign at 2 cases and 5% of those looked at.

    `forwards` (600) bounds the last of these per defence, `seconds` (300) the whole probe: what
    is left out is named. `masking_flags` counts the signs per defence. None found is no proof.
    Sources: Athalye et al. 2018, arXiv:1802.00420; Carlini et al. 2019, arXiv:1902.06705; Croce
    et al. 2022, arXiv:2202.13711.
    """
    defences = attacked_defences(examination.predictions)
    if not defences:
        return ProbeReport(
            probe="masking", state="not applicable", reason="no attack was carried out"
        )
    found = list(signs(examination.predictions))
    ends = time.monotonic() + float(examination.params.get("seconds", SECONDS))
    left_out: dict[str, str] = {}
    for defence in defences:
        reason = "no time was left"
        if time.monotonic() < ends:
            reason = _tried(examination, defence, found)
        if reason:
            left_out[defence] = reason
    flags = _once(found)
    held = compared(examination.predictions)
    return ProbeReport(
        probe="masking",
        findings=tuple(_counted(flags, defences, left_out)),
        notes=tuple(
            _notes(flags, defences, left_out, held, blind=not examination.classifier.has_gradients)
        ),
        details={
            "flags": [flag.as_dict() for flag in flags],
            "compared": held,
            "not_tried": left_out,
        },
    )


def _tried(examination: Examination, defence: str, found: list[Flag]) -> str:
    """Add what the classifier shows under `defence`; why it could not be asked, or ""."""
    if _trained(defence) and defence not in examination.hardened:
        return "its weights were not at hand"
    classifier = under_defence(examination.classifier, defence, examination.hardened)
    trial = _trial(examination, classifier, defence)
    if trial is None:
        return "no case is decided correctly without an attack"
    found += [*random_forward(trial), *outputs(trial)]
    if not classifier.has_gradients:
        return ""
    try:
        found += gradients(trial)
        steps = int(examination.params.get("steps", STEPS))
        found += half(_affordable(trial, examination, steps), steps)
    except StressFailed as error:
        return reason_of(error)[:300]
    return ""


def _trained(name: str) -> bool:
    """Whether a defence has weights of its own, which cannot be made here."""
    return name != "none" and get_defence(name).trained


def _trial(examination: Examination, classifier: Classifier, defence: str) -> Trial | None:
    """At most `sample` cases that are right under the defence, labels in turn, of one depth."""
    limit = int(examination.params.get("sample", SAMPLE))
    cases = stratified(_right(examination, defence), limit)
    images = [classifier.prepare(case) for case in cases]
    alike = [i for i, x in enumerate(images) if x.shape == images[0].shape]
    if not alike:
        return None
    kept = [cases[i] for i in alike]
    return Trial(
        classifier=classifier,
        defence=defence,
        ids=[case.id for case in kept],
        x=torch.stack([images[i] for i in alike]),
        y=classifier.targets(kept),
        batch=max(1, int(min(BATCH, examination.batch_size or BATCH) / max(1.0, looks(defence)))),
        seed=examination.seed,
    )


def _right(examination: Examination, defence: str) -> list[Case]:
    predictions: Predictions = examination.predictions
    cases = examination.cases.by_id()
    correct = predictions.clean_correct(defence)
    return [cases[s.id] for s, right in zip(predictions.subjects, correct, strict=True) if right]


def _affordable(trial: Trial, examination: Examination, steps: int) -> Trial:
    """As many of the cases as `forwards` pays for, never fewer than 4."""
    stress = get_stress("pgd")
    cost = stress.cost(stress.check({"epsilons": (0.5,), "steps": steps})) * looks(trial.defence)
    most = max(FEWEST, int(float(examination.params.get("forwards", FORWARDS)) / cost))
    return replace(trial, ids=trial.ids[:most], x=trial.x[:most], y=trial.y[:most])


def _once(found: Sequence[Flag]) -> list[Flag]:
    """Each sign once; what an attack said of zero gradients goes before the sample's own look."""
    kept: dict[tuple[str, str, str], Flag] = {}
    for flag in found:
        text = "" if flag.code == "masking-zero-gradient" else flag.text
        kept.setdefault((flag.defence, flag.code, text), flag)
    return list(kept.values())


def _counted(
    flags: Sequence[Flag], defences: Sequence[str], left_out: Mapping[str, str]
) -> Iterator[Finding]:
    """The number of signs per defence, for a rule; those that touch only others do not count."""
    for defence in defences:
        start = Finding(metric="masking_flags", defence=defence, independent=False)
        if defence in left_out:
            yield start.model_copy(update={"reason": left_out[defence]})
            continue
        count = sum(flag.defence == defence and flag.artefact for flag in flags)
        yield start.model_copy(update={"value": float(count)})


def _notes(
    flags: Sequence[Flag],
    defences: Sequence[str],
    left_out: Mapping[str, str],
    held: Mapping[str, Sequence[str]],
    *,
    blind: bool,
) -> Iterator[Note]:
    for flag in flags:
        start = f"Robust accuracy {under(flag.defence)} may be an artefact of masked gradients: "
        text = f"{start if flag.artefact else ''}{flag.text}"
        yield Note(code=flag.code, level="warning", text=text)
    for defence, reason in left_out.items():
        text = f"Not looked at for masked gradients {under(defence)} on its own cases: {reason}."
        yield Note(code="masking-not-tried", level="warning", text=text)
    if blind:
        text = "The classifier gives no gradients: only attacks that need none were looked at."
        yield Note(code="masking-no-gradients", level="info", text=text)
    without = [defence for defence in defences if not held.get(defence)]
    if without:
        where = ", ".join(under(defence) for defence in without)
        text = f"No weaker attack could be held against an iterative white-box one {where}."
        yield Note(code="masking-not-compared", level="info", text=text)
    clear = [d for d in defences if d not in left_out and not any(f.defence == d for f in flags)]
    if clear:
        where = ", ".join(under(defence) for defence in clear)
        text = f"No sign of masked gradients {where}. That is no proof that there are none."
        yield Note(code="masking-none", level="info", text=text)
