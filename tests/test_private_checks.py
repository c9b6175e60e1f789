"""Several scale-out fabrics in the verifier and in the flow check: sound ones pass, each broken rule is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import networkx as nx
import pytest
from fabric_designs import (
    RAILS,
    SPECS,
    TWO_POOLS,
    FabricSpec,
    PoolSpec,
    changed_pool,
    design_of,
    take_one_link,
    with_needs,
)
from private_designs import boards, many_small, private_design, private_instance, renamed, side_by_side
from test_verify_paths import CROSSING
from verify_crossing_designs import one_switch_design, two_stage_design
from verify_designs import rack_design, workload
from verify_small_designs import with_big_switch
from verify_tampering import ROUND, put, rules, said, touch_everything

from designer.design.types import Design
from designer.fabric import (
    FlowReport,
    WiringError,
    fabric_graph,
    flow_check,
    quotient_graph,
    recount,
    wire,
    wirings,
)
from designer.fabric.apart import fabrics_apart
from designer.instance.schema import Choose, Instance, Lengths, Risk, Site
from designer.verify import Verification, verify

F = Fraction

# --- The verifier: what is allowed ------------------------------------------------------------------------------------


def parts_alone() -> list[Verification]:
    """The two designs of ``private_design``, each the answer to its own half of the question."""
    both = private_instance().workloads
    halves = zip((rack_design(), replace(boards(), instance="rack")), both, strict=True)
    return [verify(design, ROUND, private_instance((work,))) for design, work in halves]


def test_two_fabrics_are_the_sum_of_their_parts() -> None:
    result, parts = verify(private_design(), ROUND, private_instance()), parts_alone()
    assert result.ok and all(part.ok for part in parts), said(result)
    assert result.totals is not None
    for number, item in enumerate(result.totals.items):
        one, two = (part.totals.items[number] for part in parts if part.totals is not None)
        assert item.capex_usd == one.capex_usd + two.capex_usd > 0
        assert item.watts == one.watts + two.watts
        assert item.failures == one.failures + two.failures
    assert result.exact_objective == sum(part.exact_objective for part in parts)
    # 21 racks and 1 of switches; 35 + 21 of two hosts each and 8 of switches.
    assert [part.account.racks for part in parts] == [22, 64] and result.account.racks == 86


def test_pools_of_a_workload_need_not_stand_together_in_the_list() -> None:
    rack, (prefill, decode) = rack_design(), boards().pools
    pools = (prefill, replace(rack.pools[0], fabric=1), decode)
    result = verify(Design("rack", pools, boards().fabric, (rack.fabric,)), ROUND, private_instance())
    assert result.ok, said(result)
    assert result.exact_objective == verify(private_design(), ROUND, private_instance()).exact_objective


def test_network_racks_are_whole_on_every_fabric() -> None:
    design, instance = many_small(4)
    result = verify(design, with_big_switch(144), instance)
    assert result.ok, said(result)
    # The 4 kW of four switches and their cables would fit one rack.
    assert result.account.racks == 4 * (2 + 1)
    shared = verify(put(design, "more_fabrics.2.network_racks", 0), with_big_switch(144), instance)
    assert [(row.rule, row.place) for row in shared.findings] == [("network_racks", "scale-out fabrics[3]")]


@pytest.mark.parametrize(("number", "blocks", "held"), [(4, (0, 0, 1, 1), True), (4, (0, 1, 0, 2), True),
                                                        (5, (0, 0, 1, 1, 1), False), (5, (0, 1, 2, 3, 4), True),
                                                        (5, (0, 0, 0, 0, 0), True)])  # fmt: skip
def test_more_than_four_workloads_all_share_or_none_do(number: int, blocks: tuple[int, ...], held: bool) -> None:
    design, instance = many_small(number)
    counts = [blocks.count(block) for block in range(max(blocks) + 1)]
    # One stage: 144 ports of every pool on it; 144 cables of 400 make 576 W, so one rack does for five.
    first, *more = (put(design.fabric, "stages.0.down_ports", 144 * count) for count in counts)
    pools = tuple(replace(pool, fabric=block) for pool, block in zip(design.pools, blocks, strict=True))
    result = verify(Design(design.instance, pools, first, tuple(more)), with_big_switch(720), instance)
    assert rules(result) == (set() if held else {"fabric_parting"}), said(result)


def test_the_instance_may_want_one_fabric() -> None:
    instance = private_instance(choose=Choose(spine_tapers=(1.0, 3.0), private_fabrics=False))
    assert rules(verify(private_design(), ROUND, instance)) == {"private_fabrics"}
    alone = private_instance((workload(tpot_ms=20.0),), choose=Choose(private_fabrics=False))
    assert verify(rack_design(), ROUND, alone).ok


def test_a_way_through_one_fabric_is_not_that_through_another() -> None:
    quick, instance = one_switch_design(0.0)
    slow, _ = two_stage_design(2.0)
    twin = instance.workloads[0].model_copy(update={"name": "other"})
    # The 16 hosts of the one switch fill four racks.
    site = Site(lengths=Lengths(row_m=4.0, leaf_spine_m=50.0))
    both = instance.model_copy(update={"workloads": (*instance.workloads, twin), "site": site})
    result = verify(side_by_side(quick, renamed(slow, "other")), CROSSING, both)
    assert result.ok, said(result)
    hasty, _ = two_stage_design(0.0)
    late = verify(side_by_side(quick, renamed(hasty, "other")), CROSSING, both)
    assert [(row.rule, row.place) for row in late.findings] == [("path_latency", "pool other, way through the fabric")]


# --- The verifier: what is refused ------------------------------------------------------------------------------------

FIRST, SECOND = "scale-out fabrics[0]", "scale-out fabrics[1]"


def with_fabrics(*numbers: int) -> Design:
    """The private design with other places of its three pools' fabrics."""
    design = private_design()
    pools = zip(design.pools, numbers, strict=True)
    return replace(design, pools=tuple(replace(pool, fabric=number) for pool, number in pools))


def swapped() -> Design:
    """The same two fabrics, numbered the other way round."""
    design = with_fabrics(1, 0, 0)
    return replace(design, fabric=design.more_fabrics[0], more_fabrics=(design.fabric,))


def with_third() -> Design:
    design = private_design()
    return replace(design, more_fabrics=(*design.more_fabrics, design.fabric))


def without_own_leaves() -> Design:
    """The second fabric states the leaves that are left when the first's serve its pools too."""
    design = private_design()
    leaves = [fabric.stages[0].count for fabric in design.fabrics]
    return put(design, "more_fabrics.0.stages.0.count", leaves[1] - leaves[0])


REFUSED: dict[str, tuple[Callable[[], Design], str, str]] = {
    "pool of a workload apart": (lambda: with_fabrics(0, 1, 0), "fabric_workload", "workload big"),
    "no such fabric": (lambda: with_fabrics(0, 1, 2), "fabric_number", "pool big.decode"),
    "negative": (lambda: with_fabrics(-1, 1, 1), "no_amount", "design.pools[0].fabric"),
    "empty": (with_third, "fabric_empty", "scale-out fabrics[2]"),
    "all on one of two": (lambda: with_fabrics(1, 1, 1), "fabric_empty", FIRST),
    "numbered by another order": (swapped, "fabric_order", "design"),
    "leaves of the other fabric": (without_own_leaves, "leaf_count", f"{SECOND}, leaf"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_parting_is_refused_by_name(name: str) -> None:
    build, rule, place = REFUSED[name]
    result = verify(build(), ROUND, private_instance())
    assert (rule, place) in {(row.rule, row.place) for row in result.findings}, said(result)


def test_another_numbering_breaks_nothing_else() -> None:
    assert rules(verify(swapped(), ROUND, private_instance())) == {"fabric_order"}


BROKEN = [
    ("family", "more_fabrics.0.family", "InfiniBand", f"{SECOND}, leaf"),
    ("boundaries", "more_fabrics.0.boundaries", (), SECOND),
    ("unknown_part", "more_fabrics.0.stages.1.switch", "none", f"{SECOND}, spine"),
    ("spine_count", "more_fabrics.0.stages.1.count", 33, f"{SECOND}, spine"),
    ("spine_count", "fabric.stages.1.count", 5, f"{FIRST}, spine"),
    ("core_up_ports", "more_fabrics.0.stages.2.up_ports", 1, f"{SECOND}, core"),
    ("leaf_spine_links", "more_fabrics.0.boundaries.0.links", 961, f"{SECOND}, leaf-spine boundary"),
    ("leaf_spine_links", "fabric.boundaries.0.links", 169, f"{FIRST}, leaf-spine boundary"),
    ("spine_taper", "more_fabrics.0.spine_taper", 2.9, SECOND),
    ("rails", "more_fabrics.0.rails", 2, SECOND),
    ("min_spines", "fabric.spines_per_pod", 1, FIRST),
    ("pods", "more_fabrics.0.pods", 3, SECOND),
    ("network_racks", "more_fabrics.0.network_racks", 7, SECOND),
]


@pytest.mark.parametrize(("rule", "path", "value", "place"), BROKEN)
def test_findings_name_the_fabric(rule: str, path: str, value: object, place: str) -> None:
    result = verify(put(private_design(), path, value), ROUND, private_instance())
    assert (rule, place) in {(row.rule, row.place) for row in result.findings}, said(result)


def test_no_value_can_be_touched_unnoticed() -> None:
    design = put(private_design(), "fabric.spine_taper", 0.0)
    # With two stages the spine taper is asked by no rule; that of the other fabric is one of BROKEN.
    assert touch_everything(design, private_instance(), {"spine_taper"}) > 600


# --- The verifier: limits over all fabrics ----------------------------------------------------------------------------


def limited(**other: object) -> Instance:
    return private_instance(**other)


def test_limits_hold_over_all_fabrics() -> None:
    parts = [part.totals for part in parts_alone()]
    watts = sum(part.watts for part in parts if part is not None)
    lengths = private_instance().site.lengths
    # 378 of the racks, two for each of 111 boards.
    for number, held in ((378 + 222, True), (378 + 221, False)):
        result = verify(private_design(), ROUND, limited(stock={"nvswitch4_chip": number}))
        assert rules(result) == (set() if held else {"limit_stock"})
    for racks, held in ((86, True), (85, False)):
        result = verify(private_design(), ROUND, limited(site=Site(racks=racks, lengths=lengths)))
        assert rules(result) == (set() if held else {"limit_racks"})
    for most, held in ((watts, True), (watts - 1, False)):
        site = Site(it_power_mw=float(most / 10**6), lengths=lengths)
        assert rules(verify(private_design(), ROUND, limited(site=site))) == (set() if held else {"limit_power"})


def test_one_failure_takes_what_it_takes_on_its_own_fabric() -> None:
    risk = Risk(max_single_failure_share=1e-6)
    both = private_instance().workloads
    alone = [
        verify(design, ROUND, private_instance((work,), risk=risk))
        for design, work in zip((rack_design(), replace(boards(), instance="rack")), both, strict=True)
    ]
    result = verify(private_design(), ROUND, private_instance(risk=risk))
    assert rules(result) == {"limit_single_failure"}
    assert set(result.findings) == {row for part in alone for row in part.findings}
    assert len({row.place for row in result.findings}) > 5


# --- The flow check ---------------------------------------------------------------------------------------------------

KV = tuple(replace(pool, other_need=150.0) for pool in TWO_POOLS)
"""Prefill and decode pool of one workload, ``w``."""


def two_fabrics() -> Design:
    """Two stages for pool ``chat``; three stages for a workload of two pools."""
    one = FabricSpec(pools=(PoolSpec(domains_per_replica=2, ep_need=300.0, other_need=50.0),))
    two = FabricSpec(stages=3, spines=3, leaves_per_pod=3, cores_per_spine=4, pools=KV)
    return side_by_side(design_of(one), design_of(two))


def problems(report: FlowReport) -> set[str]:
    return {row.rule for row in report.violations}


def on_copies() -> Design:
    """Rails and planes on the second fabric."""
    spec = FabricSpec(stages=2, rails=2, planes=2, rate=400, pools=(replace(RAILS, name="other", workload="other"),))
    return side_by_side(design_of(FabricSpec()), design_of(spec))


def test_two_fabrics_flow() -> None:
    for design in (two_fabrics(), on_copies()):
        report = flow_check(design)
        assert report.ok, report.violations
        assert report.endpoints == sum(pool.accelerators for pool in design.pools)
        assert not recount(design)


def test_boxes_of_later_fabrics_are_named_after_them() -> None:
    design = two_fabrics()
    graph = fabric_graph(design)
    alone = {name for part in (design.pools_on(0),) for name in graph if name.startswith(f"{part[0].name}/")}
    assert len(alone) == 32 + 16 and {"leaf0", "leaf3", "pod0/spine3"} <= set(graph)
    assert {"fabric1/leaf6", "fabric1/pod2/spine0", "fabric1/cores2/core3", "p/d0/a0", "d/d2/plane1"} <= set(graph)
    assert not any(name.startswith("fabric1/") and "/a" in name for name in graph)
    assert "fabric1/rail1/plane0/leaf0" in fabric_graph(on_copies())
    assert nx.number_connected_components(graph) == 2
    shared = fabric_graph(design_of(FabricSpec()))
    assert shared.edges == graph.subgraph(shared).edges and not any(name.startswith("fabric") for name in shared)


@pytest.mark.parametrize("name", ["one stage, two pools", "two stages, split domains", "three stages", "mesh", "rails"])
def test_a_fabric_flows_as_if_it_were_alone(name: str) -> None:
    own = design_of(FabricSpec(stages=2, spines=3, pools=(replace(PoolSpec(), name="x", workload="x"),)))
    other = design_of(SPECS[name])
    report, first, second = flow_check(side_by_side(own, other)), flow_check(own), flow_check(other)
    assert report.ok == (first.ok and second.ok)
    assert report.theta == min(theta for theta in (first.theta, second.theta) if theta is not None)
    rows = [(row.boundary, row.pool, row.demand_gbps, row.margin) for row in report.boundaries]
    assert rows == [(r.boundary, r.pool, r.demand_gbps, r.margin) for r in (*first.boundaries, *second.boundaries)]
    assert sorted((flow.demand_gbps, flow.margin) for flow in report.flows) == sorted(
        (flow.demand_gbps, flow.margin) for flow in (*first.flows, *second.flows)
    )
    assert len(report.lp) == len(first.lp) + len(second.lp)
    assert [row.binding for row in report.boundaries].count(True) >= 1
    halves = [part.bisection.margin for part in (first, second) if part.bisection is not None]
    assert report.bisection is not None and report.bisection.margin == min(halves)


def test_engines_agree_on_two_fabrics() -> None:
    design = two_fabrics()
    every, few = flow_check(design, expand_limit=10**6), flow_check(design, expand_limit=0)
    assert (every.engine, few.engine) == ("expanded", "quotient")
    assert [flow.margin for flow in every.flows] == pytest.approx([flow.margin for flow in few.flows])


def test_caches_stay_on_their_fabric() -> None:
    report = flow_check(two_fabrics())
    (flow,) = (flow for flow in report.flows if flow.name.startswith("kv "))
    assert flow.name == "kv w in fabric1"
    # 12 decode accelerators receive what is the smaller of 16 and 12 times 150.
    assert (flow.sources, flow.sinks, flow.demand_gbps) == (16, 12, 1800.0)
    apart = [design_of(FabricSpec(pools=(pool,))) for pool in KV]
    report = flow_check(side_by_side(*apart))
    assert "workload_apart" in problems(report)
    assert not any(flow.name.startswith("kv ") for flow in report.flows)


def test_what_is_thin_on_one_fabric_is_thin() -> None:
    design = two_fabrics()
    hungry = with_needs(design, 1.0)
    pools = (hungry.pools[0], *with_needs(replace(hungry, pools=hungry.pools[1:]), 6.0).pools)
    report = flow_check(replace(design, pools=pools))
    assert not report.ok and report.theta is not None and report.theta < 1
    assert {row.place for row in report.violations if row.rule == "oversubscribed_leaf_spine"} and all(
        "fabric1" in row.place for row in report.violations if row.rule == "oversubscribed_leaf_spine"
    )


def test_graph_of_two_fabrics_is_taken_as_it_is() -> None:
    for design in (two_fabrics(), on_copies()):
        graph = fabric_graph(design)
        assert flow_check(design, graph=graph) == flow_check(design)
        assert recount(design, graph) == ()


def test_a_cable_between_fabrics_is_miswired() -> None:
    design = two_fabrics()
    graph = fabric_graph(design)
    graph.add_edge("leaf0", "fabric1/pod0/spine1", links=1, rate_gbps=800, capacity_gbps=800)
    report = flow_check(design, graph=graph)
    assert [(row.rule, row.place) for row in report.violations] == [("miswired", "leaf0 - fabric1/pod0/spine1")]
    assert "different fabrics" in report.violations[0].message


def test_an_uplink_moved_to_the_other_fabric_is_missing_here() -> None:
    design = two_fabrics()
    graph = fabric_graph(design)
    take_one_link(graph, "fabric1/leaf2", "fabric1/pod0/spine1")
    graph.add_edge("fabric1/leaf2", "pod0/spine1", links=1, rate_gbps=800, capacity_gbps=800)
    found = recount(design, graph)
    assert {row.rule for row in found} >= {"miswired", "missing_links"}
    places = {row.place for row in found if row.rule in ("miswired", "missing_links")}
    assert places == {"fabric1/leaf2 - pod0/spine1", "fabric1/leaf2 - fabric1/pod0/spine1"}
    assert not flow_check(design, graph=graph).ok


def test_a_card_on_a_leaf_of_the_other_fabric() -> None:
    design = two_fabrics()
    graph = fabric_graph(design)
    take_one_link(graph, "chat/d0/a3", "leaf0")
    graph.add_edge("chat/d0/a3", "fabric1/leaf0", links=1, rate_gbps=800, capacity_gbps=800)
    report = flow_check(design, graph=graph)
    places = {(row.rule, row.place) for row in report.violations}
    assert ("miswired", "chat/d0/a3 - fabric1/leaf0") in places
    assert ("disconnected", "chat/d0/a3") in places


def test_each_fabric_hangs_together_by_itself() -> None:
    design = two_fabrics()
    graph = fabric_graph(design)
    for spine in ("fabric1/pod0/spine0", "fabric1/pod0/spine1", "fabric1/pod0/spine2"):
        graph.remove_edge("fabric1/leaf1", spine)
    # Neighbours on the other fabric are no way round.
    graph.add_edge("fabric1/leaf1", "pod0/spine0", links=1, rate_gbps=800, capacity_gbps=800)
    cut = [row for row in flow_check(design, graph=graph).violations if row.rule == "disconnected"]
    assert {row.place for row in cut} == {"fabric1/leaf1", *(f"p/d1/a{place}" for place in range(4))}
    assert all("rest of the scale-out fabric1" in row.message for row in cut)


def test_boxes_that_are_not_there_and_boxes_too_many() -> None:
    design = two_fabrics()
    graph = fabric_graph(design)
    graph.remove_node("fabric1/cores0/core0")
    graph.add_node("fabric2/leaf0")
    found = {(row.rule, row.place) for row in recount(design, graph)}
    assert {("missing_box", "fabric1/cores0/core0"), ("extra_box", "fabric2/leaf0")} <= found


def test_stated_counts_are_held_fabric_by_fabric() -> None:
    design = two_fabrics()
    wrong = put(put(design, "more_fabrics.0.pods", 7), "more_fabrics.0.stages.2.count", 11)
    assert {(row.rule, row.place) for row in recount(wrong)} == {("pods", "fabric1"), ("boxes_core", "fabric1")}
    thin = put(design, "more_fabrics.0.stages.1.up_ports", 3)
    assert {(row.rule, row.place) for row in recount(thin)} == {("spine_ports", "fabric1/spine")}
    first = put(design, "fabric.stages.1.count", 5)
    assert {(row.rule, row.place) for row in recount(first)} == {("boxes_spine", "fabric")}


def test_what_cannot_be_wired_is_named() -> None:
    design = two_fabrics()
    lost = changed_pool(design, fabric=2)
    report = flow_check(lost)
    assert {(row.rule, row.place) for row in report.violations} == {
        ("no_such_fabric", "pool chat"),
        ("wiring_number", "fabric"),
    }
    assert report.engine == "none" and not report.ok
    two = put(put(design, "fabric.spines_per_pod", 0), "more_fabrics.0.links_per_spine_core", 0)
    assert {row.place for row in flow_check(two).violations} == {"fabric", "fabric1"}
    with pytest.raises(WiringError, match="2 fabrics are not one"):
        wire(design)
    assert [wiring.fabric for wiring in wirings(design)] == [0, 1]


def test_quotients_of_two_fabrics_stand_beside_each_other() -> None:
    design = two_fabrics()
    whole = quotient_graph(design, whole_pools=True)
    alone = [quotient_graph(part, whole_pools=True) for part in fabrics_apart(design)]
    assert whole.number_of_nodes() == sum(map(len, alone))
    assert whole.number_of_edges() == sum(graph.number_of_edges() for graph in alone)
    assert sum(members for _, members in whole.nodes(data="members")) == fabric_graph(design).number_of_nodes()
    assert nx.number_connected_components(whole) == 2
