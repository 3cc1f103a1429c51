"""The searching network: the same function, shared counts, and the judge's last word."""

from __future__ import annotations

import pytest
import torch
import torchvision
from doubles import Brightness, cases_of, classifier_of
from torch import nn

from audit.attempt import Sight, stressed_rows
from audit.classifier import Classifier
from audit.errors import HipauditError
from audit.options import AuditOptions
from audit.results import ModelDescription, Preparation
from audit.speed import trial
from audit.speed.batch_size import ON_CPU, activation_bytes, batch_size
from audit.speed.local import local_scorer
from audit.speed.search import Bucketed, InBfloat16, Search, quickened, rounded_up, search_with
from audit.speed.trial import Trial
from audit.stresses.registry import STRESSES, Altered, stress


def network(name: str, side: int = 64) -> Classifier:
    """A torchvision network with batch norms that have seen something."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = torchvision.models.get_model(name, weights=None, num_classes=2)
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_(0, 0.2)
                part.running_var.uniform_(0.5, 2)
    return Classifier(
        module,
        ModelDescription(
            name=name,
            architecture=name,
            classes=("normal", "fracture"),
            positive_class="fracture",
            preparation=Preparation(height=side, width=side),
        ),
    )


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "squeezenet1_1"])
def test_a_search_network_says_what_the_untouched_one_says(name: str) -> None:
    classifier = network(name)
    x = torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    quick = quickened(classifier)
    torch.testing.assert_close(
        quick.predict(x).logits, classifier.predict(x).logits, rtol=1e-3, atol=1e-4
    )


def test_fusion_leaves_no_batch_norm_behind_a_convolution_of_a_resnet() -> None:
    kinds = [type(part) for part in quickened(network("resnet18")).module.modules()]
    assert nn.Conv2d in kinds
    assert nn.BatchNorm2d not in kinds


def test_the_audited_network_itself_is_not_touched() -> None:
    classifier = network("resnet18")
    before = {name: value.clone() for name, value in classifier.module.state_dict().items()}
    quickened(classifier)
    after = classifier.module.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_forwards_of_a_search_network_count_with_its_original() -> None:
    classifier = network("squeezenet1_1")
    quick = quickened(classifier)
    quick.predict(torch.rand(5, 1, 64, 64))
    assert classifier.forwards == 5
    assert quick.counts_with(classifier)


class UsedTwice(nn.Module):
    """One convolution before a batch norm and once more without: fusing it changes the function."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.norm.running_var.fill_(0.01)
        self.head = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv(self.norm(self.conv(x))).mean((2, 3)))


def test_a_network_that_fusion_would_change_searches_as_it_is() -> None:
    classifier = classifier_of(UsedTwice(), channels=3)
    found = search_with(classifier, torch.rand(2, 1, 8, 8))
    assert found.how == "exact"
    assert found.classifier is classifier


class Shapes(nn.Module):
    """Notes the sizes of the batches it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(x))
        return x.flatten(1)[:, :2] * 3


def test_a_shrinking_batch_meets_few_shapes_and_the_same_answers() -> None:
    inner = Shapes()
    bucketed = Bucketed(inner)
    for rows in (8, 7, 6, 5, 4, 3, 2, 1):
        x = torch.rand(rows, 1, 4, 4)
        torch.testing.assert_close(bucketed(x), x.flatten(1)[:, :2] * 3)
    assert inner.seen == [8, 8, 8, 8, 4, 4, 2, 1]


def test_gradients_pass_a_bucket() -> None:
    x = torch.rand(3, 1, 4, 4, requires_grad=True)
    Bucketed(Shapes())(x).sum().backward()
    assert x.grad is not None
    assert x.grad.sum() == 3 * 2 * 3


@pytest.mark.slow
@pytest.mark.parametrize("how", ["compiled", "bf16"])
def test_other_search_networks_say_nearly_the_same_and_tell_their_drift(how: str) -> None:
    classifier = network("squeezenet1_1")
    x = torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    found = search_with(classifier, x, how)
    assert found.how == how
    ours, theirs = classifier.predict(x).logits, found.classifier.predict(x).logits
    size = ours.abs().max().clamp_min(1.0)
    assert (ours - theirs).abs().max() / size <= found.drift * 1.5 + 1e-7
    assert found.drift < (1e-4 if how == "compiled" else 0.05)


class Margin(nn.Module):
    """Two opposed logits, the mean brightness less a half, times `steepness`."""

    def __init__(self, steepness: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 1, bias=False)
        with torch.no_grad():
            self.conv.weight.fill_(steepness / 3)
        self.steepness = steepness

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = self.conv(x).mean((1, 2, 3)) - self.steepness / 2
        return torch.stack([z, -z], 1)


def test_bfloat16_keeps_its_weights_cast_and_the_float32_network_apart() -> None:
    found = search_with(classifier_of(Margin(40.0), channels=3), torch.rand(4, 1, 8, 8), "bf16")
    module = found.classifier.module
    assert isinstance(module, InBfloat16)
    assert {p.dtype for p in module.parameters()} == {torch.bfloat16}
    assert {p.dtype for p in module.float32.parameters()} == {torch.float32}
    assert module(torch.rand(2, 3, 8, 8)).dtype == torch.float32


def test_a_bfloat16_screen_that_doubts_nearly_everything_leaves_screening_to_float32() -> None:
    far, near = torch.full((4, 1, 8, 8), 0.9), torch.full((4, 1, 8, 8), 0.5002)
    far[0], near[0] = 0.91, 0.4993  # not all alike
    classifier = classifier_of(Margin(300.0), channels=3)
    trusted, doubted = (search_with(classifier, x, "bf16") for x in (far, near))
    assert trusted.doubted(far) == 0
    assert trusted.screen is trusted
    assert doubted.doubted(near) == 1
    assert doubted.screen.how == "fused"
    assert doubted.screen.tolerance < doubted.tolerance
    assert doubted.classifier.tolerance == 2 * doubted.tolerance


def test_in_bfloat16_a_pixel_is_followed_in_float32_where_that_saves_much() -> None:
    """By the operations of the layers, counted here by hand."""
    x = torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0))
    convolutions = [nn.Conv2d(3, 8, 3, padding=1), *(nn.Conv2d(8, 8, 3, padding=1) for _ in "123")]
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))
    model = classifier_of(nn.Sequential(*convolutions, *head), channels=3)
    # 32² places per convolution whole; 3², 5², 7², 9² places around the pixel: more than 3.5 times.
    quick = search_with(model, x[None], "bf16").classifier
    score = local_scorer(quick, x)
    assert score is not None
    rows = cols = torch.tensor([[7]])
    changed = x.clone()
    changed[:, 7, 7] = 1.0
    exact = model.decision_logits(changed[None])
    torch.testing.assert_close(score(rows, cols, torch.ones(1, 1, 1)), exact, rtol=1e-5, atol=1e-5)
    small = classifier_of(nn.Sequential(nn.Conv2d(3, 8, 9, padding=4), *head), channels=3)
    narrow = torch.rand(1, 16, 16)  # 9² of 16² places: 3.2 times at most
    assert local_scorer(search_with(small, narrow[None], "fused").classifier, narrow) is not None
    assert local_scorer(search_with(small, narrow[None], "bf16").classifier, narrow) is None


@pytest.mark.parametrize(
    ("bf16", "one", "taken"), [(0.5, 0.5, "bf16"), (0.95, 0.5, "fused"), (0.5, 3.0, "fused")]
)
def test_auto_takes_bfloat16_only_where_a_trial_gains_a_tenth(
    monkeypatch, bf16, one, taken
) -> None:
    """Seconds made up: float32 takes 1 of a batch and of one image."""

    def took(classifier: Classifier, x: torch.Tensor) -> float:
        half = isinstance(classifier.module, InBfloat16)
        return (one if len(x) == 1 else bf16) if half else 1.0

    monkeypatch.setattr(trial, "_look", took)
    classifier = network("squeezenet1_1")
    x = torch.rand(3, 1, 64, 64)
    assert trial.fastest(classifier, x, search_with(classifier, x), 0.0) == taken


def test_without_a_convolution_there_is_nothing_to_gain() -> None:
    classifier = classifier_of(Brightness())
    assert search_with(classifier, torch.rand(2, 1, 8, 8)).classifier is classifier


def test_a_drift_is_told_as_a_power_of_ten() -> None:
    assert [rounded_up(v) for v in (0.0, 1e-6, 1.1e-6, 0.02)] == pytest.approx([0, 1e-6, 1e-5, 0.1])


@pytest.fixture
def steps():
    """A search whose candidates darken by 0.01 at a time; counts what it is asked to try."""

    @stress("steps", kind="attack", variants="search")
    def perturb(model, batch, *, most=5):
        for number in range(most):
            rows = [int(i) for i in batch.open.nonzero()[0]]
            if not rows:
                return
            images = (batch.x[rows] - 0.01 * (number + 1)).clamp(0, 1)
            yield Altered({"candidate": number}, images, rows)

    yield STRESSES["steps"]
    del STRESSES["steps"]


def sight_with(boundary: float, tolerance: float) -> Sight:
    """The judge's boundary is 0.5; the screen's is elsewhere by as much as it drifts."""
    judge, screen = classifier_of(Brightness()), classifier_of(Brightness(boundary=boundary))
    return Sight(judge, screen, screen, tolerance)


@pytest.mark.parametrize("boundary", [0.4999, 0.5001])
def test_the_judge_decides_whatever_the_screen_says(steps, boundary: float) -> None:
    cases = cases_of([0.5204, 0.60])  # fooled by the third candidate, not at all

    def rows(sight: Sight):
        quiet = {"seed": 0, "batch_size": 2, "say": lambda _: None}
        return stressed_rows(steps, {"most": 5}, sight, cases, [True, True], **quiet)

    ours = rows(sight_with(boundary, tolerance=0.01))
    alone = rows(Sight.alone(classifier_of(Brightness())))
    assert ours.success.tolist() == alone.success.tolist()
    assert ours.variant.tolist() == alone.variant.tolist()
    fooled = alone.success == 1
    assert fooled.sum() == 1
    assert (ours.logits[fooled] == alone.logits[fooled]).all()  # the judge's own logits


def test_a_screen_that_cries_wolf_fools_nobody(steps) -> None:
    cases = cases_of([0.60])
    sight = sight_with(boundary=0.7, tolerance=0.0)
    quiet = {"seed": 0, "batch_size": 2, "say": lambda _: None}
    rows = stressed_rows(steps, {"most": 5}, sight, cases, [True], **quiet)
    assert rows.success.tolist() == [0] * 5


def test_activations_are_counted_in_bytes() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 2)
    )
    classifier = classifier_of(module, channels=3)
    by_hand = 4 * (4 * 8 * 8 + 4 * 8 * 8 + 4 * 8 * 8 + 2)
    assert activation_bytes(classifier, torch.rand(1, 1, 8, 8)) == by_hand
    assert classifier.forwards == 0


def test_the_batch_is_the_largest_power_of_two_that_fits() -> None:
    classifier = network("squeezenet1_1", 512)
    x = torch.rand(1, 1, 512, 512)
    each, size = activation_bytes(classifier, x), batch_size(classifier, x)
    assert size & (size - 1) == 0
    assert size == 16 or size * each <= ON_CPU < 2 * size * each
    assert batch_size(classifier_of(Brightness()), torch.rand(1, 1, 8, 8)) == 16


def test_a_trial_knows_the_kinds_of_search() -> None:
    with pytest.raises(HipauditError, match='Did you mean "fused"'):
        Trial.of(classifier_of(Brightness()), cases_of([0.4, 0.6]), AuditOptions(search="fusd"))


def test_a_trial_counts_as_no_forward_of_the_audit() -> None:
    classifier = classifier_of(Brightness())
    tried = Trial.of(classifier, cases_of([0.4, 0.6]), AuditOptions(batch_size=2))
    assert classifier.forwards == 0
    assert tried.batch_size == 2
    assert min(tried.forward, tried.look, tried.gradient, tried.reading) > 0


def test_auto_search_is_written_down_and_repeated(tmp_path) -> None:
    classifier = classifier_of(Brightness())
    cases, options = cases_of([0.4, 0.6]), AuditOptions(search="auto", batch_size=2)
    started: dict[str, object] = {}
    tried = Trial.of(classifier, cases, options)
    settled = tried.settled(classifier, cases, 1.0, options, tmp_path, started)
    assert isinstance(settled.search, Search)
    assert started == {"search": settled.search.how}
    assert "search" in (tmp_path / "started.json").read_text()
    started["search"] = "exact"
    again = tried.settled(classifier, cases, 1.0, options, tmp_path, started)
    assert again.search.how == "exact"
