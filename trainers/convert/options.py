"""What a user may ask of a conversion."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from audit.errors import HipauditError


@dataclass(frozen=True, slots=True)
class ConvertOptions:
    """`size`: pixels of the shorter side, never enlarged; None keeps the native size.

    `bits`: 16 keeps the depth of a radiograph, 8 rounds it to 256 grey levels. `burned_in`:
    images that say, or (as `DataOptions.strict_burned_in` wants) may have, text in their pixels
    are left out ("skip") or kept and marked in the manifest ("flag"). `keep`: further columns
    of the source's table for the manifest, each of which may name no person.
    """

    size: int | None = None
    bits: Literal[8, 16] = 16
    burned_in: Literal["skip", "flag"] = "skip"
    keep: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.size is not None and not 8 <= self.size <= 8192:
            raise HipauditError("a size from 8 to 8192 pixels", f"{self.size}", "Change --size.")

    def recorded(self) -> dict[str, Any]:
        return {**asdict(self), "keep": list(self.keep)}
