"""Precision: what is asked for, or what a trial shows to be faster; the network is left alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from audit.errors import HipauditError
from trainers.fitting.precision import Precision, choose_precision, step_seconds

CPU = torch.device("cpu")
SHAPE = (4, 3, 16, 16)


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(8, 2),
    )  # fmt: skip


def choose(mixed, order, timer=None, device=CPU):
    return choose_precision(network(), SHAPE, device, mixed, order, timer=timer)


def takes(**seconds):
    """A timer that answers by type."""
    return lambda module, x, precision: seconds[precision.dtype]


def test_off_is_float32_in_the_ordinary_order_and_nothing_is_timed():
    found = choose("off", "off", timer=lambda *a: 1 / 0)
    assert found == Precision("float32", False)
    assert found.order is torch.contiguous_format


def test_auto_on_a_cpu_is_a_rule_so_that_runs_repeat():
    assert choose("auto", "auto", timer=lambda *a: 1 / 0) == Precision("float32", True)


def test_bf16_on_a_cpu_is_used_only_where_the_trial_shows_a_gain():
    fast = choose("bf16", "off", takes(float32=1.0, bfloat16=0.5))
    assert (fast.dtype, fast.tried) == ("bfloat16", {"float32": 1.0, "bfloat16": 2.0})
    slow = choose("bf16", "off", takes(float32=1.0, bfloat16=0.97))
    assert (slow.dtype, slow.tried) == ("float32", {"float32": 1.0, "bfloat16": 1.03})


def test_fp16_without_a_gpu_is_refused():
    with pytest.raises(HipauditError, match=r"a GPU for fp16.*bf16 or off"):
        choose("fp16", "off")


def test_auto_on_a_gpu_tries_types_and_orders_and_takes_the_fastest(monkeypatch):
    """The device is only named here: no GPU is needed to see what would be timed."""
    import trainers.fitting.precision as module

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.random, "fork_rng", lambda devices: torch.no_grad())
    monkeypatch.setattr(module.torch, "randn", lambda shape, device: torch.zeros(shape))
    times = {
        ("float32", False): 1.0, ("float32", True): 0.9,
        ("bfloat16", False): 0.6, ("bfloat16", True): 0.4,
    }  # fmt: skip
    found = choose(
        "auto", "auto", lambda m, x, p: times[p.dtype, p.channels_last], torch.device("cuda")
    )
    assert (found.dtype, found.channels_last) == ("bfloat16", True)
    assert found.tried["bfloat16, channels last"] == 2.5
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert module._types(torch.device("cuda"), "auto") == ["float32", "float16"]
    with pytest.raises(HipauditError, match="computes in bf16"):
        module._types(torch.device("cuda"), "bf16")


def test_a_trial_leaves_network_gradients_and_random_state_alone():
    module = network()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.get_rng_state()
    found = choose_precision(module, SHAPE, CPU, "bf16", "off")
    assert set(found.tried) == {"float32", "bfloat16"}
    after = module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.grad is None for parameter in module.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_autocast_computes_in_the_type_and_full_precision_does_not():
    module, x = network().eval(), torch.rand(SHAPE)
    with Precision("bfloat16").autocast(CPU):
        assert module(x).dtype == torch.bfloat16
    with Precision().autocast(CPU):
        assert module(x).dtype == torch.float32


def test_only_float16_scales_its_loss(recwarn):
    assert not Precision("bfloat16").scaler(CPU).is_enabled()
    loss = torch.tensor(2.0, requires_grad=True)
    assert Precision().scaler(CPU).scale(loss) is loss


def test_a_step_takes_time_in_either_order():
    for last in (False, True):
        assert step_seconds(network(), torch.rand(SHAPE), Precision(channels_last=last)) > 0


@pytest.mark.parametrize(("mixed", "order"), [("off", "on"), ("bf16", "off")])
def test_training_in_other_numbers_learns_the_same_weights_to_their_precision(
    monkeypatch, mixed, order
):
    """Validation is float32: the trained network answers through it as the audit will."""
    import trainers.fitting.precision as module
    from tests import toy_training
    from tests.toy_training import run, tiny
    from trainers import fit as fitting

    monkeypatch.setattr(fitting, "build", tiny)
    monkeypatch.setattr(
        module, "step_seconds", lambda m, x, p: 1.0 if p.dtype == "float32" else 0.5
    )
    assert toy_training.CLASSES
    settings = {"max_epochs": 1, "lr": 1e-4}
    plain, _, first = run(**settings)
    other, _, log = run(**settings, mixed_precision=mixed, channels_last=order)
    used = log.recorded()["used"]
    assert (used["dtype"], used["channels_last"]) == (
        "bfloat16" if mixed == "bf16" else "float32", order == "on",
    )  # fmt: skip
    for name, value in plain.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(other.state_dict()[name], value, atol=2e-3, rtol=2e-2)
    assert log.epochs[0].train_loss == pytest.approx(first.epochs[0].train_loss, rel=0.02)
    assert all(value.is_contiguous() for value in other.state_dict().values())
