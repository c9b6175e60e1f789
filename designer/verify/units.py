"""How many units of every part a design buys, over all pools, fabrics, stages and copies (section 10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from designer.verify.boundaries import Cabling
from designer.verify.fabric import FabricCount
from designer.verify.pools import PoolCount


def units_of(pools: Sequence[PoolCount], fabrics: Sequence[FabricCount]) -> Counter[str]:
    """Count units by the id of the part: link rows by bought module ends, or by cables and backplane equivalents."""
    units: Counter[str] = Counter()
    for pool in pools:
        units[pool.parts.accelerator.id] += pool.accelerators
        units[pool.parts.nic.id] += pool.nics
        for row, count in pool.switches:
            units[row.id] += count
    for fabric in fabrics:
        for switch, boxes in fabric.boxes:
            units[switch.id] += boxes
    for cabling in _cablings(pools, fabrics):
        if cabling.lower.module:
            units[cabling.lower.id] += cabling.lower_bought
            units[cabling.upper.id] += cabling.upper_bought
        else:
            units[cabling.lower.id] += cabling.cables
    return units


def _cablings(pools: Sequence[PoolCount], fabrics: Sequence[FabricCount]) -> Iterator[Cabling]:
    for pool in pools:
        yield from pool.scale_up
    for fabric in fabrics:
        for group in fabric.groups:
            yield group.nic_leaf
        yield from fabric.cablings
