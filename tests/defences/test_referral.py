"""The cut-off and the quality filter: who is referred, counted by hand and by float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch import Tensor, nn

from audit.classifier import Classifier
from audit.conduct import conduct
from audit.defences.quality_filter import quality_filter
from audit.defences.referral import log_odds_of, referral
from audit.defences.registry import get_defence, looks
from audit.errors import HipauditError
from audit.fingerprint import model_digest
from audit.options import AuditOptions
from audit.quality.limits import KEY, Limits, limits_from, read_limits
from tests.doubles import Brightness, cases_of
from tests.doubles import classifier_of as double_of
from tests.quality.pictures import as_x, blurred, scenes
from tests.toys import classifier_of


class Says(nn.Module):
    """Answers logits that lie in the first pixels of the image's first row, times 200 less 100."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0, 0, : self.classes] * 200 - 100


def asked(logits: np.ndarray) -> Tensor:
    x = torch.zeros(len(logits), 1, 8, 8)
    x[:, 0, 0, : logits.shape[1]] = torch.from_numpy((logits + 100) / 200).float()
    return x


def classifier(threshold: float | None = None) -> Classifier:
    found = classifier_of(Says(), 8, 8)
    found.description = found.description.model_copy(update={"threshold": threshold})
    return found


@pytest.mark.parametrize("confidence", [0.6, 0.9, 0.995])
def test_who_is_below_the_cut_off_is_referred_and_nobody_else(confidence: float) -> None:
    logits = np.random.default_rng(0).normal(0, 3, (200, 2))
    output = referral(classifier(), confidence=confidence).predict(asked(logits))
    exact = softmax(output.logits.numpy().astype(np.float64), axis=1).max(1)
    assert output.referred.tolist() == (exact < confidence).tolist()
    assert 0 < output.referred.sum() < 200


def test_log_odds_tell_apart_what_float32_probabilities_cannot() -> None:
    logits = torch.tensor([[0.0, 20.0], [0.0, 40.0], [0.0, 80.0]])
    assert torch.softmax(logits, 1)[1:, 1].tolist() == [1.0, 1.0]
    assert log_odds_of(logits, torch.tensor([1, 1, 1])).tolist() == pytest.approx([20, 40, 80])
    # 1 - 1e-15 lies between the first two: a cut-off that no float32 probability could state
    output = referral(classifier(), confidence=1 - 1e-15).predict(asked(logits.numpy()))
    assert output.referred.tolist() == [True, False, False]


def test_with_three_classes_the_confidence_is_that_of_the_decided_class() -> None:
    logits = torch.from_numpy(np.random.default_rng(1).normal(0, 2, (50, 3)))
    decided = logits.argmax(1)
    share = softmax(logits.numpy(), axis=1).max(1)
    expected = np.log(share) - np.log1p(-share)
    assert log_odds_of(logits, decided).numpy() == pytest.approx(expected)


def test_a_positive_below_one_half_is_never_sure_however_low_the_threshold() -> None:
    """P(fracture) = 0.02 is called a fracture here: 0.98 of the other class is no confidence."""
    logits = np.array([[0.0, np.log(0.02 / 0.98)], [0.0, np.log(0.001 / 0.999)]])
    found = referral(classifier(threshold=0.01), confidence=0.9)
    output = found.predict(asked(logits))
    assert found.decide(output.logits).tolist() == [1, 0]
    assert output.referred.tolist() == [True, False]


def test_an_output_that_is_not_a_number_is_referred() -> None:
    logits = np.array([[np.nan, 1.0], [0.0, np.inf], [0.0, 50.0]])
    assert referral(classifier()).predict(asked(logits)).referred.tolist() == [True, True, False]


@pytest.mark.parametrize("confidence", [0.0, 1.0, 99.5, float("nan")])
def test_a_confidence_outside_zero_to_one_is_refused(confidence: float) -> None:
    with pytest.raises(HipauditError, match="between 0 and 1"):
        referral(classifier(), confidence=confidence)


def test_blurred_pictures_are_referred_by_the_filter_and_sharp_ones_are_not() -> None:
    sharp = scenes(12, 128)
    found = quality_filter(classifier_of(Says(), 128, 128))
    both = as_x(np.concatenate([sharp, blurred(sharp, 0.03)]))
    assert found.predict(both).referred.tolist() == [False] * 12 + [True] * 12


@pytest.mark.parametrize("name", ["referral", "quality-filter"])
def test_a_defence_that_refers_changes_no_logit_and_costs_one_look(name: str) -> None:
    plain, x = classifier(), asked(np.random.default_rng(2).normal(0, 3, (30, 2)))
    hardened = get_defence(name).harden(plain)
    assert torch.equal(hardened.predict(x).logits, plain.predict(x).logits)
    assert torch.equal(hardened.decision_logits(x), plain.decision_logits(x))
    assert not plain.predict(x).referred.any()
    assert looks(name) == 1


def test_both_together_refer_what_either_refers() -> None:
    sharp = scenes(4, 128)
    x = as_x(np.concatenate([sharp, blurred(sharp, 0.03)]))
    x[:, 0, 0, 0], x[:, 0, 0, 1] = 0.5, torch.tensor([0.6, 0.5001] * 4)  # sure, unsure, …
    plain = classifier_of(Says(), 128, 128)
    one, other = quality_filter(plain).predict(x), referral(plain).predict(x)
    both = referral(quality_filter(plain)).predict(x)
    assert both.referred.tolist() == (one.referred | other.referred).tolist()
    assert one.referred.tolist() != other.referred.tolist()


def test_the_limits_are_told_and_those_a_model_brings_go_first() -> None:
    plain = classifier_of(Says(), 64, 64)
    (note,) = quality_filter(plain).description.notes
    assert note.code == "quality-filter.limits"
    assert "stated in advance" in note.text
    own = limits_from(as_x(scenes(60, 64)), share=0.05)
    plain.description = plain.description.model_copy(update={"training": {KEY: own.as_dict()}})
    (note,) = quality_filter(plain).description.notes
    assert "60 reference images" in note.text
    (note,) = quality_filter(plain, limits=Limits({"contrast": 0.2})).description.notes
    assert "contrast (1st to 99th percentile) below 0.2" in note.text


@pytest.mark.parametrize(
    "given",
    [
        "0.3",
        {"contrast": 0.3},
        {"lowest": {"contrats": 0.3}},
        {"highest": {"blur_effect": 7}},
        {"highest": {"blur_effect": "x"}},
        {"highest": [0.3]},
    ],
)
def test_limits_that_are_none_are_refused_in_one_line(given: object) -> None:
    with pytest.raises(HipauditError) as caught:
        read_limits(given)
    assert "\n" not in str(caught.value)


def test_limits_survive_being_written_down() -> None:
    own = limits_from(as_x(scenes(60, 64)), share=0.05)
    assert read_limits(own.as_dict()) == own


def test_what_a_defence_is_set_to_belongs_to_what_identifies_it() -> None:
    plain = classifier()
    named = [referral(plain), referral(plain, confidence=0.9), quality_filter(plain), plain]
    assert len({model_digest(found) for found in named}) == 4
    assert model_digest(referral(plain)) == model_digest(referral(plain))


def test_a_whole_audit_under_both_tells_limits_and_counts_what_is_handled_alone(tmp_path) -> None:
    levels = [0.2 + 0.6 * i / 79 for i in range(80)]
    chosen = AuditOptions(
        preset="ci", stresses=("fgsm",), defences=("referral", "quality-filter"), probes=()
    )
    results = conduct(double_of(Brightness()), cases_of(levels), tmp_path, chosen, notes=())
    codes = {note.code for note in results.notes}
    assert codes >= {"referral.cut-off", "quality-filter.limits"}
    where = {"defence": "referral", "group": {}, "stress": "clean", "contrast": None}
    (hit,) = results.find("referral_rate", **where)
    # log-odds are 20 × (level - 0.5): sure beyond 0.2647 from the boundary
    limit = np.log(0.995 / 0.005) / 20
    assert (hit.events, hit.n) == (sum(abs(x - 0.5) < limit for x in levels), 80)
    (flat,) = results.find("referral_rate", **{**where, "defence": "quality-filter"})
    assert (flat.events, flat.n) == (80, 80)  # one grey level: nothing in it
    (none,) = results.find("accuracy_handled", **{**where, "defence": "quality-filter"})
    assert none.reason == "fewer than 10 cases handled alone"
    unseen = [f for f in results.findings if f.metric == "unseen_error_rate" and not f.group]
    assert {f.stress for f in unseen} >= {"clean", "fgsm", "worst_case"}
    again = conduct(double_of(Brightness()), cases_of(levels), tmp_path, chosen, notes=())
    assert again.findings == results.findings
