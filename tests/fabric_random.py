"""Any small design: what hypothesis draws for the tests of the fabric room."""

from __future__ import annotations

from typing import Any

from fabric_designs import FabricSpec, PoolSpec
from hypothesis import strategies as st


def _joins(size: int) -> list[dict[str, Any]]:
    """Ways in which a domain may be joined."""
    ways: list[dict[str, Any]] = [{"shares": shares} for shares in ((1,), (2, 1), (5, 4, 4, 5), (3, 3))]
    ways.append({"kind": "mesh", "shares": (), "ports": 2 * size - 1})
    dims = {2: (2,), 4: (2, 2), 6: (3, 2), 8: (4, 2)}[size]
    ways.append({"kind": "torus", "shares": (), "ports": 2 * len(dims), "dims": dims})
    if size > 2:
        half = size // 2
        ways.append({"kind": "clos", "shares": (2, 2), "group": half, "links_per_pair": 2, "upper_switches": half})
    return ways


@st.composite
def any_spec(draw: st.DrawFn, *, striped: bool = False) -> FabricSpec:
    """One to four stages, every second tree striped unevenly; all of them if ``striped``, and these small."""
    stages = draw(st.integers(2 if striped else 1, 4))
    uneven = stages > 1 and (striped or draw(st.booleans()))
    rails, planes = draw(st.sampled_from([1, 1, 2])), draw(st.sampled_from([1, 1, 2]))
    pools = []
    for number in range(draw(st.integers(1, 2))):
        sizes = [4] if striped else [4, 8]
        size = draw(st.sampled_from(sizes if rails > 1 else [2, *sizes, 6]))
        hosts_of = rails
        span = draw(st.integers(1, 3))
        split = draw(st.sampled_from([1, 1, 2])) if stages > 1 else 1
        pools.append(
            PoolSpec(
                name=f"pool{number}",
                workload="w",
                phase=("prefill", "decode")[number],
                size=size,
                hosts_of=hosts_of,
                domains=span * draw(st.integers(1, 3)),
                nics=draw(st.integers(1, 2)),
                domains_per_leaf=1 if split > 1 else draw(st.integers(1, 3)),
                leaves_per_domain=split,
                domains_per_replica=span,
                **draw(st.sampled_from(_joins(size))),
                scale_up_need=draw(st.floats(1.0, 2000.0)),
                ep_need=draw(st.floats(1.0, 300.0)) if span > 1 else 0.0,
                other_need=draw(st.floats(1.0, 100.0)),
            )
        )
    names = (("m", "spines"), ("m2", "cores_per_spine"), ("m3", "tops_per_core"))
    pairs: dict[str, int] = {}
    lean = 0
    for number, (links, boxes) in enumerate(names):
        least = 2 if uneven and number == stages - 2 else 1
        pairs |= {links: draw(st.integers(least, 3)), boxes: draw(st.integers(least, 4 if number == 0 else 3))}
        if least > 1:
            # No box without a link, and none that could be spared.
            lean = draw(st.integers(1, min(pairs[links], pairs[boxes]) - 1))
    return FabricSpec(
        stages=stages,
        **pairs,
        lean=lean,
        leaves_per_pod=draw(st.integers(1, 3)),
        pods_per_zone=draw(st.integers(1, 2)),
        rails=rails,
        planes=planes,
        pools=tuple(pools),
    )
