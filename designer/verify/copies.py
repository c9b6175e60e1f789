"""Rails and planes: the equal copies of the fabric that share no switch (section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from designer.design.types import Fabric
from designer.instance.schema import Instance
from designer.verify.findings import Findings, UncountableError
from designer.verify.pools import PoolCount


@dataclass(frozen=True)
class Copies:
    """``rails`` x ``planes`` copies: a rail serves a share of every host, a plane a share of every NIC."""

    rails: int
    planes: int

    @property
    def total(self) -> int:
        """Copies in all."""
        return self.rails * self.planes

    def port_gbps(self, pool: PoolCount) -> Fraction:
        """Rate of one port of a pool's NICs."""
        return pool.parts.nic.rate_gbps / self.planes


def check_copies(found: Findings, place: str, fabric: Fabric, pools: Sequence[PoolCount], instance: Instance) -> Copies:
    """Check that hosts, NICs and domains of the pools on a fabric bear its rails and planes."""
    choose = instance.choose
    rails, planes = fabric.rails, fabric.planes
    counted = rails >= 1 and planes >= 1
    if not found.holds("whole_numbers", place, counted, (rails, planes), "at least 1", "rails and planes"):
        raise UncountableError(place)
    pin = instance.pin
    for rule, number, allowed in (
        ("rails", rails, choose.scale_out_rails if pin.rails is None else (pin.rails,)),
        ("nic_planes", planes, choose.scale_out_planes if pin.planes is None else (pin.planes,)),
    ):
        listed = ", ".join(map(str, allowed)) or "none"
        found.holds(rule, place, number in allowed, number, listed, "copies of the fabric to choose from")
    copies = Copies(rails, planes)
    even = [_rails(found, pool, rails) for pool in pools]
    for pool in pools:
        _planes(found, pool, copies)
    if not all(even):
        raise UncountableError(place)
    return copies


def _rails(found: Findings, pool: PoolCount, rails: int) -> bool:
    place, per_host = f"pool {pool.name}, rails", pool.parts.accelerator.per_host
    if not found.holds("rails_host", place, per_host % rails == 0, rails, f"a divisor of {per_host}", "equal rails"):
        return False
    if rails > 1:
        # Traffic to another rail goes through the accelerator of the same host or domain that is on it.
        # Without switches only some of the links lead there: judged as the all-to-all that fills every link.
        direct = pool.domain.kind in ("mesh", "torus")
        carried = pool.scale_up_need + (1 - Fraction(1, pool.size if direct else rails)) * pool.leaving
        most = pool.domain.carries
        what = "Gb/s inside the domain with the traffic forwarded to other rails"
        found.holds("rails_room", place, carried <= most, carried, f"at most {float(pool.domain.usable)}", what)
    return True


def _planes(found: Findings, pool: PoolCount, copies: Copies) -> None:
    place, nic, planes = f"pool {pool.name}, planes", pool.parts.nic, copies.planes
    options = ", ".join(map(str, sorted(nic.plane_options)))
    found.holds("plane_option", place, planes in nic.plane_options, planes, options, f"ports of {nic.id}")
    if planes > 1:
        rate = copies.port_gbps(pool)
        lanes = rate.denominator == 1 and any(rate % lane == 0 for lane in nic.lanes)
        listed = ", ".join(str(float(lane)) for lane in sorted(nic.lanes))
        found.holds("plane_rate", place, lanes, rate, f"whole, a multiple of one of {listed}", "Gb/s of a NIC's port")
