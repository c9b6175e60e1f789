"""Cross-checks of accelerator, switch, link and NIC rows."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, prod
from typing import TYPE_CHECKING

from designer.catalogue.figures import LEVELS, Figure
from designer.catalogue.finding import Finding, agrees, broken, remark, whole_lanes
from designer.catalogue.prices import (
    bare_accelerator_usd,
    bare_overhead_w,
    domain_links_usd,
    domain_switches_usd,
    first_nic_usd,
)
from designer.catalogue.schema import Accelerator, Link, Nic, Switch, VendorDomain

if TYPE_CHECKING:
    from designer.catalogue.loading import Catalogue

# Published rates are rounded: 10.752 is printed as 10.75 Tb/s.
RATE_TOLERANCE = 0.005
AFR_PER_FIT = 8.76e-6
# Box swaps per year are rounded to two digits in the file.
ENGINE_TOLERANCE = 0.05


def check_accelerator(catalogue: Catalogue, row: Accelerator) -> Iterator[Finding]:
    """Compare an accelerator's ports, NICs, prices and watts with one another."""
    where = f"accelerators.{row.id}"
    yield from _ports(where, row)
    yield from _nics(catalogue, where, row)
    yield from _vendor_domain(catalogue, where, row)
    yield from _money(catalogue, where, row)
    hard, hits = row.afr_hard.mid, row.job_interrupt_per_year.mid
    if hard is not None and hits is not None and hard > hits:
        says = f"{hard:g} replacements are not within {hits:g} interrupts per year"
        yield broken("failures", f"{where}.afr_hard", says)
    if row.price_scope == "rack_share":
        yield from _rack_power(catalogue, where, row)


def _rack_power(catalogue: Catalogue, where: str, row: Accelerator) -> Iterator[Finding]:
    """A rack that cannot feed its own accelerators keeps the vendor's domain off the market at that level."""
    rack = catalogue.racks[row.rack]
    for level in LEVELS:
        slots, limit = rack.accelerators.at(level), rack.power_limit_kw.at(level)
        watts, overhead = row.tdp_w.at(level), row.host_overhead_w_per_accel.at(level)
        if slots is None or limit is None or watts is None or overhead is None:
            continue
        full_kw = slots * (watts + overhead) / 1000
        if full_kw > limit:
            says = f"{slots:g} accelerators draw {full_kw:.1f} kW at {level}, rack {row.rack} is given {limit:g} kW"
            yield remark("rack power", where, says)


def _ports(where: str, row: Accelerator) -> Iterator[Finding]:
    up = row.scale_up
    total, ports, port = up.gbs_per_dir.mid, up.ports.mid, up.port_gbps.mid
    lanes, lane = up.lanes_per_port.mid, up.lane_gbps.mid
    if lanes is not None and lane is not None and port is not None and not agrees(lanes * lane, port, RATE_TOLERANCE):
        says = f"{lanes:g} lanes x {lane:g} Gb/s are not {port:g} Gb/s (0.5 %)"
        yield broken("lanes", f"{where}.scale_up.port_gbps", says)
    if total is None or ports is None:
        return
    usable = total * 8
    raw = ports * port if port is not None else None
    if raw is None and lanes is not None and lane is not None:
        raw = ports * lanes * lane
    if raw is None or agrees(raw, usable, RATE_TOLERANCE):
        return
    if usable > raw:
        says = f"{total:g} GB/s are more than all ports carry, {raw / 8:g} GB/s"
        yield broken("ports", f"{where}.scale_up.gbs_per_dir", says)
    else:
        says = f"usable {total:g} GB/s of raw {raw / 8:g} GB/s: the usable figure rules"
        yield remark("ports", f"{where}.scale_up.gbs_per_dir", says)


def _nics(catalogue: Catalogue, where: str, row: Accelerator) -> Iterator[Finding]:
    low, high = row.scale_out_nic_gbps.at("low"), row.scale_out_nic_gbps.at("high")
    for place, option in enumerate(row.nic_options):
        rate = option.count * catalogue.nics[option.nic].rate_gbps
        if low is None or high is None or low * (1 - RATE_TOLERANCE) <= rate <= high * (1 + RATE_TOLERANCE):
            continue
        says = f"{option.count} x {option.nic} = {rate:g} Gb/s, outside {low:g} to {high:g}"
        yield broken("nic options", f"{where}.nic_options[{place}]", says)
    if not row.nic_options and not row.sealed:
        yield remark("nic options", where, "no NIC may be chosen, so no scale-out fabric can be built")


def _vendor_domain(catalogue: Catalogue, where: str, row: Accelerator) -> Iterator[Finding]:
    speaks = catalogue.compatibility.switches_for(row.scale_up.protocol)
    domain = row.vendor_domain
    if not row.sealed and not speaks:
        yield broken("protocol", where, f"not sealed, but no switch speaks {row.scale_up.protocol}")
    if domain is None:
        if row.sealed:
            yield broken("vendor domain", where, "sealed, but the vendor's domain is not given")
        return
    at = f"{where}.vendor_domain"
    most = row.scale_up.max_domain.at("high")
    if most is not None and domain.size > most:
        yield broken("vendor domain", at, f"size {domain.size} is beyond the announced {most:g}")
    if domain.size > row.accelerators_per_host and domain.size % row.accelerators_per_host:
        yield broken("vendor domain", at, f"size {domain.size} is not whole hosts of {row.accelerators_per_host}")
    yield from _direct(at, domain, row.accelerators_per_host)
    if domain.switch is None:
        return
    switch = catalogue.switches[domain.switch]
    if switch.id not in speaks:
        yield broken("protocol", at, f"{switch.id} does not speak {row.scale_up.protocol}")
    if switch.available_from > row.available_from:
        says = f"{switch.id} from {switch.available_from}, after the accelerator, {row.available_from}"
        yield broken("dates", at, says)
    planes = switch.planes_per_domain.mid if switch.planes_per_domain else None
    if planes is not None and domain.planes is not None and planes != domain.planes and domain.size > 8:
        yield broken("vendor domain", at, f"{domain.planes} planes here, {planes:g} in the switch row")
    ports, rate = row.scale_up.ports.mid, row.scale_up.port_gbps.mid
    if ports is None or rate is None or domain.planes is None:
        return
    radix = switch.radix_by_port_gbps.get(round(rate))
    needed = ceil(ports / domain.planes) * domain.size
    if radix is None:
        yield broken("vendor domain", at, f"{switch.id} has no ports of {rate:g} Gb/s")
    elif needed > radix:
        yield broken("vendor domain", at, f"{needed} ports needed on each {switch.id}, it has {radix}")


def _direct(at: str, domain: VendorDomain, per_host: int) -> Iterator[Finding]:
    if domain.size == 1 and (domain.direct != "mesh" or per_host != 1):
        yield broken("vendor domain", at, 'a domain of 1 stands alone: direct = "mesh", accelerators_per_host = 1')
    if domain.direct is not None and domain.switch is not None:
        yield broken("vendor domain", at, f"joined directly ({domain.direct}), yet it has the switch {domain.switch}")
    if domain.direct == "torus":
        if prod(domain.dims) != domain.size or len(domain.dims) < 2:
            yield broken("vendor domain", f"{at}.dims", f"{list(domain.dims)} is no torus of {domain.size}")
    elif domain.dims or domain.larger_by_ocs:
        yield broken("vendor domain", at, "dims and larger_by_ocs belong to a torus")


def _money(catalogue: Catalogue, where: str, row: Accelerator) -> Iterator[Finding]:
    has_host = "host" in row.price_contains
    if has_host and row.host_price_usd is not None:
        yield broken("price contents", f"{where}.host_price_usd", "the price already contains the host")
    if not has_host and row.host_price_usd is None:
        yield broken("price contents", f"{where}.host_price_usd", "the price has no host: its price, or unknown")
    for level in LEVELS:
        price = row.price_usd.at(level)
        system = row.system_price_usd_per_accel
        if price is not None and system is not None and (system.at(level) or price) < price:
            yield broken("price order", f"{where}.system_price_usd_per_accel", f"below price_usd at {level}")
        if price is None or not _parts_known(catalogue, row, level):
            continue
        if bare_accelerator_usd(catalogue, row, level) is None:
            says = f"the parts it contains cost more than {price:g} USD at {level}"
            yield broken("bare price", f"{where}.price_usd", says)
    if not row.sealed:
        if bare_accelerator_usd(catalogue, row, "mid") is None:
            yield remark("bare price", where, "cannot be bought: a needed price is not known")
        if row.host_overhead_w_per_accel.known and bare_overhead_w(catalogue, row, "mid") is None:
            says = "the parts it contains draw more than it, or are not known"
            yield broken("bare watts", f"{where}.host_overhead_w_per_accel", says)


def _parts_known(catalogue: Catalogue, row: Accelerator, level: str) -> bool:
    at = next(name for name in LEVELS if name == level)
    contains = row.price_contains
    return not (
        ("scale_up_switch" in contains and domain_switches_usd(catalogue, row, at) is None)
        or ("scale_up_link" in contains and domain_links_usd(catalogue, row, at) is None)
        or ("nic" in contains and first_nic_usd(catalogue, row, at) is None)
    )


def check_switch(catalogue: Catalogue, row: Switch) -> Iterator[Finding]:
    """Compare a switch's lanes, ports and capacity, and what its price scope requires."""
    where = f"switches.{row.id}"
    capacity, lanes, lane = row.capacity_tbps.mid, row.lanes.mid, row.lane_gbps.mid
    if capacity is None and not row.rate_agnostic:
        yield remark("capacity", where, "capacity not known")
    summed = None if lanes is None or lane is None else lanes * lane / 1000
    if capacity is not None and summed is not None and not agrees(summed, capacity, RATE_TOLERANCE):
        yield broken("lanes", f"{where}.capacity_tbps", f"all lanes carry {summed:g}, not {capacity:g} Tb/s (0.5 %)")
    for rate, ports in row.radix_by_port_gbps.items():
        at = f"{where}.radix_by_port_gbps.{rate}"
        if lane is not None and not whole_lanes(rate, lane, RATE_TOLERANCE):
            yield broken("lanes", at, f"{rate} Gb/s are not whole lanes of {lane:g} Gb/s")
        if capacity is None or row.rate_agnostic:
            continue
        used = rate * ports / 1000
        if used > capacity * (1 + RATE_TOLERANCE):
            yield broken("radix", at, f"{ports} ports carry {used:g} Tb/s, capacity is {capacity:g}")
        elif used < capacity * (1 - RATE_TOLERANCE):
            says = f"{ports} ports use {used:g} of {capacity:g} Tb/s: the breakout is the limit"
            yield remark("radix", at, says)
    if (row.price_scope == "chip") != (row.tray_adders is not None):
        yield broken("price scope", where, "a chip row has tray adders, a system row has none")
    if (row.role == "scale_out") != (row.family is not None):
        yield broken("family", where, "scale-out switches have a family, scale-up switches none")
    yield from _engines(catalogue, where, row)


def _engines(catalogue: Catalogue, where: str, row: Switch) -> Iterator[Finding]:
    if row.cpo != (row.cpo_link is not None) or row.cpo != (row.oe_box_swap_per_year is not None):
        yield broken("cpo", where, "a CPO row names its cpo_link and its box swaps per year, another row does not")
        return
    if row.cpo_link is None or row.oe_box_swap_per_year is None:
        return
    link = catalogue.links[row.cpo_link]
    if link.cpo_parts is None:
        yield broken("cpo", f"{where}.cpo_link", f"{link.id} has no cpo_parts")
        return
    if row.lane_gbps.mid is not None and row.lane_gbps.mid != link.lane_gbps:
        yield broken("cpo", f"{where}.cpo_link", f"lanes of {link.lane_gbps:g} Gb/s, not {row.lane_gbps.mid:g}")
    capacity = row.capacity_tbps.mid
    for level in LEVELS:
        stated, fit = row.oe_box_swap_per_year.at(level), link.cpo_parts.oe_fit_per_end.at(level)
        if capacity is None or stated is None or fit is None:
            continue
        expected = fit * AFR_PER_FIT * capacity * 1000 / link.rate_gbps
        if not agrees(stated, expected, ENGINE_TOLERANCE):
            says = f"stated {stated:g} at {level}, engines of {link.id} give {expected:.3g} (5 %)"
            yield broken("cpo", f"{where}.oe_box_swap_per_year", says)


def check_link(row: Link) -> Iterator[Finding]:
    """Compare a link's lanes and rate, price per cable and per end, FIT and annual failure rate."""
    where = f"links.{row.id}"
    if not agrees(row.lanes * row.lane_gbps, row.rate_gbps, RATE_TOLERANCE):
        says = f"{row.lanes} lanes x {row.lane_gbps:g} Gb/s are not {row.rate_gbps:g} Gb/s (0.5 %)"
        yield broken("lanes", f"{where}.rate_gbps", says)
    if row.lane_gbps not in row.host_lane_gbps:
        yield broken("lanes", f"{where}.host_lane_gbps", f"does not list its own lane rate {row.lane_gbps:g}")
    rate, fit = row.afr_hard_per_end, row.fit_per_end
    yield from _each_level(where, "afr_hard_per_end", rate, fit, AFR_PER_FIT, "fit x 8.76e-6")
    if row.price_usd_per_cable is not None:
        cable = row.price_usd_per_cable
        yield from _each_level(where, "price_usd_per_end", row.price_usd_per_end, cable, 0.5, "half the cable")
    if (row.tech == "cpo") != (row.cpo_parts is not None):
        yield broken("cpo", where, "cpo rows have cpo_parts, other rows none")
    if row.cpo_parts is not None:
        parts = row.cpo_parts
        for level in LEVELS:
            engine, laser, share = (
                parts.oe_fit_per_end.at(level),
                parts.els_fit_per_module.at(level),
                parts.els_modules_per_end.at(level),
            )
            stated = row.fit_per_end.at(level)
            if engine is None or laser is None or share is None or stated is None:
                continue
            if not agrees(stated, engine + laser * share, RATE_TOLERANCE):
                says = f"stated {stated:g} at {level}, engine and laser share give {engine + laser * share:g}"
                yield broken("cpo", f"{where}.fit_per_end", says)
    optical = row.construction in ("module+fibre", "engine+els+fibre")
    if optical and (row.interop_class is None or row.fibres.count == 0):
        yield broken("optics", where, "modules and engines have an interop_class and fibres")


def _each_level(where: str, key: str, value: Figure, base: Figure, factor: float, rule: str) -> Iterator[Finding]:
    for level in LEVELS:
        stated, origin = value.at(level), base.at(level)
        if stated is None or origin is None or agrees(stated, origin * factor, RATE_TOLERANCE):
            continue
        says = f"stated {stated:g} at {level}, {rule} gives {origin * factor:g} (0.5 %)"
        yield broken("derived", f"{where}.{key}", says)


def check_nic(row: Nic) -> Iterator[Finding]:
    """Compare a NIC's rate with its lane rates and the ports it may be split into."""
    for lane in row.lane_gbps_options:
        if not whole_lanes(row.rate_gbps, lane, RATE_TOLERANCE):
            says = f"{row.rate_gbps:g} Gb/s are not whole lanes of {lane:g} Gb/s"
            yield broken("lanes", f"nics.{row.id}.lane_gbps_options", says)
    if 1 not in row.plane_options:
        yield broken("planes", f"nics.{row.id}.plane_options", "a NIC can always be one port: 1 is missing")
    for ports in row.plane_options:
        if not any(whole_lanes(row.rate_gbps / ports, lane, RATE_TOLERANCE) for lane in row.lane_gbps_options):
            says = f"{row.rate_gbps:g} Gb/s over {ports} ports are not whole lanes of any of its lane rates"
            yield broken("planes", f"nics.{row.id}.plane_options", says)
