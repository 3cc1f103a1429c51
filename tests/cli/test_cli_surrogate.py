"""hipaudit run --surrogate: attacks made on another model, end to end on tiny models."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

import hipaudit as package
from audit.classifier import Classifier
from audit.errors import HipauditError
from audit.results import ModelDescription, Preparation, read_results
from tests.doubles import Brightness, cases_of, classifier_of
from tests.tiny import write_images, write_model

LEVELS = [0.3 + 0.4 * i / 39 for i in range(40)]
EPSILON = 8 / 255


def audited(folder, surrogates, **options):
    options = {"stresses": ["fgsm"], "epsilons": [EPSILON], **options}
    return package.run(
        classifier_of(Brightness()), cases_of(LEVELS), preset="ci", out=folder, report=False,
        surrogates=surrogates, **options,
    )  # fmt: skip


def other(steep: float = 3.0, side: int = 8, **changes: object) -> Classifier:
    """Brightness of another size: what it fears, the audited model fears too."""
    way = Preparation(height=side, width=side, channels=1, mean=(0.0,), std=(1.0,))
    told = {"preparation": way, "name": "elsewhere", **changes}
    return classifier_of(Brightness(steep), **told)


def test_what_is_made_on_a_model_of_another_size_counts_on_the_audited_one(tmp_path):
    results = audited(tmp_path, [other(side=16)])
    where = {"stress": "fgsm", "group": {}, "contrast": None}
    told = {f.params.get("surrogate"): f for f in results.find("robust_accuracy", **where)}
    # one signed step moves the mean by ε, whichever of the two models says in which direction
    standing = sum(abs(level - 0.5) > EPSILON for level in LEVELS)
    assert {name: f.events for name, f in told.items()} == {None: standing, "elsewhere": standing}
    assert [run.id for run in results.plan.runs] == ["clean", "fgsm", "fgsm~elsewhere"]


def test_a_surrogate_of_another_mind_fools_nobody(tmp_path):
    results = audited(tmp_path, [classifier_of(Against(), name="against")])
    where = {"stress": "fgsm", "group": {}, "contrast": None}
    told = {f.params.get("surrogate"): f for f in results.find("robust_accuracy", **where)}
    assert told["against"].events == len(LEVELS)
    assert told[None].events < len(LEVELS)
    (gap,) = results.find("robust_accuracy", contrast="surrogate=none")
    assert gap.value == pytest.approx((len(LEVELS) - told[None].events) / len(LEVELS))


class Against(nn.Module):
    """Says "normal" when bright, the opposite of Brightness."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Brightness()

    def forward(self, x):
        return self.inner(x).flip(1)


@pytest.mark.parametrize(
    ("surrogates", "words"),
    [
        ([classifier_of(Brightness())], "the audited model itself"),
        ([other(classes=("cat", "dog"), positive_class="dog")], "classes fracture, normal"),
        (["nowhere.pt"], 'nothing at "nowhere.pt"'),
    ],
    ids=["itself", "classes", "nowhere"],
)
def test_a_surrogate_that_cannot_serve_is_one_line_and_leaves_nothing(surrogates, words, tmp_path):
    with pytest.raises(HipauditError, match=words):
        audited(tmp_path, surrogates)
    assert not (tmp_path / "audit.json").exists()
    assert not (tmp_path / "units").exists()


def test_from_the_command_line_paths_stay_out_of_what_is_written(hipaudit, tmp_path):
    model = write_model(tmp_path / "net.pt")
    person = tmp_path / "jansen_1950.pt"
    torch.manual_seed(1)
    save_other(person, side=40)
    data = write_images(tmp_path / "val", 8)
    code, said, err = hipaudit(
        "run", model, "--data", data, "--preset", "ci", "--stress", "fgsm", "--eps", "4/255",
        "--surrogate", person, "--no-images", "--no-progress", "--out", tmp_path / "out",
    )  # fmt: skip
    assert code in (0, 3), err
    results = read_results(tmp_path / "out" / "audit.json")
    (transfer,) = [run for run in results.plan.runs if run.surrogate]
    assert (transfer.id, transfer.surrogate) == ("fgsm~tiny-2", "tiny-2")
    assert transfer.state == "done", transfer.reason
    assert results.provenance.command.endswith("--surrogate OTHER")
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file() and path.parent.name != "private":
            assert b"jansen" not in path.read_bytes(), path.name
    assert "jansen" not in said + err
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "made on tiny-2, shown to the audited model" in html
    assert json.loads((tmp_path / "out" / "audit.json").read_text())["plan"]["runs"]


def save_other(path, side: int) -> None:
    """A checkpoint of ours, its input larger than the audited one's."""
    from audit.checkpoints.architectures import build
    from audit.checkpoints.own import save_checkpoint

    description = ModelDescription(
        name="tiny-2",
        architecture="squeezenet1_1",
        classes=("normal", "fracture"),
        positive_class="fracture",
        preparation=Preparation(height=side, width=side),
    )
    save_checkpoint(path, build("squeezenet1_1", 2), description)


def test_a_mistyped_path_is_told_before_anything_is_read(hipaudit, tmp_path):
    model = write_model(tmp_path / "net.pt")
    data = write_images(tmp_path / "val", 2)
    code, _, err = hipaudit("run", model, "--data", data, "--surrogate", tmp_path / "gone.pt")
    assert code == 2
    assert "a model file after --surrogate" in err
    assert "Traceback" not in err


def test_units_of_a_transfer_belong_to_its_surrogate(tmp_path):
    audited(tmp_path, [other(3.0)])
    before = {path.name for path in (tmp_path / "units").iterdir()}
    with pytest.raises(HipauditError, match="another audit"):
        audited(tmp_path, [other(5.0)])
    audited(tmp_path, [other(5.0)], overwrite=True)
    added = {path.name for path in (tmp_path / "units").iterdir()} - before
    assert len(added) == 1, "only what the other surrogate made"


def test_a_single_surrogate_needs_no_list(tmp_path):
    net = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 2))
    images = np.random.default_rng(0).random((24, 16, 16))
    cases = package.from_arrays(images, ["normal", "fracture"] * 12)
    torch.manual_seed(2)
    another = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 2))
    results = package.run(
        net, cases, surrogates=another, classes=["normal", "fracture"], preset="ci",
        positive_class="fracture", stresses=["pgd"], out=tmp_path, report=False,
    )  # fmt: skip
    (transfer,) = [run for run in results.plan.runs if run.surrogate]
    assert transfer.id == f"pgd~{transfer.surrogate}"
    assert transfer.state == "done", transfer.reason
