"""Counts that the design states against what its wiring holds, box by box and boundary by boundary."""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx
import numpy as np

from designer.design.types import Design
from designer.fabric.apart import fabrics_apart, prefixed
from designer.fabric.as_built import differences, wirings_of
from designer.fabric.counting import links_of, miswired, ports_of, same, totals
from designer.fabric.flow_report import Violation
from designer.fabric.placement import WiringError
from designer.fabric.recount_pools import domain_counts, pool_counts
from designer.fabric.wiring import BOUNDARIES, CORE, LEAF, LEAF_SPINE, NIC_LEAF, SPINE, SPINE_CORE, Wiring, wirings

MOST_PER_RULE = 20
"""Violations of one rule that are listed one by one; the rest is told as a number."""


def recount(design: Design, graph: nx.Graph[str] | None = None) -> tuple[Violation, ...]:
    """Hold the graph of a design against every count the design states.

    Parameters
    ----------
    design
        The design.
    graph
        A graph to be checked against it, with the node names of :func:`~designer.fabric.fabric_graph`; without one
        the design's own wiring is recounted.

    Returns
    -------
    tuple of Violation
        Empty when all counts agree.
    """
    try:
        references = wirings(design)
    except WiringError as error:
        return error.violations
    parts = fabrics_apart(design)
    if graph is None:
        counted = [row for part, wiring in zip(parts, references, strict=True) for row in recount_wiring(part, wiring)]
        return tuple(shortened(counted))
    built, found = wirings_of(graph, references)
    counted = []
    for part, reference, there in zip(parts, references, built, strict=True):
        counted += [*differences(reference, there), *recount_wiring(part, there)]
    return tuple(found) + tuple(shortened(counted))


def shortened(violations: list[Violation]) -> list[Violation]:
    """List at most ``MOST_PER_RULE`` violations of each rule, then how many more there are."""
    seen: dict[str, int] = {}
    kept = []
    for violation in violations:
        seen[violation.rule] = seen.get(violation.rule, 0) + 1
        if seen[violation.rule] <= MOST_PER_RULE:
            kept.append(violation)
    for rule, count in seen.items():
        if count > MOST_PER_RULE:
            kept.append(Violation(rule, "elsewhere", f"{count - MOST_PER_RULE} more of the same kind"))
    return kept


def recount_wiring(design: Design, wiring: Wiring) -> list[Violation]:
    """Count boxes, links and ports of one fabric's wiring and compare them with its part of the design."""
    found: list[Violation] = []
    for number, pool in enumerate(design.pools):
        found += pool_counts(pool, design.fabric, wiring, number)
        found += domain_counts(pool, wiring, number)
    found += _fabric_counts(design, wiring)
    found += _fabric_ports(design, wiring)
    return shortened(found)


def _fabric_counts(design: Design, wiring: Wiring) -> Iterator[Violation]:
    fabric, place = design.fabric, prefixed(wiring.fabric, "") or "fabric"
    copies = fabric.rails * fabric.planes
    for kind, stage in zip((LEAF, SPINE, CORE), fabric.stages, strict=False):
        count = int(np.count_nonzero(wiring.kind == kind))
        what = f"{stage.name} switches" if copies == 1 else f"{stage.name} switches of {copies} copies"
        yield from same(f"boxes_{stage.name}", place, what, stage.count * copies, count)
    stated = {boundary.name: boundary for boundary in fabric.boundaries}
    for number in (LEAF_SPINE, SPINE_CORE)[: len(fabric.stages) - 1]:
        name = BOUNDARIES[number]
        if name in stated:
            yield from links_of(place, stated[name], wiring, wiring.bundles(number))
        else:
            yield Violation("links_missing", place, f"the design has no boundary {name}")
    if len(fabric.boundaries) != len(fabric.stages) - 1:
        message = f"{len(fabric.boundaries)} boundaries above {len(fabric.stages)} stages"
        yield Violation("boundaries", place, message)
    if len(fabric.stages) == 3:
        pods = int(wiring.group[wiring.kind == LEAF].max()) + 1
        yield from same("pods", place, "pods", fabric.pods, pods)


def _fabric_ports(design: Design, wiring: Wiring) -> Iterator[Violation]:
    """Hold the links of every leaf, spine and core against the stated ports per switch."""
    fabric = design.fabric
    sides = ((LEAF, NIC_LEAF, LEAF_SPINE), (SPINE, LEAF_SPINE, SPINE_CORE), (CORE, SPINE_CORE, None))
    up_links = (
        fabric.links_per_leaf_spine * fabric.spines_per_pod,
        fabric.links_per_spine_core * fabric.cores_per_spine,
        0,
    )
    for number, (stage, (kind, down, up)) in enumerate(zip(fabric.stages, sides, strict=False)):
        boxes = np.flatnonzero(wiring.kind == kind)
        below = totals(wiring, down, upper=True)[boxes]
        for place in np.flatnonzero(below > stage.down_ports).tolist():
            message = f"{int(below[place])} links down on {stage.down_ports} ports"
            yield Violation(f"{stage.name}_ports", wiring.name(int(boxes[place])), message)
        above = up_links[number] if number + 1 < len(fabric.stages) else 0
        yield from same(f"{stage.name}_ports", prefixed(wiring.fabric, stage.name), "ports up", stage.up_ports, above)
        if up is not None and above:
            has = totals(wiring, up, upper=False)
            yield from ports_of(f"{stage.name}_ports", wiring, boxes, has, above, "up")
    for kind in (LEAF_SPINE, SPINE_CORE)[: len(fabric.stages) - 1]:
        bundles = wiring.bundles(kind)
        lower, upper = wiring.lower[bundles], wiring.upper[bundles]
        away = wiring.layer[lower] != wiring.layer[upper]
        yield from miswired(wiring, bundles[away], "rails and planes share no switch")
    if len(fabric.stages) == 3:
        bundles = wiring.bundles(SPINE_CORE)
        astray = wiring.index[wiring.lower[bundles]] != wiring.group[wiring.upper[bundles]]
        yield from miswired(wiring, bundles[astray], "core group i serves spine i of every pod")
    if len(fabric.stages) > 1:
        bundles = wiring.bundles(LEAF_SPINE)
        astray = wiring.group[wiring.lower[bundles]] != wiring.group[wiring.upper[bundles]]
        yield from miswired(wiring, bundles[astray], "a leaf meets the spines of its own pod only")
