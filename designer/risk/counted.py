"""The failures of a design as the verifier counts them, with figures of its rows replaced by samples.

The rows are read by the verifier's shelf, its pools and fabrics counted by its own functions, and its events
(`designer.verify.events`) add up: nothing of section 9 of the rules is written a second time here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from typing import Any

from designer.catalogue import Catalogue
from designer.design.account import Item
from designer.design.types import Design
from designer.instance.schema import Instance
from designer.problems import InputError, Problem
from designer.risk.many import Many
from designer.verify.demand import asked_for, asked_of
from designer.verify.events import Failures
from designer.verify.fabric import FabricCount, FabricParts, count_fabric
from designer.verify.failures import failures_of
from designer.verify.findings import Findings
from designer.verify.parting import place_of
from designer.verify.pools import PoolCount, count_pool
from designer.verify.rows import AcceleratorRow, CpoRow, LinkRow, NicRow, PoolParts, SiteRow, SwitchRow
from designer.verify.shelf import Shelf
from designer.verify.site import site_of

FIT_PER_YEAR = Fraction("8.76e-6")
"""Failures a year of a part with one failure in 10^9 hours."""

ONE_JOB = 10**12
"""More accelerators than any design has: a job of that size is hit by every event, and no event hits two."""

Read = Callable[[str, Fraction], "Many | Fraction"]
"""What stands for a figure of the catalogue, given its key and its value at the level of the instance."""

_SITE = {
    "restart_h": "facility.repair.job_restart_cost_h",
    "kill_share": "facility.repair.p_transient_kills_job",
    "switch_tray_h": "facility.repair.switch_tray_mttr_h",
    "compute_tray_h": "facility.repair.compute_tray_mttr_h",
    "switch_box_h": "facility.repair.switch_box_mttr_h",
    "dirt_per_year": "components.fibre_connector.event_per_link_year",
    "dirt_h": "components.fibre_connector.mttr_h",
}


@dataclass(frozen=True)
class PoolHits:
    """Of one pool, a year: jobs hit, accelerator-hours lost, and by item the jobs hit and the events that hit any."""

    name: str
    accelerators: int
    running: int
    replica: int
    hits: Many | Fraction
    hours: Many | Fraction
    by_item: tuple[tuple[Item, Many | Fraction, Many | Fraction], ...]


@dataclass(frozen=True)
class Counted:
    """Failures a year of a design by item and in all, and what they do to each pool."""

    items: dict[Item, Failures]
    total: Failures
    pools: tuple[PoolHits, ...]


class Recount:
    """A design ready to be counted with other figures; it must be one that `designer.verify.verify` can count."""

    def __init__(self, design: Design, catalogue: Catalogue, instance: Instance) -> None:
        self._design, self._instance = design, instance
        self._asked = {pool.name: asked_for(pool, asked_of(instance)) for pool in design.pools}
        self._found = Findings()
        shelf = Shelf(self._found, catalogue, instance)
        pools = [shelf.pool(pool) for pool in design.pools]
        fabrics = [
            shelf.fabric(fabric, design.pools_on(number), place_of(design, number))
            for number, fabric in enumerate(design.fabrics)
        ]
        site = site_of(self._found, catalogue, instance)
        self._pools = [parts for parts in pools if parts is not None]
        self._fabrics = [parts for parts in fabrics if parts is not None]
        if site is None or len(self._pools) < len(pools) or len(self._fabrics) < len(fabrics) or not shelf.complete:
            raise InputError(
                [Problem("design", "", str(row), "a design that can be counted") for row in self._found.rows]
            )
        self._site = site

    @property
    def restart_h(self) -> Fraction:
        """Hours that starting a job again costs, as stated."""
        return self._site.restart_h

    def count(self, read: Read) -> Counted:
        """Count with ``read`` asked for every figure on failures; it is asked for some that no rule needs, too."""
        parts: list[PoolParts] = [_with(pool, read) for pool in self._pools]
        joined: list[FabricParts] = [_with(fabric, read) for fabric in self._fabrics]
        site: SiteRow = _with(self._site, read)
        design, found = self._design, self._found
        pools = [
            count_pool(found, pool, self._asked[pool.name], its, self._instance, site)
            for pool, its in zip(design.pools, parts, strict=True)
        ]
        both = list(zip(design.pools, pools, strict=True))
        fabrics = []
        for number, (stated, of_it) in enumerate(zip(design.fabrics, joined, strict=True)):
            on_it = [pair for pair in both if pair[0].fabric == number]
            fabrics.append(count_fabric(found, place_of(design, number), stated, on_it, of_it, self._instance, site))
        items = _by_item(pools, fabrics, site)
        hits = tuple(self._of_pool(number, pool, fabrics, site) for number, pool in enumerate(pools))
        return Counted(items, sum(items.values(), Failures()), hits)

    def _of_pool(self, number: int, pool: PoolCount, fabrics: Sequence[FabricCount], site: SiteRow) -> PoolHits:
        stated = self._design.pools[number]
        # With one job that fills everything, each event hits one job: the hits are the events.
        filled = replace(pool, replica=ONE_JOB)
        hits = _by_item([pool], _alone(pool, pool, fabrics), site)
        events = _by_item([filled], _alone(pool, filled, fabrics), site)
        total = sum(hits.values(), Failures())
        idle = stated.spare_domains * pool.size
        return PoolHits(
            name=pool.name,
            accelerators=pool.accelerators,
            running=pool.accelerators - idle,
            replica=pool.replica,
            hits=total.hits,
            hours=total.hours,
            by_item=tuple((item, hits[item].hits, events[item].hits) for item in hits),
        )


def _alone(pool: PoolCount, stand_in: PoolCount, fabrics: Sequence[FabricCount]) -> list[FabricCount]:
    """The fabrics as one pool sees them, with another count standing in for it."""
    return [
        replace(fabric, groups=tuple(replace(group, pool=stand_in) for group in fabric.groups if group.pool is pool))
        for fabric in fabrics
        if any(group.pool is pool for group in fabric.groups)
    ]


def _by_item(pools: Sequence[PoolCount], fabrics: Sequence[FabricCount], site: SiteRow) -> dict[Item, Failures]:
    found: dict[Item, Failures] = {}
    for item, failures in failures_of(pools, fabrics, site):
        found[item] = found.get(item, Failures()) + failures
    return found


def _with(thing: Any, read: Read) -> Any:
    """Go through rows inside rows, with ``read`` asked for every figure on failures."""
    if isinstance(thing, tuple):
        return tuple(_with(part, read) for part in thing)
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    inner = {field.name: _with(getattr(thing, field.name), read) for field in fields(thing)}
    inner |= {name: read(key, getattr(thing, name)) for name, key in _keys_of(thing).items()}
    if isinstance(thing, SwitchRow) and thing.cpo is not None:
        inner["cpo"] = _lasers(thing.id, thing.cpo, read)
    return replace(thing, **inner)


def _keys_of(row: object) -> dict[str, str]:
    """Fields of a row that are figures on failures, by the key of the figure in the catalogue."""
    if isinstance(row, AcceleratorRow):
        where = f"accelerators.{row.id}"
        return {"afr": f"{where}.afr_hard", "interrupts": f"{where}.job_interrupt_per_year"}
    if isinstance(row, NicRow):
        return {"afr": f"nics.{row.id}.afr_hard"}
    if isinstance(row, SwitchRow):
        return {"afr": f"switches.{row.id}.afr_hard", "outages": f"switches.{row.id}.outage_per_year"}
    if isinstance(row, LinkRow):
        where = f"links.{row.id}"
        flaps = {"transients": f"{where}.transient_per_link_year"}
        # An engine fails with its switch: its row has no failures of its own.
        return flaps if row.cpo else {**flaps, "afr": f"{where}.afr_hard_per_end", "repair_h": f"{where}.mttr_h"}
    return _SITE if isinstance(row, SiteRow) else {}


def _lasers(switch: str, row: CpoRow, read: Read) -> CpoRow:
    parts = f"links.{row.link}.cpo_parts"
    changed: dict[str, Any] = {
        "box_swaps": read(f"switches.{switch}.oe_box_swap_per_year", row.box_swaps),
        "box_hours": read(f"{parts}.oe_mttr_h", row.box_hours),
        "laser_rate": FIT_PER_YEAR * read(f"{parts}.els_fit_per_module", row.laser_rate / FIT_PER_YEAR),
        "laser_hours": read(f"{parts}.els_mttr_h", row.laser_hours),
    }
    return replace(row, **changed)
