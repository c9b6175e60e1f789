"""No design: the least change of each kind does what it says, a little less does not, and the clash is irreducible."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest

import designer
from designer.answer import Question, SolveOptions, scaled
from designer.demand.misses import ORDER
from designer.demand.offers import NearMiss, PlanSet
from designer.instance.pools import pools_of
from designer.solve.clash import no_plans, rounded_up
from designer.solve.compile import compile_model
from designer.solve.highs import irreducible_rows
from designer.solve.relax import Explainer

INSTANCES = Path(__file__).parent.parent / "instances"


@pytest.fixture(scope="module")
def question() -> Question:
    return designer.load(INSTANCES / "hgx-h100-pinned.toml")


def changed(question: Question, tpot_ms: float | None = None, **tables: dict[str, object]) -> Question:
    data = question.instance.model_dump()
    for table, values in tables.items():
        data[table] |= values
    if tpot_ms is not None:
        data["workloads"] = tuple(work | {"tpot_ms": tpot_ms} for work in data["workloads"])
    return replace(question, instance=type(question.instance).model_validate(data))


def line_with(lines: tuple[str, ...], words: str) -> str:
    found = [line for line in lines if words in line]
    assert len(found) == 1, lines
    return found[0]


def test_fewer_tokens_that_would_do_do(question: Question) -> None:
    free = designer.solve(question)
    assert free.account is not None
    # Below the least power of the demand, above that of one domain.
    tight = changed(question, site={"it_power_mw": free.account.it_watts * 0.6e-6})
    answer = designer.solve(tight)
    assert answer.status == "infeasible"
    share = float(re.findall(r"([0-9.]+) times the demand", line_with(answer.clash, "fewer tokens"))[0])
    assert 0 < share < 1
    assert designer.solve(replace(tight, instance=scaled(tight.instance, share))).status == "optimal"
    more = replace(tight, instance=scaled(tight.instance, min(share * 1.02, 1.0)))
    assert designer.solve(more, SolveOptions(explain_s=0.0)).status == "infeasible"


def test_fewer_tokens_cannot_help_where_the_least_is_too_much(question: Question) -> None:
    answer = designer.solve(changed(question, site={"it_power_mw": 1e-6}))
    assert "not even the least demand" in line_with(answer.clash, "fewer tokens")


@pytest.mark.parametrize("tpot_ms", [0.5, 3.0])
def test_a_longer_time_per_token_that_would_do_does(question: Question, tpot_ms: float) -> None:
    """From no plan at all to one: the figure offered works, the one said not to, about a per cent shorter, does not."""
    answer = designer.solve(changed(question, tpot_ms))
    assert answer.status == "infeasible"
    text = line_with(answer.clash, "instead of")
    (enough, short), *others = re.findall(
        r"tpot_ms = ([0-9.]+) instead .* would do \(found .*: ([0-9.]+) would not", text
    )
    assert not others
    assert tpot_ms < float(short) < float(enough) < float(short) * 1.015
    assert designer.solve(changed(question, float(enough))).status == "optimal"
    assert designer.solve(changed(question, float(short)), SolveOptions(explain_s=0.0)).status == "infeasible"


def test_a_search_cut_short_says_between_what_the_least_lies(question: Question, monkeypatch: Any) -> None:
    answers = iter((True, True, False, None))
    monkeypatch.setattr(Explainer, "_with_times", lambda *_: next(answers))
    text = line_with(designer.solve(changed(question, 1.0)).clash, "instead of")
    assert "tpot_ms = 8 instead of 1 for workload chat would do (cut short" in text
    assert text.endswith("shorter may be enough, but 2.83 is not)")


def test_a_longer_time_per_token_within_a_limit(question: Question) -> None:
    """TPOT and power clash: more time makes larger batches and fewer accelerators."""
    relaxed = designer.solve(changed(question, 200.0))
    assert relaxed.account is not None
    site = {"it_power_mw": relaxed.account.it_watts * 1.001e-6}
    fast = changed(question, 12.0, site=site)
    answer = designer.solve(fast)
    assert answer.status == "infeasible", "a faster service must take more power here"
    enough = float(re.findall(r"tpot_ms = ([0-9.]+) instead", line_with(answer.clash, "instead of"))[0])
    assert 12.0 < enough <= 210.0
    assert designer.solve(changed(question, enough, site=site)).status == "optimal"


def test_no_time_to_explain_says_so(question: Question) -> None:
    answer = designer.solve(changed(question, 0.5), SolveOptions(explain_s=0.0))
    assert "not settled in 0 s" in line_with(answer.clash, "tpot_ms would do")


def two_workloads(question: Question, **site: float) -> Question:
    data = question.instance.model_dump()
    first = data["workloads"][0]
    small = first | {"name": "small", "output_tokens_per_s": first["output_tokens_per_s"] / 50}
    data["workloads"] = (first, small)
    data["site"] |= site
    return replace(question, instance=type(question.instance).model_validate(data))


def test_the_clash_names_only_what_takes_part() -> None:
    question = designer.load(INSTANCES / "scale-out-cpo-dsp-lpo.toml")
    alone = designer.solve(question)
    assert alone.account is not None
    answer = designer.solve(two_workloads(question, it_power_mw=alone.account.it_watts * 0.9e-6, racks=10**6))
    text = line_with(answer.clash, "cannot hold together")
    assert "site.it_power_mw" in text and "site.racks" not in text
    assert f"workload {question.instance.workloads[0].name};" in text, "the small workload alone would fit"


def test_limits_that_clash_only_together_are_both_named() -> None:
    question = designer.load(INSTANCES / "scale-out-cpo-dsp-lpo.toml")
    loose = {"money": {"capex_usd": 1.0}}
    least_capex = float(
        re.findall(r"money.capex_usd = ([0-9,.]+) ", designer.solve(changed(question, **loose)).clash[0])[-1].replace(
            ",", ""
        )
    )
    no_hits = changed(question, risk={"max_job_hits_per_year": 0.0})
    text = designer.solve(no_hits, SolveOptions(explain_s=0.0)).clash[0]
    least_hits = float(re.findall(r"max_job_hits_per_year = ([0-9,.]+) ", text)[-1].replace(",", ""))
    both = changed(
        question,
        money={"capex_usd": least_capex},
        risk={"max_job_hits_per_year": least_hits},
        site={"racks": 100_000},
    )
    answer = designer.solve(both)
    assert answer.status == "infeasible"
    clash = line_with(answer.clash, "cannot hold together")
    assert "money.capex_usd" in clash and "risk.max_job_hits_per_year" in clash and "site.racks" not in clash


def values_of(line: str) -> dict[str, float]:
    """Every ``table.key = value`` that a line names."""
    found = re.findall(r"([a-z]+\.\w+) = ([0-9.,]*[0-9])", line)
    return {key: float(value.replace(",", "")) for key, value in found}


def with_values(question: Question, values: dict[str, float]) -> Question:
    for key, value in values.items():
        table, name = key.split(".")
        whole = key == "site.racks" or table == "stock"
        question = changed(question, **{table: {name: int(value) if whole else value}})
    return question


def test_limits_out_of_reach_are_told_together_too(question: Question) -> None:
    asked = changed(question, site={"racks": 2, "it_power_mw": 0.06})
    answer = designer.solve(asked)
    together = values_of(line_with(answer.clash, "least change that makes a design possible"))
    assert set(together) == {"site.racks", "site.it_power_mw"}
    assert designer.solve(with_values(asked, together)).status == "optimal"


def test_a_limit_that_is_not_enough_alone_is_followed_by_what_else_it_takes(question: Question) -> None:
    asked = changed(question, stock={"h100_sxm": 40, "qm9700": 0})
    answer = designer.solve(asked)
    assert "stock.h100_sxm = 48 (units) is not enough" in line_with(answer.clash, "not enough")
    both = values_of(line_with(answer.clash, "with stock.h100_sxm = 48"))
    assert both == {"stock.h100_sxm": 48.0, "stock.qm9700": 1.0}
    assert designer.solve(with_values(asked, both)).status == "optimal"


def test_a_limit_met_to_the_last_watt_is_no_search_without_end() -> None:
    """Its design is dear, and floats cannot tell whether its power is at the limit or just beyond."""
    question = designer.load(INSTANCES / "llama-405b-chat.toml")
    answer = designer.solve(changed(question, site={"it_power_mw": 0.1}), SolveOptions(explain_s=0.0))
    least = values_of(line_with(answer.clash, "the least that serves the demand").partition("demand is")[2])
    found = designer.solve(with_values(question, least), SolveOptions(time_limit_s=60.0))
    assert found.status == "optimal" and found.account is not None
    watts = found.account.it_watts
    assert least["site.it_power_mw"] * 1e6 - 10 <= watts <= least["site.it_power_mw"] * 1e6
    again = designer.solve(changed(question, site={"it_power_mw": watts / 1e6}), SolveOptions(time_limit_s=60.0))
    assert again.status == "optimal" and again.account is not None
    assert again.account.it_watts == pytest.approx(watts, rel=1e-12)


def test_a_condition_is_not_blamed_on_a_limit(question: Question) -> None:
    """Every fabric of one switch takes all when it fails: no power helps."""
    asked = changed(question, risk={"max_single_failure_share": 0.2}, site={"it_power_mw": 0.0625})
    answer = designer.solve(asked)
    assert answer.status == "infeasible"
    assert not [line for line in answer.clash if "it_power_mw" in line]
    assert set(values_of(line_with(answer.clash, "cannot hold together"))) == {"risk.max_single_failure_share"}
    enough = values_of(line_with(answer.clash, "would not)").partition("(")[0])
    assert designer.solve(with_values(asked, enough)).status == "optimal"


def test_a_condition_and_a_limit_clash(question: Question) -> None:
    """Either power for the spare domain, or the peak is not served as often as asked."""
    asked = changed(
        question, risk={"min_pool_availability": 0.9999}, choose={"spare_domains": (0, 1)}, site={"it_power_mw": 0.063}
    )
    answer = designer.solve(asked)
    clash = values_of(line_with(answer.clash, "cannot hold together"))
    assert set(clash) == {"risk.min_pool_availability", "site.it_power_mw"}
    for dropped in ({"risk": {"min_pool_availability": None}}, {"site": {"it_power_mw": None}}):
        assert designer.solve(changed(asked, **dropped)).status == "optimal"


@pytest.mark.slow
def test_the_least_room_for_a_share_is_found() -> None:
    question = changed(designer.load(INSTANCES / "two-leaf-pod.toml"), risk={"min_availability": 0.99999})
    text = line_with(designer.solve(question).clash, "would not)")
    (enough, more), *_ = re.findall(r"min_availability = ([0-9.]+) would do .*: ([0-9.]+) would not", text)
    assert 0.99 < float(enough) < float(more) < 0.99999
    assert designer.solve(with_values(question, {"risk.min_availability": float(enough)})).status == "optimal"
    refused = designer.solve(with_values(question, {"risk.min_availability": float(more)}), SolveOptions(explain_s=0.0))
    assert refused.status == "infeasible"


def test_irreducible_rows_of_a_relaxation() -> None:
    model = pyo.ConcreteModel()
    model.x, model.y = pyo.Var(domain=pyo.Binary), pyo.Var(bounds=(0, 10), domain=pyo.Integers)
    model.idle = pyo.Constraint(expr=model.x <= 1)
    model.low = pyo.Constraint(expr=model.x + model.y <= 3)
    model.high = pyo.Constraint(expr=model.x + model.y >= 4)
    model.cost = pyo.Objective(expr=model.x)
    milp = compile_model(model, names=True)
    rows = irreducible_rows(milp)
    assert rows is not None and milp.row_names is not None
    assert {milp.row_names[row] for row in rows} == {"low", "high"}
    model.high.deactivate()
    model.odd = pyo.Constraint(expr=2 * model.x + 2 * model.y == 1)
    assert irreducible_rows(compile_model(model)) is None, "feasible but for the whole numbers"


def test_near_misses_are_told_nearest_first_and_not_all(question: Question) -> None:
    def miss(name: str, reason: str, best: float) -> NearMiss:
        assert reason in ORDER
        return NearMiss(name, reason, best, 10.0, "ms", f"{name}: misses")  # type: ignore[arg-type]

    misses = [miss(f"far{i}", "memory", 11.0) for i in range(4)]
    misses += [miss("b", "tpot", 30.0), miss("a", "tpot", 12.0), miss("c", "tpot", 90.0)]
    pools = pools_of(question.instance)
    sets = [PlanSet(pool.name, (), 1, 0, {}, {m.accelerator: m for m in misses}) for pool in pools]
    lines = no_plans(pools, sets)
    assert [line.strip() for line in lines[1:4]] == ["a: misses", "b: misses", "c: misses"]
    assert lines[6].strip() == "... and 2 more accelerators, further off"
    assert len(lines) == 7


@pytest.mark.parametrize(("value", "digits"), [(61.2304, 3), (0.0123499, 3), (150.88111, 6), (999.99, 3)])
def test_what_is_offered_as_enough_is_never_rounded_down(value: float, digits: int) -> None:
    assert value <= float(rounded_up(value, digits)) <= value * (1 + 10 ** (1 - digits))
