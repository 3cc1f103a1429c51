"""Do these links make one cascade? Every misfit is one line."""

from __future__ import annotations

from collections.abc import Sequence

from audit.cascade.wiring import Wiring
from audit.checkpoints.text import listed, quoted
from audit.errors import HipauditError
from audit.results import ModelDescription

PLACES = (("x", "y"), ("x", "y", "side"))


def check_links(
    branches: Sequence[ModelDescription],
    wiring: Wiring,
    view: ModelDescription | None,
    localiser: ModelDescription | None,
    metal: ModelDescription | None,
) -> None:
    """Raises HipauditError for links that do not fit each other or the wiring."""
    if len(branches) != len(wiring.branches):
        raise HipauditError(f"{len(wiring.branches)} branches", f"{len(branches)}")
    _one_question(branches, wiring)
    _views(wiring, view)
    _place(wiring, localiser)
    if metal is not None and len(metal.classes) < 2:
        raise HipauditError("a metal filter of two classes", f"{len(metal.classes)}")


def _one_question(branches: Sequence[ModelDescription], wiring: Wiring) -> None:
    first = branches[0]
    for name, other in zip(wiring.branches, branches, strict=True):
        if (other.classes, other.positive_class) != (first.classes, first.positive_class):
            raise HipauditError(
                f"branches of the same classes in the same order ({_classes(first)})",
                f"{quoted(name)} with {_classes(other)}",
                "Fit or load the branches with the same classes and positive class.",
            )


def _classes(said: ModelDescription) -> str:
    return f"{listed(said.classes)}, positive {quoted(said.positive_class)}"


def _views(wiring: Wiring, view: ModelDescription | None) -> None:
    if view is None:
        if len(wiring.branches) > 1:
            raise HipauditError(
                "a view network that chooses among the branches",
                f"none for {listed(wiring.branches)}",
                "Give view=…, or one branch only.",
            )
        if wiring.view_confidence is not None:
            raise HipauditError(
                "a view network for view_confidence", "none", "Leave view_confidence out."
            )
        return
    strangers = [name for name in wiring.branches if name not in view.classes]
    if strangers:
        raise HipauditError(
            f"branches named like views of the view network ({listed(view.classes)})",
            listed(strangers),
            "Name each branch after its view.",
        )


def _place(wiring: Wiring, localiser: ModelDescription | None) -> None:
    if (localiser is None) != (wiring.window is None):
        found = "a localiser without a window" if localiser else "a window without a localiser"
        raise HipauditError("a localiser and its window together", found, "Give window=0.4, say.")
    if localiser is None or wiring.window is None:
        return
    if localiser.classes not in PLACES:
        raise HipauditError(
            'a localiser with the outputs "x", "y" and perhaps "side"', listed(localiser.classes)
        )
    if len(localiser.classes) == 2 and wiring.window[0] != wiring.window[1]:
        raise HipauditError(
            "one window size for a localiser that gives no side", "a smallest and a largest"
        )
    if localiser.preparation.resize != "squish":
        raise HipauditError(
            "a localiser that sees the whole frame (resize squish)",
            f"resize {localiser.preparation.resize}",
            "Its x and y are shares of the frame's width and height.",
        )
