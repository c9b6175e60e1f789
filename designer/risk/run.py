"""From a design to what is known of its failures: draw the figures, count, sum up."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from designer.catalogue import Catalogue
from designer.design.types import Design
from designer.instance.schema import Instance
from designer.problems import InputError, Problem
from designer.risk.counted import Counted, Recount
from designer.risk.jobs import JobQuestion, job_risks
from designer.risk.knowledge import RANGES, Knowledge, Known, Scenario, chances_of, stream
from designer.risk.many import Many, Values, spread_of
from designer.risk.ranges import HOURS_PER_YEAR
from designer.risk.result import (
    OUTPUTS,
    QUANTILES,
    SCHEMA_VERSION,
    Driver,
    NextYear,
    Output,
    OutputName,
    Quantiles,
    Risk,
    ScenarioRisk,
    Source,
    Taken,
    quantiles,
)
from designer.verify import verify

FEWEST, MOST = 100, 1_000_000
_LIBRARIES = ("tokenfabric", "numpy", "scipy")
DRIVEN: tuple[OutputName, ...] = (
    "hard_repairs_per_year",
    "job_hits_per_year",
    "accelerator_hours_lost_per_year",
    "failures_usd_per_year",
)
LEAST_SHARE = 0.01
"""Drivers of less of the spread are not named; chance alone gives 1 / samples."""


def risk(
    design: Design,
    catalogue: Catalogue,
    instance: Instance,
    *,
    samples: int = 10_000,
    seed: int = 0,
    job_hours: float = 720.0,
    checkpoint_minutes: float = 60.0,
    write_minutes: float = 1.0,
) -> Risk:
    """Say what is known of the failures of a design, given what is known of the figures that they hang on.

    Parameters
    ----------
    design, catalogue, instance
        As for `designer.verify.verify`.
    samples, seed
        How often all figures are drawn; the same seed gives the same answer.
    job_hours
        Hours of work of a job, for its chance to see no hit and its time to finish.
    checkpoint_minutes, write_minutes
        Work between two checkpoints of a training job, and how long it stands still to write one.

    Raises
    ------
    InputError
        When the design cannot be counted, a figure that is needed is unknown, or an option is wrong.
    """
    question = JobQuestion(job_hours, checkpoint_minutes / 60, write_minutes / 60)
    _check(samples, seed, job_hours, checkpoint_minutes, write_minutes)
    verified = verify(design, catalogue, instance)
    if verified.totals is None:
        raise InputError([Problem("design", "", str(row), "a design that can be counted") for row in verified.findings])
    recount = Recount(design, catalogue, instance)
    values: dict[str, Fraction] = {}
    stated = recount.count(values.setdefault)
    if stated.total != verified.totals.failures:
        raise RuntimeError("the failures counted for the risk are not those of the recount")
    knowledge = Knowledge(catalogue, _that_matter(recount, values))
    chances = chances_of(list(knowledge.draws()), samples, seed)
    study = _Study(design, recount, stated, knowledge, chances, samples, seed, question)
    notes = [f"the design breaks a rule: {row}" for row in verified.findings]
    return Risk(
        schema_version=SCHEMA_VERSION,
        instance=instance.name,
        level=instance.level,
        accelerators=sum(pool.accelerators for pool in design.pools),
        samples=samples,
        seed=seed,
        job_hours=job_hours,
        checkpoint_minutes=checkpoint_minutes,
        write_minutes=write_minutes,
        catalogue_sha256=catalogue.sha256,
        overlay_sha256=catalogue.overlay_sha256,
        instance_sha256=None,
        versions={"python": platform.python_version()} | {name: _version(name) for name in _LIBRARIES},
        scenarios=tuple(study.scenario(scenario) for scenario in knowledge.scenarios()),
        notes=tuple(notes),
    )


def _that_matter(recount: Recount, values: Mapping[str, Fraction]) -> list[str]:
    """Keys of the figures that move any failure of the design: each is changed in one sample of its own."""
    keys = list(values)
    place = {key: number for number, key in enumerate(keys, start=1)}

    def changed(key: str, value: Fraction) -> Many:
        column = np.full(len(keys) + 1, float(value))
        column[place[key]] = 1.5 * float(value) or 1.0
        return Many(column)

    total = recount.count(changed).total
    outcomes = (total.hard, total.hits, total.hours, total.cleanings, total.usd)
    columns = [spread_of(outcome, len(keys) + 1) for outcome in outcomes]
    return [
        key for key in keys if any(abs(column[place[key]] - column[0]) > 1e-12 * abs(column[0]) for column in columns)
    ]


@dataclass(frozen=True)
class _Study:
    design: Design
    recount: Recount
    stated: Counted
    knowledge: Knowledge
    chances: Mapping[str, Values]
    samples: int
    seed: int
    question: JobQuestion

    def scenario(self, scenario: Scenario) -> ScenarioRisk:
        """Draw, count and sum up one scenario; all scenarios have the same chances."""
        drawn = self.knowledge.draw(scenario, self.chances)
        counted = self.recount.count(lambda key, value: Many(drawn[key]) if key in drawn else value)
        outputs, stated = self._outputs(counted), self._outputs(self.stated)
        return ScenarioRisk(
            name=scenario.name,
            takes=tuple(self._taken(question, scenario) for question in scenario.takes),
            outputs=tuple(Output(name, float(stated[name][0]), quantiles(outputs[name])) for name in OUTPUTS),
            sources=tuple(self._source(known, scenario) for known in self.knowledge.figures),
            drivers=tuple(driver for name in DRIVEN for driver in self._drivers(name, outputs[name], drawn)),
            next_year=self._next_year(counted),
            jobs=job_risks(
                self.design, self.stated.pools, counted.pools, self._restart(drawn), self.question, self.seed
            ),
        )

    def _outputs(self, counted: Counted) -> dict[OutputName, Values]:
        total, count = counted.total, sum(pool.accelerators for pool in self.design.pools)
        hours = spread_of(total.hours, self.samples)
        return {
            "hard_repairs_per_year": spread_of(total.hard, self.samples),
            "job_hits_per_year": spread_of(total.hits, self.samples),
            "accelerator_hours_lost_per_year": hours,
            "cleanings_per_year": spread_of(total.cleanings, self.samples),
            "availability": 1 - hours / (HOURS_PER_YEAR * count),
            "failures_usd_per_year": spread_of(total.usd, self.samples),
        }

    def _restart(self, drawn: Mapping[str, Values]) -> Values:
        key = "facility.repair.job_restart_cost_h"
        return drawn[key] if key in drawn else spread_of(self.recount.restart_h, self.samples)

    def _taken(self, question: str, scenario: Scenario) -> Taken:
        test = self.knowledge.test_of(question, scenario)
        if test is None:
            return Taken(question, RANGES, None, None, None)
        return Taken(question, test.id, test.failures, test.device_hours, test.source)

    def _source(self, known: Known, scenario: Scenario) -> Source:
        distribution, figure = self.knowledge.distribution(known, scenario), known.figure
        p5, median, p95 = (float(value) for value in distribution.at(np.array(QUANTILES)))
        # The mean has no closed form for two pieces: an even grid of chances is as good.
        mean = float(distribution.at((np.arange(100_000) + 0.5) / 100_000).mean())
        test = None if known.question is None else self.knowledge.test_of(known.question, scenario)
        return Source(
            key=known.key,
            moved_by=known.draw,
            distribution=distribution.kind,
            low=_number(figure.at("low")),
            mid=_number(figure.at("mid")),
            high=_number(figure.at("high")),
            draws=Quantiles(p5, median, p95, mean),
            basis=figure.basis if test is None else test.basis,
            source=figure.source if test is None else test.source,
            test=None if test is None else test.id,
        )

    def _drivers(self, name: OutputName, output: Values, drawn: Mapping[str, Values]) -> list[Driver]:
        """Square the rank correlation of each draw with the output; draws are independent, so the shares add up."""
        if float(np.ptp(output)) == 0.0:
            return []
        ranks, found = _ranks(output), []
        for draw, keys in self.knowledge.draws().items():
            moved = tuple(key for key in keys if key in drawn)
            if moved:
                share = float(np.corrcoef(_ranks(self.chances[draw]), ranks)[0, 1]) ** 2
                if share >= LEAST_SHARE:
                    found.append(Driver(name, draw, moved, share))
        return sorted(found, key=lambda driver: -driver.share)

    def _next_year(self, counted: Counted) -> tuple[NextYear, ...]:
        total, stated = counted.total, self.stated.total
        hard, cleanings = spread_of(total.hard, self.samples), spread_of(total.cleanings, self.samples)
        hits = spread_of(total.hits, self.samples)
        luck = np.zeros(self.samples)
        for pool in counted.pools:
            for item, jobs, events in pool.by_item:
                luck += self._lucky_hits(f"{pool.name}/{item}", jobs, events)
        return (
            NextYear("hard_repairs", float(stated.hard), quantiles(hard), quantiles(self._lucky("hard", hard))),
            NextYear("job_hits", float(stated.hits), quantiles(hits), quantiles(luck)),
            NextYear(
                "cleanings", float(stated.cleanings), quantiles(cleanings), quantiles(self._lucky("clean", cleanings))
            ),
        )

    def _lucky(self, what: str, rates: Values) -> Values:
        found: Values = stream(self.seed, f"luck/{what}").poisson(rates).astype(float)
        return found

    def _lucky_hits(self, what: str, jobs: Many | Fraction, events: Many | Fraction) -> Values:
        """Hits of one item in one pool: Poisson events, each of which hits as many jobs as they do on the average."""
        rates, hits = spread_of(events, self.samples), spread_of(jobs, self.samples)
        each = np.divide(hits, rates, out=np.zeros(self.samples), where=rates > 0)
        return self._lucky(what, rates) * each


def _ranks(values: Values) -> Values:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(float)


def _number(value: float | None) -> float:
    if value is None:
        raise InputError([Problem("catalogue", "", "unknown", "a risk needs a number here")])
    return value


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed as a distribution"


def _check(samples: int, seed: int, job_hours: float, checkpoint_minutes: float, write_minutes: float) -> None:
    problems = []
    if not FEWEST <= samples <= MOST:
        problems.append(Problem("options", "samples", repr(samples), f"allowed: from {FEWEST} to {MOST}"))
    if not 0 <= seed < 2**31:
        problems.append(Problem("options", "seed", repr(seed), "allowed: from 0 to 2147483647"))
    for key, value, least in (
        ("job_hours", job_hours, 0.0),
        ("checkpoint_minutes", checkpoint_minutes, 0.0),
        ("write_minutes", write_minutes, 0.0),
    ):
        if not (math.isfinite(value) and least < value <= 1e6):
            problems.append(Problem("options", key, repr(value), "allowed: more than 0, at most 1000000"))
    if problems:
        raise InputError(problems)
