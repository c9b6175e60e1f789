"""What failures leave of a design, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Left:
    """A share that is left: between two bounds, equal where it is exact."""

    least: float
    most: float


@dataclass(frozen=True)
class Certificate:
    """What a whole copy or domain carries, proven from both sides.

    Parameters
    ----------
    least_gbps, most_gbps
        All-to-all, per endpoint: a routing that carries the one, lengths (a dual solution) that forbid more than the
        other. ``exact`` if they agree to 1e-8; else the truth lies between them.
    bisection_gbps, proven
        Max flow between two halves, and whether flow and cut, recounted row by row, are equal.
    """

    least_gbps: float
    most_gbps: float
    exact: bool
    bisection_gbps: float
    proven: bool


@dataclass(frozen=True)
class FailureClass:
    """Single failures that are equal.

    Parameters
    ----------
    name, example, members
        What breaks, the member that was tried, and how many there are.
    bisection
        Share of the max flow between two halves of its copy or domain; None for a host.
    all_to_all
        Share of the all-to-all rate among those that still reach each other; None for a host.
    served
        By pool: share of the tokens/s that is left. By network of a design written by hand: of the demand; empty where
        none is stated.
    """

    name: str
    example: str
    members: int
    bisection: float | None
    all_to_all: Left | None
    served: Mapping[str, Left]


@dataclass(frozen=True)
class Samples:
    """Several failures at once, drawn at random, all things of one sort with the same chance.

    ``share`` and the bounds are of the pool that is hit most (bandwidth between two halves where there are no pools):
    ``least`` and ``most`` are means of the two bounds with 95 % confidence intervals of the means (Student's t);
    ``worst_least`` and ``worst_most`` the least of each bound in the samples: with 95 % confidence at most the share
    ``rarer`` of all such sets of failures goes below it (Wilks 1941).
    """

    of: str
    things: int
    failures: int
    samples: int
    least: float
    least_low: float
    least_high: float
    most: float
    most_low: float
    most_high: float
    worst_least: float
    worst_most: float
    worst: tuple[str, ...]
    rarer: float


@dataclass(frozen=True)
class Worst:
    """The worst set of failures found.

    ``sure``: the set with the least ``left.most``: so much is lost however the rest behaves. Otherwise the one with the
    least ``left.least``. ``names`` leaves out what adds nothing to the others. ``exact``: no set of so many does worse
    by that measure; else there may be worse ones.
    """

    sure: bool
    failures: int
    names: tuple[str, ...]
    left: Left
    exact: bool
    tried: int


@dataclass(frozen=True)
class Place:
    """Where things break: the hosts of a pool, its domains, a fabric, a network of a design written by hand.

    ``covered`` of ``single`` possible single failures belong to the classes shown.
    """

    name: str
    classes: tuple[FailureClass, ...]
    covered: int
    single: int
    notes: tuple[str, ...] = ()
    certificate: Certificate | None = None


@dataclass(frozen=True)
class Degraded:
    """Everything found. ``measure`` says what a share is of."""

    schema_version: int
    name: str
    measure: str
    failures: int
    samples: int
    seed: int
    versions: Mapping[str, str]
    places: tuple[Place, ...]
    random: tuple[Samples, ...]
    worst: tuple[Worst, ...]
    notes: tuple[str, ...]
