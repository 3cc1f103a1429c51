"""The files `hipaudit init` writes: comments to read, blanks to fill, nothing decided."""

from __future__ import annotations

from importlib.resources import files


def starters() -> dict[str, str]:
    """File name to text: the rules, the card, what a checkpoint cannot say about itself."""
    from reports.card_template import template

    folder = files("hipaudit").joinpath("starters")
    return {
        "hipaudit.toml": folder.joinpath("hipaudit.toml").read_text(encoding="utf-8"),
        "card.yaml": template(),
        "model.yaml": folder.joinpath("model.yaml").read_text(encoding="utf-8"),
    }
