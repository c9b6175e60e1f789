"""No design: the smallest set of demands and limits that cannot hold together, and the least change of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, inf, sqrt

import numpy as np

from designer.answer import Question, SolveOptions
from designer.candidates.choices import Option
from designer.candidates.copies import choose_of
from designer.candidates.mixing import runs
from designer.candidates.offer import Offer
from designer.candidates.pressure import use_of
from designer.candidates.space import Space
from designer.candidates.terms import NET_WATTS, RACKS
from designer.candidates.weights import NOISE, Limit, Weights
from designer.instance.pools import pools_of
from designer.solve.clash import alone_line, raised_to, rounded_up, stated
from designer.solve.clock import Deadline
from designer.solve.compile import compile_model
from designer.solve.conditions import Condition, Room, Stocks, conditions_of, rooms_of
from designer.solve.highs import irreducible_rows
from designer.solve.limits import short
from designer.solve.selection import least
from designer.solve.stock import Stock, more_may_help, plans_of
from designer.solve.tokens import most_tokens
from designer_models import build_fabric_choice

# Fewer tokens and longer times are searched to this relative resolution.
RESOLUTION = 0.005
_LONGEST = 64.0
_LEAST_SHARE = 1e-6
# Weight of the goal beside the use of a limit that fabrics use nothing of.
_A_LITTLE = 0.02
# The least room that is tried where none is given.
_LEAST_ROOM = 1e-6

# What a clash is made of: a limit, a condition, or the demand of a workload or fleet.
_Element = Limit | Condition | str


@dataclass(frozen=True)
class Explainer:
    """What is known of a question without a design, and the time for saying more.

    ``narrow`` takes parts out of every offer, as for the question itself.
    """

    question: Question
    stock: Stock
    options: SolveOptions
    deadline: Deadline
    narrow: Callable[[Offer], Offer] | None = None
    stocks: Stocks = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep what was built under other conditions."""
        object.__setattr__(self, "stocks", Stocks(self.question, self.stock, self.options, self.narrow))

    def lines(self, space: Space | None, beyond: Sequence[Limit]) -> tuple[str, ...]:
        """Everything that can be said within the time, in the user's words.

        Parameters
        ----------
        space
            All candidates, where they were built.
        beyond
            Limits known to be out of reach by themselves.
        """
        return (
            *self._irreducible(space, beyond),
            *self._fewer_tokens(),
            *self._more_room(),
            *self._longer_times(),
        )

    def unlimited(self) -> bool | None:
        """Whether there is a design without the limits on sums (None: not settled)."""
        return self._possible([*conditions_of(self.question.instance), *self._owners()])

    def together(self, beyond: Sequence[tuple[Limit, float]]) -> tuple[str, ...]:
        """What limits out of reach by themselves would have to be beside the others, each at its own least or more."""
        limits = self.stock.weights.limits
        if not beyond or len(limits) == 1 or self.stock.weights.shares:
            return ()
        least_of = dict(beyond)
        raised = tuple(raised_to(limit, least_of[limit]) if limit in least_of else limit for limit in limits)
        possible = self._possible([*raised, *conditions_of(self.question.instance), *self._owners()])
        if possible is None:
            return (self._late("what the limits would have to be together"),)
        changed = " and ".join(stated(one) for limit, one in zip(limits, raised, strict=True) if limit in least_of)
        if possible:
            return (f"least change that makes a design possible: {changed}",)
        lines = [f"{changed} {'are' if len(beyond) > 1 else 'is'} not enough beside the other limits"]
        if len(beyond) == 1:
            lines.append(self._alone(limits, beyond[0][0]))
        for limit, one in zip(limits, raised, strict=True):
            others = [other for other in raised if other is not one and other not in limits]
            value, settled = self._least(raised, one) if others else (None, True)
            if value is not None or not settled:
                given = f"with {' and '.join(stated(other) for other in others)} and every other limit"
                lines.append(alone_line(limit, value, settled=settled, given=given))
        return tuple(lines)

    def each_alone(self) -> tuple[str, ...]:
        """What every limit alone would have to be while the others stand, from the designs that use little of it."""
        limits = self.stock.weights.limits
        # Of a share the search below says more.
        return tuple(self._alone(limits, limit) for limit in limits if limit.share is None)

    def _alone(self, limits: Sequence[Limit], limit: Limit) -> str:
        value, settled = self._least(limits, limit)
        return alone_line(limit, value, settled=settled)

    def _least(self, limits: Sequence[Limit], limit: Limit) -> tuple[float | None, bool]:
        """What one of some limits would have to be while the others stand (None: not known), and whether no less."""
        stock = self.stock
        options, choose = stock.options(pools_of(self.question.instance)), choose_of(self.question.instance)
        racks, goal = stock.offer.economy.network_rack_watts, stock.weights.goal
        typical = sum(min(abs(float(goal @ option.terms)) for option in pool) for pool in options)
        others = tuple(other for other in limits if other is not limit)
        lean = use_of(limit, racks)
        if limit.counted and typical > 0:
            # Fabrics use nothing of it: a little of the goal tells them from each other.
            lean = lean / (limit.most or 1.0) + goal * (_A_LITTLE / typical)
        found = least(stock.offer, options, choose, Weights(lean, others), self.deadline)
        value = None
        if found.selection is not None:
            value = float(limit.row @ found.selection.terms)
            if limit.row[RACKS]:
                value += sum(ceil(terms[NET_WATTS] / racks - NOISE) for terms in found.selection.each)
        return value, found.settled

    def _late(self, what: str) -> str:
        return f"{what} was not settled in {self.options.explain_s:g} s"

    # ------------------------------------------------------------------ the irreducible clash

    def _irreducible(self, space: Space | None, beyond: Sequence[Limit]) -> Iterator[str]:
        """One smallest set: drop a limit, a condition or a workload, and the rest has a design."""
        conditions: list[_Element] = list(conditions_of(self.question.instance))
        limits, works = list(self.stock.weights.limits), self._owners()
        if not self.stock.has_plans or not (limits or conditions):
            return
        if beyond:
            limits = [beyond[0]]
        elif space is not None and not conditions:
            # The solver's irreducible set of the relaxation, where that has no solution either, is a good start.
            limits, works = self._relaxation(space, limits, works)
        elements: list[_Element] = [*limits, *conditions, *works]
        for element in list(elements):
            # Without a workload a share may be broken: then the whole demand stands.
            whole = self.stock.weights.shares or len([x for x in elements if isinstance(x, str)]) == 1
            if whole and isinstance(element, str):
                continue
            rest = [x for x in elements if x is not element]
            possible = self._possible(rest)
            if possible is None:
                yield self._late("the smallest set of demands and limits that exclude each other")
                return
            if not possible:
                elements = rest
        names = [stated(x) for x in elements if isinstance(x, Limit)]
        names += [x.stated for x in elements if isinstance(x, Condition)]
        if names:
            of = self._demand_of([x for x in elements if isinstance(x, str)])
            yield f"cannot hold together: {', '.join([*names, of])}; without any one of these there is a design"

    def _owners(self) -> list[str]:
        """Names of the workloads and fleets, in the order of their pools."""
        return list(dict.fromkeys(pool.owner for pool in pools_of(self.question.instance)))

    def _demand_of(self, names: Sequence[str]) -> str:
        """Name demands in the user's words: workloads, then fleets."""
        fleets = {fleet.name for fleet in self.question.instance.fleets}
        kinds = (
            ("workload", [name for name in names if name not in fleets]),
            ("fleet", [name for name in names if name in fleets]),
        )
        words = [f"{kind}{'s' if len(mine) > 1 else ''} {', '.join(mine)}" for kind, mine in kinds if mine]
        return f"the demand of {' and '.join(words)}"

    def _relaxation(self, space: Space, limits: list[Limit], works: list[str]) -> tuple[list[Limit], list[str]]:
        milp = compile_model(build_fabric_choice(space).model, names=True)
        rows = irreducible_rows(milp, self.deadline.left)
        if rows is None or milp.row_names is None:
            return limits, works
        names = {milp.row_names[row] for row in rows}
        kept = [limit for k, limit in enumerate(limits) if f"limit[{k}]" in names]
        owners = [pool.owner for pool in pools_of(self.question.instance)]
        demands = [owner for p, owner in enumerate(owners) if f"pool_choice[{p}]" in names]
        chosen = (kept, list(dict.fromkeys(demands)))
        # A relaxation without them says nothing of the user's own words.
        return chosen if kept and demands and self._possible([*kept, *chosen[1]]) is False else (limits, works)

    def _possible(self, elements: Sequence[_Element]) -> bool | None:
        """Whether limits, conditions and demands of a set have a design together (None: not settled)."""
        stock = self.stocks.under(frozenset(x.name for x in elements if isinstance(x, Condition)))
        if not stock.has_plans:
            return False
        names = {x for x in elements if isinstance(x, str)}
        chosen = [(p, pool) for p, pool in enumerate(pools_of(self.question.instance)) if pool.owner in names]
        every = stock.options(pools_of(self.question.instance))
        limits = tuple(x for x in elements if isinstance(x, Limit))
        offer = replace(
            stock.offer,
            pools=tuple(pool.name for _, pool in chosen),
            works=tuple(stock.offer.works[p] for p, _ in chosen),
        )
        return self._has_design(replace(stock, offer=offer), [every[p] for p, _ in chosen], limits)

    def _has_design(self, stock: Stock, options: Sequence[Sequence[Option]], limits: tuple[Limit, ...]) -> bool | None:
        choose = choose_of(self.question.instance)
        if not options or not all(runs(mine, choose.mixed_parts) for mine in options):
            return not options
        if short(options, limits):
            return False
        if self.deadline.over:
            return None
        lean = np.zeros_like(stock.weights.goal)
        for limit in limits:
            lean += use_of(limit, stock.offer.economy.network_rack_watts) / (limit.most or 1.0)
        free = all(limit.counted for limit in limits)
        if free:
            lean = stock.weights.goal
        ceiling = inf if free or any(limit.most == 0.0 for limit in limits) else len(limits) * (1 + NOISE)
        found = least(stock.offer, options, choose, Weights(lean, limits), self.deadline, best=ceiling)
        if found.selection is not None:
            return True
        return False if found.settled else None

    # ------------------------------------------------------------------ fewer tokens

    def _fewer_tokens(self) -> Iterator[str]:
        if (
            not self.stock.has_plans
            or not self.stock.weights.limits
            or self.stock.weights.shares
            or self.question.instance.objective.maximise_tokens
            # Fewer domains of a design need not keep a share.
            or more_may_help(self.question.instance)
        ):
            return
        works, fleets = self.question.instance.workloads, self.question.instance.fleets
        what = " and ".join(f"fewer {noun}" for noun, rows in (("tokens", works), ("accelerators", fleets)) if rows)
        whose = " and ".join(noun for noun, rows in (("workload", works), ("fleet", fleets)) if rows)
        most = most_tokens(self.question, self.stock, self.options, self.deadline, known_refused=1.0, gap=RESOLUTION)
        if most.interrupted:
            raise KeyboardInterrupt
        if most.served >= _LEAST_SHARE:
            digits = 10_000
            share = int(most.served * digits) / digits or most.served
            near = "" if most.settled else f" (cut short after {self.options.explain_s:g} s: less may be enough)"
            yield f"or {100 * (1 - share):.4g} % {what}: {share:.4g} times the demand of every {whose} would do{near}"
        elif most.settled:
            yield f"{what} alone do not help: not even the least demand keeps the limits"
        else:
            yield self._late(f"how many {what} would do")

    # ------------------------------------------------------------------ more room for shares

    def _more_room(self) -> Iterator[str]:
        """For every share that is limited: the least room that would do while everything else stands."""
        if not self.stock.has_plans:
            return
        for room in rooms_of(self.question.instance):
            possible = self._with_room(room, 1.0)
            if possible is None:
                yield self._late(f"what {room.key} alone would have to be")
            elif not possible:
                yield f"{room.key} alone does not help: everything else already excludes each other"
            else:
                yield self._least_room(room)

    def _least_room(self, room: Room) -> str:
        low, high = max(room.room, _LEAST_ROOM), 1.0
        while high > low * (1 + RESOLUTION):
            middle = min(float(rounded_up(sqrt(low * high), 3)), high)
            if middle in (low, high):
                break
            possible = self._with_room(room, middle)
            if possible is None:
                late = f"cut short after {self.options.explain_s:g} s: less may be enough"
                return f"or {room.told(high)} would do ({late})"
            low, high = (low, middle) if possible else (middle, high)
        short = room.told(room.room if low == max(room.room, _LEAST_ROOM) else low)
        return f"or {room.told(high)} would do (found by search: {short.rpartition(' ')[2]} would not)"

    def _with_room(self, room: Room, wide: float) -> bool | None:
        """Whether the question has a design with so much room for a share."""
        if self.deadline.over:
            return None
        asked = room.widened(self.question.instance, wide)
        stock = self.stocks.of(asked)
        if not stock.has_plans:
            return False
        return self._has_design(stock, stock.options(pools_of(asked)), stock.weights.limits)

    # ------------------------------------------------------------------ longer times per token

    def _longer_times(self) -> Iterator[str]:
        limited = [work for work in self.question.instance.workloads if work.tpot_ms is not None]
        if not limited:
            return
        low, high = 1.0, _LONGEST
        works = self._with_times(high)
        if works is None:
            yield self._late("whether a longer tpot_ms would do")
            return
        if not works:
            yield f"a longer tpot_ms alone does not help, not even {_LONGEST:g} times as long"
            return
        while high > low * (1 + RESOLUTION):
            middle = (low * high) ** 0.5
            works = self._with_times(middle)
            if works is None:
                break
            low, high = (low, middle) if works else (middle, high)
        asked = [(work.name, work.tpot_ms) for work in limited if work.tpot_ms is not None]
        times = "; ".join(
            f"tpot_ms = {self._time(most, high):g} instead of {most:g} for workload {name}" for name, most in asked
        )
        short = " and ".join(f"{most if low == 1.0 else self._time(most, low):g}" for _, most in asked)
        if works is None:
            late = f"cut short after {self.options.explain_s:g} s: shorter may be enough, but {short} is not"
            yield f"or {times} would do ({late})"
        else:
            yield f"or {times} would do (found by search: {short} would not)"

    @staticmethod
    def _time(tpot_ms: float, factor: float) -> float:
        """Three digits, upwards: what is offered as enough was tried as such."""
        return float(rounded_up(tpot_ms * factor, 3))

    def _with_times(self, factor: float) -> bool | None:
        """Whether the question has a design with every limit on the time per token this much longer."""
        if self.deadline.over:
            return None
        instance = self.question.instance
        workloads = tuple(
            work if work.tpot_ms is None else work.model_copy(update={"tpot_ms": self._time(work.tpot_ms, factor)})
            for work in instance.workloads
        )
        asked = replace(self.question, instance=instance.model_copy(update={"workloads": workloads}))
        stock = replace(
            self.stock, plan_sets=plans_of(asked, self.options, tuple(self.stock.domains), self.stock.offer)
        )
        if not stock.has_plans:
            return False
        return self._has_design(stock, stock.options(pools_of(asked.instance)), stock.weights.limits)
