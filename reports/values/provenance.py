"""How to repeat the audit, and what its numbers rest on."""

from __future__ import annotations

from reports.material import Material
from reports.numbers import blocks_of
from reports.summary import RULE_OF_WORST
from reports.values.registry import Value, value


@value("provenance.packages")
def packages(material: Material) -> Value:
    found = material.results.provenance.packages
    return ", ".join(f"{name} {version}" for name, version in sorted(found.items())) or None


@value("provenance.command")
def command(material: Material) -> Value:
    return material.results.provenance.command or None


@value("provenance.tool")
def tool(material: Material) -> Value:
    results = material.results
    return f"{results.tool} {results.tool_version}, audit.json schema {results.schema_version}"


@value("provenance.machine")
def machine(material: Material) -> Value:
    known = material.results.provenance
    parts = [known.platform, f"Python {known.python}" if known.python else "", known.device]
    batch = f"batch size {known.batch_size}" if known.batch_size else ""
    return ", ".join(part for part in [*parts, batch] if part)


@value("provenance.gate_file")
def gate_file(material: Material) -> Value:
    recorded = material.results.provenance.gate_file
    judged = material.judgement.gate_file_sha256
    lines = []
    if recorded:
        lines.append(
            f"recorded {recorded.recorded}, before the first unit: {blocks_of(recorded.sha256)}"
        )
    else:
        lines.append("No threshold file was recorded before the run.")
    if judged and (recorded is None or judged != recorded.sha256):
        lines.append(f"judged by another file: {blocks_of(judged)}")
    return lines


@value("plan.preset")
def preset(material: Material) -> Value:
    plan = material.results.plan
    return f"preset {plan.preset}, seed {plan.seed}"


@value("methods.worst")
def rule_of_worst(_: Material) -> Value:
    return RULE_OF_WORST


@value("methods.statistics")
def statistics(material: Material) -> Value:
    methods = sorted({f.method for f in material.results.findings if f.method})
    unit = (
        "Images treated as independent, for lack of patient ids; repeated patients would make "
        "the intervals too narrow."
        if material.independent
        else "The unit is the patient; images of one patient are resampled together."
    )
    return [
        f"95% intervals: {', '.join(methods) or 'none computed'}. One interval per number.",
        unit,
        "No rate under 10 cases in its denominator. Imprecise (†): half-width over 10 points.",
    ]


@value("methods.document")
def document(_: Material) -> Value:
    return (
        "The PDF is tagged and carries audit.json, verdict.json, the papers it was made from and "
        "the environment. Written as PDF/UA-1, or as PDF/A-3u when asked for; conformance not "
        "validated: veraPDF does that (make verapdf)."
    )
