"""Latency of the longest way through the fabric, up and down again (``docs/rules.md`` section 6.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

from designer.candidates.cables import LinkPair
from designer.candidates.offer import Offer
from designer.candidates.parts import SwitchPart
from designer.candidates.terms import Floats

NS_PER_M = 5.0
"""Light in fibre, n = 1.47."""

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


def shortest_ns(offer: Offer) -> float:
    """Latency that no fabric of the parts on offer stays below, infinite where there is none.

    Of every stage the quickest switch, of every boundary the quickest ends and the least length.
    """
    economy, lengths = offer.economy, offer.economy.lengths_m
    least = {"nic_leaf": lengths["adjacent_rack"], "leaf_spine": lengths["hall"], "spine_core": lengths["building"]}
    least.update({name: length for name, length in economy.forced_m.items() if name in least})
    levels = (offer.leaves, offer.spines, offer.cores)

    def ends(boundary: str, switches: Sequence[SwitchPart]) -> float:
        rows = [*offer.links_at(boundary), *(s.cpo_link for s in switches if s.cpo_link is not None)]
        return min((_known(row.latency_ns) for row in rows), default=math.inf)

    total = math.inf
    for stages in offer.stages:
        used = levels[:stages]
        if not all(used):
            continue
        quickest = [min(_known(switch.latency_ns) for switch in level) for level in used]
        path = 2 * sum(quickest[:-1]) + quickest[-1]
        for boundary in tuple(least)[:stages]:
            every = [switch for level in used for switch in level]
            path += 2 * (2 * ends(boundary, every) + NS_PER_M * least[boundary])
        total = min(total, path)
    return total


def allowances_us(offer: Offer, listed: Sequence[float]) -> tuple[float, ...]:
    """Latency allowances, of those ``listed``, that some fabric of the parts on offer may keep; the largest always."""
    shortest = shortest_ns(offer)
    kept = [us for us in sorted(listed) if (offer.economy.path_reference_us + us) * 1000 + SAME_NS >= shortest]
    return tuple(kept) or (max(listed),)


def _known(latency_ns: float | None) -> float:
    assert latency_ns is not None  # parts of unknown latency are not offered between NICs and switches
    return latency_ns
