"""Permutations: what is promised for every one holds for each, and the bound from above is met by one."""

from __future__ import annotations

import itertools

import networks
import numpy as np
import pytest

from designer.network.core import core_of
from designer.network.permutation import permutation_bounds, permutations, worst_of_ecmp


@pytest.mark.parametrize("over", [1, 2, 3])
def test_folded_clos_carries_one_over_its_oversubscription(over: int) -> None:
    for net in (networks.fat_tree(4, over), networks.fat_tree(4, over, stages=2)):
        found = permutations(net, samples=3)
        assert found.least == pytest.approx(400.0 / over, rel=1e-9)
        assert found.most == pytest.approx(400.0 / over, rel=1e-9)


@pytest.mark.parametrize("name", ["ring", "hyperx", "irregular"])
def test_bounds_contain_every_permutation_of_a_small_network(name: str) -> None:
    net, relays = {
        "ring": lambda: (networks.torus(5), True),
        "hyperx": lambda: (networks.hyperx(2, 2, hosts=1), False),
        "irregular": lambda: (networks.random_graph(2, routers=4, links=4, ends=5), False),
    }[name]()
    found = permutations(net, samples=4)
    count = net.endpoints
    worst = np.inf
    for partner in itertools.permutations(range(count)):
        pairs = np.zeros((count, count))
        pairs[np.arange(count), partner] = 1.0
        np.fill_diagonal(pairs, 0.0)
        if pairs.any():
            worst = min(worst, networks.all_to_all_by_lp(net, relays=relays, pairs=pairs))
    assert found.least <= worst * (1 + 1e-6)
    assert found.most >= worst * (1 - 1e-6)
    assert found.ecmp is not None and found.ecmp <= worst * (1 + 1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_one_permutation_by_the_full_program(seed: int) -> None:
    net = networks.random_graph(seed)
    core = core_of(net)
    node = np.repeat(core.sites, core.weight[core.sites])
    order = np.argsort(core.node[: net.endpoints], kind="stable")
    partner = np.random.default_rng(seed).permutation(net.endpoints)
    pairs = np.zeros((net.endpoints, net.endpoints))
    pairs[order, order[partner]] = 1.0
    np.fill_diagonal(pairs, 0.0)
    truth = networks.all_to_all_by_lp(net, pairs=pairs)
    least, most = permutation_bounds(core, node, partner)
    assert min(least, 900.0) == pytest.approx(truth, rel=1e-6)
    assert min(most, 900.0) == pytest.approx(truth, rel=1e-6)
    least, most = permutation_bounds(core, node, partner, exactly=False)
    assert min(least, 900.0) <= truth * (1 + 1e-6) and min(most, 900.0) >= truth * (1 - 1e-6)


def test_even_splitting_has_a_worse_case_than_free_routing() -> None:
    # A ring of 7: the shift by three loads one direction only.
    found = permutations(networks.torus(7))
    assert found.ecmp == pytest.approx(100 / 3)
    assert found.most == pytest.approx(found.least) == pytest.approx(175 / 3)


def test_too_large_is_not_guessed() -> None:
    core = core_of(networks.fat_tree(16, 2))
    assert worst_of_ecmp(core) is None


def test_somebody_cut_off() -> None:
    rows = [(0, 3, 1, "a"), (1, 3, 1, "a")]
    found = permutations(networks.network({"endpoint": 3, "leaf": 1}, {"a": 100.0}, rows))
    assert found.most == 0 and "no link" in found.most_why
