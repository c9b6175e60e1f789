"""Dominance: which rows can be dropped without losing the optimum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
# Rows of the front that others are compared with at a time; of no influence on the result.
_PART = 128


def _no_hurry() -> None:
    """Any time will do."""


def pareto(keys: Floats, go_on: Callable[[], None] = _no_hurry) -> Mask:
    """Mark the rows that no other row beats.

    Row ``i`` goes if some row ``j`` satisfies ``keys[j] <= keys[i]`` in every column; of equal rows the first stays.
    Exact whenever the objective, every limit and every rule are non-decreasing in every column.

    Parameters
    ----------
    keys
        Shape (n, k).
    go_on
        Asked again and again whether there is time left: raises what stops the search.

    Returns
    -------
    numpy.ndarray
        Shape (n,) of bool, True for rows to keep.

    Examples
    --------
    >>> pareto(np.array([[1.0, 2.0], [2.0, 2.0], [2.0, 1.0], [1.0, 2.0]])).tolist()
    [True, False, True, False]
    """
    count = keys.shape[0]
    keep = np.zeros(count, dtype=np.bool_)
    # Stable lexicographic order: a row can only be beaten by rows before it (or equal ones, of which the first stays).
    order = np.lexsort(keys.T[::-1])
    front = np.empty((0, keys.shape[1]))
    block = 256
    for start in range(0, count, block):
        go_on()
        index = order[start : start + block]
        rows = keys[index]
        if front.shape[0]:
            left = ~beaten(front, rows)
            index, rows = index[left], rows[left]
        # A row stays if the first that is nowhere above it is itself. Dominance is transitive, so a beaten winner need
        # not be told apart.
        beats = _at_most(rows, rows)
        np.fill_diagonal(beats, True)
        stays = beats.argmax(axis=0) == np.arange(rows.shape[0]) if rows.shape[0] else np.zeros(0, dtype=np.bool_)
        keep[index[stays]] = True
        front = np.concatenate([front, rows[stays]])
    return keep


def _at_most(a: Floats, b: Floats) -> Mask:
    """Whether row i of ``a`` is at most row j of ``b`` in every column, shape (rows of a, rows of b)."""
    out = np.ones((len(a), len(b)), dtype=np.bool_)
    # Column by column: a three-dimensional comparison would be reduced over its shortest axis, which is slow.
    for one, other in zip(a.T, b.T, strict=True):
        out &= one[:, None] <= other[None, :]
    return out


def beaten(front: Floats, rows: Floats) -> Mask:
    """Mark the rows (n, k) that some row of a front (m, k) is nowhere above."""
    out = np.zeros(rows.shape[0], dtype=np.bool_)
    # A few rows at a time, so that what is beaten early is not compared again.
    for start in range(0, front.shape[0], _PART):
        left = np.flatnonzero(~out)
        if not left.size:
            break
        out[left] = _at_most(front[start : start + _PART], rows[left]).any(axis=0)
    return out


def pareto_within(groups: list[tuple[object, ...]], keys: Floats, go_on: Callable[[], None] = _no_hurry) -> Mask:
    """Apply :func:`pareto` inside each group of rows with the same label."""
    members: dict[tuple[object, ...], list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    keep = np.zeros(keys.shape[0], dtype=np.bool_)
    for rows in members.values():
        index = np.array(rows)
        keep[index[pareto(keys[index], go_on)]] = True
    return keep
