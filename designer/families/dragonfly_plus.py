"""Dragonfly+: groups of leaves and spines, and global links among the spines of all groups."""

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


class DragonflyPlus(Family):
    """Dragonfly+ of Shpiner et al., "Dragonfly+: Low Cost Topology for Scaling Datacenters", HiPINEB 2017.

    Parameters
    ----------
    p
        Endpoints per leaf.
    leaves, spines
        Leaves and spines per group, every leaf joined to every spine.
    h
        Global links per spine.
    groups
        Groups, at most ``spines * h + 1``; fewer have several links per pair: the rule is in `GlobalLinks`.
    port_gbps
        Gb/s of every port, one direction.
    uplinks
        Links between a leaf and each spine of its group.
    radix
        Ports of a switch; unchecked if left out.
    planes
        Copies, one port of every endpoint on each.

    Examples
    --------
    Switches of 36 ports as in the paper: groups of 18 leaves and 18 spines.

    >>> fly = DragonflyPlus(p=18, leaves=18, spines=18, h=18, groups=325, port_gbps=100.0, radix=36)
    >>> s = fly.structure()
    >>> s.endpoints, s.switches(), s.bundle("spine-spine.global").links
    (105300, 11700, 52650)
    """

    family: Literal["dragonfly_plus"] = "dragonfly_plus"
    p: Count
    leaves: Count
    spines: Count
    h: Annotated[int, Field(ge=0, le=100_000)]
    groups: Groups
    port_gbps: Gbps
    uplinks: Count = 1
    radix: Count | None = None
    planes: Count = 1

    def misfits(self) -> list[Misfit]:
        """Too many groups, global links without a second group, fewer than two endpoints, the radix."""
        out = []
        most = self.spines * self.h + 1
        if self.groups > most:
            out.append(
                Misfit("groups", str(self.groups), f"allowed: at most spines * h + 1 = {most}, one link per pair")
            )
        if most > MOST_PORTS + 1:
            allowed = f"allowed: at most {MOST_PORTS} global links of a group, spines * h, here {most - 1}"
            out.append(Misfit("h", str(self.h), allowed))
        if self.groups == 1 and self.h > 0:
            out.append(Misfit("h", str(self.h), "allowed: 0 with one group, global links have nowhere to go"))
        if self.p * self.leaves * self.groups < 2:
            out.append(Misfit("p", str(self.p), "allowed: at least two endpoints in all"))
        ports = max(self._ports())
        if self.radix is not None and ports > self.radix:
            out.append(Misfit("radix", str(self.radix), f"allowed: at least {ports}, the ports in use on a switch"))
        return out

    def _ports(self) -> tuple[int, int]:
        return self.p + self.spines * self.uplinks, self.leaves * self.uplinks + self.h

    def structure(self) -> Structure:
        """Count one plane. Without its only spine a group is cut off; else no spine's loss cuts anybody off."""
        g, rate = self.groups, self.port_gbps
        endpoints = self.p * self.leaves * g
        leaf_ports, spine_ports = self._ports()
        cut_off = self.p * self.leaves if self.spines == 1 and self.leaves * g > 1 else 0
        uplinks = g * self.leaves * self.spines * self.uplinks
        bundles = [
            BundleCount("endpoint-leaf", "endpoint", "leaf", endpoints, rate),
            BundleCount("leaf-spine", "leaf", "spine", uplinks, rate),
        ]
        if g > 1:
            links = GlobalLinks(g, self.spines * self.h).links
            bundles.append(BundleCount("spine-spine.global", "spine", "spine", links, rate))
        return Structure(
            endpoints=endpoints,
            endpoints_per_copy=endpoints,
            copies=self.planes,
            stages=(
                StageCount("leaf", g * self.leaves, leaf_ports, self.p),
                StageCount("spine", g * self.spines, spine_ports, cut_off),
            ),
            bundles=tuple(bundles),
            capacity={
                "all_to_all": self._all_to_all(),
                "permutation": self._permutation(),
                "all_reduce": between(1.0, 1.0, rate * self.planes, TREE_WALK),
            },
        )

    def _minimal(self) -> float:
        """Rate per pair of endpoints, in ports, that even routing over leaf-spine-spine-leaf paths carries.

        A leaf's link to a spine bears a share of what goes to other leaves of the group, and all that goes to other
        groups over that spine's global links.
        """
        rates, share = [inf], 0.0
        if self.groups > 1:
            joined = GlobalLinks(self.groups, self.spines * self.h)
            rates.append(joined.every / (self.leaves * self.p) ** 2)
            share = max(joined.shares(self.h))
        load = self.p**2 * ((self.leaves - 1) / self.spines + self.leaves * share)
        if load:
            rates.append(self.uplinks / load)
        return min(rates)

    def _all_to_all(self) -> Rate:
        """Minimal routing below; above the global links between groups, and the ports of a leaf."""
        endpoints = self.p * self.leaves * self.groups
        most = GlobalLinks(self.groups, self.spines * self.h).most_per_pair() / (self.leaves * self.p) ** 2
        if endpoints > self.p:
            most = min(most, self.spines * self.uplinks / (self.p * (endpoints - self.p)))
        source = "Shpiner et al., HiPINEB 2017: minimal routing; from above the cuts around a leaf and among groups"
        return between((endpoints - 1) * self._minimal(), (endpoints - 1) * most, self.port_gbps * self.planes, source)

    def _permutation(self) -> Rate:
        """Interval: as for the dragonfly (two global hops but for the direct links), and the uplinks of a leaf."""
        most = inf
        if self.leaves * self.groups > 1:
            most = self.spines * self.uplinks / self.p
        if self.groups > 1:
            joined = GlobalLinks(self.groups, self.spines * self.h)
            most = min(most, (self.spines * self.h + joined.every) / (2 * self.leaves * self.p))
        least = self.p * self.leaves * self.groups * self._minimal() / 2
        if self.groups == 1:
            # Leaf and spine: every spine takes an equal share of every flow.
            least = most
        source = f"{VALIANT}; from above every group sends to the next: two global hops but for the direct links"
        return between(least, most, self.port_gbps * self.planes, source)

    def network(self) -> Network:
        """Build one plane; the endpoints, leaves and spines of a group are one block."""
        g, leaves, spines = self.groups, self.leaves, self.spines
        endpoints = self.p * leaves * g
        first_spine = endpoints + g * leaves
        ends, leaf = np.arange(endpoints), np.arange(g * leaves)
        parts = [
            (ends, endpoints + ends // self.p, np.ones(endpoints, np.int64)),
            (
                np.repeat(endpoints + leaf, spines),
                first_spine + (leaf[:, None] // leaves * spines + np.arange(spines)).ravel(),
                np.full(leaf.size * spines, self.uplinks),
            ),
        ]
        if g > 1:
            group, port, other, far = GlobalLinks(g, spines * self.h).ends()
            boxes = g * spines
            pair, links = np.unique(
                (group * spines + port // self.h) * boxes + other * spines + far // self.h, return_counts=True
            )
            parts.append((first_spine + pair // boxes, first_spine + pair % boxes, links))
        names = ["endpoint-leaf", "leaf-spine", "spine-spine.global"][: len(parts)]
        return Network(
            kinds=(Kind("endpoint", endpoints), Kind("leaf", leaf.size), Kind("spine", g * spines)),
            bundles=tuple(Bundle(name, self.port_gbps) for name in names),
            lower=np.concatenate([part[0] for part in parts]),
            upper=np.concatenate([part[1] for part in parts]),
            links=np.concatenate([part[2] for part in parts]),
            bundle=np.repeat(np.arange(len(parts)), [part[0].size for part in parts]),
            block=np.concatenate([ends // (self.p * leaves), leaf // leaves, np.arange(g * spines) // spines]),
        )

    def symmetries(self) -> list[Ints]:
        """Every group to the next, unless one global port stays free."""
        if self.groups == 1 or GlobalLinks(self.groups, self.spines * self.h).odd:
            return []
        return [next_group(self.groups, self.p * self.leaves, self.leaves, self.spines)]
