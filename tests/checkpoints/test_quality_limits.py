"""Limits of quality that come with a model: from model.yaml, else from its training record."""

from __future__ import annotations

import pytest

from audit.checkpoints.load import load_classifier
from audit.errors import HipauditError
from audit.quality.limits import limits_of
from tests.checkpoints.files import LABELS, saved, torchvision_net

GOOD = "quality_limits: {highest: {blur_effect: 0.7}, lowest: {contrast: 0.2}, origin: our set}\n"


@pytest.fixture(scope="module")
def network():
    return torchvision_net("squeezenet1_1").state_dict()


def test_the_limits_of_a_sidecar_are_obeyed(network, tmp_path):
    path = saved(tmp_path / "net.pt", network)
    (tmp_path / "model.yaml").write_text(GOOD)
    found = limits_of(load_classifier(path, LABELS))
    assert (dict(found.highest), dict(found.lowest)) == ({"blur_effect": 0.7}, {"contrast": 0.2})
    assert found.origin == "our set"


def test_without_any_the_stated_limits_hold(network, tmp_path):
    found = limits_of(load_classifier(saved(tmp_path / "net.pt", network), LABELS))
    assert "stated in advance" in found.origin


@pytest.mark.parametrize(
    "text", ["{highest: {blurr: 0.7}}", "{highest: {blur_effect: 7}}", "{a: 1}"]
)
def test_limits_that_are_none_are_refused_before_any_image_is_read(text, network, tmp_path):
    path = saved(tmp_path / "net.pt", network)
    (tmp_path / "model.yaml").write_text(f"quality_limits: {text}\n")
    with pytest.raises(HipauditError) as caught:
        load_classifier(path, LABELS)
    assert "\n" not in str(caught.value)
