"""The verifier on fabrics of several equal copies, rails and planes: accounts by hand, and every rule broken once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from verify_accounts import Book, Row, rack_rows, same_account
from verify_designs import figure, pod_design, pod_instance, rack_design, rack_instance, workload
from verify_tampering import ROUND, named, part, put, rules, said, touch_everything
from verify_wide_builds import COPIES
from verify_wide_designs import (
    planes_design,
    planes_instance,
    rails_design,
    rails_instance,
)

from designer.catalogue import Catalogue
from designer.design.account import Item
from designer.design.types import Design
from designer.instance.schema import Choose, Instance, Lengths, Site
from designer.verify import verify
from designer.verify.events import Failures

F = Fraction


def rails_rows() -> dict[Item, Row]:
    """The account of ``rails_design``: 296 accelerators in replicas of 8, prices as in the pod design.

    A lost hour is worth 35,320 x 0.00005 = 1.766, a restart a quarter of an hour of 8: 3.532.
    """
    row = Book("1.766", "3.532").row
    return {
        # 296 x 0.04 = 11.84 repairs of 27,320 + 200; 296 x 0.1 interrupts; 11.84 x 2.5 h x 8
        "accelerators": row(296 * 35_320, 296 * F("1586.25"), "11.84", "29.6", "236.8", 0, F("11.84") * 27_520),
        "nics": row(296 * 1600, 296 * 40, "2.96", "2.96", "59.2", 0, F("2.96") * 1800),
        # 74 switches
        "scale_up_switches": row(740_000, 74 * 375, "1.48", "3.7", "29.6", 0, F("1.48") * 10_200),
        # 1,332 x 0.0004 = 0.5328 swaps of 40 + 2,560, 8 accelerators for 2 h; 0.1 x 1,332 x 0.01 flaps
        "scale_up_links": row(1332 * 40, 0, "0.5328", "1.8648", "8.5248", 0, F("0.5328") * 2600),
        # 300 ends; 296 links of one MPO x (60 + 24) + 40. 3.6 failures, 0.1 x 300 x 0.07 flaps, 0.02 x 150 dirty.
        # Two NICs behind an end of 1,600: in the host of one replica, at the leaf of two, which stop with their hosts.
        # 148 x 0.012 = 1.776 and 152 x 0.012 = 1.824: hits 1.776 + 2 x 1.824 + 2.1 + 3, hours 2 x 1.776 x 8
        # + 2 x 1.824 x 16 + 3 x 8.
        "nic_leaf_links": row(300_000 + 296 * 124, 7500, "3.6", "10.524", "110.784", 3, F("3.6") * 1150 + 240),
        # 8 rails x (5 leaves + 2 spines). A leaf serves one accelerator of each of 8 hosts: it hits 8 replicas, all of
        # them on this rail, and takes their 64 accelerators down; the last leaf of a rail has 5 hosts:
        # 8 x 0.04 x (4 x 8 + 5) hits, 8 x 0.01 x 6 h x (4 x 64 + 40). Spines: each of the 40 leaves uses 2 of 64
        # ports: 0.1 x 40 x 2/64 x 0.04; 296 x 0.06 h.
        "scale_out_switches": row(56 * 70_000, 84_000, "0.56", "11.845", "159.84", 0, F("0.56") * 70_700),
        # 160 ends of 1,000, 80 links of 280; a link 2 x (0.012 + 0.07 + 0.01) = 0.184 events; 296 x (0.048 + 0.02) h
        "scale_out_links": row(
            160_000 + 80 * 280, 4000, "1.92", F("0.1") * 80 * F("0.184"), "20.128", "1.6", F("1.92") * 1150 + 128
        ),
    }


def planes_rows() -> dict[Item, Row]:
    """The account of ``planes_design``: everything below the fabric, and the cables above it, as on one plane.

    A cable of 400 has two ports of 200 in it, and the other plane carries on.
    """
    row = Book("1.8205", "3.641").row
    return rack_rows() | {
        # 1.2096 swaps: one in ten kills a job; two accelerators lose half their bandwidth for 2 h. 0.1 x 1,512 x 0.02.
        "nic_leaf_links": row(378_000, 12_096, "1.2096", F("0.12096") + F("3.024"), "2.4192", 0, F("1.2096") * 370),
        # 42 leaves: a tenth of 42 x 0.04 x 9 hits, 42 x 0.01 x 6 h x 72 / 2. 8 spines: 0.1 x 42 x 4/64 x 0.04;
        # 1,512 x 0.06 h.
        "scale_out_switches": row(
            2_000_000, 50_000, "0.5", F("1.512") + F("0.0105"), F("90.72") + F("90.72"), 0, F("0.5") * 40_700
        ),
    }


def module_rows() -> dict[Item, Row]:
    """The account of ``planes_on_modules_design``: an end in the host has two NICs behind it, one at the leaf four."""
    row = Book("1.8205", "3.641").row
    # 756 ends on each side: 6.048 failures. In the host they stop the replica of 8; at the leaf 4 accelerators lose
    # half. 0.02 x 756 = 15.12 cleanings of 1 h, 2 accelerators at half. 0.1 x 2 x 756 x 0.07 flaps.
    hits = F("6.048") + F("0.6048") + F("10.584") + F("1.512")
    hours = F("6.048") * 2 * 8 + F("6.048") * 2 * 4 / 2 + F("15.12") * 2 / 2
    # Half an MPO x (60 + 1.2 x 2.5) + 40 a link.
    return planes_rows() | {
        "nic_leaf_links": row(
            756_000 + 3024 * F("71.5"), 22_680, "12.096", hits, hours, "15.12", F("12.096") * 650 + F("1209.6")
        )
    }


@pytest.mark.parametrize(
    ("name", "rows", "racks"),
    [("rails", rails_rows(), 19 + 3), ("planes", planes_rows(), 21 + 2), ("modules", module_rows(), 21 + 2)],
    ids=["rails", "planes", "modules"],
)
def test_accounts_equal_those_by_hand(name: str, rows: dict[Item, Row], racks: int) -> None:
    design, instance = COPIES[name]
    same_account(verify(design(), ROUND, instance()), rows, racks)


def switches_of(design: Design, catalogue: Catalogue, instance: Instance) -> Failures:
    totals = verify(design, catalogue, instance).totals
    assert totals is not None
    (failures,) = (item.failures for item in totals.items if item.item == "scale_out_switches")
    return failures


def cpo_leaf(lasers: int = 16) -> Catalogue:
    """The round catalogue with a co-packaged leaf for ports of 200, 800 and 1,600."""
    row = ROUND.switches["th6_davisson_cpo"].model_copy(
        update={
            "id": "cpo_leaf",
            "radix_by_port_gbps": {200: 512, 800: 128, 1600: 64},
            "els_modules": figure(lasers),
        }
    )
    return replace(ROUND, switches={**ROUND.switches, "cpo_leaf": row})


LASER = 500 * F("8.76e-6")


def test_co_packaged_leaves_of_planes_take_half_the_bandwidth_away() -> None:
    # Cables at engines are no design, but their failures can be counted: 42 leaves, 9 replicas on each; a laser of 16
    # serves ceil(72 / 16) = 5 accelerators, one replica.
    design = put(planes_design(), "fabric.stages.0.switch", "cpo_leaf")
    got = switches_of(design, cpo_leaf(), planes_instance())
    spines = F("0.0105"), F("90.72")
    assert got.hits == F("0.1") * 42 * ((F("0.04") + F("0.05")) * 9 + 16 * LASER) + spines[0]
    assert got.hours == 42 * (F("0.06") * 36 + F("0.6") * 36 + 16 * LASER * F("1.5") * F(5, 2)) + spines[1]


def test_co_packaged_leaves_of_rails_hit_the_replicas_of_all() -> None:
    # 32 leaves of 8 hosts, 8 of 5: a laser of 4 serves 2 hosts of 8, or 10 of 40 accelerators; replicas are down whole.
    design = put(rails_design(), "fabric.stages.0.switch", "cpo_leaf")
    got = switches_of(design, cpo_leaf(lasers=4), rails_instance())
    assert got.hits == F("0.09") * (32 * 8 + 8 * 5) + 4 * LASER * (32 * 2 + 8) + F("0.005")
    assert got.hours == F("0.66") * 8 * 296 + 4 * LASER * F("1.5") * (32 * 16 + 8 * 10) + F("17.76")


# --- Three stages --------------------------------------------------------------------------------------------------


def pods_on_rails() -> tuple[Design, Instance]:
    """The pod design with eight times its fabric: a rail for each accelerator of a host."""
    design = put(put(pod_design(), "fabric.rails", 8), "fabric.stages.0.down_ports", 4)
    # A host has one link to a rail and 4 ends for its 8. Prefill: leaves of 4 links (2 ends), the last with one:
    # 8 x (17 x 2 + 1); decode: leaves of one link, 8 x 42 ends.
    for place, group, ends in ((0, 4, 280), (1, 1, 336)):
        design = put(design, f"pools.{place}.attachment.group", group)
        design = put(design, f"pools.{place}.nic_leaf.upper_ends", ends)
    for place in (0, 1):
        for count in ("links", "cables", "lower_ends", "upper_ends"):
            design = put(design, f"fabric.boundaries.{place}.{count}", lambda number: 8 * number)
    # 8 x (60 x 1,500 + 96 x 2,000 + 960 x 25) + (280 + 336) x 25 = 2,463,400 W
    design = put(design, "fabric.network_racks", 62)
    instance = pod_instance()
    return design, instance.model_copy(update={"choose": instance.choose.model_copy(update={"scale_out_rails": (8,)})})


def test_three_stages_on_eight_rails() -> None:
    design, instance = pods_on_rails()
    result = verify(design, ROUND, instance)
    assert result.ok, said(result)
    assert result.totals is not None
    items = {item.item: item for item in result.totals.items}
    boxes, links = items["scale_out_switches"], items["scale_out_links"]
    assert (boxes.capex_usd, boxes.watts) == (8 * (60 * 70_000 + 96 * 140_000), 8 * (90_000 + 192_000))
    assert links.capex_usd == 8 * (960 * 1280 + 512 * 520)
    assert links.watts == 8 * 24_000
    # A leaf of a rail has one accelerator of each host below it: prefill 4 hosts of a replica each, the last leaf one,
    # decode one of two. All of the hosts stop.
    leaf_hits = 8 * F("0.04") * (17 * 4 + 1) + 8 * 42 * F("0.04")
    leaf_hours = 8 * F("0.06") * (17 * 32 + 8) + 8 * 42 * F("0.06") * 16
    # As in the pod design: every leaf uses 16/48 of a spine and 16/3/64 of a core.
    box = F("0.09") + 16 * LASER
    hits = leaf_hits + F("0.1") * 8 * 60 * (F(16, 48) + F(16, 3) / 64) * box
    hours = leaf_hours + 2 * 888 * (F("0.06") + F("0.6") + LASER * F("1.5"))
    assert (boxes.failures.hits, boxes.failures.hours) == (hits, hours)
    assert boxes.failures.hard == 8 * (F("0.6") + 96 * F("0.06") + 96 * 16 * LASER)
    assert links.failures.hits == F("0.1") * 8 * 60 * (16 * F("0.112") + F(16, 3) * F("0.04"))
    assert (links.failures.hours, links.failures.hard) == (888 * F("0.064"), 8 * F("11.52"))
    assert links.failures.cleanings == 8 * F("35.2")
    assert touch_everything(design, instance, set()) > 200


# --- One stage -------------------------------------------------------------------------------------------------------


def one_stage(rails: int, planes: int) -> tuple[Design, Instance, Catalogue]:
    """Two racks of 72 on one switch a copy; 36 hosts of 4, cables of 400."""
    design = rack_design()
    pool = design.pools[0]
    boundary = pool.scale_up.boundary
    assert boundary is not None
    boundary = replace(boundary, links=2592, cables=648, lower_ends=648, upper_ends=648)
    rate = 400 // planes
    # A host's 4 / rails links to one copy share cables of 400.
    cables = 36 * rails * planes * -(-(4 // rails) * rate // 400)
    ends = {"cables": cables, "lower_ends": cables, "upper_ends": cables}
    pool = replace(
        pool,
        domains=2,
        accelerators=144,
        replicas=14,
        hosts=36,
        nics=144,
        racks=2,
        scale_up=replace(pool.scale_up, switches=36, boundary=boundary),
        attachment=replace(pool.attachment, domains_per_leaf=2, group=144 // rails, leaves=1),
        nic_leaf=replace(pool.nic_leaf, rate_gbps=rate, links=144 * planes, length_m=4.0, **ends),
    )
    fabric = replace(
        design.fabric,
        rails=rails,
        planes=planes,
        stages=(replace(design.fabric.stages[0], switch="one", count=1, down_ports=144 // rails, up_ports=0),),
        uplink_gbps=0,
        links_per_leaf_spine=0,
        spines_per_pod=0,
        leaves_per_pod=1,
        boundaries=(),
        network_racks=1,
    )
    instance = rack_instance(
        workloads=(workload(output_tokens_per_s=7000.0),),
        choose=Choose(scale_out_rails=(rails,), scale_out_planes=(planes,)),
        site=Site(lengths=Lengths(nic_leaf_m=4.0)),
    )
    row = ROUND.switches["th5_64x800"].model_copy(update={"id": "one", "radix_by_port_gbps": {rate: 144 // rails}})
    return (
        replace(design, pools=(pool,), fabric=fabric),
        instance,
        replace(ROUND, switches={**ROUND.switches, "one": row}),
    )


@pytest.mark.parametrize(("rails", "planes"), [(1, 1), (4, 1), (1, 2), (2, 2)])
def test_one_switch_a_copy(rails: int, planes: int) -> None:
    design, instance, catalogue = one_stage(rails, planes)
    result = verify(design, catalogue, instance)
    assert result.ok, said(result)
    assert result.totals is not None
    (boxes,) = (item for item in result.totals.items if item.item == "scale_out_switches")
    assert boxes.capex_usd == rails * planes * 40_000
    # Below the switch of a rail is a share of all 18 replicas' places: it stops 144 // 8 of them. With planes one hit
    # in ten, and hours of the accelerators at its ports over the planes.
    kills = 1 if planes == 1 else F("0.1")
    assert boxes.failures.hits == rails * planes * F("0.04") * 18 * kills
    assert boxes.failures.hours == rails * planes * F("0.06") * (144 if planes == 1 else F(144, rails * planes))


# --- One thing broken ----------------------------------------------------------------------------------------------


BROKEN: dict[str, list[tuple[str, str, object]]] = {
    "planes": [
        ("whole_numbers", "fabric.planes", 0),
        ("nic_planes", "fabric.planes", 4),
        ("plane_option", "fabric.planes", 4),
        ("plane_rate", "fabric.planes", 3),
        ("rails_host", "fabric.rails", 3),
        ("rails", "fabric.rails", 2),
        ("nic_leaf_links", "pools.0.nic_leaf.links", 1512),
        ("nic_leaf_rate", "pools.0.nic_leaf.rate_gbps", 400),
        ("nic_leaf_cables", "pools.0.nic_leaf.cables", 756),
        ("leaf_spine_links", "fabric.boundaries.0.links", 84),
        ("leaf_count", "fabric.stages.0.count", 42),
        ("leaves", "pools.0.attachment.leaves", 42),
        ("network_racks", "fabric.network_racks", 1),
        ("leaf_uplinks", "pools.0.plan.scale_out_other_need_gbps", 89.0),
        ("uplink_slow", "fabric.uplink_gbps", 100),
    ],
    "split": [
        ("leaf_group", "pools.0.attachment.group", 36),
        ("leaf_split", "pools.0.attachment.leaves_per_domain", 4),
        ("leaf_need", "pools.0.attachment.need_gbps", 40.0),
        ("leaf_down_ports", "fabric.stages.0.down_ports", 36),
        ("nic_leaf_cables", "fabric.rails", 4),
    ],
    "modules": [
        ("nic_leaf_lower_ends", "pools.0.nic_leaf.lower_ends", 1512),
        ("nic_leaf_upper_ends", "pools.0.nic_leaf.upper_ends", 378),
    ],
    "rails": [
        ("whole_numbers", "fabric.rails", 0),
        ("rails", "fabric.rails", 4),
        ("rails_host", "fabric.rails", 16),
        ("rails_room", "pools.0.plan.scale_up_need_gbps", 7112.6),
        ("leaf_group", "pools.0.attachment.group", 64),
        ("leaves", "pools.0.attachment.leaves", 40),
        ("nic_leaf_upper_ends", "pools.0.nic_leaf.upper_ends", 148),
        ("spine_count", "fabric.stages.1.count", 16),
        ("leaf_spine_links", "fabric.boundaries.0.links", 10),
        ("nic_leaf_length", "pools.0.nic_leaf.length_m", 2.5),
    ],
}


@pytest.mark.parametrize(
    ("name", "rule", "path", "value"),
    [pytest.param(name, *row.values, id=f"{name}-{row.id}") for name, rows in BROKEN.items() for row in named(rows)],
)
def test_one_broken_thing(name: str, rule: str, path: str, value: object) -> None:
    design, instance = COPIES[name]
    result = verify(put(design(), path, value), ROUND, instance())
    assert rule in rules(result), said(result)


def test_room_for_forwarding_is_counted_to_the_last_digit() -> None:
    def with_need(need: float) -> set[str]:
        return rules(verify(put(rails_design(), "pools.0.plan.scale_up_need_gbps", need), ROUND, rails_instance()))

    # 7,200 - 7/8 x 100
    assert with_need(7112.5) == set()
    assert with_need(7112.500001) == {"rails_room"}
    # Expert traffic is forwarded as well, even what a leaf of whole replicas keeps.
    wide = put(rails_design(), "pools.0.plan.scale_out_ep_need_gbps", 2000.0)
    full = verify(put(wide, "pools.0.plan.scale_up_need_gbps", 6500.0), ROUND, rails_instance())
    assert rules(full) == set()
    over = verify(put(wide, "pools.0.plan.scale_up_need_gbps", 6500.1), ROUND, rails_instance())
    assert rules(over) == {"rails_room"}


@pytest.mark.parametrize(
    ("rule", "catalogue"),
    [
        ("plane_option", part("nics", "nic_400", plane_options=(1,))),
        ("plane_rate", part("nics", "nic_400", lane_gbps_options=(400.0,))),
        ("leaf_rate", part("switches", "th5_64x800", radix_by_port_gbps={400: 128, 800: 64})),
        ("leaf_ports", part("switches", "th5_64x800", radix_by_port_gbps={200: 76, 800: 64})),
    ],
)
def test_a_part_that_does_not_fit(rule: str, catalogue: Catalogue) -> None:
    result = verify(planes_design(), catalogue, planes_instance())
    assert rule in rules(result), said(result)


def test_copies_must_be_chosen() -> None:
    assert rules(verify(planes_design(), ROUND, rack_instance())) == {"nic_planes"}
    only = rails_instance(choose=Choose(scale_out_rails=(1, 2, 4)))
    assert rules(verify(rails_design(), ROUND, only)) == {"rails"}
    both = rack_instance(choose=Choose(scale_out_planes=(2,), scale_out_rails=(2,)))
    assert rules(verify(rack_design(), ROUND, both)) == {"nic_planes", "rails"}


def test_every_nic_of_every_pool_bears_the_planes() -> None:
    # Without an option of one port, one plane is no choice either.
    two: Any = part("nics", "nic_400", plane_options=(2,))
    assert rules(verify(rack_design(), two, rack_instance())) == {"plane_option"}
