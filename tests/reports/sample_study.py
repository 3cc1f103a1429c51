"""Hand-made studies for the tests of their report. Numbers are made up but consistent.

Wilson limits are worked out here from the formula, not by the program.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

from audit.results import Artefact, Finding, Note, Provenance
from audit.study_results import (
    EpochRow,
    Inconsistency,
    Kind,
    PairedTest,
    Published,
    RangeTest,
    SplitCount,
    StudyResults,
    Trained,
)
from tests.sample_results import proportion, swept

# (title, torchvision name, right of 400 in this made-up study, published accuracy, parameters)
SEVEN = (
    ("Densenet169", "densenet169", 381, 0.9650, 14_150_000),
    ("Resnet50", "resnet50", 377, 0.9632, 25_560_000),
    ("VGG_19", "vgg19_bn", 369, 0.9280, 143_670_000),
    ("Densenet121", "densenet121", 372, 0.9260, 7_980_000),
    ("Resnet152", "resnet152", 360, 0.9000, 60_190_000),
    ("SqueezeNet", "squeezenet1_1", 349, 0.8812, 1_240_000),
    ("Alexnet", "alexnet", 350, 0.8800, 61_100_000),
)
POSITIVES, NEGATIVES = 170, 230


def wilson(k: int, n: int) -> tuple[float, float]:
    """Wilson 1927, 95%: from its closed form."""
    z = 1.959963984540054
    share = k / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def accuracy(k: int, n: int, group: dict[str, str] | None = None) -> Finding:
    low, high = wilson(k, n)
    return Finding(
        metric="accuracy",
        value=k / n,
        low=low,
        high=high,
        n=n,
        events=k,
        method="wilson",
        group=group or {},
    )


def findings(right: int) -> tuple[Finding, ...]:
    """What the test split says of a model that got `right` of 400 right."""
    wrong = 400 - right
    tp, tn = POSITIVES - wrong // 2, NEGATIVES - (wrong - wrong // 2)
    fp = NEGATIVES - tn
    found = [accuracy(right, 400)]
    found += [accuracy(right * 6 // 10, 240, {"view": "frontal"})]
    found += [accuracy(right - right * 6 // 10, 160, {"view": "lateral"})]
    found += [proportion("sensitivity", tp, POSITIVES), proportion("specificity", tn, NEGATIVES)]
    found += [proportion("precision", tp, tp + fp)]
    found += [
        Finding(metric="f1", value=2 * tp / (2 * tp + wrong), n=400, reason="interval not computed")
    ]
    found += [
        Finding(
            metric="auroc", value=0.97, low=0.95, high=0.985, n=400, events=170, method="DeLong"
        )
    ]
    for view, n in (("frontal", 100), ("lateral", 70)):
        group = {"view": view}
        found += [proportion("sensitivity", n - wrong // 4, n, group=group)]
        found += [proportion("specificity", n + 10 - wrong // 4, n + 10, group=group)]
    return (*found, *(f for f in swept("fgsm", 0.7) if not f.group))


def range_test(phase: Any, decay: float, *, chosen: bool) -> RangeTest:
    rates = tuple(1e-7 * 1e8 ** (i / 100) for i in range(76))
    losses = tuple(
        0.8 - 0.35 / (1 + math.exp(-1.2 * (math.log10(r) + 3))) + 3 * decay + 40 * r**2
        for r in rates
    )
    return RangeTest(
        phase=phase,
        weight_decay=decay,
        rates=rates,
        losses=losses,
        smoothed=losses,
        suggestion=rates[52] if chosen else None,
        chosen=chosen,
    )


def epochs(frozen: int = 8, rest: int = 14) -> tuple[EpochRow, ...]:
    return tuple(
        EpochRow(
            number=i,
            phase="frozen" if i <= frozen else "all",
            lr=1e-3 / i,
            train_loss=0.7 / i**0.5,
            val_loss=0.6 / i**0.4,
            val_accuracy=min(0.97, 0.6 + 0.02 * i),
            val_auroc=min(0.99, 0.65 + 0.02 * i),
        )
        for i in range(1, frozen + rest + 1)
    )


def trained(title: str, architecture: str, right: int, parameters: int, **rest: Any) -> Trained:
    decays = (1e-2, 1e-3, 1e-4)
    made: dict[str, Any] = {
        "name": architecture,
        "title": title,
        "architecture": architecture,
        "state": "done",
        "parameters": parameters,
        "weights": "torchvision IMAGENET1K_V1",
        "recipe": {
            "architecture": architecture,
            "head": "concat-pool",
            "size": 224,
            "freeze_epochs": 8,
            "max_epochs": 40,
            "lr": 0.0031 + right / 1e6,
            "weight_decay": 0.01 if right % 2 else 0.001,
            "betas": [0.9, 0.99],
            "flip": True,
            "adversarial": None,
            "seed": 0,
        },
        "range_tests": tuple(
            range_test(phase, decay, chosen=decay == 1e-3)
            for phase in ("frozen", "all")
            for decay in decays
        ),
        "epochs": epochs(),
        "best_epoch": 15,
        "ended": "seven epochs without a better validation accuracy",
        "sha256": hashlib.sha256(architecture.encode()).hexdigest(),
        "findings": findings(right),
        "audit": f"models/{architecture}/audit/audit.json",
        "audit_run_id": hashlib.sha256(title.encode()).hexdigest()[:16],
    }
    return Trained(**{**made, **rest})


def failed(title: str, architecture: str, reason: str) -> Trained:
    return Trained(
        name=architecture, title=title, architecture=architecture, state="failed", reason=reason
    )


def models(count: int) -> tuple[Trained, ...]:
    """The seven, then further ones."""
    rows = [(title, name, right, params) for title, name, right, _, params in SEVEN]
    rows += [(f"Next network {i}", f"next_{i}", 340 - i, 5_000_000 * i) for i in range(1, 30)]
    return tuple(trained(*row) for row in rows[:count])


def light(count: int) -> tuple[Trained, ...]:
    """Models without what takes time to draw: for tests of words and tables."""
    bare = {"range_tests": (), "epochs": ()}
    return tuple(
        model.model_copy(
            update={**bare, "findings": tuple(f for f in model.findings if not f.group)}
        )
        for model in models(count)
    )


def published() -> tuple[Published, ...]:
    rows = []
    for title, architecture, _, value, _ in SEVEN:
        low, high = wilson(round(value * 1676), 1676)
        rows.append(
            Published(
                title=title,
                architecture=architecture,
                accuracy=value,
                low=low,
                high=high,
                n=1676,
                source="thesis 2019, table 2",
            )
        )
    return tuple(rows)


def paired(made: tuple[Trained, ...], metric: str = "accuracy") -> tuple[PairedTest, ...]:
    names = [model.name for model in made if model.state == "done"]
    pairs = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :]]
    return tuple(
        PairedTest(
            first=a,
            second=b,
            metric=metric,
            only_first=20 + at,
            only_second=8 + at,
            n=400,
            p=0.0004 * (at + 1),
            p_holm=min(1.0, 0.009 * (at + 1)),
        )
        for at, (a, b) in enumerate(pairs)
    )


def png(path: Path, width: int, height: int) -> str:
    """A grey ramp with a bright ring, written by Pillow; returns its sha256."""
    import numpy as np
    from PIL import Image

    y, x = np.mgrid[0:height, 0:width]
    ring = np.abs(np.hypot(x - width / 2, y - height / 2) - height / 4) < 4
    pixels = (60 + 120 * x / width + 70 * ring).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pictures(folder: Path) -> tuple[Artefact, ...]:
    """Figures 1, 2, 4 and 5 as files below `folder`."""
    found = []
    sizes = {"augmentation": [(720, 540)], "fgsm": [(720, 240)]}
    sizes |= {"confident-correct": [(224, 224)] * 4, "unsure-wrong": [(448, 224)] * 4}
    for kind, shapes in sizes.items():
        for at, (width, height) in enumerate(shapes):
            path = f"figures/{kind}-{at}.png"
            found.append(
                Artefact(
                    path=path,
                    kind=kind,
                    sha256=png(folder / path, width, height),
                    title=f"Case {at + 1}: labelled fracture, decided fracture",
                    alt=f"Synthetic radiograph {at + 1}",
                    caption=f"p = .{99 - at}",
                    meta={"model": "densenet169"},
                )
            )
    return tuple(found)


def study(kind: Kind = "models", count: int = 7, **rest: Any) -> StudyResults:
    """A study of `count` models; everything may be replaced by keyword."""
    made = rest.get("models", models(count))
    content: dict[str, Any] = {
        "tool_version": "0.1.0",
        "kind": kind,
        "title": "Seven networks on proximal femoral fractures",
        "synthetic": True,
        "classes": ("fracture", "normal"),
        "positive_class": "fracture",
        "splits": (
            SplitCount(
                name="train",
                images=2048,
                patients=800,
                labels={"fracture": 883, "normal": 1165},
                views={"frontal": 1200, "lateral": 848},
                prevalence=883 / 2048,
            ),
            SplitCount(name="val", images=300, patients=120, prevalence=0.43),
            SplitCount(
                name="test",
                images=400,
                patients=150,
                labels={"fracture": POSITIVES, "normal": NEGATIVES},
                views={"frontal": 240, "lateral": 160},
                prevalence=POSITIVES / 400,
            ),
        ),
        "baseline": NEGATIVES / 400,
        "models": made,
        "tests": paired(made),
        "published": published() if kind == "models" else (),
        "inconsistencies": (
            Inconsistency(
                claim="8,643 radiographs, of which 6,952 for training and 1,676 for validation",
                finding="6,952 + 1,676 = 8,628: 15 are unaccounted for.",
            ),
        ),
        "notes": (Note(code="x", level="warning", text="One thing to know."),),
        "provenance": Provenance(
            date="2026-11-22",
            command="hipaudit study --data DATA",
            python="3.11.9",
            platform="Linux x86_64",
            packages={"torch": "2.15.0", "numpy": "2.3.0"},
        ),
    }
    return StudyResults(**{**content, **rest})


def points(place: str, values: tuple[int, ...]) -> tuple[Trained, ...]:
    """One model per value of `place`, better and better; without curves of their training."""
    found = []
    for at, value in enumerate(values):
        made = trained("ResNet-18", "resnet18", 300 + 18 * at, 11_700_000)
        energy = Finding(
            metric="cam_energy_in_box", value=0.1 + 0.05 * at, low=0.05, high=0.5, n=90
        )
        more = (*made.findings, energy) if place == "size" else made.findings
        update = {"name": f"resnet18-{value}", "settings": {place: value}, "findings": more}
        update |= {"range_tests": (), "epochs": ()}
        found.append(made.model_copy(update=update))
    return tuple(found)


def reader_findings() -> tuple[Finding, ...]:
    sides = (("reader 1", "reader 2"), ("model", "reader 1"), ("model", "reader 2"))
    found = []
    for at, (first, second) in enumerate(sides):
        for group in ({}, {"view": "frontal"}, {"view": "lateral"}):
            value = 0.82 - 0.07 * at - 0.03 * len(group)
            params: dict[str, Any] = {"first": first, "second": second}
            found.append(
                Finding(
                    metric="kappa",
                    params=params,
                    group=group,
                    value=value,
                    low=value - 0.09,
                    high=value + 0.08,
                    n=400,
                    method="asymptotic",
                )
            )
            found.append(proportion("agreement", 360 - 10 * at, 400, params=params, group=group))
    return tuple(found)
