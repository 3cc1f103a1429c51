"""How to repeat the audit, and what its numbers rest on."""

from __future__ import annotations

from reports.language import _, recorded
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
    words = _("{tool} {version}, audit.json schema {schema}")
    return words.format(
        tool=results.tool, version=results.tool_version, schema=results.schema_version
    )


@value("provenance.machine")
def machine(material: Material) -> Value:
    known = material.results.provenance
    parts = [known.platform, f"Python {known.python}" if known.python else "", known.device]
    batch = _("batch size {n}").format(n=known.batch_size) if known.batch_size else ""
    search = _("attacks searched with the network as {kind}").format(kind=recorded(known.search))
    return ", ".join(part for part in [*parts, batch, search] if part)


@value("provenance.predictions")
def predictions(material: Material) -> Value:
    digest = material.results.predictions_sha256
    return blocks_of(digest) if digest else None


@value("provenance.gate_file")
def gate_file(material: Material) -> Value:
    """Only a file that was fixed before the run and judged by answers AI Act Art. 9(8)."""
    before, judged = material.results.provenance.gate_file, material.judgement.gate_file_sha256
    if before is None or (judged and judged != before.sha256):
        return None
    words = _("recorded {day}, before the first unit: {hash}")
    return words.format(day=before.recorded, hash=blocks_of(before.sha256))


@value("plan.preset")
def preset(material: Material) -> Value:
    plan = material.results.plan
    words = _("preset {preset}, seed {seed}; every random draw follows from it and the case id")
    return words.format(preset=plan.preset, seed=plan.seed)


@value("methods.worst")
def rule_of_worst(_material: Material) -> Value:
    return _(RULE_OF_WORST)


@value("methods.statistics")
def statistics(material: Material) -> Value:
    unit = (
        _(
            "Images treated as independent, for lack of patient ids; repeated patients would make "
            "the intervals too narrow."
        )
        if material.independent
        else _("The unit is the patient; images of one patient are resampled together.")
    )
    return [
        _("95% intervals, one per number; which method where stands in the table below."),
        unit,
        _(
            "No rate under 10 cases in its denominator. Imprecise (†): half-width over 10 points. "
            "Differences are tested as differences, with p adjusted after Holm within each family; "
            "overlap of intervals decides nothing."
        ),
    ]


@value("methods.document")
def document(_material: Material) -> Value:
    return _(
        "The PDF is tagged and carries audit.json, verdict.json, the papers it was made from and "
        "the environment. Written as PDF/UA-1, or as PDF/A-3u when asked for; conformance not "
        "validated: veraPDF does that (make verapdf)."
    )
