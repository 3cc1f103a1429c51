"""What a report on two audits is made from, and the questions it asks of compare.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from audit.compare.results import Comparison, Difference
from audit.results import Finding
from reports.card import Card
from reports.edition import ENGLISH, Edition
from reports.material import EVERYONE
from reports.verdict import Judgement

Place = tuple[str, ...]


@dataclass(frozen=True)
class ComparisonMaterial:
    """`cards`: what people say of BASE and of NEW. `judgement`: of the rules on a drop alone."""

    found: Comparison
    cards: tuple[Card, Card]
    judgement: Judgement
    edition: Edition = ENGLISH

    @property
    def report_id(self) -> str:
        """A name for exactly this evidence with exactly these statements and verdicts."""
        cards = (card.model_dump_json() for card in self.cards)
        parts = [self.found.to_json(), *cards, self.judgement.raw]
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12].upper()

    @property
    def synthetic(self) -> bool:
        return self.found.base.synthetic or self.found.new.synthetic

    @cached_property
    def _by_place(self) -> dict[Place, Difference]:
        return {_place(d, d.metric, d.group): d for d in self.found.differences}

    def clean(
        self, metric: str, group: Mapping[str, str] = EVERYONE, defence: str = "none"
    ) -> Difference | None:
        """The difference of a metric without stress."""
        like = Finding(metric=metric, defence=defence, group=dict(group))
        return self._by_place.get(_place(like, metric, group))

    def beside(self, one: Difference, metric: str) -> Difference | None:
        """Another metric at the same level, for the same cases."""
        return self._by_place.get(_place(one, metric, one.group))

    @cached_property
    def groups(self) -> list[dict[str, str]]:
        """Every subgroup that has a difference without stress, in the order of the file."""
        found: list[dict[str, str]] = []
        for d in self.found.differences:
            if d.group and d.stress == "clean" and d.group not in found:
                found.append(dict(d.group))
        return found

    @cached_property
    def defences(self) -> list[str]:
        """Defences with a difference without stress, but none."""
        clean = [d for d in self.found.differences if d.stress == "clean" and not d.group]
        return [name for name in dict.fromkeys(d.defence for d in clean) if name != "none"]

    @cached_property
    def tested(self) -> list[Difference]:
        """Differences that have a number."""
        return [d for d in self.found.differences if d.value is not None]

    def shown(self, verdict: str) -> list[Difference]:
        """Those that are worse, or better, after Holm's adjustment: without stress and for
        everyone first, then in groups, then under stress; the largest first."""
        found = [d for d in self.tested if d.verdict == verdict and d.shown]
        return sorted(found, key=lambda d: (d.stress != "clean", bool(d.group), -abs(d.value or 0)))

    @property
    def independent(self) -> bool:
        """Whether images were treated as independent of one another."""
        return any(d.independent for d in self.tested)


def _place(one: Finding, metric: str, group: Mapping[str, str]) -> Place:
    params, where = (json.dumps(dict(x), sort_keys=True) for x in (one.params, group))
    return metric, one.stress, one.defence, one.variant, params, where
