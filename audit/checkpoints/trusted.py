"""Files that run code, for those who said --trust-code with the digest of exactly this file."""

from __future__ import annotations

import hashlib
import io
import pickle
import warnings
from pathlib import Path
from typing import Any

import torch

from audit.checkpoints.text import quoted
from audit.errors import DamagedFile, HipauditError, UnsafeFile


def load_trusted(path: Path, kind: str, digest: str) -> Any:
    """What the file holds: an nn.Module, or a mapping of weights. Runs the file's code.

    The bytes that are hashed are the bytes that run. Raises UnsafeFile when the digest is
    another, HipauditError when loading fails or the format cannot be run.
    """
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if digest.lower().removeprefix("sha256:") != found:
        raise UnsafeFile(
            "the file that --trust-code names", "a file of another SHA-256", f"Its own is {found}."
        )
    if kind == "pt2":
        raise HipauditError(
            "a state_dict, a pickled module or TorchScript",
            "an exported program (.pt2)",
            "Save the weights with torch.save(model.state_dict(), 'model.pt').",
        )
    stream = io.BytesIO(data)
    try:
        if kind == "torchscript":
            with warnings.catch_warnings():  # torch calls TorchScript deprecated
                warnings.simplefilter("ignore", FutureWarning)
                return torch.jit.load(stream, map_location="cpu")  # type: ignore[no-untyped-call]  # torch's
        content = torch.load(stream, map_location="cpu", weights_only=False)
    except (ImportError, AttributeError) as error:
        raise HipauditError(
            "the code the file needs", str(error), "Install it, or run where it can be imported."
        ) from error
    except (RuntimeError, ValueError, EOFError, KeyError, TypeError, pickle.PickleError) as error:
        raise DamagedFile("a readable model", quoted(f"{type(error).__name__}: {error}")) from error
    # A fastai Learner carries its network as `.model`.
    inner = getattr(content, "model", None)
    return inner if isinstance(inner, torch.nn.Module) else content
