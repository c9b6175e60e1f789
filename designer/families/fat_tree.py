"""Fat trees (folded Clos networks) of one to four stages, in pods as docs/rules.md section 7 builds them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from designer.families.clos_capacity import (
    Cut,
    all_reduce_bound,
    all_to_all_bound,
    exact_capacity,
    permutation_bound,
)
from designer.families.family import BundleCount, Family, Misfit, Rate, StageCount, Structure
from designer.families.fat_tree_build import built
from designer.families.fat_tree_shape import MOST_ENDPOINTS, STAGES, Boundary, Shape, derive
from designer.families.fat_tree_symmetry import generators
from designer.families.single_stage import Gbps
from designer.families.uneven import Loads, for_each_other, one_boundary, two_boundaries
from designer.network.graph import Ints, Network

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Taper = Annotated[float, Field(ge=0.001, le=1000, allow_inf_nan=False)]
Striping = Literal["even", "spread", "aligned", "podless"]

_MOST_PODLESS_LEAVES = 1024
_UNEVEN = (
    "from a routing in proportion to paths (worst link, as Towles and Dally, SPAA 2002) to the cuts above the groups "
    "of each tier (Leiserson, Fat-trees, IEEE ToC 1985)"
)


class FatTree(Family):
    """Leaf, spine, core and top switches; endpoints at the leaves.

    Parameters
    ----------
    endpoints
        Endpoints of all copies together (with rails, each copy holds its share), or "max": as many as the radix takes.
    stages
        1 to 4.
    radix
        Ports of a switch, one figure or one per stage, counted at the rate of the links below the stage: a faster
        uplink takes up as many as its rate is times that.
    port_gbps, uplink_gbps
        Gb/s of an endpoint's port, and of the uplinks, one figure or one per boundary (that of the port if left out).
    taper
        Gb/s down over Gb/s up, one figure or one per stage below the highest: decides ports that are not stated.
    down, up
        Ports of a leaf to endpoints and to spines.
    spine_up, core_up
        Uplinks of a spine (3 stages or more) and of a core (4 stages).
    spines_per_pod, cores_per_group, tops_per_group
        Boxes that one box of the stage below is joined to. If left out: one link to each below the highest boundary,
        and the fewest boxes that fit at the highest.
    leaves_per_pod, pods_per_block
        Leaves of a pod (3 stages or more), pods of a block (4 stages). If left out: as many as the radix takes.
    striping
        "even": as many links to every box above. "spread": at the highest boundary they may differ by one, dealt out in
        turn. "aligned": they may differ by one there, and the boxes above that get one more get it from every box
        below, so that all bear alike what is sent in proportion to links. "podless" (3 stages): links of each stage
        are dealt out in turn to just enough boxes above.
    planes
        Copies, a port of every endpoint on each.
    rails, rails_per_switch
        The endpoints are split among `rails`; so many rails share the switches of a copy.
    per_host
        Endpoints of a host in a copy: "max" takes whole hosts.
    rail_optimised, hosts_per_group
        The i-th endpoints of `hosts_per_group` hosts (if left out: as many as a leaf has ports down) share a leaf.
    spare_ports
        Ports of every leaf that stay free.
    service_ports
        Ports in a copy, at leaves with room, that management uses; counted as bundle service-leaf.

    Examples
    --------
    >>> s = FatTree(endpoints="max", stages=3, radix=64, port_gbps=400.0).structure()
    >>> s.endpoints, s.switches(), s.bundle("leaf-spine").links + s.bundle("spine-core").links
    (65536, 5120, 131072)
    """

    family: Literal["fat_tree"] = "fat_tree"
    endpoints: Annotated[int, Field(ge=2, le=MOST_ENDPOINTS)] | Literal["max"]
    stages: Annotated[int, Field(ge=1, le=4)]
    radix: Count | Annotated[tuple[Count, ...], Field(min_length=1, max_length=4)]
    port_gbps: Gbps
    uplink_gbps: Gbps | Annotated[tuple[Gbps, ...], Field(min_length=1, max_length=3)] | None = None
    taper: Taper | Annotated[tuple[Taper, ...], Field(min_length=1, max_length=3)] = 1.0
    down: Count | None = None
    up: Count | None = None
    spine_up: Count | None = None
    core_up: Count | None = None
    spines_per_pod: Count | None = None
    cores_per_group: Count | None = None
    tops_per_group: Count | None = None
    leaves_per_pod: Count | None = None
    pods_per_block: Count | None = None
    striping: Striping = "even"
    planes: Count = 1
    rails: Count = 1
    rails_per_switch: Count = 1
    per_host: Count = 1
    rail_optimised: bool = False
    hosts_per_group: Count | None = None
    spare_ports: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    service_ports: Annotated[int, Field(ge=0, le=1_000_000)] = 0

    @property
    def rail_copies(self) -> int:
        """Copies that split the endpoints among them."""
        return self.rails // self.rails_per_switch

    def misfits(self) -> list[Misfit]:
        """Keys that do not belong to these stages, parts that do not divide, ports that do not fit the radix."""
        found = self._out_of_place() + self._indivisible()
        if found:
            return found
        shape, found = self._derived
        if shape is None:
            return found
        if self.striping == "podless":
            leaves = shape.on_leaf.size
            if leaves > _MOST_PODLESS_LEAVES:
                found.append(Misfit("striping", "podless", f"at most {_MOST_PODLESS_LEAVES} leaves, here {leaves}"))
            elif self._podless_loads is None:
                found.append(Misfit("up", str(self.up), "more uplinks: some leaves have no core in common"))
        return found

    def _out_of_place(self) -> list[Misfit]:
        least = {
            "up": 2, "taper": 2, "uplink_gbps": 2, "spines_per_pod": 2, "rail_optimised": 2,
            "leaves_per_pod": 3, "spine_up": 3, "cores_per_group": 3,
            "pods_per_block": 4, "core_up": 4, "tops_per_group": 4,
        }  # fmt: skip
        out = [
            Misfit(key, str(getattr(self, key)), f"left out with fewer than {stages} stages")
            for key, stages in least.items()
            if self.stages < stages and getattr(self, key) != type(self).model_fields[key].default
        ]
        if self.striping == "podless":
            if self.stages != 3:
                out.append(Misfit("stages", str(self.stages), '3 with striping = "podless"'))
            keys = ("spines_per_pod", "cores_per_group", "leaves_per_pod", "spine_up", "rail_optimised")
            out += [
                Misfit(key, str(getattr(self, key)), 'left out with striping = "podless"')
                for key in keys
                if getattr(self, key)
            ]
        elif self.striping != "even" and self.stages == 1:
            out.append(Misfit("striping", self.striping, '"even" with one stage'))
        if self.hosts_per_group is not None and not self.rail_optimised:
            out.append(Misfit("hosts_per_group", str(self.hosts_per_group), "left out unless rail_optimised"))
        return out

    def _indivisible(self) -> list[Misfit]:
        out = []
        if self.rails % self.rails_per_switch:
            out.append(Misfit("rails_per_switch", str(self.rails_per_switch), f"a divisor of rails, {self.rails}"))
        elif self.endpoints != "max":
            parts = self.rail_copies * (self.per_host if self.rail_optimised else 1)
            if self.endpoints % parts:
                allowed = f"a multiple of {parts}: every copy holds as many, hosts are whole"
                out.append(Misfit("endpoints", str(self.endpoints), allowed))
        if self.rail_optimised and self.per_host == 1:
            out.append(
                Misfit("per_host", "1", "at least 2 with rail_optimised: endpoints of a host on different leaves")
            )
        return out

    @cached_property
    def _derived(self) -> tuple[Shape | None, list[Misfit]]:
        return derive(self)

    @cached_property
    def shape(self) -> Shape:
        """The tree counted out.

        Raises
        ------
        ValueError
            When something does not fit: ask `misfits` first.
        """
        shape, found = self._derived
        if shape is None:
            raise ValueError(f"{found[0].key} = {found[0].read}: {found[0].allowed}")
        return shape

    def structure(self) -> Structure:
        """Counts of one copy; planes times groups of rails are the copies."""
        shape = self.shape
        bundles = [BundleCount("endpoint-leaf", "endpoint", "leaf", shape.endpoints, self.port_gbps)]
        if self.service_ports:
            bundles.append(BundleCount("service-leaf", "service", "leaf", self.service_ports, self.port_gbps))
        for lower, upper, edge in zip(STAGES, STAGES[1:], shape.boundaries, strict=False):
            bundles.append(BundleCount(f"{lower}-{upper}", lower, upper, edge.links(), edge.gbps))
        return Structure(
            endpoints=shape.endpoints * self.rail_copies,
            endpoints_per_copy=shape.endpoints,
            copies=self.planes * self.rail_copies,
            stages=tuple(self._stage_counts(shape)),
            bundles=tuple(bundles),
            capacity=self._capacity(shape),
        )

    @staticmethod
    def _stage_counts(shape: Shape) -> list[StageCount]:
        """A leaf takes its endpoints with it; a box further up only where it is the only way out of the units below."""
        down = [int((shape.on_leaf + shape.service).max()), *(edge.ports_above() for edge in shape.boundaries)]
        up = [*(int(edge.up.max()) for edge in shape.boundaries), 0]
        lone = [int(shape.on_leaf.max())]
        sizes = [*shape.sizes(), np.array([shape.endpoints])]
        for edge, below, held in zip(shape.boundaries, sizes, sizes[1:], strict=False):
            apart = int(below.max()) < shape.endpoints
            lone.append(int(held.max()) if edge.width * edge.above == 1 and apart else 0)
        return [
            StageCount(name, boxes, down[i] + up[i], lone[i])
            for i, (name, boxes) in enumerate(zip(STAGES, shape.boxes(), strict=False))
        ]

    def cuts(self, shape: Shape) -> list[Cut]:
        """What each unit of every tier has upward, in one copy."""
        return [
            Cut(held, np.asarray(edge.width * edge.up * edge.gbps, np.float64))
            for held, edge in zip(shape.sizes(), shape.boundaries, strict=True)
            if self.striping != "podless" or edge is shape.boundaries[0]
        ]

    def _capacity(self, shape: Shape) -> dict[str, Rate]:
        note = (
            "" if self.rail_copies == 1 else "; among the endpoints of one copy: other rails are reached inside hosts"
        )
        cuts = self.cuts(shape)
        if all(edge.even or edge.aligned for edge in shape.boundaries) and self.striping != "podless":
            return exact_capacity(shape.endpoints, self.port_gbps, cuts, self.planes, note)
        if self.striping == "podless":
            sure, loads = cuts[:0], self._podless_loads
            if loads is None:
                raise ValueError(f"up = {self.up}: some leaves have no core in common")
        else:
            sure, loads = cuts[:-1], self._spread_loads(shape, shape.boundaries[-1])
        return _between(shape.endpoints, self.port_gbps, (sure, cuts), loads, self.planes, note)

    def direct_gbps(self) -> float:
        """Gb/s per endpoint, over all planes, that any two units below the highest stage have for each other.

        Over ways straight up and down again, as trees are routed: of uplinks to boxes where the other unit has fewer,
        only as many count. With even striping that is what permutations get.

        Raises
        ------
        ValueError
            With striping "podless", where ways of several lengths join two leaves.
        """
        if self.striping == "podless":
            raise ValueError("podless: leaves are joined over spines and over cores")
        shape = self.shape
        if not shape.boundaries:
            return self.planes * self.port_gbps
        edge = shape.boundaries[-1]
        links = for_each_other(shape.sizes()[-1], edge.parallel())
        below = permutation_bound(shape.endpoints, self.port_gbps, self.cuts(shape)[:-1])
        return self.planes * min(below, links * edge.width * edge.gbps)

    @staticmethod
    def _spread_loads(shape: Shape, edge: Boundary) -> Loads:
        """Every box of a unit is in a group of its own and takes an equal part of the unit's traffic."""
        held = shape.sizes()[-1]
        some = (held > 0) & (held < shape.endpoints)
        if not some.any():
            return Loads(0.0, 0.0, 0.0)
        loads = one_boundary(held, edge.parallel(), shape.endpoints)
        scale = 1.0 / (edge.width * edge.gbps)
        return Loads(loads.all_to_all * scale, loads.permutation * scale, loads.all_reduce * scale)

    @cached_property
    def _podless_loads(self) -> Loads | None:
        shape = self.shape
        lower, upper = shape.boundaries
        rates = (lower.gbps, upper.gbps)
        return two_boundaries(shape.on_leaf, lower.parallel(), upper.parallel(), shape.endpoints, rates)

    def network(self) -> Network:
        """One copy. Blocks: rail groups or leaves with their endpoints, or whole pods with 3 stages or more."""
        return built(self.shape, self.port_gbps, per_host=self._spread_hosts)

    def symmetries(self) -> list[Ints]:
        """Like units and like boxes changed round; none are stated for uneven links and service ports."""
        return [] if self.striping == "podless" else generators(self.shape, per_host=self._spread_hosts)

    @property
    def _spread_hosts(self) -> int:
        """Endpoints of a host that are on different leaves of a rail group."""
        return self.per_host if self.rail_optimised else 1


def _between(
    endpoints: int, gbps: float, cuts: tuple[Sequence[Cut], Sequence[Cut]], loads: Loads, copies: int, note: str
) -> dict[str, Rate]:
    """Rates from what the loads allow beside the cuts that even splitting reaches (first) to all cuts (second)."""
    bounds = {"all_to_all": all_to_all_bound, "permutation": permutation_bound, "all_reduce": all_reduce_bound}
    out = {}
    for key, bound in bounds.items():
        load: float = getattr(loads, key)
        least = min(bound(endpoints, gbps, cuts[0]), 1.0 / load if load > 0 else gbps)
        most = bound(endpoints, gbps, cuts[1])
        # A routing that reaches the cut proves it; the two then differ by rounding alone.
        least = most if least >= most * (1 - 1e-12) else least
        out[key] = Rate(copies * least, copies * most, _UNEVEN + note)
    return out
