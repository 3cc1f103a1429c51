"""Section 19: the runs, what was assumed, the glossary, and a page in plain language."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Items, Page, Table
from reports.material import Material
from reports.numbers import amount, origin, ratio, stress_name
from reports.panels.registry import panel
from reports.texts import text_data


@panel("runs_table")
def runs_table(material: Material) -> Sequence[Block]:
    rows = [
        [
            ", ".join([stress_name(run.stress), *origin(run.surrogate)]),
            "" if run.defence == "none" else run.defence,
            f"{run.sample}/{run.of}",
            run.state,
            "; ".join(f"{k} = {_param(k, v)}" for k, v in run.params.items()),
            f"{run.forwards:,}".replace(",", "\u202f") if run.forwards else "–",
        ]
        for run in material.results.plan.runs
    ]
    columns = ["Run", "Defence", "Cases", "State", "Parameters", "Forwards"]
    return [
        Table("Runs", columns, rows, numeric=frozenset({2, 5}), widths=(24, 10, 12, 12, 30, 12))
    ]


def _param(name: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_param(name, inner) for inner in value)
    if isinstance(value, float) and name.startswith("epsilon"):
        return f"{value * 255:g}/255"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@panel("assumptions")
def assumptions(material: Material) -> Sequence[Block]:
    results = material.results
    notes = (*results.notes, *results.model.notes, *results.data.notes)
    probes = [note for report in results.probes for note in report.notes]
    words = [f"{note.level}: {note.text}" for note in (*notes, *probes)]
    return [Items(words, "Notes of the run")] if words else []


@panel("glossary")
def glossary(_: Material) -> Sequence[Block]:
    return [
        Table(
            "Glossary",
            ["Term", "Meaning"],
            text_data("glossary.yaml"),
            widths=(30, 70),
            source="",
        )
    ]


@panel("plain_language")
def plain_language(material: Material) -> Sequence[Block]:
    data = material.results.data
    sens, spec = material.clean("sensitivity"), material.clean("specificity")
    shown = material.images_examined.replace("images", "X-ray pictures")
    words = [f"A computer model was shown {shown} from {data.name}."]
    if data.synthetic:
        words.append("The pictures were made by a computer; no patient was involved.")
    positive = material.results.model.positive_class
    for found, told in (
        (sens, f"Of the pictures labelled “{positive}” it recognised"),
        (spec, f"Of the other pictures it rightly did not call “{positive}”"),
    ):
        if found and found.value is not None:
            share = amount(found.metric, found.value)
            words.append(f"{told} {ratio(found).replace('/', ' of ')}, about {share}.")
        else:
            words.append(f"{told}: too few pictures to say.")
    words.append(
        "Then the pictures were changed on purpose, slightly or by turning and shifting them, to "
        "see whether the answers stay the same. Section 8 tells how often they did not."
    )
    words.append("This does not say how the model will do elsewhere, or whether to use it.")
    return [Page("In plain language", words)]
