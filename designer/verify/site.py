"""Place, money and repair as the instance and the catalogue state them, in exact numbers."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

from designer.catalogue import Catalogue, Figure
from designer.design.types import BoundaryName
from designer.instance.schema import Instance
from designer.verify.exact import exact
from designer.verify.findings import Findings
from designer.verify.gauge import Gauge
from designer.verify.rows import SiteRow

_BOUNDARIES: tuple[BoundaryName, ...] = get_args(BoundaryName)


def site_of(found: Findings, catalogue: Catalogue, instance: Instance) -> SiteRow | None:
    """Read the site; None if the rules need a figure that nobody knows."""
    gauge = Gauge(found, instance.level)
    facility, parts = catalogue.facility, catalogue.components
    power, finance, repair = facility.cooling_and_power, facility.finance, facility.repair
    asked, money, place = instance.site, instance.money, "site"

    def either(own: float | None, figure: Figure, name: str) -> Fraction:
        return exact(own) if own is not None else gauge.read(figure, place, name)

    lengths = {
        name: either(getattr(asked.lengths, f"{name}_m"), getattr(facility.distance_classes_m, name), name)
        for name in ("board", "in_rack", "adjacent_rack", "three_racks_away", "row", "hall", "building")
    }
    for boundary in _BOUNDARIES:
        forced = getattr(asked.lengths, f"{boundary}_m")
        if forced is not None:
            lengths[boundary] = exact(forced)
    years = money.it_years
    building = money.building_years
    row = SiteRow(
        lengths_m=lengths,
        racks_per_row=gauge.read(facility.geometry.racks_per_row, place, "racks_per_row"),
        network_rack_watts=1000 * gauge.read(catalogue.racks["network"].power_limit_kw, place, "network rack power"),
        pue=either(asked.pue, power.pue_liquid, "pue_liquid"),
        usd_per_kwh=either(asked.electricity_usd_per_kwh, power.electricity_usd_per_kwh, "electricity_usd_per_kwh"),
        utilisation=either(asked.utilisation, power.utilisation_of_tdp, "utilisation_of_tdp"),
        facility_usd_per_w=either(
            asked.facility_capex_usd_per_w, power.facility_capex_usd_per_w, "facility_capex_usd_per_w"
        ),
        wacc=either(money.wacc, finance.wacc, "wacc"),
        it_years=years if years is not None else gauge.whole(finance.depreciation_it_years, place, "IT years"),
        building_years=building
        if building is not None
        else gauge.whole(finance.depreciation_building_years, place, "building years"),
        part_share=exact(money.replacement_part_share),
        lost_hour_share=gauge.read(
            finance.lost_hour_usd_per_usd_of_accelerator, place, "lost_hour_usd_per_usd_of_accelerator"
        ),
        restart_h=gauge.read(repair.job_restart_cost_h, place, "job_restart_cost_h"),
        kill_share=gauge.read(repair.p_transient_kills_job, place, "p_transient_kills_job"),
        labour_usd_per_h=gauge.read(repair.labour_usd_per_h, place, "labour_usd_per_h"),
        module_swap_usd=gauge.read(repair.module_swap_event_usd, place, "module_swap_event_usd"),
        cable_swap_usd=gauge.read(repair.cable_swap_event_usd, place, "cable_swap_event_usd"),
        box_swap_usd=gauge.read(repair.ocs_or_switch_swap_event_usd, place, "ocs_or_switch_swap_event_usd"),
        backplane_labour_h=gauge.read(repair.backplane_swap_labour_h, place, "backplane_swap_labour_h"),
        switch_tray_h=gauge.read(repair.switch_tray_mttr_h, place, "switch_tray_mttr_h"),
        compute_tray_h=gauge.read(repair.compute_tray_mttr_h, place, "compute_tray_mttr_h"),
        switch_box_h=gauge.read(repair.switch_box_mttr_h, place, "switch_box_mttr_h"),
        mpo_fixed_usd=gauge.read(parts.fibre_trunk.price_usd_fixed_per_mpo12, place, "price_usd_fixed_per_mpo12"),
        mpo_usd_per_m=gauge.read(parts.fibre_trunk.price_usd_per_m_per_mpo12, place, "price_usd_per_m_per_mpo12"),
        duplex_usd=gauge.read(parts.duplex_patch_cord.price_usd_each, place, "duplex_patch_cord.price_usd_each"),
        install_usd=gauge.read(parts.fibre_trunk.install_usd_per_link, place, "install_usd_per_link"),
        dirt_per_year=gauge.read(parts.fibre_connector.event_per_link_year, place, "event_per_link_year"),
        dirt_h=gauge.read(parts.fibre_connector.mttr_h, place, "fibre_connector.mttr_h"),
        laser_usd=gauge.read(parts.els_module.price_usd, place, "els_module.price_usd"),
        box_swap_share=_given(money.box_swap_part_share),
        front_end_usd=_given(asked.front_end_usd_per_accelerator),
        front_end_watts=_given(asked.front_end_w_per_accelerator),
    )
    return None if gauge.missing else row


def _given(value: float | None) -> Fraction | None:
    return None if value is None else exact(value)
