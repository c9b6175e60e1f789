"""What uneven links upward are sure to carry: a routing in proportion to the number of paths, and its worst link.

Every flow goes up to the boxes of the highest stage and down again, split over its shortest such paths alike. Each
Gb/s per endpoint puts a known load on every link, so the busiest link tells what is feasible: a lower bound, as in
Towles and Dally, "Worst-case traffic for oblivious routing functions", SPAA 2002. The cuts of `clos_capacity` bound
from above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from designer.families.clos_capacity import crossing
from designer.network.graph import Ints

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Loads:
    """Gb/s on the busiest link per Gb/s of every endpoint, or an upper bound of it."""

    all_to_all: float
    permutation: float
    all_reduce: float

    def __or__(self, other: Loads) -> Loads:
        """The busier of two boundaries."""
        return Loads(
            max(self.all_to_all, other.all_to_all),
            max(self.permutation, other.permutation),
            max(self.all_reduce, other.all_reduce),
        )


def one_boundary(sizes: Ints, links: Ints, endpoints: int) -> Loads:
    """Loads of one boundary that everything between two units crosses: units below, boxes above.

    Parameters
    ----------
    sizes
        (units,) endpoints.
    links
        (units, above) links of a unit to each box above, at least one.
    endpoints
        All endpoints.

    Notes
    -----
    A flow from unit a to unit b takes box s with the share ``links[a, s] * links[b, s] / paths[a, b]``: per link up
    that is ``links[b, s] / paths[a, b]``. Units with the same row of links count as one kind.
    """
    rows, kind = np.unique(links, axis=0, return_inverse=True)
    kind = kind.ravel()
    paths = (rows @ rows.T).astype(np.float64)
    held = np.bincount(kind, weights=sizes, minlength=len(rows))
    alone = np.bincount(kind, minlength=len(rows)) == 1
    to_all = (held / paths) @ rows
    own = rows / np.diag(paths)[:, None]
    even = sizes[:, None] * (to_all[kind] - sizes[:, None] * own[kind])
    worst = np.empty(rows.shape, np.float64)
    for a in range(len(rows)):
        per_link = rows / paths[a][:, None]
        if alone[a]:
            per_link[a] = 0.0
        worst[a] = per_link.max(axis=0)
    permuted = crossing(sizes, endpoints)[:, None] * worst[kind]
    return Loads(float(even.max()) / (endpoints - 1), float(permuted.max()), float(worst.max()))


def for_each_other(sizes: Ints, links: Ints) -> float:
    """Least number of links per endpoint that two units have for each other, both ways over the same boxes above.

    Parameters
    ----------
    sizes
        (units,) endpoints.
    links
        (units, above) links of a unit to each box above.

    Examples
    --------
    Three links each over two boxes, dealt out in turn: only two of them meet, for two endpoints.

    >>> for_each_other(np.array([2, 2]), np.array([[2, 1], [1, 2]]))
    1.0
    """
    kinds, many = np.unique(np.c_[sizes, links], axis=0, return_counts=True)
    least = np.inf
    for a, row in enumerate(kinds):
        others = kinds if many[a] > 1 else np.delete(kinds, a, axis=0)
        if row[0] and (others[:, 0] > 0).any():
            some = others[others[:, 0] > 0]
            met = np.minimum(some[:, 1:], row[1:]).sum(axis=1)
            least = min(least, float((met / np.minimum(some[:, 0], row[0])).min()))
    return least


def two_boundaries(sizes: Ints, lower: Ints, upper: Ints, endpoints: int, rates: tuple[float, float]) -> Loads | None:
    """Loads of leaf-spine-core without pods, divided by the links' rates; None where two leaves share no core.

    Parameters
    ----------
    sizes
        (leaves,) endpoints.
    lower, upper
        (leaves, spines) and (spines, cores) links.
    endpoints
        All endpoints.
    rates
        Gb/s of a link of either boundary.

    Notes
    -----
    With ``reach = lower @ upper`` paths of a leaf to a core, a flow from a to b takes core c with the share
    ``reach[a, c] * reach[b, c] / paths[a, b]``, and a spine s on the way in proportion to its paths.
    """
    reach = (lower @ upper).astype(np.float64)
    paths = reach @ reach.T
    if (paths <= 0).any():
        return None
    leaves = len(sizes)
    apart = 1.0 - np.eye(leaves)
    sent = (sizes[None, :] / paths * apart) @ reach * sizes[:, None] / (endpoints - 1)
    even = max(float((sent @ upper.T)[lower > 0].max()) / rates[0], float((lower.T @ sent)[upper > 0].max()) / rates[1])
    out = crossing(sizes, endpoints)
    to_core = np.zeros(reach.shape)
    by_spine = np.zeros(lower.shape)
    back = reach @ upper.T
    for a in range(leaves):
        weight = (apart[a] / paths[a])[:, None]
        to_core[a] = (reach * weight).max(axis=0)
        by_spine[a] = (back * weight).max(axis=0)
    first, second = (lower > 0) * by_spine, lower.T @ to_core
    permuted = lower.T @ (out[:, None] * to_core)
    return Loads(
        even,
        max(float((first * out[:, None]).max()) / rates[0], float(permuted[upper > 0].max()) / rates[1]),
        max(float(first.max()) / rates[0], float(second[upper > 0].max()) / rates[1]),
    )
