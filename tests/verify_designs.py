"""Two designs counted by hand, on a catalogue whose figures are round numbers.

``rack_design``: one pool on racks of 72, cable cartridges, copper to the leaf, two stages with modules.
``pod_design``: two pools on boards of 8, three stages, co-packaged spines and cores.
Every number of the designs is written down, with its arithmetic beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from designer.catalogue import Catalogue, Figure, load_catalogue
from designer.demand.plan import ServingPlan
from designer.design.types import Attachment, Boundary, Design, Fabric, PoolDesign, ScaleUp, Stage
from designer.instance.schema import Choose, Instance, Lengths, Money, Site, Workload


def figure(value: float | None) -> Figure:
    """An exact figure of the user."""
    return Figure(mid=value, basis="user", source="overlay")


def altered(row: Any, figures: Mapping[str, object]) -> Any:
    """A copy of a catalogue row with other values; numbers become figures where the row has figures."""
    update: dict[str, object] = {}
    for name, value in figures.items():
        head, _, rest = name.partition(".")
        if rest:
            inner = update.get(head, getattr(row, head))
            update[head] = altered(inner, {rest: value})
        else:
            whole = isinstance(getattr(row, head), Figure) and (value is None or isinstance(value, int | float))
            update[head] = figure(value) if whole else value  # type: ignore[arg-type]
    return row.model_copy(update=update)


ROUND_FIGURES: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "accelerators": {
        "gb200_nvl72": {
            "rack": "nvl72_gb200",
            "price_contains": ("host", "nic", "scale_up_switch", "scale_up_link", "rack"),
            "power_contains": ("nic", "scale_up_switch"),
            "price_usd": 40_000,
            "tdp_w": 1000,
            "host_overhead_w_per_accel": 500,
            "afr_hard": 0.05,
            "job_interrupt_per_year": 0.2,
        },
        "b200_hgx": {
            "rack": "air_41kw",
            "price_contains": ("scale_up_switch", "scale_up_link"),
            "power_contains": ("nic", "scale_up_switch"),
            "price_usd": 30_000,
            "host_price_usd": 8000,
            "tdp_w": 1000,
            "host_overhead_w_per_accel": 700,
            "afr_hard": 0.04,
            "job_interrupt_per_year": 0.1,
        },
        # Joined directly: no rule asks for a lane rate.
        "tpu_v7_ironwood": {
            "rack": "nvl72_gb200",
            "price_contains": ("host", "nic", "scale_up_switch", "scale_up_link", "rack"),
            "power_contains": ("nic", "scale_up_switch"),
            "price_usd": 20_000,
            "tdp_w": 900,
            "host_overhead_w_per_accel": 130,
            "scale_up.lane_gbps": None,
            "afr_hard": 0.04,
            "job_interrupt_per_year": 0.1,
        },
        "mi300x": {
            "rack": "air_41kw",
            "price_contains": (),
            "power_contains": ("nic",),
            "price_usd": 12_000,
            "host_price_usd": 3000,
            "tdp_w": 750,
            "host_overhead_w_per_accel": 500,
            "scale_up.lane_gbps": None,
            "afr_hard": 0.05,
            "job_interrupt_per_year": 0.2,
        },
    },
    "switches": {
        "nvswitch4_chip": {
            "price_usd": 5000,
            "power_w": 300,
            "tray_adders.price_factor": 2,
            "tray_adders.power_factor": 1.25,
            "afr_hard": 0.02,
            "outage_per_year": 0.05,
        },
        "th5_64x800": {
            "price_usd": 40_000,
            "power_w": 1000,
            "afr_hard": 0.01,
            "outage_per_year": 0.04,
            "latency_ns": 700,
        },
        "th6_64x1600": {
            "price_usd": 70_000,
            "power_w": 1500,
            "afr_hard": 0.01,
            "outage_per_year": 0.04,
            "latency_ns": 650,
        },
        "th6_davisson_cpo": {
            "price_usd": 140_000,
            "power_w": 2000,
            "afr_hard": 0.01,
            "outage_per_year": 0.04,
            "oe_box_swap_per_year": 0.05,
            "els_modules": 16,
            "latency_ns": 600,
        },
    },
    "links": {
        "cu_cartridge_1600eq": {
            "reach_m": 1.2,
            "power_w_per_end": 0.5,
            "price_usd_per_end": 10,
            "afr_hard_per_end": 0.0001,
            "transient_per_link_year": 0.02,
            "mttr_h": 12,
        },
        "pcb_baseboard_1600eq": {
            "reach_m": 0.6,
            "power_w_per_end": 0,
            "price_usd_per_end": 20,
            "afr_hard_per_end": 0.0002,
            "transient_per_link_year": 0.01,
            "mttr_h": 2,
        },
        "aec_400": {
            "reach_m": 5,
            "power_w_per_end": 4,
            "price_usd_per_cable": 250,
            "price_usd_per_end": 125,
            "afr_hard_per_end": 0.0004,
            "transient_per_link_year": 0.02,
            "mttr_h": 2,
            "latency_ns_per_end": 45,
        },
        "dr8_800": {
            "reach_m": 500,
            "power_w_per_end": 15,
            "price_usd_per_end": 500,
            "afr_hard_per_end": 0.008,
            "transient_per_link_year": 0.14,
            "mttr_h": 2,
            "latency_ns_per_end": 80,
        },
        "dr8_1600": {
            "reach_m": 500,
            "power_w_per_end": 25,
            "price_usd_per_end": 1000,
            "afr_hard_per_end": 0.012,
            "transient_per_link_year": 0.14,
            "mttr_h": 2,
            "latency_ns_per_end": 90,
        },
        "cpo_1600": {
            "reach_m": 500,
            "transient_per_link_year": 0.02,
            "cpo_parts.els_fit_per_module": 500,
            "cpo_parts.oe_mttr_h": 12,
            "cpo_parts.els_mttr_h": 1.5,
            "latency_ns_per_end": 5,
        },
    },
    "nics": {
        "nic_100": {"price_usd": 400, "power_w": 15, "afr_hard": 0.01},
        "nic_400": {"price_usd": 1000, "power_w": 20, "afr_hard": 0.01},
        "nic_800": {"price_usd": 1600, "power_w": 40, "afr_hard": 0.01},
    },
    "racks": {
        "nvl72_gb200": {"power_limit_kw": 120, "accelerators": 72},
        "air_41kw": {"power_limit_kw": 41, "accelerators": 32},
        "network": {"power_limit_kw": 40},
    },
}


def round_catalogue() -> Catalogue:
    """The shipped catalogue with the figures above."""
    shipped = load_catalogue()
    tables: dict[str, Any] = {}
    for kind, rows in ROUND_FIGURES.items():
        table = dict(getattr(shipped, kind))
        for name, figures in rows.items():
            table[name] = altered(table[name], figures)
        tables[kind] = table
    facility = altered(
        shipped.facility,
        {
            "geometry.racks_per_row": 10,
            "distance_classes_m.in_rack": 1.2,
            "distance_classes_m.board": 0.2,
            "distance_classes_m.adjacent_rack": 2.5,
            "distance_classes_m.hall": 50,
            "distance_classes_m.building": 150,
            "cooling_and_power.pue_liquid": 1.2,
            "cooling_and_power.electricity_usd_per_kwh": 0.1,
            "cooling_and_power.utilisation_of_tdp": 0.8,
            "cooling_and_power.facility_capex_usd_per_w": 12.5,
            "finance.wacc": 0.1,
            "finance.depreciation_it_years": 5,
            "finance.depreciation_building_years": 20,
            "finance.lost_hour_usd_per_usd_of_accelerator": 0.00005,
            "repair.labour_usd_per_h": 80,
            "repair.module_swap_event_usd": 150,
            "repair.cable_swap_event_usd": 120,
            "repair.ocs_or_switch_swap_event_usd": 700,
            "repair.backplane_swap_labour_h": 32,
            "repair.switch_tray_mttr_h": 2.5,
            "repair.compute_tray_mttr_h": 2.5,
            "repair.switch_box_mttr_h": 6,
            "repair.job_restart_cost_h": 0.25,
            "repair.p_transient_kills_job": 0.1,
        },
    )
    components = altered(
        shipped.components,
        {
            "fibre_trunk.price_usd_fixed_per_mpo12": 60,
            "fibre_trunk.price_usd_per_m_per_mpo12": 1.2,
            "fibre_trunk.install_usd_per_link": 40,
            "duplex_patch_cord.price_usd_each": 8,
            "fibre_connector.event_per_link_year": 0.02,
            "fibre_connector.mttr_h": 1,
            "els_module.price_usd": 900,
        },
    )
    return replace(shipped, facility=facility, components=components, **tables)


def workload(**other: Any) -> Workload:
    """A workload; ``measured`` plans of the designs below are the user's own, so no token model is asked."""
    given: dict[str, Any] = {
        "name": "chat",
        "llm": "deepseek_v3",
        "serve": "decode",
        "prompt_tokens": 1000,
        "output_tokens": 500,
        "output_tokens_per_s": 100_000.0,
        "peak_factor": 1.5,
    }
    return Workload(**{**given, **other})


def rack_instance(**other: Any) -> Instance:
    """The question that ``rack_design`` answers."""
    given: dict[str, Any] = {
        "schema_version": 1,
        "name": "rack",
        "title": "one pool on racks",
        "workloads": (workload(tpot_ms=20.0),),
        "measured_points": "points.csv",
    }
    return Instance(**{**given, **other})


def plan(**other: Any) -> ServingPlan:
    """A plan of eight accelerators per replica, 100 tokens/s each."""
    given: dict[str, Any] = {
        "pool": "chat",
        "phase": "decode",
        "llm": "deepseek_v3",
        "accelerator": "gb200_nvl72",
        "domain_size": 72,
        "scale_up_gbps": 7200.0,
        "nic": "nic_400",
        "nics": 1,
        "nic_gbps": 400.0,
        "tp": 1,
        "dp": 8,
        "ep": 8,
        "pp": 1,
        "batch": 64,
        "two_batch_overlap": False,
        "all_to_all": "direct",
        "accelerators_per_replica": 8,
        "replicas_per_domain": 9,
        "domains_per_replica": 1,
        "step_s": 0.01,
        "tpot_s": 0.01,
        "ttft_estimate_s": None,
        "tokens_per_s_per_accelerator": 100.0,
        "memory_bytes": 1.2e11,
        "scale_up_need_gbps": 5000.0,
        "scale_out_ep_need_gbps": 30.0,
        "scale_out_other_need_gbps": 50.0,
        "measured": True,
    }
    return ServingPlan(**{**given, **other})


def rack_design() -> Design:
    """One pool of 21 racks, 21 leaves, 4 spines.

    Peak 100,000 x 1.5 = 150,000 tokens/s over 8 x 100 per replica: 187.5 -> 188 replicas, 9 to a domain: 20.9 -> 21.
    """
    scale_up = Boundary(
        name="scale_up",
        lower_link="cu_cartridge_1600eq",
        upper_link="cu_cartridge_1600eq",
        rate_gbps=400,
        length_m=1.2,  # 18 hosts of 4 in one rack
        links=27_216,  # 21 x 72 x 18 = 21 x 1,296
        cables=6804,  # 21 x 1,296 x 400 / 1,600 = 21 x 324
        lower_ends=6804,
        upper_ends=6804,
    )
    nic_leaf = Boundary(
        name="nic_leaf",
        lower_link="aec_400",
        upper_link="aec_400",
        rate_gbps=400,
        length_m=2.5,  # one rack to its leaf
        links=1512,
        cables=1512,  # 378 hosts x 4 links of 400 on cables of 400
        lower_ends=1512,
        upper_ends=1512,
    )
    pool = PoolDesign(
        name="chat",
        workload="chat",
        phase="decode",
        plan=plan(),
        accelerator="gb200_nvl72",
        domain_size=72,
        domains=21,
        accelerators=1512,  # 21 x 72
        replicas=188,
        hosts=378,  # 1,512 / 4
        nic="nic_400",
        nics=1512,
        racks=21,
        beyond_announced=False,
        scale_up=ScaleUp(
            kind="switched",
            dims=(),
            upper=None,
            switch="nvswitch4_chip",
            planes=18,
            shares=(1,) * 18,
            ports_per_accelerator=18,
            port_gbps=400,
            usable_gbps=7200.0,  # 18 x 1 x 400
            switches=378,  # 21 x 18
            boundary=scale_up,
        ),
        # Replicas sit inside one domain, so no expert traffic leaves a leaf: need = 30 x 0 + 50.
        attachment=Attachment(domains_per_leaf=1, leaves_per_domain=1, group=72, leaves=21, need_gbps=50.0),
        nic_leaf=nic_leaf,
    )
    leaf_spine = Boundary(
        name="leaf_spine",
        lower_link="dr8_800",
        upper_link="dr8_800",
        rate_gbps=800,
        length_m=50.0,
        links=168,  # 21 leaves x 2 links x 4 spines
        cables=168,
        lower_ends=168,  # 21 x 8
        upper_ends=168,  # 4 x 42
    )
    fabric = Fabric(
        family="Ethernet",
        rails=1,
        planes=1,
        stages=(
            Stage("leaf", "th5_64x800", 21, 72, 8),  # 72/128 + 8/64 = 0.6875; 28,800 down over 6,400 up = 4.5
            Stage("spine", "th5_64x800", 4, 42, 0),
        ),
        uplink_gbps=800,
        links_per_leaf_spine=2,
        spines_per_pod=4,
        leaves_per_pod=21,
        pods=1,
        links_per_spine_core=0,
        cores_per_spine=0,
        spine_taper=0.0,
        boundaries=(leaf_spine,),
        network_racks=1,  # 25 x 1,000 + 1,512 x 4 + 336 x 15 = 36,088 W over 40 kW
    )
    return Design("rack", (pool,), fabric)


def pod_instance(**other: Any) -> Instance:
    """The question that ``pod_design`` answers."""
    given: dict[str, Any] = {
        "schema_version": 1,
        "name": "pod",
        "title": "two pools on boards, three stages",
        "workloads": (workload(name="big", serve="disaggregated"),),
        "choose": Choose(spine_tapers=(1.0, 3.0), max_taper=3.0),
        "site": Site(lengths=Lengths(nic_leaf_m=20.0)),
        "money": Money(replacement_part_share=0.5),
        "measured_points": "points.csv",
    }
    return Instance(**{**given, **other})


def _pod_pool(
    name: str, serving: ServingPlan, domains: int, replicas: int, attachment: Attachment, leaf_ends: int
) -> PoolDesign:
    accelerators, hosts = domains * 8, domains
    return PoolDesign(
        name=name,
        workload="big",
        phase=serving.phase,
        plan=serving,
        accelerator="b200_hgx",
        domain_size=8,
        domains=domains,
        accelerators=accelerators,
        replicas=replicas,
        hosts=hosts,
        nic="nic_800",
        nics=accelerators,
        # 8 x (1000 + 700 - 20 - 93.75 + 40 + 93.75) = 13,760 W per host: two to a rack of 41 kW.
        racks=-(-domains // 2),
        beyond_announced=False,
        scale_up=ScaleUp(
            kind="switched",
            dims=(),
            upper=None,
            switch="nvswitch4_chip",
            planes=2,
            shares=(9, 9),
            ports_per_accelerator=18,
            port_gbps=400,
            usable_gbps=7200.0,  # 2 x 9 x 400
            switches=2 * domains,
            boundary=Boundary(
                name="scale_up",
                lower_link="pcb_baseboard_1600eq",
                upper_link="pcb_baseboard_1600eq",
                rate_gbps=400,
                length_m=0.2,
                links=144 * domains,  # 8 x 18
                cables=36 * domains,  # 144 x 400 / 1,600
                lower_ends=36 * domains,
                upper_ends=36 * domains,
            ),
        ),
        attachment=attachment,
        nic_leaf=Boundary(
            name="nic_leaf",
            lower_link="dr8_1600",
            upper_link="dr8_1600",
            rate_gbps=800,
            length_m=20.0,
            links=accelerators,
            cables=accelerators,
            lower_ends=4 * hosts,  # 8 links of 800 on ends of 1,600
            upper_ends=leaf_ends,
        ),
    )


def pod_design() -> Design:
    """Prefill: 69 domains on 18 leaves; decode: 42 domains, 2 to a replica, on 42 leaves; 2 pods.

    Decode: 150,000 tokens/s over 16 x 450 = 20.8 -> 21 replicas of two domains. Prefill: 300,000 prompt tokens/s
    over 8 x 550 = 68.2 -> 69 replicas of one domain.
    """
    prefill = plan(
        pool="big.prefill",
        phase="prefill",
        accelerator="b200_hgx",
        domain_size=8,
        nic="nic_800",
        nic_gbps=800.0,
        tp=8,
        dp=1,
        replicas_per_domain=1,
        tpot_s=None,
        ttft_estimate_s=0.5,
        tokens_per_s_per_accelerator=550.0,
        scale_out_ep_need_gbps=0.0,
        scale_out_other_need_gbps=100.0,
    )
    decode = replace(
        prefill,
        pool="big.decode",
        phase="decode",
        dp=2,
        accelerators_per_replica=16,
        domains_per_replica=2,
        tpot_s=0.02,
        ttft_estimate_s=None,
        tokens_per_s_per_accelerator=450.0,
        scale_out_ep_need_gbps=300.0,
    )
    pools = (
        # 4 domains on a leaf; 17 full leaves of 16 ends (32 x 800 / 1,600) and one of a single domain: 4 ends.
        _pod_pool("big.prefill", prefill, 69, 69, Attachment(4, 1, 32, 18, 100.0), 17 * 16 + 4),
        # One domain on a leaf, half a replica: (1 - 1/2) / (1 - 1/2) = all expert traffic leaves, 300 + 100;
        # 42 x 4 ends.
        _pod_pool("big.decode", decode, 42, 21, Attachment(1, 1, 8, 42, 400.0), 42 * 4),
    )
    # 60 leaves of 32 + 16 ports (800 and 1,600): 32/128 + 16/64 = 0.5.
    # Spine radix 64 at 1,600, taper 3: U0 = 64 / 4 = 16; m2 = 4: 4 cores each, U_s = 16; L = 64 - 16 = 48 leaves a pod.
    # 60 leaves: 2 pods, 32 spines, 16 x 4 = 64 cores; 2 x 4 = 8 ports of each core.
    leaf_spine = Boundary(
        name="leaf_spine",
        lower_link="dr8_1600",
        upper_link="cpo_1600",
        rate_gbps=1600,
        length_m=50.0,
        links=960,  # 60 x 16
        cables=960,
        lower_ends=960,
        upper_ends=1536,  # 32 spines x 48
    )
    spine_core = Boundary(
        name="spine_core",
        lower_link="cpo_1600",
        upper_link="cpo_1600",
        rate_gbps=1600,
        length_m=150.0,
        links=512,  # 32 spines x 16
        cables=512,
        lower_ends=512,
        upper_ends=512,  # 64 cores x 8
    )
    fabric = Fabric(
        family="Ethernet",
        rails=1,
        planes=1,
        stages=(
            Stage("leaf", "th6_64x1600", 60, 32, 16),
            Stage("spine", "th6_davisson_cpo", 32, 48, 16),
            Stage("core", "th6_davisson_cpo", 64, 8, 0),
        ),
        uplink_gbps=1600,
        links_per_leaf_spine=1,
        spines_per_pod=16,
        leaves_per_pod=48,
        pods=2,
        links_per_spine_core=4,
        cores_per_spine=4,
        spine_taper=3.0,
        boundaries=(leaf_spine, spine_core),
        # 60 x 1,500 + 96 x 2,000 + (276 + 168) x 25 + 960 x 25 = 317,100 W over 40 kW
        network_racks=8,
    )
    return Design("pod", pools, fabric)
