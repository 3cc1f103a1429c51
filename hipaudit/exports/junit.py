"""The verdict as JUnit XML: a test per rule, which every CI server can show."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from hipaudit.exports.xml_text import xml_text

if TYPE_CHECKING:
    from audit.gate.verdict import RuleVerdict, Verdict

# A rule that is only a warning does not fail the pipeline, so it may not fail a test either.
WARNED = "warning only"


def as_junit(verdict: Verdict) -> str:
    """One test suite. A rule that failed is a failure; one without an answer is an error, since
    nothing was shown; a rule that is waived, off or only warns is skipped, with the reason.

    Source: the schema of Jenkins' xUnit plug-in, junit-10.xsd.
    """
    cases = [_case(rule, verdict.weight(rule)) for rule in verdict.rules]
    suite = ElementTree.Element(
        "testsuite",
        name="hipaudit",
        tests=str(len(cases)),
        failures=str(_count(cases, "failure")),
        errors=str(_count(cases, "error")),
        skipped=str(_count(cases, "skipped")),
    )
    suite.extend(cases)
    output = ElementTree.SubElement(suite, "system-out")
    output.text = xml_text("\n".join([f"gate: {verdict.outcome}", *verdict.warnings]))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(rule: RuleVerdict, weight: str | None) -> ElementTree.Element:
    name = xml_text(f"{rule.id}: {rule.text}")
    case = ElementTree.Element("testcase", classname=xml_text(f"hipaudit.{rule.metric}"), name=name)
    kind = _kind(rule, weight)
    if kind:
        said = xml_text(f"{rule.outcome}: {rule.reason}" if rule.reason else rule.outcome)
        if weight == "warning" and rule.outcome != "waived":
            said = f"{WARNED}: {said}"
        told = ElementTree.SubElement(case, kind, message=said)
        if kind != "skipped":
            told.set("type", rule.outcome)
    return case


def _kind(rule: RuleVerdict, weight: str | None) -> str | None:
    if rule.outcome == "pass":
        return None
    if weight != "error":
        return "skipped"
    return "failure" if rule.outcome == "fail" else "error"


def _count(cases: list[ElementTree.Element], kind: str) -> int:
    return sum(case.find(kind) is not None for case in cases)
