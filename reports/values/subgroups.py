"""Fields of section 6: by what was reported, what was too small, what is not known."""

from __future__ import annotations

from reports.language import N_, _
from reports.material import Material
from reports.values.registry import Value, value

EXPECTED = {
    "view": N_("view"),
    "sex": N_("sex"),
    "age_band": N_("age band"),
    "device": N_("device"),
    "site": N_("site"),
}


@value("subgroups.attributes")
def reported_by(material: Material) -> Value:
    """Each attribute or crossing with the number of its groups."""
    groups = material.groups()
    names = list(dict.fromkeys(" × ".join(group) for group in groups))
    counted = {name: sum(" × ".join(group) == name for group in groups) for name in names}
    told = ", ".join(
        _("{name} ({n} groups)").format(name=name.replace("_", " "), n=k)
        for name, k in counted.items()
    )
    return told or None


@value("subgroups.suppressed")
def suppressed(material: Material) -> Value:
    """How many rates were not given, for cells under ten."""
    cells = [f for f in material.results.findings if f.group and f.contrast is None]
    if not cells:
        return None
    few = [f for f in cells if f.value is None and (f.reason or "").startswith("fewer than")]
    clean = sum(f.stress == "clean" for f in few)
    return _(
        "{n} of {of} numbers by group are not given, for fewer than 10 to count by: {clean} "
        "without stress, {stressed} under one."
    ).format(n=len(few), of=len(cells), clean=clean, stressed=len(few) - clean)


@value("subgroups.missing")
def missing_attributes(material: Material) -> Value:
    have = material.results.data.attributes
    names = [_(words) for name, words in EXPECTED.items() if name not in have]
    if not names:
        return _("None of the usual ones")
    told = _("{names}. Nothing is known of differences by them.")
    return told.format(names=", ".join(names))
