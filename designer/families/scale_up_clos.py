"""Two stages of scale-up switches: groups of endpoints with switches of their own, joined by upper ones per plane."""

from __future__ import annotations

from math import ceil
from typing import Literal

import numpy as np

from designer.families.clos_capacity import Cut, exact_capacity
from designer.families.family import BundleCount, Family, Misfit, StageCount, Structure
from designer.families.single_stage import Count, Gbps
from designer.network.graph import NOWHERE, Bundle, Ints, Kind, Network


class ScaleUpClos(Family):
    """Groups (a node, a rack) whose first-stage switches reach upper switches of their plane: CloudMatrix384, NVL576.

    Parameters
    ----------
    groups, endpoints_per_group
        Groups, and endpoints of each.
    ports, port_gbps
        Ports of an endpoint over all planes, and Gb/s of a port, one direction.
    planes
        Planes (sub-planes) that share no switch.
    switches_per_group
        First-stage switches of a group in a plane; the ports of an endpoint on the plane are spread evenly over them.
    uplinks, uplink_gbps
        Links of a first-stage switch to upper switches, and Gb/s of one (that of a port if left out).
    uppers
        Upper switches of a plane: every first-stage switch has ``uplinks / uppers`` links to each.
    radix, upper_radix
        Ports of a first-stage switch at ``port_gbps`` (a faster link takes up as many as its rate is times that), and
        of an upper switch at ``uplink_gbps``.

    Examples
    --------
    >>> cloud_matrix = ScaleUpClos(
    ...     groups=48, endpoints_per_group=8, ports=14, port_gbps=224.0, planes=7, switches_per_group=1, uplinks=16,
    ...     uppers=16, radix=48, upper_radix=48,
    ... )
    >>> s = cloud_matrix.structure()
    >>> s.copies * s.stage("switch").boxes, s.copies * s.stage("upper").boxes, s.copies * s.bundle("switch-upper").links
    (336, 112, 5376)
    """

    family: Literal["scale_up_clos"] = "scale_up_clos"
    groups: Count
    endpoints_per_group: Count
    ports: Count
    port_gbps: Gbps
    planes: Count
    switches_per_group: Count = 1
    uplinks: Count
    uplink_gbps: Gbps | None = None
    uppers: Count
    radix: Count
    upper_radix: Count

    @property
    def _uplink_gbps(self) -> float:
        return self.port_gbps if self.uplink_gbps is None else self.uplink_gbps

    @property
    def _links(self) -> int:
        """Links of an endpoint to each first-stage switch of its group."""
        return self.ports // (self.planes * self.switches_per_group)

    def misfits(self) -> list[Misfit]:
        """Ports or uplinks that cannot be spread evenly, a single group, too many ports for a radix."""
        out = []
        if self.groups < 2:
            out.append(Misfit("groups", str(self.groups), "at least 2; a lone group is the family single_stage"))
        if self.ports % (self.planes * self.switches_per_group):
            allowed = f"a multiple of planes x switches_per_group, {self.planes * self.switches_per_group}"
            out.append(Misfit("ports", str(self.ports), allowed))
        if self.uplinks % self.uppers:
            out.append(Misfit("uplinks", str(self.uplinks), f"a multiple of uppers, {self.uppers}"))
        width = max(1.0, self._uplink_gbps / self.port_gbps)
        need = self.endpoints_per_group * self._links + ceil(self.uplinks * width)
        if need > self.radix:
            out.append(Misfit("radix", str(self.radix), f"at least {need}: ports down and up"))
        need = self.groups * self.switches_per_group * (self.uplinks // self.uppers)
        if need > self.upper_radix:
            out.append(Misfit("upper_radix", str(self.upper_radix), f"at least {need}: the links of all groups"))
        return out

    def structure(self) -> Structure:
        """Counts of one plane; planes are copies."""
        n, a = self.groups * self.endpoints_per_group, self.switches_per_group
        lower, up = self.groups * a, self._uplink_gbps
        cut = Cut.equal([self.endpoints_per_group], a * self.uplinks * up)
        ports = self.endpoints_per_group * self._links + self.uplinks
        return Structure(
            endpoints=n,
            endpoints_per_copy=n,
            copies=self.planes,
            stages=(
                StageCount("switch", lower, ports, self.endpoints_per_group if a == 1 else 0),
                StageCount("upper", self.uppers, lower * self.uplinks // self.uppers, n if self.uppers == 1 else 0),
            ),
            bundles=(
                BundleCount("endpoint-switch", "endpoint", "switch", n * a * self._links, self.port_gbps),
                BundleCount("switch-upper", "switch", "upper", lower * self.uplinks, up),
            ),
            capacity=exact_capacity(n, a * self._links * self.port_gbps, [cut], self.planes),
        )

    def network(self) -> Network:
        """One plane; a group is a block, upper switches stand in the network racks."""
        a, b = self.switches_per_group, self.uppers
        n, lower = self.groups * self.endpoints_per_group, self.groups * self.switches_per_group
        group = np.arange(n) // self.endpoints_per_group
        own = (n + group[:, None] * a + np.arange(a)).ravel()
        switches = n + np.arange(lower)
        ones = np.ones(1, np.int64)

        def joined(first: Ints, second: Ints) -> Ints:
            return np.concatenate([first, second])

        return Network(
            (Kind("endpoint", n), Kind("switch", lower), Kind("upper", b)),
            (Bundle("endpoint-switch", self.port_gbps), Bundle("switch-upper", self._uplink_gbps)),
            lower=joined(np.repeat(np.arange(n), a), np.repeat(switches, b)),
            upper=joined(own, np.tile(n + lower + np.arange(b), lower)),
            links=joined(np.repeat(ones * self._links, n * a), np.repeat(ones * (self.uplinks // b), lower * b)),
            bundle=joined(np.repeat(ones * 0, n * a), np.repeat(ones, lower * b)),
            block=np.concatenate([group, np.arange(lower) // a, np.full(b, NOWHERE)]),
        )
