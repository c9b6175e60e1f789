"""Which pools may have a scale-out fabric to themselves: the partings of the workloads (section 7)."""

from __future__ import annotations

from collections.abc import Iterator

from designer.instance.schema import Instance

Block = tuple[str, ...]
"""Pools that share a fabric, in the order of the question."""


def pools_by_workload(instance: Instance) -> list[Block]:
    """Pools of every workload: they stay together. A fleet is one pool."""
    found: list[Block] = []
    for work in instance.workloads:
        apart = work.serve == "disaggregated"
        found.append((f"{work.name}.prefill", f"{work.name}.decode") if apart else (work.name,))
    return found + [(fleet.name,) for fleet in instance.fleets]


def partings(instance: Instance) -> list[tuple[Block, ...]]:
    """Every way to give the workloads fabrics; the one fabric for all comes first."""
    works = pools_by_workload(instance)
    shared: tuple[Block, ...] = (_joined(works),)
    if not instance.choose.private_fabrics:
        return [shared]
    if len(works) > 4:
        return [shared, tuple(works)]
    found = [tuple(_joined([works[number] for number in part]) for part in way) for way in ways(len(works))]
    return sorted(found, key=len)


def ways(number: int) -> Iterator[list[list[int]]]:
    """List the partitions of ``number`` things, each part and the parts in the order of their first things.

    Examples
    --------
    >>> sorted(map(str, ways(3)))
    ['[[0, 1, 2]]', '[[0, 1], [2]]', '[[0, 2], [1]]', '[[0], [1, 2]]', '[[0], [1], [2]]']
    """
    if number == 0:
        yield []
        return
    last = number - 1
    for way in ways(last):
        for place in range(len(way)):
            yield [[*part, last] if at == place else part for at, part in enumerate(way)]
        yield [*way, [last]]


def _joined(works: list[Block]) -> Block:
    return tuple(pool for work in works for pool in work)
