"""All-to-all by closed form: capacity over leaving traffic at every tier, the least of them decides.

In a folded Clos whose boxes share their links evenly over the next stage, traffic sprayed evenly over all paths loads
every link of a group alike, so the cut round the group is reached: the least margin over all groups of all tiers *is*
the maximum concurrent flow, not only a bound on it (``docs/flow_check.md`` has the argument and its limits;
:mod:`designer.fabric.concurrent` confirms it).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from designer.design.types import BoundaryName
from designer.fabric.flow_report import BoundaryMargin
from designer.fabric.placement import Ints
from designer.fabric.traffic import PoolTraffic
from designer.fabric.wiring import CORE, LEAF, LEAF_SPINE, NIC_LEAF, SCALE_UP, SPINE, SPINE_CORE, Wiring


@dataclass(frozen=True)
class Tier:
    """One boundary of one pool before it is written down: exact figures of its most loaded group."""

    boundary: BoundaryName
    pool: str | None
    group: str
    demand: Fraction
    asked: Fraction
    even: int
    fluid: int
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
    """Links of every box towards the next stage: their number, Gb/s in all, and Gb/s when striped evenly."""

    links: Ints
    fluid: Ints
    even: Ints
    rate: Ints


def uplinks(wiring: Wiring, boundary: int) -> Uplinks:
    """Add up one boundary by lower box.

    Even striping sends the same rate to every next box, so the thinnest bundle of a box limits all of them.
    """
    bundles = wiring.bundles(boundary)
    lower, capacity = wiring.lower[bundles], wiring.capacity[bundles]
    links, fluid, next_boxes, rate = (np.zeros(wiring.boxes, np.int64) for _ in range(4))
    np.add.at(links, lower, wiring.links[bundles])
    np.add.at(fluid, lower, capacity)
    np.add.at(next_boxes, lower, 1)
    np.maximum.at(rate, lower, wiring.rate[bundles])
    thinnest = np.full(wiring.boxes, np.iinfo(np.int64).max)
    np.minimum.at(thinnest, lower, capacity)
    return Uplinks(links, fluid, np.where(next_boxes > 0, next_boxes * thinnest, 0), rate)


def tiers_of(wiring: Wiring, rows: tuple[PoolTraffic, ...]) -> list[Tier]:
    """Find the most loaded group of every boundary of every pool."""
    scale_up, nic = uplinks(wiring, SCALE_UP), uplinks(wiring, NIC_LEAF)
    leaf_up, spine_up = uplinks(wiring, LEAF_SPINE), uplinks(wiring, SPINE_CORE)
    leaves = np.flatnonzero(wiring.kind == LEAF)
    tiers: list[Tier] = []
    for row in rows:
        name = row.pool.name
        box = _thinnest(scale_up, row)
        planes = len(row.pool.scale_up.shares)
        even, fluid = int(scale_up.even[box]), int(scale_up.fluid[box])
        used = f", {even} of {fluid} Gb/s usable with even striping" if even < fluid else ""
        cut = f"scale-up ports of {wiring.name(box)} ({_told(scale_up, box)} over {planes} planes{used})"
        tiers.append(Tier("scale_up", name, wiring.name(box), row.scale_up, row.scale_up, even, fluid, cut))
        box = _thinnest(nic, row)
        cut = f"NIC links of {wiring.name(box)} ({_told(nic, box)})"
        even, fluid = int(nic.even[box]), int(nic.fluid[box])
        tiers.append(Tier("nic_leaf", name, wiring.name(box), row.nic, row.asked, even, fluid, cut))
        if np.any(wiring.kind == SPINE):
            groups = (
                Tier(
                    "leaf_spine",
                    name,
                    wiring.name(leaf),
                    demand,
                    demand,
                    int(leaf_up.even[leaf]),
                    int(leaf_up.fluid[leaf]),
                    f"uplinks of {wiring.name(leaf)} ({_told(leaf_up, leaf)})",
                )
                for leaf, demand in ((int(leaves[at]), gbps) for at, gbps in row.leaving(row.parts.leaf))
            )
            tiers.append(_tightest(groups))
    if np.any(wiring.kind == CORE):
        tiers.append(_tightest(_pods(wiring, rows, spine_up)))
    return tiers


def _pods(wiring: Wiring, rows: tuple[PoolTraffic, ...], spine_up: Uplinks) -> Iterator[Tier]:
    """Traffic of all pools that leaves each pod against the core uplinks of its spines."""
    demands: dict[int, Fraction] = {}
    for row in rows:
        for pod, gbps in row.leaving(row.parts.pod):
            demands[pod] = demands.get(pod, Fraction(0)) + gbps
    for pod, demand in sorted(demands.items()):
        spines = np.flatnonzero((wiring.kind == SPINE) & (wiring.group == pod))
        even = int(spine_up.even[spines].min()) * spines.size
        links, rate = int(spine_up.links[spines].sum()), int(spine_up.rate[spines].max())
        cut = f"core uplinks of pod {pod} ({links} links of {rate} Gb/s on {spines.size} spines)"
        fluid = int(spine_up.fluid[spines].sum())
        yield Tier("spine_core", None, f"pod {pod}", demand, demand, even, fluid, cut)


def _thinnest(ports: Uplinks, row: PoolTraffic) -> int:
    """Accelerator of a pool with the least capacity (all of a pool send the same)."""
    first, last = row.accelerators.start, row.accelerators.stop
    return first + int(np.argmin(ports.even[first:last]))


def _tightest(tiers: Iterator[Tier]) -> Tier:
    """Tier of the smallest margin; one without demand only when none has any."""
    every = list(tiers)
    return min(every, key=lambda tier: (tier.margin is None, tier.margin or Fraction(0)))


def _told(ports: Uplinks, box: int) -> str:
    links = int(ports.links[box])
    return f"{links} {'link' if links == 1 else 'links'} of {int(ports.rate[box])} Gb/s"
