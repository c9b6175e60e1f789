"""The flow check: a design's graph, recounted, and its token traffic routed on it (``docs/flow_check.md``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import networkx as nx
import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from designer.design.types import Design
from designer.fabric.apart import cut_shares, cut_workloads, fabrics_apart
from designer.fabric.as_built import differences, wirings_of
from designer.fabric.copies import Copy, copies_of, every_copy, rows_of_copy
from designer.fabric.cuts import ScaleOut, bisection, bisection_at_nic_rate, only, scale_out_flows, scale_up_flows
from designer.fabric.flow_report import FlowMargin, FlowReport, LpCheck, Violation
from designer.fabric.placement import Ints, WiringError, one_switch
from designer.fabric.recount import recount_wiring, shortened
from designer.fabric.small_lp import INSIDE, lp_checks
from designer.fabric.tier import Tier
from designer.fabric.tiers import tiers_of
from designer.fabric.traffic import PoolTraffic, traffic_of
from designer.fabric.wiring import ACCELERATOR, NIC_LEAF, PLANE, UPPER, Wiring, wirings

TOLERANCE = Fraction(1, 10**9)
"""Needs are floats computed by others: a margin of 1 may come out short by their last bits."""

EXPAND_LIMIT = 256
"""Accelerators up to which max flows run on every endpoint; above, on the verified quotient: as exact, and quick."""

LP_TOLERANCE = 1e-6
"""Relative; HiGHS solves to about 1e-9, the rest is room for badly scaled instances."""


def flow_check(design: Design, *, expand_limit: int = EXPAND_LIMIT, graph: nx.Graph[str] | None = None) -> FlowReport:
    """Route the token traffic of every pool's plan on the fabric graph of a design.

    Reads the design alone. Nothing is raised for a bad design: what is wrong stands in ``violations``.

    Parameters
    ----------
    design
        The design.
    expand_limit
        Up to so many accelerators max flows run on the expanded graph, above on its equitable quotient (same value,
        verified).
    graph
        A graph to be checked in place of the design's own wiring, with the node names of
        :func:`~designer.fabric.fabric_graph`: every difference is a violation, and the traffic runs on it.

    Returns
    -------
    FlowReport
        ``ok`` when every count agrees, the graph is connected and every margin is at least 1.

    Raises
    ------
    TypeError, ValueError
        When ``graph`` is not a fabric graph (multigraph, edges without whole capacities).
    """
    try:
        references = wirings(design)
    except WiringError as error:
        endpoints = sum(pool.accelerators for pool in design.pools)
        return FlowReport(False, "none", endpoints, (), None, None, (), None, None, (), error.violations)
    found = [*cut_workloads(design), *cut_shares(design)]
    built, compared = references, []
    if graph is not None:
        built, alien = wirings_of(graph, references)
        found += alien
        compared = [list(differences(*pair)) for pair in zip(references, built, strict=True)]
    endpoints = sum(wiring.endpoints for wiring in built)
    expanded = endpoints <= expand_limit
    checks = []
    for number, (part, wiring) in enumerate(zip(fabrics_apart(design), built, strict=True)):
        checks.append(_check_fabric(part, wiring, expanded=expanded))
        found += compared[number] if compared else ()
        found += checks[-1].violations
    margins = [tier.margin for check in checks for tier in check.tiers if tier.margin is not None]
    fluid = [tier.fluid_margin for check in checks for tier in check.tiers if tier.fluid_margin is not None]
    least = min(margins, default=None)
    violations = tuple(shortened(found))
    return FlowReport(
        not violations,
        "expanded" if expanded else "quotient",
        endpoints,
        tuple(tier.row(least) for check in checks for tier in check.tiers),
        None if least is None else float(least),
        float(min(fluid)) if fluid else None,
        (*(flow for check in checks for flow in check.inner), *(flow for check in checks for flow in check.outer)),
        _thinnest([flow for check in checks for flow in check.across]),
        _thinnest([flow for check in checks for flow in check.at_nic_rate]),
        tuple(row for check in checks for row in check.lp),
        violations,
    )


@dataclass(frozen=True)
class _Check:
    """What the check of one fabric found; ``across`` and ``at_nic_rate`` are the bisections of its copies."""

    tiers: list[Tier]
    inner: list[FlowMargin]
    outer: list[FlowMargin]
    across: list[FlowMargin]
    at_nic_rate: list[FlowMargin]
    lp: tuple[LpCheck, ...]
    violations: list[Violation]


def _check_fabric(design: Design, wiring: Wiring, *, expanded: bool) -> _Check:
    """Recount one fabric with the pools on it, and run their traffic through it."""
    found = recount_wiring(design, wiring)
    copies = copies_of(wiring)
    found += _connectivity(wiring, copies)
    rows = traffic_of(design)
    found += _plans(design, rows)
    tiers = tiers_of(wiring, rows, copies)
    part = rows_of_copy(wiring, rows)
    inner = list(scale_up_flows(wiring, rows, expanded=expanded))
    outer: list[FlowMargin] = []
    across: list[FlowMargin] = []
    at_nic_rate: list[FlowMargin] = []
    for copy in copies:
        fabric = ScaleOut(copy, expanded)
        outer += [flow for flow in scale_out_flows(fabric, part) if flow is not None]
        for flow, kept in ((bisection(fabric, part), across), (bisection_at_nic_rate(fabric, part), at_nic_rate)):
            if flow is not None:
                kept.append(flow)
    lp = tuple(lp_checks(wiring, rows, tiers, copies))
    found += _too_small(tiers)
    found += _disagreeing(tiers, (*outer, *across), lp)
    found += [
        Violation("cut_too_small", flow.name, f"{flow.cut} carry {flow.margin:.6g} times the traffic")
        for flow in (*inner, *outer, *across)
        if flow.margin is not None and flow.margin < 1 - TOLERANCE
    ]
    return _Check(tiers, inner, outer, across, at_nic_rate, lp, found)


def _thinnest(flows: list[FlowMargin]) -> FlowMargin | None:
    return min(flows, key=lambda flow: flow.margin or 0.0, default=None)


def _connectivity(wiring: Wiring, copies: tuple[Copy, ...]) -> Iterator[Violation]:
    """Every domain hangs together over its own cables, every copy of the scale-out fabric over its own.

    Rails meet only inside the domains, so with rails the whole must hang together over both.
    """
    up = only(wiring, np.flatnonzero(wiring.boundary < NIC_LEAF))
    accelerators = np.flatnonzero(wiring.kind == ACCELERATOR)
    domain = np.column_stack([wiring.pool, wiring.group])[accelerators]
    label = _components(up)[accelerators]
    first = np.unique(domain, axis=0, return_index=True, return_inverse=True)
    for at in np.flatnonzero(label != label[first[1]][first[2].ravel()]).tolist():
        message = "scale-up cables do not join it to its domain"
        yield Violation("disconnected", wiring.name(int(accelerators[at])), message)
    cut_off = {number for copy in copies if any(_copy_apart(copy.number, copy.wiring)) for number in copy.alike}
    for number, part in every_copy(wiring) if cut_off else ():
        if number in cut_off:
            yield from _copy_apart(number, part)
    if wiring.rails > 1:
        boxes = np.flatnonzero((wiring.kind != PLANE) & (wiring.kind != UPPER))
        yield from _apart(wiring, boxes, "not even over scale-up it reaches the other rails")


def _copy_apart(number: int, part: Wiring) -> Iterator[Violation]:
    name = part.copy_name(number)
    of = f"{name} of the scale-out fabric" if name and not part.fabric else f"the scale-out {name or 'fabric'}"
    yield from _apart(part, np.arange(part.boxes), f"it is cut off from the rest of {of}")


def _apart(wiring: Wiring, boxes: Ints, message: str) -> Iterator[Violation]:
    """Name boxes outside the largest connected component."""
    label = _components(wiring)[boxes]
    for box in boxes[label != np.bincount(label).argmax()].tolist():
        yield Violation("disconnected", wiring.name(box), message)


def _components(wiring: Wiring) -> Ints:
    """Number the connected component of every box."""
    ends = wiring.lower, wiring.upper
    cables = sparse.csr_array((np.ones(wiring.lower.size, np.int8), ends), shape=(wiring.boxes, wiring.boxes))
    return np.asarray(connected_components(cables, directed=False)[1], np.int64)


def _plans(design: Design, rows: tuple[PoolTraffic, ...]) -> Iterator[Violation]:
    """What a plan and an attachment state against the traffic of the placement."""
    for row in rows:
        place, plan = f"pool {row.pool.name}", row.pool.plan
        if plan.scale_out_ep_need_gbps > 0 and not row.peers:
            message = "expert traffic leaves the domain although a replica fits in one"
            yield Violation("experts_without_peers", place, message)
        if one_switch(design.fabric):
            continue
        sizes = np.bincount(row.parts.leaf, weights=row.parts.size)
        need = max((gbps / int(sizes[leaf]) for leaf, gbps in row.leaving(row.parts.leaf)), default=Fraction(0))
        stated = Fraction(row.pool.attachment.need_gbps)
        if stated < need * (1 - TOLERANCE):
            sent = f"the placement sends {float(need):.6g}"
            message = f"stated are {float(stated):.6g} Gb/s per accelerator out of a leaf, {sent}"
            yield Violation("need_understated", place, message)


def _too_small(tiers: list[Tier]) -> Iterator[Violation]:
    for tier in tiers:
        margin = tier.margin
        if margin is not None and margin < 1 - TOLERANCE:
            message = f"{tier.cut} carry {float(tier.even):.9g} Gb/s of {float(tier.demand):.6g} Gb/s"
            leaf = tier.boundary in ("leaf_spine", "leaf_leaf", "group_group")
            place = f"{tier.group} of pool {tier.pool}" if leaf else tier.group
            yield Violation(f"oversubscribed_{tier.boundary}", place, message)


def _disagreeing(tiers: list[Tier], flows: tuple[FlowMargin, ...], lp: tuple[LpCheck, ...]) -> Iterator[Violation]:
    """A cut below the closed form, or another optimum of the programme, disproves the closed form on this graph."""
    margins = [tier.fluid_margin for tier in tiers if tier.boundary not in INSIDE and tier.fluid_margin is not None]
    for flow in flows:
        if margins and flow.margin is not None and flow.margin < float(min(margins)) * (1 - TOLERANCE):
            form = f"the closed form says {float(min(margins)):.6g}"
            message = f"{flow.cut} carry {flow.margin:.6g} times the traffic, {form}"
            yield Violation("closed_form_too_high", flow.name, message)
    for check in lp:
        if check.relative_difference > LP_TOLERANCE:
            message = f"linear programming gives {check.lp:.9g}, the closed form {check.closed_form:.9g}"
            yield Violation("closed_form_wrong", check.where, message)
