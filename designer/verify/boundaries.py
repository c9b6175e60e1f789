"""The cables between two kinds of boxes, counted again: ends, cables, money, watts (section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from designer.design.types import Boundary, BoundaryName
from designer.verify.exact import exact, ratio_up
from designer.verify.findings import Findings
from designer.verify.rows import LinkRow, SiteRow

Tally = Mapping[int, int]
"""How many boxes (or pairs of boxes) have so many links: ``{links: boxes}``."""


@dataclass(frozen=True)
class Wiring:
    """Who is joined to whom, before any cable is chosen.

    ``pairs``, ``lower`` and ``upper`` tally the links of every (lower, upper) pair, lower and upper box;
    ``in_one_backplane`` is the number of links that one backplane carries (scale-up: of the accelerators behind one
    switch of every plane) and ``backplanes`` how many there are.
    """

    links: int
    pairs: Tally
    lower: Tally
    upper: Tally
    in_one_backplane: int = 0
    backplanes: int = 0

    def times(self, copies: int) -> Wiring:
        """Return the wiring of so many equal copies together."""

        def more(tally: Tally) -> Tally:
            return {links: boxes * copies for links, boxes in tally.items()}

        return Wiring(
            self.links * copies,
            more(self.pairs),
            more(self.lower),
            more(self.upper),
            self.in_one_backplane,
            self.backplanes * copies,
        )


@dataclass(frozen=True)
class Port:
    """What a box offers at the end of a link: its lane rates and, co-packaged, the row of its engines."""

    lanes: frozenset[Fraction]
    cpo_link: str | None = None


@dataclass(frozen=True)
class Cabling:
    """A recounted boundary: rows, rate, length and counts of one kind of cable.

    Examples
    --------
    Two hosts of four ports each on one switch, over 400 Gb/s cables that carry two 200 Gb/s links:

    >>> wiring = Wiring(8, {4: 2}, {4: 2}, {8: 1})
    >>> ends_of(wiring, module=False, backplane=False, rate=200, lower=Fraction(400), upper=Fraction(400))
    (4, 4, 4)
    """

    name: BoundaryName
    lower: LinkRow
    upper: LinkRow
    rate: Fraction
    length: Fraction
    links: int
    cables: int
    lower_ends: int
    upper_ends: int

    @property
    def lower_bought(self) -> int:
        """Lower ends that are bought: none at a co-packaged switch."""
        return 0 if self.lower.cpo else self.lower_ends

    @property
    def upper_bought(self) -> int:
        """Upper ends that are bought."""
        return 0 if self.upper.cpo else self.upper_ends

    @property
    def watts(self) -> Fraction:
        """Watts of all bought ends."""
        return self.lower_watts + self.upper_watts

    @property
    def lower_watts(self) -> Fraction:
        """Watts of the bought lower ends."""
        return self.lower_bought * self.lower.watts

    @property
    def upper_watts(self) -> Fraction:
        """Watts of the bought upper ends."""
        return self.upper_bought * self.upper.watts

    def usd(self, site: SiteRow) -> Fraction:
        """Purchase price of ends, cables, fibres and their installation."""
        if not self.lower.module:
            if self.lower.usd_per_cable is not None:
                return self.cables * self.lower.usd_per_cable
            return (self.lower_ends + self.upper_ends) * self.lower.usd
        ends = self.lower_bought * self.lower.usd + self.upper_bought * self.upper.usd
        part = self.lower.fibres * (self.rate / self.lower.rate_gbps)
        if self.lower.duplex:
            fibre = part / 2 * site.duplex_usd
        else:
            fibre = part / 8 * (site.mpo_fixed_usd + site.mpo_usd_per_m * self.length)
        return ends + self.links * (fibre + site.install_usd)


def ends_of(
    wiring: Wiring, *, module: bool, backplane: bool, rate: Fraction, lower: Fraction, upper: Fraction
) -> tuple[int, int, int]:
    """Count cables, lower ends and upper ends of links of ``rate`` on rows of the rates ``lower``, ``upper``."""

    def rounded(tally: Tally, row_rate: Fraction) -> int:
        return sum(boxes * ratio_up(links * rate, row_rate) for links, boxes in tally.items())

    if module:
        return wiring.links, rounded(wiring.lower, lower), rounded(wiring.upper, upper)
    if backplane:
        cables = wiring.backplanes * ratio_up(wiring.in_one_backplane * rate, lower)
    else:
        cables = rounded(wiring.pairs, lower)
    return cables, cables, cables


def cable_up(
    name: BoundaryName, wiring: Wiring, lower: LinkRow, upper: LinkRow, rate: Fraction, length: Fraction
) -> Cabling:
    """Count a boundary anew from who is joined to whom."""
    cables, lower_ends, upper_ends = ends_of(
        wiring,
        module=lower.module,
        backplane=lower.backplane,
        rate=rate,
        lower=lower.rate_gbps,
        upper=upper.rate_gbps,
    )
    return Cabling(name, lower, upper, rate, length, wiring.links, cables, lower_ends, upper_ends)


def compare(found: Findings, place: str, stated: Boundary, counted: Cabling) -> None:
    """Hold a boundary's stated counts against the recounted ones."""
    prefix = counted.name
    found.equal(f"{prefix}_name", place, stated.name, counted.name, "the boundary is named after its place")
    found.equal(f"{prefix}_rate", place, stated.rate_gbps, counted.rate, "links run at the rate of their ports")
    length = exact(stated.length_m)
    found.equal(f"{prefix}_length", place, length, counted.length, "route length in metres (section 4)")
    for what in ("links", "cables", "lower_ends", "upper_ends"):
        found.equal(
            f"{prefix}_{what}", place, getattr(stated, what), getattr(counted, what), f"number of {what} (section 5)"
        )


def check_rows(
    found: Findings, place: str, cabling: Cabling, lower: Port, upper: Port, *, board: bool, in_rack: bool
) -> None:
    """Check that the two link rows fit each other, their ports, the rate and the length.

    ``board`` and ``in_rack`` say whether a board or a rack holds the whole boundary: the accelerators behind one
    scale-up switch are those of one host, or of one rack.
    """
    for row in dict.fromkeys((cabling.lower, cabling.upper)):
        found.holds(
            "reach",
            place,
            row.reach_m >= cabling.length,
            cabling.length,
            f"at most {row.reach_m} m",
            f"reach of {row.id}",
        )
        found.holds(
            "link_rate",
            place,
            cabling.rate <= row.rate_gbps,
            cabling.rate,
            f"at most {row.rate_gbps}",
            f"rate of {row.id}",
        )
    if cabling.lower.module and cabling.upper.module:
        _check_modules(found, place, cabling, lower, upper)
    else:
        _check_cable(found, place, cabling, lower, upper, board=board, in_rack=in_rack)


def _names(rates: Iterable[Fraction]) -> str:
    return "/".join(str(float(rate)) for rate in sorted(rates)) or "none"


def _check_cable(
    found: Findings, place: str, cabling: Cabling, lower: Port, upper: Port, *, board: bool, in_rack: bool
) -> None:
    row = cabling.lower
    found.equal("cable_ends", place, cabling.upper.id, row.id, "both ends of a cable or backplane are one row")
    at_cpo = lower.cpo_link is not None or upper.cpo_link is not None
    found.holds("cable_at_cpo", place, not at_cpo, row.id, "module and fibre", "a co-packaged switch takes fibre only")
    shared = lower.lanes & upper.lanes & row.host_lanes
    found.holds(
        "cable_lanes",
        place,
        bool(shared),
        f"{_names(lower.lanes)} below, {_names(upper.lanes)} above",
        f"one of {_names(row.host_lanes)} Gb/s",
        f"one lane rate of both ports must run through {row.id}",
    )
    fits = {"board": board, "rack": in_rack}.get(row.placement, cabling.name == "scale_up" or not row.backplane)
    found.holds(
        "placement", place, fits, row.placement, "a boundary inside it", f"{row.id} stays inside its {row.placement}"
    )


def _check_modules(found: Findings, place: str, cabling: Cabling, lower: Port, upper: Port) -> None:
    below, above = cabling.lower, cabling.upper
    found.holds(
        "interop",
        place,
        below.interop is not None and below.interop == above.interop,
        f"{below.interop} below, {above.interop} above",
        "one known class",
        "module ends meet only within one interoperability class",
    )
    for side, row, port in (("below", below, lower), ("above", above, upper)):
        found.holds(
            "module_lanes",
            place,
            bool(port.lanes & row.host_lanes),
            f"{_names(port.lanes)} {side}",
            f"one of {_names(row.host_lanes)} Gb/s",
            f"a lane rate of the port must suit {row.id}",
        )
        found.holds(
            "rate_multiple",
            place,
            Fraction(cabling.rate) % row.lane_gbps == 0,
            cabling.rate,
            f"a multiple of {row.lane_gbps}",
            f"a link uses whole lanes of {row.id}",
        )
        if port.cpo_link is not None:
            found.equal("cpo_end", place, row.id, port.cpo_link, "a co-packaged switch has its own engines")
        else:
            found.holds("cpo_end", place, not row.cpo, row.id, "a pluggable", "engines exist only in their switch")
