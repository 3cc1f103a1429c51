"""What `hipaudit report` takes, whole process: an audit.json of 400 findings and 60 pictures to
report.html and report.pdf.

    python benchmarks/report.py [--repeats 3] [--language en] [--profile]

The results are made up (tests/sample_results.py), the pictures are as large as those of a real
audit. `--profile` prints where the time of the HTML goes instead.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FINDINGS, PICTURES = 400, 60
SIZE = (688, 224)  # pixels of a picture: image, map and control side by side
TARGET = 25.0  # seconds on two cores


def write_audit(folder: Path) -> Path:
    """audit.json of FINDINGS findings with PICTURES pictures beside it."""
    sys.path.insert(0, str(ROOT))
    from tests.sample_results import sample_results

    sample = sample_results(folder)
    pictures = tuple(_picture(folder, sample.artefacts[i % 16], i) for i in range(PICTURES))
    update = {"findings": sample.findings[:FINDINGS], "artefacts": pictures}
    path = folder / "audit.json"
    path.write_text(sample.model_copy(update=update).to_json(), encoding="utf-8")
    return path


def _picture(folder: Path, like: Any, number: int) -> Any:
    """A grey picture with a colour map beside it, about 120 kB as PNG, as Grad-CAM writes them."""
    import numpy as np
    from PIL import Image

    draw = np.random.default_rng(number)
    width, height = SIZE
    y, x = np.mgrid[0:height, 0:width]
    hill = np.exp(-((x - 300 - 7 * number % 200) ** 2 + (y - 110) ** 2) / 4000)
    grey = 70 + 60 * hill + draw.normal(0, 6, (height, width))
    pixels = np.stack([grey + 90 * hill, grey, grey - 20 * hill], axis=-1)
    path = folder / "figures" / f"gradcam-{number}.png"
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    meta = {**like.meta, "case": digest[:12]}
    return like.model_copy(update={"path": f"figures/{path.name}", "sha256": digest, "meta": meta})


def seconds(audit: Path, language: str) -> float:
    """One run of the command, from start to exit."""
    command = [sys.executable, "-m", "hipaudit", "report", str(audit), "--quiet"]
    start = time.perf_counter()
    subprocess.run(
        [*command, "--language", language],
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def measured(repeats: int, language: str) -> dict[str, Any]:
    from pypdf import PdfReader

    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        audit = write_audit(folder)
        load = os.getloadavg()[0]
        times = [round(seconds(audit, language), 2) for _ in range(repeats)]
        name = "report" if language == "en" else f"report.{language}"
        pdf, html = folder / f"{name}.pdf", folder / f"{name}.html"
        return {
            "day": str(date.today()),
            "python": platform.python_version(),
            "system": platform.system(),
            "cores": len(os.sched_getaffinity(0)),
            "load_before": round(load, 2),
            "language": language,
            "findings": FINDINGS,
            "pictures": PICTURES,
            "seconds": times,
            "median": statistics.median(times),
            "pages": len(PdfReader(pdf).pages),
            "pdf_bytes": pdf.stat().st_size,
            "html_bytes": html.stat().st_size,
            "target": TARGET,
            "met": statistics.median(times) < TARGET,
        }


def profile() -> None:
    """Where the HTML edition's time goes, by function."""
    import cProfile
    import pstats

    sys.path.insert(0, str(ROOT))
    from audit.results import read_results
    from reports.render import render_html

    with tempfile.TemporaryDirectory() as where:
        results = read_results(write_audit(Path(where)))
        with cProfile.Profile() as watch:
            render_html(results, Path(where), for_pdf=True)
        pstats.Stats(watch).sort_stats("cumulative").print_stats(45)


def as_markdown(found: dict[str, Any]) -> str:
    return "\n".join(
        [
            "# hipaudit report, whole process",
            "",
            f"{found['day']}; {found['system']}, Python {found['python']}, {found['cores']} cores, "
            f"load {found['load_before']} before the first run.",
            "",
            "| findings | pictures | seconds | median | pages | PDF | HTML | target | met |",
            "|---|---|---|---|---|---|---|---|---|",
            f"| {found['findings']} | {found['pictures']} "
            f"| {', '.join(f'{s:.1f}' for s in found['seconds'])} | {found['median']:.1f} s "
            f"| {found['pages']} | {found['pdf_bytes'] / 1e6:.1f} MB "
            f"| {found['html_bytes'] / 1e6:.1f} MB | {found['target']:.0f} s "
            f"| {'yes' if found['met'] else 'no'} |",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--language", default="en")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/report")
    given = parser.parse_args()
    if given.profile:
        profile()
        return
    found = measured(given.repeats, given.language)
    text = as_markdown(found)
    print(text)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    given.out.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
