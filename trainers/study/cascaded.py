"""A cascade as one member of a study."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from audit.cascade.stored import save_cascade
from audit.cases.case import Case
from audit.files import write_whole
from trainers.cascade.fit import fit_cascade
from trainers.progress import Progress
from trainers.study.fitted import (
    CHECKPOINT,
    TRAINING,
    fitting_key,
    found_fitted,
    keep_fitted,
)
from trainers.study.member import Means, Member
from trainers.study.weights import Start, start_digest

LARGEST = 1024  # what Gale et al. 2017 work at
RECORD = "cascade.json"  # beside the training of the links


def fit_cascade_member(
    member: Member, folder: Path, start: Start, means: Means, progress: Progress
) -> Path:
    """`folder/model.pt`, a cascade whose links are fitted by the member's recipe.

    Its branches see crops of the recipe's size, taken from a frame of twice that, but no larger
    than the images or LARGEST. Finished links are reused. Raises HipauditError as `fit_cascade`
    does.
    """
    key = fitting_key(member, start, means)
    path = folder / CHECKPOINT
    if found_fitted(folder, key):
        progress.note("already trained by the same recipe on the same data")
        return path
    recipe = means.recipe_of(member)
    module, description, record = fit_cascade(
        member.train,
        member.val,
        classes=means.classes,
        positive_class=means.positive_class,
        architecture=recipe,
        size=frame_side(member.train, recipe.size),
        crop_size=recipe.size,
        weights=start,
        folder=folder / TRAINING,
        device=means.device,
        progress=progress,
    )
    said = {
        **description.training,
        "recipe": recipe.recorded(),
        "cascade": record,
        "start_digest": start_digest(start),
        "synthetic": means.synthetic,
    }
    told = description.model_copy(update={"name": member.name, "training": said})
    save_cascade(path, module, told)
    kept = {name: record[name] for name in ("left_out", "val")}
    write_whole(
        folder / TRAINING / RECORD, json.dumps({"links": [*record["links"]], **kept}) + "\n"
    )
    keep_fitted(folder, key)
    return path


def told_of(checkpoint: Path) -> str:
    """A sentence on the links of the cascade that `fit_cascade_member` wrote; "" if unknown."""
    try:
        record = json.loads((checkpoint.parent / TRAINING / RECORD).read_text(encoding="utf-8"))
        text = f"The cascade has the links {', '.join(record['links'])}."
        for name, reason in record["left_out"].items():
            text += f" {name.capitalize()} was left out: {reason}."
        said, count = record["val"].get("view_accuracy"), record["val"].get("view_n")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    if said is None:
        return text
    return f"{text} It names the view of {100 * said:.1f}% of {count} validation images rightly."


def frame_side(cases: Iterable[Case], crop: int) -> int:
    """Side of the cascade's input: twice the crop, at most the median short side of the images."""
    sides = sorted(min(case.shape[:2]) for case in cases if case.shape)
    native = sides[len(sides) // 2] if sides else 2 * crop
    return max(crop, min(2 * crop, native, LARGEST))
