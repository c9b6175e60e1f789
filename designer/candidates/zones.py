"""Trees of four stages that may be worth having: spines in pods, cores in zones, tops (``docs/rules.md`` section 7).

The arguments are those of three stages (`shapes`), one level further: for given numbers of links only the fewest spines
that carry some choice can be best, because tops, cores, spines and links all grow with them; and what the boxes and
links of a shape cost at their cheapest must leave it below a known answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from designer.candidates.ceiling import Ceiling, ways_up, with_one_out
from designer.candidates.floor import EPS, Floor
from designer.candidates.shape import Boxes, Ints, ShapeRows
from designer.candidates.terms import Floats
from designer.instance.schema import Choose

# Combinations looked at in one go: bounds memory, of no influence on the result.
_AT_ONCE = 400_000
_FIRST = 16


@dataclass(frozen=True)
class _Rows:
    """Shapes without their spines, arrays (n,): ways up from spine and core (places in ``ways``), m, L and Z."""

    spine: Ints
    core: Ints
    m: Ints
    pod: Ints
    zone: Ints

    def take(self, keep: Ints) -> _Rows:
        return _Rows(self.spine[keep], self.core[keep], self.m[keep], self.pod[keep], self.zone[keep])


@dataclass(frozen=True)
class FourStages:
    """The shapes of one set of boxes; ``leaves`` is the fewest that the choices of all pools have together.

    ``links_usd`` is what a link adds at least at each boundary, upwards from the leaf: per link, and once.
    """

    boxes: Boxes
    leaves: int
    choose: Choose
    links_usd: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    ceiling: Ceiling
    floor: Floor

    def run(self) -> Iterator[ShapeRows]:
        """Yield the shapes that may pay, some at a time."""
        boxes, rate = self.boxes, self.boxes.rate_gbps
        if self._shares() > self.ceiling.best_usd:
            return
        assert boxes.spine is not None and boxes.core is not None and boxes.top is not None
        spine, core, top = (switch.radix[rate] for switch in (boxes.spine, boxes.core, boxes.top))
        low, spine_tapers = ways_up(spine, core, self.choose.spine_tapers, highest=False)
        high, core_tapers = ways_up(core, top, self.choose.core_tapers, highest=True)
        which, m, pod = self._pods(low)
        most = max(1, _AT_ONCE // len(high))
        # Few at first, the most promising: what is found with them lowers the ceiling for the others.
        start, step = 0, _FIRST if self.ceiling.best_usd == math.inf else most
        while start < which.size:
            part = slice(start, start + step)
            start, step = start + step, min(2 * step, most)
            rows = self._zones(which[part], m[part], pod[part], low, high)
            for begin in range(0, rows.m.size, _AT_ONCE // 20):
                some = rows.take(np.arange(begin, min(begin + _AT_ONCE // 20, rows.m.size)))
                at, spines, least = self._counted(some, low, high)
                if not at.size:
                    continue
                some = some.take(at)
                (m2, groups, _), (m3, tops, up) = low[some.spine].T, high[some.core].T
                whole = {"links_per_pair": some.m, "spines": spines, "leaves_per_pod": some.pod}
                whole |= {"links_per_core": m2, "cores_per_spine": groups, "pods_per_zone": some.zone}
                whole |= {"links_per_top": m3, "tops_per_core": tops, "lean": m3 * tops - up}
                real = {"spine_taper": spine_tapers[some.spine], "core_taper": core_tapers[some.core]}
                yield ShapeRows(boxes, least, whole, real)

    @property
    def _usd(self) -> tuple[float, float, float]:
        """What a spine, a core and a top cost at least."""
        boxes = self.boxes
        assert boxes.spine is not None and boxes.core is not None and boxes.top is not None
        one, two, three = (self.ceiling.box_usd(switch) for switch in (boxes.spine, boxes.core, boxes.top))
        return one, two, three

    def _shares(self) -> float:
        """Bound for all shapes: every uplink of a leaf with its share of what lies above.

        A pod's links to cores are no fewer than those to its leaves over the largest taper, and so on upwards; every
        link takes a port of the boxes at its two ends, and boxes have no more ports than their radix.
        """
        boxes, rate, taper = self.boxes, self.boxes.rate_gbps, self.choose.max_taper
        assert boxes.spine is not None and boxes.core is not None and boxes.top is not None
        ports = [
            usd / box.radix[rate] for usd, box in zip(self._usd, (boxes.spine, boxes.core, boxes.top), strict=True)
        ]
        (one, once1), (two, once2), (three, once3) = self.links_usd
        upper = three + ports[1] + ports[2]
        middle = two + ports[0] + ports[1] + upper / taper
        return self.floor.least(one + ports[0] + middle / taper, self.choose.min_spines) + once1 + once2 + once3

    def _pods(self, low: Ints) -> tuple[Ints, Ints, Ints]:
        """Ways up from a spine with links per leaf and leaves per pod that may pay with the fewest spines."""
        boxes, rate, fewest = self.boxes, self.boxes.rate_gbps, self.choose.min_spines
        assert boxes.spine is not None
        spine_usd, core_usd, top_usd = self._usd
        (one, once1), (two, once2), (three, once3) = self.links_usd
        radix = boxes.spine.radix[rate]
        most = min(radix - 1, (boxes.leaf.radix[rate] - 1) // fewest)
        which, m = (grid.ravel() for grid in np.meshgrid(np.arange(len(low)), np.arange(1, most + 1), indexing="ij"))
        _, groups, up = low[which].T
        pod = (radix - up) // m
        ok = (pod >= 1) & (self.choose.max_taper * up * (1 + EPS) >= pod * m)
        which, m, up, groups, pod = (x[ok] for x in (which, m, up, groups, pod))
        least = self.floor.with_pods(fewest * m * one, fewest * (spine_usd + up * two), pod, None)
        least += fewest * groups * (core_usd + three + top_usd) + once1 + once2 + once3
        order = np.argsort(least, kind="stable")
        order = order[least[order] <= self.ceiling.best_usd]
        return which[order], m[order], pod[order]

    def _zones(self, which: Ints, m: Ints, pod: Ints, low: Ints, high: Ints) -> _Rows:
        """Every way up from a core with them that may pay with the fewest spines."""
        boxes, rate, fewest = self.boxes, self.boxes.rate_gbps, self.choose.min_spines
        assert boxes.core is not None and boxes.top is not None
        at, core = (grid.ravel() for grid in np.meshgrid(np.arange(which.size), np.arange(len(high)), indexing="ij"))
        m2, up = low[which[at], 0], high[core, 2]
        zone = (boxes.core.radix[rate] - up) // m2
        ok = (zone >= 1) & (self.choose.max_taper * up * (1 + EPS) >= zone * m2)
        at, core, zone = at[ok], core[ok], zone[ok]
        ok = self._zone_count(pod[at], zone) * high[core, 0] <= boxes.top.radix[rate]
        at, core, zone = at[ok], core[ok], zone[ok]
        rows = _Rows(which[at], core, m[at], pod[at], zone)
        return rows.take(
            np.flatnonzero(self._least(rows, np.full(at.size, fewest), low, high) <= self.ceiling.best_usd)
        )

    def _zone_count(self, pod: Ints, zone: Ints) -> Ints:
        """Zones that the fewest leaves fill."""
        return np.asarray(-(-(self.leaves // -pod) // -zone))

    def _least(self, rows: _Rows, spines: Ints, low: Ints, high: Ints, *, exact: bool = False) -> Floats:
        """Bounds (n,) with so many spines; ``exact``: only choices that their uplinks serve."""
        spine_usd, core_usd, top_usd = self._usd
        (one, once1), (two, once2), (three, once3) = self.links_usd
        (_, groups, up), (_, tops, top_up) = low[rows.spine].T, high[rows.core].T
        uplinks = rows.m * spines
        member = np.asarray(spines * (spine_usd + up * two), np.float64)
        least = self.floor.with_pods(
            np.asarray(uplinks * one, np.float64), member, rows.pod, uplinks if exact else None
        )
        zones = self._zone_count(rows.pod, rows.zone)
        above = zones * (core_usd + top_up * three) + tops * top_usd
        return np.asarray(least + spines * groups * above + once1 + once2 + once3)

    def _counted(self, rows: _Rows, low: Ints, high: Ints) -> tuple[Ints, Ints, Floats]:
        """Rows with every least number of spines that some choice needs: places, spines and bounds."""
        fewest, floor = self.choose.min_spines, self.floor
        asked = floor.needs, floor.loads, floor.kept
        most = self._needed(rows, low, high, *(x.max(keepdims=True) for x in asked))[:, 0]
        most = np.minimum(most, (self.boxes.leaf.radix[self.boxes.rate_gbps] - 1) // rows.m)
        many = np.maximum(most - fewest + 1, 0)
        number = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many) + fewest
        at = np.repeat(np.arange(rows.m.size), many)
        least = self._least(rows.take(at), number, low, high, exact=True)
        keep = least <= self.ceiling.best_usd
        at, number, least = at[keep], number[keep], least[keep]
        wanted = np.zeros(at.size, bool)
        step = max(1, _AT_ONCE // floor.needs.size)
        for start in range(0, at.size, step):
            part = slice(start, start + step)
            counts = self._needed(rows.take(at[part]), low, high, *asked)
            wanted[part] = (counts == number[part, None]).any(axis=1)
        return at[wanted], number[wanted], least[wanted]

    def _needed(self, rows: _Rows, low: Ints, high: Ints, needs: Ints, loads: Floats, kept: Floats) -> Ints:
        """Spines that uplinks and traffic out of pod and zone need, for every row and choice."""
        rate = self.boxes.rate_gbps
        m, pod, all_leaves = rows.m[:, None], rows.pod[:, None], (rows.pod * rows.zone)[:, None]
        (_, groups, up), core_up = low[rows.spine].T[:, :, None], high[rows.core, 2, None]
        top_up = groups * core_up

        def out(gbps: Floats, per_spine: Ints) -> Ints:
            return np.ceil(gbps / rate / per_spine - EPS).astype(np.int64)

        least = np.maximum(out(pod * loads, up), out(all_leaves * loads, top_up))
        least = np.maximum(np.maximum(-(needs // -m), least), self.choose.min_spines)
        if kept.any():
            for leaves, links in ((1, m), (pod, up), (all_leaves, top_up)):
                least = np.maximum(least, with_one_out(leaves * kept, links * rate))
        return np.asarray(least)
