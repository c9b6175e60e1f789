"""The copies of a scale-out fabric (rails and planes), each as a wiring of its own.

A copy holds the accelerators of its rail and its own switches, numbered anew; it has no scale-up cables. Copies that
are wired alike are looked at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from designer.fabric.placement import Ints
from designer.fabric.traffic import PoolTraffic
from designer.fabric.wiring import ACCELERATOR, LEAF, NIC_LEAF, Wiring


@dataclass(frozen=True, eq=False)
class Copy:
    """One copy and its number, and the numbers of all copies that are wired in the same way (this one first)."""

    number: int
    wiring: Wiring
    alike: tuple[int, ...]

    @property
    def label(self) -> str:
        """Say which copy it is; empty when it is the only one."""
        name, count = self.wiring.copy_name(self.number), len(self.alike)
        return (f" in {name}" if name else "") + (f" ({count} copies wired alike)" if count > 1 else "")


def copies_of(wiring: Wiring) -> tuple[Copy, ...]:
    """Take a fabric apart into its copies, one for each way in which copies are wired."""
    found: dict[tuple[bytes, ...], Copy] = {}
    for number, part in every_copy(wiring):
        # Boxes of all copies stand in the same order, so equal arrays are equal wirings.
        key = tuple(column.tobytes() for column in (part.lower, part.upper, part.links, part.rate, part.boundary))
        known = found.get(key)
        found[key] = Copy(number, part, (number,)) if known is None else replace(known, alike=(*known.alike, number))
    return tuple(found.values())


def every_copy(wiring: Wiring) -> Iterator[tuple[int, Wiring]]:
    """Yield number and wiring of every copy; cables that join a copy to another rail or copy are left out."""
    outer = np.flatnonzero(wiring.boundary >= NIC_LEAF)
    copy = wiring.layer[wiring.upper[outer]]
    order = np.argsort(copy, kind="stable")
    ends = np.searchsorted(copy[order], np.arange(wiring.rails * wiring.planes + 1))
    for number in range(wiring.rails * wiring.planes):
        rail = number // wiring.planes
        accelerators = (wiring.kind == ACCELERATOR) & (wiring.layer == rail)
        boxes = np.flatnonzero(accelerators | ((wiring.kind >= LEAF) & (wiring.layer == number)))
        yield number, part_of(wiring, boxes, outer[order[ends[number] : ends[number + 1]]])


def rows_of_copy(wiring: Wiring, rows: tuple[PoolTraffic, ...]) -> tuple[PoolTraffic, ...]:
    """Return the traffic of one copy; it is the same in all of them."""
    return tuple(row.in_copy(wiring.rails, wiring.planes) for row in rows)


def part_of(wiring: Wiring, boxes: Ints, bundles: Ints) -> Wiring:
    """Keep some boxes, numbered anew in their order, and those of the given bundles that join two of them."""
    place = np.full(wiring.boxes, -1)
    place[boxes] = np.arange(boxes.size)
    lower, upper = place[wiring.lower[bundles]], place[wiring.upper[bundles]]
    whole = (lower >= 0) & (upper >= 0)
    kept = bundles[whole]
    return replace(
        wiring,
        kind=wiring.kind[boxes],
        pool=wiring.pool[boxes],
        group=wiring.group[boxes],
        index=wiring.index[boxes],
        layer=wiring.layer[boxes],
        lower=lower[whole],
        upper=upper[whole],
        links=wiring.links[kept],
        rate=wiring.rate[kept],
        boundary=wiring.boundary[kept],
    )
