"""The verifier on limits of stock, vendors, availability and single failures: met to the unit, and missed by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verify_crossing_designs import crossing_catalogue, one_switch_design, two_stage_design
from verify_designs import pod_design, pod_instance, rack_design, rack_instance
from verify_small_designs import small, with_big_switch
from verify_tampering import ROUND, put, rules, said
from verify_wide_designs import (
    clos_design,
    clos_instance,
    mesh_design,
    mesh_instance,
    planes_design,
    planes_instance,
    planes_on_modules_design,
    rails_design,
    rails_instance,
    split_design,
    split_instance,
    torus_design,
    torus_instance,
)

from designer.catalogue import Catalogue
from designer.design.types import Design
from designer.instance.schema import Choose, Instance, Risk
from designer.verify import Verification, verify

F = Fraction
Build = tuple[Callable[[], Design], Callable[[], Instance]]
BUILDS: dict[str, Build] = {
    "rack": (rack_design, rack_instance),
    "pod": (pod_design, pod_instance),
    "planes": (planes_design, planes_instance),
    "modules": (planes_on_modules_design, planes_instance),
    "split": (split_design, split_instance),
    "rails": (rails_design, rails_instance),
    "clos": (clos_design, clos_instance),
    "torus": (torus_design, torus_instance),
    "mesh": (mesh_design, mesh_instance),
}


def stocked(instance: Instance, stock: Mapping[str, int]) -> Instance:
    return instance.model_copy(update={"stock": dict(stock)})


def at_risk(instance: Instance, **limits: float) -> Instance:
    return instance.model_copy(update={"risk": Risk(**limits)})


def from_vendors(instance: Instance, shares: Mapping[str, float]) -> Instance:
    choose = instance.choose.model_copy(update={"max_vendor_share": dict(shares)})
    return instance.model_copy(update={"choose": choose})


def places(result: Verification, rule: str) -> dict[str, tuple[str, str]]:
    return {found.place: (found.stated, found.recounted) for found in result.findings if found.rule == rule}


# --- Stock ---------------------------------------------------------------------------------------------------------

UNITS: dict[str, dict[str, int]] = {
    # Cartridge equivalents and cables once, module ends on both sides; leaves and spines are one type: 21 + 4.
    "rack": {
        "gb200_nvl72": 1512,
        "nic_400": 1512,
        "nvswitch4_chip": 378,
        "cu_cartridge_1600eq": 6804,
        "aec_400": 1512,
        "th5_64x800": 25,
        "dr8_800": 336,
    },
    # Both pools: 552 + 336 accelerators, 2 switches to 8, 36 board equivalents. Modules: below, 444 in the hosts, 276
    # and 168 at the leaves, and 960 up from the leaves; the engines of spines and cores are nobody's purchase.
    "pod": {
        "b200_hgx": 888,
        "nic_800": 888,
        "nvswitch4_chip": 222,
        "pcb_baseboard_1600eq": 3996,
        "dr8_1600": 444 + 276 + 168 + 960,
        "cpo_1600": 0,
        "th6_64x1600": 60,
        "th6_davisson_cpo": 96,
    },
    # Two planes: 2 x 25 switches.
    "planes": {"nic_400": 1512, "aec_400": 1512, "th5_64x800": 50, "dr8_800": 336},
    # The same row below and above the leaves: 756 + 756 + 336.
    "modules": {"th5_64x800": 50, "dr8_800": 1848, "aec_400": 0},
    # Four copies of 44 switches.
    "split": {"th5_64x800": 176, "dr8_800": 672, "aec_400": 1512},
    # Eight rails of 7 switches; 148 ends in the hosts, 152 at the leaves, 160 above.
    "rails": {"b200_hgx": 296, "nic_800": 296, "nvswitch4_chip": 74, "th6_64x1600": 56, "dr8_1600": 460},
    # Both stages of the domains are one type: 792 + 396; modules between them, 7,128 on either side.
    "clos": {
        "gb200_nvl72": 1584,
        "nvswitch4_chip": 1188,
        "cu_cartridge_1600eq": 7128,
        "dr8_1600": 14_256,
        "aec_400": 1584,
        "th5_64x800": 26,
        "dr8_800": 352,
    },
    # What joins a torus or a mesh comes with its price.
    "torus": {"tpu_v7_ironwood": 3072, "nic_400": 3072, "aec_400": 3072, "th5_64x800": 56, "dr8_800": 768},
    "mesh": {"mi300x": 600, "nic_400": 600, "aec_400": 600, "th5_64x800": 14, "dr8_800": 160},
}


@pytest.mark.parametrize("name", UNITS)
def test_stock_holds_to_the_unit(name: str) -> None:
    design, instance = BUILDS[name]
    # Parts that are not bought may be out of stock.
    exact = {**UNITS[name], "qm9700": 0, "dac_400": 0}
    result = verify(design(), ROUND, stocked(instance(), exact))
    assert result.ok, said(result)
    for bought, units in UNITS[name].items():
        if units:
            one_less = verify(design(), ROUND, stocked(instance(), {**exact, bought: units - 1}))
            assert rules(one_less) == {"limit_stock"}, bought
            assert places(one_less, "limit_stock") == {f"part {bought}": (str(units), f"at most {units - 1}")}


def test_every_part_that_is_short_is_named() -> None:
    empty = dict.fromkeys(UNITS["rack"], 0)
    found = places(verify(rack_design(), ROUND, stocked(rack_instance(), empty)), "limit_stock")
    assert {place: stated for place, (stated, _) in found.items()} == {
        f"part {bought}": str(units) for bought, units in UNITS["rack"].items()
    }


def test_pools_share_the_stock() -> None:
    # Either pool alone would do with 552.
    short = verify(pod_design(), ROUND, stocked(pod_instance(), {"b200_hgx": 552}))
    assert places(short, "limit_stock") == {"part b200_hgx": ("888", "at most 552")}


# --- Vendors -------------------------------------------------------------------------------------------------------


def two_vendors() -> tuple[Design, Catalogue]:
    """The pod design with the accelerators of its second pool, 336 of 888, from another maker."""
    row = ROUND.accelerators["b200_hgx"].model_copy(update={"id": "other", "vendor": "AMD"})
    design = put(put(pod_design(), "pools.1.accelerator", "other"), "pools.1.plan.accelerator", "other")
    return design, replace(ROUND, accelerators={**ROUND.accelerators, "other": row})


@pytest.mark.parametrize(
    ("shares", "broken"),
    [
        ({}, set()),
        ({"AMD": 1.0, "NVIDIA": 1.0}, set()),
        # 336 / 888 = 0.378378..., 552 / 888 = 0.621621...
        ({"AMD": 0.3784, "NVIDIA": 0.6217}, set()),
        ({"AMD": 335 / 888}, {"AMD"}),
        ({"AMD": 0.3783}, {"AMD"}),
        ({"NVIDIA": 551 / 888}, {"NVIDIA"}),
        ({"AMD": 0.3783, "NVIDIA": 0.6216, "Google": 0.0}, {"AMD", "NVIDIA"}),
        ({"AMD": 0.0}, {"AMD"}),
        # A share that was computed and written down as a float holds.
        ({"AMD": 336 / 888, "NVIDIA": 552 / 888}, set()),
        ({"AMD": math.nextafter(336 / 888, 0)}, {"AMD"}),
        ({"Intel": 0.0}, set()),
    ],
)
def test_vendor_shares(shares: dict[str, float], broken: set[str]) -> None:
    design, catalogue = two_vendors()
    result = verify(design, catalogue, from_vendors(pod_instance(), shares))
    assert set(places(result, "limit_vendor_share")) == {f"vendor {vendor}" for vendor in broken}, said(result)
    assert rules(result) == ({"limit_vendor_share"} if broken else set())


def test_a_share_is_of_all_accelerators_not_of_pools() -> None:
    # One pool of two: half of the pools, but three in eight accelerators.
    design, catalogue = two_vendors()
    assert verify(design, catalogue, from_vendors(pod_instance(), {"AMD": 0.5})).ok
    assert rules(verify(design, catalogue, from_vendors(pod_instance(), {"NVIDIA": 0.5}))) == {"limit_vendor_share"}


def test_a_lone_vendor_has_all() -> None:
    assert verify(rack_design(), ROUND, from_vendors(rack_instance(), {"NVIDIA": 1.0})).ok
    assert not verify(rack_design(), ROUND, from_vendors(rack_instance(), {"NVIDIA": 0.999})).ok
    # The maker of the accelerators counts, not that of their switches and cards.
    assert verify(mesh_design(), ROUND, from_vendors(mesh_instance(), {"NVIDIA": 0.0, "AMD": 1.0})).ok


# --- Availability --------------------------------------------------------------------------------------------------


def test_availability_of_the_rack_design() -> None:
    # Lost, item by item (verify_accounts.rack_rows): 1,512 + 302.4 + 1,360.8 + 1,175.7312 + 19.3536 + 181.44 + 78.624
    # = 4,630.3488 of 1,512 x 8,760 = 13,245,120 hours.
    lost = F("4630.3488") / 13_245_120

    def held(least: float) -> bool:
        result = verify(rack_design(), ROUND, at_risk(rack_instance(), min_availability=least))
        assert rules(result) <= {"limit_availability"}, said(result)
        return result.ok

    assert held(0.0)
    assert held(0.99965)  # 4,635.79 hours
    assert not held(0.9996505)  # 4,629.17
    assert held(float(1 - lost))


@pytest.mark.parametrize("name", BUILDS)
def test_an_availability_that_was_reported_can_be_asked_for(name: str) -> None:
    design, instance = BUILDS[name]
    totals = verify(design(), ROUND, instance()).totals
    assert totals is not None
    left = float(1 - totals.failures.hours / (8760 * sum(pool.accelerators for pool in design().pools)))
    assert verify(design(), ROUND, at_risk(instance(), min_availability=left)).ok
    more = at_risk(instance(), min_availability=math.nextafter(left, 1))
    assert rules(verify(design(), ROUND, more)) == {"limit_availability"}


@pytest.mark.parametrize("name", BUILDS)
def test_availability_and_lost_hours_are_one_limit(name: str) -> None:
    design, instance = BUILDS[name]
    totals = verify(design(), ROUND, instance()).totals
    assert totals is not None
    fleet = sum(pool.accelerators for pool in design().pools)
    for least in (0.99, 0.999, 0.9995, 0.99965, 0.9997, 0.9999):
        most = float((1 - F(str(least))) * 8760 * fleet)
        by_share = verify(design(), ROUND, at_risk(instance(), min_availability=least))
        by_hours = verify(design(), ROUND, at_risk(instance(), max_accelerator_hours_lost_per_year=most))
        assert rules(by_share) == {rule.replace("hours_lost", "availability") for rule in rules(by_hours)}, least
        assert by_share.ok == (totals.failures.hours <= F(str(most)))


# --- Single failures -----------------------------------------------------------------------------------------------


def shares(design: Design, instance: Instance, catalogue: Catalogue = ROUND) -> dict[str, str]:
    """Place -> share of everything that takes tokens at all."""
    result = verify(design, catalogue, at_risk(instance, max_single_failure_share=0.0))
    assert rules(result) <= {"limit_single_failure"}, said(result)
    return {place: stated for place, (stated, _) in places(result, "limit_single_failure").items()}


def of(pool: str, **parts: F) -> dict[str, str]:
    return {
        f"pool {pool}, {part.replace('_', ' ')}": str(share.numerator) if share.denominator == 1 else repr(float(share))
        for part, share in parts.items()
    }


def more_traffic(design: Design, ep: float, other: float, need: float) -> Design:
    """The design with a plan that sends more out of the domain."""
    for name, value in (("scale_out_ep_need_gbps", ep), ("scale_out_other_need_gbps", other)):
        design = put(design, f"pools.0.plan.{name}", value)
    return put(design, "pools.0.attachment.need_gbps", need)


def test_single_failures_on_racks() -> None:
    # 188 replicas, 9 to a rack, a host has half of one. Spines: three of four carry 4,800 Gb/s, 72 x 50 = 3,600 are
    # needed.
    worst = of("chat", host=F(1, 188), leaf=F(9, 188)) | {"pool chat, scale-up switch": repr(9 / 188)}
    assert shares(rack_design(), rack_instance()) == worst
    # 72 x 75 = 5,400 are more than 4,800; 72 x 66 = 4,752 are not.
    busy = more_traffic(rack_design(), 0.0, 75.0, 75.0)
    assert shares(busy, rack_instance()) == worst | of("chat", spine=F(1, 9))
    full = more_traffic(rack_design(), 0.0, 66.0, 66.0)
    assert shares(full, rack_instance()) == worst


@pytest.mark.parametrize("share", [F(9, 188), F(1, 9)])
def test_single_failures_hold_to_the_last_digit(share: F) -> None:
    design = rack_design() if share == F(9, 188) else more_traffic(rack_design(), 0.0, 75.0, 75.0)

    def found(most: float) -> set[str]:
        result = verify(design, ROUND, at_risk(rack_instance(), max_single_failure_share=most))
        return set(places(result, "limit_single_failure"))

    assert found(float(share)) == set()
    assert found(1.0) == set()
    missed = found(math.nextafter(float(share), 0))
    assert missed == ({"pool chat, spine"} if share == F(1, 9) else {"pool chat, leaf", "pool chat, scale-up switch"})


def test_single_failures_in_pods() -> None:
    # Prefill: 69 replicas of a host; decode: 21 of two. 4 hosts, or one, to a leaf. 15 of 16 spines and 252 of 256
    # ports to cores carry what is needed.
    prefill = of("big.prefill", host=F(1, 69), leaf=F(4, 69)) | {"pool big.prefill, scale-up switch": repr(1 / 69)}
    decode = of("big.decode", host=F(1, 21), leaf=F(1, 21)) | {"pool big.decode, scale-up switch": repr(1 / 21)}
    assert shares(pod_design(), pod_instance()) == prefill | decode
    # 48 leaves x 32 x 266 = 408,576 Gb/s out of a pod; without one core 252 x 1,600 = 403,200, without one spine 240.
    busy = more_traffic(pod_design(), 0.0, 266.0, 266.0)
    assert shares(busy, pod_instance()) == prefill | decode | of("big.prefill", core=F(1, 76), spine=F(8, 133))


def test_single_failures_with_planes() -> None:
    # 30 + 50 Gb/s leave the NIC, whose other port carries 200. 72 x 50 = 3,600 Gb/s pass the leaf, whose twin on the
    # other plane has uplinks of 3,200: a ninth is missing, for the 9 replicas behind them.
    quiet = of("chat", host=F(1, 188)) | {"pool chat, scale-up switch": repr(9 / 188)}
    assert shares(planes_design(), planes_instance()) == quiet | of("chat", leaf=F(9, 188) * F(1, 9))
    # 270 + 50 = 320: 0.375 is missing, although the expert traffic stays below the leaf.
    busy = more_traffic(planes_design(), 270.0, 50.0, 50.0)
    assert shares(busy, planes_instance()) == quiet | of("chat", leaf=F(9, 188) * F(3, 8))
    # No more than the card has: 1 - 200 / 400.
    full = more_traffic(planes_design(), 1000.0, 50.0, 50.0)
    assert shares(full, planes_instance()) == quiet | of("chat", leaf=F(9, 188) * F(1, 2))
    # 44.4 Gb/s each is just what the uplinks carry.
    even = more_traffic(planes_design(), 0.0, 44.0, 44.0)
    assert shares(even, planes_instance()) == quiet
    # Nothing leaves: nothing is lost.
    assert shares(more_traffic(planes_design(), 0.0, 0.0, 0.0), planes_instance()) == quiet
    # A domain split over two leaves, two rails: 18 x 160 / 2 = 1,440 Gb/s on two spines of 800, 160 on planes of 200. A
    # leaf has 18 accelerators of a rail, 36 of the domain, to which 5 replicas belong; 1,600 of 2,880 go on.
    split = more_traffic(split_design(), 110.0, 50.0, 160.0)
    assert shares(split, split_instance()) == quiet | of("chat", spine=F(4, 9), leaf=F(5, 188) * F(4, 9))


def test_single_failures_with_rails() -> None:
    # A leaf serves one accelerator of each of 8 hosts, and with it 8 replicas of 37.
    found = of("chat", host=F(1, 37), leaf=F(8, 37)) | {"pool chat, scale-up switch": repr(1 / 37)}
    assert shares(rails_design(), rails_instance()) == found


def test_single_failures_in_domains_of_two_stages() -> None:
    # A first-stage switch has 36 accelerators behind it, 5 replicas of 188: four, and one that it cuts; round a
    # second-stage switch there are ways.
    # A leaf has 72; three of four spines carry 4,800 of 72 x 80 = 5,760.
    found = of("chat", host=F(1, 188), leaf=F(9, 188), spine=F(1, 6)) | {"pool chat, scale-up switch": repr(5 / 188)}
    assert shares(clos_design(), clos_instance()) == found


def test_single_failures_without_scale_up_switches() -> None:
    # 64 accelerators, 8 replicas, to a leaf.
    assert shares(torus_design(), torus_instance()) == of("chat", host=F(1, 375), leaf=F(8, 375))
    assert shares(mesh_design(), mesh_instance()) == of("chat", host=F(1, 75), leaf=F(8, 75))


def test_single_failures_of_replicas_over_domains() -> None:
    # 4 replicas of 32: a host takes one of them, and so does a leaf of 32; the one switch takes all, and no more.
    catalogue = crossing_catalogue()
    one = {"pool chat, host": "0.25", "pool chat, scale-up switch": "0.25"}
    two = two_stage_design(2.0)
    assert shares(*two, catalogue) == one | of("chat", leaf=F(1, 4))
    whole = one_switch_design(0.0)
    assert shares(*whole, catalogue) == one | of("chat", leaf=F(1))


def test_a_failure_takes_no_more_than_all() -> None:
    # One switch for two racks of room for 18 replicas, of which there are 14.
    design, instance = small()
    found = of("chat", host=F(1, 14), leaf=F(1)) | {"pool chat, scale-up switch": repr(9 / 14)}
    assert shares(design, instance, with_big_switch()) == found
    assert verify(design, with_big_switch(), at_risk(instance, max_single_failure_share=1.0)).ok


# --- Properties ----------------------------------------------------------------------------------------------------


def limited(instance: Instance, units: Mapping[str, int], slack: float) -> Instance:
    """All further limits at once, of a tightness from 0 (nothing allowed) to 1 and more (everything)."""
    stock = {part: round(number * slack) for part, number in units.items()}
    share = min(1.0, slack)
    other = from_vendors(stocked(instance, stock), {"NVIDIA": share, "AMD": share, "Google": share})
    return at_risk(other, min_availability=1 - min(1.0, 1e-3 * slack + 1e-9), max_single_failure_share=share)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(BUILDS)), st.floats(0, 1.5), st.floats(0, 1.5))
def test_looser_limits_break_no_more(name: str, one: float, other: float) -> None:
    design, instance = BUILDS[name]

    def broken(slack: float) -> set[tuple[str, str]]:
        result = verify(design(), ROUND, limited(instance(), UNITS[name], slack))
        return {(found.rule, found.place) for found in result.findings}

    assert broken(max(one, other)) <= broken(min(one, other))


@pytest.mark.parametrize("name", BUILDS)
def test_limits_change_no_account(name: str) -> None:
    design, instance = BUILDS[name]
    free = verify(design(), ROUND, instance())
    tight: Any = verify(design(), ROUND, limited(instance(), UNITS[name], 0.0))
    assert tight.totals == free.totals
    assert {"limit_stock", "limit_vendor_share", "limit_availability", "limit_single_failure"} == rules(tight)


def test_choose_states_shares_of_vendors() -> None:
    # The key is read where it is written: in the table of choices.
    given_ = rack_instance(choose=Choose(max_vendor_share={"NVIDIA": 0.5}))
    assert rules(verify(rack_design(), ROUND, given_)) == {"limit_vendor_share"}
