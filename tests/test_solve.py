"""The solve room: hand-over to HiGHS, exported models, limits, and what is said when there is no design."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import highspy
import numpy as np
import pyomo.environ as pyo
import pytest

import designer
from designer.answer import Progress, Question, SolveOptions
from designer.candidates.reduce import pareto
from designer.problems import InputError
from designer.solve.compile import ConstantRowError, compile_model, load_solution
from designer.solve.highs import SolverError, Termination, irreducible_rows, solve_milp

INSTANCES = Path(__file__).parent.parent / "instances"


def knapsack(items: int, seed: int) -> pyo.ConcreteModel:
    """A covering problem with a known optimum by enumeration over all subsets."""
    rng = np.random.default_rng(seed)
    model = pyo.ConcreteModel()
    model.ITEMS = pyo.RangeSet(0, items - 1)
    model.weight, model.price = rng.integers(1, 20, items), rng.integers(1, 20, items)
    model.take = pyo.Var(model.ITEMS, domain=pyo.Binary)
    model.cover = pyo.Constraint(expr=sum(int(model.weight[i]) * model.take[i] for i in model.ITEMS) >= 30)
    model.cost = pyo.Objective(expr=sum(int(model.price[i]) * model.take[i] for i in model.ITEMS) + 7)
    return model


@pytest.mark.parametrize("seed", range(8))
def test_the_hand_over_keeps_the_optimum(seed: int) -> None:
    model = knapsack(10, seed)
    subsets = (np.arange(2**10)[:, None] >> np.arange(10)) & 1
    feasible = subsets @ model.weight >= 30
    expected = (subsets[feasible] @ model.price).min() + 7
    milp = compile_model(model)
    report = solve_milp(milp, gap=0.0)
    assert report.termination is Termination.OPTIMAL
    assert report.objective == pytest.approx(expected)
    assert report.bound == pytest.approx(expected)
    assert report.values is not None
    load_solution(milp, report.values)
    assert pyo.value(model.cost) == pytest.approx(expected)


def test_the_solver_writes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    milp = compile_model(knapsack(10, 0))
    solve_milp(milp, gap=0.0)
    assert irreducible_rows(milp) is None
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_an_option_that_highs_rejects_is_an_error() -> None:
    milp = compile_model(knapsack(4, 0))
    with pytest.raises(SolverError, match="no_such_option"):
        solve_milp(milp, gap=0.0, extra_options={"no_such_option": 1})
    with pytest.raises(SolverError, match="mip_rel_gap"):
        solve_milp(milp, gap=-1.0)


def test_a_row_that_cannot_hold_is_an_error() -> None:
    model = knapsack(4, 0)
    model.impossible = pyo.Constraint(expr=(1, 0.0 * model.take[0], 2))
    with pytest.raises(ConstantRowError):
        compile_model(model)


@pytest.fixture(scope="module")
def question() -> Question:
    return designer.load(INSTANCES / "scale-out-cpo-dsp-lpo.toml")


def test_the_exported_model_has_named_counts_and_the_same_optimum(question: Question, tmp_path: Path) -> None:
    file = tmp_path / "model.mps"
    answer = designer.solve(question, SolveOptions(write_mps=file))
    solver = highspy.Highs()
    solver.silent()
    assert solver.readModel(str(file)) == highspy.HighsStatus.kOk
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.run()
    assert solver.getInfo().objective_function_value == pytest.approx(answer.objective_usd, rel=1e-6)
    names = {solver.getColName(j)[1]: j for j in range(solver.getNumCol())}
    values = solver.getSolution().col_value
    assert answer.design is not None
    stages = {stage.name: stage for stage in answer.design.fabric.stages}
    for name, count in (
        (f"switches[leaf,{stages['leaf'].switch}]", stages["leaf"].count),
        (f"switches[spine,{stages['spine'].switch}]", stages["spine"].count),
        ("links[leaf_spine]", answer.design.fabric.boundaries[0].links),
        ("domain_size[decode,8]", 1),
        ("domains[decode,8]", answer.design.pools[0].domains),
        ("accelerators[b300_hgx]", answer.design.pools[0].accelerators),
    ):
        assert values[names[name]] == pytest.approx(count), name
        column = names[name]
        assert solver.getColIntegrality(column)[1] == highspy.HighsVarType.kInteger
    assert not list(tmp_path.glob(".*")), "a temporary file was left behind"


def test_progress_is_told_and_kept(question: Question) -> None:
    told: list[Progress] = []
    answer = designer.solve(question, SolveOptions(on_progress=told.append))
    assert told == list(answer.trace)
    assert told[-1].incumbent == pytest.approx(answer.objective_usd, rel=1e-6)


def test_no_time_means_a_limit_without_a_design() -> None:
    rng = np.random.default_rng(3)
    model = pyo.ConcreteModel()
    model.ITEMS = pyo.RangeSet(0, 199)
    model.take = pyo.Var(model.ITEMS, domain=pyo.Binary)
    weight = rng.integers(100, 999, (40, 200))

    def rule(m: pyo.ConcreteModel, k: int) -> object:
        return sum(int(weight[k, i]) * m.take[i] for i in m.ITEMS) == int(weight[k, :90].sum())

    model.fill = pyo.Constraint(pyo.RangeSet(0, 39), rule=rule)
    model.cost = pyo.Objective(expr=sum(int(c) * model.take[i] for i, c in enumerate(rng.integers(1, 99, 200))))
    report = solve_milp(compile_model(model), gap=0.0, time_limit_s=0.2)
    assert report.termination is Termination.TIME_LIMIT
    assert report.values is None
    assert report.bound is None or report.bound >= 0.0


def limited(question: Question, **limits: object) -> Question:
    data = question.instance.model_dump()
    for section, values in limits.items():
        data[section] = {**data[section], **values}  # type: ignore[dict-item]
    return replace(question, instance=type(question.instance).model_validate(data))


def test_a_limit_out_of_reach_is_named_with_the_least_that_would_do(question: Question) -> None:
    free = designer.solve(question)
    assert free.account is not None
    watts = free.account.it_watts
    answer = designer.solve(limited(question, site={"it_power_mw": watts / 4e6}))
    assert answer.status == "infeasible"
    assert "site.it_power_mw" in answer.clash[0]
    least = float(answer.clash[0].rsplit("site.it_power_mw = ", 1)[1].split(" ")[0].replace(",", ""))
    enough = designer.solve(limited(question, site={"it_power_mw": least}))
    assert enough.status == "optimal"
    assert enough.account is not None
    assert enough.account.it_watts <= least * 1e6


def test_a_binding_limit_changes_the_design_and_is_kept(question: Question) -> None:
    free = designer.solve(question)
    assert free.account is not None
    hits = free.account.job_hits_per_year
    answer = designer.solve(limited(question, risk={"max_job_hits_per_year": hits * 0.99}))
    assert answer.account is not None, answer.clash
    assert answer.account.job_hits_per_year <= hits * 0.99
    assert answer.objective_usd is not None and free.objective_usd is not None
    assert answer.objective_usd > free.objective_usd


def test_limits_that_exclude_each_other_are_named(question: Question) -> None:
    free = designer.solve(question)
    assert free.account is not None and free.objective_usd is not None
    fewest = designer.solve(limited(question, risk={"max_job_hits_per_year": 0.0}))
    least_hits = float(fewest.clash[0].rsplit("max_job_hits_per_year = ", 1)[1].split(" ")[0].replace(",", ""))
    cheapest = designer.solve(limited(question, money={"capex_usd": 1.0}))
    least_capex = float(cheapest.clash[0].rsplit("money.capex_usd = ", 1)[1].split(" ")[0].replace(",", ""))
    both = limited(question, risk={"max_job_hits_per_year": least_hits}, money={"capex_usd": least_capex})
    answer = designer.solve(both)
    assert answer.status == "infeasible"
    text = "\n".join(answer.clash)
    assert "exclude each other" in text
    assert "money.capex_usd" in text and "risk.max_job_hits_per_year" in text


def test_a_demand_without_a_plan_says_what_stood_in_the_way() -> None:
    question = designer.load(INSTANCES / "hgx-h100-pinned.toml")
    data = question.instance.model_dump()
    data["workloads"][0]["tpot_ms"] = 0.01
    answer = designer.solve(replace(question, instance=type(question.instance).model_validate(data)))
    assert answer.status == "infeasible"
    assert "tpot_ms = 0.01" in answer.clash[0]
    assert "h100_sxm" in answer.clash[1]


def test_the_same_question_has_the_same_answer(question: Question) -> None:
    first, second = designer.solve(question), designer.solve(question)
    assert first.design == second.design
    assert first.objective_usd == second.objective_usd
    assert first.bound_usd == second.bound_usd


@pytest.mark.parametrize("seed", range(20))
def test_pareto_keeps_exactly_the_rows_nothing_beats(seed: int) -> None:
    keys = np.random.default_rng(seed).integers(0, 4, (300, 3)).astype(float)
    keep = pareto(keys)
    for i, row in enumerate(keys):
        better = (keys <= row).all(axis=1) & (keys < row).any(axis=1)
        equal_before = (keys[:i] == row).all(axis=1).any()
        assert keep[i] == (not better.any() and not equal_before)


@pytest.mark.parametrize(
    ("section", "key", "total", "unit"),
    [
        ("site", "it_power_mw", "it_watts", 1e6),
        ("money", "capex_usd", "capex_usd", 1.0),
        ("risk", "max_hard_repairs_per_year", "hard_repairs_per_year", 1.0),
        ("risk", "max_job_hits_per_year", "job_hits_per_year", 1.0),
        ("risk", "max_accelerator_hours_lost_per_year", "accelerator_hours_lost_per_year", 1.0),
    ],
)
@pytest.mark.parametrize("below", [0.0, 1e-11, 2e-8, 8e-8])
def test_a_limit_at_the_edge_of_the_optimum_is_kept_exactly(
    section: str, key: str, total: str, unit: float, below: float
) -> None:
    """A reported total copied back as a limit holds; a hair less excludes the design, solver tolerance or not."""
    question = designer.load(INSTANCES / "nvl72-pinned.toml")
    free = designer.solve(question)
    value = getattr(free.account, total) / unit
    answer = designer.solve(limited(question, **{section: {key: value * (1 - below)}}))
    if below == 0.0:
        assert answer.design == free.design
    else:
        assert answer.design != free.design
        assert answer.status == "infeasible" or getattr(answer.account, total) / unit <= value * (1 - below)


def test_lengths_that_fall_with_distance_are_refused() -> None:
    """Denser racks are never worse only if farther is never shorter; the reductions build on it."""
    question = designer.load(INSTANCES / "nvl72-pinned.toml")
    crooked = limited(question, site={"lengths": {"adjacent_rack_m": 500.0, "three_racks_away_m": 2.0}})
    with pytest.raises(InputError, match="three_racks_away_m"):
        designer.solve(crooked)


def test_a_time_limit_covers_the_search_for_limits_too(question: Question) -> None:
    """With no time at all nothing is claimed: neither a design nor that there is none."""
    free = designer.solve(question)
    assert free.account is not None
    hits = free.account.job_hits_per_year
    tight = limited(question, risk={"max_job_hits_per_year": hits * 0.99})
    answer = designer.solve(tight, SolveOptions(time_limit_s=1e-6))
    assert answer.status == "limit"
    assert answer.bound_usd is None or answer.objective_usd is None or answer.bound_usd <= answer.objective_usd


def test_a_long_comparison_of_choices_stops_in_time() -> None:
    """Of many choices no other beats, each block of the comparison asks whether to go on."""
    keys, asked = np.stack([np.arange(4000.0), -np.arange(4000.0)], axis=1), 0

    def go_on() -> None:
        nonlocal asked
        asked += 1
        if asked > 3:
            raise TimeoutError

    assert pareto(keys).all()
    with pytest.raises(TimeoutError):
        pareto(keys, go_on)
    assert asked == 4
