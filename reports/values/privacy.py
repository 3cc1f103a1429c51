"""The computed field of section 13 on what the report and its files hold of persons."""

from __future__ import annotations

from reports.language import _
from reports.material import Material
from reports.values.registry import Value, value


@value("privacy.statement")
def privacy(material: Material) -> Value:
    if material.results.data.synthetic:
        return _("Nothing: the data is synthetic and holds no person.")
    lines = [
        _(
            "Counts, rates and case ids made from pixels; no path, date, name or identifier from "
            "the files. Which case is which image stands in private/cases.csv alone, which stays "
            "on the machine of the audit."
        ),
        _("It shows images of patients: treat it as data concerning health.")
        if material.images and material.results.artefacts
        else _("It shows no image of a patient."),
    ]
    if material.edition.suppress:
        lines.append(
            _("Counts of persons from 1 to {most} are not printed in this edition.").format(
                most=material.edition.suppress - 1
            )
        )
    return lines
