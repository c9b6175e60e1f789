"""All-to-all inside a domain by closed form, for every way in which accelerators are joined.

Every accelerator sends ``PoolTraffic.scale_up`` evenly to the others of its domain and ``forwarded`` evenly to those of
other rails:

* planes of switches: any traffic fits that the ports of each accelerator carry (one box per plane joins all); with
  spare planes those that are left when the ``y`` planes on which it has most are out;
* two stages: as well, and what leaves a group of ``g`` must fit through its uplinks;
* mesh: every pair over its own links. A path to another rail crosses at least one link between rails, so where those
  carry the most no detour helps;
* torus: shortest paths, both ways round a side evenly where they are equally long. Where rails look alike from every
  place (:func:`~designer.fabric.straight.rails_look_alike`) every link along a side carries half the distance that an
  accelerator's traffic has along it. Each path crosses at least that many links of the side, so no routing does better.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from designer.fabric.placement import Ints
from designer.fabric.straight import direct_links, mean_distance, rails_look_alike, side_of
from designer.fabric.tier import Tier, Uplinks, told, uplinks
from designer.fabric.traffic import PoolTraffic
from designer.fabric.wiring import PLANE, SCALE_UP, SCALE_UP_UPPER, Wiring


def domain_tiers(wiring: Wiring, rows: tuple[PoolTraffic, ...]) -> Iterator[list[Tier]]:
    """Yield for every pool the most loaded accelerator, link or group of its domains, by boundary."""
    ports, above = uplinks(wiring, SCALE_UP), uplinks(wiring, SCALE_UP_UPPER)
    for number, row in enumerate(rows):
        kind = wiring.joins[number]
        if kind == "mesh" and row.size == 1:
            # An accelerator alone has no link to anybody: nothing fits inside its domain.
            name = wiring.name(row.accelerators.start)
            cut = f"{name} stands alone"
            yield [Tier("scale_up", row.pool.name, name, row.inside, row.inside, 0, 0, cut)] if row.inside else []
        elif kind == "mesh":
            yield [_mesh(wiring, row, number)]
        elif kind == "torus":
            yield [_torus(wiring, row, number)]
        elif kind == "clos":
            yield [_ports(wiring, row, ports), _groups(wiring, row, number, above)]
        else:
            spare = row.pool.scale_up.spare_planes
            yield [_ports(wiring, row, _planes_out(wiring, row, ports, spare) if spare else ports)]


def _planes_out(wiring: Wiring, row: PoolTraffic, ports: Uplinks, spare: int) -> Uplinks:
    """Ports of a pool's accelerators that are left with any ``spare`` planes out: the thickest, so the worst."""
    bundles = wiring.bundles(SCALE_UP)
    lower = wiring.lower[bundles]
    bundles = bundles[(lower >= row.accelerators.start) & (lower < row.accelerators.stop)]
    bundles = bundles[np.lexsort((-wiring.capacity[bundles], wiring.lower[bundles]))]
    lower = wiring.lower[bundles]
    first = np.searchsorted(lower, lower)
    left = uplinks(wiring, SCALE_UP, bundles[np.arange(lower.size) - first >= spare])
    return Uplinks(ports.links, left.fluid, left.even, ports.rate)


def _ports(wiring: Wiring, row: PoolTraffic, ports: Uplinks) -> Tier:
    """Ports of the accelerator with the least capacity (all of a pool send the same)."""
    box = row.accelerators.start + int(np.argmin(ports.even[row.accelerators.start : row.accelerators.stop]))
    even, fluid = int(ports.even[box]), int(ports.fluid[box])
    used = f", {even} of {fluid} Gb/s usable with even striping" if even < fluid else ""
    planes = len(row.pool.scale_up.shares)
    over = "1 plane" if planes == 1 else f"{planes} planes"
    if row.pool.scale_up.spare_planes:
        over += f", any {row.pool.scale_up.spare_planes} of them out"
    cut = f"scale-up ports of {wiring.name(box)} ({told(ports, box)} over {over}{used})"
    return Tier("scale_up", row.pool.name, wiring.name(box), row.inside, row.inside, even, fluid, cut)


def _groups(wiring: Wiring, row: PoolTraffic, number: int, above: Uplinks) -> Tier:
    """Uplinks of a group over all its planes; traffic is spread evenly over the planes."""
    upper, size = row.pool.scale_up.upper, row.size
    assert upper is not None
    planes, groups = len(row.pool.scale_up.shares), size // upper.group
    boxes = np.flatnonzero((wiring.kind == PLANE) & (wiring.pool == number)).reshape(-1, planes, groups)
    even, fluid = planes * above.even[boxes].min(axis=1), above.fluid[boxes].sum(axis=1)
    domain, group = (int(at) for at in np.unravel_index(int(np.argmin(even)), even.shape))
    # Whole hosts, so all rails, stand in a group: of other rails as many are elsewhere as of all accelerators.
    away = row.scale_up / (size - 1) + row.forwarded / size
    demand = upper.group * (size - upper.group) * away
    links, rate = int(above.links[boxes][domain, :, group].sum()), int(above.rate[boxes][domain, :, group].max())
    place = f"{row.pool.name}/d{domain}/group{group}"
    over = "1 plane" if planes == 1 else f"{planes} planes"
    cut = f"uplinks of {place} ({links} links of {rate} Gb/s over {over})"
    least = int(even[domain, group]), int(fluid[domain, group])
    return Tier("scale_up_upper", row.pool.name, place, demand, demand, *least, cut)


def _mesh(wiring: Wiring, row: PoolTraffic, number: int) -> Tier:
    """Links of the pair that carries the least of what it should."""
    size, first = row.size, row.accelerators.start
    lower, upper, _ = direct_links(row.pool)
    capacity = _built(wiring, row, number, lower, upper)
    fluid: int | Fraction = _port_sums(wiring, row, number)
    same_rail = wiring.layer[first + lower] == wiring.layer[first + upper]
    worst: tuple[Fraction, int, int] | None = None
    for crossing in (True, False):
        pairs = np.flatnonzero(same_rail != crossing)
        if not pairs.size:
            continue
        load = row.to_each(crossing=crossing)
        thinnest = capacity[:, pairs]
        domain, at = (int(place) for place in np.unravel_index(int(thinnest.argmin()), thinnest.shape))
        gbps = int(capacity[domain, pairs[at]])
        # As much per accelerator as if every pair were as thin and as loaded as this one.
        even = gbps * row.inside / load if load else Fraction(gbps * (size - 1))
        if worst is None or even < worst[0]:
            worst = even, domain, int(pairs[at])
        if crossing and row.inside:
            total = int(thinnest.sum(axis=1).min())
            fluid = min(fluid, 2 * total * row.inside / (load * size * row.others))
    assert worst is not None
    even, domain, pair = worst
    ends = [wiring.name(first + domain * size + int(end[pair])) for end in (lower, upper)]
    gbps = int(capacity[domain, pair])
    cut = f"direct links of {ends[0]} to {ends[1]} ({gbps} Gb/s), one of {size - 1} that it has"
    return Tier("scale_up", row.pool.name, ends[0], row.inside, row.inside, even, fluid, cut)


def _torus(wiring: Wiring, row: PoolTraffic, number: int) -> Tier:
    """Links along the side that is loaded most."""
    size, dims = row.size, row.pool.scale_up.dims
    lower, upper, links = direct_links(row.pool)
    side = side_of(dims, lower, upper)
    capacity = _built(wiring, row, number, lower, upper)
    found: list[tuple[Fraction, Fraction, int, int]] = []
    for along in range(len(dims)):
        mine = np.flatnonzero(side == along)
        if not mine.size:
            continue
        # The thinnest link of the side limits it: shortest paths have no way round it.
        each = capacity[:, mine] // links[mine]
        domain = int(np.argmin(each.min(axis=1)))
        # Hops along the side for each Gb/s that an accelerator sends; a link has two directions, a place two links.
        hops = mean_distance(dims[along]) * size / (size - 1)
        if row.inside:
            rails_apart = _distance_to_other_rails(wiring, row, along) if row.forwarded else Fraction(0)
            hops = (row.scale_up * hops + row.forwarded * rails_apart) / row.inside
        even = Fraction(2 * int(each[domain].min())) / hops
        fluid = Fraction(2 * int(capacity[:, mine].sum(axis=1).min()), size) / hops
        found.append((even, fluid, along, domain))
    even, _, along, domain = min(found)
    fluid = min(row_[1] for row_ in found)
    each = capacity[domain, np.flatnonzero(side == along)] // links[side == along]
    count = int(links[side == along].sum())
    place = f"{row.pool.name}/d{domain}"
    sides = "x".join(str(length) for length in dims)
    cut = (
        f"links of {place} along the side of {dims[along]} of its {sides} torus ({count} links, the slowest of "
        f"{int(each.min())} Gb/s, {float(mean_distance(dims[along])):.3g} hops on average)"
    )
    return Tier("scale_up", row.pool.name, place, row.inside, row.inside, even, fluid, cut)


def _distance_to_other_rails(wiring: Wiring, row: PoolTraffic, along: int) -> Fraction:
    """Mean hops along a side to the accelerators of other rails.

    The same from every place where rails look alike from everywhere; else the bound of going to all.
    """
    size, dims = row.size, row.pool.scale_up.dims
    if not rails_look_alike(dims, row.rails):
        return mean_distance(dims[along]) * size / row.others
    rail = wiring.layer[row.accelerators.start : row.accelerators.start + size]
    place = np.unravel_index(np.arange(size), dims)[along]
    hops = np.minimum(place, dims[along] - place)
    return Fraction(int(hops[rail != rail[0]].sum()), row.others)


def _built(wiring: Wiring, row: PoolTraffic, number: int, lower: Ints, upper: Ints) -> Ints:
    """Gb/s of the designed pairs of accelerators in every domain, 0 where there are no links."""
    size, first = row.size, row.accelerators.start
    bundles = wiring.bundles(SCALE_UP)
    bundles = bundles[wiring.pool[wiring.lower[bundles]] == number]
    keys = wiring.lower[bundles] * wiring.boxes + wiring.upper[bundles]
    order = np.argsort(keys)
    keys, have = keys[order], wiring.capacity[bundles][order]
    starts = first + size * np.arange(len(row.accelerators) // size)[:, None]
    wanted = (starts + lower) * wiring.boxes + starts + upper
    if not keys.size:
        return np.zeros(wanted.shape, np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return np.where(keys[at] == wanted, have[at], 0)


def _port_sums(wiring: Wiring, row: PoolTraffic, number: int) -> int:
    """Gb/s of all direct links of the accelerator that has the least."""
    bundles = wiring.bundles(SCALE_UP)
    total = np.zeros(wiring.boxes, np.int64)
    for end in (wiring.lower, wiring.upper):
        np.add.at(total, end[bundles], wiring.capacity[bundles])
    return int(total[row.accelerators.start : row.accelerators.stop].min())
