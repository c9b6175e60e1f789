"""Shapes -> templates, and the prices that no template undercuts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from designer.candidates.cables import LinkPair
from designer.candidates.choices import Choices
from designer.candidates.offer import Offer
from designer.candidates.parts import SwitchPart
from designer.candidates.reduce import pareto, pareto_within
from designer.candidates.shapes import Bounded, Ceiling, envelope, shapes
from designer.candidates.templates import (
    Shape,
    Template,
    box_vector,
    build_template,
    link_floor,
    pair_vectors,
    pairs_between,
)
from designer.candidates.terms import FAILURES, HITS, HOURS, Floats
from designer.candidates.weights import Weights
from designer.instance.schema import Choose


@dataclass(frozen=True)
class Search:
    """Templates and bounds for one question; link pairs are found once and kept."""

    offer: Offer
    choose: Choose
    weights: Weights
    prune: bool
    known_pairs: dict[tuple[str, str, int, str], list[LinkPair]] = field(default_factory=dict)

    def shapes(
        self,
        row: Sequence[Choices],
        stages: int,
        best: float,
        spines: Sequence[SwitchPart],
        cores: Sequence[SwitchPart],
    ) -> Iterator[Bounded]:
        """Shapes for the choices of all pools on one leaf type whose lower bound is not above ``best``."""
        weights = self.weights.usd
        hit = min(float(c.hit_usd.min()) for c in row) * weights[FAILURES] + weights[HITS]
        hour = sum(float((c.accelerators * (c.hour_usd * weights[FAILURES] + weights[HOURS])).min()) for c in row)
        ceiling = Ceiling(best, self.box_usd, partial(self.link_usd, (float(hit), hour)))
        floor = envelope(row, self.weights.objective)
        return shapes(row, spines, cores, stages, self.choose, ceiling, floor)

    def link_usd(
        self, hits: tuple[float, float], lower: SwitchPart, upper: SwitchPart, rate: int, name: str
    ) -> tuple[float, float] | None:
        """Least objective per link between two switches and once per fabric (None: no cable fits).

        ``hits`` are the least money of a job hit and of an hour lost on every accelerator of the pools.
        """
        if name == "spine_core":
            # Their hits are charged to the leaves that exist, but the bound counts these links by whole pods.
            hits = (0.0, hits[1])
        floors = [
            link_floor(pair, rate, upper, self.offer.economy, self.weights.usd, hits, self._length(name))
            for pair in self.pairs(lower, upper, rate, name)
        ]
        if not floors:
            return None
        return min(x for x, _ in floors), min(x for _, x in floors)

    def pairs(self, lower: SwitchPart, upper: SwitchPart, rate: int, name: str) -> list[LinkPair]:
        """Link pairs between two switches, dominated ones dropped; computed once for each question."""
        key = (lower.id, upper.id, rate, name)
        if key not in self.known_pairs:
            found = pairs_between(lower, upper, self.offer.links, rate, self._length(name))
            if self.prune and len(found) > 1:
                keep = pareto_within(*self._pair_keys(found, rate, self._length(name)))
                found = [pair for pair, stays in zip(found, keep.tolist(), strict=True) if stays]
            self.known_pairs[key] = found
        return self.known_pairs[key]

    def _pair_keys(
        self, pairs: Sequence[LinkPair], rate: int, length: float
    ) -> tuple[list[tuple[object, ...]], Floats]:
        """Groups and keys of pairs: equal row rates mean equal counts of ends, so ends compare one by one."""
        groups: list[tuple[object, ...]] = []
        keys = []
        for pair in pairs:
            vectors, hits, hours = pair_vectors(pair, rate, length, self.offer.economy)
            groups.append((pair.module, pair.lower.rate_gbps, pair.upper.rate_gbps))
            keys.append([*(vectors @ self.weights.usd), *vectors[:, self.weights.watched].ravel(), hits, hours])
        return groups, np.array(keys)

    def _length(self, name: str) -> float:
        economy = self.offer.economy
        return economy.forced_m.get(name, economy.lengths_m["hall" if name == "leaf_spine" else "building"])

    def box_usd(self, switch: SwitchPart) -> float:
        """Objective of one box above the leaf, its hits and hours apart."""
        return float(self.weights.usd @ box_vector(switch, self.offer.economy))

    def templates_of(self, shape: Shape) -> list[Template]:
        """Templates of a shape, one per pair (or two) of link rows worth having."""
        economy = self.offer.economy
        if shape.spine is None:
            return [build_template(shape, None, None, economy)]
        lower = self.pairs(shape.leaf, shape.spine, shape.rate_gbps, "leaf_spine")
        if shape.core is None:
            built = [build_template(shape, pair, None, economy) for pair in lower]
        else:
            upper = self.pairs(shape.spine, shape.core, shape.rate_gbps, "spine_core")
            built = [build_template(shape, low, up, economy) for low in lower for up in upper]
        return self._reduce(built) if self.prune and len(built) > 1 else built

    def _reduce(self, templates: list[Template]) -> list[Template]:
        keys = []
        for t in templates:
            vectors = np.stack([t.fixed, t.per_leaf, t.per_pod, t.per_cage])
            watched = vectors[:, self.weights.watched].ravel()
            keys.append([*self.weights.objective(vectors), *watched, t.leaf_hits, t.accelerator_hours, t.cage_ratio])
        keep = pareto(np.array(keys))
        return [t for t, stays in zip(templates, keep.tolist(), strict=True) if stays]
