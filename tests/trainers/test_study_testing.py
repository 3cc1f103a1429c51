"""What the test split says of a model: numbers against other libraries, pictures against rules."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from audit.cases.case import Case, Cases
from audit.engine import Quiet
from audit.errors import HipauditError
from audit.results import DataDescription, Finding
from tests.doubles import SIZE, Brightness, classifier_of
from trainers.architectures import NEXT, STUDY
from trainers.study.attacked import EPSILONS, attacked, panels
from trainers.study.shapes import ENOUGH, check_size, smallest, takes
from trainers.study.surest import SHOWN, Sight, ranked_decisions
from trainers.study.testing import baseline, findings_of, overall, predict_test, under_attack
from trainers.study.weights import start_digest, starting_weights


def flat_cases(levels, labels, burned=()):
    """Flat images of a level, each of its own patient; frontal where the number is even."""
    made = []
    for number, (level, label) in enumerate(zip(levels, labels, strict=True)):
        pixels = np.full((SIZE, SIZE), level, np.float32)
        made.append(
            Case(
                id=f"{number:04x}",
                label=label,
                load=lambda pixels=pixels: pixels,
                patient=f"P{number:04d}",
                attributes={"view": ("frontal", "lateral")[number % 2]},
                shape=pixels.shape,
                burned_in=True if number in burned else None,
            )
        )
    return Cases(made, DataDescription(layout="doubles", cases=len(made)))


@pytest.fixture
def noisy():
    """120 cases that brightness predicts imperfectly: (cases, truth, log-odds)."""
    draw = np.random.default_rng(3)
    truth = draw.random(120) < 0.4
    levels = (0.5 + np.where(truth, 0.05, -0.05) + draw.normal(0, 0.06, 120)).clip(0, 1)
    cases = flat_cases(levels.astype(np.float32), np.where(truth, "fracture", "normal"))
    return cases, truth, levels - 0.5


def look(cases, folder):
    classifier = classifier_of(Brightness())
    return classifier, predict_test(classifier, cases, folder, seed=0, progress=Quiet())


def test_the_rates_of_the_test_split_are_those_of_sklearn_and_statsmodels(noisy, tmp_path):
    cases, truth, score = noisy
    _, predictions = look(cases, tmp_path)
    found = findings_of(predictions, ("view",), 0)
    called = score > 0
    right = int((called == truth).sum())
    accuracy = overall(found, "accuracy")
    assert (accuracy.events, accuracy.n, accuracy.method) == (right, 120, "wilson")
    assert (accuracy.low, accuracy.high) == pytest.approx(
        proportion_confint(right, 120, method="wilson")
    )
    expected = {
        "sensitivity": recall_score(truth, called),
        "specificity": recall_score(~truth, ~called),
        "precision": precision_score(truth, called),
        "f1": f1_score(truth, called),
        "auroc": roc_auc_score(truth, score),
    }
    assert {name: overall(found, name).value for name in expected} == pytest.approx(expected)


def test_each_view_has_its_own_wilson_interval(noisy, tmp_path):
    cases, truth, score = noisy
    found = findings_of(look(cases, tmp_path)[1], ("view",), 0)
    for place, view in enumerate(("frontal", "lateral")):
        (one,) = [
            f for f in found
            if f.metric == "accuracy" and f.group == {"view": view} and f.contrast is None
        ]  # fmt: skip
        right = int(((score > 0) == truth)[place::2].sum())
        assert (one.low, one.high) == pytest.approx(proportion_confint(right, 60, method="wilson"))


def test_a_subgroup_the_data_does_not_have_is_left_out(noisy, tmp_path):
    found = findings_of(look(noisy[0], tmp_path)[1], ("view", "scanner"), 0)
    assert {name for f in found for name in f.group} == {"view"}


def test_the_baseline_is_the_share_of_the_commoner_class():
    assert baseline(flat_cases([0.1] * 10, ["normal"] * 7 + ["fracture"] * 3)) == 0.7


def test_of_an_audit_only_the_undefended_overall_numbers_are_kept():
    wanted = Finding(metric="robust_accuracy", stress="fgsm", value=0.5)
    others = [
        Finding(metric="robust_accuracy", stress="fgsm", defence="tta", value=0.5),
        Finding(metric="robust_accuracy", stress="fgsm", group={"view": "frontal"}, value=0.5),
        Finding(metric="robust_accuracy", stress="fgsm", contrast="clean", value=0.5),
        Finding(metric="accuracy", stress="clean", value=0.5),
        Finding(metric="robust_accuracy", stress="map", params={"dx": 1}, value=0.5),
        Finding(metric="robust_accuracy", stress="map", variant="average", value=0.5),
    ]
    worst = Finding(metric="robust_accuracy", stress="map", variant="worst cell", value=0.1)
    assert under_attack([*others, wanted, worst]) == (wanted, worst)


def test_the_surest_right_and_the_least_sure_wrong_come_first_and_burned_in_text_never(tmp_path):
    levels = [0.9, 0.6, 0.1, 0.45, 0.55, 0.99, 0.8]
    labels = ["fracture", "fracture", "normal", "fracture", "normal", "fracture", "normal"]
    cases = flat_cases(levels, labels, burned={5})
    classifier, predictions = look(cases, tmp_path)
    right, wrong = ranked_decisions(Sight("m", classifier, cases, predictions, 0))
    assert [s.case for s in right] == ["0000", "0002", "0001"]  # .4, .4 and .1 from the boundary
    assert [s.case for s in wrong] == ["0003", "0004", "0006"]
    assert SHOWN >= 3


def test_the_attacked_image_is_the_first_hit_by_id_and_keeps_to_its_radius(tmp_path):
    cases = flat_cases([0.2, 0.6, 0.51, 0.9], ["fracture", "fracture", "fracture", "normal"], {1})
    classifier, predictions = look(cases, tmp_path)
    drawn = list(attacked(Sight("m", classifier, cases, predictions, 0)))
    assert [p.meta["case"] for p in drawn] == ["0002", "0002"]  # 0000 is missed, 0001 has text
    by_radius = {round(p.meta["epsilon"] * 255, 2): p.meta["fooled"] for p in drawn}
    assert by_radius == {2.0: False, 8.82: True}  # .51 needs more than .01 = 2.55/255
    assert [p.kind for p in drawn] == ["fgsm", "fgsm"]
    assert {round(e * 255, 1) for e, _ in EPSILONS.values()} == {2.0, 8.8}


def test_the_panels_show_before_the_change_between_black_and_white_and_after():
    before = torch.full((1, 224, 224), 0.4)
    after = before.clone()
    after[:, :112] += 0.02
    after[:, 112:] -= 0.01
    image = np.asarray(Image.open(io.BytesIO(panels(before, after, 0.02))))
    assert image.shape == (224, 3 * 224 + 16, 3)
    left, middle, right = image[:, 0, 0], image[:, 300, 0], image[:, -1, 0]
    assert set(left.tolist()) == {102}
    assert (middle[0], middle[-1]) == (255, 64)  # +ε is white; −ε/2 is a quarter grey
    assert (right[0], right[-1]) == (107, 99)


def test_without_a_hit_an_image_rightly_called_normal_is_attacked(tmp_path):
    cases = flat_cases([0.2, 0.4, 0.3], ["fracture", "normal", "normal"])
    classifier, predictions = look(cases, tmp_path)
    drawn = list(attacked(Sight("m", classifier, cases, predictions, 0)))
    assert {p.meta["case"] for p in drawn} == {"0001"}


def test_nothing_is_attacked_where_nothing_was_right(tmp_path):
    cases = flat_cases([0.2, 0.9], ["fracture", "normal"])
    classifier, predictions = look(cases, tmp_path)
    assert list(attacked(Sight("m", classifier, cases, predictions, 0))) == []


def test_alexnet_needs_63_pixels_as_its_strides_say():
    def side(size):
        for kernel, stride, padding in ((11, 4, 2), (3, 2, 0), (3, 2, 0), (3, 2, 0)):
            size = (size + 2 * padding - kernel) // stride + 1
        return size

    least = next(size for size in range(11, 224) if side(size) >= 1)
    assert smallest("alexnet", "concat-pool") == least == 63
    check_size("alexnet", 63, "concat-pool")
    with pytest.raises(HipauditError, match="--size 63"):
        check_size("alexnet", 62, "concat-pool")


@pytest.mark.slow
@pytest.mark.parametrize("head", ["concat-pool", "native", "torchvision"])
@pytest.mark.parametrize("name", [row.name for row in (*STUDY, *NEXT)])
def test_every_network_of_the_study_takes_64_pixels(name, head):
    assert ENOUGH == 64
    assert takes(name, 64, head)


def _weights(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


def test_torchvisions_file_names_are_told_apart(tmp_path):
    folder = _weights(
        tmp_path, "vgg19-dcbb9e9d.pth", "vgg19_bn-c79401a0.pth", "resnet50.safetensors", "notes.txt"
    )
    found = starting_weights(folder, ["vgg19", "vgg19_bn", "resnet50"])
    assert [path.name for path in found.values()] == [
        "vgg19-dcbb9e9d.pth", "vgg19_bn-c79401a0.pth", "resnet50.safetensors"
    ]  # fmt: skip


def test_every_architecture_without_a_file_is_named(tmp_path):
    with pytest.raises(HipauditError, match=r"none for resnet152, densenet121\.") as error:
        starting_weights(
            _weights(tmp_path, "resnet50.pth"), ["resnet50", "resnet152", "densenet121"]
        )
    assert "resnet152.pth" in error.value.fix


def test_two_files_for_one_network_are_refused(tmp_path):
    with pytest.raises(HipauditError, match="one weights file of alexnet"):
        starting_weights(_weights(tmp_path, "alexnet.pth", "alexnet-1.pth"), ["alexnet"])


def test_one_file_serves_one_network_only(tmp_path):
    file = _weights(tmp_path, "a.pth") / "a.pth"
    assert starting_weights(file, ["alexnet"]) == {"alexnet": file}
    with pytest.raises(HipauditError, match="one file"):
        starting_weights(file, ["alexnet", "resnet50"])


def test_a_start_is_recorded_by_its_digest_and_never_by_its_name(tmp_path):
    import hashlib

    file = _weights(tmp_path, "jansen.pth") / "jansen.pth"
    assert start_digest(file) == f"sha256 {hashlib.sha256(b'x').hexdigest()}"
    assert (start_digest(None), start_digest("imagenet")) == ("random", "imagenet")
