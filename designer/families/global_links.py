"""How the groups of a dragonfly are joined: every group's global ports spread evenly over all other groups."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from designer.network.graph import Ints

MOST_PORTS = 1_000_000
"""Global ports of a group at most: their arrangement is an array."""


def next_group(groups: int, *sizes: int) -> Ints:
    """Permutation of boxes that sends every group to the next one; ``sizes`` are boxes per group, by kind."""
    starts = np.cumsum([0, *(groups * size for size in sizes)])
    kinds = zip(starts, sizes, strict=False)
    return np.concatenate([start + (np.arange(groups * size) + size) % (groups * size) for start, size in kinds])


@dataclass(frozen=True)
class GlobalLinks:
    """Links between ``groups`` groups of ``ports`` global ports each.

    Rule: with ``m = ports // (groups - 1)`` and ``r = ports % (groups - 1)``, every two groups get ``m`` links, and
    those whose numbers differ (modulo ``groups``) by one of ``r`` chosen offsets get one more: offsets 1, 2, ... and
    their complements, for odd ``r`` and an even number of groups also ``groups / 2``. With an odd number of
    groups and an odd ``r`` one link more is laid along alternate steps of the cycle of offset ``(groups - 1) / 2``,
    and one port of one group stays free. Ports of a group are taken in the order: first links to the groups at
    offsets 1, 2, ..., then second links, and so on; consecutive ports belong to one router. With
    ``groups = ports + 1`` this is the relative (circulant) arrangement of Hastings et al., "Comparing Global Link
    Arrangements for Dragonfly Networks", IEEE CLUSTER 2015.

    Examples
    --------
    >>> GlobalLinks(groups=4, ports=4).per_offset().tolist()
    [1, 2, 1]
    >>> GlobalLinks(groups=511, ports=512).links
    130816
    """

    groups: int
    ports: int

    @property
    def links(self) -> int:
        """Links in all: half of the ports, rounded down."""
        return self.groups * self.ports // 2 if self.groups > 1 else 0

    @property
    def every(self) -> int:
        """Links that every two groups have at least."""
        return self.ports // (self.groups - 1)

    @property
    def extra(self) -> int:
        """Ports of a group beyond `every` to each other group."""
        return self.ports % (self.groups - 1)

    @property
    def odd(self) -> bool:
        """Whether one port in all stays free."""
        return self.groups * self.ports % 2 == 1

    def per_offset(self) -> Ints:
        """Links (groups - 1,) between two groups by offset 1, 2, ...; those of the lone cycle are left out."""
        g, extra = self.groups, self.extra
        out = np.full(g - 1, self.every, np.int64)
        near = np.arange(1, extra // 2 + 1)
        out[near - 1] += 1
        out[g - near - 1] += 1
        if extra % 2 and g % 2 == 0:
            out[g // 2 - 1] += 1
        return out

    def port_offsets(self) -> Ints:
        """Offset (ports,) of the group that each port of a group leads to; 0 for the port on the lone cycle."""
        rounds = [np.tile(np.arange(1, self.groups), self.every), self._with_more()]
        return np.concatenate([*rounds, np.zeros(self.ports - rounds[0].size - rounds[1].size, np.int64)])

    def _with_more(self) -> Ints:
        """Offsets, ascending, at which two groups have one link more than `every`; with each its complement."""
        return np.flatnonzero(self.per_offset() > self.every) + 1

    def ends(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Every link as (group, port, other group, other port), each of shape (links,), group < other group."""
        g, offset = self.groups, self.port_offsets()
        seen = np.flatnonzero(offset)
        # The k-th link to the group at offset d is, from over there, the k-th link to the group at offset g - d: the
        # offsets of a turn ascend and are complements of each other, so that the turn backwards gives the far ports.
        turn = np.minimum(seen // (g - 1), self.every)
        size = np.where(turn < self.every, g - 1, self._with_more().size)
        mirror = 2 * turn * (g - 1) + size - 1 - seen
        group = np.repeat(np.arange(g), seen.size)
        other = (group + np.tile(offset[seen], g)) % g
        keep = group < other
        ends = [group[keep], np.tile(seen, g)[keep], other[keep], np.tile(mirror, g)[keep]]
        if self.odd:
            # Offset (g-1)/2 is coprime to g: its steps make one cycle through all groups, of which we take every other.
            cycle = np.arange(g - 1) * ((g - 1) // 2) % g
            low, high = np.minimum(cycle[::2], cycle[1::2]), np.maximum(cycle[::2], cycle[1::2])
            last = np.full(low.size, self.ports - 1)
            ends = [np.concatenate(two) for two in zip(ends, (low, last, high, last), strict=True)]
        return ends[0], ends[1], ends[2], ends[3]

    def shares(self, each: int) -> list[float]:
        """Sum over the ports of one router (``each`` consecutive ones) of 1 / (links between the two groups).

        This is the router's part in the traffic of its group, in group pairs, when every pair of groups spreads its
        traffic evenly over its links. Never too small: the extra link of the lone cycle is not counted on.
        """
        per = np.concatenate([[self.every], self.per_offset()])
        return [float(part) for part in (1.0 / per[self.port_offsets()]).reshape(-1, each).sum(axis=1)]

    def most_per_pair(self) -> float:
        """Links that a pair of groups can use for all-to-all, at most: infinite for one group.

        All-to-all between groups sends over pair i-j at most ``min over y of (sum of lengths * links) / (sum of
        distances)`` (LP duality; Shahrokhi and Matula, "The Maximum Concurrent Flow Problem", J. ACM 1990); length 1
        on pairs with `every` links and ``y`` on pairs with one more, at y = 1 and y = 1/2: a detour takes two links,
        so distances are 1 and y.
        """
        if self.groups == 1:
            return inf
        pairs = self.groups * (self.groups - 1) // 2
        more = self.links - self.every * pairs
        few = pairs - more
        return min((self.every * few + (self.every + 1) * y * more) / (few + y * more) for y in (1.0, 0.5))
