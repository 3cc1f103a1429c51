"""Section 16: the baselines in short, and how later images are compared with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.baselines import baselines
from reports.blocks import Block, Table
from reports.language import N_, _, decimal
from reports.material import Material
from reports.panels.registry import panel

SHOWN = ("0.05", "0.25", "0.5", "0.75", "0.95")
MEASURES = {
    "blur_effect": N_("Blur (0 sharp, 1 blurred)"),
    "contrast": N_("Contrast"),
    "standard_deviation": N_("Standard deviation of the grey values"),
    "entropy": N_("Entropy of the grey values (bits)"),
    "noise_share": N_("Share of noise"),
    "black": N_("Share of black pixels"),
    "white": N_("Share of white pixels"),
    "border": N_("Share of empty border"),
    "laplacian_variance": N_("Variance of the Laplacian"),
    "high_frequency_share": N_("Share of high frequencies"),
}
# Population stability index; source: Siddiqi 2006, Credit Risk Scorecards, ISBN 978-0-471-75451-0.
PSI = N_("PSI = Σ (new − old) · ln(new / old)")


@panel("drift_baselines")
def drift_baselines(material: Material) -> Sequence[Block]:
    known = baselines(material.results)
    if known is None:
        return []
    rows = [row for row in _rows(known, material.results.model.positive_class) if row]
    columns = [_("Quantity"), _("Cases"), "5%", "25%", _("median"), "75%", "95%"]
    note = _(
        "Run the probe drift_baselines on later images and compare, for each quantity, the share "
        "of images in each interval between two quantiles: for example by the population "
        "stability index, {psi}. From which value on somebody looks is for the site to set; none "
        "is proposed. Quantities of fewer than 20 images are left out."
    ).format(psi=_(PSI))
    numeric = frozenset(range(1, 7))
    caption = _("Usual values in this set, without a defence")
    return [Table(caption, columns, rows, note, numeric, widths=(40, 10, 10, 10, 10, 10, 10))]


def _rows(known: Mapping[str, Any], positive: str) -> Iterator[list[str]]:
    score = known.get("decisions", {}).get("none", {}).get("score", {})
    yield _row(_("Score for {positive}, all images").format(positive=positive), score.get("all"))
    yield _row(_("… of those called so"), score.get("called_positive"))
    yield _row(_("… of the others"), score.get("called_otherwise"))
    measured = known.get("pictures", {}).get("measures", {})
    for name, words in MEASURES.items():
        yield _row(_(words), measured.get(name))


def _row(words: str, told: Mapping[str, Any] | None) -> list[str]:
    """A line of the table; empty where there were too few images."""
    found = told.get("quantiles", {}) if told else {}
    if told is None or any(q not in found for q in SHOWN):
        return []
    return [words, str(told.get("cases", "")), *(decimal(f"{found[q]:.3g}") for q in SHOWN)]
