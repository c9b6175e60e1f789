"""The verifier: accepts two designs counted by hand, to the last cent; rejects every single thing broken in them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verify_accounts import Row, rack_rows
from verify_designs import (
    figure,
    plan,
    pod_design,
    pod_instance,
    rack_design,
    rack_instance,
    workload,
)
from verify_small_designs import small, with_big_switch
from verify_tampering import ROUND, named, part, put, rules, said, touch_everything

from designer.catalogue import Catalogue, load_catalogue
from designer.catalogue.prices import bare_accelerator_usd, bare_overhead_w
from designer.demand import DomainOffer, enumerate_plans
from designer.design.account import Item
from designer.design.types import Attachment, Design
from designer.instance.pools import pools_of
from designer.instance.schema import Choose, Instance, Lengths, Money, Pins, Risk, Site
from designer.verify import Verification, verify
from designer.verify.bare import bare_usd, bare_watts
from designer.verify.demand import asked_of
from designer.verify.findings import Findings, UncountableError
from designer.verify.gauge import Gauge
from designer.verify.plan_tokens import check_tokens

F = Fraction

# --- Sound designs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [(rack_design, rack_instance), (pod_design, pod_instance)], ids=["rack", "pod"])
@pytest.mark.parametrize("catalogue", [ROUND, load_catalogue()], ids=["round", "shipped"])
def test_sound_designs_pass(build: Any, catalogue: Catalogue) -> None:
    # The counts follow from the shapes of the parts, not from prices: they hold on the shipped figures too, up to
    # lengths and racks, which the shipped distance classes and watts decide.
    design, instance = build[0](), build[1]()
    result = verify(design, catalogue, instance)
    may_differ = {"nic_leaf_length", "pool_racks", "network_racks", "rack_power"} if catalogue is not ROUND else set()
    assert rules(result) <= may_differ, said(result)
    if catalogue is ROUND:
        assert result.ok
        assert result.account.objective_usd == float(result.exact_objective)


def pod_rows() -> dict[Item, Row]:
    """The account of ``pod_design``: prefill 552 accelerators in replicas of 8, decode 336 in replicas of 16.

    Bare price: 30,000 - 2 x 10,000 / 8 - 36 x 2 x 20 / 8 = 27,320; with its host 35,320: an hour is worth 1.766, a
    restart 3.532 in prefill and 7.064 in decode. Bare watts: 1,000 + 700 - 20 - 2 x 375 / 8 = 1,586.25. The owner pays
    half of a part.
    """

    def row(
        usd: object,
        watts: object,
        hard: object,
        prefill: tuple[object, object],
        decode: tuple[object, object],
        clean: object,
        fix: object,
    ) -> Row:
        (hits_p, hours_p), (hits_d, hours_d) = ((F(str(a)), F(str(b))) for a, b in (prefill, decode))
        lost = F("1.766") * (hours_p + hours_d) + F("3.532") * hits_p + F("7.064") * hits_d
        return (
            F(str(usd)),
            F(str(watts)),
            F(str(hard)),
            hits_p + hits_d,
            hours_p + hours_d,
            F(str(clean)),
            F(str(fix)) + lost,
        )

    laser = 500 * F("8.76e-6")  # 0.00438 a year
    box = F("0.04") + F("0.05") + 16 * laser  # events of a co-packaged switch: outages, engine swaps, lasers
    down = F("0.01") * 6 + F("0.05") * 12 + laser * F("1.5")  # hours a year of one box
    # Spines and cores that a leaf uses: a pod of 48 leaves has 16 spines; 16 x 16 / 48 = 16/3 links, of 64 to a core.
    per_leaf = F(16, 48) + F(16, 3) / 64
    link = 16 * F("0.112") + F(16, 3) * F("0.04")  # events of the links above one leaf, see below
    return {
        # 888 x 0.04 = 35.52 repairs of 27,320 / 2 + 200
        "accelerators": row(
            888 * 35_320, 888 * F("1586.25"), "35.52", ("55.2", "441.6"), ("33.6", "537.6"), 0, F("35.52") * 13_860
        ),
        # 8.88 repairs of 1,600 / 2 + 200; host of 8, replicas of 8 and 16
        "nics": row(888 * 1600, 888 * 40, "8.88", ("5.52", "110.4"), ("3.36", "134.4"), 0, 8880),
        # 222 x 0.02 = 4.44 repairs of 5,000 + 200; 138 x 0.05 and 84 x 0.05 hits; 138 x 0.02 x 2.5 x 8 hours
        "scale_up_switches": row(2_220_000, 222 * 375, "4.44", ("6.9", "55.2"), ("4.2", "67.2"), 0, 23_088),
        # 111 x 36 = 3,996 x 2 x 0.0002 = 1.5984 swaps of 20 + 2,560. Prefill: 2,484 x 0.0004 hits + 0.1 x 2,484 x 0.01.
        "scale_up_links": row(
            3996 * 40, 0, "1.5984", ("3.4776", "15.8976"), ("2.1168", "19.3536"), 0, F("1.5984") * 2580
        ),
        # 888 ends of 1,000; 888 links of one MPO x (60 + 24) + 40. Prefill: 552 ends: 6.624 failures, 0.1 x 552 x 0.07
        # flaps, 0.02 x 276 dirty: hits 6.624 + 3.864 + 5.52; hours 8 x (13.248 + 5.52). Decode: 336 ends, of 16.
        "nic_leaf_links": row(
            888_000 + 888 * 124,
            22_200,
            "10.656",
            ("16.008", "150.144"),
            (F("4.032") + F("2.352") + F("3.36"), 16 * (F("8.064") + F("3.36"))),
            "8.88",
            F("10.656") * 650 + F("710.4"),
        ),
        # Leaves: prefill 17 x 0.04 x 4 hits, 17 x 0.01 x 6 x 32 h, and a last one of 8 accelerators; decode 42 x 0.04,
        # 42 x 0.01 x 6 x 16 h. Above: each leaf uses 16/48 of a spine, 16/3/64 of a core. Repairs: 0.6 leaves of
        # 35,700, 96 x 0.06 boxes of 70,700, lasers of 600.
        "scale_out_switches": row(
            60 * 70_000 + 96 * 140_000,
            60 * 1500 + 96 * 2000,
            F("0.6") + 96 * F("0.06") + 96 * 16 * laser,
            (F("2.76") + F("0.1") * 18 * per_leaf * box, F("33.12") + 2 * 552 * down),
            (F("1.68") + F("0.1") * 42 * per_leaf * box, F("40.32") + 2 * 336 * down),
            0,
            F("0.6") * 35_700 + 96 * F("0.06") * 70_700 + 96 * 16 * laser * 600,
        ),
        # 960 ends of 1,000 below; links of 2 MPO x (60 + 1.2 x 50) + 40 and of 2 x (60 + 180) + 40. A leaf-spine link:
        # 0.012 + 0.07 + 0.01 below, 0.01 + 0.01 at the engine: 0.112; a spine-core link: 0.04. Hours: 0.012 x 2 + 0.02,
        # and 0.02. 960 x 0.012 = 11.52 repairs of 650; 0.02 x ((960 + 1,536) / 2 + 512) = 35.2 cleanings of 80.
        "scale_out_links": row(
            960 * (1000 + 280) + 512 * 520,
            24_000,
            "11.52",
            (F("0.1") * 18 * link, 552 * F("0.064")),
            (F("0.1") * 42 * link, 336 * F("0.064")),
            "35.2",
            F("11.52") * 650 + 2816,
        ),
    }


@pytest.mark.parametrize(
    ("build", "rows"),
    [((rack_design, rack_instance), rack_rows()), ((pod_design, pod_instance), pod_rows())],
    ids=["rack", "pod"],
)
def test_accounts_equal_those_by_hand(build: Any, rows: dict[Item, Row]) -> None:
    risk = Risk(usd_per_hard_repair=10.0, usd_per_job_hit=2.5, usd_per_accelerator_hour_lost=0.1)
    result = verify(build[0](), ROUND, build[1](risk=risk))
    totals = result.totals
    assert totals is not None
    for item in totals.items:
        usd, watts, hard, hits, hours, cleanings, money = rows[item.item]
        got = item.failures
        assert (item.capex_usd, item.watts) == (usd, watts), item.item
        assert (got.hard, got.hits, got.hours, got.cleanings, got.usd) == (hard, hits, hours, cleanings, money), (
            item.item
        )
    # crf(10 %, 5) = 0.1 x 1.61051 / 0.61051; a watt costs 12.5 for the building and 0.8 x 1.2 x 8.76 kWh x 0.1 a year.
    it_share = F("0.161051") / F("0.61051")
    growth = F("1.1") ** 20
    per_watt = F("12.5") * (growth / 10) / (growth - 1) + F("0.84096")
    sums = [sum((row[place] for row in rows.values()), F(0)) for place in range(7)]
    usd, watts, hard, hits, hours, _, money = sums
    annual = it_share * usd + per_watt * watts + money
    assert totals.annual_usd == annual
    assert result.exact_objective == annual + 10 * hard + F("2.5") * hits + hours / 10
    account = result.account
    assert account.horizon_usd == float(annual * 5)
    assert account.it_watts == float(watts)
    own = it_share * rows["accelerators"][0] + per_watt * rows["accelerators"][1] + rows["accelerators"][6]
    assert account.fabric_usd == float(annual - own)
    assert account.racks == {"rack": 22, "pod": 35 + 21 + 8}[build[0]().instance]


# --- Other shapes of the rack design -----------------------------------------------------------------------------


def test_split_domains() -> None:
    # Two leaves to a domain: 36 below each, 42 leaves, one link to each of 8 spines (42 of 64 ports). All expert
    # traffic leaves: 30 + 50. 42 x 8 links; 8 x 42 ends above, 42 x 8 below.
    design = rack_design()
    design = put(design, "pools.0.attachment", Attachment(1, 2, 36, 42, 80.0))
    cables = replace(design.fabric.boundaries[0], links=336, cables=336, lower_ends=336, upper_ends=336)
    stages = (
        replace(design.fabric.stages[0], count=42, down_ports=36),
        replace(design.fabric.stages[1], count=8, down_ports=42),
    )
    # 50 x 1,000 + 1,512 x 4 + 672 x 15 = 66,128 W
    fabric = replace(
        design.fabric,
        stages=stages,
        links_per_leaf_spine=1,
        spines_per_pod=8,
        leaves_per_pod=42,
        boundaries=(cables,),
        network_racks=2,
    )
    result = verify(replace(design, fabric=fabric), ROUND, rack_instance())
    assert result.ok, said(result)
    third = put(replace(design, fabric=fabric), "pools.0.attachment.leaves_per_domain", 4)
    assert "leaf_split" in rules(verify(third, ROUND, rack_instance()))


def test_one_stage() -> None:
    design, instance = small()
    result = verify(design, with_big_switch(), instance)
    assert result.ok, said(result)
    # 144 x 0.05 accelerators ...; the one leaf: 0.01 repairs, 0.04 x 144 // 8 = 0.72 hits, 0.01 x 6 x 144 hours.
    assert result.totals is not None
    (switches,) = (item.failures for item in result.totals.items if item.item == "scale_out_switches")
    assert (switches.hard, switches.hits, switches.hours) == (F("0.01"), F("0.72"), F("8.64"))
    assert rules(verify(design, with_big_switch(ports=143), instance)) == {"leaf_ports"}


def test_pools_share_one_leaf_that_is_repaired_once() -> None:
    design, instance = small()
    twin = replace(design.pools[0], name="twin", workload="twin", plan=plan(pool="twin"))
    both = instance.model_copy(
        update={"workloads": (*instance.workloads, workload(name="twin", output_tokens_per_s=7000.0))}
    )
    shared = put(replace(design, pools=(*design.pools, twin)), "fabric.stages.0.down_ports", 288)
    result = verify(shared, with_big_switch(288), both)
    assert result.ok, said(result)
    assert result.totals is not None
    (switches,) = (item.failures for item in result.totals.items if item.item == "scale_out_switches")
    assert (switches.hard, switches.hits, switches.hours) == (F("0.01"), 2 * F("0.72"), 2 * F("8.64"))
    assert rules(verify(shared, with_big_switch(287), both)) == {"leaf_ports"}


# --- One thing broken ----------------------------------------------------------------------------------------------

RACK: list[tuple[str, str, object]] = [
    ("instance", "instance", "other"),
    ("pools", "pools", ()),
    ("pools", "pools.0.name", "chat2"),
    ("pool_workload", "pools.0.workload", "other"),
    ("pool_phase", "pools.0.phase", "together"),
    ("unknown_part", "pools.0.accelerator", "gb999"),
    ("unknown_part", "pools.0.scale_up.switch", "nvswitch9"),
    ("unknown_part", "pools.0.nic_leaf.lower_link", "aec_9"),
    ("unknown_part", "fabric.stages.1.switch", "th9"),
    ("protocol", "pools.0.scale_up.switch", "nvswitch6_chip"),
    ("nic_option", "pools.0.nic", "nic_800"),
    ("nic_option", "pools.0.plan.nics", 2),
    ("whole_numbers", "pools.0.scale_up.planes", 0),
    ("whole_numbers", "pools.0.plan.tokens_per_s_per_accelerator", 0.0),
    ("whole_numbers", "pools.0.domain_size", 0),
    ("domain_hosts", "pools.0.domain_size", 70),
    ("beyond_announced", "pools.0.domain_size", 144),
    ("replicas", "pools.0.replicas", 187),
    ("domains", "pools.0.domains", 20),
    ("domains", "pools.0.domains", 22),
    ("domains", "pools.0.plan.tokens_per_s_per_accelerator", 99.0),
    ("accelerators", "pools.0.accelerators", 1511),
    ("hosts", "pools.0.hosts", 377),
    ("nics", "pools.0.nics", 1511),
    ("pool_racks", "pools.0.racks", 20),
    ("what_if", "pools.0.beyond_announced", True),
    ("scale_up_switches", "pools.0.scale_up.switches", 377),
    ("planes", "pools.0.scale_up.planes", 19),
    ("vendor_planes", "pools.0.scale_up.planes", 9),
    ("radix", "pools.0.scale_up.planes", 17),
    ("shares", "pools.0.scale_up.shares", (1,) * 17),
    ("shares", "pools.0.scale_up.shares", (2, 0, *(1,) * 16)),
    ("planes", "pools.0.scale_up.ports_per_accelerator", 17),
    ("ports", "pools.0.scale_up.ports_per_accelerator", 19),
    ("no_amount", "pools.0.plan.tpot_s", float("inf")),
    ("no_amount", "pools.0.scale_up.boundary.length_m", float("nan")),
    ("no_amount", "fabric.boundaries.0.cables", -168),
    ("no_amount", "pools.0.plan.batch", 10**400),
    ("no_amount", "pools.0.plan.scale_out_other_need_gbps", -1.0),
    ("port_rate", "pools.0.scale_up.port_gbps", 200),
    ("usable_bandwidth", "pools.0.scale_up.usable_gbps", 7600.0),
    ("scale_up_need", "pools.0.plan.scale_up_need_gbps", 7201.0),
    ("plan_scale_up", "pools.0.plan.scale_up_gbps", 7201.0),
    ("scale_up_name", "pools.0.scale_up.boundary.name", "nic_leaf"),
    ("scale_up_rate", "pools.0.scale_up.boundary.rate_gbps", 200),
    ("scale_up_length", "pools.0.scale_up.boundary.length_m", 1.1),
    ("scale_up_links", "pools.0.scale_up.boundary.links", 27_215),
    ("scale_up_cables", "pools.0.scale_up.boundary.cables", 6803),
    ("scale_up_lower_ends", "pools.0.scale_up.boundary.lower_ends", 6803),
    ("scale_up_upper_ends", "pools.0.scale_up.boundary.upper_ends", 6805),
    ("cable_ends", "pools.0.scale_up.boundary.upper_link", "pcb_baseboard_1600eq"),
    ("nic_leaf_cables", "pools.0.nic_leaf.cables", 1511),
    ("nic_leaf_length", "pools.0.nic_leaf.length_m", 2.0),
    ("attachment", "pools.0.attachment.domains_per_leaf", 0),
    ("attachment", "pools.0.attachment", Attachment(2, 2, 72, 21, 50.0)),
    ("leaf_group", "pools.0.attachment.group", 71),
    ("leaf_group", "pools.0.attachment.domains_per_leaf", 2),
    ("leaf_ports", "pools.0.attachment.domains_per_leaf", 2),
    ("leaves", "pools.0.attachment.leaves", 20),
    ("leaf_need", "pools.0.attachment.need_gbps", 49.9),
    ("plan_hardware", "pools.0.plan.pool", "other"),
    ("plan_hardware", "pools.0.plan.phase", "prefill"),
    ("plan_hardware", "pools.0.plan.llm", "other"),
    ("plan_hardware", "pools.0.plan.accelerator", "gb300_nvl72"),
    ("plan_hardware", "pools.0.plan.domain_size", 36),
    ("plan_hardware", "pools.0.plan.nic", "nic_800"),
    ("plan_nic_rate", "pools.0.plan.nic_gbps", 800.0),
    ("plan_degrees", "pools.0.plan.batch", 0),
    ("plan_replica", "pools.0.plan.tp", 2),
    ("plan_placement", "pools.0.plan.replicas_per_domain", 8),
    ("plan_placement", "pools.0.plan.domains_per_replica", 2),
    ("plan_tp", "pools.0.plan.tp", 3),
    ("plan_tpot", "pools.0.plan.tpot_s", 0.0201),
    ("plan_tpot", "pools.0.plan.tpot_s", None),
    ("stages", "fabric.stages", lambda stages: stages * 3),
    ("boundaries", "fabric.boundaries", ()),
    ("stage_name", "fabric.stages.1.name", "core"),
    ("leaf_count", "fabric.stages.0.count", 20),
    ("spine_count", "fabric.stages.1.count", 3),
    ("leaf_down_ports", "fabric.stages.0.down_ports", 71),
    ("leaf_up_ports", "fabric.stages.0.up_ports", 9),
    ("spine_down_ports", "fabric.stages.1.down_ports", 41),
    ("spine_up_ports", "fabric.stages.1.up_ports", 1),
    ("family", "fabric.family", "InfiniBand"),
    ("uplink_rate", "fabric.uplink_gbps", 1600),
    ("min_spines", "fabric.spines_per_pod", 1),
    ("leaf_spine_rate", "fabric.boundaries.0.rate_gbps", 400),
    ("leaf_spine_links", "fabric.boundaries.0.links", 167),
    ("leaf_spine_lower_ends", "fabric.boundaries.0.lower_ends", 167),
    ("leaf_spine_upper_ends", "fabric.boundaries.0.upper_ends", 167),
    ("leaf_spine_length", "fabric.boundaries.0.length_m", 10.0),
    ("leaf_taper", "fabric.links_per_leaf_spine", 1),
    ("whole_numbers", "fabric.spines_per_pod", 0),
    ("spine_ports", "fabric.links_per_leaf_spine", 4),
    ("leaf_uplinks", "pools.0.plan.scale_out_other_need_gbps", 89.0),
    ("pod_leaves", "fabric.leaves_per_pod", 20),
    ("pods", "fabric.pods", 2),
    ("absent_stage", "fabric.cores_per_spine", 1),
    ("network_racks", "fabric.network_racks", 2),
]


@pytest.mark.parametrize(("rule", "path", "value"), named(RACK))
def test_one_broken_thing_in_the_rack_design(rule: str, path: str, value: object) -> None:
    result = verify(put(rack_design(), path, value), ROUND, rack_instance())
    assert rule in rules(result), said(result)
    assert not result.ok


POD: list[tuple[str, str, object]] = [
    ("leaves", "pools.0.attachment.leaves", 17),
    ("leaf_need", "pools.1.attachment.need_gbps", 100.0),
    ("nic_leaf_upper_ends", "pools.0.nic_leaf.upper_ends", 18 * 16),
    ("cpo_end", "fabric.boundaries.0.upper_link", "dr8_1600"),
    ("cpo_end", "fabric.boundaries.0.lower_link", "cpo_1600"),
    ("interop", "fabric.boundaries.0.lower_link", "2xfr4_1600"),
    ("module_lanes", "pools.1.nic_leaf.upper_link", "dr8_800"),
    ("cable_ends", "fabric.boundaries.0.lower_link", "aec_1600"),
    ("cable_at_cpo", "fabric.boundaries.0.lower_link", "aec_1600"),
    ("link_rate", "fabric.boundaries.0.lower_link", "dr8_800"),
    ("leaf_spine_upper_ends", "fabric.boundaries.0.upper_ends", 960),
    ("spine_core_links", "fabric.boundaries.1.links", 511),
    ("spine_core_length", "fabric.boundaries.1.length_m", 50.0),
    ("cores_per_spine", "fabric.cores_per_spine", 3),
    ("cores_per_spine", "fabric.spine_taper", 1.0),
    ("spine_taper", "fabric.spine_taper", 2.9),
    ("spine_count", "fabric.stages.1.count", 20),
    ("core_count", "fabric.stages.2.count", 63),
    ("min_spines", "fabric.spines_per_pod", 1),
    ("uplink_slow", "fabric.uplink_gbps", 200),
    ("core_down_ports", "fabric.stages.2.down_ports", 4),
    ("pods", "fabric.pods", 1),
    ("pod_leaves", "fabric.leaves_per_pod", 64),
    ("whole_numbers", "fabric.links_per_spine_core", 0),
    ("spine_ports", "fabric.links_per_spine_core", 17),
    ("spine_ports", "fabric.links_per_leaf_spine", 49),
    ("leaf_ports", "fabric.links_per_leaf_spine", 4),
    ("pod_uplinks", "pools.0.plan.scale_out_other_need_gbps", 267.0),
    ("radix", "pools.0.scale_up.planes", 1),
    ("plan_ttft", "pools.0.plan.ttft_estimate_s", None),
]


@pytest.mark.parametrize(("rule", "path", "value"), named(POD))
def test_one_broken_thing_in_the_pod_design(rule: str, path: str, value: object) -> None:
    result = verify(put(pod_design(), path, value), ROUND, pod_instance())
    assert rule in rules(result), said(result)


def ask(**changes: Any) -> Instance:
    return rack_instance(**changes)


# The design stays; the question changes so that it is no answer any more.
ASKED: list[tuple[str, Instance]] = [
    ("not_available", ask(date="2024-Q4")),
    ("not_listed", ask(choose=Choose(accelerators=("gb300_nvl72",)))),
    ("not_listed", ask(choose=Choose(scale_up_switches=("nvswitch6_chip",)))),
    ("not_listed", ask(choose=Choose(scale_out_switches=("th6_64x1600",)))),
    ("not_listed", ask(choose=Choose(links=("cu_cartridge_1600eq", "aec_400")))),
    ("not_listed", ask(choose=Choose(nics=("nic_800",)))),
    ("listed_size", ask(choose=Choose(domain_sizes=(36,)))),
    ("pinned_size", ask(pin=Pins(domain_size=36))),
    ("not_pinned", ask(pin=Pins(accelerator="gb300_nvl72"))),
    ("not_pinned", ask(pin=Pins(scale_up_switch="nvswitch6_chip"))),
    ("not_pinned", ask(pin=Pins(leaf_switch="sn5600"))),
    ("not_pinned", ask(pin=Pins(spine_switch="sn5600"))),
    ("min_spines", ask(choose=Choose(min_spines=5))),
    ("pinned_stages", ask(pin=Pins(scale_out_stages=3))),
    ("stages", ask(choose=Choose(scale_out_stages=(1, 3)))),
    ("scale_up_share", ask(choose=Choose(scale_up_shares=(0.5,)))),
    ("leaf_taper", ask(choose=Choose(max_taper=4.4999))),
    ("plan_tp", ask(choose=Choose(tensor_parallel=(2,)))),
    ("plan_overlap", ask(choose=Choose(two_batch_overlap=(True,)))),
    ("plan_measured", ask(measured_points=None)),
    ("plan_tpot", ask(workloads=(workload(tpot_ms=9.999),))),
    ("plan_hardware", ask(workloads=(workload(llm="qwen3_235b"),))),
    ("domains", ask(workloads=(workload(output_tokens_per_s=100_800.1),))),
    ("scale_up_length", ask(site=Site(lengths=Lengths(scale_up_m=1.0)))),
    ("reach", ask(site=Site(lengths=Lengths(scale_up_m=1.21)))),
    ("reach", ask(site=Site(lengths=Lengths(nic_leaf_m=5.001)))),
    ("reach", ask(site=Site(lengths=Lengths(hall_m=501.0)))),
]


@pytest.mark.parametrize(("rule", "instance"), ASKED, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(ASKED)])
def test_the_wrong_question(rule: str, instance: Instance) -> None:
    result = verify(rack_design(), ROUND, instance)
    assert rule in rules(result), said(result)


# The design stays; a part changes so that it does not fit any more.
PARTS: list[tuple[str, Callable[[], Design], Callable[[], Instance], Catalogue]] = [
    (rule, *(rack_design, rack_instance), catalogue)
    for rule, catalogue in [
        ("figure_unknown", part("switches", "nvswitch4_chip", price_usd=None)),
        ("figure_unknown", part("links", "aec_400", price_usd_per_cable=None)),
        ("figure_unknown", part("nics", "nic_400", afr_hard=None)),
        ("figure_unknown", part("accelerators", "gb200_nvl72", host_overhead_w_per_accel=None)),
        ("figure_negative", part("accelerators", "gb200_nvl72", price_usd=3589)),
        ("figure_negative", part("accelerators", "gb200_nvl72", host_overhead_w_per_accel=113.7)),
        ("figure_whole", part("accelerators", "gb200_nvl72", scale_up__ports=17.5)),
        ("not_released", part("links", "aec_400", status="announced")),
        ("not_merchant", part("accelerators", "gb200_nvl72", access="cloud")),
        ("beyond_announced", part("accelerators", "gb200_nvl72", scale_up__max_domain=64)),
        ("what_if", part("accelerators", "gb200_nvl72", scale_up__max_domain=64)),
        ("port_radix", part("switches", "nvswitch4_chip", radix_by_port_gbps={200: 144})),
        ("radix", part("switches", "nvswitch4_chip", radix_by_port_gbps={400: 71})),
        ("cable_lanes", part("switches", "nvswitch4_chip", lane_gbps=100)),
        ("cable_lanes", part("links", "cu_cartridge_1600eq", host_lane_gbps=(100.0,))),
        ("placement", part("links", "cu_cartridge_1600eq", placement="board")),
        ("placement", part("links", "aec_400", placement="rack")),
        ("placement", part("racks", "nvl72_gb200", accelerators=36)),
        ("pool_racks", part("racks", "nvl72_gb200", accelerators=36)),
        # 108.324 kW is 18 hosts x 4 x 1,504.5 W to the watt
        ("pool_racks", part("racks", "nvl72_gb200", power_limit_kw=108.323)),
        ("rack_power", part("racks", "nvl72_gb200", power_limit_kw=6.017)),
        ("reach", part("links", "aec_400", reach_m=2.499)),
        ("reach", part("links", "dr8_800", reach_m=49)),
        ("link_rate", part("links", "aec_400", rate_gbps=200.0)),
        ("nic_leaf_cables", part("links", "aec_400", rate_gbps=800.0)),
        ("rate_multiple", part("links", "dr8_800", lane_gbps=300.0)),
        ("interop", part("links", "dr8_800", interop_class=None)),
        ("nic_family", part("nics", "nic_400", families=("InfiniBand",))),
        ("leaf_rate", part("switches", "th5_64x800", radix_by_port_gbps={800: 64})),
        ("leaf_ports", part("switches", "th5_64x800", radix_by_port_gbps={400: 82, 800: 64})),
        ("spine_ports", part("switches", "th5_64x800", radix_by_port_gbps={400: 512, 800: 41})),
        ("network_racks", part("racks", "network", power_limit_kw=36.087)),
    ]
]


@pytest.mark.parametrize(
    ("rule", "design", "instance", "catalogue"), PARTS, ids=[f"{row[0]}-{n}" for n, row in enumerate(PARTS)]
)
def test_a_part_that_does_not_fit(
    rule: str, design: Callable[[], Design], instance: Callable[[], Instance], catalogue: Catalogue
) -> None:
    result = verify(design(), catalogue, instance())
    assert rule in rules(result), said(result)


def test_cores_and_spines_are_filled_to_the_port_and_the_taper() -> None:
    # Cores need 8 ports of 1,600; a core type of its own has 7.
    row = ROUND.switches["th6_davisson_cpo"].model_copy(update={"id": "few", "radix_by_port_gbps": {800: 64, 1600: 7}})
    few = replace(ROUND, switches={**ROUND.switches, "few": row})
    assert rules(verify(put(pod_design(), "fabric.stages.2.switch", "few"), few, pod_instance())) == {"core_ports"}
    # 48 ports down, 16 up: 3 : 1.
    tight = pod_instance(choose=Choose(spine_tapers=(3.0,), max_taper=2.999))
    assert rules(verify(pod_design(), ROUND, tight)) == {"spine_taper_limit"}


def test_sealed_accelerators_keep_to_their_vendor_domain() -> None:
    sealed = part("accelerators", "gb200_nvl72", sealed=True)
    assert verify(rack_design(), sealed, rack_instance()).ok
    domain = ROUND.accelerators["gb200_nvl72"].vendor_domain
    assert domain is not None
    other = part("accelerators", "gb200_nvl72", sealed=True, vendor_domain=domain.model_copy(update={"size": 36}))
    assert "sealed" in rules(verify(rack_design(), other, rack_instance()))
    fewer = part("accelerators", "gb200_nvl72", sealed=True, scale_up__ports=36)
    halves = rack_instance(choose=Choose(scale_up_shares=(0.5,)))
    assert "sealed_ports" in rules(verify(rack_design(), fewer, halves))


def test_a_domain_joins_at_least_two() -> None:
    single = part("accelerators", "gb200_nvl72", accelerators_per_host=1)
    assert "domain_size" in rules(verify(put(rack_design(), "pools.0.domain_size", 1), single, rack_instance()))


def test_names_make_parts_buyable_and_engines_need_no_list() -> None:
    announced = part("links", "aec_400", status="announced")
    lists = ("aec_400", "cu_cartridge_1600eq", "dr8_800")
    assert verify(rack_design(), announced, rack_instance(choose=Choose(links=lists))).ok
    late = part("links", "aec_400", available_from="2027-Q1")
    assert rules(verify(rack_design(), late, rack_instance())) == {"not_available"}
    assert verify(rack_design(), late, rack_instance(choose=Choose(include_unreleased=True))).ok
    pods = pod_instance()
    choose = pods.choose.model_copy(update={"links": ("dr8_1600", "pcb_baseboard_1600eq")})
    assert verify(pod_design(), ROUND, pods.model_copy(update={"choose": choose})).ok


# --- Limits --------------------------------------------------------------------------------------------------------


def limits(total: Verification) -> dict[str, tuple[Fraction, Callable[[Any], dict[str, Any]], object]]:
    """Rule -> (exact use, instance change for a limit, one unit)."""
    totals = total.totals
    assert totals is not None
    risk = totals.failures
    return {
        "limit_power": (totals.watts / 10**6, lambda x: {"site": Site(it_power_mw=x)}, 1e-6),
        "limit_racks": (F(totals.racks), lambda x: {"site": Site(racks=round(x))}, 1),
        "limit_capex": (totals.capex_usd, lambda x: {"money": Money(capex_usd=x)}, 1.0),
        "limit_hard_repairs": (risk.hard, lambda x: {"risk": Risk(max_hard_repairs_per_year=x)}, 1e-4),
        "limit_job_hits": (risk.hits, lambda x: {"risk": Risk(max_job_hits_per_year=x)}, 1e-4),
        "limit_hours_lost": (risk.hours, lambda x: {"risk": Risk(max_accelerator_hours_lost_per_year=x)}, 1e-4),
    }


@pytest.mark.parametrize("rule", sorted(limits(verify(rack_design(), ROUND, rack_instance()))))
def test_limits_hold_to_the_unit(rule: str) -> None:
    used, change, unit = limits(verify(rack_design(), ROUND, rack_instance()))[rule]
    # The use ends as a decimal here, so the limit can be exactly met.
    assert F(repr(float(used))) == used
    met = rack_instance(**change(float(used)))
    assert verify(rack_design(), ROUND, met).ok
    missed = rack_instance(**change(float(used) - float(unit)))  # type: ignore[arg-type]
    assert rules(verify(rack_design(), ROUND, missed)) == {rule}


# --- Properties ------------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_catalogue_changes_nothing(random: Any) -> None:
    def shuffled(rows: Any) -> dict[str, Any]:
        items = list(rows.items())
        random.shuffle(items)
        return dict(items)

    tables = {kind: shuffled(getattr(ROUND, kind)) for kind in ("accelerators", "switches", "links", "nics", "racks")}
    matches = list(ROUND.compatibility.scale_up)
    random.shuffle(matches)
    tables["compatibility"] = ROUND.compatibility.model_copy(update={"scale_up": tuple(matches)})
    other = replace(ROUND, **tables)
    for design, instance in ((rack_design(), rack_instance()), (pod_design(), pod_instance())):
        assert verify(design, other, instance) == verify(design, ROUND, instance)


PRICES = {
    "accelerators": ("price_usd", "host_price_usd"),
    "switches": ("price_usd",),
    "links": ("price_usd_per_cable", "price_usd_per_end"),
    "nics": ("price_usd",),
}


@functools.cache
def in_currency(rate: int) -> Catalogue:
    """The round catalogue with all money in a currency worth 1/rate."""

    def money(row: Any, names: tuple[str, ...]) -> Any:
        known = {name: getattr(row, name) for name in names if getattr(row, name, None) is not None}
        return row.model_copy(
            update={name: figure(old.mid * rate) for name, old in known.items() if old.mid is not None}
        )

    tables: dict[str, Any] = {
        kind: {name: money(row, names) for name, row in getattr(ROUND, kind).items()} for kind, names in PRICES.items()
    }
    facility, parts = ROUND.facility, ROUND.components
    repair = money(
        facility.repair,
        (
            "labour_usd_per_h",
            "module_swap_event_usd",
            "cable_swap_event_usd",
            "ocs_or_switch_swap_event_usd",
        ),
    )
    power = money(facility.cooling_and_power, ("electricity_usd_per_kwh", "facility_capex_usd_per_w"))
    trunk = money(parts.fibre_trunk, ("price_usd_fixed_per_mpo12", "price_usd_per_m_per_mpo12", "install_usd_per_link"))
    tables["facility"] = facility.model_copy(update={"repair": repair, "cooling_and_power": power})
    tables["components"] = parts.model_copy(
        update={
            "fibre_trunk": trunk,
            "duplex_patch_cord": money(parts.duplex_patch_cord, ("price_usd_each",)),
            "els_module": money(parts.els_module, ("price_usd",)),
        }
    )
    return replace(ROUND, **tables)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([2, 8, 64]), st.sampled_from([(rack_design, rack_instance), (pod_design, pod_instance)]))
def test_money_scales_with_the_currency(rate: int, build: Any) -> None:
    plain, other = (verify(build[0](), catalogue, build[1]()) for catalogue in (ROUND, in_currency(rate)))
    assert other.ok
    assert other.exact_objective == rate * plain.exact_objective
    assert other.account.it_watts == plain.account.it_watts
    assert other.account.job_hits_per_year == plain.account.job_hits_per_year


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(1, 6))
def test_tokens_and_plan_rate_scale_together(tokens: int, thousandths: int) -> None:
    scale = tokens / 8 * 10 ** (3 - thousandths)
    work = workload(tpot_ms=20.0, output_tokens_per_s=100_000.0 * scale)
    design = put(rack_design(), "pools.0.plan.tokens_per_s_per_accelerator", 100.0 * scale)
    result = verify(design, ROUND, rack_instance(workloads=(work,)))
    assert result.ok, said(result)
    assert result.exact_objective == verify(rack_design(), ROUND, rack_instance()).exact_objective


def test_an_uncountable_design_has_no_objective() -> None:
    result = verify(put(rack_design(), "pools.0.accelerator", "gb999"), ROUND, rack_instance())
    assert result.totals is None
    assert result.account.lines == ()
    with pytest.raises(ValueError, match="gb999"):
        _ = result.exact_objective


def test_measured_plans_are_taken_on_trust_and_said_so() -> None:
    (note,) = verify(rack_design(), ROUND, rack_instance()).notes
    assert "chat" in note


# --- Everything a design states -------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [(rack_design, rack_instance), (pod_design, pod_instance)], ids=["rack", "pod"])
def test_no_value_can_be_touched_unnoticed(build: Any) -> None:
    # With two stages the spine taper is asked by no rule.
    free = {"spine_taper"} if build[0] is rack_design else set()
    assert touch_everything(build[0](), build[1](), free) > 200


# --- Serving plans --------------------------------------------------------------------------------------------------


def model_case(phase: str) -> tuple[Design, Instance]:
    """The worked examples of docs/token_model.md, section 8, as the plan of a pool; the rest of the design is wrong."""
    common: dict[str, Any] = {
        "pool": "chat",
        "accelerator": "h200_sxm",
        "domain_size": 8,
        "scale_up_gbps": 3600.0,
        "ep": 32,
        "two_batch_overlap": True,
        "all_to_all": "hierarchical",
        "accelerators_per_replica": 32,
        "replicas_per_domain": 1,
        "domains_per_replica": 4,
        "scale_out_ep_need_gbps": 400.0,
        "scale_out_other_need_gbps": 6.25,
        "measured": False,
        "latency_allowance_us": 0.0,
    }
    work: dict[str, Any] = {"prompt_tokens": 4096, "output_tokens": 1024, "precision": "fp8"}
    if phase == "decode":
        serving = plan(
            **common,
            tp=2,
            dp=16,
            batch=64,
            step_s=0.0417974769,
            tpot_s=0.0245867511,
            tokens_per_s_per_accelerator=1301.51397,
            memory_bytes=50_125_537_280.0,
            scale_up_need_gbps=1648.82666,
        )
        work |= {"serve": "decode", "draft_tokens": 1, "accepted_tokens": 0.7}
    else:
        serving = plan(
            **common,
            phase="prefill",
            tp=1,
            dp=32,
            batch=16_384,
            step_s=2.55448249,
            tpot_s=None,
            ttft_estimate_s=3.87672373,
            tokens_per_s_per_accelerator=6413.82357,
            memory_bytes=40_515_076_096.0,
            scale_up_need_gbps=1372.18504,
        )
        work |= {"serve": "prefill", "prefix_hit_share": 0.25}
    design = put(rack_design(), "pools.0.plan", serving)
    design = put(put(design, "pools.0.phase", phase), "pools.0.accelerator", "h200_sxm")
    return design, rack_instance(workloads=(workload(**work),))


def token_rules(design: Design, instance: Instance) -> set[str]:
    found = Findings()
    pool = design.pools[0]
    check_tokens(found, pool, asked_of(instance)[pool.name], load_catalogue(), instance)
    return {finding.rule for finding in found.rows}


@pytest.mark.parametrize("phase", ["decode", "prefill"])
def test_the_worked_examples_of_the_token_model(phase: str) -> None:
    assert token_rules(*model_case(phase)) == set()


PLANS: list[tuple[str, str, str, object]] = [
    ("plan_step", "decode", "step_s", 0.04180),
    ("plan_tokens", "decode", "tokens_per_s_per_accelerator", 1301.6),
    ("plan_tokens", "prefill", "tokens_per_s_per_accelerator", 6420.0),
    ("plan_tpot_time", "decode", "tpot_s", 0.02458),
    ("plan_tpot_time", "prefill", "tpot_s", 0.01),
    ("plan_ttft_time", "prefill", "ttft_estimate_s", 2.5995),
    ("plan_ttft_time", "prefill", "ttft_estimate_s", None),
    ("plan_memory", "decode", "memory_bytes", 50_125_637_280.0),
    ("plan_memory_limit", "decode", "batch", 640),
    ("plan_scale_up_need", "decode", "scale_up_need_gbps", 1600.0),
    ("plan_ep_need", "decode", "scale_out_ep_need_gbps", 399.0),
    ("plan_other_need", "decode", "scale_out_other_need_gbps", 0.0),
    ("plan_other_need", "prefill", "scale_out_other_need_gbps", 12.5),
    ("plan_finite", "decode", "nic_gbps", 0.0),
    ("plan_finite", "decode", "scale_up_gbps", 0.0),
    ("plan_layout", "decode", "tp", 3),
    ("plan_layout", "decode", "tp", 16),
    ("plan_layout", "decode", "ep", 16),
    ("plan_layout", "decode", "pp", 2),
    ("plan_layout", "decode", "batch", 1),
    ("plan_layout", "decode", "accelerators_per_replica", 33),
    ("plan_layout", "prefill", "batch", 16_385),
]


@pytest.mark.parametrize(("rule", "phase", "name", "value"), PLANS, ids=[f"{r[0]}-{r[1]}-{r[2]}-{r[3]}" for r in PLANS])
def test_one_wrong_number_in_a_plan(rule: str, phase: str, name: str, value: object) -> None:
    design, instance = model_case(phase)
    assert rule in token_rules(put(design, f"pools.0.plan.{name}", value), instance)


def test_formats_and_figures_the_chip_lacks() -> None:
    design, instance = model_case("decode")
    fp4 = put(instance, "workloads.0.precision", "fp4")
    assert "plan_precision" in token_rules(design, fp4)
    # A100-class chips and TPU v4 have no fp8 figure.
    assert "plan_precision" in token_rules(put(design, "pools.0.accelerator", "tpu_v4"), instance)
    # 1,301 tokens/s x 4,096 x 140,544 B of cache for one token of output each: 7.5e11 B/s through 4e10.
    short = put(instance, "workloads.0.output_tokens", 1)
    assert "plan_mean_traffic" in token_rules(design, short)
    unknown = put(instance, "workloads.0.llm", "none")
    assert token_rules(design, unknown) == {"unknown_part"}


def test_plans_that_claim_to_be_measured_are_not_if_nobody_measured() -> None:
    modelled = put(rack_design(), "pools.0.plan.measured", False)
    result = verify(modelled, ROUND, rack_instance())
    assert {"plan_step", "plan_tokens"} <= rules(result)
    assert result.notes == ()


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(load_catalogue().llms)),
    st.sampled_from(["decode", "prefill", "disaggregated", "together"]),
    st.sampled_from(["gb200_nvl72", "h200_sxm", "b200_hgx", "ascend_910c", "gaudi3"]),
    st.sampled_from([(131, 1, 0.0), (1000, 500, 0.58), (30_000, 1024, 0.3)]),
    st.sampled_from([("low", "base"), ("mid", "high"), ("high", "low")]),
    st.booleans(),
)
def test_both_token_models_give_the_same_plans(
    llm: str, serve: str, accelerator: str, lengths: tuple[int, int, float], levels: tuple[str, str], drafts: bool
) -> None:
    prompt, output, hit = lengths
    work = workload(
        llm=llm,
        serve=serve,
        prompt_tokens=prompt,
        output_tokens=output,
        prefix_hit_share=hit,
        kv_bytes=2 if drafts else 1,
        draft_tokens=int(drafts),
        accepted_tokens=0.6 if drafts else 0.0,
    )
    instance = rack_instance(workloads=(work,), level=levels[0], efficiency=levels[1])
    catalogue = load_catalogue()
    option = catalogue.accelerators[accelerator].nic_options[0]
    rate = option.count * catalogue.nics[option.nic].rate_gbps
    offers = [DomainOffer(accelerator, size, 3200.0, option.nic, option.count, rate) for size in (8, 72)]
    for pool in pools_of(instance):
        for serving in enumerate_plans(pool, catalogue, instance, offers, prune=False).plans[::7]:
            found = Findings()
            shown = replace(rack_design().pools[0], name=pool.name, accelerator=accelerator, plan=serving)
            check_tokens(found, shown, asked_of(instance)[pool.name], catalogue, instance)
            assert not found.rows, "\n".join(map(str, found.rows))


# --- Against the price book ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["low", "mid", "high"])
def test_bare_figures_agree_with_the_catalogue_s_own(level: Any) -> None:
    catalogue = load_catalogue()
    for row in catalogue.accelerators.values():
        for mine, theirs in ((bare_usd, bare_accelerator_usd), (bare_watts, bare_overhead_w)):
            gauge = Gauge(Findings(), level)
            try:
                value: Fraction | None = mine(gauge, catalogue, row)
            except UncountableError:
                value = None
            assert (None if gauge.missing else value) == theirs(catalogue, row, level), row.id
