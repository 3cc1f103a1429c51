"""The fields on overlap with the training data and on repeats, of section 3."""

from __future__ import annotations

from audit.results import Finding, ProbeReport
from reports.material import Material
from reports.referral import told
from reports.values.registry import Value, value

ABOUT_TRAINING = ("leakage-patients", "leakage-pixels", "leakage-near", "leakage-none")


@value("data.overlap")
def overlap(material: Material) -> Value:
    """What lies in the training data as well; None where none was given."""
    report = _report(material)
    if report is None or report.details.get("trained_on") is None:
        return None
    said = [n.text for n in report.notes if n.code in (*ABOUT_TRAINING, "leakage-patients-unknown")]
    compared = f"Compared with {report.details['trained_on']} training images."
    rates = [
        f"Decided correctly: {told(_one(report, metric))} of the {words}."
        for metric, words in (
            ("accuracy_leaked", "images met in training"),
            ("accuracy_unleaked", "others"),
        )
        if _one(report, metric) is not None
    ]
    return [compared, *said, *rates]


@value("data.duplicates")
def duplicates(material: Material) -> Value:
    report = _report(material)
    if report is None:
        return None
    said = [note.text for note in report.notes if note.code == "duplicates"]
    return said or "None found among the audited images, by pixels or by perceptual hash."


def _report(material: Material) -> ProbeReport | None:
    found = (r for r in material.results.probes if r.probe == "leakage" and r.state == "done")
    return next(found, None)


def _one(report: ProbeReport, metric: str) -> Finding | None:
    return next((f for f in report.findings if f.metric == metric), None)
