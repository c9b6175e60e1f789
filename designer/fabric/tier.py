"""One boundary of one pool: what its links carry against what leaves its most loaded group."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from designer.design.types import BoundaryName
from designer.fabric.flow_report import BoundaryMargin
from designer.fabric.placement import Ints
from designer.fabric.wiring import LEAF_SPINE, Wiring


@dataclass(frozen=True)
class Tier:
    """One boundary of one pool before it is written down: exact figures of its most loaded group."""

    boundary: BoundaryName
    pool: str | None
    group: str
    demand: Fraction
    asked: Fraction
    even: int | Fraction
    fluid: int | Fraction
    cut: str

    @property
    def margin(self) -> Fraction | None:
        """Capacity over demand with even striping."""
        return Fraction(self.even) / self.demand if self.demand else None

    @property
    def fluid_margin(self) -> Fraction | None:
        """Capacity over demand for an ideal router."""
        return Fraction(self.fluid) / self.demand if self.demand else None

    def row(self, least: Fraction | None) -> BoundaryMargin:
        """Write the tier down; ``least`` is the smallest margin of all."""
        margin, fluid = self.margin, self.fluid_margin
        return BoundaryMargin(
            self.boundary,
            self.pool,
            self.group,
            float(self.demand),
            float(self.asked),
            float(self.even),
            float(self.fluid),
            None if margin is None else float(margin),
            None if fluid is None else float(fluid),
            margin is not None and margin == least,
            self.cut,
        )


@dataclass(frozen=True, eq=False)
class Uplinks:
    """Links of every box towards the next stage: their number, Gb/s in all, and when striped evenly.

    ``even`` counts in ``parts`` of a Gb/s: a box that gives some of the next a link more shares out by fractions.
    """

    links: Ints
    fluid: Ints
    even: Ints
    rate: Ints
    parts: int = 1

    def striped(self, box: int) -> Fraction:
        """Gb/s of a box when striped evenly, exactly."""
        return Fraction(int(self.even[box]), self.parts)


def uplinks(wiring: Wiring, boundary: int, bundles: Ints | None = None) -> Uplinks:
    """Add up one boundary, or some of its bundles, by lower box.

    Even striping sends the same rate to every next box, so the thinnest bundle of a box limits all of them; where a
    design gives some boxes of a tree a link more, as much by each of the links that it gives them.
    """
    if bundles is None:
        bundles = wiring.bundles(boundary)
    lower, capacity = wiring.lower[bundles], wiring.capacity[bundles]
    links, fluid, met, rate = (np.zeros(wiring.boxes, np.int64) for _ in range(4))
    np.add.at(links, lower, wiring.links[bundles])
    np.add.at(fluid, lower, capacity)
    given = _given(wiring, boundary, bundles)
    np.add.at(met, lower, given)
    np.maximum.at(rate, lower, wiring.rate[bundles])
    # A multiple of all shares, so that whole numbers are exact also where a damaged bundle is no multiple of its own.
    parts = int(np.lcm.reduce(np.unique(given), initial=1))
    thinnest = np.full(wiring.boxes, np.iinfo(np.int64).max)
    np.minimum.at(thinnest, lower, met[lower] * capacity * (parts // given))
    return Uplinks(links, fluid, np.where(met > 0, thinnest, 0), rate, parts)


def _given(wiring: Wiring, boundary: int, bundles: Ints) -> Ints:
    """Parts in which a box shares out its traffic: links that the design gives it to the upper box of each bundle."""
    if not LEAF_SPINE <= boundary < LEAF_SPINE + len(wiring.striping):
        return np.ones(bundles.size, np.int64)
    links = wiring.striping[boundary - LEAF_SPINE]
    parts: Ints = links // int(np.gcd.reduce(links))
    return parts[wiring.index[wiring.upper[bundles]]]


def told(ports: Uplinks, box: int) -> str:
    """Say how many links a box has and how fast they are."""
    links = int(ports.links[box])
    return f"{links} {'link' if links == 1 else 'links'} of {int(ports.rate[box])} Gb/s"
