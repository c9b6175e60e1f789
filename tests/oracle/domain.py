"""Pools up to their NIC ports: plan, domain, scale-up switches, cables, racks (sections 2 to 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from designer.instance.schema import Instance
from oracle.bare import bare_overhead, bare_price, installed_price
from oracle.boxes import box_losses, box_repairs, buy, host_failures
from oracle.cables import Box, Count, Pair, count_links, near_failures, pairs, purchase, reaches
from oracle.money import Duty, Sums, total
from oracle.parts import Accelerator, Nic, Parts, Point, Rack, Switch, ceil_div, exact, known
from oracle.sale import Sale
from oracle.task import Task

STANDARD_SIZES = (2, 4, 8, 16, 32, 36, 64, 72, 96, 128, 144, 192, 256, 384, 512, 576)


@dataclass(frozen=True)
class Wiring:
    """One way to wire the scale-up ports of one accelerator type in domains of one size."""

    accelerator: Accelerator
    size: int
    switch: Switch
    planes: int
    wired: int

    @property
    def shares(self) -> tuple[int, ...]:
        """Ports of every accelerator on each plane."""
        more = self.wired % self.planes
        return tuple(self.wired // self.planes + (1 if j < more else 0) for j in range(self.planes))

    @property
    def usable_gbps(self) -> int:
        """Usable bandwidth per accelerator."""
        return self.planes * (self.wired // self.planes) * self.accelerator.port_gbps


@dataclass(frozen=True)
class Hall:
    """Racks of one pool: hosts per rack, racks per domain, racks of the pool."""

    hosts_per_rack: int
    racks_per_domain: int
    racks: int


@dataclass(frozen=True)
class Base:
    """One pool up to its NIC ports."""

    point: Point
    wiring: Wiring
    pair: Pair
    length: Fraction
    nic: Nic
    nics: int
    replicas: int
    domains: int
    hall: Hall
    count: Count
    duty: Duty
    sums: Sums

    @property
    def accelerators(self) -> int:
        """Accelerators of the pool."""
        return self.domains * self.wiring.size


def shares_of(a: Accelerator, instance: Instance) -> list[int]:
    """Numbers of scale-up ports that may be wired."""
    if a.sealed:
        return [a.ports]
    return sorted({max(1, floor(exact(share) * a.ports)) for share in instance.choose.scale_up_shares})


def sizes_of(a: Accelerator, sale: Sale, instance: Instance) -> list[int]:
    """Domain sizes on offer for an accelerator, before any switch is chosen."""
    choose, pin = instance.choose, instance.pin
    if choose.domain_sizes is not None:
        sizes = set(choose.domain_sizes)
    else:
        sizes = {*STANDARD_SIZES, a.max_domain}
        if a.vendor_size is not None:
            sizes.add(a.vendor_size)
        for wired in shares_of(a, instance):
            for switch in sale.scale_up:
                radix = switch.ports(a.port_gbps)
                if a.protocol not in switch.speaks or radix is None:
                    continue
                for planes in range(1, wired + 1):
                    sizes.add(radix // ceil_div(wired, planes) // a.host * a.host)
    return sorted(
        size
        for size in sizes
        if size >= 2
        and size % a.host == 0
        and (size <= a.max_domain or a.id in choose.beyond_announced)
        and pin.domain_size in (None, size)
    )


def wirings(sale: Sale, instance: Instance) -> Iterator[Wiring]:
    """List every domain that may be built (section 3)."""
    for a in sale.accelerators:
        if a.sealed and a.vendor_switch is None:
            continue
        for size in sizes_of(a, sale, instance):
            if a.sealed and size != a.vendor_size:
                continue
            for switch in sale.scale_up:
                radix = switch.ports(a.port_gbps)
                vendor = size == a.vendor_size and switch.id == a.vendor_switch
                if a.protocol not in switch.speaks or radix is None or (a.sealed and not vendor):
                    continue
                for wired in shares_of(a, instance):
                    for planes in range(1, wired + 1):
                        if vendor and planes != a.vendor_planes:
                            continue
                        if size * ceil_div(wired, planes) <= radix:
                            yield Wiring(a, size, switch, planes, wired)


def domain_count(point: Point, peak: Fraction) -> tuple[int, int]:
    """Replicas and domains that serve ``peak`` tokens per second."""
    replicas = ceil_div(peak, point.tokens * point.replica)
    if point.replica <= point.size:
        return replicas, ceil_div(replicas, point.size // point.replica)
    return replicas, replicas * point.domains_per_replica


def rack_class(racks: int, racks_per_row: Fraction) -> str:
    """Distance class of cables that stay within a domain of ``racks`` racks."""
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


def count_scale_up(pair: Pair, wiring: Wiring, domains: int) -> Count:
    """Count the scale-up boundary of all domains of a pool."""
    a, size = wiring.accelerator, wiring.size
    hosts = domains * size // a.host
    if pair.lower.construction == "backplane":
        trunks = [(domains, size * wiring.wired)]
    else:
        trunks = [(hosts, a.host * share) for share in wiring.shares]
    return count_links(
        pair,
        a.port_gbps,
        lower_boxes=[(hosts, a.host * wiring.wired)],
        upper_boxes=[(domains, size * share) for share in wiring.shares],
        trunks=trunks,
    )


def hall_of(rack: Rack, host: int, size: int, domains: int, watts: Fraction) -> Hall | None:
    """Fill racks with hosts of accelerators that take ``watts`` each; None if not one host fits."""
    per_rack = min(floor(rack.power_kw * 1000 / (host * watts)), rack.accelerators // host)
    if per_rack < 1:
        return None
    hosts = size // host
    racks_per_domain = ceil_div(hosts, per_rack)
    racks = domains * racks_per_domain if racks_per_domain > 1 else ceil_div(domains, per_rack // hosts)
    return Hall(per_rack, racks_per_domain, racks)


def bases(task: Task, pool: str, peak: Fraction) -> Iterator[Base]:
    """List every way to build one pool up to its NIC ports."""
    parts, sale, instance = task.parts, task.sale, task.instance
    offers = list(wirings(sale, instance))
    for point in parts.points:
        if point.pool != pool:
            continue
        replicas, domains = domain_count(point, peak)
        for wiring in offers:
            a = wiring.accelerator
            if (a.id, wiring.size) != (point.accelerator, point.size):
                continue
            if point.scale_up_need > wiring.usable_gbps:
                continue
            for pair in pairs(sale, Box((a.lane_gbps,)), Box.of(wiring.switch), a.port_gbps):
                for name, nics in a.nics:
                    if name not in sale.nics or nics * sale.nics[name].rate < point.least_nic_gbps:
                        continue
                    base = _base(task, point, wiring, pair, sale.nics[name], nics, replicas, domains)
                    if base is not None:
                        yield base


def _base(
    task: Task,
    point: Point,
    wiring: Wiring,
    pair: Pair,
    nic: Nic,
    nics: int,
    replicas: int,
    domains: int,
) -> Base | None:
    parts, sale, site, instance = task.parts, task.sale, task.site, task.instance
    a, size, switch = wiring.accelerator, wiring.size, wiring.switch
    assert a.tdp is not None and nic.power is not None
    ends = purchase(site, pair, a.port_gbps, Fraction(0), count_scale_up(pair, wiring, 1)).watts
    own_watts = a.tdp + bare_overhead(parts, a)
    watts = own_watts + nics * nic.power + wiring.planes * switch.watts / size + ends / size
    hall = hall_of(parts.facility.racks[a.rack], a.host, size, domains, watts)
    if hall is None:
        return None
    placement = pair.lower.placement
    if placement == "board" and size != a.host:
        return None
    if placement == "rack" and hall.racks_per_domain != 1:
        return None
    name = rack_class(hall.racks_per_domain, parts.facility.racks_per_row)
    length = length_of(parts, instance, "board" if placement == "board" else name)
    if instance.site.lengths.scale_up_m is not None:
        length = exact(instance.site.lengths.scale_up_m)
    if not reaches(pair, length):
        return None
    count = count_scale_up(pair, wiring, domains)
    duty = Duty(parts.facility.lost_hour * installed_price(parts, a), point.replica)
    number, planes = domains * size, domains * wiring.planes
    sums = total(
        [
            Sums(capex=number * installed_price(parts, a), watts=number * own_watts),
            Sums(capex=number * nics * known(nic.price), watts=number * nics * nic.power),
            buy(switch, planes),
            purchase(site, pair, a.port_gbps, length, count),
            host_failures(site, duty, a, bare_price(parts, a), number, nic, number * nics),
            box_repairs(sale, site, switch, planes, scale_up=True),
            box_losses(sale, site, duty, switch, planes, size, scale_up=True),
            near_failures(site, duty, pair, count, (1, 1), size),
        ]
    )
    return Base(point, wiring, pair, length, nic, nics, replicas, domains, hall, count, duty, sums)
