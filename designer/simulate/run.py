"""From a design to its simulated failures, over many runs, beside the recounted ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import get_args

import numpy as np

from designer.catalogue import Catalogue
from designer.design.account import Account, Item, RiskLine
from designer.design.types import Design
from designer.instance.schema import Instance
from designer.problems import InputError, Problem
from designer.simulate.domain_kinds import pool_kinds
from designer.simulate.fabric_kinds import fabric_kinds
from designer.simulate.figures import Figures
from designer.simulate.kind import Kind
from designer.simulate.placement import Placement
from designer.simulate.play import HOURS, HOURS_PER_YEAR, Played, play
from designer.simulate.result import FIGURES, Estimate, FigureName, Happened, PoolUp, Row, Simulation, estimate
from designer.verify import verify

ITEMS: tuple[Item, ...] = get_args(Item)
MOST_RUNS = 100_000


def simulate(
    design: Design,
    catalogue: Catalogue,
    instance: Instance,
    *,
    years: float = 10.0,
    runs: int = 20,
    seed: int = 0,
    workers: int = 1,
) -> Simulation:
    """Let everything in a design fail and be repaired, and set the figures beside those of section 9 of the rules.

    Parameters
    ----------
    design, catalogue, instance
        As for `designer.verify.verify`, whose recount gives the expected figures.
    years, runs
        Years of each run, and how many runs there are; the interval comes from their differences.
    seed
        Every run has random numbers of its own, spawned from it; the same seed gives the same figures.
    workers
        Processes that share the runs; their number changes nothing but the time.

    Raises
    ------
    InputError
        When the design cannot be counted, a figure that is needed is unknown, or an option is wrong.
    """
    _check(years, runs, seed, workers)
    verified = verify(design, catalogue, instance)
    if verified.totals is None:
        raise InputError(
            [Problem("design", "", str(finding), "a design that can be counted") for finding in verified.findings]
        )
    kinds = components(design, catalogue, instance)
    placements = tuple(Placement.of(pool) for pool in design.pools)
    tasks = [(kinds, placements, years, child) for child in np.random.SeedSequence(seed).spawn(runs)]
    if workers == 1:
        played = [_one(task) for task in tasks]
    else:
        with ProcessPoolExecutor(workers) as pool:
            played = list(pool.map(_one, tasks))
    return _result(design, instance.name, played, verified.account, years, seed)


def components(design: Design, catalogue: Catalogue, instance: Instance) -> tuple[Kind, ...]:
    """List every class of components of a design."""
    figures = Figures(catalogue, instance.level)
    kinds: list[Kind] = []
    for number, pool in enumerate(design.pools):
        kinds += pool_kinds(number, pool, design.fabrics[pool.fabric], figures)
    for number, fabric in enumerate(design.fabrics):
        on_it = [(place, pool) for place, pool in enumerate(design.pools) if pool.fabric == number]
        kinds += fabric_kinds(fabric, on_it, figures)
    return tuple(kinds)


Task = tuple[tuple[Kind, ...], tuple[Placement, ...], float, np.random.SeedSequence]


def _one(task: Task) -> Played:
    return play(*task)


def _result(
    design: Design, name: str, played: Sequence[Played], account: Account, years: float, seed: int
) -> Simulation:
    accelerators = sum(pool.accelerators for pool in design.pools)
    lines = {line.item: line for line in account.risks}
    rows = [row for item in ITEMS if item in lines for row in _rows(item, [item], played, [lines[item]], years)]
    rows += _rows("total", ITEMS, played, account.risks, years)
    happened = []
    for number, figure in enumerate(FIGURES):
        counted = next(row for row in rows if (row.item, row.figure) == ("total", figure)).simulated
        values = [float(run.happened[number]) / years for run in played]
        happened.append(Happened(figure, counted.mean, _as_sure(values, counted)))
    lost, hours = happened[HOURS].happened, accelerators * HOURS_PER_YEAR
    up = Estimate(1 - lost.mean / hours, 1 - lost.high / hours, min(1.0, 1 - lost.low / hours), lost.alike)
    return Simulation(
        instance=name,
        runs=len(played),
        years=years,
        seed=seed,
        events=sum(run.events for run in played),
        accelerators=accelerators,
        expected_availability=1 - account.accelerator_hours_lost_per_year / hours,
        availability=up,
        rows=tuple(rows),
        happened=tuple(happened),
        pools=tuple(
            PoolUp(
                pool.name,
                pool.spare_domains,
                account.uptimes[number].availability,
                estimate([1 - run.short_h[number] / (years * HOURS_PER_YEAR) for run in played], 1.0, 1.0),
            )
            for number, pool in enumerate(design.pools)
        ),
    )


def _as_sure(values: Sequence[float], counted: Estimate) -> Estimate:
    found = estimate(values, 1.0, 1.0)
    return Estimate(found.mean, found.low, found.high, counted.alike)


def _rows(
    name: str, items: Sequence[Item], played: Sequence[Played], lines: Iterable[RiskLine], years: float
) -> Iterable[Row]:
    lines = list(lines)
    for number, figure in enumerate(FIGURES):
        sums = [sum(float(run.counted[item][number]) for item in items if item in run.counted) for run in played]
        squares = sum(float(run.squares[item][number]) for run in played for item in items if item in run.squares)
        found = estimate([each / years for each in sums], sum(sums), squares)
        yield Row(name, figure, sum(_of(line, figure) for line in lines), found)


def _of(line: RiskLine, figure: FigureName) -> float:
    return float(getattr(line, f"{figure}_per_year"))


def _check(years: float, runs: int, seed: int, workers: int) -> None:
    problems = []
    if not (math.isfinite(years) and 0 < years <= 1e6):
        problems.append(Problem("options", "years", repr(years), "allowed: more than 0, at most 1000000"))
    if not 2 <= runs <= MOST_RUNS:
        problems.append(Problem("options", "runs", repr(runs), f"allowed: from 2 to {MOST_RUNS}"))
    if seed < 0:
        problems.append(Problem("options", "seed", repr(seed), "allowed: at least 0"))
    if not 1 <= workers <= 1024:
        problems.append(Problem("options", "workers", repr(workers), "allowed: from 1 to 1024"))
    if problems:
        raise InputError(problems)
