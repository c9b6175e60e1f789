"""Why there is no design, in the user's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from math import inf

from designer.candidates.blast import below_leaves, host_share, switch_share
from designer.candidates.choices import Option
from designer.candidates.offer import Offer
from designer.candidates.space import Space
from designer.candidates.weights import Limit
from designer.demand import PlanSet
from designer.demand.misses import ORDER as MISS_ORDER
from designer.demand.offers import NearMiss
from designer.instance.pools import Pool
from designer.instance.schema import Instance
from designer.solve.clock import Deadline
from designer.solve.compile import compile_model
from designer.solve.highs import Termination, solve_milp
from designer_models import build_fabric_choice

# Accelerators that are told of, the nearest first.
_NEAREST = 5


def no_plans(pools: Sequence[Pool], sets: Sequence[PlanSet]) -> tuple[str, ...]:
    """Say for each pool without a serving plan what stood in the way on each accelerator."""
    lines: list[str] = []
    for pool, plans in zip(pools, sets, strict=True):
        if plans.plans:
            continue
        wants = f"fleet {pool.name} has no domain with the bandwidth asked for"
        if pool.fleet is None:
            wants = f"pool {pool.name} ({pool.workload.llm}, {pool.phase}) has no serving plan"
        if not plans.unmet:
            lines.append(
                f"{wants}: no scale-up domain can be built from what is offered; look at the accelerators, their "
                "dates and nics, domain_sizes, scale_up_switches, links and lengths, and at the parts not offered"
            )
            continue
        if pool.fleet is None and pool.workload.tpot_ms is not None and pool.phase != "prefill":
            wants += f" within tpot_ms = {pool.workload.tpot_ms:g}"
        lines.append(wants + ":")
        misses = sorted(plans.unmet.values(), key=_distance)
        lines += [f"  {miss.message}" for miss in misses[:_NEAREST]]
        if len(misses) > _NEAREST:
            lines.append(f"  ... and {len(misses) - _NEAREST} more accelerators, further off")
    return tuple(lines)


def _distance(miss: NearMiss) -> tuple[int, float]:
    """How far a miss is off: first by the test it failed last, then by the share that is missing."""
    ratio = inf
    if miss.best is not None and miss.limit:
        ratio = miss.best / miss.limit
    return -MISS_ORDER.index(miss.reason), ratio


def too_large_a_share(offer: Offer, options: Sequence[Sequence[Option]]) -> tuple[str, ...]:
    """Say which single failure takes how much at least where no plan keeps the limit on it (nothing where one does)."""
    most, lines = offer.economy.single_failure, []
    for pool, mine in zip(offer.pools, options, strict=True):
        if most is None or not mine or any(below_leaves(option) <= most for option in mine):
            continue
        host, switch = (min(share(option) for option in mine) for share in (host_share, switch_share))
        least = min(below_leaves(option) for option in mine)
        lines.append(
            f"no design of pool {pool} meets risk.max_single_failure_share = {most:g}: with the plans and domains "
            f"offered a host takes at least {host:.4g} of its tokens per second, a scale-up switch {switch:.4g}, the "
            f"worse of the two {least:.4g}: risk.max_single_failure_share = {rounded_up(least, 6)} is the least that "
            "can do"
        )
    return tuple(lines)


def nothing_fits(offer: Offer, instance: Instance) -> tuple[str, ...]:
    """Say that no scale-out fabric of the allowed parts carries the pools."""
    kinds: list[str] = [kind for kind in offer.shapes if kind != "tree"]
    if offer.stages:
        kinds = [f"{', '.join(str(s) for s in offer.stages)} stages", *kinds]
    switches = ", ".join(s.id for s in offer.leaves) or "none"
    links, most = len(offer.links), offer.economy.single_failure
    limited: tuple[str, ...] = ()
    if most is not None:
        limited = (
            f"risk.max_single_failure_share = {most:g} rules out fabrics too: a one-stage switch takes everything "
            "unless there are planes, a leaf what stands behind it, a spine or core what the others cannot carry",
        )
    return (
        f"no fabric of {' or '.join(kinds) or 'no shape'} joins the pools: leaf switches offered: {switches}; "
        f"{links} link rows offered; max_taper {instance.choose.max_taper:g}",
        "least change: allow more stages (choose.scale_out_stages) or shapes (choose.scale_out_shapes), switches of a "
        "larger radix or a matching port rate, links that reach the lengths of the site, or a larger max_taper",
        *limited,
    )


def out_of_reach(beyond: Sequence[tuple[Limit, float]]) -> tuple[str, ...]:
    """Name limits that no design meets, whatever the other limits, and the least value each would need."""
    lines = []
    for limit, least in beyond:
        why = f"with the parts offered the least that serves the demand is {_needed(limit, least)}"
        if limit.share is not None:
            why = "the parts offered, pool by pool, cannot keep it"
        lines.append(f"no design meets {stated(limit)}: {why}")
    return tuple(lines)


def limit_clash(space: Space, deadline: Deadline) -> tuple[str, ...]:
    """Name the limits that exclude each other, and how far each would have to move.

    Solves the elastic twin (least sum of relative excesses), then asks for each limit the least value it could
    take if every other limit stood.
    """
    limits = space.weights.limits
    if not limits:
        return ("the demands cannot be met with the parts offered: the shared switches lack ports",)
    milp = compile_model((twin := build_fabric_choice(space, elastic=True)).model)
    report = solve_milp(milp, gap=1e-6, time_limit_s=deadline.left)
    if report.termination is Termination.INTERRUPTED:
        raise KeyboardInterrupt
    if report.termination is Termination.TIME_LIMIT and report.values is None:
        return ("no design meets all limits; which of them clash was not settled in time",)
    if report.values is None:
        return ("even without its limits the question has no design: the shared switches lack ports",)
    value = {id(column): x for column, x in zip(milp.columns, report.values.tolist(), strict=True)}
    excess = [value.get(id(twin.model.excess[k]), 0.0) for k in range(len(limits))]
    clashing = [limit for limit, x in zip(limits, excess, strict=True) if x > 1e-9]
    lines = list(exclusive(limits))
    together = " and ".join(
        _needed(limit, limit.most * (1 + x) if limit.most > 0 else x)
        for limit, x in zip(limits, excess, strict=True)
        if x > 1e-9
    )
    near = " (cut short: less may be enough)" if report.termination is Termination.TIME_LIMIT else ""
    lines.append(f"least change that makes a design possible: {together}{near}")
    for limit in limits:
        least, settled = _least(space, limit, deadline)
        if least is None or least > limit.most or limit in clashing:
            lines.append(alone_line(limit, least, settled=settled))
    return tuple(lines)


def exclusive(limits: Sequence[Limit]) -> tuple[str, ...]:
    """Say that limits exclude each other."""
    return ("the limits exclude each other: " + ", ".join(stated(limit) for limit in limits),)


def alone_line(limit: Limit, value: float | None, *, settled: bool, given: str = "with every other limit") -> str:
    """Say what a limit would have to be while every other stands (None: nothing helps, or is not known to).

    Examples
    --------
    >>> racks = Limit("site.racks", (1.0,), 2.0, "racks", 1.0)
    >>> alone_line(racks, 3.0, settled=True)
    'with every other limit as it is: site.racks = 3 (racks) would do'
    >>> alone_line(racks, 3.0, settled=False)
    'with every other limit as it is: site.racks = 3 (racks) would do (cut short: less may be enough)'
    """
    if value is not None:
        near = "" if settled else " (cut short: less may be enough)"
        return f"{given} as it is: {_needed(limit, value)} would do{near}"
    if settled:
        return f"{limit.key} alone does not help: the other limits already exclude each other"
    return f"what {limit.key} alone would have to be was not settled in time"


def stated(limit: Limit) -> str:
    """The limit as the instance sets it."""
    if limit.share is not None:
        return f"{limit.key} = {limit.share:.12g} ({limit.unit})"
    return f"{limit.key} = {limit.most / limit.scale:,.12g} ({limit.unit})"


def _needed(limit: Limit, value: float) -> str:
    """A value that would do, rounded up to six digits: what is offered as enough must be enough.

    Of a share only the direction is said: what is used beyond it does not tell by how much it must change.
    """
    if limit.share is not None:
        return f"{limit.key} {'less' if limit.key == 'risk.min_availability' else 'more'} than {limit.share:.12g}"
    return f"{limit.key} = {rounded_up(value / limit.scale, 6):,f} ({limit.unit})"


def raised_to(limit: Limit, value: float) -> Limit:
    """The limit with a value that would do, as it is told."""
    return replace(limit, most=float(rounded_up(value / limit.scale, 6)) * limit.scale)


def rounded_up(value: float, digits: int) -> Decimal:
    """The least number of so many digits that is not below; digits before the decimal point are all kept.

    Examples
    --------
    >>> rounded_up(1.23401, 4), rounded_up(123456.7, 3), rounded_up(0.0, 3)
    (Decimal('1.235'), Decimal('123457'), Decimal('0'))
    """
    exact = Decimal(repr(value))
    if exact == 0:
        return Decimal(0)
    last = min(exact.adjusted() - digits + 1, 0)
    up = exact.quantize(Decimal((0, (1,), last)), rounding=ROUND_CEILING)
    return up.quantize(Decimal(1)) if up == up.to_integral_value() else up.normalize()


def _least(space: Space, limit: Limit, deadline: Deadline) -> tuple[float | None, bool]:
    """Least value known of one limited term while every other limit stands (None: none), and whether that is proven."""
    others = tuple(x for x in space.weights.limits if x is not limit)
    # The limit itself becomes the objective: an elastic twin of limit 0 measures exactly its use.
    limits = (*others, replace(limit, most=0.0))
    twin = build_fabric_choice(replace(space, weights=replace(space.weights, limits=limits)), elastic=True)
    for k in range(len(others)):
        twin.model.excess[k].fix(0.0)
    report = solve_milp(compile_model(twin.model), gap=1e-6, time_limit_s=deadline.left)
    if report.termination is Termination.INTERRUPTED:
        raise KeyboardInterrupt
    return report.objective, report.termination is not Termination.TIME_LIMIT
