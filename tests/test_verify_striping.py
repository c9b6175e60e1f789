"""The verifier on trees whose highest boundary is striped unevenly: accounts by hand, and every rule broken once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from verify_accounts import Book, Row, rack_rows, same_account
from verify_striped_designs import STRIPED, striped_catalogue, striped_instance
from verify_tampering import put, rules, said, touch_everything
from verify_upper_designs import boundary

from designer.catalogue import Catalogue
from designer.design.account import Item
from designer.design.types import Boundary, Design
from designer.instance.schema import Choose, Instance, Lengths, Pins, Risk, Site
from designer.verify import verify
from designer.verify.striping import Striping

F = Fraction
CATALOGUE = striped_catalogue()
LEAVES_HIT = F("7.56")
"""A year's hits of 21 leaves of 9 replicas: 21 x 0.04 x 9."""
row_of = Book("1.8205", "3.641").row


def modules(ends: int, fibre: int, links: Fraction, event: Fraction, stages: int) -> Row:
    """Boundaries of modules of 800: ``event`` a year of a link, 0.052 h of its share in each boundary."""
    dirty = F("0.02") * ends / 2
    return row_of(
        ends * 500 + fibre,
        ends * 15,
        ends * F("0.008"),
        F("0.1") * 21 * links * event,
        stages * 1512 * F("0.052"),
        dirty,
        ends * F("5.2") + dirty * 80,
    )


def rows_of(stages: int) -> dict[Item, Row]:
    """The account of the rack design on the striped tree of so many stages."""
    half, whole = F("0.088"), F("0.176")
    boxes, links = {
        2: (
            # Of a spine a leaf uses 17 ports of 128.
            (24 * 40_000, 24_000, "0.24", F("0.1") * 21 * F(17, 128) * F("0.04"), 9768),
            # A link of 400 of modules of 800 is one MPO: 60 + 1.2 x 50, and 40.
            modules(368, 357 * 160, F(17), half, 1),
        ),
        3: (
            # 21 x 40,000 + 28 x 10,000 + 12 x 20,000; 61 boxes, 700 each. Of spines a leaf uses 4 / 3, of cores
            # 11 x 4 / 3 ports of 28.
            (
                1_360_000,
                35_400,
                "0.61",
                F("0.1") * 21 * (F(4, 3) * F("0.04") + F(11, 21) * F("0.05")),
                13_600 + 427,
            ),
            modules(590, 252 * 160 + 308 * 280, 12 + F(44, 3), half, 2),
        ),
        4: (
            # 21 x 40,000 + 24 x 10,000 + 16 x 20,000 + 24 x 30,000; 85 boxes. A spine, 8 / 16 of a core, and
            # 8 x 13 / 16 = 6.5 of the 10 ports of a top.
            (
                2_120_000,
                53_000,
                "0.85",
                F("0.1") * 21 * (F("0.04") + F("0.025") + F("0.039")),
                21_200 + 595,
            ),
            modules(1112, 168 * 280 + 352 * 520, 8 + 6 + F("6.5"), whole, 3),
        ),
    }[stages]
    usd, watts, hard, hits, fix = boxes
    return rack_rows() | {
        "scale_out_switches": row_of(usd, watts, hard, LEAVES_HIT + hits, stages * F("90.72"), 0, fix),
        "scale_out_links": links,
    }


@pytest.mark.parametrize("stages", STRIPED)
def test_accounts_equal_those_by_hand(stages: int) -> None:
    result = verify(STRIPED[stages](), CATALOGUE, striped_instance(stages))
    assert result.ok, said(result)
    same_account(result, rows_of(stages), 22 if stages == 2 else 23)


@pytest.mark.parametrize("stages", STRIPED)
def test_no_value_can_be_touched_unnoticed(stages: int) -> None:
    free = {"spine_taper"} if stages == 2 else set()
    assert touch_everything(STRIPED[stages](), striped_instance(stages), free, catalogue=CATALOGUE) > 150


def test_even_links_with_ports_to_spare_stay_allowed() -> None:
    # 8 of 11 ports of a spine go to two cores, 4 to each; (22 - 8) // 3 = 4 leaves to a pod, 12 down: 6 pods, 24
    # spines, 8 cores with 6 x 4 ports. Upper cages: 24 x 6, 8 x 12. 12,800 Gb/s of a pod for 4 x 72 x 40.
    design = more(STRIPED[3](), 40.0)
    leaf, spine, core = design.fabric.stages
    even = replace(
        design.fabric,
        stages=(leaf, replace(spine, count=24, down_ports=12, up_ports=8), replace(core, count=8, down_ports=24)),
        leaves_per_pod=4,
        pods=6,
        cores_per_spine=2,
        boundaries=(
            boundary("leaf_spine", 50.0, 252, 126, 144, rate=400),
            boundary("spine_core", 150.0, 192, 96, 96, rate=400),
        ),
    )
    result = verify(replace(design, fabric=even), CATALOGUE, striped_instance(3))
    assert result.ok, said(result)


# --- Cables ----------------------------------------------------------------------------------------------------------


def copper(design: Design, place: int, cables: int) -> Design:
    """The design with cables of two links of 400 at one boundary."""

    def laid(row: Boundary) -> Boundary:
        same = {"cables": cables, "lower_ends": cables, "upper_ends": cables}
        return replace(row, lower_link="aec_800", upper_link="aec_800", length_m=4.0, **same)

    return put(design, f"fabric.boundaries.{place}", laid)


def test_cables_of_two_stages_by_full_and_lean_pairs() -> None:
    # 6, 6 and 5 links are three cables each: 9 of a leaf carry its 17 links. 24,000 + 6,048 + 378 x 5 = 31,938 W.
    instance = striped_instance(2, site=Site(lengths=Lengths(leaf_spine_m=4.0)))
    result = verify(copper(STRIPED[2](), 0, 189), CATALOGUE, instance)
    assert result.ok, said(result)
    # 189 x 300; a cable fails 0.001 times a year for 2 h, and is out 0.021 times in all; 300 + 120 a repair.
    links = row_of(56_700, 1890, "0.189", F("0.1") * 21 * 9 * F("0.021"), F("3.024"), 0, F("0.189") * 420)
    same_account(result, rows_of(2) | {"scale_out_links": links}, 22)


def test_cables_of_three_stages_by_full_and_lean_pairs() -> None:
    # 4, 4 and 3 links are two cables each: 6 of a spine carry its 11 links, 44 / 3 of which a leaf uses.
    instance = striped_instance(3, site=Site(lengths=Lengths(spine_core_m=4.0)))
    # 35,400 + 6,048 + 266 x 15 + 336 x 5 = 47,118 W
    result = verify(copper(STRIPED[3](), 1, 168), CATALOGUE, instance)
    assert result.ok, said(result)
    below = modules(266, 252 * 160, F(12), F("0.088"), 1)
    events = F("0.1") * 21 * F(44, 3) * F(6, 11) * F("0.021")
    cables = row_of(168 * 300, 1680, "0.168", events, F("3.024"), 0, F("0.168") * 420)
    total = tuple(map(sum, zip(below, cables, strict=True)))
    same_account(result, rows_of(3) | {"scale_out_links": total}, 23)  # type: ignore[dict-item]


def test_cables_as_if_even_are_refused() -> None:
    # 17 x 400 / 800 as if the cables of a leaf were full, and 18 links of every leaf.
    instance = striped_instance(2, site=Site(lengths=Lengths(leaf_spine_m=4.0)))
    for cables in (179, 21 * 17):
        assert "leaf_spine_cables" in rules(verify(copper(STRIPED[2](), 0, cables), CATALOGUE, instance))


# --- Illegal striping ------------------------------------------------------------------------------------------------

Values = dict[str, object]
LEAF, SPINE, CORE = ("scale-out fabric, leaf", "scale-out fabric, spine", "scale-out fabric, core")
FABRIC = "scale-out fabric"

BROKEN: dict[str, tuple[int, Values, str, str, str]] = {
    "more links than three full spines take": (2, {"stages.0.up_ports": 19}, "leaf_up_ports", LEAF, "16 to 18"),
    "so few that no spine has six": (2, {"stages.0.up_ports": 15}, "leaf_up_ports", LEAF, "16 to 18"),
    "a link to a full spine too many": (2, {"links_per_leaf_spine": 7}, "leaf_up_ports", LEAF, "19 to 21"),
    "a link to a full spine too few": (2, {"links_per_leaf_spine": 5}, "leaf_up_ports", LEAF, "13 to 15"),
    "a spine too many": (2, {"spines_per_pod": 4}, "leaf_up_ports", LEAF, "21 to 24"),
    "a spine too few": (2, {"spines_per_pod": 2}, "leaf_up_ports", LEAF, "11 to 12"),
    # Eight links, two to a full spine, fill four.
    "a spine that no link needs": (
        2,
        {"stages.0.up_ports": 8, "links_per_leaf_spine": 2, "spines_per_pod": 5},
        "leaf_up_ports",
        LEAF,
        "9 to 10",
    ),
    "no links at all": (2, {"stages.0.up_ports": 0}, "leaf_up_ports", LEAF, "16 to 18"),
    "one link to every spine": (
        2,
        {"stages.0.up_ports": 2, "links_per_leaf_spine": 1},
        "leaf_up_ports",
        LEAF,
        "3",
    ),
    "leaves of three stages": (3, {"stages.0.up_ports": 11}, "leaf_up_ports", LEAF, "12"),
    "leaves of four stages": (4, {"stages.0.up_ports": 7}, "leaf_up_ports", LEAF, "8"),
    # All seven ports of a spine up, as three stages might have it.
    "spines of four stages": (
        4,
        {"stages.1.up_ports": 7, "cores_per_spine": 3},
        "spine_up_ports",
        SPINE,
        "6 over 2 cores",
    ),
    "a port of a spine idle": (
        3,
        {"stages.1.up_ports": 10},
        "spine_up_ports",
        SPINE,
        "8 over 2 cores or 11 over 3",
    ),
    "more ports up than the spine taper": (
        3,
        {"stages.1.up_ports": 12},
        "spine_up_ports",
        SPINE,
        "8 over 2 cores or 11 over 3",
    ),
    # 11 links over three cores are 4 to a full one.
    "five links to a core": (3, {"links_per_spine_core": 5}, "spine_up_ports", SPINE, "10 over 2 cores"),
    "a core too few": (3, {"cores_per_spine": 2}, "cores_per_spine", FABRIC, "3"),
    "a core too many": (3, {"cores_per_spine": 4}, "cores_per_spine", FABRIC, "3"),
    "three cores for even links": (3, {"stages.1.up_ports": 8}, "cores_per_spine", FABRIC, "2"),
    "a port of a core idle": (4, {"stages.2.up_ports": 12}, "core_up_ports", CORE, "10 over 2 tops or 13 over 3"),
    "more ports up than the core taper": (
        4,
        {"stages.2.up_ports": 14},
        "core_up_ports",
        CORE,
        "10 over 2 tops or 13 over 3",
    ),
    # 13 links over two tops would be 7 to a full one.
    "eight links to a top": (4, {"links_per_core_top": 8}, "core_up_ports", CORE, "8 over 1 tops"),
    "a top too few": (4, {"tops_per_core": 2}, "tops_per_core", FABRIC, "3"),
    "a top too many": (4, {"tops_per_core": 4}, "tops_per_core", FABRIC, "3"),
    "spines as lean ones": (2, {"stages.1.down_ports": 105}, "spine_down_ports", f"{FABRIC}, spine", "126"),
    "cores as lean ones": (3, {"stages.2.down_ports": 21}, "core_down_ports", f"{FABRIC}, core", "28"),
    "tops as lean ones": (4, {"stages.3.down_ports": 8}, "top_down_ports", f"{FABRIC}, top", "10"),
    "spines counted by links": (2, {"stages.1.count": 2}, "spine_count", f"{FABRIC}, spine", "3"),
    "links as if even": (2, {"boundaries.0.links": 378}, "leaf_spine_links", f"{FABRIC}, leaf-spine boundary", "357"),
    "spines all full": (
        2,
        {"boundaries.0.upper_ends": 189},
        "leaf_spine_upper_ends",
        f"{FABRIC}, leaf-spine boundary",
        "179",
    ),
    "cores all full": (
        3,
        {"boundaries.1.upper_ends": 168},
        "spine_core_upper_ends",
        f"{FABRIC}, spine-core boundary",
        "156",
    ),
    "tops all full": (
        4,
        {"boundaries.2.upper_ends": 240},
        "core_top_upper_ends",
        f"{FABRIC}, core-top boundary",
        "208",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_illegal_striping_is_refused(name: str) -> None:
    stages, values, rule, place, allowed = BROKEN[name]
    design = STRIPED[stages]()
    for path, value in values.items():
        design = put(design, f"fabric.{path}", value)
    result = verify(design, CATALOGUE, striped_instance(stages))
    assert (rule, place, allowed) in {(row.rule, row.place, row.recounted) for row in result.findings}, said(result)


def test_a_refusal_says_what_links_are_to_do() -> None:
    result = verify(put(STRIPED[2](), "fabric.stages.0.up_ports", 19), CATALOGUE, striped_instance(2))
    # What is refused is counted as if it were even.
    assert "leaf_spine_links" in rules(result)
    (found,) = (row for row in result.findings if row.rule == "leaf_up_ports")
    assert found.message == "links up of a leaf, as evenly as they can over 3 spines, 6 to a full one"


def test_a_striping_is_what_the_rules_say() -> None:
    # Laid link by link: over so many boxes in turn, and whether fewer would do.
    for links in range(1, 30):
        for boxes in range(1, links + 1):
            laid = [len(range(first, links, boxes)) for first in range(boxes)]
            fewer = laid[0] * (boxes - 1) >= links
            for most in range(1, links + 1):
                striping = Striping(links, boxes, most)
                assert striping.held == (most == laid[0] and not fewer)
                if striping.held:
                    assert striping.shares() == laid


# --- Rows at the true number of links --------------------------------------------------------------------------------


def with_switch(stage: int, ports: int, stages: int = 2, rate: int = 400) -> tuple[Design, Catalogue]:
    """A design with a switch of so many ports at one of its stages."""
    design = STRIPED[stages]()
    row = CATALOGUE.switches[design.fabric.stages[stage].switch]
    row = row.model_copy(update={"id": "exact", "radix_by_port_gbps": {rate: ports}})
    switches = {**CATALOGUE.switches, "exact": row}
    return put(design, f"fabric.stages.{stage}.switch", "exact"), replace(CATALOGUE, switches=switches)


@pytest.mark.parametrize(
    ("stages", "stage", "rate", "ports", "rule"),
    [
        (2, 0, 400, 72 + 17, "leaf_ports"),
        (2, 1, 400, 126, "spine_ports"),
        (3, 2, 400, 28, "core_ports"),
        (4, 3, 800, 10, "top_ports"),
    ],
)
def test_ports_hold_full_boxes_and_the_true_links(stages: int, stage: int, rate: int, ports: int, rule: str) -> None:
    for there, broken in ((ports, set()), (ports - 1, {rule})):
        design, catalogue = with_switch(stage, there, stages, rate)
        assert rules(verify(design, catalogue, striped_instance(stages))) == broken


def test_the_largest_taper_is_that_of_the_true_links() -> None:
    def ask(stages: int, most: float) -> Instance:
        return striped_instance(stages, choose=Choose(scale_out_stages=(stages,), max_taper=most, spine_tapers=(1.0,)))

    # 28,800 down over 17 x 400 up: 4.235; over 18 x 400 it were 4.
    assert rules(verify(STRIPED[2](), CATALOGUE, ask(2, 4.24))) == set()
    assert rules(verify(STRIPED[2](), CATALOGUE, ask(2, 4.23))) == {"leaf_taper"}
    # The taper that is pinned likewise.
    for pin, broken in (("72:17", set()), ("72:18", {"pinned_taper"})):
        held = striped_instance(2, pin=Pins(taper=pin))
        assert rules(verify(STRIPED[2](), CATALOGUE, held)) == broken


@pytest.mark.parametrize(
    ("stages", "most", "rule"),
    [
        (2, F(6800, 72), "leaf_uplinks"),
        # 4,800 of a leaf are less than a third of a pod's 17,600.
        (3, F(4800, 72), "leaf_uplinks"),
        (4, F(19_200, 4 * 72), "pod_uplinks"),
    ],
)
def test_the_need_is_held_by_the_true_links(stages: int, most: Fraction, rule: str) -> None:
    for need, broken in ((float(most) - 0.01, set()), (float(most) + 0.01, {rule})):
        assert rules(verify(more(STRIPED[stages](), need), CATALOGUE, striped_instance(stages))) == broken


@pytest.mark.parametrize(
    ("stages", "rule", "carried"),
    # 3 leaves of a pod behind 4 x 11 links; 16 leaves of a zone behind 8 x 13.
    [(3, "pod_uplinks", F(17_600, 3)), (4, "zone_uplinks", F(83_200, 16))],
)
def test_what_pods_and_zones_carry_is_that_of_the_true_links(stages: int, rule: str, carried: Fraction) -> None:
    # More than the leaves carry: only whether this row breaks is looked at.
    for need, broken in ((float(carried / 72) - 0.01, False), (float(carried / 72) + 0.01, True)):
        result = verify(more(STRIPED[stages](), need), CATALOGUE, striped_instance(stages))
        assert (rule in rules(result)) == broken, said(result)


# --- Single failures -------------------------------------------------------------------------------------------------


def more(design: Design, need: float) -> Design:
    """The design with a plan that sends more out of the leaf."""
    design = put(design, "pools.0.plan.scale_out_other_need_gbps", need)
    return put(design, "pools.0.attachment.need_gbps", need)


@pytest.mark.parametrize(
    ("stages", "left"),
    [
        # 17 - 6 links
        (2, {"spine": F(4400)}),
        # Three spines' 3 links; and of the fourth's, (11 - 4) / 3 without a full core.
        (3, {"spine": F(9 * 400), "core": (9 + F(7, 3)) * 400}),
        # By way of a core min(3, 13 / 4) = 3, of a spine 2 x 3 / 4 = 1.5; without a core 0.75 of the fourth's; without
        # a full top (3 + (13 - 5) / 4) / 4 = 1.25.
        (4, {"spine": F(3600), "core": F(4200), "top": F(4600)}),
    ],
)
def test_a_full_box_is_the_one_that_fails(stages: int, left: dict[str, Fraction]) -> None:
    # 72 x 66 = 4,752 Gb/s of a leaf
    held = striped_instance(stages, risk=Risk(max_single_failure_share=0.0))
    result = verify(more(STRIPED[stages](), 66.0), CATALOGUE, held)
    found = {
        row.place.partition(", ")[2]: float(row.stated) for row in result.findings if row.rule == "limit_single_failure"
    }
    below = {"host": 1 / 188, "scale-up switch": 9 / 188, "leaf": 9 / 188}
    assert found == below | {name: float(1 - gbps / 4752) for name, gbps in left.items()}
