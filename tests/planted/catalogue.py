"""Every row: what is planted, and what is sound."""

from __future__ import annotations

from tests.planted import (
    closed_forms,
    flaws_calibration,
    flaws_data,
    flaws_explanations,
    flaws_groups,
    flaws_masking,
    flaws_model,
    flaws_shortcuts,
    flaws_stress,
)
from tests.planted.planting import Flaw

THEMES: dict[str, tuple[Flaw, ...]] = {
    "Model": flaws_model.FLAWS,
    "Masked gradients": flaws_masking.FLAWS,
    "Alterations": flaws_stress.FLAWS,
    "Groups": flaws_groups.FLAWS,
    "Calibration": flaws_calibration.FLAWS,
    "Shortcuts": flaws_shortcuts.FLAWS,
    "Data": flaws_data.FLAWS,
    "Explanations": flaws_explanations.FLAWS,
    "Closed forms": closed_forms.FLAWS,
}
