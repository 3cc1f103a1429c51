"""Every registered stress on somebody else's ART classifier: colour, three classes, own rules."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from audit.errors import HipauditError
from audit.stresses.art_bridge import as_evasion_attack
from audit.stresses.registry import get_stress, load_stresses
from tests.stresses.test_contract import SMALL

HOME = Path(__file__).parents[2]
EXAMPLE = HOME / "examples" / "art_attack.py"
EVERY = sorted(load_stresses())


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    spec = spec_from_file_location("art_attack", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["art_attack"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["art_attack"]


def largest(name: str) -> float | None:
    """The budget of a stress of one number, written out from its parameters."""
    params = get_stress(name).check(SMALL.get(name, {}))
    if "epsilons" in params:
        return max(params["epsilons"])
    if "max_epsilon" in params:
        return float(params["max_epsilon"])
    if "pixels" in params:
        return float(np.max(params["pixels"]))
    return None


@pytest.mark.parametrize("name", EVERY)
def test_every_stress_runs_on_a_stock_art_classifier_of_three_colours_and_classes(
    example, name: str
) -> None:
    target, (x, y) = example.own_classifier(), example.images(6)
    given = x.copy()
    one_hot = np.eye(3, dtype=np.float32)[y]
    altered = as_evasion_attack(name, target, **SMALL.get(name, {})).generate(x, one_hot)
    assert altered.shape == x.shape
    assert altered.dtype == np.float32
    assert np.isfinite(altered).all()
    assert altered.min() >= 0
    assert altered.max() <= 1
    assert np.array_equal(x, given)
    if get_stress(name).variants == "level":  # a search that finds nothing gives the image back
        assert np.abs(altered - x).max() > 1e-4
    budget, difference = largest(name), np.abs(altered.astype(np.float64) - x)
    if get_stress(name).norm == "linf" and budget is not None:
        assert difference.max() <= budget + 1e-6
    if get_stress(name).norm == "l0" and budget is not None:
        assert (difference.max(axis=1) > 0).sum(axis=(1, 2)).max() <= budget


@pytest.mark.parametrize("name", ["fgsm", "pgd", "square", "rotation_translation"])
def test_what_fools_in_three_classes_may_be_any_other_class(example, name: str) -> None:
    target, (x, y) = example.own_classifier(), example.images()
    altered = as_evasion_attack(name, target, **SMALL.get(name, {})).generate(x, y)
    said = target.predict(altered).argmax(axis=1)
    before = target.predict(x).argmax(axis=1)
    assert np.array_equal(before, y)
    if name == "fgsm":  # by hand: a colour ahead by m falls behind at an ε of m / 2
        middle = x[:, :, 4:12, 4:12].mean(axis=(2, 3))
        lead = np.sort(middle, axis=1)
        expected = lead[:, -1] - lead[:, -2] < 2 * 16 / 255
        assert np.array_equal(said != y, expected)
        assert expected.any()


def test_the_example_prints_what_stands_and_what_is_refused(example, capsys) -> None:
    example.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "without an attack: 100% right"
    shares = [int(re.findall(r"(\d+)% right", line)[0]) for line in lines[1:4]]
    assert min(shares) < 100
    assert lines[4] == (
        "Expected an ART estimator with channels_first=True, but found channels_first=False. "
        "Use NCHW images."
    )


def test_the_page_about_art_names_what_is_there() -> None:
    page = (HOME / "docs" / "art.md").read_text(encoding="utf-8")
    assert EXAMPLE.name in page
    code = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (name,) = re.findall(r'as_evasion_attack\("(\w+)"', code[0])
    params = re.findall(r"(\w+)=", code[0].split("my_pytorch_classifier,")[1].split(")\n")[0])
    assert set(params) <= set(get_stress(name).defaults)


def test_a_parameter_of_the_wrong_kind_is_refused_before_anything_runs(example) -> None:
    with pytest.raises(HipauditError, match="`steps` of pgd"):
        as_evasion_attack("pgd", example.own_classifier(), steps="ten")
