"""The token traffic of a design, from each pool's plan and the placement of its replicas.

All figures are exact fractions of the plan's decimals, Gb/s per accelerator, one direction:

* scale-up: ``scale_up_need_gbps`` to the other accelerators of the domain;
* experts: ``scale_out_ep_need_gbps``, evenly to the accelerators of the *other* domains of the replica;
* other: ``scale_out_other_need_gbps`` (KV caches; tensor and pipeline parallel traffic across domains). Its peers are
  not part of a design, so wherever a group is cut off, all of it counts as leaving the group.

A NIC cannot send more than it has: other traffic goes first, experts take what is left. That is the mix with the
most traffic out of any group that the NICs allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from designer.design.types import Design, PoolDesign
from designer.fabric.placement import Ints, Parts, parts_of

Supply = tuple[int, int, Fraction]
"""Accelerators ``start .. stop - 1`` each send (or receive) so many Gb/s."""


@dataclass(frozen=True, eq=False)
class PoolTraffic:
    """What every accelerator of one pool sends, and where its parts stand.

    ``asked`` is what the plan sends through the NICs before the NIC limit; ``peers`` the accelerators in the other
    domains of a replica (0 where a replica fits in a domain).
    """

    pool: PoolDesign
    parts: Parts
    scale_up: Fraction
    asked: Fraction
    experts: Fraction
    other: Fraction
    peers: int

    @property
    def nic(self) -> Fraction:
        """Traffic through the NICs of one accelerator."""
        return self.experts + self.other

    @property
    def accelerators(self) -> range:
        """Numbers of the pool's accelerators in the wiring."""
        first = int(self.parts.start[0])
        return range(first, first + int(self.parts.size.sum()))

    def leaving(self, groups: Ints) -> Iterator[tuple[int, Fraction]]:
        """Yield (group, Gb/s that leave it) for a grouping of the parts (one group number per part).

        Of the experts' traffic of an accelerator the part to peers outside the group leaves.
        """
        away = self._away(groups)
        names, place = np.unique(groups, return_inverse=True)
        pairs, size = np.zeros(names.size, np.int64), np.zeros(names.size, np.int64)
        np.add.at(pairs, place.ravel(), away * self.parts.size)
        np.add.at(size, place.ravel(), self.parts.size)
        for name, crossing, accelerators in zip(names.tolist(), pairs.tolist(), size.tolist(), strict=True):
            yield name, self._experts_to(crossing) + self.other * accelerators

    def across(self, first: Callable[[Ints], np.ndarray]) -> tuple[list[Supply], list[Supply]]:
        """Experts' traffic from the domains that ``first`` marks to the others: what is sent and received."""
        marked = first(self.parts.domain)
        away = self._away(marked.astype(np.int64)).tolist()
        sends: list[Supply] = []
        receives: list[Supply] = []
        for part, (side, peers) in enumerate(zip(marked.tolist(), away, strict=True)):
            if peers and self.experts:
                (sends if side else receives).append(self._supply(part, self._experts_to(peers)))
        return sends, receives

    def all_other(self, chosen: np.ndarray, scale: Fraction) -> list[Supply]:
        """Other traffic, times ``scale``, of the chosen parts."""
        if not self.other:
            return []
        return [self._supply(part, self.other * scale) for part in np.flatnonzero(chosen).tolist()]

    def _experts_to(self, peers: int) -> Fraction:
        return self.experts * peers / self.peers if self.peers else Fraction(0)

    def _supply(self, part: int, gbps: Fraction) -> Supply:
        start = int(self.parts.start[part])
        return start, start + int(self.parts.size[part]), gbps

    def _away(self, groups: Ints) -> Ints:
        """Peers of an accelerator of each part that stand in another group."""
        if not self.peers:
            return np.zeros(groups.size, np.int64)
        replica, own = self.parts.domain // self.pool.plan.domains_per_replica, self.parts.domain

        def gathered(*keys: Ints) -> Ints:
            """Accelerators of all parts with the same keys, for each part."""
            same, place = np.unique(np.column_stack(keys), axis=0, return_inverse=True)
            total = np.zeros(len(same), np.int64)
            np.add.at(total, place.ravel(), self.parts.size)
            return total[place.ravel()]

        peers = gathered(replica) - gathered(own)
        return peers - (gathered(replica, groups) - gathered(own, groups))


def traffic_of(design: Design) -> tuple[PoolTraffic, ...]:
    """Read the traffic of every pool off its plan."""
    rows = []
    for pool, parts in zip(design.pools, parts_of(design), strict=True):
        plan = pool.plan
        experts, other = Fraction(plan.scale_out_ep_need_gbps), Fraction(plan.scale_out_other_need_gbps)
        limit = Fraction(plan.nic_gbps)
        kept = min(other, limit)
        peers = (plan.domains_per_replica - 1) * pool.domain_size
        rows.append(
            PoolTraffic(
                pool,
                parts,
                Fraction(plan.scale_up_need_gbps),
                experts + other,
                min(experts, limit - kept),
                kept,
                peers,
            )
        )
    return tuple(rows)


def partners(rows: tuple[PoolTraffic, ...]) -> tuple[list[tuple[PoolTraffic, PoolTraffic]], list[PoolTraffic]]:
    """Pair the prefill and decode pools of each workload; the rest has its KV peers outside this fabric."""
    pairs, alone = [], []
    by_workload: dict[str, dict[str, PoolTraffic]] = {}
    for row in rows:
        by_workload.setdefault(row.pool.workload, {})[row.pool.phase] = row
    for phases in by_workload.values():
        if "prefill" in phases and "decode" in phases:
            pairs.append((phases["prefill"], phases["decode"]))
        paired = {"prefill", "decode"} if {"prefill", "decode"} <= phases.keys() else set()
        alone += [row for phase, row in phases.items() if phase not in paired]
    return pairs, alone
