"""The audit attacks a cascade whole: every stress, TTA, Grad-CAM, through to audit.json."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audit.cascade.assemble import assemble
from audit.cases.arrays import from_arrays
from audit.conduct import conduct
from audit.evidence import Predictions
from audit.options import AuditOptions
from audit.preflight import preflight
from audit.presets import PRESETS
from audit.probes.gradcam.probe import grad_cam
from tests.cascade.chains import Brighter, Centroid, Says, Spot, classifier, flat, spots
from tests.toys import attack, batch_of, decided

VIEWS = ("frontal", "lateral")


def switching(routing="hard", steep=20.0):
    """Dark images are frontal, bright ones lateral; each branch is blind and says one thing."""
    return assemble(
        {"frontal": classifier(Says(4.0, -4.0)), "lateral": classifier(Says(-4.0, 4.0))},
        view=classifier(Brighter(0.5, steep), VIEWS),
        size=32,
        routing=routing,
    )


@pytest.mark.parametrize("routing", ["soft", "hard"])
@pytest.mark.parametrize("name", ["fgsm", "pgd"])
def test_an_attack_on_the_view_networks_decision_changes_the_branch(name, routing):
    model = switching(routing)
    x = flat(0.49, 0.3, size=32)
    batch = batch_of(x, target=0)
    found = attack(model, batch, name, epsilons=(8 / 255,))[-1].images
    # 8/255 = 0.031 moves the mean from 0.49 over 0.5 and from 0.3 nowhere near it
    np.testing.assert_array_equal(decided(model, x), [0, 0])
    np.testing.assert_array_equal(decided(model, found), [1, 0])
    np.testing.assert_array_equal(model.module.branch_of(found).numpy(), [1, 0])


def test_pgd_is_not_blinded_by_a_saturated_view_network():
    model = switching("hard", steep=2000.0)  # P(lateral) of 0.49 is 2e-9
    found = attack(model, batch_of(flat(0.49, size=32), target=0), "pgd", epsilons=(8 / 255,))
    assert decided(model, found[-1].images).tolist() == [1]


def small_cascade(routing):
    """All links; the metal filter refers the brightest images."""
    return assemble(
        {name: classifier(Spot(), size=16, cam_layer="copy") for name in VIEWS},
        view=classifier(Brighter(0.15), VIEWS, size=16),
        localiser=classifier(Centroid(), ("x", "y"), size=32),
        metal=classifier(Brighter(0.25, 100.0), ("none", "metal"), size=16),
        size=32,
        window=0.6,
        threshold=0.95,
        routing=routing,
    )


def few_cases():
    """16 images: a spot that is bright (fracture) or dim (normal) on a darker ground."""
    draw = np.random.default_rng(0)
    images, labels = [], []
    for number in range(16):
        image = draw.uniform(0.0, 0.1, (32, 32)).astype(np.float32)
        column, row = draw.integers(8, 24, 2)
        image[row - 5 : row + 5, column - 5 : column + 5] = 0.95 if number % 2 else 0.45
        if number in (0, 1):
            image += 0.3 * (image < 0.2)
        images.append(image)
        labels.append("fracture" if number % 2 else "normal")
    boxes = [[(4.0, 4.0, 28.0, 28.0)] for _ in images]
    return from_arrays(images, labels, boxes=boxes)


@pytest.mark.parametrize("routing", ["soft", "hard"])
def test_every_stress_of_the_quick_preset_and_tta_run_on_a_cascade(routing, tmp_path):
    model, cases = small_cascade(routing), few_cases()
    params = {
        "square": {"queries": 10},
        "one_pixel": {"queries": 24, "population": 8, "generations": 2},
        "pgd": {"steps": 3},
        "rotation_translation": {"k": 2},
    }
    chosen = AuditOptions(preset="quick", params=params, max_samples=8, batch_size=4)
    results = conduct(model, cases, tmp_path / "out", chosen)
    assert {run.state for run in results.plan.runs} == {"done"}
    wanted = {entry.stress for entry in PRESETS["quick"]} | {"clean"}
    assert {run.stress for run in results.plan.runs} == wanted
    assert {run.defence for run in results.plan.runs} == {"none", "tta"}
    states = {report.probe: report.state for report in results.probes}
    assert states["gradcam"] == "done"
    assert results.model.architecture == "cascade"


def test_referral_of_metal_reaches_the_results(tmp_path):
    model, cases = small_cascade("soft"), few_cases()
    bright = [case.id for case in cases if case.load().mean() > 0.3]
    assert len(bright) == 2
    chosen = AuditOptions(preset="ci", stresses=("fgsm",), batch_size=4, probes=())
    results = conduct(model, cases, tmp_path / "out", chosen)
    rate = results.find("referral_rate", stress="clean", group={}, defence="none")
    assert [finding.value for finding in rate] == [pytest.approx(2 / 16)]


def test_the_grad_cam_map_lies_in_the_frame_where_the_branch_saw_the_spot():
    model = assemble(
        {"frontal": classifier(Says(0.0, 1.0)), "lateral": classifier(Spot(), cam_layer="copy")},
        view=classifier(Says(-5.0, 5.0), VIEWS),
        localiser=classifier(Centroid(), ("x", "y"), size=64),
        size=64,
        window=0.5,
    )
    assert model.description.cam_layer == "branches.1.network.copy"
    cam = grad_cam(model)
    for column, row in ((20, 40), (44, 18)):
        x = spots((column, row))[0]
        heat = cam(x, 1)
        assert heat.shape == (64, 64)
        rows, columns = np.nonzero(heat > 0.5 * heat.max())
        assert abs(rows.mean() + 0.5 - row) < 1
        assert abs(columns.mean() + 0.5 - column) < 1
        assert heat[np.abs(np.arange(64) + 0.5 - row) > 17].max() == 0


def test_a_branch_without_a_layer_is_named_and_not_shown():
    model = switching("soft")
    assert model.description.cam_layer is None
    mixed = assemble(
        {"frontal": classifier(Says(0.0, 1.0)), "lateral": classifier(Spot(), cam_layer="copy")},
        view=classifier(Says(5.0, -5.0), VIEWS),
        size=32,
    )
    with pytest.raises(Exception, match="no convolutional layer"):
        grad_cam(mixed)(flat(0.5, size=32)[0], 1)


def test_predictions_of_a_cascade_are_those_of_its_classifier(tmp_path):
    from audit.engine import execute
    from audit.plan import make_plan
    from audit.store import Store

    model, cases = small_cascade("hard"), few_cases()
    options = AuditOptions(preset="ci", stresses=("fgsm",), defences=("none",))
    runs = make_plan(model, cases, options)
    table = execute(runs, model, cases, Store(tmp_path), seed=0, batch_size=3)
    assert isinstance(table, Predictions)
    x = torch.stack([model.prepare(case) for case in cases])
    np.testing.assert_allclose(table.clean_logits(), model.predict(x).logits, atol=1e-4)


def test_preflight_proposes_no_normalisation_to_a_cascade():
    class Odd(Brighter):
        """Noise on values up to 1, right on larger ones: "values 0 to 255" would fit better."""

        def forward(self, x):
            noise = torch.sin(1e4 * x.mean((1, 2, 3)))[:, None] * torch.tensor([-1.0, 1.0])
            return torch.where(x.amax() > 1.5, super().forward(x / 255), noise)

    images = [np.full((32, 32), level, np.float32) for level in np.linspace(0.1, 0.9, 40)]
    labels = ["fracture" if image.mean() > 0.5 else "normal" for image in images]
    cases = from_arrays(images, labels)
    alone = classifier(Odd(), size=32)
    assert "normalisation-implausible" in {note.code for note in preflight(alone, cases)}
    chained = {note.code for note in preflight(assemble(alone, size=32), cases)}
    assert "normalisation-implausible" not in chained
