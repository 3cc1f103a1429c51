"""A cascade routes, crops and refers as its links say; planted links have known answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from audit.cascade.assemble import assemble
from audit.fingerprint import model_digest
from tests.cascade.chains import (
    Brighter,
    Centroid,
    Says,
    Spot,
    classifier,
    flat,
    spots,
)

VIEWS = ("frontal", "lateral")


def chain(view, routing="soft", frontal=None, lateral=None, views=VIEWS, **more):
    branches = {
        "frontal": classifier(frontal or Says(2.0, -1.0)),
        "lateral": classifier(lateral or Says(-0.5, 1.0)),
    }
    return assemble(branches, view=classifier(view, views), size=64, routing=routing, **more)


def softmax(*logits):
    raised = np.exp(np.asarray(logits, dtype=np.float64))
    return raised / raised.sum()


@pytest.mark.parametrize("routing", ["soft", "hard"])
def test_a_view_network_that_always_says_lateral_routes_to_the_lateral_branch(routing):
    model = chain(Says(-200.0, 200.0), routing)
    found = model.predict(torch.rand(3, 1, 64, 64)).logits.softmax(1).numpy()
    np.testing.assert_allclose(found, np.tile(softmax(-0.5, 1.0), (3, 1)), atol=1e-6)


def test_soft_routing_is_the_mixture_computed_by_hand():
    model = chain(Says(0.3, -0.4))
    share = softmax(0.3, -0.4)
    wanted = share[0] * softmax(2.0, -1.0) + share[1] * softmax(-0.5, 1.0)
    found = model.predict(flat(0.5)).logits[0].exp().numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_hard_routing_answers_with_the_likeliest_view_alone_image_by_image():
    model = chain(Brighter(0.5), "hard")
    found = model.predict(flat(0.2, 0.8, 0.3)).logits.exp().numpy()
    wanted = [softmax(2.0, -1.0), softmax(-0.5, 1.0), softmax(2.0, -1.0)]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_hard_routing_runs_only_the_branch_it_chose():
    seen = []
    lateral = Says(0.0, 1.0)
    lateral.register_forward_hook(lambda _m, given, _o: seen.append(len(given[0])))
    model = chain(Brighter(0.5), "hard", lateral=lateral)
    model.predict(flat(0.2, 0.8, 0.3, 0.9))
    model.predict(flat(0.1, 0.2))
    assert seen == [2]


def test_the_value_of_hard_routing_is_the_same_with_and_without_gradients():
    model = chain(Brighter(0.5), "hard", frontal=Brighter(0.1), lateral=Brighter(0.9))
    x = torch.rand(4, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    attacked = model.decision_logits(x.requires_grad_(True))
    torch.testing.assert_close(attacked.detach(), model.predict(x).logits, rtol=0, atol=1e-6)


@pytest.mark.parametrize("routing", ["soft", "hard"])
def test_gradients_reach_the_image_through_the_view_network_alone(routing):
    model = chain(Brighter(0.5, 2.0), routing)  # the branches are blind
    x = flat(0.45).requires_grad_(True)
    z = model.decision_logits(x)
    (z[0, 1] - z[0, 0]).backward()
    # brighter means lateral, which says fracture
    assert (x.grad > 0).all()


@pytest.mark.parametrize("routing", ["soft", "hard"])
def test_gradients_reach_the_image_through_the_place_of_the_crop(routing):
    class Pattern(nn.Module):
        """Fixed numbers over the crop: only a movement of the window changes its answer."""

        def __init__(self):
            super().__init__()
            self.ramp = nn.Parameter(torch.linspace(0, 1, 32).view(1, 1, 1, 32))

        def forward(self, x):
            score = 50 * (x * self.ramp).mean((1, 2, 3))
            return torch.stack([-score, score], 1)

    class Bottom(nn.Module):
        """Looks at the last row only; the crop never shows it."""

        def forward(self, x):
            return torch.stack([x[:, 0, -1].mean(1) * 4 - 1, 0 * x[:, 0, 0, 0]], 1)

    model = assemble(
        {name: classifier(Pattern()) for name in VIEWS},
        view=classifier(Says(1.0, 0.0), VIEWS),
        localiser=classifier(Bottom(), ("x", "y"), size=64),
        size=64, window=0.3, routing=routing,
    )  # fmt: skip
    x = spots((20, 32), height=64, width=64).requires_grad_(True)
    model.decision_logits(x)[0, 1].backward()
    assert x.grad[0, 0, -1].abs().min() > 0


def test_a_view_without_a_branch_is_answered_by_all_alike_and_referred():
    views = ("frontal", "lateral", "oblique")
    for routing in ("soft", "hard"):
        model = chain(Says(-99.0, -99.0, 99.0), routing, views=views)
        found = model.predict(flat(0.5))
        wanted = (softmax(2.0, -1.0) + softmax(-0.5, 1.0)) / 2
        np.testing.assert_allclose(found.logits[0].exp().numpy(), wanted, atol=1e-6)
        assert found.referred.tolist() == [True]
    model = chain(Says(-99.0, -99.0, 99.0), views=views, refer_unknown=False)
    assert model.predict(flat(0.5)).referred.tolist() == [False]


def test_an_image_of_metal_is_referred_and_answered_all_the_same():
    metal = classifier(Brighter(0.8), ("none", "metal"))
    model = chain(Says(9.0, -9.0), metal=metal)
    found = model.predict(flat(0.2, 0.9, 0.79, 0.81))
    assert found.referred.tolist() == [False, True, False, True]
    np.testing.assert_array_equal(model.decide(found.logits), [0, 0, 0, 0])


def test_the_metal_filter_refers_from_its_recorded_threshold_on():
    # P(metal) = 1 / (1 + exp(-20 (level - 0.5))): 0.881 at 0.6, 0.982 at 0.7
    metal = classifier(Brighter(0.5), ("none", "metal"), threshold=0.95, threshold_origin="val")
    model = chain(Says(9.0, -9.0), metal=metal)
    assert model.predict(flat(0.6, 0.7)).referred.tolist() == [False, True]
    assert any("at least 0.95 (val)" in note.text for note in model.description.notes)


def test_a_view_that_is_not_sure_enough_is_referred():
    model = chain(Brighter(0.5), view_confidence=0.9)
    # P of the likelier view: 0.5 at 0.5; 0.88 at 0.6 and 0.4; 0.95 at 0.65
    assert model.predict(flat(0.5, 0.6, 0.4, 0.65)).referred.tolist() == [True, True, True, False]


def test_without_a_view_network_the_one_branch_answers_as_it_would_alone():
    alone = classifier(Brighter(0.3), size=64)
    model = assemble(alone, size=64)
    x = torch.rand(3, 1, 64, 64)
    torch.testing.assert_close(model.predict(x).logits, alone.predict(x).logits)
    assert not model.predict(x).referred.any()


def test_one_branch_with_a_view_network_refers_the_other_view():
    model = assemble(
        {"frontal": classifier(Brighter(0.3))}, view=classifier(Brighter(0.5), VIEWS), size=64
    )
    assert model.predict(flat(0.4, 0.6)).referred.tolist() == [False, True]


def test_the_branch_sees_the_window_about_the_place_the_localiser_gives():
    seen = []
    branch = Says(0.0, 1.0)
    branch.register_forward_hook(lambda _m, given, _o: seen.append(given[0].clone()))
    model = assemble(
        classifier(branch), localiser=classifier(Centroid(), ("x", "y"), size=64),
        size=64, window=0.5,
    )  # fmt: skip
    x = spots((20, 40), (30, 22))
    model.predict(x)
    torch.testing.assert_close(seen[0][0], x[0, :, 24:56, 4:36], rtol=0, atol=1e-3)
    torch.testing.assert_close(seen[0][1], x[1, :, 6:38, 14:46], rtol=0, atol=1e-3)


def test_a_localiser_may_give_the_side_between_the_smallest_and_the_largest():
    model = assemble(
        classifier(Says(0.0, 1.0)),
        localiser=classifier(Says(0.0, 0.0, np.log(0.25 / 0.75)), ("x", "y", "side")),
        size=64, window=(0.2, 0.6),
    )  # fmt: skip
    centre, side = model.module.place(flat(0.5))
    np.testing.assert_allclose(centre.numpy(), [[0.5, 0.5]], atol=1e-6)
    np.testing.assert_allclose(side.numpy(), [0.2 + 0.4 * 0.25], atol=1e-6)


def test_only_small_images_reach_the_networks_of_a_large_cascade():
    shapes = {}
    links = {"branch": Says(0.0, 1.0), "view": Says(1.0, 0.0), "place": Says(0.0, 0.0)}
    for name, link in links.items():
        link.register_forward_hook(
            lambda _m, given, _o, name=name: shapes.update({name: given[0].shape})
        )
    model = assemble(
        {"frontal": classifier(links["branch"]), "lateral": classifier(Says(0.0, 1.0))},
        view=classifier(links["view"], VIEWS),
        localiser=classifier(links["place"], ("x", "y")),
        size=1024, window=0.4,
    )  # fmt: skip
    model.predict(torch.rand(1, 1, 1024, 1024))
    assert shapes == dict.fromkeys(links, (1, 1, 32, 32))


def test_colour_is_read_as_the_mean_of_its_channels():
    model = chain(Brighter(0.5), metal=classifier(Brighter(0.6), ("none", "metal")))
    grey, colour = flat(0.7), torch.stack([flat(v)[0, 0] for v in (0.6, 0.7, 0.8)])[None]
    torch.testing.assert_close(model.predict(colour).logits, model.predict(grey).logits)
    assert model.predict(colour).referred.tolist() == [True]


@pytest.mark.parametrize("routing", ["soft", "hard"])
def test_an_answer_does_not_depend_on_the_other_images_of_the_batch(routing):
    model = chain(Brighter(0.5), routing, frontal=Spot(), lateral=Brighter(0.2))
    x = torch.rand(6, 1, 64, 64, generator=torch.Generator().manual_seed(5))
    x[::2] *= 0.5
    together = model.predict(x).logits
    apart = torch.cat([model.predict(one[None]).logits for one in x])
    torch.testing.assert_close(together, apart, rtol=0, atol=1e-5)


def test_every_weight_threshold_and_rule_is_part_of_what_identifies_a_unit():
    def made(boundary=None, threshold=0.5, routing="soft", window=0.5, confidence=None):
        metal = Brighter(0.5)
        localiser = Says(0.0, 0.0)
        with torch.no_grad():
            if boundary == "metal":
                metal.steep += 1e-6 * 20
            if boundary == "localiser":
                localiser.logits[1] += 1e-6
        return model_digest(
            chain(
                Says(1.0, 0.0), routing, window=window, view_confidence=confidence,
                metal=classifier(metal, ("none", "metal"), threshold=threshold),
                localiser=classifier(localiser, ("x", "y")),
            )
        )  # fmt: skip

    digests = [
        made(), made("metal"), made("localiser"), made(threshold=0.6), made(routing="hard"),
        made(window=0.4), made(confidence=0.7),
    ]  # fmt: skip
    assert len(set(digests)) == len(digests)
    assert made() == digests[0]
