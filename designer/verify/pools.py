"""One pool counted again from its choices: domains, hosts, racks, switches, scale-up cables (3, 4, 6)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from designer.design.types import PoolDesign
from designer.instance.schema import Instance
from designer.verify.boundaries import Cabling, Port, Wiring, cable_up, check_rows, compare
from designer.verify.demand import Asked
from designer.verify.exact import exact, ratio_down, ratio_up
from designer.verify.findings import Findings, UncountableError
from designer.verify.lengths import Racks, hosts_per_rack, scale_up_length
from designer.verify.rows import AcceleratorRow, LinkRow, NicRow, SiteRow, SwitchRow


@dataclass(frozen=True)
class PoolParts:
    """The exact rows of the parts one pool names; ``switches`` are all its accelerator may use."""

    accelerator: AcceleratorRow
    switch: SwitchRow
    nic: NicRow
    scale_up: tuple[LinkRow, LinkRow]
    nic_leaf: tuple[LinkRow, LinkRow]
    radices: tuple[int, ...]


@dataclass(frozen=True)
class PoolCount:
    """What the rules give for one pool."""

    name: str
    parts: PoolParts
    size: int
    nics_per_accelerator: int
    replica: int
    domains_per_replica: int
    domains: int
    hosts_per_domain: int
    racks: Racks
    planes: int
    scale_up: Cabling
    ep_need: Fraction
    other_need: Fraction

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
    def switches(self) -> int:
        """Scale-up switches of the pool."""
        return self.domains * self.planes

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
    size, replica = pool.domain_size, plan.accelerators_per_replica
    shares = _scale_up(found, pool, parts)
    racks = _racks(found, place, pool, parts, shares)
    board = parts.scale_up[0].placement == "board"
    length = scale_up_length(site, racks.per_domain, on_board=board)
    domains, replicas = _domains(plan.tokens_per_s_per_accelerator, asked, size, replica)
    cabling = _scale_up_cabling(pool, parts, shares, domains, length)
    count = PoolCount(
        name=pool.name,
        parts=parts,
        size=size,
        nics_per_accelerator=plan.nics,
        replica=replica,
        domains_per_replica=1 if replica <= size else ratio_up(replica, size),
        domains=domains,
        hosts_per_domain=size // parts.accelerator.per_host,
        racks=racks,
        planes=pool.scale_up.planes,
        scale_up=cabling,
        ep_need=exact(plan.scale_out_ep_need_gbps),
        other_need=exact(plan.scale_out_other_need_gbps),
    )
    fleet = "the fleet must serve the peak tokens (section 6)"
    found.equal("replicas", place, pool.replicas, replicas, fleet)
    found.equal("domains", place, pool.domains, domains, fleet)
    found.equal("accelerators", place, pool.accelerators, count.accelerators, "domains times domain size")
    found.equal("hosts", place, pool.hosts, count.hosts, "accelerators over accelerators per host")
    found.equal("nics", place, pool.nics, count.nics, "accelerators times NICs each")
    found.equal("pool_racks", place, pool.racks, racks.of(domains), "racks of the pool (section 4)")
    found.equal("scale_up_switches", place, pool.scale_up.switches, count.switches, "domains times planes")
    where = f"{place}, scale-up boundary"
    compare(found, where, pool.scale_up.boundary, cabling)
    check_rows(
        found,
        where,
        cabling,
        Port(frozenset({parts.accelerator.lane_gbps})),
        Port(frozenset({parts.switch.lane_gbps}), parts.switch.cpo.link if parts.switch.cpo else None),
        board=size == parts.accelerator.per_host,
        in_rack=racks.per_domain == 1,
    )
    _size(found, pool, parts, instance)
    return count


def _countable(found: Findings, place: str, pool: PoolDesign, parts: PoolParts) -> None:
    """Stop where a number is no number of things: everything below divides by these."""
    plan = pool.plan
    whole = {
        "domain size": pool.domain_size,
        "planes": pool.scale_up.planes,
        "ports per accelerator": pool.scale_up.ports_per_accelerator,
        "NICs per accelerator": plan.nics,
        "accelerators per replica": plan.accelerators_per_replica,
    }
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


def _scale_up(found: Findings, pool: PoolDesign, parts: PoolParts) -> tuple[int, ...]:
    """Check planes, striping and bandwidth; return the ports of every accelerator on each plane."""
    stated, accelerator = pool.scale_up, parts.accelerator
    place = f"pool {pool.name}, scale-up"
    ports, planes = stated.ports_per_accelerator, stated.planes
    found.equal("port_rate", place, stated.port_gbps, accelerator.port_gbps, "rate of the accelerator's ports")
    even, more = divmod(ports, planes)
    shares = (even + 1,) * more + (even,) * (planes - more)
    found.equal("shares", place, sorted(stated.shares), sorted(shares), "shares of a stripe differ by at most one")
    radix = parts.switch.radix.get(accelerator.port_gbps)
    if radix is None:
        found.add("port_radix", place, parts.switch.id, "no such rate", f"no ports of {accelerator.port_gbps} Gb/s")
    else:
        need = pool.domain_size * max(shares)
        for plane, share in enumerate(shares if need > radix else ()):
            used = pool.domain_size * share
            found.holds("radix", f"{place} plane {plane + 1}", used <= radix, used, f"at most {radix}", "switch ports")
    usable = Fraction(planes * even * accelerator.port_gbps)
    found.equal("usable_bandwidth", place, exact(stated.usable_gbps), usable, "planes x smallest share x port rate")
    need_gbps = exact(pool.plan.scale_up_need_gbps)
    found.holds(
        "scale_up_need", place, need_gbps <= usable, need_gbps, f"at most {usable}", "traffic inside the domain"
    )
    assumed = exact(pool.plan.scale_up_gbps)
    found.holds("plan_scale_up", place, assumed <= usable, assumed, f"at most {usable}", "bandwidth the plan counts on")
    return shares


def _racks(found: Findings, place: str, pool: PoolDesign, parts: PoolParts, shares: tuple[int, ...]) -> Racks:
    accelerator, size = parts.accelerator, pool.domain_size
    # Ends, and so their watts, do not depend on the length that the racks will give.
    ends = _scale_up_cabling(pool, parts, shares, domains=1, length=Fraction(0))
    watts = (
        accelerator.watts
        + pool.plan.nics * parts.nic.watts
        + (pool.scale_up.planes * parts.switch.watts + ends.watts) / size
    )
    hosts = hosts_per_rack(accelerator, watts)
    if not found.holds("rack_power", place, hosts >= 1, hosts, "at least 1", "hosts that one rack can feed and hold"):
        raise UncountableError(place)
    return Racks(hosts, size // accelerator.per_host)


def _scale_up_cabling(
    pool: PoolDesign, parts: PoolParts, shares: tuple[int, ...], domains: int, length: Fraction
) -> Cabling:
    size, per_host = pool.domain_size, parts.accelerator.per_host
    hosts = domains * (size // per_host)
    in_one = size * sum(shares)
    pairs: dict[int, int] = {}
    upper: dict[int, int] = {}
    for share in shares:
        pairs[per_host * share] = pairs.get(per_host * share, 0) + hosts
        upper[size * share] = upper.get(size * share, 0) + domains
    wiring = Wiring(
        links=domains * in_one,
        pairs=pairs,
        lower={per_host * sum(shares): hosts},
        upper=upper,
        in_one_backplane=in_one,
        backplanes=domains,
    )
    return cable_up("scale_up", wiring, *parts.scale_up, parts.accelerator.port_gbps, length)


def _domains(tokens: float, asked: Asked, size: int, replica: int) -> tuple[int, int]:
    """Count domains and replicas for the peak."""
    replicas = ratio_up(asked.peak_tokens_per_s, exact(tokens) * replica)
    if replica <= size:
        return ratio_up(replicas, size // replica), replicas
    return replicas * ratio_up(replica, size), replicas


def _size(found: Findings, pool: PoolDesign, parts: PoolParts, instance: Instance) -> None:
    """Check that a domain of this size, on these planes, may be built."""
    accelerator, choose, size = parts.accelerator, instance.choose, pool.domain_size
    place = f"pool {pool.name}, domain"
    beyond = size > accelerator.max_domain
    allowed = not beyond or accelerator.id in choose.beyond_announced
    found.holds("beyond_announced", place, allowed, size, f"at most {accelerator.max_domain}", "announced domain size")
    found.equal("what_if", place, pool.beyond_announced, beyond, "a domain beyond the announced size is marked so")
    found.holds("domain_size", place, size >= 2, size, "at least 2", "a domain joins accelerators")
    if instance.pin.domain_size is not None:
        found.equal("pinned_size", place, size, instance.pin.domain_size, "the instance pins the domain size")
    counts = {max(1, ratio_down(exact(share) * accelerator.ports, 1)) for share in choose.scale_up_shares}
    ports = pool.scale_up.ports_per_accelerator
    listed = " or ".join(map(str, sorted(counts)))
    found.holds("scale_up_share", place, ports in counts, ports, listed, "ports wired by the shares of the instance")
    sizes = set(choose.domain_sizes) if choose.domain_sizes is not None else _standard(parts, counts)
    found.holds("listed_size", place, size in sizes, size, "a listed size", "domain sizes that are looked at")
    vendor = accelerator.vendor
    if vendor is not None and (vendor.size, vendor.switch) == (size, pool.scale_up.switch):
        found.equal("vendor_planes", place, pool.scale_up.planes, vendor.planes, "planes as the vendor sells them")
    if accelerator.sealed:
        sold = vendor is not None and (vendor.size, vendor.switch, vendor.planes) == (
            size,
            pool.scale_up.switch,
            pool.scale_up.planes,
        )
        offer = "nothing" if vendor is None else f"{vendor.size} on {vendor.planes} x {vendor.switch}"
        stated = f"{size} on {pool.scale_up.planes} x {pool.scale_up.switch}"
        found.holds("sealed", place, sold, stated, offer, f"{accelerator.id} is sold in its vendor's domain only")
        found.equal("sealed_ports", place, ports, accelerator.ports, "a sealed domain has all ports wired")


STANDARD_SIZES = (2, 4, 8, 16, 32, 36, 64, 72, 96, 128, 144, 192, 256, 384, 512, 576)


def _standard(parts: PoolParts, port_counts: set[int]) -> set[int]:
    """List the domain sizes that are looked at where the instance lists none."""
    accelerator = parts.accelerator
    sizes = {*STANDARD_SIZES, accelerator.max_domain}
    if accelerator.vendor is not None:
        sizes.add(accelerator.vendor.size)
    for radix in parts.radices:
        for ports in port_counts:
            for planes in range(1, ports + 1):
                fits = radix // ratio_up(ports, planes)
                sizes.add(fits // accelerator.per_host * accelerator.per_host)
    return sizes
