"""What a question may be built from: offer, domain designs and serving plans, none of which depend on the demand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain

from designer.answer import Question, SolveOptions, Status
from designer.candidates.choices import Option, make_options
from designer.candidates.copies import choose_of
from designer.candidates.domains import build_domains
from designer.candidates.dominance import reduce_domains
from designer.candidates.flat import shapes_offered
from designer.candidates.mixing import WHOLE, runs
from designer.candidates.offer import Offer, build_offer
from designer.candidates.parting import CutShortError
from designer.candidates.parts import Economy
from designer.candidates.paths import allowances_us
from designer.candidates.pressure import use_of
from designer.candidates.scale_up import DomainDesign
from designer.candidates.space import Limited, Space, build_space, limitable
from designer.candidates.spares import spares_matter
from designer.candidates.weights import Limit, Weights, weights_of
from designer.demand import (
    LATENCY_ALLOWANCES_US,
    DomainOffer,
    PlanSet,
    enumerate_plans,
    prune_dominated,
    read_measured,
    sizes_needed,
)
from designer.demand.plan import ServingPlan
from designer.demand.vendors import made_by
from designer.instance.pools import Pool, pools_of
from designer.instance.schema import Choose, Instance
from designer.solve.clock import Clock, Deadline
from designer.solve.exact import keeping
from designer.solve.limits import Reach, reach, short
from designer.solve.selection import FEW, Least, Selection, ceilings, least, next_ceiling, selection_from, solved


@dataclass(frozen=True)
class Stock:
    """Everything that stays the same when only the demanded tokens per second change.

    Plans are dropped by dominance at equal replica size, where more tokens per accelerator never need more domains:
    no demand changes which plans are left, but where `more_may_help`. ``spares`` are the numbers of spare units that a
    pool may have, ``shares`` the shares of it that a part may serve.
    """

    offer: Offer
    weights: Weights
    domains: dict[DomainOffer, list[DomainDesign]]
    plan_sets: tuple[PlanSet, ...]
    spares: tuple[int, ...] = (0,)
    shares: tuple[tuple[int, int], ...] = (WHOLE,)

    @property
    def has_plans(self) -> bool:
        """Whether every pool has a serving plan."""
        return all(plans.plans for plans in self.plan_sets)

    def options(self, pools: Sequence[Pool], *, whatever: bool = False) -> list[list[Option]]:
        """Every plan on every domain design, with the whole domains that serve the demand of each pool.

        Those that serve it too rarely for the limit are left out, unless ``whatever`` they are is asked.
        """
        economy = self.offer.economy
        if whatever:
            economy = replace(economy, pool_availability=None)
        return [self._options(pool, plans, economy) for pool, plans in zip(pools, self.plan_sets, strict=True)]

    def _options(self, pool: Pool, plans: PlanSet, economy: Economy) -> list[Option]:
        by_offer: dict[DomainOffer, list[ServingPlan]] = {}
        for plan in plans.plans:
            key = DomainOffer(
                plan.accelerator, plan.domain_size, plan.scale_up_gbps, plan.nic, plan.nics, plan.nic_gbps
            )
            by_offer.setdefault(key, []).append(plan)
        out: list[Option] = []
        for key, mine in by_offer.items():
            for share in self.shares:
                sizes = sizes_needed(mine, pool, Fraction(*share))
                for domain in self.domains[key]:
                    out += make_options(mine, sizes, domain, economy, self.spares, share)
        return out


@dataclass(frozen=True)
class Candidates:
    """What the model chooses from, and why some parts and plans are not in it.

    ``space`` is None when a pool has no option at all. ``beyond`` lists limits that no design meets even without the
    other limits, with the least value of each; ``best`` is the value of the first goal of a design known before the
    model was built (infinite if none), ``known`` that design where it was found on the way. ``cut`` says that the
    search was stopped before its end, by the clock ("limit") or a person, ``excluded`` that the limits exclude each
    other whatever the fabrics: then there is no space.
    """

    stock: Stock
    pools: tuple[Pool, ...]
    space: Space | None
    beyond: tuple[tuple[Limit, float], ...]
    best: float
    known: Selection | None = None
    cut: Status | None = None
    excluded: bool = False

    @property
    def offer(self) -> Offer:
        """The parts for sale."""
        return self.stock.offer

    @property
    def plan_sets(self) -> tuple[PlanSet, ...]:
        """The serving plans of every pool."""
        return self.stock.plan_sets


def stock_of(
    question: Question,
    options: SolveOptions,
    clock: Clock | None = None,
    *,
    narrow: Callable[[Offer], Offer] | None = None,
) -> Stock:
    """Build offer, domain designs and plans of a question; ``narrow`` may take parts out of the offer."""
    clock = clock or Clock()
    instance, catalogue = question.instance, question.catalogue
    with clock.phase("offer"):
        offer = build_offer(catalogue, instance)
        offer = offer if narrow is None else narrow(offer)
        weights = weights_of(instance, offer.economy, gap=options.gap)
        blasts, outages = offer.economy.single_failure is not None, spares_matter(instance)
        # The short list compares neither parts in stock nor what a switch takes down.
        short = options.prune and not blasts and not set(instance.stock) & {*catalogue.switches, *catalogue.links}
        switches, best = offer.scale_up_switches, weights if short else None
        domains: list[DomainDesign] = []
        for one in offer.accelerators:
            domains += build_domains(
                one,
                switches,
                offer.links_at("scale_up"),
                instance.choose,
                instance.pin,
                offer.economy,
                weights=best,
                outages=outages,
            )
        if options.prune:
            domains = reduce_domains(domains, weights, blasts=blasts, outages=outages)
        by_key: dict[DomainOffer, list[DomainDesign]] = {}
        for domain in domains:
            by_key.setdefault(_offer_of(domain), []).append(domain)
    with clock.phase("plans"):
        sets = plans_of(question, options, tuple(by_key), offer)
    return Stock(offer, weights, by_key, sets, tuple(sorted(set(instance.choose.spare_domains))), shares_of(instance))


def plans_of(
    question: Question, options: SolveOptions, hardware: Sequence[DomainOffer], offer: Offer
) -> tuple[PlanSet, ...]:
    """Serving plans of every pool of a question on the hardware on offer, for every fabric that its parts can make."""
    allowances = allowances_us(offer, LATENCY_ALLOWANCES_US)
    careful = more_may_help(question.instance)
    instance, catalogue, points = question.instance, question.catalogue, question.measured_points
    measured = read_measured(points, instance, catalogue) if points is not None else ()
    sets = []
    for pool in pools_of(instance):
        prune = options.prune and not careful
        mine, others = made_by(pool, catalogue, hardware)
        found = enumerate_plans(pool, catalogue, instance, mine, measured, prune=prune, allowances=allowances)
        found = replace(found, unmet={**found.unmet, **others})
        sets.append(_of_equal_pools(found, pool, shares_of(instance)) if options.prune and careful else found)
    return tuple(sets)


def more_may_help(instance: Instance) -> bool:
    """Whether a limit may be kept, a pinned taper met or a grid of leaves filled by more accelerators or replicas than
    a demand needs."""
    if instance.pin.taper is not None or set(shapes_offered(instance)) - {"tree"}:
        return True
    risk = instance.risk
    shares = (risk.min_availability, risk.max_single_failure_share)
    return bool(instance.choose.max_vendor_share) or any(share is not None for share in shares)


def shares_of(instance: Instance) -> tuple[tuple[int, int], ...]:
    """Shares of a pool that one of its parts may serve: all of it, or any number of steps.

    Examples
    --------
    >>> from designer.instance.schema import Choose
    >>> shares_of(Instance.model_construct(choose=Choose(mixed_parts=2, mixed_steps=3)))
    ((1, 3), (2, 3), (3, 3))
    """
    choose = instance.choose
    if choose.mixed_parts == 1 or choose.mixed_steps == 1:
        return (WHOLE,)
    return tuple((steps, choose.mixed_steps) for steps in range(1, choose.mixed_steps + 1))


def _of_equal_pools(found: PlanSet, pool: Pool, shares: Sequence[tuple[int, int]]) -> PlanSet:
    """Drop the plans that another makes superfluous with as many domains and replicas, no fewer, of every share."""
    groups: dict[tuple[tuple[int, int], ...], list[ServingPlan]] = {}
    each = [sizes_needed(found.plans, pool, Fraction(*share)) for share in shares]
    for plan, sizes in zip(found.plans, zip(*each, strict=True), strict=True):
        groups.setdefault(sizes, []).append(plan)
    kept = tuple(plan for group in groups.values() for plan in prune_dominated(group, pool))
    return replace(found, plans=kept, dominated=found.dominated + len(found.plans) - len(kept))


def candidates_of(
    question: Question,
    options: SolveOptions,
    clock: Clock | None = None,
    *,
    stock: Stock | None = None,
    known: float = math.inf,
    deadline: Deadline | None = None,
) -> Candidates:
    """Build all candidates of a question.

    Parameters
    ----------
    question, options
        What is asked, and whether to prune.
    clock
        Times the phases.
    stock
        That of the same question at another demand, to be used again.
    known
        Value of the first goal of a design within the limits, where one is known.
    deadline
        When to stop looking.
    """
    clock = clock or Clock()
    stock = stock or stock_of(question, options, clock)
    pools = pools_of(question.instance)
    weights, choose, until = stock.weights, choose_of(question.instance), deadline or Deadline()
    cut: Status | None = None
    with clock.phase("arcs"):
        joined = stock.options(pools)
        space: Space | None = None
        found = Reach(known, ())
        if all(runs(mine, choose.mixed_parts) for mine in joined):
            keeps = keeping(question, stock.offer, weights)
            search = _Search(stock.offer, joined, choose, weights, options.prune, until, keeps)
            limited = options.prune and bool(weights.limits)
            space, found, cut = search.within_limits(known) if limited else search.under(found)
    return Candidates(stock, pools, space, found.beyond, found.best, found.selection, cut, found.excluded)


_Outcome = tuple[Space | None, Reach, Status | None]
# From how far above the least bound a ceiling is high.
_HIGH = 0.01


@dataclass(frozen=True)
class _Search:
    """The search for the candidates of a question: a space or none, the best design known, why it was cut short."""

    offer: Offer
    options: Sequence[Sequence[Option]]
    choose: Choose
    weights: Weights
    prune: bool
    until: Deadline
    keeps: Callable[[Selection], bool]

    def under(self, found: Reach) -> _Outcome:
        """The candidates under a known design."""
        try:
            space = build_space(
                self.offer,
                self.options,
                self.choose,
                self.weights,
                prune=self.prune,
                best=found.best,
                late=lambda: self.until.over,
            )
        except CutShortError as stopped:
            return self._stopped(stopped, found)
        return space, found, None

    def within_limits(self, known: float) -> _Outcome:
        """The candidates within limits: under rising ceilings, or under a design that is looked for at length."""
        excluded = False
        if limitable(self.options, self.choose, self.weights) and not short(self.options, self.weights.limits):
            try:
                limited = Limited(self.offer, self.options, self.choose, self.weights, late=lambda: self.until.over)
                excluded = limited.least == math.inf
                outcome = None if excluded else self._under_ceilings(limited, known)
            except KeyboardInterrupt:
                return None, Reach(known, ()), "interrupted"
            except CutShortError as stopped:
                return self._stopped(stopped, Reach(known, ()))
            if outcome is not None and outcome[1].excluded:
                excluded = True
            elif outcome is not None:
                return outcome
        found = Reach(known, ())
        if known == math.inf:
            found = reach(self.offer, self.options, self.choose, self.weights, self.until, self.keeps)
        if found.interrupted or found.beyond:
            return None, found, "interrupted" if found.interrupted else None
        if excluded and found.selection is None:
            return None, replace(found, excluded=True), None
        return self.under(found)

    def _under_ceilings(self, limited: Limited, known: float) -> _Outcome | None:
        """Raise the ceiling until an answer is below it: then all candidates for a better one are there.

        High ceilings take long: before them a design that uses little of a limit is looked for. It is an answer below
        some ceiling, or there is none at all.
        """
        reached, low, ceiling, sizes = Reach(known, ()), limited.least, -math.inf, list[int]()
        asked = known < math.inf
        for rising in chain(ceilings(low, known, lambda: sizes[-1] < FEW), (math.inf,)):
            if not asked and reached.selection is None and rising > low + _HIGH * abs(low):
                asked, lean = True, self._least_use()
                if lean is not None and lean.selection is None:
                    return None, Reach(math.inf, (), excluded=True), None
                if lean is not None and lean.selection is not None:
                    reached = Reach(limited.value(lean.selection.terms), (), lean.selection)
            if rising == math.inf:
                break
            ceiling = next_ceiling(low, ceiling, rising, reached.best)
            space = limited.space(ceiling)
            sizes.append(len(space.templates))
            if space.best <= ceiling:
                return space, Reach(space.best, (), selection_from(space.answer)), None
            try:
                found = solved(space, self.until, self.keeps).selection
            except KeyboardInterrupt:
                return None, reached, "interrupted"
            best = math.inf if found is None else limited.value(found.terms)
            if best < reached.best:
                reached = Reach(best, (), found)
            if best <= ceiling:
                return space, reached, None
            if ceiling >= min(known, reached.best) or self.until.over:
                break
        return None if reached.selection is None else (limited.space(reached.best), reached, None)

    def _least_use(self) -> Least | None:
        """A design that uses least of some limit beside all the others, or proof that there is none (None: neither)."""
        racks = self.offer.economy.network_rack_watts
        for limit in self.weights.limits:
            # What is counted hangs on no price: the least of it says little.
            if limit.counted or not limit.most > 0:
                continue
            found = least(
                self.offer,
                self.options,
                self.choose,
                Weights(use_of(limit, racks), self.weights.limits),
                self.until,
                best=limit.room,
                accept=self.keeps,
            )
            if found.settled:
                return found
        return None

    def _stopped(self, stopped: CutShortError, found: Reach) -> _Outcome:
        if stopped.goal < found.best:
            found = Reach(stopped.goal, (), selection_from(stopped.answer))
        return None, found, "interrupted" if stopped.interrupted else "limit"


def _offer_of(domain: DomainDesign) -> DomainOffer:
    return DomainOffer(
        accelerator=domain.accelerator.id,
        domain_size=domain.size,
        scale_up_gbps=float(domain.usable_gbps),
        nic=domain.nic.id,
        nics=domain.nics,
        nic_gbps=float(domain.nic_gbps),
    )
