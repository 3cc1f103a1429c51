"""An empty card.yaml with a comment at every field, made from the outline of the report."""

from __future__ import annotations

from reports.outline import outline

HEAD = """\
# card.yaml: what only people can say. Every field may be left out; a blank one prints
# NOT SUPPLIED. After each field: the section of the report, and who asks for it.
# Write what is so. "none" is not accepted for subgroups.bias and limitations.known.
"""
LISTS = """
# §4 at least three prevalences at which PPV and NPV are printed, as shares
# performance: {prevalences: [0.02, 0.05, 0.10]}

# §11 failure modes; the observed rates are computed
# risks:
#   - failure_mode:
#     severity:
#     detectability:
#     control:
#     residual:

# §0 printed on page one
# board: {name: , decision: , conditions: , signatories: []}
"""


def template() -> str:
    """The text `hipaudit init` writes: a valid card.yaml in which nothing is stated yet."""
    tree: dict[str, list[tuple[str, str]]] = {}
    for section in outline():
        for row in section.rows:
            if row.source == "H":
                group, _, name = row.value.rpartition(".")
                words = f"§{section.number} {row.label} ({'; '.join(row.asked)})"
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
    return "\n".join(lines) + "\n" + LISTS


TEMPLATE = template()
