"""Which findings belong to one view, and which views of the model a board should see beside it."""

from __future__ import annotations

from collections.abc import Iterator

from audit.results import Curve, Finding, Scalar
from reports.material import Material, is_cell
from reports.numbers import setting


def beside(
    material: Material,
    finding: Finding,
    metric: str,
    contrast: str | None = None,
    **more: Scalar,
) -> Finding | None:
    """Another metric of the same view and group; `more`: what it has among its parameters."""
    where = {"stress": finding.stress, "defence": finding.defence, "variant": finding.variant}
    same = material.results.find(metric, group=finding.group, contrast=contrast, **where)
    return next((f for f in same if f.params == {**finding.params, **more}), None)


def settings_that_matter(material: Material) -> list[Finding]:
    """AUROC of everyone without stress, then of the attack and of the natural change that lower
    it most, without a defence; where there are lines, of those at the level the line is of."""
    clean = material.clean("auroc")
    worst = [_worst(material, kind) for kind in ("attack", "corruption")]
    return [f for f in (clean, *worst) if f is not None]


def _worst(material: Material, kind: str) -> Finding | None:
    drawn = [line for line in material.results.curves if line.kind == "roc"]
    found = [
        f
        for f in _stressed(material, kind)
        if not drawn or any(line_is_of(line, f) for line in drawn)
    ]
    return min(found, key=lambda f: (f.value or 0.0, setting(f)), default=None)


def _stressed(material: Material, kind: str) -> Iterator[Finding]:
    for f in material.results.find("auroc", group={}, defence="none", contrast=None):
        made_here = "surrogate" not in f.params and f.variant != "average"
        known = f.value is not None and f.stress != "clean" and not is_cell(f)
        if known and made_here and material.kind_of(f.stress) == kind:
            yield f


def line_is_of(line: Curve, finding: Finding) -> bool:
    """Whether a line and a finding are of one view of the same cases."""
    same = ("stress", "params", "variant", "defence", "group")
    return all(getattr(line, name) == getattr(finding, name) for name in same)
