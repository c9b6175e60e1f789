"""Takes the parts of a design from the catalogue: they exist, are for sale, and their figures are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

from designer.catalogue import Accelerator, Catalogue, Link, Nic, Switch
from designer.design.types import Boundary, Fabric, PoolDesign
from designer.instance.schema import Instance
from designer.verify.bare import bare_usd, bare_watts, switch_usd, switch_watts
from designer.verify.domains import check_kind
from designer.verify.exact import exact
from designer.verify.findings import Findings
from designer.verify.flat import BOUNDARIES
from designer.verify.gauge import Gauge
from designer.verify.layout import FabricParts
from designer.verify.rows import AcceleratorRow, CpoRow, LinkRow, NicRow, PoolParts, Stage, SwitchRow, VendorDomain
from designer.verify.sale import ENGINE, check_sale

Row = TypeVar("Row", Accelerator, Switch, Link, Nic)
FIT_PER_YEAR = Fraction(876, 10**8)
"""Failures a year of a part with one failure in 10^9 hours."""


class Shelf:
    """Hands out exact rows; whatever is wrong with a part is reported once per place it is used in."""

    def __init__(self, found: Findings, catalogue: Catalogue, instance: Instance) -> None:
        self._found = found
        self._catalogue = catalogue
        self._instance = instance
        self._gauge = Gauge(found, instance.level)

    @property
    def complete(self) -> bool:
        """Whether every figure asked for was known."""
        return not self._gauge.missing

    def pool(self, pool: PoolDesign) -> PoolParts | None:
        """Return the parts of one pool, or None if the catalogue lacks one."""
        where = f"pool {pool.name}"
        accelerator = self._take(self._catalogue.accelerators, pool.accelerator, "accelerator", where)
        stages = self._stages(pool)
        nic = self._take(self._catalogue.nics, pool.nic, "nic", where)
        nic_leaf = self._pair(pool.nic_leaf, f"{where}, NIC-leaf boundary", between_domains=True)
        if accelerator is None or stages is None or nic is None or nic_leaf is None:
            return None
        options = {(option.nic, option.count) for option in accelerator.nic_options}
        listed = ", ".join(f"{count} x {name}" for name, count in sorted(options)) or "none"
        chosen = (pool.nic, pool.plan.nics)
        self._found.holds(
            "nic_option", where, chosen in options, f"{chosen[1]} x {chosen[0]}", listed, f"NICs of {accelerator.id}"
        )
        speak = self._catalogue.compatibility.switches_for(accelerator.scale_up.protocol)
        protocol = accelerator.scale_up.protocol
        for stage in stages:
            self._found.holds(
                "protocol",
                where,
                stage.switch.id in speak,
                stage.switch.id,
                ", ".join(speak) or "none",
                f"switches that speak {protocol}",
            )
        row = self._accelerator(accelerator, switched=bool(stages))
        return PoolParts(
            accelerator=row,
            nic=self._nic(nic),
            stages=stages,
            nic_leaf=nic_leaf,
            radices=self._radices(speak, row.port_gbps),
        )

    def _stages(self, pool: PoolDesign) -> tuple[Stage, ...] | None:
        """Return the stages of scale-up switches, or None if what they need is not stated or not in the catalogue."""
        if not check_kind(self._found, pool):
            return None
        where, stated, upper = f"pool {pool.name}", pool.scale_up, pool.scale_up.upper
        asked = []
        if stated.switch is not None and stated.boundary is not None:
            asked.append((stated.switch, stated.boundary, f"{where}, scale-up boundary"))
        if upper is not None:
            asked.append((upper.switch, upper.boundary, f"{where}, boundary between scale-up stages"))
        stages = []
        for switch, boundary, place in asked:
            row = self._take(self._catalogue.switches, switch, "scale_up", where)
            links = self._pair(boundary, place, between_domains=False)
            if row is not None and links is not None:
                stages.append(Stage(self._switch(row, between_domains=False), links))
        return tuple(stages) if len(stages) == len(asked) else None

    def fabric(self, fabric: Fabric, pools: Sequence[PoolDesign], where: str) -> FabricParts | None:
        """Return the parts of a fabric with its pools, or None if the catalogue lacks one or their number is wrong."""
        stages, most = len(fabric.stages), 4 if fabric.shape == "tree" else 1
        shapes = ("tree", *BOUNDARIES)
        if not self._found.holds(
            "shape", where, fabric.shape in shapes, fabric.shape, ", ".join(shapes), "shape of a fabric"
        ):
            return None
        whole = self._found.holds("stages", where, 1 <= stages <= most, stages, f"1 to {most}", "stages of the fabric")
        between = len(BOUNDARIES.get(fabric.shape, fabric.stages[1:]))
        joined = self._found.equal("boundaries", where, len(fabric.boundaries), between, "boundaries between switches")
        if not (whole and joined):
            return None
        switches = []
        for stage, place in zip(fabric.stages, ("leaf", "spine", "core", "top"), strict=False):
            row = self._take(self._catalogue.switches, stage.switch, place, f"{where}, {place}")
            if row is not None:
                family = self._catalogue.compatibility.family_of(row.protocol)
                self._found.equal("family", f"{where}, {place}", family, fabric.family, "one family of switches")
                switches.append(self._switch(row, between_domains=True))
        for pool in pools:
            nic = self._catalogue.nics.get(pool.nic)
            speaks = nic is None or fabric.family in nic.families
            self._found.holds("nic_family", f"pool {pool.name}", speaks, pool.nic, fabric.family, "family of the NIC")
        pairs = [
            self._pair(boundary, f"{where}, {boundary.name} boundary", between_domains=True)
            for boundary in fabric.boundaries
        ]
        links = [pair for pair in pairs if pair is not None]
        if len(switches) < stages or len(links) < len(pairs):
            return None
        return FabricParts(tuple(switches), tuple(links))

    def _take(self, rows: Mapping[str, Row], part: str, place: str, where: str) -> Row | None:
        row = rows.get(part)
        if row is None:
            self._found.add(
                "unknown_part", where, part, "a part of the catalogue", f"no such {place.replace('_', '-')}"
            )
            return None
        check_sale(self._found, row, place, where, self._instance)
        return row

    def _pair(self, boundary: Boundary, where: str, *, between_domains: bool) -> tuple[LinkRow, LinkRow] | None:
        ends: list[LinkRow] = []
        for part in (boundary.lower_link, boundary.upper_link):
            if ends and part == ends[0].id:
                ends.append(ends[0])
                continue
            row = self._take(self._catalogue.links, part, "link", where)
            if row is not None:
                ends.append(self._link(row, between_domains=between_domains))
        return (ends[0], ends[1]) if len(ends) == 2 else None

    def _accelerator(self, row: Accelerator, *, switched: bool) -> AcceleratorRow:
        gauge, name = self._gauge, f"accelerator {row.id}"
        bare = bare_usd(gauge, self._catalogue, row)
        host = Fraction(0)
        if "host" not in row.price_contains:
            host = gauge.read(row.host_price_usd, name, "host_price_usd")
        watts = gauge.read(row.tdp_w, name, "tdp_w") + bare_watts(gauge, self._catalogue, row)
        rack = self._catalogue.racks[row.rack]
        sold = row.vendor_domain
        # Accelerators joined directly meet no other port, so no rule asks for their lane rate.
        lane = gauge.read(row.scale_up.lane_gbps, name, "scale_up.lane_gbps") if switched else None
        return AcceleratorRow(
            id=row.id,
            maker=row.vendor,
            per_host=row.accelerators_per_host,
            ports=gauge.whole(row.scale_up.ports, name, "scale_up.ports"),
            port_gbps=gauge.read(row.scale_up.port_gbps, name, "scale_up.port_gbps"),
            lane_gbps=lane,
            max_domain=gauge.whole(row.scale_up.max_domain, name, "scale_up.max_domain"),
            sold_by_the_rack=row.price_scope == "rack_share",
            sealed=row.sealed,
            vendor=None
            if sold is None
            else VendorDomain(sold.size, sold.switch, sold.planes, sold.direct, tuple(sold.dims), sold.larger_by_ocs),
            price_contains=frozenset(row.price_contains),
            bare_usd=bare,
            installed_usd=bare + host,
            watts=watts,
            afr=gauge.read(row.afr_hard, name, "afr_hard"),
            interrupts=gauge.read(row.job_interrupt_per_year, name, "job_interrupt_per_year"),
            rack_watts=gauge.read(rack.power_limit_kw, f"rack {rack.id}", "power_limit_kw") * 1000,
            rack_places=gauge.whole(rack.accelerators, f"rack {rack.id}", "accelerators"),
        )

    def _switch(self, row: Switch, *, between_domains: bool) -> SwitchRow:
        gauge, name = self._gauge, f"switch {row.id}"
        return SwitchRow(
            id=row.id,
            usd=switch_usd(gauge, self._catalogue, row.id),
            watts=switch_watts(gauge, self._catalogue, row.id),
            radix={Fraction(rate): ports for rate, ports in row.radix_by_port_gbps.items()},
            lane_gbps=gauge.read(row.lane_gbps, name, "lane_gbps"),
            afr=gauge.read(row.afr_hard, name, "afr_hard"),
            outages=gauge.read(row.outage_per_year, name, "outage_per_year"),
            cpo=self._cpo(row) if row.cpo else None,
            # What the exchanges inside a domain take is calibrated: no rule asks for the latency of its parts.
            latency_ns=gauge.read(row.latency_ns, name, "latency_ns") if between_domains else None,
        )

    def _cpo(self, row: Switch) -> CpoRow:
        gauge, name = self._gauge, f"switch {row.id}"
        link = self._catalogue.links.get(row.cpo_link or "")
        parts = None if link is None else link.cpo_parts
        engine_h, laser_fit, laser_h = (
            (None, None, None) if parts is None else (parts.oe_mttr_h, parts.els_fit_per_module, parts.els_mttr_h)
        )
        return CpoRow(
            link=row.cpo_link or "",
            box_swaps=gauge.read(row.oe_box_swap_per_year, name, "oe_box_swap_per_year"),
            box_hours=gauge.read(engine_h, name, "oe_mttr_h of its engines"),
            laser_modules=gauge.whole(row.els_modules, name, "els_modules"),
            laser_rate=FIT_PER_YEAR * gauge.read(laser_fit, name, "els_fit_per_module of its engines"),
            laser_hours=gauge.read(laser_h, name, "els_mttr_h of its engines"),
        )

    def _nic(self, row: Nic) -> NicRow:
        gauge, name = self._gauge, f"NIC {row.id}"
        return NicRow(
            id=row.id,
            rate_gbps=exact(row.rate_gbps),
            usd=gauge.read(row.price_usd, name, "price_usd"),
            watts=gauge.read(row.power_w, name, "power_w"),
            afr=gauge.read(row.afr_hard, name, "afr_hard"),
            lanes=frozenset(map(exact, row.lane_gbps_options)),
            families=frozenset(row.families),
            plane_options=frozenset(row.plane_options),
        )

    def _link(self, row: Link, *, between_domains: bool) -> LinkRow:
        gauge, name = self._gauge, f"link {row.id}"
        per_cable: Fraction | None = None
        if row.fibres.count == 0 and row.price_usd_per_cable is not None:
            per_cable = gauge.read(row.price_usd_per_cable, name, "price_usd_per_cable")
        engine = row.construction == ENGINE
        usd, watts, afr, repair = Fraction(0), Fraction(0), Fraction(0), Fraction(0)
        # An engine is part of its switch: no rule asks for its own price, watts or failures.
        if not engine:
            watts = gauge.read(row.power_w_per_end, name, "power_w_per_end")
            afr = gauge.read(row.afr_hard_per_end, name, "afr_hard_per_end")
            repair = gauge.read(row.mttr_h, name, "mttr_h")
            if per_cable is None or row.construction == "backplane":
                usd = gauge.read(row.price_usd_per_end, name, "price_usd_per_end")
        return LinkRow(
            id=row.id,
            construction=row.construction,
            placement=row.placement,
            cpo=engine,
            rate_gbps=exact(row.rate_gbps),
            lane_gbps=exact(row.lane_gbps),
            host_lanes=frozenset(map(exact, row.host_lane_gbps)),
            interop=row.interop_class,
            reach_m=gauge.read(row.reach_m, name, "reach_m"),
            usd=usd,
            usd_per_cable=per_cable,
            watts=watts,
            fibres=row.fibres.count,
            duplex="LC" in row.fibres.kind,
            afr=afr,
            transients=gauge.read(row.transient_per_link_year, name, "transient_per_link_year"),
            repair_h=repair,
            latency_ns=gauge.read(row.latency_ns_per_end, name, "latency_ns_per_end") if between_domains else None,
        )

    def _radices(self, switches: tuple[str, ...], rate: Fraction) -> tuple[int, ...]:
        """Radices of all switches an accelerator may use, for the domain sizes that fill them."""
        radices = set()
        for switch in switches:
            row = self._catalogue.switches.get(switch)
            if row is not None:
                radices |= {ports for key, ports in row.radix_by_port_gbps.items() if key == rate}
        return tuple(sorted(radices))
