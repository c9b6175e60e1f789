"""Max flows against their cuts, the closed form against linear programming."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import networkx as nx
import pytest
from fabric_designs import (
    EP,
    SPECS,
    FabricSpec,
    PoolSpec,
    changed_pool,
    design_of,
    rules_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.fabric import (
    concurrent_flow_lp,
    fabric_graph,
    flow_check,
)
from designer.fabric.max_flow import largest_multiple


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
                if other != domain
                and place % spec.rails == index % spec.rails
                and other // pool.domains_per_replica == domain // pool.domains_per_replica
            ]
            for peer in peers:
                demands[name, peer] += pool.ep_need / len(peers)
    return demands


def test_closed_form_is_the_maximum_concurrent_flow(spec: FabricSpec) -> None:
    """Every accelerator a source of its own, nothing aggregated: the whole scale-out fabric with its NICs.

    With rails, traffic stands behind the NICs of the rail it is meant for.
    """
    design = design_of(spec)
    graph = fabric_graph(design)
    scale_out: nx.DiGraph = nx.DiGraph()
    for one, two, edge in graph.to_directed().edges(data=True):
        if not edge["boundary"].startswith("scale_up"):
            scale_out.add_edge(one, two, capacity_gbps=edge["capacity_gbps"])
    top = design.fabric.stages[-1].name
    for name, kind in graph.nodes(data="kind"):
        if kind == top:
            scale_out.add_edge(name, "to outside", capacity_gbps=10**6)
            scale_out.add_edge("from outside", name, capacity_gbps=10**6)
    theta = concurrent_flow_lp(scale_out, scale_out_demands(spec))
    rows = [row for row in flow_check(design).boundaries if not row.boundary.startswith("scale_up")]
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
