"""What is known of a design's failures, as text and as data."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill
from typing import Any

from pydantic import TypeAdapter, ValidationError

from designer.problems import InputError
from designer.reading import problems_from_validation
from designer.report.words import usd
from designer.risk.result import Checkpoints, JobRisk, Output, OutputName, Quantiles, Risk, ScenarioRisk, Taken

_WORDS: dict[OutputName, str] = {
    "hard_repairs_per_year": "hard repairs",
    "job_hits_per_year": "job hits",
    "accelerator_hours_lost_per_year": "accelerator-hours lost",
    "cleanings_per_year": "cleanings",
    "availability": "availability",
    "failures_usd_per_year": "failure money",
}
_WIDTH = 100
SEEN = 0.01
"""Other answers of the sources are shown where they move a figure by so much."""

_RISK: TypeAdapter[Risk] = TypeAdapter(Risk)


def risk_screen(found: Risk) -> str:
    """Return the screen of ``designer risk``."""
    base = found.base
    lines = [
        f"{found.instance}: {found.accelerators:,} accelerators, {found.samples:,} samples, seed {found.seed}; stated: "
        f"figures at {found.level}",
        *(f"  note: {note}" for note in found.notes),
    ]
    for scenario in found.scenarios:
        lines += ["", *(_base(base) if scenario is base else _other(scenario, base))]
    lines += ["", *_drivers(base), "", *_luck(base), ""]
    for job in base.jobs:
        lines += _job(job, found.job_hours)
    lines += ["", _wrapped("figures drawn: " + _from(base), "  ")]
    return "\n".join(lines) + "\n"


def risk_data(found: Risk) -> dict[str, Any]:
    """Return everything as plain data; `risk_from_json` reads it back."""
    data: dict[str, Any] = _RISK.dump_python(found, mode="json")
    return data


def risk_from_json(file: str, text: str | bytes) -> Risk:
    """Read what ``designer risk --json`` wrote, or raise `InputError` naming the keys that are wrong."""
    try:
        return _RISK.validate_json(text, strict=True)
    except ValidationError as error:
        raise InputError(problems_from_validation(file, error)) from None


def _base(base: ScenarioRisk) -> Iterator[str]:
    yield _heading("a year")
    for taken in base.takes:
        yield f"  {taken.question}: {_test(taken)}"
    for output in base.outputs:
        if output.stated or output.known.p95:
            yield _row(output)


def _other(scenario: ScenarioRisk, base: ScenarioRisk) -> Iterator[str]:
    """Show what another answer of the sources to one question changes."""
    (changed,) = (taken for taken in scenario.takes if taken not in base.takes)
    yield _heading("otherwise")
    yield f"  {changed.question}: {_test(changed)}"
    moved = [output for output in scenario.outputs if _moves(output, base.output(output.name))]
    for output in moved:
        yield _row(output)
    if not moved:
        yield f"  changes no figure by {SEEN:.0%}"


def _moves(output: Output, before: Output) -> bool:
    pairs = zip(
        (output.known.p5, output.known.median, output.known.p95),
        (before.known.p5, before.known.median, before.known.p95),
        strict=True,
    )
    return any(abs(now - then) >= SEEN * abs(then) and now != then for now, then in pairs)


def _heading(text: str) -> str:
    return f"{text:<30}" + "".join(f"{word:>14}" for word in ("stated", "median", "5 %", "95 %"))


def _row(output: Output) -> str:
    cells = (output.stated, output.known.median, output.known.p5, output.known.p95)
    return f"  {_WORDS[output.name]:<28}" + "".join(f"{_amount(output.name, cell):>14}" for cell in cells)


def _test(taken: Taken) -> str:
    if taken.failures is None:
        return "low, mid and high of the catalogue"
    count = f"{taken.failures} failure{'' if taken.failures == 1 else 's'}"
    return f"{count} in {taken.device_hours:,.0f} device-hours [{taken.source}]"


def _drivers(base: ScenarioRisk) -> Iterator[str]:
    yield "what drives the spread (squared rank correlation; the rest is small ones and what they do together)"
    for name, word in _WORDS.items():
        largest = [driver for driver in base.drivers if driver.output == name][:4]
        if largest:
            text = "; ".join(f"{driver.moved_by} {driver.share:.0%}" for driver in largest)
            yield _wrapped(f"{word}: {text}", "  ")


def _luck(base: ScenarioRisk) -> Iterator[str]:
    yield f"{'next year, 5 to 95 %':<30}{'expected':>14}{'rates unknown':>24}{'and luck':>24}"
    for row in base.next_year:
        if row.stated or row.rates_and_luck.p95:
            name, luck = row.what.replace("_", " "), _span(row.rates_and_luck, ",.0f")
            yield f"  {name:<28}{row.stated:>14,.1f}{_span(row.rates, ',.1f'):>24}{luck:>24}"


def _job(job: JobRisk, hours: float) -> Iterator[str]:
    yield (
        f"{job.pool}: {job.jobs:,.4g} {'jobs' if job.checkpoints else 'replicas or jobs'} of {job.accelerators:,} "
        f"accelerators; one of them:"
    )
    yield f"  hits a year: {_both(job.hits_per_year, ',.3g')}; with luck {_span(job.next_year, ',.0f')} next year"
    if job.hours_between_hits is not None:
        yield f"  hours between two: {_both(job.hours_between_hits, ',.4g')}"
    survival = job.survival
    yield f"  chance of {hours:g} h without one: {_both(survival, '.3g')}; all told {survival.mean:.3g}"
    if job.checkpoints is not None:
        yield from _checkpoints(job.checkpoints)


def _checkpoints(found: Checkpoints) -> Iterator[str]:
    work, write = 60 * found.work_h, 60 * found.write_h
    yield (
        f"  checkpoint every {work:g} min of work, {write:g} min to write, restart {_both(found.restart_h, '.2g')} h:"
    )
    yield f"    useful time {_both(found.useful, '.2%')} (first order {found.useful_first_order.median:.2%})"
    yield f"    with repairs waited for {_both(found.useful_with_repairs, '.2%')}"
    best = found.best_work_h_exact
    minutes = Quantiles(60 * best.p5, 60 * best.median, 60 * best.p95, 60 * best.mean)
    yield (
        f"    best interval {_both(minutes, '.3g')} min (Daly {60 * found.best_work_h_daly.median:.3g}, Young "
        f"{60 * found.best_work_h_young.median:.3g}): useful {_both(found.useful_at_best, '.2%')}"
    )


def _from(base: ScenarioRisk) -> str:
    kinds: dict[str, int] = {}
    for source in base.sources:
        kinds[source.distribution] = kinds.get(source.distribution, 0) + 1
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items()) + "; all of them in --json"


def _amount(name: OutputName, value: float) -> str:
    if name == "availability":
        return f"{value:.3%}"
    return usd(value) if name == "failures_usd_per_year" else f"{value:,.1f}"


def _span(found: Quantiles, form: str) -> str:
    return f"{found.p5:{form}} to {found.p95:{form}}"


def _both(found: Quantiles, form: str) -> str:
    return f"{found.median:{form}} ({_span(found, form)})"


def _wrapped(text: str, indent: str) -> str:
    return fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent + "    ")
