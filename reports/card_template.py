"""An empty card.yaml with a comment at every field, made from the outline of the report."""

from __future__ import annotations

from reports.modes import MODES
from reports.outline import outline

HEAD = """\
# card.yaml: what only people can say. Every field may be left out; a blank one prints
# NOT SUPPLIED. After each field: the section of the report, and who asks for it.
# Write what is so, in the language of the report. "none" is not accepted for subgroups.bias and
# limitations.known. Long text: write ">-" after the colon and indent the lines below it.
# Words that no audit can carry are named in the report where they are used.
"""
# What to write, where the name of the field does not say it.
HINTS = {
    "identity.version": "as the developer numbers it",
    "identity.environment": "viewer, archive, computers",
    "identity.protocol": "its number and version",
    "identity.licence": "and whether others can get the weights",
    "identity.funding": "who paid, and interests of theirs",
    "purpose.intended_purpose": "what the output is for",
    "purpose.users": "who reads the output",
    "purpose.population": "in which patients, referred by whom",
    "purpose.workflow": "when the output is shown, and what follows from it",
    "purpose.out_of_scope": "patients and images it must not be used for",
    "regulation.track": "CE-marked, in-house, or research under a protocol",
    "regulation.mdr_class": "as people determined it; the software never states one",
    "regulation.udi": "unique device identifier, if there is one",
    "regulation.in_house_declaration": "where it is filed",
    "regulation.research_only": "yes or no",
    "regulation.emergency_triage": "yes or no; does it order patients in emergency care",
    "data.source": "which hospitals, departments, archives",
    "data.dates": "from when to when the images were made",
    "data.sampling": "consecutive, random, enriched",
    "data.exclusions": "how many images, and why",
    "data.reference_standard": "what decided that a label is true",
    "data.annotators": "how many, with what training",
    "data.agreement": "how often the annotators agreed, measured how",
    "performance.acceptable_values": "from which value on it may be used",
    "performance.justification": "who set them, when, on what grounds",
    "review.cut_off": "the score above which nobody looks, if there is one",
    "review.rule": "which images a person reads",
    "explainability.use_of_maps": "who sees them, with which warning",
    "oversight.overseer": "who can stop it",
    "oversight.training": "what users learn before they use it",
    "data_protection.category": "whether it is data concerning health",
    "data_protection.automated_decisions": "whether any is taken without a person",
    "data_protection.measures": "pseudonyms, access, encryption",
    "data_protection.records": "number of the entry",
    "data_protection.dpia": "number and date, or why there is none",
    "data_protection.research_protections": "pseudonyms, ethics committee",
    "data_protection.retention": "how long images and audit files are kept",
    "data_protection.opt_out": "which register was applied, and when",
    "security.access_control": "who can reach model and images",
    "security.incident_owner": "who acts when something goes wrong",
    "accountability.controller": "who decides on purpose and means of the processing",
    "accountability.processor": "who processes for the controller",
    "accountability.manufacturer": "who puts it on the market or into service",
    "accountability.deployer": "who uses it under their authority",
    "accountability.liability": "who answers for which damage",
    "accountability.secondary_use": "what patients were told of it",
    "accountability.autonomy": "whether either can do without the model",
    "accountability.stakeholders": "who was heard, and when",
    "accountability.dissent": "who objects, and where that is filed",
    "monitoring.owner": "who looks at the figures",
    "monitoring.triggers": "from which value on somebody acts",
    "monitoring.rollback": "how it is switched off, and how fast",
    "monitoring.expiry": "a day, such as 2027-03-31",
    "limitations.known": "where it is known to fail, and what was looked for",
    "plain_language.summary": "what patients are told, in everyday words",
}
# What stands in a group beside the fields of the outline.
BESIDE = {
    "performance": [
        "  # §4 at least three prevalences at which PPV and NPV are printed, as shares",
        "  # prevalences: [0.02, 0.05, 0.10]",
        "  # §4 half the width of the 95% intervals that was planned for, as a share",
        "  # planned_half_width: 0.05",
    ]
}
LISTS = """
# §11 failure modes; the observed rates are computed. `mode` puts the statement into the row of
# what was counted; one of
# {modes}.
# `failure_mode` describes what is not among them.
# risks:
#   - mode: missed_positive
#     failure_mode:
#     severity:
#     detectability:
#     control:
#     residual:
#     owner:

# §0 printed on page one
# board: {{name: , decision: , conditions: , signatories: []}}
"""


def template() -> str:
    """The text `hipaudit init` writes: a valid card.yaml in which nothing is stated yet."""
    tree: dict[str, list[tuple[str, str]]] = {}
    for section in outline():
        for row in section.rows:
            if row.source == "H":
                group, _, name = row.value.rpartition(".")
                hint = f": {HINTS[row.value]}" if row.value in HINTS else ""
                words = f"§{section.number} {row.label}{hint} ({'; '.join(row.asked)})"
                tree.setdefault(group, []).append((name, words))
    lines = [HEAD]
    opened: set[str] = set()
    for group, names in tree.items():
        parts = group.split(".")
        for depth, part in enumerate(parts):
            place = ".".join(parts[: depth + 1])
            if place not in opened:
                opened.add(place)
                lines.append(("" if depth else "\n") + "  " * depth + f"{part}:")
        indent = "  " * len(parts)
        lines += [f"{indent}{name}:  # {words}" for name, words in names]
        lines += BESIDE.get(group, [])
    return "\n".join(lines) + "\n" + LISTS.format(modes=_wrapped(list(MODES)))


def _wrapped(names: list[str], width: int = 6) -> str:
    """Names in comment lines, a few in each."""
    rows = [", ".join(names[start : start + width]) for start in range(0, len(names), width)]
    return ",\n# ".join(rows)


TEMPLATE = template()
