"""Workloads on fabrics of their own: which may share, what parting saves, and that nothing else changes."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from oracle.change import with_instance
from oracle.convert import question_of
from oracle.generate import private_case

import designer
from designer.answer import Answer, Question, SolveOptions
from designer.candidates.parting import Bounds, blocks_of, partings, within
from designer.candidates.terms import NET_WATTS, RACKS, TERMS
from designer.candidates.weights import Limit, Weights, unit_vector
from designer.instance.schema import Instance
from designer.report.assemble import make_result
from designer.report.screen import screen

INSTANCES = Path(designer.__file__).parents[1] / "instances"
CLOSE = 1e-9


@cache
def loaded(name: str) -> Question:
    return designer.load(INSTANCES / f"{name}.toml")


def asked(question: Question, **rooms: dict[str, Any]) -> Question:
    """The question with some keys of its tables changed."""
    data = question.instance.model_dump()
    for room, keys in rooms.items():
        data[room] |= keys
    return replace(question, instance=Instance.model_validate(data))


@cache
def capped(*, private: bool) -> Answer:
    return designer.solve(asked(loaded("power-capped"), choose={"private_fabrics": private}))


# ------------------------------------------------------------------ who may share


@pytest.mark.parametrize(
    ("works", "blocks", "ways"), [(1, 1, 1), (2, 3, 2), (3, 7, 5), (4, 15, 15), (5, 6, 2), (9, 10, 2)]
)
def test_up_to_four_workloads_part_in_any_way(works: int, blocks: int, ways: int) -> None:
    """All non-empty sets and all partitions (Bell numbers); of more workloads each alone or all together."""
    pools = [f"w{p // 2}" for p in range(2 * works)]
    found = blocks_of(pools, private=True)
    assert len(found) == len(set(found)) == blocks
    parted = partings(found)
    assert len(parted) == len(set(parted)) == ways
    for way in parted:
        assert sorted(place for block in way for place in block) == list(range(2 * works))
        assert all(place + 1 in block for block in way for place in block if place % 2 == 0), "a workload cut"
    assert blocks_of(pools, private=False) == (tuple(range(2 * works)),)


def test_pools_of_a_workload_need_not_stand_together() -> None:
    assert blocks_of(["a", "b", "a"], private=True) == ((0, 2), (1,), (0, 1, 2))


def test_a_block_is_bounded_by_its_parts_and_left_what_the_others_leave() -> None:
    blocks = blocks_of(["a", "b", "c"], private=True)
    bounds = Bounds(blocks, {(0,): 10.0, (1,): 20.0, (2,): 30.0})
    assert bounds.least((0, 1)) == 30.0 and bounds.rest((0,)) == 50.0
    bounds.learn((0,), 14.0)
    assert bounds.least((0, 1)) == 34.0 and bounds.least((1, 2)) == 50.0 and bounds.rest((2,)) == 34.0
    bounds.learn((1,), 27.0)
    # On a fabric of their own the two cost 14 + 27, on one together at least 37.
    assert bounds.least((0, 1)) == 37.0 and bounds.rest((2,)) == 37.0
    bounds.drop((0, 1))
    assert bounds.rest((2,)) == 41.0
    bounds.drop((0,))
    assert bounds.rest((2,)) == math.inf
    assert bounds.rest((0, 1, 2)) == 0.0


def test_network_racks_are_whole_on_every_fabric() -> None:
    fabric = unit_vector(NET_WATTS) * 1500.0
    weights = Weights(unit_vector(NET_WATTS), (Limit("site.racks", tuple(unit_vector(RACKS)), 3.0, "racks", 1.0),))
    assert len(fabric) == len(TERMS)
    assert within(weights, [fabric + fabric], 1000.0)
    assert not within(weights, [fabric, fabric], 1000.0)


# ------------------------------------------------------------------ against one fabric for all


@pytest.mark.parametrize("seeds", [(6, 12), (7, 13), (4, 5, 9)])
def test_parting_is_never_dearer_and_no_reduction_loses_it(seeds: tuple[int, ...], tmp_path: Path) -> None:
    cheaper = 0
    for seed in seeds:
        case = private_case(seed)
        cost = {}
        for private, prune in ((True, True), (False, True), (True, seed not in (4, 5, 12, 13))):
            one = with_instance(case, "choose", private_fabrics=private)
            answer = designer.solve(question_of(one.parts, one.instance, tmp_path), SolveOptions(gap=0.0, prune=prune))
            found = math.inf if answer.objective_usd is None else answer.objective_usd
            known = cost.setdefault(private, found)
            assert known == found or abs(known - found) <= CLOSE * known, f"seed {seed}: reductions"
            if answer.design is not None:
                numbers = [pool.fabric for pool in answer.design.pools]
                firsts = list(dict.fromkeys(numbers))
                assert firsts == list(range(len(answer.design.fabrics))), f"seed {seed}: numbering"
                assert private or not answer.design.more_fabrics, f"seed {seed}: parted where it may not"
                homes = {(pool.workload, pool.fabric) for pool in answer.design.pools}
                assert len(homes) == len({pool.workload for pool in answer.design.pools}), f"seed {seed}: cut"
        assert cost[True] <= cost[False] * (1 + CLOSE), f"seed {seed}"
        cheaper += cost[True] < cost[False] * (1 - CLOSE)
    assert cheaper, "none of the questions shows anything"


@pytest.mark.parametrize("name", ["nvl72-pinned", "deepseek-v3-decode-hgx-vs-nvl72"])
def test_one_workload_has_one_fabric_whatever_may_be(name: str) -> None:
    answers = [designer.solve(asked(loaded(name), choose={"private_fabrics": private})) for private in (True, False)]
    assert answers[0].design == answers[1].design and answers[0].objective_usd == answers[1].objective_usd
    assert answers[0].model == answers[1].model
    assert answers[0].design is not None and answers[0].design.more_fabrics == ()


def test_two_workloads_under_a_limit_part_and_keep_it() -> None:
    parted, shared = capped(private=True), capped(private=False)
    assert parted.design is not None and parted.account is not None and shared.account is not None
    assert [pool.fabric for pool in parted.design.pools] == [0, 1]
    assert parted.account.objective_usd < shared.account.objective_usd
    limit = loaded("power-capped").instance.site.it_power_mw
    assert limit is not None and parted.account.it_watts <= limit * 1e6
    assert parted.account.racks == sum(pool.racks for pool in parted.design.pools) + sum(
        fabric.network_racks for fabric in parted.design.fabrics
    )


def test_a_limit_on_racks_counts_the_whole_racks_of_every_fabric() -> None:
    parted = capped(private=True)
    assert parted.account is not None and parted.objective_usd is not None
    racks = parted.account.racks
    same = designer.solve(asked(loaded("power-capped"), site={"racks": racks}))
    assert same.objective_usd == pytest.approx(parted.objective_usd, rel=CLOSE)
    tighter = designer.solve(asked(loaded("power-capped"), site={"racks": racks - 1}))
    if tighter.account is not None:
        assert tighter.account.racks < racks and tighter.account.objective_usd > parted.objective_usd
    else:
        assert tighter.status == "infeasible" and any("site.racks" in line for line in tighter.clash)


def test_later_goals_keep_what_parting_saves() -> None:
    goals = {"minimise": ("cost", "power"), "tolerance": 0.001}
    answer = designer.solve(asked(loaded("power-capped"), objective=goals))
    parted = capped(private=True)
    assert answer.account is not None and parted.account is not None
    assert answer.account.objective_usd <= parted.account.objective_usd * 1.001 * (1 + 1e-6)
    assert answer.account.it_watts <= parted.account.it_watts * (1 + CLOSE)


def test_the_most_tokens_are_no_fewer_where_workloads_may_part() -> None:
    most = {}
    for private in (True, False):
        question = asked(
            loaded("power-capped"), objective={"maximise_tokens": True}, choose={"private_fabrics": private}
        )
        answer = designer.solve(question, SolveOptions(gap=1e-4))
        assert answer.tokens is not None and answer.status == "optimal"
        most[private] = answer.tokens.multiplier
    assert most[True] >= most[False] * (1 - 1e-4)


def test_what_is_offered_as_enough_is_enough() -> None:
    """The elastic twin states the least limit over all ways to part; a little less excludes every design."""
    tight = asked(loaded("power-capped"), site={"it_power_mw": 1.0})
    words = " ".join(designer.solve(tight, SolveOptions(explain_s=5.0)).clash)
    least = float(words.split("the least that serves the demand is site.it_power_mw = ")[1].split(" ")[0])
    assert designer.solve(asked(tight, site={"it_power_mw": least})).status == "optimal"
    assert designer.solve(asked(tight, site={"it_power_mw": least * 0.999}), SolveOptions(explain_s=0.0)).design is None


# ------------------------------------------------------------------ what the user reads


def test_the_screen_shows_every_fabric_and_counts_add_up() -> None:
    answer, question = capped(private=True), loaded("power-capped")
    assert answer.design is not None
    result = make_result(question, SolveOptions(), answer, None, None)
    text = screen(result)
    rows = [line for line in text.splitlines() if line.startswith("SCALE-OUT")]
    assert len(rows) == 2
    for row, pool in zip(rows, answer.design.pools, strict=True):
        assert f" {pool.name}: " in row
    assert result.counts is not None
    boxes = sum(stage.count * f.rails * f.planes for f in answer.design.fabrics for stage in f.stages)
    assert sum(result.counts.scale_out_switches.values()) == boxes
    assert result.counts.network_racks == sum(fabric.network_racks for fabric in answer.design.fabrics)
    used = {x for f in answer.design.fabrics for b in f.boundaries for x in (b.lower_link, b.upper_link)}
    assert used <= set(result.links)
