"""All-to-all by closed form: capacity over leaving traffic at every tier, the least of them decides.

In a folded Clos whose boxes share their links evenly over the next stage, or all in the same uneven way at the highest
boundary, traffic sprayed over all paths in proportion to links loads every link of a group alike, so the cut round the
group is reached: the least margin over all groups of all tiers *is* the maximum concurrent flow, not only a bound on
it (``docs/flow_check.md`` has the argument and its limits; :mod:`designer.fabric.concurrent` confirms it). Inside the
domains: :mod:`designer.fabric.domain_tiers`.

Leaves joined directly have no such tiers: :mod:`designer.fabric.flat_tiers`.

With rails and planes every copy of the fabric carries an equal share, so the thinnest copy decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from designer.design.types import BoundaryName
from designer.fabric.copies import Copy
from designer.fabric.domain_tiers import domain_tiers
from designer.fabric.flat_tiers import flat_tiers
from designer.fabric.placement import Ints
from designer.fabric.tier import Tier, Uplinks, told, uplinks
from designer.fabric.traffic import PoolTraffic
from designer.fabric.wiring import CORE, CORE_TOP, LEAF, LEAF_SPINE, NIC_LEAF, SPINE, SPINE_CORE, TOP, Wiring


def tiers_of(wiring: Wiring, rows: tuple[PoolTraffic, ...], copies: tuple[Copy, ...]) -> list[Tier]:
    """Find the most loaded group of every boundary of every pool."""
    nic = _nic_ports(wiring)
    leaf_up, spine_up = uplinks(wiring, LEAF_SPINE), uplinks(wiring, SPINE_CORE)
    tiers: list[Tier] = []
    for row, inner in zip(rows, domain_tiers(wiring, rows), strict=True):
        name = row.pool.name
        tiers += inner
        box = row.accelerators.start + int(np.argmin(nic.even[row.accelerators.start : row.accelerators.stop]))
        cut = f"NIC links of {wiring.name(box)} ({told(nic, box)})"
        even, fluid = int(nic.even[box]), int(nic.fluid[box])
        tiers.append(Tier("nic_leaf", name, wiring.name(box), row.nic, row.asked, even, fluid, cut))
        if np.any(wiring.kind == SPINE):
            tiers.append(_leaf(wiring, row, leaf_up))
        if wiring.shape != "tree":
            tiers += flat_tiers(copies, row, wiring.rails * wiring.planes)
    if np.any(wiring.kind == CORE):
        tiers.append(_tightest(_pods(wiring, rows, spine_up)))
    if np.any(wiring.kind == TOP):
        tiers.append(_tightest(_zones(wiring, rows, uplinks(wiring, CORE_TOP))))
    return tiers


def _nic_ports(wiring: Wiring) -> Uplinks:
    """Links of every accelerator to the leaves of its rail; planes are used evenly, so the thinnest counts for all."""
    bundles = wiring.bundles(NIC_LEAF)
    rail, plane = np.divmod(wiring.layer[wiring.upper[bundles]], wiring.planes)
    own = rail == wiring.layer[wiring.lower[bundles]]
    each = [uplinks(wiring, NIC_LEAF, bundles[own & (plane == number)]) for number in range(wiring.planes)]
    return Uplinks(
        np.sum([ports.links for ports in each], axis=0),
        wiring.planes * np.min([ports.fluid for ports in each], axis=0),
        wiring.planes * np.min([ports.even for ports in each], axis=0),
        np.max([ports.rate for ports in each], axis=0),
    )


def _leaf(wiring: Wiring, row: PoolTraffic, leaf_up: Uplinks) -> Tier:
    """Uplinks of the leaf, of any copy, that is loaded most."""
    copies = wiring.rails * wiring.planes
    boxes = np.flatnonzero(wiring.kind == LEAF).reshape(copies, -1)
    alike: dict[Fraction, list[int]] = {}
    for leaf, demand in row.leaving(row.parts.leaf):
        alike.setdefault(demand / copies, []).append(leaf)

    def candidates() -> Iterator[Tier]:
        # Many leaves, few different demands: the thinnest of each is enough.
        for demand, leaves in alike.items():
            mine = boxes[:, leaves].ravel()
            leaf = int(mine[np.argmin(leaf_up.even[mine])])
            cut = f"uplinks of {wiring.name(leaf)} ({told(leaf_up, leaf)})"
            even, fluid = leaf_up.striped(leaf), int(leaf_up.fluid[leaf])
            yield Tier("leaf_spine", row.pool.name, wiring.name(leaf), demand, demand, even, fluid, cut)

    return _tightest(candidates())


def _pods(wiring: Wiring, rows: tuple[PoolTraffic, ...], spine_up: Uplinks) -> Iterator[Tier]:
    """Traffic of all pools that leaves each pod of a copy against the core uplinks of its spines."""
    demands = _leaving(rows, [row.parts.pod for row in rows], wiring.rails * wiring.planes)
    for prefix, own in _of_every_copy(wiring, SPINE):
        for pod, demand in sorted(demands.items()):
            spines = own[wiring.group[own] == pod]
            place = f"{prefix}pod {pod}"
            yield _shared("spine_core", place, demand, spine_up, spines, f"core uplinks of {place}", "spines")


def _zones(wiring: Wiring, rows: tuple[PoolTraffic, ...], core_up: Uplinks) -> Iterator[Tier]:
    """Traffic of all pools that leaves each zone of a copy against the uplinks of its cores."""
    demands = _leaving(rows, [row.parts.zone for row in rows], wiring.rails * wiring.planes)
    for prefix, own in _of_every_copy(wiring, CORE):
        for zone, demand in sorted(demands.items()):
            cores = own[wiring.group[own] // wiring.zone_groups == zone]
            place = f"{prefix}zone {zone}"
            yield _shared("core_top", place, demand, core_up, cores, f"top uplinks of {place}", "cores")


def _leaving(rows: tuple[PoolTraffic, ...], groups: list[Ints], copies: int) -> dict[int, Fraction]:
    """Gb/s of all pools out of every group of a copy."""
    demands: dict[int, Fraction] = {}
    for row, group in zip(rows, groups, strict=True):
        for number, gbps in row.leaving(group):
            demands[number] = demands.get(number, Fraction(0)) + gbps / copies
    return demands


def _of_every_copy(wiring: Wiring, kind: int) -> Iterator[tuple[str, Ints]]:
    """Yield what names of a copy begin with, and its boxes of a kind."""
    everywhere = np.flatnonzero(wiring.kind == kind)
    for copy in range(wiring.rails * wiring.planes):
        name = wiring.copy_name(copy)
        yield f"{name}/" if name else "", everywhere[wiring.layer[everywhere] == copy]


def _shared(
    boundary: BoundaryName, place: str, demand: Fraction, up: Uplinks, boxes: Ints, whose: str, what: str
) -> Tier:
    """Links up from the boxes that a group shares; each gets as much, so the thinnest limits all."""
    thinnest = int(boxes[np.argmin(up.even[boxes])])
    even, fluid = up.striped(thinnest) * boxes.size, int(up.fluid[boxes].sum())
    links, rate = int(up.links[boxes].sum()), int(up.rate[boxes].max())
    cut = f"{whose} ({links} links of {rate} Gb/s on {boxes.size} {what})"
    return Tier(boundary, None, place, demand, demand, even, fluid, cut)


def _tightest(tiers: Iterator[Tier]) -> Tier:
    """Tier of the smallest margin; one without demand only when none has any."""
    every = list(tiers)
    return min(every, key=lambda tier: (tier.margin is None, tier.margin or Fraction(0)))
