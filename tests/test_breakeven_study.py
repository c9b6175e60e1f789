"""Figures set beside the one that is varied, ranges without a flip, and the study of docs/breakeven.md."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import designer
from designer.answer import Question, SolveOptions
from designer.breakeven import breakeven
from designer.breakeven.key import at_value, find_variable, with_fixed
from designer.breakeven.published import COMPARED, savings
from designer.breakeven.screen import breakeven_screen
from designer.breakeven.settings import fixed_of
from designer.breakeven.study import CASES, LEVELS, MODULES, NEVER, REPAIRED, at_levels, below, price
from designer.cli.app import app
from designer.problems import InputError

ROOT = Path(__file__).resolve().parent.parent
INSTANCES = ROOT / "instances"
OPTICS = INSTANCES / "cpo-or-pluggable-1k.toml"
BOX_PRICE = "switches.th6_davisson_cpo.price_usd"
OPTIONS = SolveOptions(1e-9, explain_s=0.0)


def question(*settings: str) -> Question:
    asked = designer.load(OPTICS)
    return with_fixed(asked, fixed_of(asked, settings), "--set")


def rows_of(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading of the page, without its head."""
    page = (ROOT / "docs" / "breakeven.md").read_text()
    table = page.split(f"**{heading}", 1)[1].split("\n| ", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()[2:]]


def test_what_is_set_stays_while_another_figure_moves() -> None:
    settings = ("links.lpo_1600.price_usd_per_end=high", "money.box_swap_part_share=0.25", "money.it_years=4.0")
    asked = designer.load(OPTICS)
    fixed = fixed_of(asked, settings)
    for key in (BOX_PRICE, "site.electricity_usd_per_kwh"):
        variable = find_variable(asked, key)
        moved = at_value(question(*settings), replace(variable, fixed=fixed), 0.5)
        row = moved.catalogue.links["lpo_1600"].price_usd_per_end
        assert row.mid == asked.catalogue.links["lpo_1600"].price_usd_per_end.at("high")
        assert (moved.instance.money.box_swap_part_share, moved.instance.money.it_years) == (0.25, 4)
        box = moved.catalogue.switches["th6_davisson_cpo"].price_usd
        assert (box is not None and box.mid == 0.5) == (key == BOX_PRICE)
        assert (moved.instance.site.electricity_usd_per_kwh == 0.5) == (key != BOX_PRICE)


def test_a_set_figure_gives_the_flip_of_an_overlay(tmp_path: Path) -> None:
    overlay = tmp_path / "mine.toml"
    overlay.write_text('[[links]]\nid = "dr8_1600"\nprice_usd_per_end = 1900\n')
    sides = ("technology=cpo", "technology=dsp")
    by_file, by_word = (
        breakeven(OPTICS, BOX_PRICE, 5e4, 2.5e5, between=sides, overlay=given, settings=said, options=OPTIONS)
        for given, said in ((overlay, ()), (None, ("links.dr8_1600.price_usd_per_end=high",)))
    )
    assert [flip.value for flip in by_file.flips] == [flip.value for flip in by_word.flips]
    assert len(by_word.flips) == 1
    assert "SET          links.dr8_1600.price_usd_per_end=high" in breakeven_screen(by_word)


def test_wrong_settings_are_told_at_once() -> None:
    asked = designer.load(OPTICS)
    wrong = ["foo", "site.pue=", "links.dr8_160.price_usd_per_end=1", "site.pue=lo", "money.wacc=nan", BOX_PRICE + "=1"]
    with pytest.raises(InputError) as told:
        fixed_of(asked, [*wrong, "site.electricity_usd_per_kwh=0.1", "site.electricity_usd_per_kwh=0.2"], BOX_PRICE)
    assert {row.file for row in told.value.problems} == {"--set"}
    assert len(told.value.problems) == len(wrong) + 1
    assert "did you mean dr8_1600" in str(told.value)
    with pytest.raises(InputError, match=r"--set.*less than or equal to 1|--set.*at most 1"):
        fixed_of(asked, ["money.box_swap_part_share=3"])
    said = CliRunner().invoke(app, ["breakeven", str(OPTICS), "--vary", BOX_PRICE, "--from", "1", "--to", "2",
                                    "--set", "foo"])  # fmt: skip
    assert (said.exit_code, said.stderr.count("--set")) == (2, 1)


def test_two_choices_in_another_order_are_the_same_choice() -> None:
    for same in (("technology=cpo", "technology=cpo "), ("technology=cpo,stages=2", "stages=2,technology=cpo")):
        with pytest.raises(InputError, match="two different choices"):
            breakeven(OPTICS, BOX_PRICE, 1, 2, between=same)


def test_no_flip_names_the_winner_and_both_proofs() -> None:
    words = ["breakeven", str(OPTICS), "--vary", BOX_PRICE, "--between", "technology=cpo", "technology=dsp", "-q"]
    said = CliRunner().invoke(app, [*words, "--from", "190000", "--to", "250000"])
    assert said.exit_code == 0, said.output
    assert "NO FLIP      from 190,000 to 250,000 technology=dsp is cheaper" in said.stdout
    assert " ".join(said.stdout.split()).count("(proven)") == 4
    data = json.loads(CliRunner().invoke(app, [*words, "--from", "190000", "--to", "250000", "--json"]).stdout)
    assert (data["flips"], data["proven"], data["start"]["name"]) == ([], True, "technology=dsp")
    none = ["technology=dsp,stages=2", "technology=lpo,stages=2"]
    words = ["breakeven", str(INSTANCES / "cpo-or-pluggable-10k.toml"), "--vary", BOX_PRICE, "--points", "2", "-q"]
    said = CliRunner().invoke(app, [*words, "--from", "1000", "--to", "2000", "--between", *none])
    assert said.exit_code == 3, said.output
    assert "no design at either end" in said.stdout
    assert " ".join(said.stdout.split()).count("no design (proven)") == 4
    assert "another figure" not in said.stdout


def test_the_page_has_every_cell_of_the_study() -> None:
    for heading in ("Price.", "A repaired box."):
        rows = rows_of(heading)
        assert [(row[0], row[1]) for row in rows] == [(case.name, level) for case in CASES for level in LEVELS]
        assert all(len(cell.split(" / ")) == len(MODULES) for row in rows for cell in row[2:])
        assert all(len(row) == 2 + len(LEVELS) for row in rows)


@pytest.mark.parametrize(
    ("heading", "case", "rates", "times", "module", "more"),
    [
        ("Price.", 0, "mid", "mid", "DSP", ()),
        ("Price.", 4, "low", "high", "LPO", ()),
        pytest.param("Price.", 1, "high", "low", "LRO", (), marks=pytest.mark.slow),
        pytest.param("Price.", 3, "mid", "high", "DSP", (), marks=pytest.mark.slow),
        pytest.param("A repaired box.", 2, "high", "mid", "DSP", (REPAIRED,), marks=pytest.mark.slow),
        pytest.param("A repaired box.", 5, "mid", "mid", "LPO", (REPAIRED,), marks=pytest.mark.slow),
    ],
)
def test_the_study_in_the_documents_is_real(
    heading: str, case: int, rates: str, times: str, module: str, more: tuple[str, ...]
) -> None:
    row = rows_of(heading)[case * len(LEVELS) + LEVELS.index(rates)]
    shown = row[2 + LEVELS.index(times)].split(" / ")[list(MODULES).index(module)]
    found = price(INSTANCES, CASES[case], module, *at_levels(rates, times, *more))
    assert shown == (found if isinstance(found, str) else f"{found:,.0f}")


@pytest.mark.slow
def test_the_flips_between_two_domain_sizes_in_the_documents_are_real() -> None:
    page = (ROOT / "docs" / "breakeven.md").read_text()
    asked = INSTANCES / "deepseek-v3-blackwell.toml"
    found = breakeven(asked, "accelerators.gb200_nvl72.price_usd", 3e4, 7e4, watch="domain_size", options=OPTIONS)
    assert found.proven
    assert len(found.flips) == 2
    assert all(f"{flip.value:,.0f} USD" in page for flip in found.flips)


def test_a_search_that_says_neither_is_no_price() -> None:
    case = CASES[2]
    sides = ("technology=cpo,stages=2,leaf_switch=th6_davisson_cpo,spine_switch=th6_davisson_cpo", "technology=dsp")
    found = breakeven(INSTANCES / case.file, BOX_PRICE, 1e5, 2e5, between=sides, points=2, options=OPTIONS)
    assert below(found) == NEVER


def test_savings_are_those_of_boxes_and_modules_counted_by_hand() -> None:
    # Three stages of 5,040 ports on 144-port switches: as many Q3450 as Q3400, at 190,000 for 105,000 USD and 3,950 for
    # 4,900 W; of six module ends of an 800G link chain one stays, the NIC's.
    found = savings(INSTANCES, COMPARED[0])
    assert found["switches"] == pytest.approx((100 * (190 / 105 - 1), 100 * (3950 / 4900 - 1)))
    assert found["optics"][1] == pytest.approx(-100 * 5 / 6)
    assert found["network"][0] > -5
