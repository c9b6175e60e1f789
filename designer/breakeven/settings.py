"""Figures that are set beside the one that is varied: ``KEY=VALUE``, or ``KEY=low``, ``mid``, ``high``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from designer.answer import Question
from designer.breakeven.key import Fixed, Variable, find_variable, with_fixed
from designer.problems import InputError, Problem
from designer.reading import nearest

FLAG = "--set"
LEVELS = ("low", "mid", "high")


def fixed_of(question: Question, settings: Sequence[str], varied: str = "") -> tuple[Fixed, ...]:
    """Read settings; all of them together must be allowed.

    Parameters
    ----------
    question
        What `designer.load` returned.
    settings
        ``KEY=VALUE`` each, the key as for the figure that is varied; ``low``, ``mid`` and ``high`` are those of the
        catalogue.
    varied
        The figure that is varied: it cannot be set as well.

    Raises
    ------
    InputError
        With every mistake.
    """
    found: dict[str, Fixed] = {}
    problems: list[Problem] = []
    for text in settings:
        key, _, value = (part.strip() for part in text.partition("="))
        if not key or not value:
            problems.append(Problem(FLAG, "", repr(text[:60]), "allowed: KEY=VALUE, or KEY=low, KEY=mid, KEY=high"))
        elif key in found or key == varied:
            problems.append(Problem(FLAG, key[:80], value[:60], "set once only, and not the figure that is varied"))
        else:
            try:
                variable = find_variable(question, key, FLAG)
                found[key] = _fixed(question, variable, value)
            except InputError as error:
                problems += error.problems
    if not problems and found:
        try:
            with_fixed(question, list(found.values()), FLAG)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(found.values())


def _fixed(question: Question, variable: Variable, value: str) -> Fixed:
    number = _number(variable, value)
    row = Fixed(variable.path, variable.of_catalogue, number)
    if not number.is_integer():
        return row
    # Some places take whole numbers only: 5.0 is refused there, 5 is not.
    try:
        with_fixed(question, [row], FLAG)
    except InputError:
        return Fixed(variable.path, variable.of_catalogue, int(number))
    return row


def _number(variable: Variable, value: str) -> float:
    if value in LEVELS:
        span = variable.span
        number = {"low": span.low, "mid": span.mid, "high": span.high}[value]
        if number is None:
            raise InputError([Problem(FLAG, variable.key, value, "no such level of this figure: give a number")])
        return number
    try:
        number = float(value)
    except ValueError:
        raise InputError([Problem(FLAG, variable.key, value[:60], f"a number; {nearest(value, LEVELS)}")]) from None
    if not math.isfinite(number):
        raise InputError([Problem(FLAG, variable.key, value, "a finite number")])
    return number
