"""Which fabric shapes are worth considering for given pool choices (``docs/rules.md`` section 7).

Two exact arguments keep the list short. For given choices and links per pair only the fewest spines that carry
them can be optimal, because every coefficient of a template grows with its spines: so spines run over the least
numbers some choice needs. With two stages, where uplinks need not be even, the same holds of the uplinks: one less is a
link less to one spine, or none to the last. And a shape whose boxes and links alone, at their cheapest, lift the
cheapest choices that it can carry above a known answer cannot be in a better one. Copies of the fabric multiply boxes
and links alike and leave both arguments as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from designer.candidates.ceiling import Ceiling, striped, ways_up, with_one_out
from designer.candidates.choices import Choices
from designer.candidates.copies import Copies
from designer.candidates.floor import EPS, Floor
from designer.candidates.mixing import least as least_of
from designer.candidates.parts import SwitchPart
from designer.candidates.shape import Boxes, Ints, Shape, ShapeRows
from designer.candidates.terms import Floats
from designer.candidates.zones import FourStages
from designer.instance.schema import Choose

# Combinations looked at in one go: bounds memory, of no influence on the result.
_AT_ONCE = 400_000


def shapes(
    choices: Sequence[Choices],
    spines: Sequence[SwitchPart],
    cores: Sequence[SwitchPart],
    tops: Sequence[SwitchPart],
    stages: int,
    choose: Choose,
    ceiling: Ceiling,
    objective: Callable[[Floats], Floats],
) -> Iterator[ShapeRows]:
    """Yield the trees of one number of stages for the choices (one block per pool) on one leaf type.

    Each comes with a lower bound: its boxes and links at their cheapest, and the choices that are cheapest with them.
    """
    leaf, copies = choices[0].leaf, choices[0].copies
    if stages == 1:
        least = sum(float(least_of(objective(c.terms), c.mixing)) for c in choices) + ceiling.box_usd(leaf)
        rows = ShapeRows.of(Shape(1, leaf, copies=copies))
        rows.least_usd[0] = least
        yield rows
        return
    fewest = sum(float(least_of(c.leaves.astype(float), c.mixing)) for c in choices)
    if fewest == np.inf:
        return
    leaves = int(fewest)
    floors: dict[int, Floor | None] = {}
    for spine in spines:
        if spine.family != leaf.family:
            continue
        for rate in sorted(set(leaf.radix) & set(spine.radix)):
            link = ceiling.link_usd(leaf, spine, rate, "leaf_spine")
            if link is None:
                continue
            if rate not in floors:
                floors[rate] = Floor.of(choices, rate, choose.max_taper, objective)
            floor = floors[rate]
            if floor is None:
                continue
            if stages == 2:
                yield from _two_stages(leaf, spine, rate, copies, leaves, link, choose.min_spines, ceiling, floor)
                continue
            # The cheapest choices with the uplinks they need and one pod of the fewest spines.
            pod = floor.least(link[0], choose.min_spines) + link[1] + choose.min_spines * ceiling.box_usd(spine)
            for core in cores if pod <= ceiling.best_usd else ():
                if core.family != leaf.family or rate not in core.radix:
                    continue
                boxes = Boxes(leaf, spine, core, None, rate, copies)
                yield from _more_stages(boxes, tops if stages == 4 else None, leaves, link, choose, ceiling, floor, pod)


def _more_stages(
    boxes: Boxes,
    tops: Sequence[SwitchPart] | None,
    leaves: int,
    link: tuple[float, float],
    choose: Choose,
    ceiling: Ceiling,
    floor: Floor,
    pod: float,
) -> Iterator[ShapeRows]:
    """Shapes with these leaves, spines and cores; with ``tops`` those of four stages.

    ``pod`` is what all of them cost at least without cores and what joins those; every spine has one.
    """
    spine, core, rate, fewest = boxes.spine, boxes.core, boxes.rate_gbps, choose.min_spines
    assert spine is not None and core is not None
    least = pod + fewest * ceiling.box_usd(core)
    if least > ceiling.best_usd:
        return
    upper = ceiling.link_usd(spine, core, rate, "spine_core")
    if upper is None or least + fewest * upper[0] + upper[1] > ceiling.best_usd or ceiling.hopeless(boxes):
        return
    if tops is None:
        three = _ThreeStages(boxes.leaf, spine, core, rate, boxes.copies, leaves, choose, (link, upper), ceiling, floor)
        found = three.run()
        if found is not None:
            yield found
    for top in tops or ():
        if top.family != boxes.leaf.family or rate not in top.radix:
            continue
        last = ceiling.link_usd(core, top, rate, "core_top")
        if last is not None:
            yield from FourStages(replace(boxes, top=top), leaves, choose, (link, upper, last), ceiling, floor).run()


def _two_stages(
    leaf: SwitchPart,
    spine: SwitchPart,
    rate: int,
    copies: Copies,
    leaves: int,
    link: tuple[float, float],
    min_spines: int,
    ceiling: Ceiling,
    floor: Floor,
) -> Iterator[ShapeRows]:
    distinct = np.unique(np.stack([floor.needs, floor.kept], axis=1), axis=0)
    most = min(spine.radix[rate] // leaves, int(floor.needs.max()))
    if most < 1:
        return
    m, row = np.meshgrid(np.arange(1, most + 1), np.arange(len(distinct)), indexing="ij")
    need, kept = distinct[row, 0].astype(np.int64).ravel(), distinct[row, 1].ravel()
    # Without a full spine what must be kept passes by the links to the others.
    need = np.where(kept > 0, np.maximum(need, m.ravel() + np.ceil(kept / rate - EPS).astype(np.int64)), need)
    ways = np.unique(striped(need, m.ravel(), min_spines), axis=0)
    up, count = ways[ways[:, 0] < leaf.radix[rate]].T
    least = count * ceiling.box_usd(spine) + floor(up * link[0], up) + link[1]
    keep = least <= ceiling.best_usd
    if keep.any():
        up, count, least = up[keep], count[keep], least[keep]
        m = -(up // -count)
        boxes = Boxes(leaf, spine, rate_gbps=rate, copies=copies)
        yield ShapeRows(boxes, least, {"links_per_pair": m, "spines": count, "lean": m * count - up})


@dataclass(frozen=True)
class _ThreeStages:
    leaf: SwitchPart
    spine: SwitchPart
    core: SwitchPart
    rate: int
    copies: Copies
    leaves: int
    choose: Choose
    links_usd: tuple[tuple[float, float], tuple[float, float]]
    ceiling: Ceiling
    floor: Floor

    def run(self) -> ShapeRows | None:
        """All shapes that may pay (None: there are none)."""
        (leaf_link, leaf_once), (core_link, core_once) = self.links_usd
        spine_usd, core_usd = self.ceiling.box_usd(self.spine), self.ceiling.box_usd(self.core)
        radix, fewest, best = self.spine.radix[self.rate], self.choose.min_spines, self.ceiling.best_usd
        # The cheapest choices with the uplinks they need, one pod of the fewest spines and one core for each.
        base = self.floor.least(leaf_link, fewest) + leaf_once + core_once + fewest * spine_usd
        ways, tapers = ways_up(radix, self.core.radix[self.rate], self.choose.spine_tapers, highest=True)
        pays = base + fewest * (ways[:, 1] * core_usd + ways[:, 2] * core_link) <= best
        ways, tapers = ways[pays], tapers[pays]
        found: list[tuple[Ints, Floats]] = []
        step = max(1, _AT_ONCE // radix)
        for start in range(0, len(ways), step):
            rows = self._grid(ways[start : start + step], np.arange(start, min(start + step, len(ways))), radix)
            chunk = max(1, _AT_ONCE // 20)
            found += [self._counted(rows[i : i + chunk], ways) for i in range(0, len(rows), chunk)]
        if not sum(usd.size for _, usd in found):
            return None
        rows, least = np.concatenate([r for r, _ in found]), np.concatenate([usd for _, usd in found])
        way = ways[rows[:, 0]]
        whole = {"links_per_pair": rows[:, 1], "leaves_per_pod": rows[:, 2], "spines": rows[:, 3]}
        whole |= {"links_per_core": way[:, 0], "cores_per_spine": way[:, 1]}
        whole["lean"] = way[:, 0] * way[:, 1] - way[:, 2]
        boxes = Boxes(self.leaf, self.spine, self.core, rate_gbps=self.rate, copies=self.copies)
        return ShapeRows(boxes, least, whole, {"spine_taper": tapers[rows[:, 0]]})

    def _grid(self, ways: Ints, place: Ints, radix: int) -> Ints:
        """Rows (way, links per pair, leaves per pod) that may pay with the fewest spines."""
        (leaf_link, leaf_once), (core_link, core_once) = self.links_usd
        spine_usd, core_usd = self.ceiling.box_usd(self.spine), self.ceiling.box_usd(self.core)
        fewest = self.choose.min_spines
        most = min(radix - 1, (self.leaf.radix[self.rate] - 1) // fewest)
        which, m = (grid.ravel() for grid in np.meshgrid(np.arange(len(ways)), np.arange(1, most + 1), indexing="ij"))
        m2, groups, up = ways[which].T
        pod = (radix - up) // m
        ok = (pod >= 1) & (self.choose.max_taper * up * (1 + EPS) >= pod * m)
        which, m, m2, groups, up, pod = (x[ok] for x in (which, m, m2, groups, up, pod))
        ok = -(self.leaves // -pod) * m2 <= self.core.radix[self.rate]
        which, m, groups, up, pod = (x[ok] for x in (which, m, groups, up, pod))
        least = self.floor.with_pods(fewest * m * leaf_link, fewest * (spine_usd + up * core_link), pod, None)
        ok = least + fewest * groups * core_usd + leaf_once + core_once <= self.ceiling.best_usd
        return np.stack([place[which[ok]], m[ok], pod[ok]], axis=1)

    def _counted(self, rows: Ints, ways: Ints) -> tuple[Ints, Floats]:
        """Rows with every least number of spines that some choice needs, and their bounds."""
        (leaf_link, leaf_once), (core_link, core_once) = self.links_usd
        spine_usd, core_usd = self.ceiling.box_usd(self.spine), self.ceiling.box_usd(self.core)
        fewest = self.choose.min_spines
        # All numbers up to what the most demanding choice needs or the ports of a leaf take; which of them some choice
        # needs is asked last, of the few that may pay.
        asked = self.floor.needs, self.floor.loads, self.floor.kept
        most = self._needed(rows, ways, *(x.max(keepdims=True) for x in asked))[:, 0]
        most = np.minimum(most, (self.leaf.radix[self.rate] - 1) // rows[:, 1])
        many = np.maximum(most - fewest + 1, 0)
        number = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many) + fewest
        way, m, pod = np.repeat(rows, many, axis=0).T
        member = number * (spine_usd + ways[way, 2] * core_link)
        least = self.floor.with_pods(m * number * leaf_link, member, pod, m * number)
        least = least + number * ways[way, 1] * core_usd + leaf_once + core_once
        keep = np.flatnonzero(least <= self.ceiling.best_usd)
        found = np.stack([way, m, pod, number], axis=1)[keep]
        wanted = np.zeros(keep.size, bool)
        step = max(1, _AT_ONCE // self.floor.needs.size)
        for start in range(0, keep.size, step):
            part = found[start : start + step]
            counts = self._needed(part, ways, *asked)
            wanted[start : start + step] = (counts == part[:, 3:]).any(axis=1)
        return found[wanted], least[keep][wanted]

    def _needed(self, rows: Ints, ways: Ints, needs: Ints, loads: Floats, kept: Floats) -> Ints:
        """Spines that uplinks and traffic out of the pod need, for every row and choice."""
        way, m, pod = rows[:, 0, None], rows[:, 1, None], rows[:, 2, None]
        up = ways[way, 2]
        out = np.ceil(pod * loads / (up * self.rate) - EPS).astype(np.int64)
        least = np.maximum(np.maximum(-(needs // -m), out), self.choose.min_spines)
        if kept.any():
            out = with_one_out(pod * kept, up * self.rate)
            least = np.maximum(np.maximum(least, with_one_out(kept, m * self.rate)), out)
        return np.asarray(least)
