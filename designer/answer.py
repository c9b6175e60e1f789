"""The question and the answer as plain data: what `designer.load` and `designer.solve` return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from designer.catalogue import Catalogue
    from designer.design.account import Account
    from designer.design.types import Design
    from designer.instance.schema import Instance

Status = Literal["optimal", "limit", "interrupted", "infeasible"]


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
    """One line of progress: seconds since the solve began, incumbent and bound (USD per year), gap."""

    seconds: float
    incumbent_usd: float | None
    bound_usd: float | None
    gap: float | None


@dataclass(frozen=True)
class SolveOptions:
    """How to solve. ``gap`` is relative to the total objective; ``prune=False`` skips every reduction."""

    gap: float = 1e-6
    time_limit_s: float | None = None
    seed: int = 0
    threads: int = 1
    prune: bool = True
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
class ModelSize:
    """Size and effort of the MILP."""

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
    ``(objective - bound) / objective``. ``clash`` says in words which demands and limits exclude each other.
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
