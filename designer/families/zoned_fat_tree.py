"""Fat trees side by side, joined by a few switches at their leaves: the two zones of Fire-Flyer AI-HPC (SC 2024)."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from designer.families.clos_capacity import Cut, all_reduce_bound, all_to_all_bound, crossing, permutation_bound
from designer.families.family import BundleCount, Family, Misfit, Rate, StageCount, Structure
from designer.families.fat_tree import FatTree
from designer.families.single_stage import Count
from designer.network.graph import NOWHERE, Bundle, Ints, Kind, Network

_SOURCE = (
    "from a routing that spreads crossing traffic evenly over the links to the joining switches, to the cuts above the "
    "groups of each tier and around the zones (Leiserson, Fat-trees, IEEE ToC 1985)"
)


class ZonedFatTree(Family):
    """Equal fat trees (zones), and joining switches that take ports of their leaves.

    Parameters
    ----------
    zone
        One zone, with one plane and rail; its ``service_ports`` are the ports that lead to the joining switches.
    zones
        Zones, at least 2.
    joints, joint_radix
        Joining switches, dealt the service ports of every zone evenly, and ports of one.

    Examples
    --------
    >>> zone = FatTree(endpoints=780, stages=2, radix=40, port_gbps=200.0, service_ports=20)
    >>> ZonedFatTree(zone=zone, zones=2, joints=2, joint_radix=40).structure().switches()
    122
    """

    family: Literal["zoned_fat_tree"] = "zoned_fat_tree"
    zone: FatTree
    zones: Annotated[int, Field(ge=2, le=10_000)]
    joints: Count
    joint_radix: Count

    def misfits(self) -> list[Misfit]:
        """What does not fit in a zone, no ports to the joining switches, or more than their radix."""
        zone = self.zone
        out = [Misfit(f"zone.{found.key}", found.read, found.allowed) for found in zone.misfits()]
        for key, value in (("planes", zone.planes), ("rails", zone.rails)):
            if value > 1:
                out.append(Misfit(f"zone.{key}", str(value), "1: zones are joined in one network"))
        if zone.stages == 1 or zone.striping != "even":
            out.append(Misfit("zone", f"{zone.stages} stages, {zone.striping}", 'at least 2 stages, striping = "even"'))
        if not zone.service_ports or zone.service_ports % self.joints:
            allowed = f"a multiple of joints, {self.joints}: links of a zone to the joining switches"
            out.append(Misfit("zone.service_ports", str(zone.service_ports), allowed))
        need = self.zones * zone.service_ports // self.joints
        if need > self.joint_radix:
            out.append(Misfit("joint_radix", str(self.joint_radix), f"at least {need}: the links of all zones"))
        return out

    def structure(self) -> Structure:
        """One copy, which holds all zones."""
        inner, z = self.zone.structure(), self.zones
        n, links = inner.endpoints, z * self.zone.service_ports
        ports = links // self.joints
        stages = [
            StageCount(s.name, z * s.boxes, s.ports, group)
            for s, group in zip(inner.stages, self._groups(), strict=True)
        ]
        stages.append(StageCount("joint", self.joints, ports, z * n if self.joints == 1 else 0))
        bundles = [
            BundleCount("leaf-joint", "leaf", "joint", links, b.rate_gbps)
            if b.name == "service-leaf"
            else BundleCount(b.name, b.lower, b.upper, z * b.links, b.rate_gbps)
            for b in inner.bundles
        ]
        return Structure(z * n, z * n, 1, tuple(stages), tuple(bundles), self._capacity())

    def _groups(self) -> list[int]:
        """Endpoints cut off while a box of each stage of a zone is out; units with joining links go around over them.

        The whole zone counts where all its joining links are gone.
        """
        shape, n = self.zone.shape, self.zone.shape.endpoints
        sizes = [*shape.sizes(), np.array([n])]
        service = [*shape.gathered(shape.service), np.array([self.zone.service_ports])]
        out = [n if int(service[0].max()) == self.zone.service_ports else int(sizes[0].max())]
        for i, edge in enumerate(shape.boundaries):
            if edge.width * edge.above > 1:
                out.append(0)
                continue
            without = np.add.reduceat(np.where(service[i] == 0, sizes[i], 0), np.arange(0, edge.units, edge.fan))
            key = (service[i + 1] == self.zone.service_ports) & (sizes[i + 1] < n)
            out.append(n if key.any() else int(without.max()))
        return out

    def _capacity(self) -> dict[str, Rate]:
        """Between what spreading evenly over the joining links reaches, and the cuts.

        Traffic of a zone to the others, X, leaves over leaf ``j`` in proportion to its joining links, ``f_j``: a unit's
        uplinks carry what its own endpoints send beyond the unit and ``f_j * X`` on its way out or in.
        """
        shape, zone, total = self.zone.shape, self.zone, self.zones * self.zone.shape.endpoints
        n, gbps, out = shape.endpoints, zone.port_gbps, zone.service_ports * zone.port_gbps
        passing = [units / zone.service_ports for units in shape.gathered(shape.service)]
        # A unit with joining links reaches the others over these, too.
        cuts = [Cut(cut.sizes, cut.gbps + share * out) for cut, share in zip(zone.cuts(shape), passing, strict=True)]
        cuts.append(Cut.equal([n], out))
        most = {
            "all_to_all": all_to_all_bound(total, gbps, cuts),
            "permutation": permutation_bound(total, gbps, cuts),
            "all_reduce": all_reduce_bound(total, gbps, cuts),
        }
        crossed = {
            "all_to_all": n * (total - n) / (total - 1),
            "permutation": float(crossing(np.array([n]), total)[0]),
            "all_reduce": 1.0,
        }
        least = {key: min(gbps, out / crossed[key]) for key in most}
        for cut, share in zip(zone.cuts(shape), passing, strict=True):
            own = {
                "all_to_all": cut.sizes * (total - cut.sizes) / (total - 1),
                "permutation": crossing(cut.sizes, total),
                "all_reduce": np.minimum(cut.sizes, 1),
            }
            for key, sent in own.items():
                load = sent + share * crossed[key]
                least[key] = min(least[key], float((cut.gbps[load > 0] / load[load > 0]).min()))
        return {key: Rate(min(least[key], most[key]), most[key], _SOURCE) for key in most}

    def network(self) -> Network:
        """All zones, kind by kind: boxes of the first zone come first; the service ports become links of the joints."""
        one, z = self.zone.network(), self.zones
        kept = [kind for kind in one.kinds if kind.name != "service"]
        counts = [kind.count for kind in kept]
        first = np.concatenate([[0], np.cumsum(counts)])
        body = int(first[-1])
        kind_of = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(body) - first[kind_of]

        def moved(box: Ints, zone: int) -> Ints:
            """Number of a zone's box in the whole: a service port becomes the joint it leads to."""
            inside = np.minimum(box, body - 1)
            at = z * first[kind_of[inside]] + zone * np.asarray(counts)[kind_of[inside]] + place[inside]
            return np.asarray(np.where(box < body, at, z * body + (box - body) % self.joints))

        rows = [(moved(one.lower, i), moved(one.upper, i), one.links, one.bundle) for i in range(z)]
        lower, upper, links, bundle = (np.concatenate(column) for column in zip(*rows, strict=True))
        block = np.full(z * body + self.joints, NOWHERE)
        step = int(one.block.max()) + 1
        for i in range(z):
            found = one.block[:body]
            block[moved(np.arange(body), i)] = np.where(found == NOWHERE, NOWHERE, found + i * step)
        # The joints stand above the leaves. Several service ports of a leaf may lead to one joint: a pair is one row.
        lower, upper = np.where(lower >= z * body, upper, lower), np.where(lower >= z * body, lower, upper)
        pairs, inverse = np.unique(np.stack([bundle, lower, upper]), axis=1, return_inverse=True)
        return Network(
            (*(Kind(kind.name, z * kind.count) for kind in kept), Kind("joint", self.joints)),
            tuple(Bundle("leaf-joint" if b.name == "service-leaf" else b.name, b.rate_gbps) for b in one.bundles),
            lower=pairs[1],
            upper=pairs[2],
            links=np.bincount(inverse.ravel(), weights=links).astype(np.int64),
            bundle=pairs[0],
            block=block,
        )
