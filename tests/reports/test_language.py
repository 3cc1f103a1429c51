"""Every fixed text of the report has a Dutch edition in a message catalogue, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from reports.language import _, decimal, ngettext, recorded, speaking
from reports.law import DEVICES, PRIVACY
from reports.outline import outline
from reports.texts import text_data

HOME = Path(__file__).resolve().parents[2] / "reports"
METHODS = [("study/**", "ignore"), ("**.py", "python"), ("**.j2", "jinja2")]
# Our own YAML files: the keys whose values are printed.
PRINTED = {
    "ethics.yaml": ("head", "text"),
    "glossary.yaml": ("term", "meaning"),
    **dict.fromkeys([f"law/{name}" for name in (*PRIVACY, *DEVICES)], ("fact", "source", "status")),
}
_PLACE = re.compile(r"{[^}]*}")


def marked() -> set[str]:
    """The texts that stand in `_`, `ngettext` and `N_`, and those of our YAML files."""
    found: set[str] = set()
    for _name, _line, text, *_rest in extract_from_dir(HOME, METHODS):
        found |= {text} if isinstance(text, str) else set(text)
    for section in outline():
        found |= {section.title, section.lead}
        found |= {word for row in section.rows for word in (row.label, row.absent)}
    for name, keys in PRINTED.items():
        found |= set(_values(text_data(name), keys))
    return found - {""}


def _values(data: Any, keys: tuple[str, ...]) -> Iterator[str]:
    if isinstance(data, list):
        for one in data:
            yield from _values(one, keys)
    elif isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, str) and key in keys:
                yield value
            else:
                yield from _values(value, keys)


def dutch() -> dict[str, tuple[str, ...]]:
    """Every message of the Dutch catalogues; a text stands in one of them only."""
    found: dict[str, tuple[str, ...]] = {}
    for part in sorted((HOME / "locale" / "nl").glob("*.po")):
        for message in read_po(BytesIO(part.read_bytes()), locale="nl", abort_invalid=True):
            if message.id:
                ids = message.id if isinstance(message.id, tuple) else (message.id,)
                forms = message.string if isinstance(message.string, tuple) else (message.string,)
                assert ids[0] not in found, f"{ids[0]!r} stands twice, again in {part.name}"
                found |= {one: tuple(map(str, forms)) for one in ids}
    return found


def test_every_text_of_the_report_has_its_dutch() -> None:
    missing = sorted(marked() - set(dutch()))
    assert not missing, f"{len(missing)} without Dutch, the first: {missing[:3]}"


def test_every_dutch_text_fills_in_what_the_english_does() -> None:
    for english, forms in dutch().items():
        for form in forms:
            assert form.strip(), f"{english!r} is empty in Dutch"
            assert sorted(_PLACE.findall(form)) == sorted(_PLACE.findall(english)), english


def test_a_text_comes_in_the_language_spoken_and_english_without_one() -> None:
    assert _("Contents") == "Contents"
    with speaking("nl"):
        assert _("Contents") == "Inhoud"
        assert _("no such text") == "no such text"
        assert ngettext("no such text", "no such texts", 2) == "no such texts"
    assert _("Contents") == "Contents"


@pytest.mark.parametrize(
    ("english", "dutch"),
    [("75.4%", "75,4%"), (".894", "0,894"), ("−.018", "−0,018"), ("12", "12"), ("1.2.3", "1.2.3")],
)
def test_dutch_writes_a_decimal_comma(english: str, dutch: str) -> None:
    assert decimal(english) == english
    with speaking("nl"):
        assert decimal(english) == dutch


def test_what_was_recorded_in_english_is_told_by_its_shape() -> None:
    with speaking("nl"):
        assert recorded("a reason nobody foresaw: 7 of 9") == "a reason nobody foresaw: 7 of 9"


@pytest.mark.parametrize(
    ("english", "dutch"),
    [
        (
            'Every one of 24 sampled images, of all labels, is called "no stress".',
            "Elk van 24 getrokken beelden, met welk label ook, wordt “no stress” genoemd.",
        ),
        (
            "Scores are too extreme under tta (n = 250): calibration slope 0.75 (95% CI -0.56 to "
            "0.93), p .008 of a slope of 1.",
            "De scores zijn te extreem met tta (n = 250): kalibratiehelling 0,75 (95%-BI -0,56 tot "
            "0,93), p 0,008 tegen een helling van 1.",
        ),
        (
            "Test-time augmentation averages 3 views: as given; rotated -5°; a view of tomorrow.",
            "Augmentatie bij het toepassen (TTA) middelt 3 weergaven: zoals aangeboden; gedraaid "
            "-5°; a view of tomorrow.",
        ),
        (
            "Grey levels were mapped by minimum to maximum (3), the image's own window (250).",
            "De grijswaarden zijn afgebeeld volgens: minimum tot maximum (3), het eigen venster "
            "van het beeld (250).",
        ),
        (
            "the run pgd@tta is failed, not done",
            "de run pgd@tta is mislukt, niet voltooid",
        ),
    ],
)
def test_recorded_words_are_kept_or_told_in_their_place(english: str, dutch: str) -> None:
    """Names of classes, files and columns stay; what is ours comes in Dutch, also in a list."""
    assert recorded(english) == english
    with speaking("nl"):
        assert recorded(english) == dutch


def test_a_name_cannot_make_a_recorded_text_slow_or_change_it() -> None:
    """audit.json is untrusted: words of a pattern, braces and signs in a name stay a name."""
    name = '{fix} # \\1 ", on 3 sampled cases. ' * 20
    start = (
        f"Classes may be swapped: AUROC 0.31 with the order {name}, 0.69 with b, on 9 sampled "
        "cases. If so, add: --classes b"
    )
    with speaking("nl"):
        assert name.strip() in recorded(start)
        began = perf_counter()
        assert recorded(start.removesuffix("b") + "\n" * 9) != ""
        assert perf_counter() - began < 2
