"""Arrays -> HiGHS -> arrays: the one module that knows highspy."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import highspy
import numpy as np

from designer.solve.compile import Floats, Milp


class Termination(StrEnum):
    """Why the solver stopped, independent of whether an answer exists."""

    OPTIMAL = "optimal"
    TIME_LIMIT = "time_limit"
    INFEASIBLE = "infeasible"
    INTERRUPTED = "interrupted"


class SolverError(RuntimeError):
    """HiGHS refused an option or the model, or stopped for a reason that must not happen here."""


@dataclass(frozen=True)
class SolverReport:
    """What HiGHS says of one solve.

    ``values`` (n,) is None when no feasible point is known; ``bound`` is the proven lower bound; ``trace`` holds
    ``(seconds, incumbent, bound)`` at every improvement; ``root_bound`` is the bound when branching began
    (the final one if it never did).
    """

    termination: Termination
    objective: float | None
    bound: float | None
    values: Floats | None
    nodes: int
    seconds: float
    root_bound: float | None
    trace: tuple[tuple[float, float | None, float | None], ...]
    version: str


_STATUS = highspy.HighsModelStatus
_TERMINATION = {
    _STATUS.kOptimal: Termination.OPTIMAL,
    _STATUS.kModelEmpty: Termination.OPTIMAL,
    _STATUS.kTimeLimit: Termination.TIME_LIMIT,
    _STATUS.kInfeasible: Termination.INFEASIBLE,
    # Every variable of the models is bounded below with a non-negative cost, so this can only be infeasible.
    _STATUS.kUnboundedOrInfeasible: Termination.INFEASIBLE,
    _STATUS.kInterrupt: Termination.INTERRUPTED,
}


def solve_milp(
    milp: Milp,
    *,
    gap: float,
    time_limit_s: float | None = None,
    seed: int = 0,
    threads: int = 1,
    write_mps: Path | None = None,
    extra_options: dict[str, Any] | None = None,
    on_progress: Callable[[float, float | None, float | None], None] | None = None,
) -> SolverReport:
    """Hand a compiled MILP to HiGHS in one call and solve it.

    Parameters
    ----------
    milp
        The model as arrays.
    gap
        Relative gap at which the answer counts as optimal.
    time_limit_s, seed, threads
        HiGHS options; ``threads`` is process-wide in HiGHS.
    write_mps
        Where to write the model as MPS (names kept) before solving.
    extra_options
        Further HiGHS options by name.
    on_progress
        Called with ``(seconds, incumbent, bound)`` as they move.

    Raises
    ------
    SolverError
        When HiGHS rejects an option or the model. Ctrl-C is not an error: the report says ``interrupted`` and
        carries the incumbent.
    """
    solver = _new()
    options: dict[str, Any] = {
        "mip_rel_gap": gap,
        "mip_abs_gap": 0.0 if gap == 0.0 else 1e-6,
        "random_seed": seed,
        "threads": threads,
        # Limits are scaled to 1: a looser tolerance lets a design through that breaks one by dollars.
        "mip_feasibility_tolerance": 1e-9,
        "primal_feasibility_tolerance": 1e-9,
        **({"time_limit": time_limit_s} if time_limit_s is not None else {}),
        **(extra_options or {}),
    }
    for key, value in options.items():
        if solver.setOptionValue(key, value) != highspy.HighsStatus.kOk:
            raise SolverError(f"HiGHS rejects the option {key} = {value!r}")
    _pass(solver, milp)
    if write_mps is not None:
        _write(solver, milp, write_mps)
    trace: list[tuple[float, float | None, float | None]] = []
    bounds: list[float] = []

    def moved(event: Any) -> None:
        data = event.data_out
        if data.mip_node_count <= 0:
            bounds.append(float(data.mip_dual_bound))
        row = (float(data.running_time), _finite(data.mip_primal_bound), _finite(data.mip_dual_bound))
        if not trace or trace[-1][1:] != row[1:]:
            trace.append(row)
            if on_progress is not None:
                on_progress(*row)

    solver.cbMipLogging += moved
    solver.cbMipImprovingSolution += moved
    solver.HandleKeyboardInterrupt = True
    started = time.perf_counter()
    try:
        status = solver.solve()
    except KeyboardInterrupt:
        status = highspy.HighsStatus.kWarning
    seconds = time.perf_counter() - started
    state = solver.getModelStatus()
    if status == highspy.HighsStatus.kError or state not in _TERMINATION:
        raise SolverError(f"HiGHS stopped with {state}")
    info = solver.getInfo()
    values: Floats | None = None
    if info.primal_solution_status == 2:
        values = np.array(solver.getSolution().col_value, float)
        values[milp.integer] = np.round(values[milp.integer])
    bound = _finite(info.mip_dual_bound) if milp.integer.any() else _finite(info.objective_function_value)
    nodes = max(int(info.mip_node_count), 0)
    # Solved without branching: the root's own bound is the final one.
    root = bound if nodes <= 1 else next((b for b in reversed(bounds) if np.isfinite(b)), bound)
    return SolverReport(
        termination=_TERMINATION[state],
        objective=float(info.objective_function_value) if values is not None else None,
        bound=bound,
        values=values,
        nodes=nodes,
        seconds=seconds,
        root_bound=root,
        trace=tuple(trace),
        version=str(solver.version()),
    )


def irreducible_rows(milp: Milp, time_limit_s: float | None = None) -> list[int] | None:
    """Rows of one irreducible infeasible subsystem of the linear relaxation (None: it is feasible, or not settled).

    HiGHS finds such sets for linear programs only; whole numbers may exclude more.
    """
    solver = _new()
    strategy = highspy.IisStrategy
    wanted = int(strategy.kIisStrategyFromLp) | int(strategy.kIisStrategyIrreducible)
    options: dict[str, Any] = {"iis_strategy": wanted}
    if time_limit_s is not None:
        options |= {"time_limit": time_limit_s, "iis_time_limit": time_limit_s}
    for key, value in options.items():
        if solver.setOptionValue(key, value) != highspy.HighsStatus.kOk:
            raise SolverError(f"HiGHS rejects the option {key} = {value!r}")
    _pass(solver, replace(milp, integer=np.zeros_like(milp.integer)))
    solver.run()
    if solver.getModelStatus() != _STATUS.kInfeasible:
        return None
    status, found = solver.getIis()
    if status == highspy.HighsStatus.kError or not found.valid_:
        return None
    return [int(row) for row in found.row_index_]


class _Quiet(highspy.Highs):
    """A solver that writes nothing: from highspy 1.16 on the callbacks, enabled on construction, print its banner."""

    def enableCallbacks(self) -> None:  # noqa: N802  # highspy's name
        self.silent()
        super().enableCallbacks()  # type: ignore[no-untyped-call]  # untyped in highspy


def _new() -> highspy.Highs:
    solver = _Quiet()  # type: ignore[no-untyped-call]  # highspy leaves this one constructor untyped
    solver.silent()
    return solver


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) and abs(value) < highspy.kHighsInf else None


def _pass(solver: highspy.Highs, milp: Milp) -> None:
    inf = highspy.kHighsInf
    matrix = milp.matrix
    status = solver.passModel(
        matrix.shape[1],
        matrix.shape[0],
        matrix.nnz,
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize),
        milp.offset,
        milp.cost,
        np.clip(milp.lower, -inf, inf),
        np.clip(milp.upper, -inf, inf),
        np.clip(milp.row_lower, -inf, inf),
        np.clip(milp.row_upper, -inf, inf),
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data.astype(float),
        milp.integer.astype(np.int32),
    )
    if status == highspy.HighsStatus.kError:
        raise SolverError("HiGHS does not accept the model")


def _write(solver: highspy.Highs, milp: Milp, path: Path) -> None:
    if milp.column_names is None or milp.row_names is None:
        raise SolverError("the model was compiled without names; compile it with names=True to write it")
    for index, name in enumerate(milp.column_names):
        solver.passColName(index, name)
    for index, name in enumerate(milp.row_names):
        solver.passRowName(index, name)
    # HiGHS picks the format by the ending, so the temporary name must end in .mps too.
    temporary = path.with_name(f".{path.stem}.partial.mps")
    try:
        if solver.writeModel(str(temporary)) == highspy.HighsStatus.kError:
            raise SolverError(f"HiGHS could not write {path}")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
