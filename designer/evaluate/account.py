"""Money, watts and failures of a given design, line by line, and what of it is not known.

Rules: docs/rules.md sections 5, 8 and 9, with true counts above the leaves (docs/families.md, "A given design").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from designer.design.account import Item
from designer.evaluate.count import BundleTally, NetworkTally, StageTally
from designer.evaluate.counted import Counted, cabling_of
from designer.evaluate.rows import NetworkRows, Rows
from designer.evaluate.spares import running_domains, spared_planes
from designer.given import Given
from designer.verify.boundaries import Cabling
from designer.verify.events import (
    Behind,
    Failures,
    Reach,
    Victim,
    box_effects,
    box_events,
    box_outage,
    box_parts,
    link_outage,
    link_repairs,
    links_below,
    repair,
)
from designer.verify.rows import SiteRow, SwitchRow

ZERO = Fraction(0)


@dataclass(frozen=True)
class Line:
    """One kind of part in one place, all copies together. ``network`` is empty for what stands at the accelerators."""

    item: Item
    network: str
    place: str
    part: str
    units: int
    capex_usd: Fraction
    watts: Fraction
    failures: Failures


JobSizes = Mapping[int, Fraction]
"""Shares of the accelerators that run jobs of each size."""


def lines_of(
    given: Given, networks: Sequence[Counted], rows: Rows, site: SiteRow, jobs: JobSizes | None = None
) -> tuple[Line, ...]:
    """Every line of the account; ``jobs`` in place of the one size that the design states.

    Of jobs of several sizes each size suffers from its share of all failures.
    """
    hour = site.lost_hour_share * rows.hour_usd_base
    found: list[tuple[Line, ...]] = []
    sizes = {given.design.endpoints.job_accelerators: Fraction(1)} if jobs is None else jobs
    for size, share in sizes.items():
        # Who suffers: jobs of one size on accelerators of one value (docs/rules.md section 9).
        victim = Victim(size, hour, hour * site.restart_h * size)
        lines = (
            replace(line, failures=_part(line.failures, share)) for line in _lines(given, networks, rows, victim, site)
        )
        found.append(tuple(lines))
    return tuple(
        replace(same[0], failures=sum((line.failures for line in same), Failures()))
        for same in zip(*found, strict=True)
    )


def _part(whole: Failures, share: Fraction) -> Failures:
    return Failures(*(share * getattr(whole, name) for name in ("hard", "hits", "hours", "cleanings", "usd")))


def _lines(given: Given, networks: Sequence[Counted], rows: Rows, victim: Victim, site: SiteRow) -> Iterator[Line]:
    inside = running_domains(given, networks, rows, victim, site)
    yield from _at_accelerators(given, rows, inside, site)
    for counted, parts in zip(networks, rows.networks, strict=True):
        sufferer = inside if counted.endpoints_are == "accelerators" else victim
        yield from _network(counted, parts, sufferer, site, given.design.endpoints.nics)


def _at_accelerators(given: Given, rows: Rows, victim: Victim, site: SiteRow) -> Iterator[Line]:
    endpoints = given.design.endpoints
    count, down = endpoints.accelerators, victim.down(given.per_host)
    labour = site.labour_usd_per_h * site.compute_tray_h
    if rows.accelerator is not None:
        row = rows.accelerator
        lost = repair(count, row.afr, row.bare_usd, labour, site)
        lost += victim.suffers(count * row.interrupts, count * row.afr * site.compute_tray_h * down)
        yield Line("accelerators", "", "", row.id, count, count * row.installed_usd, count * row.watts, lost)
    if site.front_end_usd is not None or site.front_end_watts is not None:
        usd, watts = (count * (figure or ZERO) for figure in (site.front_end_usd, site.front_end_watts))
        yield Line("front_end", "", "", "front end", count, usd, watts, Failures())
    if rows.nic is not None:
        nic, cards = rows.nic, count * endpoints.nics
        lost = repair(cards, nic.afr, nic.usd, labour, site)
        lost += victim.suffers(cards * nic.afr, cards * nic.afr * site.compute_tray_h * down)
        yield Line("nics", "", "", nic.id, cards, cards * nic.usd, cards * nic.watts, lost)


def _network(counted: Counted, rows: NetworkRows, victim: Victim, site: SiteRow, nics: int) -> Iterator[Line]:
    tally, scale_up = counted.tally, counted.endpoints_are == "accelerators"
    others = Reach(victim) if scale_up else Reach(victim, tally.grouping.planes, site.kill_share)
    if counted.spare_planes:
        others = spared_planes(counted, rows, victim, site)
    for stage in tally.stages:
        row = rows.switches[stage.name]
        item: Item = "scale_up_switches" if scale_up else "scale_out_switches"
        labour = site.labour_usd_per_h * site.switch_tray_h if scale_up else site.box_swap_usd
        lost = box_parts(row, stage.boxes, labour, site)
        lost += _boxes(stage, row, counted, others, site)
        yield Line(
            item, counted.name, stage.name, row.id, stage.boxes, stage.boxes * row.usd, stage.boxes * row.watts, lost
        )
    for bundle in tally.bundles:
        cabling = cabling_of(counted, bundle, *rows.links[bundle.count.name])
        if bundle.cuts:
            behind = _behind(bundle, cabling, tally, nics, scale_up=scale_up)
            # Of a domain with planes to spare no end is alone; a NIC is, whatever its planes.
            host = others if scale_up else Reach(victim)
            lost = links_below(cabling, host, others, site, behind)
        else:
            lost = link_repairs(cabling, site) + _around(cabling, tally, victim, site)
        yield Line(
            _link_item(bundle, scale_up=scale_up),
            counted.name,
            bundle.count.name,
            parts_word(cabling),
            cabling.links,
            cabling.usd(site),
            cabling.watts,
            lost,
        )


def parts_word(cabling: Cabling) -> str:
    """Id of the link row, or of both."""
    return cabling.lower.id if cabling.lower.id == cabling.upper.id else f"{cabling.lower.id}/{cabling.upper.id}"


def _link_item(bundle: BundleTally, *, scale_up: bool) -> Item:
    if scale_up:
        return "scale_up_links"
    return "nic_leaf_links" if "endpoint" in (bundle.count.lower, bundle.count.upper) else "scale_out_links"


def _behind(bundle: BundleTally, cabling: Cabling, tally: NetworkTally, nics: int, *, scale_up: bool) -> Behind:
    """Accelerators behind one end or cable of the links at the endpoints."""
    if scale_up:
        # A link is one of many ports of its accelerator; a backplane holds all links of a group.
        return Behind(1, 1, bundle.behind if cabling.lower.backplane else 1)
    below, above = (int(row.rate_gbps // cabling.rate) for row in (cabling.lower, cabling.upper))
    at_switch, planes = max(1, above // nics), tally.grouping.planes
    # On rails the links of an end at a switch lead to as many hosts, whose other accelerators stop as well; where other
    # planes carry on, only those behind the end slow down. A cable leads to one host.
    stopped = at_switch * bundle.spread
    in_host = min(max(1, tally.grouping.per_host // bundle.spread), at_switch)
    lower = max(1, below // (nics * planes))
    return Behind(lower, stopped, in_host, stopped if planes == 1 else at_switch)


def _boxes(stage: StageTally, row: SwitchRow, counted: Counted, others: Reach, site: SiteRow) -> Failures:
    """Hits and hours of the switches of a stage."""
    scale_up, tally = counted.endpoints_are == "accelerators", counted.tally
    repair_h = site.switch_tray_h if scale_up else site.switch_box_h
    if stage.cuts:
        total = Failures()
        for below in stage.below:
            # The jobs of a host have accelerators on every rail, so the switch of one rail stops those of all; where
            # other planes carry on, only those behind it slow down.
            hit = below.accelerators if scale_up else below.of_hosts
            lost = hit if others.planes == 1 else below.accelerators
            total += box_effects(row, below.boxes, hit, lost, repair_h, others)
        share = _for_others(stage, row, tally)
        return total + _gone_round(stage, row, counted, others.victim, site, share) if share else total
    return _gone_round(stage, row, counted, others.victim, site, Fraction(1))


def _gone_round(
    stage: StageTally, row: SwitchRow, counted: Counted, victim: Victim, site: SiteRow, share: Fraction
) -> Failures:
    """Traffic goes round a box, with less bandwidth: one box of b is 1/b of what the stage carries.

    ``share`` of a box is in the way of others.
    """
    scale_up, tally = counted.endpoints_are == "accelerators", counted.tally
    repair_h = site.switch_tray_h if scale_up else site.switch_box_h
    jobs = victim.jobs(tally.accelerators // tally.grouping.repeat) if scale_up else 1
    hits = site.kill_share * box_events(row) * jobs * share * stage.boxes
    return victim.suffers(hits, tally.accelerators * box_outage(row, repair_h))


def _for_others(stage: StageTally, row: SwitchRow, tally: NetworkTally) -> Fraction:
    """The share of a box that carries what others send, where its like are joined to each other (docs/rules.md 7.1)."""
    share = ZERO
    for bundle in tally.bundles:
        if bundle.count.lower == bundle.count.upper == stage.name:
            # Of a switch with figures of its own the ports in use are all that is known.
            ports = row.radix.get(bundle.rate) or sum(stage.ports[0].values())
            share += Fraction(2 * bundle.wiring.links, stage.boxes * ports)
    return share


def _around(cabling: Cabling, tally: NetworkTally, victim: Victim, site: SiteRow) -> Failures:
    """Hits and hours of links that traffic can go round."""
    row = cabling.lower
    if not row.module:
        events = cabling.cables * (2 * row.afr + row.transients)
    else:
        events = sum(
            (
                (ZERO if end.cpo else ends * end.afr) + ends * (end.transients + site.dirt_per_year) / 2
                for end, ends in ((cabling.lower, cabling.lower_ends), (cabling.upper, cabling.upper_ends))
            ),
            ZERO,
        )
    return victim.suffers(site.kill_share * events, tally.accelerators * link_outage(cabling, site))
