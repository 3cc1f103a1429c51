"""Who is told how far a training or a study is. `hipaudit.progress.Talking` is one of them."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """`run` moves a bar (its time left is worked out by who shows it); `note` is a line."""

    def run(self, run_id: str, done: int, total: int) -> None: ...
    def note(self, text: str) -> None: ...


class Quiet:
    """Tells nobody."""

    def run(self, run_id: str, done: int, total: int) -> None: ...
    def note(self, text: str) -> None: ...
