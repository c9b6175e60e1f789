"""Pools up to their NIC ports: plan, domain, scale-up switches, cables, racks (sections 2 to 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import floor

from designer.instance.pools import pools_of
from designer.instance.schema import Instance
from oracle.bare import bare_overhead, bare_price, installed_price
from oracle.boxes import box_repairs, buy, first_switch_losses, host_failures, second_switch_losses
from oracle.cables import (
    ALONE,
    Box,
    Count,
    Pair,
    cleanings,
    count_links,
    far_derating,
    far_link_events,
    near_failures,
    pairs,
    pinned,
    purchase,
    reaches,
    replacements,
)
from oracle.mixing import Slot
from oracle.money import EVERYONE, Duty, Sums, total, vendor_name
from oracle.parts import Nic, Parts, Point, Rack, ceil_div, exact, known
from oracle.spares import at_most_down, hours_of_domain, planes_uncovered, uncovered, unit_down
from oracle.task import Task
from oracle.wiring import Wiring, wirings


@dataclass(frozen=True)
class Hall:
    """Racks of one pool: hosts per rack, racks per domain, racks of the pool."""

    hosts_per_rack: int
    racks_per_domain: int
    racks: int


@dataclass(frozen=True)
class Route:
    """A boundary of the domains of a pool: its link rows, length and counts."""

    pair: Pair
    length: Fraction
    count: Count


@dataclass(frozen=True)
class Base:
    """One part of a pool up to its NIC ports; chips joined directly have no routes, one stage has no ``upper`` one.

    ``domains`` count the ``spares`` (units) too; all domains serve the peak for the share ``available`` of the time.
    """

    slot: Slot
    point: Point
    wiring: Wiring
    lower: Route | None
    upper: Route | None
    nic: Nic
    nics: int
    replicas: int
    domains: int
    spares: int
    available: Fraction
    hall: Hall
    duty: Duty
    sums: Sums

    @property
    def accelerators(self) -> int:
        """Accelerators of the pool."""
        return self.domains * self.wiring.size


def domain_count(point: Point, peak: Fraction) -> tuple[int, int]:
    """Replicas and domains that serve ``peak`` tokens per second."""
    replicas = ceil_div(peak, point.tokens * point.replica)
    if point.replica <= point.size:
        return replicas, ceil_div(replicas, point.size // point.replica)
    return replicas, replicas * point.domains_per_replica


def rack_class(racks: int, racks_per_row: Fraction) -> str:
    """Distance class of cables that stay within ``racks`` racks."""
    if racks <= 2:
        return ("in_rack", "adjacent_rack")[racks - 1]
    if racks <= 4:
        return "three_racks_away"
    return "row" if racks <= racks_per_row else "hall"


def leaf_class(racks: int, racks_per_row: Fraction) -> str:
    """Distance class of cables from ``racks`` racks to their leaf."""
    if racks == 1:
        return "adjacent_rack"
    if racks <= 3:
        return "three_racks_away"
    return "row" if racks <= racks_per_row else "hall"


def length_of(parts: Parts, instance: Instance, name: str) -> Fraction:
    """Metres of a distance class, as the site has it."""
    own = getattr(instance.site.lengths, f"{name}_m")
    return parts.facility.lengths[name] if own is None else exact(own)


def count_lower(pair: Pair, wiring: Wiring, domains: int) -> Count:
    """Count the boundary between accelerators and first-stage switches of all domains of a pool."""
    a = wiring.accelerator
    hosts, groups = domains * wiring.size // a.host, domains * wiring.groups
    if pair.lower.construction == "backplane":
        trunks = [(groups, wiring.behind * wiring.wired)]
    else:
        trunks = [(hosts, a.host * share) for share in wiring.shares]
    return count_links(
        pair,
        a.port_gbps,
        lower_boxes=[(hosts, a.host * wiring.wired)],
        upper_boxes=[(groups, wiring.behind * share) for share in wiring.shares],
        trunks=trunks,
    )


def count_upper(pair: Pair, wiring: Wiring, domains: int) -> Count:
    """Count the boundary between the two stages of all domains of a pool."""
    upper = wiring.upper
    assert upper is not None
    below, above = domains * wiring.switches, domains * wiring.uppers
    return count_links(
        pair,
        wiring.accelerator.port_gbps,
        lower_boxes=[(below, upper.uplinks)],
        upper_boxes=[(above, upper.m * wiring.groups)],
        trunks=[(below * upper.each, upper.m)],
    )


def most_leaves(pools: Sequence[Sequence[Base]]) -> int:
    """Leaves that pools may have at most: one for every host."""
    return sum(max((base.accelerators // base.wiring.accelerator.host for base in pool), default=0) for pool in pools)


def hall_of(rack: Rack, host: int, size: int, domains: int, watts: Fraction) -> Hall | None:
    """Fill racks with hosts of accelerators that take ``watts`` each; None if not one host fits."""
    per_rack = min(floor(rack.power_kw * 1000 / (host * watts)), rack.accelerators // host)
    if per_rack < 1:
        return None
    hosts = size // host
    racks_per_domain = ceil_div(hosts, per_rack)
    racks = domains * racks_per_domain if racks_per_domain > 1 else ceil_div(domains, per_rack // hosts)
    return Hall(per_rack, racks_per_domain, racks)


def points_of(task: Task, pool: str, offers: Sequence[Wiring]) -> list[Point]:
    """Plans of one pool: the measured ones of a workload, of a fleet one for every accelerator and size (6.2)."""
    for fleet in task.instance.fleets:
        if fleet.name == pool:
            inside, outside = exact(fleet.scale_up_gbps), exact(fleet.scale_out_gbps)
            kinds = dict.fromkeys((wiring.accelerator.id, wiring.size) for wiring in offers)
            one = Fraction(1)
            return [Point(pool, *kind, fleet.job_accelerators, one, inside, Fraction(0), outside) for kind in kinds]
    return [point for point in task.parts.points if point.pool == pool]


def bases(task: Task, slot: Slot, peak: Fraction) -> Iterator[Base]:
    """List every way to build one part of a pool, of that ``peak`` in all, up to its NIC ports."""
    sale = task.sale
    owner = next(pool.demand for pool in pools_of(task.instance) if pool.name == slot.pool)
    offers = [w for w in wirings(sale, task.instance) if slot.accelerator in (None, w.accelerator.id)]
    offers = [w for w in offers if owner.vendors is None or w.accelerator.vendor in owner.vendors]
    for point in points_of(task, slot.pool, offers):
        replicas, domains = domain_count(point, peak * slot.share)
        for wiring in offers:
            a = wiring.accelerator
            if (a.id, wiring.size) != (point.accelerator, point.size) or point.scale_up_need > wiring.usable_gbps:
                continue
            for name, nics in a.nics:
                if name not in sale.nics or nics * sale.nics[name].rate < point.least_nic_gbps:
                    continue
                for spares in sorted(set(task.instance.choose.spare_domains)):
                    pool_of = _Pool(task, slot, point, wiring, sale.nics[name], nics, replicas, domains, spares)
                    for lower, upper in link_rows(task, wiring):
                        base = pool_of.base(lower, upper)
                        if base is not None:
                            yield base


def link_rows(task: Task, wiring: Wiring) -> Iterator[tuple[Pair | None, Pair | None]]:
    """List the link rows of both boundaries of a domain; reach and placement are not looked at."""
    a, switch, upper = wiring.accelerator, wiring.switch, wiring.upper
    low: list[Pair | None] = [None]
    high: list[Pair | None] = [None]
    if switch is not None:
        lanes = () if a.lane_gbps is None else (a.lane_gbps,)
        low = list(pinned(task, "scale_up_links", pairs(task.sale, Box(lanes), Box.of(switch), a.port_gbps)))
        if upper is not None:
            found = pairs(task.sale, Box.of(switch), Box.of(upper.switch), a.port_gbps)
            high = [pair for pair in found if pair.lower.placement == "cable"]
    yield from product(low, high)


@dataclass(frozen=True)
class _Pool:
    """A pool but for its scale-up cables: ``needed`` domains and some spare units."""

    task: Task
    slot: Slot
    point: Point
    wiring: Wiring
    nic: Nic
    nics: int
    replicas: int
    needed: int
    spares: int

    @property
    def domains(self) -> int:
        """All domains: a unit is a domain, or the domains of a replica."""
        return self.needed + self.spares * self.point.domains_per_replica

    def base(self, low: Pair | None, high: Pair | None) -> Base | None:
        """Complete the pool, if racks and lengths allow these link rows."""
        task, wiring = self.task, self.wiring
        a, facility = wiring.accelerator, task.parts.facility
        hall = hall_of(facility.racks[a.rack], a.host, wiring.size, self.domains, self._rack_watts(low, high))
        if hall is None:
            return None
        lower = upper = None
        if low is not None:
            racks = ceil_div(Fraction(wiring.behind, a.host), hall.hosts_per_rack)
            placement = low.lower.placement
            if (placement == "board" and wiring.behind != a.host) or (placement == "rack" and racks != 1):
                return None
            own = task.instance.site.lengths.scale_up_m
            length = self._length(racks, own, board=placement == "board")
            if not reaches(low, length):
                return None
            lower = Route(low, length, count_lower(low, wiring, self.domains))
        if high is not None:
            length = self._length(hall.racks_per_domain, task.instance.site.lengths.scale_up_upper_m)
            if not reaches(high, length):
                return None
            upper = Route(high, length, count_upper(high, wiring, self.domains))
        duty = Duty(facility.lost_hour * installed_price(task.parts, a), self.point.replica)
        unit, per_unit = Fraction(0), self.point.domains_per_replica
        if self.spares or task.most_down is not None:
            count = None if low is None else count_lower(low, wiring, 1)
            unit = unit_down(hours_of_domain(task, wiring, self.nic, self.nics, low, count), per_unit)
        units = self.domains // per_unit
        inside = replace(
            duty,
            hit_share=Fraction(self.needed, self.domains),
            hour_share=uncovered(units, self.spares, unit),
        )
        planes = replace(inside, hour_share=inside.hour_share * planes_uncovered(task, wiring))
        sums = total([self._hosts(inside), self._lower(planes, lower), self._upper(inside, upper)])
        return Base(
            slot=self.slot,
            point=self.point,
            wiring=wiring,
            lower=lower,
            upper=upper,
            nic=self.nic,
            nics=self.nics,
            replicas=self.replicas,
            domains=self.domains,
            spares=self.spares,
            available=Fraction(0) if task.most_down is None else at_most_down(units, self.spares, unit),
            hall=hall,
            duty=duty,
            sums=sums,
        )

    def _rack_watts(self, low: Pair | None, high: Pair | None) -> Fraction:
        task, wiring, a = self.task, self.wiring, self.wiring.accelerator
        of_domain = wiring.switch_watts
        for pair, count in ((low, count_lower), (high, count_upper)):
            if pair is not None:
                of_domain += purchase(task.site, pair, a.port_gbps, Fraction(0), count(pair, wiring, 1)).watts
        own = known(a.tdp) + bare_overhead(task.parts, a) + self.nics * known(self.nic.power)
        return own + of_domain / wiring.size

    def _length(self, racks: int, own: float | None, board: bool = False) -> Fraction:
        if own is not None:
            return exact(own)
        name = rack_class(racks, self.task.parts.facility.racks_per_row)
        return length_of(self.task.parts, self.task.instance, "board" if board else name)

    def _hosts(self, duty: Duty) -> Sums:
        parts, site, a, nic = self.task.parts, self.task.site, self.wiring.accelerator, self.nic
        number = self.domains * self.wiring.size
        nics = number * self.nics
        front = site.front_end
        return total(
            [
                Sums(
                    capex=number * installed_price(parts, a),
                    watts=number * (known(a.tdp) + bare_overhead(parts, a)),
                ),
                Sums(capex=number * front.capex, watts=number * front.watts),
                Sums(capex=nics * known(nic.price), watts=nics * known(nic.power)),
                Sums(units=Counter({EVERYONE: number, vendor_name(a.vendor): number})),
                site.units(a.id, number),
                site.units(nic.id, nics),
                host_failures(site, duty, a, bare_price(parts, a), number, nic, nics),
            ]
        )

    def _lower(self, duty: Duty, route: Route | None) -> Sums:
        wiring, sale, site = self.wiring, self.task.sale, self.task.site
        if route is None:
            return Sums()
        assert wiring.switch is not None
        number = self.domains * wiring.switches
        behind = replace(ALONE, drained=wiring.behind)
        return total(
            [
                buy(site, wiring.switch, number),
                purchase(site, route.pair, wiring.accelerator.port_gbps, route.length, route.count),
                box_repairs(sale, site, wiring.switch, number, scale_up=True),
                first_switch_losses(sale, site, duty, wiring.switch, number, wiring.behind, wiring.spare > 0),
                near_failures(site, duty, route.pair, route.count, behind, spared=wiring.spare > 0),
            ]
        )

    def _upper(self, duty: Duty, route: Route | None) -> Sums:
        wiring, sale, site = self.wiring, self.task.sale, self.task.site
        upper, rate = wiring.upper, wiring.accelerator.port_gbps
        if route is None or upper is None:
            return Sums()
        number, pair = self.domains * wiring.uppers, route.pair
        events = site.facility.p_kill * far_link_events(site, pair, rate, [(1, upper.m)])
        accelerators = self.domains * wiring.size
        return total(
            [
                buy(site, upper.switch, number),
                purchase(site, pair, rate, route.length, route.count),
                box_repairs(sale, site, upper.switch, number, scale_up=True),
                second_switch_losses(sale, site, duty, upper.switch, number, wiring.size, wiring.uppers),
                replacements(site, pair, route.count),
                site.clean(cleanings(site, pair, route.count)),
                site.hits(duty, self.domains * wiring.switches * upper.uplinks * events),
                site.hours(duty, accelerators * far_derating(site, pair)),
            ]
        )
