"""From timed arms to verdicts, on seconds made up by hand."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.arm import Found, Timed
from benchmarks.peers.compare import compared
from benchmarks.peers.plan import Sizes
from benchmarks.peers.table import as_markdown
from benchmarks.peers.targets import TARGETS, targets_of

SIZES = Sizes(fgsm=4, spatial=4, slow=1)


def timed(seconds: list[float], fooled: list[bool], candidates: int) -> Timed:
    found = Found(np.array(fooled))
    return Timed(found, len(fooled), "", 9.0, candidates, candidates, seconds)


def spatial(art: float = 30.0, fooled: bool = True) -> dict[str, object]:
    """27 cells; ours looks at 55 candidates, foolbox at all 108, ART at 27 of one image."""
    ours = [fooled, False, False, True]
    return compared(
        "spatial",
        "resnet50",
        "cpu",
        {
            "ours exact": timed([8.0] * 5, ours, 55),
            "ours default": timed([11.0] * 5, ours, 55),
            "ours fast": timed([5.5] * 5, ours, 55),
            "foolbox": timed([16.2] * 5, [True, False, False, True], 108),
            "ART configured": timed([art] * 5, [True], 27),
        },
        SIZES,
        bare=0.05,
    )


def test_seconds_per_image_and_per_candidate_are_those_of_the_median_round() -> None:
    arm = spatial()["arms"]["ours fast"]
    assert arm["seconds per image"] == [5.5 / 4] * 3
    assert arm["seconds per candidate"][1] == 0.1
    assert arm["forwards per image"] == 55 / 4


def test_the_floor_is_every_cell_for_what_stands_and_one_for_what_falls() -> None:
    found = spatial()
    assert found["floor"]["forwards per image"] == (27 + 27 + 1 + 1) / 4
    assert found["arms"]["ours exact"]["fraction of the floor"] == 14 * 0.05 / 2.0


def test_a_peer_on_fewer_images_is_compared_per_image_and_marked_as_extrapolated() -> None:
    against = spatial()["ratios"]["ART configured"]
    assert against["extrapolated"]
    assert against["images of both"] == 1
    assert against["per image"][1] == 30.0 / (5.5 / 4)
    assert not spatial()["ratios"]["foolbox"]["extrapolated"]


def test_a_target_is_met_by_its_ratio() -> None:
    def verdicts(art: float) -> list[bool]:
        return [one["met"] for one in spatial(art)["ratios"]["ART configured"]["targets"]]

    assert verdicts(27 * 0.1 * 5.1) == [True]  # five times the 0.1 s per candidate of ours
    assert verdicts(27 * 0.1 * 4.9) == [False]


def test_a_target_is_not_met_by_an_attack_that_fools_fewer() -> None:
    ours, theirs = [False] * 10, [True] * 10
    found = compared(
        "one pixel",
        "resnet50",
        "cpu",
        {
            "ours exact": timed([1.0], ours, 10),
            "ours default": timed([1.0], ours, 10),
            "ours fast": timed([1.0], ours, 10),
            "ART": timed([9.0], theirs, 10),
        },
        SIZES,
        bare=0.05,
    )
    (target,) = found["ratios"]["ART"]["targets"]
    assert (target["found"], target["ratio"], target["met"]) == (9.0, 2.0, False)


def test_targets_are_those_of_the_network_and_the_device() -> None:
    assert [t.ratio for t in targets_of("fgsm, 8 radii", "ART stock", "alexnet", "cpu")] == [6.0]
    assert [t.ratio for t in targets_of("fgsm, 8 radii", "ART stock", "resnet50", "cpu")] == [3.5]
    assert targets_of("fgsm, 8 radii", "ART stock", "resnet50", "cuda") == []
    assert {t.ratio for t in TARGETS if t.device == "cuda"} == {30.0, 1000.0}


def test_the_page_says_which_target_is_met_and_what_is_absent() -> None:
    network = {
        "clean accuracy": 0.9,
        "search": "fused",
        "drift": 1e-6,
        "quickest": "bf16",
        "drift of quickest": 0.004,
        "bare": {"untouched": 0.05, "search": 0.04},
        "cases": {"spatial": spatial()},
        "sizes": {"spatial": "27 cells."},
    }
    page = as_markdown(
        {
            "day": "2026-01-01",
            "machine": {"cores": 2},
            "absent": ["torchattacks: not installed"],
            "networks": {"resnet50": network},
        }
    )
    # A candidate takes ART 30/27 s, ours fast .1, ours default .2, a bare forward .05.
    line = (
        "| resnet50 | spatial | ART configured | candidate | 5 | 11.11 | met | 5.56 | met | 22.22 |"
    )
    assert line in page
    assert "after a trial bf16, drift 0.004" in page
    assert "* torchattacks: not installed" in page
    assert "| ART configured | 1 | 30 (30–30) |" in page
