"""Places in a scale-out fabric: leaves and what hangs below them, pods, and who uses a spine, a core, a link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from designer.design.types import Fabric, PoolDesign
from designer.simulate.kind import Slowed, Spans
from designer.simulate.placement import Span


@dataclass(frozen=True)
class Tree:
    """A fabric of ``rails`` x ``planes`` equal copies, numbered plane by plane within a rail.

    ``below`` lists for every leaf of a copy the accelerators of its hosts: pool, first, behind the last; a leaf of a
    copy serves those of its rail. ``per_spine`` links join a leaf to each of the ``spines`` of its pod of
    ``pod_leaves``; every spine has ``spine_up`` links, ``per_core`` of them to each of its cores.
    """

    rails: int
    planes: int
    below: tuple[tuple[tuple[int, int, int], ...], ...]
    stages: int
    per_spine: int
    spines: int
    pod_leaves: int
    pods: int
    per_core: int
    spine_up: int

    @classmethod
    def of(cls, fabric: Fabric, pools: Sequence[tuple[int, PoolDesign]]) -> Tree:
        """Hang the pools, each with its number in the design, below the leaves of a copy, one after the other."""
        leaves: list[tuple[tuple[int, int, int], ...]] = []
        if len(fabric.stages) == 1:
            leaves.append(tuple((number, 0, pool.accelerators) for number, pool in pools))
        else:
            for number, pool in pools:
                at, total = pool.attachment, pool.accelerators
                span = pool.domain_size * at.domains_per_leaf // at.leaves_per_domain
                leaves += [((number, low, min(low + span, total)),) for low in range(0, total, span)]
        return cls(
            fabric.rails,
            fabric.planes,
            tuple(leaves),
            len(fabric.stages),
            fabric.links_per_leaf_spine,
            fabric.spines_per_pod,
            fabric.leaves_per_pod,
            fabric.pods,
            fabric.links_per_spine_core,
            fabric.links_per_spine_core * fabric.cores_per_spine,
        )

    @property
    def copies(self) -> int:
        """Number of copies."""
        return self.rails * self.planes

    @property
    def leaves(self) -> int:
        """Leaves of one copy."""
        return len(self.below)

    def spans(self, copy: int, leaf: int) -> Spans:
        """Accelerators on a leaf: none where a pod has no such leaf."""
        if leaf >= self.leaves:
            return ()
        rail = copy // self.planes
        return tuple(Span(pool, low + rail, high, self.rails) for pool, low, high in self.below[leaf])

    def behind(self, first: int, last: int, share: float) -> Slowed:
        """A share of the bandwidth that some leaves of a copy carry, as accelerators of each pool."""
        found: dict[int, float] = {}
        for leaf in self.below[first : min(last, self.leaves)]:
            for pool, low, high in leaf:
                found[pool] = found.get(pool, 0.0) + (high - low) * share / self.copies
        return tuple(found.items())


@dataclass(frozen=True)
class Leaves:
    """The leaf boxes of all copies."""

    tree: Tree

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on the leaf."""
        return self.tree.spans(*divmod(member, self.tree.leaves))


@dataclass(frozen=True)
class Spines:
    """The spines of all copies; a disturbance comes by one of the ports (two stages), or leaves of the pod (three).

    Who is not there is not disturbed: the port is free, the pod not full.
    """

    tree: Tree
    ports: int

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on the leaf behind the port that the draw picks."""
        tree = self.tree
        copy, spine = divmod(member, tree.spines * tree.pods)
        if tree.stages == 2:
            port = int(draw * self.ports)
            return tree.spans(copy, port // tree.per_spine)
        return tree.spans(copy, spine // tree.spines * tree.pod_leaves + int(draw * tree.pod_leaves))

    def slowed(self, member: int) -> Slowed:
        """One of so many ways out of the leaves of its pod."""
        tree = self.tree
        pod = member % (tree.spines * tree.pods) // tree.spines
        return tree.behind(pod * tree.pod_leaves, (pod + 1) * tree.pod_leaves, 1 / tree.spines)


@dataclass(frozen=True)
class Cores:
    """The cores of all copies: every pod has ``per_core`` links to each; free ports disturb nobody."""

    tree: Tree
    ports: int
    per_copy: int

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on a leaf of the pod behind the port that the draw picks."""
        tree = self.tree
        port, within = divmod(draw * self.ports, 1.0)
        pod = int(port) // tree.per_core
        if pod >= tree.pods:
            return ()
        return tree.spans(member // self.per_copy, pod * tree.pod_leaves + int(within * tree.pod_leaves))

    def slowed(self, member: int) -> Slowed:
        """One of so many ways between the pods."""
        return self.tree.behind(0, self.tree.leaves, 1 / self.per_copy)


@dataclass(frozen=True)
class PartOf:
    """``parts`` members at every box, each with its part of the box's bandwidth."""

    boxes: Spines | Cores
    parts: int

    def spans(self, member: int, draw: float) -> Spans:
        """Whoever the box's disturbance would reach."""
        return self.boxes.spans(member // self.parts, draw)

    def slowed(self, member: int) -> Slowed:
        """The box's share, divided."""
        return tuple((pool, most / self.parts) for pool, most in self.boxes.slowed(member // self.parts))


@dataclass(frozen=True)
class LeafUplinks:
    """Ends or cables at the leaves, ``each`` of them at every leaf."""

    tree: Tree
    each: int

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on the leaf."""
        return self.tree.spans(*divmod(member // self.each, self.tree.leaves))

    def slowed(self, member: int) -> Slowed:
        """The leaf's traffic over its ends."""
        leaf = member // self.each % self.tree.leaves
        return self.tree.behind(leaf, leaf + 1, 1 / self.each)


@dataclass(frozen=True)
class SpineEnds:
    """Ends at the spines towards the leaves: the links of a spine, leaf by leaf, fill one end after the other."""

    tree: Tree
    each: int
    links_per_end: int

    def _leaf(self, member: int) -> tuple[int, int, int]:
        tree = self.tree
        box, end = divmod(member, self.each)
        copy, spine = divmod(box, tree.spines * tree.pods)
        first = end * self.links_per_end
        carried = min(self.links_per_end, tree.pod_leaves * tree.per_spine - first)
        return copy, spine // tree.spines * tree.pod_leaves + first // tree.per_spine, carried

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on the leaf of the end's first link."""
        copy, leaf, _ = self._leaf(member)
        return self.tree.spans(copy, leaf)

    def slowed(self, member: int) -> Slowed:
        """The part of the leaf's uplinks that the end carries."""
        _, leaf, carried = self._leaf(member)
        return self.tree.behind(leaf, leaf + 1, carried / (self.tree.per_spine * self.tree.spines))


@dataclass(frozen=True)
class PodUplinks:
    """Ends or cables at the spines towards the cores, ``each`` of them at every spine."""

    tree: Tree
    each: int

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on a leaf of the pod, which the draw picks among those that it has room for."""
        tree = self.tree
        copy, spine = divmod(member // self.each, tree.spines * tree.pods)
        return tree.spans(copy, spine // tree.spines * tree.pod_leaves + int(draw * tree.pod_leaves))

    def slowed(self, member: int) -> Slowed:
        """The pod's traffic over its ends."""
        tree = self.tree
        first = member // self.each % (tree.spines * tree.pods) // tree.spines * tree.pod_leaves
        return tree.behind(first, first + tree.pod_leaves, 1 / (self.each * tree.spines))


@dataclass(frozen=True)
class CoreEnds:
    """Ends at the cores: the links of a core, pod by pod, fill one end after the other."""

    tree: Tree
    each: int
    links_per_end: int
    per_copy: int

    def _pod(self, member: int) -> tuple[int, int, int]:
        box, end = divmod(member, self.each)
        first = end * self.links_per_end
        carried = min(self.links_per_end, self.tree.pods * self.tree.per_core - first)
        return box // self.per_copy, first // self.tree.per_core, carried

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators on a leaf of the pod, which the draw picks among those that it has room for."""
        copy, pod, _ = self._pod(member)
        return self.tree.spans(copy, pod * self.tree.pod_leaves + int(draw * self.tree.pod_leaves))

    def slowed(self, member: int) -> Slowed:
        """The part of the pod's links to the cores that the end carries."""
        tree = self.tree
        _, pod, carried = self._pod(member)
        first = pod * tree.pod_leaves
        return tree.behind(first, first + tree.pod_leaves, carried / (tree.spine_up * tree.spines))
