"""A given design and an answer in, everything that lies between them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from designer.answer import Answer, Question, SolveOptions
from designer.beside.choices import choices_of
from designer.beside.hardware import hardware_of
from designer.beside.result import Beside, Jobs, Serving, Used
from designer.beside.rows import rows_of
from designer.beside.serve import serving_of
from designer.beside.worth import together, told_apart, worth_of
from designer.design.types import PoolDesign
from designer.evaluate import Evaluation, evaluate, with_jobs
from designer.evaluate.amounts import Amount
from designer.evaluate.result import Totals
from designer.given.load import Given
from designer.instance.schema import Lengths

REPLACED = ("level", "date", "site", "money")


def asked_alike(given: Given, question: Question) -> Given:
    """The given design under a question: its level, date, site, money and prices instead of those of the file.

    Lengths and racks of the site are about the optimum's rooms; a given design states its lengths, or its floor.
    """
    instance = question.instance
    site = instance.site.model_copy(update={"lengths": Lengths(), "racks": None})
    update = {"level": instance.level, "date": instance.date, "site": site, "money": instance.money}
    return replace(
        given,
        design=given.design.model_copy(update=update),
        catalogue=question.catalogue,
        overlay_file=question.overlay_file,
    )


def beside(
    question: Question, options: SolveOptions, given: Given, answer: Answer, found: Evaluation | None = None
) -> Beside:
    """Put a given design beside the optimum of a question (docs/families.md, "Beside the optimum").

    Parameters
    ----------
    question, options, answer
        The question, how it was solved, and its optimum; choices are forced and priced in the same way.
    given
        The design as read.
    found
        The evaluation of `asked_alike`, where it is at hand.

    Raises
    ------
    InputError
        With everything that keeps the given design from being built at the question's level and prices.
    """
    alike = asked_alike(given, question)
    found = found or evaluate(alike)
    hardware = hardware_of(alike, found)
    serving = serving_of(question, hardware)
    jobs = _jobs(answer, serving)
    notes = [*found.notes, *_of_jobs(given, jobs)]
    alone = not given.design.endpoints.spare_domains and not any(row.spare_planes for row in given.design.networks)
    if alone and any(pool.spare_domains or pool.scale_up.spare_planes for pool in _pools(answer)):
        notes.append("the optimum has spares, the given design states none: all of it is counted as at work")
    if jobs:
        found = with_jobs(found, alike, jobs)
    if question.instance.site.lengths != Lengths():
        notes.append("site.lengths of the instance are not laid over the given design: it has lengths or a floor")
    choices, apart = choices_of(alike, found)
    shared, others = told_apart(answer, choices)
    known = answer.design is not None
    stages = next((choice for choice in choices if choice.key in ("stages", "shape")), None)
    return Beside(
        name=found.name,
        title=found.title,
        design=found.design,
        replaced=tuple(name for name in REPLACED if getattr(given.design, name) != getattr(alike.design, name)),
        jobs=tuple(Jobs(size, float(share)) for size, share in jobs.items()) or (Jobs(found.job_accelerators, 1.0),),
        ok=all(not network.flow.violations for network in found.networks),
        serving=_with_limits(serving, question, found),
        rows=rows_of(question, answer, found, hardware),
        shared=tuple(choice.words for choice in shared),
        worth=tuple(worth_of(question, options, answer, choice, stages) for choice in others) if known else (),
        together=together(question, options, answer, shared, others) if known else None,
        apart=tuple(apart),
        notes=tuple(notes),
    )


def _pools(answer: Answer) -> tuple[PoolDesign, ...]:
    return () if answer.design is None else answer.design.pools


def _jobs(answer: Answer, serving: Serving) -> dict[int, Fraction]:
    """Share of the accelerators that run jobs of each size: those of the optimum, so that both designs lose alike.

    Without an optimum they are those of the plans that the given design serves with.
    """
    counts: dict[int, int] = {}
    if answer.design is not None:
        rows = [(pool.plan.accelerators_per_replica, pool.accelerators) for pool in answer.design.pools]
    else:
        rows = [(row.plan.accelerators_per_replica, row.domains) for row in serving.pools if row.plan is not None]
    for size, count in rows:
        if count:
            counts[size] = counts.get(size, 0) + count
    return {size: Fraction(count, sum(counts.values())) for size, count in counts.items()}


def _of_jobs(given: Given, jobs: dict[int, Fraction]) -> Iterator[str]:
    """Say whose failures are counted, where that is not what the file says."""
    endpoints = given.design.endpoints
    said = str(endpoints.job_accelerators) if "job_accelerators" in endpoints.model_fields_set else "nothing"
    if not jobs:
        yield (
            f"no jobs of the demand run on it: failures are counted in jobs of {endpoints.job_accelerators}, "
            f"the file says {said}"
        )
    elif list(jobs) != [endpoints.job_accelerators]:
        sizes = ", ".join(f"{size:,}" + (f" ({float(share):.1%})" if share < 1 else "") for size, share in jobs.items())
        yield f"failures of both are counted in jobs of {sizes} accelerators, those of the demand; the file says {said}"


def _known(totals: Totals, name: str) -> float:
    amount: Amount = getattr(totals, f"{name}_per_year")
    return amount.known


def _with_limits(serving: Serving, question: Question, found: Evaluation) -> Serving:
    """The limits of the instance, each against what is known of the given design."""
    site, money, risk, totals = question.instance.site, question.instance.money, question.instance.risk, found.totals
    rows = (
        ("site.it_power_mw", totals.watts.known / 1e6, site.it_power_mw, "MW"),
        ("money.capex_usd", totals.capex_usd.known, money.capex_usd, "USD"),
        *(
            (f"risk.max_{name}_per_year", _known(totals, name), getattr(risk, f"max_{name}_per_year"), unit)
            for name, unit in (("hard_repairs", "1/year"), ("job_hits", "1/year"), ("accelerator_hours_lost", "h/year"))
        ),
        *(
            (f"risk.{name}: {words}", 1 - amount.value, 1 - least, "of the time")
            for name, words, amount in (
                ("min_availability", "accelerators out", totals.availability),
                ("min_pool_availability", "too few domains up", found.uptime),
            )
            if (least := getattr(risk, name)) is not None and amount is not None and amount.value is not None
        ),
    )
    limits = tuple(
        Used(what, used, limit, unit, used / limit if limit else None)
        for what, used, limit, unit in rows
        if limit is not None
    )
    return replace(serving, uses=(*serving.uses, *limits))
