"""How a pool hangs on the leaves: attachment, NIC cables, the leaves' own failures (section 7).

Leaves and their groups are those of one copy of the fabric; cables, ends and money are those of all copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from oracle.boxes import box_repairs, buy, leaf_losses
from oracle.cables import Behind, Box, Count, Pair, count_links, near_failures, pairs, pinned, purchase, reaches
from oracle.domain import Base, leaf_class, length_of
from oracle.money import Sums, total
from oracle.parts import Switch, ceil_div, exact
from oracle.task import Copies, Task


@dataclass(frozen=True)
class Group:
    """Accelerators below one full leaf: ``whole`` domains, or one of ``split`` parts of a domain."""

    copies: Copies
    whole: int
    split: int
    size: int
    leaves: int
    need: Fraction


@dataclass(frozen=True)
class Hang:
    """A pool on its leaves; ``leaf_watts`` are those of bought ends at the leaves."""

    base: Base
    group: Group
    pair: Pair
    length: Fraction
    count: Count
    leaf_watts: Fraction
    sums: Sums

    @property
    def down_ports(self) -> int:
        """Ports down of a full leaf."""
        return self.group.size * self.base.nics

    @property
    def rate(self) -> int:
        """Gb/s of one port of a NIC."""
        return self.base.nic.rate // self.group.copies.planes


def expert_share(whole: int, domains_per_replica: int) -> Fraction:
    """Share of the expert traffic that leaves a leaf of ``whole`` domains.

    Examples
    --------
    >>> expert_share(2, 4), expert_share(4, 4), expert_share(3, 4)
    (Fraction(2, 3), Fraction(0, 1), Fraction(1, 1))
    """
    d, m = whole, domains_per_replica
    if d % m == 0:
        return Fraction(0)
    if m % d == 0 and d < m:
        return (1 - Fraction(d, m)) / (1 - Fraction(1, m))
    return Fraction(1)


def need_of(base: Base, share: Fraction) -> Fraction:
    """Gb/s per accelerator that leave a leaf when ``share`` of the expert traffic does."""
    need = base.point.expert_need * share + base.point.other_need
    return min(Fraction(base.nics * base.nic.rate), need)


def fits_rails(base: Base, rails: int) -> bool:
    """Whether hosts divide into the rails, and the domain has room for traffic to other rails."""
    if rails == 1:
        return True
    if base.wiring.accelerator.host % rails:
        return False
    # Without a switch only the links between rails carry what is forwarded: as much as if all were.
    ways = rails if base.wiring.switch is not None else base.wiring.size
    forwarded = (1 - Fraction(1, ways)) * need_of(base, Fraction(1))
    return base.point.scale_up_need + forwarded <= base.wiring.usable_gbps


def fits(base: Base, copies: Copies) -> bool:
    """Whether a pool can be joined to all copies of a fabric."""
    nic, planes = base.nic, copies.planes
    if planes not in nic.planes or nic.rate % planes:
        return False
    whole_lanes = planes == 1 or any(nic.rate // planes % lane == 0 for lane in nic.lanes)
    return whole_lanes and fits_rails(base, copies.rails)


def whole_domains(base: Base, copies: Copies, d: int) -> Group:
    """Put ``d`` whole domains on a leaf."""
    need = need_of(base, expert_share(d, base.point.domains_per_replica))
    return Group(copies, d, 1, d * base.wiring.size // copies.rails, ceil_div(base.domains, d), need)


def groups(base: Base, copies: Copies) -> Iterator[Group]:
    """List the attachments of a pool.

    More domains per leaf than there are would only make a single leaf's group larger.
    """
    for d in range(1, base.domains + 1):
        yield whole_domains(base, copies, d)
    size = base.wiring.size
    hosts = size // base.wiring.accelerator.host
    for q in range(2, hosts + 1):
        if hosts % q == 0:
            yield Group(copies, 1, q, size // q // copies.rails, base.domains * q, need_of(base, Fraction(1)))


def single_leaf(base: Base, copies: Copies) -> Group:
    """The whole pool on the one switch of a fabric of one stage."""
    return whole_domains(base, copies, base.domains)


def nic_cables(task: Task, base: Base, leaf: Switch, group: Group) -> list[tuple[Pair, Fraction]]:
    """Link rows that may join the NICs of a group to their leaf, and the length of their route."""
    a, nic = base.wiring.accelerator, base.nic
    rate = nic.rate // group.copies.planes
    if leaf.protocol not in nic.families or leaf.ports(rate) is None:
        return []
    racks = ceil_div(Fraction(group.size * group.copies.rails, a.host), base.hall.hosts_per_rack)
    own = task.instance.site.lengths.nic_leaf_m
    if own is None:
        length = length_of(task.parts, task.instance, leaf_class(racks, task.parts.facility.racks_per_row))
    else:
        length = exact(own)
    found = pinned(task, "nic_leaf_links", pairs(task.sale, Box(nic.lanes), Box.of(leaf), rate))
    return [(p, length) for p in found if p.lower.placement == "cable" and reaches(p, length)]


def hang(task: Task, base: Base, leaf: Switch, group: Group, alone: bool) -> Iterator[Hang]:
    """List the NIC cables of an attachment; ``alone`` is the fabric of one stage, whose leaf is shared."""
    sale, site, copies = task.sale, task.site, group.copies
    rate, host = base.nic.rate // copies.planes, base.wiring.accelerator.host
    hosts = base.accelerators // host
    on_rail = host // copies.rails * base.nics
    leaves = group.leaves * copies.number
    lost = total(
        [
            leaf_losses(
                sale, site, base.duty, leaf, copies.number * many, links // base.nics, copies.rails, copies.planes
            )
            for many, links in leaf_links(base, group)
        ]
    )
    for pair, length in nic_cables(task, base, leaf, group):
        count = count_links(
            pair,
            rate,
            lower_boxes=[(hosts, host * base.nics * copies.planes)],
            upper_boxes=[(copies.number * many, each) for many, each in leaf_links(base, group)],
            trunks=[(hosts * copies.number, on_rail)],
        )
        at_leaf = max(1, pair.upper.rate // rate // base.nics)
        behind = Behind(
            lower=max(1, pair.lower.rate // rate // (base.nics * copies.planes)),
            upper=at_leaf * copies.rails,
            cable=min(host // copies.rails, at_leaf),
            drained=base.wiring.size,
            slowed=at_leaf,
        )
        sums = [
            purchase(site, pair, rate, length, count),
            near_failures(site, base.duty, pair, count, behind, copies.planes),
            lost,
        ]
        if not alone:
            sums += [buy(site, leaf, leaves), box_repairs(sale, site, leaf, leaves, scale_up=False)]
        watts = Fraction(0)
        if pair.buy_upper:
            assert pair.upper.watts_end is not None
            watts = count.upper * pair.upper.watts_end
        yield Hang(base, group, pair, length, count, watts, total(sums))


def leaf_links(base: Base, group: Group) -> list[tuple[int, int]]:
    """NIC links on the full leaves of a copy and on the last one."""
    domain_links = base.wiring.size // group.copies.rails * base.nics
    if group.split > 1:
        return [(group.leaves, group.size * base.nics)]
    full, rest = divmod(base.domains, group.whole)
    return [(full, group.whole * domain_links)] + ([(1, rest * domain_links)] if rest else [])
