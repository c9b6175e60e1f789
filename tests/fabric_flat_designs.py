"""Small designs whose leaves are joined directly, for the tests of the fabric room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fabric_designs import FabricSpec, PoolSpec
from hypothesis import strategies as st

BETWEEN = ("leaf_leaf", "group_group")
"""Boundaries between leaves."""

LEAF: dict[str, Any] = {"size": 4, "hosts_of": 4}
"""Domains of four accelerators, one on a leaf: what leaves it is all that they send, 4 x 150 Gb/s."""

PARTS = (
    PoolSpec("p", "w", "prefill", size=4, domains=2, hosts_of=4, other_need=60.0),
    PoolSpec("d+1", "w", "decode", size=4, domains=3, hosts_of=4, share=(3, 4), other_need=40.0),
    PoolSpec("d+2", "w", "decode", size=2, domains=4, hosts_of=2, share=(1, 4), other_need=30.0, domains_per_leaf=2),
)


def flat(shape: Any, dims: tuple[int, ...], links: tuple[int, ...], domains: int, **other: Any) -> FabricSpec:
    """Leaves of one pool."""
    pool = PoolSpec(domains=domains, other_need=150.0, **LEAF)
    if domains % 2 == 0:
        pool = replace(pool, domains_per_replica=2, ep_need=100.0, other_need=50.0)
    return FabricSpec(stages=1, shape=shape, dims=dims, links=links, **{"pools": (pool,), **other})


FLAT = {
    "mesh": flat("mesh", (4,), (2,), 4),
    "mesh of two": flat("mesh", (2,), (4,), 2),
    "mesh, rails and planes": flat("mesh", (5,), (1,), 5, rails=2, planes=2, rate=400),
    "mesh, mixed parts": flat("mesh", (7,), (1,), 7, pools=PARTS),
    "hyperx": flat("hyperx", (3, 2), (2, 3), 6),
    "hyperx, two leaves idle": flat("hyperx", (4, 3), (1, 2), 10),
    "dragonfly, full between groups": flat("dragonfly", (2, 3), (4, 2), 6),
    "dragonfly, full inside groups": flat("dragonfly", (3, 4), (1, 4), 12),
    "dragonfly, leaves unlike": flat("dragonfly", (2, 4), (3, 2), 8),
    "dragonfly, three leaves idle": flat("dragonfly", (4, 3), (3, 6), 9, rails=2),
}


def cap_of(spec: FabricSpec) -> float:
    """The most that every leaf may send, as section 7.1 of the rules states it."""
    dims, links, rate = spec.dims, spec.links, spec.rate
    if spec.shape == "mesh":
        return links[0] * rate * dims[0] / 2
    if spec.shape == "hyperx":
        return min(count * rate * side / 2 for count, side in zip(links, dims, strict=True))
    a, groups = dims
    return min(links[1] * rate * groups / (2 * a), links[0] * rate * a * groups / (2 * (2 * groups - 1)))


@st.composite
def any_flat(draw: st.DrawFn) -> FabricSpec:
    """Any small fabric of leaves joined directly, of one pool or two."""
    shape = draw(st.sampled_from(["mesh", "hyperx", "dragonfly"]))
    if shape == "mesh":
        dims: tuple[int, ...] = (draw(st.integers(2, 6)),)
        links: tuple[int, ...] = (draw(st.integers(1, 3)),)
        idle, leaves = 0, dims[0]
    elif shape == "hyperx":
        short = draw(st.integers(2, 3))
        dims = draw(st.integers(short, 4)), short
        links = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        idle, leaves = draw(st.integers(0, short - 1)), dims[0] * short
    else:
        a, groups = draw(st.integers(2, 3)), draw(st.integers(2, 4))
        whole = a if (groups - 1) % a else 1
        dims, links = (a, groups), (draw(st.integers(1, 3)), whole * draw(st.integers(1, 2)))
        idle, leaves = draw(st.integers(0, a - 1)), a * groups
    rails, planes = draw(st.sampled_from([1, 1, 2])), draw(st.sampled_from([1, 1, 2]))
    used = leaves - idle
    first = draw(st.integers(1, used))
    pools = [
        PoolSpec(
            name=f"pool{number}",
            workload="w",
            phase=("prefill", "decode")[number],
            size=4,
            hosts_of=4,
            domains=domains,
            other_need=draw(st.floats(1.0, 100.0)),
            ep_need=0.0,
        )
        for number, domains in enumerate((first, used - first))
        if domains
    ]
    return FabricSpec(stages=1, rails=rails, planes=planes, shape=shape, dims=dims, links=links, pools=tuple(pools))
