"""How far the parts of a given design, and the limits it is held against, are used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from designer.evaluate.result import NetworkReport, Racks, Totals, Use
from designer.evaluate.rows import OWN, Rows, accelerator_gbps
from designer.given import Given


def uses_of(
    given: Given, networks: Sequence[NetworkReport], rows: Rows, totals: Totals, racks: Racks | None
) -> tuple[Use, ...]:
    """What is over- and under-used: demands, limits, ports of switches, accelerators and NICs.

    Parameters
    ----------
    given, networks, rows
        The design, its networks as they are reported, and its parts.
    totals, racks
        Sums over all of it.
    """
    found = []
    for network in networks:
        found += [
            Use(
                f"{network.name}: {row.pattern.replace('_', '-')}",
                row.asked_gbps,
                row.least_gbps,
                "Gb/s per accelerator",
            )
            for row in network.capacities
            if row.asked_gbps is not None and row.least_gbps
        ]
        found += [
            Use(f"{network.name}: fullest link of {name}", row.fullest_share * row.rate_gbps, row.rate_gbps, "Gb/s")
            for name, row in {row.whole: row for row in network.bundles}.items()
            if row.fullest_share is not None
        ]
        for stage in network.stages:
            what = f"{network.name}: ports of a {stage.name}"
            if stage.ports_offered is not None:
                found.append(Use(what, stage.ports, stage.ports_offered, "ports"))
            elif stage.share_used is not None:
                found.append(Use(f"{what} at several rates", 100 * stage.share_used, 100, "%"))
    found += _ends(given, networks, rows)
    site, money = given.design.site, given.design.money
    if site.it_power_mw is not None:
        found.append(Use("IT power (known part)", totals.watts.known / 1e6, site.it_power_mw, "MW"))
    if site.racks is not None and racks is not None:
        found.append(Use("racks", racks.accelerators + racks.network, site.racks, "racks"))
    if money.capex_usd is not None:
        found.append(Use("IT capital (known part)", totals.capex_usd.known, money.capex_usd, "USD"))
    return tuple(found)


def _ends(given: Given, networks: Sequence[NetworkReport], rows: Rows) -> Iterator[Use]:
    """Gb/s of the links at an accelerator or a NIC, of all networks together, where its rate is known."""
    endpoints, offered = given.design.endpoints, dict[str, tuple[str, float, int]]()
    if rows.nic is not None and (rows.nic.id != OWN or (endpoints.nic is not None and endpoints.nic.rate_gbps)):
        offered["nics"] = "links at a NIC", float(rows.nic.rate_gbps), endpoints.nics
    ports = accelerator_gbps(given)
    if ports is not None:
        offered["accelerators"] = "links at an accelerator", float(ports[0]), 1
    for kind, (what, most, each) in offered.items():
        mine = [network for network in networks if network.endpoints_are == kind]
        gbps = sum(
            bundle.links * bundle.rate_gbps * (2 if bundle.whole.startswith("endpoint-endpoint") else 1)
            for network in mine
            for bundle in network.bundles
            if bundle.name.startswith("endpoint-")
        )
        if mine:
            yield Use(what, gbps / (endpoints.accelerators * each), most, "Gb/s")
