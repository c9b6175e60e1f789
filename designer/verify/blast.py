"""The share of a pool's tokens per second that any single failure takes while it lasts (section 10)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from designer.verify.attachments import LeafGroup
from designer.verify.fabric import FabricCount


def single_failures(fabric: FabricCount, group: LeafGroup) -> Iterator[tuple[str, Fraction]]:
    """List the components whose failure a pool feels, with the share of its tokens that one takes, at most 1.

    A backplane that is swapped drains the accelerators behind a switch of each plane: the switch's share.
    """
    pool = group.pool
    yield "host", _of_replicas(pool.jobs(pool.parts.accelerator.per_host), pool.replicas)
    if pool.domain.switches:
        alone = pool.domain.spare_planes == 0
        yield "scale-up switch", _of_replicas(pool.jobs(pool.domain.group), pool.replicas) if alone else Fraction(0)
    if pool.domain.upper is not None:
        yield "second-stage scale-up switch", Fraction(0)
    copies = group.copies
    if copies.planes == 1:
        yield "leaf", _of_replicas(pool.jobs(group.group * copies.rails), pool.replicas)
    else:
        left = pool.nic_gbps * (copies.planes - 1) / copies.planes
        yield "leaf", _missing(left, pool.leaving)
    need = group.group * group.need / copies.planes
    for bound in fabric.layout.left:
        yield bound.name, _missing(bound.gbps, bound.leaves * need)


def _of_replicas(jobs: int, replicas: int) -> Fraction:
    return min(Fraction(1), Fraction(jobs, replicas))


def _missing(left: Fraction, need: Fraction) -> Fraction:
    """Share of what is needed that the bandwidth left does not carry.

    Examples
    --------
    >>> [_missing(Fraction(left), Fraction(need)) for left, need in ((300, 400), (500, 400), (0, 0))]
    [Fraction(1, 4), Fraction(0, 1), Fraction(0, 1)]
    """
    return max(Fraction(0), 1 - left / need) if need else Fraction(0)
