"""Scale-up domains that can be built: size, switch, planes, cable, NIC (``docs/rules.md`` sections 3-5)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from designer.candidates.cables import Counts, LinkPair, Place, Port, allowed_pairs, ceil_div, edge_load
from designer.candidates.parts import AcceleratorPart, Economy, LinkPart, NicPart, SwitchPart
from designer.candidates.terms import Event, Load
from designer.instance.schema import Choose, Pins

STANDARD_SIZES = (2, 4, 8, 16, 32, 36, 64, 72, 96, 128, 144, 192, 256, 384, 512, 576)


@dataclass(frozen=True)
class DomainDesign:
    """One way to build a scale-up domain; ``load`` and ``counts`` are per domain, NICs included in ``load``.

    ``shares[j]`` ports of every accelerator go to plane ``j``; ``usable_gbps`` counts the smallest share on every
    plane. ``hosts_per_rack``, ``racks_per_domain`` and ``domains_per_rack`` follow from watts and slots.
    """

    accelerator: AcceleratorPart
    size: int
    switch: SwitchPart
    shares: tuple[int, ...]
    usable_gbps: int
    nic: NicPart
    nics: int
    pair: LinkPair
    counts: Counts
    length_m: float
    hosts_per_rack: int
    racks_per_domain: int
    domains_per_rack: int
    load: Load

    @property
    def nic_gbps(self) -> int:
        """Gb/s of all NICs of an accelerator, one direction."""
        return self.nics * self.nic.rate_gbps


def length_class(racks: int, racks_per_row: int, *, own_rack: bool) -> str:
    """Name the distance class that spans ``racks`` racks; ``own_rack``: both ends may stand in one rack."""
    if own_rack:
        if racks == 1:
            return "in_rack"
        racks -= 1
    if racks == 1:
        return "adjacent_rack"
    if racks <= 3:
        return "three_racks_away"
    limit = racks_per_row - 1 if own_rack else racks_per_row
    return "row" if racks <= limit else "hall"


def split(ports: int, planes: int) -> tuple[int, ...]:
    """Stripe ports over planes; shares differ by at most one, larger ones first.

    Examples
    --------
    >>> split(18, 4)
    (5, 5, 4, 4)
    """
    small, extra = divmod(ports, planes)
    return (small + 1,) * extra + (small,) * (planes - extra)


def wired_ports(accelerator: AcceleratorPart, choose: Choose) -> tuple[int, ...]:
    """Distinct numbers of wired ports that the shares of the instance allow."""
    shares = (1.0,) if accelerator.sealed else choose.scale_up_shares
    return tuple(sorted({max(1, math.floor(Fraction(repr(s)) * accelerator.ports)) for s in shares}))


def sizes(accelerator: AcceleratorPart, switches: Sequence[SwitchPart], choose: Choose, pin: Pins) -> tuple[int, ...]:
    """Domain sizes worth building for one accelerator, ascending."""
    limit = math.inf if accelerator.id in choose.beyond_announced else accelerator.max_domain
    found: set[int] = set()
    if choose.domain_sizes is not None:
        found |= set(choose.domain_sizes)
    else:
        found |= set(STANDARD_SIZES) | {accelerator.max_domain}
        if accelerator.vendor_domain is not None:
            found.add(accelerator.vendor_domain[0])
        for ports in wired_ports(accelerator, choose):
            for switch in switches:
                for planes in range(1, ports + 1):
                    most = switch.radix[accelerator.port_gbps] // ceil_div(ports, planes)
                    found.add(most - most % accelerator.per_host)
    if pin.domain_size is not None:
        found &= {pin.domain_size}
    if accelerator.sealed and accelerator.vendor_domain is not None:
        found &= {accelerator.vendor_domain[0]}
    return tuple(sorted(s for s in found if 2 <= s <= limit and s % accelerator.per_host == 0))


def build_domains(
    accelerator: AcceleratorPart,
    switches: dict[str, SwitchPart],
    links: Sequence[LinkPart],
    choose: Choose,
    pin: Pins,
    economy: Economy,
) -> Iterator[DomainDesign]:
    """Yield every domain that the rules allow for one accelerator."""
    fitting = [switches[name] for name in accelerator.switches if name in switches]
    fitting = [s for s in fitting if accelerator.port_gbps in s.radix]
    for size in sizes(accelerator, fitting, choose, pin):
        for switch in fitting:
            for ports in wired_ports(accelerator, choose):
                for planes in _planes(accelerator, size, switch, ports):
                    shares = split(ports, planes)
                    for nic, nics in accelerator.nic_options:
                        yield from _with_links(accelerator, size, switch, shares, nic, nics, links, economy)


def _planes(accelerator: AcceleratorPart, size: int, switch: SwitchPart, ports: int) -> Iterator[int]:
    vendor = accelerator.vendor_domain
    if vendor is not None and (size, switch.id) == vendor[:2]:
        counts: Sequence[int] = (vendor[2],)
    elif accelerator.sealed:
        counts = ()
    else:
        counts = range(1, ports + 1)
    radix = switch.radix[accelerator.port_gbps]
    for planes in counts:
        if planes <= ports and size * ceil_div(ports, planes) <= radix:
            yield planes


def _with_links(
    accelerator: AcceleratorPart,
    size: int,
    switch: SwitchPart,
    shares: tuple[int, ...],
    nic: NicPart,
    nics: int,
    links: Sequence[LinkPart],
    economy: Economy,
) -> Iterator[DomainDesign]:
    host = accelerator.per_host
    hosts = size // host
    rate = accelerator.port_gbps
    lower = Port(frozenset({accelerator.lane_gbps}))
    upper = Port(frozenset({switch.lane_gbps}), switch)
    places: frozenset[Place] = frozenset({"cable", "rack", "board"})
    # The length depends on the racks, these on the watts of the cable ends: so pairs are tried at length 0 first.
    for pair in allowed_pairs(links, lower, upper, rate, 0.0, places):
        if pair.lower.placement == "board" and size != host:
            continue
        counts = _counts(pair, size, host, shares, rate)
        cables = edge_load(pair, counts, rate, 0.0, (1, 1), size, economy)
        per_accelerator = accelerator.watts + nics * nic.watts + (len(shares) * switch.watts + cables.watts) / size
        fit = min(math.floor(accelerator.rack_watts / (host * per_accelerator) + 1e-9), accelerator.rack_slots // host)
        if fit < 1:
            continue
        racks = ceil_div(hosts, fit)
        if pair.lower.placement == "rack" and racks != 1:
            continue
        if pair.lower.placement == "board":
            length = economy.lengths_m["board"]
        else:
            length = economy.lengths_m[length_class(racks, economy.racks_per_row, own_rack=True)]
        length = economy.forced_m.get("scale_up", length)
        if min(pair.lower.reach_m, pair.upper.reach_m) < length:
            continue
        cables = edge_load(pair, counts, rate, length, (1, 1), size, economy)
        load = _boxes(accelerator, size, switch, len(shares), nic, nics, economy) + cables
        yield DomainDesign(
            accelerator=accelerator,
            size=size,
            switch=switch,
            shares=shares,
            usable_gbps=len(shares) * min(shares) * rate,
            nic=nic,
            nics=nics,
            pair=pair,
            counts=counts,
            length_m=length,
            hosts_per_rack=fit,
            racks_per_domain=racks,
            domains_per_rack=fit // hosts if racks == 1 else 0,
            load=load,
        )


def _counts(pair: LinkPair, size: int, host: int, shares: tuple[int, ...], rate: int) -> Counts:
    hosts, ports = size // host, sum(shares)
    links = size * ports
    if pair.lower.kind == "backplane":
        cables = ceil_div(links * rate, pair.lower.rate_gbps)
        return Counts(links, cables, cables, cables)
    if pair.lower.kind == "cable":
        cables = hosts * sum(ceil_div(host * share * rate, pair.lower.rate_gbps) for share in shares)
        return Counts(links, cables, cables, cables)
    lower = hosts * ceil_div(host * ports * rate, pair.lower.rate_gbps)
    upper = sum(ceil_div(size * share * rate, pair.upper.rate_gbps) for share in shares)
    return Counts(links, links, lower, upper)


def _boxes(
    accelerator: AcceleratorPart, size: int, switch: SwitchPart, planes: int, nic: NicPart, nics: int, economy: Economy
) -> Load:
    tray_labour = economy.labour_usd_per_h * economy.tray_mttr_h
    host = accelerator.per_host
    chips = Load(
        size * accelerator.installed_usd,
        size * accelerator.watts,
        0.0,
        size * accelerator.afr_hard * (accelerator.bare_usd * economy.part_share + tray_labour),
        size * accelerator.afr_hard,
        (
            Event(0, size * accelerator.interrupts, 0.0),
            Event(host, 0.0, size * accelerator.afr_hard * economy.tray_mttr_h),
        ),
    )
    cards = size * nics
    failures = cards * nic.afr_hard
    network_cards = Load(
        cards * nic.usd,
        cards * nic.watts,
        0.0,
        failures * (nic.usd * economy.part_share + tray_labour),
        failures,
        (Event(0, failures, 0.0), Event(host, 0.0, failures * economy.tray_mttr_h)),
    )
    labour = economy.labour_usd_per_h * economy.switch_tray_mttr_h
    return chips + network_cards + box_load(switch, size, economy.switch_tray_mttr_h, labour, economy).times(planes)


def box_load(switch: SwitchPart, behind: int, mttr_h: float, labour_usd: float, economy: Economy) -> Load:
    """Load of one switch whose loss takes down the ``behind`` accelerators below it (scale-up plane, leaf)."""
    part = switch.usd * economy.part_share
    events = [
        Event(behind, switch.outage, switch.afr_hard * mttr_h),
    ]
    repairs = switch.afr_hard * (part + labour_usd)
    hard = switch.afr_hard
    if switch.cpo:
        lasers = switch.lasers * switch.laser_rate
        fed = ceil_div(behind, switch.lasers)
        events.append(Event(behind, switch.box_swaps, switch.box_swaps * switch.box_mttr_h))
        events.append(Event(fed, lasers, lasers * switch.laser_mttr_h))
        repairs += switch.box_swaps * (part + labour_usd)
        repairs += lasers * (economy.laser_usd * economy.part_share + economy.module_swap_usd)
        hard += switch.box_swaps + lasers
    return Load(switch.usd, switch.watts, 0.0, repairs, hard, tuple(events))
