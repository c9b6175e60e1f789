"""Conditions and shares of an instance: what is set, the question without it, and the question with more room.

Limits on sums are rows of the model, and the elastic twin says how far they would have to move. What a single failure
may take and how often a pool must serve its peak are conditions on candidates, and a share is no sum: for these the
room is widened until the question has a design.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from designer.answer import Question, SolveOptions
from designer.candidates.offer import Offer
from designer.instance.schema import Instance
from designer.solve.stock import Stock, stock_of

_CONDITIONS = {
    "max_single_failure_share": "share of a pool's tokens per second",
    "min_pool_availability": "share of the time, at least",
}


@dataclass(frozen=True)
class Condition:
    """A condition on candidates that an instance sets under ``[risk]``."""

    name: str
    value: float

    @property
    def stated(self) -> str:
        """The condition as the instance sets it."""
        return f"risk.{self.name} = {self.value:.12g} ({_CONDITIONS[self.name]})"


def conditions_of(instance: Instance) -> tuple[Condition, ...]:
    """List the conditions that an instance sets.

    Examples
    --------
    >>> from designer.instance.schema import Risk
    >>> [c.stated for c in conditions_of(Instance.model_construct(risk=Risk(max_single_failure_share=0.25)))]
    ["risk.max_single_failure_share = 0.25 (share of a pool's tokens per second)"]
    """
    found = ((name, getattr(instance.risk, name)) for name in _CONDITIONS)
    return tuple(Condition(name, value) for name, value in found if value is not None)


@dataclass(frozen=True)
class Room:
    """One share of an instance as room: nothing is allowed at 0, everything at 1; ``least`` marks least shares."""

    key: str
    room: float
    least: bool
    widened: Callable[[Instance, float], Instance]

    def told(self, room: float) -> str:
        """The key with the value that leaves so much room."""
        return f"{self.key} = {_rest(room) if self.least else room:.12g}"


def _rest(share: float) -> float:
    """What a share leaves of the whole, as a person reckons it."""
    return float(1 - Decimal(repr(share)))


def rooms_of(instance: Instance) -> tuple[Room, ...]:
    """List the shares that an instance limits, with what each leaves.

    Examples
    --------
    >>> from designer.instance.schema import Choose, Risk
    >>> given = Instance.model_construct(risk=Risk(min_availability=0.75), choose=Choose(max_vendor_share={"A": 0.5}))
    >>> [(room.key, room.room, room.told(0.75)) for room in rooms_of(given)]
    [('risk.min_availability', 0.25, 'risk.min_availability = 0.25'), ('choose.max_vendor_share.A', 0.5, \
'choose.max_vendor_share.A = 0.75')]
    """
    risk, found = instance.risk, []
    for name in ("min_availability", "min_pool_availability"):
        value = getattr(risk, name)
        if value is not None:
            found.append(Room(f"risk.{name}", _rest(value), True, _risk(name, least=True)))
    if risk.max_single_failure_share is not None:
        name = "max_single_failure_share"
        found.append(Room(f"risk.{name}", risk.max_single_failure_share, False, _risk(name, least=False)))
    for vendor, share in sorted(instance.choose.max_vendor_share.items()):
        found.append(Room(f"choose.max_vendor_share.{vendor}", share, False, _vendor(vendor)))
    return tuple(found)


def _risk(name: str, *, least: bool) -> Callable[[Instance, float], Instance]:
    def widened(instance: Instance, room: float) -> Instance:
        # Nothing is left to keep: without the key more is pruned.
        value = room if not least else _rest(room) if room < 1.0 else None
        risk = instance.risk.model_copy(update={name: value})
        return instance.model_copy(update={"risk": risk})

    return widened


def _vendor(vendor: str) -> Callable[[Instance, float], Instance]:
    def widened(instance: Instance, room: float) -> Instance:
        shares = {name: share for name, share in instance.choose.max_vendor_share.items() if name != vendor}
        if room < 1.0:
            shares[vendor] = room
        return instance.model_copy(update={"choose": instance.choose.model_copy(update={"max_vendor_share": shares})})

    return widened


class Stocks:
    """Stocks of one question under other conditions; those with some of its conditions dropped are built once."""

    def __init__(
        self, question: Question, stock: Stock, options: SolveOptions, narrow: Callable[[Offer], Offer] | None
    ) -> None:
        self._question, self._options, self._narrow = question, options, narrow
        self._known = {frozenset(condition.name for condition in conditions_of(question.instance)): stock}

    def under(self, kept: frozenset[str]) -> Stock:
        """What may be built with only the conditions of these names."""
        if kept not in self._known:
            instance = self._question.instance
            drop: dict[str, Any] = {name: None for name in _CONDITIONS if name not in kept}
            self._known[kept] = self.of(instance.model_copy(update={"risk": instance.risk.model_copy(update=drop)}))
        return self._known[kept]

    def of(self, instance: Instance) -> Stock:
        """What may be built for another instance."""
        return stock_of(replace(self._question, instance=instance), self._options, narrow=self._narrow)
