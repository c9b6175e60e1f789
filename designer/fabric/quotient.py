"""Equitable quotients: the same max flow on a graph that is smaller by orders of magnitude.

A partition of the boxes into cells is equitable when, for every pair of cells (X, Y), each box of X has the same
total capacity into Y. Then one commodity with supplies that are equal within cells has the same max flow on the
quotient (cells as nodes, capacities added up): a flow on the graph adds up to one on the quotient, and a flow on the
quotient, spread over each pair of cells in proportion to capacity, enters and leaves the boxes of a cell in equal
shares (Grohe, Kersting, Mladenov, Selman, *Dimension Reduction via Colour Refinement*, arXiv:1307.5697). It does
**not** hold for many commodities; nothing here is used for them.
"""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
from scipy import sparse

from designer.design.types import Design
from designer.fabric.placement import Ints
from designer.fabric.wiring import ACCELERATOR, BOUNDARIES, KINDS, PLANE, UPPER, Wiring, wirings


class NotEquitableError(ValueError):
    """A partition is not equitable: two boxes of one cell differ in their capacity into some cell."""


def quotient_graph(design: Design, *, whole_pools: bool = False) -> nx.Graph[int]:
    """Collapse a design's graph to one node per set of boxes that play the same part.

    Parameters
    ----------
    design
        The design.
    whole_pools
        False: the accelerators of every domain become one node (more only where a domain is split over leaves that
        differ, for example in different pods).
        True: domains that play the same part are collapsed too.

    Returns
    -------
    networkx.Graph
        Node attributes ``kind``, ``pool``, ``members`` (boxes collapsed) and ``first`` (name of one of them); edge
        attributes ``boundary``, ``links`` and ``capacity_gbps``, added up. The partition is verified to be equitable.

    Raises
    ------
    WiringError
        When the numbers of the design cannot be wired.
    """
    graph: nx.Graph[int] = nx.Graph()
    for wiring in wirings(design):
        _add_cells(graph, wiring, whole_pools=whole_pools)
    return graph


def _add_cells(graph: nx.Graph[int], wiring: Wiring, *, whole_pools: bool) -> None:
    """Add the cells of one fabric to those that are there."""
    before = graph.number_of_nodes()
    own = np.isin(wiring.kind, (ACCELERATOR, PLANE, UPPER)) & (not whole_pools)
    colours = np.column_stack([wiring.kind, wiring.pool, np.where(own, wiring.group, 0)])
    cells = coarsest_equitable(wiring, np.unique(colours, axis=0, return_inverse=True)[1].ravel())
    verify_equitable(wiring, cells)
    members = np.bincount(cells)
    first = np.unique(cells, return_index=True)[1]
    for cell, (count, box) in enumerate(zip(members.tolist(), first.tolist(), strict=True)):
        pool = wiring.pools[wiring.pool[box]] if wiring.pool[box] >= 0 else ""
        graph.add_node(before + cell, kind=KINDS[wiring.kind[box]], pool=pool, members=count, first=wiring.name(box))
    for lower, upper, capacity, links, boundary in zip(*collapse(wiring, cells), strict=True):
        ends = before + lower, before + upper
        # Cells of one kind may meet from both sides (torus, leaves joined directly).
        already = graph.edges[ends] if graph.has_edge(*ends) else {"links": 0, "capacity_gbps": 0}
        sums = {"links": links + already["links"], "capacity_gbps": capacity + already["capacity_gbps"]}
        graph.add_edge(*ends, boundary=BOUNDARIES[boundary], **sums)


def collapse(wiring: Wiring, cells: Ints) -> tuple[list[int], ...]:
    """Add up bundles between the same cells: lower cell, upper cell, Gb/s, links, place of the boundary."""
    # One whole number per bundle sorts an order of magnitude faster than rows of three.
    count, kinds = int(cells.max()) + 1, len(BOUNDARIES)
    keys = (cells[wiring.lower] * count + cells[wiring.upper]) * kinds + wiring.boundary
    pairs, place = ranked(keys)
    capacity, links = np.zeros(pairs.size, np.int64), np.zeros(pairs.size, np.int64)
    np.add.at(capacity, place, wiring.capacity)
    np.add.at(links, place, wiring.links)
    ends, boundary = np.divmod(pairs, kinds)
    lower, upper = np.divmod(ends, count)
    return lower.tolist(), upper.tolist(), capacity.tolist(), links.tolist(), boundary.tolist()


def ranked(keys: Ints) -> tuple[Ints, Ints]:
    """Sort out the different keys (0 or more) and the rank of every key, without sorting where they are dense.

    Examples
    --------
    >>> values, place = ranked(np.array([7, 3, 7, 9]))
    >>> values.tolist(), place.tolist()
    ([3, 7, 9], [1, 0, 1, 2])
    """
    span = int(keys.max(initial=0)) + 1
    if span > 4 * keys.size:
        values, place = np.unique(keys, return_inverse=True)
        return values, place.ravel()
    there = np.zeros(span, bool)
    there[keys] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[keys]


def coarsest_equitable(wiring: Wiring, colours: Ints) -> Ints:
    """Refine colours until the cells are equitable (colour refinement, weighted by capacity).

    Each round gives a box the sum of (capacity x random 64-bit code of the neighbour's cell) over its bundles and
    splits cells by that sum: one pass over the bundles, without sorting them. Two different neighbourhoods have the
    same sum with a chance of about 2^-64, so callers check the result with :func:`verify_equitable`, which is exact.

    Parameters
    ----------
    wiring
        Boxes and bundles.
    colours
        Shape (boxes,): boxes of different colour never share a cell.

    Returns
    -------
    numpy.ndarray
        Shape (boxes,): the cell of every box, numbered from 0.
    """
    matrix = adjacency(wiring)
    weights, neighbours, rows = matrix.data.astype(np.uint64), matrix.indices, matrix.indptr
    cabled = np.diff(rows) > 0
    # A fixed seed: the same design gives the same cells in the same order.
    codes = np.random.default_rng(0).integers(0, 2**64, size=wiring.boxes, dtype=np.uint64)
    cells = ranked(colours)[1]
    count = int(cells.max()) + 1
    while True:
        seen = np.zeros(wiring.boxes, np.uint64)
        if weights.size:
            seen[cabled] = np.add.reduceat(weights * codes[cells[neighbours]], rows[:-1][cabled])
        order = np.lexsort((seen, cells))
        new = np.ones(wiring.boxes, bool)
        new[1:] = (np.diff(cells[order]) != 0) | (np.diff(seen[order]) != 0)
        cells = np.empty_like(cells)
        cells[order] = np.cumsum(new) - 1
        if int(cells.max()) + 1 == count:
            return cells
        count = int(cells.max()) + 1


def verify_equitable(wiring: Wiring, cells: Ints) -> None:
    """Check exactly, in time linear in the bundles, that a partition is equitable.

    The capacity of every box into every cell is one sparse matrix product in whole numbers; each row must equal the
    row of the first box of its cell.

    Raises
    ------
    NotEquitableError
        Naming two boxes of one cell that differ.

    Examples
    --------
    Two accelerators with equal links to one plane switch are one cell; with unequal links they are not.

    >>> def star(links):
    ...     a = np.array
    ...     boxes = (a([0, 0, 1]), a([0, 0, 0]), a([0, 0, 0]), a([0, 1, 0]), a([0, 0, 0]))
    ...     return Wiring(("p",), *boxes, a([0, 1]), a([2, 2]), a(links), a([400, 400]), a([0, 0]), ("switched",))
    >>> verify_equitable(star([4, 4]), np.array([0, 0, 1]))
    >>> verify_equitable(star([4, 5]), np.array([0, 0, 1]))
    Traceback (most recent call last):
        ...
    designer.fabric.quotient.NotEquitableError: p/d0/a1 and p/d0/a0 share a cell but not their capacity into it
    """
    boxes = wiring.boxes
    cells = ranked(cells)[1]
    count = int(cells.max()) + 1
    ones = np.ones(boxes, np.int64)
    member = sparse.csr_array((ones, (np.arange(boxes), cells)), shape=(boxes, count))
    into = sparse.csr_array(adjacency(wiring) @ member)
    first = np.unique(cells, return_index=True)[1]
    differs = sparse.csr_array(into - into[first[cells]])
    differs.eliminate_zeros()
    wrong = np.flatnonzero(np.diff(differs.indptr))
    if wrong.size:
        box = int(wrong[0])
        names = f"{wiring.name(box)} and {wiring.name(int(first[cells[box]]))}"
        raise NotEquitableError(f"{names} share a cell but not their capacity into it")


def adjacency(wiring: Wiring) -> Any:
    """Capacity between boxes as a symmetric sparse matrix of whole Gb/s."""
    ends = np.concatenate([wiring.lower, wiring.upper]), np.concatenate([wiring.upper, wiring.lower])
    capacity = np.concatenate([wiring.capacity, wiring.capacity])
    return sparse.csr_array((capacity, ends), shape=(wiring.boxes, wiring.boxes))
