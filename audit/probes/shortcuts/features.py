"""The features a classifier decides by: what goes into its last linear layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from torch import Tensor, nn

from audit.cascade.module import Cascade
from audit.classifier import Classifier
from audit.draws import generator
from audit.findings.measure import with_value
from audit.findings.rates import FEWEST
from audit.findings.view import Bools, Floats, Ints
from audit.metrics.auroc import auroc_interval
from audit.metrics.matched import pairs_within
from audit.metrics.multiplicity import holm
from audit.metrics.within import chance_p, within_auroc
from audit.probes.shortcuts.fit import classified, folds_of
from audit.probes.shortcuts.metadata import Check, clean
from audit.probes.shortcuts.table import Column, Table
from audit.results import Finding

COMPONENTS = 64
STRENGTH = 0.1
FAMILY = "shortcuts: attributes in features"


class NoFeatures(Exception):
    """There is no one layer whose input is the features of an image."""


def last_layer(classifier: Classifier) -> nn.Module:
    """The last linear layer, or the last 1 × 1 convolution to the classes. Raises NoFeatures."""
    module = classifier.module
    if isinstance(module, Cascade):
        raise NoFeatures("a cascade decides by several networks")
    layers = list(module.modules())
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    if linear:
        return linear[-1]
    outputs = {1, len(classifier.classes)}
    mixing = [
        layer
        for layer in layers
        if isinstance(layer, nn.Conv2d)
        and layer.kernel_size == (1, 1)
        and layer.out_channels in outputs
    ]
    if not mixing:
        raise NoFeatures("the classifier has no linear layer to look before")
    return mixing[-1]


@contextmanager
def watched(layer: nn.Module) -> Iterator[list[Floats]]:
    """Meanwhile, what goes into `layer` is added to the list, as (N, d)."""
    seen: list[Floats] = []

    def look(_module: nn.Module, given: tuple[Any, ...]) -> None:
        value = given[0]
        if not isinstance(value, Tensor) or value.ndim < 2:
            raise NoFeatures("the last layer takes no row per image")
        if value.ndim == 3:  # tokens, channels
            value = value.mean(1)
        elif value.ndim > 3:  # a map per channel
            value = value.flatten(2).mean(2)
        seen.append(value.detach().float().cpu().numpy().astype(np.float64))

    handle = layer.register_forward_pre_hook(look)
    try:
        yield seen
    finally:
        handle.remove()


def reduced(features: Floats) -> Floats:
    """(n, d) -> (n, at most 64): standardised, then principal components. Constants left out."""
    from sklearn.decomposition import PCA

    spread = features.std(0)
    kept = spread > 1e-9 * np.maximum(1.0, np.abs(features).max(0))
    wide = (features[:, kept] - features[:, kept].mean(0)) / spread[kept]
    most = min(COMPONENTS, max(1, len(features) // 4))
    if wide.shape[1] > most:
        wide = PCA(most, svd_solver="full").fit_transform(wide)
    return np.asarray(wide)


def encoded_findings(
    table: Table, rows: Ints, features: Floats, seed: int, check: Check
) -> list[Finding]:
    """`attribute_from_features` of each value, among cases matched on the label: ½ is chance.

    `rows` (n,): which rows of the table the features (n, d) are of.
    """
    found: list[Finding] = []
    usable = np.isfinite(features).all(1)
    rows, wide = rows[usable], reduced(features[usable])
    for column in table.columns:
        codes = column.codes[rows]
        for place in _values(column, codes):
            check()
            params = {"attribute": column.name, "value": column.values[place]}
            start = clean("attribute_from_features", dict(params), len(rows), table.assumed)
            found.append(_read(start, table, rows, wide, codes == place, seed))
    tested = [i for i, one in enumerate(found) if one.p is not None]
    adjusted = holm([found[i].p or 0.0 for i in tested])
    for i, q in zip(tested, adjusted, strict=True):
        found[i] = found[i].model_copy(update={"p_holm": q, "family": FAMILY})
    return found


def _values(column: Column, codes: Ints) -> list[int]:
    """Every value that is there; of two, the rarer, since the other says the same."""
    counts = np.bincount(codes, minlength=len(column.values))
    if len(counts) == 2:
        return [int(np.argmin(counts))]
    return [int(place) for place in np.flatnonzero(counts)]


def _read(start: Finding, table: Table, rows: Ints, wide: Floats, has: Bools, seed: int) -> Finding:
    label, patients = table.positive[rows], table.patients[rows]
    start = start.model_copy(update={"events": int(has.sum())})
    pairs = pairs_within(has, label)
    if pairs < FEWEST or not wide.shape[1]:
        few = f"fewer than {FEWEST} pairs of cases with and without it that share their label"
        return start.model_copy(update={"reason": few if wide.shape[1] else "constant features"})
    fold = folds_of(patients, has, generator(seed, "shortcuts", "feature folds"))
    said = classified(_within(wide, label), has, fold, STRENGTH)
    area = within_auroc(said, has, patients, 2 * fold + label, table.count)
    if area is None:
        return start.model_copy(update={"reason": "no fold holds both of one label"})
    return with_value(start, area.area, auroc_interval(area)).model_copy(
        update={"p": chance_p(area)}
    )


def _within(wide: Floats, label: Bools) -> Floats:
    """Features less their mean among the cases of the same label."""
    out = wide.copy()
    for value in (True, False):
        if (label == value).any():
            out[label == value] -= wide[label == value].mean(0)
    return out
