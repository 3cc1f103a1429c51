"""The table of detections and false alarms, as Markdown."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from audit.fingerprint import versions
from audit.folder import today
from tests.planted.catalogue import THEMES
from tests.planted.planting import Flaw, Outcome, Sound
from tests.planted.sound import SOUND

HEAD = """# Planted flaws

An audit of the audit. Each row is a model or a set of pictures with one known defect, or with a
number that theory gives; all are toys or phantoms, built in `tests/planted/`. The audit is the
real one (`audit.conduct.conduct`), and the row says whether it named the defect, or came within
1% of theory. The rows below the second heading have no defect: whatever the audit says against
them is a false alarm. Written by `make planted` from what came out; do not edit.
"""

NOT_RUN = Outcome(False, "not run")


@dataclass(frozen=True)
class Told:
    """What one row came to."""

    theme: str
    row: Flaw | Sound
    outcome: Outcome


def page(told: Sequence[Told]) -> str:
    """The whole of docs/planted.md. A row that was not run says so and counts nowhere."""
    by_row = {(one.theme, one.row.name): one.outcome for one in told}
    flaws = [(theme, flaw) for theme, rows in THEMES.items() for flaw in rows]
    seen = [(t, f, by_row.get((t, f.name), NOT_RUN)) for t, f in flaws]
    calm = [(s, by_row.get(("Sound", s.name), NOT_RUN)) for s in SOUND]
    flawed = [outcome for *_, outcome in seen if outcome is not NOT_RUN]
    quiet = [outcome for _, outcome in calm if outcome is not NOT_RUN]
    left = len(seen) + len(calm) - len(flawed) - len(quiet)
    packages = versions()
    used = ", ".join(
        f"{name} {packages[name]}" for name in ("hipaudit", "torch") if name in packages
    )
    parts = [
        HEAD,
        f"{today()}; {used}; Python {platform.python_version()}. "
        f"**{sum(o.found for o in flawed)} of {len(flawed)} planted flaws named; "
        f"{sum(not o.found for o in quiet)} of {len(quiet)} sound models flagged; "
        f"{left} rows not run.**\n",
        "## Planted\n",
        "\n".join(_flaws(seen)) + "\n",
        "## Sound\n",
        "\n".join(_sound(calm)) + "\n",
        *_reasons([f for _, f in flaws] + list(SOUND)),
    ]
    return "\n".join(parts)


def _flaws(seen: Iterable[tuple[str, Flaw, Outcome]]) -> Iterator[str]:
    yield "| | planted | what ought to name it | named | the audit said | theory |"
    yield "|---|---|---|---|---|---|"
    last = ""
    for theme, flaw, outcome in seen:
        if theme != last:
            yield f"| **{theme}** | | | | | |"
            last = theme
        named = "–" if outcome is NOT_RUN else "yes" if outcome.found else "**no**"
        cells = (flaw.name, flaw.planted, flaw.by, named, outcome.said, outcome.theory or "–")
        yield f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _sound(calm: Iterable[tuple[Sound, Outcome]]) -> Iterator[str]:
    yield "| | sound because | false alarms |"
    yield "|---|---|---|"
    for sound, outcome in calm:
        said = "none" if outcome.found else f"**{outcome.said}**"
        said = outcome.said if outcome is NOT_RUN else said
        yield f"| {_plain(sound.name)} | {_plain(sound.why)} | {_plain(said)} |"


def _reasons(rows: Sequence[Flaw | Sound]) -> Iterator[str]:
    """Why what is missed is missed, as far as it is known."""
    known = [f"* {row.name}: {row.missing}." for row in rows if row.missing]
    if known:
        yield "## Known to be missed, or falsely flagged\n"
        yield "\n".join(known) + "\n"


def _plain(text: str) -> str:
    """One line, no cell broken."""
    return " ".join(text.replace("|", "\\|").split())
