"""Accelerators alone: price and watts without the parts that their figures already contain (section 2)."""

from __future__ import annotations

from fractions import Fraction

from oracle.parts import Accelerator, Figure, Parts, ceil_div, known


def bare_price_or_none(parts: Parts, a: Accelerator) -> Figure:
    """Price of the accelerator alone; None if it, or what it contains, is unknown, or nothing would remain."""
    return _remainder(a.price, contained(parts, a, money=True))


def bare_overhead_or_none(parts: Parts, a: Accelerator) -> Figure:
    """Watts of host and other parts that are not counted elsewhere; None as for the price."""
    return _remainder(a.overhead, contained(parts, a, money=False))


def bare_price(parts: Parts, a: Accelerator) -> Fraction:
    """Price of an accelerator that is for sale, alone."""
    return known(bare_price_or_none(parts, a))


def bare_overhead(parts: Parts, a: Accelerator) -> Fraction:
    """Overhead watts of an accelerator that is for sale, alone."""
    return known(bare_overhead_or_none(parts, a))


def installed_price(parts: Parts, a: Accelerator) -> Fraction:
    """Bare price plus the share of the host, where the price does not contain it."""
    return bare_price(parts, a) + (Fraction(0) if "host" in a.price_contains else known(a.host_price))


def contained(parts: Parts, a: Accelerator, money: bool) -> Figure:
    """USD or watts, per accelerator, of the parts that its figures contain: those of the vendor's domain."""
    inside = set(a.price_contains if money else a.power_contains)
    if a.direct is not None:
        # A network without switches is never bought by the piece: it stays in the price of what it joins.
        inside -= {"scale_up_switch", "scale_up_link"}
    values: list[Figure] = []
    if "nic" in inside:
        name, nics = a.nics[0]
        nic = next(x for x in parts.nics if x.id == name)
        figure = nic.price if money else nic.power
        values.append(None if figure is None else nics * figure)
    if "scale_up_switch" in inside:
        assert a.vendor_size is not None and a.vendor_planes is not None
        switch = next((x for x in parts.switches if x.id == a.vendor_switch), None)
        figure = None if switch is None else switch.price if money else switch.power
        if switch is None or figure is None:
            values.append(None)
        else:
            factor = switch.price_factor if money else switch.power_factor
            values.append(figure * factor * a.vendor_planes / a.vendor_size)
    if "scale_up_link" in inside:
        assert a.vendor_size is not None
        row = next((x for x in parts.links if x.id == a.vendor_link), None)
        # A question thinned out for the plain search may lack the vendor's link: then its price is unknown.
        if row is None or row.price_end is None:
            values.append(None)
        else:
            assert row.construction == "backplane"
            ends = 2 * ceil_div(a.vendor_size * a.ports * a.port_gbps, row.rate)
            values.append(ends * row.price_end / a.vendor_size)
    return None if None in values else sum((known(value) for value in values), Fraction(0))


def _remainder(whole: Figure, part: Figure) -> Figure:
    if whole is None or part is None or whole < part:
        return None
    return whole - part
