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
HINTS = {
    "regulation.research_only": "yes or no",
    "regulation.emergency_triage": "yes or no",
    "data.dates": "from when to when the images were made",
    "monitoring.expiry": "a day, such as 2027-03-31",
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
