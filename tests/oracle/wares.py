"""Random parts: tiny catalogues with the traits that make designs differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

from oracle.draw import Draw
from oracle.parts import Accelerator, Facility, Link, Nic, Rack, Switch, ceil_div

PROTOCOLS = ("wire-a", "wire-b")
LANES = (100, 200)
FAMILIES = ("Ethernet", "InfiniBand")


def release(draw: Draw) -> tuple[str, str]:
    """Status and date of a part; nearly all are for sale."""
    if draw.chance(0.05):
        return draw.one((("announced", "2026-Q1"), ("shipping", "2027-Q2"), ("future", "2028-Q1")))
    return draw.one((("shipping", "2024-Q1"), ("ramping", "2026-Q4"), ("shipping", "2025-Q3")))


def perhaps_unknown(draw: Draw, value: Fraction) -> Fraction | None:
    """Hide a figure now and then."""
    return None if draw.chance(0.03) else value


@dataclass(frozen=True)
class Traits:
    """What a question is to exercise, besides the ordinary; each of them may hold or not."""

    two_stages: bool = False
    direct: bool = False
    rails: bool = False
    planes: bool = False


def random_traits(draw: Draw) -> Traits:
    """Mostly one or two of them."""
    return Traits(*(draw.chance(share) for share in (0.3, 0.3, 0.3, 0.3)))


def random_switches_up(draw: Draw, engines: list[Link], traits: Traits) -> list[Switch]:
    """Scale-up switches: chips with trays, boxes, now and then a co-packaged one."""
    found = []
    small = (((200, 8), (400, 8)), ((200, 6), (400, 8)), ((200, 8), (400, 4)), ((200, 8), (400, 8)))
    for number in range(draw.whole(1, 2 if traits.two_stages else 3)):
        lane = draw.one((*LANES, 100))
        radix = draw.one((((200, 8),), ((200, 16), (400, 8)), ((400, 8),), ((200, 12), (400, 12)), ((400, 16),)))
        if number == 0 and draw.chance(0.7):
            radix = draw.one((((200, 16), (400, 16)), ((200, 12), (400, 8)), ((200, 8), (400, 8))))
        if traits.two_stages and draw.chance(0.8):
            radix = draw.one(small)
        status, date = release(draw)
        chip = draw.chance(0.5)
        switch = Switch(
            id=f"up{number}",
            role="scale_up",
            status=status,
            available_from=date,
            protocol=f"scale-up-{number}",
            speaks=PROTOCOLS if number == 0 else tuple(draw.some(PROTOCOLS, 1, 2)),
            radix=radix,
            lane_gbps=lane,
            price=perhaps_unknown(draw, draw.figure(150, 1500)),
            power=perhaps_unknown(draw, draw.figure(60, 300)),
            price_factor=draw.figure(1.2, 2) if chip else Fraction(1),
            power_factor=draw.figure(1.1, 1.4) if chip else Fraction(1),
            afr=draw.figure(0.005, 0.08, 2),
            outage=perhaps_unknown(draw, draw.figure(0.01, 0.2, 2)),
        )
        found.append(_co_packaged(draw, switch, engines) if engines and draw.chance(0.3) else switch)
    return found


def random_switches_out(draw: Draw, engines: list[Link], radices: tuple[int, ...], traits: Traits) -> list[Switch]:
    """Scale-out switches of mostly one family, with one or two port rates each."""
    family = draw.one(FAMILIES)
    found = []
    for number in range(draw.whole(2, 4)):
        ports = draw.one(radices)
        low = draw.one((200, 200, 400))
        radix = ((low, ports),) if draw.chance(0.3) else ((low, ports), (2 * low, max(2, ports // 2)))
        if number == 0 and draw.chance(0.5):
            radix = ((200, ports), (400, ports))
        if traits.planes and draw.chance(0.5):
            radix = ((100, 2 * ports), (200, ports)) if draw.chance(0.5) else ((100, ports), (200, ports), (400, ports))
        status, date = release(draw)
        switch = Switch(
            id=f"box{number}",
            role="scale_out",
            status=status,
            available_from=date,
            protocol=draw.one(FAMILIES) if draw.chance(0.1) else family,
            speaks=(),
            radix=radix,
            lane_gbps=draw.one((*LANES, 100)),
            price=perhaps_unknown(draw, draw.figure(40, 120) * ports),
            power=perhaps_unknown(draw, draw.figure(8, 30) * ports),
            price_factor=Fraction(1),
            power_factor=Fraction(1),
            afr=draw.figure(0.005, 0.08, 2),
            outage=perhaps_unknown(draw, draw.figure(0.01, 0.2, 2)),
        )
        found.append(_co_packaged(draw, switch, engines) if engines and draw.chance(0.35) else switch)
    return found


def _co_packaged(draw: Draw, switch: Switch, engines: list[Link]) -> Switch:
    engine = draw.one(engines)
    assert switch.price is None or switch.price > 0
    return replace(
        switch,
        id=switch.id + "_cpo",
        price=None if switch.price is None else switch.price + draw.figure(100, 900),
        lane_gbps=engine.lane_gbps if draw.chance(0.9) else switch.lane_gbps,
        cpo_link=engine.id,
        box_swaps=draw.figure(0.01, 0.2, 2),
        lasers=draw.one((2, 3, 4, 8)),
    )


def random_engines(draw: Draw) -> list[Link]:
    """Engine rows of co-packaged switches; their own price, watts and failures are never charged."""
    if draw.chance(0.45):
        return []
    lane = draw.one(LANES)
    return [
        _link(
            draw,
            id="engine",
            construction="engine+els+fibre",
            rate=8 * lane,
            lane_gbps=lane,
            host_lanes=(lane,),
            reach=Fraction(500),
            fibres=16,
            fibre_kind="OS2 MPO",
            interop=f"dr-{lane}",
            cpo=True,
            oe_mttr=draw.figure(4, 20, 2),
            els_mttr=draw.figure(0.5, 4, 2),
            els_fit=draw.figure(200, 90000, 2),
        )
    ]


def random_links(draw: Draw) -> list[Link]:
    """Cables, backplanes and modules: something for most lengths, not always for every one."""
    lane, other = LANES if draw.chance(0.7) else (200, 100)
    both = LANES if draw.chance(0.75) else (lane,)
    rows = [
        _link(draw, id="short", construction="cable", lane_gbps=lane, host_lanes=both, reach=draw.figure(1.5, 5, 2)),
        _module(draw, "dr", lane, LANES if draw.chance(0.7) else (lane,), Fraction(500)),
    ]
    more = [
        _link(draw, id="active", construction="cable", lane_gbps=other, host_lanes=LANES, reach=draw.figure(3, 15, 2)),
        _link(draw, id="aoc", construction="cable", lane_gbps=lane, host_lanes=both, reach=draw.figure(20, 200, 2)),
        replace(
            _link(draw, id="spine", construction="backplane", lane_gbps=lane, host_lanes=both, reach=Fraction(2)),
            placement="rack",
        ),
        replace(
            _link(draw, id="board", construction="backplane", lane_gbps=lane, host_lanes=LANES, reach=Fraction(1)),
            placement="board",
        ),
        _module(draw, "linear", lane, (lane,), draw.figure(30, 500, 2)),
        _module(draw, "sr", lane, LANES, draw.figure(20, 80, 2)),
        _module(draw, "fr", other, LANES, Fraction(2000)),
        _module(draw, "gear", other, LANES, Fraction(500)),
        _module(draw, "wide", 400, LANES, Fraction(500)),
    ]
    return rows + draw.some(more, 1, 4)


def _module(draw: Draw, name: str, lane: int, hosts: tuple[int, ...], reach: Fraction) -> Link:
    interop = f"dr-{lane}" if name in ("dr", "linear", "gear") else f"{name}-{lane}"
    return replace(
        _link(draw, id=name, construction="module+fibre", lane_gbps=lane, host_lanes=hosts, reach=reach),
        fibres=4 if name == "fr" else draw.one((8, 16)),
        fibre_kind="OS2 duplex LC" if name == "fr" else draw.one(("OS2 MPO", "OM4 MPO")),
        interop=None if draw.chance(0.03) else interop,
        price_cable=None,
    )


def _link(draw: Draw, **given: object) -> Link:
    status, date = release(draw)
    lane = given["lane_gbps"]
    assert isinstance(lane, int)
    own: dict[str, object] = {
        "placement": "cable",
        "status": status,
        "available_from": date,
        "rate": lane * draw.one((4, 8, 8, 2)),
        "fibres": 0,
        "fibre_kind": "none",
        "interop": None,
        "price_end": perhaps_unknown(draw, draw.figure(10, 200)),
        "price_cable": draw.figure(20, 300) if draw.chance(0.5) else None,
        "watts_end": draw.figure(0.1, 20, 2),
        "afr_end": draw.figure(0.0001, 0.05, 2),
        "transient": draw.figure(0.01, 0.6, 2),
        "mttr": perhaps_unknown(draw, draw.figure(0.5, 8, 2)),
    }
    if given["construction"] == "backplane":
        own["price_cable"] = None
    return Link(**{**own, **given})  # type: ignore[arg-type]


def random_nics(draw: Draw, traits: Traits) -> list[Nic]:
    """NICs of one or two rates, some of which can be split into ports."""
    found = []
    for number in range(draw.whole(1, 3)):
        status, date = release(draw)
        found.append(
            Nic(
                id=f"nic{number}",
                status=status,
                available_from=date,
                families=FAMILIES if draw.chance(0.8) else (draw.one(FAMILIES),),
                rate=draw.one((200, 400, 400) if traits.planes else (200, 200, 200, 400)),
                lanes=LANES if draw.chance(0.7) else (draw.one(LANES),),
                price=perhaps_unknown(draw, draw.figure(50, 500)),
                power=draw.figure(8, 40, 2),
                afr=draw.figure(0.003, 0.05, 2),
                planes=draw.one(((1, 2), (1, 2, 4), (1, 2), (1,))) if traits.planes or draw.chance(0.2) else (1,),
            )
        )
    return found


def random_accelerators(
    draw: Draw, nics: list[Nic], switches: list[Switch], links: list[Link], traits: Traits
) -> list[Accelerator]:
    """One to three accelerators that differ in ports, hosts, racks and price."""
    found = []
    for number in range(draw.whole(1, 2 if traits.direct else 3)):
        status, date = release(draw)
        host = draw.one((2, 2, 4, 4, 1) if traits.rails else (1, 1, 2, 2, 4))
        a = Accelerator(
            id=f"chip{number}",
            status=status,
            available_from=date,
            access="internal" if draw.chance(0.05) else "merchant",
            host=host,
            price=perhaps_unknown(draw, draw.figure(2000, 6000)),
            price_contains=("host",) if draw.chance(0.4) else (),
            host_price=draw.figure(200, 900),
            tdp=perhaps_unknown(draw, draw.figure(300, 1200)),
            overhead=draw.figure(150, 400),
            power_contains=(),
            afr=draw.figure(0.01, 0.1, 2),
            interrupts=perhaps_unknown(draw, draw.figure(0.05, 0.5, 2)),
            protocol=draw.one(PROTOCOLS),
            ports=draw.whole(1, 3) if traits.two_stages else draw.whole(1, 6),
            port_gbps=draw.one((200, 400)),
            lane_gbps=draw.one((*LANES, 100)),
            max_domain=draw.one((12, 16, 16) if traits.two_stages else (4, 8, 8, 16)),
            rack=draw.one(("small", "large")),
            nics=tuple((nic.id, draw.whole(1, 2)) for nic in draw.some(nics, 1, 2)),
        )
        joined = traits.direct and draw.chance(0.75)
        found.append(_joined(draw, a) if joined else _sold_in_domains(draw, a, nics, switches, links))
    return found


TORI = ((2, 2), (4, 2), (3, 2), (2, 2, 2), (2, 2), (3, 3), (5, 2), (2, 4))


def _joined(draw: Draw, a: Accelerator) -> Accelerator:
    """Join chips to each other; the wiring is paid for in most cases, and their lanes may be unknown."""
    inside: list[str] = []
    sides: tuple[int, ...] = ()
    if draw.chance(0.5):
        size = a.host if a.host > 1 and draw.chance(0.5) else a.host * draw.one((2, 3) if a.host < 3 else (1, 2))
        ports = (size - 1) * draw.whole(1, 2) + draw.one((0, 0, 1))
    else:
        sides = draw.one([sides for sides in TORI if prod(sides) % a.host == 0])
        size, ports = prod(sides), 2 * len(sides) + draw.one((0, 0, 0, 1))
    if draw.chance(0.9):
        inside.append("scale_up_link")
    larger = bool(sides) and draw.chance(0.8)
    if larger and draw.chance(0.9):
        inside.append("scale_up_switch")
    return replace(
        a,
        vendor_size=size,
        direct="torus" if sides else "mesh",
        sides=sides,
        larger=larger,
        ports=ports,
        max_domain=min(24, size * draw.one((1, 2, 2, 3, 4))),
        lane_gbps=None if draw.chance(0.3) else a.lane_gbps,
        sealed=draw.chance(0.6),
        price_contains=(*a.price_contains, *inside),
        power_contains=("scale_up_switch",) if draw.chance(0.3) else (),
    )


def _sold_in_domains(
    draw: Draw, a: Accelerator, nics: list[Nic], switches: list[Switch], links: list[Link]
) -> Accelerator:
    """Give some accelerators a vendor domain; its parts may be inside the price, and it may be the only one."""
    able = [w for w in switches if a.protocol in w.speaks and w.ports(a.port_gbps) and w.price and w.power]
    if not able or not draw.chance(0.3):
        return a
    switch = draw.one(able)
    planes = draw.whole(1, a.ports)
    radix = switch.ports(a.port_gbps)
    assert radix is not None
    sizes = [s for s in (2, 4, 8) if s % a.host == 0 and s * ceil_div(a.ports, planes) <= radix]
    if not sizes:
        return a
    first = next(nic for nic in nics if nic.id == a.nics[0][0])
    inside = ["scale_up_switch"] if draw.chance(0.6) else []
    if first.price is not None and draw.chance(0.5):
        inside.append("nic")
    own = switch.cost * planes / sizes[-1]
    extra = own if "scale_up_switch" in inside else Fraction(0)
    if "nic" in inside and first.price is not None:
        extra += a.nics[0][1] * first.price
    backplanes = [row for row in links if row.construction == "backplane" and row.price_end is not None]
    link = draw.one(backplanes) if backplanes else None
    if link is not None and link.price_end is not None and draw.chance(0.6):
        inside.append("scale_up_link")
        ends = 2 * ceil_div(sizes[-1] * a.ports * a.port_gbps, link.rate)
        extra += ends * link.price_end / sizes[-1]
    price = None if a.price is None else Fraction(ceil_div(a.price + extra))
    return replace(
        a,
        vendor_size=sizes[-1],
        vendor_switch=switch.id,
        vendor_planes=planes,
        vendor_link=None if link is None else link.id,
        sealed=draw.chance(0.25),
        rack_share=draw.chance(0.3),
        price=price,
        price_contains=(*a.price_contains, *inside),
        overhead=Fraction(ceil_div((a.overhead or 0) + switch.watts * planes / sizes[-1])),
        power_contains=("scale_up_switch",) if draw.chance(0.5) else (),
    )


def random_facility(draw: Draw) -> Facility:
    """Site, money and repair figures."""
    return Facility(
        racks={
            "small": Rack(draw.figure(3, 12, 2), draw.one((4, 8))),
            "large": Rack(draw.figure(10, 40, 2), draw.one((8, 16))),
            "network": Rack(draw.figure(0.8, 8, 2), 0),
        },
        lengths={
            "board": draw.figure(0.1, 0.4, 1),
            "in_rack": draw.figure(0.8, 2, 2),
            "adjacent_rack": draw.figure(2, 3.5, 2),
            "three_racks_away": draw.figure(3.5, 6, 2),
            "row": draw.figure(6, 15, 2),
            "hall": draw.figure(15, 60, 2),
            "building": draw.figure(60, 200, 2),
        },
        racks_per_row=Fraction(draw.whole(4, 8)),
        pue=draw.figure(1.05, 1.5),
        electricity=draw.figure(0.04, 0.15, 2),
        utilisation=draw.figure(0.5, 0.95, 2),
        capex_per_w=draw.figure(5, 15),
        wacc=draw.figure(0.05, 0.15, 2),
        it_years=draw.whole(3, 6),
        building_years=draw.whole(10, 20),
        labour=draw.figure(60, 150, 2),
        module_swap=draw.figure(60, 300, 2),
        cable_swap=draw.figure(60, 300, 2),
        box_swap=draw.figure(200, 1500, 2),
        backplane_hours=draw.figure(8, 40, 2),
        switch_tray_h=draw.figure(1, 6, 2),
        compute_tray_h=draw.figure(1, 6, 2),
        switch_box_h=draw.figure(2, 20, 2),
        restart_h=draw.figure(0.1, 2, 2),
        p_kill=draw.figure(0.05, 0.6, 2),
        lost_hour=draw.figure(0.00003, 0.0005, 2),
        dirty=draw.figure(0.005, 0.2, 2),
        clean_h=draw.figure(0.3, 3, 2),
        laser_price=draw.figure(50, 500, 2),
        cord_price=draw.figure(4, 15, 2),
        fibre_fixed=draw.figure(10, 100, 2),
        fibre_per_m=draw.figure(0.2, 2, 2),
        install=draw.figure(5, 60, 2),
    )
