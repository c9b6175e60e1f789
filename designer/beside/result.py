"""What lies between a given design and the optimum, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from designer.answer import Goal
from designer.demand.plan import ServingPlan
from designer.evaluate.result import Source

Outcome = Literal["priced", "impossible", "no answer"]


@dataclass(frozen=True)
class Row:
    """One figure of both designs; ``difference`` = given - optimum, ``relative`` of the optimum's.

    A figure that is not known, or has no meaning for one of the two, is None; ``known`` is then the part of the given
    design's that is known, ``missing`` names what it lacks.
    """

    what: str
    unit: str
    optimum: float | None
    given: float | None
    difference: float | None
    relative: float | None
    known: float
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Used:
    """How far something of the given design is used under the demand; ``share`` above 1 is too much, None no end."""

    what: str
    used: float
    of: float
    unit: str
    share: float | None


@dataclass(frozen=True)
class PoolServed:
    """One pool on its share of the given design's domains.

    ``served`` and ``asked`` are tokens per second at peak, of a fleet accelerators. ``why_not`` says what is in the way
    of every serving plan; ``plan`` is then None.
    """

    pool: str
    domains: int
    replicas: int
    served: float
    asked: float
    plan: ServingPlan | None
    why_not: str


@dataclass(frozen=True)
class Serving:
    """What the given design serves of the demand (docs/families.md, "Beside the optimum").

    ``share`` of every demand; None where it cannot be said, for the reason ``why_not``. ``network_gbps`` is what the
    network of the NICs carries of any permutation, per accelerator; None where that is not known.
    """

    share: float | None
    why_not: str
    accelerator: str
    domain_size: int
    domains: int
    scale_up_gbps: float
    nic_gbps: float
    network_gbps: float | None
    pools: tuple[PoolServed, ...]
    uses: tuple[Used, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Worth:
    """A choice of the given design forced on the question, and what the best design with it costs more.

    ``forces`` are the words of ``designer why-not``. ``more_usd`` is a year, with risk weights; ``more_of_goal`` that
    of the first goal, and ``multiplier`` the demand served, where the most tokens are asked for. ``clash`` says why
    there is no such design, ``notes`` what of the instance was set aside for it.
    """

    what: str
    forces: tuple[str, ...]
    given: str
    optimum: str
    outcome: Outcome
    proven: bool
    more_usd: float | None
    relative: float | None
    goal: Goal
    more_of_goal: float | None
    multiplier: float | None
    clash: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Apart:
    """A choice that cannot be forced on the question, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class Jobs:
    """Jobs of so many accelerators each, on this share of the given design's accelerators."""

    accelerators: int
    share: float


@dataclass(frozen=True)
class Beside:
    """A given design beside the optimum of a question.

    ``replaced`` names the parts of the file that the instance's own stand for. ``jobs`` are those whose failures are
    counted, of both designs the same. ``ok`` says whether the given network is what its closed form counts.
    ``together`` forces all choices that can be forced; None without an optimum.
    """

    name: str
    title: str
    design: Source
    replaced: tuple[str, ...]
    jobs: tuple[Jobs, ...]
    ok: bool
    serving: Serving
    rows: tuple[Row, ...]
    shared: tuple[str, ...]
    worth: tuple[Worth, ...]
    together: Worth | None
    apart: tuple[Apart, ...]
    notes: tuple[str, ...]
