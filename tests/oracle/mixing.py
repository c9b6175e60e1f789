"""Parts of pools, each on an accelerator of its own (section 6.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

from designer.instance.schema import Instance


@dataclass(frozen=True)
class Slot:
    """A pool, or the part of one that serves ``steps`` of ``of`` equal parts of its peak on one accelerator."""

    pool: str
    accelerator: str | None = None
    steps: int = 1
    of: int = 1

    @property
    def share(self) -> Fraction:
        """Share of the pool's peak."""
        return Fraction(self.steps, self.of)


def ways_to_run(pool: str, instance: Instance, accelerators: Sequence[str]) -> list[tuple[Slot, ...]]:
    """List the pool in one part, on any accelerator, and all its mixes, in the order of the accelerators' ids."""
    found: list[tuple[Slot, ...]] = [(Slot(pool),)]
    steps = instance.choose.mixed_steps
    for parts in range(2, instance.choose.mixed_parts + 1):
        for chosen in combinations(sorted(accelerators), parts):
            for split in splits(steps, parts):
                found.append(tuple(Slot(pool, a, i, steps) for a, i in zip(chosen, split, strict=True)))
    return found


def splits(whole: int, parts: int) -> Iterator[tuple[int, ...]]:
    """List the ways to write ``whole`` as a sum of ``parts`` numbers of at least 1, in order.

    Examples
    --------
    >>> list(splits(4, 2)), list(splits(3, 3)), list(splits(2, 3))
    ([(1, 3), (2, 2), (3, 1)], [(1, 1, 1)], [])
    """
    for head in product(range(1, whole), repeat=parts - 1):
        if sum(head) < whole:
            yield (*head, whole - sum(head))


def all_ways(pools: Sequence[str], instance: Instance, accelerators: Sequence[str]) -> Iterator[tuple[Slot, ...]]:
    """List the ways to run several pools, parts in the place of their pool; every pool in one part comes first."""
    for chosen in product(*(ways_to_run(pool, instance, accelerators) for pool in pools)):
        yield tuple(slot for slots in chosen for slot in slots)
