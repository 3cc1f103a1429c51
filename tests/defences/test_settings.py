"""What a defence is set to: checked, carried out, told, and part of what is computed."""

from __future__ import annotations

import pytest

from audit.defences.hardened import referring
from audit.defences.registry import get_defence, load_defences, looks, under_defence
from audit.errors import HipauditError
from audit.fingerprint import model_digest
from tests.stresses.promises import small_classifier

SET = {
    "bit-depth": {"bits": 2},
    "blur": {"sigma": 2.5},
    "jpeg": {"quality": 20},
    "randomised-smoothing": {"sigma": 0.3},
    "referral": {"confidence": 0.9},
    "tta": {"angle": 11.0},
}


@pytest.mark.parametrize("name", sorted(SET))
def test_another_setting_is_another_classifier_by_its_digest_and_its_notes(name: str) -> None:
    classifier, _, _ = small_classifier()
    plain = under_defence(classifier, name, {})
    changed = under_defence(classifier, name, {}, SET[name])
    assert len({model_digest(classifier), model_digest(plain), model_digest(changed)}) == 3
    value = next(iter(SET[name].values()))
    assert f"{value:g}" in changed.description.notes[-1].text or name == "bit-depth"
    assert changed.description.notes[-1].code.startswith(f"{name}.")


def test_every_setting_of_every_input_defence_is_part_of_the_digest() -> None:
    classifier, _, _ = small_classifier()
    others = {"bits": 3, "sigma": 0.7, "quality": 50, "n": 3, "seed": 9, "shift": 0.1,
              "angle": 9.0, "scale": 1.2, "flip": True, "confidence": 0.7}  # fmt: skip
    for name in SET:
        plain = model_digest(under_defence(classifier, name, {}))
        for parameter in get_defence(name).defaults:
            changed = under_defence(classifier, name, {}, {parameter: others[parameter]})
            assert model_digest(changed) != plain, f"{name}.{parameter}"


def test_the_cost_follows_the_setting() -> None:
    assert looks("randomised-smoothing") == 8
    assert looks("randomised-smoothing", {"n": 20}) == 20
    assert looks("tta", {"flip": True}) == looks("tta") + 1
    assert looks("jpeg") == looks("none") == 1


@pytest.mark.parametrize("name", sorted(n for n, d in load_defences().items() if not d.trained))
def test_the_cost_is_what_the_network_is_asked(name: str) -> None:
    classifier, x, _ = small_classifier()
    before = classifier.forwards
    under_defence(classifier, name, {}).predict(x)
    assert classifier.forwards - before == len(x) * looks(name)


def test_a_mistyped_setting_is_answered_with_what_was_meant() -> None:
    classifier, _, _ = small_classifier()
    with pytest.raises(HipauditError, match='Did you mean "sigma"'):
        under_defence(classifier, "blur", {}, {"sigme": 1.0})
    with pytest.raises(HipauditError, match="It has none"):
        get_defence("adversarial-training").check({"epsilon": 1})


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("blur", {"sigma": (2, 3)}, "`sigma` to be a number"),
        ("tta", {"angle": "five"}, "`angle` to be a number"),
        ("tta", {"flip": 1}, "`flip` to be true or false"),
        ("tta", {"angle": float("nan")}, "`angle` to be a number"),
        ("quality-filter", {"limits": [1]}, "`limits` to be what training images set"),
        ("referral", {"confidence": True}, "`confidence` to be a number"),
        ("quality-filter", {"limits": "strict"}, "`limits` to be what training images set"),
    ],
)
def test_a_value_of_another_kind_is_one_line(name, params, words) -> None:
    classifier, _, _ = small_classifier()
    with pytest.raises(HipauditError, match=words):
        under_defence(classifier, name, {}, params)


def test_a_cut_off_of_ones_own_is_the_one_that_refers() -> None:
    classifier, x, _ = small_classifier()
    given = {"referral": {"confidence": 0.501}}
    strict = referring(classifier, ("referral",))["referral"].predict(x).referred
    loose = referring(classifier, ("referral", "jpeg"), given)
    assert list(loose) == ["referral"]
    assert loose["referral"].predict(x).referred.sum() < strict.sum()
