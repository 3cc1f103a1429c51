"""The field on slices of the data in which errors gather; section 6 holds the table."""

from __future__ import annotations

from reports.language import _, recorded
from reports.material import Material
from reports.numbers import group_name, sentence
from reports.values.registry import Value, value


@value("errors.clusters")
def clusters(material: Material) -> Value:
    """The slices that stand out after a search over all of them, or that none does."""
    found = material.results.find("weak_slice", stress="clean", defence="none")
    told = [group_name(f.group) for f in found if f.value is not None]
    if told:
        words = _("Errors gather in {n} of the slices searched: {slices} (table in section 6).")
        return words.format(n=len(told), slices="; ".join(told))
    reasons = [recorded(f.reason) for f in found if f.reason]
    return f"{sentence(reasons[0])}." if reasons else None
