"""Graphs that differ from their design: every difference is found and named."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from fabric_designs import (
    SPECS,
    FabricSpec,
    design_of,
    take_one_link,
    with_needs,
)
from fabric_random import any_spec
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.design.types import Design
from designer.fabric import (
    fabric_graph,
    flow_check,
    recount,
)


def found(design: Design, graph: nx.Graph) -> set[tuple[str, str]]:
    return {(violation.rule, violation.place) for violation in flow_check(design, graph=graph).violations}


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


def put_one_link(graph: nx.Graph, one: str, two: str) -> None:
    edge = graph.edges[one, two]
    edge["links"] += 1
    edge["capacity_gbps"] += edge["rate_gbps"]


@pytest.mark.parametrize(
    ("name", "lower", "upper"),
    [
        ("two stages, uneven", ("leaf0", "leaf2"), "pod0/spine{}"),
        ("three stages, uneven", ("pod0/spine1", "pod2/spine1"), "cores1/core{}"),
        ("four stages, uneven", ("zone0/cores1/core1", "zone1/cores1/core1"), "tops3/top{}"),
    ],
)
def test_a_lean_box_wired_as_a_full_one_is_named(name: str, lower: tuple[str, str], upper: str) -> None:
    """Ports up are as stated, so are all links: but not with the boxes above that all others have fewer to."""
    design = design_of(SPECS[name])
    fabric = design.fabric
    full, lean = upper.format(0), upper.format({2: 3, 3: 2, 4: 4}[len(fabric.stages)])
    graph = fabric_graph(design)
    assert {graph.edges[box, full]["links"] - graph.edges[box, lean]["links"] for box in lower} == {1}
    assert not flow_check(design, graph=graph).violations
    take_one_link(graph, lower[1], full)
    put_one_link(graph, lower[1], lean)
    assert ("miswired", lower[1]) in found(design, graph)


@pytest.mark.parametrize(
    ("name", "lower", "full", "lean", "rule"),
    [
        ("two stages, uneven", "leaf", "pod0/spine0", "pod0/spine3", "spine_ports"),
        ("three stages, uneven", "pod", "cores1/core0", "cores1/core2", "core_ports"),
        ("four stages, uneven", "zone", "tops3/top0", "tops3/top4", "top_ports"),
    ],
)
def test_a_full_box_that_changes_places_with_a_lean_one_is_named(
    name: str, lower: str, full: str, lean: str, rule: str
) -> None:
    """Every box below has the ports up that it should; the lean box has more ports in use than it should."""
    design = design_of(SPECS[name])
    graph = fabric_graph(design)
    for box in [other for other in graph[full] if other.startswith(lower)]:
        take_one_link(graph, box, full)
        put_one_link(graph, box, lean)
    seen = found(design, graph)
    assert (rule, lean) in seen
    assert (rule, full) not in seen


@pytest.mark.parametrize(
    ("name", "lower", "full", "rules"),
    [
        ("two stages, uneven", "leaf1", "pod0/spine1", {"leaf_ports", "links_leaf_spine"}),
        ("three stages, uneven", "pod1/spine1", "cores1/core1", {"spine_ports", "links_spine_core"}),
        ("four stages, uneven", "zone1/cores0/core1", "tops1/top1", {"core_ports", "links_core_top"}),
    ],
)
def test_a_full_box_that_lacks_a_link_is_named(name: str, lower: str, full: str, rules: set[str]) -> None:
    design = design_of(SPECS[name])
    graph = fabric_graph(design)
    take_one_link(graph, lower, full)
    seen = found(design, graph)
    assert ("missing_links", f"{lower} - {full}") in seen
    assert rules <= {rule for rule, _ in seen}


@pytest.mark.parametrize(
    ("name", "lower", "one", "two"),
    [
        ("three stages, uneven", "leaf1", "pod0/spine0", "pod0/spine1"),
        ("four stages, uneven", "pod0/spine1", "zone0/cores1/core0", "zone0/cores1/core1"),
    ],
)
def test_uneven_striping_below_the_highest_boundary_is_named(name: str, lower: str, one: str, two: str) -> None:
    design = design_of(SPECS[name])
    graph = fabric_graph(design)
    assert graph.edges[lower, one]["links"] == graph.edges[lower, two]["links"]
    put_one_link(graph, lower, one)
    take_one_link(graph, lower, two)
    assert ("miswired", lower) in found(design, graph)


@pytest.mark.parametrize(
    ("name", "below"),
    [
        ("two stages, uneven", 0),
        ("three stages, uneven", 0),
        ("three stages, uneven", 1),
        ("four stages, uneven", 0),
        ("four stages, uneven", 1),
        ("four stages, uneven", 2),
    ],
)
def test_ports_up_that_no_striping_has_are_named(name: str, below: int) -> None:
    """Below the highest boundary one link less; at it as many less as there are boxes: a link less for all."""
    design = design_of(SPECS[name])
    fabric = design.fabric
    at = len(fabric.stages) - 2 - below
    boxes = (fabric.spines_per_pod, fabric.cores_per_spine, fabric.tops_per_core)[at]
    links = (fabric.links_per_leaf_spine, fabric.links_per_spine_core, fabric.links_per_core_top)[at]
    up = boxes * links - (1 if below else boxes)
    stages = [replace(stage, up_ports=up) if n == at else stage for n, stage in enumerate(fabric.stages)]
    wrong = replace(design, fabric=replace(fabric, stages=tuple(stages)))
    assert (f"{stages[at].name}_ports", stages[at].name) in {(v.rule, v.place) for v in recount(wrong)}


def test_traffic_goes_by_the_links_that_the_design_gives() -> None:
    """Ten links over four spines, 3 3 2 2: all carry as much; a pair with a link less slows all the others."""
    design = design_of(SPECS["two stages, uneven"])
    graph = fabric_graph(design)
    row = {row.boundary: row for row in flow_check(design, graph=graph).boundaries}["leaf_spine"]
    assert (row.capacity_gbps, row.fluid_gbps) == (10 * 800, 10 * 800)
    for spine, left in ((3, Fraction(1, 2)), (0, Fraction(2, 3))):
        graph = fabric_graph(design)
        take_one_link(graph, "leaf1", f"pod0/spine{spine}")
        row = {row.boundary: row for row in flow_check(design, graph=graph).boundaries}["leaf_spine"]
        assert (row.group, row.capacity_gbps, row.fluid_gbps) == ("leaf1", float(10 * 800 * left), 9 * 800)


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
    assert flow_check(design).boundaries[0].margin > 1
    graph = fabric_graph(design)
    graph.remove_edges_from([("chat/d1/plane3", name) for name in list(graph["chat/d1/plane3"])])
    report = flow_check(design, graph=graph)
    seen = {(violation.rule, violation.place) for violation in report.violations}
    assert ("box_without_links", "chat/d1/plane3") in seen
    assert ("oversubscribed_scale_up", "chat/d1/a0") in seen
    assert not [place for rule, place in seen if rule == "missing_links"]
    assert any("domain 1, 1 domains wired alike" in flow.name and flow.margin < 1 for flow in report.flows)


def test_a_thinner_domain_gets_a_max_flow_of_its_own() -> None:
    design = with_needs(design_of(SPECS["two stages"]), 3.0)
    graph = fabric_graph(design)
    # As many cables to as many switches as in the other domains, some of them thinner.
    for accelerator in range(8):
        take_one_link(graph, f"chat/d2/a{accelerator}", "chat/d2/plane1")
    flows = {flow.name: flow.margin for flow in flow_check(design, graph=graph).flows if "half" in flow.name}
    assert flows == {
        "scale-up chat: half of domain 2, 1 domains wired alike": 15 * 800 / 12_000,
        "scale-up chat: half of domain 0, 3 domains wired alike": 16 * 800 / 12_000,
    }


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


@pytest.mark.parametrize(
    "name", ["three stages, two pools", "two-stage domains", "mesh", "torus", "rails and planes, three stages"]
)
def test_a_graph_scrambled_but_complete_passes(name: str) -> None:
    design = design_of(SPECS[name])
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
