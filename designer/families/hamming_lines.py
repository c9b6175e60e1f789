"""The lines of a HammingMesh: how switches join the boards of a row or a column, and what exchanges them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from designer.families.lattice import mesh_moves, ring_moves
from designer.network.graph import Ints


@dataclass(frozen=True)
class Line:
    """How the lines of one direction are joined.

    Parameters
    ----------
    name
        "row" or "column".
    lines, ports
        Lines in all (rows of accelerators), and ports of each: two for every board.
    group
        Lines of one row of boards: they may share a switch.
    leaves
        One stage (``spines`` 0): switches per group of lines. Two stages: leaves per line.
    spines, links
        Second stage per line, and links between each leaf and each spine.
    """

    name: str
    lines: int
    ports: int
    group: int
    leaves: int
    spines: int
    links: int

    @property
    def leaf_boxes(self) -> int:
        """First-stage switches of all lines."""
        return self.leaves * (self.lines if self.spines else self.lines // self.group)

    @property
    def spine_boxes(self) -> int:
        """Second-stage switches of all lines."""
        return self.spines * self.lines

    @property
    def leaf_ports(self) -> int:
        """Most ports in use on a first-stage switch."""
        if self.spines:
            return -(-self.ports // self.leaves) + self.spines * self.links
        return -(-self.group // self.leaves) * self.ports

    @property
    def uplinks(self) -> int:
        """Links between the two stages of all lines."""
        return self.leaf_boxes * self.spines * self.links


def join(name: str, lines: int, group: int, boards: int, radix: int, share: bool) -> Line | None:
    """Switches for lines of ``boards`` boards: one stage where the radix reaches, else a non-blocking second one.

    One stage: as many lines of one row of boards on a switch as its ports take (one without ``share``), spread evenly.
    Two stages: leaves of at most half the radix downward, the fewest spines that give every leaf as many links upward,
    the same number to every spine. None where two stages do not reach.

    Examples
    --------
    >>> join("row", 32, 2, 16, 64, True).leaf_boxes  # Hx2Mesh of 16 x 16 boards: two lines of 32 ports on a switch
    16
    >>> line = join("row", 128, 1, 128, 64, True)  # lines of 256 ports: 8 leaves, 4 spines
    >>> line.leaves, line.spines, line.links
    (8, 4, 8)
    """
    ports = 2 * boards
    if ports <= radix:
        together = min(group, radix // ports) if share else 1
        return Line(name, lines, ports, group, -(-group // together), 0, 0)
    leaves = -(-ports // (radix // 2))
    down = -(-ports // leaves)
    for spines in range(1, down + 1):
        links = -(-down // spines)
        if leaves * links <= radix and down + spines * links <= radix:
            return Line(name, lines, ports, group, leaves, spines, links)
    return None


@dataclass(frozen=True, eq=False)
class Turn:
    """Boards of one axis sent to other places, ``mirrored``: each turned round as well."""

    boards: Ints
    mirrored: bool

    def of_places(self, side: int) -> Ints:
        """Where each accelerator of a line goes.

        Examples
        --------
        >>> Turn(np.array([1, 0]), True).of_places(3).tolist()
        [5, 4, 3, 2, 1, 0]
        """
        inside = np.arange(side, dtype=np.int64)
        return np.asarray((self.boards[:, None] * side + (inside[::-1] if self.mirrored else inside)).ravel())

    def of_leaves(self, line: Line) -> Ints:
        """Where each leaf of a line of two stages goes; -1 where its ports would part."""
        port = np.arange(line.ports, dtype=np.int64)
        leaf = port * line.leaves // line.ports
        to = leaf[self.boards[port // 2] * 2 + (port % 2 ^ self.mirrored)]
        out = np.full(line.leaves, -1, np.int64)
        out[leaf] = to
        return np.where(np.bincount(leaf, out[leaf] != to, line.leaves) > 0, -1, out)


def turns(line: Line, across: Line, side: int) -> list[Turn]:
    """Turns of the axis along ``line`` that leave the network as it is; ``across`` are the lines they exchange.

    Any exchange of boards will do where one switch joins a line, one that keeps leaves whole where there are two
    stages. A mirror exchanges the lines of a board, and with them the switches that ``across`` lines share: it will do
    where they share them evenly.
    """
    boards = line.ports // 2
    some = [Turn(to, False) for to in mesh_moves(boards)] + [Turn(ring_moves(boards, 1)[1], True)]
    if line.spines and boards % line.leaves == 0:
        block = boards // line.leaves
        place = np.arange(boards, dtype=np.int64)
        some += [Turn(np.roll(place, -block), False), Turn(place // block * block + (place + 1) % block, False)]
    return [
        turn
        for turn in some
        if not (line.spines and (turn.of_leaves(line) < 0).any())
        and not (turn.mirrored and not across.spines and side % across.leaves)
    ]
