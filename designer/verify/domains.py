"""The scale-up domain of a pool counted again: one or two switch stages, or joined directly (section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from designer.design.types import PoolDesign, ScaleUpKind, UpperStage
from designer.verify.boundaries import Wiring
from designer.verify.exact import exact, ratio_up
from designer.verify.findings import Findings, UncountableError
from designer.verify.rows import PoolParts

KINDS: dict[str, int] = {"switched": 1, "clos": 2, "mesh": 0, "torus": 0}
"""Switch stages of each kind of domain."""

FLOAT_TOLERANCE = Fraction(1, 10**12)
"""The usable bandwidth of a torus is a fraction that no float can state."""


@dataclass(frozen=True)
class UpperCount:
    """Second stage of one domain: ``groups`` groups of ``group``, m links to each of n2 switches a plane."""

    group: int
    groups: int
    links_per_pair: int
    per_plane: int

    @property
    def uplinks(self) -> int:
        """Links up from one first-stage switch."""
        return self.links_per_pair * self.per_plane


@dataclass(frozen=True)
class DomainCount:
    """One scale-up domain; ``shares`` are the ports of an accelerator on each plane, none where joined directly.

    ``usable`` counts on all planes but ``spare_planes``.
    """

    kind: ScaleUpKind
    size: int
    per_host: int
    shares: tuple[int, ...]
    usable: Fraction
    upper: UpperCount | None = None
    spare_planes: int = 0

    @property
    def planes(self) -> int:
        """Planes of switches."""
        return len(self.shares)

    @property
    def group(self) -> int:
        """Accelerators behind one first-stage switch."""
        return self.size if self.upper is None else self.upper.group

    @property
    def switches(self) -> tuple[int, ...]:
        """Switches of each stage."""
        if self.upper is None:
            return (self.planes,) if self.shares else ()
        return self.planes * self.upper.groups, self.planes * self.upper.per_plane

    @property
    def carries(self) -> Fraction:
        """The most bandwidth that a plan may ask for; the float of a fraction may lie a little above it."""
        direct = self.kind in ("mesh", "torus")
        return self.usable * (1 + FLOAT_TOLERANCE) if direct else self.usable

    def wirings(self) -> Iterator[Wiring]:
        """Who is joined to whom in one domain, stage by stage."""
        if not self.shares:
            return
        hosts, ports, groups = self.size // self.per_host, sum(self.shares), self.size // self.group
        pairs: dict[int, int] = {}
        upper: dict[int, int] = {}
        for share in self.shares:
            # A host meets the switches of its own group only.
            pairs[self.per_host * share] = pairs.get(self.per_host * share, 0) + hosts
            upper[self.group * share] = upper.get(self.group * share, 0) + groups
        yield Wiring(
            links=self.size * ports,
            pairs=pairs,
            lower={self.per_host * ports: hosts},
            upper=upper,
            in_one_backplane=self.group * ports,
            backplanes=groups,
        )
        if self.upper is not None:
            stage, below, above = self.upper, *self.switches
            yield Wiring(
                links=below * stage.uplinks,
                pairs={stage.links_per_pair: below * stage.per_plane},
                lower={stage.uplinks: below},
                upper={stage.links_per_pair * stage.groups: above},
            )


def check_kind(found: Findings, pool: PoolDesign) -> bool:
    """Check that a domain states what its kind has, and nothing else: nothing can be counted otherwise."""
    place, stated = f"pool {pool.name}, scale-up", pool.scale_up
    if not found.holds("scale_up_kind", place, stated.kind in KINDS, stated.kind, ", ".join(KINDS), "kind of domain"):
        return False
    stages = KINDS[stated.kind]
    wanted = {
        "switch": stages > 0,
        "switches' boundary": stages > 0,
        "second stage": stages > 1,
        "dims": stated.kind == "torus",
    }
    has = {
        "switch": stated.switch is not None,
        "switches' boundary": stated.boundary is not None,
        "second stage": stated.upper is not None,
        "dims": bool(stated.dims),
    }

    def names(parts: dict[str, bool]) -> str:
        return ", ".join(part for part, present in parts.items() if present) or "nothing"

    message = f"parts of a domain of the kind {stated.kind}"
    whole = found.holds("scale_up_kind", place, has == wanted, names(has), names(wanted), message)
    if stages == 0:
        planes = (stated.planes, stated.shares, stated.switches)
        found.equal("scale_up_kind", place, planes, (0, (), 0), "a domain joined directly has no planes of switches")
    return whole


def count_domain(found: Findings, pool: PoolDesign, parts: PoolParts) -> DomainCount:
    """Count one domain anew from size, planes and group; raise `UncountableError` where that is futile."""
    stated = pool.scale_up
    place = f"pool {pool.name}, scale-up"
    rate = parts.accelerator.port_gbps
    found.equal("port_rate", place, stated.port_gbps, rate, "rate of the accelerator's ports")
    spare, most = stated.spare_planes, stated.planes - 1 if stated.kind == "switched" else 0
    what = "spare planes of parallel switches, one at least in use"
    if not found.holds("spare_planes", place, 0 <= spare <= most, spare, f"at most {most}", what):
        raise UncountableError(place)
    if not parts.stages:
        usable = _mesh(found, place, pool, parts) if stated.kind == "mesh" else _torus(found, place, pool, parts)
        near = abs(exact(stated.usable_gbps) - usable) <= FLOAT_TOLERANCE * usable
        found.holds("usable_bandwidth", place, near, stated.usable_gbps, usable, "of the links to all others")
        return DomainCount(stated.kind, pool.domain_size, parts.accelerator.per_host, (), usable)
    even, more = divmod(stated.ports_per_accelerator, stated.planes)
    shares = (even + 1,) * more + (even,) * (stated.planes - more)
    found.equal("shares", place, sorted(stated.shares), sorted(shares), "shares of a stripe differ by at most one")
    upper = None if stated.upper is None else _clos(found, place, pool, stated.upper, parts)
    if upper is None:
        _radix(found, place, pool, shares, parts)
    usable = (stated.planes - spare) * even * rate
    what = "planes but the spare ones x smallest share x port rate"
    found.equal("usable_bandwidth", place, exact(stated.usable_gbps), usable, what)
    return DomainCount(stated.kind, pool.domain_size, parts.accelerator.per_host, shares, usable, upper, spare)


def _radix(found: Findings, place: str, pool: PoolDesign, shares: tuple[int, ...], parts: PoolParts) -> None:
    """Check that one switch per plane takes every accelerator of the domain."""
    rate, switch = parts.accelerator.port_gbps, parts.stages[0].switch
    radix = switch.radix.get(rate)
    if radix is None:
        found.add("port_radix", place, switch.id, "no such rate", f"no ports of {rate} Gb/s")
        return
    need = pool.domain_size * max(shares)
    for plane, share in enumerate(shares if need > radix else ()):
        used = pool.domain_size * share
        found.holds("radix", f"{place} plane {plane + 1}", used <= radix, used, f"at most {radix}", "switch ports")


def _clos(found: Findings, place: str, pool: PoolDesign, stated: UpperStage, parts: PoolParts) -> UpperCount:
    """Check a second stage, and count its switches and links."""
    planes, ports, size, group = (
        pool.scale_up.planes,
        pool.scale_up.ports_per_accelerator,
        pool.domain_size,
        stated.group,
    )
    rate, per_host = parts.accelerator.port_gbps, parts.accelerator.per_host
    radices = [stage.switch.radix.get(rate) for stage in parts.stages]
    for stage, radix in zip(parts.stages, radices, strict=True):
        if radix is None:
            found.add("port_radix", place, stage.switch.id, "no such rate", f"no ports of {rate} Gb/s")
    fits = group >= 1 and group % per_host == 0 and size % group == 0 and group < size
    wanted = f"whole hosts of {per_host}, a part of {size}"
    grouped = found.holds("clos_group", place, fits, group, wanted, "accelerators behind a first-stage switch")
    even = found.holds("clos_planes", place, ports % planes == 0, planes, f"a divisor of {ports}", "equal planes")
    first, second = radices
    if first is None or second is None or not (grouped and even):
        raise UncountableError(place)
    share, groups = ports // planes, size // group
    # Where one stage takes all, a second is no choice.
    found.holds("clos_needless", place, size * share > first, size * share, f"above {first}", "ports of one stage")
    most = second // groups
    if not found.holds(
        "clos_upper_ports",
        place,
        most >= 1,
        groups,
        f"at most {second}",
        "a port for every group at a second-stage switch",
    ):
        raise UncountableError(place)
    down = group * share
    per_plane = ratio_up(down, most)
    count = UpperCount(group, groups, ratio_up(down, per_plane), per_plane)
    for rule, mine, theirs, what in (
        ("clos_pair_links", stated.links_per_pair, count.links_per_pair, "links between a switch of each stage"),
        ("clos_plane_switches", stated.switches_per_plane, per_plane, "second-stage switches of a plane"),
        ("clos_uplinks", stated.uplinks, count.uplinks, "links up from a first-stage switch"),
    ):
        found.equal(rule, place, mine, theirs, what)
    used = down + count.uplinks
    found.holds("radix", place, used <= first, used, f"at most {first}", "ports of a first-stage switch, down and up")
    lone = planes * per_plane
    found.holds("clos_lone", place, lone >= 2, lone, "at least 2", "a lone second-stage switch fails alone")
    return count


def _sold_directly(found: Findings, place: str, pool: PoolDesign, parts: PoolParts) -> tuple[int, tuple[int, ...]]:
    """Check that the vendor joins accelerators like this; return the size and sides of what is sold."""
    sold, ports = parts.accelerator.vendor, parts.accelerator.ports
    kind, wired = pool.scale_up.kind, pool.scale_up.ports_per_accelerator
    offered = "nothing" if sold is None or sold.direct is None else sold.direct
    if not found.equal("direct_kind", place, kind, offered, "how the vendor joins accelerators directly"):
        raise UncountableError(place)
    assert sold is not None
    size = pool.domain_size
    has = ", ".join(sorted(parts.accelerator.price_contains)) or "nothing"
    paid = size == parts.accelerator.per_host or "scale_up_link" in parts.accelerator.price_contains
    found.holds("direct_paid", place, paid, has, "scale_up_link", "wiring beyond the host comes with the price")
    if size > sold.size:
        ocs = "scale_up_switch" in parts.accelerator.price_contains
        found.holds("direct_paid", place, ocs, has, "scale_up_switch", "circuit switches come with the price")
    every = 0 if size == 1 else ports
    found.equal("direct_ports", place, wired, every, "a domain joined directly has all ports wired, one alone none")
    return sold.size, sold.dims


def _mesh(found: Findings, place: str, pool: PoolDesign, parts: PoolParts) -> Fraction:
    """Usable bandwidth of links between every pair: all-to-all goes straight."""
    size, _ = _sold_directly(found, place, pool, parts)
    found.equal("direct_size", place, pool.domain_size, size, "size of the mesh that is sold")
    if pool.domain_size == 1:
        # It stands alone: nobody to be joined to.
        return Fraction(0)
    others = pool.domain_size - 1
    links = parts.accelerator.ports // others if others else 0
    if not found.holds("direct_links", place, links >= 1, links, "at least 1", "links to every other accelerator"):
        raise UncountableError(place)
    return others * links * parts.accelerator.port_gbps


def _torus(found: Findings, place: str, pool: PoolDesign, parts: PoolParts) -> Fraction:
    """Usable bandwidth of a ring along every side, for uniform all-to-all over shortest paths."""
    sold, dims = _sold_directly(found, place, pool, parts)
    size, accelerator = pool.domain_size, parts.accelerator
    assert accelerator.vendor is not None
    times, left = divmod(size, sold)
    larger = times == 1 or accelerator.vendor.larger_by_ocs
    what = f"{sold} or a multiple" if accelerator.vendor.larger_by_ocs else sold
    if not found.holds("direct_size", place, times >= 1 and not left and larger, size, what, "tori that are sold"):
        raise UncountableError(place)
    sides = least_sides(dims, times)
    found.equal("direct_dims", place, pool.scale_up.dims, sides, "sides of the torus, the largest as small as can be")
    ports = 2 * len(sides)
    wired = ports <= accelerator.ports
    found.holds("direct_links", place, wired, accelerator.ports, f"at least {ports}", "two neighbours along every side")
    return torus_gbps(sides, accelerator.port_gbps)


def least_sides(dims: tuple[int, ...], times: int) -> tuple[int, ...]:
    """Sides of a torus ``times`` as large, from the largest: that one least, then the second, and so on.

    Examples
    --------
    >>> least_sides((4, 4, 4), 1), least_sides((4, 4, 4), 8), least_sides((4, 4, 4), 144), least_sides((8, 16), 4)
    ((4, 4, 4), (8, 8, 8), (24, 24, 16), (32, 16))
    """

    def grown(rest: tuple[int, ...], factor: int) -> Iterator[tuple[int, ...]]:
        if len(rest) == 1:
            yield (rest[0] * factor,)
            return
        for part in range(1, factor + 1):
            if factor % part == 0:
                for others in grown(rest[1:], factor // part):
                    yield (rest[0] * part, *others)

    return min(tuple(sorted(sides, reverse=True)) for sides in grown(dims, times))


def torus_gbps(sides: tuple[int, ...], rate: Fraction) -> Fraction:
    """Usable Gb/s per accelerator of a torus with links of ``rate``.

    A ring of ``a`` is ``a/4`` (even) or ``(a^2 - 1)/(4a)`` (odd) links long on average; the longest side is full
    first.

    Examples
    --------
    8 x 8 x 8: every link carries what an accelerator sends times 2 x 512/511 / 2.

    >>> torus_gbps((8, 8, 8), Fraction(800)) == Fraction(800) * 511 / 512
    True
    >>> torus_gbps((3, 3), Fraction(90)) == 2 * 90 * Fraction(8, 9) / Fraction(8, 12)
    True
    """
    size = 1
    for side in sides:
        size *= side
    distances = [Fraction(side, 4) if side % 2 == 0 else Fraction(side * side - 1, 4 * side) for side in sides]
    # A side of one accelerator has nobody to send to.
    return min(2 * rate * (size - 1) / (size * distance) for distance in distances if distance)
