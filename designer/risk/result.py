"""What is known of the risk of a design, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from designer.risk.many import Values
from designer.risk.ranges import HIGH, LOW, Kind

SCHEMA_VERSION = 1
QUANTILES = (LOW, 0.5, HIGH)
OutputName = Literal[
    "hard_repairs_per_year",
    "job_hits_per_year",
    "accelerator_hours_lost_per_year",
    "cleanings_per_year",
    "availability",
    "failures_usd_per_year",
]
OUTPUTS: tuple[OutputName, ...] = (
    "hard_repairs_per_year",
    "job_hits_per_year",
    "accelerator_hours_lost_per_year",
    "cleanings_per_year",
    "availability",
    "failures_usd_per_year",
)


@dataclass(frozen=True)
class Quantiles:
    """Median, 5 % and 95 % of something not known, and its mean."""

    p5: float
    median: float
    p95: float
    mean: float


def quantiles(values: Values) -> Quantiles:
    """Sum up samples.

    Examples
    --------
    >>> quantiles(np.arange(101.0))
    Quantiles(p5=5.0, median=50.0, p95=95.0, mean=50.0)
    """
    p5, median, p95 = (float(value) for value in np.quantile(values, QUANTILES))
    return Quantiles(p5, median, p95, float(values.mean()))


@dataclass(frozen=True)
class Output:
    """One figure of a design: as the rules count it with the stated figures, and what is known of it."""

    name: OutputName
    stated: float
    known: Quantiles


@dataclass(frozen=True)
class Source:
    """One figure of the catalogue that the design hangs on, and how it is drawn.

    ``moved_by`` is its draw; figures with the same draw move together. ``draws`` are the quantiles that it is drawn
    with, ``test`` the test that they come from (None: its low, mid and high).
    """

    key: str
    moved_by: str
    distribution: Kind
    low: float
    mid: float
    high: float
    draws: Quantiles
    basis: str
    source: str
    test: str | None


@dataclass(frozen=True)
class Driver:
    """A draw and the share of an output's spread that is its doing: the squared rank correlation (Spearman)."""

    output: OutputName
    moved_by: str
    keys: tuple[str, ...]
    share: float


@dataclass(frozen=True)
class NextYear:
    """Events of one year: the rates not being known, and luck on top."""

    what: Literal["hard_repairs", "job_hits", "cleanings"]
    stated: float
    rates: Quantiles
    rates_and_luck: Quantiles


@dataclass(frozen=True)
class Checkpoints:
    """A job that writes checkpoints; hours of work between two, shares of its time in which it gets on.

    ``useful`` is the exponential model, ``useful_first_order`` its first order, ``useful_with_repairs`` takes off what
    the pool's repairs cost as well, ``useful_at_best`` is that at the best interval of every sample. In
    ``share_of_samples_stuck`` of the samples the job hardly gets on at all.
    """

    work_h: float
    write_h: float
    restart_h: Quantiles
    useful: Quantiles
    useful_first_order: Quantiles
    useful_with_repairs: Quantiles
    best_work_h_young: Quantiles
    best_work_h_daly: Quantiles
    best_work_h_exact: Quantiles
    useful_at_best: Quantiles
    share_of_samples_stuck: float


@dataclass(frozen=True)
class JobRisk:
    """One job or replica of a pool: hits a year, the chance of none in ``job_hours``, hours between two.

    The mean of ``survival`` is the chance with what is not known averaged. ``next_year`` counts hits of this one job.
    ``hours_between_hits`` and ``checkpoints`` are None where nothing hits it, ``checkpoints`` also where the pool
    serves tokens or its jobs are of one accelerator.
    """

    pool: str
    accelerators: int
    jobs: float
    hits_per_year: Quantiles
    stated_hits_per_year: float
    survival: Quantiles
    hours_between_hits: Quantiles | None
    next_year: Quantiles
    checkpoints: Checkpoints | None


@dataclass(frozen=True)
class Taken:
    """What a scenario takes for one question on which there are counts of failures."""

    question: str
    test: str
    failures: int | None
    device_hours: float | None
    source: str | None


@dataclass(frozen=True)
class ScenarioRisk:
    """The risk under one set of answers to the questions on which the sources do not agree."""

    name: str
    takes: tuple[Taken, ...]
    outputs: tuple[Output, ...]
    sources: tuple[Source, ...]
    drivers: tuple[Driver, ...]
    next_year: tuple[NextYear, ...]
    jobs: tuple[JobRisk, ...]

    def output(self, name: OutputName) -> Output:
        """Return one output."""
        return next(output for output in self.outputs if output.name == name)


@dataclass(frozen=True)
class Risk:
    """Everything found; the first scenario is the base, each other changes one answer of it."""

    schema_version: int
    instance: str
    level: str
    accelerators: int
    samples: int
    seed: int
    job_hours: float
    checkpoint_minutes: float
    write_minutes: float
    catalogue_sha256: str
    overlay_sha256: str | None
    instance_sha256: str | None
    versions: Mapping[str, str]
    scenarios: tuple[ScenarioRisk, ...]
    notes: tuple[str, ...]

    @property
    def base(self) -> ScenarioRisk:
        """The first scenario."""
        return self.scenarios[0]
