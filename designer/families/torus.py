"""Tori: rings along every side, boards and cubes inside, cubes joined through circuit switches."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from designer.families.family import BundleCount, Family, Misfit, StageCount, Structure
from designer.families.lattice import (
    LETTERS,
    Blocks,
    Count,
    PerSide,
    RatePerSide,
    Sizes,
    coordinates,
    folded,
    moved,
    nested,
    numbers,
    ring_moves,
)
from designer.families.product import Side, capacities
from designer.network.graph import NOWHERE, Bundle, Ints, Kind, Network


@dataclass(frozen=True)
class _Ring:
    """One side: its steps (from place c to c + 1, round the ring) sorted by what they cross."""

    letter: str
    side: Side
    per_step: int
    board: tuple[int, ...]
    cube: tuple[int, ...]
    ocs: tuple[int, ...]


class Torus(Family):
    """Torus of any number of sides: every endpoint joined to its two neighbours along every side, round the ring.

    Along a side of 2 both neighbours are the same endpoint: two links join the pair, or one with `two_links` false.

    Parameters
    ----------
    sides
        Endpoints along every side.
    port_gbps
        Gb/s of a link, one for every side or one for all.
    links_per_step
        Links between two neighbours, one for every side or one for all.
    two_links
        Whether a pair along a side of 2 has two links (both ports of the side) or one.
    board
        Endpoints of a board along every side: links inside a board are a bundle of their own (``.board``).
    cube
        Endpoints of a cube along every side: links between cubes, and round the ring, go through circuit switches, one
        for every place on a face, link and side, that joins all cubes. Left out: no circuit switches.
    ocs_radix, ocs_spare
        Ports of a circuit switch and how many of them stay free; not checked if left out.
    radix
        Ports of an endpoint; not checked if left out.
    planes
        Equal copies.

    Examples
    --------
    TPU v4 (Jouppi et al., ISCA 2023): 64 cubes, 48 circuit switches of 136 ports with 8 spare.

    >>> pod = Torus(sides=(16, 16, 16), port_gbps=(400.0,), cube=(4, 4, 4), ocs_radix=136, ocs_spare=8)
    >>> pod.misfits(), pod.structure().stage("ocs").boxes, pod.structure().stage("ocs").ports
    ([], 48, 128)
    """

    family: Literal["torus"] = "torus"
    sides: Sizes
    port_gbps: RatePerSide
    links_per_step: PerSide = (1,)
    two_links: bool = True
    board: Blocks | None = None
    cube: Blocks | None = None
    ocs_radix: Count | None = None
    ocs_spare: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    radix: Count | None = None
    planes: Count = 1

    def misfits(self) -> list[Misfit]:
        """Lists of the wrong length, boards and cubes that do not fit, too few ports of a box or a circuit switch."""
        out = [
            Misfit(key, f"{len(given)} figures", f"1, or {len(self.sides)}: one for every side")
            for key, given in (("port_gbps", self.port_gbps), ("links_per_step", self.links_per_step))
            if len(given) not in (1, len(self.sides))
        ]
        out += self._blocks_that_do_not_fit() + self._circuits_that_do_not_fit()
        if out:
            return out
        ports = sum(ring.side.degree for ring in self._rings())
        if self.radix is not None and ports > self.radix:
            out.append(Misfit("radix", f"{self.radix}", f"at least {ports}: the ports in use on an endpoint"))
        needed = self._ocs_ports() + self.ocs_spare
        if self.ocs_radix is not None and needed > self.ocs_radix:
            out.append(Misfit("ocs_radix", f"{self.ocs_radix}", f"at least {needed}: two per cube, and the spare ones"))
        return out

    def _blocks_that_do_not_fit(self) -> list[Misfit]:
        out = []
        whole, wide = self.sides, len(self.sides)
        for key, block in (("cube", self.cube), ("board", self.board)):
            if block is None:
                continue
            if len(block) != wide:
                out.append(Misfit(key, f"{len(block)} figures", f"{wide}: one for every side"))
                continue
            if any(a % b for a, b in zip(whole, block, strict=True)):
                shown = " x ".join(map(str, whole))
                out.append(Misfit(key, " x ".join(map(str, block)), f"along every side a divisor of {shown}"))
            whole = block
        return out

    def _circuits_that_do_not_fit(self) -> list[Misfit]:
        if self.cube is not None:
            if self.two_links:
                return []
            return [Misfit("two_links", "false", "true with `cube`: a circuit switch joins both faces of a cube")]
        return [
            Misfit(key, f"{figure}", "left out without `cube`: there are no circuit switches")
            for key, figure in (("ocs_radix", self.ocs_radix), ("ocs_spare", self.ocs_spare))
            if figure
        ]

    def _rings(self) -> list[_Ring]:
        out = []
        for at, size in enumerate(self.sides):
            per_step = self.links_per_step[at % len(self.links_per_step)]
            steps = range(1 if size == 2 and not self.two_links else size)
            board = self.board[at] if self.board else 1
            cube = self.cube[at] if self.cube else None
            inside = tuple(c for c in steps if (c + 1) % board)
            through = tuple(c for c in steps if cube and not (c + 1) % cube)
            cables = tuple(c for c in steps if c not in inside and c not in through)
            degree = per_step * (1 if len(steps) == 1 else 2)
            side = Side(size, "ring", degree, self.port_gbps[at % len(self.port_gbps)])
            out.append(_Ring(LETTERS[at], side, per_step, inside, cables, through))
        return out

    def _ocs_ports(self) -> int:
        return 2 * prod(self.sides) // prod(self.cube or (1,))

    def _faces(self) -> list[int]:
        """Places on a face of a cube, along every side."""
        cube = self.cube or ()
        return [prod(cube) // c for c in cube]

    def structure(self) -> Structure:
        """Counts and exact capacities; the rings of the all-reduce are an interval where sides differ much.

        ``group`` of the circuit switches is 0: without one of them traffic goes around.
        """
        total = prod(self.sides)
        rings = self._rings()
        bundles, boxes = [], 0
        for at, ring in enumerate(rings):
            each = total // ring.side.size * ring.per_step
            for end, steps in (("", ring.cube), (".board", ring.board)):
                if steps:
                    name = f"endpoint-endpoint.{ring.letter}{end}"
                    bundles.append(BundleCount(name, "endpoint", "endpoint", each * len(steps), ring.side.gbps))
            if ring.ocs:
                links = 2 * each * len(ring.ocs)
                bundles.append(BundleCount(f"endpoint-ocs.{ring.letter}", "endpoint", "ocs", links, ring.side.gbps))
                boxes += self._faces()[at] * ring.per_step
        stages = (StageCount("ocs", boxes, self._ocs_ports(), 0),) if boxes else ()
        capacity = capacities([ring.side for ring in rings], self.planes)
        return Structure(total, total, self.planes, stages, tuple(bundles), capacity)

    def symmetries(self) -> list[Ints]:
        """Permutations of the boxes of ``network().as_carried()``: a step of a block along every side, and mirrors."""
        place = list(coordinates(self.sides))
        inner = [block for block in (self.board, self.cube) if block is not None]
        mine = nested(place, self.sides, *inner)
        out = []
        for axis, size in enumerate(self.sides):
            for to in ring_moves(size, inner[-1][axis] if inner else 1):
                image = np.empty_like(mine)
                image[mine] = mine[numbers(moved(place, axis, to), self.sides)]
                out.append(image)
        return out

    def network(self) -> Network:
        """Build one plane; endpoints are numbered cube by cube, in it board by board, the first side running fastest.

        A block is a cube, else a board, else a line of the first side. Circuit switches are numbered side by side, in
        each face place by face place, in each link by link; they stand in the network racks.
        """
        total = prod(self.sides)
        place = coordinates(self.sides)
        inner = [block for block in (self.board, self.cube) if block is not None]
        mine = nested(list(place), self.sides, *inner)
        size = prod(inner[-1]) if inner else self.sides[0]
        parts: list[list[Ints]] = [[], [], [], []]
        bundles: list[Bundle] = []
        circuits: list[Ints] = []
        boxes = 0
        for at, ring in enumerate(self._rings()):
            ahead = list(place)
            ahead[at] = (place[at] + 1) % ring.side.size
            after = mine[numbers(ahead, self.sides)]
            for end, steps in (("", ring.cube), (".board", ring.board)):
                if steps:
                    some = np.isin(place[at], steps)
                    ends = np.sort(np.stack((mine[some], after[some])), axis=0)
                    _append(parts, ends[0], ends[1], ring.per_step, len(bundles))
                    bundles.append(Bundle(f"endpoint-endpoint.{ring.letter}{end}", ring.side.gbps))
            if ring.ocs and self.cube is not None:
                some = np.isin(place[at], ring.ocs)
                rest = [i for i in range(len(self.sides)) if i != at]
                face = np.zeros(int(some.sum()), np.int64)
                if rest:
                    face = numbers([place[i][some] % self.cube[i] for i in rest], [self.cube[i] for i in rest])
                for link in range(ring.per_step):
                    switch = total + boxes + face * ring.per_step + link
                    _append(parts, mine[some], switch, 1, len(bundles))
                    _append(parts, after[some], switch, 1, len(bundles))
                    circuits.append(np.stack((mine[some], after[some], switch)))
                bundles.append(Bundle(f"endpoint-ocs.{ring.letter}", ring.side.gbps))
                boxes += self._faces()[at] * ring.per_step
        rows = folded(*(np.concatenate(part) for part in parts))
        block = np.append(np.arange(total, dtype=np.int64) // size, np.full(boxes, NOWHERE, np.int64))
        kinds = (Kind("endpoint", total), *((Kind("ocs", boxes),) if boxes else ()))
        return Network(kinds, tuple(bundles), *rows, block, _circuits(circuits, rows[0], rows[1], total + boxes))


def _append(parts: list[list[Ints]], lower: Ints, upper: Ints, links: int, bundle: int) -> None:
    parts[0].append(lower)
    parts[1].append(upper)
    parts[2].append(np.full(len(lower), links, np.int64))
    parts[3].append(np.full(len(lower), bundle, np.int64))


def _circuits(circuits: list[Ints], lower: Ints, upper: Ints, boxes: int) -> Ints | None:
    """Circuits as pairs of rows: a row is found by its endpoint and its circuit switch, which belongs to one side."""
    if not circuits:
        return None
    one, other, switch = np.concatenate(circuits, axis=1)
    keys = lower * boxes + upper
    order = np.argsort(keys)
    rows = [order[np.searchsorted(keys[order], end * boxes + switch)] for end in (one, other)]
    return np.stack((*rows, np.ones(len(one), np.int64)), axis=1)
