"""Four stages, spare planes and spare domains: the graph, its margins, and what is said of a wrong cable."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import networkx as nx
import pytest
from fabric_designs import EP, SPECS, FabricSpec, PoolSpec, design_of, rules_of, take_one_link, with_needs

from designer.design.types import Design
from designer.fabric import concurrent_flow_lp, fabric_graph, flow_check, quotient_graph

FOUR = FabricSpec(
    stages=4,
    spines=3,
    pools=(PoolSpec(size=4, hosts_of=4, domains=10, domains_per_replica=5, spare_domains=5, **EP),),
)
SPARE = SPECS["spare planes"]


def found(design: Design, graph: nx.Graph) -> set[tuple[str, str]]:
    return {(violation.rule, violation.place) for violation in flow_check(design, graph=graph).violations}


def test_cores_stand_in_zones_and_meet_the_same_tops() -> None:
    graph = fabric_graph(design_of(FOUR))
    # 10 leaves, 5 pods of 2, zones of 2, 2 and 1 pods.
    assert {graph.nodes[name]["kind"] for name in graph} == {"accelerator", "plane", "leaf", "spine", "core", "top"}
    for pod, spine in itertools.product(range(5), range(3)):
        up = {name for name in graph[f"pod{pod}/spine{spine}"] if "core" in name}
        assert up == {f"zone{pod // 2}/cores{spine}/core{index}" for index in range(2)}
    for zone, group, index in itertools.product(range(3), range(3), range(2)):
        up = {name for name in graph[f"zone{zone}/cores{group}/core{index}"] if "top" in name}
        assert up == {f"tops{group * 2 + index}/top{top}" for top in range(2)}


def test_a_zone_of_whole_replicas_keeps_their_experts_inside() -> None:
    pool = PoolSpec(size=4, hosts_of=4, domains=16, domains_per_replica=4, **EP)
    report = flow_check(design_of(replace(FOUR, pools=(pool,))))
    assert report.ok, report.violations
    rows = {row.boundary: row for row in report.boundaries}
    # 2 pods of 2 leaves of 4; of a replica's 3 other domains 2 are in the other pod.
    assert rows["spine_core"].demand_gbps == 8 * (200 + 50)
    assert (rows["core_top"].demand_gbps, rows["core_top"].capacity_gbps) == (16 * 50, 12 * 800)
    assert rows["core_top"].cut == "top uplinks of zone 0 (12 links of 800 Gb/s on 6 cores)"


def test_the_tops_can_be_the_bottleneck() -> None:
    spec = replace(FOUR, tops_per_core=1, m3=1, pools=(PoolSpec(size=8, domains=8, other_need=190.0),))
    report = flow_check(design_of(spec))
    row = next(row for row in report.boundaries if row.binding)
    assert (row.boundary, row.demand_gbps, row.capacity_gbps) == ("core_top", 32 * 190, 6 * 800)
    assert {violation.rule for violation in report.violations} == {"oversubscribed_core_top", "cut_too_small"}


@pytest.mark.parametrize("spec", [FOUR, SPECS["four stages, two pools, in rails"]], ids=["one pool", "rails"])
def test_flows_of_four_stages_are_the_same_on_the_quotient(spec: FabricSpec) -> None:
    design = design_of(spec)
    expanded, quotient = flow_check(design), flow_check(design, expand_limit=0)
    assert [(flow.name, flow.margin) for flow in expanded.flows] == [(f.name, f.margin) for f in quotient.flows]
    graph = quotient_graph(design, whole_pools=True)
    links = sum(edge["links"] for _, _, edge in graph.edges(data=True) if edge["boundary"] == "core_top")
    assert links == design.fabric.boundaries[-1].links


def test_a_missing_cable_to_the_tops_is_named_and_costs_its_zone() -> None:
    design = design_of(FOUR)
    graph = fabric_graph(design)
    take_one_link(graph, "zone1/cores2/core0", "tops4/top1")
    seen = found(design, graph)
    assert ("missing_links", "zone1/cores2/core0 - tops4/top1") in seen
    assert {("links_core_top", "fabric"), ("core_ports", "zone1/cores2/core0")} <= seen
    row = next(row for row in flow_check(design, graph=graph).boundaries if row.boundary == "core_top")
    assert (row.group, row.capacity_gbps, row.fluid_gbps) == ("zone 1", 6 * 800, 11 * 800)


@pytest.mark.parametrize(
    ("one", "two", "other", "message"),
    [
        ("pod0/spine1", "zone0/cores1/core0", "zone1/cores1/core0", "cores of its own zone only"),
        ("pod2/spine0", "zone1/cores0/core1", "zone1/cores2/core1", "core group i serves spine i"),
        ("zone1/cores0/core1", "tops1/top0", "tops3/top0", "core j of every zone meets the same tops"),
        ("leaf2", "pod1/spine0", "pod0/spine0", "spines of its own pod only"),
    ],
)
def test_a_switch_wired_to_the_wrong_zone_or_set_is_named(one: str, two: str, other: str, message: str) -> None:
    design = design_of(FOUR)
    graph = fabric_graph(design)
    edge = dict(graph.edges[one, two])
    graph.remove_edge(one, two)
    graph.add_edge(one, other, **edge)
    assert {("miswired", one), ("miswired", f"{one} - {other}")} <= found(design, graph)
    messages = [row.message for row in flow_check(design, graph=graph).violations if row.place == f"{one} - {other}"]
    assert any(message in text for text in messages)


def test_a_core_wired_as_one_of_another_zone_is_named() -> None:
    design = design_of(FOUR)
    swap = {"zone0/cores0/core0": "zone1/cores0/core0", "zone1/cores0/core0": "zone0/cores0/core0"}
    seen = found(design, nx.relabel_nodes(fabric_graph(design), swap))
    assert {("miswired", "zone0/cores0/core0"), ("miswired", "zone1/cores0/core0")} <= seen


def test_wrong_counts_of_four_stages_are_named() -> None:
    design = design_of(FOUR)
    fabric = design.fabric

    def other(**changes: object) -> Design:
        return replace(design, fabric=replace(fabric, **changes))

    def stage(place: int, **changes: Any) -> Design:
        stages = list(fabric.stages)
        stages[place] = replace(stages[place], **changes)
        return other(stages=tuple(stages))

    last = fabric.boundaries[-1]
    cases = {
        "boxes_top": stage(3, count=11),
        "boxes_core": stage(2, count=12),
        "core_ports": stage(2, up_ports=5),
        "top_ports": stage(3, down_ports=2),
        "zones": other(zones=4),
        "links_core_top": other(boundaries=(*fabric.boundaries[:2], replace(last, links=last.links + 1))),
        "links_missing": other(boundaries=fabric.boundaries[:2]),
        "wiring_number": other(tops_per_core=0),
        "stages": other(stages=(*fabric.stages, fabric.stages[3])),
    }
    for rule, wrong in cases.items():
        assert rule in rules_of(wrong), rule


def without_planes(design: Design, planes: tuple[int, ...]) -> tuple[Design, nx.Graph]:
    """The same design with nothing spare, and its graph with planes of all domains taken out."""
    (pool,) = design.pools
    graph = fabric_graph(design)
    graph.remove_nodes_from([f"chat/d{domain}/plane{plane}" for domain in range(pool.domains) for plane in planes])
    bare = replace(pool, scale_up=replace(pool.scale_up, spare_planes=0))
    return replace(design, pools=(bare,)), graph


@pytest.mark.parametrize(("shares", "spare"), [((5, 4, 4, 5), 1), ((5, 4, 4, 5), 2), ((2, 2, 2), 2), ((3, 2), 1)])
def test_need_is_held_against_the_worst_planes_out(shares: tuple[int, ...], spare: int) -> None:
    need = 0.9 * (len(shares) - spare) * min(shares) * 800
    pool = PoolSpec(domains=2, shares=shares, spare_planes=spare, scale_up_need=need)
    design = design_of(FabricSpec(pools=(pool,)))
    report = flow_check(design)
    assert report.ok, report.violations
    assert report.boundaries[0].margin == pytest.approx(1 / 0.9)
    assert f"any {spare} of them out" in report.boundaries[0].cut
    even, fluid, flows = [], [], []
    for planes in itertools.combinations(range(len(shares)), spare):
        bare, graph = without_planes(design, planes)
        other = flow_check(bare, graph=graph)
        even.append(other.boundaries[0].margin)
        fluid.append(other.boundaries[0].fluid_margin)
        flows.append(next(flow.margin for flow in other.flows if flow.name.startswith("scale-up")))
    assert report.boundaries[0].margin <= min(even)
    assert report.boundaries[0].fluid_margin == min(fluid)
    halves = next(flow for flow in report.flows if flow.name.startswith("scale-up"))
    assert halves.margin == min(flows) == report.boundaries[0].fluid_margin
    assert halves.name.endswith(f", {spare} of {len(shares)} planes out")
    check = next(check for check in report.lp if check.where.startswith("scale-up"))
    assert check.lp == pytest.approx(halves.margin, rel=1e-8)


def test_what_fits_on_all_planes_does_not_pass_with_a_spare_one() -> None:
    # 12,000 Gb/s: on four planes 4 x 4 x 800 = 12,800, on three of them 9,600.
    design = with_needs(design_of(SPARE), 3.0)
    (pool,) = design.pools
    bare = replace(pool.scale_up, spare_planes=0, usable_gbps=12800.0)
    assert rules_of(replace(design, pools=(replace(pool, scale_up=bare),))) == set()
    assert rules_of(design) == {"oversubscribed_scale_up", "cut_too_small"}


def test_a_plane_short_where_one_is_spare_is_named() -> None:
    design = design_of(SPARE)
    graph = fabric_graph(design)
    graph.remove_edges_from([("chat/d3/plane1", name) for name in list(graph["chat/d3/plane1"])])
    report = flow_check(design, graph=graph)
    assert ("box_without_links", "chat/d3/plane1") in {(row.rule, row.place) for row in report.violations}
    # Three planes left, any one of them out: two bundles of at least 4 links.
    row = report.boundaries[0]
    assert (row.group, row.capacity_gbps, row.fluid_gbps) == ("chat/d3/a0", 2 * 4 * 800, 9 * 800)


def test_a_thin_plane_bundle_is_the_one_that_is_kept() -> None:
    design = design_of(SPARE)
    graph = fabric_graph(design)
    take_one_link(graph, "chat/d0/a2", "chat/d0/plane2")
    report = flow_check(design, graph=graph)
    assert ("missing_links", "chat/d0/a2 - chat/d0/plane2") in {(row.rule, row.place) for row in report.violations}
    row = report.boundaries[0]
    assert (row.group, row.capacity_gbps) == ("chat/d0/a2", 3 * 3 * 800)


def test_spare_planes_that_make_no_sense_are_named() -> None:
    design = design_of(SPARE)
    (pool,) = design.pools

    def other(**changes: object) -> Design:
        return replace(design, pools=(replace(pool, scale_up=replace(pool.scale_up, **changes)),))

    assert rules_of(other(spare_planes=2)) == {"scale_up_usable"}
    for spare in (4, -1):
        assert rules_of(other(spare_planes=spare)) == {"spare_planes"}
    (two,) = design_of(SPECS["two-stage domains"]).pools
    clos = replace(
        design_of(SPECS["two-stage domains"]), pools=(replace(two, scale_up=replace(two.scale_up, spare_planes=1)),)
    )
    assert rules_of(clos) == {"spare_planes"}


HANDED = (
    PoolSpec("p", "w", "prefill", size=4, domains=3, hosts_of=4, spare_domains=1, other_need=100.0),
    PoolSpec("d", "w", "decode", size=4, domains=5, hosts_of=4, spare_domains=2, other_need=60.0),
)


def test_kv_caches_flow_between_the_domains_that_serve() -> None:
    report = flow_check(design_of(FabricSpec(spines=3, pools=HANDED)))
    assert report.ok, report.violations
    flows = {flow.name: flow for flow in report.flows if flow.name.startswith("kv")}
    assert set(flows) == {"kv w, last domains idle", "kv w, first domains idle"}
    # 8 x 100 of prefill; 12 x 60 of decode is less.
    assert {(flow.demand_gbps, flow.sources, flow.sinks) for flow in flows.values()} == {(720.0, 8, 12)}


def test_no_choice_of_idle_domains_fits_less_often_than_all_busy() -> None:
    """Every choice of idle domains as a programme: KV caches from those that serve to those that serve."""
    design = design_of(FabricSpec(stages=3, spines=1, leaves_per_pod=2, cores_per_spine=1, pools=HANDED))
    theta = flow_check(design).theta_fluid
    graph: nx.Graph = nx.Graph()
    for one, two, edge in fabric_graph(design).edges(data=True):
        if not edge["boundary"].startswith("scale_up"):
            graph.add_edge(one, two, **edge)
    fits = []
    for serving in itertools.product(itertools.combinations(range(3), 2), itertools.combinations(range(5), 3)):
        senders, takers = (
            [f"{pool.name}/d{domain}/a{index}" for domain in domains for index in range(4)]
            for pool, domains in zip(HANDED, serving, strict=True)
        )
        demands = {(one, two): 720 / len(senders) / len(takers) for one in senders for two in takers}
        fits.append(concurrent_flow_lp(graph, demands))
    assert theta is not None
    assert min(fits) >= theta * (1 - 1e-9)
    assert max(fits) > min(fits) * 1.1


def test_spare_domains_that_make_no_sense_are_named() -> None:
    design = design_of(FOUR)
    (pool,) = design.pools
    # Replicas of 5 domains: 5 spare ones are one replica's.
    assert (pool.domains, pool.spare_domains, pool.replicas) == (10, 5, 1)
    for changes, rule in (
        ({"spare_domains": 3}, "spare_domains"),
        ({"spare_domains": 10}, "spare_domains"),
        ({"spare_domains": -5}, "spare_domains"),
        ({"replicas": 2}, "replicas"),
    ):
        assert rules_of(replace(design, pools=(replace(pool, **changes),))) == {rule}
