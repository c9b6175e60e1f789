"""Site, finance, repair and distance figures of a question as plain numbers (``docs/rules.md`` sections 4, 8, 9)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from designer.candidates.parts import Economy
from designer.candidates.weights import counters
from designer.catalogue import Catalogue
from designer.demand.efficiency import load_efficiency
from designer.instance.schema import Instance
from designer.problems import InputError, Problem

# Boundaries outside the scale-up domains.
_OUTSIDE = ("nic_leaf", "leaf_spine", "spine_core", "core_top", "leaf_leaf", "group_group")
_CLASSES = ("in_rack", "adjacent_rack", "three_racks_away", "row", "hall", "building")


def crf(interest: float, years: int) -> float:
    """Capital recovery factor: the yearly payment that repays 1 over ``years`` at ``interest``.

    Source: any text on engineering economics; 9 % over 5 years is 0.2571.

    Examples
    --------
    >>> round(crf(0.09, 5), 4)
    0.2571
    """
    growth = (1.0 + interest) ** years
    return interest * growth / (growth - 1.0)


def economy_of(catalogue: Catalogue, instance: Instance) -> Economy:
    """Read what the rules need off catalogue and instance.

    Raises
    ------
    InputError
        When a figure is unknown in the catalogue and the instance does not give it.
    """
    level, site, money, risk = instance.level, instance.site, instance.money, instance.risk
    facility, parts = catalogue.facility, catalogue.components
    problems: list[Problem] = []

    def get(figure: Any, key: str, given: float | None = None) -> float:
        if given is not None:
            return float(given)
        value = figure.at(level)
        if value is None:
            problems.append(Problem("catalogue", key, f"an unknown figure at level {level}", "give it in an overlay"))
            return 1.0
        return float(value)

    power, finance, repair = facility.cooling_and_power, facility.finance, facility.repair
    wacc = get(finance.wacc, "finance.wacc", money.wacc)
    it_years = round(get(finance.depreciation_it_years, "finance.depreciation_it_years", money.it_years))
    building = round(
        get(finance.depreciation_building_years, "finance.depreciation_building_years", money.building_years)
    )
    capex_per_watt = get(
        power.facility_capex_usd_per_w, "cooling_and_power.facility_capex_usd_per_w", site.facility_capex_usd_per_w
    )
    energy = (
        get(power.utilisation_of_tdp, "cooling_and_power.utilisation_of_tdp", site.utilisation)
        * get(power.pue_liquid, "cooling_and_power.pue_liquid", site.pue)
        * 8.76
        * get(
            power.electricity_usd_per_kwh,
            "cooling_and_power.electricity_usd_per_kwh",
            site.electricity_usd_per_kwh,
        )
    )
    labour = get(repair.labour_usd_per_h, "repair.labour_usd_per_h")
    trunk, connector = parts.fibre_trunk, parts.fibre_connector
    given = site.lengths
    lengths = {
        "board": get(facility.distance_classes_m.board, "distance_classes_m.board", given.board_m),
        **{
            name: get(
                getattr(facility.distance_classes_m, name), f"distance_classes_m.{name}", getattr(given, f"{name}_m")
            )
            for name in _CLASSES
        },
    }
    forced = {
        name: float(value)
        for name in ("scale_up", "scale_up_upper", *_OUTSIDE)
        if (value := getattr(given, f"{name}_m")) is not None
    }
    economy = Economy(
        crf_it=crf(wacc, it_years),
        watt_usd_per_year=crf(wacc, building) * capex_per_watt + energy,
        labour_usd_per_h=labour,
        module_swap_usd=get(repair.module_swap_event_usd, "repair.module_swap_event_usd"),
        cable_swap_usd=get(repair.cable_swap_event_usd, "repair.cable_swap_event_usd"),
        box_swap_usd=get(repair.ocs_or_switch_swap_event_usd, "repair.ocs_or_switch_swap_event_usd"),
        backplane_swap_usd=labour * get(repair.backplane_swap_labour_h, "repair.backplane_swap_labour_h"),
        tray_mttr_h=get(repair.compute_tray_mttr_h, "repair.compute_tray_mttr_h"),
        switch_tray_mttr_h=get(repair.switch_tray_mttr_h, "repair.switch_tray_mttr_h"),
        box_mttr_h=get(repair.switch_box_mttr_h, "repair.switch_box_mttr_h"),
        connector_mttr_h=get(connector.mttr_h, "fibre_connector.mttr_h"),
        contamination_per_link=get(connector.event_per_link_year, "fibre_connector.event_per_link_year"),
        p_kill=get(repair.p_transient_kills_job, "repair.p_transient_kills_job"),
        restart_h=get(repair.job_restart_cost_h, "repair.job_restart_cost_h"),
        part_share=money.replacement_part_share,
        laser_usd=get(parts.els_module.price_usd, "els_module.price_usd"),
        mpo_fixed_usd=get(trunk.price_usd_fixed_per_mpo12, "fibre_trunk.price_usd_fixed_per_mpo12"),
        mpo_usd_per_m=get(trunk.price_usd_per_m_per_mpo12, "fibre_trunk.price_usd_per_m_per_mpo12"),
        duplex_cord_usd=get(parts.duplex_patch_cord.price_usd_each, "duplex_patch_cord.price_usd_each"),
        install_usd_per_link=get(trunk.install_usd_per_link, "fibre_trunk.install_usd_per_link"),
        racks_per_row=round(get(facility.geometry.racks_per_row, "geometry.racks_per_row")),
        network_rack_watts=get(catalogue.racks["network"].power_limit_kw, "racks.network.power_limit_kw") * 1000,
        lengths_m=lengths,
        forced_m=forced,
        usd_per_hard=risk.usd_per_hard_repair,
        usd_per_hit=risk.usd_per_job_hit,
        usd_per_hour=risk.usd_per_accelerator_hour_lost,
        front_end_usd=site.front_end_usd_per_accelerator,
        front_end_w=site.front_end_w_per_accelerator,
        path_reference_us=load_efficiency(instance.efficiency).path_reference_us,
        counted=len(counters(instance)),
        single_failure=risk.max_single_failure_share,
        box_swap_share=money.replacement_part_share if money.box_swap_part_share is None else money.box_swap_part_share,
        pool_availability=risk.min_pool_availability,
        pinned_links={
            name: pin for name in ("scale_up", *_OUTSIDE) if (pin := getattr(instance.pin, f"{name}_links")) is not None
        },
        taper=instance.pin.taper_ratio,
    )
    order = ("board", *_CLASSES)
    for near, far in pairwise(order):
        if lengths[near] > lengths[far]:
            problems.append(
                Problem(
                    "instance",
                    f"site.lengths.{far}_m",
                    f"{lengths[far]:g} m, less than {near} = {lengths[near]:g} m (absent: the catalogue's)",
                    f"allowed: lengths that do not fall in the order {', '.join(order)}",
                )
            )
    if problems:
        raise InputError(problems)
    return economy
