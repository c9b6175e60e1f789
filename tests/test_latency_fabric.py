"""The latency of the fabric in the optimiser: who is carried by what, and that the reductions know of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import designer
from designer.answer import Question, SolveOptions
from designer.candidates.offer import build_offer
from designer.candidates.paths import allowances_us, shortest_ns
from designer.demand import LATENCY_ALLOWANCES_US
from designer.instance.load import load
from designer.solve.stock import stock_of

INSTANCES = Path(__file__).parent.parent / "instances"
DSP = "scale-out-cpo-dsp-lpo"


def slower(question: Question, **figures: float) -> Question:
    """The question with slower switches or link ends, in every row of the catalogue."""
    catalogue = question.catalogue

    def changed(rows: Any, name: str) -> Any:
        if name not in figures:
            return rows
        out = {}
        for key, row in rows.items():
            figure = getattr(row, name)
            level = dict.fromkeys(("low", "mid", "high"), figures[name])
            out[key] = row.model_copy(update={name: figure.model_copy(update=level)})
        return out

    return replace(
        question,
        catalogue=replace(
            catalogue,
            switches=changed(catalogue.switches, "latency_ns"),
            links=changed(catalogue.links, "latency_ns_per_end"),
        ),
    )


def test_a_crossing_plan_runs_on_a_fabric_quick_enough() -> None:
    question = load(INSTANCES / f"{DSP}.toml")
    answer = designer.solve(question)
    assert answer.design is not None
    (pool,) = answer.design.pools
    assert pool.plan.domains_per_replica > 1 and pool.plan.latency_allowance_us is not None
    assert designer.verify(answer.design, question.catalogue, question.instance).ok


def test_slower_switches_never_make_a_design_cheaper() -> None:
    """Up to 2.5 us a switch whole replicas hide the slower steps; 4 us cost a replica, 6 us leave no crossing plan."""
    question, costs, allowances = load(INSTANCES / f"{DSP}.toml"), [], []
    for switch_ns in (100.0, 2500.0, 4000.0, 6000.0):
        answer = designer.solve(slower(question, latency_ns=switch_ns))
        assert answer.design is not None and answer.objective_usd is not None
        costs.append(answer.objective_usd)
        allowances.append(answer.design.pools[0].plan.latency_allowance_us)
    assert costs[0] <= costs[1] < costs[2] < costs[3], costs
    assert allowances[2] == 16.0 and allowances[3] is None, "a path beyond every allowance carries no crossing plan"


def test_no_fabric_is_quicker_than_the_bound_that_drops_allowances() -> None:
    question = load(INSTANCES / f"{DSP}.toml")
    offer = build_offer(question.catalogue, question.instance)
    answer = designer.solve(question)
    assert answer.design is not None
    allowance = answer.design.pools[0].plan.latency_allowance_us
    kept = allowances_us(offer, LATENCY_ALLOWANCES_US)
    assert allowance in kept and kept == LATENCY_ALLOWANCES_US[-len(kept) :]
    assert shortest_ns(offer) <= (offer.economy.path_reference_us + kept[0]) * 1000 + 1e-6


def test_plans_within_one_domain_bear_any_fabric() -> None:
    question = load(INSTANCES / "qwen3-235b.toml")
    stock = stock_of(question, SolveOptions())
    plain = designer.solve(question)
    slow = designer.solve(slower(question, latency_ns=50_000.0))
    assert any(plan.latency_allowance_us is None for plans in stock.plan_sets for plan in plans.plans)
    assert plain.design is not None and slow.design is not None
    assert all(pool.plan.latency_allowance_us is None for pool in slow.design.pools)
    assert (slow.objective_usd or 0.0) >= (plain.objective_usd or 0.0) * (1 - 1e-9)


def test_a_link_of_unknown_latency_is_offered_inside_domains_only() -> None:
    question = load(INSTANCES / f"{DSP}.toml")
    links = dict(question.catalogue.links)
    offer = build_offer(question.catalogue, question.instance)
    name = next(link.id for link in offer.links_at("leaf_spine") if not link.cpo)
    figure = links[name].latency_ns_per_end.model_copy(update={"low": None, "mid": None, "high": None})
    links[name] = links[name].model_copy(update={"latency_ns_per_end": figure})
    unknown = build_offer(replace(question.catalogue, links=links), question.instance)
    assert name in {link.id for link in unknown.links_at("scale_up")}
    assert all(name not in {link.id for link in unknown.links_at(b)} for b in ("nic_leaf", "leaf_spine", "spine_core"))
    assert any(row.part == name and "latency_ns_per_end" in row.reason for row in unknown.not_offered)
