"""What screens and stored results say of the wider networks: four stages, leaves joined directly, spares, parts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from private_designs import renamed
from simulated_designs import Case, one_spare_plane
from test_report import solved
from verify_designs import rack_design, rack_instance, round_catalogue, workload
from verify_spare_designs import mixed_design, mixed_instance, spare_design, spare_instance
from verify_upper_designs import FLAT, flat_instance, four_design, four_instance, upper_catalogue

from designer.instance.schema import Choose, Risk
from designer.report.compare import _design as in_short
from designer.report.figures import direct_gbps, margins
from designer.report.page import LABEL, WIDTH, Page
from designer.report.result import from_json, to_json
from designer.report.screen import _share, screen
from designer.verify import verify

ROUND = round_catalogue()
CASES: dict[str, tuple[Case, tuple[str, ...]]] = {
    "four stages": (
        (four_design(), upper_catalogue(), four_instance()),
        (
            "Ethernet, 4 stages: 21 leaf",
            "16 core small_core (12 down + 12 up); 32 top small_top (6 down); 6 pods of 4 leaves; 2 zones of 4 pods",
            "core-top 192 x 800G over 150 m, 192 + 192 dr8_800",
        ),
    ),
    "mesh": (
        (FLAT["mesh"](), ROUND, flat_instance("mesh")),
        ("Ethernet, mesh: 1 link between every two leaves: 21 leaf", "leaf-leaf 210 x 800G", "leaf uplinks"),
    ),
    "hyperx": (
        (FLAT["hyperx"](), ROUND, flat_instance("hyperx")),
        ("hyperx of 11 x 2: 1 link between leaves of a line of 11, 6 links in lines of 2", "group-group: 66 x 800G"),
    ),
    "dragonfly": (
        (FLAT["dragonfly"](), ROUND, flat_instance("dragonfly")),
        ("dragonfly of 6 groups of 4: 5 links between leaves of a group, 8 links between groups",),
    ),
    "spare domains": (
        (spare_design(), ROUND, spare_instance()),
        ("= 23 domains of 72, 2 of them spare", "of the time with 2 spare domains"),
    ),
    "a spare plane": ((one_spare_plane(), ROUND, spare_instance()), ("18 planes, 17 of them counted on",)),
    "parts": (
        (mixed_design(), ROUND, mixed_instance()),
        (
            "chat+1 1/4 of chat, decode of deepseek_v3: 10 replicas",
            "chat+2 3/4 of chat, decode of deepseek_v3: 141 replicas",
            "UPTIME domains for the whole peak: chat+1 ",
            # 10 x 8 x 510 and 141 x 8 x 100 tokens/s
            "chat+1: peak tokens 37,500 of 40,800",
            "chat+2: peak tokens 112,500 of 112,800",
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_new_is_shown_and_stored(name: str) -> None:
    (design, catalogue, instance), words = CASES[name]
    result = solved(design, catalogue, instance)
    page = screen(result)
    assert max(map(len, page.splitlines())) <= WIDTH
    margin = "; ".join(f"{row.what} {row.used:,.0f} of {row.limit:,.0f}" for row in result.margins)
    text = " ".join(f"{page} {margin}".split())
    for said in words:
        assert said in text, said
    assert from_json("r.json", to_json(result)) == result
    assert result.account is not None
    assert [up.pool for up in result.account.uptimes] == [pool.name for pool in design.pools]


def test_leaves_joined_directly_are_held_against_what_they_carry() -> None:
    # Section 7.1 by hand: 800 x 21 / 2; the lesser of 4,400 and 4,800; of 4,800 and 5 x 800 x 24 / 22.
    carried = [direct_gbps(FLAT[shape]().fabric) for shape in ("mesh", "hyperx", "dragonfly")]
    assert carried == pytest.approx([8400.0, 4400.0, 96_000 / 22])
    design, instance = FLAT["mesh"](), flat_instance("mesh")
    found = margins(design, verify(design, ROUND, instance).account, instance)
    (row,) = [row for row in found if row.what.endswith("leaf uplinks")]
    assert (row.used, row.limit) == (3600.0, 8400.0)


def test_limits_of_availability_are_among_the_margins() -> None:
    instance = spare_instance(risk=Risk(min_pool_availability=0.99, min_availability=0.9))
    design = spare_design()
    account = verify(design, ROUND, instance).account
    rows = {row.what: row for row in margins(design, account, instance)}
    row = rows["risk.min_pool_availability (chat)"]
    assert row.used == 1 - account.uptimes[0].availability
    assert row.limit == pytest.approx(0.01)
    hours = account.accelerator_hours_lost_per_year / (23 * 72 * 8760)
    assert rows["risk.min_availability"].share == pytest.approx(hours / 0.1)


def test_long_names_are_not_cut() -> None:
    name = "a-workload-with-a-very-long-name"
    instance = rack_instance(workloads=(workload(name=name, tpot_ms=20.0),), choose=Choose())
    lines = screen(solved(renamed(rack_design(), name), ROUND, instance)).splitlines()
    (line,) = [line for line in lines if line.startswith(f"  {name}: decode of")]
    assert len(line) <= WIDTH
    assert lines[lines.index(line) + 1].startswith(" " * LABEL)
    page = Page()
    page.row("  " + "x" * (LABEL - 3), "fits")
    page.row("  " + "x" * (LABEL - 2), "does not")
    assert page.lines == [f"  {'x' * (LABEL - 3)} fits", f"  {'x' * (LABEL - 2)}: does not"]


def test_as_many_nines_as_there_are() -> None:
    assert [_share(value) for value in (0.0, 0.5, 0.97, 0.9995, 0.99999951, 1.0)] == [
        "0.0%",
        "50.0%",
        "97.0%",
        "99.95%",
        "99.99995%",
        "100%",
    ]


def test_a_forced_shape_is_named_in_short() -> None:
    design, instance = FLAT["mesh"](), flat_instance("mesh")
    assert "; mesh of 21 th5_64x800; " in in_short(solved(design, ROUND, instance))
    plain = in_short(solved(rack_design(), ROUND, rack_instance()))
    assert "mesh" not in plain and "; 21 th5_64x800, 4 th5_64x800; " in plain


def test_the_design_is_replaced_whole() -> None:
    # What a result states of spares is read back, not guessed.
    (design, catalogue, instance), _ = CASES["spare domains"]
    result = solved(design, catalogue, instance)
    text = to_json(result).replace('"spare_domains": 2', '"spare_domains": 1')
    read = from_json("r.json", text).design
    assert read is not None and read != design
    assert replace(read, pools=(replace(read.pools[0], spare_domains=2),)) == design
