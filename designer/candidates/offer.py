"""Catalogue + instance -> parts for sale as numbers, with a reason for every part that is not offered.

Rules: ``docs/rules.md`` sections 1 and 2. Nothing is guessed here: a needed figure that is unknown takes its part
out of the offer, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from designer.answer import NotOffered
from designer.candidates.economy import economy_of
from designer.candidates.flat import ShapeKind, shapes_offered
from designer.candidates.joining import joining_of
from designer.candidates.parts import AcceleratorPart, Economy, LinkPart, NicPart, SwitchPart
from designer.candidates.weights import counters, units_of
from designer.catalogue import Catalogue
from designer.catalogue.prices import bare_accelerator_usd, bare_overhead_w
from designer.instance.names import LINK_PINS
from designer.instance.pools import pools_of
from designer.instance.schema import Instance, Level

# Boundaries whose latency counts (docs/rules.md 6.1); what exchanges inside a domain take is calibrated.
_TIMED = ("nic_leaf", "leaf_spine", "spine_core", "core_top", "leaf_leaf", "group_group")


class UnknownFigureError(Exception):
    """A needed figure is not known; ``str`` names it."""


@dataclass(frozen=True)
class Offer:
    """Everything that may be bought for a question.

    ``works`` names the workload of every pool. ``only`` names, for a boundary whose links are forced, the link rows
    that may be used there. ``shapes`` of fabrics that may be built; ``stages`` of trees, empty where there may be none;
    ``apart`` asks for a fabric of its own for every workload.
    """

    pools: tuple[str, ...]
    works: tuple[str, ...]
    accelerators: tuple[AcceleratorPart, ...]
    scale_up_switches: dict[str, SwitchPart]
    leaves: tuple[SwitchPart, ...]
    spines: tuple[SwitchPart, ...]
    cores: tuple[SwitchPart, ...]
    links: tuple[LinkPart, ...]
    stages: tuple[int, ...]
    economy: Economy
    not_offered: tuple[NotOffered, ...]
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tops: tuple[SwitchPart, ...] = ()
    shapes: tuple[ShapeKind, ...] = ("tree",)
    apart: bool = False

    def links_at(self, boundary: str) -> tuple[LinkPart, ...]:
        """Link rows that may be used at a boundary; between NICs and switches their latency must be known."""
        links = self.links
        if boundary in _TIMED:
            links = tuple(link for link in links if link.latency_ns is not None)
        if boundary not in self.only:
            return links
        return tuple(link for link in links if link.id in self.only[boundary])


def known(figure: Any, level: Level, what: str) -> float:
    """Return a figure at a level, or raise `UnknownFigureError` naming it."""
    value = figure.at(level) if figure is not None else None
    if value is None:
        raise UnknownFigureError(f"{what} is not known; give it in an overlay")
    return float(value)


@dataclass(frozen=True)
class _Market:
    catalogue: Catalogue
    instance: Instance

    @property
    def level(self) -> Level:
        return self.instance.level

    @property
    def pinned_links(self) -> frozenset[str]:
        """Link rows that a pin names, at whichever boundary."""
        pin = self.instance.pin
        pins = (getattr(pin, name) for name in LINK_PINS)
        return frozenset(row for pin in pins if pin is not None for row in pin.split("/"))

    def units(self, row: Any, vendor: str | None = None) -> tuple[float, ...]:
        """What one unit of a part adds to every counted limit."""
        return units_of(counters(self.instance), row.id, vendor)

    def for_sale(
        self, row: Any, listed: tuple[str, ...] | None, pins: tuple[str | None, ...], *, access: bool
    ) -> str | None:
        """Return None when a part may be bought, else the reason."""
        choose = self.instance.choose
        pinned = {pin for pin in pins if pin is not None}
        named = (listed is not None and row.id in listed) or row.id in pinned or row.id in self.pinned_links
        if listed is not None and row.id not in listed:
            return "not in the instance's list"
        if pins and len(pinned) == len(pins) and row.id not in pinned:
            return "the instance pins another"
        if row.available_from > self.instance.date and not choose.include_unreleased:
            return f"available from {row.available_from}, the instance is dated {self.instance.date}"
        if named:
            return None
        if row.status not in ("shipping", "ramping"):
            return f"status {row.status}: offered only when the instance names it"
        if access and row.access != "merchant":
            return f"access {row.access}: offered only when the instance names it"
        return None

    def link(self, row: Any) -> LinkPart:
        level = self.level

        def get(name: str) -> float:
            return known(getattr(row, name), level, name)

        # A co-packaged end is paid for, powered and repaired with its switch: those figures may be unknown.
        bought = row.tech != "cpo"
        cable = row.price_usd_per_cable.at(level) if row.price_usd_per_cable is not None else None
        module = row.fibres.count > 0
        # A cable is bought whole; only modules and backplanes are bought, and repaired, by the end.
        whole = row.construction == "cable" and not module and cable is not None
        per_end = get("price_usd_per_end") if bought and not whole else 0.0
        kind = "module" if module else ("backplane" if row.construction == "backplane" else "cable")
        return LinkPart(
            id=row.id,
            kind=kind,  # type: ignore[arg-type]  # one of three literals by the line above
            placement=row.placement,
            cpo=row.tech == "cpo",
            rate_gbps=int(row.rate_gbps),
            lane_gbps=float(row.lane_gbps),
            host_lane_gbps=frozenset(float(x) for x in row.host_lane_gbps),
            interop_class=row.interop_class,
            reach_m=get("reach_m"),
            end_watts=get("power_w_per_end") if bought else 0.0,
            end_usd=per_end,
            cable_usd=float(cable) if cable is not None else 2 * per_end,
            fibre_count=row.fibres.count if module else 0,
            duplex=module and "LC" in row.fibres.kind,
            afr_end=get("afr_hard_per_end") if bought else 0.0,
            transient=get("transient_per_link_year"),
            mttr_h=get("mttr_h") if bought else 0.0,
            latency_ns=row.latency_ns_per_end.at(level),
            units=self.units(row),
        )

    def switch(self, row: Any) -> SwitchPart:
        level = self.level

        def get(name: str) -> float:
            return known(getattr(row, name), level, name)

        latency = get("latency_ns") if row.role == "scale_out" else None
        price, watts = get("price_usd"), get("power_w")
        if row.tray_adders is not None:
            price *= known(row.tray_adders.price_factor, level, "tray_adders.price_factor")
            watts *= known(row.tray_adders.power_factor, level, "tray_adders.power_factor")
        link, swaps, box_mttr, lasers, laser_rate, laser_mttr = None, 0.0, 0.0, 0, 0.0, 0.0
        if row.cpo:
            link_row = self.catalogue.links[row.cpo_link]
            # The ends come with the switch and need no list, but they must be out as well.
            named = self.instance.choose.links if link_row.id in (self.instance.choose.links or ()) else None
            reason = self.for_sale(link_row, named, (), access=False)
            if reason is not None:
                raise UnknownFigureError(f"its optical ends {link_row.id}: {reason}")
            link = self.link(link_row)
            if latency is not None and link.latency_ns is None:
                raise UnknownFigureError(f"latency_ns_per_end of {link.id} is not known; give it in an overlay")
            parts = link_row.cpo_parts
            if parts is None:
                raise UnknownFigureError(f"{link_row.id} has no cpo_parts; give them in an overlay")
            swaps = get("oe_box_swap_per_year")
            lasers = round(get("els_modules"))
            laser_rate = known(parts.els_fit_per_module, level, "els_fit_per_module") * 8.76e-6
            box_mttr = known(parts.oe_mttr_h, level, "oe_mttr_h")
            laser_mttr = known(parts.els_mttr_h, level, "els_mttr_h")
        return SwitchPart(
            id=row.id,
            family=row.family or "",
            radix=dict(row.radix_by_port_gbps),
            lane_gbps=get("lane_gbps"),
            usd=price,
            watts=watts,
            afr_hard=get("afr_hard"),
            outage=get("outage_per_year"),
            cpo=row.cpo,
            cpo_link=link,
            box_swaps=swaps,
            box_mttr_h=box_mttr,
            lasers=lasers,
            laser_rate=laser_rate,
            laser_mttr_h=laser_mttr,
            latency_ns=latency,
            units=self.units(row),
        )

    def nic(self, row: Any) -> NicPart:
        level = self.level
        return NicPart(
            id=row.id,
            rate_gbps=int(row.rate_gbps),
            lane_gbps=frozenset(float(x) for x in row.lane_gbps_options),
            families=frozenset(row.families),
            plane_options=tuple(sorted(set(row.plane_options))),
            usd=known(row.price_usd, level, "price_usd"),
            watts=known(row.power_w, level, "power_w"),
            afr_hard=known(row.afr_hard, level, "afr_hard"),
            units=self.units(row),
        )

    def accelerator(self, row: Any, nics: Mapping[str, NicPart]) -> AcceleratorPart:
        level, catalogue = self.level, self.catalogue

        def get(name: str) -> float:
            return known(getattr(row, name), level, name)

        up = row.scale_up
        ports = known(up.ports, level, "scale_up.ports")
        port = known(up.port_gbps, level, "scale_up.port_gbps")
        joining = joining_of(catalogue, row, round(ports), level)
        if joining.why_not:
            raise UnknownFigureError(joining.why_not)
        bare = bare_accelerator_usd(catalogue, row, level)
        overhead = bare_overhead_w(catalogue, row, level)
        if bare is None:
            raise UnknownFigureError(
                "its price, or that of a part its price contains, is not known; give it in an overlay"
            )
        if overhead is None:
            raise UnknownFigureError("host_overhead_w_per_accel is not known; give it in an overlay")
        if row.rack is None or row.accelerators_per_host is None:
            raise UnknownFigureError("its rack or its accelerators per host are not known; give them in an overlay")
        installed = float(bare)
        if "host" not in row.price_contains:
            installed += get("host_price_usd")
        rack = catalogue.racks[row.rack]
        options = tuple((nics[o.nic], o.count) for o in row.nic_options if o.nic in nics)
        if not options:
            raise UnknownFigureError("none of its NICs is offered")
        vendor = row.vendor_domain
        return AcceleratorPart(
            id=row.id,
            protocol=up.protocol,
            ports=round(ports),
            port_gbps=round(port),
            lane_gbps=joining.lane_gbps,
            max_domain=round(known(up.max_domain, level, "scale_up.max_domain")),
            sold_size=vendor.size if vendor is not None and row.price_scope == "rack_share" else None,
            per_host=row.accelerators_per_host,
            bare_usd=float(bare),
            installed_usd=installed,
            watts=get("tdp_w") + float(overhead),
            afr_hard=get("afr_hard"),
            interrupts=get("job_interrupt_per_year"),
            hour_usd=installed
            * known(catalogue.facility.finance.lost_hour_usd_per_usd_of_accelerator, level, "lost_hour_usd"),
            rack_watts=known(rack.power_limit_kw, level, "power_limit_kw") * 1000,
            rack_slots=round(known(rack.accelerators, level, "accelerators")),
            vendor_domain=joining.vendor_domain,
            vendor_size=row.vendor_domain.size if row.vendor_domain is not None else None,
            direct=joining.direct,
            sealed=row.sealed,
            nic_options=options,
            switches=joining.switches,
            units=self.units(row, row.vendor),
        )


def build_offer(catalogue: Catalogue, instance: Instance) -> Offer:
    """List what may be bought for an instance, and why the rest may not."""
    market = _Market(catalogue, instance)
    choose, pin = instance.choose, instance.pin
    missing: list[NotOffered] = []
    shapes = shapes_offered(instance)
    stages = [s for s in choose.scale_out_stages if pin.scale_out_stages is None or s == pin.scale_out_stages]

    def collect(
        rows: Mapping[str, Any],
        kind: str,
        listed: tuple[str, ...] | None,
        pins: tuple[str | None, ...],
        make: Callable[[Any], Any],
        *,
        access: bool = False,
    ) -> dict[str, Any]:
        out = {}
        for row in rows.values():
            reason = market.for_sale(row, listed, pins, access=access)
            if reason is None:
                try:
                    out[row.id] = make(row)
                    continue
                except UnknownFigureError as unknown:
                    reason = str(unknown)
            elif reason.startswith(("not in", "the instance pins")):
                continue  # the user's own choice needs no explanation
            missing.append(NotOffered(row.id, kind, reason))
        return out

    links = collect(
        {k: v for k, v in catalogue.links.items() if v.tech != "cpo"}, "link", choose.links, (), market.link
    )
    for link in links.values():
        if link.latency_ns is None:
            reason = "latency_ns_per_end is not known; offered inside scale-up domains only, give it in an overlay"
            missing.append(NotOffered(link.id, "link", reason))
    nics = collect(catalogue.nics, "nic", choose.nics, (pin.nic,), market.nic)
    rows = catalogue.switches
    scale_up = collect(
        {k: v for k, v in rows.items() if v.role == "scale_up"},
        "scale-up switch",
        choose.scale_up_switches,
        (pin.scale_up_switch,),
        market.switch,
    )
    boxes = {k: v for k, v in rows.items() if v.role == "scale_out"}
    stage_pins = (pin.leaf_switch, pin.spine_switch, pin.core_switch, *((pin.top_switch,) if 4 in stages else ()))
    scale_out = collect(boxes, "scale-out switch", choose.scale_out_switches, stage_pins, market.switch)
    accelerators = collect(
        catalogue.accelerators,
        "accelerator",
        choose.accelerators,
        (pin.accelerator,),
        lambda row: market.accelerator(row, nics),
        access=True,
    )

    def stage(pinned: str | None) -> tuple[SwitchPart, ...]:
        return tuple(s for s in scale_out.values() if pinned is None or s.id == pinned)

    return Offer(
        pools=tuple(pool.name for pool in pools_of(instance)),
        works=tuple(pool.owner for pool in pools_of(instance)),
        accelerators=tuple(accelerators.values()),
        scale_up_switches=scale_up,
        leaves=stage(pin.leaf_switch),
        spines=stage(pin.spine_switch),
        cores=stage(pin.core_switch),
        links=tuple(links.values()),
        stages=tuple(sorted(stages)) if "tree" in shapes else (),
        economy=economy_of(catalogue, instance),
        not_offered=tuple(missing),
        tops=stage(pin.top_switch),
        shapes=shapes,
    )
