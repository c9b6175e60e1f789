"""A graph from elsewhere (exported, edited, as built) held against the wiring that the design prescribes.

Boxes are known by their names; every difference is reported by box or cable bundle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import networkx as nx
import numpy as np

from designer.fabric.flat import line_between
from designer.fabric.flow_report import Violation
from designer.fabric.wiring import (
    ACCELERATOR,
    BOUNDARIES,
    CORE,
    CORE_TOP,
    KINDS,
    LEAF,
    LEAF_LEAF,
    LEAF_SPINE,
    NIC_LEAF,
    PLANE,
    SCALE_UP,
    SCALE_UP_UPPER,
    SPINE,
    SPINE_CORE,
    TOP,
    UPPER,
    Wiring,
)

_JOINS: Final = {
    (ACCELERATOR, ACCELERATOR): SCALE_UP,
    (ACCELERATOR, PLANE): SCALE_UP,
    (PLANE, UPPER): SCALE_UP_UPPER,
    (ACCELERATOR, LEAF): NIC_LEAF,
    (LEAF, SPINE): LEAF_SPINE,
    (SPINE, CORE): SPINE_CORE,
    (CORE, TOP): CORE_TOP,
}


def wirings_of(graph: nx.Graph[str], references: Sequence[Wiring]) -> tuple[tuple[Wiring, ...], list[Violation]]:
    """Read a fabric graph into arrays over the boxes of the fabrics of ``references``.

    Boxes the references have not, and edges between boxes that never meet, are reported and left out; boxes that the
    graph has not are reported and stay without cables. Boxes of different fabrics never meet.

    Raises
    ------
    TypeError
        For a multigraph or a directed graph.
    ValueError
        When an edge lacks whole ``links`` and ``rate_gbps``, or its ``capacity_gbps`` is not their product.
    """
    if graph.is_multigraph() or graph.is_directed():
        raise TypeError("a fabric graph is an undirected networkx.Graph; parallel cables are counted in `links`")
    known = {
        reference.name(box): (place, box)
        for place, reference in enumerate(references)
        for box in range(reference.boxes)
    }
    found = [Violation("extra_box", name, "the design has no such box") for name in graph if name not in known]
    for name, (place, box) in known.items():
        if name not in graph:
            kind = KINDS[references[place].kind[box]]
            found.append(Violation("missing_box", name, f"this {kind} is not in the graph"))
    rows: list[list[tuple[int, ...]]] = [[] for _ in references]
    for first, second, edge in graph.edges(data=True):
        links, rate = _whole(edge, "links", first, second), _whole(edge, "rate_gbps", first, second)
        if _whole(edge, "capacity_gbps", first, second) != links * rate:
            raise ValueError(f"edge {first} - {second}: capacity_gbps is not links x rate_gbps")
        if first not in known or second not in known:
            continue
        (place, one), (other, two) = known[first], known[second]
        if place != other:
            kinds = int(references[place].kind[one]), int(references[other].kind[two])
            ends = (first, second) if (kinds[0], place) < (kinds[1], other) else (second, first)
            message = "these boxes are of different fabrics, which share nothing"
            found.append(Violation("miswired", " - ".join(ends), message))
            continue
        reference = references[place]
        (_, lower), (_, upper) = sorted((int(reference.kind[box]), box) for box in (one, two))
        boundary = _boundary(reference, lower, upper)
        if boundary is None:
            found.append(Violation("miswired", f"{first} - {second}", "these boxes are never joined"))
        else:
            rows[place].append((lower, upper, links, rate, boundary))
    return tuple(_rewired(reference, own) for reference, own in zip(references, rows, strict=True)), found


def _rewired(reference: Wiring, rows: list[tuple[int, ...]]) -> Wiring:
    """Return the boxes of a wiring with other bundles: lower, upper, links, rate and boundary of each."""
    rows.sort(key=lambda row: (row[4], row[0], row[1]))
    columns = np.array(rows, np.int64).reshape(len(rows), 5).T
    lower, upper, links, rate, boundary = (np.ascontiguousarray(column) for column in columns)
    return replace(reference, lower=lower, upper=upper, links=links, rate=rate, boundary=boundary)


def differences(reference: Wiring, built: Wiring) -> Iterator[Violation]:
    """Name every cable bundle in which a wiring differs from the reference.

    A box that lacks links to one neighbour and has too many to another at the same boundary is ``miswired``; a box
    whose every cable is missing is reported once.
    """
    wanted, there = _bundles(reference), _bundles(built)
    missing: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    extra: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for key in sorted(wanted.keys() | there.keys()):
        lower, upper, boundary = key
        links, rate = wanted.get(key, (0, 0))
        is_links, is_rate = there.get(key, (0, 0))
        place = f"{built.name(lower)} - {built.name(upper)}"
        if links and is_links and rate != is_rate:
            yield Violation("wrong_rate", place, f"links of {is_rate} Gb/s instead of {rate} Gb/s")
        if is_links != links:
            side = missing if is_links < links else extra
            for box in (lower, upper):
                side.setdefault((box, boundary), []).append((lower, upper, is_links - links))
    dead = {box for box, _ in missing} & _uncabled(reference, built)
    for box in sorted(dead):
        message = f"all {int(_links_at(reference, box))} links of this {KINDS[built.kind[box]]} are missing"
        yield Violation("box_without_links", built.name(box), message)
    crossed = missing.keys() & extra.keys()
    for box, boundary in sorted(crossed):
        lost = ", ".join(_other(built, box, row) for row in missing[box, boundary])
        got = ", ".join(_other(built, box, row) for row in extra[box, boundary])
        message = f"{BOUNDARIES[boundary]}: fewer links than designed to {lost}; more to {got}"
        yield Violation("miswired", built.name(box), message)
    for rule, side in (("missing_links", missing), ("extra_links", extra)):
        for (box, boundary), rows in sorted(side.items()):
            for lower, upper, change in rows:
                told = {(lower, boundary), (upper, boundary)} & crossed or {lower, upper} & dead
                if box == lower and not told:
                    links = wanted.get((lower, upper, boundary), (0, 0))[0]
                    place = f"{built.name(lower)} - {built.name(upper)}"
                    yield Violation(rule, place, f"{links + change} links instead of {links}")


def _boundary(wiring: Wiring, lower: int, upper: int) -> int | None:
    """Boundary at which two boxes may meet; None where such boxes never do."""
    kinds = int(wiring.kind[lower]), int(wiring.kind[upper])
    if kinds == (LEAF, LEAF):
        line = line_between(wiring.shape, wiring.dims, int(wiring.index[lower]), int(wiring.index[upper]))
        return None if line is None else LEAF_LEAF + line
    # Accelerators meet each other only where no switch stands between them, and never themselves.
    if kinds == (ACCELERATOR, ACCELERATOR) and (lower == upper or not _joined_directly(wiring, lower, upper)):
        return None
    return _JOINS.get(kinds)


def _joined_directly(wiring: Wiring, *boxes: int) -> bool:
    return all(wiring.joins[wiring.pool[box]] in ("mesh", "torus") for box in boxes)


def _bundles(wiring: Wiring) -> dict[tuple[int, int, int], tuple[int, int]]:
    ends = zip(wiring.lower.tolist(), wiring.upper.tolist(), wiring.boundary.tolist(), strict=True)
    sizes = zip(wiring.links.tolist(), wiring.rate.tolist(), strict=True)
    return dict(zip(ends, sizes, strict=True))


def _links_at(wiring: Wiring, box: int) -> int:
    return int(wiring.links[(wiring.lower == box) | (wiring.upper == box)].sum())


def _uncabled(reference: Wiring, built: Wiring) -> set[int]:
    """Boxes without any link in ``built`` that have some in ``reference``."""
    totals = []
    for wiring in (reference, built):
        total = np.zeros(wiring.boxes, np.int64)
        np.add.at(total, wiring.lower, wiring.links)
        np.add.at(total, wiring.upper, wiring.links)
        totals.append(total)
    return set(np.flatnonzero((totals[0] > 0) & (totals[1] == 0)).tolist())


def _other(wiring: Wiring, box: int, row: tuple[int, int, int]) -> str:
    lower, upper, change = row
    return f"{wiring.name(upper if box == lower else lower)} ({change:+d})"


def _whole(edge: dict[str, Any], key: str, first: str, second: str) -> int:
    value = edge.get(key)
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"edge {first} - {second}: {key} is {value!r}, a whole number is needed")
    return value
