"""A given design and an answer in, everything that lies between them out."""

from __future__ import annotations

from dataclasses import replace

from designer.answer import Answer, Question, SolveOptions
from designer.beside.choices import choices_of
from designer.beside.hardware import hardware_of
from designer.beside.result import Beside, Serving, Used
from designer.beside.rows import rows_of
from designer.beside.serve import serving_of
from designer.beside.worth import together, told_apart, worth_of
from designer.evaluate import Evaluation, evaluate
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
    stated = "job_accelerators" in given.design.endpoints.model_fields_set
    notes = list(found.notes)
    if not stated:
        notes.append(
            "job_accelerators is not given: jobs of 1 are counted, whose failures take no more than the hardware does"
        )
    if question.instance.site.lengths != Lengths():
        notes.append("site.lengths of the instance are not laid over the given design: it has lengths or a floor")
    choices, apart = choices_of(alike, found)
    shared, others = told_apart(answer, choices)
    known = answer.design is not None
    stages = next((choice for choice in choices if choice.key == "stages"), None)
    return Beside(
        name=found.name,
        title=found.title,
        design=found.design,
        replaced=tuple(name for name in REPLACED if getattr(given.design, name) != getattr(alike.design, name)),
        job_accelerators=found.job_accelerators,
        ok=all(not network.flow.violations for network in found.networks),
        serving=_with_limits(serving, question, found),
        rows=rows_of(question, answer, found, hardware),
        shared=tuple(choice.words for choice in shared),
        worth=tuple(worth_of(question, options, answer, choice, stages) for choice in others) if known else (),
        together=together(question, options, answer, shared, others) if known else None,
        apart=tuple(apart),
        notes=tuple(notes),
    )


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
    )
    limits = tuple(
        Used(what, used, limit, unit, used / limit if limit else None)
        for what, used, limit, unit in rows
        if limit is not None
    )
    return replace(serving, uses=(*serving.uses, *limits))
