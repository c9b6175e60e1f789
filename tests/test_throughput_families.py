"""Closed forms of the families against the traffic through their built networks, at sizes beyond a plain program."""

from __future__ import annotations

from typing import Any

import pytest

from designer.families import family_from
from designer.network.max_flow import bisection, cut_faults
from designer.network.throughput import all_to_all

CASES: dict[str, dict[str, Any]] = {
    "fat tree, three stages": {"family": "fat_tree", "endpoints": 1024, "stages": 3, "radix": 16, "port_gbps": 400.0},
    "fat tree, last leaf partly filled": {
        "family": "fat_tree", "endpoints": 1016, "stages": 2, "radix": 64, "port_gbps": 400.0
    },
    "fat tree, last pod partly filled": {
        "family": "fat_tree", "endpoints": 700, "stages": 3, "radix": 16, "port_gbps": 400.0
    },
    "fat tree, four stages": {"family": "fat_tree", "endpoints": 300, "stages": 4, "radix": 8, "port_gbps": 400.0},
    "torus": {"family": "torus", "sides": [8, 8, 8], "port_gbps": [100.0]},
    "torus, uneven": {"family": "torus", "sides": [6, 4, 9], "port_gbps": [100.0, 50.0, 25.0]},
    "torus of cubes": {"family": "torus", "sides": [8, 8, 8], "port_gbps": [100.0], "cube": [4, 4, 4]},
    "hyperx": {
        "family": "hyperx", "sides": [8, 6], "port_gbps": [100.0, 50.0], "concentration": 4, "endpoint_gbps": 200.0
    },
    "full mesh": {"family": "full_mesh", "size": 64, "port_gbps": 100.0},
    "hx2 mesh": {"family": "hamming_mesh", "board": [2, 2], "grid": [16, 16], "port_gbps": 100.0, "radix": 64},
    "hx4 mesh": {"family": "hamming_mesh", "board": [4, 4], "grid": [8, 8], "port_gbps": 100.0, "radix": 64},
    "hx1 mesh": {"family": "hamming_mesh", "board": [1, 1], "grid": [32, 32], "port_gbps": 100.0, "radix": 64},
    "hx2 mesh, lines of two stages": {
        "family": "hamming_mesh", "board": [2, 2], "grid": [16, 16], "port_gbps": 100.0, "radix": 16
    },
    "dragonfly": {"family": "dragonfly", "p": 4, "a": 8, "h": 4, "groups": 33, "port_gbps": 100.0},
    "dragonfly, few groups": {"family": "dragonfly", "p": 2, "a": 4, "h": 2, "groups": 7, "port_gbps": 100.0},
    "slim fly": {"family": "slim_fly", "q": 13, "port_gbps": 100.0},
    "dragonfly+": {
        "family": "dragonfly_plus", "p": 4, "leaves": 4, "spines": 4, "h": 4, "groups": 9, "port_gbps": 100.0
    },
    "hgx": {"family": "single_stage", "endpoints": 8, "ports": 18, "port_gbps": 200.0, "planes": 4, "radix": 64},
    "two nvl36": {
        "family": "paired", "endpoints": 36, "ports": 18, "port_gbps": 400.0, "planes": 9, "radix": 144,
        "cross_links": 36,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_closed_forms_hold_for_the_built_network(name: str) -> None:
    family = family_from(CASES[name])
    assert not family.misfits()
    structure, net = family.structure(), family.network().as_carried()
    stated = structure.capacity["all_to_all"]
    found = all_to_all(net)
    assert found.exact
    least, most = found.least * structure.copies, found.most * structure.copies
    assert stated.least <= most * (1 + 1e-9)
    assert stated.most >= least * (1 - 1e-9)
    if stated.exact:
        assert stated.most == pytest.approx(least, rel=1e-9)
    assert not cut_faults(net, bisection(net))
