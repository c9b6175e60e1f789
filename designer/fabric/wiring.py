"""Boxes and cables of a design as arrays: what both the networkx graph and the quotient are made from.

Arrays, because a design of 100,000 accelerators has millions of cables: as networkx edges they would fill
gigabytes, as arrays they fit in a hundred megabytes and are counted in one pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from designer.design.types import BoundaryName, Design, Fabric, FabricShape, ScaleUpKind
from designer.fabric.apart import fabrics_apart, nowhere, prefixed
from designer.fabric.flat import pairs_of_leaves, per_line
from designer.fabric.flow_report import Violation
from designer.fabric.placement import (
    Ints,
    Parts,
    WiringError,
    leaf_count,
    nics_per_accelerator,
    one_switch,
    parts_of,
)
from designer.fabric.straight import direct_links
from designer.fabric.striping import links_up

KINDS: Final = ("accelerator", "plane", "upper", "leaf", "spine", "core", "top")
ACCELERATOR, PLANE, UPPER, LEAF, SPINE, CORE, TOP = range(7)
BOUNDARIES: Final[tuple[BoundaryName, ...]] = (
    "scale_up",
    "scale_up_upper",
    "nic_leaf",
    "leaf_spine",
    "spine_core",
    "core_top",
    "leaf_leaf",
    "group_group",
)
SCALE_UP, SCALE_UP_UPPER, NIC_LEAF, LEAF_SPINE, SPINE_CORE, CORE_TOP, LEAF_LEAF, GROUP_GROUP = range(8)


_GROUPS: Final = {SPINE: "pod", CORE: "cores", TOP: "tops"}


@dataclass(frozen=True, eq=False)
class Wiring:
    """Every box and every bundle of parallel cables.

    Parameters
    ----------
    pools
        Names of the pools.
    kind, pool, group, index
        Per box: its kind (place in ``KINDS``), its pool (-1 for what stands above the leaves, a leaf of several pools
        and one of none), the group it stands in (domain; pod, line or group of leaves; core group, counted over all
        zones; set of tops) and its number there. A leaf's number counts over its whole copy of the fabric; the
        first-stage switch of a two-stage domain has the number of its group of accelerators.
    layer
        Per box: the rail of an accelerator, the plane of a scale-up switch, the copy of a scale-out switch
        (``rail * planes + plane``).
    lower, upper, links, rate, boundary
        Per bundle: the lower and the upper box, the number of links, Gb/s of one link, place in ``BOUNDARIES``. Where
        accelerators or leaves are joined directly the lower is the one of the smaller number.
    joins
        Per pool: how its domains are joined.
    rails, planes
        Copies of the scale-out fabric: ``rails * planes``.
    fabric
        Place of the fabric in its design.
    shape, dims
        How leaves are joined; ``dims`` is empty for a tree.
    zone_groups
        Core groups of every zone; 0 where there are no zones.
    striping
        Of the boundaries above the leaves of a tree: links that the design gives a box to each of those above.
    """

    pools: tuple[str, ...]
    kind: Ints
    pool: Ints
    group: Ints
    index: Ints
    layer: Ints
    lower: Ints
    upper: Ints
    links: Ints
    rate: Ints
    boundary: Ints
    joins: tuple[ScaleUpKind, ...]
    rails: int = 1
    planes: int = 1
    fabric: int = 0
    shape: FabricShape = "tree"
    dims: tuple[int, ...] = ()
    zone_groups: int = 0
    striping: tuple[Ints, ...] = ()

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
        layer = int(self.layer[box])
        if kind <= UPPER:
            what = f"a{index}" if kind == ACCELERATOR else f"plane{layer}"
            if kind == UPPER:
                what += f"/upper{index}"
            elif kind == PLANE and self.joins[self.pool[box]] == "clos":
                what += f"/group{index}"
            return f"{self.pools[self.pool[box]]}/d{group}/{what}"
        if kind == LEAF:
            what = f"leaf{index}"
        elif kind == CORE and self.zone_groups:
            zone, group = divmod(group, self.zone_groups)
            what = f"zone{zone}/cores{group}/core{index}"
        else:
            what = f"{_GROUPS[kind]}{group}/{KINDS[kind]}{index}"
        copy = self.copy_name(layer)
        return f"{copy}/{what}" if copy else what

    def copy_name(self, number: int) -> str:
        """Name one copy of the scale-out fabric; empty when there is one, unless it is one of several fabrics."""
        rail, plane = divmod(number, self.planes)
        words = ([f"rail{rail}"] if self.rails > 1 else []) + ([f"plane{plane}"] if self.planes > 1 else [])
        return prefixed(self.fabric, "/".join(words))

    def bundles(self, boundary: int) -> Ints:
        """Places of the bundles of one boundary."""
        return np.flatnonzero(self.boundary == boundary)


@dataclass
class _Drawing:
    """Blocks of boxes and bundles on the way to a :class:`Wiring`."""

    boxes: list[tuple[Ints, ...]]
    bundles: list[tuple[Ints, ...]]
    count: int = 0

    def add_boxes(self, kind: int, pool: int, group: Ints, index: Ints, layer: Ints | int = 0) -> int:
        """Add a block of boxes and return the number of the first."""
        first = self.count
        layers = np.broadcast_to(np.asarray(layer, np.int64), group.shape)
        self.boxes.append((np.full(group.size, kind), np.full(group.size, pool), group, index, layers))
        self.count += group.size
        return first

    def add_bundles(self, boundary: int, lower: Ints, upper: Ints, links: Ints | int, rate: int) -> None:
        """Join boxes pairwise."""
        count = np.broadcast_to(np.asarray(links, np.int64), lower.shape)
        self.bundles.append((lower, upper, count, np.full(lower.size, rate), np.full(lower.size, boundary)))


def wirings(design: Design) -> tuple[Wiring, ...]:
    """Draw every fabric of a design with the pools on it.

    Raises
    ------
    WiringError
        When the numbers of the design cannot be wired; all fabrics are looked at first.
    """
    wrong = list(nowhere(design))
    drawn = []
    for number, part in enumerate(fabrics_apart(design)):
        try:
            drawn.append(wire(part, number))
        except WiringError as error:
            wrong += error.violations
    if wrong:
        raise WiringError(wrong)
    return tuple(drawn)


def wire(design: Design, place: int = 0) -> Wiring:
    """Draw a design of one fabric from its own numbers, by the wiring rules of ``docs/rules.md`` sections 3 and 7.

    Parameters
    ----------
    design
        The design; several fabrics are drawn by :func:`wirings`.
    place
        Place of the fabric where the design was taken out of a larger one.

    Raises
    ------
    WiringError
        When the numbers of the design cannot be wired.
    """
    if design.more_fabrics:
        message = f"{len(design.fabrics)} fabrics are not one: `wirings` draws each"
        raise WiringError([Violation("several_fabrics", "design", message)])
    parts, fabric = parts_of(design, place), design.fabric
    drawing = _Drawing([], [])
    for number, pool in enumerate(design.pools):
        domains, size = np.arange(pool.domains), np.arange(pool.domain_size)
        index = np.tile(size, domains.size)
        # Rails divide the accelerators of a host, so the number in the host and in the domain agree modulo rails.
        drawing.add_boxes(ACCELERATOR, number, np.repeat(domains, size.size), index, index % fabric.rails)
    for number in range(len(design.pools)):
        _wire_domains(drawing, design, number, int(parts[number].start[0]))
    for copy in range(fabric.rails * fabric.planes):
        _wire_copy(drawing, design, parts, copy)
    columns = (np.concatenate(column).astype(np.int64) for column in zip(*drawing.boxes, strict=True))
    kind, owner, group, index, layer = columns
    lower, upper, links, rate, boundary = (
        np.concatenate(column).astype(np.int64) for column in zip(*drawing.bundles, strict=True)
    )
    names = tuple(pool.name for pool in design.pools)
    joins = tuple(pool.scale_up.kind for pool in design.pools)
    boxes, bundles = (kind, owner, group, index, layer), (lower, upper, links, rate, boundary)
    groups = fabric.spines_per_pod if len(fabric.stages) > 3 else 0
    flat, links_above = (fabric.shape, fabric.dims), links_up(fabric)
    return Wiring(names, *boxes, *bundles, joins, fabric.rails, fabric.planes, place, *flat, groups, links_above)


def _wire_domains(drawing: _Drawing, design: Design, number: int, start: int) -> None:
    """Join the accelerators of every domain of a pool, over planes of switches or directly."""
    pool = design.pools[number]
    up, size, domains = pool.scale_up, pool.domain_size, np.arange(pool.domains)
    if up.kind in ("mesh", "torus"):
        lower, upper, links = direct_links(pool)
        first = start + size * domains[:, None]
        below, above = (first + lower).ravel(), (first + upper).ravel()
        drawing.add_bundles(SCALE_UP, below, above, np.tile(links, domains.size), up.port_gbps)
        return
    # On every plane one switch for all, or with two stages one for every group.
    behind = size if up.upper is None else up.upper.group
    groups = np.arange(size // behind)
    shares = np.array(up.shares, np.int64)
    planes = np.arange(shares.size)
    layer = np.tile(np.repeat(planes, groups.size), domains.size)
    index = np.tile(groups, planes.size * domains.size) if up.kind == "clos" else layer
    first_plane = drawing.add_boxes(PLANE, number, np.repeat(domains, planes.size * groups.size), index, layer)
    accelerators = np.arange(size * domains.size)
    domain, place = np.divmod(accelerators, size)
    switch = (domain[:, None] * planes.size + planes[None, :]) * groups.size + (place // behind)[:, None]
    lower = np.repeat(start + accelerators, planes.size)
    drawing.add_bundles(SCALE_UP, lower, first_plane + switch.ravel(), np.tile(shares, accelerators.size), up.port_gbps)
    if up.upper is None:
        return
    tops = np.arange(up.upper.switches_per_plane)
    first_upper = drawing.add_boxes(
        UPPER,
        number,
        np.repeat(domains, planes.size * tops.size),
        np.tile(tops, planes.size * domains.size),
        np.tile(np.repeat(planes, tops.size), domains.size),
    )
    stands = np.arange(domains.size * planes.size * groups.size)
    lower = first_plane + np.repeat(stands, tops.size)
    upper = first_upper + ((stands // groups.size)[:, None] * tops.size + tops[None, :]).ravel()
    drawing.add_bundles(SCALE_UP_UPPER, lower, upper, up.upper.links_per_pair, up.port_gbps)


def _wire_copy(drawing: _Drawing, design: Design, parts: tuple[Parts, ...], copy: int) -> None:
    """Join the accelerators of a rail to the leaves of one copy, and the leaves over stages above them or directly."""
    fabric = design.fabric
    leaf = np.arange(leaf_count(design, parts))
    group = np.zeros_like(leaf)
    if fabric.shape != "tree":
        group = leaf // per_line(fabric)
    elif len(fabric.stages) > 2:
        group = leaf // fabric.leaves_per_pod
    first_leaf = drawing.count
    if one_switch(fabric):
        drawing.add_boxes(LEAF, -1 if len(design.pools) > 1 else 0, group, leaf, copy)
    else:
        for number, part in enumerate(parts):
            own = np.unique(part.leaf)
            drawing.add_boxes(LEAF, number, group[own], own, copy)
        idle = leaf[int(parts[-1].leaf[-1]) + 1 :]
        drawing.add_boxes(LEAF, -1, group[idle], idle, copy)
    for pool, part in zip(design.pools, parts, strict=True):
        rail = slice(copy // fabric.planes, None, fabric.rails)
        lower = int(part.start[0]) + np.arange(int(part.size.sum()))[rail]
        upper = first_leaf + np.repeat(part.leaf, part.size)[rail]
        drawing.add_bundles(NIC_LEAF, lower, upper, nics_per_accelerator(pool), pool.nic_leaf.rate_gbps)
    if fabric.shape == "tree":
        _wire_above(drawing, fabric, first_leaf + leaf, group, copy)
        return
    for line, (lower, upper, links) in enumerate(pairs_of_leaves(fabric)):
        drawing.add_bundles(LEAF_LEAF + line, first_leaf + lower, first_leaf + upper, links, fabric.uplink_gbps)


def _wire_above(drawing: _Drawing, fabric: Fabric, leaf: Ints, pod: Ints, copy: int) -> None:
    """Join leaves to their pod's spines, spines to the cores of their zone, cores to the tops."""
    stages, rate, links = len(fabric.stages), fabric.uplink_gbps, links_up(fabric)
    if stages == 1:
        return
    spines, pods = np.arange(fabric.spines_per_pod), int(pod[-1]) + 1
    first_spine = drawing.add_boxes(SPINE, -1, np.repeat(np.arange(pods), spines.size), np.tile(spines, pods), copy)
    lower = np.repeat(leaf, spines.size)
    upper = first_spine + (pod[:, None] * spines.size + spines[None, :]).ravel()
    drawing.add_bundles(LEAF_SPINE, lower, upper, np.tile(links[0], leaf.size), rate)
    if stages == 2:
        return
    # Core group i of a zone serves spine i of every pod there; with three stages all is one zone.
    zone = np.arange(pods) // fabric.pods_per_zone if stages > 3 else np.zeros(pods, np.int64)
    cores, zones = np.arange(fabric.cores_per_spine), int(zone[-1]) + 1
    groups = np.arange(zones * spines.size)
    first_core = drawing.add_boxes(CORE, -1, np.repeat(groups, cores.size), np.tile(cores, groups.size), copy)
    lower = first_spine + np.repeat(np.arange(pods * spines.size), cores.size)
    group = zone[:, None] * spines.size + spines[None, :]
    upper = first_core + (group.ravel()[:, None] * cores.size + cores[None, :]).ravel()
    drawing.add_bundles(SPINE_CORE, lower, upper, np.tile(links[1], pods * spines.size), rate)
    if stages == 3:
        return
    # Core j of every zone, counted over its groups, meets the same tops.
    sets, tops = spines.size * cores.size, np.arange(fabric.tops_per_core)
    first_top = drawing.add_boxes(TOP, -1, np.repeat(np.arange(sets), tops.size), np.tile(tops, sets), copy)
    every = np.arange(zones * sets)
    upper = first_top + ((every % sets)[:, None] * tops.size + tops[None, :]).ravel()
    lower = first_core + np.repeat(every, tops.size)
    drawing.add_bundles(CORE_TOP, lower, upper, np.tile(links[2], every.size), rate)
