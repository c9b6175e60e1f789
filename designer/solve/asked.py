"""Mistakes of a question that only its figures show, found without solving it."""

from __future__ import annotations

from designer.answer import Question
from designer.candidates.economy import economy_of
from designer.candidates.weights import limits_of
from designer.problems import InputError, Problem

LIMIT_KEYS = (
    "site.it_power_mw",
    "site.racks",
    "money.capex_usd",
    "risk.max_hard_repairs_per_year",
    "risk.max_job_hits_per_year",
    "risk.max_accelerator_hours_lost_per_year",
)


def check_figures(question: Question) -> None:
    """Refuse a question that `solve` would refuse for its figures.

    Raises
    ------
    InputError
        When a needed figure is unknown, lengths fall with distance, or the most tokens are asked for without a limit.
    """
    problems = unlimited(question)
    try:
        economy_of(question.catalogue, question.instance)
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)


def unlimited(question: Question) -> list[Problem]:
    """Say that the most tokens were asked for although nothing bounds them, as a stock of only some parts does not."""
    instance = question.instance
    if not instance.objective.maximise_tokens or any(not limit.counted for limit in limits_of(instance)):
        return []
    named = instance.choose.accelerators or tuple(question.catalogue.accelerators)
    pinned = (instance.pin.accelerator,) if instance.pin.accelerator is not None else named
    if set(pinned) <= set(instance.stock):
        return []
    limits = f"one of {', '.join(LIMIT_KEYS)}, or the stock of every accelerator that may be chosen"
    allowed = f"allowed: only together with a limit that bounds the tokens, {limits}"
    return [Problem(question.instance_file, "objective.maximise_tokens", "true without any limit", allowed)]
