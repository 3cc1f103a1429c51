"""What is said of a cascade: its links, its rules, what it leaves out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from audit.cascade.link import Link
from audit.cascade.module import Cascade
from audit.results import Note, Preparation

ARCHITECTURE = "cascade"


def links_of(cascade: Cascade) -> Iterator[tuple[str, str, Link]]:
    """(dotted name in the module, name for people, link), in the order they are used."""
    if cascade.view is not None:
        yield "view", "view", cascade.view
    if cascade.localiser is not None:
        yield "localiser", "localiser", cascade.localiser
    if cascade.metal is not None:
        yield "metal", "metal filter", cascade.metal
    for place, (name, branch) in enumerate(
        zip(cascade.wiring.branches, cascade.branches, strict=True)
    ):
        if isinstance(branch, Link):
            yield f"branches.{place}", f'branch "{name}"', branch


def frame(height: int, width: int, resize: str) -> Preparation:
    """How a case becomes a cascade's input: one grey channel, never normalised.

    Each link normalises for itself; one channel keeps a 1024² input at 4 MiB an image.
    """
    return Preparation.model_validate(
        {
            "height": height,
            "width": width,
            "resize": resize,
            "channels": 1,
            "mean": (0.0,),
            "std": (1.0,),
        }
    )


def weights_digest(link: Link) -> str:
    """SHA-256 over names and values of a link's tensors, device and container apart."""
    digest = hashlib.sha256()
    for name, tensor in sorted(link.network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().numpy().tobytes())
    return digest.hexdigest()


def notes_of(cascade: Cascade) -> tuple[Note, ...]:
    """The chain, how it decides, whom it refers, and what it goes without."""
    links = [f"{name} {_network(link)}" for _, name, link in links_of(cascade)]
    notes = [_info("cascade", f"A cascade of {len(links)} networks: {'; '.join(links)}.")]
    notes += [_info("cascade-decides", text) for text in _decides(cascade)]
    notes += [_info("cascade-refers", text) for text in _refers(cascade)]
    missing = [
        text
        for link, text in (
            (cascade.view, "no view network (every image goes to the one branch)"),
            (cascade.localiser, "no localiser (the branches see the whole frame)"),
            (cascade.metal, "no metal filter (images with implants are answered like others)"),
        )
        if link is None
    ]
    if missing:
        notes.append(_info("cascade-without", f"The cascade has {', '.join(missing)}."))
    return tuple(notes)


def _network(link: Link) -> str:
    said = link.description
    way = said.preparation
    return f"({said.architecture} at {way.height}×{way.width}: {', '.join(said.classes)})"


def _decides(cascade: Cascade) -> Iterator[str]:
    wiring = cascade.wiring
    if cascade.localiser is not None and wiring.window is not None:
        low, high = wiring.window
        size = f"{high:.0%}" if low == high else f"{low:.0%} to {high:.0%}"
        yield (
            f"The branches see a square window of {size} of the frame's shorter side, at "
            f"{cascade.crop_size}×{cascade.crop_size} pixels, where the localiser puts it."
        )
    if cascade.view is None or len(wiring.branches) == 1:
        return
    if wiring.routing == "soft":
        yield (
            "Soft routing: the branches' probabilities weighted by those of the views are the "
            "answer, and attacks differentiate just that."
        )
    else:
        yield (
            "Hard routing: the branch of the likeliest view answers alone. Gradients for attacks "
            "are those of the weighted mixture, because a choice has none."
        )


def _refers(cascade: Cascade) -> Iterator[str]:
    wiring = cascade.wiring
    if cascade.metal is not None:
        said = cascade.metal.description
        half = said.threshold is None
        where = "0.5" if half else f"{said.threshold:.4g} ({said.threshold_origin})"
        yield f"Referred to a human: P({said.positive_class}) of the metal filter at least {where}."
    if cascade.view is not None:
        strangers = [v for v in cascade.view.description.classes if v not in wiring.branches]
        if strangers:
            yield (
                f"Views without a branch ({', '.join(strangers)}) are answered by all branches "
                f"alike{' and referred to a human' if wiring.refer_unknown else ''}."
            )
    if wiring.view_confidence is not None:
        yield f"Referred to a human: no view with a probability of {wiring.view_confidence:g}."


def _info(code: str, text: str) -> Note:
    return Note(code=code, level="info", text=text)
