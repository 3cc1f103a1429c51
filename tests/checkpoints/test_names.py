"""Class order and positive class: said, found, or refused; never guessed from the alphabet."""

from __future__ import annotations

import pytest

from audit.checkpoints.load import load_classifier
from audit.checkpoints.names import class_order, positive_class, sounds
from audit.checkpoints.options import ModelOptions
from audit.errors import HipauditError
from tests.checkpoints.files import saved, torchvision_net


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("fractured", "positive"),
        ("Fracture", "positive"),
        ("hip-fracture", "positive"),
        ("ABNORMAL", "positive"),
        ("1_positive", "positive"),
        ("normal", "negative"),
        ("not_fractured", "negative"),
        ("no fracture", "negative"),
        ("non-fractured", "negative"),
        ("unfractured", "negative"),
        ("healthy", "negative"),
        ("class_1", None),
        ("1", None),
        ("left", None),
    ],
)
def test_names_that_say_it_are_understood(name, wanted):
    assert sounds(name) == wanted


@pytest.mark.parametrize(
    ("classes", "wanted"),
    [
        (("fractured", "normal"), "fractured"),
        (("normal", "fractured"), "fractured"),
        (("fractured", "not_fractured"), "fractured"),
        (("negative", "pneumonia"), "pneumonia"),
    ],
)
def test_an_unambiguous_name_is_positive_with_a_note(classes, wanted):
    found, notes = positive_class(classes, None, "")
    assert found == wanted
    assert [note.level for note in notes] == ["assumed"]


@pytest.mark.parametrize(
    "classes", [("a", "b"), ("0", "1"), ("fracture", "broken"), ("left", "right")]
)
def test_names_that_do_not_say_it_are_refused_with_the_flag(classes):
    with pytest.raises(HipauditError, match="--positive-class"):
        positive_class(classes, None, "")


def test_an_unknown_positive_class_is_answered_with_the_nearest():
    with pytest.raises(HipauditError, match='Did you mean "fractured"'):
        positive_class(("fractured", "normal"), "fracturd", "--positive-class")


def test_without_names_the_datas_are_taken_in_alphabetical_order_and_said():
    classes, notes = class_order(2, ["normal", "fractured"], None, "")
    assert classes == ("fractured", "normal")
    assert [(note.code, note.level) for note in notes] == [("class-order", "assumed")]


@pytest.mark.parametrize(
    ("outputs", "labels", "said"),
    [
        (3, ["a", "b"], None),
        (1000, ["a", "b"], None),
        (2, ["a"], None),
        (2, [], None),
        (2, ["a", "b"], ("a", "b", "c")),
        (2, ["a", "b"], ("a", "a")),
        (2, ["a", "c"], ("a", "b")),
    ],
)
def test_counts_and_names_that_do_not_fit_are_refused_with_the_flag(outputs, labels, said):
    with pytest.raises(HipauditError, match="--classes"):
        class_order(outputs, labels, said, "--classes")


def test_names_in_the_checkpoint_are_used_and_flags_come_before_them(tmp_path):
    net = torchvision_net("squeezenet1_1")
    content = {"model": net.state_dict(), "class_to_idx": {"normal": 0, "fractured": 1}}
    path = saved(tmp_path / "m.pt", content)
    labels = ("fractured", "normal")
    found = load_classifier(path, labels).description
    assert (found.classes, found.positive_class) == (("normal", "fractured"), "fractured")
    assert "class-order" not in {note.code for note in found.notes}
    options = ModelOptions(classes=("fractured", "normal"), positive_class="normal")
    found = load_classifier(path, labels, options).description
    assert (found.classes, found.positive_class) == (("fractured", "normal"), "normal")
