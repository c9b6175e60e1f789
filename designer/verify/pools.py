"""One pool counted again from its choices: domains, hosts, racks, switches, scale-up cables (3, 4, 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from designer.design.types import Boundary, BoundaryName, PoolDesign
from designer.instance.schema import Instance
from designer.verify.boundaries import Cabling, Port, cable_up, check_rows, compare
from designer.verify.demand import Asked
from designer.verify.domains import DomainCount, count_domain
from designer.verify.exact import exact, ratio_up
from designer.verify.findings import Findings, UncountableError
from designer.verify.lengths import Racks, hosts_per_rack, scale_up_length
from designer.verify.rows import PoolParts, SiteRow, SwitchRow
from designer.verify.sizes import check_size

BOUNDARIES: tuple[BoundaryName, BoundaryName] = ("scale_up", "scale_up_upper")


@dataclass(frozen=True)
class PoolCount:
    """What the rules give for one pool; ``scale_up`` are its scale-up boundaries from the accelerators upwards.

    ``share`` of the demand's pool is served here, if that is mixed of several; ``spare_units`` of the domains, or of
    the sets of domains of a replica, are not needed for it. ``replica`` is the accelerators of one replica,
    ``allowance_us`` the latency of the fabric that its plan allows beyond the calibrated one (None: any).
    """

    name: str
    parts: PoolParts
    nics_per_accelerator: int
    replica: int
    replicas: int
    domains_per_replica: int
    domains: int
    domain: DomainCount
    racks: Racks
    scale_up: tuple[Cabling, ...]
    scale_up_need: Fraction
    ep_need: Fraction
    other_need: Fraction
    allowance_us: Fraction | None
    share: Fraction = Fraction(1)
    spare_units: int = 0

    @property
    def needed(self) -> int:
        """Domains that serve the peak."""
        return self.domains - self.spare_units * self.domains_per_replica

    @property
    def size(self) -> int:
        """Accelerators of a domain."""
        return self.domain.size

    @property
    def hosts_per_domain(self) -> int:
        """Hosts of a domain."""
        return self.size // self.parts.accelerator.per_host

    @property
    def accelerators(self) -> int:
        """Accelerators of the pool."""
        return self.domains * self.size

    @property
    def hosts(self) -> int:
        """Hosts of the pool."""
        return self.domains * self.hosts_per_domain

    @property
    def nics(self) -> int:
        """Network cards of the pool."""
        return self.accelerators * self.nics_per_accelerator

    @property
    def switches(self) -> tuple[tuple[SwitchRow, int], ...]:
        """Scale-up switches of the pool, stage by stage."""
        rows = [stage.switch for stage in self.parts.stages]
        return tuple((row, self.domains * each) for row, each in zip(rows, self.domain.switches, strict=True))

    def jobs(self, blast: int) -> int:
        """Replicas that a component serving ``blast`` accelerators interrupts."""
        return max(1, blast // self.replica)

    @property
    def leaving(self) -> Fraction:
        """Gb/s that leave an accelerator at most: what crosses domains, and no more than its cards carry."""
        return min(self.nic_gbps, self.ep_need + self.other_need)

    @property
    def nic_gbps(self) -> Fraction:
        """Rate of all network cards of one accelerator."""
        return self.nics_per_accelerator * self.parts.nic.rate_gbps


def count_pool(
    found: Findings, pool: PoolDesign, asked: Asked, parts: PoolParts, instance: Instance, site: SiteRow
) -> PoolCount:
    """Count a pool anew and hold the stated numbers against it; raise `UncountableError` where that is futile."""
    place = f"pool {pool.name}"
    plan = pool.plan
    _countable(found, place, pool, parts)
    vendors, maker = asked.demand.vendors, parts.accelerator.maker
    held, names = vendors is None or maker in vendors, ", ".join(vendors or ())
    found.holds("vendors", place, held, maker, names, "vendors of the accelerators that may serve it")
    size, replica = pool.domain_size, plan.accelerators_per_replica
    domain = count_domain(found, pool, parts)
    _bandwidth(found, pool, domain)
    racks = _racks(found, place, pool, parts, domain)
    needed, replicas = _domains(plan.tokens_per_s_per_accelerator, asked, size, replica)
    spread = 1 if replica <= size else ratio_up(replica, size)
    # A spare stands in for whatever is down: for a whole replica where that takes several domains.
    spares, rest = divmod(pool.spare_domains, spread)
    domains = needed + pool.spare_domains
    allowed = instance.choose.spare_domains
    what = "spares to choose from" if spread == 1 else f"spares to choose from, of {spread} domains each"
    held = rest == 0 and spares in allowed
    if not found.holds("spare_domains", place, held, pool.spare_domains, _listed(allowed), what):
        raise UncountableError(place)
    count = PoolCount(
        name=pool.name,
        parts=parts,
        nics_per_accelerator=plan.nics,
        replica=replica,
        replicas=replicas,
        domains_per_replica=spread,
        domains=domains,
        domain=domain,
        racks=racks,
        scale_up=_cablings(parts, domain, domains, _lengths(parts, domain, racks, site)),
        scale_up_need=exact(plan.scale_up_need_gbps),
        ep_need=exact(plan.scale_out_ep_need_gbps),
        other_need=exact(plan.scale_out_other_need_gbps),
        allowance_us=None if plan.latency_allowance_us is None else exact(plan.latency_allowance_us),
        share=asked.share,
        spare_units=spares,
    )
    fleet = "the fleet must serve the peak tokens (section 6), and has the spares that it states"
    found.equal("replicas", place, pool.replicas, replicas, fleet)
    found.equal("domains", place, pool.domains, domains, fleet)
    found.equal("accelerators", place, pool.accelerators, count.accelerators, "domains times domain size")
    found.equal("hosts", place, pool.hosts, count.hosts, "accelerators over accelerators per host")
    found.equal("nics", place, pool.nics, count.nics, "accelerators times NICs each")
    found.equal("pool_racks", place, pool.racks, racks.of(domains), "racks of the pool (section 4)")
    _scale_up(found, pool, count)
    check_size(found, pool, parts, instance)
    return count


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def _countable(found: Findings, place: str, pool: PoolDesign, parts: PoolParts) -> None:
    """Stop where a number is no number of things: everything below divides by these."""
    plan = pool.plan
    whole = {
        "domain size": pool.domain_size,
        "NICs per accelerator": plan.nics,
        "accelerators per replica": plan.accelerators_per_replica,
    }
    if pool.domain_size > 1:
        whole["ports per accelerator"] = pool.scale_up.ports_per_accelerator
    if parts.stages:
        whole["planes"] = pool.scale_up.planes
    bad = [f"{what} {number}" for what, number in whole.items() if number < 1]
    if not plan.tokens_per_s_per_accelerator > 0:
        bad.append(f"tokens/s per accelerator {plan.tokens_per_s_per_accelerator}")
    found.holds("whole_numbers", place, not bad, ", ".join(bad), "at least 1", "nothing can be counted")
    ports, planes = pool.scale_up.ports_per_accelerator, pool.scale_up.planes
    most = parts.accelerator.ports
    wired = found.holds("ports", place, ports <= most, ports, f"at most {most}", "ports an accelerator has")
    striped = found.holds("planes", place, planes <= ports, planes, f"at most {ports}", "every plane takes a port")
    per_host = parts.accelerator.per_host
    hosts = pool.domain_size % per_host == 0
    found.holds("domain_hosts", place, hosts, pool.domain_size, f"a multiple of {per_host}", "domains are whole hosts")
    if bad or not (hosts and wired and striped):
        raise UncountableError(place)


def _bandwidth(found: Findings, pool: PoolDesign, domain: DomainCount) -> None:
    """Check that the domain carries what the plan asks for."""
    place, plan, most = f"pool {pool.name}, scale-up", pool.plan, domain.carries
    for rule, stated, what in (
        ("scale_up_need", plan.scale_up_need_gbps, "traffic inside the domain"),
        ("plan_scale_up", plan.scale_up_gbps, "bandwidth the plan counts on"),
    ):
        found.holds(rule, place, exact(stated) <= most, stated, f"at most {float(domain.usable)}", what)


def _racks(found: Findings, place: str, pool: PoolDesign, parts: PoolParts, domain: DomainCount) -> Racks:
    accelerator, size = parts.accelerator, pool.domain_size
    # Ends, and so their watts, do not depend on the length that the racks will give.
    inside = sum((cabling.watts for cabling in _cablings(parts, domain, 1, (Fraction(0), Fraction(0)))), Fraction(0))
    for stage, switches in zip(parts.stages, domain.switches, strict=True):
        inside += switches * stage.switch.watts
    watts = accelerator.watts + pool.plan.nics * parts.nic.watts + inside / size
    hosts = hosts_per_rack(accelerator, watts)
    if not found.holds("rack_power", place, hosts >= 1, hosts, "at least 1", "hosts that one rack can feed and hold"):
        raise UncountableError(place)
    return Racks(hosts, size // accelerator.per_host)


def _group_racks(domain: DomainCount, racks: Racks) -> int:
    """Racks of the accelerators behind one first-stage switch."""
    return ratio_up(domain.group // domain.per_host, racks.hosts_per_rack)


def _lengths(parts: PoolParts, domain: DomainCount, racks: Racks, site: SiteRow) -> tuple[Fraction, Fraction]:
    board = bool(parts.stages) and parts.stages[0].links[0].placement == "board"
    return (
        scale_up_length(site, "scale_up", _group_racks(domain, racks), on_board=board),
        scale_up_length(site, "scale_up_upper", racks.per_domain),
    )


def _cablings(
    parts: PoolParts, domain: DomainCount, domains: int, lengths: tuple[Fraction, Fraction]
) -> tuple[Cabling, ...]:
    """Count the scale-up boundaries of a number of domains, from the accelerators upwards."""
    rate = parts.accelerator.port_gbps
    return tuple(
        cable_up(name, wiring.times(domains), *stage.links, rate, length)
        for name, wiring, stage, length in zip(BOUNDARIES, domain.wirings(), parts.stages, lengths, strict=False)
    )


def _scale_up(found: Findings, pool: PoolDesign, count: PoolCount) -> None:
    """Hold switches and boundaries of the domains against the recounted ones, and check how they are joined."""
    place, parts, domain = f"pool {pool.name}", count.parts, count.domain
    stated: list[tuple[str, int, Boundary | None]] = [
        ("scale_up_switches", pool.scale_up.switches, pool.scale_up.boundary)
    ]
    if pool.scale_up.upper is not None:
        stated.append(("scale_up_upper_switches", pool.scale_up.upper.switches, pool.scale_up.upper.boundary))
    lane = parts.accelerator.lane_gbps
    below = Port(frozenset() if lane is None else frozenset({lane}))
    for level, ((row, switches), cabling) in enumerate(zip(count.switches, count.scale_up, strict=True)):
        rule, number, boundary = stated[level]
        found.equal(rule, place, number, switches, "domains times switches of the stage in each")
        where = f"{place}, scale-up boundary" if level == 0 else f"{place}, boundary between scale-up stages"
        assert boundary is not None
        compare(found, where, boundary, cabling)
        above = Port(frozenset({row.lane_gbps}), row.cpo.link if row.cpo else None)
        check_rows(
            found,
            where,
            cabling,
            below,
            above,
            board=level == 0 and domain.group == domain.per_host,
            in_rack=level == 0 and _group_racks(domain, count.racks) == 1,
        )
        below = above


def _domains(tokens: float, asked: Asked, size: int, replica: int) -> tuple[int, int]:
    """Count domains and replicas for the peak."""
    replicas = ratio_up(asked.peak_tokens_per_s, exact(tokens) * replica)
    if replica <= size:
        return ratio_up(replicas, size // replica), replicas
    return replicas * ratio_up(replica, size), replicas
