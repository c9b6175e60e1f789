"""The fabric room: graph and recount, quotient, closed form against linear programming, tampering, margins."""

from __future__ import annotations

import itertools
import resource
import time
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from fabric_designs import FabricSpec, PoolSpec, design_of, leaves_of, with_needs
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.design.types import Design
from designer.fabric import (
    NotEquitableError,
    WiringError,
    concurrent_flow_lp,
    fabric_graph,
    flow_check,
    quotient_graph,
    recount,
    verify_equitable,
    wire,
)
from designer.fabric.max_flow import largest_multiple

EP = {"ep_need": 300.0, "other_need": 50.0}
TWO_POOLS = (
    PoolSpec("p", "w", "prefill", size=4, domains=4, hosts_of=2, domains_per_replica=2, shares=(5, 4, 4, 5), **EP),
    PoolSpec(
        "d",
        "w",
        "decode",
        size=4,
        domains=3,
        hosts_of=2,
        domains_per_replica=3,
        shares=(2, 2),
        scale_up_need=1500.0,
        **EP,
    ),
)
SPLIT = PoolSpec("s", "s", size=8, domains=2, hosts_of=4, leaves_per_domain=2, domains_per_replica=2, **EP)
SPECS = {
    "one stage": FabricSpec(stages=1),
    "one stage, two pools": FabricSpec(stages=1, pools=TWO_POOLS),
    "two stages": FabricSpec(stages=2, pools=(PoolSpec(domains_per_replica=2, **EP),)),
    "two stages, parallel uplinks": FabricSpec(
        stages=2, m=3, spines=2, pools=(PoolSpec(domains_per_replica=4, shares=(5, 4, 4, 5), **EP),)
    ),
    "two stages, two pools": FabricSpec(stages=2, spines=3, pools=TWO_POOLS),
    "two stages, last leaf short": FabricSpec(
        stages=2, spines=6, pools=(PoolSpec(size=4, domains=5, hosts_of=2, domains_per_leaf=2, other_need=150.0),)
    ),
    "two stages, split domains": FabricSpec(stages=2, pools=(SPLIT,)),
    "two stages, replicas across leaves": FabricSpec(
        stages=2,
        spines=5,
        pools=(PoolSpec(size=2, hosts_of=2, domains=6, domains_per_leaf=2, domains_per_replica=3, **EP),),
    ),
    "three stages": FabricSpec(
        stages=3, spines=3, pools=(PoolSpec(size=4, hosts_of=4, domains=6, domains_per_replica=3, **EP),)
    ),
    "three stages, last pod short": FabricSpec(
        stages=3,
        m=2,
        spines=2,
        leaves_per_pod=2,
        m2=2,
        cores_per_spine=1,
        pools=(PoolSpec(size=4, hosts_of=4, domains=5, domains_per_replica=5, **EP),),
    ),
    "three stages, two pools": FabricSpec(stages=3, spines=3, leaves_per_pod=3, cores_per_spine=4, pools=TWO_POOLS),
    "three stages, split domains": FabricSpec(stages=3, leaves_per_pod=3, pools=(SPLIT, TWO_POOLS[0])),
}


@pytest.fixture(params=SPECS.values(), ids=SPECS.keys())
def spec(request: pytest.FixtureRequest) -> FabricSpec:
    return request.param


def rules_of(design: Design, graph: nx.Graph | None = None) -> set[str]:
    return {violation.rule for violation in flow_check(design, graph=graph).violations}


# ----------------------------------------------------------------------------- graph and recount


def test_boxes_and_links_are_those_of_the_design(spec: FabricSpec) -> None:
    design = design_of(spec)
    graph = fabric_graph(design)
    kinds = Counter(kind for _, kind in graph.nodes(data="kind"))
    assert kinds["accelerator"] == sum(pool.size * pool.domains for pool in spec.pools)
    assert kinds["plane"] == sum(pool.domains * len(pool.shares) for pool in spec.pools)
    assert {stage.name: stage.count for stage in design.fabric.stages} == {
        kind: kinds[kind] for kind in ("leaf", "spine", "core") if kinds[kind]
    }
    links: Counter[str] = Counter()
    for _, _, edge in graph.edges(data=True):
        links[edge["boundary"]] += edge["links"]
        assert edge["capacity_gbps"] == edge["links"] * edge["rate_gbps"]
        assert isinstance(edge["capacity_gbps"], int)
    stated: Counter[str] = Counter()
    for row in (*(pool.scale_up.boundary for pool in design.pools), *(pool.nic_leaf for pool in design.pools)):
        stated[row.name] += row.links
    for row in design.fabric.boundaries:
        stated[row.name] += row.links
    assert links == stated
    assert not recount(design)
    assert not recount(design, graph)


def test_every_accelerator_has_its_share_of_every_plane() -> None:
    graph = fabric_graph(design_of(FabricSpec(pools=(PoolSpec(shares=(5, 4, 4, 5)),))))
    for plane, share in enumerate((5, 4, 4, 5)):
        switch = f"chat/d2/plane{plane}"
        assert {edge["links"] for edge in graph[switch].values()} == {share}
        assert set(graph[switch]) == {f"chat/d2/a{index}" for index in range(8)}


def test_domains_stand_on_leaves_in_order_and_the_last_leaf_is_short() -> None:
    graph = fabric_graph(design_of(SPECS["two stages, last leaf short"]))
    domains = [{name.split("/")[1] for name in graph[f"leaf{leaf}"] if "/a" in name} for leaf in range(3)]
    assert domains == [{"d0", "d1"}, {"d2", "d3"}, {"d4"}]


def test_a_split_domain_has_leaves_to_itself() -> None:
    graph = fabric_graph(design_of(SPECS["two stages, split domains"]))
    below = [sorted(name for name in graph[f"leaf{leaf}"] if "/a" in name) for leaf in range(4)]
    assert below[1] == [f"s/d0/a{index}" for index in range(4, 8)]
    assert below[2] == [f"s/d1/a{index}" for index in range(4)]


def test_pods_and_core_groups() -> None:
    spec = SPECS["three stages, two pools"]
    graph = fabric_graph(design_of(spec))
    leaves = sum(leaves_of(pool, 3) for pool in spec.pools)
    for leaf in range(leaves):
        up = {name for name in graph[f"leaf{leaf}"] if "spine" in name}
        assert up == {f"pod{leaf // 3}/spine{index}" for index in range(3)}
    for pod, spine in itertools.product(range(3), range(3)):
        up = {name for name in graph[f"pod{pod}/spine{spine}"] if "core" in name}
        assert up == {f"cores{spine}/core{index}" for index in range(4)}


def test_one_leaf_serves_all_pools_in_one_stage() -> None:
    graph = fabric_graph(design_of(SPECS["one stage, two pools"]))
    assert {name.split("/")[0] for name in graph["leaf0"]} == {"p", "d"}


# ----------------------------------------------------------------------------- designs that do not add up


def changed_pool(design: Design, **changes: object) -> Design:
    return replace(design, pools=(replace(design.pools[0], **changes), *design.pools[1:]))


def test_stated_counts_that_are_wrong_are_named() -> None:
    design = design_of(SPECS["three stages"])
    pool, fabric = design.pools[0], design.fabric
    up, attachment = pool.scale_up, pool.attachment

    def other_fabric(**changes: object) -> Design:
        return replace(design, fabric=replace(fabric, **changes))

    def other_stage(place: int, **changes: object) -> Design:
        stages = list(fabric.stages)
        stages[place] = replace(stages[place], **changes)
        return other_fabric(stages=tuple(stages))

    def other_boundary(place: int, **changes: object) -> Design:
        rows = list(fabric.boundaries)
        rows[place] = replace(rows[place], **changes)
        return other_fabric(boundaries=tuple(rows))

    cases = {
        "links_scale_up": changed_pool(
            design, scale_up=replace(up, boundary=replace(up.boundary, links=up.boundary.links - 1))
        ),
        "rate_scale_up": changed_pool(design, scale_up=replace(up, boundary=replace(up.boundary, rate_gbps=400))),
        "scale_up_switches": changed_pool(design, scale_up=replace(up, switches=up.switches - 1)),
        "planes": changed_pool(design, scale_up=replace(up, planes=3)),
        "ports_per_accelerator": changed_pool(design, scale_up=replace(up, ports_per_accelerator=17)),
        "scale_up_usable": changed_pool(design, scale_up=replace(up, usable_gbps=up.usable_gbps + 800)),
        "plane_shares": changed_pool(design, scale_up=replace(up, shares=(6, 4, 4, 2))),
        "links_nic_leaf": changed_pool(design, nic_leaf=replace(pool.nic_leaf, links=1)),
        "accelerators": changed_pool(design, accelerators=pool.accelerators + 4),
        "whole_hosts": changed_pool(design, hosts=pool.hosts + 1),
        "leaves": changed_pool(design, attachment=replace(attachment, leaves=attachment.leaves + 1)),
        "group": changed_pool(design, attachment=replace(attachment, group=attachment.group + 1)),
        "whole_replicas": changed_pool(design, plan=replace(pool.plan, domains_per_replica=4)),
        "plan_hardware": changed_pool(design, plan=replace(pool.plan, domain_size=8)),
        "boxes_leaf": other_stage(0, count=7),
        "boxes_spine": other_stage(1, count=8),
        "boxes_core": other_stage(2, count=7),
        "leaf_ports": other_stage(0, down_ports=3),
        "spine_ports": other_stage(1, up_ports=3),
        "core_ports": other_stage(2, down_ports=2),
        "links_leaf_spine": other_boundary(0, links=17),
        "rate_leaf_spine": other_boundary(0, rate_gbps=400),
        "links_spine_core": other_boundary(1, links=17),
        "pods": other_fabric(pods=2),
        "boundaries": other_fabric(boundaries=fabric.boundaries[:1]),
        "boundary_name": changed_pool(design, nic_leaf=replace(pool.nic_leaf, name="scale_up")),
    }
    for rule, case in cases.items():
        assert rule in {violation.rule for violation in recount(case)}, rule
        report = flow_check(case)
        assert not report.ok
        assert rule in {violation.rule for violation in report.violations}, rule


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"domains": 0}, "wiring_number"),
        ({"nics": 33}, "nics"),
        ({"scale_up": {"shares": (4, 4, 4, 0)}}, "plane_shares"),
        ({"scale_up": {"shares": ()}}, "plane_shares"),
        ({"attachment": {"leaves_per_domain": 3}}, "attachment"),
        ({"attachment": {"leaves_per_domain": 2, "domains_per_leaf": 2}}, "attachment"),
        ({"plan": {"scale_up_need_gbps": float("inf")}}, "plan_needs"),
        ({"plan": {"scale_out_other_need_gbps": -1.0}}, "plan_needs"),
    ],
)
def test_a_design_that_cannot_be_wired_is_reported_not_raised(changes: dict[str, object], rule: str) -> None:
    design = design_of(SPECS["two stages"])
    pool = design.pools[0]
    fields = {
        key: replace(getattr(pool, key), **value) if isinstance(value, dict) else value
        for key, value in changes.items()
    }
    broken = changed_pool(design, **fields)
    report = flow_check(broken)
    assert (report.ok, report.engine) == (False, "none")
    assert {violation.rule for violation in report.violations} == {rule}
    assert recount(broken) == report.violations
    with pytest.raises(WiringError, match=rule):
        fabric_graph(broken)


def test_fabric_numbers_that_cannot_be_wired() -> None:
    design = design_of(SPECS["three stages"])
    for change in ({"spines_per_pod": 0}, {"leaves_per_pod": 0}, {"cores_per_spine": 0}, {"links_per_leaf_spine": 0}):
        assert {row.rule for row in recount(replace(design, fabric=replace(design.fabric, **change)))} == {
            "wiring_number"
        }
    assert {row.rule for row in recount(replace(design, fabric=replace(design.fabric, stages=())))} == {"stages"}
    assert {row.rule for row in recount(replace(design, pools=()))} == {"wiring_number"}


# ----------------------------------------------------------------------------- tampered graphs


def found(design: Design, graph: nx.Graph) -> set[tuple[str, str]]:
    return {(violation.rule, violation.place) for violation in flow_check(design, graph=graph).violations}


def take_one_link(graph: nx.Graph, one: str, two: str) -> None:
    edge = graph.edges[one, two]
    edge["links"] -= 1
    edge["capacity_gbps"] -= edge["rate_gbps"]
    if not edge["links"]:
        graph.remove_edge(one, two)


@pytest.mark.parametrize(
    ("one", "two", "rule"),
    [
        ("chat/d1/a3", "chat/d1/plane2", "links_scale_up"),
        ("chat/d1/a3", "leaf1", "links_nic_leaf"),
        ("leaf2", "pod0/spine1", "links_leaf_spine"),
    ],
)
def test_one_missing_cable_is_named(one: str, two: str, rule: str) -> None:
    design = design_of(SPECS["two stages, parallel uplinks"])
    graph = fabric_graph(design)
    take_one_link(graph, one, two)
    seen = found(design, graph)
    assert rule in {name for name, _ in seen}
    assert ("missing_links", f"{one} - {two}") in seen or ("box_without_links", one) in seen


def test_one_cable_too_many_is_named() -> None:
    design = design_of(SPECS["three stages"])
    graph = fabric_graph(design)
    edge = graph.edges["pod0/spine1", "cores1/core0"]
    edge["links"] += 1
    edge["capacity_gbps"] += edge["rate_gbps"]
    assert ("extra_links", "pod0/spine1 - cores1/core0") in found(design, graph)


def test_a_wrong_rate_is_named() -> None:
    design = design_of(SPECS["two stages"])
    graph = fabric_graph(design)
    graph.edges["leaf0", "pod0/spine0"].update(rate_gbps=400, capacity_gbps=400)
    assert ("wrong_rate", "leaf0 - pod0/spine0") in found(design, graph)


def test_the_thinnest_spine_limits_its_pod() -> None:
    design = design_of(SPECS["three stages"])
    graph = fabric_graph(design)
    take_one_link(graph, "pod0/spine1", "cores1/core0")
    row = flow_check(design, graph=graph).boundaries[-1]
    # Striped evenly, every spine of the pod carries what the one with a single uplink can.
    assert (row.group, row.capacity_gbps, row.fluid_gbps) == ("pod 0", 3 * 800, 5 * 800)


def test_a_missing_plane_switch_is_named() -> None:
    design = design_of(SPECS["two stages"])
    graph = fabric_graph(design)
    graph.remove_node("chat/d1/plane3")
    seen = found(design, graph)
    assert ("missing_box", "chat/d1/plane3") in seen
    assert {"links_scale_up", "accelerator_ports"} <= {rule for rule, _ in seen}


def test_a_plane_without_cables_is_named_once_and_costs_bandwidth() -> None:
    design = with_needs(design_of(SPECS["two stages"]), 3.0)
    assert "oversubscribed_scale_up" not in rules_of(design)
    graph = fabric_graph(design)
    graph.remove_edges_from([("chat/d1/plane3", name) for name in list(graph["chat/d1/plane3"])])
    report = flow_check(design, graph=graph)
    seen = {(violation.rule, violation.place) for violation in report.violations}
    assert ("box_without_links", "chat/d1/plane3") in seen
    assert ("oversubscribed_scale_up", "chat/d1/a0") in seen
    assert not [place for rule, place in seen if rule == "missing_links"]
    assert any("domain 1, 1 domains wired alike" in flow.name and flow.margin < 1 for flow in report.flows)


def test_a_miswired_leaf_is_named() -> None:
    design = design_of(SPECS["three stages"])
    graph = fabric_graph(design)
    edge = dict(graph.edges["leaf0", "pod0/spine1"])
    graph.remove_edge("leaf0", "pod0/spine1")
    graph.add_edge("leaf0", "pod1/spine1", **edge)
    seen = found(design, graph)
    assert ("miswired", "leaf0") in seen
    assert ("miswired", "leaf0 - pod1/spine1") in seen
    assert ("missing_links", "pod1/spine1 - leaf0") not in seen


def test_a_miswired_accelerator_is_named() -> None:
    design = design_of(SPECS["two stages"])
    graph = fabric_graph(design)
    edge = dict(graph.edges["chat/d0/a2", "chat/d0/plane1"])
    graph.remove_edge("chat/d0/a2", "chat/d0/plane1")
    graph.add_edge("chat/d0/a2", "chat/d1/plane1", **edge)
    seen = found(design, graph)
    assert ("miswired", "chat/d0/a2") in seen
    assert ("miswired", "chat/d0/a2 - chat/d1/plane1") in seen
    assert ("plane_ports", "chat/d0/plane1") in seen


def test_a_nic_on_the_wrong_leaf_is_named() -> None:
    design = design_of(SPECS["two stages"])
    graph = fabric_graph(design)
    edge = dict(graph.edges["chat/d0/a2", "leaf0"])
    graph.remove_edge("chat/d0/a2", "leaf0")
    graph.add_edge("chat/d0/a2", "leaf1", **edge)
    assert ("miswired", "chat/d0/a2") in found(design, graph)


def test_swapped_spines_are_named() -> None:
    design = design_of(SPECS["three stages"])
    swap = {"pod0/spine0": "pod1/spine0", "pod1/spine0": "pod0/spine0"}
    graph = nx.relabel_nodes(fabric_graph(design), swap)
    miswired = {place for rule, place in found(design, graph) if rule == "miswired"}
    assert {"pod0/spine0", "pod1/spine0", "leaf0", "leaf1"} <= miswired
    # Spines of one pod with different core groups: only the upper side is wrong.
    swap = {"pod0/spine0": "pod0/spine1", "pod0/spine1": "pod0/spine0"}
    graph = nx.relabel_nodes(fabric_graph(design), swap)
    miswired = {place for rule, place in found(design, graph) if rule == "miswired"}
    assert {"pod0/spine0", "pod0/spine1", "pod0/spine0 - cores1/core0"} <= miswired


def test_boxes_that_are_never_joined_and_unknown_boxes_are_named() -> None:
    design = design_of(SPECS["two stages"])
    graph = fabric_graph(design)
    graph.add_edge("leaf0", "leaf1", links=1, rate_gbps=800, capacity_gbps=800)
    graph.add_edge("leaf0", "spare", links=1, rate_gbps=800, capacity_gbps=800)
    seen = found(design, graph)
    assert {("miswired", "leaf0 - leaf1"), ("extra_box", "spare")} <= seen


def test_a_leaf_cut_off_is_disconnected() -> None:
    design = design_of(SPECS["two stages"])
    graph = fabric_graph(design)
    graph.remove_edges_from([("leaf1", f"pod0/spine{index}") for index in range(4)])
    report = flow_check(design, graph=graph)
    seen = {(violation.rule, violation.place) for violation in report.violations}
    assert {("disconnected", "leaf1"), ("oversubscribed_leaf_spine", "leaf1 of pool chat")} <= seen
    assert report.theta == 0
    assert any(flow.margin == 0 for flow in report.flows)


def test_a_fabric_without_its_cores_is_disconnected() -> None:
    design = design_of(SPECS["three stages"])
    graph = fabric_graph(design)
    graph.remove_nodes_from([name for name in list(graph) if name.startswith("cores")])
    report = flow_check(design, graph=graph)
    assert {"missing_box", "links_missing", "disconnected", "oversubscribed_spine_core"} <= {
        violation.rule for violation in report.violations
    }
    assert report.boundaries[-1].margin == 0


def test_a_pool_cut_off_beside_one_that_is_not() -> None:
    design = design_of(SPECS["two stages, two pools"])
    graph = fabric_graph(design)
    graph.remove_edges_from([("leaf5", f"pod0/spine{index}") for index in range(3)])
    report = flow_check(design, graph=graph)
    assert {row.pool: row.margin for row in report.boundaries if row.boundary == "leaf_spine"}["d"] == 0
    assert [check.where for check in report.lp] == ["scale-up p", "scale-up d"]


def test_a_domain_without_planes_is_disconnected() -> None:
    design = design_of(SPECS["two stages"])
    graph = fabric_graph(design)
    graph.remove_edges_from([("chat/d0/a5", f"chat/d0/plane{plane}") for plane in range(4)])
    seen = found(design, graph)
    assert {("disconnected", "chat/d0/a5"), ("box_without_links", "chat/d0/a5")} & seen == {
        ("disconnected", "chat/d0/a5")
    }
    assert ("missing_links", "chat/d0/a5 - chat/d0/plane0") in seen


def test_a_graph_scrambled_but_complete_passes() -> None:
    design = design_of(SPECS["three stages, two pools"])
    graph = fabric_graph(design)
    edges = list(graph.edges(data=True))
    shuffled: nx.Graph = nx.Graph()
    order = np.random.default_rng(1).permutation(len(edges))
    for place in order:
        one, two, edge = edges[place]
        shuffled.add_edge(two, one, **edge)
    assert flow_check(design, graph=shuffled) == flow_check(design)


def test_what_is_no_fabric_graph_is_refused() -> None:
    design = design_of(SPECS["two stages"])
    with pytest.raises(TypeError, match="undirected"):
        flow_check(design, graph=nx.MultiGraph(fabric_graph(design)))
    with pytest.raises(TypeError, match="undirected"):
        recount(design, fabric_graph(design).to_directed())
    for change in ({"capacity_gbps": None}, {"capacity_gbps": 800.0}, {"links": 2}, {"rate_gbps": -800}):
        graph = fabric_graph(design)
        graph.edges["leaf0", "pod0/spine0"].update(change)
        with pytest.raises(ValueError, match="leaf0 - pod0/spine0"):
            flow_check(design, graph=graph)
    graph = fabric_graph(design)
    del graph.edges["leaf0", "pod0/spine0"]["capacity_gbps"]
    with pytest.raises(ValueError, match="capacity_gbps is None"):
        flow_check(design, graph=graph)


def test_many_violations_are_told_as_a_number() -> None:
    design = design_of(SPECS["two stages"])
    graph = fabric_graph(design)
    for accelerator in [name for name in graph if "/a" in name]:
        take_one_link(graph, accelerator, accelerator.split("/a")[0] + "/plane0")
    rows = [row for row in flow_check(design, graph=graph).violations if row.rule == "missing_links"]
    assert len(rows) == 21
    assert rows[-1].message == "12 more of the same kind"


# ----------------------------------------------------------------------------- quotient


def margins(design: Design, expand_limit: int) -> list[tuple[str, float | None]]:
    report = flow_check(design, expand_limit=expand_limit)
    assert report.engine == ("quotient" if expand_limit == 0 else "expanded")
    flows = [*report.flows, report.bisection, report.bisection_at_nic_rate]
    return [(flow.name, flow.margin) for flow in flows if flow is not None]


def test_quotient_and_expanded_graph_have_the_same_flows(spec: FabricSpec) -> None:
    design = design_of(spec)
    assert margins(design, 0) == margins(design, 8000)
    assert margins(design, 0)


def test_flows_on_the_quotient_need_no_hint(spec: FabricSpec) -> None:
    # The expanded search may start from the quotient's cut; here it starts from nothing.
    from designer.fabric.cuts import ScaleOut, bisection

    design = design_of(spec)
    from designer.fabric.traffic import traffic_of

    rows = traffic_of(design)
    on_quotient = bisection(ScaleOut.of(wire(design), expanded=False), rows)
    graph: nx.Graph = nx.Graph()
    wiring = wire(design)
    for lower, upper, capacity, boundary in zip(
        wiring.lower.tolist(), wiring.upper.tolist(), wiring.capacity.tolist(), wiring.boundary.tolist(), strict=True
    ):
        if boundary:
            graph.add_edge(lower, upper, capacity_gbps=capacity)
    sends: Counter[int] = Counter()
    receives: Counter[int] = Counter()
    for row in rows:
        half, pool, first = row.pool.domains // 2, row.pool, row.accelerators.start
        middle, last = first + half * pool.domain_size, row.accelerators.stop
        for box in range(first, middle):
            sends[box] += row.other
        for box in range(middle, last):
            receives[box] += row.other * Fraction(half, pool.domains - half)
        m_r = pool.plan.domains_per_replica
        for one, two in itertools.product(range(half), range(half, pool.domains)):
            if one // m_r == two // m_r:
                for index in range(pool.domain_size):
                    each = row.experts / (m_r - 1)
                    sends[first + one * pool.domain_size + index] += each
                    receives[first + two * pool.domain_size + index] += each
    assert on_quotient is not None
    assert on_quotient.margin == float(largest_multiple(graph, sends, receives).times)
    assert on_quotient.demand_gbps == pytest.approx(float(sum(sends.values())))


def test_quotient_graph_has_one_node_per_domain(spec: FabricSpec) -> None:
    design = design_of(spec)
    graph, expanded = quotient_graph(design), fabric_graph(design)
    nodes = [node for node, kind in graph.nodes(data="kind") if kind == "accelerator"]
    least, most = (sum(pool.domains * slices for pool in spec.pools) for slices in (1, spec.pools[0].leaves_per_domain))
    assert least <= len(nodes) <= most
    assert sum(members for _, members in graph.nodes(data="members")) == len(expanded)
    for key in ("links", "capacity_gbps"):
        assert sum(value for _, _, value in graph.edges(data=key)) == sum(
            value for _, _, value in expanded.edges(data=key)
        )
    smaller = quotient_graph(design, whole_pools=True)
    assert len(smaller) <= len(graph)


def test_whole_pools_collapse_to_a_handful_of_nodes() -> None:
    design = design_of(FabricSpec(pools=(PoolSpec(domains=64, shares=(5, 4, 4, 5)),)))
    graph = quotient_graph(design, whole_pools=True)
    assert sorted(kind for _, kind in graph.nodes(data="kind")) == ["accelerator", "leaf", "plane", "plane", "spine"]


def test_a_partition_that_is_not_equitable_is_refused() -> None:
    wiring = wire(design_of(FabricSpec(pools=(PoolSpec(shares=(5, 4, 4, 5)),))))
    with pytest.raises(NotEquitableError, match="share a cell"):
        verify_equitable(wiring, wiring.kind)
    verify_equitable(wiring, np.arange(wiring.boxes))


# ----------------------------------------------------------------------------- max flow


def test_a_textbook_minimum_cut() -> None:
    # Ford and Fulkerson's point in small: the bottleneck is a cut, not a link.
    graph: nx.Graph = nx.Graph()
    for one, two, capacity in ((0, 1, 4), (0, 2, 5), (1, 3, 3), (2, 3, 2), (1, 2, 1)):
        graph.add_edge(one, two, capacity_gbps=capacity)
    answer = largest_multiple(graph, {0: Fraction(1)}, {3: Fraction(1)})
    assert answer.times == 5
    assert largest_multiple(graph, {0: Fraction(1)}, {3: Fraction(1)}, frozenset({0, 1})).times == 5


def test_a_poor_hint_is_improved_on() -> None:
    graph: nx.Graph = nx.path_graph(5)
    for (_, _, edge), capacity in zip(graph.edges(data=True), (10, 6, 3, 10), strict=True):
        edge["capacity_gbps"] = capacity
    traffic = {0: Fraction(1)}, {4: Fraction(1)}
    answers = [largest_multiple(graph, *traffic, hint) for hint in (None, frozenset({0, 1}), frozenset({0, 1, 2}))]
    assert [answer.times for answer in answers] == [3, 3, 3]
    assert [answer.max_flows for answer in answers] == [2, 2, 1]
    assert {answer.source_side for answer in answers} == {frozenset({0, 1, 2})}


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_largest_multiple_fits_and_no_more(data: st.DataObject) -> None:
    size = data.draw(st.integers(4, 9))
    graph: nx.Graph = nx.path_graph(size)
    extra = data.draw(st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=12))
    graph.add_edges_from((one, two) for one, two in extra if one != two)
    for _, _, edge in graph.edges(data=True):
        edge["capacity_gbps"] = data.draw(st.integers(0, 20))
    one, two = (Fraction(data.draw(st.integers(1, 30)), data.draw(st.integers(1, 7))) for _ in range(2))
    sends, receives = {0: one, 1: two}, {size - 1: (one + two) / 3, size - 2: 2 * (one + two) / 3}
    hint = frozenset(data.draw(st.sets(st.integers(0, size - 1))))
    answer = largest_multiple(graph, sends, receives, hint)
    assert answer.times == largest_multiple(graph, sends, receives).times

    def carried(times: Fraction) -> Fraction:
        network: nx.Graph = nx.Graph()
        for a, b, edge in graph.edges(data=True):
            network.add_edge(a, b, capacity=Fraction(edge["capacity_gbps"]))
        for node, gbps in sends.items():
            network.add_edge("source", node, capacity=gbps * times)
        for node, gbps in receives.items():
            network.add_edge(node, "sink", capacity=gbps * times)
        return nx.maximum_flow_value(network, "source", "sink")

    assert carried(answer.times) == answer.times * (one + two)
    more = answer.times * Fraction(1001, 1000) + Fraction(1, 1000)
    assert carried(more) < more * (one + two)


def test_max_flow_guards() -> None:
    graph: nx.Graph = nx.Graph()
    graph.add_edge(0, 1, capacity_gbps=1)
    one = {0: Fraction(1)}, {1: Fraction(1)}
    with pytest.raises(TypeError):
        largest_multiple(nx.MultiGraph(graph), *one)
    with pytest.raises(ValueError, match="same total"):
        largest_multiple(graph, {0: Fraction(1)}, {1: Fraction(2)})
    with pytest.raises(ValueError, match="same total"):
        largest_multiple(graph, {}, {})
    for capacity in (None, 1.5):
        graph.edges[0, 1]["capacity_gbps"] = capacity
        with pytest.raises(ValueError, match="whole"):
            largest_multiple(graph, *one)
    assert largest_multiple(nx.empty_graph(2), *one).times == 0


# ----------------------------------------------------------------------------- closed form and linear programme


def scale_out_demands(spec: FabricSpec) -> dict[tuple[str, str], float]:
    """Traffic of every pair of accelerators and with the outside, written out anew."""
    demands: Counter[tuple[str, str]] = Counter()
    for pool in spec.pools:
        boxes = [(domain, index) for domain in range(pool.domains) for index in range(pool.size)]
        for domain, index in boxes:
            name = f"{pool.name}/d{domain}/a{index}"
            demands[name, "to outside"] += pool.other_need
            demands["from outside", name] += pool.other_need
            peers = [
                f"{pool.name}/d{other}/a{place}"
                for other, place in boxes
                if other != domain and other // pool.domains_per_replica == domain // pool.domains_per_replica
            ]
            for peer in peers:
                demands[name, peer] += pool.ep_need / len(peers)
    return demands


def test_closed_form_is_the_maximum_concurrent_flow(spec: FabricSpec) -> None:
    """Every accelerator a source of its own, nothing aggregated: the whole scale-out fabric with its NICs."""
    design = design_of(spec)
    graph = fabric_graph(design)
    scale_out: nx.DiGraph = nx.DiGraph()
    for one, two, edge in graph.to_directed().edges(data=True):
        if edge["boundary"] != "scale_up":
            scale_out.add_edge(one, two, capacity_gbps=edge["capacity_gbps"])
    top = design.fabric.stages[-1].name
    for name, kind in graph.nodes(data="kind"):
        if kind == top:
            scale_out.add_edge(name, "to outside", capacity_gbps=10**6)
            scale_out.add_edge("from outside", name, capacity_gbps=10**6)
    theta = concurrent_flow_lp(scale_out, scale_out_demands(spec))
    rows = [row for row in flow_check(design).boundaries if row.boundary != "scale_up"]
    closed = min(row.fluid_margin for row in rows if row.fluid_margin is not None)
    assert theta == pytest.approx(closed, rel=1e-8)
    assert theta == pytest.approx(min(row.margin for row in rows if row.margin is not None), rel=1e-8)


@pytest.mark.parametrize(
    ("size", "shares"),
    [(2, (1,)), (3, (2, 1)), (4, (5, 4, 4, 5)), (4, (1, 1)), (8, (5, 4, 4, 5)), (8, (3,)), (12, (1, 2)), (16, (2, 2))],
)
def test_a_domain_carries_its_shares_in_all_to_all(size: int, shares: tuple[int, ...]) -> None:
    pool = PoolSpec(size=size, hosts_of=1, shares=shares, scale_up_need=100.0, domains=2)
    report = flow_check(design_of(FabricSpec(pools=(pool,))))
    row, check = report.boundaries[0], next(check for check in report.lp if check.where == "scale-up chat")
    assert row.fluid_margin == sum(shares) * 8
    assert row.margin == len(shares) * min(shares) * 8
    assert check.lp == pytest.approx(row.fluid_margin, rel=1e-8)
    halves = next(flow for flow in report.flows if flow.name.startswith("scale-up"))
    assert halves.margin == row.fluid_margin


def test_leaf_demand_is_the_need_of_the_rules_where_leaves_divide_replicas() -> None:
    for d, m_r in ((1, 1), (1, 2), (1, 4), (2, 4), (2, 2), (4, 2), (4, 4)):
        pool = PoolSpec(domains=8, domains_per_leaf=d, domains_per_replica=m_r, ep_need=300.0 * (m_r > 1))
        design = design_of(FabricSpec(spines=16, pools=(pool,)))
        row = next(row for row in flow_check(design).boundaries if row.boundary == "leaf_spine")
        attachment = design.pools[0].attachment
        assert row.demand_gbps == pytest.approx(attachment.group * attachment.need_gbps, rel=1e-12)


def test_leaf_demand_of_straddling_replicas_stays_below_the_rules() -> None:
    design = design_of(SPECS["two stages, replicas across leaves"])
    row = next(row for row in flow_check(design).boundaries if row.boundary == "leaf_spine")
    # leaf1 holds domains 2 and 3 of different replicas: everything leaves it.
    assert row.demand_gbps == 4 * 350
    assert row.demand_gbps <= design.pools[0].attachment.group * design.pools[0].attachment.need_gbps


def test_a_pod_of_whole_replicas_keeps_their_experts_inside() -> None:
    pool = PoolSpec(size=4, hosts_of=4, domains=8, domains_per_replica=2, **EP)
    report = flow_check(design_of(FabricSpec(stages=3, leaves_per_pod=2, pools=(pool,))))
    leaf, pod = report.boundaries[2:]
    assert (leaf.demand_gbps, pod.demand_gbps) == (4 * 350, 8 * 50)
    assert pod.cut == "core uplinks of pod 0 (8 links of 800 Gb/s on 4 spines)"


def test_kv_caches_flow_between_partner_pools_or_to_the_outside() -> None:
    both = flow_check(design_of(SPECS["two stages, two pools"]))
    kv = next(flow for flow in both.flows if flow.name == "kv w")
    assert kv.demand_gbps == 12 * 50
    assert not [flow for flow in both.flows if flow.name == "outside"]
    alone = flow_check(design_of(SPECS["two stages"]))
    outside = next(flow for flow in alone.flows if flow.name == "outside")
    assert (outside.demand_gbps, outside.sinks) == (32 * 50, 1)


def test_nic_limit_cuts_experts_first() -> None:
    pool = PoolSpec(domains=4, domains_per_replica=4, ep_need=790.0, other_need=30.0)
    design = design_of(FabricSpec(spines=9, pools=(pool,)))
    row = flow_check(design).boundaries[1]
    assert (row.asked_gbps, row.demand_gbps, row.margin) == (820.0, 800.0, 1.0)
    experts = next(flow for flow in flow_check(design).flows if flow.name == "experts")
    assert experts.demand_gbps == pytest.approx(16 * 770 * 2 / 3)


def test_nics_slower_than_the_plan_assumes_are_found() -> None:
    pool = PoolSpec(domains_per_replica=2, ep_need=500.0)
    design = design_of(FabricSpec(spines=8, pools=(pool,)))
    assert flow_check(design).ok
    slow = changed_pool(design, nic_leaf=replace(design.pools[0].nic_leaf, rate_gbps=400))
    assert "oversubscribed_nic_leaf" in rules_of(slow)


def test_an_understated_need_is_found() -> None:
    design = design_of(SPECS["two stages"])
    attachment = design.pools[0].attachment
    low = changed_pool(design, attachment=replace(attachment, need_gbps=attachment.need_gbps * 0.99))
    assert rules_of(low) == {"need_understated"}


def test_experts_without_peers_are_found() -> None:
    assert rules_of(design_of(FabricSpec(pools=(PoolSpec(ep_need=10.0),)))) == {"experts_without_peers"}


def test_a_closed_form_that_does_not_hold_is_found() -> None:
    # leaf0 has all its uplinks on one spine, leaf1 on the other: counts per leaf agree, but what they send each other
    # must go through a third leaf, which no sum over a leaf's uplinks shows.
    design = design_of(SPECS["two stages, parallel uplinks"])
    graph = fabric_graph(design)
    for leaf in (0, 1):
        graph.edges[f"leaf{leaf}", f"pod0/spine{leaf}"].update(links=6, capacity_gbps=4800)
        graph.remove_edge(f"leaf{leaf}", f"pod0/spine{1 - leaf}")
    report = flow_check(design, graph=graph)
    check = next(check for check in report.lp if check.where == "scale-out")
    assert check.lp < check.closed_form * 0.99
    assert {"miswired", "closed_form_wrong"} <= {violation.rule for violation in report.violations}


def test_uneven_uplinks_are_slower_when_striped_evenly() -> None:
    design = design_of(SPECS["two stages, parallel uplinks"])
    graph = fabric_graph(design)
    for spine, links in ((0, 5), (1, 1)):
        graph.edges["leaf0", f"pod0/spine{spine}"].update(links=links, capacity_gbps=links * 800)
    report = flow_check(design, graph=graph)
    row = next(row for row in report.boundaries if row.boundary == "leaf_spine")
    assert (row.group, row.capacity_gbps, row.fluid_gbps) == ("leaf0", 2 * 800, 6 * 800)
    assert ("miswired", "leaf0") in {(violation.rule, violation.place) for violation in report.violations}


def test_lp_guards() -> None:
    graph: nx.Graph = nx.Graph()
    graph.add_edge("a", "b")
    with pytest.raises(ValueError, match="no demand"):
        concurrent_flow_lp(graph, {("a", "b"): 0.0})
    with pytest.raises(ValueError, match="capacity"):
        concurrent_flow_lp(graph, {("a", "b"): 1.0})
    with pytest.raises(TypeError):
        concurrent_flow_lp(nx.MultiGraph(graph), {("a", "b"): 1.0})


def test_the_programme_tells_cuts_from_concurrent_flow() -> None:
    """K(2,3) with demands on all pairs of each side: every cut has ratio 1, the concurrent flow is 3/4.

    Okamura and Seymour, *Multicommodity flows in planar graphs*, J. Combin. Theory B 31 (1981).
    """
    graph: nx.Graph = nx.complete_bipartite_graph(2, 3)
    graph = nx.relabel_nodes(graph, {node: str(node) for node in graph})
    nx.set_edge_attributes(graph, 1, "capacity_gbps")
    # Directed links carry one unit each way, so each undirected demand is asked both ways.
    pairs = [("0", "1"), ("2", "3"), ("2", "4"), ("3", "4")]
    demands = {pair: 1.0 for one, two in pairs for pair in ((one, two), (two, one))}
    names = sorted(graph)
    ratios = []
    for count in range(1, 5):
        for side in itertools.combinations(names, count):
            cut = sum(1 for one, two in graph.edges() if (one in side) != (two in side))
            across = sum(1 for one, two in pairs if (one in side) != (two in side))
            if across:
                ratios.append(cut / across)
    assert min(ratios) == 1
    assert concurrent_flow_lp(graph, demands) == pytest.approx(0.75)


# ----------------------------------------------------------------------------- margins


def test_a_design_with_room_passes(spec: FabricSpec) -> None:
    report = flow_check(design_of(spec))
    assert report.ok, report.violations
    assert report.theta is not None
    assert report.theta >= 1
    assert sum(row.binding for row in report.boundaries) >= 1
    assert {row.boundary for row in report.boundaries} == {
        "scale_up",
        "nic_leaf",
        *(("leaf_spine", "spine_core")[: spec.stages - 1]),
    }


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (1.0, set()),
        (1.2, {"oversubscribed_leaf_spine"}),
        (4.0, {"oversubscribed_leaf_spine", "oversubscribed_scale_up"}),
    ],
)
def test_growing_needs_are_found(factor: float, expected: set[str]) -> None:
    pool = PoolSpec(domains_per_replica=2, ep_need=300.0, other_need=100.0)
    design = with_needs(design_of(FabricSpec(pools=(pool,))), factor)
    rules = rules_of(design)
    assert expected == {rule for rule in rules if rule.startswith("oversubscribed")}
    assert flow_check(design).ok == (factor == 1.0)


def test_even_striping_decides_not_the_fluid_figure() -> None:
    # Sixteen of eighteen links count: 14,000 Gb/s fit the fluid 14,400 but not the striped 12,800.
    pool = PoolSpec(shares=(5, 4, 4, 5), scale_up_need=14_000.0)
    report = flow_check(design_of(FabricSpec(pools=(pool,))))
    assert {violation.rule for violation in report.violations} == {"oversubscribed_scale_up"}
    row = report.boundaries[0]
    assert (row.capacity_gbps, row.fluid_gbps) == (12_800, 14_400)
    assert "12800 of 14400 Gb/s usable" in row.cut
    assert report.theta == pytest.approx(128 / 140)
    assert report.theta_fluid == pytest.approx(144 / 140)


def test_the_core_can_be_the_bottleneck() -> None:
    pool = PoolSpec(size=4, hosts_of=4, domains=6, domains_per_replica=6, ep_need=600.0, other_need=50.0)
    report = flow_check(design_of(FabricSpec(stages=3, spines=4, leaves_per_pod=3, cores_per_spine=1, pools=(pool,))))
    # 12 accelerators x (600 x 3/5 + 50) leave a pod of 4 core uplinks.
    row = report.boundaries[-1]
    assert (row.boundary, row.demand_gbps, row.capacity_gbps) == ("spine_core", pytest.approx(4920), 3200)
    assert {"oversubscribed_spine_core"} <= {violation.rule for violation in report.violations}
    assert row.binding


def test_no_traffic_no_margin() -> None:
    report = flow_check(with_needs(design_of(SPECS["three stages"]), 0.0))
    assert report.ok
    assert (report.theta, report.theta_fluid, report.bisection, report.flows, report.lp) == (None, None, None, (), ())
    assert {row.margin for row in report.boundaries} == {None}
    assert report.bisection_at_nic_rate is not None


def test_bisection_at_nic_rate_is_one_over_the_oversubscription() -> None:
    for spines, expected in ((8, 1.0), (4, 0.5), (2, 0.25), (16, 1.0)):
        report = flow_check(design_of(FabricSpec(spines=spines)))
        assert report.bisection_at_nic_rate is not None
        assert report.bisection_at_nic_rate.margin == expected


@st.composite
def any_spec(draw: st.DrawFn) -> FabricSpec:
    stages = draw(st.integers(1, 3))
    pools = []
    for number in range(draw(st.integers(1, 2))):
        size = draw(st.sampled_from([2, 4, 6, 8]))
        span = draw(st.integers(1, 3))
        split = draw(st.sampled_from([1, 1, 2])) if stages > 1 else 1
        pools.append(
            PoolSpec(
                name=f"pool{number}",
                workload="w",
                phase=("prefill", "decode")[number],
                size=size,
                hosts_of=1,
                domains=span * draw(st.integers(1, 3)),
                shares=draw(st.sampled_from([(1,), (2, 1), (5, 4, 4, 5), (3, 3)])),
                nics=draw(st.integers(1, 2)),
                domains_per_leaf=1 if split > 1 else draw(st.integers(1, 3)),
                leaves_per_domain=split,
                domains_per_replica=span,
                scale_up_need=draw(st.floats(1.0, 2000.0)),
                ep_need=draw(st.floats(1.0, 300.0)) if span > 1 else 0.0,
                other_need=draw(st.floats(1.0, 100.0)),
            )
        )
    return FabricSpec(
        stages=stages,
        m=draw(st.integers(1, 2)),
        spines=draw(st.integers(1, 4)),
        leaves_per_pod=draw(st.integers(1, 3)),
        m2=draw(st.integers(1, 2)),
        cores_per_spine=draw(st.integers(1, 3)),
        pools=tuple(pools),
    )


@given(any_spec())
@settings(max_examples=40, deadline=None)
def test_any_design_adds_up_and_closed_form_and_programme_agree(spec: FabricSpec) -> None:
    design = design_of(spec)
    assert not recount(design)
    assert not recount(design, fabric_graph(design))
    report = flow_check(design)
    assert not {"closed_form_wrong", "closed_form_too_high", "disconnected", "need_understated"} & {
        violation.rule for violation in report.violations
    }
    assert all(check.relative_difference < 1e-8 for check in report.lp)
    assert margins(design, 0) == margins(design, 8000)


@given(any_spec(), st.floats(0.05, 1.0))
@settings(max_examples=25, deadline=None)
def test_margins_scale_inversely_with_needs(spec: FabricSpec, factor: float) -> None:
    design = design_of(spec)
    whole, part = flow_check(design), flow_check(with_needs(design, factor))
    for one, two in zip(whole.boundaries, part.boundaries, strict=True):
        assert one.margin is not None
        assert two.margin == pytest.approx(one.margin / factor, rel=1e-9)
        assert one.capacity_gbps == two.capacity_gbps
    for one, two in zip(whole.flows, part.flows, strict=True):
        assert two.margin == pytest.approx(one.margin / factor, rel=1e-9)


@given(any_spec(), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_any_missing_cable_is_found(spec: FabricSpec, random: object) -> None:
    design = design_of(spec)
    graph = fabric_graph(design)
    one, two = random.choice(list(graph.edges()))  # type: ignore[attr-defined]
    boundary = graph.edges[one, two]["boundary"]
    take_one_link(graph, one, two)
    seen = {violation.rule for violation in recount(design, graph)}
    assert f"links_{boundary}" in seen or "links_missing" in seen
    assert {"missing_links", "box_without_links"} & seen


# ----------------------------------------------------------------------------- size


@pytest.mark.slow
@pytest.mark.parametrize(("domains", "seconds", "engine"), [(110, 20.0, "expanded"), (1390, 30.0, "quotient")])
def test_large_fabrics_are_checked_in_seconds(domains: int, seconds: float, engine: str) -> None:
    pool = PoolSpec(
        size=72,
        domains=domains,
        hosts_of=4,
        shares=(1,) * 18,
        port_gbps=400,
        domains_per_replica=domains // 10,
        ep_need=173.29341,
        other_need=33.337,
    )
    design = design_of(FabricSpec(stages=3, spines=36, leaves_per_pod=20, cores_per_spine=20, pools=(pool,)))
    begin = time.perf_counter()
    report = flow_check(design)
    # Bounds are loose, for busy machines; docs/flow_check.md has the measured figures.
    assert time.perf_counter() - begin < seconds
    assert (report.ok, report.engine, report.endpoints) == (True, engine, 72 * domains)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_500_000
