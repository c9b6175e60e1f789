"""Two racks on one switch that is large enough for both, counted by hand."""

from __future__ import annotations

from dataclasses import replace

from verify_designs import rack_design, rack_instance, round_catalogue, workload

from designer.catalogue import Catalogue
from designer.design.types import Attachment, Design
from designer.instance.schema import Instance

ROUND = round_catalogue()


def small(tokens: float = 7000.0) -> tuple[Design, Instance]:
    """One rack on one switch: 7,000 x 1.5 tokens/s need 13.1 -> 14 replicas, two racks; 144 ports of ``sn6600``."""
    design = rack_design()
    pool = design.pools[0]
    boundary = replace(pool.scale_up.boundary, links=2592, cables=648, lower_ends=648, upper_ends=648)
    scale_up = replace(pool.scale_up, switches=36, boundary=boundary)
    # 400G ports of the switch have 200G lanes, the NIC's 100G: linear modules do not suit, a DSP module would.
    nic_leaf = replace(pool.nic_leaf, links=144, cables=144, lower_ends=144, upper_ends=144, length_m=4.0)
    pool = replace(
        pool,
        domains=2,
        accelerators=144,
        replicas=14,
        hosts=36,
        nics=144,
        racks=2,
        scale_up=scale_up,
        attachment=Attachment(2, 1, 144, 1, 50.0),
        nic_leaf=nic_leaf,
    )
    fabric = replace(
        design.fabric,
        stages=(replace(design.fabric.stages[0], switch="big", count=1, down_ports=144, up_ports=0),),
        uplink_gbps=0,
        links_per_leaf_spine=0,
        spines_per_pod=0,
        leaves_per_pod=1,
        boundaries=(),
        network_racks=1,
    )
    instance = rack_instance(workloads=(workload(output_tokens_per_s=tokens),))
    return replace(design, pools=(pool,), fabric=fabric), instance


def with_big_switch(ports: int = 256) -> Catalogue:
    """The round catalogue with a switch of twice the ports of ``th5_64x800``."""
    row = ROUND.switches["th5_64x800"].model_copy(update={"id": "big", "radix_by_port_gbps": {400: ports}})
    return replace(ROUND, switches={**ROUND.switches, "big": row})
