"""hipaudit run --set: what is set is carried out, told and part of what identifies an audit."""

from __future__ import annotations

import numpy as np
import pytest

import hipaudit as package
from audit.errors import HipauditError
from audit.options import AuditOptions
from audit.results import read_results
from audit.settings import check_settings, set_defences
from hipaudit.settings import as_params, as_words, read_setting
from tests.doubles import Brightness, cases_of, classifier_of
from tests.tiny import write_images, write_model

LEVELS = [0.3 + 0.4 * i / 39 for i in range(40)]


def audited(folder, **options):
    """Attack radii of 8 levels on flat images of known brightness."""
    options = {"stresses": ["fgsm"], "epsilons": [8 / 255], "defences": ["bit-depth"], **options}
    return package.run(
        classifier_of(Brightness()), cases_of(LEVELS), preset="ci", out=folder, report=False,
        **options,
    )  # fmt: skip


@pytest.mark.parametrize("bits", [1, 3])
def test_a_set_defence_is_the_one_that_decides(bits: int, tmp_path) -> None:
    results = audited(tmp_path, params={"bit-depth": {"bits": bits}})
    steps = 2**bits - 1
    seen = np.round(np.float32(LEVELS) * steps) / steps
    expected = int(((seen > 0.5) == (np.array(LEVELS) > 0.5)).sum())
    (clean,) = results.find(
        "accuracy", stress="clean", defence="bit-depth", contrast=None, group={}
    )
    assert clean.events == expected
    assert any(f"({bits} bits)" in note.text for note in results.notes)
    assert f"--set bit-depth.bits={bits}" in results.provenance.command


def test_another_setting_is_another_audit_and_shares_the_plain_units(tmp_path) -> None:
    audited(tmp_path, params={"bit-depth": {"bits": 2}})
    before = {path.name for path in (tmp_path / "units").iterdir()}
    with pytest.raises(HipauditError, match="another audit"):
        audited(tmp_path, params={"bit-depth": {"bits": 5}})
    audited(tmp_path, params={"bit-depth": {"bits": 5}}, overwrite=True)
    added = {path.name for path in (tmp_path / "units").iterdir()} - before
    assert 2 <= len(added) <= 3, "clean, fgsm and its transfer under the defence; nothing plain"


def test_a_set_stress_carries_it_in_its_run(tmp_path) -> None:
    results = audited(
        tmp_path, stresses=["rotation_translation"], defences=["none"],
        params={"rotation_translation": {"k": 2, "max_angle": 7}},
    )  # fmt: skip
    (run,) = [run for run in results.plan.runs if run.stress == "rotation_translation"]
    assert (run.params["k"], run.params["max_angle"]) == (2, 7)


def test_values_are_read_as_what_they_look_like() -> None:
    assert read_setting("blur.sigma=0.25") == ("blur", "sigma", 0.25)
    assert read_setting("bit-depth.bits=3") == ("bit-depth", "bits", 3)
    assert read_setting("tta.flip=true") == ("tta", "flip", True)
    assert read_setting("one_pixel.mode=art") == ("one_pixel", "mode", "art")
    assert read_setting("fgsm.epsilons=1/255,2/255")[2] == (1 / 255, 2 / 255)
    assert isinstance(read_setting("tta.angle=10.0")[2], float)


@pytest.mark.parametrize("text", ["blur", "blur.sigma", "blur=2", ".sigma=2", "blur.=2", "blur.s="])
def test_what_is_no_setting_is_one_line(text: str) -> None:
    with pytest.raises(HipauditError, match=r"NAME\.PARAMETER=VALUE"):
        read_setting(text)


def test_settings_come_back_as_they_were_typed() -> None:
    typed = ["blur.sigma=2", "tta.flip=true", "pgd.steps=40", "pgd.restarts=2"]
    assert as_words([read_setting(text) for text in typed]) == typed
    assert as_words(as_params([read_setting(text) for text in typed])) == typed
    with pytest.raises(HipauditError, match="two"):
        as_params([("blur", "sigma", 1), ("blur", "sigma", 2)])


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"blurr": {"sigma": 2}}, 'Did you mean "blur"'),
        ({"blur": {"sigme": 2}}, 'Did you mean "sigma"'),
        ({"blur": {"sigma": 2}}, "Add --defence blur"),
        ({"square": {"queries": 9}}, "Add --stress square"),
        ({"adversarial-training": {"epochs": 2}}, "It has none"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_setting_that_would_do_nothing_is_refused(params, words) -> None:
    options = AuditOptions(stresses=("fgsm",), defences=("jpeg",), params=params)
    with pytest.raises(HipauditError, match=words):
        check_settings(options)


def test_what_the_preset_runs_may_be_set_without_naming_it_again() -> None:
    check_settings(AuditOptions(preset="quick", params={"tta": {"angle": 3.0}}))
    with pytest.raises(HipauditError, match="Add --stress square"):
        check_settings(AuditOptions(skip=("square",), params={"square": {"queries": 5}}))


def test_a_value_the_defence_refuses_is_one_line() -> None:
    options = AuditOptions(defences=("jpeg",), params={"jpeg": {"quality": 400}})
    with pytest.raises(HipauditError, match="`quality` to be a whole number from 1 to 100"):
        set_defences(classifier_of(Brightness()), options)


@pytest.fixture
def base(tmp_path) -> tuple[object, ...]:
    """A command line on a tiny model and six images, under blur."""
    model = write_model(tmp_path / "net.pt")
    data = write_images(tmp_path / "val", 6)
    out = ("--no-images", "--no-progress", "--out", tmp_path / "out")
    asked = ("--preset", "ci", "--stress", "quantum_noise", "--defence", "blur")
    return ("run", model, "--data", data, *asked, *out)


def test_the_command_line_refuses_in_one_line(hipaudit, base) -> None:
    for setting, words in (
        ("blur.sigma=0", "`sigma` to be a number above 0"),
        ("blur.sigma", "NAME.PARAMETER=VALUE"),
        ("blur.sigme=2", 'Did you mean "sigma"'),
    ):
        code, _, err = hipaudit(*base, "--set", setting)
        assert code == 2
        assert words in err
        assert "Traceback" not in err


@pytest.mark.slow
def test_the_command_line_sets(hipaudit, base, tmp_path) -> None:
    code, _, err = hipaudit(*base, "--set", "blur.sigma=2.5")
    assert code in (0, 3), err
    results = read_results(tmp_path / "out" / "audit.json")
    assert any("Gaussian of 2.5 pixels" in note.text for note in results.notes)
    assert "--set blur.sigma=2.5" in results.provenance.command


def test_a_probe_is_set_like_a_stress_and_a_mistyped_setting_of_it_is_answered():
    check_settings(AuditOptions(params={"shortcuts": {"cases": 50}}))
    with pytest.raises(HipauditError, match='a parameter of shortcuts, but found "case"'):
        check_settings(AuditOptions(params={"shortcuts": {"case": 50}}))
    with pytest.raises(HipauditError, match="leakage has nothing to set"):
        check_settings(AuditOptions(params={"leakage": {"radius": 3}}))
