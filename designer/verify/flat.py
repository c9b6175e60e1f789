"""Leaves joined to each other without a switch above them: mesh, hyperx, dragonfly (section 7.1).

Packets go by way of a random leaf, so every link carries its part of all traffic twice: Valiant load balancing, for a
mesh after Zhang-Shen and McKeown, Designing a predictable Internet backbone with Valiant load-balancing, 2005.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from designer.design.types import BoundaryName, Fabric
from designer.verify.boundaries import Cabling, Wiring, cable_up
from designer.verify.findings import Findings, UncountableError
from designer.verify.layout import Bound, Boxes, FabricParts, Joined, Layout
from designer.verify.rows import LinkRow
from designer.verify.tree import NO_CORES, NO_TOPS, absent

BOUNDARIES: dict[str, tuple[BoundaryName, ...]] = {
    "mesh": ("leaf_leaf",),
    "hyperx": ("leaf_leaf", "group_group"),
    "dragonfly": ("leaf_leaf", "group_group"),
}
"""Boundaries of each shape; it states one number of links per pair for each."""


@dataclass(frozen=True)
class Links:
    """Links of one boundary: ``each`` of a leaf, ``pairs`` of boxes joined by ``together`` links."""

    each: int
    together: int
    pairs: int


@dataclass(frozen=True)
class Grid:
    """A shape with its sides: ``leaves`` places, at most ``spare`` of them empty; ``carries`` Gb/s of a leaf."""

    leaves: int
    spare: int
    lines: tuple[Links, ...]
    carries: Fraction
    ways: tuple[tuple[int, ...], tuple[int, ...]]


def grid_of(found: Findings, place: str, stated: Fabric, rate: Fraction) -> Grid:
    """Count a shape from its sides and links; raise `UncountableError` where they are none."""
    shape, dims, links = stated.shape, stated.dims, stated.links_per_pair
    sides = 1 if shape == "mesh" else 2
    lines = len(BOUNDARIES[shape])
    many = len(dims) == sides and len(links) == lines
    message = f"sides and links of a {shape}"
    if not found.holds("direct_dims", place, many, (dims, links), f"{sides} and {lines}", message):
        raise UncountableError(place)
    fits = all(side >= 2 for side in dims) and all(number >= 1 for number in links)
    fits = fits and (shape != "hyperx" or dims[0] >= dims[1])
    wanted = "sides of at least 2, the larger first in a hyperx, and a link"
    if not found.holds("direct_dims", place, fits, (dims, links), wanted, message):
        raise UncountableError(place)
    if shape == "mesh":
        return _mesh(dims[0], links[0], rate)
    if shape == "hyperx":
        return _hyperx((dims[0], dims[1]), (links[0], links[1]), rate)
    (a, groups), (inner, outer) = dims, links
    ends = outer * (groups - 1)
    message = "links of a group to others, evenly over its leaves"
    if not found.holds("direct_links", place, ends % a == 0, ends, f"a multiple of {a}", message):
        raise UncountableError(place)
    return _dragonfly(a, groups, inner, outer, rate)


def _mesh(leaves: int, links: int, rate: Fraction) -> Grid:
    return Grid(
        leaves=leaves,
        spare=0,
        lines=(Links(links * (leaves - 1), links, leaves * (leaves - 1) // 2),),
        # Each leaf sends to each, twice: 2 rho / leaves on a pair.
        carries=links * rate * leaves / 2,
        ways=((2,), (1,)) if leaves == 2 else ((3,), (2,)),
    )


def _hyperx(sides: tuple[int, int], links: tuple[int, int], rate: Fraction) -> Grid:
    leaves = sides[0] * sides[1]
    lines = tuple(
        # A leaf is in one line of each direction, and every line is a mesh.
        Links(number * (side - 1), number, leaves // side * (side * (side - 1) // 2))
        for side, number in zip(sides, links, strict=True)
    )
    return Grid(
        leaves=leaves,
        spare=sides[1] - 1,
        lines=lines,
        carries=min(number * rate * side / 2 for side, number in zip(sides, links, strict=True)),
        ways=((5,), (2, 2)),
    )


def _dragonfly(a: int, groups: int, inner: int, outer: int, rate: Fraction) -> Grid:
    between = outer * groups * (groups - 1) // 2
    return Grid(
        leaves=a * groups,
        spare=a - 1,
        lines=(
            Links(inner * (a - 1), inner, groups * (a * (a - 1) // 2)),
            # Which leaves of two groups are joined is left open: each link is a pair of its own.
            Links(outer * (groups - 1) // a, 1, between),
        ),
        # A pair of groups carries 2 a rho / G; a pair of leaves 2 rho / a + 2 rho (G - 1) / (G a).
        carries=min(
            outer * rate * Fraction(groups, 2 * a),
            inner * rate * Fraction(a * groups, 2 * (2 * groups - 1)),
        ),
        ways=((7,), (4, 2)),
    )


def flat_of(found: Findings, place: str, stated: Fabric, parts: FabricParts, leaves: int) -> Layout:
    """Count one copy of a fabric whose pools have ``leaves`` leaves; raise `UncountableError` where that is futile."""
    (row,), rate = parts.switches, Fraction(stated.uplink_gbps)
    if not found.holds("uplink_rate", place, rate in row.radix, rate, f"a port rate of {row.id}", "links of leaves"):
        raise UncountableError(place)
    grid = grid_of(found, place, stated, rate)
    wanted = f"{leaves} places" if grid.spare == 0 else f"{leaves} places, at most {grid.spare} empty"
    full = 0 <= grid.leaves - leaves <= grid.spare
    found.holds("direct_leaves", place, full, grid.leaves, wanted, f"leaves of a {stated.shape}")
    uplinks = sum(line.each for line in grid.lines)
    joined = tuple(
        Joined(
            name,
            Wiring(grid.leaves * line.each // 2, {line.together: line.pairs}, {line.each: grid.leaves}, {line.each: 0}),
            {line.together: 1},
            Fraction(line.each, 2),
            between_leaves=True,
        )
        for name, line in zip(BOUNDARIES[stated.shape], grid.lines, strict=True)
    )
    # Without one leaf a mesh carries as much as a smaller one; of two leaves the other has nobody to send to.
    smaller = None
    if stated.shape == "mesh" and grid.leaves > 2:
        smaller = stated.links_per_pair[0] * rate * (grid.leaves - 1) / 2
    return Layout(
        uplinks=uplinks,
        pod_leaves=grid.leaves,
        boxes=(Boxes("leaf", grid.leaves, 0, uplinks),),
        joined=joined,
        # What a leaf carries for others is charged to those.
        above=((row, Fraction(uplinks, row.radix[rate])),),
        enough=(Bound("direct_carries", grid.carries, 1, "Gb/s of a leaf, by way of a random leaf"),),
        leaf_gbps=grid.carries,
        relayed_gbps=smaller,
        ways=grid.ways,
        numbers=(
            ("pods", "pods", 1),
            ("pod_leaves", "leaves_per_pod", grid.leaves),
            *absent("links_per_leaf_spine", "spines_per_pod", *NO_CORES, *NO_TOPS),
        ),
    )


def cable_between(joined: Joined, row: LinkRow, rate: Fraction, length: Fraction, copies: int) -> Cabling:
    """Count the cables between leaves of all copies: both ends are alike, the larger half counts as lower."""
    one = cable_up(joined.name, joined.wiring, row, row, rate, length)
    lower, upper = one.lower_ends, one.upper_ends
    if row.module:
        lower, upper = lower - lower // 2, lower // 2
    return replace(
        one,
        links=one.links * copies,
        cables=one.cables * copies,
        lower_ends=lower * copies,
        upper_ends=upper * copies,
    )
