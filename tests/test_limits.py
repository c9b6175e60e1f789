"""Stock, vendor share, availability, single failure in the optimiser: against brute force, in the user's words."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from oracle.breadth import breadth
from oracle.change import with_instance, without_limits
from oracle.compare import disagreement, found_for
from oracle.generate import RandomCase, random_case

import designer
from designer.answer import Question, SolveOptions
from designer.candidates.weights import limits_of
from designer.instance.load import load
from designer.problems import InputError
from designer.solve.clock import Deadline

INSTANCES = Path(__file__).parent.parent / "instances"
KINDS = ("stock", "vendor", "availability", "single")
# Without reductions, and by plain search, only small questions.
SMALL, WIDE = 2_000, 20_000


def changed(name: str, **tables: dict[str, Any]) -> Question:
    """A shipped question with some keys of its tables changed."""
    question = load(INSTANCES / f"{name}.toml")
    data = question.instance.model_dump()
    for table, values in tables.items():
        data[table] = {**data[table], **values}
    return replace(question, instance=type(question.instance).model_validate(data))


def limited(case: RandomCase, kind: str, draw: random.Random) -> RandomCase:
    parts = case.parts
    if kind == "stock":
        ids = [row.id for table in (parts.accelerators, parts.nics, parts.links) for row in table]
        stock = {name: draw.choice([0, 4, 8, 16, 32, 64]) for name in draw.sample(ids, min(len(ids), 2))}
        return replace(case, instance=case.instance.model_copy(update={"stock": stock}))
    if kind == "vendor":
        vendor = draw.choice(sorted({row.vendor for row in parts.accelerators}))
        return with_instance(case, "choose", max_vendor_share={vendor: draw.choice([0.3, 0.5, 0.75])})
    if kind == "availability":
        return with_instance(case, "risk", min_availability=draw.choice([0.99, 0.999, 0.9995, 0.9999]))
    return with_instance(case, "risk", max_single_failure_share=draw.choice([0.1, 0.2, 0.34, 0.5, 0.75]))


@pytest.fixture(scope="module")
def cases() -> list[RandomCase]:
    """Small questions with a design and without limits, some with two vendors."""
    found = []
    for seed in range(36):
        case = without_limits(random_case(seed))
        if seed % 2:
            rows = [replace(row, vendor=("acme", "bolt")[i % 2]) for i, row in enumerate(case.parts.accelerators)]
            case = replace(case, parts=replace(case.parts, accelerators=tuple(rows)))
        if 0 < breadth(case.parts, case.instance, WIDE) < WIDE and found_for(case) is not None:
            found.append(case)
    return found[:10]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_limited_optimum_is_that_of_brute_force_with_and_without_reductions(
    kind: str, cases: list[RandomCase], tmp_path: Path
) -> None:
    draw, outcomes, wrong = random.Random(kind), Counter[str](), []
    for case in cases:
        asked = limited(case, kind, draw)
        found, free = found_for(asked), found_for(case)
        assert free is not None
        outcomes["none" if found is None else "any"] += 1
        outcomes["bound"] += found is None or found.priced.objective != free.priced.objective
        wrong.append(disagreement(asked, found, tmp_path, prune=True))
        if breadth(asked.parts, asked.instance, SMALL) < SMALL:
            wrong.append(disagreement(asked, found, tmp_path, prune=False, time_limit_s=20))
    assert not [message for message in wrong if message is not None]
    assert outcomes["any"] and outcomes["bound"], outcomes


def test_stock_changes_what_is_bought_and_counts_every_unit() -> None:
    free = designer.solve(changed("qwen3-235b"))
    assert free.design is not None
    pool = free.design.pools[0]
    short = designer.solve(changed("qwen3-235b", stock={pool.accelerator: pool.accelerators - 1}))
    assert short.design is not None and short.objective_usd is not None and free.objective_usd is not None
    assert sum(p.accelerators for p in short.design.pools if p.accelerator == pool.accelerator) < pool.accelerators
    assert short.objective_usd > free.objective_usd
    enough = designer.solve(changed("qwen3-235b", stock={pool.accelerator: pool.accelerators, pool.nic: pool.nics}))
    assert enough.objective_usd == pytest.approx(free.objective_usd, rel=1e-9)


def test_a_single_failure_below_a_limit_costs_more_and_keeps_it() -> None:
    free = designer.solve(changed("qwen3-235b"))
    tight = designer.solve(changed("qwen3-235b", risk={"max_single_failure_share": 0.1}))
    assert free.objective_usd is not None and tight.objective_usd is not None and tight.design is not None
    assert tight.objective_usd > free.objective_usd
    question = changed("qwen3-235b", risk={"max_single_failure_share": 0.1})
    assert designer.verify(tight.design, question.catalogue, question.instance).ok
    assert free.design is not None
    broken = designer.verify(free.design, question.catalogue, question.instance).findings
    assert {finding.rule for finding in broken} == {"limit_single_failure"}


def test_an_impossible_share_is_named_with_what_a_failure_takes_at_least() -> None:
    answer = designer.solve(changed("qwen3-235b", risk={"max_single_failure_share": 0.0}), SolveOptions(explain_s=1))
    assert answer.status == "infeasible"
    text = " ".join(answer.clash)
    assert "risk.max_single_failure_share = 0:" in text and "a host takes at least" in text


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"choose": {"max_vendor_share": {"NVIDIA": 0.5}}}, "choose.max_vendor_share.NVIDIA = 0.5 (share of accel"),
        ({"stock": {"h200_sxm": 0}}, "stock.h200_sxm = 0 (units)"),
    ],
)
def test_limits_out_of_reach_are_named_in_the_users_words(tables: dict[str, Any], words: str) -> None:
    tables = {**tables, "choose": {"accelerators": ("h200_sxm",), **tables.get("choose", {})}}
    answer = designer.solve(changed("qwen3-235b", **tables), SolveOptions(explain_s=1))
    assert answer.status == "infeasible" and answer.clash[0].startswith(f"no design meets {words}"), answer.clash


def test_limits_read_as_the_instance_states_them() -> None:
    tables: dict[str, Any] = {
        "stock": {"gb200_nvl72": 1000},
        "choose": {"max_vendor_share": {"NVIDIA": 0.5}},
        "risk": {"min_availability": 0.99},
    }
    found = {limit.key: limit for limit in limits_of(changed("qwen3-235b", **tables).instance)}
    assert found["stock.gb200_nvl72"].most == 1000
    assert found["choose.max_vendor_share.NVIDIA"].share == 0.5
    assert found["risk.min_availability"].share == 0.99


def test_names_and_contradictions_are_input_errors(tmp_path: Path) -> None:
    text = (INSTANCES / "qwen3-235b.toml").read_text()
    assert "[stock]" not in text and "[objective]" not in text
    added = "[stock]\ngb200_nvl7 = 5\n[choose.max_vendor_share]\nNVIDA = 0.5\n[objective]\nmaximise_tokens = true\n"
    (tmp_path / "a.toml").write_text(f"{text}\n{added}")
    with pytest.raises(InputError) as caught:
        load(tmp_path / "a.toml")
    found = {problem.key: str(problem) for problem in caught.value.problems}
    assert set(found) == {"stock.gb200_nvl7", "choose.max_vendor_share.NVIDA", "objective.maximise_tokens"}
    assert "gb200_nvl72" in found["stock.gb200_nvl7"] and "NVIDIA" in found["choose.max_vendor_share.NVIDA"]
    assert "choose.max_vendor_share" in found["objective.maximise_tokens"]


def test_a_stock_of_some_accelerators_does_not_bound_the_tokens() -> None:
    question = changed("qwen3-235b", stock={"h200_sxm": 8}, objective={"maximise_tokens": True})
    with pytest.raises(InputError, match="without any limit"):
        designer.solve(question)


def stop_after(monkeypatch: pytest.MonkeyPatch, asked: int, *, by_hand: bool = False) -> None:
    """Let the time run out, or a person press Ctrl-C, when the clock is looked at for the ``asked``-th time."""
    looks = itertools.count(1)

    def over(_: Deadline) -> bool:
        late = next(looks) >= asked
        if late and by_hand:
            raise KeyboardInterrupt
        return late

    monkeypatch.setattr(Deadline, "over", property(over))


def test_a_search_without_time_ends_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_after(monkeypatch, 1)
    answer = designer.solve(changed("qwen3-235b"))
    assert answer.status == "limit" and answer.design is None and answer.bound_usd is None and not answer.clash


@pytest.mark.parametrize(("by_hand", "status"), [(False, "limit"), (True, "interrupted")])
@pytest.mark.parametrize("site", [{}, {"it_power_mw": 1.5}])
def test_a_search_cut_short_keeps_the_best_design_it_knows(
    by_hand: bool, status: str, site: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    question = changed("three-workloads" if not site else "qwen3-235b", site=site)
    looks = itertools.count(1)
    with monkeypatch.context() as counted:
        counted.setattr(Deadline, "over", property(lambda _: next(looks) < 0))
        best = designer.solve(question)
    stop_after(monkeypatch, next(looks) - 1, by_hand=by_hand)
    answer = designer.solve(question)
    assert best.status == "optimal" and best.objective_usd is not None
    assert answer.status == status and answer.design is not None and answer.objective_usd is not None
    assert answer.bound_usd is None and answer.objective_usd >= best.objective_usd * (1 - 1e-9)
    assert designer.verify(answer.design, question.catalogue, question.instance).ok
