"""Capacities of folded Clos networks, in which all links of a group upward count as one cut.

The cut is reached where every flow may be split evenly over the same boxes above: C. Leiserson, "Fat-trees: universal
networks for hardware-efficient supercomputing", IEEE Trans. Computers 1985 (channel capacities of a fat tree decide).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from designer.families.family import Rate
from designer.network.graph import Ints

CUTS = "exact: cuts above the groups of each tier, reached by even splitting (Leiserson, Fat-trees, IEEE ToC 1985)"


@dataclass(frozen=True, eq=False)
class Cut:
    """Groups of endpoints and the Gb/s (one direction) that each group has to the rest of the network."""

    sizes: Ints
    gbps: npt.NDArray[np.float64]

    @staticmethod
    def equal(sizes: Sequence[int] | Ints, gbps: float) -> Cut:
        """Groups that have the same links upward, however many endpoints they hold."""
        found = np.asarray(sizes, np.int64)
        return Cut(found, np.full(found.shape, gbps, np.float64))

    def split(self, endpoints: int) -> Cut:
        """The groups that hold some endpoints, but not all of them: no traffic crosses the others' cuts."""
        some = (self.sizes > 0) & (self.sizes < endpoints)
        return Cut(self.sizes[some], self.gbps[some])


def crossing(sizes: Ints, endpoints: int) -> Ints:
    """Most endpoints of each group whose partners are outside, in any permutation of all endpoints."""
    return np.asarray(np.minimum(sizes, endpoints - sizes))


def all_to_all_bound(endpoints: int, gbps: float, cuts: Sequence[Cut]) -> float:
    """T <= (N - 1) * cut / (inside * outside) for every group, and T <= the endpoint's own rate."""
    best = gbps
    for cut in cuts:
        s = cut.split(endpoints)
        if s.sizes.size:
            best = min(best, float(((endpoints - 1) * s.gbps / (s.sizes * (endpoints - s.sizes))).min()))
    return best


def permutation_bound(endpoints: int, gbps: float, cuts: Sequence[Cut]) -> float:
    """T <= cut / min(inside, outside) for every group, and T <= the endpoint's own rate."""
    best = gbps
    for cut in cuts:
        s = cut.split(endpoints)
        if s.sizes.size:
            best = min(best, float((s.gbps / crossing(s.sizes, endpoints)).min()))
    return best


def all_reduce_bound(endpoints: int, gbps: float, cuts: Sequence[Cut]) -> float:
    """T <= cut for every group, which a ring leaves at least once, and T <= the endpoint's own rate."""
    best = gbps
    for cut in cuts:
        s = cut.split(endpoints)
        if s.sizes.size:
            best = min(best, float(s.gbps.min()))
    return best


def exact_capacity(endpoints: int, gbps: float, cuts: Sequence[Cut], copies: int, note: str = "") -> dict[str, Rate]:
    """Capacities over ``copies`` equal copies of a network whose cuts are reached by even splitting."""
    found = {
        "all_to_all": all_to_all_bound(endpoints, gbps, cuts),
        "permutation": permutation_bound(endpoints, gbps, cuts),
        "all_reduce": all_reduce_bound(endpoints, gbps, cuts),
    }
    return {key: Rate(copies * rate, copies * rate, CUTS + note) for key, rate in found.items()}
