"""The goals in order of rank: each solved under the values that the earlier ones reached."""

from __future__ import annotations

from dataclasses import dataclass, replace

from designer.answer import GoalValue, ModelSize, Progress, Question, RecountError, SolveOptions, Status
from designer.candidates.space import Space
from designer.candidates.weights import NOISE, Limit, goal_limit, goal_vector
from designer.design.account import Account
from designer.design.build import build_design
from designer.design.types import Design
from designer.instance.schema import Goal
from designer.solve.clock import Clock, Deadline
from designer.solve.compile import Milp, compile_model
from designer.solve.highs import SolverReport, Termination, solve_milp
from designer.solve.selection import chosen_keys, selection_of
from designer.solve.stock import Candidates
from designer.verify import Verification, verify
from designer_models import build_fabric_choice, forbid

# The recount is exact; the model's objective is a float sum of many terms. More than this apart is a defect.
AGREEMENT = 1e-7

_STATUS: dict[Termination, Status] = {
    Termination.OPTIMAL: "optimal",
    Termination.TIME_LIMIT: "limit",
    Termination.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True)
class Step:
    """One solved goal: why the solver stopped, a verified design if one is known, the proven bound of the goal."""

    goal: Goal
    termination: Termination
    design: Design | None
    checked: Verification | None
    bound: float | None
    size: ModelSize
    trace: tuple[Progress, ...]


@dataclass(frozen=True)
class Steps:
    """All goals. ``status`` is None when the first goal already has no design at all."""

    status: Status | None
    design: Design | None
    checked: Verification | None
    goals: tuple[GoalValue, ...]
    size: ModelSize | None
    trace: tuple[Progress, ...]


def goal_value(goal: Goal, account: Account) -> float:
    """Value of a goal by the recount."""
    return {
        "cost": account.objective_usd,
        "capex": account.capex_usd,
        "power": account.it_watts,
        "hard_repairs": account.hard_repairs_per_year,
        "job_hits": account.job_hits_per_year,
        "accelerator_hours_lost": account.accelerator_hours_lost_per_year,
    }[goal]


def pursue(
    question: Question, found: Candidates, space: Space, options: SolveOptions, deadline: Deadline, clock: Clock
) -> Steps:
    """Solve the goals of a question one after the other over the same candidates.

    A later goal is minimised with one more limit for every earlier one: at most the value reached, times 1 + tolerance.

    Raises
    ------
    RecountError
        When the exact recount contradicts the model, or a step loses the design of the step before.
    """
    goals = question.instance.objective.minimise
    slack = question.instance.objective.tolerance
    caps: tuple[Limit, ...] = ()
    bounds: dict[Goal, float | None] = {}
    best: Step | None = None
    first: Step | None = None
    trace: tuple[Progress, ...] = ()
    status: Status | None = None
    for goal in goals:
        weights = replace(
            space.weights,
            goal=goal_vector(goal, found.offer.economy),
            limits=(*space.weights.limits, *caps),
            later=(),
        )
        step = solve_step(question, found, replace(space, weights=weights), goal, options, deadline, clock)
        first, trace = first or step, trace + step.trace
        if step.termination is Termination.INFEASIBLE:
            if best is not None:
                raise RecountError(f"the goal {goal} has no design within the goals before it, although one is known")
            return Steps(None, None, None, (), first.size, trace)
        _keeps(caps, goals, step)
        status, bounds[goal] = _STATUS[step.termination], step.bound
        best = _better(goal, best, step)
        if status != "optimal" or best is None or best.checked is None:
            break
        reached = goal_value(goal, best.checked.account)
        caps += (goal_limit(goal, found.offer.economy, reached * (1 + slack) * (1 + NOISE)),)
    assert first is not None
    if best is None or best.checked is None:
        return Steps(status, None, None, (), first.size, trace)
    values = tuple(_row(goal, best.checked.account, bounds.get(goal)) for goal in goals)
    return Steps(status, best.design, best.checked, values, first.size, trace)


def _keeps(caps: tuple[Limit, ...], goals: tuple[Goal, ...], step: Step) -> None:
    for cap, earlier in zip(caps, goals, strict=False):
        if step.checked is not None and goal_value(earlier, step.checked.account) > cap.most * (1 + AGREEMENT):
            raise RecountError(f"the goal {step.goal} was bought with the goal {earlier}, which ranks before it")


def _better(goal: Goal, known: Step | None, step: Step) -> Step | None:
    """The step with the design that is better in the goal (a step cut short may have a worse one, or none)."""
    if step.checked is None:
        return known
    if known is None or known.checked is None:
        return step
    value, other = goal_value(goal, step.checked.account), goal_value(goal, known.checked.account)
    return step if value <= other else replace(step, design=known.design, checked=known.checked)


def _row(goal: Goal, account: Account, bound: float | None) -> GoalValue:
    value = goal_value(goal, account)
    low = None if bound is None else min(bound, value)
    gap = None if low is None else ((value - low) / value if value > 0 else 0.0)
    return GoalValue(goal, value, low, gap)


def solve_step(
    question: Question,
    found: Candidates,
    space: Space,
    goal: Goal,
    options: SolveOptions,
    deadline: Deadline,
    clock: Clock,
) -> Step:
    """Minimise the goal of a space, recount the design in exact arithmetic, and hold the two against each other."""
    with clock.phase("build"):
        stated = build_fabric_choice(space)
    with clock.phase("hand-over"):
        milp = compile_model(stated.model, names=options.write_mps is not None)
    while True:
        with clock.phase("solve"):
            report = _run(milp, goal, options, deadline)
        if report.values is None:
            break
        keys = chosen_keys(stated, milp, report)
        selection = selection_of(space, keys)
        with clock.phase("design"):
            economy = found.offer.economy
            design = build_design(question.instance.name, found.pools, selection.items, selection.fabrics, economy)
        with clock.phase("verify"):
            checked = verify(design, question.catalogue, question.instance)
        limited = bool(checked.findings) and all(row.rule.startswith("limit_") for row in checked.findings)
        if not limited:
            _agree(goal, checked, report)
            return Step(goal, report.termination, design, checked, report.bound, *_effort(milp, report, space, goal))
        if report.termination is not Termination.OPTIMAL:
            break
        # Within the solver's tolerance but beyond a limit in exact arithmetic: this selection is not a design.
        forbid(stated, keys)
        milp = compile_model(stated.model, names=options.write_mps is not None)
    return Step(goal, report.termination, None, None, report.bound, *_effort(milp, report, space, goal))


def _run(milp: Milp, goal: Goal, options: SolveOptions, deadline: Deadline) -> SolverReport:
    tell = options.on_progress

    def progress(seconds: float, incumbent: float | None, bound: float | None) -> None:
        if tell is not None:
            tell(Progress(seconds, incumbent, bound, _gap(incumbent, bound), goal))

    return solve_milp(
        milp,
        gap=options.gap,
        time_limit_s=deadline.left,
        seed=options.seed,
        threads=options.threads,
        write_mps=options.write_mps,
        on_progress=progress,
    )


def _gap(incumbent: float | None, bound: float | None) -> float | None:
    return (incumbent - bound) / abs(incumbent) if incumbent and bound is not None else None


def _effort(milp: Milp, report: SolverReport, space: Space, goal: Goal) -> tuple[ModelSize, tuple[Progress, ...]]:
    size = ModelSize(
        rows=milp.row_lower.size,
        columns=milp.cost.size,
        nonzeros=milp.nonzeros,
        integers=int(milp.integer.sum()),
        nodes=report.nodes,
        root_bound_usd=report.root_bound if goal == "cost" else None,
        options=space.options,
        options_enumerated=space.enumerated_options,
        templates=len(space.templates),
        templates_enumerated=space.enumerated_templates,
    )
    return size, tuple(Progress(s, best, bound, _gap(best, bound), goal) for s, best, bound in report.trace)


def _agree(goal: Goal, checked: Verification, report: SolverReport) -> None:
    if checked.findings:
        lines = "\n".join(str(finding) for finding in checked.findings[:20])
        raise RecountError(f"the verifier rejects the chosen design:\n{lines}")
    recounted, stated = goal_value(goal, checked.account), report.objective
    if stated is None or abs(recounted - stated) > AGREEMENT * max(1.0, abs(recounted)):
        raise RecountError(f"the model states {stated!r} for the goal {goal}, the recount {recounted!r}")
