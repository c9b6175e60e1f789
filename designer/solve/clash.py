"""Why there is no design, in the user's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from designer.candidates.offer import Offer
from designer.candidates.space import Space
from designer.candidates.weights import Limit
from designer.demand import PlanSet
from designer.instance.pools import Pool
from designer.instance.schema import Instance
from designer.solve.compile import compile_model
from designer.solve.highs import Termination, solve_milp
from designer_models import build_fabric_choice


def no_plans(pools: Sequence[Pool], sets: Sequence[PlanSet]) -> tuple[str, ...]:
    """Say for each pool without a serving plan what stood in the way on each accelerator."""
    lines: list[str] = []
    for pool, plans in zip(pools, sets, strict=True):
        if plans.plans:
            continue
        wants = f"pool {pool.name} ({pool.workload.llm}, {pool.phase}) has no serving plan"
        if not plans.unmet:
            lines.append(
                f"{wants}: no scale-up domain can be built from what is offered; look at the accelerators, their "
                "dates and nics, domain_sizes, scale_up_switches, links and lengths, and at the parts not offered"
            )
            continue
        if pool.workload.tpot_ms is not None and pool.phase != "prefill":
            wants += f" within tpot_ms = {pool.workload.tpot_ms:g}"
        lines.append(wants + ":")
        lines += [f"  {miss.message}" for miss in plans.unmet.values()]
    return tuple(lines)


def nothing_fits(offer: Offer, instance: Instance) -> tuple[str, ...]:
    """Say that no scale-out fabric of the allowed parts carries the pools."""
    stages = ", ".join(str(s) for s in offer.stages) or "none"
    switches = ", ".join(s.id for s in offer.leaves) or "none"
    links = len(offer.links)
    return (
        f"no fabric of {stages} stages joins the pools: leaf switches offered: {switches}; {links} link rows offered; "
        f"max_taper {instance.choose.max_taper:g}",
        "least change: allow more stages (choose.scale_out_stages), switches of a larger radix or a matching port "
        "rate, links that reach the lengths of the site, or a larger max_taper",
    )


def out_of_reach(beyond: Sequence[tuple[Limit, float]]) -> tuple[str, ...]:
    """Name limits that no design meets, whatever the other limits, and the least value each would need."""
    return tuple(
        f"no design meets {_set(limit)}: with the parts offered the least that serves the demand is "
        f"{_needed(limit, least)}"
        for limit, least in beyond
    )


def limit_clash(space: Space) -> tuple[str, ...]:
    """Name the limits that exclude each other, and how far each would have to move.

    Solves the elastic twin (least sum of relative excesses), then asks for each limit the least value it could
    take if every other limit stood.
    """
    limits = space.weights.limits
    if not limits:
        return ("the demands cannot be met with the parts offered: the shared switches lack ports",)
    milp = compile_model((twin := build_fabric_choice(space, elastic=True)).model)
    report = solve_milp(milp, gap=1e-6, time_limit_s=60.0)
    if report.termination is Termination.INTERRUPTED:
        raise KeyboardInterrupt
    if report.termination is Termination.TIME_LIMIT and report.values is None:
        return ("no design meets all limits; which of them clash was not settled in 60 s",)
    if report.values is None:
        return ("even without its limits the question has no design: the shared switches lack ports",)
    value = {id(column): x for column, x in zip(milp.columns, report.values.tolist(), strict=True)}
    excess = [value.get(id(twin.model.excess[k]), 0.0) for k in range(len(limits))]
    clashing = [limit for limit, x in zip(limits, excess, strict=True) if x > 1e-9]
    lines = ["the limits exclude each other: " + ", ".join(_set(limit) for limit in limits)]
    together = " and ".join(
        _needed(limit, limit.most * (1 + x) if limit.most > 0 else x)
        for limit, x in zip(limits, excess, strict=True)
        if x > 1e-9
    )
    lines.append(f"least change that makes a design possible: {together}")
    for limit in limits:
        alone = _least(space, limit)
        if alone is Termination.TIME_LIMIT:
            lines.append(f"what {limit.key} alone would have to be was not settled in 60 s")
        elif alone is None or isinstance(alone, Termination):
            lines.append(f"{limit.key} alone does not help: the other limits already exclude each other")
        elif alone > limit.most or limit in clashing:
            lines.append(f"with every other limit as it is: {_needed(limit, alone)} would do")
    return tuple(lines)


def _set(limit: Limit) -> str:
    """The limit as the instance sets it."""
    return f"{limit.key} = {limit.most / limit.scale:,.12g} ({limit.unit})"


def _needed(limit: Limit, value: float) -> str:
    """A value that would do, rounded up to six digits: what is offered as enough must be enough."""
    exact = Decimal(repr(value / limit.scale))
    digits = exact.adjusted() - 5
    rounded = exact if exact == 0 else exact.quantize(Decimal((0, (1,), min(digits, 0))), rounding=ROUND_CEILING)
    return f"{limit.key} = {rounded.normalize():,f} ({limit.unit})"


def _least(space: Space, limit: Limit) -> float | Termination | None:
    """Least value of one limited term while every other limit stands (None: they clash; or why it is not known)."""
    others = tuple(x for x in space.weights.limits if x is not limit)
    # The limit itself becomes the objective: an elastic twin of limit 0 measures exactly its use.
    probe = replace(limit, most=0.0)
    return _probe(space, (*others, probe), len(others))


def _probe(space: Space, limits: tuple[Limit, ...], soft: int) -> float | Termination | None:
    twin = build_fabric_choice(replace(space, weights=replace(space.weights, limits=limits)), elastic=True)
    for k in range(len(limits)):
        if k != soft:
            twin.model.excess[k].fix(0.0)
    report = solve_milp(compile_model(twin.model), gap=1e-6, time_limit_s=60.0)
    if report.termination is Termination.INTERRUPTED:
        raise KeyboardInterrupt
    if report.termination is Termination.TIME_LIMIT:
        return Termination.TIME_LIMIT
    return report.objective if report.termination is Termination.OPTIMAL else None
