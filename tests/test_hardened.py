"""A trained defence in an audit: whose weights answer, what is paired, what is kept apart."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from doubles import SIZE, Brightness, cases_of, classifier_of
from torch import Tensor

from audit.conduct import conduct
from audit.errors import HipauditError
from audit.options import AuditOptions
from audit.results import Note, Results

NAME = "adversarial-training"
LEVELS = [0.3 + 0.4 * i / 59 for i in range(60)]
EPSILON = 4 / 255
ASKED = AuditOptions(
    preset="ci", stresses=("fgsm",), epsilons=(EPSILON,), defences=(NAME,), probes=()
)


class Brittle(Brightness):
    """Brightness that a checkerboard of ±ε moves four times as far: 3ε more than the mean does."""

    def forward(self, x: Tensor) -> Tensor:
        board = (torch.arange(SIZE)[:, None] + torch.arange(SIZE)) % 2 * 2.0 - 1
        score = self.steep * (x.mean((1, 2, 3)) - self.boundary + 3 * (x * board).mean((1, 2, 3)))
        return torch.stack([score, -score], dim=1)


def audited(folder, plain=None, hardened=None, options=ASKED) -> Results:
    made = {NAME: hardened or classifier_of(Brightness())}
    model = plain or classifier_of(Brittle())
    return conduct(model, cases_of(LEVELS), folder, options, notes=(), hardened=made)


def standing(reach: float) -> int:
    """Levels that a change of the score by `reach` leaves on their side of 0.5."""
    return sum(abs(level - 0.5) > reach for level in LEVELS)


def test_attacks_go_through_the_hardened_weights_and_the_gain_is_paired_per_image(tmp_path):
    results = audited(tmp_path)
    # Each pixel pulls with weight 1 ± 3: the mean of |1 ± 3| is 3, so ±ε moves the score by 3ε.
    plain, hard = standing(3 * EPSILON), standing(EPSILON)
    assert plain < hard < len(LEVELS)
    where = {"stress": "fgsm", "group": {}}
    (before,) = results.find("robust_accuracy", defence="none", contrast=None, **where)
    after, carried = results.find("robust_accuracy", defence=NAME, contrast=None, **where)
    assert (before.events, after.events) == (plain, hard)
    assert carried.params["surrogate"] == "undefended"
    gain, _ = results.find("robust_accuracy", defence=NAME, contrast="defence=none", **where)
    assert gain.value == pytest.approx((hard - plain) / len(LEVELS))
    assert gain.low > 0
    (cost,) = results.find(
        "accuracy", stress="clean", group={}, defence=NAME, contrast="defence=none"
    )
    assert cost.value == 0.0


def test_other_hardened_weights_are_another_audit_and_share_the_plain_units(tmp_path):
    audited(tmp_path)
    other = classifier_of(Brightness(steep=9.0))
    with pytest.raises(HipauditError, match="another audit"):
        audited(tmp_path, hardened=other)
    before = {path.name for path in (tmp_path / "units").iterdir()}
    again = replace(ASKED, overwrite=True)
    plain = classifier_of(Brittle())
    audited(tmp_path, plain=plain, hardened=other, options=again)
    added = {path.name for path in (tmp_path / "units").iterdir()} - before
    assert len(added) == 3, "clean, fgsm and its transfer under the defence"


def test_the_same_hardened_weights_compute_nothing_twice(tmp_path):
    first = audited(tmp_path)
    hardened = classifier_of(Brightness())
    assert audited(tmp_path, hardened=hardened) == first
    assert hardened.forwards == 0


def test_what_the_hardened_classifier_says_of_itself_is_in_the_audit(tmp_path):
    hardened = classifier_of(Brightness())
    note = Note(code=NAME, level="info", text="trained on 3 images")
    told = {"notes": (note,)}
    hardened.description = hardened.description.model_copy(update=told)
    audited(tmp_path, hardened=hardened)
    assert note.model_dump() in json.loads((tmp_path / "audit.json").read_text())["notes"]


def test_without_hardened_weights_the_defence_names_the_flag(tmp_path):
    with pytest.raises(HipauditError, match="--train-data PATH"):
        conduct(classifier_of(Brittle()), cases_of(LEVELS), tmp_path, ASKED, notes=())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "changes", [{"positive_class": "normal"}, {"threshold": 0.4}], ids=["positive", "threshold"]
)
def test_a_classifier_that_decides_otherwise_cannot_be_paired(tmp_path, changes):
    other = classifier_of(Brightness(), **changes)
    with pytest.raises(HipauditError, match=next(iter(changes))):
        audited(tmp_path, hardened=other)
