"""The CHAI Applied Model Card 0.2 as XML.

Every element of the schema in its order; what nobody supplied says so, as a blank would read as
"nothing to tell". Source: coalition-for-health-ai/mc-schema, v0.2/schema.xsd.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from hipaudit.exports.headline import (
    NOT_SUPPLIED,
    by_group,
    clean,
    data_in_words,
    named,
    stressed,
)
from hipaudit.exports.xml_text import xml_text
from reports.wording import FOOTER

if TYPE_CHECKING:
    from audit.results import Finding, Results
    from reports.card import Card

NAMESPACE = "https://mc.chai.org/v0.2/schema.xsd"
Tree = Mapping[str, Any]


def as_chai(results: Results, card: Card) -> str:
    """The card as XML text; numbers carry their 95% limits and denominators."""
    root = ElementTree.Element("AppliedModelCard", xmlns=NAMESPACE)
    _fill(root, _tree(results, card))
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _tree(results: Results, card: Card) -> Tree:
    return {
        "BasicInfo": {
            "ModelName": results.model.name,
            "ModelDeveloper": _said(card.identity.developer),
            "DeveloperContact": _said(card.identity.contact),
        },
        "ReleaseInfo": {
            "ReleaseStage": _said(card.regulation.track),
            "ReleaseDate": NOT_SUPPLIED,
            "ReleaseVersion": _said(card.identity.version),
            "GlobalAvailability": NOT_SUPPLIED,
        },
        "ModelSummary": {
            "Summary": _said(card.plain_language.summary or card.purpose.intended_purpose),
            "Keywords": {"Keyword": ["radiography", results.model.positive_class]},
        },
        "UsesAndDirections": {
            "IntendedUseAndWorkflow": _said(card.purpose.intended_purpose, card.purpose.workflow),
            "PrimaryIntendedUsers": _said(card.purpose.users),
            "HowToUse": _said(card.purpose.workflow),
            "TargetedPatientPopulation": _said(card.purpose.population),
            "CautionedOutOfScopeSettings": _said(card.purpose.out_of_scope),
        },
        "Warnings": {
            "KnownRisksAndLimitations": _said(card.limitations.known, _not_tested(results)),
            "KnownBiasesOrEthicalConsiderations": _said(card.subgroups.bias),
            "ClinicalRiskLevel": _said(card.regulation.mdr_class),
        },
        "TrustIngredients": _trust(results, card),
        "KeyMetrics": _metrics(results, card),
        "Resources": {
            "PeerReviewedPublications": NOT_SUPPLIED,
            "PatientConsentOrDisclosure": _said(card.oversight.patient_information),
        },
        "Bibliography": "",
    }


def _trust(results: Results, card: Card) -> Tree:
    model = results.model
    return {
        "AISystemFacts": {
            "OutcomesAndOutputs": f"One of {', '.join(model.classes)}; positive: "
            f"{model.positive_class}.",
            "ModelType": f"{model.architecture}, {model.parameters:,} parameters",
            "InputDataSource": _said(card.data.source),
            "OutputAndInputDataTypes": f"Radiograph in, a score per class out; input "
            f"{model.preparation.height} × {model.preparation.width} pixels.",
            "DevelopmentDataCharacterization": _said(card.data.sampling, card.data.dates),
            "BiasMitigationApproaches": _said(card.subgroups.bias),
            "OngoingMaintenance": _said(card.monitoring.frequency, card.monitoring.triggers),
            "Security": f"Weights (sha256): {', '.join(model.sha256) or 'not recorded'}.",
            "Transparency": FOOTER,
        },
        "TransparencyInformation": {
            "FundingSource": _said(card.identity.funding),
            "StakeholdersConsulted": _said(card.accountability.stakeholders),
        },
    }


def _metrics(results: Results, card: Card) -> Tree:
    goal = _said(card.performance.acceptable_values)
    why = _said(card.performance.justification)
    return {
        "UsefulnessUsabilityEfficacy": _metric(
            results, clean(results), goal, why, "Without stress"
        ),
        "FairnessEquity": _metric(results, by_group(results), goal, why, "By group"),
        "SafetyReliability": _metric(results, stressed(results), goal, why, "Under stress"),
    }


def _metric(
    results: Results, found: Sequence[Finding], goal: str, why: str, kind: str
) -> dict[str, Any]:
    none = [{"Label": "not measured", "ValueJson": json.dumps({"kind": "text", "text": "none"})}]
    return {
        "MetricGoal": goal,
        "Results": {"MetricResult": [_result(one) for one in found] or none},
        "Interpretation": "Evidence, not a judgement: intervals, denominators and what was not "
        "tested stand in the audit.",
        "TestType": f"{kind}; retrospective, hipaudit {results.tool_version}, preset "
        f"{results.plan.preset}",
        "TestingDataDescription": data_in_words(results),
        "ValidationProcessAndJustification": why,
    }


def _result(finding: Finding) -> dict[str, str]:
    value: dict[str, Any] = {"kind": "estimate", "estimate": finding.value}
    if finding.low is not None and finding.high is not None:
        value |= {"kind": "estimate_ci", "lower": finding.low, "upper": finding.high, "level": 95}
    return {"Label": f"{named(finding)} (n = {finding.n})", "ValueJson": json.dumps(value)}


def _not_tested(results: Results) -> str:
    told = "; ".join(f"{name}: {why}" for name, why in sorted(results.plan.not_tested.items()))
    return f"Not tested: {told}." if told else ""


def _said(*texts: str | None) -> str:
    return "\n\n".join(text.strip() for text in texts if text and text.strip()) or NOT_SUPPLIED


def _fill(parent: ElementTree.Element, tree: Tree) -> None:
    for name, value in tree.items():
        for one in value if isinstance(value, list) else [value]:
            child = ElementTree.SubElement(parent, name)
            if isinstance(one, Mapping):
                _fill(child, one)
            else:
                child.text = xml_text(str(one))
