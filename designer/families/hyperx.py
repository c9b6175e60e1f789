"""HyperX and full mesh: every line of a grid fully joined, among routers or among the endpoints themselves."""

from __future__ import annotations

from abc import abstractmethod
from math import prod
from typing import Literal

import numpy as np

from designer.families.family import BundleCount, Family, Misfit, StageCount, Structure
from designer.families.lattice import (
    LETTERS,
    Count,
    Gbps,
    Length,
    PerSide,
    RatePerSide,
    Sizes,
    coordinates,
    mesh_moves,
    moved,
    numbers,
    pairs_of,
)
from designer.families.product import Side, capacities
from designer.network.graph import Bundle, Ints, Kind, Network


class _Meshes(Family):
    """Lines fully joined along every side; the subclasses give the sides and the names of the bundles."""

    concentration: Count | None = None
    endpoint_gbps: Gbps | None = None
    endpoint_links: Count = 1
    radix: Count | None = None
    planes: Count = 1

    @abstractmethod
    def _lines(self) -> list[tuple[str, Side, int]]:
        """Per side: ending of the bundle's name, the side, links per pair."""

    def _ports(self) -> int:
        own = 0 if self.concentration is None else self.concentration * self.endpoint_links
        return own + sum(side.degree for _, side, _ in self._lines())

    def misfits(self) -> list[Misfit]:
        """Endpoint links without routers or the other way round, and more ports than the radix."""
        out = []
        if self.concentration is None and self.endpoint_gbps is not None:
            out.append(Misfit("endpoint_gbps", f"{self.endpoint_gbps}", "left out where the endpoints forward"))
        if self.concentration is None and self.endpoint_links != 1:
            out.append(Misfit("endpoint_links", f"{self.endpoint_links}", "left out where the endpoints forward"))
        if self.concentration is not None and self.endpoint_gbps is None:
            out.append(Misfit("endpoint_gbps", "nothing", "Gb/s of a link between endpoint and router"))
        if self.radix is not None and self._ports() > self.radix:
            who = "an endpoint" if self.concentration is None else "a router"
            out.append(Misfit("radix", f"{self.radix}", f"at least {self._ports()}: the ports in use on {who}"))
        return out

    def structure(self) -> Structure:
        """Counts and exact capacities; the rings of the all-reduce are an interval where sides differ much."""
        lines = self._lines()
        boxes = prod(side.size for _, side, _ in lines)
        low = "endpoint" if self.concentration is None else "router"
        stages: tuple[StageCount, ...] = ()
        bundles = [
            BundleCount(f"{low}-{low}{end}", low, low, boxes * side.degree // 2, side.gbps) for end, side, _ in lines
        ]
        each, own = self.concentration or 1, 0.0
        if self.concentration is not None and self.endpoint_gbps is not None:
            stages = (StageCount("router", boxes, self._ports(), self.concentration),)
            links = boxes * self.concentration * self.endpoint_links
            bundles.insert(0, BundleCount("endpoint-router", "endpoint", "router", links, self.endpoint_gbps))
            own = self.endpoint_links * self.endpoint_gbps
        capacity = capacities([side for _, side, _ in lines], self.planes, self.concentration, own)
        return Structure(boxes * each, boxes * each, self.planes, stages, tuple(bundles), capacity)

    def symmetries(self) -> list[Ints]:
        """Permutations of the boxes: places of a line exchanged in all lines of a side, endpoints with their router."""
        sizes = [side.size for _, side, _ in self._lines()]
        place = list(coordinates(sizes))
        own = self.concentration or 0
        slot = np.arange(own, dtype=np.int64)
        out = []
        for axis, size in enumerate(sizes):
            for to in mesh_moves(size):
                image = numbers(moved(place, axis, to), sizes)
                ends = (image[:, None] * own + slot).ravel()
                out.append(np.append(ends, len(image) * own + image))
        return out

    def network(self) -> Network:
        """Build one plane: boxes in order of their place, the first side running fastest; a block is a line of it."""
        lines = self._lines()
        sizes = [side.size for _, side, _ in lines]
        boxes = prod(sizes)
        place = coordinates(sizes)
        low = "endpoint" if self.concentration is None else "router"
        kinds, bundles, block = [Kind(low, boxes)], [], [np.arange(boxes, dtype=np.int64) // sizes[0]]
        lower: list[Ints] = []
        upper: list[Ints] = []
        links: list[Ints] = []
        bundle: list[Ints] = []
        base = 0
        if self.concentration is not None and self.endpoint_gbps is not None:
            base = boxes * self.concentration
            kinds.insert(0, Kind("endpoint", base))
            bundles.append(Bundle("endpoint-router", self.endpoint_gbps))
            lower.append(np.arange(base, dtype=np.int64))
            upper.append(base + lower[0] // self.concentration)
            links.append(np.full(base, self.endpoint_links, np.int64))
            bundle.append(np.zeros(base, np.int64))
            block.insert(0, lower[0] // self.concentration // sizes[0])
        step = 1
        for number, (end, side, per_pair) in enumerate(lines):
            first = np.flatnonzero(place[number] == 0)
            one, other = pairs_of(side.size)
            lower.append(base + (first[:, None] + one * step).ravel())
            upper.append(base + (first[:, None] + other * step).ravel())
            links.append(np.full(len(lower[-1]), per_pair, np.int64))
            bundle.append(np.full(len(lower[-1]), len(bundles), np.int64))
            bundles.append(Bundle(f"{low}-{low}{end}", side.gbps))
            step *= side.size
        joined = [np.concatenate(part) for part in (lower, upper, links, bundle, block)]
        return Network(tuple(kinds), tuple(bundles), *joined)


class HyperX(_Meshes):
    """HyperX or nD full mesh: boxes on a grid, every line along every side fully joined.

    Ahn, Binkert, Davis, McLaren and Schreiber, HyperX: topology, routing, and packaging of efficient large-scale
    networks, SC 2009. Without `concentration` the endpoints themselves forward (UB-Mesh).

    Parameters
    ----------
    sides
        Boxes along every side.
    port_gbps
        Gb/s of a link, one for every side or one for all.
    links_per_pair
        Links between two boxes of a line, one for every side or one for all.
    concentration, endpoint_gbps, endpoint_links
        Endpoints at a router, and the links of each: their Gb/s and their number. Left out: there are no routers.
    radix
        Ports of a box; not checked if left out.
    planes
        Equal copies.

    Examples
    --------
    UB-Mesh, arXiv 2503.20377: a rack of 64 NPUs.

    >>> rack = HyperX(sides=(8, 8), port_gbps=(400.0,))
    >>> sum(bundle.links for bundle in rack.structure().bundles), rack.network().ports().max()
    (448, np.int64(14))
    """

    family: Literal["hyperx"] = "hyperx"
    sides: Sizes
    port_gbps: RatePerSide
    links_per_pair: PerSide = (1,)

    def misfits(self) -> list[Misfit]:
        """As for all meshes; the lists are as long as the sides."""
        out = [
            Misfit(key, f"{len(given)} figures", f"1, or {len(self.sides)}: one for every side")
            for key, given in (("port_gbps", self.port_gbps), ("links_per_pair", self.links_per_pair))
            if len(given) not in (1, len(self.sides))
        ]
        return out or super().misfits()

    def _lines(self) -> list[tuple[str, Side, int]]:
        out = []
        for at, size in enumerate(self.sides):
            per_pair = self.links_per_pair[at % len(self.links_per_pair)]
            gbps = self.port_gbps[at % len(self.port_gbps)]
            out.append((f".{LETTERS[at]}", Side(size, "complete", (size - 1) * per_pair, gbps), per_pair))
        return out


class FullMesh(_Meshes):
    """Full mesh: every two boxes joined.

    Parameters
    ----------
    size
        Boxes: endpoints, or routers with `concentration`.
    port_gbps, links_per_pair
        Gb/s of a link and links between every two boxes.
    concentration, endpoint_gbps, endpoint_links, radix, planes
        As in `HyperX`.

    Examples
    --------
    >>> FullMesh(size=8, port_gbps=512.0).structure().capacity["all_to_all"].most
    3584.0
    """

    family: Literal["full_mesh"] = "full_mesh"
    size: Length
    port_gbps: Gbps
    links_per_pair: Count = 1

    def _lines(self) -> list[tuple[str, Side, int]]:
        return [
            (
                "",
                Side(self.size, "complete", (self.size - 1) * self.links_per_pair, self.port_gbps),
                self.links_per_pair,
            )
        ]
