"""What a stress is, and the table of them. A new one is one file and one test."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from torch import Tensor

from audit.cases.case import Pixels
from audit.errors import HipauditError, did_you_mean
from audit.registering import chosen, import_all
from audit.results import Scalar, as_levels

T = TypeVar("T")


class Attackable(Protocol):
    """What an attack may see of a classifier."""

    @property
    def has_gradients(self) -> bool: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    def decision_logits(self, x: Tensor) -> Tensor:
        """(N, C, H, W) in [0, 1] -> logits (N, K) whose argmax is the deployed rule."""
        ...


@dataclass
class Batch:
    """Cases handed to a stress.

    `x` (N, C, H, W) float32 in [0, 1] on the CPU; `y` (N,) true class indices; `rngs` one
    generator per case (never draw from anything else). `pixels`: native images, only for
    domain "acquisition". `open`: (N,) bool, still decided correctly; the engine updates it
    between yields, and a search may skip cases that are no longer open. `room`: how many images
    may be yielded together, where a search has several candidates for the cases still open.
    """

    x: Tensor
    y: Tensor
    rngs: Sequence[np.random.Generator]
    pixels: Sequence[Pixels] = ()
    open: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    room: int = 1

    def __post_init__(self) -> None:
        self.y = self.y.clone()  # who judges keeps the truth: a stress may write on its copy only
        if self.open.shape != (len(self.y),):
            self.open = np.ones(len(self.y), dtype=bool)


@dataclass(frozen=True)
class Altered:
    """Altered images of one variant, or of several that a search tries together.

    `variant`: what distinguishes it ({"epsilon": 2/255}; {"angle": -30.0, "dx": 0.1, "dy": 0};
    {"draw": 3}). `images`: (M, C, H, W) float32 in [0, 1] for domain "input", a list of native
    arrays for "acquisition". `rows`: which of the batch they belong to (None = all, in order).
    `found`: one mapping per image (transform, pixel, norm), may be empty.
    `queries`: what the attack asked of the model per image, counted one at a time, (M,) or None.
    `variants`: of a search, one per image in place of `variant`. A case may then be in `rows` more
    than once, in the order of trying: what comes after the first that fools it is left out.
    """

    variant: Mapping[str, Scalar]
    images: Tensor | list[Pixels]
    rows: Sequence[int] | None = None
    found: Sequence[Mapping[str, Scalar]] = ()
    queries: Sequence[int] | None = None
    variants: Sequence[Mapping[str, Scalar]] = ()

    @property
    def each(self) -> Sequence[Mapping[str, Scalar]]:
        """The variant of every image."""
        return self.variants or [self.variant] * len(self.images)

    def only(self, places: Sequence[int]) -> Altered:
        """The images at these places."""

        def picked(given: Sequence[T]) -> list[T]:
            return [given[place] for place in places] if given else []

        images = self.images[places] if isinstance(self.images, Tensor) else picked(self.images)
        rows = list(places) if self.rows is None else picked(self.rows)
        queries = None if self.queries is None else picked(self.queries)
        return Altered(
            self.variant, images, rows, picked(self.found), queries, picked(self.variants)
        )


Perturb = Callable[..., Iterator[Altered]]
LookOver = Callable[[Mapping[str, Any]], object]
Fits = Callable[[Mapping[str, Any], int], object]


@dataclass(frozen=True)
class Stress:
    """A registered stress. `variants` says what the yields are:

    "level": each is a result of its own (an epsilon, a severity);
    "search": candidates of one search, a case is fooled when any candidate fools it;
    "cell": every one counts for every case (an accuracy map); nothing is dropped.
    """

    name: str
    perturb: Perturb
    kind: Literal["attack", "corruption"]
    norm: str | None
    domain: Literal["input", "acquisition"]
    variants: Literal["level", "search", "cell"]
    needs_gradients: bool
    budget: Callable[[Mapping[str, Any], Mapping[str, Scalar]], float | None] | None
    through: str
    cost: Callable[[Mapping[str, Any]], float]
    look_over: LookOver
    fits: Fits

    @property
    def defaults(self) -> dict[str, Any]:
        """Keyword parameters and their defaults, from the function's own signature."""
        return _defaults(self.perturb)

    def check(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults overlaid with `params`.

        HipauditError for an unknown name, another kind of value, or a value the stress refuses.
        """
        known = self.defaults
        for name, value in params.items():
            if name not in known:
                raise HipauditError(
                    f"a parameter of {self.name}", f'"{name}"', did_you_mean(name, list(known))
                )
            if not alike(value, known[name]):
                kind = f"`{name}` of {self.name} to be like its default, {known[name]!r}"
                raise HipauditError(kind, f"{value!r}", f"See: hipaudit explain {self.name}.")
        settings = {**known, **params}
        try:
            self.look_over(settings)
            self.cost(settings)
        except HipauditError as slip:
            hint = slip.fix or f"See: hipaudit explain {self.name}."
            raise HipauditError(slip.expected, slip.found, hint) from None
        return settings


def _defaults(perturb: Perturb) -> dict[str, Any]:
    found = inspect.signature(perturb).parameters.values()
    return {p.name: p.default for p in found if p.kind is p.KEYWORD_ONLY}


def alike(value: object, default: object) -> bool:
    """A word for a word, finite numbers (one or several) for numbers; what they mean is looked at
    by the stress.

    >>> alike(3, 2.5), alike((1, 2), 2), alike("ten", 10), alike(float("nan"), 1.0)
    (True, True, False, False)
    """
    if default is None or isinstance(default, bool | str):
        return default is None or isinstance(value, type(default))
    if isinstance(value, list | tuple):
        return all(alike(one, 0) for one in value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)  # type: ignore[arg-type]  # a number, by the line above


def _checked(perturb: Perturb, check: LookOver) -> Perturb:
    """`perturb`, but its settings are looked over when it is called, not when it first yields."""

    @wraps(perturb)
    def checked(model: Attackable, batch: Batch, **params: Any) -> Iterator[Altered]:
        check({**_defaults(perturb), **params})
        return perturb(model, batch, **params)

    return checked


def _tolerant(name: str, look: Callable[[Mapping[str, Any]], T]) -> Callable[..., T]:
    """`look`, but numbers it cannot calculate with are a slip of the user."""

    def looked(params: Mapping[str, Any]) -> T:
        try:
            return look(params)
        except (ArithmeticError, TypeError, ValueError) as error:
            found = ", ".join(f"{key}={value!r}" for key, value in params.items())
            raise HipauditError(f"parameters of {name} that can be carried out", found) from error

    return looked


STRESSES: dict[str, Stress] = {}


def stress(
    name: str,
    *,
    kind: Literal["attack", "corruption"],
    norm: str | None = None,
    domain: Literal["input", "acquisition"] = "input",
    variants: Literal["level", "search", "cell"] = "level",
    needs_gradients: bool = False,
    budget: Callable[[Mapping[str, Any], Mapping[str, Scalar]], float | None] | None = None,
    through: str = "hipaudit",
    cost: Callable[[Mapping[str, Any]], float] = lambda _: 1.0,
    check: LookOver = lambda _: None,
    fits: Fits = lambda _, __: None,
) -> Callable[[Perturb], Perturb]:
    """Register a stress. `cost` gives forwards per case (a backward counts 2) for the plan.

    `budget(params, variant)` is the largest distance allowed in `norm` (for l0: pixels),
    checked by the engine on every image; `through` says whose code runs ("ART", "hipaudit").
    `check(params)` raises HipauditError for values that make no sense: it is asked while planning,
    so that nobody waits for the runs before this one to learn of a slip, and at every call.
    `fits(params, classes)` raises it for a model of so many classes, while planning.
    """

    check = _tolerant(name, check)

    def register(perturb: Perturb) -> Perturb:
        perturb = _checked(perturb, check)
        STRESSES[name] = Stress(
            name,
            perturb,
            kind,
            norm,
            domain,
            variants,
            needs_gradients,
            budget,
            through,
            _tolerant(name, cost),
            check,
            fits,
        )
        return perturb

    return register


def load_stresses() -> dict[str, Stress]:
    """Import every module of this package once, so that what is registered is complete."""
    import audit.stresses as package

    import_all(package)
    return STRESSES


def get_stress(name: str) -> Stress:
    return chosen("stress", name, load_stresses())


def variant_key(variant: Mapping[str, Scalar]) -> str:
    """A stable, readable key: {"epsilon": 2/255} -> "epsilon=2/255".

    >>> variant_key({"angle": -30.0, "dx": 0.1})
    'angle=-30 dx=0.1'
    """

    def text(name: str, value: Scalar) -> str:
        if name == "epsilon" and isinstance(value, int | float):
            return as_levels(value)
        return f"{value:.10g}" if isinstance(value, float) else str(value)

    return " ".join(f"{name}={text(name, value)}" for name, value in variant.items())
