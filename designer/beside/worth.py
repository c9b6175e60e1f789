"""What the choices of a given design cost: each forced alone on the question and priced against the optimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from designer.answer import Answer, Question, SolveOptions
from designer.beside.choices import NONE, Choice, shown, values_of
from designer.beside.result import Outcome, Worth
from designer.problems import InputError
from designer.solve.steps import goal_value
from designer.solve.why_not import force, solve_forced

# A short clash is wanted for each of many choices, not everything that would help.
_EXPLAIN_S = 2.0
_CLASHES = 2
_NOISE = 1e-9

# What stands above the leaves.
_ABOVE = (
    "spine_switch",
    "core_switch",
    "top_switch",
    "leaf_spine_link",
    "spine_core_link",
    "core_top_link",
    "leaf_leaf_link",
    "group_group_link",
    "taper",
)

TOGETHER = "all its choices together"


def told_apart(answer: Answer, choices: Sequence[Choice]) -> tuple[list[Choice], list[Choice]]:
    """Part choices into those that every pool and fabric of an optimum shares, and the others."""
    if answer.design is None:
        return [], list(choices)
    shared = [choice for choice in choices if values_of(answer.design, choice.key) == (choice.value,)]
    return shared, [choice for choice in choices if choice not in shared]


def worth_of(
    question: Question, options: SolveOptions, optimum: Answer, choice: Choice, stages: Choice | None
) -> Worth:
    """Price one choice that the optimum has not, everything else chosen anew.

    A switch or link of a stage that some fabric of the optimum lacks would be asked of no fabric: it is forced together
    with the ``stages`` (or the shape) of the given design.
    """
    assert optimum.design is not None
    values = values_of(optimum.design, choice.key)
    what, forces = choice.words, [f"{choice.key}={choice.value}"]
    if choice.key in _ABOVE and NONE in values and stages is not None:
        what = f"{what}, with {stages.value} stages" if stages.key == "stages" else f"{what}, with a {stages.value}"
        forces.insert(0, f"{stages.key}={stages.value}")
    theirs = " and ".join(shown(value) for value in values)
    return _priced(question, options, optimum, what, tuple(forces), shown(choice.value), theirs)


def together(
    question: Question, options: SolveOptions, optimum: Answer, shared: Sequence[Choice], others: Sequence[Choice]
) -> Worth:
    """Price all choices at once: the given design's choices, sized for this demand."""
    forces = tuple(f"{choice.key}={choice.value}" for choice in (*shared, *others))
    if not others:
        # The optimum keeps to every one of them, so the best design that does is the optimum.
        return _compared(optimum, optimum, TOGETHER, forces, "", "", ())
    return _priced(question, options, optimum, TOGETHER, forces, "", "")


def _priced(
    question: Question,
    options: SolveOptions,
    optimum: Answer,
    what: str,
    forces: tuple[str, ...],
    given: str,
    theirs: str,
) -> Worth:
    quick = replace(options, explain_s=min(options.explain_s, _EXPLAIN_S), write_mps=None)
    try:
        forced = force(question, forces)
        answer, blocked = solve_forced(forced, quick)
    except InputError as error:
        # An instance cannot even ask for it, such as a taper or a size out of every range.
        clash = tuple(f"{problem.key}: {problem.read}; {problem.allowed}" for problem in error.problems[:_CLASHES])
        goal = question.instance.objective.minimise[0]
        return Worth(what, forces, given, theirs, "impossible", False, None, None, goal, None, None, clash, ())
    return _compared(optimum, answer, what, forces, given, theirs, (*forced.notes, *blocked))


def _compared(
    optimum: Answer,
    answer: Answer,
    what: str,
    forces: tuple[str, ...],
    given: str,
    theirs: str,
    notes: tuple[str, ...],
) -> Worth:
    assert optimum.objective_usd is not None and optimum.account is not None
    goal = optimum.goals[0].goal if optimum.goals else "cost"
    multiplier = None if answer.tokens is None else answer.tokens.multiplier
    if answer.objective_usd is None or answer.account is None:
        outcome: Outcome = "impossible" if answer.status == "infeasible" else "no answer"
        clash = tuple(line.strip() for line in answer.clash[:_CLASHES])
        return Worth(what, forces, given, theirs, outcome, False, None, None, goal, None, multiplier, clash, notes)
    more = answer.objective_usd - optimum.objective_usd
    if abs(more) <= _NOISE * optimum.objective_usd:
        more = 0.0
    return Worth(
        what=what,
        forces=forces,
        given=given,
        optimum=theirs,
        outcome="priced",
        proven=answer.status == optimum.status == "optimal",
        more_usd=more,
        relative=more / optimum.objective_usd if optimum.objective_usd else None,
        goal=goal,
        more_of_goal=goal_value(goal, answer.account) - goal_value(goal, optimum.account),
        multiplier=multiplier,
        clash=(),
        notes=notes,
    )
