"""Domains of two switch stages, full meshes and tori: wiring, all-to-all, what goes wrong."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from fabric_designs import CLOS, MESH, TORUS, FabricSpec, PoolSpec, changed_pool, design_of, take_one_link
from scipy.optimize import linprog

from designer.design.types import Design
from designer.fabric import FlowReport, concurrent_flow_lp, fabric_graph, flow_check, quotient_graph, recount, wire
from designer.fabric.cuts import domain_wiring, graph_of_cells

ONE = FabricSpec(stages=1)
RATE = 800


def torus(*dims: int, domains: int = 1, **changes: object) -> Design:
    size = math.prod(dims)
    pool = PoolSpec(
        kind="torus", size=size, domains=domains, hosts_of=1, dims=dims, ports=2 * len(dims), shares=(), **changes
    )
    return design_of(replace(ONE, pools=(pool,)))


def found(design: Design, graph: nx.Graph) -> set[tuple[str, str]]:
    return {(row.rule, row.place) for row in flow_check(design, graph=graph).violations}


def domain_of(design: Design) -> nx.Graph:
    graph = fabric_graph(design)
    kept = [(one, two) for one, two, name in graph.edges(data="boundary") if name.startswith("scale_up")]
    return graph.edge_subgraph(kept).copy()


def usable_by_programme(design: Design) -> float:
    """Gb/s of every accelerator in all-to-all, by the concurrent flow programme."""
    graph, size = domain_of(design), design.pools[0].domain_size
    names = [f"{design.pools[0].name}/d0/a{index}" for index in range(size)]
    each = 1 / (size - 1)
    return concurrent_flow_lp(graph, {(a, b): each for a in names for b in names if a != b})


def usable_by_routing(dims: tuple[int, ...]) -> Fraction:
    """Dimension-order routing of every pair, written out: both ways round where they are equally long."""
    load: Counter[tuple[tuple[int, ...], int, int]] = Counter()
    places = list(itertools.product(*(range(length) for length in dims)))
    for source, target in itertools.permutations(places, 2):
        here = list(source)
        for side, length in enumerate(dims):
            ahead = (target[side] - here[side]) % length
            ways = [(1, ahead)] if 2 * ahead < length else [(-1, length - ahead)]
            if ahead and 2 * ahead == length:
                ways = [(1, ahead), (-1, ahead)]
            for step, hops in ways:
                at = here.copy()
                for _ in range(hops):
                    load[tuple(at), side, step] += Fraction(1, len(ways))
                    at[side] = (at[side] + step) % length
            here[side] = target[side]
    # Every accelerator sends 1 to each other; a link has the rate of one port.
    return RATE * (len(places) - 1) / Fraction(max(load.values()))


SMALL = [(3, 3), (4, 4), (4, 4, 4), (4, 2), (5, 3), (2, 2, 2), (5,), (2,), (6, 1, 2)]


@pytest.mark.parametrize("dims", SMALL)
def test_closed_form_of_a_torus_is_its_routing_and_its_maximum_concurrent_flow(dims: tuple[int, ...]) -> None:
    design = torus(*dims, scale_up_need=100.0)
    row = flow_check(design).boundaries[0]
    assert row.capacity_gbps == pytest.approx(float(usable_by_routing(dims)), rel=1e-12)
    assert row.capacity_gbps == row.fluid_gbps == pytest.approx(design.pools[0].scale_up.usable_gbps, rel=1e-12)
    if math.prod(dims) <= 16:
        assert row.capacity_gbps == pytest.approx(usable_by_programme(design), rel=1e-8)


@pytest.mark.parametrize("dims", [(3, 3), (4, 2), (4, 4, 4), (5, 3, 2), (8, 8)])
def test_larger_tori_by_the_programme_of_one_source(dims: tuple[int, ...]) -> None:
    """Translations of a torus are automorphisms, so an optimum of the programme can be averaged over them.

    Then the load of a link is what one source sends over all links of its side and direction: one source is enough.
    """
    design, size = torus(*dims, scale_up_need=100.0), math.prod(dims)
    graph = domain_of(design)
    node = {f"chat/d0/a{index}": index for index in range(size)}
    place = dict(enumerate(itertools.product(*(range(length) for length in dims))))
    number = {at: index for index, at in place.items()}

    def moved(index: int, side: int, step: int) -> int:
        at = list(place[index])
        at[side] = (at[side] + step) % dims[side]
        return number[tuple(at)]

    cables = {frozenset((node[a], node[b])): links for a, b, links in graph.edges(data="links")}
    for side in range(len(dims)):
        turned = {frozenset(moved(end, side, 1) for end in ends): links for ends, links in cables.items()}
        assert turned == cables
    arcs = [(at, side, step) for side in range(len(dims)) for step in (1, -1) for at in range(size)]
    # A link each way along every side: two between the same two where the side is 2 long.
    assert sum(cables.values()) * 2 == len(arcs)
    balance = np.zeros((size, len(arcs) + 1))
    load = np.zeros((2 * len(dims), len(arcs) + 1))
    for column, (at, side, step) in enumerate(arcs):
        balance[at, column] += 1
        balance[moved(at, side, step), column] -= 1
        load[2 * side + (step > 0), column] = 1
    balance[0, -1] = -1.0
    balance[1:, -1] = 1 / (size - 1)
    cost = np.zeros(len(arcs) + 1)
    cost[-1] = -1
    answer = linprog(cost, A_ub=load, b_ub=np.ones(len(load)), A_eq=balance, b_eq=np.zeros(size), method="highs")
    assert answer.x[-1] * RATE == pytest.approx(flow_check(design).boundaries[0].capacity_gbps, rel=1e-8)


def test_8x8x8_carries_a_sixth_of_its_ports() -> None:
    report = flow_check(torus(8, 8, 8, scale_up_need=700.0, other_need=1.0))
    assert report.ok, report.violations
    assert report.boundaries[0].capacity_gbps == pytest.approx(RATE * 511 / 512)
    assert "along the side of 8 of its 8x8x8 torus (512 links" in report.boundaries[0].cut
    assert not flow_check(torus(8, 8, 8, scale_up_need=810.0)).ok


def test_the_check_of_a_torus_is_all_to_all_not_a_cut() -> None:
    # 1.7 ports leave an accelerator of four and the half it stands in; all-to-all fits 1.6.
    report = flow_check(torus(5, 5, scale_up_need=1.7 * RATE))
    halves = next(flow for flow in report.flows if flow.name.startswith("scale-up"))
    assert halves.margin is not None
    assert halves.margin > 1
    assert {row.rule for row in report.violations} == {"oversubscribed_scale_up"}
    assert report.boundaries[0].margin == pytest.approx(1.6 / 1.7)


@pytest.mark.parametrize("dims", [(5, 5), (4, 3), (3, 3, 2), (7,), (6, 4)])
def test_halves_of_a_torus_are_the_same_on_its_quotient(dims: tuple[int, ...]) -> None:
    design = torus(*dims, scale_up_need=100.0)
    reports = [flow_check(design, expand_limit=limit) for limit in (0, 8000)]
    assert [report.engine for report in reports] == ["quotient", "expanded"]
    halves = [[flow.margin for flow in report.flows if flow.name.startswith("scale-up")] for report in reports]
    assert halves[0] == halves[1]
    # And on a torus that is no longer whole.
    graph = fabric_graph(design)
    take_one_link(graph, *min(domain_of(design).edges()))
    reports = [flow_check(design, expand_limit=limit, graph=graph) for limit in (0, 8000)]
    halves = [[flow.margin for flow in report.flows if flow.name.startswith("scale-up")] for report in reports]
    assert halves[0] == halves[1]


def test_cables_between_two_cells_are_added_up_whichever_end_is_the_lower() -> None:
    ring = domain_wiring(wire(torus(6)), 0, 0)
    graph = graph_of_cells(ring, np.array([0, 1, 0, 2, 3, 2]))
    assert {(a, b): gbps for a, b, gbps in graph.edges(data="capacity_gbps")} == {
        (0, 1): 2 * RATE,
        (0, 2): 2 * RATE,
        (2, 3): 2 * RATE,
    }


def test_neighbours_of_a_torus_wrap_round_and_sides_of_two_have_two_links() -> None:
    graph = domain_of(torus(4, 2))
    assert {name: edge["links"] for name, edge in graph["chat/d0/a0"].items()} == {
        "chat/d0/a1": 2,
        "chat/d0/a2": 1,
        "chat/d0/a6": 1,
    }
    ports = Counter(sum(edge["links"] for edge in graph[name].values()) for name in graph)
    assert ports == {4: 8}


def test_a_torus_without_wrap_is_named() -> None:
    design = torus(4, 4, domains=2, scale_up_need=100.0)
    assert flow_check(design).ok
    graph = fabric_graph(design)
    wrap = [(f"chat/d1/a{index}", f"chat/d1/a{12 + index}") for index in range(4)]
    graph.remove_edges_from(wrap)
    report = flow_check(design, graph=graph)
    seen = {(row.rule, row.place) for row in report.violations}
    assert {("missing_links", f"{one} - {two}") for one, two in wrap} <= seen
    assert ("oversubscribed_scale_up", "chat/d1") in seen
    assert ("links_scale_up", "pool chat") in seen
    assert ("accelerator_ports", "chat/d1/a0") in seen
    # Half the cables across the middle are gone; shortest paths would still use them.
    assert report.boundaries[0].margin == 0
    fluid = report.boundaries[0].fluid_margin
    assert fluid is not None
    assert fluid < 2 * RATE * 15 / 16 / 100


def test_one_torus_cable_missing_or_miswired_is_named() -> None:
    design = torus(4, 4, scale_up_need=100.0)
    graph = fabric_graph(design)
    take_one_link(graph, "chat/d0/a0", "chat/d0/a1")
    assert {("missing_links", "chat/d0/a0 - chat/d0/a1"), ("accelerator_ports", "chat/d0/a1")} <= found(design, graph)
    graph.add_edge("chat/d0/a0", "chat/d0/a5", boundary="scale_up", links=1, rate_gbps=RATE, capacity_gbps=RATE)
    seen = found(design, graph)
    assert {("miswired", "chat/d0/a0"), ("miswired", "chat/d0/a0 - chat/d0/a5")} <= seen


def test_a_torus_cable_to_another_domain_is_named() -> None:
    design = torus(3, 3, domains=2, scale_up_need=100.0)
    graph = fabric_graph(design)
    graph.remove_edge("chat/d0/a0", "chat/d0/a1")
    graph.add_edge("chat/d1/a1", "chat/d0/a0", boundary="scale_up", links=1, rate_gbps=RATE, capacity_gbps=RATE)
    messages = {
        row.message for row in flow_check(design, graph=graph).violations if row.place == "chat/d0/a0 - chat/d1/a1"
    }
    assert "a scale-up cable leaves its domain" in messages


def test_accelerators_behind_switches_are_never_joined_directly() -> None:
    design = design_of(FabricSpec())
    graph = fabric_graph(design)
    graph.add_edge("chat/d0/a0", "chat/d0/a1", links=1, rate_gbps=RATE, capacity_gbps=RATE)
    assert ("miswired", "chat/d0/a0 - chat/d0/a1") in found(design, graph)
    straight = design_of(replace(ONE, pools=(MESH,)))
    graph = fabric_graph(straight)
    graph.add_edge("m/d0/a0", "m/d0/a0", links=1, rate_gbps=RATE, capacity_gbps=RATE)
    assert ("miswired", "m/d0/a0 - m/d0/a0") in found(straight, graph)


@pytest.mark.parametrize(("size", "ports"), [(2, 3), (4, 7), (8, 7), (5, 4)])
def test_a_mesh_carries_its_direct_links(size: int, ports: int) -> None:
    design = design_of(replace(ONE, pools=(replace(MESH, size=size, hosts_of=size, ports=ports, scale_up_need=50.0),)))
    report = flow_check(design)
    assert report.ok, report.violations
    each = ports // (size - 1)
    row = report.boundaries[0]
    assert row.capacity_gbps == row.fluid_gbps == (size - 1) * each * RATE
    assert row.capacity_gbps == pytest.approx(usable_by_programme(design), rel=1e-8)
    assert report.lp[0].relative_difference < 1e-8


def test_a_mesh_link_that_is_missing_is_named() -> None:
    design = design_of(replace(ONE, pools=(MESH,)))
    graph = fabric_graph(design)
    take_one_link(graph, "m/d1/a0", "m/d1/a3")
    report = flow_check(design, graph=graph)
    seen = {(row.rule, row.place) for row in report.violations}
    assert {("missing_links", "m/d1/a0 - m/d1/a3"), ("links_scale_up", "pool m")} <= seen
    row = report.boundaries[0]
    assert (row.group, row.capacity_gbps, row.fluid_gbps) == ("m/d1/a0", 3 * RATE, 5 * RATE)


def margin_in(report: FlowReport, boundary: str) -> float | None:
    return next(row.margin for row in report.boundaries if row.boundary == boundary)


def test_two_switch_stages() -> None:
    design = design_of(FabricSpec(pools=(CLOS,)))
    graph = fabric_graph(design)
    assert set(graph["c/d1/plane0/group1"]) == {
        *(f"c/d1/a{index}" for index in range(4, 8)),
        "c/d1/plane0/upper0",
        "c/d1/plane0/upper1",
    }
    assert {edge["links"] for edge in graph["c/d1/plane0/upper1"].values()} == {4}
    report = flow_check(design)
    assert report.ok, report.violations
    # 4 of 7 others are in the other group; 8 uplinks on each of 2 planes for 4 accelerators.
    row = next(row for row in report.boundaries if row.boundary == "scale_up_upper")
    assert row.demand_gbps == pytest.approx(4 * CLOS.scale_up_need * 4 / 7)
    assert row.capacity_gbps == row.fluid_gbps == 2 * 8 * RATE
    check = next(check for check in report.lp if check.where == "scale-up c")
    assert check.relative_difference < 1e-8
    assert usable_by_programme(design) == pytest.approx(4 * RATE, rel=1e-8)


def test_a_second_stage_that_blocks_is_found() -> None:
    thin = replace(CLOS, links_per_pair=1, upper_switches=2, scale_up_need=1000.0)
    report = flow_check(design_of(FabricSpec(pools=(thin,))))
    assert {row.rule for row in report.violations} == {"upper_stage_blocks"}
    assert usable_by_programme(design_of(FabricSpec(pools=(thin,)))) == pytest.approx(2 * 2 * RATE / (4 * 4 / 7))
    assert margin_in(report, "scale_up_upper") == pytest.approx(2 * 2 * RATE / (4 * 4 / 7) / 1000)
    assert all(check.relative_difference < 1e-8 for check in report.lp)
    busy = flow_check(design_of(FabricSpec(pools=(replace(thin, scale_up_need=2000.0),))))
    assert "oversubscribed_scale_up_upper" in {row.rule for row in busy.violations}
    flow = next(flow for flow in busy.flows if flow.name.startswith("scale-up"))
    assert flow.margin == pytest.approx(margin_in(busy, "scale_up_upper"))


def test_what_a_group_forwards_to_other_rails_is_in_the_programme() -> None:
    thin = replace(CLOS, links_per_pair=1, scale_up_need=700.0, other_need=400.0)
    report = flow_check(design_of(FabricSpec(rails=2, pools=(thin,))))
    row = next(row for row in report.boundaries if row.boundary == "scale_up_upper")
    # Of 7 others 4 stand in the other group; of 4 on the other rail 2.
    assert row.demand_gbps == pytest.approx(4 * (700 * 4 / 7 + 200 / 2))
    assert row.binding
    check = next(check for check in report.lp if check.where == "scale-up c")
    assert check.closed_form == pytest.approx(row.margin)
    assert check.relative_difference < 1e-8
    flow = next(flow for flow in report.flows if flow.name.startswith("scale-up"))
    assert flow.margin == pytest.approx(row.margin)


def test_the_thinnest_plane_of_a_group_decides() -> None:
    design = design_of(FabricSpec(pools=(CLOS,)))
    graph = fabric_graph(design)
    for top in range(2):
        take_one_link(graph, "c/d1/plane1/group0", f"c/d1/plane1/upper{top}")
    report = flow_check(design, graph=graph)
    row = next(row for row in report.boundaries if row.boundary == "scale_up_upper")
    assert (row.group, row.capacity_gbps, row.fluid_gbps) == ("c/d1/group0", 2 * 6 * RATE, (6 + 8) * RATE)
    seen = {(row.rule, row.place) for row in report.violations}
    assert {("plane_ports", "c/d1/plane1/group0"), ("upper_ports", "c/d1/plane1/upper1")} <= seen


def test_cables_of_two_stages_that_stray_are_named() -> None:
    design = design_of(FabricSpec(pools=(CLOS,)))
    for was, now, place, words in (
        (("c/d0/a0", "c/d0/plane1/group0"), ("c/d0/a0", "c/d0/plane1/group1"), "c/d0/a0", "own group"),
        (
            ("c/d0/plane0/group0", "c/d0/plane0/upper0"),
            ("c/d0/plane0/group0", "c/d0/plane1/upper0"),
            "c/d0/plane0/group0",
            "own plane",
        ),
    ):
        graph = fabric_graph(design)
        edge = dict(graph.edges[was])
        graph.remove_edge(*was)
        graph.add_edge(*now, **edge)
        rows = flow_check(design, graph=graph).violations
        assert ("miswired", place) in {(row.rule, row.place) for row in rows}
        assert any(row.rule == "miswired" and row.place == " - ".join(now) and words in row.message for row in rows)
        assert ("missing_links", " - ".join(was)) not in {(row.rule, row.place) for row in rows}


def test_a_group_without_its_second_stage_is_disconnected() -> None:
    design = design_of(FabricSpec(pools=(CLOS,)))
    graph = fabric_graph(design)
    graph.remove_nodes_from([name for name in list(graph) if "d0" in name and "upper" in name])
    report = flow_check(design, graph=graph)
    assert ("disconnected", "c/d0/a4") in {(row.rule, row.place) for row in report.violations}
    assert {"missing_box", "links_scale_up_upper", "oversubscribed_scale_up_upper"} <= {
        row.rule for row in report.violations
    }


def test_wrong_counts_of_the_new_domains_are_named() -> None:
    clos, mesh, ring = (design_of(replace(ONE, pools=(pool,))) for pool in (CLOS, MESH, replace(TORUS, **NO_EXPERTS)))

    def other(design: Design, **changes: object) -> Design:
        return changed_pool(design, scale_up=replace(design.pools[0].scale_up, **changes))

    upper = clos.pools[0].scale_up.upper
    assert upper is not None
    cases = {
        "scale_up_upper_switches": other(clos, upper=replace(upper, switches=7)),
        "uplinks": other(clos, upper=replace(upper, uplinks=7)),
        "links_scale_up_upper": other(clos, upper=replace(upper, boundary=replace(upper.boundary, links=1))),
        "rate_scale_up_upper": other(clos, upper=replace(upper, boundary=replace(upper.boundary, rate_gbps=1))),
        "upper_stage": other(clos, upper=None),
        "plane_shares": other(clos, shares=(3, 1)),
        "direct_wiring": other(mesh, switch="plane"),
        "scale_up_switches": other(mesh, switches=1),
        "planes": other(mesh, planes=1),
        "mesh": other(mesh, ports_per_accelerator=2),
        "torus": other(ring, dims=(4, 3)),
        "ports_per_accelerator": other(ring, ports_per_accelerator=3),
        "scale_up_usable": other(ring, usable_gbps=ring.pools[0].scale_up.usable_gbps * 1.000001),
        "scale_up_kind": other(ring, kind="ring"),
    }
    for design in (clos, mesh, ring):
        assert not recount(design)
    for rule, case in cases.items():
        assert rule in {row.rule for row in recount(case)}, rule
        assert rule in {row.rule for row in flow_check(case).violations}, rule


NO_EXPERTS = {"domains_per_replica": 1, "ep_need": 0.0}


def test_a_pod_of_thousands_in_one_torus_is_quick_on_the_quotient() -> None:
    design = torus(28, 20, 16, scale_up_need=200.0, other_need=1.0)
    report = flow_check(design)
    assert report.ok, report.violations
    assert report.engine == "quotient"
    assert report.boundaries[0].capacity_gbps == pytest.approx(2 * RATE * 8959 / (8960 * 7), rel=1e-12)
    # The narrowest middle: 20 x 16 rings cut twice; with an even longest side it is the all-to-all figure.
    halves = report.flows[0]
    assert halves.margin == pytest.approx(report.boundaries[0].margin, rel=1e-12)


def test_the_quotient_of_a_torus_is_one_node_per_domain() -> None:
    graph = quotient_graph(torus(4, 4, domains=3))
    assert sorted(members for _, members in graph.nodes(data="members")) == [1, 16, 16, 16]
