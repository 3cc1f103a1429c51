"""A cascade fitted to phantom radiographs, stored as one file, and audited whole.

Run it: python examples/cascade.py [FOLDER]
A few minutes on one core; nothing it says is about patients.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import mkdtemp

import hipaudit
from audit.cases.options import DataOptions
from audit.cases.read import read_cases
from audit.checkpoints.load import load_classifier
from trainers.cascade.fit import fit_cascade, save_cascade
from trainers.cascade.places import necks_of
from trainers.cascade.scores import link_scores
from trainers.phantom.spec import PhantomSpec
from trainers.phantom.write import write_dataset

CLASSES = ("normal", "fracture")
SPEC = PhantomSpec(train=320, val=100, test=100, size=96, implant=0.2)
SETTINGS = {
    "size": 96, "crop_size": 64, "glance": 48, "head": "torchvision", "batch_size": 16,
    "lr": 2e-3, "augmentation": "gentle", "patience": 0, "max_epochs": 6,
}  # fmt: skip


class Printed:
    """Tells an epoch a line."""

    def run(self, run_id: str, done: int, total: int) -> None: ...

    def note(self, text: str) -> None:
        print(" ", text)


def main(folder: Path) -> None:
    write_dataset(folder / "data", SPEC)
    train, val, test = (
        read_cases(folder / "data" / split, DataOptions(split=split, positive_class="fracture"))
        for split in ("train", "val", "test")
    )
    cascade, description, record = fit_cascade(
        train, val, classes=CLASSES, positive_class="fracture", folder=folder / "links",
        progress=Printed(), **SETTINGS,
    )  # fmt: skip
    print("left out:", record["left_out"] or "nothing")
    path = save_cascade(folder / "cascade.pt", cascade, description, {"synthetic": True})

    model = load_classifier(path, CLASSES)
    for note in model.description.notes:
        print(f"{note.code}: {note.text}")
    print(json.dumps(link_scores(model, test, necks_of(test)), indent=1))

    results = hipaudit.run(model, test, preset="ci", out=folder / "audit")
    for metric in ("accuracy", "auroc", "referral_rate"):
        for found in results.find(metric, stress="clean", defence="none", group={}):
            print(f"{metric}: {found.value:.3f} ({found.low:.3f} to {found.high:.3f})")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else mkdtemp(prefix="cascade-")))
