"""The fields on metadata and on occlusion of section 10."""

from __future__ import annotations

from reports.material import Material
from reports.numbers import difference, full
from reports.shortcuts import TOGETHER, names, of, one, report_of
from reports.values.registry import Value, value

OF_THE_TABLE = ("shortcut-metadata", "shortcut-matched", "shortcut-encoded")
OF_THE_IMAGE = ("shortcut-occlusion", "shortcut-cam")


@value("errors.metadata")
def metadata(material: Material) -> Value:
    """How well metadata tells the label, how the model does when matched, and every sign."""
    report = report_of(material)
    if report is None:
        return None
    whole = one(report, "metadata_auroc")
    if whole is None:
        return "No attribute with two or more values: nothing could be compared."
    said = [f"Label from metadata alone: AUROC {full(whole)}."]
    examined = names(report)
    attribute = TOGETHER if len(examined) > 1 else examined[0]
    matched = one(report, "matched_auroc", attribute=attribute)
    change = one(report, "matched_auroc", "matched=no", attribute=attribute)
    if matched is not None and change is not None:
        said.append(
            f"The model matched on {', '.join(examined)}: AUROC {full(matched)}; change "
            f"{difference(change)}."
        )
    return said + [n.text for n in report.notes if n.code in OF_THE_TABLE and n.level == "warning"]


@value("errors.occlusion")
def occlusion(material: Material) -> Value:
    """Decisions changed by filling each region, beside the control, and every sign."""
    report = report_of(material)
    if report is None:
        return None
    said = []
    for gap in of(report, "decision_change_occluded", "region=control"):
        region = str(gap.params["region"])
        changed = one(report, "decision_change_occluded", region=region)
        if changed is not None:
            said.append(
                f"Filling the {region} changes {full(changed)} of the decisions; beside a control "
                f"region of the same area {difference(gap)}."
            )
    return said + [n.text for n in report.notes if n.code in OF_THE_IMAGE] or None
