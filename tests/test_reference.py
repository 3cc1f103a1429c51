"""docs/reference.md says what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_reference_is_made_from_this_code() -> None:
    asked = [sys.executable, str(ROOT / "tools" / "reference.py"), "--check"]
    child = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
