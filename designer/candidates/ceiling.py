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


def ways_up(radix: int, radix_above: int, tapers: Sequence[float], *, highest: bool) -> tuple[Ints, Floats]:
    """Ways up from a box (links per full upper box, upper boxes, uplinks), (n, 3), each once, and a taper that has it.

    At the ``highest`` boundary of a tree also the ways that use every uplink, some upper boxes getting a link less.

    Examples
    --------
    >>> ways, tapers = ways_up(4, 4, [1.0, 3.0], highest=True)
    >>> ways.tolist(), tapers.tolist()
    ([[1, 2, 2], [2, 1, 2], [1, 1, 1]], [1.0, 1.0, 3.0])
    >>> ways_up(6, 4, [1.0], highest=True)[0].tolist()
    [[1, 3, 3], [2, 1, 2], [2, 2, 3], [3, 1, 3]]
    """
    seen: dict[tuple[int, int, int], float] = {}
    for taper in tapers:
        most = math.ceil(radix / (1 + taper) - EPS)
        for links in range(1, min(most, radix_above) + 1):
            seen.setdefault((links, most // links, links * (most // links)), taper)
            boxes = -(most // -links)
            if highest and -(most // -boxes) == links:
                seen.setdefault((links, boxes, most), taper)
    return np.array(list(seen), np.int64).reshape(len(seen), 3), np.array(list(seen.values()), float)


def striped(uplinks: Ints, links: Ints, min_boxes: int) -> Ints:
    """Fewest uplinks (n,), no fewer than given, and the boxes for them with ``links`` to a full one, shape (n, 2).

    Fewer ``links`` than asked for serve where the boxes make do with them: the pair is then that of those.

    Examples
    --------
    >>> striped(np.array([64, 5, 1]), np.array([3, 4, 2]), 2).tolist()
    [[64, 22], [5, 2], [3, 2]]
    """
    most = np.maximum(uplinks, (min_boxes - 1) * links + 1)
    return np.stack([most, -(most // -links)], axis=1)


def with_one_out(kept_gbps: Floats, box_gbps: Ints) -> Ints:
    """Boxes of which all but one carry what must be kept, one or more; 0 where there is nothing to keep."""
    many = np.ceil(kept_gbps / box_gbps - EPS).astype(np.int64) + 1
    return np.asarray(np.where(kept_gbps > 0, many, 0))
