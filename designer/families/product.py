"""What products of rings and of complete graphs carry: tori and HyperX, side by side.

A box stands at a place of a grid; along every side its line is a ring or a full mesh. Such a network looks the same
from every box, and along one side all links are alike, so that all-to-all and permutation have exact values:

* **All-to-all.** Give every link of one side the length 1 and all others 0: whatever the routes, an even exchange of
  all boxes crosses that side ``mean`` times per unit sent (``mean``: the mean number of hops along the side, the own
  place counted), so no more than ``degree * rate / mean`` enters per box. Routes side after side, ties split evenly,
  load all links of a side alike and reach that figure.
* **Permutation.** Twice the even exchange (to a place drawn evenly, then to the partner: Valiant and Brebner, Universal
  schemes for parallel communication, STOC 1981) carries every permutation at half that figure. A shift of all boxes by
  the same half of a ring (or by any one place of a full mesh) carries no more: with the lengths ``m + 1`` and ``m`` one
  way and the other around a ring of ``2m + 1`` (1 and 1 around an even one; 2 on the link straight to the partner and 1
  on the others of a full mesh) every route is at least as long as the shift, and the lengths times the rates add up to
  exactly that half.
* **All-reduce.** Shifted and mirrored copies of one ring load all links of a side alike, so only the share of its steps
  along every side counts, and a mix of a few known rings gives what is possible at least. So do walks around spanning
  trees, once each way over every link of the tree: Nash-Williams, Edge-disjoint spanning trees of finite graphs, 1961
  (in fractions: the least of links over parts - 1 among all partitions; the least one has all the symmetry of the
  network, so its parts are whole sides). Above: a ring that passes through all boxes leaves every such part once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, permutations
from math import prod
from typing import Literal

import numpy as np
from scipy.optimize import linprog

from designer.families.family import Rate

_EQUAL = 1e-9


@dataclass(frozen=True)
class Side:
    """Lines of one side: ``degree`` links of every box, of ``gbps`` each."""

    size: int
    shape: Literal["ring", "complete"]
    degree: int
    gbps: float

    @property
    def mean(self) -> Fraction:
        """Mean number of hops along this side to a place drawn evenly, the own one counted.

        A ring: Dally and Towles, Principles and Practices of Interconnection Networks, ch. 5.

        Examples
        --------
        >>> Side(8, "ring", 2, 1.0).mean, Side(5, "ring", 2, 1.0).mean, Side(5, "complete", 4, 1.0).mean
        (Fraction(2, 1), Fraction(6, 5), Fraction(4, 5))
        """
        a = self.size
        if self.shape == "complete":
            return Fraction(a - 1, a)
        return Fraction(a, 4) if a % 2 == 0 else Fraction(a * a - 1, 4 * a)

    @property
    def ports_gbps(self) -> float:
        """Gb/s of one box along this side."""
        return self.degree * self.gbps

    @property
    def even_gbps(self) -> float:
        """Gb/s per box of an even exchange of all boxes, the own place counted, as far as this side carries it."""
        return float(self.ports_gbps / self.mean)


def all_to_all_gbps(sides: Sequence[Side], concentration: int = 1) -> float:
    """Gb/s per endpoint that all endpoints exchange evenly, ``concentration`` of them at every box.

    Examples
    --------
    >>> all_to_all_gbps([Side(8, "ring", 2, 800.0)] * 3)  # docs/rules.md, section 3.3
    798.4375
    >>> all_to_all_gbps([Side(8, "complete", 7, 400.0)])  # straight over all seven ports
    2800.0
    """
    endpoints = concentration * prod(side.size for side in sides)
    return min(side.even_gbps for side in sides) * (endpoints - 1) / (endpoints * concentration)


def permutation_gbps(sides: Sequence[Side], concentration: int = 1) -> float:
    """Gb/s per endpoint of the worst permutation: half the even exchange of the weakest side.

    Examples
    --------
    >>> permutation_gbps([Side(4, "complete", 3, 1.0)]), permutation_gbps([Side(5, "ring", 2, 1.0)])
    (2.0, 0.8333333333333334)
    """
    return min(side.even_gbps for side in sides) / (2 * concentration)


def all_reduce_gbps(sides: Sequence[Side]) -> tuple[float, float]:
    """Gb/s, at least and at most, of rings that pass through all boxes, all rings at once.

    Examples
    --------
    >>> all_reduce_gbps([Side(4, "ring", 2, 1.0), Side(6, "ring", 2, 1.0)])  # Kotzig: two rings use up all links
    (4.0, 4.0)
    >>> all_reduce_gbps([Side(3, "ring", 2, 9.0), Side(5, "ring", 2, 1.0)])  # at most 3 * 2 links leave every row
    (4.0, 6.0)
    """
    boxes = prod(side.size for side in sides)
    most = min(
        boxes // prod(side.size for side in apart) * sum(side.ports_gbps for side in apart) for apart in _parts(sides)
    )
    least = spanning_trees_gbps(sides)
    shares = list(_ring_shares(sides))
    if shares:
        limits = [side.ports_gbps / most for side in sides]
        mix = linprog(-np.ones(len(shares)), A_ub=np.array(shares, float).T, b_ub=limits, method="highs")
        if mix.fun is None:
            raise RuntimeError(f"mix of rings: {mix.message}")
        least = max(least, -float(mix.fun) * most)
    return (most, most) if least > most * (1 - _EQUAL) else (least, most)


def spanning_trees_gbps(sides: Sequence[Side]) -> float:
    """Gb/s of spanning trees that the links hold side by side, in fractions.

    Examples
    --------
    >>> spanning_trees_gbps([Side(4, "complete", 3, 1.0)]), spanning_trees_gbps([Side(5, "ring", 2, 1.0)])
    (2.0, 1.25)
    """
    boxes = prod(side.size for side in sides)
    return min(
        boxes * sum(side.ports_gbps for side in apart) / (2 * (prod(side.size for side in apart) - 1))
        for apart in _parts(sides)
    )


def _parts(sides: Sequence[Side]) -> Iterator[tuple[Side, ...]]:
    """Partitions into whole sides: those along which places are told apart."""
    return (apart for n in range(1, len(sides) + 1) for apart in combinations(sides, n))


def _ring_shares(sides: Sequence[Side]) -> Iterator[tuple[Fraction, ...]]:
    """Shares of the steps along every side, of rings that are known to pass through all boxes once.

    * One side: the ring itself.
    * All sides rings of three boxes or more: they fall into as many rings through all boxes as there are sides (Kotzig
      1973 for two; Foregger 1978 for three; Aubert and Schneider 1982 beyond), with equal shares on average.
    * A reflected Gray code, quickest side first, slowest last, closes over the slowest where that is even; in full
      meshes of three and more it closes always, as the places along the quicker sides may be visited in any order.
    * Two rings, the slow one a multiple of the quick one: forward along the quick one, one step aside, and so on.
    """
    if len(sides) == 1:
        yield (Fraction(1),)
        return
    rings = all(side.shape == "ring" and side.size >= 3 for side in sides)
    meshes = all(side.shape == "complete" and side.size >= 3 for side in sides)
    if rings:
        yield tuple(Fraction(1, len(sides)) for _ in sides)
    for order in permutations(range(len(sides))):
        slowest = sides[order[-1]]
        spiral = rings and len(sides) == 2 and slowest.size % sides[order[0]].size == 0
        if not (slowest.size % 2 == 0 or meshes or spiral):
            continue
        share = [Fraction(0)] * len(sides)
        left = Fraction(1)
        for place in order[:-1]:
            share[place] = left * (1 - Fraction(1, sides[place].size))
            left /= sides[place].size
        share[order[-1]] = left
        yield tuple(share)


def capacities(
    sides: Sequence[Side], planes: int, concentration: int | None = None, endpoint_gbps: float = 0.0
) -> dict[str, Rate]:
    """The three capacities of docs/families.md, over all planes.

    ``concentration`` endpoints with ``endpoint_gbps`` stand at every router; None: the endpoints themselves forward.
    """
    limit = float("inf") if concentration is None else endpoint_gbps
    each = concentration or 1
    what = "product of " + " and ".join(sorted({"rings" if s.shape == "ring" else "full meshes" for s in sides}))
    least, most = all_reduce_gbps(sides)
    even = planes * min(limit, all_to_all_gbps(sides, each))
    worst = planes * min(limit, permutation_gbps(sides, each))
    return {
        "all_to_all": Rate(even, even, f"{what}: mean hops along the weakest side (Dally and Towles, ch. 5)"),
        "permutation": Rate(worst, worst, f"{what}: two even exchanges (Valiant and Brebner 1981), met by a shift"),
        "all_reduce": Rate(
            planes * min(limit, least),
            planes * min(limit, most),
            f"{what}: at least by known rings through all boxes (Gray codes; Kotzig 1973, Foregger 1978, Aubert and "
            "Schneider 1982) or trees (Nash-Williams 1961), at most all ports of the boxes or of whole lines of them",
        ),
    }
