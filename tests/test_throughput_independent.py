"""Max flow, cut and single failures against netgraph-core, a package that shares no code with ours."""

from __future__ import annotations

from fractions import Fraction

import netgraph_core as ngc
import networks
import numpy as np
import pytest

from designer.families import family_from
from designer.network import Network
from designer.network.faults import single_failures
from designer.network.max_flow import cut, halves, units_of

FAMILIES = {
    "fat tree": {"family": "fat_tree", "endpoints": 128, "stages": 3, "radix": 8, "port_gbps": 400.0},
    "tapered": {"family": "fat_tree", "endpoints": 96, "stages": 2, "radix": 16, "port_gbps": 100.0, "taper": 3.0},
    "dragonfly": {"family": "dragonfly", "p": 2, "a": 4, "h": 2, "groups": 9, "port_gbps": 100.0},
    "slim fly": {"family": "slim_fly", "q": 5, "p": 2, "port_gbps": 100.0},
    "torus": {"family": "torus", "sides": [4, 4, 4], "port_gbps": [100.0]},
    "hyperx": {"family": "hyperx", "sides": [4, 4], "port_gbps": [100.0], "concentration": 4, "endpoint_gbps": 50.0},
}


def arcs_of(net: Network, *, relays: bool) -> tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray, Fraction]:
    """Nodes, and from, to, units and row of each arc. What only sends and takes is two nodes: nothing passes."""
    whole, unit = units_of(net)
    room = whole[net.bundle] * net.links
    rows = np.arange(len(net.lower))
    enter = np.arange(net.boxes)
    if not relays:
        enter[: net.endpoints] += net.boxes
    tail = np.concatenate([net.lower, net.upper])
    head = np.concatenate([enter[net.upper], enter[net.lower]])
    return net.boxes + net.endpoints, tail, head, np.tile(room, 2), np.tile(rows, 2), unit


def asked(net: Network, *, relays: bool) -> tuple[ngc.Graph, list[int], list[int], ngc.EvaluationOptions, Fraction]:
    count, tail, head, room, _, unit = arcs_of(net, relays=relays)
    graph = ngc.Graph(count, tail, head, room, np.ones(len(tail), np.int64), 1)
    near, far = halves(net)
    optimal = ngc.CentralizedTE(source_allocation=ngc.SourceAllocation.OPTIMIZED)
    options = ngc.EvaluationOptions(config=ngc.FlowPolicyConfig(routing=optimal))
    into = far if relays else far + net.boxes
    return graph, near.tolist(), into.tolist(), options, unit


def delivered(net: Network, *, relays: bool) -> Fraction:
    graph, sources, sinks, options, unit = asked(net, relays=relays)
    return ngc.evaluate_demand(graph, sources, sinks, options).delivered * unit


@pytest.mark.parametrize("name", FAMILIES)
def test_bisection_of_the_families_is_the_same(name: str) -> None:
    family = family_from(FAMILIES[name])
    assert not family.misfits()
    net = family.network().as_carried()
    relays = name == "torus"
    near, far = halves(net)
    assert cut(net, near, far, relays=relays).gbps == float(delivered(net, relays=relays)) > 0


@pytest.mark.parametrize("seed", range(12))
def test_max_flow_of_random_networks_is_the_same(seed: int) -> None:
    net = networks.random_graph(seed, routers=5 + seed % 4, links=8 + seed % 5, ends=8)
    near, far = halves(net)
    assert cut(net, near, far, relays=False).gbps == float(delivered(net, relays=False))


@pytest.mark.parametrize("name", ["fat tree", "slim fly"])
def test_every_single_cable_takes_the_same(name: str) -> None:
    net = family_from(FAMILIES[name]).network().as_carried()
    graph, sources, sinks, options, _ = asked(net, relays=False)
    whole = ngc.evaluate_demand(graph, sources, sinks, options).delivered
    *_, row, _ = arcs_of(net, relays=False)
    assert (net.links == 1).all()
    # A cable is an arc each way; between two halves only one of the two can matter to the maximum.
    lost = np.zeros(len(net.lower), np.int64)
    position = graph.input_positions()
    for entry in ngc.evaluate_edge_failures(graph, sources, sinks, options).entries:
        at = row[position[entry.edge]]
        lost[at] = max(lost[at], entry.delivery_reduction)
    theirs = sorted(round(1 - value / whole, 9) for value in lost.tolist())
    ours = []
    for failure in single_failures(net, most_classes=10_000).failures:
        if failure.part == "link":
            ours += [round(failure.bisection_share, 9)] * failure.members
    assert sorted(ours) == theirs
