"""All-to-all by closed form: capacity over leaving traffic at every tier, the least of them decides.

In a folded Clos whose boxes share their links evenly over the next stage, traffic sprayed evenly over all paths loads
every link of a group alike, so the cut round the group is reached: the least margin over all groups of all tiers *is*
the maximum concurrent flow, not only a bound on it (``docs/flow_check.md`` has the argument and its limits;
:mod:`designer.fabric.concurrent` confirms it). Inside the domains: :mod:`designer.fabric.domain_tiers`.

With rails and planes every copy of the fabric carries an equal share, so the thinnest copy decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from designer.fabric.domain_tiers import domain_tiers
from designer.fabric.tier import Tier, Uplinks, told, uplinks
from designer.fabric.traffic import PoolTraffic
from designer.fabric.wiring import CORE, LEAF, LEAF_SPINE, NIC_LEAF, SPINE, SPINE_CORE, Wiring


def tiers_of(wiring: Wiring, rows: tuple[PoolTraffic, ...]) -> list[Tier]:
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
    if np.any(wiring.kind == CORE):
        tiers.append(_tightest(_pods(wiring, rows, spine_up)))
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
            even, fluid = int(leaf_up.even[leaf]), int(leaf_up.fluid[leaf])
            yield Tier("leaf_spine", row.pool.name, wiring.name(leaf), demand, demand, even, fluid, cut)

    return _tightest(candidates())


def _pods(wiring: Wiring, rows: tuple[PoolTraffic, ...], spine_up: Uplinks) -> Iterator[Tier]:
    """Traffic of all pools that leaves each pod of a copy against the core uplinks of its spines."""
    copies = wiring.rails * wiring.planes
    demands: dict[int, Fraction] = {}
    for row in rows:
        for pod, gbps in row.leaving(row.parts.pod):
            demands[pod] = demands.get(pod, Fraction(0)) + gbps / copies
    everywhere = np.flatnonzero(wiring.kind == SPINE)
    for copy in range(copies):
        name = wiring.copy_name(copy)
        prefix = f"{name}/" if name else ""
        own = everywhere[wiring.layer[everywhere] == copy]
        for pod, demand in sorted(demands.items()):
            spines = own[wiring.group[own] == pod]
            even = int(spine_up.even[spines].min()) * spines.size
            links, rate = int(spine_up.links[spines].sum()), int(spine_up.rate[spines].max())
            cut = f"core uplinks of {prefix}pod {pod} ({links} links of {rate} Gb/s on {spines.size} spines)"
            fluid = int(spine_up.fluid[spines].sum())
            yield Tier("spine_core", None, f"{prefix}pod {pod}", demand, demand, even, fluid, cut)


def _tightest(tiers: Iterator[Tier]) -> Tier:
    """Tier of the smallest margin; one without demand only when none has any."""
    every = list(tiers)
    return min(every, key=lambda tier: (tier.margin is None, tier.margin or Fraction(0)))
