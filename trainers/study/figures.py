"""The pictures of a study: drawn, marked, kept beside study.json, listed as artefacts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from audit.cases.case import Cases
from audit.errors import HipauditError
from audit.probes.registry import Picture
from audit.probing import keep_picture
from audit.reasons import reason_of
from audit.results import Artefact, Note
from trainers.recipe import Recipe
from trainers.study.attacked import attacked
from trainers.study.surest import Sight, galleries


def draw_figures(
    folder: Path, drawings: dict[str, Callable[[], Iterable[Picture]]], *, synthetic: bool
) -> tuple[list[Artefact], list[Note]]:
    """Every drawing into `folder/figures`; one that raises is named in a note.

    Raises HipauditError when the disk says no.
    """
    artefacts: list[Artefact] = []
    notes: list[Note] = []
    for name, drawing in drawings.items():
        try:
            kept = [keep_picture(picture, folder, synthetic=synthetic) for picture in drawing()]
        except HipauditError:
            raise
        except Exception as error:  # noqa: BLE001 a picture that fails must not lose the study
            text = f"{name} could not be drawn: {reason_of(error)[:250]}"
            notes.append(Note(code="figure", level="warning", text=text))
            continue
        if not kept:
            text = f"{name}: no image to show by its rule."
            notes.append(Note(code="figure", level="info", text=text))
        artefacts += kept
    return artefacts, notes


def figures_of(
    sight: Sight, train: Cases, recipe: Recipe
) -> dict[str, Callable[[], Iterable[Picture]]]:
    """Figures 1, 2, 4 and 5 of one model and the recipe it was fitted by, ready to be drawn."""
    return {
        "Figure 1": lambda: augmented(sight, train, recipe),
        "Figure 2": lambda: attacked(sight),
        "Figures 4 and 5": lambda: galleries(sight),
    }


def augmented(sight: Sight, train: Cases, recipe: Recipe) -> Iterable[Picture]:
    """Figure 1: the first training image by id of the positive class, and what becomes of it."""
    from trainers.pixels.picture import augmentation_grid

    positive = sight.classifier.description.positive_class
    shown = [c for c in train if c.burned_in is not True and c.label == positive]
    for case in shown[:1]:
        yield Picture(
            name="augmentation.png",
            png=augmentation_grid(case, recipe, sight.seed),
            kind="augmentation",
            title=f"Augmentation of one training image: case {case.id}",
            alt=f"A radiograph labelled {case.label}, first as it is, then as augmentation shows "
            "it to the network: warped, rotated, enlarged, brighter or darker, mirrored.",
            caption="The first image is as validation sees it; the others are what training "
            "draws from it. Draws are seeded.",
            meta={"model": sight.name, "case": case.id, "seed": sight.seed},
        )
