"""The verifier on scale-up domains of two switch stages and on those joined directly: by hand, and broken once each."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verify_accounts import NOTHING, Book, Row, same_account
from verify_designs import figure, rack_design, rack_instance, workload
from verify_tampering import ROUND, named, part, put, rules, said
from verify_wide_builds import SCALE_UP
from verify_wide_designs import (
    clos_design,
    clos_instance,
    mesh_design,
    mesh_instance,
    torus_design,
    torus_instance,
    uneven_torus_design,
    uneven_torus_instance,
)

from designer.catalogue import Catalogue, load_catalogue
from designer.demand import DomainOffer, enumerate_plans
from designer.design.account import Item
from designer.design.types import Design
from designer.instance.pools import pools_of
from designer.instance.schema import Choose, Instance, Lengths, Pins, Site
from designer.verify import verify
from designer.verify.demand import asked_of
from designer.verify.domains import least_sides, torus_gbps
from designer.verify.events import Failures
from designer.verify.findings import Findings
from designer.verify.plan_tokens import check_tokens

F = Fraction


# --- Accounts ------------------------------------------------------------------------------------------------------


def clos_rows() -> dict[Item, Row]:
    """The account of ``clos_design``: 1,584 accelerators in replicas of 8, prices as in the rack design."""
    row = Book("1.8205", "3.641").row
    # First stage: 7,128 x 2 x 0.0001 = 1.4256 swaps, each 4 replicas and 36 accelerators for 12 h; 0.1 x 7,128 x 0.02
    # flaps. Second: an end of 1,600 carries 4 links: a link 2 x (0.012 + 0.07 + 0.01) / 4 = 0.046 events, one in ten
    # kills; 1,584 accelerators lose 2 x 0.012 x 2 + 0.02 x 1 hours.
    swaps, failed, dirty = F("1.4256"), F("171.072"), F("142.56")
    hits = swaps * 4 + F("14.256") + F("0.1") * 28_512 * F("0.046")
    hours = swaps * 12 * 36 + 1584 * F("0.068")
    # Half an MPO of a link: 16 fibres x 400 / 1,600 / 8 x (60 + 1.2 x 4) = 32.4, + 40.
    usd = 7128 * 20 + 14_256_000 + 28_512 * F("72.4")
    return {
        "accelerators": row(1584 * 36_410, 1584 * F("1386.25"), "79.2", "316.8", 1584, 0, F("79.2") * 36_610),
        "nics": row(1_584_000, 31_680, "15.84", "15.84", "316.8", 0, 19_008),
        # 792 + 396 switches. First stage: 792 x 0.05 x 36 // 8 hits, 792 x 0.02 x 2.5 h x 36. Second: a tenth of
        # 396 x 0.05 x 144 // 8; one of 36 switches of a domain is 144 / 36 = 4 accelerators: 396 x 0.02 x 2.5 h x 4.
        "scale_up_switches": row(
            11_880_000,
            1188 * 375,
            "23.76",
            F("158.4") + F("35.64"),
            F("1425.6") + F("79.2"),
            0,
            F("23.76") * 10_200,
        ),
        "scale_up_links": row(
            usd,
            7128 + 14_256 * 25,
            swaps + failed,
            hits,
            hours,
            dirty,
            swaps * 2580 + failed * 1150 + dirty * 80,
        ),
        # 1,584 x 2 x 0.0004 = 1.2672 swaps; 0.1 x 1,584 x 0.02 flaps
        "nic_leaf_links": row(396_000, 12_672, "1.2672", "4.4352", "20.2752", 0, F("1.2672") * 370),
        # Leaves: 22 x 0.04 x 72 // 8, 22 x 0.01 x 6 h x 72; spines: 0.1 x 22 x 8/64 x 0.04, 1,584 x 0.06 h
        "scale_out_switches": row(1_040_000, 26_000, "0.26", "7.931", F("95.04") * 2, 0, F("0.26") * 40_700),
        "scale_out_links": row(
            352 * 500 + 176 * 280, 5280, "2.816", "3.0976", 1584 * F("0.052"), "3.52", F("2.816") * 650 + F("281.6")
        ),
    }


def torus_rows() -> dict[Item, Row]:
    """The account of ``torus_design``: the wiring stays in the price, the NIC that ships (400 USD, 15 W) does not.

    A lost hour is worth 19,600 x 0.00005 = 0.98, a restart a quarter of an hour of 8: 1.96.
    """
    row = Book("0.98", "1.96").row
    return {
        "accelerators": row(3072 * 19_600, 3072 * 1015, "122.88", "307.2", "2457.6", 0, F("122.88") * 19_800),
        "front_end": row(307_200, 15_360, 0, 0, 0, 0, 0),
        "nics": row(3_072_000, 61_440, "30.72", "30.72", "614.4", 0, F("30.72") * 1200),
        "scale_up_switches": NOTHING,
        "scale_up_links": NOTHING,
        "nic_leaf_links": row(768_000, 24_576, "2.4576", "8.6016", "39.3216", 0, F("2.4576") * 370),
        # Leaves: 48 x 0.04 x 64 // 8, 48 x 0.01 x 6 h x 64; spines: 0.1 x 48 x 8/64 x 0.04, 3,072 x 0.06 h
        "scale_out_switches": row(2_240_000, 56_000, "0.56", "15.384", F("184.32") * 2, 0, F("0.56") * 40_700),
        "scale_out_links": row(
            768 * 500 + 384 * 280, 11_520, "6.144", "6.7584", "159.744", "7.68", F("6.144") * 650 + F("614.4")
        ),
    }


def mesh_rows() -> dict[Item, Row]:
    """The account of ``mesh_design``: 12,000 for the accelerator, 3,000 for its host share.

    A lost hour is worth 15,000 x 0.00005 = 0.75, a restart a quarter of an hour of 8: 1.5.
    """
    row = Book("0.75", "1.5").row
    return {
        "accelerators": row(600 * 15_000, 600 * 1230, 30, 120, 600, 0, 30 * 12_200),
        "nics": row(600_000, 12_000, 6, 6, 120, 0, 7200),
        "scale_up_switches": NOTHING,
        "scale_up_links": NOTHING,
        "nic_leaf_links": row(150_000, 4800, "0.48", "1.68", "7.68", 0, F("0.48") * 370),
        # Leaves: 9 x 0.04 x 64 // 8, 9 x 0.01 x 6 h x 64, and a last one of 24; spines: 0.1 x 10 x 8/64 x 0.04,
        # 600 x 0.06 h
        "scale_out_switches": row(560_000, 14_000, "0.14", "3.005", "72", 0, F("0.14") * 40_700),
        "scale_out_links": row(80_000 + 80 * 280, 2400, "1.28", "1.408", "31.2", "1.6", F("1.28") * 650 + 128),
    }


@pytest.mark.parametrize(
    ("name", "rows", "racks"),
    [("clos", clos_rows(), 33 + 1), ("torus", torus_rows(), 48 + 2), ("mesh", mesh_rows(), 19 + 1)],
    ids=["clos", "torus", "mesh"],
)
def test_accounts_equal_those_by_hand(name: str, rows: dict[Item, Row], racks: int) -> None:
    design, instance = SCALE_UP[name]
    same_account(verify(design(), ROUND, instance()), rows, racks)


LASER = 500 * F("8.76e-6")


def with_cpo_switch() -> Catalogue:
    """The round catalogue where a co-packaged switch, too, speaks the protocol of the rack design."""
    row = ROUND.switches["nvswitch4_chip"].model_copy(
        update={
            "id": "engines",
            "cpo": True,
            "cpo_link": "cpo_1600",
            "oe_box_swap_per_year": figure(0.05),
            "els_modules": figure(16),
        }
    )
    matches = tuple(
        match.model_copy(update={"switches": (*match.switches, "engines")})
        if "nvswitch4_chip" in match.switches
        else match
        for match in ROUND.compatibility.scale_up
    )
    table = ROUND.compatibility.model_copy(update={"scale_up": matches})
    return replace(ROUND, switches={**ROUND.switches, "engines": row}, compatibility=table)


def item_of(design: Design, catalogue: Catalogue, instance: Instance, item: Item) -> tuple[Failures, Fraction]:
    totals = verify(design, catalogue, instance).totals
    assert totals is not None
    (found,) = (row for row in totals.items if row.item == item)
    return found.failures, found.watts


def test_a_second_stage_of_engines() -> None:
    # Engines are neither bought nor powered apart from their switch.
    design = put(clos_design(), "pools.0.scale_up.upper.switch", "engines")
    design = put(design, "pools.0.scale_up.upper.boundary.upper_link", "cpo_1600")
    # 1,917 - 648 x 25 / 144 = 1,804.5 W: 16 hosts to a rack, still 3 racks a domain.
    result = verify(design, with_cpo_switch(), clos_instance())
    assert result.ok, said(result)
    got, _ = item_of(design, with_cpo_switch(), clos_instance(), "scale_up_switches")
    # 18 replicas a domain; one of its 36 switches is worth 4 accelerators, a laser a 16th of that.
    hits = F("158.4") + 396 * F("0.1") * 18 * (F("0.05") + F("0.05") + 16 * LASER)
    hours = F("1425.6") + 396 * 4 * (F("0.02") * F("2.5") + F("0.05") * 12 + 16 * LASER * F("1.5") / 16)
    assert (got.hits, got.hours) == (hits, hours)
    assert got.hard == F("23.76") + 396 * (F("0.05") + 16 * LASER)
    links, watts = item_of(design, with_cpo_switch(), clos_instance(), "scale_up_links")
    assert watts == 7128 + 7128 * 25
    # 7,128 bought ends fail, all 14,256 get dirty; an engine flaps 0.02 times a year and never fails by itself.
    assert links.hard == F("1.4256") + 7128 * F("0.012")
    assert links.cleanings == F("142.56")
    event = (F("0.012") + F("0.07") + F("0.01") + F("0.01") + F("0.01")) / 4
    assert links.hits == F("1.4256") * 4 + F("14.256") + F("0.1") * 28_512 * event
    assert links.hours == F("1.4256") * 432 + 1584 * (F("0.012") * 2 + F("0.02"))


def test_a_first_stage_of_engines_serves_its_group() -> None:
    # Copper at engines is no design, but its failures can be counted: 792 switches, each of 36 accelerators; a laser of
    # 16 serves 3 of them.
    got, _ = item_of(
        put(clos_design(), "pools.0.scale_up.switch", "engines"),
        with_cpo_switch(),
        clos_instance(),
        "scale_up_switches",
    )
    assert got.hits == 792 * ((F("0.05") + F("0.05")) * 4 + 16 * LASER) + F("35.64")
    assert got.hours == 792 * (F("0.05") * 36 + F("0.6") * 36 + 16 * LASER * F("1.5") * 8) + F("79.2")


def test_front_end_is_counted_where_it_is_given() -> None:
    def items(site: Site) -> dict[str, tuple[float, float]]:
        result = verify(mesh_design(), ROUND, rack_instance(site=site))
        assert result.ok, said(result)
        return {line.item: (line.capex_usd, line.watts) for line in result.account.lines}

    lengths = Lengths(three_racks_away_m=4.0)
    assert "front_end" not in items(Site(lengths=lengths))
    assert items(Site(lengths=lengths, front_end_usd_per_accelerator=0.1))["front_end"] == (60.0, 0.0)
    assert items(Site(lengths=lengths, front_end_w_per_accelerator=2.5))["front_end"] == (0.0, 1500.0)
    assert items(Site(lengths=lengths, front_end_w_per_accelerator=0.0))["front_end"] == (0.0, 0.0)
    # Its watts count against the site, not against the racks: 600 x 100,000 W would fill many.
    heavy = Site(lengths=lengths, front_end_w_per_accelerator=1e5, it_power_mw=60.0)
    assert rules(verify(mesh_design(), ROUND, rack_instance(site=heavy))) == {"limit_power"}


# --- Tori ----------------------------------------------------------------------------------------------------------


def link_load(sides: tuple[int, ...]) -> Fraction:
    """Traffic of the busiest link if every accelerator sends one unit to each other: walked link by link."""
    busiest = F(0)
    size = _product(sides)
    for side in sides:
        # Around one ring: at each source, the hops to every target, split evenly where both ways are equally short.
        load = [F(0)] * side
        for target in range(1, side):
            if 2 * target <= side:
                share = F(1, 2) if 2 * target == side else F(1)
                for hop in range(target):
                    load[hop] += share
        # By symmetry every source loads its ring alike: a link carries the sum over the sources behind it.
        busiest = max(busiest, sum(load) * F(size, side))
    return busiest


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=3).filter(lambda sides: max(sides) > 1))
def test_usable_bandwidth_of_a_torus_is_that_of_its_busiest_link(sides: list[int]) -> None:
    # S - 1 units leave an accelerator while a link carries its load.
    sends = _product(tuple(sides)) - 1
    assert torus_gbps(tuple(sides), F(100)) == F(100) * sends / link_load(tuple(sides))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 8), min_size=2, max_size=3), st.integers(1, 64))
def test_larger_tori_are_as_even_as_can_be(dims: list[int], times: int) -> None:
    sides = least_sides(tuple(dims), times)
    every = {()}
    for _ in dims:
        every = {(*rest, part) for rest in every for part in range(1, times + 1)}
        every = {parts for parts in every if times % _product(parts) == 0}
    tori = [
        sorted((side * part for side, part in zip(dims, parts, strict=True)), reverse=True)
        for parts in every
        if _product(parts) == times
    ]
    assert list(sides) == min(tori)


def _product(numbers: tuple[int, ...]) -> int:
    product = 1
    for number in numbers:
        product *= number
    return product


# --- Serving plans of domains without a switch ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accelerator", "size", "gbps"),
    [("tpu_v7_ironwood", 512, 798.4375), ("tpu_v7_ironwood", 192, 2 * 800 * 191 / (192 * 3)), ("mi300x", 8, 3584.0)],
)
def test_plans_of_direct_domains_are_recounted(accelerator: str, size: int, gbps: float) -> None:
    catalogue = load_catalogue()
    instance = rack_instance(workloads=(workload(),))
    option = catalogue.accelerators[accelerator].nic_options[-1]
    rate = option.count * catalogue.nics[option.nic].rate_gbps
    offer = DomainOffer(accelerator, size, gbps, option.nic, option.count, rate)
    (pool,) = pools_of(instance)
    plans = enumerate_plans(pool, catalogue, instance, [offer], prune=False).plans
    assert plans
    for serving in plans[::5]:
        for stated, wanted in ((serving, set()), (replace(serving, step_s=serving.step_s * 1.001), {"plan_step"})):
            found = Findings()
            shown = replace(mesh_design().pools[0], accelerator=accelerator, plan=stated)
            check_tokens(found, shown, asked_of(instance)[pool.name], catalogue, instance)
            assert {finding.rule for finding in found.rows} == wanted, "\n".join(map(str, found.rows))


# --- One thing broken ----------------------------------------------------------------------------------------------


UP = "pools.0.scale_up"
BROKEN: dict[str, list[tuple[str, str, object]]] = {
    "clos": [
        ("scale_up_kind", f"{UP}.kind", "switched"),
        ("scale_up_kind", f"{UP}.kind", "dragonfly"),
        ("scale_up_kind", f"{UP}.upper", None),
        ("scale_up_kind", f"{UP}.boundary", None),
        ("scale_up_kind", f"{UP}.switch", None),
        ("scale_up_kind", f"{UP}.dims", (12, 12)),
        ("clos_group", f"{UP}.upper.group", 0),
        ("clos_group", f"{UP}.upper.group", 18),
        ("clos_group", f"{UP}.upper.group", 144),
        ("clos_group", f"{UP}.upper.group", 32),
        ("radix", f"{UP}.upper.group", 48),
        ("clos_planes", f"{UP}.planes", 4),
        ("clos_pair_links", f"{UP}.upper.links_per_pair", 17),
        ("clos_plane_switches", f"{UP}.upper.switches_per_plane", 3),
        ("clos_uplinks", f"{UP}.upper.uplinks", 35),
        ("scale_up_switches", f"{UP}.switches", 198),
        ("scale_up_upper_switches", f"{UP}.upper.switches", 792),
        ("usable_bandwidth", f"{UP}.usable_gbps", 3600.0),
        ("shares", f"{UP}.shares", (2,) * 9),
        ("protocol", f"{UP}.upper.switch", "nvswitch6_chip"),
        ("unknown_part", f"{UP}.upper.switch", "nvswitch9"),
        ("unknown_part", f"{UP}.upper.boundary.lower_link", "dr9"),
        ("scale_up_upper_name", f"{UP}.upper.boundary.name", "scale_up"),
        ("scale_up_upper_rate", f"{UP}.upper.boundary.rate_gbps", 1600),
        ("scale_up_upper_length", f"{UP}.upper.boundary.length_m", 1.2),
        ("scale_up_upper_links", f"{UP}.upper.boundary.links", 14_256),
        ("scale_up_upper_lower_ends", f"{UP}.upper.boundary.lower_ends", 28_512),
        ("scale_up_upper_upper_ends", f"{UP}.upper.boundary.upper_ends", 28_512),
        ("scale_up_cables", f"{UP}.boundary.cables", 7127),
        ("module_lanes", f"{UP}.upper.boundary.upper_link", "dr8_800"),
        ("placement", f"{UP}.boundary.lower_link", "pcb_baseboard_1600eq"),
        ("listed_size", "pools.0.domain_size", 288),
        ("what_if", "pools.0.beyond_announced", False),
        ("pool_racks", "pools.0.racks", 22),
    ],
    "torus": [
        ("scale_up_kind", f"{UP}.kind", "mesh"),
        ("scale_up_kind", f"{UP}.dims", ()),
        ("scale_up_kind", f"{UP}.switch", "tpu_ocs_palomar"),
        ("scale_up_kind", f"{UP}.planes", 1),
        ("scale_up_kind", f"{UP}.shares", (6,)),
        ("scale_up_kind", f"{UP}.switches", 6),
        ("direct_kind", "pools.0.accelerator", "gb200_nvl72"),
        ("direct_size", "pools.0.domain_size", 500),
        ("listed_size", "pools.0.domain_size", 192),
        ("beyond_announced", "pools.0.domain_size", 16_384),
        ("direct_dims", f"{UP}.dims", (16, 8, 4)),
        ("direct_dims", f"{UP}.dims", (8, 64)),
        ("direct_ports", f"{UP}.ports_per_accelerator", 4),
        ("port_rate", f"{UP}.port_gbps", 400),
        ("usable_bandwidth", f"{UP}.usable_gbps", 800.0),
        ("plan_scale_up", "pools.0.plan.scale_up_gbps", 800.0),
        ("scale_up_need", "pools.0.plan.scale_up_need_gbps", 798.44),
    ],
    "uneven": [
        ("direct_dims", f"{UP}.dims", (4, 12, 4)),
        ("usable_bandwidth", f"{UP}.usable_gbps", 2 * 800 * 191 / (192 * 3) * (1 + 3e-12)),
        ("scale_up_need", "pools.0.plan.scale_up_need_gbps", 2 * 800 * 191 / (192 * 3) * (1 + 3e-12)),
    ],
    "mesh": [
        ("scale_up_kind", f"{UP}.dims", (8,)),
        ("scale_up_kind", f"{UP}.kind", "torus"),
        ("scale_up_kind", f"{UP}.boundary", rack_design().pools[0].scale_up.boundary),
        ("direct_kind", "pools.0.accelerator", "b200_hgx"),
        ("direct_size", "pools.0.domain_size", 16),
        ("direct_links", "pools.0.domain_size", 16),
        ("direct_paid", "pools.0.domain_size", 16),
        ("direct_ports", f"{UP}.ports_per_accelerator", 6),
        ("usable_bandwidth", f"{UP}.usable_gbps", 4096.0),
    ],
}


@pytest.mark.parametrize(
    ("name", "rule", "path", "value"),
    [pytest.param(name, *row.values, id=f"{name}-{row.id}") for name, rows in BROKEN.items() for row in named(rows)],
)
def test_one_broken_thing(name: str, rule: str, path: str, value: object) -> None:
    design, instance = SCALE_UP[name]
    result = verify(put(design(), path, value), ROUND, instance())
    assert rule in rules(result), said(result)


BEYOND = ("gb200_nvl72",)
ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("clos", "scale_up_stages", {"choose": Choose(beyond_announced=BEYOND, scale_up_stages=(1,))}),
    ("clos", "beyond_announced", {"choose": Choose()}),
    ("clos", "listed_size", {"choose": Choose(beyond_announced=BEYOND, domain_sizes=(72,))}),
    ("clos", "not_listed", {"choose": Choose(beyond_announced=BEYOND, scale_up_switches=("nvswitch6_chip",))}),
    ("clos", "not_pinned", {"pin": Pins(scale_up_switch="nvswitch6_chip")}),
    ("clos", "scale_up_upper_length", {"site": Site(lengths=Lengths(three_racks_away_m=4.0, scale_up_upper_m=5.0))}),
    ("clos", "reach", {"site": Site(lengths=Lengths(three_racks_away_m=4.0, scale_up_upper_m=501.0))}),
    ("clos", "scale_up_length", {"site": Site(lengths=Lengths(three_racks_away_m=4.0, scale_up_m=1.0))}),
    ("torus", "not_pinned", {"pin": Pins(scale_up_switch="tpu_ocs_palomar")}),
    ("torus", "listed_size", {"choose": Choose(domain_sizes=(64, 128))}),
    ("torus", "pinned_size", {"pin": Pins(domain_size=64)}),
    ("clos", "scale_up_share", {"choose": Choose(beyond_announced=BEYOND, scale_up_shares=(0.5,))}),
    ("mesh", "not_pinned", {"pin": Pins(scale_up_switch="nvswitch4_chip")}),
    ("mesh", "listed_size", {"choose": Choose(domain_sizes=(4, 16))}),
    ("mesh", "pinned_size", {"pin": Pins(domain_size=4)}),
]


@pytest.mark.parametrize(
    ("name", "rule", "changes"), ASKED, ids=[f"{row[0]}-{row[1]}-{n}" for n, row in enumerate(ASKED)]
)
def test_the_wrong_question(name: str, rule: str, changes: dict[str, Any]) -> None:
    design, instance = SCALE_UP[name]
    result = verify(design(), ROUND, instance().model_copy(update=changes))
    assert rule in rules(result), said(result)


def vendor(accelerator: str, **changes: object) -> Catalogue:
    """The round catalogue with the vendor's domain of an accelerator altered."""
    domain = ROUND.accelerators[accelerator].vendor_domain
    assert domain is not None
    return part("accelerators", accelerator, vendor_domain=domain.model_copy(update=changes))


GB200, TPU, MI300 = "gb200_nvl72", "tpu_v7_ironwood", "mi300x"
PARTS: list[tuple[str, str, Catalogue]] = [
    ("clos", "sealed", part("accelerators", GB200, sealed=True)),
    ("clos", "clos_vendor", vendor(GB200, size=144)),
    ("clos", "clos_needless", part("switches", "nvswitch4_chip", radix_by_port_gbps={400: 144})),
    ("clos", "radix", part("switches", "nvswitch4_chip", radix_by_port_gbps={400: 71})),
    ("clos", "clos_upper_ports", part("switches", "nvswitch4_chip", radix_by_port_gbps={400: 3})),
    ("clos", "port_radix", part("switches", "nvswitch4_chip", radix_by_port_gbps={200: 144})),
    ("clos", "placement", part("racks", "nvl72_gb200", accelerators=32)),
    ("clos", "module_lanes", part("switches", "nvswitch4_chip", lane_gbps=100)),
    ("clos", "cable_lanes", part("switches", "nvswitch4_chip", lane_gbps=100)),
    ("clos", "interop", part("links", "dr8_1600", interop_class=None)),
    ("clos", "figure_unknown", part("accelerators", GB200, scale_up__lane_gbps=None)),
    # A host is 4 x 1,917 = 7,668 W.
    ("clos", "rack_power", part("racks", "nvl72_gb200", power_limit_kw=7.667)),
    ("torus", "direct_paid", part("accelerators", TPU, price_contains=("host", "nic", "scale_up_link"))),
    ("torus", "direct_paid", part("accelerators", TPU, price_contains=("host", "nic", "scale_up_switch"))),
    ("torus", "direct_size", vendor(TPU, larger_by_ocs=False)),
    ("torus", "direct_kind", vendor(TPU, direct="mesh")),
    ("mesh", "direct_kind", vendor(MI300, direct=None)),
    ("torus", "beyond_announced", part("accelerators", TPU, scale_up__max_domain=256)),
    ("torus", "what_if", part("accelerators", TPU, scale_up__max_domain=256)),
    ("mesh", "direct_size", vendor(MI300, size=16)),
    ("mesh", "direct_paid", part("accelerators", MI300, accelerators_per_host=4)),
]


@pytest.mark.parametrize(
    ("name", "rule", "catalogue"), PARTS, ids=[f"{row[0]}-{row[1]}-{n}" for n, row in enumerate(PARTS)]
)
def test_a_part_that_does_not_fit(name: str, rule: str, catalogue: Catalogue) -> None:
    design, instance = SCALE_UP[name]
    result = verify(design(), catalogue, instance())
    assert rule in rules(result), said(result)


@pytest.mark.parametrize(("name", "accelerator", "ports"), [("torus", TPU, 5), ("mesh", MI300, 6)])
def test_every_neighbour_takes_a_port(name: str, accelerator: str, ports: int) -> None:
    design, instance = SCALE_UP[name]
    fewer = part("accelerators", accelerator, scale_up__ports=ports)
    result = verify(put(design(), f"{UP}.ports_per_accelerator", ports), fewer, instance())
    assert rules(result) == {"direct_links"}, said(result)


def test_mesh_of_two_links_a_pair() -> None:
    # 15 ports, 7 neighbours: two links to each, one port left: 7 x 2 x 512.
    more = part("accelerators", MI300, scale_up__ports=15)
    design = put(put(mesh_design(), f"{UP}.ports_per_accelerator", 15), f"{UP}.usable_gbps", 7168.0)
    result = verify(design, more, mesh_instance())
    assert result.ok, said(result)


def test_what_is_joined_directly_goes_beyond_nothing() -> None:
    # A what-if may exceed the announced size of a switched domain, not of what is sold as it is.
    tight = part("accelerators", TPU, scale_up__max_domain=256)
    wide = torus_instance(choose=Choose(beyond_announced=(TPU,)))
    marked = put(torus_design(), "pools.0.beyond_announced", True)
    assert rules(verify(marked, tight, wide)) == {"beyond_announced"}


def test_direct_domains_ask_for_no_switch_stage_and_one_stage_for_its_number() -> None:
    none = mesh_instance(choose=Choose(scale_up_stages=(), scale_up_shares=(0.5,)))
    assert verify(mesh_design(), ROUND, none).ok
    assert rules(verify(rack_design(), ROUND, rack_instance(choose=Choose(scale_up_stages=(2,))))) == {
        "scale_up_stages"
    }


def test_three_cubes_only_where_they_are_listed() -> None:
    assert verify(uneven_torus_design(), ROUND, uneven_torus_instance((64, 192))).ok
    free = uneven_torus_instance().model_copy(update={"choose": Choose()})
    assert rules(verify(uneven_torus_design(), ROUND, free)) == {"listed_size"}


def test_the_nearest_float_of_a_torus_holds_for_the_plan() -> None:
    # The whole bandwidth may be needed, be the float a bit above or below the fraction.
    for nudge in (-1e-13, 0.0, 1e-13):
        most = 2 * 800 * 191 / (192 * 3) * (1 + nudge)
        design = put(put(uneven_torus_design(), "pools.0.plan.scale_up_need_gbps", most), f"{UP}.usable_gbps", most)
        result = verify(put(design, "pools.0.plan.scale_up_gbps", most), ROUND, uneven_torus_instance())
        assert result.ok, said(result)


CLOS: list[tuple[int, int, int, tuple[int, int, int]]] = [
    # 4 groups: 72 // 4 = 18 links from each at most: 36 of them need 2 switches, 18 links to each.
    (144, 18, 36, (18, 2, 36)),
    # 8 groups: 9 links at most; 20 need 3 switches, 7 links to each: one more than what comes from below.
    (160, 18, 20, (7, 3, 21)),
    # 8 groups of 12, two ports of each on every one of nine planes: 24 on 3 switches, 8 to each.
    (96, 9, 12, (8, 3, 24)),
    # 8 groups of 24, one port on every plane: 24 on 3 switches.
    (192, 18, 24, (8, 3, 24)),
]


@pytest.mark.parametrize(("size", "planes", "group", "numbers"), CLOS)
def test_numbers_of_a_second_stage(size: int, planes: int, group: int, numbers: tuple[int, int, int]) -> None:
    def found(links: int, switches: int, uplinks: int) -> set[str]:
        design = put(clos_design(), "pools.0.domain_size", size)
        values = {"links_per_pair": links, "switches_per_plane": switches, "uplinks": uplinks, "group": group}
        for name, value in values.items():
            design = put(design, f"{UP}.upper.{name}", value)
        design = put(put(design, f"{UP}.planes", planes), f"{UP}.shares", (18 // planes,) * planes)
        result = verify(design, ROUND, clos_instance())
        ours = ("clos_pair_links", "clos_plane_switches", "clos_uplinks", "clos_group", "clos_planes", "clos_needless")
        return rules(result) & {*ours, "clos_upper_ports", "clos_lone", "radix", "shares", "usable_bandwidth"}

    links, switches, uplinks = numbers
    assert found(links, switches, uplinks) == set()
    assert found(links + 1, switches, uplinks) == {"clos_pair_links"}
    assert found(links, switches - 1, uplinks) == {"clos_plane_switches"}
    assert found(links, switches, uplinks + 1) == {"clos_uplinks"}


def test_a_lone_second_stage_switch_is_refused() -> None:
    # One plane of a switch with 72 x 18 ports: groups of 36 x 18 = 648 links, all to one switch of 2,592 ports.
    big = ROUND.switches["nvswitch4_chip"].model_copy(update={"id": "above", "radix_by_port_gbps": {400: 2592}})
    first = ROUND.switches["nvswitch4_chip"].model_copy(update={"radix_by_port_gbps": {400: 1296}})
    matches = tuple(
        match.model_copy(update={"switches": (*match.switches, "above")})
        if "nvswitch4_chip" in match.switches
        else match
        for match in ROUND.compatibility.scale_up
    )
    catalogue = replace(
        ROUND,
        switches={**ROUND.switches, "above": big, "nvswitch4_chip": first},
        compatibility=ROUND.compatibility.model_copy(update={"scale_up": matches}),
    )
    design = clos_design()
    for path, value in (
        ("planes", 1),
        ("shares", (18,)),
        ("switches", 44),  # 11 x 4 groups
        ("upper.switch", "above"),
        ("upper.links_per_pair", 648),
        ("upper.switches_per_plane", 1),
        ("upper.uplinks", 648),
        ("upper.switches", 11),
    ):
        design = put(design, f"{UP}.{path}", value)
    found = rules(verify(design, catalogue, clos_instance()))
    assert "clos_lone" in found
    # Fewer switches leave more watts for hosts: nothing else of the domain is wrong.
    assert found <= {"clos_lone", "pool_racks", "scale_up_upper_length", "nic_leaf_length"}
