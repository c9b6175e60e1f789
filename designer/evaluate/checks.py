"""What of a given design cannot be built: ports, rates, reaches, ends that do not meet (docs/rules.md section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from designer.evaluate.count import BundleTally, StageTally
from designer.evaluate.counted import Counted, cabling_of
from designer.evaluate.lengths import BundleLengths
from designer.evaluate.rows import OWN, Rows, accelerator_gbps
from designer.given import Given
from designer.given.fit import link_key
from designer.given.load import GivenTopology
from designer.problems import Problem
from designer.verify.boundaries import Cabling, Port, check_rows
from designer.verify.findings import Findings
from designer.verify.rows import LinkRow, SiteRow, SwitchRow


def problems_of(
    given: Given,
    networks: Sequence[Counted],
    lengths: Sequence[dict[str, BundleLengths]],
    rows: Rows,
    site: SiteRow,
) -> list[Problem]:
    """Everything that keeps the design from being built, each with its place in the file."""
    found: list[Problem] = []
    taken = {"accelerators": Fraction(0), "nics": Fraction(0)}
    for at, (counted, network) in enumerate(zip(networks, given.networks, strict=True)):
        place = f"networks[{at}]"
        parts = rows.networks[at]
        for stage in counted.tally.stages:
            row = parts.switches[stage.name]
            part = network.row.switches[stage.name]
            any_rate = part.id is not None and given.catalogue.switches[part.id].rate_agnostic
            own = max(row.radix.values()) if any_rate else part.ports
            found += _ports(given.file, f"{place}.switches.{stage.name}", stage, row, own)
        found += _speech(given, place, network)
        found += _endpoints(given, place, network, counted, rows, taken[counted.endpoints_are])
        taken[counted.endpoints_are] += _gbps_at_endpoint(network, counted)
        for bundle in counted.tally.bundles:
            name = bundle.count.name
            key = f"{place}.links.{link_key(network.row, name)}"
            ports = tuple(_port(end, given, network, rows, at) for end in (bundle.count.lower, bundle.count.upper))
            cabling = cabling_of(counted, bundle, *parts.links[name])
            found += _links(given, key, bundle, cabling, lengths[at][name], ports, site)
    return list(dict.fromkeys(found))


def _ports(file: str, key: str, stage: StageTally, row: SwitchRow, own: int | None) -> Iterator[Problem]:
    """The ports in use fit on the switch."""
    if own is not None or row.id == OWN:
        used = max((sum(pattern.values()) for pattern in stage.ports), default=0)
        if own is not None and used > own:
            yield Problem(file, key, f"{used} ports in use", f"allowed: at most the {own} ports of the switch")
        return
    rates = {rate for pattern in stage.ports for rate in pattern}
    absent = sorted(rates - row.radix.keys())
    if absent:
        offered = ", ".join(f"{float(rate):g}" for rate in sorted(row.radix))
        read = f"ports of {', '.join(f'{float(rate):g}' for rate in absent)} Gb/s on {row.id}"
        yield Problem(file, key, read, f"allowed: port rates it offers, {offered} Gb/s")
        return
    for pattern in stage.ports:
        if sum(Fraction(number, row.radix[rate]) for rate, number in pattern.items()) > 1:
            read = " and ".join(f"{number} ports of {float(rate):g} Gb/s" for rate, number in pattern.items())
            most = " or ".join(f"{row.radix[rate]} of {float(rate):g} Gb/s" for rate in pattern)
            yield Problem(file, key, f"{read} in use", f"allowed: what {row.id} has, {most}")
            return


def _gbps_at_endpoint(network: GivenTopology, counted: Counted) -> Fraction:
    """Gb/s of the links at an endpoint, over all copies."""
    ends = (bundle for bundle in counted.tally.bundles if bundle.count.lower == "endpoint")
    of_copy = sum((_ends_at_endpoint(bundle) * bundle.rate for bundle in ends), Fraction(0))
    return of_copy * counted.tally.grouping.copies / (network.structure.endpoints * network.row.repeat)


def _endpoints(
    given: Given, place: str, network: GivenTopology, counted: Counted, rows: Rows, taken: Fraction
) -> Iterator[Problem]:
    """The links at an endpoint run no faster than its ports; hosts split evenly over rails.

    ``taken`` are Gb/s of the same ports that lead to networks further up in the file.
    """
    tally, row = counted.tally, network.row
    if given.per_host * tally.grouping.each % tally.grouping.rails:
        read = f"{tally.grouping.rails} rails"
        yield Problem(
            given.file, f"{place}.topology", read, f"allowed: a divisor of the {given.per_host} accelerators of a host"
        )
    hosts = network.row.topology.get("per_host")
    if network.row.topology.get("rail_optimised") is True and hosts != tally.grouping.host_endpoints:
        allowed = f"allowed: {tally.grouping.host_endpoints}, the endpoints of a host in a copy"
        yield Problem(given.file, f"{place}.topology.per_host", str(hosts), allowed)
    used = _gbps_at_endpoint(network, counted)
    above = f", {float(taken):g} in the networks above" if taken else ""
    if row.endpoints_are == "nics":
        if rows.nic is not None and used + taken > rows.nic.rate_gbps:
            read = f"{float(used):g} Gb/s of links at a NIC{above}"
            yield Problem(given.file, f"{place}.topology", read, f"allowed: its {float(rows.nic.rate_gbps):g} Gb/s")
        planes = tally.grouping.planes
        if rows.nic is not None and rows.nic.plane_options and planes not in rows.nic.plane_options:
            options = ", ".join(map(str, sorted(rows.nic.plane_options)))
            allowed = f"allowed: {options}, the ports that a {rows.nic.id} can be split into"
            yield Problem(given.file, f"{place}.topology", f"{planes} planes", allowed)
        return
    offered = accelerator_gbps(given)
    if offered is not None and used + taken > offered[0]:
        read = f"{float(used):g} Gb/s of links at an accelerator{above}"
        yield Problem(given.file, f"{place}.topology", read, f"allowed: {offered[1]}")


def _speech(given: Given, place: str, network: GivenTopology) -> Iterator[Problem]:
    """Switches of one network speak one language, and so do its endpoints."""
    catalogue, endpoints, row = given.catalogue, given.design.endpoints, network.row
    rows = {stage: catalogue.switches[part.id] for stage, part in row.switches.items() if part.id is not None}
    if row.endpoints_are == "accelerators":
        if endpoints.accelerator is None or endpoints.accelerator.id is None:
            return
        protocol = catalogue.accelerators[endpoints.accelerator.id].scale_up.protocol
        speak = catalogue.compatibility.switches_for(protocol)
        for stage, switch in rows.items():
            if switch.id not in speak and not switch.rate_agnostic:
                allowed = f"allowed: switches that speak {protocol}, {', '.join(speak) or 'none'}"
                yield Problem(given.file, f"{place}.switches.{stage}", switch.id, allowed)
        return
    wanted: tuple[str, ...] = ()
    who = "the other switches"
    if endpoints.nic is not None and endpoints.nic.id is not None:
        wanted, who = catalogue.nics[endpoints.nic.id].families, endpoints.nic.id
    for stage, switch in rows.items():
        if switch.rate_agnostic:
            continue
        family = catalogue.compatibility.family_of(switch.protocol)
        if wanted and family not in wanted:
            allowed = f"allowed: a switch of the family of {who}, {' or '.join(wanted)}"
            yield Problem(
                given.file, f"{place}.switches.{stage}", f"{switch.id} ({family or switch.protocol})", allowed
            )
        elif family is not None:
            # The first switch narrows what the others may be.
            wanted, who = (family,), "the other switches"


def _ends_at_endpoint(bundle: BundleTally) -> Fraction:
    """Ends at endpoints of all links of one copy."""
    both = 2 if bundle.count.upper == "endpoint" else 1
    return Fraction(bundle.count.links * both)


def _port(end: str, given: Given, network: GivenTopology, rows: Rows, at: int) -> Port | None:
    """What a box offers at its end of a link; None where the design does not say."""
    if end != "endpoint":
        row = rows.networks[at].switches.get(end)
        # A service port belongs to no switch of the network; circuit switches have no lanes.
        if row is None or row.id == OWN or given.catalogue.switches[row.id].lane_gbps.at(given.design.level) is None:
            return None
        return Port(frozenset({row.lane_gbps}), row.cpo.link if row.cpo else None)
    if network.row.endpoints_are == "nics":
        return Port(rows.nic.lanes) if rows.nic is not None and rows.nic.lanes else None
    lane = None if rows.accelerator is None else rows.accelerator.lane_gbps
    return None if lane is None else Port(frozenset({lane}))


def _links(
    given: Given,
    key: str,
    bundle: BundleTally,
    cabling: Cabling,
    lengths: BundleLengths,
    ports: Sequence[Port | None],
    site: SiteRow,
) -> Iterator[Problem]:
    file, longest = given.file, lengths.longest_m
    if longest is not None:
        for row in dict.fromkeys((cabling.lower, cabling.upper)):
            if row.reach_m < longest:
                read = f"{float(longest):g} m{lengths.where}"
                yield Problem(
                    file, f"{key}.length_m", read, f"allowed: at most {float(row.reach_m):g} m, the reach of {row.id}"
                )
    if cabling.lower.id == OWN:
        return
    if cabling.lower.backplane and not cabling.cables:
        yield Problem(file, key, f"{cabling.lower.id} for groups that differ", "a backplane serves groups of one size")
    found = Findings()
    below, above = (
        _anything(row) if port is None else port
        for row, port in zip((cabling.lower, cabling.upper), ports, strict=True)
    )
    in_rack = longest is not None and longest <= site.lengths_m["in_rack"]
    check_rows(found, key, cabling, below, above, board=bundle.on_board, in_rack=in_rack)
    for finding in found.rows:
        # The longest link was looked at above, with its place.
        if finding.rule == "placement":
            inside = {"board": f"inside hosts, here of {given.per_host} (endpoints.per_host)"}.get(
                finding.stated, f"of at most {float(site.lengths_m['in_rack']):g} m, inside racks"
            )
            yield Problem(file, key, f"{cabling.lower.id} ({finding.stated})", f"allowed: only for links {inside}")
        elif finding.rule != "reach":
            yield Problem(file, key, finding.stated, f"allowed: {finding.recounted} ({finding.message})")


def _anything(row: LinkRow) -> Port:
    """A port about which nothing is known: it suits the row."""
    return Port(row.host_lanes, row.id if row.cpo else None)


def late_parts(given: Given) -> Iterator[str]:
    """Parts of the catalogue that are not on sale by the date of the design."""
    design, catalogue = given.design, given.catalogue
    names = {part.id for row in design.networks for part in row.switches.values()}
    names |= {name for row in design.networks for part in row.links.values() for name in (part.lower, part.upper)}
    names |= {part.id for part in (design.endpoints.accelerator, design.endpoints.nic) if part is not None}
    for table in (catalogue.accelerators, catalogue.switches, catalogue.links, catalogue.nics):
        for name, row in table.items():
            if name in names and row.available_from > design.date:
                yield f"{name} is available from {row.available_from}, the design is dated {design.date}"
