"""Random numbers of few decimals, from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

Item = TypeVar("Item")


class Draw:
    """A seeded source of choices."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def chance(self, share: float) -> bool:
        """Return True in ``share`` of all draws."""
        return self._random.random() < share

    def one(self, items: Sequence[Item]) -> Item:
        """Pick one item."""
        return items[self._random.randrange(len(items))]

    def some(self, items: Sequence[Item], fewest: int, most: int) -> list[Item]:
        """Pick between ``fewest`` and ``most`` items, in their order."""
        number = min(len(items), self.whole(fewest, most))
        picked = set(self._random.sample(range(len(items)), number))
        return [item for place, item in enumerate(items) if place in picked]

    def whole(self, low: int, high: int) -> int:
        """Draw a whole number, both ends included."""
        return self._random.randint(low, high)

    def figure(self, low: float, high: float, digits: int = 3) -> Fraction:
        """Draw a number of few significant digits, evenly on a logarithmic scale."""
        value = low * (high / low) ** self._random.random()
        return Fraction(f"{value:.{digits}g}")

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """Return the items in a random order."""
        copy = list(items)
        self._random.shuffle(copy)
        return copy
