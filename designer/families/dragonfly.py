"""Dragonfly: groups of fully joined routers, and global links that join all groups."""

from __future__ import annotations

from math import inf
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from designer.families.family import BundleCount, Family, Misfit, Rate, StageCount, Structure
from designer.families.global_links import MOST_PORTS, GlobalLinks, next_group
from designer.families.lattice import Gbps
from designer.families.rates import TREE_WALK, VALIANT, between
from designer.network.graph import Bundle, Ints, Kind, Network

Count = Annotated[int, Field(ge=1, le=100_000)]
Groups = Annotated[int, Field(ge=1, le=MOST_PORTS + 1)]


class Dragonfly(Family):
    """Dragonfly of Kim, Dally, Scott and Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology", ISCA 2008.

    Parameters
    ----------
    p, a, h
        Endpoints per router, routers per group, global links per router.
    groups
        Groups, at most ``a * h + 1``; fewer have several links per pair: the rule is in `GlobalLinks`.
    port_gbps
        Gb/s of every port, one direction.
    local_links
        Links between every two routers of a group.
    routers_per_box
        Routers that share one physical switch; links between them are then inside it and counted nowhere.
    radix
        Ports of the physical switch; unchecked if left out.
    planes
        Copies, one port of every endpoint on each.

    Examples
    --------
    >>> fly = Dragonfly(p=16, a=32, h=16, groups=511, port_gbps=400.0, radix=64)
    >>> s = fly.structure()
    >>> s.endpoints, s.switches(), s.bundle("router-router.local").links + s.bundle("router-router.global").links
    (261632, 16352, 384272)
    """

    family: Literal["dragonfly"] = "dragonfly"
    p: Count
    a: Count
    h: Annotated[int, Field(ge=0, le=100_000)]
    groups: Groups
    port_gbps: Gbps
    local_links: Count = 1
    routers_per_box: Count = 1
    radix: Count | None = None
    planes: Count = 1

    def misfits(self) -> list[Misfit]:
        """Too many groups, global links without a second group, shared boxes that do not divide a group, the radix."""
        out = []
        if self.groups > self.a * self.h + 1:
            most = self.a * self.h + 1
            out.append(Misfit("groups", str(self.groups), f"allowed: at most a * h + 1 = {most}, one link per pair"))
        if self.a * self.h > MOST_PORTS:
            allowed = f"allowed: at most {MOST_PORTS} global links of a group, a * h, here {self.a * self.h}"
            out.append(Misfit("h", str(self.h), allowed))
        if self.groups == 1 and self.h > 0:
            out.append(Misfit("h", str(self.h), "allowed: 0 with one group, global links have nowhere to go"))
        if self.a % self.routers_per_box:
            out.append(Misfit("routers_per_box", str(self.routers_per_box), f"allowed: divisors of a = {self.a}"))
        if self.p * self.a * self.groups < 2:
            out.append(Misfit("p", str(self.p), "allowed: at least two endpoints in all"))
        ports = self._ports()
        if self.radix is not None and ports > self.radix:
            out.append(Misfit("radix", str(self.radix), f"allowed: at least {ports}, the ports in use on a switch"))
        return out

    def _ports(self) -> int:
        shared = self.routers_per_box
        return shared * (self.p + self.h + (self.a - shared) * self.local_links)

    def _sizes(self) -> tuple[int, int, int, int]:
        """Endpoints and global links per box, boxes per group, links between two boxes of a group."""
        shared = self.routers_per_box
        return shared * self.p, shared * self.h, self.a // shared, shared * shared * self.local_links

    def structure(self) -> Structure:
        """Count one plane; with ``routers_per_box`` its routers are the physical switches."""
        p, _, a, local = self._sizes()
        endpoints, boxes = p * a * self.groups, a * self.groups
        links = self.groups * a * (a - 1) // 2 * local
        between_groups = GlobalLinks(self.groups, self.a * self.h).links
        rate = self.port_gbps
        bundles = [BundleCount("endpoint-router", "endpoint", "router", endpoints, rate)]
        if links:
            bundles.append(BundleCount("router-router.local", "router", "router", links, rate))
        if between_groups:
            bundles.append(BundleCount("router-router.global", "router", "router", between_groups, rate))
        return Structure(
            endpoints=endpoints,
            endpoints_per_copy=endpoints,
            copies=self.planes,
            stages=(StageCount("router", boxes, self._ports(), p),),
            bundles=tuple(bundles),
            capacity={
                "all_to_all": self._all_to_all(),
                "permutation": self._permutation(),
                "all_reduce": between(1.0, 1.0, self.port_gbps * self.planes, TREE_WALK),
            },
        )

    def _minimal(self) -> float:
        """Rate per pair of endpoints, in ports, that even routing over local-global-local paths carries.

        A global link carries the ``(a p)^2`` pairs of two groups, shared by their links. A local link R1-R2 carries its
        own ``p^2`` pairs, what R1 sends out over R2's global links, and what comes in over R1's for R2:
        ``a p^2`` pairs for each group and link share (Kim et al. 2008, section 3, counted out for uneven spreading).
        """
        p, h, a, local = self._sizes()
        groups = GlobalLinks(self.groups, self.a * self.h)
        rates = [inf]
        shares = [0.0, 0.0]
        if self.groups > 1:
            rates.append(groups.every / (a * p) ** 2)
            shares = sorted(groups.shares(h))
        if a > 1:
            rates.append(local / (p * p * (1 + a * (shares[-1] + shares[-2]))))
        return min(rates)

    def _all_to_all(self) -> Rate:
        p, h, a, local = self._sizes()
        g = self.groups
        endpoints = p * a * g
        joined = GlobalLinks(g, self.a * self.h)
        most = [joined.most_per_pair() / (a * p) ** 2]
        if a * g > 1:
            # A router's own ports; then lengths 1 on local and 2 on global links: two global hops are never
            # shorter than local-global-local, so the distances are those of minimal routing.
            most.append(((a - 1) * local + h) / (p * (endpoints - p)))
            per_pair = 0
            if g > 1:
                links = joined.every + (joined.links > joined.every * g * (g - 1) // 2)
                both = (a - min(links, a)) ** 2
                per_pair = 2 * both + max(0, a * a - both - links) + 2 * a * a
            room = g * a * (a - 1) * local + 2 * 2 * joined.links
            most.append(room / (p * p * (g * a * (a - 1) + g * (g - 1) * per_pair)))
        pairs = endpoints - 1
        source = (
            "Kim et al., ISCA 2008: minimal routing; from above the dual with lengths on global links, and with "
            "lengths 1 and 2 on local and global links"
        )
        return between(pairs * self._minimal(), pairs * min(most), self.port_gbps * self.planes, source)

    def _permutation(self) -> Rate:
        """Interval: Valiant's routing below; above the permutation that sends every group (router) to the next.

        ``T <= (a h + m) / (2 a p)``: of what a group sends to the next one, ``m`` links' worth goes straight, the rest
        takes at least two global hops, of ``a h`` links per group.
        """
        p, h, a, local = self._sizes()
        most = [inf]
        if self.groups > 1:
            joined = GlobalLinks(self.groups, self.a * self.h)
            most.append((self.a * self.h + joined.every) / (2 * a * p))
        elif a > 1:
            most.append(a * local / (2 * p))
        if a * self.groups > 1:
            most.append(((a - 1) * local + h) / p)
        least = p * a * self.groups * self._minimal() / 2
        source = f"{VALIANT}; from above every group sends to the next: two global hops but for the direct links"
        return between(least, min(most), self.port_gbps * self.planes, source)

    def network(self) -> Network:
        """Build one plane; the endpoints and routers of a group are one block."""
        p, h, a, local = self._sizes()
        g = self.groups
        endpoints, boxes = p * a * g, a * g
        ends = np.arange(endpoints)
        low, high = np.triu_indices(a, 1)
        first = (np.arange(g) * a)[:, None]
        parts = [
            (ends, endpoints + ends // p, np.ones(endpoints, np.int64)),
            *(
                [((endpoints + first + low).ravel(), (endpoints + first + high).ravel(), np.full(g * low.size, local))]
                * (a > 1)
            ),
        ]
        if g > 1:
            group, port, other, far = GlobalLinks(g, self.a * self.h).ends()
            # Parallel links of two routers become one row.
            pair, links = np.unique((group * a + port // h) * boxes + other * a + far // h, return_counts=True)
            parts.append((endpoints + pair // boxes, endpoints + pair % boxes, links))
        names = ["endpoint-router", *["router-router.local"] * (a > 1), *["router-router.global"] * (g > 1)]
        return Network(
            kinds=(Kind("endpoint", endpoints), Kind("router", boxes)),
            bundles=tuple(Bundle(name, self.port_gbps) for name in names),
            lower=np.concatenate([part[0] for part in parts]),
            upper=np.concatenate([part[1] for part in parts]),
            links=np.concatenate([part[2] for part in parts]),
            bundle=np.repeat(np.arange(len(parts)), [part[0].size for part in parts]),
            block=np.concatenate([ends // (p * a), np.arange(boxes) // a]),
        )

    def symmetries(self) -> list[Ints]:
        """Every group to the next; with one group every box to the next. None where one global port stays free."""
        p, _, a, _ = self._sizes()
        if self.groups == 1:
            return [next_group(a, p, 1)] if a > 1 else []
        return [] if GlobalLinks(self.groups, self.a * self.h).odd else [next_group(self.groups, p * a, a)]
