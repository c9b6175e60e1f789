"""Cables of a boundary: which pairs of link rows fit, how many ends, what they cost and how they fail (5, 9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from oracle.money import Duty, Site, Sums, total
from oracle.parts import Link, Switch, ceil_div
from oracle.sale import Sale
from oracle.task import Task


@dataclass(frozen=True)
class Box:
    """What stands at one side of a boundary: its lane rates and, if co-packaged, the engine row it carries."""

    lanes: tuple[int, ...]
    engine: str | None = None

    @classmethod
    def of(cls, switch: Switch) -> Box:
        """Return the side of a switch."""
        return cls((switch.lane_gbps,), switch.cpo_link)


@dataclass(frozen=True, eq=False)
class Pair:
    """The link rows of the lower and the upper end; bought unless they belong to a co-packaged switch."""

    lower: Link
    upper: Link
    buy_lower: bool
    buy_upper: bool


@dataclass(frozen=True)
class Count:
    """Links of a boundary, its cables, and its row-rate ends below and above."""

    links: int
    cables: int
    lower: int
    upper: int


def pairs(sale: Sale, lower: Box, upper: Box, rate: int) -> Iterator[Pair]:
    """List the pairs of rows that fit both boxes at a rate; reach and placement are not looked at."""
    below = [sale.engines[lower.engine]] if lower.engine else list(sale.links)
    above = [sale.engines[upper.engine]] if upper.engine else list(sale.links)
    for a in below:
        for b in above:
            if rate > a.rate or rate > b.rate:
                continue
            if a.is_module and b.is_module:
                fits = modules_fit(a, b, lower, upper, rate)
            else:
                fits = a.id == b.id and cable_fits(a, lower, upper)
            if fits:
                yield Pair(a, b, lower.engine is None, upper.engine is None)


def pinned(task: Task, name: str, found: Iterable[Pair]) -> Iterator[Pair]:
    """Of some pairs those that a pin of the question leaves: with its one row at an end, or with its two."""
    rows = (getattr(task.instance.pin, name) or "").split("/")
    for pair in found:
        ends = [pair.lower.id, pair.upper.id]
        if rows in ([""], ends) or (len(rows) == 1 and rows[0] in ends):
            yield pair


def cable_fits(row: Link, lower: Box, upper: Box) -> bool:
    """One lane rate is offered by both ports and by the cable; co-packaged boxes take no cable."""
    if lower.engine or upper.engine:
        return False
    return any(lane in upper.lanes and lane in row.host_lanes for lane in lower.lanes)


def modules_fit(a: Link, b: Link, lower: Box, upper: Box, rate: int) -> bool:
    """The ends interoperate, each knows its port's lanes, and the rate fills whole lanes of both."""
    return (
        a.interop is not None
        and a.interop == b.interop
        and any(lane in a.host_lanes for lane in lower.lanes)
        and any(lane in b.host_lanes for lane in upper.lanes)
        and rate % a.lane_gbps == 0
        and rate % b.lane_gbps == 0
    )


def reaches(pair: Pair, length: Fraction) -> bool:
    """Whether both ends carry the signal over ``length`` metres."""
    assert pair.lower.reach is not None and pair.upper.reach is not None
    return pair.lower.reach >= length and pair.upper.reach >= length


def count_links(
    pair: Pair,
    rate: int,
    lower_boxes: list[tuple[int, int]],
    upper_boxes: list[tuple[int, int]],
    trunks: list[tuple[int, int]],
) -> Count:
    """Count cables and ends; each list holds (how many, links of each) of boxes or of pairs of boxes."""
    links = sum(many * each for many, each in lower_boxes)
    if not pair.lower.is_module:
        cables = sum(many * ceil_div(each * rate, pair.lower.rate) for many, each in trunks)
        return Count(links, cables, cables, cables)
    below = sum(many * ceil_div(each * rate, pair.lower.rate) for many, each in lower_boxes)
    above = sum(many * ceil_div(each * rate, pair.upper.rate) for many, each in upper_boxes)
    return Count(links, links, below, above)


def purchase(site: Site, pair: Pair, rate: int, length: Fraction, count: Count) -> Sums:
    """Money and watts of a boundary."""
    a, b, facility = pair.lower, pair.upper, site.facility
    money = Fraction(0)
    watts = Fraction(0)
    if not a.is_module and a.price_cable is not None:
        money += count.cables * a.price_cable
    for row, bought, ends in ((a, pair.buy_lower, count.lower), (b, pair.buy_upper, count.upper)):
        if not bought:
            continue
        assert row.watts_end is not None
        watts += ends * row.watts_end
        if row.is_module or row.price_cable is None:
            assert row.price_end is not None
            money += ends * row.price_end
    if a.is_module:
        fibres = a.fibres * Fraction(rate, a.rate)
        if "LC" in a.fibre_kind:
            money += count.links * fibres / 2 * facility.cord_price
        else:
            money += count.links * fibres / 8 * (facility.fibre_fixed + facility.fibre_per_m * length)
        money += count.links * facility.install
    return total([Sums(capex=money, watts=watts), *_units(site, pair, count)])


def _units(site: Site, pair: Pair, count: Count) -> list[Sums]:
    """Units of the link rows: bought ends of modules, whole cables and backplanes."""
    if not pair.lower.is_module:
        return [site.units(pair.lower.id, count.cables)]
    ends = ((pair.lower, pair.buy_lower, count.lower), (pair.upper, pair.buy_upper, count.upper))
    return [site.units(row.id, number) for row, bought, number in ends if bought]


def replacements(site: Site, pair: Pair, count: Count) -> Sums:
    """Hard repairs of the bought ends, cables or backplane of a boundary, and their money."""
    facility, row = site.facility, pair.lower
    if not row.is_module:
        assert row.afr_end is not None
        rate, part, labour = 2 * row.afr_end, row.price_cable, facility.cable_swap
        if row.construction == "backplane":
            part, labour = None, facility.labour * facility.backplane_hours
        if part is None:
            assert row.price_end is not None
            part = 2 * row.price_end
        return site.repair(count.cables * rate, part, labour)
    sums = []
    for end, bought, ends in ((row, pair.buy_lower, count.lower), (pair.upper, pair.buy_upper, count.upper)):
        if bought:
            assert end.afr_end is not None and end.price_end is not None
            sums.append(site.repair(ends * end.afr_end, end.price_end, facility.module_swap))
    return total(sums)


def cleanings(site: Site, pair: Pair, count: Count) -> Fraction:
    """Dirty connectors per year: one per link, at the mean of both ends' counts."""
    if not pair.lower.is_module:
        return Fraction(0)
    return site.facility.dirty * (count.lower + count.upper) / 2


@dataclass(frozen=True)
class Behind:
    """Accelerators that a failure reaches: of a lower end, an upper end, a cable and a backplane.

    ``slowed`` are those behind an upper end that lose time where planes carry on.
    """

    lower: int
    upper: int
    cable: int
    drained: int
    slowed: int


ALONE = Behind(1, 1, 1, 1, 1)


def near_failures(
    site: Site, duty: Duty, pair: Pair, count: Count, behind: Behind, planes: int = 1, spared: bool = False
) -> Sums:
    """Failures of a scale-up or NIC boundary.

    With ``planes`` of NIC ports the others carry on, but for failures at the NIC itself; with a plane of scale-up
    switches to spare (``spared``) every failure hits jobs as transients do, and the ``duty`` knows the hours.
    """
    facility, a, b = site.facility, pair.lower, pair.upper
    assert a.transient is not None and b.transient is not None
    sums, kills = [replacements(site, pair, count)], facility.p_kill if spared else site.kills(planes)
    if not a.is_module:
        assert a.afr_end is not None and a.mttr is not None
        rate = count.cables * 2 * a.afr_end
        reached = behind.drained if a.construction == "backplane" else behind.cable
        sums.append(site.hits(duty, kills * rate * duty.jobs(reached)))
        sums.append(site.hours(duty, rate * a.mttr * duty.down_of_planes(reached, planes)))
        sums.append(site.hits(duty, facility.p_kill * count.cables * a.transient))
        return total(sums)
    at_host = facility.p_kill if spared else Fraction(1)
    slowed = behind.upper if planes == 1 else behind.slowed
    ends = (
        (a, pair.buy_lower, count.lower, at_host * duty.jobs(behind.lower), Fraction(duty.down(behind.lower))),
        (b, pair.buy_upper, count.upper, kills * duty.jobs(behind.upper), duty.down_of_planes(slowed, planes)),
    )
    for row, bought, number, jobs, down in ends:
        if bought:
            assert row.afr_end is not None and row.mttr is not None
            rate = number * row.afr_end
            sums.append(site.hits(duty, rate * jobs))
            sums.append(site.hours(duty, rate * row.mttr * down))
    flaps = count.lower * a.transient / 2 + count.upper * b.transient / 2
    sums.append(site.hits(duty, facility.p_kill * flaps))
    dirty = cleanings(site, pair, count)
    sums.append(site.clean(dirty))
    sums.append(site.hits(duty, kills * dirty * duty.jobs(behind.lower)))
    sums.append(site.hours(duty, dirty * facility.clean_h * duty.down_of_planes(behind.lower, planes)))
    return total(sums)


def far_link_events(site: Site, pair: Pair, rate: int, strands: list[tuple[int, int]]) -> Fraction:
    """Events per year of one link above the leaf; ``strands``: to how many switches so many links of a box run."""
    a, b = pair.lower, pair.upper
    assert a.transient is not None and b.transient is not None
    if not a.is_module:
        assert a.afr_end is not None
        cables = sum(many * ceil_div(each * rate, a.rate) for many, each in strands)
        return Fraction(cables, sum(many * each for many, each in strands)) * (2 * a.afr_end + a.transient)
    events = Fraction(0)
    for row, bought in ((a, pair.buy_lower), (b, pair.buy_upper)):
        assert row.transient is not None
        hard = row.afr_end if bought else Fraction(0)
        assert hard is not None
        events += Fraction(rate, row.rate) * (hard + row.transient / 2 + site.facility.dirty / 2)
    return events


def far_derating(site: Site, pair: Pair) -> Fraction:
    """Hours per year that a boundary above the leaf de-rates every accelerator."""
    a, b, facility = pair.lower, pair.upper, site.facility
    hours = Fraction(0)
    if not a.is_module:
        assert a.afr_end is not None and a.mttr is not None
        return 2 * a.afr_end * a.mttr
    for row, bought in ((a, pair.buy_lower), (b, pair.buy_upper)):
        if bought:
            assert row.afr_end is not None and row.mttr is not None
            hours += row.afr_end * row.mttr
    return hours + facility.dirty * facility.clean_h
