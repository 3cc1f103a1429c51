"""What lived before an audit is not searched for garbage again and again while it runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unsearched() -> Iterator[None]:
    """Python's collector leaves out the objects there are now, until the end.

    Libraries and the network are some hundred thousand objects, the findings as many again: each
    full collection walks them all and frees nothing. Does nothing where somebody froze objects
    already: they could not be told apart from ours.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
