"""The additive terms of a part of a design: money, watts and risk as one vector.

Everything a design costs or risks is a sum over its parts, except rounding of shared racks, pods and cages.
A :class:`Load` keeps what does not depend on the serving replica apart from the failure events, whose weight
does: an event that takes down ``blast`` accelerators costs ``max(blast, N)`` accelerators of a pool with
replicas of ``N`` (``docs/rules.md`` section 9).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Columns of a term vector. ``failures_usd`` is all expected money of failures; ``net_watts`` the part of
#: ``watts`` that stands in network racks; ``racks`` the racks of accelerators. What an instance limits by counting
#: parts follows after them, a column for each such limit.
TERMS = ("capex_usd", "watts", "net_watts", "failures_usd", "hard_repairs", "job_hits", "hours_lost", "racks")
CAPEX, WATTS, NET_WATTS, FAILURES, HARD, HITS, HOURS, RACKS = range(len(TERMS))


@dataclass(frozen=True)
class Event:
    """Failures that take down ``blast`` accelerators: hits per year and hours to repair x events per year."""

    blast: int
    hits: float
    hours: float


@dataclass(frozen=True)
class Load:
    """What some parts add, before it is known which replicas run on them.

    ``repairs_usd`` is parts, labour and cleanings per year; ``hard`` repairs per year; ``hours`` accelerator-hours lost
    per year whatever the replicas (where an event only takes away bandwidth). ``units`` is what the parts add to every
    counted limit (`designer.candidates.weights.counters`), empty for nothing.
    """

    capex_usd: float = 0.0
    watts: float = 0.0
    net_watts: float = 0.0
    repairs_usd: float = 0.0
    hard: float = 0.0
    events: tuple[Event, ...] = field(default=())
    hours: float = 0.0
    units: tuple[float, ...] = ()

    def __add__(self, other: Load) -> Load:
        return Load(
            self.capex_usd + other.capex_usd,
            self.watts + other.watts,
            self.net_watts + other.net_watts,
            self.repairs_usd + other.repairs_usd,
            self.hard + other.hard,
            self.events + other.events,
            self.hours + other.hours,
            _added(self.units, other.units),
        )

    def times(self, count: float) -> Load:
        """Return the load of ``count`` such parts."""
        return Load(
            self.capex_usd * count,
            self.watts * count,
            self.net_watts * count,
            self.repairs_usd * count,
            self.hard * count,
            tuple(Event(e.blast, e.hits * count, e.hours * count) for e in self.events),
            self.hours * count,
            tuple(units * count for units in self.units),
        )

    def spared(self, hits: float, hours: float) -> Load:
        """Return the load with these shares of the hits and hours of its events; the hits of those that take nothing
        down, which are transients, stay.
        """
        events = tuple(Event(e.blast, e.hits * (hits if e.blast else 1.0), e.hours * hours) for e in self.events)
        return replace(self, events=events)


def _added(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    """Units of both; empty where nothing is counted."""
    if not one or not other:
        return one or other
    return tuple(a + b for a, b in zip(one, other, strict=True))


NOTHING = Load()


def evaluate(
    load: Load,
    replica: Floats,
    hour_usd: Floats,
    restart_h: float,
    counted: int = 0,
    shares: tuple[Floats, Floats] | None = None,
) -> Floats:
    """Turn a load into term vectors for pools with given replica sizes.

    Parameters
    ----------
    load
        The parts.
    replica
        Accelerators per replica, shape (n,).
    hour_usd
        Value of a lost accelerator-hour, shape (n,).
    restart_h
        Hours a job hit costs its replica.
    counted
        Number of counted limits, a column each after those of `TERMS`.
    shares
        Shares of hits and of hours that count where spares stand in, shape (n,) each (None: all of them).

    Returns
    -------
    numpy.ndarray
        Shape (n, len(TERMS) + counted); racks are left 0.

    Examples
    --------
    >>> one = Load(capex_usd=10.0, events=(Event(blast=8, hits=1.0, hours=2.0),))
    >>> evaluate(one, np.array([4.0, 16.0]), np.array([1.0, 1.0]), 0.5)[:, [HITS, HOURS, FAILURES]].tolist()
    [[2.0, 16.0, 20.0], [1.0, 32.0, 40.0]]
    """
    hits = np.zeros_like(replica)
    hours = np.full_like(replica, load.hours)
    for event in load.events:
        hits += event.hits * np.maximum(1.0, event.blast // replica)
        hours += event.hours * np.maximum(float(event.blast), replica)
    if shares is not None:
        hits, hours = hits * shares[0], hours * shares[1]
    out = np.zeros((replica.size, len(TERMS) + counted))
    if load.units:
        out[:, len(TERMS) :] = load.units
    out[:, CAPEX] = load.capex_usd
    out[:, WATTS] = load.watts
    out[:, NET_WATTS] = load.net_watts
    out[:, FAILURES] = load.repairs_usd + hour_usd * hours + hour_usd * restart_h * replica * hits
    out[:, HARD] = load.hard
    out[:, HITS] = hits
    out[:, HOURS] = hours
    return out
