"""A design under failures: which replicas stop, which slow down, and what share of every pool's tokens/s is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from designer.degrade.above import Reach, reach_of
from designer.degrade.copy import Copy, Seats, copy_of, nics_of, sent_gbps
from designer.degrade.domain import domain_of, even, left_in
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
        return tuple(self._reach(copy, _lost(copy.network, []), copy.demand) for copy in self.copies)

    def _reach(self, copy: Copy, lost: Ints, running: Floats) -> Reach:
        def worth(way: Floats) -> tuple[float, float]:
            """Tokens: of the pool that is hit most, then of all."""
            each = [
                float(self.replicas[seat.pool].least(np.minimum(way, 1.0)[seat.leaf]).mean()) for seat in copy.seats
            ]
            return min(each), sum(each)

        return reach_of(copy, lost, copy.demand, running, worth)

    @cached_property
    def _whole(self) -> tuple[tuple[Floats, Floats], ...]:
        """By pool, (replicas,): at least and at most of what the plan needs, with no domain broken."""
        found = []
        for at, (pool, network) in enumerate(zip(self.design.pools, self.domains, strict=True)):
            low, high = np.ones(pool.replicas), np.ones(pool.replicas)
            if network is not None and pool.scale_up.switch is not None:
                left = left_in(pool, network, _lost(network, []), self.design.fabrics[pool.fabric].rails)
                replica = self.replicas[at].of(np.arange(pool.accelerators))
                mine = replica >= 0
                for own, each in ((low, left.low), (high, left.high)):
                    np.minimum.at(own, replica[mine], np.tile(each, pool.domains)[mine])
            found.append((low, high))
        return tuple(found)

    def served(self, broken: Iterable[Broken]) -> dict[str, Share]:
        """Share of the tokens/s of every pool of the demand; a pool in parts adds them up."""
        return self._by_pool(self.shares(broken))

    def _by_pool(self, shares: Sequence[Share]) -> dict[str, Share]:
        total: dict[str, list[float]] = {}
        for pool, share in zip(self.design.pools, shares, strict=True):
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
        """Share of the tokens/s of every pool (or part of one) of the design, in its order.

        A broken link never leaves less than what stands at one of its ends would if it stopped as a whole: whoever runs
        the design may stop it. So at least what the best way to go on promises, with everything left running that can,
        or with boxes at the ends of broken links stopped, one after the other as long as that helps; at most, pool by
        pool, the most of all these ways. So a link leaves no less than either of its ends: that way is one of them.
        """
        hit = list(broken)
        best = self._shares(hit)
        found, further = [best], True
        while further and any(share.low < 1 for share in best):
            ways = self._stopping(hit)
            others = [self._shares(way) for way in ways]
            found += others
            further = False
            for way, other in zip(ways, others, strict=True):
                if self._least(other) > self._least(best):
                    best, hit, further = other, way, True
        most = [max(of[at].high for of in found) for at in range(len(best))]
        return tuple(Share(min(share.low, high), high) for share, high in zip(best, most, strict=True))

    def _least(self, shares: Sequence[Share]) -> tuple[float, float]:
        """What a way to go on promises: of the pool that is hit most, then of all."""
        each = self._by_pool(shares).values()
        return min(of.low for of in each), sum(of.low for of in each)

    def _stopping(self, hit: Sequence[Broken]) -> list[list[Broken]]:
        """Failures with one of the things at the ends of broken links stopped: a box, or an accelerator's host.

        It takes the place of its broken links: a box takes all of its links with it, and those of a host that has
        stopped carry nothing that anybody waits for.
        """
        mine: dict[Broken, list[Broken]] = {}
        for of in dict.fromkeys(hit):
            if of.part != "link":
                continue
            network = self.domains[of.owner] if of.area == "domain" else self.copies[of.owner].network
            assert network is not None
            for end in (int(network.lower[of.at]), int(network.upper[of.at])):
                box = of._replace(part="box", at=end)
                mine.setdefault(box if end >= network.endpoints else self._host_of(of, end), []).append(of)
        return [[*(of for of in hit if of not in links), box] for box, links in mine.items()]

    def _host_of(self, of: Broken, end: int) -> Broken:
        """The host of an endpoint of a domain or a copy."""
        owner, accelerator = of.owner, of.unit * self.design.pools[of.owner].domain_size + end
        if of.area == "fabric":
            copy = self.copies[of.owner]
            seat = next(seat for seat in copy.seats if seat.first <= end < seat.first + len(seat.leaf) * seat.size)
            rail = of.unit // copy.fabric.planes
            owner, accelerator = seat.pool, int(self._accelerators(seat, rail, np.array([end - seat.first]))[0])
        pool = self.design.pools[owner]
        return Broken("host", owner, 0, "box", accelerator // (pool.accelerators // pool.hosts))

    def _accelerators(self, seat: Seats, rail: int, at: Ints) -> Ints:
        """Accelerators of its pool that some endpoints of a rail are, numbered from the first of the seat."""
        pool = self.design.pools[seat.pool]
        part, place = np.divmod(at, seat.size)
        domain, piece = np.divmod(part, seat.slices)
        rails = self.design.fabrics[pool.fabric].rails
        inside = piece * (pool.domain_size // seat.slices) + rail + rails * place
        return np.asarray(domain * pool.domain_size + inside)

    def _shares(self, hit: Sequence[Broken]) -> tuple[Share, ...]:
        """The same with everything left running that can."""
        rate = [(low.copy(), high.copy()) for low, high in self._whole]
        for one in hit:
            if one.area == "host":
                self._host(one, *rate[one.owner])
        for owner, unit in dict.fromkeys((of.owner, of.unit) for of in hit if of.area == "domain"):
            self._domain(owner, unit, [of for of in hit if of[:3] == ("domain", owner, unit)], *rate[owner])
        short = [number for number, reach in enumerate(self.intact) if (reach.low < 1).any()]
        for number in dict.fromkeys([*(of.owner for of in hit if of.area == "fabric"), *short]):
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
        units = list(dict.fromkeys(of.unit for of in hit))
        if (self.intact[number].low < 1).any():
            # Short as it stands: every copy counts, and gives more once something below it has stopped.
            units = list(range(fabric.rails * fabric.planes))
        broken = {unit: [of for of in hit if of.unit == unit] for unit in units}
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
        for seat in copy.seats:
            self._unplugged(number, seat, lost, rate[seat.pool])
        running = self._running(copy, rate)
        reach = {unit: self._reach(copy, lost[unit], running) for unit in broken}
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
            low, high, _ = self._each_plane(number, rail, reach, gone, _limit(pool))
            # At least: spread evenly over some planes (those that carry most so: one that is worse than gone is left
            # out); at most: each as much as it takes.
            for own, carried in zip(rate, (even(low.T), high.sum(0)), strict=True):
                part = np.minimum(carried / fabric.planes, 1.0)[seat.leaf]
                np.minimum(own, self.replicas[seat.pool].least(part), out=own)

    def _unplugged(self, number: int, seat: Seats, lost: dict[int, Ints], rate: tuple[Floats, Floats]) -> None:
        """Stop what has an accelerator without any link left."""
        planes, own = self.design.fabrics[number].planes, slice(seat.first, seat.first + len(seat.leaf) * seat.size)
        for rail in dict.fromkeys(unit // planes for unit in lost):
            links = _links_of(lost, range(rail * planes, (rail + 1) * planes), own)
            at = np.flatnonzero((links == nics_of(self.design.pools[seat.pool])).all(0))
            replica = self.replicas[seat.pool].of(self._accelerators(seat, rail, at))
            for values in rate:
                values[replica[replica >= 0]] = 0.0

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
            # Rows of the endpoints come first, one for each, in their order.
            links = _links_of(lost, units, own)
            at = np.flatnonzero(links.any(0))
            if not len(at):
                continue
            limit = _limit(pool)
            low, high, stands = self._each_plane(number, rail, reach, gone, limit)
            leaf = seat.leaf[at // seat.size]
            left = 1 - links[:, at] / nics_of(pool)
            whole = (left == 1) & stands[:, leaf]
            port = left * limit
            most = np.minimum(high[:, leaf], port).sum(0) / fabric.planes
            least = even(np.where(whole, low[:, leaf], 0.0).T) / fabric.planes
            replica = self.replicas[seat.pool].of(self._accelerators(seat, rail, at))
            mine = replica >= 0
            for values, carried in zip(rate, (least, most), strict=True):
                np.minimum.at(values, replica[mine], np.minimum(carried[mine], 1.0))


def _links_of(lost: dict[int, Ints], units: Sequence[int], own: slice) -> Ints:
    """(units, endpoints): links of each endpoint that are gone."""
    none = np.zeros(own.stop - own.start, np.int64)
    return np.stack([lost[unit][own] if unit in lost else none for unit in units])


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
