"""How the domains of a pool meet their leaves, and what each leaf must carry upwards (section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from designer.design.types import Attachment, PoolDesign
from designer.verify.boundaries import Cabling, Port, Wiring, cable_up, check_rows, compare
from designer.verify.copies import Copies
from designer.verify.exact import exact, ratio_up
from designer.verify.findings import Findings, UncountableError
from designer.verify.lengths import nic_leaf_length
from designer.verify.pools import PoolCount
from designer.verify.rows import SiteRow, SwitchRow

NEED_TOLERANCE = Fraction(1, 10**9)
"""The stated need is a float made of divisions; the exact one decides, the stated one must agree to this."""


@dataclass(frozen=True)
class LeafGroup:
    """What hangs below the leaves of one pool in one copy of the fabric.

    ``group`` accelerators below a full leaf, ``last`` below the last one, ``need`` Gb/s per accelerator that must leave
    it over all planes; ``nic_leaf`` counts the cables to all copies.
    """

    pool: PoolCount
    copies: Copies
    group: int
    last: int
    leaves: int
    down_ports: int
    need: Fraction
    nic_leaf: Cabling

    @property
    def below(self) -> dict[int, int]:
        """Leaves of one copy by the accelerators below them."""
        tally = {self.last: 1}
        if self.leaves > 1:
            tally[self.group] = tally.get(self.group, 0) + self.leaves - 1
        return tally


def leaving_share(domains: int, per_replica: int) -> Fraction:
    """Share of a replica's expert traffic that leaves a leaf of so many whole domains.

    Examples
    --------
    Replicas of four domains: leaves of two domains see (1 - 2/4) / (1 - 1/4) of it leave; leaves of
    three split the replicas unevenly and count as if all left; leaves of eight hold whole replicas.

    >>> leaving_share(2, 4), leaving_share(3, 4), leaving_share(8, 4)
    (Fraction(2, 3), Fraction(1, 1), Fraction(0, 1))
    """
    if domains % per_replica == 0:
        return Fraction(0)
    if per_replica % domains == 0:
        return (1 - Fraction(domains, per_replica)) / (1 - Fraction(1, per_replica))
    return Fraction(1)


def count_attachment(
    found: Findings,
    design: PoolDesign,
    pool: PoolCount,
    leaf: SwitchRow,
    lone: bool,
    copies: Copies,
    site: SiteRow,
) -> LeafGroup:
    """Count the leaves of a pool and the cables to them anew; ``lone`` where one switch holds all pools."""
    place = f"pool {pool.name}, attachment"
    stated = design.attachment
    whole, parts = stated.domains_per_leaf, stated.leaves_per_domain
    if lone:
        # One switch holds everything: whatever the design says, all domains are below it.
        found.equal("attachment", place, (whole, parts), (pool.domains, 1), "one stage: all domains on one leaf")
        whole, parts = pool.domains, 1
    if not found.holds(
        "attachment",
        place,
        whole >= 1 and parts >= 1 and 1 in (whole, parts),
        f"{whole} domains per leaf, {parts} leaves per domain",
        "whole domains on a leaf, or a domain split over leaves",
        "one of the two is 1",
    ):
        raise UncountableError(place)
    hosts = pool.hosts_per_domain
    if not found.holds("leaf_split", place, hosts % parts == 0, parts, f"a divisor of {hosts}", "hosts split evenly"):
        raise UncountableError(place)
    per_host = pool.parts.accelerator.per_host
    # A leaf serves the accelerators of one rail.
    group = pool.size // copies.rails * whole // parts
    leaves = ratio_up(pool.domains, whole) * parts
    share = Fraction(1) if parts > 1 else leaving_share(whole, pool.domains_per_replica)
    need = min(Fraction(pool.nic_gbps), pool.ep_need * share + pool.other_need)
    # Nothing leaves the only switch there is, so no rule reads the need there.
    _compare(found, place, stated, group, leaves, None if lone else need)
    full, rest = (pool.domains * parts, 0) if parts > 1 else divmod(pool.domains, whole)
    nics = pool.nics_per_accelerator
    upper = {group * nics: full * copies.total}
    if rest:
        upper[rest * (pool.size // copies.rails) * nics] = copies.total
    # A host's links into one copy go to one leaf; its module ends are shared by its links to all copies.
    wiring = Wiring(
        links=pool.nics * copies.planes,
        pairs={per_host // copies.rails * nics: pool.hosts * copies.total},
        lower={per_host * nics * copies.planes: pool.hosts},
        upper=upper,
    )
    racks = ratio_up(group * copies.rails // per_host, pool.racks.hosts_per_rack)
    rate = copies.port_gbps(pool)
    cabling = cable_up("nic_leaf", wiring, *pool.parts.nic_leaf, rate, nic_leaf_length(site, racks))
    where = f"pool {pool.name}, NIC-leaf boundary"
    compare(found, where, design.nic_leaf, cabling)
    below = Port(pool.parts.nic.lanes)
    above = Port(frozenset({leaf.lane_gbps}), leaf.cpo.link if leaf.cpo else None)
    check_rows(found, where, cabling, below, above, board=False, in_rack=False)
    last = rest * (pool.size // copies.rails) if rest else group
    return LeafGroup(pool, copies, group, last, leaves, group * nics, need, cabling)


def _compare(found: Findings, place: str, stated: Attachment, group: int, leaves: int, need: Fraction | None) -> None:
    found.equal("leaf_group", place, stated.group, group, "accelerators below a full leaf")
    found.equal("leaves", place, stated.leaves, leaves, "leaves of the pool")
    if need is None:
        return
    near = abs(exact(stated.need_gbps) - need) <= NEED_TOLERANCE * need
    found.holds("leaf_need", place, near, stated.need_gbps, need, "Gb/s per accelerator that leave the group")
