"""Domains whose accelerators are joined directly: the full mesh and the torus (``docs/rules.md`` section 3.3).

Accelerator ``i`` of a torus stands at the coordinates that ``i`` has when counted row by row over the sides (the last
side runs fastest).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from designer.design.types import PoolDesign
from designer.fabric.placement import Ints


def direct_links(pool: PoolDesign) -> tuple[Ints, Ints, Ints]:
    """Join the accelerators of one domain: lower and upper place in the domain and number of links.

    A mesh has the same number of links between every two; a torus one to each neighbour along every side, so two to
    the same one along a side of 2.
    """
    size, up = pool.domain_size, pool.scale_up
    if up.kind == "mesh":
        lower, upper = (end.astype(np.int64) for end in np.triu_indices(size, 1))
        return lower, upper, np.full(lower.size, links_per_pair(pool))
    blocks = []
    for side, length in enumerate(up.dims):
        if length < 2:
            continue
        here, ahead = _steps(up.dims, side)
        blocks.append((np.minimum(here, ahead), np.maximum(here, ahead), np.full(here.size, 2 if length == 2 else 1)))
    lower, upper, links = (np.concatenate(column) for column in zip(*blocks, strict=True))
    return lower, upper, links


def links_per_pair(pool: PoolDesign) -> int:
    """Links between every two accelerators of a mesh; one that stands alone has none."""
    if pool.domain_size == 1:
        return 0
    return pool.scale_up.ports_per_accelerator // (pool.domain_size - 1)


def side_of(dims: tuple[int, ...], lower: Ints, upper: Ints) -> Ints:
    """Side of a torus along which two places of a domain are neighbours, -1 where they are not."""
    found = np.full(lower.size, -1)
    one, two = np.unravel_index(lower, dims), np.unravel_index(upper, dims)
    apart = sum((a != b).astype(np.int64) for a, b in zip(one, two, strict=True))
    for side, length in enumerate(dims):
        away = np.abs(one[side] - two[side])
        found[(apart == 1) & ((away == 1) | (away == length - 1)) & (away > 0)] = side
    return found


def mean_distance(length: int) -> Fraction:
    """Mean distance round a ring, an accelerator's own place included.

    Examples
    --------
    >>> [str(mean_distance(length)) for length in (1, 2, 3, 4, 8)]
    ['0', '1/2', '2/3', '1', '2']
    """
    return Fraction(length, 4) if length % 2 == 0 else Fraction(length**2 - 1, 4 * length)


def rails_look_alike(dims: tuple[int, ...], rails: int) -> bool:
    """Whether a step along any side of a torus takes accelerators of one rail to accelerators of one rail.

    Examples
    --------
    Four accelerators a host: a side of 4 holds each rail once; on a side of 3 two rails do not alternate.

    >>> rails_look_alike((8, 4), 4), rails_look_alike((4, 3), 2)
    (True, False)
    """
    rail = np.arange(int(np.prod(dims))) % rails
    grid = rail.reshape(dims)
    moved = (np.roll(grid, 1, axis=side).ravel() for side in range(len(dims)))
    return all(np.unique(rail * rails + there).size == rails for there in moved)


def _steps(dims: tuple[int, ...], side: int) -> tuple[Ints, Ints]:
    """Every place and the next one along a side; along a side of 2 each pair once."""
    places = np.arange(int(np.prod(dims)))
    at = list(np.unravel_index(places, dims))
    at[side] = (at[side] + 1) % dims[side]
    ahead = np.ravel_multi_index(tuple(at), dims).astype(np.int64)
    if dims[side] == 2:
        kept = places < ahead
        return places[kept], ahead[kept]
    return places, ahead
