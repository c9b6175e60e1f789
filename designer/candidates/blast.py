"""What a single failure takes from a pool while it lasts (``docs/rules.md`` section 10)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from designer.candidates.choices import Option
from designer.candidates.copies import Copies
from designer.candidates.terms import Floats

Ints = npt.NDArray[np.int64]


def replicas_share(behind: int, option: Option) -> float:
    """Share of a pool's tokens that goes with ``behind`` accelerators: that of its part, times the part's share."""
    jobs, (steps, whole) = max(1, behind // option.plan.accelerators_per_replica), option.share
    return min(1.0, jobs / option.replicas) if steps == whole else min(1.0, jobs / option.replicas) * steps / whole


def host_share(option: Option) -> float:
    """What the loss of a host takes."""
    return replicas_share(option.domain.accelerator.per_host, option)


def switch_share(option: Option) -> float:
    """What the loss of a first-stage scale-up switch takes: nothing without switches, or with planes to spare."""
    network = option.domain.network
    return 0.0 if network.lower is None or network.spare else replicas_share(network.group, option)


def below_leaves(option: Option) -> float:
    """The most that any failure below the leaves takes."""
    return max(host_share(option), switch_share(option))


def surviving(options: Sequence[Option], most: float | None) -> list[Option]:
    """Options of which no failure below the leaves takes more than ``most`` (None: no limit)."""
    return [option for option in options if most is None or below_leaves(option) <= most]


def leaf_share(copies: Copies, group: Ints, replica: Floats, replicas: Ints, nic_gbps: Floats, out: Floats) -> Floats:
    """What the loss of a leaf takes; all arrays (n,).

    Parameters
    ----------
    copies
        Rails and planes of the fabric.
    group, replica, replicas
        Accelerators below a leaf of one copy, of a replica, and replicas of the pool.
    nic_gbps, out
        Gb/s of an accelerator's NICs and what its plan sends out of the domain.
    """
    if copies.planes > 1:
        left = (copies.planes - 1) / copies.planes * nic_gbps
        wanted = np.minimum(nic_gbps, out)
        return np.maximum(0.0, 1 - left / np.where(wanted > 0, wanted, np.inf)) * (wanted > 0)
    jobs = np.maximum(1.0, group * copies.rails // replica)
    return np.minimum(1.0, jobs / replicas)
