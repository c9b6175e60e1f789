"""Pyomo model -> plain arrays: the one module besides ``models/`` that knows Pyomo.

Pyomo's own writer of sparse standard forms does the work (the way its ``gurobi_direct`` goes); the arrays are
handed to HiGHS whole, which costs a small part of what an expression-by-expression interface costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
import scipy.sparse  # noqa: F401 - see below
from pyomo.common.gc_manager import PauseGC
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

Floats = npt.NDArray[np.float64]

# Pyomo hooks the first import of SciPy and loads scipy.stats with it, most of a second: here, it counts as loading the
# program and not as hand-over.


@dataclass(frozen=True)
class Milp:
    """``min c'x + offset`` with ``row_lower <= A x <= row_upper``, ``lower <= x <= upper``.

    ``matrix`` is a SciPy CSC array of shape ``(m, n)``; ``integer`` marks whole variables; ``column_names`` and
    ``row_names`` are filled only on demand, because naming costs more than solving on small models.
    """

    cost: Floats
    offset: float
    matrix: Any
    row_lower: Floats
    row_upper: Floats
    lower: Floats
    upper: Floats
    integer: npt.NDArray[np.bool_]
    columns: Sequence[Any]
    rows: Sequence[Any]
    column_names: tuple[str, ...] | None = None
    row_names: tuple[str, ...] | None = None

    @property
    def nonzeros(self) -> int:
        """Stored entries of the matrix."""
        return int(self.matrix.nnz)


class ConstantRowError(ValueError):
    """A constraint without variables that does not hold: the model builder let an impossible choice through."""


def compile_model(model: Any, *, names: bool = False) -> Milp:
    """Compile an active linear Pyomo minimisation into arrays; no solver is involved.

    Parameters
    ----------
    model
        A ``pyomo.environ.ConcreteModel`` with one active objective.
    names
        Whether to carry the names of rows and columns (for MPS files and explanations).

    Raises
    ------
    ConstantRowError
        When a row has no variables and cannot hold.

    Examples
    --------
    >>> m = pyo.ConcreteModel()
    >>> m.x = pyo.Var(bounds=(0, 4), domain=pyo.Integers)
    >>> m.cap = pyo.Constraint(expr=2 * m.x <= 5)
    >>> m.cost = pyo.Objective(expr=-m.x)
    >>> milp = compile_model(m, names=True)
    >>> milp.cost.tolist(), milp.row_upper.tolist(), milp.column_names
    ([-1.0], [5.0], ('x',))
    """
    try:
        with PauseGC():
            form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=pyo.minimize)
    except Exception as error:  # Pyomo has no public class for this that is stable across releases
        if type(error).__name__ == "InfeasibleConstraintException":
            raise ConstantRowError(str(error)) from error
        raise
    kind = np.fromiter((row.bound_type for row in form.rows), np.int8, len(form.rows))
    rhs = np.asarray(form.rhs, float)
    count = len(form.columns)
    lower, upper = np.full(count, -np.inf), np.full(count, np.inf)
    integer = np.zeros(count, dtype=np.bool_)
    for index, column in enumerate(form.columns):
        low, high = column.bounds
        if low is not None:
            lower[index] = low
        if high is not None:
            upper[index] = high
        integer[index] = not column.is_continuous()
    constraints = [row.constraint for row in form.rows]
    return Milp(
        cost=np.asarray(form.c.toarray()[0], float),
        offset=float(form.c_offset[0]),
        matrix=form.A.tocsc(),
        row_lower=np.where(kind <= 0, rhs, -np.inf),
        row_upper=np.where(kind >= 0, rhs, np.inf),
        lower=lower,
        upper=upper,
        integer=integer,
        columns=list(form.columns),
        rows=constraints,
        column_names=tuple(_exchange_name(column.name) for column in form.columns) if names else None,
        row_names=tuple(_row_names(constraints)) if names else None,
    )


def load_solution(milp: Milp, values: Floats) -> None:
    """Write primal values back into the Pyomo variables (whole ones rounded)."""
    for column, whole, value in zip(milp.columns, milp.integer, values.tolist(), strict=True):
        column.set_value(round(value) if whole else value, skip_validation=True)


def _exchange_name(name: str) -> str:
    # MPS separates fields by blanks, so a name must not hold one.
    return name.replace(" ", "_")


def _row_names(constraints: Sequence[Any]) -> list[str]:
    # A two-sided Pyomo constraint becomes two rows; MPS wants distinct names.
    seen: dict[str, int] = {}
    names = []
    for constraint in constraints:
        name = _exchange_name(constraint.name)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}__{seen[name]}")
    return names
