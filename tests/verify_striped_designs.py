"""The rack design under trees whose highest boundary is striped unevenly, counted by hand: two, three and four stages.

21 leaves of 72 ports of 400 (of 128) with need 72 x 50 = 3,600 Gb/s, as in ``verify_upper_designs``. With two and
three stages links between switches are of 400 on modules of 800, two to a cage, so that boxes with an odd number of
links have a cage in half use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from verify_designs import altered, rack_instance
from verify_upper_designs import boundary, four_design, four_instance, upper_catalogue, with_fabric

from designer.catalogue import Catalogue
from designer.design.types import Design, Stage
from designer.instance.schema import Choose, Instance


def striped_catalogue() -> Catalogue:
    """The round catalogue with small switches whose ports up do not divide, and a round cable of 800."""
    catalogue = upper_catalogue()
    switches, links = dict(catalogue.switches), dict(catalogue.links)
    for name, like, radix in (
        ("spine_22", "small_spine", {400: 22}),
        ("core_28", "small_core", {400: 28}),
        ("core_26", "small_core", {800: 26}),
        ("top_10", "small_top", {800: 10}),
    ):
        switches[name] = switches[like].model_copy(update={"id": name, "radix_by_port_gbps": radix})
    figures = {
        "reach_m": 5,
        "power_w_per_end": 5,
        "price_usd_per_cable": 300,
        "price_usd_per_end": 150,
        "afr_hard_per_end": 0.0005,
        "transient_per_link_year": 0.02,
        "mttr_h": 2,
        "latency_ns_per_end": 45,
    }
    links["aec_800"] = altered(links["aec_800"], figures)
    return replace(catalogue, switches=switches, links=links)


def two_design() -> Design:
    """17 links of every leaf over 3 spines: 6, 6 and 5.

    72/128 + 17/128 of a leaf; 28,800 down over 6,800 up. 17 = 6 + 6 + 5: two full spines of 21 x 6 = 126 ports (of
    128), a lean one of 21 x 5 = 105.
    """
    return with_fabric(
        uplink_gbps=400,
        stages=(Stage("leaf", "th5_64x800", 21, 72, 17), Stage("spine", "th5_64x800", 3, 126, 0)),
        links_per_leaf_spine=6,
        spines_per_pod=3,
        # 21 x 17 links; 21 x 9 cages below, 63 + 63 + 53 above
        boundaries=(boundary("leaf_spine", 50.0, 357, 189, 179, rate=400),),
        # 24 x 1,000 + 1,512 x 4 + 368 x 15 = 35,568 W over 40 kW
        network_racks=1,
    )


def three_design() -> Design:
    """7 pods of 3 leaves; 11 links of every spine over 3 cores: 4, 4 and 3.

    12 links of a leaf, 3 to each of 4 spines: 28,800 down over 4,800 up. Spines of 22 ports, taper 1: 11 up;
    (22 - 11) // 3 = 3 leaves to a pod, 9 down. 21 leaves: 7 pods, 28 spines; 4 x 3 cores, of every three two full ones
    with 7 x 4 = 28 ports and a lean one with 21. A pod has 4 x 11 x 400 = 17,600 Gb/s up for 3 x 3,600.
    """
    return with_fabric(
        uplink_gbps=400,
        stages=(
            Stage("leaf", "th5_64x800", 21, 72, 12),
            Stage("spine", "spine_22", 28, 9, 11),
            Stage("core", "core_28", 12, 28, 0),
        ),
        links_per_leaf_spine=3,
        spines_per_pod=4,
        leaves_per_pod=3,
        pods=7,
        links_per_spine_core=4,
        cores_per_spine=3,
        spine_taper=1.0,
        boundaries=(
            boundary("leaf_spine", 50.0, 252, 126, 140, rate=400),  # 21 x 12; 21 x 6 cages below, 28 x 5 above
            # 28 x 11; 28 x 6 cages below, 4 x (14 + 14 + 11) above
            boundary("spine_core", 150.0, 308, 168, 156, rate=400),
        ),
        # 21 x 1,000 + 28 x 300 + 12 x 500 + 1,512 x 4 + 590 x 15 = 50,298 W over 40 kW
        network_racks=2,
    )


def top_design() -> Design:
    """The four stages of ``four_design`` with larger cores: 13 links of every core over 3 tops: 5, 4 and 4.

    Cores of 26 ports, taper 1: 13 up; (26 - 13) // 3 = 4 pods to a zone, 12 down. 8 x 3 tops, of every three a full one
    with 2 x 5 = 10 ports and two lean ones with 8. A zone has 8 x 13 x 800 = 83,200 Gb/s up for 16 x 3,600.
    """
    design = four_design()
    lowest, middle, _ = design.fabric.boundaries
    fabric = replace(
        design.fabric,
        stages=(
            *design.fabric.stages[:2],
            Stage("core", "core_26", 16, 12, 13),
            Stage("top", "top_10", 24, 10, 0),
        ),
        # 16 x 13; 8 x (10 + 8 + 8)
        boundaries=(lowest, middle, boundary("core_top", 150.0, 208, 208, 208)),
        # 21 x 1,000 + 24 x 300 + 16 x 500 + 24 x 700 + 1,512 x 4 + 1,112 x 15 = 75,728 W over 40 kW
        network_racks=2,
        links_per_core_top=5,
        tops_per_core=3,
    )
    return replace(design, fabric=fabric)


def striped_instance(stages: int, **other: Any) -> Instance:
    """The question that the design of so many stages answers."""
    if stages == 4:
        return four_instance(**other)
    return rack_instance(**{"choose": Choose(scale_out_stages=(stages,), spine_tapers=(1.0, 3.0)), **other})


STRIPED: dict[int, Callable[[], Design]] = {2: two_design, 3: three_design, 4: top_design}
