"""Boxes and cables of a design as arrays: what both the networkx graph and the quotient are made from.

Arrays, because a design of 100,000 accelerators has millions of cables: as networkx edges they would fill
gigabytes, as arrays they fit in a hundred megabytes and are counted in one pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from designer.design.types import BoundaryName, Design
from designer.fabric.placement import Ints, Parts, leaf_count, nics_per_accelerator, parts_of

KINDS: Final = ("accelerator", "plane", "leaf", "spine", "core")
ACCELERATOR, PLANE, LEAF, SPINE, CORE = range(5)
BOUNDARIES: Final[tuple[BoundaryName, ...]] = ("scale_up", "nic_leaf", "leaf_spine", "spine_core")
SCALE_UP, NIC_LEAF, LEAF_SPINE, SPINE_CORE = range(4)


@dataclass(frozen=True, eq=False)
class Wiring:
    """Every box and every bundle of parallel cables.

    Parameters
    ----------
    pools
        Names of the pools.
    kind, pool, group, index
        Per box: its kind (place in ``KINDS``), its pool (-1 for spines, cores and a leaf of several pools), the group
        it stands in (domain; pod; core group) and its number there. A leaf's number counts over the whole fabric.
    lower, upper, links, rate, boundary
        Per bundle: the lower and the upper box, the number of links, Gb/s of one link, place in ``BOUNDARIES``.
    """

    pools: tuple[str, ...]
    kind: Ints
    pool: Ints
    group: Ints
    index: Ints
    lower: Ints
    upper: Ints
    links: Ints
    rate: Ints
    boundary: Ints

    @property
    def boxes(self) -> int:
        """Number of boxes, accelerators included."""
        return int(self.kind.size)

    @property
    def endpoints(self) -> int:
        """Number of accelerators; they come first."""
        return int(np.count_nonzero(self.kind == ACCELERATOR))

    @property
    def capacity(self) -> Ints:
        """Gb/s of every bundle, one direction."""
        return self.links * self.rate

    def name(self, box: int) -> str:
        """Name one box the way reports do."""
        kind, group, index = int(self.kind[box]), int(self.group[box]), int(self.index[box])
        if kind in (ACCELERATOR, PLANE):
            what = "a" if kind == ACCELERATOR else "plane"
            return f"{self.pools[self.pool[box]]}/d{group}/{what}{index}"
        if kind == LEAF:
            return f"leaf{index}"
        return f"pod{group}/spine{index}" if kind == SPINE else f"cores{group}/core{index}"

    def bundles(self, boundary: int) -> Ints:
        """Places of the bundles of one boundary."""
        return np.flatnonzero(self.boundary == boundary)


@dataclass
class _Drawing:
    """Blocks of boxes and bundles on the way to a :class:`Wiring`."""

    boxes: list[tuple[Ints, ...]]
    bundles: list[tuple[Ints, ...]]
    count: int = 0

    def add_boxes(self, kind: int, pool: int, group: Ints, index: Ints) -> int:
        """Add a block of boxes and return the number of the first."""
        first = self.count
        self.boxes.append((np.full(group.size, kind), np.full(group.size, pool), group, index))
        self.count += group.size
        return first

    def add_bundles(self, boundary: int, lower: Ints, upper: Ints, links: Ints | int, rate: int) -> None:
        """Join boxes pairwise."""
        count = np.broadcast_to(np.asarray(links, np.int64), lower.shape)
        self.bundles.append((lower, upper, count, np.full(lower.size, rate), np.full(lower.size, boundary)))


def wire(design: Design) -> Wiring:
    """Draw a design from its own numbers, by the wiring rules of ``docs/rules.md`` sections 3 and 7.

    Raises
    ------
    WiringError
        When the numbers of the design cannot be wired.
    """
    parts = parts_of(design)
    drawing = _Drawing([], [])
    for number, pool in enumerate(design.pools):
        domains, size = np.arange(pool.domains), np.arange(pool.domain_size)
        drawing.add_boxes(ACCELERATOR, number, np.repeat(domains, size.size), np.tile(size, domains.size))
    for number in range(len(design.pools)):
        _wire_domains(drawing, design, number, int(parts[number].start[0]))
    _wire_fabric(drawing, design, parts)
    kind, owner, group, index = (np.concatenate(column).astype(np.int64) for column in zip(*drawing.boxes, strict=True))
    lower, upper, links, rate, boundary = (
        np.concatenate(column).astype(np.int64) for column in zip(*drawing.bundles, strict=True)
    )
    names = tuple(pool.name for pool in design.pools)
    return Wiring(names, kind, owner, group, index, lower, upper, links, rate, boundary)


def _wire_domains(drawing: _Drawing, design: Design, number: int, start: int) -> None:
    """Join every accelerator of a domain to every plane switch of it by that plane's share of ports."""
    pool = design.pools[number]
    shares = np.array(pool.scale_up.shares, np.int64)
    planes = np.arange(shares.size)
    first = drawing.add_boxes(
        PLANE, number, np.repeat(np.arange(pool.domains), shares.size), np.tile(planes, pool.domains)
    )
    accelerators = np.arange(pool.domain_size * pool.domains)
    lower = np.repeat(start + accelerators, shares.size)
    upper = first + (accelerators // pool.domain_size)[:, None] * shares.size + planes[None, :]
    drawing.add_bundles(SCALE_UP, lower, upper.ravel(), np.tile(shares, accelerators.size), pool.scale_up.port_gbps)


def _wire_fabric(drawing: _Drawing, design: Design, parts: tuple[Parts, ...]) -> None:
    """Join accelerators to leaves, leaves to the spines of their pod, spines to their core group."""
    fabric, stages = design.fabric, len(design.fabric.stages)
    leaves = leaf_count(design, parts)
    leaf = np.arange(leaves)
    pod = leaf // fabric.leaves_per_pod if stages == 3 else np.zeros_like(leaf)
    first_leaf = drawing.count
    if stages == 1:
        drawing.add_boxes(LEAF, -1 if len(design.pools) > 1 else 0, pod, leaf)
    else:
        for number, part in enumerate(parts):
            own = np.unique(part.leaf)
            drawing.add_boxes(LEAF, number, pod[own], own)
    for pool, part in zip(design.pools, parts, strict=True):
        lower = int(part.start[0]) + np.arange(int(part.size.sum()))
        upper = first_leaf + np.repeat(part.leaf, part.size)
        drawing.add_bundles(NIC_LEAF, lower, upper, nics_per_accelerator(pool), pool.nic_leaf.rate_gbps)
    if stages == 1:
        return
    spines, pods = np.arange(fabric.spines_per_pod), int(pod[-1]) + 1
    first_spine = drawing.add_boxes(SPINE, -1, np.repeat(np.arange(pods), spines.size), np.tile(spines, pods))
    lower = first_leaf + np.repeat(leaf, spines.size)
    upper = first_spine + (pod[:, None] * spines.size + spines[None, :]).ravel()
    drawing.add_bundles(LEAF_SPINE, lower, upper, fabric.links_per_leaf_spine, fabric.uplink_gbps)
    if stages == 2:
        return
    # Core group i serves spine i of every pod.
    cores = np.arange(fabric.cores_per_spine)
    first_core = drawing.add_boxes(CORE, -1, np.repeat(spines, cores.size), np.tile(cores, spines.size))
    lower = first_spine + np.repeat(np.arange(pods * spines.size), cores.size)
    upper = first_core + np.tile((spines[:, None] * cores.size + cores[None, :]).ravel(), pods)
    drawing.add_bundles(SPINE_CORE, lower, upper, fabric.links_per_spine_core, fabric.uplink_gbps)
