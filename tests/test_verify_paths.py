"""The verifier on the latency of the fabric: ways by hand, and plans whose exchanges the fabric is too slow for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from verify_crossing_designs import crossing_catalogue, one_switch_design, two_stage_design
from verify_designs import altered, pod_design, pod_instance, rack_design, rack_instance
from verify_tampering import ROUND, part, put, rules, said, touch_everything
from verify_wide_designs import (
    clos_design,
    clos_instance,
    planes_design,
    planes_instance,
    planes_on_modules_design,
    rails_design,
    rails_instance,
)

from designer.catalogue import Catalogue
from designer.design.types import Design
from designer.instance.schema import Instance
from designer.verify import Verification, verify

F = Fraction
CROSSING = crossing_catalogue()
REFERENCE_US = F("1.7")


def switch(name: str, **figures: object) -> Catalogue:
    """The catalogue of the crossing designs with one switch altered."""
    row = altered(CROSSING.switches[name], figures)
    return replace(CROSSING, switches={**CROSSING.switches, name: row})


def ways(result: Verification) -> dict[str, str]:
    """Place -> microseconds, of every way that is too long."""
    return {finding.place: finding.stated for finding in result.findings if finding.rule == "path_latency"}


# --- Plans that fit their fabric -----------------------------------------------------------------------------------


@pytest.mark.parametrize("allowance", [0.0, 2.0, 4.0, 8.0, 16.0])
def test_one_switch_carries_every_allowance(allowance: float) -> None:
    design, instance = one_switch_design(allowance)
    result = verify(design, CROSSING, instance)
    assert result.ok, said(result)


@pytest.mark.parametrize(("allowance", "carried"), [(0.0, False), (2.0, True), (4.0, True), (8.0, True), (16.0, True)])
def test_two_stages_carry_what_they_are_fast_enough_for(allowance: float, carried: bool) -> None:
    design, instance = two_stage_design(allowance)
    result = verify(design, CROSSING, instance)
    # 3.125 us against 1.7 and the allowance
    assert rules(result) == (set() if carried else {"path_latency"}), said(result)


def test_an_allowance_costs_tokens() -> None:
    # What the plan says of its times is held against its own allowance: nobody gets the tokens of a faster fabric.
    slow, instance = two_stage_design(2.0)
    fast, _ = two_stage_design(0.0)
    boast = replace(fast.pools[0].plan, latency_allowance_us=2.0)
    found = rules(verify(put(slow, "pools.0.plan", boast), CROSSING, instance))
    assert found == {"plan_step", "plan_tokens", "plan_tpot_time"}


@pytest.mark.parametrize("build", [one_switch_design, two_stage_design], ids=["one", "two"])
def test_the_allowance_is_stated_and_listed(build: Callable[[float], tuple[Design, Instance]]) -> None:
    design, instance = build(2.0)
    for wrong in (None, 1.0, 3.0, 32.0):
        found = rules(verify(put(design, "pools.0.plan.latency_allowance_us", wrong), CROSSING, instance))
        assert "plan_latency_allowance" in found, wrong


def test_no_value_can_be_touched_unnoticed() -> None:
    # These plans are recounted, not trusted.
    design, instance = two_stage_design(2.0)
    assert touch_everything(design, instance, {"spine_taper"}, catalogue=CROSSING, trusted=set()) > 200


# --- To the last nanosecond ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("metres", "held"), [(107.5, True), (107.6, False), (107.500001, False)])
def test_ways_are_counted_to_the_last_digit(metres: float, held: bool) -> None:
    # 3,700 - 2,100 - 205 = 1,395 ns for the links above the leaf: 2 x 160 of ends, 10 ns for every metre.
    design, instance = two_stage_design(2.0, metres)
    result = verify(design, CROSSING, instance)
    assert rules(result) == (set() if held else {"path_latency"}), said(result)


@pytest.mark.parametrize(("latency", "held"), [(1480, True), (1480.001, False)])
def test_the_one_switch_is_passed_once(latency: float, held: bool) -> None:
    # 1,700 - 2 x (45 + 45 + 20)
    design, instance = one_switch_design(0.0)
    result = verify(design, switch("th5_64x800", latency_ns=latency), instance)
    assert rules(result) == (set() if held else {"path_latency"}), said(result)


@pytest.mark.parametrize(("latency", "held"), [(987.5, True), (987.501, False)])
def test_leaves_are_passed_twice(latency: float, held: bool) -> None:
    # A leaf of its own: 3,700 - 700 (spine) - 205 - 820 = 1,975 for two.
    row = CROSSING.switches["th5_64x800"].model_copy(update={"id": "slow"})
    catalogue = replace(CROSSING, switches={**CROSSING.switches, "slow": altered(row, {"latency_ns": latency})})
    design, instance = two_stage_design(2.0)
    result = verify(put(design, "fabric.stages.0.switch", "slow"), catalogue, instance)
    assert rules(result) == (set() if held else {"path_latency"}), said(result)


@pytest.mark.parametrize(("latency", "held"), [(188.75, True), (188.751, False)])
def test_both_ends_of_a_cable_count_on_both_ways(latency: float, held: bool) -> None:
    # 575 ns to spare over 4 ends: 45 + 143.75
    aec = altered(CROSSING.links["aec_400"], {"latency_ns_per_end": latency})
    catalogue = replace(CROSSING, links={**CROSSING.links, "aec_400": aec})
    design, instance = two_stage_design(2.0)
    result = verify(design, catalogue, instance)
    assert rules(result) == (set() if held else {"path_latency"}), said(result)


# --- Other fabrics by hand -----------------------------------------------------------------------------------------

BY_HAND: dict[str, tuple[Callable[[], Design], Callable[[], Instance], F]] = {
    # 3 switches of 700; 2 x (90 + 12.5); 2 x (160 + 250)
    "rack": (rack_design, rack_instance, F("3.125")),
    # The way through a plane is no other.
    "planes": (planes_design, planes_instance, F("3.125")),
    # Modules below: 2 x (160 + 12.5)
    "modules": (planes_on_modules_design, planes_instance, F("3.265")),
    # 3 x 650; 2 x (180 + 100); 2 x (180 + 250)
    "rails": (rails_design, rails_instance, F("3.37")),
    # What is inside a domain of two stages does not count: 2,100; 2 x (90 + 20); 820
    "clos": (clos_design, clos_instance, F("3.14")),
    # 2 x 650 + 2 x 600 + 600; 2 x (180 + 100); 2 x (90 + 5 + 250), an engine above; 2 x (5 + 5 + 750)
    "pod": (pod_design, pod_instance, F("5.87")),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_ways_by_hand(name: str) -> None:
    # The plans were measured, so an allowance is out of place; the way is held against it all the same.
    design, instance, way = BY_HAND[name]
    for number, pool in enumerate(design().pools):
        place = f"pool {pool.name}, way through the fabric"
        told = put(design(), f"pools.{number}.plan.latency_allowance_us", 0.0)
        result = verify(told, ROUND, instance())
        assert ways(result) == {place: str(float(way))}
        # Only this pool's plan asks.
        assert rules(result) == {"path_latency", "plan_latency_allowance"}
        for allowance in (2.0, 4.0, 8.0):
            told = put(design(), f"pools.{number}.plan.latency_allowance_us", allowance)
            assert bool(ways(verify(told, ROUND, instance()))) == (way > REFERENCE_US + F(allowance)), allowance


def test_a_pool_has_the_way_of_its_own_cables() -> None:
    # One pool on slower modules: 4 ends of 90 -> 4 of 200.
    slow = altered(ROUND.links["dr8_1600"].model_copy(update={"id": "slow"}), {"latency_ns_per_end": 200})
    catalogue = replace(ROUND, links={**ROUND.links, "slow": slow})
    design = pod_design()
    for end in ("lower_link", "upper_link"):
        design = put(design, f"pools.1.nic_leaf.{end}", "slow")
    for number in (0, 1):
        design = put(design, f"pools.{number}.plan.latency_allowance_us", 4.0)
    found = ways(verify(design, catalogue, pod_instance()))
    assert found == {
        "pool big.prefill, way through the fabric": "5.87",
        "pool big.decode, way through the fabric": "6.31",
    }


# --- Parts whose latency nobody knows --------------------------------------------------------------------------------

UNKNOWN = [
    part("switches", "th6_64x1600", latency_ns=None),
    part("switches", "th6_davisson_cpo", latency_ns=None),
    part("links", "dr8_1600", latency_ns_per_end=None),
    part("links", "cpo_1600", latency_ns_per_end=None),
]


@pytest.mark.parametrize("catalogue", UNKNOWN, ids=["leaf", "spine", "module", "engine"])
def test_a_part_of_unknown_latency_is_not_offered(catalogue: Catalogue) -> None:
    # Whether or not a plan asks.
    result = verify(pod_design(), catalogue, pod_instance())
    assert rules(result) == {"figure_unknown"}
    assert "latency_ns" in said(result)


@pytest.mark.parametrize(
    "catalogue",
    [
        part("switches", "nvswitch4_chip", latency_ns=None),
        part("links", "cu_cartridge_1600eq", latency_ns_per_end=None),
    ],
    ids=["switch", "link"],
)
def test_no_rule_asks_for_latencies_inside_a_domain(catalogue: Catalogue) -> None:
    assert verify(rack_design(), catalogue, rack_instance()).ok
    assert verify(clos_design(), catalogue, clos_instance()).ok


def test_the_place_of_a_link_row_decides() -> None:
    # In the domain of two stages this module joins the stages: there its latency is no matter, at a leaf it is.
    clos = part("links", "dr8_1600", latency_ns_per_end=None)
    assert verify(clos_design(), clos, clos_instance()).ok
    assert rules(verify(rails_design(), clos, rails_instance())) == {"figure_unknown"}
