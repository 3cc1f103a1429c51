"""How the links of a cascade are joined: plain data, recorded with the weights."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from audit.results import Part

Share = Annotated[float, Field(gt=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]*$")]


class Wiring(Part):
    """What the links say, and what is done with it.

    `branches`: the views that have a classifier of their own, in the order of the links.
    `routing`: "soft" answers with the branches' probabilities weighted by those of the views;
    "hard" with the branch of the likeliest view alone. `window`: smallest and largest side of
    the crop as shares of the frame's shorter side; None where there is no localiser.
    `refer_unknown`: a view without a branch is handed to a human. `view_confidence`: so is an
    image whose likeliest view is less probable than this.
    """

    branches: Annotated[tuple[Name, ...], Field(min_length=1, max_length=16)]
    routing: Literal["soft", "hard"] = "soft"
    window: tuple[Share, Share] | None = None
    refer_unknown: bool = True
    view_confidence: Annotated[float, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _sensible(self) -> Wiring:
        if len(set(self.branches)) < len(self.branches):
            raise ValueError("branches of different names")
        if self.window is not None and self.window[0] > self.window[1]:
            raise ValueError("a window from its smallest to its largest side")
        return self
