"""Every scale-up domain that can be built for an accelerator, with its NICs, in its racks (``docs/rules.md`` 3, 4)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from designer.candidates.cables import as_pinned, ceil_div
from designer.candidates.clos import two_stages
from designer.candidates.direct import direct_domains
from designer.candidates.frame import Frame, first_pairs, first_stage, framed, second_pairs, second_stage
from designer.candidates.parts import AcceleratorPart, Economy, LinkPart, NicPart, SwitchPart
from designer.candidates.planes import one_stage, sizes, wired_ports
from designer.candidates.scale_up import (
    DomainDesign,
    Network,
    SecondStage,
    length_class,
    network_hours,
    network_load,
    network_watts,
)
from designer.candidates.shortlist import shortlist
from designer.candidates.spares import host_hours
from designer.candidates.terms import Event, Load
from designer.candidates.weights import Weights
from designer.instance.schema import Choose, Pins


def build_domains(
    accelerator: AcceleratorPart,
    switches: dict[str, SwitchPart],
    links: Sequence[LinkPart],
    choose: Choose,
    pin: Pins,
    economy: Economy,
    weights: Weights | None = None,
    *,
    outages: bool = False,
) -> Iterator[DomainDesign]:
    """Yield every domain that the rules allow for one accelerator, or with ``weights`` those that no other beats.

    With weights, `reduce_domains` keeps the same ones as of all; thousands that it would drop are never built.
    ``outages``: it matters for how long a domain is down.
    """
    for network in direct_domains(accelerator, choose, pin) if 0 in choose.spare_planes else ():
        yield from _with_nics(accelerator, network, accelerator.nic_options, economy)
    every = frames(accelerator, switches, choose, pin)
    if weights is not None:
        for network, options in shortlist(accelerator, list(every), links, economy, weights, outages=outages):
            yield from _with_nics(accelerator, network, options, economy)
        return
    for frame in every:
        for network in networks(frame, links, economy.pinned_links.get("scale_up")):
            yield from _with_nics(accelerator, network, accelerator.nic_options, economy)


def frames(accelerator: AcceleratorPart, switches: dict[str, SwitchPart], choose: Choose, pin: Pins) -> Iterator[Frame]:
    """Yield the switches of every domain of one or two stages."""
    fitting = [switches[name] for name in accelerator.switches if name in switches]
    fitting = [s for s in fitting if accelerator.port_gbps in s.radix]
    for size in sizes(accelerator, fitting, choose, pin):
        for ports in wired_ports(accelerator, choose):
            found: list[Frame] = []
            if 1 in choose.scale_up_stages:
                for switch in fitting:
                    found += one_stage(accelerator, size, switch, ports, choose.spare_planes)
            if 2 in choose.scale_up_stages and 0 in choose.spare_planes:
                found += two_stages(accelerator, size, ports, fitting)
            yield from (frame for frame in found if pin.scale_up_planes in (None, frame.planes))


def networks(frame: Frame, links: Sequence[LinkPart], pinned: str | None = None) -> Iterator[Network]:
    """Yield a frame with every pair of link rows at each of its boundaries, whatever the lengths; ``pinned`` is that of
    the first."""
    uppers: list[SecondStage | None] = [None]
    if frame.second is not None:
        uppers = [second_stage(frame, pair) for pair in second_pairs(frame.first, frame.second, frame.port_gbps, links)]
    if not uppers:
        return
    for pair in first_pairs(frame.accelerator, frame.first, links):
        if not as_pinned(pair, pinned):
            continue
        if pair.lower.placement != "board" or frame.group == frame.accelerator.per_host:
            lower = first_stage(frame, pair)
            for upper in uppers:
                yield framed(frame, lower, upper)


def _with_nics(
    accelerator: AcceleratorPart, network: Network, options: Sequence[tuple[NicPart, int]], economy: Economy
) -> Iterator[DomainDesign]:
    """Yield a network with every NIC option with which it fits its racks and cables."""
    watts = network_watts(network, economy)
    hosts = network.size // accelerator.per_host
    loads: dict[tuple[float, ...], Load] = {}
    out_h = network_hours(network, economy)
    for nic, nics in options:
        placed = _placed(accelerator, network, watts, nic, nics, economy)
        if placed is None:
            continue
        fit, racks, lengths = placed
        if lengths not in loads:
            loads[lengths] = network_load(network, lengths, economy)
        yield DomainDesign(
            accelerator=accelerator,
            network=network,
            nic=nic,
            nics=nics,
            lengths_m=lengths,
            hosts_per_rack=fit,
            racks_per_domain=racks,
            domains_per_rack=fit // hosts if racks == 1 else 0,
            load=_hosts(accelerator, network.size, nic, nics, economy) + loads[lengths],
            out_h=out_h + host_hours(accelerator, network.size, nic, nics, economy),
        )


def _placed(
    accelerator: AcceleratorPart, network: Network, watts: float, nic: NicPart, nics: int, economy: Economy
) -> tuple[int, int, tuple[float, ...]] | None:
    """Hosts per rack, racks per domain and lengths; None where the domain does not fit its racks or cables."""
    host = accelerator.per_host
    per_accelerator = accelerator.watts + nics * nic.watts + watts / network.size
    fit = min(math.floor(accelerator.rack_watts / (host * per_accelerator) + 1e-9), accelerator.rack_slots // host)
    if fit < 1:
        return None
    racks = ceil_div(network.size // host, fit)
    lengths: list[float] = []
    if network.lower is not None:
        pair, together = network.lower.pair, ceil_div(network.lower.group // host, fit)
        if pair.lower.placement == "rack" and together != 1:
            return None
        own = "board" if pair.lower.placement == "board" else _class(together, economy)
        lengths.append(economy.forced_m.get("scale_up", economy.lengths_m[own]))
        if min(pair.lower.reach_m, pair.upper.reach_m) < lengths[0]:
            return None
    if network.upper is not None:
        pair = network.upper.pair
        lengths.append(economy.forced_m.get("scale_up_upper", economy.lengths_m[_class(racks, economy)]))
        if min(pair.lower.reach_m, pair.upper.reach_m) < lengths[1]:
            return None
    return fit, racks, tuple(lengths)


def _class(racks: int, economy: Economy) -> str:
    return length_class(racks, economy.racks_per_row, own_rack=True)


def _hosts(accelerator: AcceleratorPart, size: int, nic: NicPart, nics: int, economy: Economy) -> Load:
    """Accelerators with host, rack and front end, and their NICs."""
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
        units=tuple(size * unit for unit in accelerator.units),
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
        units=tuple(cards * unit for unit in nic.units),
    )
    return chips + network_cards + Load(size * (economy.front_end_usd or 0.0), size * (economy.front_end_w or 0.0))
