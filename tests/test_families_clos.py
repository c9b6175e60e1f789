"""Clos families: published counts, the closed form against the built network, capacities against linear programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations, product

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack, identity, kron
from scipy.sparse.csgraph import connected_components

from designer.families import AnyFamily, family_from
from designer.families.family import Structure
from designer.families.fat_tree import FatTree
from designer.families.paired import Paired
from designer.families.scale_up_clos import ScaleUpClos
from designer.families.single_stage import SingleStage
from designer.families.zoned_fat_tree import ZonedFatTree
from designer.network.graph import NOWHERE, Ints, Network

# ---- linear programs, written without any knowledge of the families ----

Demand = dict[tuple[int, int], float]


def carried(net: Network, columns: list[Demand]) -> float:
    """Most that the columns of demand can be carried in sum, any paths, fluid: flows of each source, and weights."""
    tails = np.concatenate([net.lower, net.upper])
    heads = np.concatenate([net.upper, net.lower])
    arcs, boxes = tails.size, net.boxes
    sources = sorted({source for column in columns for source, _ in column})
    number = {source: at for at, source in enumerate(sources)}
    sign, at = np.repeat([1.0, -1.0], arcs), np.tile(np.arange(arcs), 2)
    balance = csr_matrix((sign, (np.concatenate([heads, tails]), at)), shape=(boxes, arcs))
    entries = [
        (number[start] * boxes + box, place, value)
        for place, column in enumerate(columns)
        for (start, end), share in column.items()
        for box, value in ((end, -share), (start, share))
    ]
    rows, places, values = (np.array(part) for part in zip(*entries, strict=True))
    wanted = csr_matrix((values, (rows, places)), shape=(len(sources) * boxes, len(columns)))
    flows = len(sources) * arcs
    found = linprog(
        np.repeat([0.0, -1.0], [flows, len(columns)]),
        A_ub=hstack([kron(np.ones((1, len(sources))), identity(arcs)), csr_matrix((arcs, len(columns)))]).tocsr(),
        b_ub=np.tile(net.rates(), 2),
        A_eq=hstack([kron(identity(len(sources)), balance), wanted]).tocsr(),
        b_eq=np.zeros(len(sources) * boxes),
        method="highs",
    )
    assert found.status == 0, found.message
    return float(-found.fun)


def all_to_all(net: Network) -> float:
    n = net.endpoints
    return carried(net, [{(a, b): 1 / (n - 1) for a in range(n) for b in range(n) if a != b}])


def partnered(net: Network, partners: Iterable[int]) -> float:
    return carried(net, [{(a, b): 1.0 for a, b in enumerate(partners) if a != b}])


def worst_permutation(net: Network, tries: int = 3) -> float:
    """The least of all shifts and some random permutations: an upper bound of the worst case."""
    n = net.endpoints
    rng = np.random.default_rng(7)
    shifts = [np.roll(np.arange(n), shift) for shift in range(1, n)]
    mixed = [p for p in (rng.permutation(n) for _ in range(tries)) if (p != np.arange(n)).any()]
    return min(partnered(net, p.tolist()) for p in [*shifts, *mixed])


def best_rings(net: Network) -> float:
    """All rings through all endpoints at once, each with a weight of its own."""
    n = net.endpoints
    rings = [(0, *rest) for rest in permutations(range(1, n))]
    return carried(net, [{(r[i], r[(i + 1) % n]): 1.0 for i in range(n)} for r in rings])


# ---- published counts ----


def tree(**keys: object) -> FatTree:
    found = family_from({"family": "fat_tree", "port_gbps": 400.0, **keys})
    assert isinstance(found, FatTree)
    assert found.misfits() == []
    return found


def counts(family: AnyFamily) -> tuple[int, dict[str, int], dict[str, int]]:
    """Endpoints, boxes per stage and links per bundle, over all copies."""
    assert family.misfits() == []
    s = family.structure()
    return (
        s.endpoints,
        {stage.name: s.copies * stage.boxes for stage in s.stages},
        {bundle.name: s.copies * bundle.links for bundle in s.bundles},
    )


def superpod(nodes: int, **keys: object) -> FatTree:
    return tree(endpoints=8 * nodes, radix=64, per_host=8, rail_optimised=True, **keys)


PUBLISHED = [
    # DeepSeek-AI, Insights into DeepSeek-V3 (arXiv 2505.09343), table 3
    (tree(endpoints="max", stages=2, radix=64), 2048, [64, 32], [2048, 2048]),
    (tree(endpoints="max", stages=2, radix=64, rails=8), 16384, [512, 256], [16384, 16384]),
    (tree(endpoints="max", stages=3, radix=64), 65536, [2048, 2048, 1024], [65536, 65536, 65536]),
    # Hoefler et al., HammingMesh (arXiv 2209.01346), table II
    (tree(endpoints=1024, stages=2, radix=64), 1024, [32, 16], [1024, 1024]),
    (tree(endpoints=1050, stages=2, radix=64, down=42, up=22, striping="spread"), 1050, [25, 9], [1050, 550]),
    (tree(endpoints=1071, stages=2, radix=64, down=51, up=13, striping="spread"), 1071, [21, 5], [1071, 273]),
    (tree(endpoints=16384, stages=3, radix=64), 16384, [512, 512, 256], [16384, 16384, 16384]),
    (
        tree(endpoints=16422, stages=3, radix=64, down=51, up=13, striping="podless"),
        16422,
        [322, 131, 66],
        [16422, 4186, 4186],
    ),
    # Wang et al., Rail-only (arXiv 2307.12169): full bisection against one network per rail
    (tree(endpoints=32768, stages=3, radix=64), 32768, [1024, 1024, 512], [32768] * 3),
    (tree(endpoints=32768, stages=2, radix=64, rails=256), 32768, [1024, 512], [32768] * 2),
    (tree(endpoints=32768, stages=3, radix=128), 32768, [512, 512, 256], [32768] * 3),
    (tree(endpoints=32768, stages=1, radix=128, rails=256), 32768, [256], [32768]),
    (tree(endpoints=32768, stages=2, radix=256), 32768, [256, 128], [32768] * 2),
    (tree(endpoints=32768, stages=1, radix=256, rails=256, rails_per_switch=2), 32768, [128], [32768]),
    (tree(endpoints=65536, stages=2, radix=64, rails=256), 65536, [2048, 1024], [65536] * 2),
    (tree(endpoints=65536, stages=3, radix=256), 65536, [512, 512, 256], [65536] * 3),
    # DGX SuperPOD H100 (RA-11333-001), tables 3 and 4: four ports for the fabric manager, one node left out
    (superpod(31, stages=2, service_ports=4), 248, [8, 4], [248, 4, 256]),
    (superpod(63, stages=2, service_ports=4), 504, [16, 8], [504, 4, 512]),
    (superpod(127, stages=2, service_ports=4), 1016, [32, 16], [1016, 4, 1024]),
    (superpod(256, stages=2), 2048, [64, 32], [2048] * 2),
    (superpod(512, stages=3), 4096, [128, 128, 64], [4096] * 3),
    (superpod(1024, stages=3), 8192, [256, 256, 128], [8192] * 3),
    (superpod(2048, stages=3), 16384, [512, 512, 256], [16384] * 3),
    # Alibaba HPN (SIGCOMM 2024): two planes of 120 leaves, 60 spines, 15:1 above them
    (
        tree(
            endpoints=15360, stages=3, radix=(256, 128, 128), port_gbps=200.0, uplink_gbps=400.0, down=128, up=60,
            spare_ports=8, taper=(1.0, 15.0), planes=2, per_host=8, rail_optimised=True,
        ),
        15360, [240, 120, 120], [30720, 14400, 960],
    ),
    # The Llama 3 Herd of Models, section 3.3.1: 8 pods of 192 racks, 7:1 above them
    (
        tree(endpoints=24576, stages=3, radix=(32, 512, 512), down=16, leaves_per_pod=192, taper=(1.0, 7.0)),
        24576, [1536, 128, 16], [24576, 24576, 3584],
    ),
    # Fire-Flyer AI-HPC (arXiv 2408.14158), table III
    (tree(endpoints=1600, stages=3, radix=40), 1600, [80, 80, 40], [1600] * 3),
    (
        tree(endpoints=10000, stages=3, radix=40, striping="spread", cores_per_group=16),
        10000, [500, 500, 320], [10000] * 3,
    ),
    # a plan of 32 nodes of 8 on switches of 144 ports, eight rails
    (
        tree(endpoints=256, stages=2, radix=144, down=32, spines_per_pod=4, per_host=8, rail_optimised=True),
        256, [8, 4], [256, 256],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(PUBLISHED)))
def test_fat_tree_has_the_published_counts(case: int) -> None:
    family, endpoints, boxes, links = PUBLISHED[case]
    found = counts(family)
    assert found[0] == endpoints
    assert list(found[1].values()) == boxes
    assert list(found[2].values()) == links


def test_scale_up_has_the_published_counts() -> None:
    hgx = SingleStage(endpoints=8, ports=18, port_gbps=200.0, planes=4, radix=64)
    net = hgx.network()
    assert net.links[:4].tolist() == [5, 5, 4, 4]
    assert net.ports()[8:].tolist() == [40, 40, 32, 32]
    assert hgx.structure().capacity["all_to_all"].least == 3600.0
    assert hgx.even_striping_gbps() == 3200.0
    assert "3200 Gb/s" in hgx.structure().capacity["all_to_all"].source
    nvl72 = SingleStage(endpoints=72, ports=18, port_gbps=400.0, planes=18, radix=72)
    assert counts(nvl72) == (72, {"switch": 18}, {"endpoint-switch": 1296})
    # 36 switches; 648 links of 400 Gb/s across are 162 of 1.6 Tb/s, in the same ports
    pair = {"endpoints": 72, "ports": 18, "port_gbps": 400.0, "planes": 18, "radix": 72}
    slow = Paired(**pair, cross_links=36)
    fast = Paired(**pair, cross_links=9, cross_gbps=1600.0)
    assert counts(slow) == (72, {"switch": 36}, {"endpoint-switch": 1296, "switch-switch": 648})
    assert counts(fast)[2]["switch-switch"] == 162
    assert slow.structure().capacity == fast.structure().capacity
    cloud = ScaleUpClos(
        groups=48, endpoints_per_group=8, ports=14, port_gbps=224.0, planes=7, uplinks=16, uppers=16, radix=32,
        upper_radix=48,
    )  # fmt: skip
    assert counts(cloud) == (
        384, {"switch": 336, "upper": 112}, {"endpoint-switch": 384 * 14, "switch-upper": 5376}
    )  # fmt: skip
    assert cloud.structure().stage("upper").ports == 48
    assert cloud.structure().capacity["permutation"].least == 14 * 224.0


def test_nvl576_is_two_stages_of_one_chip() -> None:
    """16 racks of 36 on 18 planes of 72-port chips, half of every first-stage chip upward: nothing blocks.

    Nine upper chips per plane, one more than their ports ask for: 36 uplinks do not spread evenly over eight.
    """
    pod = ScaleUpClos(
        groups=16, endpoints_per_group=36, ports=18, port_gbps=400.0, planes=18, uplinks=36, uppers=9, radix=72,
        upper_radix=72,
    )  # fmt: skip
    assert pod.misfits() == []
    assert counts(pod) == (576, {"switch": 288, "upper": 162}, {"endpoint-switch": 10368, "switch-upper": 10368})
    assert {rate.least for rate in pod.structure().capacity.values()} == {7200.0}


def test_zones_have_the_published_counts() -> None:
    zone = {"endpoints": 780, "stages": 2, "radix": 40, "port_gbps": 200.0, "service_ports": 20, "family": "fat_tree"}
    found = family_from({"family": "zoned_fat_tree", "zone": zone, "zones": 2, "joints": 2, "joint_radix": 40})
    assert counts(found) == (
        1560,
        {"leaf": 80, "spine": 40, "joint": 2},
        {"endpoint-leaf": 1560, "leaf-joint": 40, "leaf-spine": 1600},
    )


@pytest.mark.parametrize(("k", "stages"), list(product((4, 6, 8, 10), (2, 3, 4))))
def test_the_largest_tree_of_a_radix_is_the_k_ary_one(k: int, stages: int) -> None:
    """2 (k/2)^L hosts, and every stage but the highest with as many boxes: Al-Fares et al., SIGCOMM 2008."""
    s = tree(endpoints="max", stages=stages, radix=k).structure()
    hosts = 2 * (k // 2) ** stages
    assert s.endpoints == hosts
    assert [stage.boxes for stage in s.stages] == [hosts * 2 // k] * (stages - 1) + [hosts // k]
    assert all(stage.ports == k for stage in s.stages)
    one_more = FatTree(endpoints=hosts + 1, stages=stages, radix=k, port_gbps=400.0).misfits()
    assert [(found.key, str(hosts) in found.allowed) for found in one_more] == [("endpoints", True)]


def test_a_given_number_that_fills_the_tree_is_the_largest_tree() -> None:
    assert tree(endpoints=128, stages=3, radix=8).structure() == tree(endpoints="max", stages=3, radix=8).structure()


# ---- the closed form is the built network ----


STRIPINGS = ("even", "spread", "aligned", "podless")


def trees() -> Iterator[FatTree]:
    """Many small trees, of those that exist: odd sizes, tapers, stripings, rails, pods that are not full."""
    grid = product((1, 2, 3, 4), (4, 6, 9, 12), (1.0, 2.0), (5, 8, 16, 31, 60, "max"), STRIPINGS)
    for stages, radix, taper, endpoints, striping in grid:
        keys = {"stages": stages, "radix": radix, "endpoints": endpoints, "striping": striping, "port_gbps": 100.0}
        if stages > 1:
            keys["taper"] = taper
        yield FatTree(**keys)
        yield FatTree(**keys, service_ports=2, spare_ports=1, planes=2)
        if stages > 1:
            yield FatTree(**keys, per_host=2, rail_optimised=True, rails=2)
            yield FatTree(**keys, uplink_gbps=200.0)
            yield FatTree(**keys, up=3)
    yield FatTree(endpoints=60, stages=3, radix=(8, 16, 9), port_gbps=100.0, leaves_per_pod=4, spines_per_pod=2)
    yield FatTree(
        endpoints=48, stages=2, radix=(16, 24), port_gbps=100.0, down=6, per_host=4, rail_optimised=True,
        hosts_per_group=5, service_ports=3,
    )  # fmt: skip


def others() -> Iterator[AnyFamily]:
    for n, ports, planes in product((2, 6, 7), (1, 4, 7), (1, 3, 4)):
        yield SingleStage(endpoints=n, ports=ports, port_gbps=50.0, planes=planes, radix=24)
        for across in (1, 3):
            yield Paired(endpoints=n, ports=ports, port_gbps=50.0, planes=planes, cross_links=across, radix=24)
            yield Paired(
                endpoints=n, ports=ports, port_gbps=50.0, planes=planes, cross_links=across, cross_gbps=200.0, radix=24
            )
    for groups, each, a, up, uppers in product((2, 5), (1, 3), (1, 2), (2, 4), (1, 2)):
        yield ScaleUpClos(
            groups=groups, endpoints_per_group=each, ports=4, port_gbps=50.0, planes=2, switches_per_group=a,
            uplinks=up, uppers=uppers, radix=12, upper_radix=40,
        )  # fmt: skip
    for service, joints, stages in product((1, 2, 4), (1, 2), (2, 3)):
        for endpoints, zones in ((8, 2), (4, 2), (2, 4), (3, 2)):
            zone = FatTree(endpoints=endpoints, stages=stages, radix=4, port_gbps=100.0, service_ports=service)
            yield ZonedFatTree(zone=zone, zones=zones, joints=joints, joint_radix=16)


FITTING: list[AnyFamily] = [family for family in (*trees(), *others()) if not family.misfits()]


def test_enough_of_the_grid_exists() -> None:
    assert len([f for f in FITTING if isinstance(f, FatTree)]) > 300
    assert {(f.stages, f.striping) for f in FITTING if isinstance(f, FatTree)} >= {
        (1, "even"), (2, "even"), (2, "spread"), (3, "even"), (3, "spread"), (3, "podless"), (4, "even"), (4, "spread"),
        (2, "aligned"), (3, "aligned"), (4, "aligned"),
    }  # fmt: skip
    assert {f.family for f in FITTING} == {"fat_tree", "single_stage", "paired", "scale_up_clos", "zoned_fat_tree"}


def parts_without(net: Network, box: int) -> int:
    """Number of parts with endpoints when a box is out."""
    keep = (net.lower != box) & (net.upper != box)
    ones = np.ones(int(keep.sum()))
    joined = csr_matrix((ones, (net.lower[keep], net.upper[keep])), shape=(net.boxes, net.boxes))
    return np.unique(connected_components(joined, directed=False)[1][: net.endpoints]).size


def test_counts_are_those_of_the_built_network() -> None:
    for family in FITTING:
        s, net = family.structure(), family.network()
        ports = net.ports()
        assert net.endpoints == s.endpoints_per_copy, family
        assert [kind.name for kind in net.kinds if kind.name != "service"] == ["endpoint", *(x.name for x in s.stages)]
        for stage in s.stages:
            boxes = net.kind_range(stage.name)
            assert len(boxes) == stage.boxes, (family, stage)
            assert int(ports[boxes.start : boxes.stop].max()) == stage.ports, (family, stage)
        for bundle, built in zip(s.bundles, net.bundles, strict=True):
            assert (built.name, built.rate_gbps) == (bundle.name, bundle.rate_gbps)
            rows = net.bundle == s.bundles.index(bundle)
            assert int(net.links[rows].sum()) == bundle.links, (family, bundle)
            for end, kind in ((net.lower, bundle.lower), (net.upper, bundle.upper)):
                boxes = net.kind_range(kind)
                assert bool(((end[rows] >= boxes.start) & (end[rows] < boxes.stop)).all()), (family, bundle)
        assert net.links.min() >= 1
        pairs = np.stack([net.bundle, net.lower, net.upper])
        assert np.unique(pairs, axis=1).shape == pairs.shape, family
        assert ports.min() >= 1, (family, "a box without links")
        assert net.block.shape == (net.boxes,)
        assert (net.block[: net.endpoints] != NOWHERE).all()
        assert parts_without(net, -1) == 1, (family, "not connected")


def test_radix_is_kept_at_the_rate_of_the_links() -> None:
    """Ports of each box, a faster uplink as several, and the spare ports of leaves."""
    for family in FITTING:
        if not isinstance(family, FatTree):
            continue
        net, s = family.network(), family.structure()
        rates = np.array([bundle.rate_gbps for bundle in net.bundles])
        down = [bundle.rate_gbps for bundle in s.bundles if bundle.name != "service-leaf"]
        for i, stage in enumerate(s.stages):
            boxes = net.kind_range(stage.name)
            used = np.zeros(net.boxes)
            for end in (net.lower, net.upper):
                np.add.at(used, end, net.links * np.maximum(1.0, rates[net.bundle] / down[i]))
            most = np.ceil(used[boxes.start : boxes.stop].max()) + (family.spare_ports if i == 0 else 0)
            assert most <= np.broadcast_to(family.radix, (family.stages,))[i], (family, stage)


def test_a_group_is_what_a_box_takes_along() -> None:
    """A box with endpoints: those left without a link. A box further up: none where traffic goes around it."""
    seen = {0: 0, 1: 0}
    for family in FITTING[::2]:
        s, net = family.structure(), family.network()
        if net.boxes > 50:
            continue
        for i, stage in enumerate(s.stages):
            cut = 0
            for box in net.kind_range(stage.name):
                parts = parts_without(net, box)
                alone = np.setdiff1d(np.arange(net.endpoints), net.lower[net.upper != box]).size
                if isinstance(family, ZonedFatTree) and parts - alone > 1:
                    alone = family.zone.shape.endpoints  # the zone has lost all its links to the others
                cut = max(cut, alone if i == 0 else int(parts > 1))
            assert cut == (stage.group if i == 0 else min(stage.group, 1)), (family, stage)
            seen[min(i, 1)] += cut > 0
    assert min(seen.values()) > 10


def test_every_leaf_meets_every_spine_of_its_pod() -> None:
    seen = 0
    for family in FITTING:
        if not isinstance(family, FatTree) or family.stages < 2 or family.striping == "podless":
            continue
        net = family.network()
        if net.boxes > 400:
            continue
        leaves, spines = net.kind_range("leaf"), net.kind_range("spine")
        rows = net.bundle == [b.name for b in net.bundles].index("leaf-spine")
        links = csr_matrix(
            (net.links[rows], (net.lower[rows] - leaves.start, net.upper[rows] - spines.start)),
            shape=(len(leaves), len(spines)),
        ).toarray()
        met = links > 0
        shared = met.astype(int) @ met.T.astype(int)
        assert np.isin(shared, [0, met[0].sum()]).all(), family
        pods = set((shared > 0).sum(axis=1).tolist())
        assert len(pods) <= 2, (family, "pods are full but for the last one")
        few = np.where(met, links, links.max()).min(axis=1)
        uneven = 1 if family.striping in ("spread", "aligned") and family.stages == 2 else 0
        assert (links.max(axis=1) - few <= uneven).all(), family
        seen += 1
    assert seen > 200


def test_hosts_of_a_rail_group_are_on_as_many_leaves_as_they_have_endpoints() -> None:
    net = superpod(63, stages=2, service_ports=4).network()
    leaf_of = net.upper[: net.endpoints].reshape(63, 8)
    assert (np.diff(leaf_of, axis=1) == 1).all()
    assert np.unique(leaf_of[:32, 3]).size == 1
    assert leaf_of[31, 0] != leaf_of[32, 0]
    assert int(net.ports()[list(net.kind_range("leaf"))].max()) == 64


def test_symmetries_leave_the_network_as_it_is() -> None:
    stated = 0
    for family in FITTING[::3]:
        net = family.network()
        rows = np.stack([net.bundle, net.lower, net.upper, net.links])
        for move in family.symmetries():
            assert sorted(move.tolist()) == list(range(net.boxes)), family
            moved = np.stack([net.bundle, move[net.lower], move[net.upper], net.links])
            assert (np.unique(moved, axis=1) == np.unique(rows, axis=1)).all(), family
            stated += 1
    assert stated > 300


@pytest.mark.parametrize(("keys", "classes"), [
    ({"endpoints": "max", "stages": 3, "radix": 6}, 4),
    ({"endpoints": "max", "stages": 4, "radix": 4}, 5),
    ({"endpoints": 64, "stages": 2, "radix": 16, "rail_optimised": True, "per_host": 4}, 3),
    # one endpoint less: its leaf and that leaf's endpoints, its pod's other endpoints, leaves, and spines stand apart
    ({"endpoints": 53, "stages": 3, "radix": 6}, 9),
])  # fmt: skip
def test_symmetries_exchange_all_that_is_alike(keys: dict[str, object], classes: int) -> None:
    family = tree(**keys)
    boxes = family.network().boxes
    moves = family.symmetries()
    ends = (np.tile(np.arange(boxes), len(moves)), np.concatenate(moves))
    joined = csr_matrix((np.ones(boxes * len(moves)), ends), shape=(boxes, boxes))
    assert connected_components(joined, directed=False)[0] == classes


# ---- capacities ----


def small(most: int) -> list[AnyFamily]:
    """Families of few endpoints, of every kind and striping, the same rates not twice."""
    seen: dict[object, AnyFamily] = {}
    for family in FITTING:
        s = family.structure()
        if s.endpoints_per_copy > most or sum(stage.boxes for stage in s.stages) > 40:
            continue
        traits = tuple((key, s.capacity[key]) for key in ("all_to_all", "permutation", "all_reduce"))
        key = (family.family, getattr(family, "striping", ""), getattr(family, "stages", 0), s.endpoints, traits)
        seen.setdefault(key, family)
    return list(seen.values())


def planes(s: Structure) -> int:
    """Copies on which an endpoint has ports: those among which rails split the endpoints do not count."""
    return s.copies * s.endpoints_per_copy // s.endpoints


def test_all_to_all_is_that_of_the_linear_program() -> None:
    chosen = small(9)
    assert len(chosen) > 60
    assert {(f.family, getattr(f, "striping", "")) for f in chosen} == {
        *(("fat_tree", striping) for striping in STRIPINGS),
        ("single_stage", ""), ("paired", ""), ("scale_up_clos", ""), ("zoned_fat_tree", ""),
    }  # fmt: skip
    exact = 0
    for family in chosen:
        s = family.structure()
        rate, found = s.capacity["all_to_all"], all_to_all(family.network())
        found *= planes(s)
        assert rate.least <= found * (1 + 1e-9), (family, rate, found)
        assert rate.most >= found * (1 - 1e-9), (family, rate, found)
        exact += rate.exact
    assert exact > 40


def test_permutations_are_between_the_linear_programs() -> None:
    """No permutation may fall below the interval; where it is exact, some shift or random one must be that bad."""
    exact = reached = 0
    for family in small(7)[::2]:
        s = family.structure()
        rate, found = s.capacity["permutation"], planes(s) * worst_permutation(family.network())
        assert rate.least <= found * (1 + 1e-9), (family, rate, found)
        if rate.exact:
            exact += 1
            reached += found <= rate.most * (1 + 1e-9)
    assert exact > 30
    assert reached == exact


def test_rings_are_those_of_the_linear_program() -> None:
    """All rings through at most six endpoints, weighed freely: the definition itself."""
    chosen = small(6)
    assert {family.family for family in chosen} >= {"fat_tree", "single_stage", "paired", "scale_up_clos"}
    for family in chosen:
        s = family.structure()
        rate, found = s.capacity["all_reduce"], planes(s) * best_rings(family.network())
        assert rate.least <= found * (1 + 1e-9), (family, rate, found)
        assert rate.most >= found * (1 - 1e-9), (family, rate, found)


UNEVEN = [
    tree(endpoints=12, stages=2, radix=(9, 3), down=6, up=3, striping="spread", port_gbps=100.0),
    tree(endpoints=18, stages=2, radix=(9, 7), down=4, up=5, striping="spread", port_gbps=100.0),
    tree(endpoints=16, stages=2, radix=(7, 6), down=4, up=3, striping="spread", port_gbps=100.0, uplink_gbps=100.0),
    tree(endpoints=17, stages=2, radix=(9, 7), down=5, up=4, striping="spread", port_gbps=100.0),
    tree(endpoints=20, stages=3, radix=(6, 6, 6), down=4, up=2, striping="podless", port_gbps=100.0),
    tree(endpoints=15, stages=3, radix=(6, 4, 5), down=3, up=3, striping="podless", port_gbps=100.0),
    tree(endpoints=18, stages=3, radix=(5, 5, 7), down=3, up=2, striping="spread", port_gbps=100.0, cores_per_group=2),
]


@pytest.mark.parametrize("case", range(len(UNEVEN)))
def test_uneven_links_lie_within_their_interval(case: int) -> None:
    """The interval holds, and says something: its lower end is above the half of the upper one."""
    family = UNEVEN[case]
    rate, found = family.structure().capacity["all_to_all"], all_to_all(family.network())
    assert rate.least <= found * (1 + 1e-9)
    assert rate.most >= found * (1 - 1e-9)
    assert rate.least > 0.5 * rate.most
    bad = np.roll(np.arange(family.network().endpoints), family.shape.down).tolist()
    assert family.structure().capacity["permutation"].least <= partnered(family.network(), bad) * (1 + 1e-9)


def test_some_uneven_links_lose_what_the_cuts_allow() -> None:
    """The upper end alone would be wrong: the program finds less than the cuts in some of them."""
    short = [f.structure().capacity["all_to_all"].most - all_to_all(f.network()) for f in UNEVEN]
    assert max(short) > 1e-3
    assert not any(
        f.structure().capacity["all_to_all"].exact for f, less in zip(UNEVEN, short, strict=True) if less > 1e-3
    )


ALIGNED = [
    tree(endpoints=18, stages=2, radix=(9, 10), down=4, up=5, striping="aligned", spines_per_pod=4),
    tree(endpoints=18, stages=2, radix=(9, 15), down=4, up=5, striping="aligned"),
    tree(endpoints=18, stages=3, radix=(5, 6, 9), down=3, up=2, spine_up=3, cores_per_group=2, striping="aligned"),
    tree(endpoints="max", stages=4, radix=(4, 4, 5, 6), up=2, core_up=3, tops_per_group=2, striping="aligned"),
]


@pytest.mark.parametrize("case", range(len(ALIGNED)))
def test_aligned_links_lose_nothing_and_full_boxes_are_alike(case: int) -> None:
    """Every way is used in proportion to its links: what the cuts allow passes, as the linear program finds too."""
    family = ALIGNED[case]
    assert not family.misfits()
    assert family.misfits() == [] and not family.shape.boundaries[-1].even
    rates, net = family.structure().capacity, family.network()
    assert all(rate.exact for rate in rates.values())
    if net.boxes < 60:
        assert rates["all_to_all"].most == pytest.approx(all_to_all(net), rel=1e-9)
    top = net.kind_range(net.kinds[-1].name)
    ports = net.ports()[top.start : top.stop]
    edge = family.shape.boundaries[-1]
    more, fewer = -(-edge.up[0] // edge.above), edge.up[0] // edge.above
    each = [more] * (edge.up[0] % edge.above) + [fewer] * (edge.above - edge.up[0] % edge.above)
    assert ports.tolist() == [int(n) * edge.units for n in each] * (len(top) // edge.above)
    # Two orbits of the highest boxes: those with a link more, and the others.
    orbits = orbits_of(net, family.symmetries())
    assert len({orbits[box] for box in top}) == 2


def orbits_of(net: Network, moves: list[Ints]) -> list[int]:
    """Least box that every box can be moved to."""
    found = list(range(net.boxes))
    for _ in range(net.boxes):
        after = [min(found[box], *(found[int(move[box])] for move in moves)) for box in range(net.boxes)]
        if after == found:
            return found
        found = after
    return found


@pytest.mark.parametrize("case", [at for at, family in enumerate(UNEVEN) if family.striping == "spread"])
def test_what_two_units_have_for_each_other_is_what_the_built_links_share(case: int) -> None:
    """Leaf by leaf, or pod by pod, over every box of the highest stage that both are joined to."""
    family = UNEVEN[case]
    net, shape = family.network(), family.shape
    top = net.kind_range(net.kinds[-1].name)
    pods = shape.gathered(np.ones_like(shape.on_leaf))[-1].size
    unit_of = np.zeros(net.boxes, np.int64)
    for kind in net.kinds[1:-1]:
        boxes = net.kind_range(kind.name)
        unit_of[boxes.start : boxes.stop] = np.arange(len(boxes)) * pods // len(boxes)
    joined = np.zeros((pods, len(top)))
    for low, high, links in zip(net.lower.tolist(), net.upper.tolist(), net.links.tolist(), strict=True):
        if high in top:
            joined[unit_of[low], high - top.start] += links
    sizes = shape.sizes()[-1]
    worst = min(
        np.minimum(joined[a], joined[b]).sum() * shape.boundaries[-1].gbps / min(sizes[a], sizes[b])
        for a in range(pods)
        for b in range(a)
    )
    below = [cut.gbps[0] / cut.sizes[0] for cut in family.cuts(shape)[:-1]]
    assert family.direct_gbps() == pytest.approx(min(worst, family.port_gbps, *below))
    assert family.direct_gbps() <= family.structure().capacity["permutation"].most


def test_with_even_links_two_units_have_what_permutations_get() -> None:
    for keys in (
        {"endpoints": 48, "stages": 2, "radix": 16, "taper": 3.0},
        {"endpoints": 128, "stages": 3, "radix": 8},
    ):
        family = tree(**keys, planes=2)
        assert family.direct_gbps() == pytest.approx(family.structure().capacity["permutation"].least, rel=1e-12)
    with pytest.raises(ValueError, match="podless"):
        UNEVEN[4].direct_gbps()


def test_planes_add_up_and_rails_do_not() -> None:
    one = tree(endpoints=52, stages=2, radix=9, taper=2.0).structure()
    planes_ = tree(endpoints=52, stages=2, radix=9, taper=2.0, planes=4).structure()
    rails = tree(endpoints=208, stages=2, radix=9, taper=2.0, rails=4).structure()
    assert (one.stages, one.bundles) == (planes_.stages, planes_.bundles) == (rails.stages, rails.bundles)
    assert (planes_.copies, planes_.endpoints) == (4, 52)
    assert (rails.copies, rails.endpoints, rails.endpoints_per_copy) == (4, 208, 52)
    for key, rate in one.capacity.items():
        assert planes_.capacity[key].least == 4 * rate.least
        assert rails.capacity[key].least == rate.least
        assert "other rails" in rails.capacity[key].source


def test_oversubscription_is_the_worst_permutation() -> None:
    """3:1 at the leaf leaves a third of the port; all-to-all keeps what stays under the leaf."""
    s = tree(endpoints=48, stages=2, radix=16, taper=3.0).structure()
    assert s.capacity["permutation"].least == pytest.approx(400.0 / 3)
    assert s.capacity["all_to_all"].least == pytest.approx(47 * 4 * 400.0 / (12 * 36))
    assert s.capacity["all_reduce"].least == 400.0


MISFITS = [
    ({"endpoints": 2049, "stages": 2, "radix": 64}, "endpoints", "at most 2048"),
    ({"endpoints": 65, "stages": 1, "radix": 64}, "endpoints", "from 2 to 64"),
    ({"endpoints": 64, "stages": 1, "radix": 64, "up": 3}, "up", "fewer than 2"),
    ({"endpoints": 64, "stages": 2, "radix": 64, "leaves_per_pod": 3}, "leaves_per_pod", "fewer than 3"),
    ({"endpoints": 64, "stages": 2, "radix": (64, 64, 64)}, "radix", "one figure, or 2"),
    ({"endpoints": 64, "stages": 2, "radix": 64, "down": 40, "up": 30}, "down", "leaf's radix, 64"),
    ({"endpoints": 64, "stages": 2, "radix": 64, "up": 9, "down": 9, "spines_per_pod": 2}, "spines_per_pod", "divisor"),
    ({"endpoints": 640, "stages": 2, "radix": 64, "spines_per_pod": 4}, "spines_per_pod", "enough boxes"),
    ({"endpoints": 64, "stages": 3, "radix": 8, "leaves_per_pod": 7}, "leaves_per_pod", "spine's radix, 8"),
    ({"endpoints": 63, "stages": 2, "radix": 64, "rails": 2}, "endpoints", "a multiple of 2"),
    ({"endpoints": 64, "stages": 2, "radix": 64, "rails": 4, "rails_per_switch": 3}, "rails_per_switch", "divisor"),
    ({"endpoints": 60, "stages": 2, "radix": 64, "per_host": 8, "rail_optimised": True}, "endpoints", "multiple of 8"),
    ({"endpoints": 64, "stages": 2, "radix": 64, "rail_optimised": True}, "per_host", "at least 2"),
    (
        {"endpoints": 64, "stages": 2, "radix": 64, "rail_optimised": True, "per_host": 2, "hosts_per_group": 33},
        "hosts_per_group", "at most the leaf's ports down, 32",
    ),
    ({"endpoints": 64, "stages": 2, "radix": 64, "hosts_per_group": 3}, "hosts_per_group", "unless rail_optimised"),
    ({"endpoints": "max", "stages": 3, "radix": 64, "striping": "podless"}, "endpoints", "a number"),
    ({"endpoints": 64, "stages": 2, "radix": 64, "striping": "podless"}, "stages", "3 with"),
    ({"endpoints": 64, "stages": 3, "radix": 8, "down": 7, "up": 1, "striping": "podless"}, "up", "at least 2"),
    ({"endpoints": 600, "stages": 2, "radix": (64, 8), "up": 2, "striping": "spread"}, "spines_per_pod", "at most"),
    ({"endpoints": 64, "stages": 2, "radix": 64, "spare_ports": 64}, "down", "at least 1 down"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(MISFITS)))
def test_what_does_not_fit_is_named(case: int) -> None:
    keys, key, part = MISFITS[case]
    family = FatTree(**keys, port_gbps=400.0)
    found = family.misfits()
    assert [misfit.key for misfit in found] == [key], found
    assert part in found[0].allowed, found
    assert found[0].key in FatTree.model_fields


def test_what_does_not_fit_in_scale_up_is_named() -> None:
    one = {"endpoints": 8, "ports": 18, "port_gbps": 200.0, "planes": 4, "radix": 40}
    assert SingleStage(**one).misfits() == []
    assert [m.key for m in SingleStage(**{**one, "radix": 39}).misfits()] == ["radix"]
    assert [m.key for m in SingleStage(**{**one, "planes": 19}).misfits()] == ["planes"]
    assert [m.key for m in Paired(**one, cross_links=21).misfits()] == ["radix"]
    assert [m.key for m in Paired(**{**one, "endpoints": 9}, cross_links=1).misfits()] == ["endpoints"]
    two = {
        "groups": 4, "endpoints_per_group": 8, "ports": 4, "port_gbps": 200.0, "planes": 2, "uplinks": 16, "uppers": 4,
        "radix": 32, "upper_radix": 16,
    }  # fmt: skip
    assert ScaleUpClos(**two).misfits() == []
    for change, key in (
        ({"groups": 1}, "groups"), ({"ports": 5}, "ports"), ({"uplinks": 15}, "uplinks"), ({"radix": 31}, "radix"),
        ({"upper_radix": 15}, "upper_radix"), ({"uplink_gbps": 400.0}, "radix"),
    ):  # fmt: skip
        assert [m.key for m in ScaleUpClos(**{**two, **change}).misfits()] == [key], change
    zone = FatTree(endpoints=20, stages=2, radix=8, port_gbps=100.0, service_ports=4, planes=2)
    found = ZonedFatTree(zone=zone, zones=3, joints=3, joint_radix=3).misfits()
    assert [m.key for m in found] == ["zone.planes", "zone.service_ports", "joint_radix"]


def test_a_table_of_a_file_becomes_a_family() -> None:
    found = family_from({"family": "fat_tree", "endpoints": 64, "stages": 2, "radix": [16, 32], "port_gbps": 400})
    assert isinstance(found, FatTree)
    assert found.radix == (16, 32)
    for wrong in ({"family": "fat_bush"}, {"endpoints": 3}, {"family": "single_stage", "endpoints": 3, "colour": 1}):
        with pytest.raises(ValidationError):
            family_from(wrong)


def test_65536_endpoints_are_counted_out_by_hand() -> None:
    """k = 64, three stages: every box of the built network is full, and pods are blocks."""
    net = tree(endpoints="max", stages=3, radix=64).network()
    assert net.boxes == 65536 + 5120
    assert (net.ports()[65536:] == 64).all()
    assert np.bincount(net.block[:65536]).tolist() == [1024] * 64
    assert (net.block[net.kind_range("core").start :] == NOWHERE).all()
