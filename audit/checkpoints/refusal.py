"""What is said of a file that would run code."""

from __future__ import annotations

from audit.errors import UnsafeFile

SAVE_AGAIN = (
    "Save the weights alone where the file was made: "
    "safetensors.torch.save_file(model.state_dict(), 'model.safetensors')"
)


def refused(what: str, digest: str) -> UnsafeFile:
    """`what` was found instead of weights; the one-line fix, and the flag that opts in."""
    return UnsafeFile(
        "a file of weights",
        what,
        f"{SAVE_AGAIN}; or, if you trust its maker with this computer, add: --trust-code {digest}",
    )
