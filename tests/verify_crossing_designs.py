"""A replica over four domains, counted by hand: on one switch, and on two stages that are slower.

The plan is the worked example of docs/token_model.md, section 8, decode; every other number has its arithmetic beside
it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from verify_designs import altered, plan, round_catalogue, workload

from designer.catalogue import Catalogue
from designer.demand.plan import ServingPlan
from designer.design.types import Attachment, Boundary, Design, Fabric, PoolDesign, ScaleUp, Stage
from designer.instance.schema import Instance, Lengths, Site


def crossing_catalogue() -> Catalogue:
    """The round catalogue with a board of 8 whose 18 ports meet three switches, six each.

    The worked example counts on all 3,600 Gb/s, which the four switches of the real board do not stripe evenly.
    """
    catalogue = round_catalogue()
    board = altered(
        catalogue.accelerators["h200_sxm"],
        {
            "rack": "air_41kw",
            "price_usd": 30_000,
            "host_price_usd": 2000,
            "tdp_w": 700,
            "host_overhead_w_per_accel": 500,
            "vendor_domain.planes": 3,
        },
    )
    chip = altered(
        catalogue.switches["nvswitch3"],
        {"price_usd": 2000, "power_w": 160, "tray_adders.price_factor": 2, "tray_adders.power_factor": 1.25},
    )
    return replace(
        catalogue,
        accelerators={**catalogue.accelerators, "h200_sxm": board},
        switches={**catalogue.switches, "nvswitch3": chip},
    )


def crossing_plan(allowance_us: float) -> ServingPlan:
    """58 MoE layers dispatch and combine across domains; compute is longer, and three quarters hide behind it.

    A step takes 116 x the allowance / 4 longer; 64 sequences x 1.7 tokens a step on every 2 accelerators.
    """
    step = 0.0417974769 + 29e-6 * allowance_us
    return plan(
        accelerator="h200_sxm",
        domain_size=8,
        scale_up_gbps=3600.0,
        tp=2,
        dp=16,
        ep=32,
        batch=64,
        two_batch_overlap=True,
        all_to_all="hierarchical",
        accelerators_per_replica=32,
        replicas_per_domain=1,
        domains_per_replica=4,
        step_s=step,
        tpot_s=step / 1.7,
        tokens_per_s_per_accelerator=64 * 1.7 / (2 * step),
        memory_bytes=50_125_537_280.0,
        scale_up_need_gbps=1648.82666,
        scale_out_ep_need_gbps=400.0,
        scale_out_other_need_gbps=6.25,
        measured=False,
        latency_allowance_us=allowance_us,
    )


def crossing_instance(**lengths: float) -> Instance:
    """The question that both designs answer; ``lengths`` of cables in metres."""
    return Instance(
        schema_version=1,
        name="crossing",
        title="experts over four boards",
        workloads=(
            workload(
                prompt_tokens=4096,
                output_tokens=1024,
                precision="fp8",
                draft_tokens=1,
                accepted_tokens=0.7,
                tpot_ms=25.0,
            ),
        ),
        site=Site(lengths=Lengths(**lengths)),
    )


def _boundary(name: Any, row: str, rate: int, length: float, links: int, cables: int) -> Boundary:
    return Boundary(name, row, row, rate, length, links, cables, cables, cables)


def _pool(allowance_us: float, attachment: Attachment, length: float) -> PoolDesign:
    """150,000 tokens/s over 32 x 1,301.5 = 3.6 -> 4 replicas of 4 domains, 128 accelerators.

    In the rack: 700 + 500 - 20 - 3 x 200 / 8 + 20 + 3 x 200 / 8 = 1,200 W: 9,600 a host, four to a rack of 41 kW.
    """
    return PoolDesign(
        name="chat",
        workload="chat",
        phase="decode",
        plan=crossing_plan(allowance_us),
        accelerator="h200_sxm",
        domain_size=8,
        domains=16,
        accelerators=128,
        replicas=4,
        hosts=16,
        nic="nic_400",
        nics=128,
        racks=4,
        beyond_announced=False,
        scale_up=ScaleUp(
            kind="switched",
            switch="nvswitch3",
            planes=3,
            shares=(6, 6, 6),
            dims=(),
            ports_per_accelerator=18,
            port_gbps=200,
            usable_gbps=3600.0,
            switches=48,
            # 16 x 8 x 18 links; 144 x 200 / 800 = 36 equivalents a board
            boundary=_boundary("scale_up", "pcb_baseboard_800eq", 200, 0.2, 2304, 576),
            upper=None,
        ),
        attachment=attachment,
        nic_leaf=_boundary("nic_leaf", "aec_400", 400, length, 128, 128),
    )


def one_switch_design(allowance_us: float = 0.0) -> tuple[Design, Instance]:
    """128 ports of 400 are one switch.

    The way: 700 ns + 2 x (45 + 45 + 5 x 4) = 920 ns.
    """
    fabric = Fabric(
        family="Ethernet",
        rails=1,
        planes=1,
        stages=(Stage("leaf", "th5_64x800", 1, 128, 0),),
        uplink_gbps=0,
        links_per_leaf_spine=0,
        spines_per_pod=0,
        leaves_per_pod=1,
        pods=1,
        links_per_spine_core=0,
        cores_per_spine=0,
        spine_taper=0.0,
        boundaries=(),
        network_racks=1,
    )
    pool = _pool(allowance_us, Attachment(16, 1, 128, 1, 0.0), 4.0)
    return Design("crossing", (pool,), fabric), crossing_instance(nic_leaf_m=4.0)


def two_stage_design(allowance_us: float, leaf_spine_m: float = 50.0) -> tuple[Design, Instance]:
    """A replica to a leaf, in one rack: 32 of 128 ports down, 4 of 64 up; nothing but 6.25 Gb/s of caches leaves.

    The way at 50 m: 3 x 700 + 2 x (45 + 45 + 5 x 2.5) + 2 x (80 + 80 + 5 x 50) = 3,125 ns.
    """
    fabric = Fabric(
        family="Ethernet",
        rails=1,
        planes=1,
        stages=(Stage("leaf", "th5_64x800", 4, 32, 4), Stage("spine", "th5_64x800", 4, 4, 0)),
        uplink_gbps=800,
        links_per_leaf_spine=1,
        spines_per_pod=4,
        leaves_per_pod=4,
        pods=1,
        links_per_spine_core=0,
        cores_per_spine=0,
        spine_taper=0.0,
        boundaries=(_boundary("leaf_spine", "dr8_800", 800, leaf_spine_m, 16, 16),),
        network_racks=1,  # 8 x 1,000 + 128 x 4 + 32 x 15 = 8,992 W
    )
    pool = _pool(allowance_us, Attachment(4, 1, 32, 4, 6.25), 2.5)
    return Design("crossing", (pool,), fabric), crossing_instance(leaf_spine_m=leaf_spine_m)
