"""One model of a study: what it is fitted to, by what means, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit.cases.case import Cases
from audit.evidence import Predictions
from audit.results import Scalar
from audit.study_results import Trained
from trainers.progress import Progress
from trainers.recipe import Recipe, study_recipe
from trainers.study.weights import Start


@dataclass(frozen=True)
class Means:
    """What every model of a study shares in its fitting. `settings`: fields of the recipe.

    `pixels`: the private folder of images decoded once for all; None leaves it to each.
    """

    classes: tuple[str, ...]
    positive_class: str
    settings: dict[str, Any]
    seed: int = 0
    device: str = "cpu"
    max_seconds: float | None = None
    synthetic: bool = False
    as_published: bool = False
    pixels: Path | None = None

    def recipe_of(self, member: Member) -> Recipe:
        """The study's recipe with what the user set and what the member differs in.

        Raises HipauditError for a field or value that a recipe does not have.
        """
        wanted = {**self.settings, "seed": self.seed, **member.overrides}
        return study_recipe(member.architecture, **wanted)


@dataclass(frozen=True)
class Member:
    """A model to fit. `name` is unique in the study and names its folder.

    `overrides`: fields of its recipe that differ from the study's; `settings`: what a reader
    must know it differs in ({"view": "frontal"}, {"size": 128}). `fitting` takes the place of
    `fit_member` for what is not one network; it gives the path of a checkpoint.
    """

    name: str
    title: str
    architecture: str
    train: Cases
    val: Cases
    test: Cases
    overrides: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    fitting: Fitting | None = None

    def planned(self) -> Trained:
        return Trained(
            name=self.name,
            title=self.title,
            architecture=self.architecture,
            settings=dict(self.settings),
        )


# (member, its folder, where it starts, means, progress) -> the checkpoint it wrote
Fitting = Callable[[Member, Path, Start, Means, Progress], Path]


@dataclass(frozen=True)
class Outcome:
    """What became of a member. `predictions`, `checkpoint`: None where it failed or is to come.

    `seconds`: of fitting, testing and auditing, in this process.
    """

    member: Member
    trained: Trained
    predictions: Predictions | None = None
    checkpoint: Path | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
