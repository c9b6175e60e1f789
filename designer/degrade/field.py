"""A design under failures: which replicas stop, which slow down, and what share of every pool's tokens/s is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from designer.degrade.above import Reach, reach_of
from designer.degrade.copy import Copy, Seats, copy_of, nics_of, sent_gbps
from designer.degrade.domain import domain_of, left_in
from designer.design.types import Design, PoolDesign
from designer.network.graph import Ints, Network

Floats = npt.NDArray[np.float64]
Area = Literal["host", "domain", "fabric"]


class Broken(NamedTuple):
    """One broken thing.

    ``area`` "host": host ``at`` of pool ``owner``; "domain": box or row ``at`` of the network of domain ``unit`` of
    pool ``owner``; "fabric": of copy ``unit`` (rail times planes, plus plane) of fabric ``owner``.
    """

    area: Area
    owner: int
    unit: int
    part: Literal["box", "link"]
    at: int


class Share(NamedTuple):
    """What is left, between two shares of the whole."""

    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Replicas:
    """Where the replicas of a pool stand: replica by replica, the parts (domain times slice) that it touches."""

    pool: PoolDesign
    replica: Ints
    part: Ints

    def least(self, values: Floats) -> Floats:
        """(replicas,): least of the values (parts,) over the parts of each."""
        first = np.flatnonzero(np.diff(self.replica, prepend=-1))
        return np.asarray(np.minimum.reduceat(values[self.part], first))

    def of(self, accelerators: Ints) -> Ints:
        """Replica of each accelerator of the pool, -1 for one that serves none."""
        pool, plan = self.pool, self.pool.plan
        domain, place = np.divmod(accelerators, pool.domain_size)
        size = plan.accelerators_per_replica
        if plan.domains_per_replica > 1:
            replica, within = np.divmod(domain, plan.domains_per_replica)
            inside = within * pool.domain_size + place < size
        else:
            inside = place // size < plan.replicas_per_domain
            replica = domain * plan.replicas_per_domain + place // size
        return np.asarray(np.where(inside & (replica < pool.replicas), replica, -1))


def replicas_of(pool: PoolDesign, slices: int) -> Replicas:
    """Place the replicas of a pool whose domains are each below so many leaves."""
    group = pool.domain_size // slices
    place = np.arange(pool.replicas)
    plan = pool.plan
    size = plan.accelerators_per_replica
    if plan.domains_per_replica > 1:
        first = place * plan.domains_per_replica * slices
        last = first + (size - 1) // group
    else:
        domain, inside = np.divmod(place, plan.replicas_per_domain)
        first = domain * slices + inside * size // group
        last = domain * slices + (inside * size + size - 1) // group
    count = last - first + 1
    replica = np.repeat(place, count)
    offset = np.arange(len(replica)) - np.repeat(np.cumsum(count) - count, count)
    return Replicas(pool, replica, np.repeat(first, count) + offset)


class Field:
    """A design ready for many sets of failures."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.copies: tuple[Copy, ...] = tuple(copy_of(design, at) for at in range(len(design.fabrics)))
        self.domains: tuple[Network | None, ...] = tuple(domain_of(pool) for pool in design.pools)
        self.seats: dict[int, Seats] = {seat.pool: seat for copy in self.copies for seat in copy.seats}
        self.replicas = tuple(replicas_of(pool, self.seats[at].slices) for at, pool in enumerate(design.pools))

    @cached_property
    def intact(self) -> tuple[Reach, ...]:
        """What the leaves of an intact copy of each fabric reach."""
        return tuple(
            reach_of(copy, np.zeros(len(copy.network.lower), np.int64), copy.demand, copy.demand)
            for copy in self.copies
        )

    def served(self, broken: Iterable[Broken]) -> dict[str, Share]:
        """Share of the tokens/s of every pool of the demand; a pool in parts adds them up."""
        total: dict[str, list[float]] = {}
        for pool, share in zip(self.design.pools, self.shares(broken), strict=True):
            own = total.setdefault(pool.pool, [0.0, 0.0])
            part = pool.share[0] / pool.share[1]
            own[0] += part * share.low
            own[1] += part * share.high
        return {name: Share(low, high) for name, (low, high) in total.items()}

    def worst(self, broken: Iterable[Broken]) -> Share:
        """Share of the pool that is hit most."""
        served = self.served(broken).values()
        return Share(min(of.low for of in served), min(of.high for of in served))

    def shares(self, broken: Iterable[Broken]) -> tuple[Share, ...]:
        """Share of the tokens/s of every pool (or part of one) of the design, in its order."""
        hit = list(broken)
        rate = [(np.ones(pool.replicas), np.ones(pool.replicas)) for pool in self.design.pools]
        for one in hit:
            if one.area == "host":
                self._host(one, *rate[one.owner])
        for owner, unit in dict.fromkeys((of.owner, of.unit) for of in hit if of.area == "domain"):
            self._domain(owner, unit, [of for of in hit if of[:3] == ("domain", owner, unit)], *rate[owner])
        for number in dict.fromkeys(of.owner for of in hit if of.area == "fabric"):
            self._fabric(number, [of for of in hit if of.area == "fabric" and of.owner == number], rate)
        return tuple(self._share(at, *both) for at, both in enumerate(rate))

    def _share(self, at: int, low: Floats, high: Floats) -> Share:
        """Spare domains may stand in for those that have stopped: at most, not at least."""
        pool, high = self.design.pools[at], high.copy()
        stopped = high == 0
        if pool.spare_domains and stopped.any():
            unit = np.arange(pool.replicas) // pool.plan.replicas_per_domain
            units = pool.spare_domains // pool.plan.domains_per_replica
            most = np.argsort(-np.bincount(unit[stopped]), kind="stable")[:units]
            high[stopped & np.isin(unit, most)] = 1.0
        return Share(float(low.mean()), float(high.mean()))

    def _host(self, one: Broken, low: Floats, high: Floats) -> None:
        pool = self.design.pools[one.owner]
        each = pool.accelerators // pool.hosts
        gone = self.replicas[one.owner].of(np.arange(one.at * each, (one.at + 1) * each))
        low[gone[gone >= 0]] = high[gone[gone >= 0]] = 0.0

    def _domain(self, owner: int, unit: int, hit: list[Broken], low: Floats, high: Floats) -> None:
        pool, network = self.design.pools[owner], self.domains[owner]
        if network is None:
            raise ValueError(f"{pool.name} has no links inside its domains")
        lost = _lost(network, hit)
        left = left_in(pool, network, lost, self.design.fabrics[pool.fabric].rails)
        place = np.arange(unit * pool.domain_size, (unit + 1) * pool.domain_size)
        replica = self.replicas[owner].of(place)
        mine = replica >= 0
        np.minimum.at(low, replica[mine], left.low[mine])
        np.minimum.at(high, replica[mine], left.high[mine])

    def _fabric(self, number: int, hit: list[Broken], rate: list[tuple[Floats, Floats]]) -> None:
        """Every plane of a rail carries an equal share; a rail is as slow as it is, a replica as its slowest rail."""
        copy, fabric = self.copies[number], self.design.fabrics[number]
        broken = {unit: [of for of in hit if of.unit == unit] for unit in dict.fromkeys(of.unit for of in hit)}
        lost = {unit: _lost(copy.network, of) for unit, of in broken.items()}
        gone = {unit: [of.at for of in some if of.part == "box"] for unit, some in broken.items()}
        first = copy.leaves.start
        # A leaf that is gone stops what is below it, unless there are other planes.
        for seat in copy.seats if fabric.planes == 1 else ():
            for boxes in gone.values():
                dead = np.isin(first + seat.leaf, boxes)
                alive = self.replicas[seat.pool].least(np.where(dead, 0.0, 1.0))
                for of in rate[seat.pool]:
                    np.minimum(of, alive, out=of)
        running = self._running(copy, rate)
        reach = {unit: reach_of(copy, lost[unit], copy.demand, running) for unit in broken}
        for seat in copy.seats:
            self._from_leaves(number, seat, reach, gone, rate[seat.pool])
            self._ports(number, seat, reach, (lost, gone), rate[seat.pool])

    def _running(self, copy: Copy, rate: list[tuple[Floats, Floats]]) -> Floats:
        """(leaves,): demand without the parts all of whose replicas have stopped."""
        demand = copy.demand.copy()
        for seat in copy.seats:
            high, placed = rate[seat.pool][1], self.replicas[seat.pool]
            if (high == 0).any():
                busy = np.bincount(placed.part, minlength=len(seat.leaf))
                up = np.bincount(placed.part, high[placed.replica] > 0, len(seat.leaf))
                still = (busy > 0) & (up == 0)
                need = self.design.pools[seat.pool].attachment.need_gbps / copy.fabric.planes
                np.subtract.at(demand, seat.leaf[still], seat.size * need)
        return np.asarray(np.maximum(demand, 0.0))

    def _each_plane(
        self, number: int, rail: int, reach: dict[int, Reach], gone: dict[int, list[int]], limit: float
    ) -> tuple[Floats, Floats, np.ndarray]:
        """(planes, leaves): multiples of the need of one plane, at most the NICs' own; and leaves that still stand."""
        fabric, copy = self.design.fabrics[number], self.copies[number]
        units = range(rail * fabric.planes, (rail + 1) * fabric.planes)
        rows = [reach.get(unit, self.intact[number]) for unit in units]
        first = copy.leaves.start
        stands = np.array(
            [[first + leaf not in gone.get(unit, ()) for leaf in range(len(copy.leaves))] for unit in units]
        )
        low, high = (np.minimum(np.array([getattr(row, of) for row in rows]), limit) for of in ("low", "high"))
        return np.where(stands, low, 0.0), np.where(stands, high, 0.0), stands

    def _from_leaves(
        self, number: int, seat: Seats, reach: dict[int, Reach], gone: dict[int, list[int]], rate: tuple[Floats, Floats]
    ) -> None:
        fabric, pool = self.design.fabrics[number], self.design.pools[seat.pool]
        for rail in dict.fromkeys(unit // fabric.planes for unit in reach):
            low, high, stands = self._each_plane(number, rail, reach, gone, _limit(pool))
            # At least: spread evenly over the planes that stand; at most: each as much as it takes.
            evenly = stands.sum(0) * np.where(stands, low, _limit(pool)).min(0)
            for own, carried in zip(rate, (evenly, high.sum(0)), strict=True):
                part = np.minimum(carried / fabric.planes, 1.0)[seat.leaf]
                np.minimum(own, self.replicas[seat.pool].least(part), out=own)

    def _ports(
        self,
        number: int,
        seat: Seats,
        reach: dict[int, Reach],
        broken: tuple[dict[int, Ints], dict[int, list[int]]],
        rate: tuple[Floats, Floats],
    ) -> None:
        """Links of single accelerators to their leaves."""
        fabric, pool = self.design.fabrics[number], self.design.pools[seat.pool]
        lost, gone = broken
        own = slice(seat.first, seat.first + len(seat.leaf) * seat.size)
        for rail in dict.fromkeys(unit // fabric.planes for unit in reach):
            units = [rail * fabric.planes + plane for plane in range(fabric.planes)]
            none = np.zeros(own.stop - own.start, np.int64)
            # Rows of the endpoints come first, one for each, in their order.
            links = np.stack([lost[unit][own] if unit in lost else none for unit in units])
            at = np.flatnonzero(links.any(0))
            if not len(at):
                continue
            limit = _limit(pool)
            low, high, stands = self._each_plane(number, rail, reach, gone, limit)
            part, place = np.divmod(at, seat.size)
            leaf = seat.leaf[part]
            left = 1 - links[:, at] / nics_of(pool)
            whole = (left == 1) & stands[:, leaf]
            port = left * limit
            most = np.minimum(high[:, leaf], port).sum(0) / fabric.planes
            least = whole.sum(0) * np.where(whole, low[:, leaf], limit).min(0) / fabric.planes
            domain, piece = np.divmod(part, seat.slices)
            inside = piece * (pool.domain_size // seat.slices) + rail + fabric.rails * place
            replica = self.replicas[seat.pool].of(domain * pool.domain_size + inside)
            mine = replica >= 0
            for values, carried in zip(rate, (least, most), strict=True):
                np.minimum.at(values, replica[mine], np.minimum(carried[mine], 1.0))


def _limit(pool: PoolDesign) -> float:
    """What the NICs give of what goes through them."""
    sent = sent_gbps(pool)
    return pool.plan.nic_gbps / sent if sent > 0 else 1e9


def _lost(network: Network, hit: list[Broken]) -> Ints:
    """(rows,): links that are gone; a link is one of its row's, a box takes all of its rows."""
    lost = np.zeros(len(network.lower), np.int64)
    np.add.at(lost, [of.at for of in hit if of.part == "link"], 1)
    boxes = np.array([of.at for of in hit if of.part == "box"], np.int64)
    if len(boxes):
        mine = np.isin(network.lower, boxes) | np.isin(network.upper, boxes)
        lost[mine] = network.links[mine]
    return np.minimum(lost, network.links)
