"""Fields on slices of the data in which errors gather."""

from __future__ import annotations

from reports.material import Material
from reports.numbers import difference, group_name, metric_name
from reports.p_values import p_text
from reports.values.registry import Value, value


@value("errors.clusters")
def clusters(material: Material) -> Value:
    """The slices that stand out after a search over all of them, or that none does."""
    found = material.results.find("weak_slice", stress="clean", defence="none")
    told = [
        f"{group_name(f.group)}: {metric_name(str(f.params.get('of')))} {difference(f)} "
        f"against all other cases, p {_is(f.p_holm)} for the whole search"
        for f in found
        if f.value is not None
    ]
    if told:
        return "; ".join(told) + ". Chosen as the worst of many: a new set will show less."
    reasons = [f.reason for f in found if f.reason]
    return f"{reasons[0][0].upper()}{reasons[0][1:]}." if reasons else None


def _is(p: float | None) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"
