"""The field on masked gradients of section 8."""

from __future__ import annotations

from reports.masking import masking_report
from reports.material import Material
from reports.values.registry import Value, value


@value("adversarial.masking")
def masking(material: Material) -> Value:
    """Every sign and what could not be looked at, in the words of the probe."""
    report = masking_report(material.results)
    return [note.text for note in report.notes] or None if report else None
