"""What a single failure takes from a pool while it lasts (``docs/rules.md`` section 10)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import gcd

import numpy as np
import numpy.typing as npt

from designer.candidates.choices import Option
from designer.candidates.copies import Copies
from designer.candidates.terms import Floats

Ints = npt.NDArray[np.int64]


@lru_cache(maxsize=65536)
def cut(behind: int, replica: int, size: int) -> int:
    """Most replicas that ``behind`` accelerators in a row, from a multiple of that, belong to.

    Parameters
    ----------
    behind
        Accelerators: a part of a domain, or whole domains.
    replica, size
        Accelerators of a replica and of a domain: several replicas to a domain, or whole domains to a replica.

    Examples
    --------
    Hosts of 4 in domains of 12: replicas of 6 lie over two hosts, the middle one works for both. Leaves of three
    domains, replicas of two.

    >>> cut(4, 6, 12), cut(4, 12, 12), cut(36, 24, 12)
    (2, 1, 2)
    """
    if replica > size:
        together, domains = -(replica // -size), max(1, behind // size)
        return -((domains + together - gcd(domains, together)) // -together)
    each = size // replica
    if behind >= size:
        return behind // size * each
    first = np.arange(0, size, behind)
    return int((np.minimum((first + behind - 1) // replica, each - 1) - first // replica + 1).max())


def _share(behind: int, option: Option) -> float:
    """Share of a pool's tokens that goes with ``behind`` accelerators: that of its part, times the part's share."""
    jobs = cut(behind, option.plan.accelerators_per_replica, option.domain.size)
    steps, whole = option.share
    return min(1.0, jobs / option.replicas) if steps == whole else min(1.0, jobs / option.replicas) * steps / whole


def shares_inside(option: Option) -> list[float]:
    """What the loss of every even part of a domain takes, in hosts: from all of it to one host."""
    hosts = option.domain.size // option.domain.accelerator.per_host
    return [_share(option.domain.size // q, option) for q in range(1, hosts + 1) if hosts % q == 0]


def host_share(option: Option) -> float:
    """What the loss of a host takes."""
    return _share(option.domain.accelerator.per_host, option)


def switch_share(option: Option) -> float:
    """What the loss of a first-stage scale-up switch takes: nothing without switches, or with planes to spare."""
    network = option.domain.network
    return 0.0 if network.lower is None or network.spare else _share(network.group, option)


def below_leaves(option: Option) -> float:
    """The most that any failure below the leaves takes."""
    return max(host_share(option), switch_share(option))


def surviving(options: Sequence[Option], most: float | None) -> list[Option]:
    """Options of which no failure below the leaves takes more than ``most`` (None: no limit)."""
    return [option for option in options if most is None or below_leaves(option) <= most]


def touched_share(behind: Ints, replica: Ints, size: Ints, replicas: Ints) -> Floats:
    """Share of the pool's replicas that have accelerators behind a leaf; all arrays (n,).

    Parameters
    ----------
    behind, replica, size, replicas
        Accelerators behind a leaf on all rails, of a replica, of a domain, and replicas of the pool.
    """
    kinds, of = np.unique(np.stack([behind, replica, size], axis=1), axis=0, return_inverse=True)
    jobs = np.array([cut(*kind) for kind in kinds.tolist()], float)[of.ravel()]
    return np.minimum(1.0, jobs / replicas)


def leaf_share(copies: Copies, touched: Floats, nic_gbps: Floats, out: Floats) -> Floats:
    """What the loss of a leaf takes, its uplinks apart; all arrays (n,).

    Parameters
    ----------
    copies
        Rails and planes of the fabric.
    touched
        Share of the replicas behind the leaf.
    nic_gbps, out
        Gb/s of an accelerator's NICs and what its plan sends out of the domain.
    """
    if copies.planes == 1:
        return touched
    left = (copies.planes - 1) / copies.planes * nic_gbps
    wanted = np.minimum(nic_gbps, out)
    return touched * np.maximum(0.0, 1 - left / np.where(wanted > 0, wanted, np.inf)) * (wanted > 0)


def uplinks_gbps(copies: Copies, touched: Floats, load: Floats, most: float | None) -> Floats:
    """Gb/s (n,) that the uplinks of a leaf must carry: its ``load``, and what the leaves of the other planes take over.

    A leaf that is out may take ``most`` (None: no limit) of the pool's tokens: of the ``touched`` replicas'
    traffic the other planes' leaves, ``P - 1`` of them, carry the rest.
    """
    if copies.planes == 1 or most is None:
        return load
    kept = np.maximum(0.0, 1 - most / np.maximum(touched, 1e-300))
    return np.asarray(np.maximum(load, load * copies.planes / (copies.planes - 1) * kept))


def relayed_gbps(copies: Copies, touched: Floats, load: Floats, most: float) -> Floats:
    """Gb/s (n,) that leaves joined directly must still send each when another is out.

    That takes the ``touched`` replicas behind it, and of the others what of their ``load`` goes by way of it; together
    no more than ``most`` of the pool's tokens. Infinite with planes: more than two leaves are not offered then.
    """
    if copies.planes > 1:
        return np.full(load.size, np.inf)
    left = np.where(touched < 1, np.maximum(most - touched, 0.0) / np.maximum(1 - touched, 1e-300), 1.0)
    return np.asarray(np.maximum(0.0, 1 - left) * load)
