"""Forwards are counted at the network's own door, whoever calls."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from benchmarks.inside import Inside, Stages, _timed_backwards
from benchmarks.peers.counting import counted


def test_every_image_counts_once_and_one_that_wants_a_gradient_twice() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with counted([network]) as count:
        network(torch.zeros(3, 1, 2, 2))
        network(torch.zeros(5, 1, 2, 2, requires_grad=True)).sum().backward()
    network(torch.zeros(7, 1, 2, 2))  # not counted any more
    assert (count.looks, count.gradients, count.forwards) == (8, 5, 13)


def test_no_gradient_is_counted_where_none_can_come_back() -> None:
    network = nn.Linear(4, 2)
    with counted([network]) as count, torch.no_grad():
        network(torch.zeros(3, 4, requires_grad=True))
    assert count.forwards == 3


def test_a_network_inside_another_counts_at_its_own_door_only() -> None:
    network = nn.Linear(4, 2)
    wrapped = nn.Sequential(nn.Flatten(), network)
    with counted([network]) as count:
        wrapped(torch.zeros(3, 1, 2, 2))
    assert count.forwards == 3


def test_inside_the_network_is_the_outermost_stay_and_not_the_sum_of_its_parts() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    inside = Inside(doors={id(part) for part in network.modules()})
    x = torch.zeros(6, 4)
    for module in (network, network[0]):
        inside.enter(module, (x,))
    inside.leave(network[0], (x,), x)
    assert (inside.depth, inside.looks, inside.forward) == (1, 6, 0.0)
    inside.leave(network, (x,), x)
    assert inside.depth == 0
    assert inside.forward > 0


def test_both_of_autograds_doors_are_watched_and_put_back() -> None:
    before = torch.autograd.backward, torch.autograd.grad
    inside = Inside()
    x = torch.ones(2, requires_grad=True)
    with _timed_backwards(inside):
        (x * x).sum().backward()
        first = inside.backward
        torch.autograd.grad((x * x).sum(), x)
    assert 0 < first < inside.backward
    assert (torch.autograd.backward, torch.autograd.grad) == before


def test_the_parts_of_an_audit_are_told_apart_and_together_are_the_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = iter([0.0, 1.0, 1.0, 8.0, 9.0, 11.0, 16.0, 18.0])
    clock = SimpleNamespace(perf_counter=lambda: next(ticks))
    monkeypatch.setattr("benchmarks.inside.time", clock)
    inside = Inside()
    stages = Stages(inside)
    stages.plan([], 0.0, 0.0)
    stages.run("clean", 0, 4)
    inside.forward += 5
    stages.run("clean", 4, 4)  # until 8: seven seconds of a run, five of them inside
    stages.run("fgsm", 0, 4)
    stages.run("fgsm", 4, 4)
    stages.run("probe leakage", 0, 1)  # findings are made in between
    inside.backward += 1
    parts = stages.ended()
    found = {part: tuple(spent.values()) for part, spent in parts.items()}
    assert found == {
        "before the first run": (1.0, 0.0),
        "attacks, corruptions, defences": (9.0, 5.0),
        "findings, files": (6.0, 0.0),
        "probes": (2.0, 1.0),
    }
