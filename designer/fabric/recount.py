"""Counts that the design states against what its wiring holds, box by box and boundary by boundary."""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx
import numpy as np

from designer.design.types import Design, Fabric
from designer.fabric.apart import fabrics_apart, prefixed
from designer.fabric.as_built import differences, wirings_of
from designer.fabric.counting import links_of, miswired, ports_of, same, totals
from designer.fabric.flat import leaves_in, links_of_leaf, per_line
from designer.fabric.flow_report import Violation
from designer.fabric.placement import Ints, WiringError
from designer.fabric.recount_pools import domain_counts, pool_counts
from designer.fabric.striping import links_up
from designer.fabric.wiring import (
    BOUNDARIES,
    CORE,
    CORE_TOP,
    LEAF,
    LEAF_LEAF,
    LEAF_SPINE,
    NIC_LEAF,
    SPINE,
    SPINE_CORE,
    TOP,
    Wiring,
    wirings,
)

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


ABOVE = (LEAF_SPINE, SPINE_CORE, CORE_TOP)
"""Boundaries above the stages of a tree."""


def _boundaries(fabric: Fabric) -> tuple[int, ...]:
    """Boundaries between switches that a fabric should have."""
    if fabric.shape != "tree":
        return tuple(LEAF_LEAF + line for line in range(len(fabric.dims)))
    return ABOVE[: len(fabric.stages) - 1]


def _fabric_counts(design: Design, wiring: Wiring) -> Iterator[Violation]:
    fabric, place = design.fabric, prefixed(wiring.fabric, "") or "fabric"
    copies = fabric.rails * fabric.planes
    for kind, stage in zip((LEAF, SPINE, CORE, TOP), fabric.stages, strict=False):
        count = int(np.count_nonzero(wiring.kind == kind))
        what = f"{stage.name} switches" if copies == 1 else f"{stage.name} switches of {copies} copies"
        yield from same(f"boxes_{stage.name}", place, what, stage.count * copies, count)
    stated = {boundary.name: boundary for boundary in fabric.boundaries}
    wanted = _boundaries(fabric)
    for number in wanted:
        name = BOUNDARIES[number]
        if name in stated:
            yield from links_of(place, stated[name], wiring, wiring.bundles(number))
        else:
            yield Violation("links_missing", place, f"the design has no boundary {name}")
    if len(fabric.boundaries) != len(wanted):
        above = f"{len(fabric.stages)} stages" if fabric.shape == "tree" else f"the leaves of a {fabric.shape}"
        yield Violation("boundaries", place, f"{len(fabric.boundaries)} boundaries above {above}")
    if fabric.shape != "tree":
        yield from _flat_counts(design, wiring, place)
        return
    if len(fabric.stages) > 2:
        pods = int(wiring.group[wiring.kind == LEAF].max()) + 1
        yield from same("pods", place, "pods", fabric.pods, pods)
    if len(fabric.stages) > 3:
        zones = int(wiring.group[wiring.kind == CORE].max()) // wiring.zone_groups + 1
        yield from same("zones", place, "zones", fabric.zones, zones)


def _flat_counts(design: Design, wiring: Wiring, place: str) -> Iterator[Violation]:
    """Leaves joined directly: no stage above, and no line or group more than the pools need."""
    fabric = design.fabric
    above = (
        *(fabric.links_per_leaf_spine, fabric.spines_per_pod, fabric.links_per_spine_core, fabric.cores_per_spine),
        *(fabric.zones, fabric.pods_per_zone, fabric.links_per_core_top, fabric.tops_per_core),
    )
    if any(above):
        yield Violation("absent_stages", place, f"a {fabric.shape} states numbers of stages above its leaves: {above}")
    every = leaves_in(fabric)
    yield from same("pods", place, "pods and leaves in each", (fabric.pods, fabric.leaves_per_pod), (1, every))
    if fabric.shape == "hyperx" and fabric.dims[0] < fabric.dims[1]:
        yield Violation("flat_dims", place, f"of its sides {fabric.dims} the longer one comes first")
    idle = int(np.count_nonzero((wiring.kind == LEAF) & (wiring.pool < 0))) // (wiring.rails * wiring.planes)
    if idle >= per_line(fabric):
        message = f"{idle} of its {every} leaves have no accelerators: {per_line(fabric)} fewer would do"
        yield Violation("flat_size", place, message)


def _fabric_ports(design: Design, wiring: Wiring) -> Iterator[Violation]:
    """Hold the links of every switch against the stated ports, and name cables that stand where none should."""
    fabric = design.fabric
    sides = ((LEAF, NIC_LEAF), (SPINE, LEAF_SPINE), (CORE, SPINE_CORE), (TOP, CORE_TOP))
    up_links = [*(int(links.sum()) for links in links_up(fabric)), 0]
    for number, (stage, (kind, down)) in enumerate(zip(fabric.stages, sides, strict=False)):
        boxes = np.flatnonzero(wiring.kind == kind)
        rule, name = f"{stage.name}_ports", prefixed(wiring.fabric, stage.name)
        below = totals(wiring, down, upper=True)[boxes]
        ports = _ports_down(fabric, number, wiring.index[boxes])
        for place in np.flatnonzero(below > ports).tolist():
            message = f"{int(below[place])} links down on {int(ports[place])} ports"
            yield Violation(rule, wiring.name(int(boxes[place])), message)
        if fabric.shape != "tree":
            each = links_of_leaf(fabric)
            yield from same(rule, name, "ports to other leaves", stage.up_ports, sum(each))
            for line, links in enumerate(each):
                has = totals(wiring, LEAF_LEAF + line, upper=True) + totals(wiring, LEAF_LEAF + line, upper=False)
                yield from ports_of(rule, wiring, boxes, has, links, f"of {BOUNDARIES[LEAF_LEAF + line]}")
            continue
        above = up_links[number]
        yield from same(rule, name, "ports up", stage.up_ports, above)
        if above:
            has = totals(wiring, ABOVE[number], upper=False)
            yield from ports_of(rule, wiring, boxes, has, above, "up")
    for boundary in _boundaries(fabric):
        bundles = wiring.bundles(boundary)
        away = wiring.layer[wiring.lower[bundles]] != wiring.layer[wiring.upper[bundles]]
        yield from miswired(wiring, bundles[away], "rails and planes share no switch")
    yield from _strays(fabric, wiring)


def _ports_down(fabric: Fabric, stage: int, index: Ints) -> Ints:
    """Ports down of the boxes of a stage, by their numbers; a design states those of a full one (``striping``)."""
    stated = fabric.stages[stage].down_ports
    above = links_up(fabric)
    if not 0 < stage <= len(above):
        return np.full(index.size, stated)
    links = above[stage - 1][index]
    return stated * links // int(above[stage - 1].max())


def _strays(fabric: Fabric, wiring: Wiring) -> Iterator[Violation]:
    """Cables of a tree that lead to another pod, core group, zone or set of tops."""

    def ends(boundary: int) -> tuple[Ints, Ints, Ints]:
        bundles = wiring.bundles(boundary)
        return bundles, wiring.lower[bundles], wiring.upper[bundles]

    spines = fabric.spines_per_pod
    if len(fabric.stages) > 3:
        bundles, lower, upper = ends(CORE_TOP)
        core = wiring.group[lower] % spines * fabric.cores_per_spine + wiring.index[lower]
        astray = core != wiring.group[upper]
        yield from miswired(wiring, bundles[astray], "core j of every zone meets the same tops, and no others")
        bundles, lower, upper = ends(SPINE_CORE)
        astray = wiring.group[lower] // fabric.pods_per_zone != wiring.group[upper] // spines
        yield from miswired(wiring, bundles[astray], "a spine meets the cores of its own zone only")
    if len(fabric.stages) > 2:
        bundles, lower, upper = ends(SPINE_CORE)
        astray = wiring.index[lower] != wiring.group[upper] % spines
        yield from miswired(wiring, bundles[astray], "core group i serves spine i of every pod")
    if len(fabric.stages) > 1:
        bundles, lower, upper = ends(LEAF_SPINE)
        astray = wiring.group[lower] != wiring.group[upper]
        yield from miswired(wiring, bundles[astray], "a leaf meets the spines of its own pod only")
