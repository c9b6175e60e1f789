"""Dominance: which rows can be dropped without losing the optimum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def pareto(keys: Floats) -> Mask:
    """Mark the rows that no other row beats.

    Row ``i`` goes if some row ``j`` satisfies ``keys[j] <= keys[i]`` in every column; of equal rows the first stays.
    Exact whenever the objective, every limit and every rule are non-decreasing in every column.

    Parameters
    ----------
    keys
        Shape (n, k).

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
        index = order[start : start + block]
        rows = keys[index]
        if front.shape[0]:
            beaten = _beaten(front, rows)
            index, rows = index[~beaten], rows[~beaten]
        survivors: list[int] = []
        for position in range(rows.shape[0]):
            earlier = rows[survivors]
            if not (earlier <= rows[position]).all(axis=1).any():
                survivors.append(position)
        keep[index[survivors]] = True
        front = np.concatenate([front, rows[survivors]])
    return keep


def _beaten(front: Floats, rows: Floats) -> Mask:
    out = np.zeros(rows.shape[0], dtype=np.bool_)
    for start in range(0, front.shape[0], 512):
        part = front[start : start + 512]
        left = ~out
        out[left] = np.any(np.all(part[None, :, :] <= rows[left][:, None, :], axis=2), axis=1)
        if out.all():
            break
    return out


def pareto_within(groups: list[tuple[object, ...]], keys: Floats) -> Mask:
    """Apply :func:`pareto` inside each group of rows with the same label."""
    members: dict[tuple[object, ...], list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    keep = np.zeros(keys.shape[0], dtype=np.bool_)
    for rows in members.values():
        index = np.array(rows)
        keep[index[pareto(keys[index])]] = True
    return keep
