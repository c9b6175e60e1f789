"""Accounts by hand: what every item costs, draws and breaks, and how that adds up to money per year."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from designer.design.account import Item
from designer.verify import Verification

F = Fraction
# IT capital, watts, hard repairs, hits, hours, cleanings, failure money.
Row = tuple[Fraction, Fraction, Fraction, Fraction, Fraction, Fraction, Fraction]
NOTHING: Row = (F(0),) * 7


def exactly(value: object) -> Fraction:
    """The number as written."""
    return F(str(value))


class Book:
    """Adds the money of lost hours and restarts to that of repairs: a lost hour at ``hour``, a hit at ``restart``."""

    def __init__(self, hour: str, restart: str) -> None:
        self.hour, self.restart = F(hour), F(restart)

    def row(
        self, usd: object, watts: object, hard: object, hits: object, hours: object, clean: object, fix: object
    ) -> Row:
        """One item; ``fix`` is the money of repairs and cleanings alone."""
        capex, power, hard_, hits_, hours_, clean_, fix_ = map(exactly, (usd, watts, hard, hits, hours, clean, fix))
        return capex, power, hard_, hits_, hours_, clean_, fix_ + self.hour * hours_ + self.restart * hits_


def same_account(result: Verification, rows: Mapping[Item, Row], racks: int) -> None:
    """Hold every item and the year's total against those by hand, to the last digit."""
    totals = result.totals
    assert totals is not None
    assert {item.item for item in totals.items} == set(rows)
    for item in totals.items:
        got = item.failures
        counted = (item.capex_usd, item.watts, got.hard, got.hits, got.hours, got.cleanings, got.usd)
        assert counted == rows[item.item], item.item
    # crf(10 %, 5) = 0.1 x 1.61051 / 0.61051; a watt costs 12.5 for the building and 0.8 x 1.2 x 8.76 kWh x 0.1 a year.
    it_share = F("0.161051") / F("0.61051")
    growth = F("1.1") ** 20
    per_watt = F("12.5") * (growth / 10) / (growth - 1) + F("0.84096")
    usd, watts, money = (sum((row[place] for row in rows.values()), F(0)) for place in (0, 1, 6))
    assert totals.annual_usd == it_share * usd + per_watt * watts + money
    assert result.account.racks == racks


def rack_rows() -> dict[Item, Row]:
    """The account of ``rack_design``.

    Bare price: 40,000 - 1,000 (NIC) - 18 x 5,000 x 2 / 72 (switches) - 324 x 2 x 10 / 72 (cartridge) = 36,410.
    Bare watts: 1,000 + 500 - 20 - 18 x 300 x 1.25 / 72 = 1,386.25.
    A lost hour is worth 36,410 x 0.00005 = 1.8205; a restart stops 8 accelerators for a quarter of an hour: 3.641.
    """
    row = Book("1.8205", "3.641").row
    return {
        # 1,512 x 0.05 = 75.6 repairs of 36,410 + 80 x 2.5; each takes a replica of 8 down for 2.5 h.
        "accelerators": row(1512 * 36_410, 1512 * F("1386.25"), "75.6", "302.4", 1512, 0, F("75.6") * 36_610),
        # 15.12 repairs of 1,000 + 200
        "nics": row(1_512_000, 30_240, "15.12", "15.12", "302.4", 0, 18_144),
        # 378 x 0.02 = 7.56 repairs of 10,000 + 200; 378 x 0.05 outages hit all 9 replicas; 7.56 x 2.5 h x 72
        "scale_up_switches": row(3_780_000, 141_750, "7.56", "170.1", "1360.8", 0, 77_112),
        # 6,804 x 2 x 0.0001 = 1.3608 swaps of 2 x 10 + 80 x 32, each 9 replicas and 72 x 12 h; 0.1 x 6,804 x 0.02 flaps
        "scale_up_links": row(136_080, 6804, "1.3608", "25.8552", "1175.7312", 0, F("1.3608") * 2580),
        # 1,512 x 2 x 0.0004 = 1.2096 swaps of 250 + 120, 8 x 2 h each; 0.1 x 1,512 x 0.02 flaps
        "nic_leaf_links": row(378_000, 12_096, "1.2096", "4.2336", "19.3536", 0, F("1.2096") * 370),
        # 25 x 0.01 repairs of 40,000 + 700. Leaves: 21 x 0.04 x 9 hits, 21 x 0.01 x 6 h x 72. Spines: each leaf uses
        # 8 of 64 ports: 0.1 x 21 x 8/64 x 0.04 hits, 1,512 x 0.01 x 6 h.
        "scale_out_switches": row(1_000_000, 25_000, "0.25", "7.5705", "181.44", 0, 10_175),
        # 336 ends of 500; 168 x (2 MPO x (60 + 1.2 x 50) + 40). 336 x 0.008 = 2.688 repairs of 500 + 150; 168 x 0.02
        # cleanings of 80. A link: 2 x (0.008 + 0.14/2 + 0.02/2) = 0.176 events, of which 0.1 kill; 168 of them.
        # Hours: 1,512 x (2 x 0.008 x 2 + 0.02 x 1).
        "scale_out_links": row(215_040, 5040, "2.688", "2.9568", "78.624", "3.36", F("2.688") * 650 + F("268.8")),
    }
