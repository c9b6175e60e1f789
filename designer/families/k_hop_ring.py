"""A ring of nodes whose transceivers choose between two fibres each: InfiniteHBD, counted but not built."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from designer.families.family import BundleCount, Family, Misfit, Rate, StageCount, Structure
from designer.network.graph import Network

_UNKNOWN = "no more than the ports of an accelerator; the cables inside a node are not published"

_Count = Annotated[int, Field(ge=1, le=10_000_000)]
_Few = Annotated[int, Field(ge=1, le=100_000)]


class KHopRing(Family):
    """Nodes in a ring, each joined to the ``hops`` next ones on either side (Shou et al., InfiniteHBD, SIGCOMM 2025).

    A node has ``hops`` bundles of transceivers; each transceiver has a port of an accelerator behind it and two fibres,
    one of them lit at a time, so that a ring can pass over ``hops - 1`` nodes that are out. All ports without a
    transceiver are joined by cables inside the node. Both follow from counting ends: 2 ``hops`` neighbours at
    ``bundle`` fibres each take two ends of every transceiver.

    Parameters
    ----------
    endpoints
        Accelerators, in whole nodes.
    per_node
        Accelerators of a node.
    ports, port_gbps
        Ports of an accelerator and their rate.
    hops
        Nodes that are reached on either side.
    bundle
        Transceivers of a bundle: fibres between two joined nodes.
    cable_ports
        Ports that one end of a cable inside a node takes up.

    Examples
    --------
    Eight ports of 800 Gb/s, cables of 1.6 Tb/s: four transceivers and one cable for each accelerator.

    >>> ring = KHopRing(endpoints=1024, per_node=4, ports=8, port_gbps=800.0, hops=2, bundle=8, cable_ports=2)
    >>> ring.structure().stage("transceiver").boxes, ring.structure().bundle("endpoint-endpoint.node").links
    (4096, 1024)
    """

    family: Literal["k_hop_ring"] = "k_hop_ring"
    endpoints: _Count
    per_node: _Few
    ports: _Few
    port_gbps: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
    hops: _Few
    bundle: _Few
    cable_ports: _Few = 1

    def misfits(self) -> list[Misfit]:
        """Nodes that are not whole, too few of them for the hops, ports that do not add up."""
        out = []
        if self.endpoints % self.per_node:
            out.append(Misfit("endpoints", str(self.endpoints), f"whole nodes of {self.per_node}"))
        if self.hops < 2:
            out.append(Misfit("hops", str(self.hops), "at least 2: the one bundle could not look both ways"))
        if self._nodes <= 2 * self.hops:
            least = (2 * self.hops + 1) * self.per_node
            allowed = f"at least {least}: the neighbours are different nodes"
            out.append(Misfit("endpoints", str(self.endpoints), allowed))
        ports, lit = self.per_node * self.ports, self.hops * self.bundle
        if lit > ports:
            out.append(Misfit("bundle", str(self.bundle), f"at most {ports // self.hops}: ports of a node, by hops"))
        elif (ports - lit) % (2 * self.cable_ports):
            read, ends = f"{ports - lit} ports of a node left for cables", 2 * self.cable_ports
            out.append(Misfit("cable_ports", read, f"a multiple of {ends}, both ends of a cable"))
        return out

    @property
    def _nodes(self) -> int:
        return self.endpoints // self.per_node

    def structure(self) -> Structure:
        """Counts; the capacities are bounded by the ports alone."""
        lit = self._nodes * self.hops * self.bundle
        cables = (self.endpoints * self.ports - lit) // (2 * self.cable_ports)
        bundles = [
            BundleCount("endpoint-transceiver", "endpoint", "transceiver", lit, self.port_gbps),
            BundleCount("transceiver-transceiver", "transceiver", "transceiver", lit, self.port_gbps),
        ]
        if cables:
            rate = self.cable_ports * self.port_gbps
            bundles.append(BundleCount("endpoint-endpoint.node", "endpoint", "endpoint", cables, rate))
        rate_of_all = Rate(0.0, self.ports * self.port_gbps, _UNKNOWN)
        return Structure(
            endpoints=self.endpoints,
            endpoints_per_copy=self.endpoints,
            copies=1,
            stages=(StageCount("transceiver", lit, 3, 0),),
            bundles=tuple(bundles),
            capacity=dict.fromkeys(("all_to_all", "permutation", "all_reduce"), rate_of_all),
        )

    def network(self) -> Network:
        """Refuse: what is published gives the counts, not which accelerators of a node a cable joins.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError("a k_hop_ring is counted only: which accelerators of a node its cables join is not published")
