"""The share of a pool's tokens per second that any single failure takes while it lasts (section 10)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import count, takewhile
from math import gcd

from designer.verify.attachments import LeafGroup
from designer.verify.fabric import FabricCount
from designer.verify.pools import PoolCount


def single_failures(fabric: FabricCount, group: LeafGroup) -> Iterator[tuple[str, Fraction]]:
    """List the components whose failure a pool feels, with the share of its tokens that one takes, at most 1.

    Of a part of a mixed pool it is what the part loses times its share; what the parts have in common counts in full.
    A backplane that is swapped drains the accelerators behind a switch of each plane: the switch's share.
    """
    pool = group.pool
    yield "host", pool.share * _of_replicas(pool, pool.parts.accelerator.per_host)
    if pool.domain.switches:
        alone = pool.domain.spare_planes == 0
        yield "scale-up switch", pool.share * _of_replicas(pool, pool.domain.group) if alone else Fraction(0)
    if pool.domain.upper is not None:
        yield "second-stage scale-up switch", Fraction(0)
    copies, others = group.copies, group.copies.planes - 1
    layout = fabric.layout
    touched = _of_replicas(pool, group.group * copies.rails) * (1 if layout.leaf_gbps is None else pool.share)
    need = group.group * group.need / copies.planes
    if others == 0:
        # Leaves joined directly that are left have less for each other.
        left = Fraction(0) if layout.relayed_gbps is None else _missing(layout.relayed_gbps, need)
        yield "leaf", touched + (1 - touched) * left
    else:
        # The NICs' ports on the other planes, and the uplinks of the leaves there.
        missing = _missing(pool.nic_gbps * others / copies.planes, pool.leaving)
        if layout.leaf_gbps is not None:
            missing = max(missing, _missing(layout.leaf_gbps * others, group.group * group.need))
        yield "leaf", touched * missing
    for bound in layout.left:
        yield bound.name, _missing(bound.gbps, bound.leaves * need)


def replicas_on(accelerators: int, replica: int, size: int) -> int:
    """Most replicas that have a share in so many accelerators side by side.

    Replicas lie one behind the other, whole ones in every domain, or each in whole domains of its own.

    Examples
    --------
    >>> replicas_on(4, 6, 12), replicas_on(24, 6, 12), replicas_on(36, 24, 12), replicas_on(4, 24, 12)
    (2, 4, 2, 1)
    """
    if replica > size:
        taken, together = max(1, accelerators // size), (replica + size - 1) // size
        # At worst the first of them is the last of a replica's domains, as far as their numbers allow.
        before = together - gcd(taken, together)
        return (before + taken + together - 1) // together
    held = size // replica
    if accelerators >= size:
        return held * (accelerators // size)
    places = takewhile(lambda first: first < size, count(0, accelerators))
    return max(len({at // replica for at in range(i, i + accelerators) if at // replica < held}) for i in places)


def _of_replicas(pool: PoolCount, accelerators: int) -> Fraction:
    return min(Fraction(1), Fraction(replicas_on(accelerators, pool.replica, pool.size), pool.replicas))


def _missing(left: Fraction, need: Fraction) -> Fraction:
    """Share of what is needed that the bandwidth left does not carry.

    Examples
    --------
    >>> [_missing(Fraction(left), Fraction(need)) for left, need in ((300, 400), (500, 400), (0, 0))]
    [Fraction(1, 4), Fraction(0, 1), Fraction(0, 1)]
    """
    return max(Fraction(0), 1 - left / need) if need else Fraction(0)
