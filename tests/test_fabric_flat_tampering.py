"""Leaves joined directly, with cables that are not as designed: every one is found and named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import networkx as nx
import pytest
from fabric_designs import FabricSpec, design_of, rules_of, take_one_link
from fabric_flat_designs import BETWEEN, FLAT, flat
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.design.types import Design
from designer.fabric import fabric_graph, flow_check, recount


def found(design: Design, graph: nx.Graph) -> set[tuple[str, str]]:
    return {(violation.rule, violation.place) for violation in flow_check(design, graph=graph).violations}


def test_idle_leaves_pass_on_what_others_send() -> None:
    design = design_of(FLAT["hyperx, two leaves idle"])
    graph = fabric_graph(design)
    idle = [name for name, data in graph.nodes(data=True) if data["kind"] == "leaf" and not data["pool"]]
    assert idle == ["leaf10", "leaf11"]
    assert not any("/a" in other for name in idle for other in graph[name])
    without = graph.copy()
    without.remove_edges_from([("leaf11", other) for other in list(graph["leaf11"])])
    seen = found(design, without)
    assert ("box_without_links", "leaf11") in seen and ("disconnected", "leaf11") in seen
    assert "oversubscribed_leaf_leaf" in {rule for rule, _ in seen}


@pytest.mark.parametrize(
    ("name", "one", "two", "rule"),
    [
        ("mesh", "leaf1", "leaf3", "links_leaf_leaf"),
        ("mesh, rails and planes", "rail1/plane0/leaf1", "rail1/plane0/leaf3", "links_leaf_leaf"),
        ("hyperx", "leaf0", "leaf4", "links_leaf_leaf"),
        ("hyperx", "leaf2", "leaf3", "links_group_group"),
        ("dragonfly, full inside groups", "leaf4", "leaf5", "links_leaf_leaf"),
        ("dragonfly, leaves unlike", "leaf1", "leaf6", "links_group_group"),
    ],
)
def test_one_missing_cable_between_leaves_is_named(name: str, one: str, two: str, rule: str) -> None:
    design = design_of(FLAT[name])
    graph = fabric_graph(design)
    before = graph.edges[one, two]["links"]
    take_one_link(graph, one, two)
    seen = found(design, graph)
    assert {(rule, "fabric"), ("missing_links", f"{one} - {two}"), ("leaf_ports", one), ("leaf_ports", two)} <= seen
    boundary = rule.removeprefix("links_")
    whole, cut = (
        [row for row in flow_check(design, graph=each).boundaries if row.boundary == boundary]
        for each in (fabric_graph(design), graph)
    )
    assert cut[0].capacity_gbps < whole[0].capacity_gbps
    if not name.startswith("dragonfly"):
        assert cut[0].capacity_gbps == pytest.approx(whole[0].capacity_gbps * (before - 1) / before, rel=1e-12)


def test_a_group_link_that_is_missing_costs_what_its_group_pair_has() -> None:
    design = design_of(FLAT["dragonfly, leaves unlike"])
    graph = fabric_graph(design)
    for _ in range(2):
        one, two = next(
            (a, b)
            for a, b, edge in graph.edges(data=True)
            if edge["boundary"] == "group_group" and {int(a[4:]) // 2, int(b[4:]) // 2} == {1, 3}
        )
        take_one_link(graph, one, two)
    row = next(row for row in flow_check(design, graph=graph).boundaries if row.boundary == "group_group")
    assert row.capacity_gbps == 0
    assert row.cut.startswith("links of group 1 to group 3 (0 links")
    assert "oversubscribed_group_group" in {rule for rule, _ in found(design, graph)}


def moved(graph: nx.Graph, one: str, two: str, other: str) -> None:
    """Put all cables from ``one`` to ``two`` on ``other`` instead."""
    edge = dict(graph.edges[one, two])
    graph.remove_edge(one, two)
    if graph.has_edge(one, other):
        edge["links"] += graph.edges[one, other]["links"]
        edge["capacity_gbps"] = edge["links"] * edge["rate_gbps"]
    graph.add_edge(one, other, **edge)


@pytest.mark.parametrize(
    ("name", "one", "two", "other", "place"),
    [
        ("mesh", "leaf0", "leaf1", "leaf2", "leaf0"),
        ("hyperx, two leaves idle", "leaf0", "leaf3", "leaf9", "leaf0"),
        # Leaves that differ in both coordinates never meet.
        ("hyperx, two leaves idle", "leaf0", "leaf3", "leaf4", "leaf0 - leaf4"),
        ("dragonfly, full inside groups", "leaf0", "leaf1", "leaf2", "leaf0"),
        ("dragonfly, leaves unlike", "leaf1", "leaf6", "leaf2", "leaf1"),
        ("dragonfly, three leaves idle", "rail0/leaf0", "rail0/leaf1", "rail1/leaf1", "rail0/leaf0"),
    ],
)
def test_a_miswired_leaf_is_named(name: str, one: str, two: str, other: str, place: str) -> None:
    design = design_of(FLAT[name])
    graph = fabric_graph(design)
    moved(graph, one, two, other)
    assert ("miswired", place) in found(design, graph)


def test_a_leaf_joined_to_itself_or_to_a_spine_is_named() -> None:
    design = design_of(FLAT["mesh"])
    graph = fabric_graph(design)
    graph.add_edge("leaf1", "leaf1", links=1, rate_gbps=800, capacity_gbps=800)
    assert ("miswired", "leaf1 - leaf1") in found(design, graph)
    tree = design_of(FabricSpec())
    graph = fabric_graph(tree)
    graph.add_edge("leaf0", "leaf1", links=1, rate_gbps=800, capacity_gbps=800)
    assert ("miswired", "leaf0 - leaf1") in found(tree, graph)


def test_a_slow_link_limits_its_pair() -> None:
    design = design_of(FLAT["hyperx"])
    graph = fabric_graph(design)
    graph.edges["leaf0", "leaf4"].update(rate_gbps=400, capacity_gbps=800)
    report = flow_check(design, graph=graph)
    assert ("wrong_rate", "leaf0 - leaf4") in {(row.rule, row.place) for row in report.violations}
    row = next(row for row in report.boundaries if row.boundary == "leaf_leaf")
    assert (row.capacity_gbps, row.fluid_gbps) == (1200.0, 2400.0 * 11 / 12)


def test_wrong_counts_of_flat_fabrics_are_named() -> None:
    design = design_of(FLAT["hyperx, two leaves idle"])
    fabric = design.fabric

    def other(**changes: object) -> Design:
        return replace(design, fabric=replace(fabric, **changes))

    leaf, first = fabric.stages[0], fabric.boundaries[0]
    spread = {"stages": (replace(leaf, count=15, up_ports=10),), "leaves_per_pod": 15, "dims": (5, 3)}
    cases = {
        "boxes_leaf": other(stages=(replace(leaf, count=11),)),
        "leaf_ports": other(stages=(replace(leaf, up_ports=leaf.up_ports + 1),)),
        "links_leaf_leaf": other(boundaries=(replace(first, links=first.links - 1), fabric.boundaries[1])),
        "rate_leaf_leaf": other(boundaries=(replace(first, rate_gbps=400), fabric.boundaries[1])),
        "links_missing": other(boundaries=fabric.boundaries[:1]),
        "boundaries": other(boundaries=(*fabric.boundaries, first)),
        "absent_stages": other(spines_per_pod=4),
        "pods": other(leaves_per_pod=11),
        "flat_size": other(**spread),
        "flat_dims": other(dims=(4,)),
        "stages": other(stages=(leaf, replace(leaf, name="spine"))),
        "fabric_shape": other(shape="torus"),
        "wiring_number": other(uplink_gbps=0),
    }
    for rule, wrong in cases.items():
        assert rule in rules_of(wrong), rule
    turned = replace(design_of(flat("hyperx", (4, 2), (1, 1), 8)).fabric, dims=(2, 4))
    assert "flat_dims" in rules_of(replace(design_of(flat("hyperx", (4, 2), (1, 1), 8)), fabric=turned))
    small = replace(design_of(FLAT["mesh"]).fabric, dims=(3,))
    assert rules_of(replace(design_of(FLAT["mesh"]), fabric=small)) == {"flat_size"}
    odd = replace(design_of(FLAT["dragonfly, leaves unlike"]).fabric, links_per_pair=(3, 1))
    assert rules_of(replace(design_of(FLAT["dragonfly, leaves unlike"]), fabric=odd)) == {"flat_dims"}


@given(st.sampled_from(list(FLAT)), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_any_missing_cable_between_leaves_is_found(name: str, random: Any) -> None:
    design = design_of(FLAT[name])
    graph = fabric_graph(design)
    between = [(a, b) for a, b, edge in graph.edges(data=True) if edge["boundary"] in BETWEEN]
    one, two = random.choice(between)
    boundary = graph.edges[one, two]["boundary"]
    take_one_link(graph, one, two)
    seen = {violation.rule for violation in recount(design, graph)}
    assert f"links_{boundary}" in seen or "links_missing" in seen
    assert {"missing_links", "box_without_links"} & seen
