"""Progress on stderr: one bar per run in a terminal, one line per run elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from hipaudit.screen import duration

if TYPE_CHECKING:
    from rich.progress import TaskID

    from audit.results import PlannedRun

READING = "reading images"
T = TypeVar("T")


class Talking:
    """What `conduct` tells (audit.engine.Progress), shown to a person. A context manager.

    `started()` is called when the first unit is about to run.
    """

    def __init__(self, *, quiet: bool = False, bars: bool = True, started: Callable[[], None]):
        self._quiet = quiet
        self._console = Console(file=sys.stderr, highlight=False)
        bars = bars and not quiet and self._console.is_terminal
        self._bars = _bars(self._console) if bars else None
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}
        self._done: set[str] = set()
        self._of_images: set[str] = set()  # runs of an audit's plan; others count steps or models
        self._started = started

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._bars:
            self._bars.stop()

    def reading(self, done: int, total: int) -> None:
        """Images are being read; lines would be too many, so only a bar shows it."""
        if self._bars:
            self._advance(READING, done, total)

    def plan(self, runs: Sequence[PlannedRun], seconds: float, forwards: float) -> None:
        self._started()
        todo = [run for run in runs if run.state == "planned"]
        self._of_images.update(run.id for run in todo)
        cost = f"at most {forwards:,.0f} forwards (a backward is two), {duration(seconds)}"
        self._say(f"plan: {len(todo)} runs, {cost} on this machine")
        for run in runs:
            if run.state != "planned":
                self._say(f"  {run.id}: {run.state}: {run.reason or ''}")
            elif run.sample < run.of:
                self._say(f"  {run.id}: {run.sample} of {run.of} images ({run.rule})")
            else:
                self._say(f"  {run.id}: all {run.of} images")

    def run(self, run_id: str, done: int, total: int) -> None:
        if self._bars:
            self._advance(run_id, done, total)
            return
        began = self._began.setdefault(run_id, time.monotonic())
        if done >= total and run_id not in self._done:
            self._done.add(run_id)
            what = f" {done} images," if run_id in self._of_images else ""
            self._say(f"{run_id}:{what} {duration(time.monotonic() - began)}")

    def note(self, text: str) -> None:
        self._say(text)

    def _say(self, text: str) -> None:
        if not self._quiet:
            console = self._bars.console if self._bars else self._console
            console.print(escape(" ".join(text.split())), soft_wrap=True)

    def _advance(self, name: str, done: int, total: int) -> None:
        if self._bars is None:
            return
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(escape(name), total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def counted(name: str, items: Collection[T]) -> Iterator[T]:
    """The items, with a bar of how many are left while a terminal is looking."""
    console = Console(file=sys.stderr, highlight=False)
    if not console.is_terminal:
        yield from items
        return
    with Progress(*_bars(console).columns, console=console, transient=True) as bars:
        yield from bars.track(items, description=escape(name))


@contextmanager
def working(name: str, *, quiet: bool = False) -> Iterator[None]:
    """A bar that moves while work of unknown length is done, with the seconds so far."""
    console = Console(file=sys.stderr, highlight=False)
    if quiet or not console.is_terminal:
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        bars.add_task(escape(name), total=None)
        yield
