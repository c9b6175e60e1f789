"""Two equal single stages joined switch by switch: each switch of one half to its twin of the other half."""

from __future__ import annotations

from math import ceil
from typing import Literal

import numpy as np

from designer.families.family import BundleCount, Family, Misfit, Rate, StageCount, Structure
from designer.families.single_stage import Count, Endpoints, Gbps, dealt
from designer.network.graph import Bundle, Kind, Network


class Paired(Family):
    """Two racks of switched scale-up joined across, such as NVL36x2.

    Parameters
    ----------
    endpoints
        Endpoints of both halves together.
    ports, port_gbps
        Ports of an endpoint over all switches of its half, and Gb/s of a port, one direction.
    planes
        Switches of a half; ports are dealt out to them as in `SingleStage`.
    cross_links, cross_gbps
        Links of every switch to its twin, and Gb/s of one, one direction (that of a port if left out). A faster link
        takes up as many ports of the switch as its rate is times that of a port.
    radix
        Ports of a switch at ``port_gbps``.

    Examples
    --------
    >>> s = Paired(endpoints=72, ports=18, port_gbps=400.0, planes=18, cross_links=36, radix=72).structure()
    >>> s.switches(), s.bundle("switch-switch").links, s.capacity["permutation"].least
    (36, 648, 7200.0)
    """

    family: Literal["paired"] = "paired"
    endpoints: Endpoints
    ports: Count
    port_gbps: Gbps
    planes: Count
    cross_links: Count
    cross_gbps: Gbps | None = None
    radix: Count

    @property
    def _cross_gbps(self) -> float:
        return self.port_gbps if self.cross_gbps is None else self.cross_gbps

    def misfits(self) -> list[Misfit]:
        """An odd number of endpoints, more switches than ports, or more ports on a switch than its radix."""
        out = []
        if self.endpoints % 2:
            out.append(Misfit("endpoints", str(self.endpoints), "an even number: both halves hold as many"))
        if self.planes > self.ports:
            out.append(Misfit("planes", str(self.planes), f"at most ports, {self.ports}"))
        width = max(1.0, self._cross_gbps / self.port_gbps)
        need = self.endpoints // 2 * int(dealt(self.ports, self.planes)[0]) + ceil(self.cross_links * width)
        if need > self.radix:
            out.append(Misfit("radix", str(self.radix), f"at least {need}: ports of half the endpoints and across"))
        return out

    def structure(self) -> Structure:
        """One copy, which holds both halves and all planes.

        With ``h`` endpoints in a half, shares ``s_i`` and ``c`` Gb/s across per switch, plane ``i`` carries at most
        ``min(h * s_i, c)`` across, and endpoints that split crossing traffic in this proportion reach the sum. All
        h * h ordered pairs cross in all-to-all, all h endpoints in the worst permutation, and one hop of every ring:
        rings that cross at different endpoints share the load evenly.
        """
        h, p, across = self.endpoints // 2, self.planes, self.cross_links * self._cross_gbps
        shares = dealt(self.ports, p) * self.port_gbps
        rate = self.ports * self.port_gbps
        cut = float(np.minimum(h * shares, across).sum())
        source = "exact: the ports of an endpoint, or the cut between the halves with the lesser of links and ports"
        found = {
            "all_to_all": min(rate, (self.endpoints - 1) * cut / (h * h)),
            "permutation": min(rate, cut / h),
            "all_reduce": min(rate, cut),
        }
        down = h * int(dealt(self.ports, p)[0])
        return Structure(
            endpoints=self.endpoints,
            endpoints_per_copy=self.endpoints,
            copies=1,
            stages=(StageCount("switch", 2 * p, down + self.cross_links, h if p == 1 else 0),),
            bundles=(
                BundleCount("endpoint-switch", "endpoint", "switch", self.endpoints * self.ports, self.port_gbps),
                BundleCount("switch-switch", "switch", "switch", p * self.cross_links, self._cross_gbps),
            ),
            capacity={key: Rate(value, value, source) for key, value in found.items()},
        )

    def network(self) -> Network:
        """Both halves: the endpoints and switches of the first come first; each half is a block."""
        n, p = self.endpoints, self.planes
        half = np.arange(n) // (n // 2)
        own = (n + half[:, None] * p + np.arange(p)).ravel()
        twins = n + np.arange(p)
        return Network(
            (Kind("endpoint", n), Kind("switch", 2 * p)),
            (Bundle("endpoint-switch", self.port_gbps), Bundle("switch-switch", self._cross_gbps)),
            lower=np.concatenate([np.repeat(np.arange(n), p), twins]),
            upper=np.concatenate([own, twins + p]),
            links=np.concatenate([np.tile(dealt(self.ports, p), n), np.full(p, self.cross_links)]),
            bundle=np.repeat([0, 1], [n * p, p]),
            block=np.concatenate([half, np.repeat([0, 1], p)]),
        )
