"""Pictures of attacks: what an ε or a pixel does to an image, at the size the model sees it."""

from __future__ import annotations

from collections.abc import Sequence

from audit.cases.case import Case
from audit.probes.flips.choice import (
    EACH,
    Fallen,
    OnePixel,
    fallen,
    gradient_runs,
    one_pixels,
    pixel_runs,
)
from audit.probes.flips.drawn import drawn, pixel_picture
from audit.probes.flips.remade import looked_at, series, with_pixel
from audit.probes.registry import Examination, probe
from audit.results import Note, ProbeReport, as_levels

PART = 250  # of what the probe may send through the network, for one case
LEAST = 8


@probe("flips", "forwards")
def flips(examination: Examination) -> ProbeReport:
    """Pictures of decisions that the plan's attacks changed, made anew on the untouched model.

    By a fixed rule, the seed printed: two positive and two negative cases that fall at the
    smallest ε of the gradient attacks, at every ε of the attack and with what was added magnified;
    two and two that a single pixel turned, with that pixel's neighbourhood before and after. Every
    image is judged again: one that does not change the decision when made anew is said to.
    `forwards` bounds what one case may cost (a backward counts two): a 250th part of the probe's
    own bound, at least 8. No picture where text is burned in, none where pictures are off.
    """
    predictions = examination.predictions
    along, pixels = gradient_runs(predictions), pixel_runs(predictions)
    if not examination.params.get("images", True):
        return ProbeReport(probe="flips", state="skipped", reason="pictures are off")
    if not along and not pixels:
        reason = "no attack along gradients and no search for one pixel was carried out"
        return ProbeReport(probe="flips", state="not applicable", reason=reason)
    limit = int(examination.params.get("forwards", max(LEAST, examination.forwards // PART)))
    chosen = fallen(examination, along, limit)
    turned = one_pixels(examination, pixels)
    before = examination.classifier.forwards
    unchanged = [_shown(examination, one) for one in chosen]
    unchanged += [_pixel_shown(examination, one) for one in turned]
    details = {
        "rule": f"the first {EACH} positive and {EACH} negative cases by the smallest ε at which "
        "a gradient attack changes the decision, and as many that one pixel changes; equals in "
        "seeded order",
        "seed": examination.seed,
        "attacks": sorted({evidence.run.stress for evidence in (*along, *pixels)}),
        "limit": limit,
        "forwards": examination.classifier.forwards - before,
        "series": [_told(examination, one) for one in chosen],
        "one_pixel": [_id(examination, one.row) for one in turned],
    }
    notes = _notes([case for case in unchanged if case], bool(chosen), bool(turned))
    return ProbeReport(probe="flips", notes=tuple(notes), details=details)


def _shown(examination: Examination, one: Fallen) -> str:
    """Keeps the pictures of a case; its id where the image made anew changes no decision."""
    examination.check_time()
    classifier, case = examination.classifier, _case(examination, one.row)
    made = series(classifier, case, one, examination.seed)
    pictures = list(drawn(classifier, case, one, made, examination.seed))
    for picture in pictures:
        examination.keep(picture)
    return "" if pictures[0].meta["flips"] else case.id


def _pixel_shown(examination: Examination, one: OnePixel) -> str:
    examination.check_time()
    classifier, case = examination.classifier, _case(examination, one.row)
    x = classifier.prepare(case)
    made = looked_at(classifier, [(0.0, x), (1.0, with_pixel(x, one)[0])])
    picture = pixel_picture(classifier, case, x, one, made, examination.seed)
    examination.keep(picture)
    return "" if picture.meta["flips"] else case.id


def _case(examination: Examination, row: int) -> Case:
    return examination.cases.by_id()[_id(examination, row)]


def _id(examination: Examination, row: int) -> str:
    return examination.predictions.subjects[row].id


def _told(examination: Examination, one: Fallen) -> dict[str, str]:
    return {
        "case": _id(examination, one.row),
        "attack": one.run.run.id,
        "epsilon": as_levels(one.epsilon),
    }


def _notes(unchanged: Sequence[str], series_: bool, pixels: bool) -> list[Note]:
    notes = []
    if unchanged:
        text = (
            f"{len(unchanged)} of the images shown do not change the decision when made anew, so "
            f"close do they lie to the boundary: {', '.join(unchanged)}."
        )
        notes.append(Note(code="flips-not-remade", level="warning", text=text))
    if not series_ and not pixels:
        text = (
            "No picture: no gradient attack and no single pixel changed a decision that can be "
            "shown, or making it anew costs more than the probe may spend."
        )
        notes.append(Note(code="flips-none", level="info", text=text))
    return notes
