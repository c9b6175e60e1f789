"""Which workloads share a fabric: blocks, the ways to part all workloads into them, answers and bounds over blocks.

A *block* is a set of workloads on one fabric, written as the places of their pools (``docs/rules.md`` section 7).
A block costs at least what is known of it, and a complete answer at least what its blocks do: so a block is of no use
where it costs more than the best known answer leaves it beside the least of all other workloads.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from designer.candidates.choices import Attached
from designer.candidates.templates import Template
from designer.candidates.terms import NET_WATTS, RACKS, Floats
from designer.candidates.weights import NOISE, Weights

Block = tuple[int, ...]
Parting = tuple[Block, ...]

# With more workloads all of them share a fabric, or each has its own.
MOST_PARTED = 4
# The lean of fabrics that were looked for with another goal altogether.
OTHER = -1


@dataclass(frozen=True)
class Fabric:
    """A fabric of an answer: the choices of every pool of its block, one or of a mixed pool its parts; ``terms``
    (columns,) is the term vector of all together.
    """

    block: Block
    template: Template
    items: tuple[tuple[Attached, ...], ...]
    terms: Floats


class CutShortError(Exception):
    """The search was stopped before its end; ``answer`` is the best complete one that it knows, ``goal`` its value.

    ``interrupted`` says that a person stopped it, not the clock.
    """

    def __init__(self, answer: tuple[Fabric, ...], goal: float, *, interrupted: bool) -> None:
        super().__init__("the search was stopped before its end")
        self.answer, self.goal, self.interrupted = answer, goal, interrupted


def works_of(works: Sequence[str]) -> tuple[Block, ...]:
    """Places of the pools of each workload; ``works`` names that of every pool."""
    return tuple(tuple(p for p, name in enumerate(works) if name == work) for work in dict.fromkeys(works))


def blocks_of(works: Sequence[str], *, private: bool, apart: bool = False) -> tuple[Block, ...]:
    """All sets of workloads that may share a fabric: each alone, then all, then the others, the largest first.

    With ``apart`` none may: only each alone.

    Examples
    --------
    >>> blocks_of(["a", "a", "b"], private=True)
    ((0, 1), (2,), (0, 1, 2))
    >>> blocks_of(["a", "a", "b"], private=False)
    ((0, 1, 2),)
    """
    alone, every = works_of(works), tuple(range(len(works)))
    if apart:
        return alone
    if not private or len(alone) == 1:
        return (every,)
    between = range(len(alone) - 1, 1, -1) if len(alone) <= MOST_PARTED else ()
    some = [
        tuple(sorted(place for work in chosen for place in work))
        for size in between
        for chosen in combinations(alone, size)
    ]
    return (*alone, every, *some)


@cache
def partings(blocks: tuple[Block, ...]) -> tuple[Parting, ...]:
    """All ways to part the pools into blocks, each block with the pools that come first.

    Examples
    --------
    >>> partings(((0,), (1,), (0, 1)))
    (((0,), (1,)), ((0, 1),))
    """
    every = {place for block in blocks for place in block}

    def cover(left: set[int]) -> Iterable[Parting]:
        if not left:
            yield ()
            return
        first = min(left)
        for block in blocks:
            if first in block and left.issuperset(block):
                for rest in cover(left.difference(block)):
                    yield (block, *rest)

    return tuple(cover(every))


def within(weights: Weights, fabrics: Sequence[Floats], network_rack_watts: float, *, surely: bool = True) -> bool:
    """Whether the fabrics of a complete selection, a term vector each, respect every limit together.

    Sums of floats that are at a limit may be just beyond it in exact arithmetic: ``surely`` they do not respect it,
    and otherwise they may.
    """
    for limit in weights.limits:
        value = sum(float(limit.row @ terms) for terms in fabrics)
        if limit.row[RACKS]:
            # Whole numbers: these are exact.
            racks = sum(math.ceil(terms[NET_WATTS] / network_rack_watts - NOISE) for terms in fabrics)
            if value + racks > limit.most:
                return False
        elif limit.counted and limit.share is None:
            # Whole units: exact too.
            if value > limit.most:
                return False
        elif value > (limit.most * (1 - 1e-12) if surely else limit.room):
            return False
    return True


class Known:
    """The best answer known, and the best fabric known of each block, by itself.

    ``best`` is the goal of a complete answer within the limits, infinite while there is none; ``answer`` is the best
    that was put together here, ``found_best`` its goal. Fabrics are kept by the
    lean of the goal they were looked for with: those of one lean are put together, and those of the goal itself.
    Without ``blocks`` nothing is put together; ``told`` hears of every fabric that is found here for another goal.
    """

    def __init__(
        self, blocks: tuple[Block, ...], weights: Weights, network_rack_watts: float, told: Known | None = None
    ) -> None:
        self._told = told
        self.best = self.found_best = math.inf
        self.answer: tuple[Fabric, ...] = ()
        self._weights, self._racks = weights, network_rack_watts
        self._partings = {block: [way for way in partings(blocks) if block in way] for block in blocks}
        self._found: dict[tuple[Block, int], tuple[float, Fabric]] = {}

    def forget_others(self) -> None:
        """Forget the fabrics of another goal: from here on it is a different one."""
        self._found = {key: found for key, found in self._found.items() if key[1] != OTHER}

    def own(self, block: Block) -> float:
        """Goal of the best fabric known of a block, whatever the limits."""
        return self._found.get((block, 0), (math.inf,))[0]

    def add(self, fabric: Fabric, lean: int, tilt: Floats) -> bool:
        """Take a fabric; whether it makes a complete answer within the limits with those of the others."""
        whole, block = False, fabric.block
        if self._told is not None:
            self._told.add(fabric, OTHER, tilt)
        for way in self._partings.get(block, ()):
            for other in {lean, 0}:
                rest = [self._found.get((one, other)) for one in way if one != block]
                whole |= self._complete([fabric, *(found[1] for found in rest if found is not None)], len(way))
        value = float(tilt @ fabric.terms)
        if value < self._found.get((block, lean), (math.inf,))[0]:
            self._found[block, lean] = value, fabric
        return whole

    def _complete(self, fabrics: Sequence[Fabric], wanted: int) -> bool:
        if len(fabrics) < wanted or not within(self._weights, [fabric.terms for fabric in fabrics], self._racks):
            return False
        goal = sum(float(self._weights.goal @ fabric.terms) for fabric in fabrics)
        self.best = min(self.best, goal)
        if goal < self.found_best:
            self.found_best, self.answer = goal, tuple(fabrics)
        return True


class Bounds:
    """What every block costs at least in the goal that bounds are counted in.

    ``floors`` say what each workload adds to a fabric at least, whoever is on it. A fabric that loses a workload stays
    one for the others and costs less: so the least of a block and the floors of further workloads bound a larger one.
    No answer has more than so many ``fabrics``.
    """

    def __init__(self, blocks: tuple[Block, ...], floors: Mapping[Block, float], fabrics: float = math.inf) -> None:
        self._ways, self._floors = [way for way in partings(blocks) if len(way) <= fabrics], dict(floors)
        self._low: dict[Block, float] = {}
        self._gone: set[Block] = set()

    def learn(self, block: Block, low: float) -> None:
        """A block costs at least ``low``."""
        self._low[block] = max(low, self._low.get(block, -math.inf))

    def drop(self, block: Block) -> None:
        """A block is in no answer that matters."""
        self._gone.add(block)

    def least(self, block: Block) -> float:
        """What a block costs at least."""
        inside = {work: floor for work, floor in self._floors.items() if set(work) <= set(block)}
        out = sum(inside.values())
        for part, low in self._low.items():
            if set(part) <= set(block):
                out = max(out, low + sum(floor for work, floor in inside.items() if not set(work) <= set(part)))
        return out

    def rest(self, block: Block) -> float:
        """What the workloads outside a block cost at least, on any fabrics (infinite: there is no place for them)."""
        ways = (way for way in self._ways if block in way and not self._gone.intersection(way))
        return min((sum(self.least(one) for one in way if one != block) for way in ways), default=math.inf)
