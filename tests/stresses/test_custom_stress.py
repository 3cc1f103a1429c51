"""The example of a stress of one's own: it runs, and the contract test takes it as it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from pathlib import Path
from types import ModuleType

import pytest
import torch

from audit.stresses.registry import STRESSES
from tests.stresses import test_contract as contract

PROMISES = [
    name
    for name, value in vars(contract).items()
    if name.startswith("test_") and "name" in signature(value).parameters
]
EXAMPLE = Path(__file__).parents[2] / "examples" / "custom_stress.py"


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    spec = spec_from_file_location("custom_stress", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["custom_stress"] = module
    spec.loader.exec_module(module)
    yield module
    del STRESSES["wire"], sys.modules["custom_stress"]


def test_the_example_prints_a_share_for_every_level_and_one_through_art(example, capsys) -> None:
    example.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    shares = [float(line.split(": ")[1].split("%")[0]) for line in lines]
    assert 100 > shares[0] >= shares[1] >= shares[2]
    assert shares[3] == shares[2]  # the worst of all levels


def test_the_wire_is_one_column_of_the_brightness_named(example) -> None:
    x = torch.full((2, 1, 8, 8), 0.25)
    batch = contract.batch_of(x, torch.zeros(2, dtype=torch.int64), [0, 1], "wire")
    altered = next(example.wire(None, batch, brightness=(0.5,)))
    for image, told in zip(altered.images, altered.found, strict=True):
        assert torch.equal(image[0, :, told["column"]], torch.full((8,), 0.75))
        assert int((image != 0.25).sum()) == 8


@pytest.mark.parametrize("check", PROMISES)
def test_the_contract_takes_it_unasked(example, check: str) -> None:
    promise = getattr(contract, check)
    channels = {"channels": 3} if "channels" in signature(promise).parameters else {}
    promise("wire", **channels)
