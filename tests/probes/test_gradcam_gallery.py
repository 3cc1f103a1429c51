"""The Grad-CAM probe on planted cases: which are shown, what is said, what is measured."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from audit.cases.case import Case, Cases
from audit.classifier import Classifier
from audit.probes.gradcam.gallery import box_mask
from audit.probes.pictures import GAP
from audit.probes.registry import Examination, Picture, get_probe
from audit.results import DataDescription, ModelDescription, Preparation, ProbeReport
from tests.probes.explained_models import clean_table

SIDE = 32


class SeesBright(nn.Module):
    """Class "fracture" gains by bright pixels only, "normal" has no positive evidence at all."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(inplace=True))
        with torch.no_grad():
            self.map[0].weight.fill_(1.0)
            self.map[0].bias.fill_(-0.5)

    def forward(self, x: Tensor) -> Tensor:
        m = 100 * self.map(x).mean((1, 2, 3))
        return torch.stack([1 - m, m - 1], dim=1)


def classifier(layer: str | None = "map", **changes: object) -> Classifier:
    way = Preparation(height=SIDE, width=SIDE, channels=1, mean=(0.0,), std=(1.0,))
    description = ModelDescription(
        name="toy",
        architecture="toy",
        classes=("normal", "fracture"),
        positive_class="fracture",
        cam_layer=layer,
        preparation=way,
    )
    return Classifier(SeesBright(), description.model_copy(update=changes))


def case(number: int, label: str, bright: bool, view: str = "frontal", **more: object) -> Case:
    """64 × 64, black, with a bright square at columns 16–32 and rows 8–24 when `bright`."""
    pixels = np.full((64, 64), number / 1000, np.float32)
    if bright:
        pixels[8:24, 16:32] = 0.9
    return Case(
        id=f"{number:08x}",
        label=label,
        load=lambda: pixels,
        attributes={"view": view},
        shape=pixels.shape,
        **more,
    )


def examine(
    cases: Sequence[Case], model: Classifier | None = None, **params: object
) -> tuple[ProbeReport, list[Picture]]:
    model = model or classifier()
    listed = Cases(cases, DataDescription(layout="planted", cases=len(cases)))
    pictures: list[Picture] = []
    sight = Examination(
        model, listed, clean_table(model, listed), 7, 4, pictures.append, dict(params)
    )
    return get_probe("gradcam")(sight), pictures


def four_outcomes(each: int = 1) -> list[Case]:
    kinds = [("fracture", True), ("normal", True), ("fracture", False), ("normal", False)]
    return [
        case(4 * turn + place, label, bright, view)
        for turn in range(each)
        for place, (label, bright) in enumerate(kinds)
        for view in [("frontal", "lateral")[turn % 2]]
    ]


def pixels_of(picture: Picture) -> np.ndarray:
    """At the model's size, without the enlargement for display."""
    image = np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"))  # no map, no colour
    return image[:: image.shape[0] // SIDE, :: image.shape[0] // SIDE]


def test_each_outcome_is_named_after_label_and_prediction() -> None:
    _, pictures = examine(four_outcomes())
    told = {p.meta["case"]: p.meta["outcome"] for p in pictures}
    assert told == {"00000000": "TP", "00000001": "FP", "00000002": "FN", "00000003": "TN"}


def test_every_outcome_and_view_shows_at_most_so_many_and_says_of_how_many() -> None:
    report, pictures = examine(four_outcomes(10), per_cell=2, surest=0)
    cells = [(p.meta["outcome"], p.meta["view"]) for p in pictures]
    assert len(cells) == 16
    assert all(cells.count(cell) == 2 for cell in cells)
    assert report.details["cells"]["TP frontal"] == {"cases": 5, "shown": 2}


def test_the_choice_does_not_depend_on_the_order_of_the_cases_and_is_not_simply_the_first() -> None:
    cases = four_outcomes(20)
    first = {p.name for p in examine(cases, surest=0)[1]}
    assert {p.name for p in examine(cases[::-1], surest=0)[1]} == first
    assert first != {f"gradcam-{o}-{c.id}.png" for o, c in zip("TFFT", cases, strict=False)}
    numbers = sorted(int(re.findall(r"-(\w{8})\.png", name)[0], 16) // 4 for name in first)
    assert numbers != sorted([n for n in range(6) for _ in range(4)])


def test_the_same_pictures_come_out_bit_for_bit() -> None:
    cases = four_outcomes()
    assert [p.png for p in examine(cases)[1]] == [p.png for p in examine(cases)[1]]


def test_a_case_with_burned_in_text_is_shown_nowhere_and_counted() -> None:
    cases = [*four_outcomes(), case(50, "fracture", True, burned_in=True)]
    report, pictures = examine(cases, per_cell=9)
    assert "00000032" not in {p.meta["case"] for p in pictures}
    assert len(pictures) == 4
    (note,) = [n for n in report.notes if n.code == "gradcam.burned-in"]
    assert note.text.startswith("1 case ")


def test_a_map_that_is_zero_everywhere_is_said_to_hold_no_positive_evidence() -> None:
    _, pictures = examine(four_outcomes())
    for picture in pictures:
        zero = picture.meta["outcome"] in {"FN", "TN"}
        assert picture.meta["positive_evidence"] is not zero
        assert ("No positive evidence" in picture.caption) is zero
        if zero:
            image = pixels_of(picture)
            assert np.array_equal(image[:, :SIDE], image[:, SIDE + GAP : 2 * SIDE + GAP])


def test_colour_lies_where_the_evidence_was_planted_and_nowhere_else() -> None:
    picture = next(p for p in examine(four_outcomes())[1] if p.meta["outcome"] == "TP")
    image = pixels_of(picture).astype(int)
    left, right = image[:, :SIDE], image[:, SIDE + GAP : 2 * SIDE + GAP]
    changed = (left != right).any(axis=2)
    planted = np.zeros((SIDE, SIDE), bool)
    planted[4:12, 8:16] = True  # 64 pixels squeezed to 32
    assert changed[planted].all()
    assert not changed[~planted].any()


def test_boxes_are_outlined_where_the_preparation_puts_them() -> None:
    boxed = case(0, "fracture", True, boxes=((16, 8, 32, 24),))
    picture = next(p for p in examine([boxed])[1])
    left = pixels_of(picture)[:, :SIDE].astype(int)
    outline = left[:, :, 2] != left[:, :, 0]  # the image itself is grey
    rows, columns = np.nonzero(outline)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 11, 8, 15)
    assert not outline[5:11, 9:15].any()
    assert "boxes outlined" in picture.alt


@pytest.mark.parametrize(
    ("resize", "size", "rows", "columns"),
    [
        ("squish", (64, 128), (4, 12), (8, 16)),
        ("crop", (64, 128), (4, 12), (0, 8)),  # the middle 64 columns are kept
        ("pad", (64, 128), (10, 14), (8, 16)),  # a quarter of the size, 8 rows of padding
    ],
)
def test_boxes_take_the_way_of_the_pixels(resize, size, rows, columns) -> None:
    native = {"squish": (32, 8, 64, 24), "crop": (32, 8, 48, 24), "pad": (32, 8, 64, 24)}[resize]
    boxed = replace(case(0, "fracture", True, boxes=(native,)), shape=size)
    way = Preparation(height=32, width=32, channels=1, resize=resize)
    inside = box_mask(boxed, way)
    found_rows, found_columns = np.nonzero(inside)
    assert (found_rows.min(), found_rows.max() + 1) == rows
    assert (found_columns.min(), found_columns.max() + 1) == columns


def test_the_share_of_the_map_inside_the_boxes_is_what_was_planted() -> None:
    whole = case(0, "fracture", True, patient="P0001", boxes=((16, 8, 32, 24),))
    half = case(4, "fracture", True, patient="P0002", boxes=((16, 8, 24, 24),))
    none = case(8, "fracture", True, patient="P0003", boxes=((40, 40, 56, 56),))
    missed = case(12, "fracture", False, patient="P0004", boxes=((16, 8, 32, 24),))
    report, _ = examine([whole, half, none, missed, case(1, "normal", False, patient="P0005")])
    found = {f.metric: f for f in report.findings}
    energy, area = found["cam_energy_in_box"], found["box_area"]
    assert energy.value == pytest.approx((1 + 0.5 + 0) / 3, abs=0.02)
    assert area.value == pytest.approx((256 + 128 + 256) / 64**2 / 3, abs=1e-6)
    assert energy.n == area.n == 3
    assert energy.low is not None
    assert energy.high is not None
    assert 0 <= energy.low < energy.value < energy.high <= 1
    assert not energy.independent


def test_without_patients_images_are_said_to_be_treated_as_independent() -> None:
    boxed = [case(4 * i, "fracture", True, boxes=((16, 8, 32, 24),)) for i in range(3)]
    report, _ = examine([*boxed, case(1, "normal", False)])
    assert all(f.independent for f in report.findings)


def test_without_boxes_there_is_nothing_to_measure() -> None:
    assert examine(four_outcomes())[0].findings == ()


def test_pictures_can_be_left_out_while_the_numbers_stay() -> None:
    boxed = case(0, "fracture", True, boxes=((16, 8, 32, 24),))
    report, pictures = examine([boxed, case(1, "normal", False)], images=False)
    assert pictures == []
    assert report.findings


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (classifier(layer=None), "no convolutional layer"),
        (classifier(gradients=False), "no gradients"),
    ],
)
def test_what_cannot_be_looked_at_is_not_applicable_and_says_why(model, why) -> None:
    report, pictures = examine(four_outcomes(), model)
    assert report.state == "not applicable"
    assert report.reason is not None
    assert why in report.reason
    assert pictures == []


def test_the_words_claim_association_and_never_a_reason() -> None:
    report, pictures = examine(four_outcomes())
    texts = [n.text for n in report.notes] + [p.alt + p.caption + p.title for p in pictures]
    assert all("reason" not in text.lower() for text in texts)
    assert any("associated with the score" in n.text for n in report.notes)
    assert report.details["target"] == "predicted class"


def test_names_are_made_of_outcome_and_case_id_only() -> None:
    for picture in examine(four_outcomes(3))[1]:
        assert re.fullmatch(r"gradcam-(TP|FP|FN|TN)-[0-9a-f]{8}\.png", picture.name)


def test_the_most_confident_correct_and_wrong_decisions_are_shown_in_order() -> None:
    cases = four_outcomes(12)
    report, pictures = examine(cases, per_cell=1, surest=3)
    sure = [p for p in pictures if p.meta["picked"] == "most confident"]
    for right in (True, False):
        mine = [p for p in sure if p.meta["outcome"].startswith("T") is right]
        assert sorted(p.meta["rank"] for p in mine) == [1, 2, 3]
        everyone = [p for p in four_maps(cases) if (p[1] == p[2]) is right]
        expected = sorted(everyone, key=lambda p: (-p[3], p[0]))[:3]
        ranked = sorted(mine, key=lambda p: p.meta["rank"])
        assert [p.meta["case"] for p in ranked] == [p[0] for p in expected]
    assert "3 correct and 3 wrong" in report.details["rule"]


def four_maps(cases: Sequence[Case]) -> list[tuple[str, str, str, float]]:
    """(id, label, predicted, log-odds of it) by a softmax written out."""
    model = classifier()
    found = []
    for one in cases:
        logits = model.predict(model.prepare(one)[None]).logits[0].double().numpy()
        said = int(logits.argmax())
        share = np.exp(logits[said]) / np.exp(logits).sum()
        odds = round(float(np.log(share / (1 - share))), 6)
        found.append((one.id, one.label, model.classes[said], odds))
    return found


def test_every_picture_has_the_map_of_randomised_weights_beside_it() -> None:
    report, pictures = examine(four_outcomes())
    assert report.details["control"] == "the same network with randomised weights"
    for picture in pictures:
        image = pixels_of(picture)
        assert image.shape == (SIDE, 3 * SIDE + 2 * GAP, 3)
        assert "randomised weights" in picture.alt


def test_each_case_is_shown_once_and_its_log_odds_are_told() -> None:
    _, pictures = examine(four_outcomes(6))
    shown = [p.meta["case"] for p in pictures]
    assert len(shown) == len(set(shown))
    assert all(f"log-odds {p.meta['log_odds']:.1f}" in p.caption for p in pictures)
