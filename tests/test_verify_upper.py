"""The verifier on trees of four stages and on leaves joined directly: accounts by hand, and every rule broken once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from verify_accounts import Book, Row, rack_rows, same_account
from verify_designs import rack_design, rack_instance
from verify_tampering import named, put, rules, said, touch_everything
from verify_upper_designs import (
    FLAT,
    boundary,
    flat_instance,
    four_design,
    four_instance,
    mesh_fabric,
    upper_catalogue,
)

from designer.catalogue import Catalogue
from designer.design.account import Item
from designer.design.types import Design, Stage
from designer.instance.schema import Choose, Instance, Lengths, Pins, Risk, Site
from designer.verify import verify

F = Fraction
UPPER = upper_catalogue()
BUILDS: dict[str, tuple[Design, Instance]] = {
    "four": (four_design(), four_instance()),
    **{shape: (build(), flat_instance(shape)) for shape, build in FLAT.items()},
}
LEAVES_HIT = F("7.56")
"""A year's hits of 21 leaves of 9 replicas: 21 x 0.04 x 9."""


def rows_of(name: str) -> dict[Item, Row]:
    """The account of the rack design with another fabric: of a link of modules 0.176 events, 0.052 h in each."""
    row = Book("1.8205", "3.641").row
    if name == "four":
        # A leaf uses a spine, 8 / 16 of a core, 8 x 12 / 16 = 6 of the 8 ports of a top: 0.04 + 0.025 + 0.045; and
        # 8 + 4 x 6 / 4 + 6 = 20 links.
        boxes = row(
            840_000 + 240_000 + 320_000 + 960_000,
            58_600,
            "0.93",
            LEAVES_HIT + F("0.1") * 21 * F("0.11"),
            F("90.72") + 3 * F("90.72"),
            0,
            # 21 x 40,000 + 24 x 10,000 + 16 x 20,000 + 32 x 30,000, and 93 x 700, a hundredth of them a year
            F("23600") + F("651"),
        )
        # 1,080 ends; 168 links of 280, 336 over 150 m: 2 x (60 + 180) + 40.
        ends, links, fibre, stages = 1080, 21 * 20, 168 * 280 + 336 * 520, 3
    else:
        leaves, uplinks, ends, fibre = {
            "mesh": (21, 20, 420, 210 * 280),
            "hyperx": (22, 16, 352, 176 * 280),
            "dragonfly": (24, 25, 600, 300 * 280),
        }[name]
        boxes = row(
            leaves * 40_000,
            leaves * 1000,
            F(leaves, 100),
            # A leaf uses others as far as its links fill their ports; the leaves that no pool uses hit nobody.
            LEAVES_HIT + F("0.1") * 21 * F(uplinks, 64) * F("0.04"),
            2 * F("90.72"),
            0,
            leaves * F("407"),
        )
        # Half of its links are charged to a leaf.
        links, stages = F(21 * uplinks, 2), 1 if name == "mesh" else 2
    dirty = F("0.02") * ends / 2
    return rack_rows() | {
        "scale_out_switches": boxes,
        "scale_out_links": row(
            ends * 500 + fibre,
            ends * 15,
            ends * F("0.008"),
            F("0.1") * links * F("0.176"),
            stages * 1512 * F("0.052"),
            dirty,
            ends * F("5.2") + dirty * 80,
        ),
    }


@pytest.mark.parametrize("name", BUILDS)
def test_accounts_equal_those_by_hand(name: str) -> None:
    result = verify(BUILDS[name][0], UPPER, BUILDS[name][1])
    assert result.ok, said(result)
    same_account(result, rows_of(name), 21 + (3 if name == "four" else 1))


@pytest.mark.parametrize("name", ["four", "dragonfly"])
def test_no_value_can_be_touched_unnoticed(name: str) -> None:
    design, instance = BUILDS[name]
    free = {"spine_taper"} if name != "four" else set()
    assert touch_everything(design, instance, free, catalogue=UPPER) > 150


# --- One thing broken ------------------------------------------------------------------------------------------------

BROKEN: dict[str, list[tuple[str, str, object]]] = {
    "four": [
        ("zones", "fabric.zones", 3),
        ("pods_per_zone", "fabric.pods_per_zone", 3),
        ("tops_per_core", "fabric.tops_per_core", 3),
        ("top_ports", "fabric.links_per_core_top", 6),
        ("core_ports", "fabric.links_per_core_top", 13),
        ("whole_numbers", "fabric.links_per_core_top", 0),
        ("whole_numbers", "fabric.core_taper", 0.5),
        ("core_taper", "fabric.core_taper", 2.0),
        ("spine_taper", "fabric.spine_taper", 1.1),
        ("zone_uplinks", "fabric.core_taper", 3.0),
        ("cores_per_spine", "fabric.cores_per_spine", 3),
        ("pods", "fabric.pods", 8),
        ("top_count", "fabric.stages.3.count", 24),
        ("top_down_ports", "fabric.stages.3.down_ports", 8),
        ("top_up_ports", "fabric.stages.3.up_ports", 1),
        ("core_count", "fabric.stages.2.count", 8),
        ("core_up_ports", "fabric.stages.2.up_ports", 0),
        ("core_down_ports", "fabric.stages.2.down_ports", 18),
        ("stage_name", "fabric.stages.3.name", "core"),
        ("spine_core_upper_ends", "fabric.boundaries.1.upper_ends", 144),
        ("core_top_links", "fabric.boundaries.2.links", 144),
        ("core_top_length", "fabric.boundaries.2.length_m", 50.0),
        ("core_top_name", "fabric.boundaries.2.name", "spine_core"),
        ("boundaries", "fabric.boundaries", lambda rows: rows[:2]),
        ("unknown_part", "fabric.stages.3.switch", "nothing"),
        ("direct_dims", "fabric.dims", (6, 4)),
        ("direct_dims", "fabric.links_per_pair", (1,)),
        ("stages", "fabric.shape", "mesh"),
        ("shape", "fabric.shape", "ring"),
        ("network_racks", "fabric.network_racks", 2),
    ],
    "mesh": [
        ("boundaries", "fabric.shape", "hyperx"),
        ("direct_dims", "fabric.dims", ()),
        ("direct_dims", "fabric.dims", (21, 1)),
        ("direct_dims", "fabric.links_per_pair", (1, 1)),
        ("direct_dims", "fabric.links_per_pair", (0,)),
        ("direct_dims", "fabric.dims", (1,)),
        ("direct_leaves", "fabric.dims", (22,)),
        ("direct_leaves", "fabric.dims", (20,)),
        ("leaf_ports", "fabric.links_per_pair", (2,)),
        ("leaf_count", "fabric.stages.0.count", 22),
        ("leaf_up_ports", "fabric.stages.0.up_ports", 21),
        ("leaf_leaf_links", "fabric.boundaries.0.links", 420),
        ("leaf_leaf_lower_ends", "fabric.boundaries.0.lower_ends", 420),
        ("leaf_leaf_name", "fabric.boundaries.0.name", "group_group"),
        ("leaf_leaf_length", "fabric.boundaries.0.length_m", 150.0),
        ("leaf_ends", "fabric.boundaries.0.upper_link", "lro_800"),
        ("leaf_ends", "fabric.boundaries.0.upper_link", "aec_800"),
        ("uplink_rate", "fabric.uplink_gbps", 1600),
        ("uplink_slow", "fabric.uplink_gbps", 200),
        ("absent_stage", "fabric.spines_per_pod", 4),
        ("absent_stage", "fabric.links_per_leaf_spine", 1),
        ("absent_stage", "fabric.zones", 1),
        ("absent_stage", "fabric.core_taper", 1.0),
        ("pods", "fabric.pods", 0),
        ("pod_leaves", "fabric.leaves_per_pod", 1),
        ("stages", "fabric.stages", lambda rows: (*rows, Stage("spine", "th5_64x800", 1, 21, 0))),
        ("boundaries", "fabric.boundaries", ()),
        ("direct_carries", "pools.0.plan.scale_out_other_need_gbps", 117.0),
    ],
    "hyperx": [
        ("direct_dims", "fabric.dims", (2, 11)),
        ("direct_dims", "fabric.dims", (22, 1)),
        ("direct_leaves", "fabric.dims", (12, 2)),
        ("direct_leaves", "fabric.dims", (10, 2)),
        ("direct_carries", "fabric.links_per_pair", (1, 4)),
        ("leaf_taper", "fabric.links_per_pair", (1, 5)),
        ("direct_dims", "fabric.links_per_pair", (6,)),
        ("leaf_leaf_links", "fabric.links_per_pair", (2, 6)),
        ("group_group_links", "fabric.boundaries.1.links", 110),
        ("leaf_leaf_name", "fabric.boundaries", lambda rows: rows[::-1]),
    ],
    "dragonfly": [
        ("direct_dims", "fabric.dims", (4, 1)),
        ("direct_leaves", "fabric.dims", (4, 5)),
        ("direct_leaves", "fabric.dims", (4, 7)),
        ("direct_links", "fabric.links_per_pair", (5, 6)),
        ("direct_carries", "fabric.links_per_pair", (5, 4)),
        ("direct_carries", "fabric.links_per_pair", (4, 8)),
        ("group_group_upper_ends", "fabric.boundaries.1.upper_ends", 240),
    ],
}


@pytest.mark.parametrize(
    ("name", "rule", "path", "value"),
    [pytest.param(name, *row.values, id=f"{name}-{row.id}") for name, rows in BROKEN.items() for row in named(rows)],
)
def test_one_broken_thing(name: str, rule: str, path: str, value: object) -> None:
    design, instance = BUILDS[name]
    result = verify(put(design, path, value), UPPER, instance)
    assert rule in rules(result), said(result)


def test_a_tree_of_fewer_stages_states_no_zones() -> None:
    for field in ("zones", "pods_per_zone", "links_per_core_top", "tops_per_core", "core_taper"):
        assert rules(verify(put(rack_design(), f"fabric.{field}", 1), UPPER, rack_instance())) == {"absent_stage"}


def test_shapes_stages_and_core_tapers_must_be_chosen() -> None:
    four, flat = four_design(), mesh_fabric()
    assert rules(verify(four, UPPER, rack_instance())) == {"stages"}
    choose = Choose(scale_out_stages=(4,), core_tapers=(2.0,))
    assert rules(verify(four, UPPER, four_instance(choose=choose))) == {"core_taper"}
    # Cores of taper 5: 4 ports up, 3 in use, (24 - 3) // 3 = 7 pods below: 21 to 3.
    steep = put(four, "fabric.core_taper", 5.0)
    choose = Choose(scale_out_stages=(4,), core_tapers=(5.0,), max_taper=4.5)
    assert "core_taper_limit" in rules(verify(steep, UPPER, four_instance(choose=choose)))
    assert rules(verify(flat, UPPER, rack_instance())) == {"shape"}
    assert rules(verify(rack_design(), UPPER, flat_instance("mesh"))) == {"shape"}
    # Stages are those of trees.
    choose = Choose(scale_out_shapes=("mesh",), scale_out_stages=(3,))
    assert verify(flat, UPPER, rack_instance(choose=choose)).ok


@pytest.mark.parametrize(
    ("pins", "broken"),
    [
        (Pins(taper=4.5), {"pinned_tree", "pinned_taper"}),
        (Pins(scale_out_stages=1), {"pinned_tree"}),
        (Pins(leaf_leaf_links="dr8_800", spine_switch="small_spine", leaf_spine_links="aec_800"), set()),
        (Pins(leaf_leaf_links="dr8_800/aec_800"), {"pinned_links"}),
        (Pins(group_group_links="aec_800"), set()),
    ],
)
def test_pins_on_a_mesh(pins: Pins, broken: set[str]) -> None:
    assert rules(verify(mesh_fabric(), UPPER, flat_instance("mesh", pin=pins))) == broken


def test_pins_of_the_top() -> None:
    assert verify(four_design(), UPPER, four_instance(pin=Pins(top_switch="small_top", scale_out_stages=4))).ok
    held = Pins(core_top_links="dr8_800", taper="9:2")
    assert verify(four_design(), UPPER, four_instance(pin=held)).ok
    assert rules(verify(four_design(), UPPER, four_instance(pin=Pins(top_switch="small_core")))) == {"not_pinned"}
    assert rules(verify(four_design(), UPPER, four_instance(pin=Pins(core_top_links="aec_800")))) == {"pinned_links"}
    # Tops are switches of the scale-out.
    choose = Choose(scale_out_stages=(4,), scale_out_switches=("th5_64x800", "small_spine", "small_core"))
    assert rules(verify(four_design(), UPPER, four_instance(choose=choose))) == {"not_listed"}


def test_lengths_of_the_upper_boundaries() -> None:
    four = put(four_design(), "fabric.boundaries.2.length_m", 300.0)
    site = Site(lengths=Lengths(core_top_m=300.0))
    assert rules(verify(four_design(), UPPER, four_instance(site=site))) == {"core_top_length"}
    assert verify(four, UPPER, four_instance(site=site)).ok
    site = Site(lengths=Lengths(leaf_leaf_m=7.0, group_group_m=9.0))
    lines = put(put(FLAT["hyperx"](), "fabric.boundaries.0.length_m", 7.0), "fabric.boundaries.1.length_m", 9.0)
    assert verify(lines, UPPER, flat_instance("hyperx", site=site)).ok


def test_a_taper_is_held_by_what_is_carried() -> None:
    # 28,800 down over 8,400 carried: 3.43.
    for most, broken in ((3.5, set()), (3.4, {"leaf_taper"})):
        choose = Choose(scale_out_shapes=("mesh",), max_taper=most)
        assert rules(verify(mesh_fabric(), UPPER, flat_instance("mesh", choose=choose))) == broken


# --- Ways ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "nanoseconds"),
    [
        # Twice 45 + 45 + 5 x 2.5 m at the NIC, 160 + 250 or 160 + 750 at each boundary.
        ("four", 2 * (700 + 500 + 400) + 300 + 205 + 2 * (410 + 910 + 910)),
        ("mesh", 3 * 700 + 205 + 2 * 410),
        ("hyperx", 5 * 700 + 205 + 4 * 410),
        ("dragonfly", 7 * 700 + 205 + 6 * 410),
    ],
)
def test_the_longest_way(name: str, nanoseconds: int) -> None:
    design, instance = BUILDS[name]
    # Plans that were measured name no allowance; one that does is held to it all the same.
    result = verify(put(design, "pools.0.plan.latency_allowance_us", 0.0), UPPER, instance)
    (way,) = (row for row in result.findings if row.rule == "path_latency")
    assert float(way.stated) == nanoseconds / 1000


def test_two_leaves_are_next_to_each_other() -> None:
    # 7,000 x 1.5 tokens/s: two racks, a leaf each, 6 links between them: 6 x 800 x 2 / 2 = 4,800 for 3,600.
    design, instance = two_leaves()
    result = verify(design, UPPER, instance)
    assert result.ok, said(result)
    way = verify(put(design, "pools.0.plan.latency_allowance_us", 0.0), UPPER, instance)
    (found,) = (row for row in way.findings if row.rule == "path_latency")
    assert float(found.stated) == (2 * 700 + 205 + 410) / 1000


def two_leaves() -> tuple[Design, Instance]:
    """Two racks, counted as in ``verify_small_designs``, on two leaves."""
    design = mesh_fabric()
    pool = design.pools[0]
    below = pool.scale_up.boundary
    assert below is not None
    below = replace(below, links=2592, cables=648, lower_ends=648, upper_ends=648)
    pool = replace(
        pool,
        domains=2,
        accelerators=144,
        replicas=14,
        hosts=36,
        nics=144,
        racks=2,
        scale_up=replace(pool.scale_up, switches=36, boundary=below),
        attachment=replace(pool.attachment, leaves=2),
        nic_leaf=replace(pool.nic_leaf, links=144, cables=144, lower_ends=144, upper_ends=144),
    )
    fabric = replace(
        design.fabric,
        dims=(2,),
        links_per_pair=(6,),
        leaves_per_pod=2,
        stages=(Stage("leaf", "th5_64x800", 2, 72, 6),),
        boundaries=(boundary("leaf_leaf", 50.0, 6, 6, 6),),
    )
    works = flat_instance("mesh").workloads
    work = works[0].model_copy(update={"output_tokens_per_s": 7000.0})
    return replace(design, pools=(pool,), fabric=fabric), flat_instance("mesh", workloads=(work,))


# --- Single failures -------------------------------------------------------------------------------------------------


def taken(design: Design, instance: Instance) -> dict[str, float]:
    held = instance.model_copy(update={"risk": Risk(max_single_failure_share=0.0)})
    result = verify(design, UPPER, held)
    return {
        row.place.partition(", ")[2]: float(row.stated) for row in result.findings if row.rule == "limit_single_failure"
    }


def more(design: Design, need: float) -> Design:
    """The design with a plan that sends more out of the leaf."""
    design = put(design, "pools.0.plan.scale_out_other_need_gbps", need)
    return put(design, "pools.0.attachment.need_gbps", need)


def test_single_failures_of_tops() -> None:
    below = {"host": 1 / 188, "scale-up switch": 9 / 188, "leaf": 9 / 188}
    assert taken(four_design(), four_instance()) == below
    # 16 leaves x 72 x 66 = 76,032 Gb/s; one top less leaves (96 - 3) x 800 = 74,400, of a pod's 19,008 (24 - 3) x 800
    # = 16,800 remain without one core; three of four spines carry 4,800 out of a leaf, and 18 x 800 of a pod's 19,008.
    found = taken(more(four_design(), 66.0), four_instance())
    above = {"top": F(74_400, 76_032), "core": F(16_800, 19_008), "spine": F(14_400, 19_008)}
    assert found == below | {name: float(1 - left) for name, left in above.items()}


def test_single_failures_of_meshes() -> None:
    below = {"host": 1 / 188, "scale-up switch": 9 / 188, "leaf": 9 / 188}
    assert taken(mesh_fabric(), flat_instance("mesh")) == below
    # 72 x 115 = 8,280 Gb/s; twenty leaves carry 8,000: besides the 9 replicas of a leaf, so much of the other 179.
    found = taken(more(mesh_fabric(), 115.0), flat_instance("mesh"))
    assert found == below | {"leaf": float(F(9, 188) + F(179, 188) * (1 - F(8000, 8280)))}
    # The other of two leaves takes nothing from the one that is left.
    design, instance = two_leaves()
    assert set(taken(design, instance)) == {"host", "scale-up switch", "leaf"}


@pytest.mark.parametrize("shape", ["hyperx", "dragonfly"])
def test_what_a_failure_takes_of_other_shapes_is_not_known(shape: str) -> None:
    design, instance = BUILDS[shape]
    held = instance.model_copy(update={"risk": Risk(max_single_failure_share=1.0)})
    assert rules(verify(design, UPPER, held)) == {"direct_single_failure"}


# --- Cables and copies -----------------------------------------------------------------------------------------------


def test_cables_between_leaves_are_counted_by_pairs() -> None:
    # Links of 400 on cables of 800: of 11 links of a pair, two to a cable, 6 cables; between groups every link is its
    # own pair. 11 x 400 x 24 / 22 = 4,800 and 16 x 400 x 6 / 8 = 4,800 for 3,600; 33 + 20 of 128 ports.
    design, instance = BUILDS["dragonfly"]
    lines = []
    for name, links, cables in (("leaf_leaf", 396, 36 * 6), ("group_group", 240, 240)):
        row = boundary(name, 4.0, links, cables, cables, rate=400)
        lines.append(replace(row, lower_link="aec_800", upper_link="aec_800", cables=cables))
    fabric = replace(
        design.fabric,
        uplink_gbps=400,
        links_per_pair=(11, 16),
        stages=(Stage("leaf", "th5_64x800", 24, 72, 53),),
        boundaries=tuple(lines),
    )
    site = Site(lengths=Lengths(leaf_leaf_m=4.0, group_group_m=4.0))
    held = instance.model_copy(update={"site": site})
    result = verify(replace(design, fabric=fabric), UPPER, held)
    assert rules(result) <= {"network_racks"}, said(result)
    wrong = put(replace(design, fabric=fabric), "fabric.boundaries.0.cables", 198)
    assert "leaf_leaf_cables" in rules(verify(wrong, UPPER, held))
    assert result.totals is not None
    (found,) = (item.failures for item in result.totals.items if item.item == "scale_out_links")
    row = UPPER.links["aec_800"]
    rate, flaps = (F(repr(figure.at("mid"))) for figure in (row.afr_hard_per_end, row.transient_per_link_year))
    assert found.hard == 456 * 2 * rate
    # 33 / 2 links of a leaf at 6/11 of a cable each, 20 / 2 at a whole one.
    assert found.hits == F("0.1") * 21 * (F(33, 2) * F(6, 11) + 10) * (2 * rate + flaps)


def test_two_planes_are_two_meshes() -> None:
    design = mesh_fabric()
    pool = design.pools[0]
    pool = replace(pool, nic_leaf=replace(pool.nic_leaf, rate_gbps=200, links=3024))
    # Odd: 21 leaves of 5 ends (20 links of 200 on ends of 800): 105 a plane, 53 of them lower.
    row = boundary("leaf_leaf", 50.0, 420, 106, 104, rate=200)
    fabric = replace(design.fabric, planes=2, uplink_gbps=200, boundaries=(row,), network_racks=2)
    choose: Any = {"choose": Choose(scale_out_shapes=("mesh",), scale_out_planes=(2,))}
    # 72/256 + 20/256; 200 x 21 / 2 = 2,100 Gb/s for 72 x 25; 42,000 + 6,048 + 210 x 15 = 51,198 W
    both = replace(design, pools=(pool,), fabric=fabric)
    result = verify(both, UPPER, flat_instance("mesh", **choose))
    assert result.ok, said(result)
    assert result.totals is not None
    (boxes,) = (item for item in result.totals.items if item.item == "scale_out_switches")
    assert boxes.capex_usd == 42 * 40_000
    # A tenth of 42 x 0.04 x 9, and of 42 x 20/256 x 0.04; hours 42 x 0.06 x 72 / 2, and 1,512 x 0.06.
    assert boxes.failures.hits == F("1.512") + F("0.1") * 42 * F(20, 256) * F("0.04")
    assert boxes.failures.hours == 2 * F("90.72")


def test_engines_between_leaves_are_not_bought() -> None:
    row = UPPER.switches["th6_davisson_cpo"].model_copy(
        update={"id": "engines", "radix_by_port_gbps": {400: 128, 800: 64}, "cpo_link": "cpo_1600"}
    )
    catalogue: Catalogue = replace(UPPER, switches={**UPPER.switches, "engines": row})
    design = put(mesh_fabric(), "fabric.stages.0.switch", "engines")
    for end in ("lower", "upper"):
        design = put(design, f"fabric.boundaries.0.{end}_link", "cpo_1600")
        # 20 links of 800 on ends of 1,600
        design = put(design, f"fabric.boundaries.0.{end}_ends", 105)
    result = verify(design, catalogue, flat_instance("mesh"))
    # Copper at engines is no design, but the mesh can be counted.
    assert rules(result) == {"cable_at_cpo", "cable_lanes", "network_racks"}, said(result)
    assert result.totals is not None
    (links,) = (item for item in result.totals.items if item.item == "scale_out_links")
    # Half of 2 MPO x (60 + 1.2 x 50) + 40 for every link
    assert (links.capex_usd, links.watts, links.failures.hard) == (210 * (120 + 40), 0, 0)
