"""Dragonfly, Dragonfly+ and Slim Fly: counts and capacities in closed form against the built networks."""

from __future__ import annotations

from itertools import pairwise, product

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from pydantic import ValidationError
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

from designer.families import family_from
from designer.families.dragonfly import Dragonfly
from designer.families.dragonfly_plus import DragonflyPlus
from designer.families.family import Family, Rate
from designer.families.galois import field, prime_power
from designer.families.global_links import GlobalLinks
from designer.families.rates import between
from designer.families.slim_fly import SlimFly, _column_load, generators
from designer.network.graph import Network

PRIME_POWERS = (2, 3, 4, 5, 7, 8, 9, 16, 25, 27, 32)


def fly(p: int, a: int, h: int, groups: int, port_gbps: float = 1.0, **more: int) -> Dragonfly:
    return Dragonfly(p=p, a=a, h=h, groups=groups, port_gbps=port_gbps, **more)


def plus(p: int, leaves: int, spines: int, h: int, groups: int, **more: int) -> DragonflyPlus:
    return DragonflyPlus(p=p, leaves=leaves, spines=spines, h=h, groups=groups, port_gbps=1.0, **more)


DRAGONFLIES = [
    fly(1, 2, 1, 3),
    fly(2, 4, 2, 9),
    fly(2, 4, 2, 5),
    fly(2, 4, 2, 4),
    fly(3, 4, 2, 2),
    fly(4, 4, 2, 7),
    fly(2, 3, 1, 4),
    fly(2, 3, 3, 7),
    fly(5, 3, 1, 3),
    fly(2, 1, 4, 5),
    fly(3, 5, 0, 1),
    fly(3, 1, 0, 1),
    fly(8, 2, 3, 7),
    fly(3, 3, 3, 3, local_links=2),
    fly(4, 4, 1, 5, routers_per_box=2),
    fly(4, 6, 1, 4, routers_per_box=3, local_links=2),
    fly(2, 4, 1, 3, routers_per_box=4),
]
PLUSES = [
    plus(2, 2, 2, 2, 5),
    plus(4, 2, 2, 2, 5),
    plus(2, 3, 2, 2, 4),
    plus(4, 3, 3, 1, 3),
    plus(4, 3, 2, 3, 4),
    plus(3, 2, 3, 1, 4),
    plus(3, 2, 1, 3, 4),
    plus(3, 3, 2, 0, 1),
    plus(3, 2, 1, 0, 1),
    plus(5, 2, 2, 2, 3, uplinks=2),
    plus(3, 1, 1, 3, 4),
]
SLIM_FLIES = [SlimFly(q=3, p=6, port_gbps=1.0), SlimFly(q=4, p=6, port_gbps=1.0), SlimFly(q=4, port_gbps=1.0)]
SMALL: list[Family] = [*DRAGONFLIES, *PLUSES, *SLIM_FLIES]


def arcs(net: Network) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Endpoints of every router, and the routers' arcs as tails, heads and capacities."""
    first, hosts = net.endpoints, np.zeros(net.boxes - net.endpoints)
    below = net.lower < first
    np.add.at(hosts, net.upper[below] - first, net.links[below])
    low, high, room = net.lower[~below] - first, net.upper[~below] - first, net.rates()[~below]
    return hosts, np.concatenate([low, high]), np.concatenate([high, low]), np.concatenate([room, room])


def concurrent(net: Network, demand: np.ndarray) -> float:
    """Largest factor by which ``demand`` (routers, routers) can be routed at once: the full LP, flows by source."""
    _, tails, heads, room = arcs(net)
    sources = np.flatnonzero(demand.sum(axis=1))
    n, m = demand.shape[0], tails.size
    inside = sp.coo_matrix(
        (np.repeat([1.0, -1.0], m), (np.concatenate([tails, heads]), np.tile(np.arange(m), 2))), shape=(n, m)
    )
    supply = -demand[sources].astype(float)
    supply[np.arange(sources.size), sources] += demand[sources].sum(axis=1)
    balance = sp.hstack([sp.block_diag([inside] * sources.size), -sp.csr_matrix(supply.reshape(-1, 1))]).tocsr()
    loads = sp.hstack([sp.hstack([sp.identity(m)] * sources.size), sp.coo_matrix((m, 1))]).tocsr()
    goal = np.zeros(sources.size * m + 1)
    goal[-1] = -1
    found = linprog(goal, A_ub=loads, b_ub=room, A_eq=balance, b_eq=np.zeros(n * sources.size), method="highs")
    assert found.status == 0
    return -float(found.fun)


def all_to_all(net: Network) -> float:
    hosts = arcs(net)[0]
    demand = np.outer(hosts, hosts)
    np.fill_diagonal(demand, 0)
    return concurrent(net, demand) * (net.endpoints - 1) if demand.any() else np.inf


# --- fields --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", PRIME_POWERS)
def test_a_field_keeps_the_axioms(q: int) -> None:
    f = field(q)
    add, times, every = f.add, f.times(), np.arange(q)
    for table in (add, times):
        assert (table == table.T).all()
        assert (table[table][:, :, every] == table[:, table]).all()
    assert (times[:, add] == add[times[:, :, None], times[:, None, :]]).all()
    assert (add[0] == every).all()
    assert (times[1] == every).all()
    assert (np.sort(add, axis=1) == every).all()
    assert (np.sort(times[1:, 1:], axis=1) == every[1:]).all()
    assert (add[f.minus, every] == every[:, None]).all()
    assert (np.sort(f.power) == every[1:]).all()
    assert (times[f.power[:-1], f.power[1 % (q - 1)]] == f.power[1:]).all()


def test_prime_powers_are_told_from_other_numbers() -> None:
    primes = [n for n in range(2, 300) if all(n % d for d in range(2, n))]
    expected = {p**k: (p, k) for p in primes for k in range(1, 9) if p**k < 300}
    assert {q: prime_power(q) for q in range(300) if prime_power(q)} == expected
    with pytest.raises(ValueError, match="28 is no power of a prime"):
        field(28)


# --- global links --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("groups", "ports"), [(g, n) for g, n in product(range(2, 12), range(1, 25)) if g <= n + 1])
def test_global_links_are_spread_evenly_and_use_every_port(groups: int, ports: int) -> None:
    joined = GlobalLinks(groups, ports)
    group, port, other, far = joined.ends()
    assert group.size == joined.links == groups * ports // 2
    used = np.concatenate([group * ports + port, other * ports + far])
    assert np.unique(used).size == used.size, "a port has two links"
    assert used.size == groups * ports - joined.odd
    between_two = np.zeros((groups, groups), int)
    np.add.at(between_two, (group, other), 1)
    pairs = between_two[np.triu_indices(groups, 1)]
    assert pairs.sum() == joined.links
    assert (group < other).all()
    assert pairs.max() - pairs.min() <= 1
    assert pairs.min() == joined.every
    # The shares of the routers are what their ports carry of the pairs of groups, never less.
    each = next(d for d in (3, 2, 1) if ports % d == 0)
    between_two += between_two.T
    true = np.zeros((groups, ports // each))
    np.add.at(true, (group, port // each), 1 / between_two[group, other])
    np.add.at(true, (other, far // each), 1 / between_two[group, other])
    assert (true <= np.array(joined.shares(each)) + 1e-12).all()
    if not joined.odd:
        np.testing.assert_allclose(true, np.tile(joined.shares(each), (groups, 1)))


# --- counts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("groups", "ports"), [(2, 1_000_000), (3, 999_999), (1001, 1_000_000)])
def test_groups_with_very_many_links_are_arranged_as_small_ones_are(groups: int, ports: int) -> None:
    joined = GlobalLinks(groups, ports)
    offsets = joined.port_offsets()
    # Turn by turn: every other group once in each.
    turns = offsets[: joined.every * (groups - 1)].reshape(joined.every, groups - 1)
    assert (turns == np.arange(1, groups)).all()
    assert offsets.size == ports
    assert (np.bincount(offsets, minlength=groups)[1:] == joined.per_offset()).all()
    assert (offsets == 0).sum() == joined.odd


def test_far_ports_of_many_turns_lead_back() -> None:
    joined = GlobalLinks(4, 11)
    group, port, other, far = joined.ends()
    offsets = joined.port_offsets()
    seen = (offsets[port] > 0) & (offsets[far] > 0)
    assert ((group + offsets[port]) % 4 == other)[seen].all()
    assert ((other + offsets[far]) % 4 == group)[seen].all()
    used = np.concatenate([group * 11 + port, other * 11 + far])
    assert np.unique(used).size == used.size == 2 * joined.links


@pytest.mark.parametrize(
    "family", [*SMALL, SlimFly(q=9, port_gbps=1.0), fly(3, 6, 3, 19), plus(3, 4, 3, 3, 10)], ids=str
)
def test_counts_agree_with_the_built_network(family: Family) -> None:
    assert family.misfits() == []
    s, net = family.structure(), family.network()
    assert [kind.name for kind in net.kinds] == ["endpoint", *(stage.name for stage in s.stages)]
    assert [bundle.name for bundle in net.bundles] == [bundle.name for bundle in s.bundles]
    assert net.endpoints == s.endpoints_per_copy == s.endpoints
    ports = net.ports()
    assert (ports[: net.endpoints] == 1).all()
    for stage in s.stages:
        boxes = net.kind_range(stage.name)
        assert len(boxes) == stage.boxes
        assert ports[boxes].max() == stage.ports
    for at, bundle in enumerate(s.bundles):
        mine = net.bundle == at
        assert net.links_of(bundle.name) == bundle.links > 0
        assert np.isin(net.lower[mine], net.kind_range(bundle.lower)).all()
        assert np.isin(net.upper[mine], net.kind_range(bundle.upper)).all()
    assert (net.links >= 1).all()
    assert (net.lower < net.upper).all()
    rows = np.stack([net.lower, net.upper, net.bundle])
    assert np.unique(rows, axis=1).shape == rows.shape, "a pair occurs twice in a bundle"
    assert (net.block >= 0).all()
    assert nx.is_connected(net.to_networkx())


@pytest.mark.parametrize("family", SMALL, ids=str)
def test_blast_radius_is_what_a_lost_box_cuts_off(family: Family) -> None:
    s, net = family.structure(), family.network()
    graph = net.to_networkx()
    for stage in s.stages:
        worst = 0
        for box in net.kind_range(stage.name):
            rest = graph.copy()
            rest.remove_node(box)
            parts = [sum(node < net.endpoints for node in part) for part in nx.connected_components(rest)]
            worst = max(worst, net.endpoints - max(parts))
        if len(net.kind_range(stage.name)) == 1:
            assert stage.group == net.endpoints
        else:
            assert stage.group == worst


def test_published_counts() -> None:
    def row(family: Dragonfly | SlimFly) -> tuple[int, int, int]:
        assert family.misfits() == []
        s = family.structure()
        return s.endpoints, s.switches(), sum(b.links for b in s.bundles if b.lower != "endpoint")

    # DeepSeek-AI, Insights into DeepSeek-V3, table 3.
    assert row(fly(16, 32, 16, 511, radix=64)) == (261632, 16352, 384272)
    assert row(SlimFly(q=28, port_gbps=1.0, counts_only=True, radix=64)) == (32928, 1568, 32928)
    # HammingMesh, table II: DAC are endpoint and local links, AoC global links; both per plane.
    small = fly(8, 16, 8, 8, routers_per_box=2, radix=64, planes=16)
    assert row(small) == (1024, 16 * 64, 896 + 512)
    assert small.structure().bundle("router-router.local").links + 1024 == 1920
    large = fly(17, 32, 16, 30, radix=64, planes=16)
    assert row(large) == (16320, 16 * 960, 14880 + 7680)
    assert large.structure().bundle("router-router.local").links + 16320 == 31200
    assert large.structure().bundle("router-router.global").links == 7680
    for capacity in large.structure().capacity.values():
        assert 0 < capacity.least <= capacity.most <= 16.0


def test_shared_boxes_are_the_routers_two_by_two() -> None:
    apart, shared = fly(2, 6, 2, 5).network(), fly(2, 6, 2, 5, routers_per_box=2).network()
    n = apart.endpoints
    merged: dict[tuple[int, int, int], int] = {}
    for low, high, links, bundle in zip(apart.lower, apart.upper, apart.links, apart.bundle, strict=True):
        ends = sorted(int(box) if box < n else n + (int(box) - n) // 2 for box in (low, high))
        if ends[0] != ends[1]:
            merged[ends[0], ends[1], int(bundle)] = merged.get((ends[0], ends[1], int(bundle)), 0) + int(links)
    built = zip(
        shared.lower.tolist(), shared.upper.tolist(), shared.bundle.tolist(), shared.links.tolist(), strict=True
    )
    assert {(low, high, bundle): links for low, high, bundle, links in built} == merged


@pytest.mark.parametrize("family", [fly(3, 6, 3, 19), fly(1, 5, 2, 11)], ids=str)
def test_a_full_dragonfly_has_diameter_three_and_one_link_per_pair_of_groups(family: Dragonfly) -> None:
    net = family.network()
    graph = net.to_networkx().subgraph(net.kind_range("router"))
    assert nx.diameter(graph) == 3
    far = net.bundle == 2
    pairs = np.stack([net.block[net.lower[far]], net.block[net.upper[far]]])
    assert np.unique(pairs, axis=1).shape[1] == pairs.shape[1] == family.groups * (family.groups - 1) // 2


def rows_of(net: Network, to: np.ndarray) -> set[tuple[int, ...]]:
    low, high = to[net.lower], to[net.upper]
    table = np.stack([np.minimum(low, high), np.maximum(low, high), net.links, net.bundle], axis=1)
    return set(map(tuple, table.tolist()))


@pytest.mark.parametrize("family", [*SMALL, *(SlimFly(q=q, p=2, port_gbps=1.0) for q in (5, 7, 8, 9))], ids=str)
def test_symmetries_leave_the_network_as_it_is(family: Family) -> None:
    net = family.network()
    boxes = np.arange(net.boxes)
    plain = rows_of(net, boxes)
    reached = sp.lil_matrix((net.boxes, net.boxes))
    for to in family.symmetries():
        assert (np.sort(to) == boxes).all()
        assert (to != boxes).any()
        assert rows_of(net, to) == plain
        reached[boxes, to] = 1
    if isinstance(family, SlimFly):
        of = connected_components(reached)[1][net.endpoints :]
        assert np.unique(of).size == (1 if family.q % 4 == 1 else 2)
    else:
        odd = isinstance(family, Dragonfly) and family.groups * family.a * family.h % 2
        odd = odd or (isinstance(family, DragonflyPlus) and (family.groups * family.spines * family.h % 2))
        alone = net.boxes - net.endpoints == 1 or (isinstance(family, DragonflyPlus) and family.groups == 1)
        assert bool(family.symmetries()) == (not odd and not alone)


# --- Slim Fly graphs -----------------------------------------------------------------------------------------------


def joined_routers(q: int) -> np.ndarray:
    net = SlimFly(q=q, p=1, port_gbps=1.0).network()
    _, tails, heads, _ = arcs(net)
    out = np.zeros((2 * q * q, 2 * q * q), np.float32)
    out[tails, heads] = 1
    return out


@pytest.mark.parametrize("q", [3, 4, 5, 7, 8, 9, 11, 13, 16, 17])
def test_slim_fly_is_regular_and_of_diameter_two(q: int) -> None:
    graph = joined_routers(q)
    degree = (3 * q - {1: 1, 0: 0, 3: -1}[q % 4]) // 2
    assert (graph == graph.T).all()
    assert (graph.sum(axis=0) == degree).all()
    assert (graph.diagonal() == 0).all()
    assert (graph + graph @ graph > 0).all()
    for steps in generators(q):
        assert np.isin(field(q).minus[0, steps], steps).all(), "a link seen from its other end"


def test_slim_fly_of_five_is_the_hoffman_singleton_graph() -> None:
    # The only graph of 50 vertices, degree 7 and girth 5: A^2 + A = 6 I + J.
    graph = joined_routers(5)
    assert (graph @ graph + graph == 6 * np.eye(50) + 1).all()


@pytest.mark.parametrize("q", [3, 4, 5, 7, 8, 9, 11, 13])
def test_slim_fly_loads_are_those_of_even_minimal_routing(q: int) -> None:
    """Loads on every link, from the paths of the built graph: the two figures behind the capacity."""
    graph = joined_routers(q).astype(float)
    ways = graph @ graph
    share = np.where((graph == 0) & (ways > 0), 1 / np.maximum(ways, 1), 0.0)
    np.fill_diagonal(share, 0)
    # Over link u-v: the pair itself, u to w by v (w next to v), and w to v by u.
    load = graph * (1 + share @ graph + graph @ share)
    kind = np.arange(2 * q * q) // (q * q)
    cross = kind[:, None] != kind[None, :]
    assert load[cross & (graph > 0)] == pytest.approx(3 * q - 2)
    assert load[~cross].max() == pytest.approx(_column_load(q))
    # The dual: with length 1 on cross links, 0 on others, the same pairs are at distance 2, 1 and 0.
    distances = 2 * q**3 + 2 * q**2 * (q * q - q) + 2 * 2 * q**2 * (q * q - q)
    rate = SlimFly(q=q, p=40, port_gbps=1.0).structure().capacity["all_to_all"]
    assert rate.exact
    assert rate.least == pytest.approx((2 * q * q * 40 - 1) * 2 * q**3 / (40**2 * distances))


# --- capacities ----------------------------------------------------------------------------------------------------


def within(rate: Rate, figure: float) -> bool:
    return rate.least * (1 - 1e-7) <= figure <= rate.most * (1 + 1e-7)


@pytest.mark.parametrize("family", SMALL, ids=str)
def test_all_to_all_is_what_the_linear_program_finds(family: Family) -> None:
    rate = family.structure().capacity["all_to_all"]
    assert within(rate, min(1.0, all_to_all(family.network())))
    assert rate.least > 0


def test_most_small_cases_are_exact_and_some_below_the_port() -> None:
    rates = [family.structure().capacity["all_to_all"] for family in SMALL]
    assert sum(rate.exact for rate in rates) > len(rates) // 2
    assert sum(rate.exact and rate.most < 1 for rate in rates) >= 10


def test_canonical_ones_are_exact_at_any_size() -> None:
    for p, a, h in product((4, 8, 16), (4, 8), (2, 4)):
        wide = fly(p, a, h, a * h + 1)
        rate = wide.structure().capacity["all_to_all"]
        # Global links limit where a^2 p^2 >= p^2 (1 + 2 a h).
        assert rate.exact or a * a < 1 + 2 * a * h
        assert plus(p, a, a, h, a * h + 1).structure().capacity["all_to_all"].exact


@pytest.mark.parametrize("family", [fly(4, 3, 1, 4), fly(2, 3, 3, 3), plus(4, 2, 2, 1, 3), SLIM_FLIES[0]], ids=str)
def test_permutation_interval_holds_for_random_permutations_and_shifts(family: Family) -> None:
    rate = family.structure().capacity["permutation"]
    net = family.network()
    router = net.upper[: net.endpoints] - net.endpoints
    blocks = int(net.block.max()) + 1
    rng = np.random.default_rng(7)
    n = net.endpoints
    shift = (np.arange(n) + n // blocks) % n
    found = []
    for partner in [shift, *(rng.permutation(n) for _ in range(4))]:
        demand = np.zeros((net.boxes - n,) * 2)
        np.add.at(demand, (router, router[partner]), 1)
        np.fill_diagonal(demand, 0)
        found.append(min(1.0, concurrent(net, demand)))
        assert found[-1] >= rate.least * (1 - 1e-7)
    if not isinstance(family, SlimFly):
        assert found[0] <= rate.most * (1 + 1e-7), "every group to the next is as bad as stated"


@pytest.mark.parametrize("family", [fly(3, 4, 2, 5), plus(2, 3, 2, 2, 4), SLIM_FLIES[1]], ids=str)
def test_one_ring_fills_every_port(family: Family) -> None:
    """Endpoints in the order of a depth-first walk: no link is used twice in one direction."""
    net = family.network()
    assert family.structure().capacity["all_reduce"] == Rate(1.0, 1.0, family.structure().capacity["all_reduce"].source)
    tree = nx.dfs_tree(net.to_networkx(), net.endpoints)
    walk = [net.endpoints, *(head for _, head, _ in nx.dfs_labeled_edges(tree, net.endpoints))]
    steps = [
        (tail, head) if way == "forward" else (head, tail)
        for tail, head, way in nx.dfs_labeled_edges(tree, net.endpoints)
        if tail != head
    ]
    assert len(set(steps)) == len(steps) == 2 * (net.boxes - 1)
    assert {box for box in walk if box < net.endpoints} == set(range(net.endpoints))
    assert all(one[1] == other[0] for one, other in pairwise(steps))


@pytest.mark.parametrize("family", [fly(4, 3, 1, 4), plus(4, 2, 2, 1, 3)], ids=str)
def test_a_missing_cable_shows(family: Family) -> None:
    net = family.network()
    last = net.links.size - 1
    fewer = Network(
        net.kinds, net.bundles, net.lower[:last], net.upper[:last], net.links[:last], net.bundle[:last], net.block
    )
    assert not within(family.structure().capacity["all_to_all"], all_to_all(fewer))


def test_planes_add_up() -> None:
    one, four = (fly(4, 4, 2, 9, planes=n, port_gbps=100.0).structure() for n in (1, 4))
    assert (four.copies, four.endpoints, four.endpoints_per_copy) == (4, one.endpoints, one.endpoints)
    assert four.switches() == 4 * one.switches()
    for name, rate in one.capacity.items():
        assert four.capacity[name].least == pytest.approx(4 * rate.least)
        assert four.capacity[name].most == pytest.approx(4 * rate.most)


def test_a_routing_above_its_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="but at most"):
        between(0.5, 0.4, 1.0, "x")


# --- what does not fit ---------------------------------------------------------------------------------------------


def test_misfits_name_the_key() -> None:
    def keys(family: Family) -> list[str]:
        return [misfit.key for misfit in family.misfits()]

    assert keys(fly(2, 4, 2, 10)) == ["groups"]
    assert keys(fly(2, 4, 2, 1)) == ["h"]
    assert keys(fly(2, 4, 2, 9, radix=6)) == ["radix"]
    assert keys(fly(2, 4, 2, 9, radix=7)) == []
    assert keys(fly(2, 4, 2, 9, routers_per_box=3)) == ["routers_per_box"]
    assert keys(fly(1, 1, 0, 1)) == ["p"]
    assert keys(plus(2, 2, 2, 1, 4, radix=3)) == ["groups", "radix"]
    assert keys(plus(2, 2, 2, 1, 1)) == ["h"]
    for q in range(3, 50):
        expected = [] if prime_power(q) and q % 4 != 2 else ["q"]
        assert keys(SlimFly(q=q, port_gbps=1.0)) == expected
    assert keys(SlimFly(q=28, port_gbps=1.0, counts_only=True, radix=62)) == ["radix"]
    assert keys(SlimFly(q=30, port_gbps=1.0, counts_only=True)) == ["q"]
    assert keys(SlimFly(q=27, port_gbps=1.0, counts_only=True)) == ["counts_only"]
    assert "28" in SlimFly(q=28, port_gbps=1.0).misfits()[0].read


@pytest.mark.parametrize("bad", [{"p": 0}, {"h": -1}, {"port_gbps": 0.0}, {"port_gbps": float("inf")}, {"x": 1}])
def test_single_wrong_values_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Dragonfly.model_validate({"p": 2, "a": 4, "h": 2, "groups": 9, "port_gbps": 400.0} | bad)


def test_families_are_read_by_name() -> None:
    common = {"p": 2, "h": 2, "groups": 5, "port_gbps": 400}
    assert family_from({"family": "dragonfly", "a": 4} | common) == fly(2, 4, 2, 5, port_gbps=400.0)
    assert isinstance(family_from({"family": "dragonfly_plus", "leaves": 4, "spines": 4} | common), DragonflyPlus)
    assert family_from({"family": "slim_fly", "q": 5, "port_gbps": 1.0}) == SlimFly(q=5, port_gbps=1.0)


def test_a_formula_is_not_a_graph() -> None:
    counted = SlimFly(q=28, port_gbps=1.0, counts_only=True)
    with pytest.raises(ValueError, match="a formula, not a graph"):
        counted.network()
    for rate in counted.structure().capacity.values():
        assert rate.least == 0
        assert "no graph is known" in rate.source
