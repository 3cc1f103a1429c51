"""The one script of report.html, and the policy that lets a browser run it and nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from reports.language import N_, _

WORDS = {
    "outcome": N_("Outcome"),
    "view": N_("View"),
    "all": N_("All"),
    "shown": N_("{n} of {total} pictures shown"),
    "epsilon": N_("Size of the alteration, ε"),
    "together": N_("All side by side"),
}


@cache
def script() -> Markup:
    """The text between the script's tags: our own file, the only code of the page."""
    text = files("reports").joinpath("templates", "companion.js").read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704  # our own file


@cache
def policy() -> str:
    """Content-Security-Policy: our script by its hash, inline styles, data: pictures and fonts."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
    )


def words() -> dict[str, str]:
    """What the script writes, in the language spoken."""
    return {name: _(text) for name, text in WORDS.items()}
