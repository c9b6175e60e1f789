"""Question in, answer out: stock, most tokens, candidates, goals, exact recount, and why there is no design."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version

from designer.answer import (
    Answer,
    GoalValue,
    NotOffered,
    Question,
    RecountError,
    SolveOptions,
    Status,
    TokenGoal,
    scaled,
)
from designer.candidates.offer import Offer
from designer.candidates.space import Space
from designer.candidates.weights import Limit
from designer.design.build import build_design
from designer.design.types import Design
from designer.instance.pools import pools_of
from designer.problems import InputError
from designer.solve.asked import unlimited
from designer.solve.assumptions import assumptions_of
from designer.solve.clash import exclusive, limit_clash, no_plans, nothing_fits, out_of_reach, too_large_a_share
from designer.solve.clock import Clock, Deadline
from designer.solve.outages import too_rarely_up
from designer.solve.relax import Explainer
from designer.solve.selection import Selection
from designer.solve.steps import AGREEMENT, Steps, goal_value, pursue
from designer.solve.stock import Candidates, Stock, candidates_of, stock_of
from designer.solve.tokens import at_demand, most_tokens
from designer.verify import verify


def solve(question: Question, options: SolveOptions | None = None) -> Answer:
    """Find the best design of a question and prove it.

    Parameters
    ----------
    question
        What `designer.load` returned.
    options
        Gap, limits, seed, threads, pruning, where to write the model.

    Returns
    -------
    Answer
        Status, design, recounted account, bound and gap, model size, and in words what was not offered, assumed,
        what-if, or clashing.

    Raises
    ------
    InputError
        When the catalogue lacks a figure that every design needs, or the most tokens are asked for without a limit.
    RecountError
        When the exact recount disagrees with the model: a defect, reported instead of an answer.
    """
    return solve_narrowed(question, options or SolveOptions(), None)


def solve_narrowed(question: Question, options: SolveOptions, narrow: Callable[[Offer], Offer] | None) -> Answer:
    """Solve a question after ``narrow`` has taken parts out of its offer."""
    problems = unlimited(question)
    if problems:
        raise InputError(problems)
    deadline, clock = Deadline.after(options.time_limit_s), Clock()
    stock = stock_of(question, options, clock, narrow=narrow)
    base, job = _unanswered(question, stock, options), _Job(question, stock, options, deadline, clock, narrow)
    if not stock.has_plans:
        lines = no_plans(pools_of(question.instance), stock.plan_sets)
        return job.without(base, lines, None, ())
    return job.most_tokens(base) if question.instance.objective.maximise_tokens else job.best(base)


@dataclass(frozen=True)
class _Job:
    """One question on the way to its answer."""

    question: Question
    stock: Stock
    options: SolveOptions
    deadline: Deadline
    clock: Clock
    narrow: Callable[[Offer], Offer] | None

    def most_tokens(self, base: Answer) -> Answer:
        """Find the largest demand first, then the best design for it."""
        with self.clock.phase("tokens"):
            most = most_tokens(self.question, self.stock, self.options, self.deadline)
        if most.selection is None:
            if not most.settled:
                status: Status = "interrupted" if most.interrupted else "limit"
                return replace(base, status=status, phases=tuple(self.clock.phases))
            # Not even the least demand: the limits exclude what every design has.
            answer = self._scaled(most.refused).best(base)
            return replace(answer, clash=("no demand is small enough for the limits", *answer.clash))
        job = self._scaled(most.served)
        tokens = TokenGoal(
            multiplier=most.served,
            bound=most.refused if most.refused < math.inf else None,
            tokens_per_s={work.name: work.output_tokens_per_s for work in job.question.instance.workloads},
            solves=most.solves,
            accelerators={fleet.name: fleet.accelerators for fleet in job.question.instance.fleets},
        )
        base = replace(base, tokens=tokens)
        answer = job._finished(base, job._known(most.selection)) if most.interrupted else job.best(base, most.selection)
        if most.interrupted:
            return replace(answer, status="interrupted")
        return replace(answer, status="limit") if answer.status == "optimal" and not most.settled else answer

    def _scaled(self, multiplier: float) -> _Job:
        return replace(self, question=replace(self.question, instance=scaled(self.question.instance, multiplier)))

    def best(self, base: Answer, known: Selection | None = None) -> Answer:
        """Find the best design for the demand of the question; ``known`` is one within the limits."""
        value = math.inf if known is None else float(self.stock.weights.goal @ known.terms)
        found = candidates_of(
            self.question, self.options, self.clock, stock=self.stock, known=value, deadline=self.deadline
        )
        if found.beyond:
            return self.without(base, out_of_reach(found.beyond), None, found.beyond)
        if found.excluded:
            return self.excluded(base, found.offer)
        known = found.known or known
        if found.cut is not None:
            return self._cut_short(base, known, found.cut)
        if found.best < math.inf and (found.space is None or not found.space.templates):
            raise RecountError("the reductions dropped a design that was known before")
        if found.space is None or not found.space.templates:
            return self.without(base, self._whatever_the_limits(found.offer), None, ())
        steps = pursue(self.question, found, found.space, self.options, self.deadline, self.clock)
        base = replace(base, model=steps.size, trace=steps.trace)
        if steps.status is None:
            if found.best < math.inf:
                raise RecountError("the model has no design although one was known before")
            with self.clock.phase("explain"):
                lines = limit_clash(found.space, self._explain_until())
            return self.without(base, lines, found.space, ())
        if steps.design is None and known is not None:
            return self._finished(base, replace(self._known(known), status=steps.status))
        self._no_worse_than(found.best, steps)
        return self._finished(base, steps)

    def _cut_short(self, base: Answer, known: Selection | None, status: Status) -> Answer:
        """The answer of a search that did not end: the best design known, or none."""
        if known is None:
            return replace(base, status=status, phases=tuple(self.clock.phases))
        return self._finished(base, replace(self._known(known), status=status))

    def _explain_until(self) -> Deadline:
        return self.deadline.within(self.options.explain_s)

    def _whatever_the_limits(self, offer: Offer) -> tuple[str, ...]:
        """Why there is no design even without the limits on sums."""
        instance, pools = self.question.instance, pools_of(self.question.instance)
        lines = too_rarely_up(self.stock, instance, pools) or too_large_a_share(offer, self.stock.options(pools))
        return lines or nothing_fits(offer, instance)

    def _explainer(self) -> Explainer:
        return Explainer(self.question, self.stock, self.options, self._explain_until(), self.narrow)

    def excluded(self, base: Answer, offer: Offer) -> Answer:
        """The answer that no selection keeps the limits: they exclude each other, unless nothing fits without them."""
        with self.clock.phase("explain"):
            explainer = self._explainer()
            if explainer.unlimited() is False:
                lines = self._whatever_the_limits(offer)
            else:
                lines = (*exclusive(self.stock.weights.limits), *explainer.each_alone())
            lines = (*lines, *explainer.lines(None, ()))
        return replace(base, clash=lines, phases=tuple(self.clock.phases))

    def without(
        self, base: Answer, lines: Sequence[str], space: Space | None, beyond: Sequence[tuple[Limit, float]]
    ) -> Answer:
        """The answer that there is no design: why, and what would help."""
        with self.clock.phase("explain"):
            explainer = self._explainer()
            more = (*explainer.together(beyond), *explainer.lines(space, [limit for limit, _ in beyond]))
        return replace(base, clash=(*lines, *more), phases=tuple(self.clock.phases))

    def _no_worse_than(self, best: float, steps: Steps) -> None:
        """A solved first goal is no worse than a design known before, up to gap and tolerance."""
        objective, gap = self.question.instance.objective, min(self.options.gap, 0.999)
        if steps.status == "optimal" and steps.checked is not None:
            value = goal_value(objective.minimise[0], steps.checked.account)
            slack = 1 + objective.tolerance if len(objective.minimise) > 1 else 1.0
            if value > best * slack * (1 + AGREEMENT) / (1 - gap) + AGREEMENT:
                raise RecountError(f"the answer of {value!r} for {objective.minimise[0]} is worse than a design known")

    def _known(self, selection: Selection) -> Steps:
        """A design that is known without any model: recounted, with no bound."""
        instance, pools = self.question.instance, pools_of(self.question.instance)
        items = at_demand(selection, pools)
        design = build_design(instance.name, pools, items, selection.fabrics, self.stock.offer.economy)
        checked = verify(design, self.question.catalogue, instance)
        if checked.findings:
            raise RecountError(f"the verifier rejects a design that was known before: {checked.findings[0]}")
        goals = tuple(
            GoalValue(goal, goal_value(goal, checked.account), None, None) for goal in instance.objective.minimise
        )
        return Steps("limit", design, checked, goals, None, ())

    def _finished(self, base: Answer, steps: Steps) -> Answer:
        """The answer of solved goals, in money where cost is one of them."""
        assert steps.status is not None
        base = replace(base, status=steps.status, phases=tuple(self.clock.phases))
        if steps.design is None or steps.checked is None:
            return base
        cost = next((row for row in steps.goals if row.goal == "cost"), None)
        return replace(
            base,
            design=steps.design,
            account=steps.checked.account,
            objective_usd=steps.checked.account.objective_usd,
            bound_usd=None if cost is None else cost.bound,
            gap=None if cost is None else cost.gap,
            goals=steps.goals,
            what_ifs=_what_ifs(steps.design, self.stock),
            assumptions=assumptions_of(steps.design, self.question.catalogue, self.question.instance),
        )


def _unanswered(question: Question, stock: Stock, options: SolveOptions) -> Answer:
    return Answer(
        status="infeasible",
        design=None,
        account=None,
        objective_usd=None,
        bound_usd=None,
        gap=None,
        model=None,
        not_offered=_not_offered(question, stock),
        what_ifs=(),
        assumptions=(),
        clash=(),
        trace=(),
        phases=(),
        options=_option_record(options),
        versions=versions(),
    )


def _not_offered(question: Question, stock: Stock) -> tuple[NotOffered, ...]:
    rows = list(stock.offer.not_offered)
    for pool, plans in zip(pools_of(question.instance), stock.plan_sets, strict=True):
        for part, miss in plans.unmet.items():
            rows.append(NotOffered(part, "accelerator", f"pool {pool.name}: {miss.message}"))
    return tuple(rows)


def _what_ifs(design: Design, stock: Stock) -> tuple[str, ...]:
    parts = {a.id: a for a in stock.offer.accelerators}
    lines = []
    for pool in design.pools:
        part, what = parts[pool.accelerator], f"pool {pool.name}: a domain of {pool.domain_size} {pool.accelerator}"
        if pool.beyond_announced:
            lines.append(f"{what}; its vendor has announced {part.max_domain} at most")
        elif part.sold_size not in (None, pool.domain_size) and pool.scale_up.switch is not None:
            lines.append(f"{what}; its vendor sells racks of {part.sold_size}, priced here by the share of a rack")
    return tuple(lines)


def _option_record(options: SolveOptions) -> dict[str, object]:
    return {
        "gap": options.gap,
        "time_limit_s": options.time_limit_s,
        "seed": options.seed,
        "threads": options.threads,
        "prune": options.prune,
    }


def versions() -> dict[str, str]:
    """Versions of everything an answer depends on."""
    out = {"python": platform.python_version()}
    for name in ("tokenfabric", "pyomo", "highspy", "networkx", "numpy", "scipy"):
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            out[name] = "not installed as a distribution"
    return out


__all__ = ["Candidates", "RecountError", "candidates_of", "solve", "stock_of", "versions"]
