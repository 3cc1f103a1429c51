"""Progress on stderr: a line per run when it is done, and in a terminal a bar until then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.markup import escape

from hipaudit.bars import bars_on
from hipaudit.closing import wrapped
from hipaudit.screen import duration

if TYPE_CHECKING:
    from rich.progress import TaskID

    from audit.results import PlannedRun

READING = "reading images"
OPENING = "opening the model"  # and importing what that needs, and a few passes
COMPUTING = "computing"
PROBE = "probe "


class Talking:
    """What `conduct` tells (audit.engine.Progress), shown to a person. A context manager.

    `started()` is called when the first unit is about to run. In a terminal a bar shows what is
    going on now, and whatever has no measure a bar with the time so far: a plan has more runs than
    a window has lines.
    """

    def __init__(self, *, quiet: bool = False, bars: bool = True, started: Callable[[], None]):
        self._quiet = quiet
        self._console = Console(file=sys.stderr, highlight=False)
        bars = bars and not quiet and self._console.is_terminal
        self._bars = bars_on(self._console) if bars else None
        self._tasks: dict[str, TaskID] = {}
        self._waiting: TaskID | None = None
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

    def beside(self, other: Console) -> Console:
        """Where to print while bars move: through them if `other` is the same screen."""
        return self._bars.console if self._bars and other.is_terminal else other

    def reading(self, done: int, total: int) -> None:
        """Images are being read; lines would be too many, so only a bar shows it."""
        self._advance(READING, READING, done, total)
        if done >= total:
            self._wait(OPENING)

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
        name = "probes" if run_id.startswith(PROBE) else run_id
        began = self._began.setdefault(name, time.monotonic())
        self._advance(name, run_id, done, total)
        if done < total:
            self._done.discard(name)
        elif name not in self._done:
            self._done.add(name)
            del self._began[name]
            what = f" {done} images," if name in self._of_images else ""
            self._say(f"{name}:{what} {duration(time.monotonic() - began)}")
            self._wait(COMPUTING)

    def note(self, text: str) -> None:
        self._say(text)

    def _say(self, text: str) -> None:
        if self._quiet:
            return
        console = self._bars.console if self._bars else self._console
        line = text[: len(text) - len(text.lstrip(" "))] + " ".join(text.split())
        for part in wrapped(line, console.width, 4) if console.is_terminal else [line]:
            console.print(escape(part), soft_wrap=True)

    def _advance(self, name: str, shown: str, done: int, total: int) -> None:
        if self._bars is None:
            return
        self._wait(None)
        text = escape(shown)
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(text, total=total)
        self._bars.update(self._tasks[name], completed=done, total=total, description=text)
        if done >= total:
            self._bars.remove_task(self._tasks.pop(name))

    def _wait(self, name: str | None) -> None:
        """A bar with the time so far where nothing else is shown; None takes it away."""
        if self._bars is None:
            return
        if self._waiting is not None:
            self._bars.remove_task(self._waiting)
            self._waiting = None
        if name is not None and not self._tasks:
            self._waiting = self._bars.add_task(name, total=None)
