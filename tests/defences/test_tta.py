"""Test-time augmentation against views made by hand, SciPy and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.special import log_softmax, softmax
from torch import Tensor, nn

from audit.classifier import Classifier
from audit.defences.registry import get_defence, load_defences
from audit.defences.tta import View, seen, tta, views
from tests.stresses.promises import small_classifier
from tests.toys import balanced_net, centroid, classifier_of

NOTHING = {"angle": 0.0, "shift": 0.0, "scale": 1.0}


def dot(column: int, row: int, side: int = 40) -> Tensor:
    x = torch.zeros(1, 1, side, side)
    x[:, :, row - 1 : row + 2, column - 1 : column + 2] = 1.0
    return x


def test_without_any_view_but_the_image_itself_nothing_changes() -> None:
    classifier, x, _ = small_classifier()
    plain = log_softmax(classifier.predict(x).logits.numpy().astype(np.float64), axis=1)
    hardened = tta(classifier, **NOTHING).predict(x).logits.numpy()
    assert np.abs(hardened - plain).max() <= 1e-6


def test_the_answer_is_the_logarithm_of_the_mean_softmax_over_the_listed_views() -> None:
    classifier, x, _ = small_classifier()
    each = [softmax(classifier.predict(seen(x, v)).logits.numpy(), axis=1) for v in views()]
    told = tta(classifier).predict(x).logits.numpy()
    assert np.abs(np.exp(told) - np.mean(each, axis=0)).max() <= 1e-6
    assert np.exp(told).sum(axis=1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("view", "axis", "sign"),
    [(View(dx=0.1), 0, 1), (View(dx=-0.1), 0, -1), (View(dy=0.1), 1, 1), (View(dy=-0.1), 1, -1)],
)
def test_a_shift_moves_the_content_by_that_fraction_of_the_side(view, axis, sign) -> None:
    moved = [float(c) for c in centroid(seen(dot(20, 20), view))]
    still = [float(c) for c in centroid(dot(20, 20))]
    assert moved[axis] - still[axis] == pytest.approx(4 * sign, abs=1e-4)
    assert moved[1 - axis] == pytest.approx(still[1 - axis], abs=1e-4)


def test_a_positive_angle_turns_the_content_counter_clockwise_as_scipy_does() -> None:
    x = balanced_net(1, 32)[1]
    ours = seen(x, View(angle=7.0))[0, 0].numpy()
    theirs = ndimage.rotate(x[0, 0].numpy(), 7.0, reshape=False, order=1)
    assert np.abs(ours - theirs)[6:-6, 6:-6].max() <= 1e-5


def test_a_scale_above_one_enlarges_about_the_centre() -> None:
    right, down = centroid(seen(dot(30, 12), View(scale=1.25)))
    far, low = centroid(dot(30, 12))
    assert float(right) == pytest.approx(1.25 * float(far), abs=0.05)
    assert float(down) == pytest.approx(1.25 * float(low), abs=0.05)


def test_flip_is_off_unless_asked_for_because_it_swaps_left_and_right() -> None:
    assert not any(view.flip for view in views())
    assert sum(view.flip for view in views(flip=True)) == 1
    assert torch.equal(seen(dot(30, 12), View(flip=True)), torch.flip(dot(30, 12), dims=[3]))


class SeesGrey(nn.Module):
    """Refuses what is not one channel within [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[1] == 1
        assert x.min() >= -1e-6
        assert x.max() <= 1 + 1e-6
        m = x.mean((1, 2, 3))
        return torch.stack([m, -m], dim=1)


def test_a_grey_image_is_seen_grey_and_in_range_in_every_view() -> None:
    x = (torch.rand(3, 1, 33, 47, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    assert tta(classifier_of(SeesGrey(), 33, 47), flip=True).predict(x).logits.shape == (3, 2)


def test_the_gradient_goes_through_all_views() -> None:
    net, x, _ = balanced_net(1, 24)
    hardened = tta(classifier_of(net.double(), 24, 24))
    # the network's parts that are not parameters
    net.place, net.middle = net.place.double(), net.middle.double()
    leaf = x.double().requires_grad_(True)
    margin = hardened.decision_logits(leaf)
    (gradient,) = torch.autograd.grad((margin[:, 1] - margin[:, 0]).sum(), leaf)
    step = 1e-6 * torch.from_numpy(np.random.default_rng(0).standard_normal(x.shape))
    with torch.no_grad():
        up, down = hardened.decision_logits(leaf + step), hardened.decision_logits(leaf - step)
    numeric = ((up[:, 1] - up[:, 0]) - (down[:, 1] - down[:, 0])).item() / 2
    assert numeric == pytest.approx(float((gradient * step).sum()), rel=1e-4)


def test_the_threshold_still_decides() -> None:
    classifier, x, _ = small_classifier()
    shares = np.exp(tta(classifier).predict(x).logits.numpy())[:, 1]
    threshold = float(np.sort(shares)[-2:].mean())
    told = {"threshold": threshold}
    classifier.description = classifier.description.model_copy(update=told)
    hardened = tta(classifier)
    decided = hardened.decide(hardened.predict(x).logits)
    assert decided.tolist() == (shares >= threshold).astype(int).tolist()
    assert hardened.decision_logits(x).argmax(1).tolist() == decided.tolist()


def test_the_cost_is_the_number_of_views_and_the_forwards_are_counted() -> None:
    classifier, x, _ = small_classifier()
    chosen = get_defence("tta")
    before = classifier.forwards
    hardened = chosen.harden(classifier)
    hardened.predict(x)
    assert hardened.forwards - before == len(x) * chosen.cost(chosen.defaults)


def test_the_views_are_listed_in_the_notes_and_the_given_classifier_is_untouched() -> None:
    classifier, x, _ = small_classifier()
    before, notes = classifier.predict(x).logits, classifier.description.notes
    hardened = tta(classifier)
    (note,) = hardened.description.notes[len(notes) :]
    assert note.code == "tta.views"
    for word in ("8 views", "as given", "rotated -5°", "shifted +3% down", "scaled ×1.05"):
        assert word in note.text
    assert classifier.description.notes == notes
    assert torch.equal(classifier.predict(x).logits, before)


@pytest.mark.parametrize("name", [n for n, d in sorted(load_defences().items()) if not d.trained])
def test_every_defence_gives_the_same_answer_twice_and_in_any_batch(name: str) -> None:
    classifier, x, _ = small_classifier()
    hardened = load_defences()[name].harden(classifier)
    assert isinstance(hardened, Classifier)
    whole = hardened.predict(x).logits
    assert torch.equal(hardened.predict(x).logits, whole)
    singly = torch.cat([hardened.predict(x[i : i + 1]).logits for i in range(len(x))])
    assert (singly - whole).abs().max() <= 1e-4
    assert whole.shape == (len(x), 2)
