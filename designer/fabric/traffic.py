"""The token traffic of a design, from each pool's plan and the placement of its replicas.

All figures are exact fractions of the plan's decimals, Gb/s per accelerator, one direction:

* scale-up: ``scale_up_need_gbps`` to the other accelerators of the domain, and with ``X`` rails ``1 - 1/X`` of what
  goes through the NICs: it is forwarded to the accelerators of the other rails in the domain of the sender;
* experts: ``scale_out_ep_need_gbps``, evenly to the accelerators of the *other* domains of the replica;
* other: ``scale_out_other_need_gbps`` (KV caches; tensor and pipeline parallel traffic across domains). Its peers are
  not part of a design, so wherever a group is cut off, all of it counts as leaving the group.

With rails and planes every copy of the fabric carries an equal share: NICs send the same as without rails, and spread
it evenly over their planes.

All domains count as busy, spare ones as well: any of them may be the idle ones, and none of these choices takes more
out of any group. Only what two pools hand each other is counted by the domains that serve.

A NIC cannot send more than it has: other traffic goes first, experts take what is left. That is the mix with the
most traffic out of any group that the NICs allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from designer.design.types import Design, PoolDesign
from designer.fabric.placement import Ints, Parts, parts_of

Supply = tuple[int, int, Fraction]
"""Accelerators ``start .. stop - 1`` each send (or receive) so many Gb/s."""


@dataclass(frozen=True, eq=False)
class PoolTraffic:
    """What every accelerator of one pool sends, and where its parts stand.

    ``scale_up`` is what a plan's collectives send inside the domain, ``forwarded`` what is on its way to another rail;
    ``asked`` is what the plan sends through the NICs before the NIC limit; ``peers`` the accelerators in the other
    domains of a replica (0 where a replica fits in a domain); ``size`` the accelerators of a domain, ``rails`` how many
    rails share them.
    """

    pool: PoolDesign
    parts: Parts
    size: int
    rails: int
    scale_up: Fraction
    forwarded: Fraction
    asked: Fraction
    experts: Fraction
    other: Fraction
    peers: int

    @property
    def nic(self) -> Fraction:
        """Traffic through the NICs of one accelerator."""
        return self.experts + self.other

    @property
    def inside(self) -> Fraction:
        """All traffic of one accelerator inside its domain."""
        return self.scale_up + self.forwarded

    @property
    def others(self) -> int:
        """Accelerators of other rails in the domain of an accelerator."""
        return self.size - self.size // self.rails

    def to_each(self, *, crossing: bool) -> Fraction:
        """Gb/s from one accelerator to another one of its domain, of another rail (``crossing``) or its own."""
        return self.scale_up / (self.size - 1) + (self.forwarded / self.others if crossing else 0)

    def in_copy(self, rails: int, planes: int) -> PoolTraffic:
        """Return the traffic of one copy: its rail's accelerators, numbered anew, with the share of one plane."""
        parts = replace(self.parts, start=self.parts.start // rails, size=self.parts.size // rails)
        return replace(
            self,
            parts=parts,
            size=self.size // rails,
            rails=1,
            asked=self.asked / planes,
            experts=self.experts / planes,
            other=self.other / planes,
            peers=self.peers // rails,
        )

    @property
    def accelerators(self) -> range:
        """Numbers of the pool's accelerators in the wiring."""
        first = int(self.parts.start[0])
        return range(first, first + int(self.parts.size.sum()))

    def serving(self, *, first_idle: bool = False) -> range:
        """Numbers of the accelerators outside the spare domains, if these are the last or the first ones."""
        every, idle = self.accelerators, self.size * self.pool.spare_domains
        return every[idle:] if first_idle else every[: len(every) - idle]

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
    crossing = 1 - Fraction(1, design.fabric.rails)
    for pool, parts in zip(design.pools, parts_of(design), strict=True):
        plan = pool.plan
        experts, other = Fraction(plan.scale_out_ep_need_gbps), Fraction(plan.scale_out_other_need_gbps)
        limit = Fraction(plan.nic_gbps)
        kept = min(other, limit)
        sent = min(experts, limit - kept)
        peers = (plan.domains_per_replica - 1) * pool.domain_size
        rows.append(
            PoolTraffic(
                pool,
                parts,
                pool.domain_size,
                design.fabric.rails,
                Fraction(plan.scale_up_need_gbps),
                crossing * (sent + kept),
                experts + other,
                sent,
                kept,
                peers,
            )
        )
    return tuple(rows)


Side = list[PoolTraffic]
"""The pools, or parts of one pool, of one phase of a workload."""


def partners(rows: tuple[PoolTraffic, ...]) -> tuple[list[tuple[Side, Side]], Side]:
    """Pair the prefill and decode pools of each workload; the rest has its KV peers outside this fabric."""
    pairs: list[tuple[Side, Side]] = []
    alone: Side = []
    by_workload: dict[str, dict[str, Side]] = {}
    for row in rows:
        by_workload.setdefault(row.pool.workload, {}).setdefault(row.pool.phase, []).append(row)
    for phases in by_workload.values():
        if "prefill" in phases and "decode" in phases:
            pairs.append((phases["prefill"], phases["decode"]))
        paired = {"prefill", "decode"} if {"prefill", "decode"} <= phases.keys() else set()
        alone += [row for phase, side in phases.items() if phase not in paired for row in side]
    return pairs, alone
