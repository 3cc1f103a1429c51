"""The words beside a probe's picture, made from what was recorded of it, in the language spoken."""

from __future__ import annotations

from collections.abc import Mapping

from audit.results import Artefact, Scalar
from reports.language import N_, _, decimal, recorded
from reports.names import STRESSES
from reports.numbers import grey_levels

OUTCOMES = {
    "TP": N_("True positives"),
    "FP": N_("False positives"),
    "FN": N_("False negatives"),
    "TN": N_("True negatives"),
}
SYNTHETIC = "Synthetic: "  # what the audit writes before the title of a picture of nobody
Meta = Mapping[str, Scalar]


def caption(artefact: Artefact) -> str:
    """What stands under the picture."""
    give = _CAPTIONS.get(artefact.kind)
    told = give(artefact.meta) if give and complete(artefact) else _recorded(artefact)
    if artefact.title.startswith(SYNTHETIC):
        return _("Synthetic: {caption}").format(caption=told)
    return told


def alt(artefact: Artefact) -> str:
    """What the picture shows, for who cannot see it."""
    give = _ALTS.get(artefact.kind)
    if give and complete(artefact) and "label" in artefact.meta:
        return give(artefact.meta)
    return recorded(artefact.alt or artefact.title) or _("Picture without a description")


def complete(artefact: Artefact) -> bool:
    """Whether everything that the words need was recorded, each a text or a number as it must."""
    meta = artefact.meta
    added = artefact.kind == "flip" and meta.get("part") == "difference"
    texts, numbers = _NEEDED["difference" if added else artefact.kind]
    return all(isinstance(meta.get(name), str) for name in texts) and all(
        isinstance(meta.get(name), int | float) for name in numbers
    )


def _recorded(artefact: Artefact) -> str:
    title = artefact.title.removeprefix(SYNTHETIC)
    parts = (recorded(part).rstrip(".") for part in (title, artefact.caption) if part)
    return ". ".join(parts)


def chance(value: Scalar) -> str:
    """A probability with two decimals.

    >>> chance(0.9164)
    '.92'
    """
    text = f"{float(value):.2f}"
    return decimal(text.replace("0.", ".", 1) if text.startswith("0.") else text)


def _of_map(meta: Meta) -> str:
    words = [
        f"{meta['outcome']}, {meta['view']}" if meta.get("view") else f"{meta['outcome']}",
        _("case {case}").format(case=meta["case"]),
    ]
    said = _("predicted {predicted}, P = {p}").format(
        predicted=meta["predicted"], p=chance(meta["probability"])
    )
    if meta.get("positive_evidence") is False:
        said += ". " + _("No positive evidence: the map is zero everywhere")
    return f"{', '.join(words)}: {said}"


def _map_alt(meta: Meta) -> str:
    told = _(
        "Radiograph{view}, labelled {label}, predicted {predicted}; beside it the same under its "
        "map, and under the map of randomised weights."
    )
    return told.format(view=_view(meta), label=meta["label"], predicted=meta["predicted"])


def _view(meta: Meta) -> str:
    return f", {meta['view']}" if meta.get("view") else ""


def step(meta: Meta) -> str:
    """ "ε = 2/255: predicted normal, P(fractured) = .31"."""
    return _("ε = {epsilon}: predicted {predicted}, P({positive}) = {p}").format(
        epsilon=grey_levels(float(meta["epsilon"])),
        predicted=meta["predicted"],
        positive=meta["positive"],
        p=chance(meta["score"]),
    )


def _of_flip(meta: Meta) -> str:
    if meta.get("part") == "difference":
        told = _("What was added at ε = {epsilon}, × {times}; mid-grey: unchanged")
        return told.format(epsilon=grey_levels(float(meta["epsilon"])), times=meta["times"])
    return step(meta)


def _flip_alt(meta: Meta) -> str:
    epsilon = grey_levels(float(meta["epsilon"]))
    if meta.get("part") == "difference":
        return _(
            "What {attack} added to the image at ε = {epsilon}, magnified {times} times."
        ).format(attack=_attack(meta), epsilon=epsilon, times=meta["times"])
    return _(
        "Radiograph{view}, labelled {label}, under {attack} at ε = {epsilon}, predicted "
        "{predicted}."
    ).format(
        view=_view(meta),
        label=meta["label"],
        attack=_attack(meta),
        epsilon=epsilon,
        predicted=meta["predicted"],
    )


def _attack(meta: Meta) -> str:
    name = str(meta.get("stress", ""))
    return _(STRESSES.get(name, name))


def _of_pixel(meta: Meta) -> str:
    told = _(
        "Case {case}{view}, labelled {label}: column {column}, row {row} from {before} to {after} "
        "of 255. Predicted {was}, P({positive}) = {p}; then {predicted}, {q}"
    )
    return told.format(
        case=meta["case"],
        view=_view(meta),
        label=meta["label"],
        column=meta["column"],
        row=meta["row"],
        before=meta["before"],
        after=meta["after"],
        was=meta["predicted_before"],
        positive=meta["positive"],
        p=chance(meta["score_before"]),
        predicted=meta["predicted"],
        q=chance(meta["score"]),
    )


def _pixel_alt(meta: Meta) -> str:
    return _(
        "Radiograph{view}, labelled {label}, with the place of one pixel framed; beside it the "
        "neighbourhood magnified, before and after: predicted {was}, then {predicted}."
    ).format(
        view=_view(meta),
        label=meta["label"],
        was=meta["predicted_before"],
        predicted=meta["predicted"],
    )


_CAPTIONS = {"gradcam": _of_map, "flip": _of_flip, "one_pixel": _of_pixel}
_ALTS = {"gradcam": _map_alt, "flip": _flip_alt, "one_pixel": _pixel_alt}
_NEEDED = {
    "gradcam": (("case", "outcome", "predicted"), ("probability",)),
    "flip": (("case", "label", "stress", "predicted", "positive"), ("epsilon", "score")),
    "difference": (("case", "stress"), ("epsilon", "times")),
    "one_pixel": (
        ("case", "label", "before", "after", "predicted_before", "predicted", "positive"),
        ("column", "row", "score_before", "score"),
    ),
}
