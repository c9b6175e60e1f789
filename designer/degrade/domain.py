"""One scale-up domain as a network, and what its replicas keep when parts of it break (docs/rules.md section 3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from designer.degrade.copy import sent_gbps
from designer.design.types import PoolDesign
from designer.network.graph import NOWHERE, Bundle, Ints, Kind, Network

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Left:
    """Multiples of what the plan needs, (accelerators of the domain,): at least and at most."""

    low: Floats
    high: Floats


def domain_of(pool: PoolDesign) -> Network | None:
    """Build one domain of a pool; None for an accelerator that stands alone.

    Rows of a switched domain: accelerator after accelerator, plane after plane; switches are numbered plane after
    plane, group after group; then (two stages) switch after switch, upper switch after upper switch of its plane.
    """
    up, size = pool.scale_up, pool.domain_size
    if size < 2:
        return None
    gbps = float(up.port_gbps)
    if up.kind in ("mesh", "torus"):
        lower, upper, links = _direct(pool)
        zeros = np.zeros(len(lower), np.int64)
        kinds: tuple[Kind, ...] = (Kind("endpoint", size),)
        return Network(kinds, (Bundle("scale_up", gbps),), lower, upper, links, zeros, np.full(size, NOWHERE))
    behind = size if up.upper is None else up.upper.group
    planes, groups = len(up.shares), size // behind
    place, plane = np.divmod(np.arange(size * planes), planes)
    switch = size + plane * groups + place // behind
    lower, upper, links = place, switch, np.tile(np.array(up.shares, np.int64), size)
    bundle = np.zeros(len(lower), np.int64)
    kinds = (Kind("endpoint", size), Kind("switch", planes * groups))
    bundles: tuple[Bundle, ...] = (Bundle("scale_up", gbps),)
    if up.upper is not None:
        tops = up.upper.switches_per_plane
        stand, top = np.divmod(np.arange(planes * groups * tops), tops)
        lower = np.append(lower, size + stand)
        upper = np.append(upper, size + planes * groups + stand // groups * tops + top)
        links = np.append(links, np.full(len(stand), up.upper.links_per_pair))
        bundle = np.append(bundle, np.ones(len(stand), np.int64))
        kinds, bundles = (*kinds, Kind("upper", planes * tops)), (*bundles, Bundle("scale_up_upper", gbps))
    block = np.full(sum(kind.count for kind in kinds), NOWHERE)
    return Network(kinds, bundles, lower, upper, links, bundle, block)


def _direct(pool: PoolDesign) -> tuple[Ints, Ints, Ints]:
    up, size = pool.scale_up, pool.domain_size
    if up.kind == "mesh":
        low, high = (of.astype(np.int64) for of in np.triu_indices(size, 1))
        return low, high, np.full(len(low), max(up.ports_per_accelerator // (size - 1), 1))
    place = np.stack(np.unravel_index(np.arange(size), up.dims))
    ends = []
    for side, length in enumerate(up.dims):
        if length > 1:
            step = place.copy()
            step[side] = (step[side] + 1) % length
            ends.append(np.stack([np.arange(size), np.ravel_multi_index(tuple(step), up.dims)], 1))
    # Both neighbours along a side of two are the same accelerator: two links to it.
    pairs, links = np.unique(np.sort(np.concatenate(ends), axis=1), axis=0, return_counts=True)
    return pairs[:, 0], pairs[:, 1], links.astype(np.int64)


def need_of(pool: PoolDesign, rails: int) -> float:
    """Gb/s that an accelerator sends inside its domain: the plan's, and what it forwards to other rails."""
    direct = pool.scale_up.kind in ("mesh", "torus")
    share = 0.0 if rails == 1 else 1 - 1 / (pool.domain_size if direct else rails)
    return pool.plan.scale_up_need_gbps + share * sent_gbps(pool)


def even(links: Floats) -> Floats:
    """What even striping gets of unequal parts, (..., parts) to (...,): the thinnest of those in use, times how many.

    Examples
    --------
    >>> even(np.array([[5.0, 5.0, 4.0, 4.0], [4.0, 4.0, 1.0, 0.0]])).tolist()
    [16.0, 8.0]
    """
    falling = -np.sort(-links, axis=-1)
    return np.asarray((falling * np.arange(1, links.shape[-1] + 1)).max(axis=-1))


def left_in(pool: PoolDesign, network: Network, lost: Ints, rails: int) -> Left:
    """Say what the accelerators of one domain keep of what the plan needs.

    An accelerator that has lost a link to a first-stage switch, or that switch: without spare planes its job may stop
    (as in docs/rules.md sections 9 and 10) or go on with what is left, so between 0 and that; with spare planes even
    striping over the whole planes to all links. Between the stages of a domain: even striping to all links.

    Parameters
    ----------
    pool, network
        The pool, and its domain with switches.
    lost
        (rows,): links of each row that are gone.
    rails
        Rails of its fabric.
    """
    up, size, gbps = pool.scale_up, pool.domain_size, float(pool.scale_up.port_gbps)
    planes, need = len(up.shares), need_of(pool, rails)
    kept = (network.links - lost).astype(np.float64)
    access = kept[: size * planes].reshape(size, planes)
    touched = (access < np.array(up.shares)).any(axis=1)
    if need <= 0:
        # Nothing is sent: a replica still stops where rules say so.
        high = np.where(access.any(axis=1), np.inf, 0.0)
        return Left(np.where(touched & (up.spare_planes == 0), 0.0, high), high)
    high = access.sum(axis=1) * gbps / need
    low = np.where(touched & (up.spare_planes == 0), 0.0, even(access) * gbps / need)
    if up.upper is not None:
        group, tops = up.upper.group, up.upper.switches_per_plane
        groups = size // group
        above = kept[size * planes :].reshape(planes, groups, tops)
        into = access.reshape(groups, group, planes).sum(axis=1)
        fluid = np.minimum(into, above.sum(axis=2).T).sum(axis=1) * gbps / (group * need)
        striped = even(np.minimum(into, even(above).T)) * gbps / (group * need)
        if pool.plan.accelerators_per_replica > group:
            high = np.minimum(high, np.repeat(fluid, group))
        low = np.minimum(low, np.repeat(striped, group))
    return Left(low, high)


def planned(pool: PoolDesign, rails: int) -> float:
    """What the intact domain gives of what the plan needs."""
    need = need_of(pool, rails)
    return math.inf if need <= 0 else pool.scale_up.usable_gbps / need
