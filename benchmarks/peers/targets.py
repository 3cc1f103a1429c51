"""The ratios that were set before anything was measured, as data."""

from __future__ import annotations

from dataclasses import dataclass

SMALL = ("squeezenet1_1", "alexnet")
MIDDLE = ("resnet50", "densenet121")
LARGE = ("vgg19",)


@dataclass(frozen=True)
class Target:
    """Ours fast is to be `ratio` times as fast as `peer` in `case`, per `per`, on `device`."""

    case: str
    peer: str
    networks: tuple[str, ...]
    ratio: float
    per: str
    device: str = "cpu"


# Stock and sensibly configured ART are both held to what was said of ART.
ART = ("ART stock", "ART configured")
TARGETS = (
    *(Target("fgsm, 1 radius", peer, SMALL, 2.0, "image") for peer in ART),
    *(Target("fgsm, 1 radius", peer, MIDDLE, 1.4, "image") for peer in ART),
    *(Target("fgsm, 8 radii", peer, SMALL, 6.0, "image") for peer in ART),
    *(Target("fgsm, 8 radii", peer, MIDDLE, 3.5, "image") for peer in ART),
    *(Target("spatial", peer, SMALL, 12.0, "candidate") for peer in ART),
    *(Target("spatial", peer, ("resnet50",), 5.0, "candidate") for peer in ART),
    Target("spatial", "foolbox", SMALL, 1.5, "candidate"),
    Target("spatial", "foolbox", ("resnet50",), 1.2, "candidate"),
    Target("spatial", "foolbox", SMALL, 1.5, "image"),
    Target("spatial", "foolbox", ("resnet50",), 1.2, "image"),
    Target("one pixel", "ART", (*LARGE, *SMALL), 3.0, "candidate"),
    Target("one pixel", "ART", MIDDLE, 2.0, "candidate"),
    *(
        Target("spatial", peer, (*SMALL, *MIDDLE, *LARGE), 1000.0, "candidate", "cuda")
        for peer in ART
    ),
    Target("one pixel", "ART", (*SMALL, *MIDDLE, *LARGE), 30.0, "candidate", "cuda"),
)


def targets_of(case: str, peer: str, network: str, device: str) -> list[Target]:
    """What was set for this comparison; often nothing."""
    return [
        target
        for target in TARGETS
        if (target.case, target.peer, target.device) == (case, peer, device)
        and network in target.networks
    ]
