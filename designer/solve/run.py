"""Question in, answer out: offer, plans, candidates, model, HiGHS, design, exact recount."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version

from designer.answer import Answer, ModelSize, NotOffered, Phase, Progress, Question, RecountError, SolveOptions, Status
from designer.candidates.choices import Attached, Option, make_options
from designer.candidates.dominance import reduce_domains
from designer.candidates.offer import Offer, build_offer
from designer.candidates.scale_up import DomainDesign, build_domains
from designer.candidates.space import Space, build_space
from designer.candidates.weights import Limit, weights_of
from designer.demand import DomainOffer, PlanSet, domains_needed, enumerate_plans, read_measured
from designer.demand.plan import ServingPlan
from designer.design.build import build_design
from designer.design.types import Design
from designer.instance.pools import Pool, pools_of
from designer.solve.assumptions import assumptions_of
from designer.solve.clash import limit_clash, no_plans, nothing_fits, out_of_reach
from designer.solve.compile import Milp, compile_model
from designer.solve.highs import SolverReport, Termination, solve_milp
from designer.solve.limits import Reach, reach
from designer.verify import Verification, verify
from designer_models import FabricChoice, build_fabric_choice, forbid

# The recount is exact; the model's objective is a float sum of many terms. More than this apart is a defect.
_AGREEMENT = 1e-7


@dataclass
class _Clock:
    phases: list[Phase] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.phases.append(Phase(name, time.perf_counter() - wall, time.process_time() - cpu))


@dataclass(frozen=True)
class Candidates:
    """What the model chooses from, and why some parts and plans are not in it.

    ``beyond`` lists limits that no design meets even without the other limits, with the least value of each;
    ``best_usd`` is the objective of a design known before the model was built (infinite if none).
    """

    offer: Offer
    pools: tuple[Pool, ...]
    plan_sets: tuple[PlanSet, ...]
    space: Space | None
    beyond: tuple[tuple[Limit, float], ...]
    best_usd: float


def candidates_of(question: Question, options: SolveOptions, clock: _Clock | None = None) -> Candidates:
    """Build all candidates of a question (``space`` is None when a pool has no option at all)."""
    clock = clock or _Clock()
    instance, catalogue = question.instance, question.catalogue
    pools = pools_of(instance)
    with clock.phase("offer"):
        offer = build_offer(catalogue, instance)
        domains: list[DomainDesign] = []
        for accelerator in offer.accelerators:
            domains += build_domains(
                accelerator, offer.scale_up_switches, offer.links, instance.choose, instance.pin, offer.economy
            )
        weights = weights_of(instance, offer.economy)
        if options.prune:
            domains = reduce_domains(domains, weights)
        by_key: dict[DomainOffer, list[DomainDesign]] = {}
        for domain in domains:
            by_key.setdefault(_offer_of(domain), []).append(domain)
    with clock.phase("plans"):
        points = question.measured_points
        measured = read_measured(points, instance, catalogue) if points is not None else ()
        sets = tuple(
            enumerate_plans(pool, catalogue, instance, tuple(by_key), measured, prune=options.prune) for pool in pools
        )
    with clock.phase("arcs"):
        joined = [_options(pool, plans, by_key, offer) for pool, plans in zip(pools, sets, strict=True)]
        space: Space | None = None
        beyond: tuple[tuple[Limit, float], ...] = ()
        known = Reach(math.inf, ())
        if all(joined):
            if options.prune and weights.limits:
                known = reach(offer, joined, instance.choose, weights)
            beyond = known.beyond
            if not beyond:
                space = build_space(offer, joined, instance.choose, weights, prune=options.prune, best=known.best_usd)
    return Candidates(offer, pools, sets, space, beyond, known.best_usd)


def _offer_of(domain: DomainDesign) -> DomainOffer:
    return DomainOffer(
        accelerator=domain.accelerator.id,
        domain_size=domain.size,
        scale_up_gbps=float(domain.usable_gbps),
        nic=domain.nic.id,
        nics=domain.nics,
        nic_gbps=float(domain.nic_gbps),
    )


def _options(pool: Pool, plans: PlanSet, by_key: dict[DomainOffer, list[DomainDesign]], offer: Offer) -> list[Option]:
    runs: dict[DomainOffer, list[ServingPlan]] = {}
    for plan in plans.plans:
        key = DomainOffer(plan.accelerator, plan.domain_size, plan.scale_up_gbps, plan.nic, plan.nics, plan.nic_gbps)
        runs.setdefault(key, []).append(plan)
    out: list[Option] = []
    for key, mine in runs.items():
        sizes = [domains_needed(plan, pool) for plan in mine]
        for domain in by_key[key]:
            out += make_options(mine, sizes, domain, offer.economy)
    return out


def solve(question: Question, options: SolveOptions | None = None) -> Answer:
    """Find the cheapest design of a question and prove it.

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
        When the catalogue lacks a figure that every design needs.
    RecountError
        When the exact recount disagrees with the model: a defect, reported instead of an answer.
    """
    options = options or SolveOptions()
    clock = _Clock()
    found = candidates_of(question, options, clock)
    base = Answer(
        status="infeasible",
        design=None,
        account=None,
        objective_usd=None,
        bound_usd=None,
        gap=None,
        model=None,
        not_offered=_not_offered(found),
        what_ifs=(),
        assumptions=(),
        clash=(),
        trace=(),
        phases=(),
        options=_option_record(options),
        versions=versions(),
    )
    if any(not plans.plans for plans in found.plan_sets):
        return replace(base, clash=no_plans(found.pools, found.plan_sets), phases=tuple(clock.phases))
    if found.beyond:
        return replace(base, clash=out_of_reach(found.beyond), phases=tuple(clock.phases))
    if found.best_usd < math.inf and (found.space is None or not found.space.templates):
        raise RecountError("the reductions dropped a design that was known before")
    if found.space is None or not found.space.templates:
        return replace(base, clash=nothing_fits(found.offer, question.instance), phases=tuple(clock.phases))
    space = found.space
    with clock.phase("build"):
        stated = build_fabric_choice(space)
    with clock.phase("hand-over"):
        milp = compile_model(stated.model, names=options.write_mps is not None)
    while True:
        with clock.phase("solve"):
            report = _run(milp, options)
        if report.values is None or report.termination is not Termination.OPTIMAL or not space.weights.limits:
            break
        design = _design(question, found, stated, milp, report)
        findings = verify(design, question.catalogue, question.instance).findings
        if not findings or not all(finding.rule.startswith("limit_") for finding in findings):
            break
        # Within the solver's tolerance but beyond a limit in exact arithmetic: this selection is not a design.
        forbid(stated, [key for key, x in _chosen(stated, milp, report).items() if x > 0.5])
        milp = compile_model(stated.model, names=options.write_mps is not None)
    size = _size(milp, report, space)
    base = replace(base, model=size, trace=_trace(report), bound_usd=report.bound)
    if report.termination is Termination.INFEASIBLE:
        with clock.phase("explain"):
            clash = limit_clash(space)
        return replace(base, clash=clash, phases=tuple(clock.phases), bound_usd=None)
    status: Status = {
        Termination.OPTIMAL: "optimal",
        Termination.TIME_LIMIT: "limit",
        Termination.INTERRUPTED: "interrupted",
    }[report.termination]  # type: ignore[assignment]  # the values are literals of Status
    if report.values is None:
        return replace(base, status=status, phases=tuple(clock.phases))
    with clock.phase("design"):
        design = _design(question, found, stated, milp, report)
    with clock.phase("verify"):
        checked = verify(design, question.catalogue, question.instance)
    objective = _agree(checked, report)
    if status == "optimal" and objective > found.best_usd * (1 + options.gap + _AGREEMENT):
        raise RecountError(f"the answer of {objective!r} USD a year is dearer than a design known before")
    bound = min(report.bound, objective) if report.bound is not None else None
    return replace(
        base,
        status=status,
        design=design,
        account=checked.account,
        objective_usd=objective,
        bound_usd=bound,
        gap=(objective - bound) / objective if bound is not None else None,
        what_ifs=_what_ifs(design, found),
        assumptions=assumptions_of(design, question.catalogue, question.instance),
        phases=tuple(clock.phases),
    )


def _run(milp: Milp, options: SolveOptions) -> SolverReport:
    tell = options.on_progress

    def progress(seconds: float, incumbent: float | None, bound: float | None) -> None:
        if tell is not None:
            tell(Progress(seconds, incumbent, bound, _gap(incumbent, bound)))

    return solve_milp(
        milp,
        gap=options.gap,
        time_limit_s=options.time_limit_s,
        seed=options.seed,
        threads=options.threads,
        write_mps=options.write_mps,
        on_progress=progress,
    )


def _gap(incumbent: float | None, bound: float | None) -> float | None:
    return (incumbent - bound) / abs(incumbent) if incumbent and bound is not None else None


def _trace(report: SolverReport) -> tuple[Progress, ...]:
    return tuple(Progress(s, incumbent, bound, _gap(incumbent, bound)) for s, incumbent, bound in report.trace)


def _size(milp: Milp, report: SolverReport, space: Space) -> ModelSize:
    return ModelSize(
        rows=milp.row_lower.size,
        columns=milp.cost.size,
        nonzeros=milp.nonzeros,
        integers=int(milp.integer.sum()),
        nodes=report.nodes,
        root_bound_usd=report.root_bound,
        options=space.options,
        options_enumerated=space.enumerated_options,
        templates=len(space.templates),
        templates_enumerated=space.enumerated_templates,
    )


def _chosen(stated: FabricChoice, milp: Milp, report: SolverReport) -> dict[tuple[int, int, int], float]:
    assert report.values is not None
    value = {id(column): x for column, x in zip(milp.columns, report.values.tolist(), strict=True)}
    return {key: value.get(id(stated.model.choice[key]), 0.0) for key in stated.keys}


def _design(question: Question, found: Candidates, stated: FabricChoice, milp: Milp, report: SolverReport) -> Design:
    assert found.space is not None
    chosen = [key for key, x in _chosen(stated, milp, report).items() if x > 0.5]
    picked: dict[int, Attached] = {p: found.space.slots[f][p].choices.items[i] for p, f, i in chosen}
    template = found.space.templates[chosen[0][1]]
    order = [picked[p] for p in range(len(found.pools))]
    return build_design(question.instance.name, found.pools, order, template, found.offer.economy)


def _agree(checked: Verification, report: SolverReport) -> float:
    if checked.findings:
        lines = "\n".join(str(finding) for finding in checked.findings[:20])
        raise RecountError(f"the verifier rejects the chosen design:\n{lines}")
    objective = checked.account.objective_usd
    stated = report.objective
    if stated is None or abs(objective - stated) > _AGREEMENT * max(1.0, abs(objective)):
        raise RecountError(f"the model prices the design at {stated!r} USD a year, the recount at {objective!r}")
    return objective


def _not_offered(found: Candidates) -> tuple[NotOffered, ...]:
    rows = list(found.offer.not_offered)
    for pool, plans in zip(found.pools, found.plan_sets, strict=True):
        for part, miss in plans.unmet.items():
            rows.append(NotOffered(part, "accelerator", f"pool {pool.name}: {miss.message}"))
    return tuple(rows)


def _what_ifs(design: Design, found: Candidates) -> tuple[str, ...]:
    limits = {a.id: a.max_domain for a in found.offer.accelerators}
    return tuple(
        f"pool {pool.name}: a domain of {pool.domain_size} {pool.accelerator}; its vendor has announced "
        f"{limits[pool.accelerator]} at most"
        for pool in design.pools
        if pool.beyond_announced
    )


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


__all__ = ["Candidates", "RecountError", "candidates_of", "solve", "versions"]
