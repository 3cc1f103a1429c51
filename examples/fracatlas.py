"""Fine-tune SqueezeNet 1.1 on your own download of FracAtlas; then audit it with hipaudit run.

    python examples/fracatlas.py prepare FracAtlas/          writes FracAtlas/manifest.csv
    python examples/fracatlas.py train FracAtlas/manifest.csv squeezenet1_1.pth fracatlas.pt

`squeezenet1_1.pth` is torchvision's ImageNet state_dict. See examples/fracatlas.md.
"""

from __future__ import annotations

import csv
import hashlib
import io
import sys
from pathlib import Path

from audit.cases.options import DataOptions
from audit.cases.read import read_cases
from audit.checkpoints.own import save_checkpoint
from audit.files import write_whole
from trainers.fit import fit
from trainers.splits import carve

VIEWS, PARTS = ("frontal", "lateral", "oblique"), ("hand", "leg", "hip", "shoulder")
TEST_SHARE = 0.18
RECIPE = {
    "size": 224,
    "resize": "squish",  # a centre crop would cut off wrists and ankles
    "freeze_epochs": 2,
    "max_epochs": 12,
    "lr": 2e-3,
    "spread": "slice",
    "body_divisor": 8.0,
    "class_weights": "balanced",
    "metric": "auroc",
    "patience": 0,
    "threshold": "youden",
    "seed": 0,
}


class Lines:
    """Tells how far the training is: a line per epoch."""

    def run(self, run_id: str, done: int, total: int) -> None: ...

    def note(self, text: str) -> None:
        print(text)


def prepare(folder: Path) -> Path:
    """Write manifest.csv from the data set's dataset.csv: view, body part, hardware, split.

    The split is a hash of the image's name: without patient ids there is nothing better.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "label", "split", "view", "body_part", "hardware"])
    with (folder / "dataset.csv").open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            broken = row["fractured"] == "1"
            path = f"images/{'Fractured' if broken else 'Non_fractured'}/{row['image_id']}"
            views = [name for name in VIEWS if row[name] == "1"]
            number = int(hashlib.sha256(row["image_id"].encode()).hexdigest()[:8], 16)
            writer.writerow(
                [
                    path,
                    "fractured" if broken else "normal",
                    "val" if number / 0xFFFFFFFF < TEST_SHARE else "train",
                    views[0] if len(views) == 1 else "multiple" if views else "unknown",
                    "+".join(name for name in PARTS if row[name] == "1") or "unknown",
                    row["hardware"],
                ]
            )
    return write_whole(folder / "manifest.csv", text.getvalue())


def train(manifest: Path, weights: Path, out: Path) -> Path:
    """Fit on the train split, validating on a part carved out of it; `val` stays untouched."""
    cases = read_cases(manifest, DataOptions(split="train"))
    fitting, validation = carve(cases, 0.15, seed=0)
    module, description, log = fit(
        "squeezenet1_1",
        fitting,
        validation,
        classes=("normal", "fractured"),
        positive_class="fractured",
        weights=weights,
        progress=Lines(),
        **RECIPE,
    )
    write_whole(out.with_suffix(".csv"), log.to_csv())
    return save_checkpoint(out, module, description)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["prepare", folder]:
            print(f"wrote {prepare(Path(folder))}")
        case ["train", manifest, weights, out]:
            print(f"wrote {train(Path(manifest), Path(weights), Path(out))}")
        case _:
            print(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
