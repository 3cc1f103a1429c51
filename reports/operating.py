"""What panels and values of section 4 ask of the findings that depend on a prevalence."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.material import Material


def declared(material: Material) -> list[float]:
    """Prevalences that the audit was run for, by size."""
    found = material.results.find("ppv", stress="clean", defence="none")
    return sorted({share for f in found if isinstance(share := f.params.get("prevalence"), float)})


def at(material: Material, metric: str, prevalence: float) -> Finding | None:
    """The clean finding of everyone at a prevalence."""
    found = material.results.find(metric, stress="clean", group={}, defence="none")
    return next((f for f in found if f.params.get("prevalence") == prevalence), None)


def percent(shares: Sequence[float]) -> str:
    """ "2%, 5%".

    >>> percent([0.02, 0.125])
    '2%, 12.5%'
    """
    return ", ".join(f"{100 * share:g}%" for share in shares)


def disagreement(material: Material) -> str:
    """What to say where card.yaml declares other prevalences than the audit was run for."""
    card, audit = sorted(material.card.performance.prevalences), declared(material)
    if not audit or not card or [f"{c:g}" for c in card] == [f"{a:g}" for a in audit]:
        return ""
    return (
        f"card.yaml declares {percent(card)}; the audit was run for {percent(audit)}, and its "
        f"numbers are shown. To have the others: hipaudit run … --prevalence "
        f"{percent(card).replace(' ', '')}."
    )
