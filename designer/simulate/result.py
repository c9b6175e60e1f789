"""What a simulation found beside what the rules expect, and how sure one can be of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.999
FEW_EVENTS = 100.0
"""Below so many equal events the interval of an estimate is too rough to judge by."""

FigureName = Literal["hard_repairs", "job_hits", "accelerator_hours_lost", "cleanings"]
FIGURES: tuple[FigureName, ...] = ("hard_repairs", "job_hits", "accelerator_hours_lost", "cleanings")
Verdict = Literal["agrees", "differs", "too few events"]


@dataclass(frozen=True)
class Estimate:
    """Mean per year with its interval of 99.9 % confidence (Student's t over the runs).

    ``alike`` is how many events of equal weight would be as sure, (sum w)^2 / sum w^2 (Kish, Survey Sampling, 1965).
    """

    mean: float
    low: float
    high: float
    alike: float

    @property
    def width(self) -> float:
        """Half of the interval, as a share of the mean."""
        return (self.high - self.mean) / self.mean if self.mean else math.inf


def estimate(per_year: Sequence[float], total: float, squares: float) -> Estimate:
    """Estimate a mean from the runs; ``total`` and ``squares`` add up the weights of all events.

    Examples
    --------
    >>> found = estimate([9.0, 10.0, 11.0], 30.0, 30.0)
    >>> found.mean, round(found.low, 1), found.alike
    (10.0, -8.2, 30.0)
    """
    runs = np.asarray(per_year)
    mean, count = float(runs.mean()), len(runs)
    error = float(runs.std(ddof=1)) / math.sqrt(count)
    half = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * error
    return Estimate(mean, mean - half, mean + half, total * total / squares if squares else 0.0)


@dataclass(frozen=True)
class Row:
    """One figure of one item ("total": of all), per year: what the rules expect, what every event counted by itself."""

    item: str
    figure: FigureName
    expected: float
    simulated: Estimate

    @property
    def verdict(self) -> Verdict:
        """Whether the expected figure lies in the interval; nothing is said of what hardly ever happens."""
        found = self.simulated
        if self.expected == 0 and found.mean == 0:
            return "agrees"
        if found.alike < FEW_EVENTS:
            return "too few events"
        return "agrees" if found.low <= self.expected <= found.high else "differs"


@dataclass(frozen=True)
class Happened:
    """One total as it happened: nothing is lost twice, as it is where events count by themselves (``counted``)."""

    figure: FigureName
    counted: float
    happened: Estimate

    @property
    def overlap(self) -> float:
        """Share of the counted figure that failures in each other's time have in common."""
        return 1 - self.happened.mean / self.counted if self.counted else 0.0


@dataclass(frozen=True)
class PoolUp:
    """Share of the time in which the domains of a pool that are up serve its whole peak, spares with them.

    The rules take failures inside the domains for independent, each unit down for one repair at a time.
    """

    pool: str
    spares: int
    expected: float
    simulated: Estimate


@dataclass(frozen=True)
class Simulation:
    """Everything that a simulation found."""

    instance: str
    runs: int
    years: float
    seed: int
    events: int
    accelerators: int
    expected_availability: float
    availability: Estimate
    rows: tuple[Row, ...]
    happened: tuple[Happened, ...]
    pools: tuple[PoolUp, ...]

    def row(self, item: str, figure: FigureName) -> Row:
        """Return one row."""
        return next(row for row in self.rows if (row.item, row.figure) == (item, figure))

    @property
    def differing(self) -> tuple[Row, ...]:
        """Rows whose expected figure lies outside the interval."""
        return tuple(row for row in self.rows if row.verdict == "differs")
