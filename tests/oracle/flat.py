"""Leaves joined directly: meshes, grids and groups, their links and what they carry (section 7.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import comb


@dataclass(frozen=True)
class Bundle:
    """Links of one boundary between leaves: ``each`` at a leaf; ``pairs`` joined pairs of leaves of ``m`` links."""

    name: str
    each: int
    pairs: int
    m: int

    @property
    def links(self) -> int:
        """Links of a copy."""
        return self.pairs * self.m


@dataclass(frozen=True)
class Flat:
    """A mesh of ``dims[0]`` leaves, a grid, or ``dims[1]`` groups of ``dims[0]`` leaves; ``links`` of every pair."""

    kind: str
    dims: tuple[int, ...]
    links: tuple[int, ...]

    @property
    def leaves(self) -> int:
        """Leaves of a copy, used or not."""
        return self.dims[0] if self.kind == "mesh" else self.dims[0] * self.dims[1]

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """The boundaries between leaves."""
        m, n = self.links[0], self.dims[0]
        if self.kind == "mesh":
            return (Bundle("leaf_leaf", m * (n - 1), comb(n, 2), m),)
        other, m2 = self.dims[1], self.links[1]
        near = Bundle("leaf_leaf", m * (n - 1), other * comb(n, 2), m)
        if self.kind == "hyperx":
            return (near, Bundle("group_group", m2 * (other - 1), n * comb(other, 2), m2))
        # Links between groups end at different leaves: each is a pair of its own.
        return (near, Bundle("group_group", m2 * (other - 1) // n, m2 * comb(other, 2), 1))

    @property
    def up(self) -> int:
        """Links of a leaf to other leaves, U."""
        return sum(bundle.each for bundle in self.bundles)

    @property
    def carried(self) -> Fraction:
        """Links' worth of traffic that every leaf may send by way of random others: the cap over the rate."""
        m, n = self.links[0], self.dims[0]
        if self.kind == "mesh":
            return Fraction(m * n, 2)
        other, m2 = self.dims[1], self.links[1]
        if self.kind == "hyperx":
            return min(Fraction(m * n, 2), Fraction(m2 * other, 2))
        return min(Fraction(m2 * other, 2 * n), Fraction(m * n * other, 2 * (2 * other - 1)))

    @property
    def left_by_one(self) -> int:
        """Twice the links' worth of traffic that are left of a mesh without one leaf; 0 if none sends by way of it."""
        if self.kind != "mesh" or self.leaves == 2:
            return 0
        return self.links[0] * (self.leaves - 1)

    @property
    def hops(self) -> tuple[int, tuple[int, ...]]:
        """Leaves on the longest way, and how often it crosses each boundary."""
        if self.kind == "mesh":
            return (2, (1,)) if self.leaves == 2 else (3, (2,))
        return (5, (2, 2)) if self.kind == "hyperx" else (7, (4, 2))

    def holds(self, leaves: int) -> bool:
        """Whether so many leaves of pools fit, and would not fit a grid of one line or group less."""
        if self.kind == "mesh":
            return leaves == self.leaves
        line = self.dims[1] if self.kind == "hyperx" else self.dims[0]
        return self.leaves - line < leaves <= self.leaves


def flats(kind: str, ports: int, most: int) -> Iterator[Flat]:
    """List the ways to join leaves of which each has fewer than ``ports`` links, for up to ``most`` leaves of pools."""
    if kind == "mesh":
        for leaves in range(2, min(ports, most) + 1):
            for m in range(1, (ports - 1) // (leaves - 1) + 1):
                yield Flat("mesh", (leaves,), (m,))
        return
    for near in range(2, ports):
        for m in range(1, (ports - 1) // (near - 1) + 1):
            yield from _with_line(near, m, ports, most) if kind == "hyperx" else _with_groups(near, m, ports, most)


def _with_line(near: int, m: int, ports: int, most: int) -> Iterator[Flat]:
    left = ports - 1 - m * (near - 1)
    for other in range(2, near + 1):
        for m2 in range(1, left // (other - 1) + 1):
            flat = Flat("hyperx", (near, other), (m, m2))
            if flat.leaves - other < most:
                yield flat


def _with_groups(near: int, m: int, ports: int, most: int) -> Iterator[Flat]:
    left = ports - 1 - m * (near - 1)
    for groups in range(2, left * near + 2):
        for m2 in range(1, left * near // (groups - 1) + 1):
            flat = Flat("dragonfly", (near, groups), (m, m2))
            if m2 * (groups - 1) % near == 0 and flat.leaves - near < most:
                yield flat
