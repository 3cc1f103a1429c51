"""Model-card metadata for the Hugging Face Hub: the YAML block of a README.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from hipaudit.exports.headline import clean, data_in_words, named, stressed
from reports.wording import FOOTER

if TYPE_CHECKING:
    from audit.results import Finding, Results
    from reports.card import Card

TASK = {"type": "image-classification", "name": "Image classification"}


def as_huggingface(results: Results, card: Card) -> str:
    """A README.md: metadata with the measured values (`model-index`), then where they come from.

    Values only: the format has no place for an interval, so each metric's name carries its own.
    Source: huggingface/hub-docs, modelcard.md.
    """
    name = results.model.name
    data = {"type": _slug(results.data.name), "name": results.data.name}
    metrics = [_metric(one) for one in (*clean(results), *stressed(results))]
    told: dict[str, Any] = {
        "tags": ["medical-imaging", "radiography", results.model.architecture],
        "pipeline_tag": TASK["type"],
    }
    if card.identity.licence:
        told |= {"license": "other", "license_name": _slug(card.identity.licence)}
    if metrics:
        evidence = {"task": TASK, "dataset": data, "metrics": metrics}
        told["model-index"] = [{"name": name, "results": [evidence]}]
    block = yaml.safe_dump(told, sort_keys=False, allow_unicode=True)
    return f"---\n{block}---\n\n# {_plain(name)}\n\n{_plain(_words(results, card))}\n"


def _metric(finding: Finding) -> dict[str, Any]:
    limits = ""
    if finding.low is not None and finding.high is not None:
        limits = f" (95% CI {finding.low:.3f} to {finding.high:.3f}, n = {finding.n})"
    return {
        "type": finding.metric,
        "value": round(float(finding.value or 0.0), 6),
        "name": f"{named(finding)}{limits}",
    }


def _words(results: Results, card: Card) -> str:
    purpose = card.purpose.intended_purpose or "Intended purpose: NOT SUPPLIED."
    weights = ", ".join(results.model.sha256) or "not recorded"
    return (
        f"{purpose.strip()} Measured by hipaudit {results.tool_version} on "
        f"{data_in_words(results)} Weights (sha256): {weights}. {FOOTER}"
    )


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:80] or "unnamed"


def _plain(text: str) -> str:
    """One line that Markdown takes as text."""
    return re.sub(r"([\\`*_<>\[\]#|])", r"\\\1", " ".join(text.split()))
