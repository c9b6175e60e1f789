"""Places in a scale-out fabric: leaves and what hangs below them, and who uses what is above or between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from designer.design.types import Fabric, PoolDesign
from designer.simulate.kind import Share, Slowed, Spans
from designer.simulate.placement import Span


@dataclass(frozen=True)
class Below:
    """What hangs below a fabric of ``rails`` x ``planes`` equal copies, numbered plane by plane within a rail.

    ``leaves`` lists for every leaf of a copy the accelerators of its hosts: pool, first, behind the last; a leaf of a
    copy serves those of its rail. A copy has ``boxes`` leaf switches: those without accelerators come last.
    """

    rails: int
    planes: int
    leaves: tuple[tuple[tuple[int, int, int], ...], ...]
    boxes: int

    @classmethod
    def of(cls, fabric: Fabric, pools: Sequence[tuple[int, PoolDesign]]) -> Below:
        """Hang the pools, each with its number in the design, below the leaves of a copy, one after the other."""
        leaves: list[tuple[tuple[int, int, int], ...]] = []
        if fabric.shape == "tree" and len(fabric.stages) == 1:
            leaves.append(tuple((number, 0, pool.accelerators) for number, pool in pools))
        else:
            for number, pool in pools:
                at, total = pool.attachment, pool.accelerators
                span = pool.domain_size * at.domains_per_leaf // at.leaves_per_domain
                leaves += [((number, low, min(low + span, total)),) for low in range(0, total, span)]
        return cls(fabric.rails, fabric.planes, tuple(leaves), fabric.stages[0].count)

    @property
    def copies(self) -> int:
        """Number of copies."""
        return self.rails * self.planes

    def spans(self, copy: int, leaf: int) -> Spans:
        """Accelerators on a leaf: none where there is no such leaf."""
        if leaf >= len(self.leaves):
            return ()
        rail = copy // self.planes
        return tuple(Span(pool, low + rail, high, self.rails) for pool, low, high in self.leaves[leaf])

    def share(self, first: int, last: int, share: float) -> Slowed:
        """A share of the bandwidth that some leaves of a copy carry, as accelerators of each pool."""
        found: dict[int, float] = {}
        for leaf in self.leaves[first:last]:
            for pool, low, high in leaf:
                found[pool] = found.get(pool, 0.0) + (high - low) * share / self.copies
        return tuple(found.items())


@dataclass(frozen=True)
class Layer:
    """One layer of switches above the leaves of a tree.

    The places for leaves of a copy are parted into ``cells`` of ``size`` each (a pod, a zone, all), with ``per_cell``
    switches. Each of those has ``links`` to each of the smaller cells (leaf, pod, zone) of ``inner`` places that the
    cell is made of, ``members`` of them at full population; the last ``lean`` of every ``group`` of switches, which are
    those that one box below meets, have a link less to each.
    """

    below: Below
    cells: int
    per_cell: int
    size: int
    inner: int
    members: int
    links: int
    group: int
    lean: int

    @property
    def boxes(self) -> int:
        """Switches of one copy."""
        return self.cells * self.per_cell

    @property
    def full(self) -> int:
        """Switches of a group that lack no link."""
        return self.group - self.lean

    @property
    def up(self) -> int:
        """Links of a smaller cell to all switches of its cell."""
        return self.per_cell // self.group * (self.group * self.links - self.lean)

    def links_of(self, box: int) -> int:
        """Links of a switch to a smaller cell."""
        return self.links if box % self.group < self.full else self.links - 1


@dataclass(frozen=True)
class Leaves:
    """The leaf boxes of all copies."""

    below: Below

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on the leaf."""
        return self.below.spans(*divmod(member, self.below.boxes))


@dataclass(frozen=True)
class BoxesAbove:
    """The switches of a layer, in all copies.

    A disturbance comes by one of the ``ports`` of a switch that has nothing above it, else by a place of its cell
    (``ports`` 0). Who is not there is not disturbed: the port is free, the pod not full.
    """

    layer: Layer
    ports: int

    @property
    def outcomes(self) -> int:
        """Draws that are alike."""
        return self.ports * self.layer.inner if self.ports else self.layer.size

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on the leaf that the draw picks."""
        layer = self.layer
        copy, box = divmod(member, layer.boxes)
        if self.ports:
            port, within = divmod(draw * self.ports, 1.0)
            place = int(port) // layer.links_of(box) * layer.inner + int(within * layer.inner)
        else:
            place = box // layer.per_cell * layer.size + int(draw * layer.size)
        return layer.below.spans(copy, place)

    def slowed(self, member: int) -> Slowed:
        """Its part of the ways out of the leaves of its cell."""
        layer, box = self.layer, member % self.layer.boxes
        first = box // layer.per_cell * layer.size
        return layer.below.share(first, first + layer.size, layer.links_of(box) / layer.up)


@dataclass(frozen=True)
class PartOf:
    """``parts`` members at every box, each with its part of the box's bandwidth."""

    boxes: BoxesAbove | Passing
    parts: int

    @property
    def outcomes(self) -> int:
        """Draws that are alike."""
        return self.boxes.outcomes

    def spans(self, member: int, draw: float) -> Spans:
        """Whoever the box's disturbance would reach."""
        return self.boxes.spans(member // self.parts, draw)

    def slowed(self, member: int) -> Slowed:
        """The box's share, divided."""
        return tuple((pool, most / self.parts) for pool, most in self.boxes.slowed(member // self.parts))


@dataclass(frozen=True)
class LowerEnds:
    """Ends or cables at the lower boxes of a layer's links, ``each`` at a box, ``per_inner`` boxes to a small cell."""

    layer: Layer
    each: int
    per_inner: int
    boxes: int

    @property
    def outcomes(self) -> int:
        """Draws that are alike."""
        return self.layer.inner

    def _first(self, member: int) -> tuple[int, int]:
        copy, box = divmod(member // self.each, self.boxes)
        return copy, box // self.per_inner * self.layer.inner

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on a leaf below the box, which the draw picks among those that there is room for."""
        copy, first = self._first(member)
        return self.layer.below.spans(copy, first + int(draw * self.layer.inner))

    def slowed(self, member: int) -> Slowed:
        """The traffic of the small cell over its ends."""
        _, first = self._first(member)
        return self.layer.below.share(first, first + self.layer.inner, 1 / (self.each * self.per_inner))


@dataclass(frozen=True)
class UpperEnds:
    """Ends at the switches of a layer, ``full`` at a full one and ``lean`` at one that lacks links.

    The links of a switch, cell by cell, fill one end after the other.
    """

    layer: Layer
    full: int
    lean: int
    links_per_end: int

    @property
    def outcomes(self) -> int:
        """Draws that are alike."""
        return self.layer.inner

    def _first(self, member: int) -> tuple[int, int, int]:
        layer = self.layer
        fulls = layer.full * self.full
        group, place = divmod(member, fulls + layer.lean * self.lean)
        # The full switches of a group are the first.
        box, end = divmod(place, self.full) if place < fulls else divmod(place - fulls, self.lean)
        box += group * layer.group + (0 if place < fulls else layer.full)
        copy, number = divmod(box, layer.boxes)
        first, links = end * self.links_per_end, layer.links_of(number)
        carried = min(self.links_per_end, layer.members * links - first)
        return copy, number // layer.per_cell * layer.size + first // links * layer.inner, carried

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on a leaf of the small cell of the end's first link."""
        copy, first, _ = self._first(member)
        return self.layer.below.spans(copy, first + int(draw * self.layer.inner))

    def slowed(self, member: int) -> Slowed:
        """The part of the small cell's links that the end carries."""
        layer = self.layer
        _, first, carried = self._first(member)
        return layer.below.share(first, first + layer.inner, carried / layer.up)


@dataclass(frozen=True)
class Passing:
    """Leaf boxes of a fabric without spines, for those who pass them: packets go by way of any leaf.

    A disturbance comes by one of the ``ports``; ``uplinks`` of them are joined to other leaves.
    """

    below: Below
    ports: int
    uplinks: int

    @property
    def outcomes(self) -> int:
        """Draws that are alike."""
        return self.ports * self.below.boxes

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on the leaf whose packets pass."""
        port, within = divmod(draw * self.ports, 1.0)
        if port >= self.uplinks:
            return ()
        return self.below.spans(member // self.below.boxes, int(within * self.below.boxes))

    def slowed(self, member: int) -> Slowed:
        """One of so many ways."""
        return self.below.share(0, len(self.below.leaves), 1 / self.below.boxes)


@dataclass(frozen=True)
class Between:
    """Ends or cables between leaves, ``each`` in a copy: each has ``share`` of it, and packets of any leaf pass it."""

    below: Below
    each: int
    part: float

    @property
    def outcomes(self) -> int:
        """Draws that are alike."""
        return self.below.boxes

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on the leaf whose packets pass."""
        return self.below.spans(member // self.each, int(draw * self.below.boxes))

    def slowed(self, member: int) -> Slowed:
        """Its share of what all leaves send."""
        return self.below.share(0, len(self.below.leaves), self.part)


@dataclass(frozen=True)
class Both:
    """Two losses of bandwidth at once."""

    one: Share
    other: Share

    def slowed(self, member: int) -> Slowed:
        """The one and the other."""
        return (*self.one.slowed(member), *self.other.slowed(member))
