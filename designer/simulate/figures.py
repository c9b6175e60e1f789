"""Rates, chances and repair times of the parts of a design, as the catalogue states them at one level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from designer.catalogue import Catalogue, Figure
from designer.instance.schema import Level
from designer.problems import InputError, Problem

FIT_PER_YEAR = 8.76e-6
"""Failures a year of a part with one failure in 10^9 hours."""


@dataclass(frozen=True)
class Lasers:
    """What fails in a co-packaged switch beside the box: engines, for which it is exchanged, and laser modules."""

    swaps: float
    swap_h: float
    modules: int
    rate: float
    repair_h: float


@dataclass(frozen=True)
class Box:
    """One switch: hard failures and outages a year; ``lasers`` None where it is not co-packaged."""

    hard: float
    outages: float
    ports: Mapping[int, int]
    lasers: Lasers | None


@dataclass(frozen=True)
class End:
    """One end of a link, or for a cable or backplane half of it: a year's failures and flaps, hours of repair.

    ``bought`` is false for the engines of a co-packaged switch, whose failures are those of the switch.
    """

    rate_gbps: float
    fibre: bool
    backplane: bool
    bought: bool
    hard: float
    flaps: float
    repair_h: float


@dataclass(frozen=True)
class Site:
    """What holds for all parts: the chance that a disturbance kills a job, dirt on fibres, hours of repairs."""

    kill: float
    dirt: float
    dirt_h: float
    compute_tray_h: float
    switch_tray_h: float
    switch_box_h: float


class Figures:
    """Reads figures at one level; one that is not known ends the simulation with a clear message."""

    def __init__(self, catalogue: Catalogue, level: Level) -> None:
        self.catalogue = catalogue
        self.level: Level = level

    def read(self, figure: Figure | None, part: str, name: str) -> float:
        """Return a figure."""
        value = None if figure is None else figure.at(self.level)
        return self._unknown(part, name) if value is None else value

    def box(self, part: str) -> Box:
        """Return a switch."""
        row = self.catalogue.switches.get(part)
        if row is None:
            self._unknown(f"switches.{part}", "a row")
        where, lasers = f"switches.{part}", None
        if row.cpo:
            link = self.catalogue.links.get(row.cpo_link or "")
            inside = None if link is None else link.cpo_parts
            if inside is None:
                self._unknown(where, "cpo_link with cpo_parts")
            lasers = Lasers(
                swaps=self.read(row.oe_box_swap_per_year, where, "oe_box_swap_per_year"),
                swap_h=self.read(inside.oe_mttr_h, where, "oe_mttr_h"),
                modules=int(self.read(row.els_modules, where, "els_modules")),
                rate=FIT_PER_YEAR * self.read(inside.els_fit_per_module, where, "els_fit_per_module"),
                repair_h=self.read(inside.els_mttr_h, where, "els_mttr_h"),
            )
        hard = self.read(row.afr_hard, where, "afr_hard")
        outages = self.read(row.outage_per_year, where, "outage_per_year")
        return Box(hard, outages, dict(row.radix_by_port_gbps), lasers)

    def end(self, part: str) -> End:
        """Return a link row."""
        row = self.catalogue.links.get(part)
        if row is None:
            self._unknown(f"links.{part}", "a row")
        where, bought = f"links.{part}", row.construction != "engine+els+fibre"
        return End(
            rate_gbps=row.rate_gbps,
            fibre=row.fibres.count > 0,
            backplane=row.construction == "backplane",
            bought=bought,
            hard=self.read(row.afr_hard_per_end, where, "afr_hard_per_end") if bought else 0.0,
            flaps=self.read(row.transient_per_link_year, where, "transient_per_link_year"),
            repair_h=self.read(row.mttr_h, where, "mttr_h") if bought else 0.0,
        )

    def site(self) -> Site:
        """Return what holds everywhere."""
        repair, fibre = self.catalogue.facility.repair, self.catalogue.components.fibre_connector
        return Site(
            kill=self.read(repair.p_transient_kills_job, "facility.repair", "p_transient_kills_job"),
            dirt=self.read(fibre.event_per_link_year, "components.fibre_connector", "event_per_link_year"),
            dirt_h=self.read(fibre.mttr_h, "components.fibre_connector", "mttr_h"),
            compute_tray_h=self.read(repair.compute_tray_mttr_h, "facility.repair", "compute_tray_mttr_h"),
            switch_tray_h=self.read(repair.switch_tray_mttr_h, "facility.repair", "switch_tray_mttr_h"),
            switch_box_h=self.read(repair.switch_box_mttr_h, "facility.repair", "switch_box_mttr_h"),
        )

    def _unknown(self, part: str, name: str) -> NoReturn:
        raise InputError([Problem("catalogue", f"{part}.{name}", "unknown", "a simulation needs a number here")])
