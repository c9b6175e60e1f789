"""Cables: which pair of ends may join two ports, and what a boundary's cables add (``docs/rules.md`` section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from designer.candidates.parts import Economy, LinkPart, SwitchPart
from designer.candidates.terms import Event, Load

Place = Literal["board", "rack", "cable"]
Whole = TypeVar("Whole", int, npt.NDArray[np.int64])


@dataclass(frozen=True)
class Port:
    """One side of a boundary: the lane rates its ports offer and, at a switch, the switch."""

    lane_gbps: frozenset[float]
    switch: SwitchPart | None = None

    @property
    def cpo(self) -> bool:
        """Whether the optics are inside the switch."""
        return self.switch is not None and self.switch.cpo


@dataclass(frozen=True)
class LinkPair:
    """Link rows at the two ends of a cable; CPO ends are counted but not bought."""

    lower: LinkPart
    upper: LinkPart

    @property
    def module(self) -> bool:
        """Whether fibre joins two modules (else one cable or backplane serves both ends)."""
        return self.lower.kind == "module"


@dataclass(frozen=True)
class Counts:
    """Whole counts of one boundary."""

    links: int
    cables: int
    lower_ends: int
    upper_ends: int


def allowed_pairs(
    links: Sequence[LinkPart],
    lower: Port,
    upper: Port,
    rate_gbps: int,
    length_m: float,
    places: frozenset[Place] = frozenset({"cable"}),
) -> Iterator[LinkPair]:
    """Yield every allowed pair of link rows between two ports.

    Parameters
    ----------
    links
        Rows for sale (co-packaged rows come with their switch).
    lower, upper
        The two sides.
    rate_gbps
        Rate of the link, at most that of both rows.
    length_m
        Route length that both rows must reach.
    places
        Placements that this boundary can take.
    """

    def fits(row: LinkPart) -> bool:
        return row.reach_m >= length_m and rate_gbps <= row.rate_gbps

    bought = [row for row in links if not row.cpo and fits(row)]
    if not lower.cpo and not upper.cpo:
        for row in bought:
            lanes = lower.lane_gbps & upper.lane_gbps & row.host_lane_gbps
            if row.kind != "module" and row.placement in places and lanes:
                yield LinkPair(row, row)

    def ends(port: Port) -> list[LinkPart]:
        rows = [port.switch.cpo_link] if port.switch is not None and port.switch.cpo_link is not None else bought
        return [
            row
            for row in rows
            if row.kind == "module"
            and fits(row)
            and row.host_lane_gbps & port.lane_gbps
            and (rate_gbps / row.lane_gbps).is_integer()
        ]

    uppers = ends(upper)
    for low in ends(lower):
        for up in uppers:
            if low.interop_class is not None and low.interop_class == up.interop_class:
                yield LinkPair(low, up)


def as_pinned(pair: LinkPair, pin: str | None) -> bool:
    """Whether a pair of rows is the one pinned, ``LOWER/UPPER``, or has the row pinned at one of its ends.

    No pin (None) holds for every pair.
    """
    if pin is None:
        return True
    lower, _, upper = pin.partition("/")
    return (pair.lower.id, pair.upper.id) == (lower, upper) if upper else lower in (pair.lower.id, pair.upper.id)


def ceil_div(a: Whole, b: int) -> Whole:
    """Return ``ceil(a / b)`` of a whole number or of an array of them."""
    return -(-a // b)


def install_usd(pair: LinkPair, rate_gbps: int, length_m: float, economy: Economy) -> float:
    """USD of fibre and its installation per link; 0 for cables, which come whole."""
    if not pair.module:
        return 0.0
    fibres = pair.lower.fibre_count * rate_gbps / pair.lower.rate_gbps
    if pair.lower.duplex:
        cord = fibres / 2 * economy.duplex_cord_usd
    else:
        cord = fibres / 8 * (economy.mpo_fixed_usd + economy.mpo_usd_per_m * length_m)
    return cord + economy.install_usd_per_link


def end_load(row: LinkPart, ends: float, economy: Economy) -> Load:
    """Purchase, watts and repairs of bought ends (nothing for CPO ends)."""
    if row.cpo or ends == 0:
        return Load()
    if row.kind == "module":
        part, labour, per_end = row.end_usd, economy.module_swap_usd, row.afr_end
        capex, hard = ends * row.end_usd, ends * per_end
    else:
        # Cables and backplanes are counted once for their two ends.
        part = row.cable_usd
        labour = economy.cable_swap_usd if row.kind == "cable" else economy.backplane_swap_usd
        if row.kind == "backplane":
            part = 2 * row.end_usd
        capex, hard = ends * row.cable_usd, ends * 2 * row.afr_end
    watts = ends * row.end_watts * (1 if row.kind == "module" else 2)
    units = tuple(ends * unit for unit in row.units)
    return Load(capex, watts, 0.0, hard * (part * economy.part_share + labour), hard, units=units)


def cleaning(pair: LinkPair, ends: float, economy: Economy) -> tuple[float, float]:
    """Cleanings per year and their money for ``ends`` row-rate ends, half a connector event each."""
    events = economy.contamination_per_link * ends / 2 if pair.module else 0.0
    return events, events * economy.connector_mttr_h * economy.labour_usd_per_h


def edge_load(
    pair: LinkPair,
    counts: Counts,
    rate_gbps: int,
    length_m: float,
    behind: tuple[int, int],
    whole: int,
    economy: Economy,
) -> Load:
    """Load of a boundary at which a failure takes accelerators down (scale-up, NIC to leaf).

    Parameters
    ----------
    pair, counts, rate_gbps, length_m
        The cables.
    behind
        Accelerators behind one end, lower and upper row.
    whole
        Accelerators drained when a backplane is swapped (the domain).
    economy
        Prices and rates of the site.
    """
    low, up = pair.lower, pair.upper
    fibre = counts.links * install_usd(pair, rate_gbps, length_m, economy)
    if not pair.module:
        load = end_load(low, counts.cables, economy)
        blast = whole if low.kind == "backplane" else behind[0]
        rate = counts.cables * 2 * low.afr_end
        flaps = counts.cables * low.transient * economy.p_kill
        return load + Load(events=(Event(blast, rate, rate * low.mttr_h), Event(0, flaps, 0.0)))
    load = end_load(low, counts.lower_ends, economy) + end_load(up, counts.upper_ends, economy) + Load(fibre)
    events = []
    for row, ends, x in ((low, counts.lower_ends, behind[0]), (up, counts.upper_ends, behind[1])):
        if not row.cpo:
            events.append(Event(x, ends * row.afr_end, ends * row.afr_end * row.mttr_h))
    flaps = (counts.lower_ends * low.transient + counts.upper_ends * up.transient) / 2 * economy.p_kill
    cleanings, money = cleaning(pair, counts.lower_ends + counts.upper_ends, economy)
    events.append(Event(0, flaps, 0.0))
    events.append(Event(behind[0], cleanings, cleanings * economy.connector_mttr_h))
    return load + Load(repairs_usd=money, events=tuple(events))
