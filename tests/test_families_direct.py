"""Direct families: closed forms against the built network, and against linear programs on small ones."""

from __future__ import annotations

from itertools import permutations, product
from math import comb, prod
from typing import Any

import networkx as nx
import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array, lil_array
from scipy.sparse.csgraph import connected_components, shortest_path

from designer.candidates.direct import mesh_gbps, torus_gbps
from designer.families.family import Family
from designer.families.hamming_lines import join
from designer.families.hamming_mesh import HammingMesh
from designer.families.hyperx import FullMesh, HyperX
from designer.families.k_hop_ring import KHopRing
from designer.families.product import Side, all_reduce_gbps, spanning_trees_gbps
from designer.families.torus import Torus
from designer.network.graph import NOWHERE, Network
from designer.network.throughput import all_to_all as throughput

# ---------------------------------------------------------------- what a built network says by itself


def arcs_of(net: Network) -> dict[tuple[int, int], float]:
    """Gb/s of every arc, both ways, circuits as the links they make."""
    seen = net.as_carried()
    out: dict[tuple[int, int], float] = {}
    for low, high, rate in zip(seen.lower.tolist(), seen.upper.tolist(), seen.rates().tolist(), strict=True):
        out[low, high] = out.get((low, high), 0.0) + rate
        out[high, low] = out.get((high, low), 0.0) + rate
    return out


def concurrent(arcs: dict[tuple[int, int], float], demand: dict[int, dict[int, float]]) -> float:
    """Largest multiple of the demand (source -> sink -> share) that the arcs carry, over any paths."""
    boxes = 1 + max(max(arc) for arc in arcs)
    number = {arc: i for i, arc in enumerate(arcs)}
    columns = len(demand) * len(arcs)
    balance = lil_array((len(demand) * boxes, columns + 1))
    load = lil_array((len(arcs), columns + 1))
    for k, (source, sinks) in enumerate(demand.items()):
        for (tail, head), i in number.items():
            balance[k * boxes + tail, k * len(arcs) + i] = -1.0
            balance[k * boxes + head, k * len(arcs) + i] = 1.0
            load[i, k * len(arcs) + i] = 1.0
        for sink, share in sinks.items():
            balance[k * boxes + sink, columns] = -share
        balance[k * boxes + source, columns] = sum(sinks.values())
    cost = np.zeros(columns + 1)
    cost[-1] = -1.0
    right = np.zeros(len(demand) * boxes)
    limits: Any = {"A_ub": load.tocsr(), "b_ub": list(arcs.values()), "A_eq": balance.tocsr(), "b_eq": right}
    answer = linprog(cost, **limits, method="highs")
    assert answer.fun is not None, answer.message
    return -float(answer.fun)


def all_to_all(net: Network) -> float:
    """Gb/s per endpoint of one copy."""
    n = net.endpoints
    share = 1.0 / (n - 1)
    return concurrent(arcs_of(net), {s: {t: share for t in range(n) if t != s} for s in range(n)})


def permuted(net: Network, partner: tuple[int, ...]) -> float:
    demand = {s: {t: 1.0} for s, t in enumerate(partner) if s != t}
    return concurrent(arcs_of(net), demand) if demand else float("inf")


def check_counts(family: Family) -> Network:
    """Counts, ports, order of rows, one connected piece: the closed form is the network that was built."""
    assert family.misfits() == []
    s, net = family.structure(), family.network()
    assert [kind.name for kind in net.kinds] == ["endpoint", *(stage.name for stage in s.stages)]
    assert (net.endpoints, len(net.block)) == (s.endpoints_per_copy, net.boxes)
    assert s.endpoints == s.endpoints_per_copy
    ports = net.ports()
    for stage in s.stages:
        boxes = net.kind_range(stage.name)
        assert len(boxes) == stage.boxes
        assert ports[boxes.start : boxes.stop].max() == stage.ports
    assert sorted(b.name for b in net.bundles) == sorted(b.name for b in s.bundles)
    kind_of = np.repeat([kind.name for kind in net.kinds], [kind.count for kind in net.kinds])
    for bundle in s.bundles:
        at = [b.name for b in net.bundles].index(bundle.name)
        assert (net.links_of(bundle.name), net.bundles[at].rate_gbps) == (bundle.links, bundle.rate_gbps)
        assert set(kind_of[net.lower[net.bundle == at]]) == {bundle.lower}
        assert set(kind_of[net.upper[net.bundle == at]]) == {bundle.upper}
    assert (net.lower < net.upper).all() and (net.links >= 1).all()
    rows = set(zip(net.lower.tolist(), net.upper.tolist(), net.bundle.tolist(), strict=True))
    assert len(rows) == len(net.lower)
    assert connected_components(matrix(net), directed=False)[0] == 1
    assert connected_components(matrix(net.as_carried()), directed=False)[0] == 1
    return net


def matrix(net: Network) -> csr_array:
    return csr_array((np.ones(len(net.lower)), (net.lower, net.upper)), shape=(net.boxes, net.boxes))


# ---------------------------------------------------------------- counts over ranges of sizes

MESHES = [
    *(FullMesh(size=n, port_gbps=100.0, links_per_pair=q) for n, q in ((2, 1), (3, 2), (8, 1), (17, 3))),
    FullMesh(size=5, port_gbps=100.0, concentration=4, endpoint_gbps=200.0, endpoint_links=2),
    *(HyperX(sides=s, port_gbps=(100.0,)) for s in ((2,), (3, 2), (2, 2, 2), (8, 8), (4, 5, 3), (2, 3, 4, 2))),
    HyperX(sides=(4, 3), port_gbps=(100.0, 25.0), links_per_pair=(2, 3)),
    HyperX(sides=(4, 3), port_gbps=(100.0,), concentration=3, endpoint_gbps=50.0, planes=4),
]
TORI = [
    *(Torus(sides=s, port_gbps=(100.0,)) for s in ((2,), (5,), (2, 2), (3, 2), (4, 6), (3, 5, 2), (2, 3, 2, 4))),
    Torus(sides=(2, 3), port_gbps=(100.0,), two_links=False),
    Torus(sides=(4, 4, 4), port_gbps=(100.0, 100.0, 25.0), links_per_step=(1, 2, 3), planes=2),
    Torus(sides=(8, 4), port_gbps=(100.0,), board=(2, 2)),
    Torus(sides=(6, 4), port_gbps=(100.0,), board=(3, 1), cube=(3, 2)),
    Torus(sides=(4, 2, 6), port_gbps=(100.0,), cube=(2, 1, 3)),
    Torus(sides=(2, 2), port_gbps=(100.0,), cube=(1, 1), links_per_step=(2, 1)),
    Torus(sides=(4, 4), port_gbps=(100.0,), cube=(4, 4)),
]
HAMMING = [
    HammingMesh(board=board, grid=grid, port_gbps=100.0, radix=radix, share_switches=share)
    for board, grid, (radix, share) in product(
        ((1, 1), (2, 2), (3, 1), (4, 3)), ((2, 2), (5, 2), (4, 7)), ((64, True), (20, False), (8, True))
    )
]


def short(family: object) -> str:
    if not isinstance(family, Family):
        return str(family)
    return " ".join(f"{key}={value}" for key, value in family.model_dump(exclude_defaults=True).items())


@pytest.mark.parametrize("family", [*MESHES, *TORI, *HAMMING], ids=short)
def test_the_closed_form_counts_what_is_built(family: Family) -> None:
    check_counts(family)


def places(net: Network, sides: tuple[int, ...], *blocks: tuple[int, ...]) -> np.ndarray:
    """Coordinates of endpoints by number, written out digit by digit from the numbering of docs/families.md."""
    spans: list[tuple[int, int]] = []
    inner = [1] * len(sides)
    for block in (*blocks, sides):
        spans += [(axis, block[axis] // inner[axis]) for axis in range(len(sides))]
        inner = list(block)
    out = np.zeros((net.endpoints, len(sides)), int)
    for box in range(net.endpoints):
        rest, weight = box, [1] * len(sides)
        for axis, span in spans:
            out[box, axis] += rest % span * weight[axis]
            rest //= span
            weight[axis] *= span
    return out


@pytest.mark.parametrize("family", [f for f in TORI if f.two_links], ids=short)
def test_distances_of_a_torus_are_those_of_its_rings(family: Torus) -> None:
    net = family.network()
    hops = shortest_path(matrix(net.as_carried()), directed=False, unweighted=True)
    at = places(net, family.sides, *(b for b in (family.board, family.cube) if b))
    apart = np.abs(at[:, None, :] - at[None, :, :])
    assert (hops == np.minimum(apart, np.array(family.sides) - apart).sum(axis=2)).all()


@pytest.mark.parametrize("family", [f for f in MESHES if isinstance(f, HyperX) and not f.concentration], ids=short)
def test_distances_of_a_hyperx_are_hamming_distances(family: HyperX) -> None:
    net = family.network()
    at = places(net, family.sides)
    hops = shortest_path(matrix(net), directed=False, unweighted=True)
    assert (hops == (at[:, None, :] != at[None, :, :]).sum(axis=2)).all()


def test_every_port_of_an_endpoint_is_in_use_and_not_more() -> None:
    for family in TORI:
        steps = [family.links_per_step[i % len(family.links_per_step)] for i in range(len(family.sides))]
        single = [not family.two_links and side == 2 for side in family.sides]
        ports = sum(q * (1 if one else 2) for q, one in zip(steps, single, strict=True))
        assert set(family.network().ports()[: prod(family.sides)].tolist()) == {ports}
    for mesh in HAMMING:
        net = mesh.network()
        assert set(net.ports()[: net.endpoints].tolist()) == {4}
        assert net.ports()[net.endpoints :].max() <= mesh.radix


def test_a_hamming_mesh_keeps_rows_and_columns_apart_and_boards_together() -> None:
    mesh = HammingMesh(board=(2, 3), grid=(4, 5), port_gbps=1.0, radix=16)
    net = mesh.network()
    at = places(net, (8, 15), (2, 3))
    assert (np.diff(net.block[: net.endpoints]) >= 0).all() and (np.bincount(net.block[: net.endpoints]) == 6).all()
    assert (net.block[net.endpoints :] == NOWHERE).all()
    for axis, name in ((1, "endpoint-leaf.row"), (0, "endpoint-leaf.column")):
        mine = net.bundle == [b.name for b in net.bundles].index(name)
        for switch in set(net.upper[mine].tolist()):
            ends = net.lower[mine & (net.upper == switch)]
            board = at[ends] // np.array([2, 3])
            assert len(set(board[:, axis].tolist())) == 1  # one row (column) of boards
            other = board[:, 1 - axis]
            assert set(other.tolist()) == set(range((4, 5)[1 - axis]))  # and it reaches all of it


def test_every_leaf_of_a_long_line_meets_every_spine_and_nothing_blocks() -> None:
    for boards, radix in product((5, 9, 24, 33, 64, 128), (8, 12, 16, 64)):
        line = join("row", 3, 1, boards, radix, True)
        if line is None:
            assert 2 * boards > radix * (radix // 2)
            continue
        if not line.spines:
            continue
        net = HammingMesh(board=(1, 1), grid=(boards, 3), port_gbps=1.0, radix=radix).network()
        up = net.bundle == [b.name for b in net.bundles].index("leaf-spine.row")
        down = np.bincount(net.upper[net.bundle == 0], minlength=net.boxes)
        uplinks = np.zeros(net.boxes, int)
        np.add.at(uplinks, net.lower[up], net.links[up])
        leaves = np.flatnonzero(uplinks)
        assert len(leaves) == line.leaves * 3 and (uplinks[leaves] >= down[leaves]).all()
        assert up.sum() == line.leaves * line.spines * 3 and set(net.links[up].tolist()) == {line.links}


@pytest.mark.parametrize("family", [*MESHES, *TORI, *HAMMING], ids=short)
def test_symmetries_leave_the_network_as_it_is(family: Family) -> None:
    net = family.network().as_carried()
    rows = as_set(net, np.arange(net.boxes))
    kind_of = np.repeat(np.arange(len(net.kinds)), [kind.count for kind in net.kinds])
    found = family.symmetries()
    for image in found:
        assert (np.sort(image) == np.arange(net.boxes)).all() and (kind_of[image] == kind_of).all()
        assert as_set(net, image) == rows
    assert found


def as_set(net: Network, image: np.ndarray) -> set[tuple[int, int, int, int]]:
    ends = np.sort(np.stack((image[net.lower], image[net.upper])), axis=0)
    return set(zip(*ends.tolist(), net.links.tolist(), net.bundle.tolist(), strict=True))


def test_symmetries_exchange_all_boxes_that_are_alike() -> None:
    for family, classes in (
        (Torus(sides=(6, 5), port_gbps=(1.0,)), 1),
        (HyperX(sides=(4, 3), port_gbps=(1.0,), concentration=2, endpoint_gbps=1.0), 2 + 1),
        (HammingMesh(board=(1, 1), grid=(4, 5), port_gbps=1.0, radix=64), 1 + 2),
        (HammingMesh(board=(2, 2), grid=(16, 16), port_gbps=1.0, radix=16), 1 + 2 + 2 * 2),
    ):
        net = family.network()
        images = np.concatenate(family.symmetries())
        start = np.tile(np.arange(net.boxes), len(family.symmetries()))
        joined = csr_array((np.ones(len(start)), (start, images)), shape=(net.boxes, net.boxes))
        assert connected_components(joined, directed=False)[0] == classes, short(family)


# ---------------------------------------------------------------- capacities against linear programs

SMALL = [
    FullMesh(size=2, port_gbps=10.0),
    FullMesh(size=6, port_gbps=10.0, links_per_pair=2),
    FullMesh(size=4, port_gbps=10.0, concentration=3, endpoint_gbps=12.0),
    FullMesh(size=3, port_gbps=10.0, concentration=3, endpoint_gbps=40.0),
    HyperX(sides=(3, 4), port_gbps=(10.0,)),
    HyperX(sides=(2, 3, 2), port_gbps=(10.0, 4.0, 7.0), links_per_pair=(1, 2, 1)),
    HyperX(sides=(2, 3), port_gbps=(3.0, 2.0), concentration=2, endpoint_gbps=50.0),
    Torus(sides=(7,), port_gbps=(10.0,)),
    Torus(sides=(3, 5), port_gbps=(10.0,)),
    Torus(sides=(2, 3), port_gbps=(10.0,)),
    Torus(sides=(2, 3), port_gbps=(10.0,), two_links=False),
    Torus(sides=(4, 4), port_gbps=(10.0, 3.0)),
    Torus(sides=(4, 2, 2), port_gbps=(10.0, 3.0, 4.0), cube=(2, 1, 2)),
    HammingMesh(board=(1, 1), grid=(3, 2), port_gbps=10.0, radix=8),
    HammingMesh(board=(1, 1), grid=(5, 2), port_gbps=10.0, radix=6),
    HammingMesh(board=(2, 2), grid=(2, 2), port_gbps=10.0, radix=8),
    HammingMesh(board=(2, 1), grid=(2, 3), port_gbps=10.0, radix=16),
    HammingMesh(board=(3, 1), grid=(2, 2), port_gbps=10.0, radix=16, share_switches=False),
    HammingMesh(board=(4, 1), grid=(2, 2), port_gbps=10.0, radix=16),
    HammingMesh(board=(3, 2), grid=(2, 2), port_gbps=10.0, radix=16),
]


@pytest.mark.parametrize("family", SMALL, ids=short)
def test_all_to_all_is_what_a_linear_program_finds(family: Family) -> None:
    rate = family.structure().capacity["all_to_all"]
    assert rate.exact
    assert all_to_all(family.network()) == pytest.approx(rate.most, rel=1e-7)


@pytest.mark.parametrize(
    "family",
    [
        HammingMesh(board=(2, 2), grid=(16, 16), port_gbps=400.0, radix=64),
        HammingMesh(board=(4, 4), grid=(8, 8), port_gbps=400.0, radix=64),
        HammingMesh(board=(2, 2), grid=(16, 16), port_gbps=400.0, radix=16),
        Torus(sides=(8, 8, 12), port_gbps=(400.0,), board=(2, 2, 1), cube=(4, 4, 4)),
        HyperX(sides=(8, 6), port_gbps=(400.0, 200.0), concentration=4, endpoint_gbps=800.0),
    ],
    ids=short,
)
def test_all_to_all_of_published_sizes_is_what_the_network_carries(family: Family) -> None:
    """The bounds of `designer.network.throughput` know the network and its symmetries, not the family's formula."""
    found = throughput(family.network().as_carried(), generators=family.symmetries(), guess=False)
    rate = family.structure().capacity["all_to_all"]
    assert found.least == pytest.approx(rate.least, rel=1e-7) and found.most == pytest.approx(rate.most, rel=1e-7)


def test_the_linear_program_sees_one_link_less() -> None:
    # A closed form that holds for the broken network too would prove nothing.
    family = Torus(sides=(3, 3), port_gbps=(10.0,))
    net = family.network()
    broken = Network(
        net.kinds, net.bundles, net.lower[1:], net.upper[1:], net.links[1:], net.bundle[1:], net.block, None
    )
    assert all_to_all(broken) < 0.99 * family.structure().capacity["all_to_all"].least


@pytest.mark.parametrize(
    "family",
    [
        FullMesh(size=2, port_gbps=10.0),
        FullMesh(size=4, port_gbps=10.0),
        FullMesh(size=5, port_gbps=10.0, links_per_pair=2),
        Torus(sides=(5,), port_gbps=(10.0,)),
        Torus(sides=(2, 2), port_gbps=(10.0, 4.0)),
        Torus(sides=(2, 2), port_gbps=(10.0, 4.0), two_links=False),
        FullMesh(size=2, port_gbps=10.0, concentration=2, endpoint_gbps=15.0),
        FullMesh(size=2, port_gbps=10.0, concentration=2, endpoint_gbps=4.0),
        HammingMesh(board=(1, 1), grid=(2, 2), port_gbps=10.0, radix=4),
    ],
    ids=short,
)
def test_the_worst_of_all_permutations(family: Family) -> None:
    net, rate = family.network(), family.structure().capacity["permutation"]
    worst = min(permuted(net, partner) for partner in permutations(range(net.endpoints)))
    assert rate.least * (1 - 1e-9) <= worst <= rate.most * (1 + 1e-9)
    assert rate.exact


@pytest.mark.parametrize(
    ("family", "shift"),
    [
        (HyperX(sides=(3, 4), port_gbps=(10.0, 6.0)), (0, 1)),
        (Torus(sides=(3, 5), port_gbps=(10.0,)), (0, 2)),
        (Torus(sides=(6, 2), port_gbps=(10.0,)), (3, 0)),
    ],
    ids=short,
)
def test_a_shift_is_the_worst_permutation_of_larger_ones(family: HyperX | Torus, shift: tuple[int, int]) -> None:
    net, rate = family.network(), family.structure().capacity["permutation"]
    (a, b), (dx, dy) = family.sides, shift
    far = tuple((n % a + dx) % a + a * ((n // a + dy) % b) for n in range(a * b))
    assert rate.exact and permuted(net, far) == pytest.approx(rate.most, rel=1e-7)
    draw = np.random.default_rng(1)
    for _ in range(5):
        assert permuted(net, tuple(draw.permutation(net.endpoints).tolist())) >= rate.least * (1 - 1e-9)


@pytest.mark.parametrize("mesh", [m for m in SMALL if isinstance(m, HammingMesh)], ids=short)
def test_permutations_of_a_hamming_mesh_lie_in_its_interval(mesh: HammingMesh) -> None:
    net, rate = mesh.network(), mesh.structure().capacity["permutation"]
    (a, b), (x, y) = mesh.board, mesh.grid
    assert rate.least <= rate.most == min(20.0 / a, 20.0 / b)
    draw = np.random.default_rng(2)
    for _ in range(4):
        assert permuted(net, tuple(draw.permutation(net.endpoints).tolist())) >= rate.least * (1 - 1e-9)
    boards = np.arange(net.endpoints) // (a * b)
    moved = (boards + 1) % x + boards // x * x if a >= b else (boards + x) % (x * y)
    shift = tuple((moved * a * b + np.arange(net.endpoints) % (a * b)).tolist())
    assert permuted(net, shift) <= rate.most * (1 + 1e-9)


# ---------------------------------------------------------------- rings through all endpoints


def rings_by_hand(net: Network) -> float:
    """Largest total of rings from link to link through all endpoints: every one of them, a linear program."""
    arcs = arcs_of(net)
    number = {arc: i for i, arc in enumerate(arcs)}
    graph = nx.DiGraph(list(arcs))
    found: list[list[int]] = []

    def walk(path: list[int]) -> None:
        if len(path) == net.endpoints:
            if (path[-1], 0) in number:
                found.append([number[arc] for arc in zip(path, [*path[1:], 0], strict=True)])
            return
        for after in graph[path[-1]]:
            if after not in path:
                walk([*path, after])

    walk([0])
    use = lil_array((len(arcs), len(found)))
    for column, ring in enumerate(found):
        for row in ring:
            use[row, column] = 1.0
    return most_of(use.tocsr(), list(arcs.values()))


def most_of(use: Any, limit: list[float]) -> float:
    """Largest total of the columns within the limits of the rows."""
    answer = linprog(-np.ones(use.shape[1]), use, limit, method="highs")
    assert answer.fun is not None, answer.message
    return -float(answer.fun)


@pytest.mark.parametrize(
    "family",
    [
        FullMesh(size=2, port_gbps=10.0),
        FullMesh(size=4, port_gbps=10.0),
        FullMesh(size=6, port_gbps=10.0, links_per_pair=2),
        HyperX(sides=(3, 3), port_gbps=(10.0, 7.0)),
        HyperX(sides=(2, 4), port_gbps=(10.0,)),
        Torus(sides=(5,), port_gbps=(10.0,)),
        Torus(sides=(3, 4), port_gbps=(10.0,)),
        Torus(sides=(3, 3), port_gbps=(10.0, 6.0)),
        Torus(sides=(2, 4), port_gbps=(10.0,)),
        Torus(sides=(2, 2, 2), port_gbps=(10.0,)),
    ],
    ids=short,
)
def test_rings_use_all_ports_where_the_family_says_so(family: Family) -> None:
    rate = family.structure().capacity["all_reduce"]
    ports = sum(v for (tail, _), v in arcs_of(family.network()).items() if tail == 0)
    assert rate.exact and rate.most == pytest.approx(ports)
    assert rings_by_hand(family.network()) == pytest.approx(rate.most, rel=1e-7)


@pytest.mark.parametrize(
    "family",
    [
        Torus(sides=(2, 3), port_gbps=(10.0, 1.0)),
        Torus(sides=(2, 3), port_gbps=(1.0, 10.0)),
        Torus(sides=(3, 4), port_gbps=(10.0, 1.0)),
        Torus(sides=(3, 4), port_gbps=(1.0, 10.0)),
        Torus(sides=(2, 5), port_gbps=(10.0,), two_links=False),
        HyperX(sides=(2, 3), port_gbps=(10.0, 1.0)),
        HyperX(sides=(2, 4), port_gbps=(1.0, 10.0)),
    ],
    ids=short,
)
def test_rings_by_hand_stay_within_the_interval(family: Family) -> None:
    rate = family.structure().capacity["all_reduce"]
    assert 0 < rate.least <= rate.most
    assert rings_by_hand(family.network()) <= rate.most * (1 + 1e-9)


@pytest.mark.parametrize("rates", [(1.0, 1.0), (9.0, 1.0), (1.0, 9.0)])
@pytest.mark.parametrize("shape", ["ring", "complete"])
def test_spanning_trees_side_by_side(shape: str, rates: tuple[float, float]) -> None:
    """The closed form of Nash-Williams against a linear program over all spanning trees."""
    family = Torus(sides=(2, 3), port_gbps=rates) if shape == "ring" else HyperX(sides=(2, 3), port_gbps=rates)
    graph = family.network().to_networkx()
    edges = list(graph.edges)
    every: Any = nx.SpanningTreeIterator  # its types want a directed graph, the text an undirected one
    trees = list(every(graph))
    use = np.array([[edge in tree.edges for tree in trees] for edge in edges], float)
    limit = [graph.edges[edge]["capacity_gbps"] for edge in edges]
    packed = most_of(use, limit)
    double = 2 if shape == "ring" else 1
    sides = [
        Side(2, "ring" if shape == "ring" else "complete", double, rates[0]),
        Side(3, "ring" if shape == "ring" else "complete", 2, rates[1]),
    ]
    assert packed == pytest.approx(spanning_trees_gbps(sides), rel=1e-7)
    assert all_reduce_gbps(sides)[0] >= packed * (1 - 1e-9)


# ---------------------------------------------------------------- what is published

HAMMING_TABLE = [  # Hoefler et al., SC 2022, table II: board, grid, switches, DAC and AoC per plane
    ("small HyperX", 1, 32, 64, 2048, 2048),
    ("small Hx2Mesh", 2, 16, 32, 1024, 1024),
    ("small Hx4Mesh", 4, 8, 16, 512, 512),
    ("large HyperX", 1, 128, 3072, 32768, 98304),
    ("large Hx2Mesh", 2, 64, 1536, 16384, 49152),
    ("large Hx4Mesh", 4, 32, 256, 8192, 8192),
]


@pytest.mark.parametrize(("name", "board", "grid", "switches", "dac", "aoc"), HAMMING_TABLE)
def test_hamming_mesh_table(name: str, board: int, grid: int, switches: int, dac: int, aoc: int) -> None:
    mesh = HammingMesh(board=(board, board), grid=(grid, grid), port_gbps=400.0, radix=64, planes=4)
    check_counts(mesh)
    s = mesh.structure()
    assert s.switches() == 4 * switches
    rows = s.bundle("endpoint-leaf.row").links
    cables = sum(bundle.links for bundle in s.bundles if bundle.name != "endpoint-endpoint.board")
    assert (rows, cables - rows) == (dac, aoc), name
    assert s.capacity["all_reduce"].least == 4 * 4 * 400.0


@pytest.mark.parametrize(("side", "aoc"), [(32, 1024), (128, 16384)])
def test_torus_of_boards_of_the_same_table(side: int, aoc: int) -> None:
    s = Torus(sides=(side, side), port_gbps=(400.0,), board=(2, 2), planes=4).structure()
    cables = sum(bundle.links for bundle in s.bundles if not bundle.name.endswith(".board"))
    assert (s.switches(), cables) == (0, aoc)
    assert s.capacity["all_reduce"].least == s.capacity["all_reduce"].most == 4 * 4 * 400.0


def test_tpu_v4_pod() -> None:
    pod = Torus(sides=(16, 16, 16), port_gbps=(400.0,), board=(2, 2, 1), cube=(4, 4, 4), ocs_radix=136, ocs_spare=8)
    net = check_counts(pod)
    s = pod.structure()
    optical = sum(b.links for b in s.bundles if b.upper == "ocs")
    cables = sum(b.links for b in s.bundles if b.upper != "ocs" and not b.name.endswith(".board"))
    assert (s.endpoints, s.switches(), s.stage("ocs").ports, optical, cables) == (4096, 48, 128, 6144, 5120)
    assert (np.bincount(net.block[: net.endpoints]) == 64).all() and optical // 64 == 96
    seen = net.as_carried()
    assert seen.boxes == 4096 and set(seen.ports().tolist()) == {6} and int(seen.links.sum()) == 3 * 4096
    assert s.capacity["all_to_all"].most == float(torus_gbps((16, 16, 16), 400))


def test_tpu_v7_pod_fills_its_circuit_switches() -> None:
    pod = Torus(sides=(16, 24, 24), port_gbps=(600.0,), cube=(4, 4, 4), ocs_radix=288)
    assert pod.misfits() == []
    s = pod.structure()
    assert (s.endpoints, s.switches(), s.stage("ocs").ports) == (9216, 48, 288)
    assert sum(b.links for b in s.bundles if b.upper == "ocs") == 13824
    tight = pod.model_copy(update={"ocs_spare": 1})
    assert [(m.key, m.read) for m in tight.misfits()] == [("ocs_radix", "288")]


def test_trainium2_ultraserver() -> None:
    server = Torus(sides=(4, 4, 4), port_gbps=(2048.0, 2048.0, 1024.0))
    s = server.structure()
    assert s.bundle("endpoint-endpoint.x").links + s.bundle("endpoint-endpoint.y").links == 128
    assert s.bundle("endpoint-endpoint.z").links == 64
    assert s.bundle("endpoint-endpoint.z").rate_gbps == 1024.0


def test_ub_mesh_rack() -> None:
    rack = HyperX(sides=(8, 8), port_gbps=(400.0,))
    assert sum(b.links for b in rack.structure().bundles) == 448 == 2 * 8 * comb(8, 2)
    assert (np.bincount(check_counts(rack).block) == 8).all()


@pytest.mark.parametrize("sides", [(4,), (5, 3), (4, 4, 4), (8, 8, 8), (16, 8, 4)])
def test_domains_of_the_rules_agree(sides: tuple[int, ...]) -> None:
    # docs/rules.md, section 3.3, as the optimiser computes it.
    rate = Torus(sides=sides, port_gbps=(400.0,)).structure().capacity["all_to_all"]
    assert rate.most == pytest.approx(float(torus_gbps(sides, 400)), rel=1e-12)
    mesh = FullMesh(size=prod(sides), port_gbps=400.0).structure().capacity["all_to_all"]
    assert mesh.most == pytest.approx(float(mesh_gbps(prod(sides), prod(sides) - 1, 400)), rel=1e-12)


def test_planes_multiply_what_is_carried_and_nothing_else() -> None:
    one = HammingMesh(board=(2, 2), grid=(4, 4), port_gbps=100.0, radix=16)
    four = one.model_copy(update={"planes": 4})
    assert four.structure().bundles == one.structure().bundles and four.structure().stages == one.structure().stages
    for key, rate in one.structure().capacity.items():
        assert four.structure().capacity[key].least == 4 * rate.least
        assert four.structure().capacity[key].most == 4 * rate.most


@pytest.mark.parametrize(
    ("nodes", "per_node", "hops", "bundle"), [(5, 2, 2, 4), (9, 4, 3, 8), (11, 4, 4, 8), (7, 1, 2, 4)]
)
def test_a_k_hop_ring_uses_every_port_once(nodes: int, per_node: int, hops: int, bundle: int) -> None:
    """Fibres counted neighbour by neighbour: two ends for every transceiver; cables take the ports left."""
    ring = KHopRing(
        endpoints=nodes * per_node, per_node=per_node, ports=8, port_gbps=800.0, hops=hops, bundle=bundle, cable_ports=2
    )
    assert ring.misfits() == []
    s = ring.structure()
    neighbours = {(a, (a + step) % nodes) for a in range(nodes) for step in range(1, hops + 1)}
    assert s.bundle("transceiver-transceiver").links == bundle * len(neighbours)
    transceivers = s.stage("transceiver").boxes
    assert 2 * s.bundle("transceiver-transceiver").links == 2 * transceivers
    cables = sum(bundle.links for bundle in s.bundles if bundle.name == "endpoint-endpoint.node")
    assert transceivers + 2 * 2 * cables == 8 * ring.endpoints
    with pytest.raises(ValueError, match="not published"):
        ring.network()


# ---------------------------------------------------------------- what does not fit


@pytest.mark.parametrize(
    ("family", "keys"),
    [
        (HyperX(sides=(4, 4), port_gbps=(1.0, 2.0, 3.0)), ["port_gbps"]),
        (HyperX(sides=(4, 4, 4), port_gbps=(1.0,), links_per_pair=(1, 2)), ["links_per_pair"]),
        (FullMesh(size=4, port_gbps=1.0, concentration=2), ["endpoint_gbps"]),
        (FullMesh(size=4, port_gbps=1.0, endpoint_gbps=1.0, endpoint_links=2), ["endpoint_gbps", "endpoint_links"]),
        (FullMesh(size=9, port_gbps=1.0, concentration=4, endpoint_gbps=1.0, radix=11), ["radix"]),
        (Torus(sides=(4, 4), port_gbps=(1.0, 1.0, 1.0), cube=(3, 4)), ["port_gbps", "cube"]),
        (Torus(sides=(4, 4), port_gbps=(1.0,), cube=(4,)), ["cube"]),
        (Torus(sides=(8, 8), port_gbps=(1.0,), board=(4, 4), cube=(2, 4)), ["board"]),
        (Torus(sides=(4, 4), port_gbps=(1.0,), ocs_radix=8, ocs_spare=1), ["ocs_radix", "ocs_spare"]),
        (Torus(sides=(2, 4), port_gbps=(1.0,), cube=(1, 1), two_links=False), ["two_links"]),
        (Torus(sides=(4, 4), port_gbps=(1.0,), radix=3), ["radix"]),
        (HammingMesh(board=(1, 1), grid=(40, 2), port_gbps=1.0, radix=8), ["radix"]),
        (KHopRing(endpoints=21, per_node=2, ports=8, port_gbps=1.0, hops=1, bundle=4), ["endpoints", "hops"]),
        (KHopRing(endpoints=8, per_node=2, ports=8, port_gbps=1.0, hops=2, bundle=9), ["endpoints", "bundle"]),
        (KHopRing(endpoints=20, per_node=2, ports=8, port_gbps=1.0, hops=2, bundle=3, cable_ports=2), ["cable_ports"]),
    ],
    ids=short,
)
def test_what_does_not_fit_is_named_by_its_key(family: Family, keys: list[str]) -> None:
    assert [misfit.key for misfit in family.misfits()] == keys
    assert all(misfit.read and misfit.allowed for misfit in family.misfits())


def test_parameters_as_a_file_gives_them() -> None:
    torus = Torus.model_validate({"family": "torus", "sides": [4, 4], "port_gbps": [400, 200.0], "cube": [2, 2]})
    assert torus == Torus(sides=(4, 4), port_gbps=(400.0, 200.0), cube=(2, 2))
    for wrong in ([4.0, 4], [], [1, 4], "44", [4] * 7):
        with pytest.raises(ValueError, match="sides"):
            Torus.model_validate({"sides": wrong, "port_gbps": [400]})
    with pytest.raises(ValueError, match="board"):
        HammingMesh.model_validate({"board": [2, 2, 2], "grid": [4, 4], "port_gbps": 400, "radix": 64})
