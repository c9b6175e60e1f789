"""Scale-up domains: switches in one stage or two, or chips joined directly (section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import floor, prod

from designer.instance.schema import Instance
from oracle.parts import Accelerator, Switch, ceil_div, exact
from oracle.sale import Sale

STANDARD_SIZES = (2, 4, 8, 16, 32, 36, 64, 72, 96, 128, 144, 192, 256, 384, 512, 576)


@dataclass(frozen=True)
class Upper:
    """Second stage: ``group`` accelerators below a first-stage switch, ``m`` links to each of ``each`` switches."""

    switch: Switch
    group: int
    m: int
    each: int

    @property
    def uplinks(self) -> int:
        """Links up of a first-stage switch, U."""
        return self.m * self.each


@dataclass(frozen=True)
class Wiring:
    """One way to wire the scale-up ports of one accelerator type in domains of one size.

    A mesh or torus has no switch and no planes; ``sides`` are those of the torus, the largest first. On ``spare`` of
    the planes the plan does not count.
    """

    accelerator: Accelerator
    size: int
    wired: int
    kind: str
    usable_gbps: Fraction
    switch: Switch | None = None
    planes: int = 0
    upper: Upper | None = None
    sides: tuple[int, ...] = ()
    spare: int = 0

    @property
    def shares(self) -> tuple[int, ...]:
        """Ports of every accelerator on each plane."""
        if not self.planes:
            return ()
        more = self.wired % self.planes
        return tuple(self.wired // self.planes + (1 if j < more else 0) for j in range(self.planes))

    @property
    def behind(self) -> int:
        """Accelerators behind one first-stage switch."""
        return self.size if self.upper is None else self.upper.group

    @property
    def groups(self) -> int:
        """First-stage switches per plane."""
        return self.size // self.behind

    @property
    def switches(self) -> int:
        """First-stage switches per domain."""
        return self.planes * self.groups

    @property
    def uppers(self) -> int:
        """Second-stage switches per domain."""
        return 0 if self.upper is None else self.planes * self.upper.each

    @property
    def switch_watts(self) -> Fraction:
        """Watts of all switches of a domain."""
        watts = Fraction(0)
        if self.switch is not None:
            watts += self.switches * self.switch.watts
        if self.upper is not None:
            watts += self.uppers * self.upper.switch.watts
        return watts


def shares_of(a: Accelerator, instance: Instance) -> list[int]:
    """Numbers of scale-up ports that may be wired to switches."""
    if a.sealed:
        return [a.ports]
    return sorted({max(1, floor(exact(share) * a.ports)) for share in instance.choose.scale_up_shares})


def speaking(sale: Sale, a: Accelerator) -> list[tuple[Switch, int]]:
    """Switches that the accelerator's protocol may be joined to, with their ports at its rate."""
    found = []
    for switch in sale.scale_up:
        radix = switch.ports(a.port_gbps)
        if a.protocol in switch.speaks and radix is not None:
            found.append((switch, radix))
    return found


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
            for _, radix in speaking(sale, a):
                for planes in range(1, wired + 1):
                    sizes.add(radix // ceil_div(wired, planes) // a.host * a.host)
    return sorted(
        size
        for size in sizes
        if size >= 2
        and size % a.host == 0
        and (size <= a.max_domain or a.id in choose.beyond_announced)
        and (not a.one_size or size == a.vendor_size or a.id in (*choose.beyond_announced, *choose.rearranged))
        and pin.domain_size in (None, size)
    )


def wirings(sale: Sale, instance: Instance) -> Iterator[Wiring]:
    """List every domain that may be built."""
    stages = instance.choose.scale_up_stages
    # Other domains have no planes to spare: they are offered where none need be.
    others = 0 in instance.choose.spare_planes
    for a in sale.accelerators:
        for size in sizes_of(a, sale, instance):
            if 1 in stages:
                yield from one_stage(a, size, sale, instance)
            if 2 in stages and others:
                yield from two_stages(a, size, sale, instance)
        if others:
            yield from joined(a, instance)


def one_stage(a: Accelerator, size: int, sale: Sale, instance: Instance) -> Iterator[Wiring]:
    """Parallel planes of one switch each (3.1)."""
    for switch, radix in speaking(sale, a):
        vendor = size == a.vendor_size and switch.id == a.vendor_switch
        if a.sealed and not vendor:
            continue
        for wired in shares_of(a, instance):
            for planes in range(1, wired + 1):
                if vendor and planes != a.vendor_planes:
                    continue
                if instance.pin.scale_up_planes not in (None, planes):
                    continue
                if size * ceil_div(wired, planes) > radix:
                    continue
                for spare in sorted(set(instance.choose.spare_planes)):
                    if spare < planes:
                        usable = Fraction((planes - spare) * (wired // planes) * a.port_gbps)
                        yield Wiring(a, size, wired, "switched", usable, switch, planes, spare=spare)


def two_stages(a: Accelerator, size: int, sale: Sale, instance: Instance) -> Iterator[Wiring]:
    """Groups behind first-stage switches, without blocking between them (3.2)."""
    if a.sealed:
        return
    able = speaking(sale, a)
    for (first, below), (second, above) in product(able, able):
        if size == a.vendor_size and first.id == a.vendor_switch:
            continue
        for wired in shares_of(a, instance):
            for planes in range(1, wired + 1):
                if wired % planes or size * wired // planes <= below:
                    continue
                if instance.pin.scale_up_planes not in (None, planes):
                    continue
                for group in range(a.host, size, a.host):
                    upper = size % group == 0 and second_stage(group * wired // planes, size // group, below, above)
                    if upper and planes * upper[1] >= 2:
                        stage = Upper(second, group, *upper)
                        usable = Fraction(wired * a.port_gbps)
                        yield Wiring(a, size, wired, "clos", usable, first, planes, stage)


def second_stage(down: int, groups: int, below: int, above: int) -> tuple[int, int] | None:
    """Links of every pair and switches of one plane, for ``down`` links of each of ``groups`` first-stage switches.

    ``below`` and ``above`` are the ports of a switch of either stage; None if they do not do.

    Examples
    --------
    >>> second_stage(4, 4, 8, 8)
    (2, 2)
    >>> second_stage(5, 2, 12, 4)
    (2, 3)
    >>> second_stage(5, 4, 8, 8) is None
    True
    """
    most = above // groups
    if most < 1:
        return None
    each = ceil_div(down, most)
    m = ceil_div(down, each)
    return (m, each) if down + m * each <= below else None


def joined(a: Accelerator, instance: Instance) -> Iterator[Wiring]:
    """Chips joined to each other, where their wiring is paid for (3.3)."""
    size, pin = a.vendor_size, instance.pin
    switched = [pin.scale_up_switch, pin.scale_up_planes, pin.scale_up_links]
    if a.direct is None or size is None or any(switched):
        return

    def asked_for(number: int) -> bool:
        sizes = instance.choose.domain_sizes
        if number < 1 or number % a.host or number > a.max_domain:
            return False
        return (sizes is None or number in sizes) and pin.domain_size in (None, number)

    paid = size == a.host or "scale_up_link" in a.price_contains
    if a.direct == "mesh" and size == 1:
        # It stands alone.
        if asked_for(1):
            yield Wiring(a, 1, 0, "mesh", Fraction(0))
        return
    if a.direct == "mesh":
        links = a.ports // (size - 1)
        if paid and links >= 1 and asked_for(size):
            yield Wiring(a, size, a.ports, "mesh", Fraction((size - 1) * links * a.port_gbps))
        return
    if 2 * len(a.sides) > a.ports:
        return
    if paid and asked_for(size):
        yield torus(a, tuple(sorted(a.sides, reverse=True)))
    if a.larger and {"scale_up_link", "scale_up_switch"} <= set(a.price_contains):
        for times in enlargements(a, size, instance):
            if asked_for(size * times):
                yield torus(a, larger_sides(a.sides, times))


def enlargements(a: Accelerator, size: int, instance: Instance) -> Iterator[int]:
    """Times that optical switches may enlarge a torus; never beyond the announced size."""
    sizes = instance.choose.domain_sizes
    most = a.max_domain // size
    if sizes is not None:
        yield from sorted({s // size for s in sizes if s % size == 0 and 1 < s // size <= most})
        return
    times = 2
    while times <= most:
        yield times
        times *= 2


def larger_sides(sides: tuple[int, ...], times: int) -> tuple[int, ...]:
    """Sides of the roundest torus of ``times`` as many chips: the largest side least, then the second.

    Examples
    --------
    >>> larger_sides((4, 4, 4), 8), larger_sides((4, 4, 4), 2), larger_sides((2, 4), 4)
    ((8, 8, 8), (8, 4, 4), (8, 4))
    >>> larger_sides((2, 3), 6)
    (6, 6)
    """
    factors = [x for x in range(1, times + 1) if times % x == 0]
    splits = [split for split in product(factors, repeat=len(sides)) if prod(split) == times]
    return min(tuple(sorted((a * x for a, x in zip(sides, split, strict=True)), reverse=True)) for split in splits)


def torus(a: Accelerator, sides: tuple[int, ...]) -> Wiring:
    """A torus with all its ports wired, two links to every side."""
    size = prod(sides)
    usable = min(Fraction(2 * a.port_gbps * (size - 1)) / (size * ring_distance(side)) for side in sides if side > 1)
    return Wiring(a, size, a.ports, "torus", usable, sides=sides)


def ring_distance(side: int) -> Fraction:
    """Mean distance of two places of a ring, the place itself included.

    Examples
    --------
    >>> ring_distance(4), ring_distance(5), ring_distance(2)
    (Fraction(1, 1), Fraction(6, 5), Fraction(1, 2))
    """
    return Fraction(side, 4) if side % 2 == 0 else Fraction(side * side - 1, 4 * side)
