"""Writes docs/planted.md from what really came out, when HIPAUDIT_PLANTED names the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.planted.table import Told, page

ASKED = "HIPAUDIT_PLANTED"
TOLD = pytest.StashKey[list[Told]]()


@pytest.fixture
def tell(request: pytest.FixtureRequest):
    told = request.config.stash.setdefault(TOLD, [])

    def keep(theme, row, outcome) -> None:
        told.append(Told(theme, row, outcome))

    return keep


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    wanted = os.environ.get(ASKED)
    told = session.config.stash.get(TOLD, [])
    if wanted and told:
        Path(wanted).write_text(page(told), encoding="utf-8")
