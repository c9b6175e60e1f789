"""Racks and the cable lengths that follow from them (section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from designer.verify.exact import ratio_down, ratio_up
from designer.verify.rows import AcceleratorRow, SiteRow


@dataclass(frozen=True)
class Racks:
    """How hosts and domains share racks.

    Examples
    --------
    Domains of 18 hosts, 18 hosts to a rack: one rack each. Domains of 2 hosts: nine share a rack.

    >>> Racks(hosts_per_rack=18, hosts_per_domain=18).of(5)
    5
    >>> Racks(hosts_per_rack=18, hosts_per_domain=2).of(10)
    2
    """

    hosts_per_rack: int
    hosts_per_domain: int

    @property
    def per_domain(self) -> int:
        """Racks that one domain reaches into."""
        return ratio_up(self.hosts_per_domain, self.hosts_per_rack)

    def of(self, domains: int) -> int:
        """Count the racks of a number of domains."""
        if self.per_domain > 1:
            return domains * self.per_domain
        return ratio_up(domains, self.hosts_per_rack // self.hosts_per_domain)


def hosts_per_rack(accelerator: AcceleratorRow, watts_in_rack: Fraction) -> int:
    """Count the hosts that a rack's power and places allow; ``watts_in_rack`` is per accelerator."""
    by_power = ratio_down(accelerator.rack_watts, accelerator.per_host * watts_in_rack)
    return min(by_power, accelerator.rack_places // accelerator.per_host)


def scale_up_length(site: SiteRow, boundary: str, racks: int, *, on_board: bool = False) -> Fraction:
    """Length of scale-up cables between boxes that stand in so many racks.

    ``boundary`` is "scale_up", over the racks of the accelerators behind one switch, or "scale_up_upper", between
    two stages of switches, over the racks of the domain.
    """
    forced = site.lengths_m.get(boundary)
    if forced is not None:
        return forced
    if on_board:
        return site.lengths_m["board"]
    if racks <= 4:
        return site.lengths_m[("in_rack", "adjacent_rack", "three_racks_away", "three_racks_away")[racks - 1]]
    return site.lengths_m["row" if racks <= site.racks_per_row else "hall"]


def nic_leaf_length(site: SiteRow, racks: int) -> Fraction:
    """Length from a NIC to its leaf in a network rack, where the leaf's group fills so many racks."""
    forced = site.lengths_m.get("nic_leaf")
    if forced is not None:
        return forced
    if racks <= 3:
        return site.lengths_m[("adjacent_rack", "three_racks_away", "three_racks_away")[racks - 1]]
    return site.lengths_m["row" if racks <= site.racks_per_row else "hall"]


def above_leaf_length(site: SiteRow, boundary: str) -> Fraction:
    """Length between scale-out switches: leaves and their spines, or each other, are in one hall."""
    fallback = "building" if boundary in ("spine_core", "core_top") else "hall"
    return site.lengths_m.get(boundary, site.lengths_m[fallback])
