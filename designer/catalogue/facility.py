"""The site: racks, hall geometry, energy, money, repair, and published budgets to validate against."""

from __future__ import annotations

from collections.abc import Mapping

from designer.catalogue.figures import Amount, Basis, Figure, Frozen
from designer.catalogue.schema import Identifier, Listed


class Rack(Frozen):
    """One kind of rack."""

    id: Identifier
    desc: str
    power_limit_kw: Figure
    width_m: Figure
    accelerators: Figure


class Geometry(Frozen):
    """Pitches and sizes of rows and halls."""

    rack_pitch_m: Figure
    row_pitch_m: Figure
    racks_per_row: Figure
    row_power_kw: Figure
    hall_power_mw: Figure
    cable_slack_m: Figure
    tray_vertical_m_each_end: Figure


class DistanceClasses(Frozen):
    """Cable route lengths in metres, slack included."""

    board: Figure
    in_tray: Figure
    in_rack: Figure
    adjacent_rack: Figure
    three_racks_away: Figure
    row: Figure
    hall: Figure
    building: Figure
    campus: Figure


class Fibre(Frozen):
    """Prices of structured fibre cabling."""

    see: str | None = None
    os2_mpo12_fixed_usd: Figure
    os2_mpo12_usd_per_m: Figure


class CoolingAndPower(Frozen):
    """Energy and building."""

    pue_liquid: Figure
    pue_air_hyperscale: Figure
    pue_global_average: Figure
    electricity_usd_per_kwh: Figure
    utilisation_of_tdp: Figure
    facility_capex_usd_per_w: Figure
    liquid_cooling_usd_per_rack: Figure


class Finance(Frozen):
    """Cost of capital, lives, and the value of accelerator time."""

    wacc: Figure
    depreciation_it_years: Figure
    depreciation_building_years: Figure
    residual_value_share: Figure
    crf_it: Figure
    accelerator_hour_usd_gb300: Figure
    accelerator_hour_usd_vr: Figure
    lost_hour_usd_per_usd_of_accelerator: Figure


class Repair(Frozen):
    """Labour, repair times, spares and jobs."""

    labour_usd_per_h: Figure
    module_swap_event_usd: Figure
    cable_swap_event_usd: Figure
    ocs_or_switch_swap_event_usd: Figure
    backplane_swap_labour_h: Figure
    switch_tray_mttr_h: Figure
    compute_tray_mttr_h: Figure
    backplane_mttr_h: Figure
    switch_box_mttr_h: Figure
    spares_share_accelerators: Figure
    spares_share_modules: Figure
    job_restart_cost_h: Figure
    p_transient_kills_job: Figure


class Pcb(Frozen):
    """Printed circuit boards, in USD because no area figure was found."""

    usd_per_gpu_vr200: Figure
    usd_per_gpu_gb300: Figure
    share_of_system_cost: Figure
    share_of_switch_board_cost: Figure
    ai_pcb_market_usd_b: Mapping[str, Figure]
    m2_per_gpu: Figure
    modelling_hint: str


class RackBudget(Frozen):
    """Published cost table of one rack in USD: a case to validate against."""

    source: str
    basis: Basis
    two_tier_total: Amount
    three_tier_total: Amount
    four_tier_total: Amount
    server: Amount
    network_two_tier: Amount
    network_three_tier: Amount
    network_four_tier: Amount
    optics_two_tier: Amount
    optics_three_tier: Amount
    optics_four_tier: Amount
    note: str | None = None


class SwitchPowerCase(Frozen):
    """Published power in kW of one switch with pluggables and with CPO."""

    source: str
    basis: Basis
    pluggable: Amount
    cpo: Amount
    note: str | None = None


class ValueShare(Frozen):
    """Shares of a system's value."""

    source: str
    basis: Basis
    gpu_hbm: Amount
    nvlink_network_optics: Amount
    note: str | None = None


class ReferenceBudgets(Frozen):
    """Published totals, for validation only."""

    gb300_nvl72_rack_usd: RackBudget
    switch_115t_power_kw: SwitchPowerCase
    transceivers_per_128k_gpu: Figure
    value_share_gb200: ValueShare


class Hints(Frozen):
    """Rules of thumb in words."""

    media_by_distance: Listed[str]


class Facility(Frozen):
    """Everything about the site that is not a part on a bill."""

    geometry: Geometry
    distance_classes_m: DistanceClasses
    fibre: Fibre
    cooling_and_power: CoolingAndPower
    finance: Finance
    repair: Repair
    pcb: Pcb
    hints: Hints
    reference_budgets: ReferenceBudgets
