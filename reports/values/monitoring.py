"""The computed field of section 16."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.baselines import NAME, baselines
from reports.language import _
from reports.material import Material
from reports.numbers import amount
from reports.values.registry import Value, value


@value("monitoring.baselines")
def baselines_told(material: Material) -> Value:
    """The shares, and what the attached file holds."""
    known = baselines(material.results)
    if known is None:
        return None
    usual: Mapping[str, Any] = known.get("decisions", {}).get("none", {})
    positive = material.results.model.positive_class
    shares = [
        (_("Labelled {positive}: {share}."), known.get("labelled_positive")),
        (_("Called {positive}: {share}."), usual.get("called_positive")),
        (_("Referred: {share}."), usual.get("referred")),
    ]
    lines = [
        words.format(positive=positive, share=amount("accuracy", share))
        for words, share in shares
        if isinstance(share, int | float)
    ]
    about = _(
        "{name}, attached to the PDF, holds quantiles of the score and of the pictures and the "
        "shares of the attributes: no case id, no group of fewer than 5."
    ).format(name=NAME)
    return [" ".join(lines), about] if lines else about
