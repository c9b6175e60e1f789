"""One copy of a scale-out fabric as a network, from the numbers of a design alone (docs/rules.md 7 and 7.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from designer.design.types import Design, Fabric, PoolDesign
from designer.network.graph import NOWHERE, Bundle, Ints, Kind, Network
from designer.problems import InputError, Problem

STAGES = ("leaf", "spine", "core", "top")


@dataclass(frozen=True, eq=False)
class Seats:
    """Where the accelerators of one pool stand in a copy.

    Parameters
    ----------
    pool
        Place of the pool in the design.
    first
        Its first endpoint in a copy; endpoints are the accelerators of one rail, domain after domain.
    slices, size
        Leaves that share a domain, and endpoints of one of its slices.
    leaf
        (parts,): leaf below which each slice of each domain stands.
    """

    pool: int
    first: int
    slices: int
    size: int
    leaf: Ints


@dataclass(frozen=True, eq=False)
class Copy:
    """One copy, its pools, and the shape of its rows.

    Parameters
    ----------
    fabric
        The fabric of the design.
    network
        Endpoints, leaves, spines, cores, tops; rows of a boundary in the order of ``shapes``.
    seats
        The pools on it.
    demand
        (leaves,): Gb/s that the endpoints of each leaf bring out of it in this copy, one direction.
    pod, zone
        (leaves,), (pods,): pod of each leaf, zone of each pod.
    rows, shapes
        Place of the first row of each boundary above the leaves, and (leaves, spines of a pod), (pods, spines, cores
        of a spine), (zones, spines, cores, tops of a core): what its rows are in order.
    """

    fabric: Fabric
    network: Network
    seats: tuple[Seats, ...]
    demand: np.ndarray
    pod: Ints
    zone: Ints
    rows: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def leaves(self) -> range:
        """Numbers of the leaves in the network."""
        return self.network.kind_range("leaf")


def nics_of(pool: PoolDesign) -> int:
    """NICs of every accelerator."""
    return pool.nics // pool.accelerators


def sent_gbps(pool: PoolDesign) -> float:
    """Gb/s of one accelerator through all its NICs."""
    plan = pool.plan
    return min(plan.nic_gbps, plan.scale_out_ep_need_gbps + plan.scale_out_other_need_gbps)


def copy_of(design: Design, number: int) -> Copy:
    """Build one copy of a fabric of a design.

    Raises
    ------
    InputError
        When its numbers cannot be wired.
    """
    fabric = design.fabrics[number]
    pools = [(place, pool) for place, pool in enumerate(design.pools) if pool.fabric == number]
    wrong = _unwirable(fabric, [pool for _, pool in pools])
    if wrong:
        raise InputError([Problem("design", f"fabric {number}", wrong, "numbers that can be wired")])
    seats, leaves = _seats(fabric, pools)
    demand = np.zeros(leaves)
    for seat in seats:
        pool = design.pools[seat.pool]
        np.add.at(demand, seat.leaf, seat.size * pool.attachment.need_gbps / fabric.planes)
    ends = sum(len(seat.leaf) * seat.size for seat in seats)
    rates: list[int] = sorted({design.pools[seat.pool].nic_leaf.rate_gbps for seat in seats})
    bundles = [Bundle(f"nic_leaf.{rate}" if len(rates) > 1 else "nic_leaf", float(rate)) for rate in rates]
    below = [np.arange(seat.first, seat.first + len(seat.leaf) * seat.size) for seat in seats]
    above = [ends + np.repeat(seat.leaf, seat.size) for seat in seats]
    each = [np.full(len(at), nics_of(design.pools[seat.pool])) for seat, at in zip(seats, below, strict=True)]
    kind_of = [
        np.full(len(at), rates.index(design.pools[s.pool].nic_leaf.rate_gbps))
        for s, at in zip(seats, below, strict=True)
    ]
    drawing = _Drawing(bundles, [(np.concatenate(x) for x in (below, above, each, kind_of))])  # type: ignore[list-item]
    pod, zone = np.zeros(leaves, np.int64), np.zeros(1, np.int64)
    kinds: tuple[Kind, ...] = (Kind("endpoint", ends), Kind("leaf", leaves))
    rows: tuple[int, ...] = ()
    shapes: tuple[tuple[int, ...], ...] = ()
    if fabric.shape != "tree":
        block = _flat(drawing, fabric, ends, leaves)
        above_leaf: Ints = np.zeros(0, np.int64)
    else:
        pod, zone, kinds, rows, shapes = _tree(drawing, fabric, ends, leaves)
        block = pod if len(fabric.stages) > 2 else np.arange(leaves)
        above_leaf = np.full(sum(of.count for of in kinds[2:]), NOWHERE)
        if len(fabric.stages) > 2:
            above_leaf[: kinds[2].count] = np.arange(kinds[2].count) // fabric.spines_per_pod
    blocks = np.concatenate([*(block[np.repeat(seat.leaf, seat.size)] for seat in seats), block, above_leaf])
    lower, upper, links, bundle = (np.concatenate(x).astype(np.int64) for x in zip(*drawing.rows, strict=True))
    network = Network(kinds, tuple(drawing.bundles), lower, upper, links, bundle, blocks.astype(np.int64))
    return Copy(fabric, network, seats, demand, pod, zone, rows, shapes)


@dataclass
class _Drawing:
    bundles: list[Bundle]
    rows: list[tuple[Ints, Ints, Ints, Ints]]

    def join(self, name: str, gbps: float, lower: Ints, upper: Ints, links: int | Ints) -> None:
        count = len(lower)
        self.rows.append((lower, upper, np.broadcast_to(links, count), np.full(count, len(self.bundles))))
        self.bundles.append(Bundle(name, float(gbps)))


def _seats(fabric: Fabric, pools: Sequence[tuple[int, PoolDesign]]) -> tuple[tuple[Seats, ...], int]:
    seats, first, leaves = [], 0, 0
    for place, pool in pools:
        slices = 1 if len(fabric.stages) == 1 and fabric.shape == "tree" else pool.attachment.leaves_per_domain
        part = np.arange(pool.domains * slices)
        if fabric.shape == "tree" and len(fabric.stages) == 1:
            leaf = np.zeros(len(part), np.int64)
        else:
            leaf = leaves + (part if slices > 1 else part // pool.attachment.domains_per_leaf)
            leaves = int(leaf[-1]) + 1
        size = pool.domain_size // slices // fabric.rails
        seats.append(Seats(place, first, slices, size, leaf))
        first += size * len(part)
    if fabric.shape != "tree":
        leaves = fabric.leaves_per_pod
    return tuple(seats), max(leaves, 1)


def _tree(
    drawing: _Drawing, fabric: Fabric, ends: int, leaves: int
) -> tuple[Ints, Ints, tuple[Kind, ...], tuple[int, ...], tuple[tuple[int, ...], ...]]:
    stages, gbps = len(fabric.stages), fabric.uplink_gbps
    kinds = [Kind("endpoint", ends), Kind("leaf", leaves)]
    pod = np.arange(leaves) // fabric.leaves_per_pod if stages > 2 else np.zeros(leaves, np.int64)
    pods = int(pod[-1]) + 1
    zone = np.arange(pods) // fabric.pods_per_zone if stages > 3 else np.zeros(pods, np.int64)
    zones, at = int(zone[-1]) + 1, ends + leaves
    rows: list[int] = []
    shapes: list[tuple[int, ...]] = []
    placed = ends
    n_s, c_g, t_g = fabric.spines_per_pod, fabric.cores_per_spine, fabric.tops_per_core
    first = [at, at + pods * n_s, at + pods * n_s + zones * n_s * c_g]
    if stages > 1:
        unit, spine = np.ogrid[:leaves, :n_s]
        upper = first[0] + pod[unit] * n_s + spine
        _row(drawing, "leaf_spine", gbps, ends + unit, upper, _links(fabric, 0, fabric.links_per_leaf_spine, n_s))
        kinds.append(Kind("spine", pods * n_s))
        shapes.append((leaves, n_s))
    if stages > 2:
        unit, spine, core = np.ogrid[:pods, :n_s, :c_g]
        upper = first[1] + (zone[unit] * n_s + spine) * c_g + core
        links = _links(fabric, 1, fabric.links_per_spine_core, c_g)
        _row(drawing, "spine_core", gbps, first[0] + unit * n_s + spine, upper, links)
        kinds.append(Kind("core", zones * n_s * c_g))
        shapes.append((pods, n_s, c_g))
    if stages > 3:
        unit, core, top = np.ogrid[:zones, : n_s * c_g, :t_g]
        upper = first[2] + core * t_g + top
        links = _links(fabric, 2, fabric.links_per_core_top, t_g)
        _row(drawing, "core_top", gbps, first[1] + unit * n_s * c_g + core, upper, links)
        kinds.append(Kind("top", n_s * c_g * t_g))
        shapes.append((zones, n_s, c_g, t_g))
    for shape in shapes:
        rows.append(placed)
        placed += math.prod(shape)
    return pod, zone, tuple(kinds), tuple(rows), tuple(shapes)


def _links(fabric: Fabric, level: int, each: int, boxes: int) -> Ints:
    """Links to each of the boxes above one: the last ones lack one where its ports up say so."""
    found = np.full(boxes, each)
    found[fabric.stages[level].up_ports - (each - 1) * boxes :] -= 1
    return found


def _unstriped(fabric: Fabric) -> str:
    """Name the first stage whose ports up are no links to the boxes above it (docs/rules.md, "Striping")."""
    pairs = (
        (fabric.links_per_leaf_spine, fabric.spines_per_pod),
        (fabric.links_per_spine_core, fabric.cores_per_spine),
        (fabric.links_per_core_top, fabric.tops_per_core),
    )
    highest = len(fabric.stages) - 2
    for level, (stage, (each, boxes)) in enumerate(zip(fabric.stages[:-1], pairs, strict=False)):
        lacking = each * boxes - stage.up_ports
        # With a whole box's links less, or one less to each, fewer boxes or links would be stated.
        if lacking and not (level == highest and 0 < lacking < min(each, boxes)):
            return f"{stage.name}: {stage.up_ports} ports up for {each} links to each of {boxes} boxes"
    return ""


def _row(drawing: _Drawing, name: str, gbps: float, lower: Ints, upper: Ints, links: Ints) -> None:
    """Join boxes; the last axis goes over those above one."""
    below, above, each = np.broadcast_arrays(lower, upper, links)
    drawing.join(name, gbps, below.ravel(), above.ravel(), each.ravel())


def _flat(drawing: _Drawing, fabric: Fabric, ends: int, leaves: int) -> Ints:
    """Join leaves to each other; return their groups for the floor."""
    gbps, place = fabric.uplink_gbps, np.arange(leaves)
    low, high = (of.astype(np.int64) for of in np.triu_indices(leaves, 1))
    if fabric.shape == "mesh":
        drawing.join("leaf_leaf", gbps, ends + low, ends + high, fabric.links_per_pair[0])
        return place
    # Hyperx (a1, a2), dragonfly (a, G): in both, leaves with the same quotient share the first boundary's lines.
    along = fabric.dims[0]
    own, other = place % along, place // along
    near = other[low] == other[high]
    drawing.join("leaf_leaf", gbps, ends + low[near], ends + high[near], fabric.links_per_pair[0])
    if fabric.shape == "hyperx":
        far = own[low] == own[high]
        drawing.join("group_group", gbps, ends + low[far], ends + high[far], fabric.links_per_pair[1])
        return other
    lower, upper = _between_groups(along, fabric.dims[1], fabric.links_per_pair[1])
    pairs, links = np.unique(np.stack([lower, upper], 1), axis=0, return_counts=True)
    drawing.join("group_group", gbps, ends + pairs[:, 0], ends + pairs[:, 1], links)
    return other


def _between_groups(a: int, groups: int, each: int) -> tuple[Ints, Ints]:
    """Leaves at both ends of every link between groups: a group's links, in the order of the groups after it, are
    dealt to its leaves in turn, ``each * (groups - 1) / a`` to every leaf."""
    of_leaf = each * (groups - 1) // a
    one, after, link = (of.ravel() for of in np.mgrid[:groups, 1:groups, :each])
    two = (one + after) % groups
    near = one * a + ((after - 1) * each + link) // of_leaf
    far = two * a + ((groups - after - 1) * each + link) // of_leaf
    once = one < two
    return near[once], far[once]


def _unwirable(fabric: Fabric, pools: Sequence[PoolDesign]) -> str:
    """Name the first number that cannot be wired; empty when all can."""
    if not pools:
        return "no pools"
    stages = tuple(stage.name for stage in fabric.stages)
    if stages != STAGES[: len(stages)] or not stages or (fabric.shape != "tree" and len(stages) > 1):
        return f"stages {', '.join(stages) or 'none'}"
    needed = {"rails": fabric.rails, "planes": fabric.planes}
    if fabric.shape != "tree":
        needed |= {"leaves_per_pod": fabric.leaves_per_pod, "uplink_gbps": fabric.uplink_gbps}
        needed |= {f"links_per_pair[{at}]": links for at, links in enumerate(fabric.links_per_pair)}
        if math.prod(fabric.dims) != fabric.leaves_per_pod:
            return f"dims {fabric.dims} for {fabric.leaves_per_pod} leaves"
    for name in (
        ("uplink_gbps", "links_per_leaf_spine", "spines_per_pod"),
        ("leaves_per_pod", "links_per_spine_core", "cores_per_spine"),
        ("pods_per_zone", "links_per_core_top", "tops_per_core"),
    )[: len(stages) - 1]:
        needed |= {key: getattr(fabric, key) for key in name}
    for pool in pools:
        needed |= {f"{pool.name}: domains": pool.domains, f"{pool.name}: nics": nics_of(pool)}
        if pool.domain_size % (pool.attachment.leaves_per_domain * max(fabric.rails, 1)):
            return f"{pool.name}: a domain of {pool.domain_size} over leaves and rails"
    return next((f"{name} = {value}" for name, value in needed.items() if value < 1), "") or _unstriped(fabric)
