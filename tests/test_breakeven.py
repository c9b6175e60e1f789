"""Flips: against crossings counted by hand, against a grid of solves, and where costs are no straight lines."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

import designer
from designer.answer import Answer, Question, SolveOptions
from designer.breakeven import BreakEven, breakeven
from designer.breakeven.asker import Asker
from designer.breakeven.choices import choices_of
from designer.breakeven.envelope import Line, envelope
from designer.breakeven.key import at_value, find_variable, with_wholeness
from designer.breakeven.linear import entry_of
from designer.breakeven.screen import breakeven_screen
from designer.cli.app import app
from designer.instance.load import load_text
from designer.problems import InputError
from designer.solve.run import solve

INSTANCES = Path(__file__).resolve().parent.parent / "instances"
OPTICS = INSTANCES / "scale-out-cpo-dsp-lpo.toml"
RACK = INSTANCES / "one-rack-copper-or-optics.toml"
LPO_PRICE = "links.lpo_1600.price_usd_per_end"
OPTIONS = SolveOptions(1e-9, explain_s=0.0)
# Two modules that differ in nothing but watts and price: the crossing can be counted by hand.
TWINS = """
[[links]]
id = "lro_1600"
power_w_per_end = 16
price_usd_per_end = 1000
afr_hard_per_end = 0.01
transient_per_link_year = 0.1
[[links]]
id = "lpo_1600"
power_w_per_end = 10
price_usd_per_end = 900
afr_hard_per_end = 0.01
transient_per_link_year = 0.1
"""


@cache
def found(path: Path, key: str, start: float, end: float, watch: str = "any") -> BreakEven:
    return breakeven(path, key, start, end, watch=watch, options=OPTIONS)


@cache
def question(path: Path = OPTICS) -> Question:
    return designer.load(path)


def edited(tmp_path: Path, path: Path, *pairs: tuple[str, str]) -> Path:
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "edited.toml"
    file.write_text(text)
    return file


def test_crossing_of_two_twins_is_the_one_counted_by_hand(tmp_path: Path) -> None:
    overlay = tmp_path / "twins.toml"
    overlay.write_text(TWINS)
    asked = edited(
        tmp_path,
        OPTICS,
        ('"dr8_1600", "lro_1600", "lpo_1600"', '"lro_1600", "lpo_1600"'),
        ('scale_out_switches = ["th6_64x1600", "th6_davisson_cpo"]', 'scale_out_switches = ["th6_64x1600"]'),
        ("[risk]", "[site]\npue = 1.2\nelectricity_usd_per_kwh = 0.1\nutilisation = 0.5\n"
         "facility_capex_usd_per_w = 10.0\n[money]\nwacc = 0.1\nit_years = 5\nbuilding_years = 20\n[risk]"),
    )  # fmt: skip
    result = breakeven(asked, LPO_PRICE, 900, 2000, overlay=overlay, watch="links", options=OPTIONS)
    # An end of price p and w watts costs a year: crf(10 %, 5) p + p * afr (a spare at full price) + w * (crf(10 %, 20)
    # * 10 + 0.5 * 1.2 * 8.76 * 0.1). The ends differ by 6 W; everything else is equal.
    crf5 = Fraction(1, 10) * Fraction(11, 10) ** 5 / (Fraction(11, 10) ** 5 - 1)
    crf20 = Fraction(1, 10) * Fraction(11, 10) ** 20 / (Fraction(11, 10) ** 20 - 1)
    watt = crf20 * 10 + Fraction(5, 10) * Fraction(12, 10) * Fraction(876, 100) * Fraction(1, 10)
    by_hand = 1000 + 6 * watt / (crf5 + Fraction(1, 100))
    assert result.method == "lines"
    assert [flip.value for flip in result.flips] == [pytest.approx(float(by_hand), rel=1e-9)]
    (flip,) = result.flips
    assert {(row.below, row.above) for row in flip.differences} == {("lpo_1600", "lro_1600")}
    assert flip.below.value < by_hand < flip.above.value <= flip.below.value * 1.0011


def test_flips_of_a_price_agree_with_a_grid_of_solves() -> None:
    result = found(OPTICS, LPO_PRICE, 300, 2000, "links")
    assert result.method == "lines"
    assert result.proven
    assert len(result.flips) >= 1
    variable = find_variable(question(), LPO_PRICE)
    last = None
    for value in range(300, 2001, 170):
        at = at_value(question(), variable, value)
        seen = choices_of(solve(at, OPTIONS).design, at.catalogue, "links")
        if last is not None:
            crossed = [flip for flip in result.flips if value - 170 < flip.value < value]
            assert (seen != last) == bool(crossed), value
        last = seen


def test_both_sides_are_proven_and_beat_each_other() -> None:
    for flip in found(OPTICS, LPO_PRICE, 300, 2000, "links").flips:
        assert flip.below.status == flip.above.status == "optimal"
        assert flip.below.cost is not None
        assert flip.above.cost is not None
        assert flip.below_other is not None
        assert flip.above_other is not None
        assert flip.below.bound == pytest.approx(flip.below.cost, rel=1e-8)
        assert flip.below_other > flip.below.cost
        assert flip.above_other > flip.above.cost
        assert flip.in_range


def test_optimum_is_concave_and_does_not_fall_with_a_price() -> None:
    asker = Asker(question(), find_variable(question(), LPO_PRICE), "any", OPTIONS)
    pieces = envelope(asker, 300.0, 2000.0)
    assert pieces[0].start == 300
    assert pieces[-1].end == 2000
    for left, right in pairwise(pieces):
        assert left.end == right.start
        assert left.line.slope > right.line.slope >= 0
        assert float(left.line(left.end)) == pytest.approx(float(right.line(left.end)), rel=1e-12)
    for point in asker.points.values():
        assert point.cost is not None
        assert min(float(piece.line(point.value)) for piece in pieces) == pytest.approx(point.cost, rel=1e-9)


def test_parallel_lines_do_not_cross() -> None:
    assert Line(Fraction(1), Fraction(2)).crossing(Line(Fraction(3), Fraction(2))) is None


def test_between_finds_where_two_forced_choices_cost_the_same() -> None:
    key, sides = "switches.th6_davisson_cpo.price_usd", ("technology=cpo", "technology=dsp")
    result = breakeven(OPTICS, key, 50_000, 200_000, between=sides, options=OPTIONS)
    (flip,) = result.flips
    assert (flip.below.name, flip.above.name) == sides
    # Bisection of the two forced optima, without any line, says the same.
    variable = find_variable(question(), key)
    askers = [Asker(question(), variable, "any", OPTIONS, (side,)) for side in sides]
    costs = [[asker.at(value).cost or 0.0 for asker in askers] for value in (flip.value * 0.9999, flip.value * 1.0001)]
    assert costs[0][0] < costs[0][1]
    assert costs[1][0] > costs[1][1]
    swapped = breakeven(OPTICS, key, 50_000, 200_000, between=sides[::-1], options=OPTIONS)
    assert swapped.flips[0].value == pytest.approx(flip.value, rel=1e-12)


def test_reach_is_no_straight_line_and_flips_where_the_catalogue_ends_it() -> None:
    result = found(RACK, "site.lengths.scale_up_m", 0.5, 30, "technology")
    assert result.method == "grid"
    reach = question(RACK).catalogue.links["cu_cartridge_1600eq"].reach_m.at("mid")
    assert reach is not None
    first = result.flips[0]
    assert first.below.value <= reach < first.above.value
    assert not first.crossing
    assert ("scale-up", "copper cartridge") in {(row.what, row.below) for row in first.differences}
    assert all(flip.above.value - flip.below.value <= 1.001e-3 * flip.above.value + 1e-4 for flip in result.flips)
    assert "would be missed" in breakeven_screen(result)


def test_an_end_without_design_is_a_side_of_its_own() -> None:
    result = breakeven(RACK, "money.capex_usd", 1e6, 9e6, options=OPTIONS, watch="accelerator", points=3)
    assert result.method == "grid"
    assert result.start.status == "infeasible"
    assert result.start.cost is None
    assert result.end.status == "optimal"
    (flip,) = result.flips
    assert flip.below.cost is None
    # The least capital of any design: what a solve for capital alone finds.
    text = RACK.read_text().replace("[pin]", '[objective]\nminimise = ["capex"]\n[pin]')
    least = solve(load_text("least.toml", text), OPTIONS).goals[0].value
    assert flip.below.value < least <= flip.above.value * (1 + 1e-9)
    assert "no design" in breakeven_screen(result)


def test_a_limit_moved_by_a_price_is_searched_on_a_grid(tmp_path: Path) -> None:
    asked = edited(tmp_path, RACK, ("[pin]", "[money]\ncapex_usd = 3_200_000.0\n[pin]"))
    result = breakeven(asked, "nics.nic_400.price_usd", 100, 20_000, options=OPTIONS, watch="nic", points=3)
    assert result.method == "grid"
    assert "money.capex_usd" in result.reason


def test_lines_that_prove_nothing_give_way_to_a_grid() -> None:
    # Below what its parts cost, the bare price of a rack share is unknown, and the rack is not offered.
    result = breakeven(RACK, "accelerators.gb200_nvl72.price_usd", 100, 60_000, options=OPTIONS, points=3)
    assert result.method == "grid"
    assert "a price enters" in result.reason
    assert "no design at 100" in result.reason
    assert result.start.status == "infeasible"
    assert len(result.flips) == 1


def test_an_interrupted_solve_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def interrupted(asked: Question, options: SolveOptions) -> Answer:
        calls.append(1)
        return replace(solve(asked, options), status="interrupted")

    monkeypatch.setattr("designer.breakeven.asker.solve", interrupted)
    with pytest.raises(KeyboardInterrupt):
        breakeven(RACK, "nics.nic_400.price_usd", 100, 900, options=OPTIONS)
    assert len(calls) == 1


def test_an_overlay_stays_below_the_varied_figure(tmp_path: Path) -> None:
    overlay = tmp_path / "mine.toml"
    overlay.write_text('[[links]]\nid = "lpo_1600"\nprice_usd_per_end = 500\npower_w_per_end = 11\n')
    asked = designer.load(OPTICS, overlay)
    variable = find_variable(asked, LPO_PRICE)
    assert variable.span.mid == 500
    row = at_value(asked, variable, 321.5).catalogue.links["lpo_1600"]
    assert (row.price_usd_per_end.at("high"), row.power_w_per_end.at("mid")) == (321.5, 11)


def test_whole_numbers_stay_whole() -> None:
    asked = question(RACK)
    variable = with_wholeness(asked, find_variable(asked, "money.it_years"), 3.0, 9.0)
    assert variable.whole
    assert at_value(asked, variable, 4.4).instance.money.it_years == 4
    assert not with_wholeness(asked, find_variable(asked, "site.pue"), 1.0, 2.0).whole


def test_a_figure_that_counts_for_nothing_is_said_to() -> None:
    result = found(OPTICS, "links.cpo_1600.afr_hard_per_end", 0, 1)
    assert not result.flips
    assert any("moves the cost of no design" in note for note in result.notes)


@pytest.mark.parametrize(
    ("key", "straight"),
    [
        ("switches.th6_64x1600.price_usd", True),
        ("switches.th6_64x1600.power_w", True),
        ("switches.th6_64x1600.latency_ns", False),
        ("accelerators.b300_hgx.tdp_w", False),
        ("links.cpo_1600.cpo_parts.oe_mttr_h", True),
        ("site.electricity_usd_per_kwh", True),
        ("money.box_swap_part_share", True),
        ("money.wacc", False),
        ("workloads[0].tpot_ms", False),
        ("risk.usd_per_job_hit", True),
    ],
)
def test_which_figures_are_straight(key: str, straight: bool) -> None:
    assert entry_of(question(), find_variable(question(), key)).straight == straight


def test_risk_limit_bends_a_failure_rate(tmp_path: Path) -> None:
    asked = designer.load(edited(tmp_path, OPTICS, ("[risk]", "[risk]\nmax_job_hits_per_year = 1e6")))
    assert not entry_of(asked, find_variable(asked, "links.lpo_1600.afr_hard_per_end")).straight
    assert entry_of(asked, find_variable(asked, LPO_PRICE)).straight


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("links.lpo_160.price_usd_per_end", "lpo_1600"),
        ("links.lpo_1600.price_usd_per_en", "price_usd_per_end"),
        ("link.lpo_1600.price_usd_per_end", "links"),
        ("site.electricity_usd", "electricity_usd_per_kwh"),
        ("links.lpo_1600", "price_usd_per_end"),
        ("links.lpo_1600.tech", "no number"),
        ("links.lpo_1600.price_usd_per_end.mid", "stop at the figure"),
        ("workloads[3].tpot_ms", "below 1"),
        ("[[", "table.id.figure"),
        ("", "table.id.figure"),
    ],
)
def test_wrong_key_is_answered_with_near_names(key: str, near: str) -> None:
    with pytest.raises(InputError, match="--vary") as error:
        find_variable(question(), key)
    assert near in str(error.value)


def test_all_mistakes_at_once() -> None:
    with pytest.raises(InputError) as error:
        breakeven(OPTICS, "links.nothing.x", 5, 2, between=("technology=cp", "foo"), watch="x", width=2, points=1)
    text = str(error.value)
    for word in ("--from, --to", "--vary", "--between", "--watch", "--width", "--points", "technology", "foo"):
        assert word in text


def test_values_that_are_not_allowed_are_refused_before_any_solve() -> None:
    seen: list[float] = []
    with pytest.raises(InputError, match=r"at least|greater"):
        breakeven(RACK, "site.pue", 0.5, 2, on_solve=seen.append)
    assert not seen


def test_command_prints_screen_or_json_and_refuses_with_code_2() -> None:
    words = ["breakeven", str(RACK), "--vary", "links.cu_cartridge_1600eq.price_usd_per_end", "--to", "2000", "-q"]
    shown = CliRunner().invoke(app, [*words, "--from", "50"])
    assert shown.exit_code == 0, shown.output
    assert "FLIP" in shown.output
    data = json.loads(CliRunner().invoke(app, [*words, "--from", "50", "--json"]).stdout)
    assert data["method"] == "lines"
    assert len(data["flips"]) == shown.output.count("\nFLIP ")
    assert CliRunner().invoke(app, [*words, "--from", "5000"]).exit_code == 2
