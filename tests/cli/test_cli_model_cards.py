"""Other people's model cards: each held against its own schema."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from hipaudit.exports.chai import NAMESPACE, as_chai
from hipaudit.exports.cyclonedx import as_cyclonedx
from hipaudit.exports.headline import stressed
from hipaudit.exports.huggingface import as_huggingface
from reports.card import Card, Identity, Purpose
from tests.sample_results import sample_results

FULL = Card(
    identity=Identity(version="1.1", developer="A <b> & c", licence="Internal use"),
    purpose=Purpose(intended_purpose="Second look\x00 & nothing else", users="Radiologists"),
)
CARDS = pytest.mark.parametrize("card", [Card(), FULL], ids=["no card", "a card"])
# CHAI Applied Model Card 0.2: what each type must hold, in this order; "?" may be left out.
METRIC = ["MetricGoal", "Results", "Interpretation", "TestType", "TestingDataDescription",
          "ValidationProcessAndJustification"]  # fmt: skip
CHAI = {
    "AppliedModelCard": ["BasicInfo", "ReleaseInfo", "ModelSummary", "UsesAndDirections",
                         "Warnings", "TrustIngredients", "KeyMetrics", "Resources",
                         "Bibliography"],
    "BasicInfo": ["ModelName", "ModelDeveloper", "DeveloperContact"],
    "ReleaseInfo": ["ReleaseStage", "ReleaseDate", "ReleaseVersion", "GlobalAvailability",
                    "?EHRCompatibility", "?RegulatoryApproval"],
    "ModelSummary": ["Summary", "Keywords"],
    "UsesAndDirections": ["IntendedUseAndWorkflow", "PrimaryIntendedUsers", "HowToUse",
                          "TargetedPatientPopulation", "CautionedOutOfScopeSettings"],
    "Warnings": ["KnownRisksAndLimitations", "KnownBiasesOrEthicalConsiderations",
                 "ClinicalRiskLevel"],
    "TrustIngredients": ["AISystemFacts", "TransparencyInformation"],
    "AISystemFacts": ["OutcomesAndOutputs", "ModelType", "?FoundationModels", "InputDataSource",
                      "OutputAndInputDataTypes", "DevelopmentDataCharacterization",
                      "BiasMitigationApproaches", "OngoingMaintenance", "?Security",
                      "?Transparency"],
    "TransparencyInformation": ["FundingSource", "?ThirdPartyInformation",
                                "StakeholdersConsulted"],
    "KeyMetrics": ["UsefulnessUsabilityEfficacy", "FairnessEquity", "SafetyReliability"],
    "UsefulnessUsabilityEfficacy": METRIC,
    "FairnessEquity": METRIC,
    "SafetyReliability": METRIC,
    "MetricResult": ["Label", "ValueJson"],
    "Resources": ["?EvaluationReferences", "?ClinicalTrial", "PeerReviewedPublications",
                  "?ReimbursementStatus", "PatientConsentOrDisclosure"],
}  # fmt: skip


@CARDS
def test_the_ml_bom_is_valid_cyclonedx_1_6(tmp_path, card):
    results = sample_results(tmp_path)
    text = as_cyclonedx(results, card)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert text == as_cyclonedx(results, card)
    model = json.loads(text)["metadata"]["component"]
    assert model["hashes"][0]["content"] == results.model.sha256[0]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    found = {one["type"]: one for one in metrics if one["slice"] == one["type"]}
    (sensitivity,) = results.find("sensitivity", stress="clean", group={}, contrast=None,
                                  defence="none")  # fmt: skip
    assert float(found["sensitivity"]["value"]) == pytest.approx(sensitivity.value)
    limits = found["sensitivity"]["confidenceInterval"]
    assert float(limits["lowerBound"]) == pytest.approx(sensitivity.low, abs=1e-5)


@CARDS
def test_the_chai_card_has_every_element_of_its_schema_in_order(tmp_path, card):
    results = sample_results(tmp_path)
    root = ElementTree.fromstring(as_chai(results, card))  # noqa: S314  # our own text
    seen = set()
    for element in root.iter():
        assert element.tag.startswith(f"{{{NAMESPACE}}}")
        name = element.tag.partition("}")[2]
        if name not in CHAI:
            continue
        seen.add(name)
        inside = [child.tag.partition("}")[2] for child in element]
        asked = [one for one in CHAI[name] if not one.startswith("?") or one[1:] in inside]
        assert inside == [one.lstrip("?") for one in asked]
    assert seen == set(CHAI)
    space = {"mc": NAMESPACE}
    for results_of in root.iterfind(".//mc:Results", space):
        assert len(results_of)  # at least one, or the schema refuses it
    for value in root.iterfind(".//mc:ValueJson", space):
        assert json.loads(value.text)["kind"] in {"estimate", "estimate_ci", "text"}
    if card == Card():
        assert root.find("mc:BasicInfo/mc:ModelDeveloper", space).text == "NOT SUPPLIED"


@CARDS
def test_the_hub_metadata_is_a_model_index_of_numbers(tmp_path, card):
    results = sample_results(tmp_path)
    _, block, words = as_huggingface(results, card).split("---\n", 2)
    told = yaml.safe_load(block)
    (index,) = told["model-index"]
    (evidence,) = index["results"]
    assert {"type", "name"} <= set(evidence["dataset"])
    assert evidence["task"]["type"] == told["pipeline_tag"] == "image-classification"
    assert all({"type", "value"} <= set(one) for one in evidence["metrics"])
    assert all(isinstance(one["value"], float) for one in evidence["metrics"])
    assert "NOT SUPPLIED" in words or card is FULL


def test_the_worst_of_a_stress_is_its_lowest_number(tmp_path):
    results = sample_results(tmp_path)
    for found in stressed(results):
        others = results.find(found.metric, stress=found.stress, group={}, defence="none")
        values = [o.value for o in others if o.value is not None and o.variant != "average"
                  and o.contrast is None and "surrogate" not in o.params]  # fmt: skip
        assert found.value == min(values)


def test_they_are_written_beside_each_other(hipaudit, audit_json, tmp_path):
    kinds = {"chai": "c.xml", "cyclonedx": "c.json", "huggingface": "README.md"}
    asked = [part for kind, name in kinds.items() for part in ("--output", f"{kind}={name}")]
    assert hipaudit("gate", audit_json, *asked)[0] == 0
    assert all((tmp_path / name).stat().st_size for name in kinds.values())
