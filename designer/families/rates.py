"""Capacities of networks of routers, from what a routing carries and what a bound allows."""

from __future__ import annotations

from designer.families.family import Rate

TREE_WALK = (
    "exact: a walk around a spanning tree of the routers passes every link once in each direction, so one ring "
    "through all endpoints fills their ports (depth-first walk, e.g. Cormen et al., Introduction to Algorithms, ch. 20)"
)
VALIANT = "Valiant, A Scheme for Fast Parallel Communication, SIAM J. Comput. 1982: any permutation as two even spreads"

_SAME = 1e-12


def between(least: float, most: float, port_gbps: float, source: str) -> Rate:
    """Rate of an interval in ports (per endpoint), never more than the port; ends equal but for rounding are one.

    Raises
    ------
    ValueError
        When more is routed than the bound allows: one of them is wrong.
    """
    low, high = min(1.0, least) * port_gbps, min(1.0, most) * port_gbps
    if low > high * (1 + _SAME):
        raise ValueError(f"{low} Gb/s routed, but at most {high} Gb/s allowed: {source}")
    return Rate(low, low if high - low <= _SAME * high else high, source)
