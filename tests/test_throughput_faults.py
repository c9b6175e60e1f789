"""What is left when boxes or links break: classes against all single failures one by one, samples, and by hand."""

from __future__ import annotations

from dataclasses import replace

import networks
import numpy as np
import pytest

from designer.network import Bundle, Kind, Network
from designer.network.faults import random_failures, reachable, single_failures, without
from designer.network.max_flow import bisection, cut, halves
from designer.network.throughput import all_to_all


@pytest.mark.parametrize("name", ["fat tree", "torus", "hyperx", "irregular"])
def test_classes_are_all_single_failures(name: str) -> None:
    net = {
        "fat tree": lambda: networks.fat_tree(4, 2, stages=2),
        "torus": lambda: networks.torus(3, 3),
        "hyperx": lambda: networks.hyperx(2, 3),
        "irregular": lambda: networks.random_graph(3, routers=6, links=7, ends=8),
    }[name]()
    relays = name == "torus"
    found = single_failures(net, most_classes=1000)
    assert found.complete
    near, far = halves(net)
    whole = cut(net, near, far, relays=relays).gbps
    forwarding = range(net.boxes) if relays else range(net.endpoints, net.boxes)
    breaks = [without(net, boxes=[box]) for box in forwarding]
    links = [without(net, rows=[row]) for row in np.repeat(np.arange(len(net.lower)), net.links).tolist()]
    assert found.single == len(breaks) + len(links)
    for part, broken in (("box", breaks), ("link", links)):
        alone = []
        for less in broken:
            alive = reachable(less, relays)
            carried = all_to_all(less, relays=relays, taking_part=alive, guess=False)
            share = cut(less, near, far, relays=relays).gbps / whole
            alone.append((round(carried.most, 4), round(share, 6)))
        classes = []
        for failure in found.failures:
            if failure.part == part:
                classes += [(round(failure.most_gbps, 4), round(failure.bisection_share, 6))] * failure.members
        assert sorted(classes) == sorted(alone)


def test_shares_of_a_tapered_fat_tree_by_hand() -> None:
    found = {(of.part, of.name): of for of in single_failures(networks.fat_tree(8, 2)).failures}
    # A spine takes a quarter of the uplinks of the leaves of its pod, and of its pod's uplinks.
    assert found["box", "spine"].least_share == pytest.approx(0.75, rel=1e-6)
    assert found["box", "spine"].bisection_share == 15 / 16
    # A leaf takes its four endpoints along, nothing from the others.
    assert found["box", "leaf"].cut_off == 4
    assert found["box", "leaf"].least_share == pytest.approx(31 / 31 * (123 / 127) / (120 / 124), rel=1e-6)
    assert found["link", "leaf-spine"].members in {64, 128}
    assert found["link", "endpoint-leaf"].cut_off == 1


def test_given_generators_that_exchange_the_halves_do_no_harm() -> None:
    net = networks.fat_tree(4)
    pods = np.arange(net.boxes)
    for first, count in ((0, 4), (16, 2), (24, 2)):
        pods[first : first + 4 * count] = first + (np.arange(4 * count) + count) % (4 * count)
    with_it = single_failures(net, generators=[pods])
    without_it = single_failures(net)
    shares = [
        [(of.part, of.name, of.members, of.bisection_share) for of in one.failures] for one in (with_it, without_it)
    ]
    assert sorted(shares[0]) == sorted(shares[1])


def test_what_is_left_out_is_said() -> None:
    found = single_failures(networks.random_graph(5), most_classes=3)
    assert len(found.failures) == 3 and not found.complete and found.tried < found.single


def test_without_takes_links_one_by_one() -> None:
    net = networks.network({"endpoint": 2, "leaf": 1}, {"a": 100.0}, [(0, 2, 2, "a"), (1, 2, 3, "a")])
    assert without(net, rows=[0]).links.tolist() == [1, 3]
    assert without(net, rows=[0, 0, 1]).links.tolist() == [2]
    assert len(without(net, boxes=[2]).links) == 0
    for wrong in ({"rows": [0, 0, 0]}, {"rows": [2]}, {"boxes": [3]}, {"boxes": [-1]}):
        with pytest.raises(ValueError, match=r"row|box"):
            without(net, **wrong)


def test_circuits_break_with_their_switch() -> None:
    one = np.array
    net = Network(
        (Kind("endpoint", 4), Kind("ocs", 1)),
        (Bundle("endpoint-ocs", 400.0),),
        one([0, 1, 2, 3]),
        one([4, 4, 4, 4]),
        one([1, 1, 1, 1]),
        one([0, 0, 0, 0]),
        one([0, 0, 0, 0, -1]),
        circuits=one([[0, 1, 1], [2, 3, 1]]),
    )
    with pytest.raises(ValueError, match="as_carried"):
        all_to_all(net)
    assert without(net, rows=[1]).as_carried().lower.tolist() == [2]
    assert len(without(net, boxes=[4]).as_carried().lower) == 0


def test_random_failures_are_measured_and_repeat() -> None:
    net = networks.fat_tree(8)
    found = random_failures(net, 6, samples=30, seed=4, bundles=["leaf-spine", "spine-core"])
    assert found == random_failures(net, 6, samples=30, seed=4, bundles=["leaf-spine", "spine-core"])
    assert found.shares != random_failures(net, 6, samples=30, seed=5, bundles=["leaf-spine", "spine-core"]).shares
    assert found.low < found.mean < found.high < 1
    assert found.worst == min(found.shares) and len(found.worst_names) == 6
    # The worst sample, broken again by its names, loses the same.
    names = {f"{net.name(a)} - {net.name(b)}": row for row, (a, b) in enumerate(zip(net.lower, net.upper, strict=True))}
    broken = without(net, rows=[names[name] for name in found.worst_names])
    assert bisection(broken).gbps / bisection(net).gbps == pytest.approx(found.worst, rel=1e-12)
    # Six links between the halves' switches cost at most six links of 64.
    assert found.worst >= 1 - 6 / 64


def test_the_interval_covers_the_true_mean() -> None:
    # One link of a fat tree k = 4: every failure between switches costs 1/8 of the bisection, exactly.
    net = networks.fat_tree(4, 2)
    one = random_failures(net, 1, samples=20, bundles=["leaf-spine"])
    assert one.low == one.mean == one.high == 7 / 8
    # Links of endpoints included, the mean is known: 16 of 48 links cost 1/8 of the half's 8 access links at 400: none.
    mixed = random_failures(net, 1, samples=200, seed=1)
    true = 1 - (32 / 48) / 8
    assert mixed.low <= true <= mixed.high
    assert mixed.high - mixed.low < 0.03


def test_boxes_fail_at_random_too() -> None:
    net = networks.fat_tree(4)
    found = random_failures(net, 2, samples=10, part="box")
    assert found.worst < 1 and all(name.startswith(("leaf", "spine", "core")) for name in found.worst_names)
    with pytest.raises(ValueError, match="cannot break"):
        random_failures(net, 21, part="box")
    with pytest.raises(ValueError, match="at least two"):
        random_failures(net, 1, samples=1)
    with pytest.raises(ValueError, match="no bundle"):
        random_failures(net, 1, bundles=["leaf-core"])


def test_taking_part_leaves_the_others_out() -> None:
    net = networks.torus(4, 3)
    part = np.ones(12, bool)
    part[[1, 7]] = False
    pairs = np.outer(part, part) * (1 - np.eye(12)) / 9
    truth = networks.all_to_all_by_lp(net, relays=True, pairs=pairs)
    assert all_to_all(net, taking_part=part).least == pytest.approx(truth, rel=1e-6)
    assert replace(net) is not net
