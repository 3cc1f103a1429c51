"""Bars on stderr while a terminal is looking; a pipe and a log get none."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

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
from rich.text import Text

if TYPE_CHECKING:
    from rich.progress import Task

T = TypeVar("T")


class _Counted(MofNCompleteColumn):
    """Nothing where nobody knows how many."""

    def render(self, task: Task) -> Text:
        return Text() if task.total is None else super().render(task)


class _Left(TimeRemainingColumn):
    """The time so far where nobody knows how much is left."""

    def render(self, task: Task) -> Text:
        return TimeElapsedColumn().render(task) if task.total is None else super().render(task)


def bars_on(console: Console) -> Progress:
    """What is done, how much of it, and the time left; gone when it is stopped."""
    columns = (TextColumn("{task.description}"), BarColumn(), _Counted(), _Left())
    return Progress(*columns, console=console, transient=True)


def counted(name: str, items: Collection[T]) -> Iterator[T]:
    """The items, with a bar of how many are left while a terminal is looking."""
    console = Console(file=sys.stderr, highlight=False)
    if not console.is_terminal:
        yield from items
        return
    with bars_on(console) as bars:
        yield from bars.track(items, description=escape(name))


@contextmanager
def working(name: str, *, quiet: bool = False) -> Iterator[None]:
    """A bar that moves while work of unknown length is done, with the seconds so far."""
    console = Console(file=sys.stderr, highlight=False)
    if quiet or not console.is_terminal:
        yield
        return
    with bars_on(console) as bars:
        bars.add_task(escape(name), total=None)
        yield
