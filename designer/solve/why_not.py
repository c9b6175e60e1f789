"""Why not something else: a choice is forced, and what it costs against the optimum is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from designer.answer import Answer, Question, SolveOptions
from designer.solve.breaks import broken, idle
from designer.solve.forcing import KEYS, Forced, force
from designer.solve.run import solve, solve_narrowed


@dataclass(frozen=True)
class Difference:
    """One figure of both designs; ``difference`` = forced - optimum."""

    what: str
    unit: str
    optimum: float
    forced: float
    difference: float


@dataclass(frozen=True)
class WhyNot:
    """The optimum, the best design with the choices forced, and what lies between them.

    ``notes`` say what had to be widened, and which figure or date stands in the way of a forced part.
    ``differences`` are empty where one of the two has no design; ``idle`` says that the forces ask for nothing that the
    forced design has.
    """

    forces: tuple[str, ...]
    optimum: Answer
    forced: Answer
    notes: tuple[str, ...]
    differences: tuple[Difference, ...]
    question: Question
    idle: bool = False


def why_not(question: Question, forces: Sequence[str], options: SolveOptions | None = None) -> WhyNot:
    """Force choices on a question and price them against its optimum.

    Parameters
    ----------
    question
        What `designer.load` returned.
    forces
        Choices as ``KEY=VALUE``; keys are `KEYS`.
    options
        How to solve, both times.

    Raises
    ------
    InputError
        When a key, a part or a number is unknown.
    """
    options = options or SolveOptions()
    forced = force(question, forces)
    optimum = solve(question, options)
    other, blocked = solve_forced(forced, options)
    nothing: tuple[str, ...] = ()
    if other.design is not None:
        nothing = idle(forces, other.design)
    elif other.status == "infeasible" and not blocked:
        other = replace(other, clash=(*broken(question, forced, options), *other.clash))
    return WhyNot(
        tuple(forces),
        optimum,
        other,
        (*forced.notes, *blocked, *nothing),
        _differences(optimum, other),
        forced.question,
        len(nothing) == len(forces),
    )


def solve_forced(forced: Forced, options: SolveOptions) -> tuple[Answer, tuple[str, ...]]:
    """Solve a question with choices forced on it; also say which of the forced parts cannot be bought, and why."""
    answer = solve_narrowed(forced.question, options, forced.narrow)
    reasons = {row.part: row.reason for row in answer.not_offered}
    blocked = tuple(f"{part} is not for sale here: {reasons[part]}" for part in forced.parts if part in reasons)
    if answer.design is None and answer.status == "infeasible":
        answer = replace(answer, clash=(*blocked, *answer.clash))
    return answer, blocked


def _differences(optimum: Answer, forced: Answer) -> tuple[Difference, ...]:
    """Money of every item by kind, then power, space, risk and tokens."""
    one, two = optimum.account, forced.account
    if one is None or two is None:
        return ()
    rows: list[Difference] = []

    def add(what: str, unit: str, a: float, b: float) -> None:
        rows.append(Difference(what, unit, a, b, b - a))

    add("cost with risk weights", "USD/year", one.objective_usd, two.objective_usd)
    add("cost", "USD/year", one.annual_usd, two.annual_usd)
    lines, others = {row.item: row for row in one.lines}, {row.item: row for row in two.lines}
    for item in dict.fromkeys((*lines, *others)):
        for kind in ("capital", "facility", "energy", "failures"):
            a, b = (getattr(table[item], f"{kind}_usd_per_year") if item in table else 0.0 for table in (lines, others))
            if a or b:
                add(f"{item.replace('_', ' ')}: {kind}", "USD/year", a, b)
    add("IT capital", "USD", one.capex_usd, two.capex_usd)
    add("IT power", "W", one.it_watts, two.it_watts)
    add("racks", "racks", one.racks, two.racks)
    add("hard repairs", "1/year", one.hard_repairs_per_year, two.hard_repairs_per_year)
    add("job hits", "1/year", one.job_hits_per_year, two.job_hits_per_year)
    hours = (one.accelerator_hours_lost_per_year, two.accelerator_hours_lost_per_year)
    add("accelerator-hours lost", "h/year", *hours)
    if optimum.tokens is not None and forced.tokens is not None:
        for name, rate in optimum.tokens.tokens_per_s.items():
            add(f"{name}: output tokens", "tokens/s", rate, forced.tokens.tokens_per_s[name])
        for name, count in optimum.tokens.accelerators.items():
            add(f"{name}: accelerators asked for", "accelerators", count, forced.tokens.accelerators[name])
    return tuple(rows)


__all__ = ["KEYS", "Difference", "Forced", "WhyNot", "force", "solve_forced", "why_not"]
