"""Pools on mixed accelerators: forced by stock or by vendors' shares, never dearer than without, explained when not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import designer
from designer.answer import Answer, Question, SolveOptions

FILE = Path(designer.__file__).parents[1] / "instances" / "mixed-fleet.toml"


def asked(*, mean: float = 100_000, stock: bool = True, **choose: Any) -> Question:
    """The shipped question with some other choices, at another demand, or without its stock."""
    question = designer.load(FILE)
    data = question.instance.model_dump()
    data["workloads"][0]["output_tokens_per_s"] = mean
    data["choose"] |= choose
    if not stock:
        data["stock"] = {}
    return replace(question, instance=type(question.instance).model_validate(data))


def proven(question: Question) -> Answer:
    answer = designer.solve(question, SolveOptions(gap=1e-6))
    assert answer.status == "optimal" and answer.gap is not None and answer.gap <= 1e-6
    assert answer.design is not None
    assert designer.verify(answer.design, question.catalogue, question.instance).ok
    assert sum(Fraction(*pool.share) for pool in answer.design.pools) == 1
    return answer


def cost(answer: Answer) -> float:
    assert answer.objective_usd is not None
    return answer.objective_usd


def test_shares_of_vendors_force_two_parts() -> None:
    parts = ("b200_hgx", "mi355x")
    free = proven(asked(stock=False, accelerators=parts))
    halved = proven(asked(stock=False, accelerators=parts, max_vendor_share={"NVIDIA": 0.6, "AMD": 0.6}))
    assert free.design is not None and halved.design is not None
    assert len(free.design.pools) == 1 < len(halved.design.pools)
    every = sum(pool.accelerators for pool in halved.design.pools)
    assert all(pool.accelerators <= 0.6 * every for pool in halved.design.pools)
    assert cost(halved) > cost(free)


def test_parts_only_help_and_finer_steps_too() -> None:
    alone = designer.solve(asked(mixed_parts=1))
    assert alone.status == "infeasible"
    some, finer = (cost(proven(asked(mixed_steps=steps))) for steps in (4, 8))
    assert finer <= some * (1 + 2e-6)


def test_stock_that_no_split_keeps_is_explained() -> None:
    answer = designer.solve(asked(mean=110_000))
    assert answer.status == "infeasible"
    text = "\n".join(answer.clash)
    assert "the limits exclude each other: stock.b200_hgx = 1,200 (units), stock.h100_sxm = 1,200 (units)" in text
    assert "cannot hold together" in text and "fewer tokens" in text
    # What is said to do does: a quarter of the peak needs 1,213 H100, so 152 boards of 8 and more.
    question = asked(mean=110_000)
    (told,) = [line for line in answer.clash if "with every other limit as it is: stock.h100_sxm" in line]
    enough = int(told.split(" = ")[1].split(" ")[0].replace(",", ""))
    assert enough > 1200
    instance = question.instance.model_copy(update={"stock": {"b200_hgx": 1200, "h100_sxm": enough}})
    assert designer.solve(replace(question, instance=instance)).status == "optimal"
