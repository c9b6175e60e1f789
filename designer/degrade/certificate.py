"""Proofs of what an intact network carries, recounted from the arrays."""

from __future__ import annotations

from designer.degrade.result import Certificate
from designer.network.graph import Network
from designer.network.max_flow import bisection, cut_faults
from designer.network.throughput import Throughput, all_to_all

AGREE = 1e-8
"""Relative difference up to which a routing and a bound are one figure."""


def certificate_of(network: Network, *, even: Throughput | None = None, relays: bool | None = None) -> Certificate:
    """Bound all-to-all from both sides and solve the bisection with flow and cut.

    Parameters
    ----------
    network
        One copy or domain.
    even
        All-to-all, where it has been computed.
    relays
        Whether endpoints forward; found from the network when absent.
    """
    found = all_to_all(network, relays=relays) if even is None else even
    half = bisection(network, relays=relays)
    exact = found.most - found.least <= AGREE * found.most
    return Certificate(found.least, found.most, exact, half.gbps, not cut_faults(network, half))
