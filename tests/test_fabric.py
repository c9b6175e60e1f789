"""The fabric room: graph and recount, designs that do not add up, the quotient, speed."""

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
from fabric_designs import (
    SPECS,
    FabricSpec,
    PoolSpec,
    changed_pool,
    design_of,
    leaves_of,
)
from fabric_random import any_spec
from hypothesis import given, settings

from designer.design.types import Design
from designer.fabric import (
    NotEquitableError,
    WiringError,
    fabric_graph,
    flow_check,
    quotient_graph,
    recount,
    verify_equitable,
    wire,
)
from designer.fabric.copies import copies_of, rows_of_copy
from designer.fabric.cuts import ScaleOut, bisection
from designer.fabric.max_flow import largest_multiple
from designer.fabric.traffic import traffic_of
from designer.fabric.wiring import NIC_LEAF


def test_boxes_and_links_are_those_of_the_design(spec: FabricSpec) -> None:
    design = design_of(spec)
    graph = fabric_graph(design)
    kinds = Counter(kind for _, kind in graph.nodes(data="kind"))
    assert kinds["accelerator"] == sum(pool.size * pool.domains for pool in spec.pools)
    groups = [pool.size // pool.group if pool.group else 1 for pool in spec.pools]
    assert kinds["plane"] == sum(
        pool.domains * len(pool.shares) * count for pool, count in zip(spec.pools, groups, strict=True)
    )
    assert kinds["upper"] == sum(pool.domains * len(pool.shares) * pool.upper_switches for pool in spec.pools)
    copies = spec.rails * spec.planes
    assert {stage.name: stage.count * copies for stage in design.fabric.stages} == {
        kind: kinds[kind] for kind in ("leaf", "spine", "core", "top") if kinds[kind]
    }
    links: Counter[str] = Counter()
    for _, _, edge in graph.edges(data=True):
        links[edge["boundary"]] += edge["links"]
        assert edge["capacity_gbps"] == edge["links"] * edge["rate_gbps"]
        assert isinstance(edge["capacity_gbps"], int)
    stated: Counter[str] = Counter()
    for pool, own in zip(design.pools, spec.pools, strict=True):
        up = pool.scale_up
        for row in (up.boundary, up.upper and up.upper.boundary, pool.nic_leaf):
            if row is not None:
                stated[row.name] += row.links
        # Directly joined: every accelerator has one link to each neighbour, every link two accelerators.
        if own.kind == "mesh":
            stated["scale_up"] += pool.accelerators * (own.size - 1) * (own.ports // (own.size - 1)) // 2
        if own.kind == "torus":
            stated["scale_up"] += pool.accelerators * len(own.dims)
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
    design = design_of(spec)
    rows = traffic_of(design)
    copies = copies_of(wire(design))
    assert [copy.alike for copy in copies] == [tuple(range(spec.rails * spec.planes))]
    on_quotient = bisection(ScaleOut(copies[0], expanded=False), rows_of_copy(wire(design), rows))
    # Independently of the copies: the whole fabric, all rails and planes at once.
    graph: nx.Graph = nx.Graph()
    wiring = wire(design)
    for lower, upper, capacity, boundary in zip(
        wiring.lower.tolist(), wiring.upper.tolist(), wiring.capacity.tolist(), wiring.boundary.tolist(), strict=True
    ):
        if boundary >= NIC_LEAF:
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
    assert on_quotient.demand_gbps * len(copies[0].alike) == pytest.approx(float(sum(sends.values())))


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


@pytest.mark.parametrize(
    ("name", "top", "links"),
    [
        ("two stages, uneven", "spine", (3, 3, 2, 2)),
        ("three stages, uneven", "core", (3, 3, 2)),
        ("four stages, uneven", "top", (4, 4, 3, 3, 3)),
        ("rails and planes, uneven", "spine", (2, 2, 1)),
    ],
)
def test_full_and_lean_boxes_are_cells_apart(name: str, top: str, links: tuple[int, ...]) -> None:
    design = design_of(SPECS[name])
    fabric = design.fabric
    built = fabric_graph(design)
    for box in [box for box, kind in built.nodes(data="kind") if kind == top]:
        number = int(box.rpartition(top)[2])
        assert {edge["links"] for edge in built[box].values()} == {links[number]}
    graph = quotient_graph(design, whole_pools=True)
    cells = dict.fromkeys(links, 0)
    for cell, kind in graph.nodes(data="kind"):
        if kind == top:
            each = links[int(graph.nodes[cell]["first"].rpartition(top)[2])]
            cells[each] += graph.nodes[cell]["members"]
            below = sum(edge["links"] for edge in graph[cell].values())
            assert below == each * fabric.stages[-1].down_ports // max(links) * graph.nodes[cell]["members"]
    copies = fabric.rails * fabric.planes
    assert cells == {
        each: copies * fabric.stages[-1].count * links.count(each) // len(links) for each in dict.fromkeys(links)
    }


def test_whole_pools_collapse_to_a_handful_of_nodes() -> None:
    design = design_of(FabricSpec(pools=(PoolSpec(domains=64, shares=(5, 4, 4, 5)),)))
    graph = quotient_graph(design, whole_pools=True)
    assert sorted(kind for _, kind in graph.nodes(data="kind")) == ["accelerator", "leaf", "plane", "plane", "spine"]


def test_a_partition_that_is_not_equitable_is_refused() -> None:
    wiring = wire(design_of(FabricSpec(pools=(PoolSpec(shares=(5, 4, 4, 5)),))))
    with pytest.raises(NotEquitableError, match="share a cell"):
        verify_equitable(wiring, wiring.kind)
    verify_equitable(wiring, np.arange(wiring.boxes))


@given(any_spec())
@settings(max_examples=25, deadline=None)
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("domains", "seconds", "engine"), [(3, 5.0, "expanded"), (110, 5.0, "quotient"), (1390, 20.0, "quotient")]
)
def test_large_fabrics_are_checked_in_seconds(domains: int, seconds: float, engine: str) -> None:
    pool = PoolSpec(
        size=72,
        domains=domains,
        hosts_of=4,
        shares=(1,) * 18,
        port_gbps=400,
        domains_per_replica=max(1, domains // 10),
        ep_need=173.29341 * (domains > 10),
        other_need=33.337,
    )
    design = design_of(FabricSpec(stages=3, spines=36, leaves_per_pod=20, cores_per_spine=20, pools=(pool,)))
    begin = time.perf_counter()
    report = flow_check(design)
    # Bounds are loose, for busy machines; docs/flow_check.md has the measured figures.
    assert time.perf_counter() - begin < seconds
    assert (report.ok, report.engine, report.endpoints) == (True, engine, 72 * domains)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_500_000
