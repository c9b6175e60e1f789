"""HammingMesh: boards that are small meshes, and every row and column of accelerators joined by switches."""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from designer.families.family import BundleCount, Family, Misfit, Rate, StageCount, Structure
from designer.families.hamming_lines import Line, Turn, join, turns
from designer.families.lattice import Count, Gbps, Length, coordinates, folded, nested
from designer.families.product import Side, all_reduce_gbps
from designer.network.graph import NOWHERE, Bundle, Ints, Kind, Network

_SOURCE = "Hoefler et al., HammingMesh, SC 2022 (arXiv 2209.01346)"


class HammingMesh(Family):
    """HammingMesh of boards ``a x b`` on a grid ``x * y``; boards of 1 x 1 are the paper's two-dimensional HyperX.

    Every accelerator has four ports: to its neighbours on the board, and at the rim of the board to the switches of its
    row (west and east) or column (north and south).

    Parameters
    ----------
    board
        Accelerators of a board along its row and its column: ``[a, b]``.
    grid
        Boards along a row and along a column: ``[x, y]``, at least two each.
    port_gbps
        Gb/s of every link.
    radix
        Ports of a switch, which decides between one and two stages.
    share_switches
        Whether lines of the same row (column) of boards share a switch where its ports reach.
    planes
        Equal copies.

    Examples
    --------
    The small Hx2Mesh of the paper's table II: 32 switches, 1,024 cables in rows and 1,024 in columns per plane.

    >>> s = HammingMesh(board=(2, 2), grid=(16, 16), port_gbps=400.0, radix=64, planes=4).structure()
    >>> s.stage("leaf").boxes, s.bundle("endpoint-leaf.row").links, s.bundle("endpoint-leaf.column").links
    (32, 1024, 1024)
    """

    family: Literal["hamming_mesh"] = "hamming_mesh"
    board: Annotated[tuple[Count, Count], Field(strict=False)]
    grid: Annotated[tuple[Length, Length], Field(strict=False)]
    port_gbps: Gbps
    radix: Annotated[int, Field(ge=2, le=1_000_000)]
    share_switches: bool = True
    planes: Count = 1

    def misfits(self) -> list[Misfit]:
        """Lines that two stages of the radix do not reach."""
        return [
            Misfit("radix", f"{self.radix}", f"more: two stages do not join the {2 * boards} ports of a {name}")
            for name, boards, line in zip(("row", "column"), self.grid, self._lines(), strict=True)
            if line is None
        ]

    def _lines(self) -> tuple[Line | None, Line | None]:
        (a, b), (x, y) = self.board, self.grid
        return (
            join("row", b * y, b, x, self.radix, self.share_switches),
            join("column", a * x, a, y, self.radix, self.share_switches),
        )

    def _joined(self) -> list[Line]:
        return [line for line in self._lines() if line is not None]

    def structure(self) -> Structure:
        """Counts and capacities; without one switch traffic goes around, so no box has a blast radius.

        See `_capacity` for the capacities.
        """
        (a, b), boards = self.board, prod(self.grid)
        total = a * b * boards
        lines = self._joined()
        bundles = []
        on_board = boards * (b * (a - 1) + a * (b - 1))
        if on_board:
            bundles.append(BundleCount("endpoint-endpoint.board", "endpoint", "endpoint", on_board, self.port_gbps))
        for line in lines:
            links = line.lines * line.ports
            bundles.append(BundleCount(f"endpoint-leaf.{line.name}", "endpoint", "leaf", links, self.port_gbps))
        for line in lines:
            if line.spines:
                bundles.append(BundleCount(f"leaf-spine.{line.name}", "leaf", "spine", line.uplinks, self.port_gbps))
        stages = [StageCount("leaf", sum(line.leaf_boxes for line in lines), max(line.leaf_ports for line in lines), 0)]
        if any(line.spines for line in lines):
            ports = max(line.leaves * line.links for line in lines)
            stages.append(StageCount("spine", sum(line.spine_boxes for line in lines), ports, 0))
        return Structure(total, total, self.planes, tuple(stages), tuple(bundles), self._capacity())

    def _capacity(self) -> dict[str, Rate]:
        """Capacities over all planes.

        A line of ``x`` boards has ``2 x`` ports for its ``a x`` accelerators, ``2/a`` each; its switches block nothing.

        * All-to-all: of what an accelerator sends, ``(x-1)/x`` (own place counted) changes the column of boards and
          crosses the rim of a board in its row: at most ``2 r x / (a (x-1))``, times ``(N-1)/N`` without the own place.
          Rows first, columns after, each half of a board by its nearer rim, loads no other link more: exact. For large
          grids that is ``1/(2a)`` of the four ports.
        * Permutation: a shift by one board sends everything over the rims: at most ``2 r / a``. At least half the even
          exchange (Valiant and Brebner 1981), or three phases, row, column, row or the other way round, each of them
          permutations within lines (König 1916, as in rearrangeable Clos networks): a third of ``2 r / a + 2 r / b``.
        * All-reduce: the switches can join all boards of a line in a ring, which makes a torus of ``a x * b y``.
        """
        rate, total = self.port_gbps, prod(self.board) * prod(self.grid)
        rims = [2 * rate / a for a in self.board]
        even = min(rim * x / (x - 1) for rim, x in zip(rims, self.grid, strict=True))
        all_to_all = self.planes * even * (total - 1) / total
        most = min(rims)
        least = min(most, max(even / 2, sum(rims) / 3))
        torus = [Side(a * x, "ring", 2, rate) for a, x in zip(self.board, self.grid, strict=True)]
        ring_least, ring_most = all_reduce_gbps(torus)
        return {
            "all_to_all": Rate(all_to_all, all_to_all, f"rims of the boards, derived for {_SOURCE}"),
            "permutation": Rate(
                self.planes * least,
                self.planes * most,
                "at least two even exchanges (Valiant and Brebner 1981) or three phases (König 1916), at most the rims",
            ),
            "all_reduce": Rate(
                self.planes * ring_least, self.planes * ring_most, f"rings of the torus inside (Kotzig 1973); {_SOURCE}"
            ),
        }

    def symmetries(self) -> list[Ints]:
        """Permutations of the boxes: boards exchanged along every row or column, and mirrors; switches go with them."""
        sizes = [side * count for side, count in zip(self.board, self.grid, strict=True)]
        place = coordinates(sizes)
        mine = nested(list(place), sizes, self.board)
        lines = self._joined()
        out = []
        for axis, (side, line, across) in enumerate(zip(self.board, lines, reversed(lines), strict=True)):
            for turn in turns(line, across, side):
                to = list(place)
                to[axis] = turn.of_places(side)[place[axis]]
                ends = np.empty_like(mine)
                ends[mine] = nested(to, sizes, self.board)
                out.append(self._with_switches(ends, axis, turn, side))
        return out

    def _with_switches(self, ends: Ints, axis: int, turn: Turn, side: int) -> Ints:
        """A turn of one axis on all boxes: it exchanges leaves within its own lines, and lines of the other axis."""
        leaves, spines = [], []
        for at, line in enumerate(self._joined()):
            alike = np.arange(line.lines, dtype=np.int64)
            number = alike if at == axis else turn.of_places(side)
            if line.spines:
                within = turn.of_leaves(line) if at == axis else np.arange(line.leaves, dtype=np.int64)
                leaves.append((number[:, None] * line.leaves + within).ravel())
                spines.append((number[:, None] * line.spines + np.arange(line.spines)).ravel())
            else:
                shared = np.arange(line.leaves, dtype=np.int64)
                boards = np.arange(line.lines // line.group, dtype=np.int64)
                if at != axis:
                    boards = turn.boards
                    shared = shared[::-1] if turn.mirrored else shared
                leaves.append((boards[:, None] * line.leaves + shared).ravel())
        out, first = [ends], len(ends)
        for image in (*leaves, *spines):
            out.append(first + image)
            first += len(image)
        return np.concatenate(out)

    def network(self) -> Network:
        """Build one plane; endpoints are numbered board by board, each board a block.

        Switches of the rows come before those of the columns, line by line; they stand in the network racks.
        """
        (a, b), (x, y) = self.board, self.grid
        place = coordinates((a * x, b * y))
        mine = nested(list(place), (a * x, b * y), (a, b))
        total = len(mine)
        after = {0: np.arange(total) + 1, 1: np.arange(total) + a * x}
        bundles: list[Bundle] = []
        parts: list[tuple[Ints, Ints, Ints, Ints]] = []

        def add(lower: Ints, upper: Ints, links: int, bundle: int) -> None:
            parts.append((lower, upper, np.full(len(lower), links, np.int64), np.full(len(lower), bundle, np.int64)))

        if a * b > 1:
            bundles.append(Bundle("endpoint-endpoint.board", self.port_gbps))
            for at, side in enumerate((a, b)):
                some = place[at] % side < side - 1
                add(mine[some], mine[after[at][some]], 1, 0)
        lines = self._joined()
        leaf, spine = total, total + sum(line.leaf_boxes for line in lines)
        uplinks: list[tuple[Line, Ints, Ints]] = []
        for at, (line, side) in enumerate(zip(lines, (a, b), strict=True)):
            for rim in (0, 1):
                some = place[at] % side == (side - 1) * rim
                number, port = place[1 - at][some], 2 * (place[at][some] // side) + rim
                if line.spines:
                    switch = number * line.leaves + port * line.leaves // line.ports
                else:
                    switch = number // line.group * line.leaves + number % line.group * line.leaves // line.group
                add(mine[some], leaf + switch, 1, len(bundles))
            bundles.append(Bundle(f"endpoint-leaf.{line.name}", self.port_gbps))
            if line.spines:
                pair = np.arange(line.lines * line.leaves * line.spines, dtype=np.int64)
                first = pair // line.spines
                uplinks.append((line, leaf + first, spine + first // line.leaves * line.spines + pair % line.spines))
            leaf += line.leaf_boxes
            spine += line.spine_boxes
        for line, lower, upper in uplinks:
            add(lower, upper, line.links, len(bundles))
            bundles.append(Bundle(f"leaf-spine.{line.name}", self.port_gbps))
        rows = folded(*(np.concatenate(part) for part in zip(*parts, strict=True)))
        stages = [
            Kind(name, sum(boxes))
            for name, boxes in (
                ("leaf", [line.leaf_boxes for line in lines]),
                ("spine", [line.spine_boxes for line in lines]),
            )
            if sum(boxes)
        ]
        block = np.full(total + sum(kind.count for kind in stages), NOWHERE, np.int64)
        block[:total] = np.arange(total) // (a * b)
        return Network((Kind("endpoint", total), *stages), tuple(bundles), *rows, block)
