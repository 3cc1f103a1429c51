"""Section 3: from files to cases, and what the data says of them."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Table
from reports.material import Material
from reports.panels.registry import panel


@panel("data_flow")
def flow(material: Material) -> Sequence[Block]:
    data = material.results.data
    rows = [["Files found", str(data.cases + len(data.skipped))]]
    rows.append(["Skipped, each with a reason", str(len(data.skipped))])
    rows.append(["Cases read", str(data.cases)])
    rows += [[f"– labelled {name}", str(n)] for name, n in data.labels.items()]
    for run in material.results.plan.runs:
        if run.kind == "clean" and run.defence == "none":
            rows.append(["Cases audited", str(run.sample)])
    return [
        Table(
            "From files to cases", ["Step", "Count"], rows, numeric=frozenset({1}), widths=(70, 30)
        )
    ]


@panel("data_attributes")
def attributes(material: Material) -> Sequence[Block]:
    data = material.results.data
    rows = [
        [name, value or "(blank)", f"{n}/{data.cases}", f"{100 * n / max(1, data.cases):.1f}%"]
        for name, counts in data.attributes.items()
        for value, n in counts.items()
    ]
    if not rows:
        return []
    columns = ["Attribute", "Value", "Cases", "Share"]
    return [
        Table(
            "Attributes of the cases",
            columns,
            rows,
            numeric=frozenset({2, 3}),
            widths=(30, 34, 18, 18),
        )
    ]
