"""How many images at a time: as many as a fixed share of memory holds, by counting activations.

A rule and not a race: two runs on the same machine take the same batches, whoever else is busy.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audit.classifier import Classifier

ON_CPU = 2**30  # bytes of activations
PART_OF_GPU = 0.25
# Beyond 16 a CPU gains nothing, and slows down where larger activations come from fresh pages of
# memory every time (audit/speed/pages.py).
LARGEST = {"cpu": 16, "cuda": 256}


def largest(device: torch.device) -> int:
    """Images at a time, of 224², beyond which more gain nothing on this kind of device."""
    return LARGEST.get(device.type, LARGEST["cpu"])


def batch_size(classifier: Classifier, x: Tensor) -> int:
    """The largest power of two whose activations fit; x (1, C, H, W) in [0, 1] is tried.

    Activations are those of one forward pass, all kept as a gradient keeps them. Fixed numbers:
    1 GiB and at most 16 images on a CPU, a quarter of its memory and at most 256 on a GPU.
    """
    room = ON_CPU
    if classifier.device.type == "cuda":
        room = int(PART_OF_GPU * torch.cuda.get_device_properties(classifier.device).total_memory)
    fit = max(1, room // max(1, activation_bytes(classifier, x)))
    return int(min(largest(classifier.device), 2 ** (fit.bit_length() - 1)))


def activation_bytes(classifier: Classifier, x: Tensor) -> int:
    """Bytes that the outputs of the network's innermost modules take for x, in one forward pass."""
    found: list[int] = []

    def note(_module: nn.Module, _given: object, output: object) -> None:
        if isinstance(output, Tensor):
            found.append(output.nelement() * output.element_size())

    seen_inside = not isinstance(classifier.module, torch.jit.ScriptModule)  # by hooks
    parts = classifier.module.modules() if seen_inside else ()
    leaves = [part for part in parts if not list(part.children())]
    hooks = [leaf.register_forward_hook(note) for leaf in leaves]
    try:
        with classifier.uncounted(), torch.no_grad():
            classifier.logits(x)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(found) or x.nelement() * x.element_size() * 100
