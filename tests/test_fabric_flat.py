"""Leaves joined directly: who meets whom, what they carry by way of random leaves, and how a wrong cable is named."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pytest
from fabric_designs import FabricSpec, PoolSpec, design_of, rules_of, take_one_link
from fabric_flat_designs import BETWEEN, FLAT, PARTS, any_flat, cap_of, flat
from hypothesis import given, settings

from designer.design.types import Design
from designer.fabric import (
    concurrent_flow_lp,
    fabric_graph,
    flow_check,
    quotient_graph,
    recount,
    wire,
    wirings,
    wirings_of,
)
from designer.fabric.copies import copies_of
from designer.fabric.flat_tiers import hose_of
from designer.families import family_from


@pytest.fixture(params=FLAT.values(), ids=FLAT.keys())
def flat_spec(request: pytest.FixtureRequest) -> FabricSpec:
    return request.param


def leaves_of_copy(design: Design) -> nx.Graph:
    """The leaves of the first copy by their numbers, with the links between them."""
    graph = fabric_graph(design)
    own = [name for name, data in graph.nodes(data=True) if data["kind"] == "leaf" and data["layer"] == 0]
    return nx.relabel_nodes(graph.subgraph(own), {name: graph.nodes[name]["index"] for name in own})


def test_leaves_meet_as_the_rules_say(flat_spec: FabricSpec) -> None:
    design = design_of(flat_spec)
    graph, dims, links = leaves_of_copy(design), flat_spec.dims, flat_spec.links
    assert sorted(graph) == list(range(int(np.prod(dims))))
    joined: Counter[tuple[int, int]] = Counter()
    for one, two in itertools.combinations(sorted(graph), 2):
        have = graph.edges[one, two] if graph.has_edge(one, two) else {"links": 0, "boundary": None}
        if flat_spec.shape == "mesh":
            assert (have["links"], have["boundary"]) == (links[0], "leaf_leaf")
        elif flat_spec.shape == "hyperx":
            (row, column), (other, there) = divmod(one, dims[1]), divmod(two, dims[1])
            wanted = {(True, False): (links[1], "group_group"), (False, True): (links[0], "leaf_leaf")}
            assert (have["links"], have["boundary"]) == wanted.get((row == other, column == there), (0, None))
        elif one // dims[0] == two // dims[0]:
            assert (have["links"], have["boundary"]) == (links[0], "leaf_leaf")
        else:
            joined[one // dims[0], two // dims[0]] += have["links"]
            assert have["boundary"] in {"group_group", None}
    if flat_spec.shape == "dragonfly":
        assert set(joined.values()) == {links[1]}
        assert len(joined) == dims[1] * (dims[1] - 1) // 2
        for leaf in graph:
            far = sum(edge["links"] for edge in graph[leaf].values() if edge["boundary"] == "group_group")
            assert far == links[1] * (dims[1] - 1) // dims[0]


def test_a_flat_design_adds_up_and_passes(flat_spec: FabricSpec) -> None:
    design = design_of(flat_spec)
    assert not recount(design)
    assert not recount(design, fabric_graph(design))
    report = flow_check(design)
    assert report.ok, report.violations
    rho = max(
        pool.size * min(pool.domains, pool.domains_per_leaf) * (pool.ep_need + pool.other_need)
        for pool in flat_spec.pools
    ) / (flat_spec.rails * flat_spec.planes)
    margins = [row.margin for row in report.boundaries if row.boundary in BETWEEN and row.margin is not None]
    assert min(margins) == pytest.approx(cap_of(flat_spec) / rho, rel=1e-12)
    assert [row.margin for row in report.boundaries] == [row.fluid_margin for row in report.boundaries]


def loads_by_routing(graph: nx.Graph, spec: FabricSpec) -> dict[tuple[int, int], float]:
    """Load of every link direction when each leaf sends 1 by way of random leaves, path by path."""
    leaves, a = sorted(graph), spec.dims[-1] if spec.shape == "hyperx" else spec.dims[0]
    load: dict[tuple[int, int], float] = dict.fromkeys(
        ((x, y) for one, two in graph.edges() for x, y in ((one, two), (two, one))), 0.0
    )

    def go(share: float, *path: int) -> None:
        for hop in itertools.pairwise(path):
            if hop[0] != hop[1]:
                load[hop] += share

    for one, two in itertools.permutations(leaves, 2):
        share = 2 / len(leaves)
        if spec.shape == "mesh" or (spec.shape == "dragonfly" and one // a == two // a):
            go(share, one, two)
        elif spec.shape == "hyperx":
            go(share, one, two // a * a + one % a, two)
        else:
            doors = [
                (near, far, graph.edges[near, far]["links"])
                for near in range(one // a * a, one // a * a + a)
                for far in graph[near]
                if far // a == two // a
            ]
            for near, far, links in doors:
                go(share * links / sum(door[2] for door in doors), one, near, far, two)
    return load


def test_closed_form_is_that_of_the_routing_path_by_path(flat_spec: FabricSpec) -> None:
    design = design_of(flat_spec)
    graph = leaves_of_copy(design)
    load = loads_by_routing(graph, flat_spec)
    for line, boundary in enumerate(BETWEEN[: len(flat_spec.dims)]):
        own = [
            gbps / graph.edges[ends]["capacity_gbps"]
            for ends, gbps in load.items()
            if graph.edges[ends]["boundary"] == boundary
        ]
        hose = hose_of(copies_of(wire(design))[0].wiring)[line]
        assert 1 / max(own) == pytest.approx(float(hose.even), rel=1e-12)


def test_a_dragonfly_with_uneven_leaves_is_loaded_as_its_routing_says() -> None:
    """One link between groups less: the leaves that are left with it carry more, and the closed form knows."""
    spec = flat("dragonfly", (3, 3), (1, 3), 9)
    design = design_of(spec)
    (reference,) = wirings(design)
    carried = set()
    for one, two, edge in fabric_graph(design).edges(data=True):
        if edge["boundary"] != "group_group":
            continue
        graph = fabric_graph(design)
        take_one_link(graph, one, two)
        (built,), _ = wirings_of(graph, (reference,))
        leaves = nx.relabel_nodes(
            graph.subgraph(name for name in graph if name.startswith("leaf")), lambda name: int(name[4:])
        )
        load = loads_by_routing(leaves, spec)
        for hose, boundary in zip(hose_of(copies_of(built)[0].wiring), BETWEEN, strict=True):
            own = [
                gbps / leaves.edges[ends]["capacity_gbps"]
                for ends, gbps in load.items()
                if leaves.edges[ends]["boundary"] == boundary
            ]
            assert 1 / max(own) == pytest.approx(float(hose.even), rel=1e-12)
            carried.add(round(float(hose.even)))
    # Whole: 720 inside groups, 1,200 between them; of the three links of a pair two are left.
    assert max(carried) == 800 and max(carried - {800}) < 720


def test_figures_of_the_rules_by_hand() -> None:
    # 2 x 800 x 6 / 2; the smaller of 1 x 800 x 11 / 2 and 6 x 800 x 2 / 2; of 8 x 800 x 6 / 8 and 5 x 800 x 24 / 22.
    cases: tuple[tuple[Any, ...], ...] = (
        ("mesh", (6,), (2,), (4800.0,)),
        ("hyperx", (11, 2), (1, 6), (4400.0, 4800.0)),
        ("dragonfly", (4, 6), (5, 8), (48000 / 11, 4800.0)),
    )
    for shape, dims, links, wanted in cases:
        design = design_of(flat(shape, dims, links, int(np.prod(dims))))
        rows = [row for row in flow_check(design).boundaries if row.boundary in BETWEEN]
        assert [row.capacity_gbps for row in rows] == pytest.approx(wanted, rel=1e-12)
        assert [row.demand_gbps for row in rows] == [600.0] * len(wanted)


@pytest.mark.parametrize(("dims", "worst"), [((4,), 2.0), ((5,), 2.5)])
def test_the_worst_permutation_of_a_mesh_gets_as_much_whatever_the_routing(dims: tuple[int, ...], worst: float) -> None:
    graph = leaves_of_copy(design_of(flat("mesh", dims, (1,), dims[0])))
    names = nx.relabel_nodes(graph, {leaf: str(leaf) for leaf in graph})
    least = min(
        concurrent_flow_lp(names, {(str(one), str(two)): 800.0 for one, two in enumerate(order) if one != two})
        for order in itertools.permutations(range(dims[0]))
        if any(one != two for one, two in enumerate(order))
    )
    assert least == pytest.approx(worst, rel=1e-9)


@pytest.mark.parametrize("name", ["hyperx", "dragonfly, full between groups", "dragonfly, leaves unlike"])
def test_random_permutations_fit_at_the_closed_form(name: str) -> None:
    spec = FLAT[name]
    graph = leaves_of_copy(design_of(spec))
    names = nx.relabel_nodes(graph, {leaf: str(leaf) for leaf in graph})
    random = np.random.default_rng(7)
    for _ in range(12):
        order = random.permutation(len(graph)).tolist()
        demands = {(str(one), str(two)): cap_of(spec) for one, two in enumerate(order) if one != two}
        assert concurrent_flow_lp(names, demands) >= 1 - 1e-9


@pytest.mark.parametrize("name", ["mesh", "hyperx", "dragonfly, full between groups", "dragonfly, leaves unlike"])
def test_the_families_of_topologies_say_the_same(name: str) -> None:
    """Counts, and half of what even traffic gets with one endpoint of unbounded rate on each leaf."""
    spec = FLAT[name]
    rate = float(spec.rate)
    if spec.shape == "mesh":
        table: dict[str, Any] = {"family": "full_mesh", "size": spec.dims[0], "links_per_pair": spec.links[0]}
    elif spec.shape == "hyperx":
        table = {"family": "hyperx", "sides": spec.dims, "links_per_pair": spec.links}
    else:
        a, groups = spec.dims
        table = {"family": "dragonfly", "p": 1, "a": a, "h": spec.links[1] * (groups - 1) // a, "groups": groups}
        table["local_links"] = spec.links[0]
    structure = family_from({**table, "port_gbps": rate if spec.shape != "hyperx" else (rate,)}).structure()
    design = design_of(spec)
    between = [bundle.links for bundle in structure.bundles if not bundle.name.startswith("endpoint-router")]
    assert between == [row.links for row in design.fabric.boundaries]
    leaves = int(np.prod(spec.dims))
    if spec.shape != "dragonfly":
        even = structure.capacity["all_to_all"]
        assert even.most == pytest.approx(2 * cap_of(spec) * (leaves - 1) / leaves, rel=1e-12)


@given(any_flat())
@settings(max_examples=20, deadline=None)
def test_any_flat_fabric_adds_up_and_the_programme_agrees(spec: FabricSpec) -> None:
    design = design_of(spec)
    assert not recount(design, fabric_graph(design))
    report = flow_check(design)
    assert not {row.rule for row in report.violations} & {"closed_form_wrong", "closed_form_too_high"}
    rows = [row for row in report.boundaries if row.boundary in BETWEEN]
    assert min(row.capacity_gbps for row in rows) == pytest.approx(cap_of(spec), rel=1e-12)
    checks = [check for check in report.lp if "random leaves" in check.where]
    assert checks and all(check.lp >= check.closed_form * (1 - 1e-9) for check in checks)


@pytest.mark.parametrize("name", ["mesh, mixed parts", "hyperx, two leaves idle", "dragonfly, three leaves idle"])
def test_flows_are_the_same_on_every_endpoint_and_on_the_quotient(name: str) -> None:
    design = design_of(FLAT[name])
    expanded, quotient = flow_check(design), flow_check(design, expand_limit=0)
    assert (expanded.engine, quotient.engine) == ("expanded", "quotient")
    assert [(flow.name, flow.margin) for flow in expanded.flows] == [(f.name, f.margin) for f in quotient.flows]
    for one, two in ((expanded.bisection, quotient.bisection),):
        assert one is not None and two is not None and one.margin == two.margin
    graph = quotient_graph(design, whole_pools=True)
    links = sum(edge["links"] for _, _, edge in graph.edges(data=True) if edge["boundary"] in BETWEEN)
    assert links == sum(row.links for row in design.fabric.boundaries)


def test_the_need_of_a_leaf_is_checked_without_spines() -> None:
    design = design_of(FLAT["hyperx"])
    (pool,) = design.pools
    low = replace(pool, attachment=replace(pool.attachment, need_gbps=pool.attachment.need_gbps * 0.99))
    assert rules_of(replace(design, pools=(low,))) == {"need_understated"}


@pytest.mark.parametrize(("factor", "ok"), [(0.999, True), (1.001, False)])
def test_the_verdict_turns_at_the_closed_form(factor: float, ok: bool) -> None:
    # 12 leaves of 4 accelerators; the links inside groups carry 685.7 Gb/s a leaf.
    need = cap_of(FLAT["dragonfly, full inside groups"]) / 4 * factor
    pool = PoolSpec(size=4, hosts_of=4, domains=12, other_need=need)
    spec = replace(FLAT["dragonfly, full inside groups"], pools=(pool,))
    assert rules_of(design_of(spec)) == (set() if ok else {"oversubscribed_leaf_leaf"})


def test_parts_of_a_pool_hand_over_together() -> None:
    report = flow_check(design_of(FLAT["mesh, mixed parts"]))
    (kv,) = (flow for flow in report.flows if flow.name.startswith("kv"))
    # 8 x 60 Gb/s of prefill; decode could take 12 x 40 + 8 x 30 = 720.
    assert (kv.demand_gbps, kv.sources, kv.sinks) == (480.0, 8, 20)
    assert not [flow for flow in report.flows if flow.name.startswith("outside")]


def test_parts_that_are_not_the_whole_pool_are_named() -> None:
    for share, message in (((2, 4), "1/4 = 3/4"), ((0, 4), "not shares"), ((5, 4), "not shares")):
        pools = (PARTS[0], replace(PARTS[1], share=share), PARTS[2])
        report = flow_check(design_of(replace(FLAT["mesh, mixed parts"], pools=pools)))
        (row,) = (row for row in report.violations if row.rule == "shares")
        assert row.place == "pool d" and message in row.message


def test_large_flat_fabrics_are_checked_without_their_flows() -> None:
    """3,200 leaves: nothing is solved that grows with the square of them, and nothing is left out silently."""
    pool = PoolSpec(size=32, hosts_of=4, domains=3198, domains_per_replica=2, ep_need=100.0, other_need=50.0)
    design = design_of(flat("dragonfly", (32, 100), (1, 32), 3198, pools=(pool,)))
    report = flow_check(design)
    assert report.ok and report.engine == "quotient"
    rows = {row.boundary: row.capacity_gbps for row in report.boundaries}
    assert rows["leaf_leaf"] == pytest.approx(800 * 32 * 100 / (2 * 199), rel=1e-12)
    assert rows["group_group"] == 32 * 800 * 100 / 64
    assert report.bisection is not None and report.bisection.max_flows == 0
    assert report.bisection.cut.startswith("at least")


def test_middling_flat_fabrics_meet_the_engine_of_networks() -> None:
    design = design_of(flat("hyperx", (12, 10), (1, 2), 120))
    check = next(check for check in flow_check(design).lp if "random leaves" in check.where)
    assert not check.at_least
    assert check.lp == pytest.approx(check.closed_form, rel=1e-9) and check.closed_form == pytest.approx(4800 / 600)
