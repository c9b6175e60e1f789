"""The published cases: the data is sound, every figure agrees or says why not, and a wrong figure is noticed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from designer.answer import SolveOptions
from designer.cli.app import app
from designer.instance.load import load
from designer.problems import InputError
from designer.solve.run import solve
from designer.validate import cases as data
from designer.validate import run as running
from designer.validate import validate
from designer.validate.cases import Case, Expected, published_cases
from designer.validate.folder import FOLDER
from designer.validate.populations import Population, Predicted, populations, predicted_events, rate_of
from designer.validate.run import Row, rows_of
from designer.validate.table import cells, notes, page

CASES = {case.id: case for case in published_cases()}
KNOWN = {
    ("HM_L_FT_75", "optimum"),
    ("FIREFLYER_T3", "optimum"),
    # Failures: not the same thing is counted, or nothing is counted at all.
    ("LLAMA3_54D", "power"),
    ("IHBD_TRACE", "power"),
    ("RSC_MTTF", "given_1k"),
    ("LINK_FLAP_3M", "hard"),
}
"""Known differences; those of an optimum are striping that is not even."""


@pytest.mark.parametrize("name", CASES)
def test_every_published_figure_agrees_or_says_why_not(name: str) -> None:
    for row in rows_of(CASES[name]):
        expected = {(name, e.of) for e in CASES[name].expect if e.what == row.what and e.because is not None}
        if expected:
            assert row.verdict == "known difference", row
            assert expected <= KNOWN
        else:
            assert row.verdict == ("agrees" if CASES[name].not_checkable is None else "not checkable"), row
        assert row.verdict == "agrees" or row.note


def test_every_case_of_counts_and_costs_is_there() -> None:
    assert len(CASES) >= 97
    assert all(case.source and case.confidence for case in CASES.values())
    assert sum(case.not_checkable is None for case in CASES.values()) >= 80
    published = [name for name, case in CASES.items() if "c" in case.use and case.not_checkable is None]
    without = [name for name in published if not CASES[name].instances]
    assert not without, "cases for the optimiser without a question"
    # Where striping is not even, there is a question that the published design answers too, and an optimum no dearer.
    for name in published:
        case = CASES[name]
        held = [row for row in case.expect if row.of in case.instances and row.because is None]
        assert held, f"{name}: no optimum is held against the published design"


def test_tokens_are_given_as_to_the_checks_of_the_token_model() -> None:
    """Their chips and shapes are held against the catalogue there; the published figures are compared here."""
    here = tomllib.loads((FOLDER / "tokens.toml").read_text())
    there = tomllib.loads((Path(__file__).resolve().parent / "data" / "token_cases.toml").read_text())
    for name, chip in here["chips"].items():
        assert chip.items() <= there["chips"][name].items()
    assert here["llms"].items() <= there["llms"].items()
    given = [(case["kind"], case["given"], case["expected"]) for case in there["cases"]]
    assert all((case["kind"], case["given"], case["expected"]) in given for case in here["cases"])
    used = {name for case in CASES.values() for name in case.tokens.values()}
    assert used == {case["id"] for case in here["cases"]}


def test_every_file_beside_the_cases_is_used() -> None:
    named = {
        file
        for case in CASES.values()
        for files in (case.designs, case.instances, case.overlays)
        for file in files.values()
    }
    there = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.toml")}
    assert named == {file for file in there if "/" in file}


@pytest.mark.parametrize("change", [0.5, 1.5])
def test_a_wrong_figure_is_noticed(change: float) -> None:
    case = CASES["SUPERPOD_H100_SU4"]
    wrong = tuple(row.model_copy(update={"published": row.published * change}) for row in case.expect)
    rows = list(rows_of(case.model_copy(update={"expect": wrong})))
    assert rows and all(row.verdict == "differs" for row in rows)


def test_a_dearer_optimum_is_noticed() -> None:
    case = CASES["SUPERPOD_LARGE_SU4"]
    (leaves,) = (row for row in case.expect if row.of == "optimum" and row.quantity == "boxes.leaf")
    fewer = leaves.model_copy(update={"published": leaves.published - 1, "compare": "at_most"})
    (row,) = rows_of(case.model_copy(update={"expect": (fewer,)}))
    assert (row.verdict, row.got) == ("differs", leaves.published)


def test_an_optimum_dearer_than_the_published_design_is_noticed_within_the_rounding_of_the_print() -> None:
    """25.303 million USD are counted, 25.3 printed: an optimum of 25.34 rounds to that and is dearer all the same."""
    case = CASES["HM_S_FT_1TO1"]
    (row,) = (row for row in case.expect if row.compare == "at_most")
    theirs = {"it": ({"capex_usd": 25.303e6}, "")}
    for got, said in ((25.303, ""), (25.34, "the published design has 25.303, unrounded")):
        found = Predicted(got, got, got)
        assert running._agrees(row, found)
        assert running._dearer(row, found, theirs) == said
    assert running._dearer(row, found, {"it": ({}, "")}) == ""


def test_copper_is_chosen_for_a_rack_although_optics_would_do(tmp_path: Path) -> None:
    text = (FOLDER / "instances" / "nvl72-cost.toml").read_text()
    file = tmp_path / "optics.toml"
    file.write_text(text.replace('"copper", ', ""))
    answer = solve(load(file, FOLDER / "overlays" / "nvl72.toml"), SolveOptions())
    assert answer.design is not None
    boundary = answer.design.pools[0].scale_up.boundary
    assert boundary is not None and boundary.lower_ends + boundary.upper_ends == 648
    assert answer.account is not None and answer.account.capex_usd >= 648 * 850


def test_quantities_are_added_and_taken_off() -> None:
    case = CASES["SUPERPOD_H100_SU1"]
    data = {"what": "x", "quantity": "links.endpoint-leaf", "plus": ("links.service-leaf",), "published": 252.0}
    both = Expected.model_validate(data)
    (row,) = rows_of(case.model_copy(update={"expect": (both,)}))
    assert (row.got, row.verdict) == (252, "agrees")
    less = both.model_copy(update={"plus": (), "less": ("links.service-leaf",), "published": 244.0})
    (row,) = rows_of(case.model_copy(update={"expect": (less,)}))
    assert (row.got, row.verdict) == (244, "agrees")
    (row,) = rows_of(case.model_copy(update={"expect": (both.model_copy(update={"plus": ("links.none",)}),)}))
    assert row.verdict == "differs" and "no figure of the name links.none" in row.note
    with pytest.raises(ValueError, match="a prediction is one quantity"):
        Case.model_validate({**dict(case), "expect": (both.model_copy(update={"compare": "within"}),)})


def test_what_of_a_case_is_not_checked_is_said_once_for_all_its_rows() -> None:
    rows = list(rows_of(CASES["CM384_SWITCHES"]))
    assert all(row.verdict == "agrees" and "12 racks" in row.remark for row in rows)
    assert [line for line in notes(rows) if "12 racks" in line] == [f"CM384_SWITCHES: {rows[0].remark}"]


def test_a_known_difference_that_is_gone_is_noticed() -> None:
    case = CASES["SUPERPOD_LARGE_SU4"]
    said = case.expect[0].model_copy(update={"because": "no longer"})
    (row,) = rows_of(case.model_copy(update={"expect": (said,)}))
    assert row.verdict == "differs"
    assert "drop its reason" in row.note


def test_printed_figures_agree_to_half_their_last_digit() -> None:
    def verdict(got: float, **more: object) -> bool:
        row = Expected.model_validate({"what": "x", "quantity": "x", "published": 2.5, **more})
        return running._agrees(row, Predicted(got, got, got))

    assert verdict(2.5) and not verdict(2.51)
    assert verdict(2.549, rounded_to=0.1) and not verdict(2.551, rounded_to=0.1)
    assert verdict(2.524, tolerance=0.01) and not verdict(2.526, tolerance=0.01)
    assert verdict(1.0, compare="at_most") and not verdict(2.6, compare="at_most")
    assert verdict(2.9, up_to=3.0) and not verdict(3.1, up_to=3.0) and not verdict(2.4, up_to=3.0)


def test_a_figure_that_is_not_known_is_not_taken_for_zero() -> None:
    case = CASES["NVL72_RACK"]
    watts = Expected.model_validate({"what": "watts", "quantity": "watts", "published": 0.0})
    (row,) = rows_of(case.model_copy(update={"expect": (watts,)}))
    assert (row.got, row.verdict) == (None, "differs")
    assert "no figure of the name watts" in row.note


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expect": ()}, "expected figures, or says why"),
        ({"not_checkable": "because"}, "expected figures, or says why"),
        ({"designs": {}}, "which the case does not give"),
        ({"instances": {"it": "instances/kedios.toml"}}, "a name of its own"),
        ({"overlays": {"elsewhere": "a.toml"}}, "an overlay belongs to an instance"),
    ],
)
def test_damaged_cases_are_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Case.model_validate({**dict(CASES["DSV3_FT2"]), **change})


def test_a_figure_against_another_one_is_a_ratio() -> None:
    (row, _) = CASES["IHBD_RATIOS"].expect
    itself = row.model_copy(update={"against": "it", "unit": 1.0, "published": 1.0})
    (found,) = rows_of(CASES["IHBD_RATIOS"].model_copy(update={"expect": (itself,)}))
    assert (found.got, found.verdict) == (1.0, "agrees")
    with pytest.raises(ValueError, match="which the case does not give"):
        Case.model_validate({**dict(CASES["IHBD_RATIOS"]), "expect": (row.model_copy(update={"against": "nobody"}),)})


def test_a_cheaper_optimum_says_what_it_has_less_of() -> None:
    case = CASES["HM_S_FT_50"]
    rows = {row.what: row for row in rows_of(case)}
    (optimum,) = (row for row in rows.values() if row.compare == "at_most")
    assert optimum.got is not None and optimum.got < 17.6
    assert "leaf switches 528 instead of 400; spine switches 0 instead of 144" in optimum.cheaper
    assert [line for line in notes(rows.values()) if optimum.cheaper in line]
    assert not any(row.cheaper for row in rows.values() if row is not optimum)


def test_an_id_that_occurs_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (FOLDER / "cases.toml").read_text()
    for name in ("cases.toml", "cases_more.toml"):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    with pytest.raises(InputError, match="DSV3_FT2: read the same id twice"):
        published_cases()


def test_the_page_of_the_documentation_shows_every_figure() -> None:
    text = (Path(__file__).resolve().parent.parent / "docs" / "published_cases.md").read_text()
    for case in CASES.values():
        shown = [line for line in text.splitlines() if line.startswith(f"| {case.id} |")]
        assert len(shown) == max(1, len(case.expect)), case.id
        for row, line in zip(case.expect, shown, strict=False):
            rounded = Row(case.id, case.source, row.what, row.published, row.up_to, row.compare, 0, None, "agrees", "")
            assert [cell.strip() for cell in line.split(" | ")][2:4] == list(cells([rounded])[0][2:4])
        assert all("differs" not in line for line in shown)


@pytest.mark.slow
def test_the_page_of_the_documentation_is_what_is_computed() -> None:
    assert (Path(__file__).resolve().parent.parent / "docs" / "published_cases.md").read_text() == page(validate())


def test_the_command_prints_a_table_and_ends_in_words() -> None:
    shown = CliRunner().invoke(app, ["validate", "DSV3_FT2", "UBMESH_COST"])
    assert shown.exit_code == 0
    assert "switches\t96\t96\tagrees" in shown.stdout
    assert "UBMESH_COST: the price list is internal to the vendor" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "2 cases: 5 figures agree, 1 case is not checkable"
    wrong = CliRunner().invoke(app, ["validate", "DSV3_FT9"])
    assert wrong.exit_code == 2
    assert "DSV3_FT9; did you mean" in wrong.stderr


def test_the_command_gives_json_and_fails_where_a_figure_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = CliRunner().invoke(app, ["validate", "DSV3_FT2", "--json", "--quiet"])
    found = json.loads(shown.stdout)
    assert [row["got"] for row in found["rows"]] == [2048, 96, 2048, 64, 32]
    row = Row("A", "Paper", "switches", 96.0, None, "equal", 0.0, 95.0, "differs", "")
    monkeypatch.setattr("designer.validate.validate", lambda *_: (row,))
    failed = CliRunner().invoke(app, ["validate"])
    assert failed.exit_code == 5


# ----------------------------------------------------------------------------- failures


def counted(name: str, kind: str, events: int, hours: float = 1e9) -> Population:
    row = {"id": name, "case": name, "kind": kind, "source": "s", "confidence": "c"}
    return Population.model_validate({**row, "events": events, "component_hours": hours})


def test_a_rate_is_the_mean_of_the_others_with_their_spread_by_hand() -> None:
    known = [counted("a", "x", 10), counted("b", "x", 40), counted("c", "y", 100), counted("d", "y", 100)]
    rate = rate_of("x", known=known)
    assert rate is not None
    # Logs of 10 and 40 lie ln 2 on either side of their mean; two kinds of two leave two degrees of freedom.
    assert np.exp(rate.log_fit) == pytest.approx(20)
    assert rate.scale == pytest.approx(np.sqrt(2 * np.log(2) ** 2 / 2 * 1.5))
    assert rate.freedom == 2 and rate.sources == ("a", "b")
    # Left out: the rate is that of the other, the spread that of the other kind alone.
    alone = rate_of("x", ["b"], known)
    assert alone is not None and (np.exp(alone.log_fit), alone.scale, alone.sources) == (
        pytest.approx(10),
        0.0,
        ("a",),
    )
    assert rate_of("z", known=known) is None
    assert rate_of("x", ["c"], known[:1]) is None


def test_no_population_is_predicted_from_itself() -> None:
    for row in populations():
        rate = rate_of(row.kind, [row.case])
        assert rate is None or all(row.case != other.case for other in populations() if other.id in rate.sources)
    for case in CASES.values():
        for failures in case.failures.values():
            named = {case.id, *failures.without} & {row.case for row in populations()}
            given = failures.components[0].fit is not None
            outsider = case.id in ("CM384_FAULTS", "CREDO_FIT")
            assert named or given or outsider, case.id


def test_predicted_counts_hold_chance_and_the_spread_of_rates() -> None:
    known = rate_of("nic_leaf_link")
    assert known is not None
    few, _ = predicted_events([("nic_leaf_link", 1e6)])
    many, _ = predicted_events([("nic_leaf_link", 1e12)])
    low, mid, high = known.at(np.array([0.05, 0.5, 0.95])) * 1e3
    assert (many["events"].low, many["events"].mid, many["events"].high) == pytest.approx((low, mid, high), rel=0.01)
    assert few["events"].low == 0 and few["events"].high / max(few["events"].mid, 1) > high / mid
    both, _ = predicted_events([("nic_leaf_link", 1e12), ("nic", 1e12)])
    assert both["share.nic"].mid + both["share.nic_leaf_link"].mid == pytest.approx(1, abs=0.02)
    assert predicted_events([("no such thing", 1.0)]) == ({}, "no other population of no such thing")


@pytest.mark.parametrize("times", [0.1, 10.0])
def test_a_count_far_outside_its_interval_is_noticed(times: float) -> None:
    case = CASES["LLAMA3_54D"]
    wrong = tuple(r.model_copy(update={"published": r.published * times}) for r in case.expect if r.of == "all")
    assert all(row.verdict == "differs" for row in rows_of(case.model_copy(update={"expect": wrong})))


@pytest.mark.parametrize("change", [{"fit": 3.0}, {"events": None}, {"fit_to": 3.0}])
def test_damaged_populations_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="events and component_hours, or fit"):
        Population.model_validate({**dict(counted("a", "x", 1)), **change})
