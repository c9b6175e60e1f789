"""Max flow and min cut between endpoints: against networkx, by their certificate, and by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import networks
import numpy as np
import pytest

from designer.network import Network
from designer.network.max_flow import bisection, cut, cut_by_networkx, cut_faults, halves, units_of


def split(net: Network, seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    mixed = draw.permutation(net.endpoints)
    first, second = int(draw.integers(1, len(mixed) - 1)), int(draw.integers(1, len(mixed)))
    return mixed[:first], mixed[first : max(first + 1, second)]


@pytest.mark.parametrize("seed", range(25))
def test_irregular_graphs_by_networkx(seed: int) -> None:
    net = networks.random_graph(seed)
    sources, sinks = split(net, seed)
    found = cut(net, sources, sinks)
    assert not cut_faults(net, found)
    assert found.gbps == float(cut_by_networkx(net, sources, sinks))


@pytest.mark.parametrize("relays", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_endpoints_with_several_boxes_by_networkx(seed: int, relays: bool) -> None:
    draw = np.random.default_rng(seed)
    rows = {(end, 8 + int(at)) for end in range(8) for at in draw.choice(4, 2, replace=False)}
    net = networks.network(
        {"endpoint": 8, "switch": 4},
        {"endpoint-switch": 50.0},
        [(*pair, int(draw.integers(1, 3)), "endpoint-switch") for pair in sorted(rows)],
    )
    sources, sinks = split(net, seed)
    found = cut(net, sources, sinks, relays=relays)
    assert not cut_faults(net, found)
    assert found.gbps == float(cut_by_networkx(net, sources, sinks, relays=relays))


@pytest.mark.parametrize("dims", [(4, 4), (3, 5), (4, 2, 3)])
def test_tori_by_networkx(dims: tuple[int, ...]) -> None:
    net = networks.torus(*dims)
    found = bisection(net)
    assert not cut_faults(net, found)
    assert found.gbps == float(cut_by_networkx(net, found.sources, found.sinks))


@pytest.mark.parametrize("k", [4, 8, 16])
@pytest.mark.parametrize("over", [1, 2, 3])
def test_fat_trees_have_their_share_of_full_bisection(k: int, over: int) -> None:
    net = networks.fat_tree(k, over)
    found = bisection(net)
    assert not cut_faults(net, found)
    assert found.per_source_gbps == pytest.approx(400.0 / over, rel=1e-12)


def test_two_tori_by_hand() -> None:
    # Half of the rows of a 4 x 4 torus against the others: 4 columns x 2 links cross.
    assert bisection(networks.torus(4, 4)).gbps == 800.0
    assert bisection(networks.torus(2, 6)).gbps == 600.0


def test_a_certificate_that_was_touched_is_refused() -> None:
    net = networks.fat_tree(4, 2)
    found = bisection(net)
    more = found.flow.copy()
    row = int(np.flatnonzero(found.flow)[-1])
    more[row] += 1
    assert cut_faults(net, replace(found, flow=more))
    assert cut_faults(net, replace(found, gbps=found.gbps + 1))
    assert cut_faults(net, replace(found, source_side=np.zeros(net.boxes, bool)))
    assert cut_faults(net, replace(found, flow=2 * found.flow))
    assert cut_faults(net, replace(found, flow=0 * found.flow, gbps=0.0))
    less = replace(net, links=np.where(np.arange(len(net.links)) == row, 1, net.links), bundle=0 * net.bundle)
    assert cut_faults(less, found)


def test_each_missing_cable_between_switches_shows() -> None:
    net = networks.fat_tree(4, 2)
    whole = bisection(net)
    assert whole.gbps == 8 * 200.0
    for row in range(net.endpoints, len(net.lower)):
        kept = np.arange(len(net.lower)) != row
        less = replace(
            net, lower=net.lower[kept], upper=net.upper[kept], links=net.links[kept], bundle=net.bundle[kept]
        )
        found = bisection(less)
        assert found.gbps == 7 * 200.0 and not cut_faults(less, found)


def test_whole_units_and_their_range() -> None:
    rows = [(0, 2, 1, "a"), (1, 2, 1, "b")]
    net = networks.network({"endpoint": 2, "leaf": 1}, {"a": 400.0, "b": 112.5}, rows)
    assert units_of(net)[1] == Fraction(25, 2)
    assert cut(net, np.array([0]), np.array([1])).gbps == 112.5
    # Beyond 32 bits a max flow of scipy would be 0: refused. Equal rates of any size are one unit each.
    big = networks.network({"endpoint": 2, "leaf": 1}, {"a": 3e9, "b": 3e9}, rows)
    assert cut(big, np.array([0]), np.array([1])).gbps == 3e9
    odd = networks.network({"endpoint": 2, "leaf": 1}, {"a": 3e9, "b": 3e9 + 1}, rows)
    with pytest.raises(ValueError, match="whole numbers"):
        cut(odd, np.array([0]), np.array([1]))


def test_groups_that_do_not_fit() -> None:
    net = networks.fat_tree(4)
    for sources, sinks in (([], [1]), ([0], [0]), ([0], [16]), ([-1], [3])):
        with pytest.raises(ValueError, match="source"):
            cut(net, np.array(sources, np.int64), np.array(sinks, np.int64))


def test_halves_are_blocks() -> None:
    net = networks.fat_tree(4)
    near, far = halves(net)
    assert near.tolist() == list(range(8)) and far.tolist() == list(range(8, 16))
    near, far = halves(networks.random_graph(1))
    assert len(near) == len(far) == 6
