"""What the searches for shapes share: a known answer to beat, ways up from a box, boxes of which one may be out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from designer.candidates.floor import EPS
from designer.candidates.parts import SwitchPart
from designer.candidates.shape import Boxes, Ints
from designer.candidates.terms import Floats


@dataclass(frozen=True)
class Ceiling:
    """A known answer to beat, and prices that no shape undercuts.

    ``known()`` is the known objective (infinite when nothing is known), which may fall while shapes are looked for;
    ``box_usd(switch)`` is what one box above the
    leaf adds at least, in every copy of the fabric, ``link_usd(lower, upper, rate, name)`` what a link adds per link
    and once, None when no cable joins the two switches; ``hopeless(boxes)`` says that no fabric of three or more stages
    with these switches is needed.
    """

    known: Callable[[], float]
    box_usd: Callable[[SwitchPart], float]
    link_usd: Callable[[SwitchPart, SwitchPart, int, str], tuple[float, float] | None]
    hopeless: Callable[[Boxes], bool]

    @property
    def best_usd(self) -> float:
        """The objective to beat as it is now."""
        return self.known()


def ways_up(radix: int, radix_above: int, tapers: Sequence[float]) -> tuple[Ints, Floats]:
    """Ways up from a box (links per upper box, upper boxes), shape (n, 2), each once, and a taper that has it (n,).

    Examples
    --------
    >>> ways, tapers = ways_up(4, 4, [1.0, 3.0])
    >>> ways.tolist(), tapers.tolist()
    ([[1, 2], [2, 1], [1, 1]], [1.0, 1.0, 3.0])
    """
    seen: dict[tuple[int, int], float] = {}
    for taper in tapers:
        most = math.ceil(radix / (1 + taper) - EPS)
        for links in range(1, min(most, radix_above) + 1):
            seen.setdefault((links, most // links), taper)
    return np.array(list(seen), np.int64).reshape(len(seen), 2), np.array(list(seen.values()), float)


def with_one_out(kept_gbps: Floats, box_gbps: Ints) -> Ints:
    """Boxes of which all but one carry what must be kept, one or more; 0 where there is nothing to keep."""
    many = np.ceil(kept_gbps / box_gbps - EPS).astype(np.int64) + 1
    return np.asarray(np.where(kept_gbps > 0, many, 0))
