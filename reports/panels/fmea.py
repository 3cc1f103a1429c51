"""Section 11: failure modes. Rates are computed; the rest people state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.blocks import Block, Cell, Table
from reports.card import Risk
from reports.failures import Observation, observations
from reports.language import _
from reports.material import Material
from reports.modes import MODES
from reports.numbers import listed
from reports.panels.registry import panel
from reports.wording import NOT_SUPPLIED

MOST = 40


@panel("fmea")
def fmea(material: Material) -> Sequence[Block]:
    rows = list(_rows(material))
    columns = [
        _("Failure mode"),
        _("Observed"),
        _("Severity"),
        _("Detectability"),
        _("Control"),
        _("Residual risk"),
    ]
    note = " ".join(_notes(material, len(rows)))
    widths = (21, 25, 13, 12, 16, 13)
    return [Table(_("Failure modes"), columns, rows[:MOST], note, widths=widths, source="A H")]


def _rows(material: Material) -> Iterator[list[str | Cell]]:
    """A row per mode that was counted or stated; a stated risk of a mode stands in its row."""
    seen, risks = observations(material), material.card.risks
    for mode in MODES:
        stated = [risk for risk in risks if risk.mode == mode]
        if mode in seen and not stated:
            yield [_(MODES[mode]), _observed(seen[mode]), *[_(NOT_SUPPLIED)] * 4]
        for risk in stated:
            name = Cell(_(MODES[mode]), sub=risk.failure_mode or "")
            yield [name, _observed(seen.get(mode)), *_judged(risk)]
    for risk in risks:
        if risk.mode is None:
            words = Cell(_("stated, not computed"))
            yield [risk.failure_mode or "", words, *_judged(risk)]


def _observed(seen: Observation | None) -> Cell:
    return Cell(seen.rate, sub=seen.where) if seen else Cell(_("not computed in this run"))


def _judged(risk: Risk) -> list[str | Cell]:
    """Severity, detectability, control with who owns it, residual risk."""
    blank = _(NOT_SUPPLIED)
    owner = _("Owner: {name}").format(name=risk.owner) if risk.owner else ""
    control = Cell(risk.control or blank, sub=owner) if owner else risk.control or blank
    return [risk.severity or blank, risk.detectability or blank, control, risk.residual or blank]


def _notes(material: Material, rows: int) -> Iterator[str]:
    yield _(
        "Observed: A, the worst of each kind, with 95% interval and counts; a chosen worst is "
        "higher than the next set will show. All else: H (card.yaml)."
    )
    seen = observations(material)
    stated = {risk.mode for risk in material.card.risks}
    missing = [_(words) for mode, words in MODES.items() if mode not in seen and mode not in stated]
    if missing:
        yield _("Not counted in this run: {modes}.").format(
            modes=listed([f"“{m}”" for m in missing])
        )
    if rows > MOST:
        yield _("The first {most} of {n} rows; all stated risks are in card.yaml.").format(
            most=MOST, n=rows
        )
