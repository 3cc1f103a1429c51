"""The field on confident errors of section 10."""

from __future__ import annotations

from reports.material import Material, probe_detail
from reports.values.registry import Value, value

MOST = 10


@value("errors.confident")
def confident(material: Material) -> Value:
    """The surest wrong decisions by case id; None where the probe did not run."""
    details = probe_detail(material, "label_errors")
    if "confident_errors" not in details:
        return None
    errors = details["confident_errors"]
    if not errors:
        return "No wrong decision."
    shown = [
        f"{error['case']}: labelled {error['label']}, decided {error['decided']} with "
        f"{100 * error['probability']:.1f}%"
        for error in errors[:MOST]
    ]
    return [*shown, f"{len(errors) - MOST} more in audit.json."] if len(errors) > MOST else shown
