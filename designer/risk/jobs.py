"""What the failures do to one job of each pool: hits, survival, useful time between checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from designer.design.types import Design, PoolDesign
from designer.risk.counted import PoolHits
from designer.risk.knowledge import stream
from designer.risk.many import Values, spread_of
from designer.risk.ranges import HOURS_PER_YEAR
from designer.risk.result import Checkpoints, JobRisk, quantiles
from designer.risk.survival import (
    daly_interval,
    exact_interval,
    useful_share,
    useful_share_first_order,
    young_interval,
)

STUCK = 0.01
"""A job that gets on in less than this share of its time is called stuck."""


@dataclass(frozen=True)
class JobQuestion:
    """What is asked of a job: hours of work; hours of work between checkpoints, hours to write one."""

    job_h: float
    work_h: float
    write_h: float


def job_risks(
    design: Design,
    stated: Sequence[PoolHits],
    counted: Sequence[PoolHits],
    restart_h: Values,
    question: JobQuestion,
    seed: int,
) -> tuple[JobRisk, ...]:
    """Go through the pools; ``restart_h`` has one value per sample."""
    return tuple(
        _of_pool(pool, plain, many, restart_h, question, seed)
        for pool, plain, many in zip(design.pools, stated, counted, strict=True)
    )


def _of_pool(
    pool: PoolDesign, stated: PoolHits, counted: PoolHits, restart_h: Values, question: JobQuestion, seed: int
) -> JobRisk:
    """Share the hits of a pool among its jobs, which lie side by side on all accelerators that are no spares."""
    samples, jobs = len(restart_h), stated.running / stated.replica
    hits = spread_of(counted.hits, samples) / jobs
    mean = np.divide(HOURS_PER_YEAR, hits, out=np.full(samples, np.inf), where=hits > 0)
    happens = bool(np.isfinite(mean).all())
    trains = pool.phase == "fleet" and stated.replica > 1
    up = 1 - spread_of(counted.hours, samples) / (HOURS_PER_YEAR * stated.accelerators)
    return JobRisk(
        pool=stated.name,
        accelerators=stated.replica,
        jobs=jobs,
        hits_per_year=quantiles(hits),
        stated_hits_per_year=float(spread_of(stated.hits, 1)[0]) / jobs,
        survival=quantiles(np.exp(-question.job_h / mean)),
        hours_between_hits=quantiles(mean) if happens else None,
        next_year=quantiles(stream(seed, f"luck/job/{stated.name}").poisson(hits).astype(float)),
        checkpoints=_checkpoints(mean, restart_h, up, question) if trains and happens else None,
    )


def _checkpoints(mean: Values, restart_h: Values, up: Values, question: JobQuestion) -> Checkpoints:
    work, write = question.work_h, question.write_h
    useful, best = useful_share(mean, work, write, restart_h), exact_interval(mean, write)
    return Checkpoints(
        work_h=work,
        write_h=write,
        restart_h=quantiles(restart_h),
        useful=quantiles(useful),
        useful_first_order=quantiles(useful_share_first_order(mean, work, write, restart_h)),
        useful_with_repairs=quantiles(useful * up),
        best_work_h_young=quantiles(young_interval(mean, write)),
        best_work_h_daly=quantiles(daly_interval(mean, write)),
        best_work_h_exact=quantiles(best),
        useful_at_best=quantiles(useful_share(mean, best, write, restart_h)),
        share_of_samples_stuck=float((useful < STUCK).mean()),
    )
