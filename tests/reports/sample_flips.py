"""Pictures of attacks beside the sample audit: two series over ε, two single pixels."""

from __future__ import annotations

import hashlib
from pathlib import Path

from audit.results import Artefact, ProbeReport, Results, Scalar
from tests.sample_results import png

LEVELS = (0.0, 1 / 255, 2 / 255, 4 / 255, 8 / 255)
CASES = {"aa11": ("fractured", "frontal"), "bb22": ("normal", "lateral")}
CLASSES = ("fractured", "normal")


def with_flips(results: Results, folder: Path) -> Results:
    """The results with the report and the pictures of the probe `flips`, written under `folder`."""
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    told = [{"case": case, "attack": "fgsm", "epsilon": "2/255"} for case in ("bb22", "aa11")]
    report = ProbeReport(probe="flips", details={"seed": 20261122, "series": told})
    pictures = [one for case in CASES for one in (*_series(folder, case), _pixel(folder, case))]
    return results.model_copy(
        update={
            "probes": (*results.probes, report),
            "artefacts": (*results.artefacts, *pictures),
        }
    )


def _series(folder: Path, case: str) -> list[Artefact]:
    label, view = CASES[case]
    other = CLASSES[1 - CLASSES.index(label)]
    common: dict[str, Scalar] = {
        "case": case, "label": label, "positive": "fractured", "view": view, "stress": "fgsm",
        "series": f"flip-{case}", "first": 2 / 255, "flips": True, "flips_in_8_bits": True,
    }  # fmt: skip
    made = []
    for place, epsilon in enumerate(LEVELS):
        turned = place >= 2
        score = abs(0.9 - 0.2 * place) if label == "fractured" else 0.1 + 0.2 * place
        meta = {
            **common, "part": "image", "epsilon": epsilon, "score": round(score, 4),
            "outcome": ("FN" if turned else "TP") if label == "fractured" else "TN",
            "predicted": other if turned else label, "probability": 0.8,
        }  # fmt: skip
        made.append(_written(folder, f"flip-{case}-{place}", "flip", meta, (72, 72)))
    added = {**common, "part": "difference", "epsilon": 2 / 255, "times": 50}
    return [*made, _written(folder, f"flip-{case}-difference", "flip", added, (72, 72))]


def _pixel(folder: Path, case: str) -> Artefact:
    label, view = CASES[case]
    meta: dict[str, Scalar] = {
        "case": case, "label": label, "positive": "fractured", "view": view,
        "outcome": "FN" if label == "fractured" else "FP", "stress": "one_pixel",
        "column": 103, "row": 57, "before": "112", "after": "255", "predicted_before": label,
        "predicted": CLASSES[1 - CLASSES.index(label)], "score_before": 0.62, "score": 0.41,
        "probability": 0.59, "flips": True,
    }  # fmt: skip
    return _written(folder, f"one-pixel-{case}", "one_pixel", meta, (240, 72))


def _written(
    folder: Path, name: str, kind: str, meta: dict[str, Scalar], size: tuple[int, int]
) -> Artefact:
    data = png(*size, len(name))
    path = f"figures/{name}.png"
    (folder / path).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    title = f"Case {meta['case']}"
    return Artefact(
        path=path, kind=kind, sha256=digest, title=title, alt=f"Radiograph, {name}.", meta=meta
    )
