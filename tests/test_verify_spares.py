"""The verifier on spares, mixed pools and the mended failure rows: by hand, and broken once each."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_verify_copies import one_stage
from test_verify_scale_up import with_cpo_switch
from verify_accounts import rack_rows
from verify_designs import pod_design, pod_instance, rack_design, rack_instance
from verify_spare_designs import (
    mixed_design,
    mixed_instance,
    spare_design,
    spare_instance,
    spare_planes_design,
    spare_replica_design,
)
from verify_tampering import ROUND, named, part, put, rules, said, touch_everything
from verify_wide_designs import clos_design, clos_instance, mesh_design, mesh_instance, split_design, split_instance

from designer.catalogue import Catalogue
from designer.design.account import Item
from designer.design.types import Design
from designer.instance.schema import Choose, Fleet, Instance, Money, Pins, Risk
from designer.verify import verify
from designer.verify.demand import asked_for, asked_of
from designer.verify.events import Failures
from designer.verify.spares import at_most, excess

F = Fraction


def items(design: Design, instance: Instance, catalogue: Catalogue = ROUND) -> dict[Item, Failures]:
    totals = verify(design, catalogue, instance).totals
    assert totals is not None
    return {item.item: item.failures for item in totals.items}


# --- Sums ------------------------------------------------------------------------------------------------------------


def chances(units: int, down: Fraction) -> list[Fraction]:
    return [math.comb(units, k) * down**k * (1 - down) ** (units - k) for k in range(units + 1)]


def missing(units: int, spare: int, down: Fraction) -> Fraction:
    return sum((max(0, k - spare) * p for k, p in enumerate(chances(units, down))), F(0)) / (units * down)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(0, 70), st.fractions(F(1, 10**6), F(999, 1000), max_denominator=10**40))
def test_sums_are_those_of_the_distribution(units: int, spare: int, down: Fraction) -> None:
    # With many digits the sums are rounded, with few they are exact.
    assert abs(at_most(units, spare, down) - sum(chances(units, down)[: spare + 1])) < F(1, 10**48)
    assert abs(excess(units, spare, down) - missing(units, spare, down)) < F(1, 10**48)
    if units * 24 < 4096:
        few = down.limit_denominator(1000) or F(1, 1000)
        assert excess(units, spare, few) == missing(units, spare, few)


@pytest.mark.parametrize(("units", "spare"), [(400, 3), (400, 40), (400, 80), (1500, 1), (1500, 400)])
def test_sums_of_many_units(units: int, spare: int) -> None:
    # A tenth are down: below, at and above the mean. Powers of ten need no long division.
    down = F(1, 10)
    ten = [math.comb(units, k) * 9 ** (units - k) for k in range(units + 1)]
    share = F(sum(ten[: spare + 1]), 10**units)
    lost = F(sum((k - spare) * p for k, p in enumerate(ten) if k > spare) * 10, units * 10**units)
    assert abs(at_most(units, spare, down) - share) <= F(1, 10**48)
    assert abs(excess(units, spare, down) - lost) <= F(1, 10**48)


# --- Spare domains ---------------------------------------------------------------------------------------------------

# Hours a year that something in a rack is out: 72 x (0.05 + 0.01) x 2.5, 18 x 0.02 x 2.5, 324 x 0.0002 x 12.
INSIDE = F("10.8") + F("0.9") + F("0.7776")
DOWN = INSIDE / (8760 + INSIDE)


def test_spares_cover_hours_and_run_no_jobs() -> None:
    result = verify(spare_design(), ROUND, spare_instance())
    assert result.ok, said(result)
    got, plain = items(spare_design(), spare_instance()), rack_rows()
    phi = missing(23, 2, DOWN)
    assert 0 < phi < F("0.001")
    for item in ("accelerators", "nics", "scale_up_switches", "scale_up_links"):
        _, _, hard, hits, hours, clean, _ = plain[item]
        # 23 racks are repaired, 21 run jobs.
        assert got[item].hard == hard * F(23, 21)
        assert got[item].hits == hits
        assert got[item].hours == hours * F(23, 21) * phi
        assert got[item].cleanings == clean == 0
    # 75.6 x 23 / 21 repairs of 36,610; hits at 3.641, hours at 1.8205.
    money = F("75.6") * F(23, 21) * 36_610 + F("302.4") * F("3.641") + 1512 * F(23, 21) * phi * F("1.8205")
    assert got["accelerators"].usd == money
    # Outside the domains nothing is spared: 23 leaves of 9 replicas.
    assert got["scale_out_switches"].hits == 23 * (F("0.36") + F("0.1") * F(8, 64) * F("0.04"))
    assert got["nic_leaf_links"].hours == F("19.3536") * F(23, 21)


def test_a_spare_replica_takes_its_domains() -> None:
    result = verify(spare_replica_design(), ROUND, spare_instance())
    assert result.ok, said(result)
    got = items(spare_replica_design(), spare_instance())
    # 12 pairs, of which 11 are needed; a pair is down with either of its racks. 1,728 x 0.2 interrupts.
    phi = missing(12, 1, 1 - (1 - DOWN) ** 2)
    assert got["accelerators"].hits == 1728 * F("0.2") * F(22, 24)
    assert got["accelerators"].hours == 1728 * F("0.05") * F("2.5") * 144 * phi


def test_boundaries_of_modules_count_their_bought_ends() -> None:
    # Second stages carry round what fails: they take no domain down. Ends below a first stage do.
    design, catalogue, instance = clos_design(), with_cpo_switch(), clos_instance()
    below = put(put(design, "pools.0.scale_up.boundary.lower_link", "dr8_1600"), "pools.0.scale_up.switch", "engines")
    below = put(below, "pools.0.scale_up.boundary.upper_link", "cpo_1600")
    choose = instance.choose.model_copy(update={"spare_domains": (0, 1)})
    spare = put(put(below, "pools.0.spare_domains", 1), "pools.0.domains", 12)
    got = items(spare, instance.model_copy(update={"choose": choose}), catalogue)
    laser = 500 * F("8.76e-6")
    # 144 x 0.06 x 2.5; 72 switches x (0.02 x 2.5 + 0.05 x 12 + 16 lasers x 1.5 h); 36 hosts x 18 ends x 0.012 x 2.
    inside = F("21.6") + 72 * (F("0.05") + F("0.6") + 16 * laser * F("1.5")) + 36 * 18 * F("0.024")
    phi = missing(12, 1, inside / (8760 + inside))
    assert abs(got["accelerators"].hours - 1728 * F("0.05") * F("2.5") * 8 * phi) < F(1, 10**40)


@pytest.mark.parametrize(
    ("design", "instance", "chance"),
    [
        (spare_design(), spare_instance(), sum(chances(23, DOWN)[:3])),
        (rack_design(), rack_instance(), (1 - DOWN) ** 21),
        (spare_replica_design(), spare_instance(), sum(chances(12, 1 - (1 - DOWN) ** 2)[:2])),
    ],
    ids=["two", "none", "replica"],
)
def test_availability_of_a_pool_holds_to_the_last_digit(design: Design, instance: Instance, chance: Any) -> None:
    def found(least: float) -> set[str]:
        held = instance.model_copy(update={"risk": Risk(min_pool_availability=least)})
        return rules(verify(design, ROUND, held))

    assert found(float(chance)) == set()
    assert found(math.nextafter(float(chance), 1)) == {"limit_pool_availability"}


def test_a_domain_where_nothing_fails_needs_no_spare() -> None:
    sound: dict[str, Any] = {"afr_hard": 0}
    catalogue = part("accelerators", "gb200_nvl72", **sound)
    for kind, name, figures in (
        ("nics", "nic_400", sound),
        ("switches", "nvswitch4_chip", sound),
        ("links", "cu_cartridge_1600eq", {"afr_hard_per_end": 0}),
    ):
        table = {**getattr(catalogue, kind), name: getattr(part(kind, name, **figures), kind)[name]}
        catalogue = replace(catalogue, **{kind: table})
    held = spare_instance(risk=Risk(min_pool_availability=0.999999))
    assert verify(spare_design(), catalogue, held).ok
    assert items(spare_planes_design(), held, catalogue)["scale_up_switches"].hours == 0


# --- Spare planes ----------------------------------------------------------------------------------------------------

OUT = F("0.02") * F("2.5") / 8760
PSI = missing(18, 2, OUT / (1 + OUT))


def test_spare_planes_carry_on() -> None:
    result = verify(spare_planes_design(), ROUND, spare_instance())
    assert result.ok, said(result)
    got, plain = items(spare_planes_design(), spare_instance()), rack_rows()
    switches, links = got["scale_up_switches"], got["scale_up_links"]
    # One outage in ten kills the 9 replicas; hours only while a third switch is out.
    assert (switches.hits, switches.hours, switches.hard) == (F("17.01"), F("1360.8") * PSI, F("7.56"))
    # 1.3608 swaps x 9 in ten; flaps kill one in ten as before.
    assert (links.hits, links.hours) == (F("1.22472") + F("13.608"), F("1175.7312") * PSI)
    for item in ("accelerators", "nics", "nic_leaf_links", "scale_out_switches", "scale_out_links"):
        assert (got[item].hits, got[item].hours) == plain[item][3:5]


def test_both_spares_at_once() -> None:
    design = put(spare_design(), "pools.0.scale_up", lambda up: replace(up, spare_planes=1, usable_gbps=6800.0))
    design = put(design, "pools.0.plan.scale_up_gbps", 6800.0)
    assert verify(design, ROUND, spare_instance()).ok
    got = items(design, spare_instance())
    # Switches take no domain down any more.
    inside = INSIDE - F("0.9")
    phi, psi = missing(23, 2, inside / (8760 + inside)), missing(18, 1, OUT / (1 + OUT))
    assert got["accelerators"].hours == 1656 * F("0.05") * F("2.5") * 8 * phi
    # The kill share is a tenth; 21 of 23 racks run jobs.
    assert got["scale_up_switches"].hits == F("17.01")
    assert got["scale_up_switches"].hours == F("1360.8") * F(23, 21) * phi * psi
    assert touch_everything(design, spare_instance(), {"spine_taper"}) > 150


def test_engines_of_planes_are_out_as_well() -> None:
    design = put(spare_planes_design(), "pools.0.scale_up.switch", "engines")
    got = items(design, spare_instance(), with_cpo_switch())["scale_up_switches"]
    laser = 500 * F("8.76e-6")
    out = F("0.05") + F("0.6") + 16 * laser * F("1.5")
    psi = missing(18, 2, out / (8760 + out))
    hours = 378 * ((F("0.05") + F("0.6")) * 72 + 16 * laser * F("1.5") * 8)
    assert abs(got.hours - hours * psi) < F(1, 10**40)


def test_single_failures_of_spare_planes_take_nothing() -> None:
    held = spare_instance(risk=Risk(max_single_failure_share=0.0))
    places = {row.place for row in verify(spare_planes_design(), ROUND, held).findings}
    assert places == {"pool chat, host", "pool chat, leaf"}


SPARE: list[tuple[str, str, object]] = [
    ("domains", "pools.0.spare_domains", 1),
    ("domains", "pools.0.domains", 21),
    ("spare_domains", "pools.0.spare_domains", 3),
    ("spare_domains", "pools.0.spare_domains", 10**15),
    ("spare_planes", "pools.0.scale_up.spare_planes", 3),
    ("spare_planes", "pools.0.scale_up.spare_planes", 18),
    ("usable_bandwidth", "pools.0.scale_up.spare_planes", 2),
    ("no_amount", "pools.0.scale_up.spare_planes", -1),
    ("accelerators", "pools.0.accelerators", 1512),
]


@pytest.mark.parametrize(("rule", "path", "value"), named(SPARE))
def test_one_broken_thing_about_spares(rule: str, path: str, value: object) -> None:
    result = verify(put(spare_design(), path, value), ROUND, spare_instance())
    assert rule in rules(result), said(result)


def test_spares_must_be_chosen() -> None:
    assert rules(verify(spare_design(), ROUND, rack_instance())) == {"spare_domains"}
    assert rules(verify(spare_planes_design(), ROUND, rack_instance())) == {"spare_planes"}
    none = spare_instance(choose=Choose(spare_domains=(1, 2), spare_planes=(1,)))
    assert rules(verify(rack_design(), ROUND, none)) == {"spare_domains"}
    # Domains of other kinds have no spare plane: none are offered where one is asked for.
    planes = {"spare_planes": (1,)}
    for design, instance in ((clos_design(), clos_instance()), (mesh_design(), mesh_instance())):
        asked = instance.model_copy(update={"choose": instance.choose.model_copy(update=planes)})
        assert rules(verify(design, ROUND, asked)) == {"spare_planes"}
        assert "spare_planes" in rules(verify(put(design, "pools.0.scale_up.spare_planes", 1), ROUND, asked))


def test_spare_planes_leave_no_bandwidth_to_plan_with() -> None:
    boast = put(spare_planes_design(), "pools.0.plan.scale_up_gbps", 7200.0)
    assert rules(verify(boast, ROUND, spare_instance())) == {"plan_scale_up"}
    greedy = put(spare_planes_design(), "pools.0.plan.scale_up_need_gbps", 6401.0)
    assert rules(verify(greedy, ROUND, spare_instance())) == {"scale_up_need"}


# --- Mixed pools -----------------------------------------------------------------------------------------------------


def test_a_mixed_pool_passes_and_shares_its_peak() -> None:
    design, instance = mixed_design(), mixed_instance()
    result = verify(design, ROUND, instance)
    assert result.ok, said(result)
    asked = asked_of(instance)
    assert [asked_for(pool, asked).peak_tokens_per_s for pool in design.pools] == [37_500, 112_500]
    # A plan may name its part, too.
    assert verify(put(design, "pools.0.plan.pool", "chat+1"), ROUND, instance).ok
    got = items(design, instance)
    # 80 x 0.1 and 1,152 x 0.2; leaves: 2 of 4 boards and one of 2, 16 of 9 replicas.
    assert got["accelerators"].hits == F(8) + F("230.4")
    assert got["scale_out_switches"].hits == F("0.04") * (2 * 4 + 2 + 16 * 9) + F("0.1") * 19 * F("0.005")


def test_a_failure_takes_of_the_pool_its_share_of_the_part() -> None:
    held = mixed_instance(risk=Risk(max_single_failure_share=0.0))
    found = {row.place: float(row.stated) for row in verify(mixed_design(), ROUND, held).findings}
    assert found == {
        "pool chat+1, host": float(F(1, 10) / 4),
        "pool chat+1, scale-up switch": float(F(1, 10) / 4),
        "pool chat+1, leaf": float(F(4, 10) / 4),
        "pool chat+2, host": float(F(1, 141) * 3 / 4),
        "pool chat+2, scale-up switch": float(F(9, 141) * 3 / 4),
        "pool chat+2, leaf": float(F(9, 141) * 3 / 4),
    }


def test_the_availability_of_every_part_counts() -> None:
    # 8 x 0.05 x 2.5, 2 x 0.02 x 2.5, 36 x 0.0004 x 2 hours a board.
    inside = F("1") + F("0.1") + F("0.0288")
    boards = float((1 - inside / (8760 + inside)) ** 10)
    held = mixed_instance(risk=Risk(min_pool_availability=boards))
    found = verify(mixed_design(), ROUND, held).findings
    assert {(row.rule, row.place) for row in found} == {("limit_pool_availability", "pool chat+2")}


MIXED: list[tuple[str, str, object]] = [
    ("part_shares", "pools.0.share", (2, 4)),
    ("part_shares", "pools.0.share", (1, 1)),
    ("part_shares", "pools.0.share", (0, 4)),
    ("part_shares", "pools.0.share", (1, 0)),
    ("part_shares", "pools.0.share", (1,)),
    ("part_shares", "pools", lambda pools: tuple(replace(p, share=(2 * p.share[0], 8)) for p in pools)),
    ("part_names", "pools.0.name", "chat"),
    ("part_names", "pools.1.name", "chat+3"),
    ("part_names", "pools.0.name", "chat+2"),
    ("part_names", "pools.0.name", "chat+1+1"),
    ("part_names", "pools.0.name", "chat+"),
    ("pools", "pools.0.name", "other+1"),
    ("part_order", "pools", lambda pools: tuple(replace(p, name=f"chat+{2 - i}") for i, p in enumerate(pools))[::-1]),
    ("part_shares", "pools", lambda pools: pools[:1]),
    ("part_names", "pools", lambda pools: (replace(pools[0], share=(1, 1)),)),
    ("fabric_number", "pools.0.fabric", 1),
    ("replicas", "pools", lambda pools: (replace(pools[0], share=(3, 4)), replace(pools[1], share=(1, 4)))),
]


@pytest.mark.parametrize(("rule", "path", "value"), named(MIXED))
def test_one_broken_thing_about_parts(rule: str, path: str, value: object) -> None:
    result = verify(put(mixed_design(), path, value), ROUND, mixed_instance())
    assert rule in rules(result), said(result)


def test_mixing_must_be_chosen() -> None:
    site = mixed_instance().site
    assert rules(verify(mixed_design(), ROUND, rack_instance(site=site))) == {"mixed_parts"}
    other = mixed_instance(choose=Choose(mixed_parts=2, mixed_steps=8))
    assert rules(verify(mixed_design(), ROUND, other)) == {"part_shares"}
    # A pin holds for every part.
    pinned = mixed_instance(pin=Pins(accelerator="b200_hgx"))
    assert "not_pinned" in rules(verify(mixed_design(), ROUND, pinned))
    # A pool in one part states no share of steps.
    whole = put(rack_design(), "pools.0.share", (4, 4))
    assert rules(verify(whole, ROUND, rack_instance())) == {"part_shares"}


def test_parts_stand_together_in_the_place_of_their_pool() -> None:
    design = mixed_design()
    fleet = Fleet(name="spare", accelerators=8)
    between = (design.pools[0], replace(design.pools[1], name="spare"), design.pools[1])
    result = verify(replace(design, pools=between), ROUND, mixed_instance(fleets=(fleet,)))
    assert rules(result) == {"pools"}


def test_a_fleet_is_parted_by_accelerators() -> None:
    instance = mixed_instance(workloads=(), fleets=(Fleet(name="chat", accelerators=101, job_accelerators=8),))
    asked = asked_of(instance)
    assert [asked_for(pool, asked).peak_tokens_per_s for pool in mixed_design().pools] == [F(101, 4), F(303, 4)]
    # 101 / 4 / 8 = 3.2 and 303 / 4 / 8 = 9.5: 4 and 10 jobs.
    result = verify(mixed_design(), ROUND, instance)
    said_of = {row.place: row.recounted for row in result.findings if row.rule == "replicas"}
    plan_rate = {"pool chat+1": 510, "pool chat+2": 100}
    assert said_of == {
        place: str(-(-F(101 * number, 4) // (8 * plan_rate[place])))
        for place, number in (("pool chat+1", 1), ("pool chat+2", 3))
    }


# --- Mended rows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "owner"), [(None, "0.5"), (0.0, "0"), (0.1, "0.1"), (1.0, "1")])
def test_a_box_with_a_mended_engine_costs_its_own_share(share: float | None, owner: str) -> None:
    money = Money(replacement_part_share=0.5, box_swap_part_share=share)
    got = items(pod_design(), pod_instance(money=money))["scale_out_switches"]
    plain = items(pod_design(), pod_instance())["scale_out_switches"]
    # 96 x 0.05 swaps of 140,000; all else is paid by half.
    assert got.usd - plain.usd == 96 * F("0.05") * 140_000 * (F(owner) - F("0.5"))
    assert (got.hard, got.hits, got.hours) == (plain.hard, plain.hits, plain.hours)
    # The same at engines inside a domain.
    design = put(rack_design(), "pools.0.scale_up.switch", "engines")
    swaps = [
        items(design, rack_instance(money=row), with_cpo_switch())["scale_up_switches"].usd
        for row in (money, Money(replacement_part_share=0.5))
    ]
    assert swaps[0] - swaps[1] == 378 * F("0.05") * 10_000 * (F(owner) - F("0.5"))


def test_rails_and_planes_together() -> None:
    # 4 copies of 42 leaves with 18 ports of 200: 36 accelerators stop with a leaf, 18 slow down by half.
    got = items(split_design(), split_instance())
    above = F("0.1") * 168 * F(2, 64) * F("0.04")
    assert got["scale_out_switches"].hits == 168 * F("0.04") * F("0.1") * 4 + above
    assert got["scale_out_switches"].hours == 168 * F("0.06") * F(18, 2) + F("90.72")
    # Two links of 200 in a cable of 400 lead to the two NICs of a host on this rail.
    assert got["nic_leaf_links"].hours == F("1.2096") * 2 * F(2, 2)


def test_a_cable_leads_to_one_host() -> None:
    # On four rails a host of 4 has one NIC in each copy: one link of 200 in its cable of 400, not two.
    design, instance, catalogue = one_stage(4, 2)
    got = items(design, instance, catalogue)["nic_leaf_links"]
    # 288 cables x 0.0008 x 2 h; half the bandwidth of one accelerator.
    assert got.hours == 288 * F("0.0008") * 2 * F(1, 2)
