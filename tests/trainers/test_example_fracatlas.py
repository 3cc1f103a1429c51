"""The FracAtlas example, on a folder laid out like the download, made here from noise."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit.cases.options import DataOptions
from audit.cases.read import read_cases


@pytest.fixture(scope="module")
def example():
    path = Path(__file__).parents[2] / "examples" / "fracatlas.py"
    spec = importlib.util.spec_from_file_location("example_fracatlas", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def download(tmp_path):
    columns = "image_id,hand,leg,hip,shoulder,mixed,hardware,multiscan,fractured"
    lines = [f"{columns},fracture_count,frontal,lateral,oblique"]
    draw = np.random.default_rng(0)
    for number in range(60):
        broken = number % 3 == 0
        folder = tmp_path / "images" / ("Fractured" if broken else "Non_fractured")
        folder.mkdir(parents=True, exist_ok=True)
        name = f"IMG{number:07d}.jpg"
        Image.fromarray(draw.integers(0, 255, (40, 32), dtype=np.uint8)).save(folder / name)
        both = int(number == 1)
        lines.append(f"{name},0,{both},1,0,0,0,0,{int(broken)},0,1,{both},0")
    (tmp_path / "dataset.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_the_manifest_it_writes_reads_as_cases_with_view_and_body_part(example, download):
    manifest = example.prepare(download)
    parts = [read_cases(manifest, DataOptions(split=split)) for split in ("train", "val")]
    assert sum(len(part) for part in parts) == 60
    assert {c.id for c in parts[0]} & {c.id for c in parts[1]} == set()
    everyone = [case for part in parts for case in part]
    assert sum(case.label == "fractured" for case in everyone) == 20
    assert {case.attributes["view"] for case in everyone} == {"frontal", "multiple"}
    assert {case.attributes["body_part"] for case in everyone} == {"hip", "leg+hip"}


def test_preparing_twice_gives_the_same_split(example, download):
    first = example.prepare(download).read_bytes()
    assert example.prepare(download).read_bytes() == first
