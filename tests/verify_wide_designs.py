"""Five more designs counted by hand on the catalogue of round numbers: rails, planes, two stages, torus, mesh.

Every number of the designs is written down, with its arithmetic beside it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from verify_designs import plan, rack_design, rack_instance

from designer.demand.plan import ServingPlan
from designer.design.types import Attachment, Boundary, Design, Fabric, PoolDesign, ScaleUp, Stage, UpperStage
from designer.instance.schema import Choose, Instance, Lengths, Site


def _boundary(
    name: Any, row: str, rate: int, length: float, links: int, cables: int, lower: int, upper: int
) -> Boundary:
    return Boundary(
        name=name,
        lower_link=row,
        upper_link=row,
        rate_gbps=rate,
        length_m=length,
        links=links,
        cables=cables,
        lower_ends=lower,
        upper_ends=upper,
    )


def _fabric(leaves: int, down: int, pairs: tuple[int, int], cables: Boundary, racks: int, **other: Any) -> Fabric:
    """Two stages; ``pairs`` = links to each spine, spines."""
    links, spines = pairs
    switch = other.pop("switch", "th5_64x800")
    given: dict[str, Any] = {
        "family": "Ethernet",
        "rails": 1,
        "planes": 1,
        "stages": (
            Stage("leaf", switch, leaves, down, links * spines),
            Stage("spine", switch, spines, links * leaves, 0),
        ),
        "uplink_gbps": cables.rate_gbps,
        "links_per_leaf_spine": links,
        "spines_per_pod": spines,
        "leaves_per_pod": leaves,
        "pods": 1,
        "links_per_spine_core": 0,
        "cores_per_spine": 0,
        "spine_taper": 0.0,
        "boundaries": (cables,),
        "network_racks": racks,
    }
    return Fabric(**{**given, **other})


def _pool(serving: ServingPlan, domains: int, replicas: int, per_host: int, **other: Any) -> PoolDesign:
    accelerators = domains * serving.domain_size
    given: dict[str, Any] = {
        "name": "chat",
        "workload": "chat",
        "phase": "decode",
        "plan": serving,
        "accelerator": serving.accelerator,
        "domain_size": serving.domain_size,
        "domains": domains,
        "accelerators": accelerators,
        "replicas": replicas,
        "hosts": accelerators // per_host,
        "nic": serving.nic,
        "nics": accelerators,
        "beyond_announced": False,
    }
    return PoolDesign(**{**given, **other})


# --- Two planes ----------------------------------------------------------------------------------------------------


def planes_instance() -> Instance:
    """The question of the rack design, with two planes allowed."""
    return rack_instance(choose=Choose(scale_out_planes=(1, 2)))


def planes_design() -> Design:
    """The rack design on two planes: every NIC of 400 has two ports of 200, one to each of two fabrics.

    Per plane 21 leaves of 72 ports of 200 (of 256) and 4 of 800 (of 64): 0.34; 14,400 down over 3,200 up = 4.5. The
    need of 50 is spread over both: 72 x 25 = 1,800 Gb/s of 3,200. Spines: 21 of 64 ports.
    """
    design = rack_design()
    # A host's 4 links of 200 to a leaf fill 2 cables of 400: 378 x 2 x 2; 1,512 x 2 links.
    nic_leaf = replace(design.pools[0].nic_leaf, rate_gbps=200, links=3024, cables=1512)
    # 2 planes x 21 leaves x 4 links; above 2 x 4 spines x 21.
    cables = _boundary("leaf_spine", "dr8_800", 800, 50.0, 168, 168, 168, 168)
    # 50 x 1,000 + 1,512 x 4 + 336 x 15 = 61,088 W over 40 kW
    fabric = _fabric(21, 72, (1, 4), cables, 2, planes=2)
    return replace(design, pools=(replace(design.pools[0], nic_leaf=nic_leaf),), fabric=fabric)


def planes_on_modules_design() -> Design:
    """The same with modules of 800 between NIC and leaf.

    A host has 4 NICs x 2 ports of 200 = 2 ends of 800; a leaf 72 x 200 = 18 ends.
    """
    design = planes_design()
    # 378 x 2; 42 leaves x 18.
    nic_leaf = _boundary("nic_leaf", "dr8_800", 200, 2.5, 3024, 3024, 756, 756)
    # 50 x 1,000 + 756 x 15 + 336 x 15 = 66,380 W
    return replace(design, pools=(replace(design.pools[0], nic_leaf=nic_leaf),))


def split_design() -> Design:
    """Two rails, two planes, a domain split over two leaves of each of the four copies.

    A copy has half of every host: 36 of a domain, 18 behind a leaf; 42 leaves of 18 ports of 200 (of 256) and 2 of 800:
    3,600 down over 1,600 up = 2.25. All expert traffic leaves: 80, over two planes 18 x 40 = 720 Gb/s.
    """
    design = rack_design()
    # A host's 2 links of 200 into a copy fill one cable of 400: 378 x 4.
    nic_leaf = replace(design.pools[0].nic_leaf, rate_gbps=200, links=3024, cables=1512)
    # 4 copies x 42 leaves x 2 links; 4 x 2 spines x 42.
    cables = _boundary("leaf_spine", "dr8_800", 800, 50.0, 336, 336, 336, 336)
    # (4 x 44) x 1,000 + 1,512 x 4 + 672 x 15 = 192,128 W
    fabric = _fabric(42, 18, (1, 2), cables, 5, rails=2, planes=2)
    pool = replace(design.pools[0], nic_leaf=nic_leaf, attachment=Attachment(1, 2, 18, 42, 80.0))
    return replace(design, pools=(pool,), fabric=fabric)


def split_instance() -> Instance:
    """The question that ``split_design`` answers."""
    return rack_instance(choose=Choose(scale_out_planes=(2,), scale_out_rails=(2, 4)))


# --- Eight rails ---------------------------------------------------------------------------------------------------


def rails_instance(**other: Any) -> Instance:
    """The question that ``rails_design`` answers; four racks of a leaf's hosts stand in a row."""
    given: dict[str, Any] = {
        "choose": Choose(scale_out_rails=(1, 8)),
        "site": Site(lengths=Lengths(row_m=20.0)),
    }
    return rack_instance(**{**given, **other})


def rails_design() -> Design:
    """Hosts of 8 on eight rails: 37 hosts, on every rail 5 leaves of 8 hosts each and 2 spines.

    150,000 tokens/s over 8 x 510 = 36.8 -> 37 replicas, one to a host. 5,000 Gb/s inside the domain + 7/8 of the
    100 that leave = 5,087.5 of 7,200.
    """
    serving = plan(
        accelerator="b200_hgx",
        domain_size=8,
        nic="nic_800",
        nic_gbps=800.0,
        replicas_per_domain=1,
        tokens_per_s_per_accelerator=510.0,
        scale_out_ep_need_gbps=0.0,
        scale_out_other_need_gbps=100.0,
    )
    pool = _pool(
        serving,
        37,
        37,
        8,
        racks=19,  # two hosts to a rack of 41 kW, as in the pod design
        scale_up=ScaleUp(
            kind="switched",
            switch="nvswitch4_chip",
            planes=2,
            shares=(9, 9),
            dims=(),
            ports_per_accelerator=18,
            port_gbps=400,
            usable_gbps=7200.0,
            switches=74,
            # 37 x 8 x 18 links, x 400 / 1,600
            boundary=_boundary("scale_up", "pcb_baseboard_1600eq", 400, 0.2, 5328, 1332, 1332, 1332),
            upper=None,
        ),
        # One accelerator of each of 8 hosts: 37 hosts on 5 leaves of every rail, the last with 5.
        attachment=Attachment(8, 1, 8, 5, 100.0),
        # 37 hosts x 4 ends (8 links of 800 on ends of 1,600); 8 rails x (4 leaves x 4 ends + 3 for 5 links).
        # 64 accelerators = 8 hosts in 4 racks: a row.
        nic_leaf=_boundary("nic_leaf", "dr8_1600", 800, 20.0, 296, 296, 148, 152),
    )
    # 8/128 + 2/64 of a leaf's ports; 6,400 down over 3,200 up. 8 rails x 5 leaves x 2 links; 8 x 2 spines x 5.
    cables = _boundary("leaf_spine", "dr8_1600", 1600, 50.0, 80, 80, 80, 80)
    # 8 x 7 x 1,500 + 152 x 25 + 160 x 25 = 91,800 W
    fabric = _fabric(5, 8, (1, 2), cables, 3, rails=8, switch="th6_64x1600")
    return Design("rack", (pool,), fabric)


# --- Two switch stages in the domain ----------------------------------------------------------------------------------


def clos_instance(**other: Any) -> Instance:
    """The question that ``clos_design`` answers: domains beyond what is announced."""
    given: dict[str, Any] = {
        "choose": Choose(beyond_announced=("gb200_nvl72",)),
        "site": Site(lengths=Lengths(three_racks_away_m=4.0)),
    }
    return rack_instance(**{**given, **other})


def clos_design() -> Design:
    """11 domains of 144 in four groups of 36, each behind 18 switches; two switches above on each of 18 planes.

    A first-stage switch of 72 ports: 36 down, 2 x 18 up; a second-stage switch: 4 x 18 = 72. 188 replicas, 18 to a
    domain: 10.4 -> 11. Watts in the rack per accelerator: 1,386.25 + 20 + (72 + 36) x 375 / 144 + 1,296 x 0.5 / 144
    + 1,296 x 25 / 144 = 1,917: 15 hosts of 4 to a rack, 36 hosts in 3 racks, a group of 9 hosts in one.
    """
    serving = plan(domain_size=144, replicas_per_domain=18)
    pool = _pool(
        serving,
        11,
        188,
        4,
        racks=33,
        beyond_announced=True,
        scale_up=ScaleUp(
            kind="clos",
            switch="nvswitch4_chip",
            planes=18,
            shares=(1,) * 18,
            dims=(),
            ports_per_accelerator=18,
            port_gbps=400,
            usable_gbps=7200.0,
            switches=792,  # 11 x 18 x 4
            # 11 x 144 x 18 links; 11 x 4 groups x 36 x 18 x 400 / 1,600 = 44 x 162
            boundary=_boundary("scale_up", "cu_cartridge_1600eq", 400, 1.2, 28_512, 7128, 7128, 7128),
            upper=UpperStage(
                switch="nvswitch4_chip",
                group=36,
                links_per_pair=18,
                switches_per_plane=2,
                uplinks=36,
                switches=396,  # 11 x 18 x 2
                # 792 x 36 links; ends of 1,600: 792 x 9 below, 396 x 18 above. Three racks.
                boundary=_boundary("scale_up_upper", "dr8_1600", 400, 4.0, 28_512, 28_512, 7128, 7128),
            ),
        ),
        # Split over two leaves of 72: all expert traffic leaves, 30 + 50; 18 hosts in 2 racks.
        attachment=Attachment(1, 2, 72, 22, 80.0),
        nic_leaf=_boundary("nic_leaf", "aec_400", 400, 4.0, 1584, 1584, 1584, 1584),
    )
    # 72/128 + 8/64; 72 x 80 = 5,760 Gb/s of 6,400. 22 leaves x 8 links, 4 spines x 44 ports.
    cables = _boundary("leaf_spine", "dr8_800", 800, 50.0, 176, 176, 176, 176)
    # 26 x 1,000 + 1,584 x 4 + 352 x 15 = 37,616 W
    return Design("rack", (pool,), _fabric(22, 72, (2, 4), cables, 1))


# --- A torus -------------------------------------------------------------------------------------------------------


def torus_instance(**other: Any) -> Instance:
    """The question that ``torus_design`` answers, with a front end."""
    given: dict[str, Any] = {"site": Site(front_end_usd_per_accelerator=100.0, front_end_w_per_accelerator=5.0)}
    return rack_instance(**{**given, **other})


def torus_design() -> Design:
    """6 tori of 8 x 8 x 8: eight cubes of 4 x 4 x 4 joined by circuit switches that the price contains.

    150,000 tokens/s over 8 x 50 = 375 replicas, 64 to a domain: 5.9 -> 6. Watts in the rack: 900 + 130 - 15 (the NIC
    that ships) + 20: 4,140 per host, 18 hosts to a rack by places; 128 hosts in 8 racks. A ring of 8 is 2 links long
    on average: 2 x 800 x 511 / (512 x 2) = 798.4375.
    """
    serving = plan(
        accelerator="tpu_v7_ironwood",
        domain_size=512,
        replicas_per_domain=64,
        scale_up_gbps=798.4375,
        scale_up_need_gbps=700.0,
        tokens_per_s_per_accelerator=50.0,
    )
    pool = _pool(
        serving,
        6,
        375,
        4,
        racks=48,
        scale_up=ScaleUp(
            kind="torus",
            switch=None,
            planes=0,
            shares=(),
            dims=(8, 8, 8),
            ports_per_accelerator=6,
            port_gbps=800,
            usable_gbps=798.4375,
            switches=0,
            boundary=None,
            upper=None,
        ),
        # Eight leaves of 64 to a domain, 16 hosts in one rack.
        attachment=Attachment(1, 8, 64, 48, 80.0),
        nic_leaf=_boundary("nic_leaf", "aec_400", 400, 2.5, 3072, 3072, 3072, 3072),
    )
    # 64/128 + 8/64; 64 x 80 = 5,120 Gb/s of 6,400. 48 leaves x 8 links, 8 spines x 48 ports.
    cables = _boundary("leaf_spine", "dr8_800", 800, 50.0, 384, 384, 384, 384)
    # 56 x 1,000 + 3,072 x 4 + 768 x 15 = 79,808 W
    return Design("rack", (pool,), _fabric(48, 64, (1, 8), cables, 2))


def uneven_torus_design() -> Design:
    """Tori of 12 x 4 x 4 = 192, three cubes: 2 x 800 x 191 / (192 x 3) = 530.55..., which no float can state.

    24 replicas to a domain: 375 / 24 = 15.6 -> 16 domains of 48 hosts in 3 racks; 3 leaves of 64 to a domain: the
    fabric is that of ``torus_design``.
    """
    serving = plan(
        accelerator="tpu_v7_ironwood",
        domain_size=192,
        replicas_per_domain=24,
        scale_up_gbps=2 * 800 * 191 / (192 * 3),
        scale_up_need_gbps=500.0,
        tokens_per_s_per_accelerator=50.0,
    )
    design = torus_design()
    (pool,) = design.pools
    scale_up = replace(pool.scale_up, dims=(12, 4, 4), usable_gbps=2 * 800 * 191 / (192 * 3))
    pool = replace(
        pool,
        plan=serving,
        domain_size=192,
        domains=16,
        racks=48,
        scale_up=scale_up,
        attachment=Attachment(1, 3, 64, 48, 80.0),
    )
    return replace(design, pools=(pool,))


def uneven_torus_instance(sizes: tuple[int, ...] = (192,)) -> Instance:
    """Three cubes are looked at only where they are listed."""
    return rack_instance(choose=Choose(domain_sizes=sizes))


# --- A mesh --------------------------------------------------------------------------------------------------------


def mesh_instance(**other: Any) -> Instance:
    """The question that ``mesh_design`` answers."""
    return rack_instance(**{"site": Site(lengths=Lengths(three_racks_away_m=4.0)), **other})


def mesh_design() -> Design:
    """75 hosts of 8, each accelerator with one link of 512 to every other: 7 x 512 = 3,584.

    150,000 tokens/s over 8 x 250 = 75 replicas, one to a host. Watts in the rack: 750 + 500 - 20 + 20: 10 kW per host,
    four to a rack.
    """
    serving = plan(
        accelerator="mi300x",
        domain_size=8,
        replicas_per_domain=1,
        scale_up_gbps=3584.0,
        scale_up_need_gbps=3000.0,
        tokens_per_s_per_accelerator=250.0,
    )
    pool = _pool(
        serving,
        75,
        75,
        8,
        racks=19,
        scale_up=ScaleUp(
            kind="mesh",
            switch=None,
            planes=0,
            shares=(),
            dims=(),
            ports_per_accelerator=7,
            port_gbps=512,
            usable_gbps=3584.0,
            switches=0,
            boundary=None,
            upper=None,
        ),
        # 8 hosts to a leaf, in 2 racks; 75 hosts on 10 leaves, the last with 3.
        attachment=Attachment(8, 1, 64, 10, 50.0),
        nic_leaf=_boundary("nic_leaf", "aec_400", 400, 4.0, 600, 600, 600, 600),
    )
    # 64/128 + 8/64. 10 leaves x 8 links, 4 spines x 20 ports.
    cables = _boundary("leaf_spine", "dr8_800", 800, 50.0, 80, 80, 80, 80)
    # 14 x 1,000 + 600 x 4 + 160 x 15 = 18,800 W
    return Design("rack", (pool,), _fabric(10, 64, (2, 4), cables, 1))
