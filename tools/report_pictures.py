"""Pictures of the demo's report for README.md: docs/images/*.png, under 300 KB together.

python tools/report_pictures.py                                   hipaudit-out/demo/report.pdf
python tools/report_pictures.py path/report.pdf

Only of a report that says its images are synthetic: no radiograph of a person is published. Needs
pdftoppm (poppler-utils) or pypdfium2.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from shutil import which

from PIL import Image
from pypdf import PdfReader

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "hipaudit-out" / "demo" / "report.pdf"
FOLDER = ROOT / "docs" / "images"
SYNTHETIC = "synthetic"
# Name of the picture -> what the heading of its page says; the first page is the summary.
WANTED = {"summary": "", "subgroups": "Subgroups", "attacks": "Adversarial"}
WIDTH = 720  # pixels of a page
COLOURS = 48
MOST_BYTES = 300_000


def pictures(report: Path, folder: Path) -> list[Path]:
    """The pages wanted, as PNG of few colours."""
    reader = PdfReader(report)
    texts = [page.extract_text() for page in reader.pages]
    if SYNTHETIC not in texts[0].lower():
        raise SystemExit(f"{report.name} does not say on page one that its images are synthetic")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, number in _places(texts).items():
        path = folder / f"{name}.png"
        _small(_drawn(report, number)).save(path, optimize=True)
        made.append(path)
    return made


def _places(texts: list[str]) -> Mapping[str, int]:
    """Page numbers from 0; the contents name every heading, so they are passed over."""
    found = {}
    for name, heading in WANTED.items():
        numbers = [n for n, text in enumerate(texts) if _begins(text, heading)]
        if numbers:
            found[name] = numbers[0]
    return found


def _begins(text: str, heading: str) -> bool:
    """Whether a section of this name begins on the page: "7 Natural robustness"."""
    lines = (line.split(maxsplit=1) for line in text.splitlines())
    return not heading or any(
        len(line) == 2
        and line[0].rstrip(".").isdigit()
        and line[1].startswith(heading)
        and not line[1][-1:].isdigit()
        for line in lines
    )


def _drawn(report: Path, number: int) -> Image.Image:
    if which("pdftoppm") is None:
        return _drawn_by_pdfium(report, number)
    page = str(number + 1)
    with tempfile.TemporaryDirectory() as place:
        asked = ["pdftoppm", "-png", "-singlefile", "-f", page, "-l", page]
        asked += ["-scale-to-x", str(WIDTH), "-scale-to-y", "-1", str(report), f"{place}/page"]
        subprocess.run(asked, check=True)
        with Image.open(Path(place) / "page.png") as drawn:
            return drawn.convert("RGB")


def _drawn_by_pdfium(report: Path, number: int) -> Image.Image:
    try:
        import pypdfium2
    except ImportError as error:
        raise SystemExit(
            "Neither pdftoppm nor pypdfium2. Type: apt-get install -y poppler-utils"
        ) from error
    page = pypdfium2.PdfDocument(report)[number]
    drawn: Image.Image = page.render(scale=WIDTH / page.get_width()).to_pil()
    return drawn.convert("RGB")


def _small(picture: Image.Image) -> Image.Image:
    return picture.quantize(COLOURS, dither=Image.Dither.NONE)


def main() -> int:
    report = Path(sys.argv[1]) if sys.argv[1:] else REPORT
    if not report.is_file():
        sys.stderr.write(f"no {report}; type: make demo\n")
        return 2
    made = pictures(report, FOLDER)
    total = sum(path.stat().st_size for path in made)
    for path in made:
        sys.stdout.write(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} KB\n")
    missing = sorted(set(WANTED) - {path.stem for path in made})
    if missing or total > MOST_BYTES:
        sys.stderr.write(f"{total / 1000:.0f} KB together; not found: {missing or 'nothing'}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
