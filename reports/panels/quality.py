"""Section 3: pictures the quality probe found poor."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Gallery
from reports.language import _
from reports.material import Material
from reports.panels.gallery import figure_of, left_out
from reports.panels.registry import panel


@panel("quality_pictures")
def quality_pictures(material: Material) -> Sequence[Block]:
    pictures = [a for a in material.results.artefacts if a.kind == "quality"]
    if not pictures:
        return []
    if not material.images:
        return [left_out(len(pictures), _("Quality."))]
    note = _("Up to two per reason, in seeded order, as the model sees them.")
    shown = [figure_of(material.folder, artefact) for artefact in pictures]
    return [Gallery(_("Beyond the limits of quality"), shown, note)]
