"""The masking probe: planted masked models are flagged by name, sound ones are left alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from audit.classifier import Classifier
from audit.conduct import conduct
from audit.defences.registry import DEFENCES, defence, load_defences
from audit.engine import execute
from audit.options import AuditOptions
from audit.plan import make_plan
from audit.probes.masking.probe import masking
from audit.probes.registry import Examination
from audit.results import ProbeReport, Results
from audit.store import Store
from tests.probes import masked_models as planted

EPSILONS = (4 / 255, 12 / 255, 24 / 255)
SMALL = {
    "fgsm": {"epsilons": EPSILONS},
    "pgd": {"epsilons": EPSILONS, "steps": 8},
    "square": {"epsilons": (12 / 255, 24 / 255), "queries": 60},
}


def audit(
    module: nn.Module,
    folder: Path,
    stresses: tuple[str, ...] = ("fgsm", "pgd", "square"),
    defences: tuple[str, ...] | None = ("none",),
    params: dict[str, object] | None = None,
    **changes: object,
) -> Results:
    options = AuditOptions(
        preset="ci",
        stresses=stresses,
        defences=defences,
        params={**SMALL, "masking": params or {}},
        probes=("masking",),
        batch_size=16,
    )
    classifier = planted.classifier_of(module, **changes)
    return conduct(classifier, planted.cases(), folder, options, notes=())


def report_of(results: Results) -> ProbeReport:
    (report,) = results.probes
    return report


def codes(results: Results, defence: str = "none") -> set[str]:
    return {
        flag["code"]
        for flag in report_of(results).details["flags"]
        if flag["defence"] == defence and flag["artefact"]
    }


@pytest.mark.parametrize(
    ("module", "defences", "stresses"),
    [
        (planted.Linear(), ("none",), ("fgsm", "pgd", "square")),
        (planted.trained(), ("none",), ("fgsm", "pgd", "square")),
        (planted.trained(), ("bit-depth",), ("fgsm", "pgd")),
        (planted.Linear(), ("tta",), ("pgd",)),
    ],
    ids=["linear", "cnn", "a defence with a slope of its own", "tta"],
)
def test_a_sound_model_is_not_flagged(module, defences, stresses, tmp_path) -> None:
    results = audit(module, tmp_path / "out", stresses, defences)
    assert report_of(results).state == "done"
    assert report_of(results).details["flags"] == []
    said = {note.code: note for note in report_of(results).notes}
    assert "no proof" in said["masking-none"].text
    found = {f.defence: f.value for f in report_of(results).findings}
    assert found == dict.fromkeys({"none", *defences}, 0.0)
    fooled = results.find("attack_success", stress="pgd", defence="none", group={})
    assert max(f.value for f in fooled) > 0.9  # a weak attack would have let anything pass


def test_rounding_is_flagged_by_its_zero_gradient_by_square_and_at_half(tmp_path) -> None:
    results = audit(planted.quantised(), tmp_path / "out")
    assert {"masking-zero-gradient", "masking-black-box"} <= codes(results)
    text = next(n.text for n in report_of(results).notes if n.code == "masking-black-box")
    assert text.startswith("Robust accuracy without a defence may be an artefact of masked")
    square = results.find("attack_success", stress="square", group={}, contrast=None)
    assert f"fooled {max(f.events for f in square)} of" in text  # PGD found none of them


def test_logits_ten_thousand_times_too_large_are_named_as_a_trap_for_others(tmp_path) -> None:
    results = audit(planted.saturated(), tmp_path / "out")
    (flag,) = report_of(results).details["flags"]
    assert flag["code"] == "masking-saturated"
    assert not flag["artefact"]  # our own attacks are not misled: they find what they found before
    sound = audit(planted.Linear(), tmp_path / "sound")
    for stress in ("fgsm", "pgd"):
        one, two = (r.find("attack_success", stress=stress, group={}) for r in (results, sound))
        assert [f.events for f in one] == [f.events for f in two]


def test_softmax_taken_for_logits_is_flagged(tmp_path) -> None:
    assert "masking-probabilities" in codes(audit(planted.softmaxed(), tmp_path / "out"))


def test_a_random_answer_is_flagged(tmp_path) -> None:
    results = audit(planted.stochastic(), tmp_path / "out", stresses=("fgsm",))
    assert "masking-random" in codes(results)
    (note,) = [n for n in report_of(results).notes if n.code == "masking-random"]
    assert "EOT" in note.text


def test_a_shattered_gradient_is_flagged_though_none_is_zero(tmp_path) -> None:
    found = codes(audit(planted.shattered(), tmp_path / "out"))
    assert "masking-zero-gradient" not in found
    assert {"masking-black-box", "masking-half"} & found


@pytest.fixture
def rounding() -> Iterator[str]:
    """A defence that rounds its input: accuracy kept, gradient gone."""
    load_defences()

    @defence("rounding")
    def rounding(classifier: Classifier) -> Classifier:
        return classifier.derived(lambda x: classifier.logits(torch.round(x * 63) / 63))

    yield "rounding"
    del DEFENCES["rounding"]


def test_a_masking_defence_is_flagged_and_the_model_as_given_is_not(rounding, tmp_path) -> None:
    results = audit(planted.Linear(), tmp_path / "out", defences=(rounding,))
    assert codes(results) == set()
    assert "masking-zero-gradient" in codes(results, rounding)
    found = {f.defence: f.value for f in report_of(results).findings}
    assert found["none"] == 0
    assert found[rounding] >= 2
    (clear,) = [n for n in report_of(results).notes if n.code == "masking-none"]
    assert "without a defence" in clear.text
    assert rounding not in clear.text


def test_without_gradients_only_what_needs_none_is_looked_at_and_that_is_said(tmp_path) -> None:
    results = audit(planted.stochastic(), tmp_path / "out", gradients=False)
    assert codes(results) == {"masking-random"}
    said = {note.code for note in report_of(results).notes}
    assert "masking-not-compared" in said
    assert "masking-no-gradients" in said


def test_without_an_attack_it_does_not_apply(tmp_path) -> None:
    report = report_of(audit(planted.Linear(), tmp_path / "out", stresses=("quantum_noise",)))
    assert report.state == "not applicable"
    assert report.reason == "no attack was carried out"


def test_a_trained_defence_is_looked_at_with_its_own_weights_or_said_to_be_missing(
    tmp_path,
) -> None:
    name = "adversarial-training"
    classifier, cases = planted.classifier_of(planted.Linear()), planted.cases(12)
    masked = {name: planted.classifier_of(planted.quantised())}
    options = AuditOptions(preset="ci", stresses=("pgd",), defences=(name,), params=SMALL)
    runs = make_plan(classifier, cases, options, (name,))
    store = Store(tmp_path)
    table = execute(runs, classifier, cases, store, seed=0, batch_size=8, hardened=masked)
    sight = Examination(classifier, cases, table, 0, 8, lambda _: None, {}, masked)
    found = {flag["code"] for flag in masking(sight).details["flags"] if flag["defence"] == name}
    assert {"masking-zero-gradient", "masking-half"} <= found
    without = masking(replace(sight, hardened={}))
    assert without.details["not_tried"] == {name: "its weights were not at hand"}


def test_what_time_does_not_allow_is_named_and_has_no_number(tmp_path) -> None:
    results = audit(planted.quantised(), tmp_path / "out", params={"seconds": 0})
    report = report_of(results)
    assert report.details["not_tried"] == {"none": "no time was left"}
    assert "masking-black-box" in codes(results)  # the table needs no time
    (finding,) = report.findings
    assert (finding.value, finding.reason) == (None, "no time was left")


def test_a_model_that_is_wrong_on_every_case_is_told_apart_from_a_clear_one(tmp_path) -> None:
    wrong = planted.Through(after=lambda z: -z)
    report = report_of(audit(wrong, tmp_path / "out"))
    assert report.details["not_tried"] == {"none": "no case is decided correctly without an attack"}
    assert "masking-none" not in {note.code for note in report.notes}
