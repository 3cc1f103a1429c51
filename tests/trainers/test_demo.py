"""The demo's training, at a fraction of its length."""

from __future__ import annotations

import pytest

from audit.checkpoints.load import load_classifier
from trainers.demo import train_demo
from trainers.phantom.write import write_phantoms


@pytest.mark.slow
def test_the_demo_checkpoint_is_repeatable_and_says_it_is_synthetic(tmp_path):
    data = write_phantoms(tmp_path / "data", patients=40, size=64)
    path = train_demo(data, seconds=24)
    first = path.read_bytes()
    classifier = load_classifier(path, ("fracture", "normal"))
    assert classifier.description.positive_class == "fracture"
    assert classifier.description.training["synthetic"] is True
    assert classifier.description.training["recipe"]["max_epochs"] == 2
    assert train_demo(data, seconds=24).read_bytes() == first
