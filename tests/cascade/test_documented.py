"""What docs/cascade.md tells a developer to type works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from audit.checkpoints.load import load_classifier
from audit.checkpoints.own import save_checkpoint
from tests.cascade.chains import CLASSES, squeezenet

PAGE = Path(__file__).parents[2] / "docs" / "cascade.md"


def test_the_example_of_the_page_makes_a_cascade_of_four_files(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    links = {
        "frontal": squeezenet(seed=1),
        "lateral": squeezenet(seed=2),
        "view": squeezenet(("frontal", "lateral"), 3),
        "metal": squeezenet(("none", "metal"), 4),
    }
    monkeypatch.chdir(tmp_path)
    for name, link in links.items():
        save_checkpoint(Path(f"{name}.pt"), link.module, link.description)
    said: dict[str, object] = {}
    exec(code, said)  # noqa: S102 - our own page
    model = load_classifier(Path("cascade.pt"), CLASSES)
    x = torch.rand(2, 1, 1024, 1024, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        model.predict(x).logits, said["model"].predict(x).logits, rtol=0, atol=1e-4
    )
    assert model.module.wiring.branches == ("frontal", "lateral")
