"""The question and the answer as plain data: what `designer.load` and `designer.solve` return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from designer.catalogue import Catalogue
    from designer.design.account import Account
    from designer.design.types import Design
    from designer.instance.schema import Instance

Status = Literal["optimal", "limit", "interrupted", "infeasible"]
# The same names as in the schema of an instance, which must not be imported here; a test holds the two together.
Goal = Literal["cost", "capex", "power", "hard_repairs", "job_hits", "accelerator_hours_lost"]


@dataclass(frozen=True)
class Question:
    """An instance and the catalogue it is asked against, with the hashes of what was read.

    ``measured_points`` is the path of the user's own serving points, or None.
    """

    instance: Instance
    catalogue: Catalogue
    instance_file: str
    instance_sha256: str
    instance_text: str
    overlay_file: str | None = None
    measured_points: Path | None = None
    measured_sha256: str | None = None


@dataclass(frozen=True)
class Progress:
    """One line of progress: seconds since this solve of HiGHS began, incumbent and bound of the goal, gap.

    A cost is in USD per year, capex in USD, power in watts, the rest in events or hours per year.
    """

    seconds: float
    incumbent: float | None
    bound: float | None
    gap: float | None
    goal: Goal = "cost"


@dataclass(frozen=True)
class SolveOptions:
    """How to solve. ``gap`` is relative to the total objective; ``prune=False`` skips every reduction.

    ``time_limit_s`` covers the whole solve. ``explain_s`` is the time for naming what excludes each other, and the
    least changes that help, when there is no design.
    """

    gap: float = 1e-6
    time_limit_s: float | None = None
    seed: int = 0
    threads: int = 1
    prune: bool = True
    explain_s: float = 60.0
    write_mps: Path | None = None
    on_progress: Callable[[Progress], None] | None = field(default=None, compare=False)


class RecountError(RuntimeError):
    """The verifier rejects or prices differently a design the model chose: a defect of the product, never an answer."""


@dataclass(frozen=True)
class NotOffered:
    """A part that could not be offered, and why, in the user's words."""

    part: str
    kind: str
    reason: str


@dataclass(frozen=True)
class GoalValue:
    """One goal of a design, recounted: its value, and the bound proven with all earlier goals kept.

    In USD per year for cost, USD for capex, watts for power, else events or hours per year. ``gap`` is
    ``(value - bound) / value``.
    """

    goal: Goal
    value: float
    bound: float | None
    gap: float | None


@dataclass(frozen=True)
class TokenGoal:
    """The most tokens: every demand times ``multiplier`` is served; times more than ``bound`` is not.

    ``tokens_per_s`` are the mean output tokens per second of each workload at the multiplier, ``accelerators`` those
    asked for by each fleet; ``bound`` is None while no upper bound is proven; ``solves`` counts the demands tried.
    """

    multiplier: float
    bound: float | None
    tokens_per_s: dict[str, float]
    solves: int
    accelerators: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelSize:
    """Size and effort of the MILP of the first goal; ``root_bound_usd`` only where that goal is cost."""

    rows: int
    columns: int
    nonzeros: int
    integers: int
    nodes: int
    root_bound_usd: float | None
    options: int
    options_enumerated: int
    templates: int
    templates_enumerated: int


@dataclass(frozen=True)
class Phase:
    """Wall and CPU seconds of one phase."""

    name: str
    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Answer:
    """What came out. ``design`` and ``account`` are None when no design is known.

    ``objective_usd`` is recounted from the design; ``bound_usd`` is proven for the MILP; ``gap`` is
    ``(objective - bound) / objective``; both are None where cost is no goal. ``goals`` has every goal in order of rank.
    ``tokens`` is there when the most tokens were asked for: the design then serves `scaled` demands. ``clash`` says in
    words which demands and limits exclude each other.
    """

    status: Status
    design: Design | None
    account: Account | None
    objective_usd: float | None
    bound_usd: float | None
    gap: float | None
    model: ModelSize | None
    not_offered: tuple[NotOffered, ...]
    what_ifs: tuple[str, ...]
    assumptions: tuple[str, ...]
    clash: tuple[str, ...]
    trace: tuple[Progress, ...]
    phases: tuple[Phase, ...]
    options: dict[str, object]
    versions: dict[str, str]
    goals: tuple[GoalValue, ...] = ()
    tokens: TokenGoal | None = None


def scaled(instance: Instance, multiplier: float) -> Instance:
    """The same instance with every demand times a multiplier; fleets ask for whole accelerators, rounded up.

    Everything that depends on the demand is computed from the scaled floats, so that a stored multiplier reproduces it.
    Rounding takes nothing away: jobs of whole accelerators are rounded up too, and to round up twice is to do it once.
    """
    if multiplier == 1.0:
        return instance
    workloads = tuple(
        work.model_copy(update={"output_tokens_per_s": work.output_tokens_per_s * multiplier})
        for work in instance.workloads
    )
    exact = Fraction(repr(multiplier))
    fleets = tuple(
        fleet.model_copy(update={"accelerators": ceil(fleet.accelerators * exact)}) for fleet in instance.fleets
    )
    return instance.model_copy(update={"workloads": workloads, "fleets": fleets})
