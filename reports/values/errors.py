"""The field on confident errors of section 10."""

from __future__ import annotations

from typing import Any

from reports.captions import chance
from reports.language import _, ngettext
from reports.material import Material, probe_detail
from reports.values.registry import Value, value


@value("errors.confident")
def confident(material: Material) -> Value:
    """How sure the surest wrong decision is; None where the probe did not run."""
    errors = confident_errors(material)
    if errors is None:
        return None
    if not errors:
        return _("No wrong decision.")
    told = ngettext(
        "{n} wrong decision is listed; it was made with P = {p} (table below).",
        "The {n} surest wrong decisions are listed; the first was made with P = {p} (table below).",
        len(errors),
    )
    return told.format(n=len(errors), p=chance(errors[0]["probability"]))


def confident_errors(material: Material) -> list[dict[str, Any]] | None:
    """The surest wrong decisions, the surest first, as the probe listed them."""
    found = probe_detail(material, "label_errors").get("confident_errors")
    return list(found) if isinstance(found, list) else None
