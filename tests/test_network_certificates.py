"""Every family at three sizes: a routing and a bound agree to 1e-8, or the truth is said to lie between them.

Nothing of the search is believed: loads are added up against the links, the bound is computed again from its lengths
without any symmetry, flow and cut are recounted row by row.
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from solved_instances import solved, with_design

from designer.degrade.certificate import certificate_of
from designer.degrade.field import Field
from designer.degrade.universe import classes_of
from designer.families import AnyFamily, family_from
from designer.network.throughput import all_to_all, bound_holds

GBPS: dict[str, Any] = {"port_gbps": 100.0}
SIZES: dict[str, tuple[dict[str, Any], ...]] = {
    "single_stage": tuple({"endpoints": n, "ports": 18, "planes": 4, "radix": 1024, **GBPS} for n in (8, 32, 72)),
    "paired": tuple(
        {"endpoints": n, "ports": 18, "planes": 9, "radix": 288, "cross_links": n, **GBPS} for n in (8, 36, 72)
    ),
    "scale_up_clos": tuple(
        {
            "groups": g, "endpoints_per_group": 8, "ports": 14, "planes": 7, "uplinks": 16, "uppers": 16, "radix": 48,
            "upper_radix": 48, **GBPS,
        } for g in (4, 12, 48)
    ),
    "fat_tree": tuple(
        {"endpoints": n, "stages": 3, "radix": r, "taper": 2.0, **GBPS} for n, r in ((96, 8), (700, 16), (3000, 24))
    ),
    "zoned_fat_tree": tuple(
        {
            "zone": {"endpoints": n, "stages": 2, "radix": 16, "service_ports": 4, **GBPS}, "zones": 2, "joints": 2,
            "joint_radix": 8,
        } for n in (36, 60, 92)
    ),
    "dragonfly": tuple(
        {"p": 3 * h, "a": 2 * h, "h": h, "groups": g, **GBPS} for h, g in ((1, 3), (2, 7), (3, 19))
    ),
    "dragonfly_plus": tuple(
        {"p": 2 * h, "leaves": h, "spines": h, "h": h, "groups": g, **GBPS} for h, g in ((2, 5), (3, 7), (4, 17))
    ),
    "slim_fly": tuple({"q": q, "p": q, **GBPS} for q in (4, 5, 9)),
    "full_mesh": tuple({"size": n, "links_per_pair": 2, **GBPS} for n in (3, 8, 32)),
    "hyperx": tuple({"sides": s, "port_gbps": [100.0]} for s in ([3, 2], [4, 4], [5, 4, 3])),
    "torus": tuple({"sides": s, "port_gbps": [100.0]} for s in ([4, 3], [4, 4, 4], [8, 6, 5])),
    "hamming_mesh": tuple(
        {"board": [2, 2], "grid": [n, n], "radix": 16, **GBPS} for n in (2, 4, 9)
    ),
}  # fmt: skip

COUNTED_ONLY = {
    "k_hop_ring": {
        "endpoints": 32, "per_node": 4, "ports": 8, "port_gbps": 800.0, "hops": 2, "bundle": 8, "cable_ports": 2
    },
}  # fmt: skip

CASES = [
    pytest.param(name, at, id=f"{name} {at}", marks=() if at == 0 else pytest.mark.slow)
    for name, sizes in SIZES.items()
    for at in range(len(sizes))
]


def test_no_family_is_forgotten() -> None:
    """Every family of the union stands here at three sizes, or refuses to be built and has no claim to prove."""
    union, _ = get_args(AnyFamily)
    names = {name for family in get_args(union) for name in get_args(family.model_fields["family"].annotation)}
    assert names == SIZES.keys() | COUNTED_ONLY.keys()
    assert {len({repr(size) for size in sizes}) for sizes in SIZES.values()} == {3}
    for name, parameters in COUNTED_ONLY.items():
        family = family_from({"family": name, **parameters})
        assert not family.misfits()
        with pytest.raises(ValueError, match="counted only"):
            family.network()


@pytest.mark.parametrize(("name", "at"), CASES)
def test_what_a_family_carries_is_proven_from_both_sides(name: str, at: int) -> None:
    family = family_from({"family": name, **SIZES[name][at]})
    assert not family.misfits()
    net = family.network().as_carried()
    found = all_to_all(net)
    proof = certificate_of(net, even=found)
    assert proof.proven
    assert proof.exact == (found.most - found.least <= 1e-8 * found.most)
    assert bound_holds(net, found)
    assert found.load_gbps is not None
    assert (found.load_gbps <= net.rates()[:, None] * (1 + 1e-9)).all()
    # What a box that is no endpoint takes in leaves it again.
    net_out = np.zeros(net.boxes)
    for tail, head, load in (
        (net.lower, net.upper, found.load_gbps[:, 0]),
        (net.upper, net.lower, found.load_gbps[:, 1]),
    ):
        np.add.at(net_out, tail, load)
        np.add.at(net_out, head, -load)
    assert np.abs(net_out).max() <= 1e-6 * max(found.least, 1.0)
    stated = family.structure().capacity["all_to_all"]
    copies = family.structure().copies
    assert found.least * copies <= stated.most * (1 + 1e-8)
    assert found.most * copies >= stated.least * (1 - 1e-8)


@pytest.mark.parametrize("name", with_design(("two-leaf-pod",)))
def test_what_a_shipped_instance_carries_is_proven_from_both_sides(name: str) -> None:
    """Every domain with switches and every fabric of its optimum, and all single failures are among the classes."""
    design = solved(name, flow_check=False).result.design
    assert design is not None
    places = list(classes_of(Field(design)))
    for place in places:
        assert place.tried == place.single
        if place.certificate is not None:
            assert place.certificate.exact, place.name
            assert place.certificate.proven, place.name
    domains = [pool for pool in design.pools if pool.scale_up.switch is not None]
    assert sum(place.certificate is not None for place in places) == len(domains) + len(design.fabrics)


def test_an_interval_is_told_as_one() -> None:
    """An irregular network, bounded without its program: least and most differ and nothing is called exact."""
    net = family_from({"family": "dragonfly", "p": 2, "a": 4, "h": 2, "groups": 7, **GBPS}).network()
    rough = all_to_all(net, exactly=False, rounds=0, guess=False)
    assert rough.most > rough.least * 1.001
    assert not certificate_of(net, even=rough).exact
    sharp = certificate_of(net)
    assert sharp.exact
    assert rough.least <= sharp.least_gbps <= sharp.most_gbps <= rough.most * (1 + 1e-9)
