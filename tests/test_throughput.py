"""All-to-all: the bounds contain the truth of the plain linear program, and meet where they say so."""

from __future__ import annotations

from dataclasses import replace

import networks
import numpy as np
import pytest

from designer.network import Network
from designer.network.blend import bounds
from designer.network.core import core_of
from designer.network.flow_lp import best_routing
from designer.network.orbits import alone, orbits_of
from designer.network.routing import even_traffic, floored, load_of
from designer.network.throughput import Throughput, TooMuchWorkError, all_to_all, bound_holds

CLOSE = 1e-6


def check(net: Network, found: Throughput, truth: float) -> None:
    assert found.least <= truth * (1 + CLOSE)
    assert found.most >= truth * (1 - CLOSE)
    assert found.ecmp is not None and found.ecmp <= truth * (1 + CLOSE)
    assert found.load_gbps is not None
    assert (found.load_gbps <= net.rates()[:, None] * (1 + 1e-9)).all()
    assert bound_holds(net, found)
    assert not bound_holds(net, replace(found, most=found.most * 0.999))


@pytest.mark.parametrize("seed", range(12))
def test_irregular_graphs_by_the_full_program(seed: int) -> None:
    net = networks.random_graph(seed)
    truth = networks.all_to_all_by_lp(net)
    found = all_to_all(net)
    check(net, found, truth)
    assert found.exact
    assert found.least == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_without_the_program_the_bounds_still_contain_the_truth(seed: int) -> None:
    net = networks.random_graph(seed, routers=8, links=12)
    truth = networks.all_to_all_by_lp(net)
    for rounds in (0, 3, 12):
        check(net, all_to_all(net, exactly=False, rounds=rounds), truth)


REGULAR = {
    "fat tree 4": networks.fat_tree(4),
    "fat tree 4 tapered": networks.fat_tree(4, 3),
    "leaf spine": networks.fat_tree(4, 2, stages=2),
    "torus 3x5": networks.torus(3, 5),
    "torus 4x4": networks.torus(4, 4),
    "torus 2x3x4": networks.torus(2, 3, 4),
    "ring": networks.torus(7),
    "hyperx 3x3": networks.hyperx(3, 3),
    "hyperx 2x4": networks.hyperx(2, 4),
    "dragonfly": networks.dragonfly(2, 1),
    "dragonfly, two hosts": networks.dragonfly(3, 1),
}


@pytest.mark.parametrize("name", REGULAR)
def test_regular_networks_by_the_full_program(name: str) -> None:
    net = REGULAR[name]
    found = all_to_all(net)
    check(net, found, truth := networks.all_to_all_by_lp(net, relays=name.startswith(("torus", "ring"))))
    assert found.exact
    assert found.least == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("k", [4, 8, 12, 16])
@pytest.mark.parametrize("over", [1, 2, 3])
def test_fat_trees_by_the_closed_form(k: int, over: int) -> None:
    net = networks.fat_tree(k, over)
    hosts, under = net.endpoints, k // 2
    # Uplinks of a leaf over what must leave it; the pods above have the same ratio and fewer hosts outside.
    truth = min(400.0, under * 400.0 / over * (hosts - 1) / (under * (hosts - under)))
    found = all_to_all(net)
    assert found.exact
    assert found.most == pytest.approx(truth, rel=1e-9)
    assert found.ecmp == pytest.approx(truth, rel=1e-9)


@pytest.mark.parametrize("dims", [(4, 4, 4), (8, 8), (6, 6, 6), (16,), (5, 5)])
def test_even_tori_by_their_mean_distance(dims: tuple[int, ...]) -> None:
    net = networks.torus(*dims)
    count, side = net.endpoints, dims[0]
    # All links are alike: (links of a node) x rate / mean number of hops to the others.
    hops = len(dims) * (side**2 // 4) * count / side
    truth = 2 * len(dims) * 100.0 * (count - 1) / hops
    found = all_to_all(net)
    assert found.exact
    assert found.least == pytest.approx(truth, rel=1e-9)


def test_uneven_torus_needs_more_than_colours() -> None:
    # All nodes of a torus look alike: classes of nodes by colour alone promise 28 % too much here.
    net = networks.torus(3, 5)
    truth = networks.all_to_all_by_lp(net, relays=True)
    hopeful = 4 * 100.0 * 14 / (2 * 5 + 6 * 3)
    assert truth < 0.9 * hopeful
    assert all_to_all(net, guess=False).most == pytest.approx(truth, rel=1e-6)
    assert all_to_all(net, guess=True).most == pytest.approx(truth, rel=1e-6)


def test_rails_by_the_closed_form() -> None:
    # 16 endpoints, each on its own port of 4 planes: exact by the endpoints' links, planes do not relay over endpoints.
    rows = [(end, 16 + plane, 1, "endpoint-switch") for end in range(16) for plane in range(4)]
    net = networks.network({"endpoint": 16, "switch": 4}, {"endpoint-switch": 100.0}, rows)
    found = all_to_all(net)
    assert found.exact and found.least == pytest.approx(400.0, rel=1e-9)
    one_short = networks.network({"endpoint": 16, "switch": 4}, {"endpoint-switch": 100.0}, rows[:-1])
    found = all_to_all(one_short)
    truth = networks.all_to_all_by_lp(one_short)
    assert truth < 330
    assert found.exact and found.least == pytest.approx(truth, rel=1e-6)


def test_a_missing_cable_shows() -> None:
    net = networks.fat_tree(4, 2)
    whole = all_to_all(net)
    for row in range(len(net.lower)):
        kept = np.arange(len(net.lower)) != row
        less = replace(
            net, lower=net.lower[kept], upper=net.upper[kept], links=net.links[kept], bundle=net.bundle[kept]
        )
        found = all_to_all(less)
        assert found.exact
        assert found.most < 0.95 * whole.least
        if row < net.endpoints:
            assert found.most == 0 and found.cut_off == 1
        assert bound_holds(less, found)
        assert not bound_holds(net, replace(whole, most=found.most))


def test_parts_that_do_not_meet_carry_nothing() -> None:
    rows = [(0, 4, 1, "endpoint-router"), (1, 4, 1, "endpoint-router"), (2, 5, 1, "endpoint-router")]
    net = networks.network(
        {"endpoint": 3, "router": 2}, {"endpoint-router": 100.0}, [(a, b - 1, c, d) for a, b, c, d in rows]
    )
    found = all_to_all(net)
    assert found.most == 0 and found.exact and bound_holds(net, found)


def test_endpoints_relay_only_where_links_join_them() -> None:
    # Two switches that see half the endpoints each, and one endpoint with a port on both: no way through it.
    rows = [(end, 5 + (end > 2), 1, "endpoint-switch") for end in range(5)] + [(2, 6, 1, "endpoint-switch")]
    net = networks.network({"endpoint": 5, "switch": 2}, {"endpoint-switch": 100.0}, rows)
    assert all_to_all(net, relays=False).most == 0
    truth = networks.all_to_all_by_lp(net, relays=True)
    assert all_to_all(net, relays=True).least == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_given_generators_are_checked(seed: int) -> None:
    net = networks.torus(3, 4)
    shift = np.array([(i // 4) * 4 + (i % 4 + 1) % 4 for i in range(12)])
    turn = np.array([(i + 4) % 12 for i in range(12)])
    found = all_to_all(net, generators=[shift, turn], guess=False)
    assert found.exact and found.targets == 1
    assert found.least == pytest.approx(all_to_all(net, guess=False).least, rel=1e-9)
    wrong = np.random.default_rng(seed).permutation(12)
    with pytest.raises(ValueError, match="no symmetry"):
        all_to_all(net, generators=[shift, wrong])
    with pytest.raises(ValueError, match="not a permutation"):
        all_to_all(net, generators=[np.zeros(12, np.int64)])


def test_a_generator_of_a_damaged_network_is_refused() -> None:
    net = networks.torus(4, 4)
    shift = np.array([(i // 4) * 4 + (i % 4 + 1) % 4 for i in range(16)])
    all_to_all(net, generators=[shift])
    thicker = net.links.copy()
    thicker[3] = 2
    with pytest.raises(ValueError, match="no symmetry"):
        all_to_all(replace(net, links=thicker), generators=[shift])


@pytest.mark.parametrize("seed", range(6))
def test_numbering_changes_nothing(seed: int) -> None:
    net = networks.random_graph(seed)
    draw = np.random.default_rng(seed)
    routers = net.boxes - net.endpoints
    new = np.concatenate([draw.permutation(net.endpoints), net.endpoints + draw.permutation(routers)])
    rows = draw.permutation(len(net.lower))
    other = replace(
        net, lower=new[net.lower][rows], upper=new[net.upper][rows], links=net.links[rows], bundle=net.bundle[rows]
    )
    assert all_to_all(other).least == pytest.approx(all_to_all(net).least, rel=1e-8)


def test_the_load_is_that_of_traffic() -> None:
    # At every leaf what comes in goes out, and endpoints send and take exactly T.
    for name, net in REGULAR.items():
        found = all_to_all(net)
        assert found.load_gbps is not None
        up, down = found.load_gbps.T
        sent = np.zeros(net.boxes)
        np.add.at(sent, net.lower, up - down)
        np.add.at(sent, net.upper, down - up)
        assert np.abs(sent).max() < 1e-6, name
        if not name.startswith(("torus", "ring")):
            assert up[: net.endpoints] == pytest.approx(found.least)


@pytest.mark.parametrize("name", REGULAR)
def test_routings_found_with_symmetry_load_every_link_the_same_without(name: str) -> None:
    core = core_of(REGULAR[name])
    orbits, trivial = orbits_of(core), alone(core)
    found = bounds(core, orbits, even_traffic(core, orbits), rounds=5)
    plain = np.zeros(core.arcs)
    for share, length, split in found.routings:
        arcs = None if length is None else floored(length)[orbits.of_arc]
        plain += share * load_of(core, trivial, even_traffic(core, trivial), length=arcs, split=split)
    assert plain == pytest.approx(found.load[orbits.of_arc], rel=1e-6, abs=1e-9)
    assert (core.rate / np.maximum(plain, 1e-300)).min() == pytest.approx(found.least, rel=1e-6)


@pytest.mark.parametrize("name", ["fat tree 4", "torus 3x5", "hyperx 2x4", "dragonfly"])
def test_flows_of_the_reduced_program_are_flows(name: str) -> None:
    core = core_of(REGULAR[name])
    orbits = orbits_of(core)
    traffic = even_traffic(core, orbits)
    assert len(traffic.targets) < len(core.sites)
    best = best_routing(core, orbits, traffic)
    total = np.zeros(len(orbits.arc_size))
    for target, times, flow in zip(traffic.targets, traffic.times, best.flows, strict=True):
        net = np.bincount(core.tail, flow, core.nodes) - np.bincount(core.head, flow, core.nodes)
        wanted = traffic.sends(int(target))
        wanted[target] = -wanted.sum()
        assert net == pytest.approx(wanted, abs=1e-8)
        total += times * np.bincount(orbits.of_arc, flow, len(total))
    rate = np.zeros(len(total))
    rate[orbits.of_arc] = core.rate
    assert (best.value * total / orbits.arc_size <= rate * (1 + 1e-8)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"upper": np.array([0])}, "to itself"),
        ({"upper": np.array([9])}, "names box"),
        ({"links": np.array([0])}, "less than one link"),
        ({"links": np.array([1, 2])}, "differ in length"),
    ],
)
def test_rows_that_do_not_fit(change: dict[str, np.ndarray], message: str) -> None:
    net = networks.network({"endpoint": 2}, {"endpoint-endpoint": 100.0}, [(0, 1, 1, "endpoint-endpoint")])
    assert all_to_all(net).least == pytest.approx(100.0)
    with pytest.raises(ValueError, match=message):
        all_to_all(replace(net, **change))


def test_more_work_than_allowed_is_not_begun() -> None:
    net = networks.random_graph(0)
    core = core_of(net)
    work = len(even_traffic(core, orbits_of(core)).targets) * core.arcs
    assert all_to_all(net, most_work=work).least == all_to_all(net).least
    with pytest.raises(TooMuchWorkError, match=f"at most {work - 1:,}"):
        all_to_all(net, most_work=work - 1)
