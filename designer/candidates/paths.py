"""Latency of the longest way through the fabric, up and down again (``docs/rules.md`` section 6.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

from designer.candidates.cables import LinkPair
from designer.candidates.offer import Offer
from designer.candidates.parts import Economy, SwitchPart
from designer.candidates.terms import Floats

NS_PER_M = 5.0
"""Light in fibre, n = 1.47."""

# Boundaries of trees, upwards, and those that lead to another part of the building.
_TREE = ("nic_leaf", "leaf_spine", "spine_core", "core_top")
_BUILDING = ("spine_core", "core_top")

# Sums of decimal figures: what lies nearer than this is the same.
SAME_NS = 1e-6

Metres = TypeVar("Metres", float, Floats)


def ends_ns(pair: LinkPair, length_m: Metres) -> Metres:
    """Nanoseconds of a boundary that is crossed twice: the ends of both rows and the way between them."""
    return 2 * (_known(pair.lower.latency_ns) + _known(pair.upper.latency_ns) + NS_PER_M * length_m)


def switches_ns(switches: Sequence[SwitchPart]) -> float:
    """Nanoseconds in the switches, leaf first: the top stage once, those below twice.

    Examples
    --------
    >>> switches_ns([])
    0.0
    """
    every = [_known(switch.latency_ns) for switch in switches]
    return float(2 * sum(every[:-1]) + sum(every[-1:]))


def length_of(boundary: str, economy: Economy) -> float:
    """Metres between two switches of the scale-out fabric (``docs/rules.md`` section 4)."""
    return economy.forced_m.get(boundary, economy.lengths_m["building" if boundary in _BUILDING else "hall"])


def shortest_ns(offer: Offer) -> float:
    """Latency that no fabric of the parts on offer stays below, infinite where there is none.

    Of every stage the quickest switch, of every boundary the quickest ends and the least length.
    """
    economy = offer.economy
    near = economy.forced_m.get("nic_leaf", economy.lengths_m["adjacent_rack"])
    levels = (offer.leaves, offer.spines, offer.cores, offer.tops)

    def crossed(boundary: str, switches: Sequence[SwitchPart]) -> float:
        rows = [*offer.links_at(boundary), *(s.cpo_link for s in switches if s.cpo_link is not None)]
        ends = min((_known(row.latency_ns) for row in rows), default=math.inf)
        return 2 * ends + NS_PER_M * (near if boundary == "nic_leaf" else length_of(boundary, economy))

    total = math.inf
    for stages in offer.stages:
        used = levels[:stages]
        if not all(used):
            continue
        quickest = [min(_known(switch.latency_ns) for switch in level) for level in used]
        every = [switch for level in used for switch in level]
        path = 2 * sum(quickest[:-1]) + quickest[-1]
        total = min(total, path + 2 * sum(crossed(boundary, every) for boundary in _TREE[:stages]))
    if offer.leaves and any(kind != "tree" for kind in offer.shapes):
        # No way is shorter than that between two leaves that are joined: a line of a grid is passed twice.
        quickest = [min(_known(switch.latency_ns) for switch in offer.leaves)]
        ways = [2 * quickest[0] + crossed("leaf_leaf", offer.leaves)] if "mesh" in offer.shapes else []
        if set(offer.shapes) - {"tree", "mesh"}:
            lines = sum(crossed(boundary, offer.leaves) for boundary in ("leaf_leaf", "group_group"))
            ways.append(5 * quickest[0] + 2 * lines)
        total = min(total, min(ways) + 2 * crossed("nic_leaf", offer.leaves))
    return total


def allowances_us(offer: Offer, listed: Sequence[float]) -> tuple[float, ...]:
    """Latency allowances, of those ``listed``, that some fabric of the parts on offer may keep; the largest always."""
    shortest = shortest_ns(offer)
    kept = [us for us in sorted(listed) if (offer.economy.path_reference_us + us) * 1000 + SAME_NS >= shortest]
    return tuple(kept) or (max(listed),)


def _known(latency_ns: float | None) -> float:
    assert latency_ns is not None  # parts of unknown latency are not offered between NICs and switches
    return latency_ns
