"""Two models for one gate: one that reads the image and one that always says normal.

    python examples/ci-gate/models.py FOLDER

Writes FOLDER/val (made-up images with a manifest), FOLDER/reads.pt, FOLDER/guesses.pt and
FOLDER/model.yaml. The images are smooth noise, with a bright line where a bone is "broken". A small
network with random weights and a fitted last layer tells them apart: seconds, and no download.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

SIZE = 64
CLASSES = ("normal", "fracture")
SIDECAR = f"""\
arch: shufflenet_v2_x0_5
classes: [{", ".join(CLASSES)}]
positive_class: fracture
input: {{size: {SIZE}, resize: squish, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}}
"""


def pictures(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, 64, 64) uint8, and which of them are broken (N,)."""
    draw = np.random.default_rng(seed)
    broken = np.arange(count) % 2 == 0
    images = 0.4 + gaussian_filter(draw.normal(0, 1, (count, SIZE, SIZE)), (0, 4, 4))
    for number in np.flatnonzero(broken):
        row = int(draw.integers(16, 44))
        images[number, row : row + 4, 8:56] += 0.5
    return np.round(np.clip(images, 0, 1) * 255).astype(np.uint8), broken


def write_set(folder: Path, count: int, seed: int) -> None:
    """Images and manifest.csv; two images of each patient, frontal and lateral."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (image, ill) in enumerate(zip(*pictures(count, seed), strict=True)):
        name = f"{number:04}.png"
        Image.fromarray(image).save(folder / name)
        view = "lateral" if number % 4 < 2 else "frontal"
        rows.append([name, CLASSES[int(ill)], f"patient {number // 4 * 2 + number % 2}", view])
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["path", "label", "patient_id", "view"], *rows])
    (folder / "SYNTHETIC").touch()  # nothing in it is of a person: every page will say so


def network() -> nn.Module:
    """The body with random weights, the same each time."""
    torch.manual_seed(0)
    return torchvision.models.shufflenet_v2_x0_5(weights=None, num_classes=2).eval()


def reads() -> nn.Module:
    """The last layer is a logistic regression on the body's features of other images."""
    images, broken = pictures(400, seed=1)
    x = torch.from_numpy(images).float()[:, None].expand(-1, 3, -1, -1) / 255
    body = network()
    body.fc = nn.Identity()
    with torch.no_grad():
        found = torch.cat([body((part - 0.5) / 0.5) for part in x.split(50)])
    scale: Tensor = found.std(0).clamp_min(1e-6)
    fit = LogisticRegression(C=0.1, max_iter=2000).fit((found / scale).numpy(), broken)
    weights = torch.from_numpy(fit.coef_[0]).float() / scale / 2
    offset = float(fit.intercept_[0]) / 2
    return with_last_layer(torch.stack([-weights, weights]), torch.tensor([-offset, offset]))


def guesses() -> nn.Module:
    """Says normal whatever it sees, a little more or less surely: of no use at all.

    (With the very same answer for every image the audit names a fault and judges nothing.)
    """
    noise = torch.randn(2, 1024, generator=torch.Generator().manual_seed(0))
    return with_last_layer(1e-3 * noise, torch.tensor([10.0, 0.0]))


def with_last_layer(weight: Tensor, bias: Tensor) -> nn.Module:
    module = network()
    module.fc.weight.data, module.fc.bias.data = weight, bias
    return module


def main(folder: Path) -> None:
    write_set(folder / "val", count=160, seed=2)
    for make in (reads, guesses):
        torch.save(make().state_dict(), folder / f"{make.__name__}.pt")
    (folder / "model.yaml").write_text(SIDECAR, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
