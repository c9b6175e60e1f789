"""A question and a figure in, all flips out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from designer.answer import Question, SolveOptions
from designer.breakeven.asker import Asker
from designer.breakeven.choices import WATCHES, Watch
from designer.breakeven.duel import Duel
from designer.breakeven.key import (
    FLAG,
    Variable,
    at_value,
    find_variable,
    opened_by_instance,
    with_fixed,
    with_wholeness,
)
from designer.breakeven.linear import entry_of
from designer.breakeven.result import BreakEven
from designer.breakeven.search import Found, Search
from designer.breakeven.settings import FLAG as SET
from designer.breakeven.settings import fixed_of
from designer.instance.load import load
from designer.problems import InputError, Problem
from designer.reading import nearest
from designer.solve.asked import check_figures
from designer.solve.why_not import force

POINTS = 9
WIDTH = 1e-3


def breakeven(
    instance: str | Path | Question,
    key: str,
    start: float,
    end: float,
    *,
    between: Sequence[str] = (),
    watch: str = "any",
    width: float = WIDTH,
    points: int = POINTS,
    settings: Sequence[str] = (),
    overlay: str | Path | None = None,
    options: SolveOptions | None = None,
    on_solve: Callable[[float], None] | None = None,
) -> BreakEven:
    """Find the values of a figure at which the best design changes.

    Parameters
    ----------
    instance, overlay
        As for `designer.load`, or a question already read.
    key
        The figure: ``table.id.figure`` of the catalogue, or a key of the instance.
    start, end
        The range, ``start < end``.
    between
        Two choices in the words of ``why-not`` (several of one side joined by commas): which of the two is cheaper,
        instead of which design is best.
    watch
        What counts as a change, one of `WATCHES`.
    width
        Relative width of the bracket around a flip.
    points
        Values solved first where costs are not straight lines in the figure.
    settings
        Other figures, set for the whole search: ``KEY=VALUE``, or ``KEY=low``, ``mid``, ``high`` of the catalogue.
    options
        How to solve each time.
    on_solve
        Called with the value before every solve.

    Raises
    ------
    InputError
        With every mistake of instance, figure, range and choices at once.
    """
    options = options or SolveOptions()
    problems = _range_problems(start, end, width, points, watch, between)
    question, variable = _read(instance, overlay, key, problems, settings)
    sides = tuple(_choices(text) for text in between)
    if question is not None:
        for forces in sides:
            problems += _problems(partial(force, question, forces))
    if question is not None and variable is not None and not _bad_ends(start, end):
        variable = with_wholeness(question, variable, float(start), float(end))
        for value in (start, end):
            problems += _problems(partial(_check_at, question, variable, value))
    if problems or question is None or variable is None:
        raise InputError(list(dict.fromkeys(problems)))
    chosen: Watch = next(name for name in WATCHES if name == watch)
    askers = [Asker(question, variable, chosen, options, forces, on_solve) for forces in sides or ((),)]
    entry = entry_of(question, variable)
    if variable.whole:
        entry = replace(entry, straight=False, reason="the figure takes whole numbers only")
    search: Search | Duel
    if sides:
        search = Duel(askers[0], askers[1], tuple(between), entry, width, points)
    else:
        search = Search(askers[0], entry, width, points)
    found = _result(question, variable, search.run(start, end), askers, chosen, tuple(between), width)
    return replace(found, settings=tuple(settings))


def _result(
    question: Question,
    variable: Variable,
    found: Found,
    askers: Sequence[Asker],
    watch: Watch,
    between: tuple[str, ...],
    width: float,
) -> BreakEven:
    solved = [point for asker in askers for point in asker.points.values()]
    opened = opened_by_instance(question, variable)
    notes = [note for asker in askers for note in asker.notes]
    notes += [f"{opened} of the instance stands before this figure"] if opened else []
    notes += found.notes
    if not found.moves and any(point.answer.design is not None for point in solved):
        notes.append("the figure moves the cost of no design met: another figure may be the one that counts")
    if not all(point.proven for point in solved):
        notes.append("some solves ended at the time limit: flips rest on designs that are not proven to be the best")
    span = variable.span
    flips = tuple(
        replace(flip, in_range=None if span.low is None or span.high is None else span.low <= flip.value <= span.high)
        for flip in found.flips
    )
    return BreakEven(
        instance=question.instance.name,
        goal=question.instance.objective.minimise[0],
        key=variable.key,
        figure=span,
        watch=watch,
        between=between,
        start=found.start,
        end=found.end,
        flips=flips,
        unwatched=found.unwatched,
        method=found.method,
        reason=found.reason,
        points=found.points,
        width=width,
        proven=all(point.proven for point in solved),
        solves=len(solved),
        notes=tuple(dict.fromkeys(notes)),
    )


def _read(
    instance: str | Path | Question,
    overlay: str | Path | None,
    key: str,
    problems: list[Problem],
    settings: Sequence[str],
) -> tuple[Question | None, Variable | None]:
    """Read instance and figure, adding their mistakes to ``problems``."""
    try:
        question = instance if isinstance(instance, Question) else load(instance, overlay)
    except InputError as error:
        problems += error.problems
        return None, None
    variable = None
    try:
        variable = find_variable(question, key)
    except InputError as error:
        problems += error.problems
    try:
        fixed = fixed_of(question, settings, key)
    except InputError as error:
        problems += error.problems
        return question, variable
    return with_fixed(question, fixed, SET), None if variable is None else replace(variable, fixed=fixed)


def _choices(text: str) -> tuple[str, ...]:
    """The choices of one side; their order says nothing."""
    return tuple(sorted({part.strip() for part in text.split(",") if part.strip()}))


def _bad_ends(start: float, end: float) -> bool:
    return not (math.isfinite(start) and math.isfinite(end) and 0 <= start < end)


def _range_problems(
    start: float, end: float, width: float, points: int, watch: str, between: Sequence[str]
) -> list[Problem]:
    found = []
    if _bad_ends(start, end):
        found.append(Problem("--from, --to", "", f"{start:g} and {end:g}", "allowed: 0 <= from < to, both finite"))
    if not 1e-9 <= width <= 0.5:
        found.append(Problem("--width", "", f"{width:g}", "allowed: 1e-9 to 0.5"))
    if not 2 <= points <= 1000:
        found.append(Problem("--points", "", str(points), "allowed: 2 to 1000"))
    if watch not in WATCHES:
        found.append(Problem("--watch", "", repr(watch[:60]), nearest(watch, WATCHES)))
    sides = [_choices(text) for text in between]
    if between and (len(sides) != 2 or not all(sides) or sides[0] == sides[1]):
        read = " and ".join(between) or "nothing"
        found.append(Problem("--between", "", read[:120], "allowed: two different choices"))
    return found


def _check_at(question: Question, variable: Variable, value: float) -> None:
    check_figures(at_value(question, variable, value))


def _problems(check: Callable[[], object]) -> list[Problem]:
    try:
        check()
    except InputError as error:
        files = {"catalogue": FLAG, "--force": "--between"}
        return [replace(row, file=files.get(row.file, row.file)) for row in error.problems]
    return []
