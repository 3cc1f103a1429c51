"""Bundled fonts (SIL Open Font License), put into the page as data so that it is one file."""

from __future__ import annotations

import base64
from functools import cache
from importlib.resources import files
from pathlib import Path

FACES = (
    ("Inter", "Inter-Regular.otf", 400, "normal", "opentype"),
    ("Inter", "Inter-Italic.otf", 400, "italic", "opentype"),
    ("Inter", "Inter-SemiBold.otf", 600, "normal", "opentype"),
    ("JetBrains Mono", "JetBrainsMono-Regular.ttf", 400, "normal", "truetype"),
)


@cache
def font_css() -> str:
    """`@font-face` rules with the fonts inside."""
    return "\n".join(_face(*face) for face in FACES)


def _face(family: str, file: str, weight: int, style: str, kind: str) -> str:
    data = base64.b64encode(files("reports.fonts").joinpath(file).read_bytes()).decode()
    media = "otf" if kind == "opentype" else "ttf"
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {style}; '
        f'src: url("data:font/{media};base64,{data}") format("{kind}"); }}'
    )


def font_files() -> list[Path]:
    """Where the faces lie, for matplotlib."""
    return [Path(str(files("reports.fonts").joinpath(face[1]))) for face in FACES[:3]]
