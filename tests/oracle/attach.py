"""How a pool hangs on the leaves: attachment, NIC cables, the leaves' own failures (section 7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from oracle.boxes import box_losses, box_repairs, buy
from oracle.cables import Box, Count, Pair, count_links, near_failures, pairs, purchase, reaches
from oracle.domain import Base, leaf_class, length_of
from oracle.money import Sums, total
from oracle.parts import Switch, ceil_div, exact
from oracle.task import Task


@dataclass(frozen=True)
class Group:
    """Accelerators below one full leaf: ``whole`` domains, or one of ``split`` parts of a domain."""

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


def whole_domains(base: Base, d: int) -> Group:
    """Put ``d`` whole domains on a leaf."""
    need = need_of(base, expert_share(d, base.point.domains_per_replica))
    return Group(d, 1, d * base.wiring.size, ceil_div(base.domains, d), need)


def groups(base: Base) -> Iterator[Group]:
    """List the attachments of a pool.

    More domains per leaf than there are would only make a single leaf's group larger.
    """
    for d in range(1, base.domains + 1):
        yield whole_domains(base, d)
    size = base.wiring.size
    hosts = size // base.wiring.accelerator.host
    for q in range(2, hosts + 1):
        if hosts % q == 0:
            yield Group(1, q, size // q, base.domains * q, need_of(base, Fraction(1)))


def single_leaf(base: Base) -> Group:
    """The whole pool on the one switch of a fabric of one stage."""
    return whole_domains(base, base.domains)


def nic_cables(task: Task, base: Base, leaf: Switch, group: Group) -> list[tuple[Pair, Fraction]]:
    """Link rows that may join the NICs of a group to their leaf, and the length of their route."""
    a, nic = base.wiring.accelerator, base.nic
    if leaf.protocol not in nic.families or leaf.ports(nic.rate) is None:
        return []
    racks = ceil_div(Fraction(group.size, a.host), base.hall.hosts_per_rack)
    own = task.instance.site.lengths.nic_leaf_m
    if own is None:
        length = length_of(task.parts, task.instance, leaf_class(racks, task.parts.facility.racks_per_row))
    else:
        length = exact(own)
    found = pairs(task.sale, Box(nic.lanes), Box.of(leaf), nic.rate)
    return [(p, length) for p in found if p.lower.placement == "cable" and reaches(p, length)]


def hang(task: Task, base: Base, leaf: Switch, group: Group, alone: bool) -> Iterator[Hang]:
    """List the NIC cables of an attachment; ``alone`` is the fabric of one stage, whose leaf is shared."""
    sale, site, nic = task.sale, task.site, base.nic
    host = base.wiring.accelerator.host
    hosts, each = base.accelerators // host, host * base.nics
    for pair, length in nic_cables(task, base, leaf, group):
        count = count_links(
            pair,
            nic.rate,
            lower_boxes=[(hosts, each)],
            upper_boxes=leaf_links(base, group),
            trunks=[(hosts, each)],
        )
        behind = [max(1, row.rate // nic.rate // base.nics) for row in (pair.lower, pair.upper)]
        sums = [
            purchase(site, pair, nic.rate, length, count),
            near_failures(site, base.duty, pair, count, (behind[0], behind[1]), base.wiring.size),
            box_losses(sale, site, base.duty, leaf, group.leaves, group.size, scale_up=False),
        ]
        if not alone:
            sums += [buy(leaf, group.leaves), box_repairs(sale, site, leaf, group.leaves, scale_up=False)]
        watts = Fraction(0)
        if pair.buy_upper:
            assert pair.upper.watts_end is not None
            watts = count.upper * pair.upper.watts_end
        yield Hang(base, group, pair, length, count, watts, total(sums))


def leaf_links(base: Base, group: Group) -> list[tuple[int, int]]:
    """NIC links on full leaves and on the last one."""
    domain_links = base.wiring.size * base.nics
    if group.split > 1:
        return [(group.leaves, group.size * base.nics)]
    full, rest = divmod(base.domains, group.whole)
    return [(full, group.whole * domain_links)] + ([(1, rest * domain_links)] if rest else [])
