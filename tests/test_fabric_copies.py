"""Rails and planes: copies of the scale-out fabric, what they carry, and what goes wrong with them."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import replace

import networkx as nx
import pytest
from fabric_designs import EP, MESH, SPECS, FabricSpec, PoolSpec, changed_pool, design_of, take_one_link

from designer.design.types import Design
from designer.fabric import FlowReport, concurrent_flow_lp, fabric_graph, flow_check, recount, wire
from designer.fabric.copies import copies_of, every_copy

FOUR = PoolSpec(size=8, domains=4, hosts_of=4, domains_per_replica=2, **EP)


def found(design: Design, graph: nx.Graph) -> set[tuple[str, str]]:
    return {(row.rule, row.place) for row in flow_check(design, graph=graph).violations}


def figures(report: FlowReport) -> dict[tuple[str, str | None], float | None]:
    return {(row.boundary, row.pool): row.margin for row in report.boundaries}


def test_accelerators_of_one_number_in_their_hosts_share_a_rail() -> None:
    graph = fabric_graph(design_of(FabricSpec(rails=4, pools=(FOUR,))))
    for rail in range(4):
        below = {name for name in graph[f"rail{rail}/leaf2"] if "/a" in name}
        assert below == {f"chat/d2/a{rail}", f"chat/d2/a{rail + 4}"}
        assert {graph.nodes[name]["layer"] for name in below} == {rail}
    assert set(graph["rail1/leaf0"]) >= {f"rail1/pod0/spine{index}" for index in range(4)}


def test_every_nic_has_a_port_on_every_plane() -> None:
    graph = fabric_graph(design_of(FabricSpec(planes=2, rate=400, pools=(replace(FOUR, nics=2),))))
    leaves = {name: edge for name, edge in graph["chat/d1/a3"].items() if "leaf" in name}
    assert {name: (edge["links"], edge["rate_gbps"]) for name, edge in leaves.items()} == {
        "plane0/leaf1": (2, 400),
        "plane1/leaf1": (2, 400),
    }


def test_copies_share_nothing() -> None:
    design = design_of(SPECS["rails and planes, three stages"])
    graph = fabric_graph(design)
    switches = graph.subgraph([name for name, kind in graph.nodes(data="kind") if kind in ("leaf", "spine", "core")])
    components = list(nx.connected_components(switches))
    assert len(components) == 4
    assert [len({name.rsplit("/leaf")[0] for name in part if "leaf" in name}) for part in components] == [1] * 4
    wiring = wire(design)
    parts = [part for _, part in every_copy(wiring)]
    assert sum(part.lower.size for part in parts) == sum(
        1 for _, _, name in graph.edges(data="boundary") if not name.startswith("scale_up")
    )
    assert [copy.alike for copy in copies_of(wiring)] == [(0, 1, 2, 3)]


@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize(("rails", "planes"), [(2, 1), (4, 1), (1, 2), (2, 2)])
def test_the_same_switching_in_copies_has_the_same_margins(stages: int, rails: int, planes: int) -> None:
    """Cut a fabric into rails by its boxes and into planes by its rates: as much traffic over as many Gb/s."""
    pool = replace(FOUR, domains_per_replica=4, scale_up_need=100.0)
    one = flow_check(design_of(FabricSpec(stages=stages, spines=8, pools=(pool,))))
    many = flow_check(
        design_of(
            FabricSpec(stages=stages, spines=8 // rails, rate=800 // planes, rails=rails, planes=planes, pools=(pool,))
        )
    )
    assert one.ok, one.violations
    assert many.ok, many.violations
    inner = ("scale_up", "chat")
    ones, others = figures(one), figures(many)
    assert {key: value for key, value in others.items() if key != inner} == {
        key: value for key, value in ones.items() if key != inner
    }
    outer = [[flow.margin for flow in report.flows if not flow.name.startswith("scale-up")] for report in (one, many)]
    assert outer[0] == outer[1]
    for a, b in ((one.bisection, many.bisection), (one.bisection_at_nic_rate, many.bisection_at_nic_rate)):
        assert a is not None
        assert b is not None
        assert a.margin == b.margin
    assert all(check.relative_difference < 1e-8 for check in many.lp)


def test_traffic_to_other_rails_runs_through_the_domain() -> None:
    pool = replace(FOUR, scale_up_need=12_600.0)
    flat = flow_check(design_of(FabricSpec(pools=(pool,))))
    assert flat.ok, flat.violations
    # 300 + 50 Gb/s through the NIC, three quarters of it for other rails: 12,862.5 of 12,800 Gb/s.
    railed = flow_check(design_of(FabricSpec(rails=4, pools=(pool,))))
    assert {row.rule for row in railed.violations} == {"oversubscribed_scale_up", "cut_too_small"}
    assert railed.boundaries[0].demand_gbps == 12_600 + 0.75 * 350
    # A NIC forwards no more than it can send.
    fast = replace(pool, ep_need=2000.0, scale_up_need=100.0)
    report = flow_check(design_of(FabricSpec(rails=2, spines=16, pools=(fast,))))
    assert report.boundaries[0].demand_gbps == 100 + 0.5 * 800


def test_a_mesh_forwards_over_the_links_to_other_rails_only() -> None:
    pool = replace(MESH, ports=3, scale_up_need=1200.0, other_need=400.0)
    alone, whole = (
        flow_check(design_of(FabricSpec(stages=1, rails=rails, pools=(pool,)))).boundaries[0] for rails in (1, 4)
    )
    assert alone.margin == 3 * 800 / 1200
    # Four rails: 300 Gb/s to each of three others, which is all-to-all.
    assert whole.margin == pytest.approx(3 * 800 / (1200 + 300), rel=1e-12)
    # Two rails: 200 Gb/s over two links of three: 400 + 100 on each, not (1200 + 200) / 3.
    half = flow_check(design_of(FabricSpec(stages=1, rails=2, pools=(pool,)))).boundaries[0]
    assert half.margin == pytest.approx(800 / 500, rel=1e-12)
    assert half.fluid_margin == half.margin


@pytest.mark.parametrize(
    ("dims", "rails", "exact"),
    [((4, 4), 4, True), ((4, 4), 2, True), ((4, 2), 4, True), ((3, 2), 2, True), ((2, 2), 4, True), ((4, 3), 2, False)],
)
def test_a_torus_that_forwards_to_other_rails(dims: tuple[int, ...], rails: int, exact: bool) -> None:
    size = math.prod(dims)
    pool = PoolSpec(
        kind="torus",
        size=size,
        domains=1,
        hosts_of=rails,
        dims=dims,
        ports=4,
        shares=(),
        scale_up_need=300.0,
        other_need=200.0,
    )
    design = design_of(FabricSpec(stages=1, rails=rails, pools=(pool,)))
    report = flow_check(design)
    assert report.ok, report.violations
    graph = fabric_graph(design)
    inner = graph.edge_subgraph([(a, b) for a, b, name in graph.edges(data="boundary") if name == "scale_up"])
    demands = {}
    for a, b in itertools.permutations(range(size), 2):
        # Each rail gets 1/rails of what a NIC sends, spread over its size/rails accelerators of the domain.
        forwarded = 200 / rails / (size / rails) if a % rails != b % rails else 0.0
        demands[f"chat/d0/a{a}", f"chat/d0/a{b}"] = 300 / (size - 1) + forwarded
    theta = concurrent_flow_lp(inner, demands)
    margin = report.boundaries[0].margin
    assert margin is not None
    assert bool(report.lp) == exact
    if exact:
        assert margin == pytest.approx(theta, rel=1e-8)
    else:
        assert margin < theta
    # Never better than what forwarding to everyone would leave.
    usable = design.pools[0].scale_up.usable_gbps
    assert margin >= usable / (300 + 200 * (size - 1) / size) * (1 - 1e-12)


def test_a_miswired_rail_is_named() -> None:
    design = design_of(FabricSpec(rails=2, pools=(FOUR,)))
    graph = fabric_graph(design)
    edge = dict(graph.edges["chat/d0/a1", "rail1/leaf0"])
    graph.remove_edge("chat/d0/a1", "rail1/leaf0")
    graph.add_edge("chat/d0/a1", "rail0/leaf0", **edge)
    report = flow_check(design, graph=graph)
    seen = {(row.rule, row.place) for row in report.violations}
    assert {("miswired", "chat/d0/a1"), ("miswired", "chat/d0/a1 - rail0/leaf0")} <= seen
    assert ("disconnected", "chat/d0/a1") in seen
    assert ("oversubscribed_nic_leaf", "chat/d0/a1") in seen
    assert ("leaf_ports", "rail0/leaf0") in seen


def test_rails_that_share_a_switch_are_named() -> None:
    design = design_of(FabricSpec(rails=2, pools=(FOUR,)))
    graph = fabric_graph(design)
    edge = dict(graph.edges["rail0/leaf0", "rail0/pod0/spine1"])
    graph.remove_edge("rail0/leaf0", "rail0/pod0/spine1")
    graph.add_edge("rail0/leaf0", "rail1/pod0/spine1", **edge)
    rows = flow_check(design, graph=graph).violations
    assert any(row.place == "rail0/leaf0 - rail1/pod0/spine1" and "share no switch" in row.message for row in rows)
    assert ("miswired", "rail0/leaf0") in {(row.rule, row.place) for row in rows}


def test_one_plane_short_is_named() -> None:
    design = design_of(FabricSpec(planes=2, rate=400, pools=(FOUR,)))
    graph = fabric_graph(design)
    take_one_link(graph, "chat/d3/a7", "plane1/leaf3")
    report = flow_check(design, graph=graph)
    seen = {(row.rule, row.place) for row in report.violations}
    assert {
        ("missing_links", "chat/d3/a7 - plane1/leaf3"),
        ("nic_ports", "chat/d3/a7"),
        ("nics", "pool chat"),
        ("disconnected", "chat/d3/a7"),
        ("oversubscribed_nic_leaf", "chat/d3/a7"),
    } <= seen
    # A design that has cables for one plane of two.
    pool = design.pools[0]
    short = changed_pool(design, nic_leaf=replace(pool.nic_leaf, links=pool.nics))
    assert {row.rule for row in recount(short)} == {"links_nic_leaf"}
    single = replace(design, fabric=replace(design.fabric, planes=1))
    assert {"links_nic_leaf", "links_leaf_spine"} <= {row.rule for row in recount(single)}


def test_traffic_is_spread_evenly_over_planes_so_the_thin_one_decides() -> None:
    design = design_of(FabricSpec(planes=2, rate=400, spines=8, pools=(FOUR,)))
    assert flow_check(design).ok
    graph = fabric_graph(design)
    graph.remove_nodes_from([f"plane1/pod0/spine{index}" for index in range(6)])
    report = flow_check(design, graph=graph)
    before = figures(flow_check(design))["leaf_spine", "chat"]
    after = figures(report)["leaf_spine", "chat"]
    assert before is not None
    assert after == pytest.approx(before / 4)
    assert any(
        row.rule == "oversubscribed_leaf_spine" and row.place.startswith("plane1/leaf0") for row in report.violations
    )
    # Two ways of wiring, each looked at; the plane that is whole still carries its share.
    names = {flow.name: flow.margin for flow in report.flows if flow.name.startswith("experts")}
    assert set(names) == {"experts in plane0", "experts in plane1"}
    assert names["experts in plane0"] > names["experts in plane1"]
    assert report.bisection is not None
    assert "in plane1" in report.bisection.name


def test_rails_meet_only_inside_the_domains() -> None:
    pool = replace(FOUR, domains=2, hosts_of=8)
    design = design_of(FabricSpec(rails=2, pools=(pool,)))
    assert flow_check(design).ok
    graph = fabric_graph(design)
    outer = [(a, b) for a, b, name in graph.edges(data="boundary") if name != "scale_up"]
    assert nx.number_connected_components(graph.edge_subgraph(outer)) == 2
    graph.remove_edges_from([(a, b) for a, b, name in graph.edges(data="boundary") if name == "scale_up"])
    rows = flow_check(design, graph=graph).violations
    assert any("other rails" in row.message for row in rows)
    assert not any("other rails" in row.message for row in flow_check(design).violations)


def test_one_copy_cut_in_two_is_disconnected_though_the_whole_is_not() -> None:
    design = design_of(FabricSpec(rails=2, pools=(FOUR,)))
    graph = fabric_graph(design)
    graph.remove_edges_from([("rail1/leaf2", f"rail1/pod0/spine{index}") for index in range(4)])
    assert nx.is_connected(graph)
    rows = [row for row in flow_check(design, graph=graph).violations if row.rule == "disconnected"]
    assert "rail1/leaf2" in {row.place for row in rows}
    assert all("rail1 of the scale-out fabric" in row.message for row in rows)


def test_wrong_counts_of_copies_are_named() -> None:
    design = design_of(FabricSpec(rails=2, planes=2, rate=400, pools=(FOUR,)))
    pool, fabric = design.pools[0], design.fabric
    stages = tuple(replace(stage, count=4 * stage.count) for stage in fabric.stages)
    cases = {
        "boxes_leaf": replace(design, fabric=replace(fabric, stages=stages)),
        "links_leaf_spine": replace(
            design, fabric=replace(fabric, boundaries=(replace(fabric.boundaries[0], links=16),))
        ),
        "group": changed_pool(design, attachment=replace(pool.attachment, group=8)),
        "leaves": changed_pool(design, attachment=replace(pool.attachment, leaves=16)),
        "rails": changed_pool(design, hosts=32),
        "wiring_number": replace(design, fabric=replace(fabric, planes=0)),
    }
    assert not recount(design)
    for rule, case in cases.items():
        assert rule in {row.rule for row in recount(case)}, rule
    odd = replace(design, fabric=replace(fabric, rails=3))
    assert {row.rule for row in flow_check(odd).violations} == {"rails"}


@pytest.mark.parametrize("name", ["rails", "planes", "rails and planes, three stages"])
def test_flows_of_a_copy_are_the_same_on_every_endpoint_and_on_the_quotient(name: str) -> None:
    design = design_of(SPECS[name])
    graph = fabric_graph(design)
    last = sorted(one for one in graph if "leaf" in one)[-1]
    take_one_link(graph, last, next(iter(sorted(two for two in graph[last] if "spine" in two))))
    reports = [flow_check(design, graph=graph, expand_limit=limit) for limit in (0, 8000)]
    assert [report.engine for report in reports] == ["quotient", "expanded"]
    margins = [[(flow.name, flow.margin) for flow in report.flows] for report in reports]
    assert margins[0] == margins[1]
    assert len(copies_of(wire(design))) == 1
    assert len({flow for flow, _ in margins[0] if flow.startswith(("experts", "outside"))}) >= 2


def test_a_hundred_thousand_accelerators_on_planes_and_rails() -> None:
    pool = PoolSpec(
        size=72,
        domains=1400,
        hosts_of=4,
        shares=(1,) * 18,
        port_gbps=400,
        domains_per_replica=10,
        nic_rate=800,
        scale_up_need=3000.0,
        ep_need=173.29341,
        other_need=33.337,
        domains_per_leaf=4,
    )
    spec = FabricSpec(
        stages=3, rails=4, planes=4, rate=200, spines=18, leaves_per_pod=35, cores_per_spine=35, pools=(pool,)
    )
    design = design_of(spec)
    begin = time.process_time()
    report = flow_check(design)
    assert time.process_time() - begin < 30
    assert report.ok, report.violations
    assert (report.engine, report.endpoints) == ("quotient", 100_800)
    assert all("16 copies wired alike" in flow.name for flow in report.flows[1:])
    leaf = next(row for row in report.boundaries if row.boundary == "leaf_spine")
    # 72 accelerators of a rail below a leaf of 4 domains, which keep the experts of 3 of their 9 other domains inside,
    # or where two replicas meet on a leaf of 1: 7/9 on average over two pairs of domains.
    assert leaf.capacity_gbps == 18 * 200
    assert leaf.demand_gbps == pytest.approx(72 * (173.29341 * 8 / 9 + 33.337) / 4, rel=1e-12)
