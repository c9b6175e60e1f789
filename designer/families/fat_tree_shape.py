"""What a fat tree's parameters come to: units of every tier, links upward, and endpoints on every leaf.

A unit of the first tier is a leaf, of the second a pod, of the third a block of pods. A unit has ``width`` boxes of
its highest stage; box ``j`` of a unit and box ``j`` of its sister units form a group, which shares ``above`` boxes of
the next stage. The highest stage belongs to a single unit: the copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from designer.families.family import Misfit
from designer.network.graph import Ints

if TYPE_CHECKING:
    from designer.families.fat_tree import FatTree

STAGES = ("leaf", "spine", "core", "top")
MOST_ENDPOINTS = 10_000_000
_HAIR = 1e-9
_T = TypeVar("_T", int, float)


@dataclass(frozen=True, eq=False)
class Boundary:
    """Links between two stages: ``up`` (units,) uplinks of each box of a unit, ``fan`` units under one unit above.

    Where links are not even, ``aligned`` gives the first boxes above one more from every unit; else they go on from
    where those of the unit before end.
    """

    width: int
    up: Ints
    above: int
    fan: int
    gbps: float
    aligned: bool = False

    @property
    def units(self) -> int:
        """Units below the boundary."""
        return int(self.up.size)

    @property
    def even(self) -> bool:
        """Whether a box has as many links to each of the boxes above it."""
        return not (self.up % self.above).any()

    def links(self) -> int:
        """All links of the boundary."""
        return self.width * int(self.up.sum())

    def ports_above(self) -> int:
        """Most ports downward in use on a box above: links dealt out in turn differ by at most one."""
        if self.aligned:
            return int((-(self.up[: self.fan] // -self.above)).sum())
        return ceil(int(self.up[: self.fan].sum()) / self.above)

    def parallel(self) -> Ints:
        """Links (units, above) of a box of each unit to the boxes above it."""
        rest = self.up % self.above
        start = np.zeros_like(rest) if self.aligned else (np.cumsum(rest) - rest) % self.above
        turn = (np.arange(self.above) - start[:, None]) % self.above
        return np.asarray(self.up[:, None] // self.above + (turn < rest[:, None]))


@dataclass(frozen=True, eq=False)
class Shape:
    """A fat tree, counted out: ``on_leaf`` endpoints and ``service`` ports of every leaf, and the boundaries upward."""

    down: int
    on_leaf: Ints
    service: Ints
    boundaries: tuple[Boundary, ...]

    @property
    def endpoints(self) -> int:
        """Endpoints of a copy."""
        return int(self.on_leaf.sum())

    def boxes(self) -> list[int]:
        """Boxes of every stage."""
        below = [boundary.units * boundary.width for boundary in self.boundaries]
        highest = [self.boundaries[-1].width * self.boundaries[-1].above] if self.boundaries else [1]
        return below + highest

    def sizes(self) -> list[Ints]:
        """Endpoints of every unit, for every boundary."""
        return self.gathered(self.on_leaf)

    def gathered(self, of_leaves: Ints) -> list[Ints]:
        """A figure of the leaves summed up over every unit, for every boundary."""
        out, units = [], of_leaves
        for boundary in self.boundaries:
            out.append(units)
            units = np.add.reduceat(units, np.arange(0, units.size, boundary.fan))
        return out


@dataclass(frozen=True)
class _Tier:
    """Ports of a box: ``down``, ``up``, and the units under one unit of the tier (0: as many as there are)."""

    up: int
    above: int
    fan: int


class BlockedError(Exception):
    """Nothing more can be derived after this misfit; never leaves this module."""


def derive(tree: FatTree) -> tuple[Shape | None, list[Misfit]]:
    """Derive the shape of a tree, or say why there is none."""
    try:
        return _Derivation(tree).shape(), []
    except BlockedError as stop:
        return None, list(stop.args)


def _stop(key: str, read: object, allowed: str) -> BlockedError:
    return BlockedError(Misfit(key, str(read), allowed))


class _Derivation:
    """From the leaf upward, then how many leaves are needed or fit, then the links at the top."""

    def __init__(self, tree: FatTree) -> None:
        self.tree = tree
        self.stages = tree.stages
        self.radix = self._per_stage("radix", tree.radix, tree.stages)
        uplinks = tree.port_gbps if tree.uplink_gbps is None else tree.uplink_gbps
        self.gbps = (tree.port_gbps, *self._per_stage("uplink_gbps", uplinks, tree.stages - 1))
        self.taper = self._per_stage("taper", tree.taper, tree.stages - 1)

    @staticmethod
    def _per_stage(key: str, value: _T | tuple[_T, ...], count: int) -> tuple[_T, ...]:
        if not isinstance(value, tuple):
            return (value,) * count
        if len(value) != count:
            raise _stop(key, list(value), f"one figure, or {count}: from the leaf upward")
        return value

    def shape(self) -> Shape:
        down, up = self._leaf()
        if self.stages == 1:
            self._hosts_fit(down)
            on_leaf, service = self._attached(down, 1)
            return Shape(down, on_leaf, service, ())
        if self.tree.striping == "podless":
            return self._podless(down, up)
        tiers = []
        for i in range(1, self.stages - 1):
            tier, up = self._middle(i, up)
            tiers.append(tier)
        self._hosts_fit(down)
        leaves = self._leaves(down, prod(tier.fan for tier in tiers) * self._most_units(up))
        boundaries, units, width = [], leaves, 1
        for i, tier in enumerate(tiers):
            boundaries.append(Boundary(width, np.full(units, tier.up), tier.above, tier.fan, self.gbps[i + 1]))
            units, width = ceil(units / tier.fan), width * tier.above
        above = self._top(units, up, down * prod(tier.fan for tier in tiers))
        aligned = self.tree.striping == "aligned"
        boundaries.append(Boundary(width, np.full(units, up), above, units, self.gbps[-1], aligned))
        return Shape(down, *self._attached(down, leaves), tuple(boundaries))

    def _width(self, i: int) -> float:
        """Ports of stage ``i`` that one of its uplinks takes: the radix counts ports of the rate below the stage."""
        return max(1.0, self.gbps[i + 1] / self.gbps[i])

    def _needed_up(self, i: int, down: int) -> int:
        return max(1, ceil(down * self.gbps[i] / (self.taper[i] * self.gbps[i + 1]) - _HAIR))

    def _split(self, i: int, ports: int) -> tuple[int, int]:
        """Most ports down that leave enough for the uplinks the taper asks for, and these uplinks."""
        width = self._width(i)
        per_port = self.gbps[i] / (self.taper[i] * self.gbps[i + 1]) * width
        down = int(ports / (1 + per_port)) + 1
        while down > 0 and down + ceil(self._needed_up(i, down) * width - _HAIR) > ports:
            down -= 1
        return down, self._needed_up(i, max(down, 1))

    def _leaf(self) -> tuple[int, int]:
        tree, ports = self.tree, self.radix[0] - self.tree.spare_ports
        if self.stages == 1:
            down, up, width = tree.down or ports, 0, 1.0
        else:
            width = self._width(0)
            if tree.down is None and tree.up is None:
                down, up = self._split(0, ports)
            elif tree.down is None:
                up = tree.up or 0
                down = ports - ceil(up * width - _HAIR)
            else:
                down = tree.down
                up = tree.up or self._needed_up(0, down)
        used = down + ceil(up * width - _HAIR) + tree.spare_ports
        if down < 1 or used > self.radix[0]:
            read = f"{down} down + {up} up + {tree.spare_ports} spare"
            raise _stop("down", read, f"at least 1 down, and ports that fit the leaf's radix, {self.radix[0]}")
        return down, up

    def _spread(self, key: str, up: int) -> int:
        """Boxes above one box below the highest boundary: as many as uplinks unless stated."""
        stated = getattr(self.tree, key)
        above: int = up if stated is None else stated
        if up % above:
            raise _stop(key, above, f"a divisor of the uplinks of a box below, {up}: each has as many to every one")
        return above

    def _middle(self, i: int, up: int) -> tuple[_Tier, int]:
        """Tier ``i`` (from 1): boxes above, units under them, and the uplinks of the boxes above."""
        tree, stage = self.tree, STAGES[i]
        above_key, fan_key, up_key = (
            ("spines_per_pod", "leaves_per_pod", "spine_up")
            if i == 1
            else ("cores_per_group", "pods_per_block", "core_up")
        )
        above = self._spread(above_key, up)
        each, width, ports = up // above, self._width(i), self.radix[i]
        fan, upper = getattr(tree, fan_key), getattr(tree, up_key)
        if fan is not None:
            upper = upper or self._needed_up(i, fan * each)
        else:
            if upper is None:
                down, _ = self._split(i, ports)
            else:
                down = ports - ceil(upper * width - _HAIR)
            fan = max(0, down) // each
            if i == 1 and tree.rail_optimised:
                fan -= fan % tree.per_host
            upper = upper or self._needed_up(i, max(1, fan * each))
        if fan < 1 or fan * each + ceil(upper * width - _HAIR) > ports:
            read = f"{fan} with {each} links to each {stage} and {upper} uplinks of it"
            raise _stop(fan_key, read, f"at least 1, and ports that fit the {stage}'s radix, {ports}")
        if i == 1 and tree.rail_optimised and fan % tree.per_host:
            raise _stop(fan_key, fan, f"a multiple of per_host, {tree.per_host}: rail groups stay in one pod")
        return _Tier(up, above, fan), upper

    def _top_key(self) -> str:
        return {2: "spines_per_pod", 3: "cores_per_group", 4: "tops_per_group"}[self.stages]

    def _most_units(self, up: int) -> int:
        """Most units that the highest stage can join."""
        stated = getattr(self.tree, self._top_key())
        above: int = up if stated is None else stated
        if self.tree.striping == "spread":
            return self.radix[-1] * above // up
        return self.radix[-1] // max(1, ceil(up / above))

    def _top(self, units: int, up: int, per_unit: int) -> int:
        """Boxes of the highest stage in each group."""
        key, ports = self._top_key(), self.radix[-1]
        stated: int | None = getattr(self.tree, key)
        if self.tree.striping == "spread":
            above = stated or ceil(units * up / ports)
            if above > up:
                raise _stop(key, above, f"at most the uplinks of a box below, {up}: it must reach all of them")
            fits = units * up <= above * ports
        elif self.tree.striping == "aligned":
            above = stated or ceil(up / max(1, ports // units))
            if above > up:
                raise _stop(key, above, f"at most the uplinks of a box below, {up}: it must reach all of them")
            fits = units * ceil(up / above) <= ports
        elif stated is not None:
            above = self._spread(key, up)
            fits = units * (up // above) <= ports
        else:
            fitting = [g for g in range(1, up + 1) if up % g == 0 and units * (up // g) <= ports]
            above, fits = (fitting[0], True) if fitting else (up, False)
        if not fits:
            most = self._most_units(up) * per_unit * self.tree.rail_copies
            if stated is not None and units <= ports:
                raise _stop(key, above, f"enough boxes for {units * up} links of a group with {ports} ports each")
            raise _stop("endpoints", self.tree.endpoints, f'at most {most} with this radix and these stages, or "max"')
        return above

    def _hosts_fit(self, down: int) -> None:
        tree = self.tree
        if tree.hosts_per_group is not None and tree.hosts_per_group > down:
            raise _stop("hosts_per_group", tree.hosts_per_group, f"at most the leaf's ports down, {down}")

    def _group(self, down: int) -> tuple[int, int]:
        """Leaves filled together, and endpoints on them when full."""
        if not self.tree.rail_optimised:
            return 1, down
        return self.tree.per_host, self.tree.per_host * (self.tree.hosts_per_group or down)

    def _room(self, down: int) -> int:
        """Endpoints and service ports of a copy that must find a place, or -1 for as many as there are."""
        tree = self.tree
        return -1 if tree.endpoints == "max" else tree.endpoints // tree.rail_copies + tree.service_ports

    def _leaves(self, down: int, most: int) -> int:
        leaves, full = self._group(down)
        room = self._room(down)
        groups = most // leaves if room < 0 else ceil(room / full)
        if groups < 1:
            raise _stop("radix", list(self.radix), f"enough ports for a group of {leaves} leaves")
        if groups * full > MOST_ENDPOINTS:
            raise _stop(
                "endpoints", self.tree.endpoints, f"at most {MOST_ENDPOINTS} in a copy: {groups * full} would fit"
            )
        return groups * leaves

    def _attached(self, down: int, leaves: int) -> tuple[Ints, Ints]:
        """Endpoints and service ports of every leaf: filled one after the other, service ports where room is left."""
        tree = self.tree
        together, full = self._group(down)
        groups = leaves // together
        if tree.endpoints == "max":
            wanted = groups * full - tree.service_ports
            wanted -= wanted % tree.per_host
        else:
            wanted = tree.endpoints // tree.rail_copies
        hosts_or_ends, per_group = wanted // together, full // together
        in_group = np.clip(hosts_or_ends - np.arange(groups) * per_group, 0, per_group)
        on_leaf = np.repeat(in_group, together)
        free = down - on_leaf
        if wanted < 2 or int(on_leaf.sum()) != wanted or int(free.sum()) < tree.service_ports:
            read = f"{max(wanted, 0)} and {tree.service_ports} service ports"
            raise _stop(
                "endpoints", read, f"from 2 to {groups * full} in a copy, with the service ports, on {leaves} leaves"
            )
        return on_leaf, _poured(free, tree.service_ports)

    def _podless(self, down: int, up: int) -> Shape:
        """Links of each stage dealt out in turn to just enough boxes above, without pods."""
        if self.tree.endpoints == "max":
            raise _stop("endpoints", "max", 'a number with striping = "podless", which has no largest size')
        self._hosts_fit(down)
        leaves = self._leaves(down, 0)
        spine_down, _ = self._split(1, self.radix[1])
        spines = ceil(leaves * up / max(1, spine_down))
        if spine_down < 1 or up < 2 or spines < 2:
            raise _stop("up", up, "at least 2 uplinks of a leaf, to at least 2 spines that have ports down and up")
        lower = Boundary(1, np.full(leaves, up), spines, leaves, self.gbps[1])
        held = lower.parallel().sum(axis=0)
        raised = np.array([self._needed_up(1, int(ports)) for ports in held])
        cores = ceil(int(raised.sum()) / self.radix[2])
        upper = Boundary(1, raised, cores, spines, self.gbps[2])
        return Shape(down, *self._attached(down, leaves), (lower, upper))


def _poured(free: Ints, ports: int) -> Ints:
    """Ports on leaves: one after the other where most are free, the last leaves first."""
    level = int(free.max())
    while level > 0 and int(np.maximum(free - level + 1, 0).sum()) <= ports:
        level -= 1
    out = np.maximum(free - level, 0)
    rest = ports - int(out.sum())
    at_level = np.flatnonzero(free >= level)[::-1] if level > 0 else np.array([], np.int64)
    out[at_level[:rest]] += 1
    return np.asarray(out)
