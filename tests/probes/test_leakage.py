"""The leakage probe: planted repeats are named by case id, and look-alikes are left alone."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from audit.cases.case import Cases
from audit.cases.identity import pixel_digest
from audit.cases.read import from_arrays
from audit.cases.subset import subset
from audit.conduct import conduct
from audit.options import AuditOptions
from audit.results import ProbeReport
from tests.quality.pictures import scenes
from tests.toys import Unmoved, classifier_of

SIDE = 96
AUDITED, TRAINED = 40, 30
Array = np.ndarray


def jpeg(image: Array) -> Array:
    stream = io.BytesIO()
    Image.fromarray((image * 255).astype(np.uint8)).save(stream, "JPEG", quality=60)
    with Image.open(stream) as again:
        return np.asarray(again, dtype=np.float32) / 255


def smaller(image: Array) -> Array:
    return np.clip(ndimage.zoom(image, 0.7, order=1), 0, 1)


def cropped(image: Array) -> Array:
    return image[1:-1, 1:-1]


ALTERED = {
    "saved anew": jpeg,
    "resized": smaller,
    "brighter": lambda image: np.clip(image * 1.1 + 0.02, 0, 1),
    "gamma": lambda image: image**0.8,
    "cropped": cropped,
    "mirrored": lambda image: image[:, ::-1],
    "reversed": lambda image: 1 - image,
}


def labels(n: int) -> list[str]:
    return [("normal", "fracture")[i % 2] for i in range(n)]


def probed(folder: Path, audited: Cases, train: Cases | None = None) -> ProbeReport:
    chosen = AuditOptions(preset="ci", stresses=("fgsm",), probes=("leakage",))
    classifier = classifier_of(Unmoved(), 32, 32)
    return conduct(classifier, audited, folder, chosen, notes=(), train=train).probes[0]


def value(report: ProbeReport, metric: str, where: str = "across"):
    (found,) = [
        f for f in report.findings if f.metric == metric and f.params.get("where", where) == where
    ]
    return found


def codes(report: ProbeReport) -> set[str]:
    return {note.code for note in report.notes if note.level == "warning"}


def digest(image: Array) -> str:
    return pixel_digest(np.ascontiguousarray(image, dtype=np.float32))


@pytest.fixture(scope="module")
def pictures() -> Array:
    """Shapes on ground with the texture of bone and soft tissue: structure at every scale."""
    rng = np.random.default_rng(1)
    made = scenes(AUDITED + TRAINED, SIDE, seed=11)
    for sigma in (1, 2, 4):
        texture = ndimage.gaussian_filter(rng.normal(size=made.shape), (0, sigma, sigma))
        made = made + 0.03 * texture / texture.std()
    return np.clip(made, 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def leaking(pictures, tmp_path_factory) -> tuple[ProbeReport, dict[str, tuple[str, str]]]:
    """Three audited images lie in the training data as they are, and one per alteration."""
    audited, train = list(pictures[:AUDITED]), list(pictures[AUDITED:])
    twins = {"identical": (digest(audited[0]), digest(audited[0]))}
    train += audited[:3]
    for number, (name, change) in enumerate(ALTERED.items(), 3):
        copy = np.ascontiguousarray(change(audited[number]), dtype=np.float32)
        train.append(copy)
        twins[name] = (digest(audited[number]), digest(copy))
    report = probed(
        tmp_path_factory.mktemp("leaking"),
        from_arrays(audited, labels(AUDITED)),
        from_arrays(train, labels(len(train))),
    )
    return report, twins


def test_identical_pixels_are_counted_and_named(leaking) -> None:
    report, twins = leaking
    found = value(report, "shared_images")
    assert (found.events, found.n) == (3, AUDITED)
    assert {"leakage-pixels", "leakage-near"} == codes(report)
    pairs = [tuple(pair[:2]) for pair in report.details["pixels_across"]]
    assert twins["identical"] in pairs
    assert value(report, "shared_images", "within").events == 0


@pytest.mark.parametrize("name", ALTERED)
def test_a_copy_that_was_altered_is_found(leaking, name: str) -> None:
    report, twins = leaking
    pairs = {tuple(pair[:2]): pair[2] for pair in report.details["near_across"]}
    assert twins[name] in pairs
    said = {"mirrored": "mirrored", "reversed": "grey levels reversed"}.get(name, "")
    assert pairs[twins[name]] == said


def test_nothing_else_is_taken_for_a_copy(leaking) -> None:
    report, twins = leaking
    pairs = {tuple(pair[:2]) for pair in report.details["near_across"]}
    assert pairs == set(twins.values()) - {twins["identical"]}
    assert value(report, "near_duplicates").events == len(ALTERED)


def test_accuracy_is_told_apart_where_ten_have_leaked(leaking) -> None:
    report, _ = leaking
    # Unmoved says fracture always: right on every second image, in the order of the pictures.
    assert (value(report, "accuracy_leaked").events, value(report, "accuracy_leaked").n) == (5, 10)
    rest = value(report, "accuracy_unleaked")
    assert (rest.events, rest.n) == (15, 30)


def test_two_sets_without_anything_in_common_are_left_alone(pictures, tmp_path) -> None:
    report = probed(
        tmp_path,
        from_arrays(pictures[:AUDITED], labels(AUDITED)),
        from_arrays(pictures[AUDITED:], labels(TRAINED)),
    )
    assert not codes(report)
    assert value(report, "near_duplicates").events == 0
    assert not [f for f in report.findings if f.metric == "accuracy_leaked"]


def test_pictures_of_one_pose_with_noise_of_their_own_are_not_one_exposure(tmp_path) -> None:
    """One scene, moved a little, with quantum noise of its own: another exposure of one pose."""
    rng = np.random.default_rng(0)
    scene = scenes(1, SIDE, seed=5)[0]
    poses = []
    for _ in range(20):
        moved = ndimage.shift(ndimage.rotate(scene, rng.uniform(-6, 6), reshape=False, order=1),
                              rng.uniform(-5, 5, 2), order=1, mode="nearest")  # fmt: skip
        warped = ndimage.map_coordinates(
            moved,
            np.indices(moved.shape)
            + 3 * ndimage.gaussian_filter(rng.normal(size=(2, *moved.shape)), (0, 8, 8)) * 15,
            order=1,
            mode="nearest",
        )
        poses.append(np.clip(warped + rng.normal(0, 0.08, moved.shape), 0, 1))
    report = probed(tmp_path, from_arrays(np.float32(poses), labels(20)))
    assert not codes(report)


def test_patients_of_one_reading_are_compared_and_named_by_number(pictures, tmp_path) -> None:
    patients = [f"person {i // 2}" for i in range(AUDITED + TRAINED)]
    patients[AUDITED : AUDITED + 6] = patients[:6]  # three people are on both sides
    whole = from_arrays(
        pictures, labels(len(pictures)), patients=patients,
        attributes={"part": ["val"] * AUDITED + ["train"] * TRAINED},
    )  # fmt: skip
    parts = [
        subset(whole, [c for c in whole if c.attributes["part"] == name])
        for name in ("val", "train")
    ]
    report = probed(tmp_path, *parts)
    found = value(report, "shared_patients")
    assert (found.events, found.n) == (3, 20)
    assert codes(report) == {"leakage-patients"}
    assert sum(map(len, report.details["patients"].values())) == 6
    assert "person" not in report.model_dump_json()


def test_patients_of_two_readings_are_compared_through_shared_images_only(
    pictures, tmp_path
) -> None:
    audited = from_arrays(pictures[:AUDITED], labels(AUDITED), patients=list(range(1, AUDITED + 1)))
    apart = from_arrays(
        pictures[AUDITED:], labels(TRAINED), patients=list(range(TRAINED))
    )  # the same numbers, other people
    report = probed(tmp_path / "apart", audited, apart)
    assert value(report, "shared_patients").reason.startswith("patients do not compare")
    assert not codes(report)

    # Read with the training images: everybody, so that it is known whose the audited ones are.
    people = [1 + i // 2 for i in range(AUDITED)] + [100 + i for i in range(TRAINED - 4)]
    people += [1, 2, 3, 4]
    whole = from_arrays(
        pictures, labels(len(pictures)), patients=people,
        attributes={"part": ["val"] * AUDITED + ["train"] * TRAINED},
    )  # fmt: skip
    train = subset(whole, [c for c in whole if c.attributes["part"] == "train"])
    report = probed(tmp_path / "joined", audited, train)
    found = value(report, "shared_patients")
    assert (found.events, found.n) == (4, 20)
    assert codes(report) == {"leakage-patients"}


def test_repeats_within_the_audited_images_are_a_warning_without_training_data(
    pictures, tmp_path
) -> None:
    images = [*pictures[:20], pictures[0], np.float32(jpeg(pictures[1]))]
    report = probed(tmp_path, from_arrays(images, labels(22)))
    assert codes(report) == {"duplicates"}
    assert value(report, "shared_images", "within").events == 2
    assert value(report, "near_duplicates", "within").events == 2
    assert [n.code for n in report.notes if n.level == "info"] == ["leakage-no-train"]
    twin = digest(pictures[0])
    assert report.details["pixels_within"] == [[twin, f"{twin}-2", "identical pixels"]]


def test_flat_images_are_nobodys_copies(tmp_path) -> None:
    flat = [np.full((32, 32), 0.2 + 0.02 * i, np.float32) for i in range(12)]
    report = probed(tmp_path, from_arrays(flat, labels(12)))
    assert not codes(report)


def test_where_too_many_look_alike_the_most_alike_are_compared_and_the_rest_is_counted():
    from audit.cases.near import looks_of, near_pairs

    pictures = scenes(12, SIDE)
    alike = [0.7 * pictures[0] + 0.3 * other for other in pictures[1:8]]  # of one outline
    with looks_of([pictures[0], 0.9 * pictures[0] ** 1.1, *alike]) as looks:
        everything, none_left = near_pairs(looks)
        nearest, left = near_pairs(looks, most=1)
    assert none_left == 0
    assert (0, 1) in {(pair.one, pair.other) for pair in everything}
    assert [(pair.one, pair.other) for pair in nearest] == [(0, 1)]
    assert left > 0


def test_the_thumbnails_lie_in_a_file_without_a_name_that_is_closed_at_the_end(
    tmp_path, monkeypatch
):
    import tempfile

    from audit.cases.near import looks_of, near_pairs

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pictures = scenes(3, SIDE)
    with looks_of([*pictures, pictures[1], np.zeros((8, 8))]) as looks:
        assert not list(tmp_path.iterdir())
        assert looks.flat.tolist() == [False] * 4 + [True]
        thumbs = looks.thumbs_of(np.array([4, 3, 1]))
        assert not thumbs[0].any()
        assert np.array_equal(thumbs[1], thumbs[2])
        assert np.linalg.norm(thumbs[1]) == pytest.approx(1)
        found, _ = near_pairs(looks)
    assert [(pair.one, pair.other) for pair in found] == [(1, 3)]
    assert looks.thumbs.closed


def test_blocks_do_not_change_which_pairs_are_found(monkeypatch) -> None:
    from audit.cases import near

    def found(looks: near.Looks, others: near.Looks | None) -> dict[tuple[int, int], float]:
        return {(pair.one, pair.other): pair.alike for pair in near.near_pairs(looks, others)[0]}

    pictures = [*scenes(7, SIDE), *(0.9 * p**1.1 for p in scenes(7, SIDE)[::2])]
    with near.looks_of(pictures) as looks:
        within, across = found(looks, None), found(looks, looks)
        monkeypatch.setattr(near, "_BLOCK", 3)
        monkeypatch.setattr(near, "_TOGETHER", 2)
        assert found(looks, None) == pytest.approx(within, abs=1e-9)
        assert found(looks, looks) == pytest.approx(across, abs=1e-9)
    assert set(within) == {(0, 7), (2, 8), (4, 9), (6, 10)}
    assert len(across) == 11 + 2 * len(within)
