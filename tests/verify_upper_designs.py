"""The rack design under other fabrics, counted by hand: four stages, mesh, hyperx, dragonfly.

21 leaves of 72 ports of 400 (of 128) with need 72 x 50 = 3,600 Gb/s; links of 800 between switches. Every number of
the designs is written down, with its arithmetic beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from verify_designs import altered, rack_design, rack_instance, round_catalogue

from designer.catalogue import Catalogue
from designer.design.types import Boundary, Design, Fabric, Stage
from designer.instance.schema import Choose, Instance


def upper_catalogue() -> Catalogue:
    """The round catalogue with a small switch for every stage above the leaf."""
    catalogue = round_catalogue()
    switches = dict(catalogue.switches)
    for name, ports, usd, watts, outages, latency in (
        ("small_spine", 14, 10_000, 300, 0.04, 500),
        ("small_core", 24, 20_000, 500, 0.05, 400),
        ("small_top", 8, 30_000, 700, 0.06, 300),
    ):
        figures = {"price_usd": usd, "power_w": watts, "outage_per_year": outages, "latency_ns": latency}
        row = altered(switches["th5_64x800"], figures)
        switches[name] = row.model_copy(update={"id": name, "radix_by_port_gbps": {800: ports}})
    return replace(catalogue, switches=switches)


def boundary(name: Any, length: float, links: int, lower: int, upper: int, rate: int = 800) -> Boundary:
    """A boundary of modules of 800."""
    return Boundary(
        name=name,
        lower_link="dr8_800",
        upper_link="dr8_800",
        rate_gbps=rate,
        length_m=length,
        links=links,
        cables=links,
        lower_ends=lower,
        upper_ends=upper,
    )


def with_fabric(**other: Any) -> Design:
    """The rack design on another fabric."""
    design = rack_design()
    return replace(design, fabric=replace(design.fabric, **other))


# --- Four stages -----------------------------------------------------------------------------------------------------


def four_instance(**other: Any) -> Instance:
    """The question that ``four_design`` answers."""
    return rack_instance(**{"choose": Choose(scale_out_stages=(4,), core_tapers=(1.0, 3.0)), **other})


def four_design() -> Design:
    """6 pods of 4 leaves, in 2 zones of 4 pods.

    Spines of 14 ports, taper 1: 7 up, m2 = 3: 2 cores each, 6 up; (14 - 6) // 2 = 4 leaves to a pod, 8 down. 21 leaves:
    6 pods, 24 spines. Cores of 24, taper 1: 12 up, m3 = 3: 4 tops each, 12 up; (24 - 12) // 3 = 4 pods to a zone, 12
    down: 2 zones with 4 x 2 = 8 cores each. 8 x 4 = 32 tops, 2 x 3 = 6 of their 8 ports in use. A pod has 4 x 6 x 800 =
    19,200 Gb/s up for 4 x 3,600, a zone 8 x 12 x 800 = 76,800 for 16 x 3,600 = 57,600.
    """
    return with_fabric(
        stages=(
            Stage("leaf", "th5_64x800", 21, 72, 8),
            Stage("spine", "small_spine", 24, 8, 6),
            Stage("core", "small_core", 16, 12, 12),
            Stage("top", "small_top", 32, 6, 0),
        ),
        links_per_leaf_spine=2,
        spines_per_pod=4,
        leaves_per_pod=4,
        pods=6,
        links_per_spine_core=3,
        cores_per_spine=2,
        spine_taper=1.0,
        boundaries=(
            boundary("leaf_spine", 50.0, 168, 168, 192),  # 21 x 8; cages: 24 spines x 8
            boundary("spine_core", 150.0, 144, 144, 192),  # 24 x 6; cages: 16 cores x 12
            boundary("core_top", 150.0, 192, 192, 192),  # 16 x 12; 32 x 6
        ),
        # 21 x 1,000 + 24 x 300 + 16 x 500 + 32 x 700 + 1,512 x 4 + 1,080 x 15 = 80,848 W over 40 kW
        network_racks=3,
        zones=2,
        pods_per_zone=4,
        links_per_core_top=3,
        tops_per_core=4,
        core_taper=1.0,
    )


# --- Leaves joined directly ------------------------------------------------------------------------------------------


def flat_instance(shape: Any, **other: Any) -> Instance:
    """The question that the fabrics without spines answer."""
    return rack_instance(**{"choose": Choose(scale_out_shapes=(shape,)), **other})


def _flat(
    shape: Any, leaves: int, uplinks: int, sides: tuple[tuple[int, ...], tuple[int, ...]], **other: Any
) -> Design:
    return with_fabric(
        shape=shape,
        dims=sides[0],
        links_per_pair=sides[1],
        stages=(Stage("leaf", "th5_64x800", leaves, 72, uplinks),),
        links_per_leaf_spine=0,
        spines_per_pod=0,
        leaves_per_pod=leaves,
        **other,
    )


def mesh_fabric() -> Design:
    """One link between every two of 21 leaves: 72/128 + 20/64; 800 x 21 / 2 = 8,400 Gb/s for 3,600."""
    # 21 x 20 / 2 links; 21,000 + 6,048 + 420 x 15 = 33,348 W
    return _flat("mesh", 21, 20, ((21,), (1,)), boundaries=(boundary("leaf_leaf", 50.0, 210, 210, 210),))


def hyperx_fabric() -> Design:
    """21 of 11 x 2 leaves: one link along the lines of 11, six along those of 2: 10 + 6 of 64 ports.

    The smaller of 1 x 800 x 11 / 2 = 4,400 and 6 x 800 x 2 / 2 = 4,800 Gb/s for 3,600; 28,800 / 4,400 is below 7.
    """
    lines = (
        boundary("leaf_leaf", 50.0, 110, 110, 110),  # 22 x 10 / 2
        boundary("group_group", 50.0, 66, 66, 66),  # 22 x 6 / 2
    )
    # 22,000 + 6,048 + 352 x 15 = 33,328 W
    return _flat("hyperx", 22, 16, ((11, 2), (1, 6)), boundaries=lines)


def dragonfly_fabric() -> Design:
    """21 of 6 groups of 4 leaves: 5 links between two of a group, 8 between two groups: 15 + 8 x 5 / 4 = 25 ports.

    The smaller of 8 x 800 x 6 / 8 = 4,800 and 5 x 800 x 24 / 22 = 4,363 Gb/s for 3,600.
    """
    lines = (
        boundary("leaf_leaf", 50.0, 180, 180, 180),  # 24 x 15 / 2
        boundary("group_group", 50.0, 120, 120, 120),  # 24 x 10 / 2
    )
    # 24,000 + 6,048 + 600 x 15 = 39,048 W
    return _flat("dragonfly", 24, 25, ((4, 6), (5, 8)), boundaries=lines)


FLAT: dict[str, Callable[[], Design]] = {"mesh": mesh_fabric, "hyperx": hyperx_fabric, "dragonfly": dragonfly_fabric}


def fabric_of(design: Design) -> Fabric:
    """The only fabric of a design."""
    (fabric,) = design.fabrics
    return fabric
