"""Racks with spare domains, and a pool mixed of two accelerators, counted by hand.

Every number of the designs is written down, with its arithmetic beside it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from verify_designs import rack_design, rack_instance
from verify_wide_designs import rails_design

from designer.design.types import Attachment, Boundary, Design, Stage
from designer.instance.schema import Choose, Instance, Lengths, Site


def spare_instance(**other: Any) -> Instance:
    """The question that racks with spares answer."""
    return rack_instance(**{"choose": Choose(spare_domains=(0, 1, 2), spare_planes=(0, 1, 2)), **other})


def racks(domains: int, spare: int, **other: Any) -> Design:
    """The rack design with so many domains, ``spare`` of them to spare: a leaf each, 4 spines."""
    design = rack_design()
    pool = design.pools[0]
    below = pool.scale_up.boundary
    assert below is not None
    cables = domains * 324
    below = replace(below, links=domains * 1296, cables=cables, lower_ends=cables, upper_ends=cables)
    number = domains * 72
    pool = replace(
        pool,
        domains=domains,
        spare_domains=spare,
        accelerators=number,
        hosts=domains * 18,
        nics=number,
        racks=domains,
        scale_up=replace(pool.scale_up, switches=domains * 18, boundary=below),
        attachment=replace(pool.attachment, leaves=domains),
        nic_leaf=replace(pool.nic_leaf, links=number, cables=number, lower_ends=number, upper_ends=number),
        **other,
    )
    fabric = replace(
        design.fabric,
        leaves_per_pod=domains,
        stages=(
            Stage("leaf", "th5_64x800", domains, 72, 8),
            Stage("spine", "th5_64x800", 4, 2 * domains, 0),
        ),
        boundaries=(_above(domains * 8),),
        # 24 leaves: 28 x 1,000 + 1,728 x 4 + 384 x 15 = 40,672 W; 23: 39,144 W
        network_racks=2 if domains > 23 else 1,
    )
    return replace(design, pools=(pool,), fabric=fabric)


def _above(links: int) -> Boundary:
    row = rack_design().fabric.boundaries[0]
    return replace(row, links=links, cables=links, lower_ends=links, upper_ends=links)


def spare_design() -> Design:
    """21 racks that are needed, and 2 that are spare."""
    return racks(23, 2)


def spare_replica_design() -> Design:
    """Replicas of 144 on two racks: 150,000 / 14,400 = 10.4 -> 11 of them, 22 racks; two more for one spare replica.

    A leaf holds half of a replica: all expert traffic leaves it, 30 + 50; 72 x 80 = 5,760 Gb/s of 6,400.
    """
    pool = rack_design().pools[0]
    serving = replace(
        pool.plan,
        dp=144,
        ep=144,
        accelerators_per_replica=144,
        replicas_per_domain=1,
        domains_per_replica=2,
    )
    design = racks(24, 2, plan=serving, replicas=11)
    (pool,) = design.pools
    return replace(design, pools=(replace(pool, attachment=replace(pool.attachment, need_gbps=80.0)),))


def spare_planes_design() -> Design:
    """The rack design, where the plan counts on 16 of 18 planes: 16 x 400."""
    design = rack_design()
    (pool,) = design.pools
    up = replace(pool.scale_up, spare_planes=2, usable_gbps=6400.0)
    return replace(design, pools=(replace(pool, scale_up=up, plan=replace(pool.plan, scale_up_gbps=6400.0)),))


def mixed_instance(**other: Any) -> Instance:
    """The question that ``mixed_design`` answers."""
    given: dict[str, Any] = {"choose": Choose(mixed_parts=2), "site": Site(lengths=Lengths(nic_leaf_m=4.0))}
    return rack_instance(**{**given, **other})


def mixed_design() -> Design:
    """A quarter of the peak, 37,500 tokens/s, on boards of 8, and three, 112,500, on racks of 72.

    Boards: 37,500 / (8 x 510) = 9.2 -> 10 replicas, one to a board; 4 boards on a leaf of 32 ports of 800, the third
    leaf with 2: 32/64 + 8/64. Racks: 112,500 / 800 = 140.6 -> 141 replicas, 9 to a rack: 16. Together 19 leaves.
    """
    boards, racks_ = rails_design().pools[0], racks(16, 0).pools[0]
    below = boards.scale_up.boundary
    assert below is not None
    boards = replace(
        boards,
        name="chat+1",
        share=(1, 4),
        domains=10,
        accelerators=80,
        replicas=10,
        hosts=10,
        nics=80,
        racks=5,
        # 10 x 144 links, 10 x 36 cartridges
        scale_up=replace(
            boards.scale_up,
            switches=20,
            boundary=replace(below, links=1440, cables=360, lower_ends=360, upper_ends=360),
        ),
        attachment=Attachment(4, 1, 32, 3, 100.0),
        nic_leaf=Boundary(
            name="nic_leaf",
            lower_link="dr8_800",
            upper_link="dr8_800",
            rate_gbps=800,
            length_m=4.0,
            links=80,
            cables=80,
            lower_ends=80,
            upper_ends=80,
        ),
    )
    racks_ = replace(racks_, name="chat+2", share=(3, 4), replicas=141)
    racks_ = replace(racks_, nic_leaf=replace(racks_.nic_leaf, length_m=4.0))
    # 23 x 1,000 + 1,152 x 4 + 80 x 15 + 304 x 15 = 33,368 W
    return replace(racks(19, 0), pools=(boards, racks_))
