"""One progress for many trainings and audits: every line and bar says whose it is."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import PlannedRun
from trainers.progress import Progress


class Named:
    """Passes on what a training or an audit tells, each under the name of the model."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name, self._progress = name, progress

    def plan(self, runs: Sequence[PlannedRun], seconds: float, forwards: float) -> None:
        count = sum(run.state == "planned" for run in runs)
        cost = f"{forwards:,.0f} forwards, about {max(1, round(seconds / 60))} min"
        self.note(f"audit of {count} runs, {cost}")

    def run(self, run_id: str, done: int, total: int) -> None:
        bare = run_id.removeprefix(self._name).lstrip(": ")  # a training names its network itself
        self._progress.run(f"{self._name}: {bare}", done, total)

    def note(self, text: str) -> None:
        self._progress.note(f"{self._name}: {text}")
