"""No single failure may cost more than so much: the optimiser designs for it, and every failure, tried, proves it."""

from __future__ import annotations

import pytest
from test_flat_fabrics import asked
from test_limits import changed

import designer
from designer.answer import Answer, Question, SolveOptions
from designer.degrade import degrade
from designer.design.types import Design


def solved(question: Question) -> tuple[Design, Answer]:
    answer = designer.solve(question, SolveOptions(explain_s=1))
    assert answer.status == "optimal"
    assert answer.design is not None
    assert designer.verify(answer.design, question.catalogue, question.instance).ok
    return answer.design, answer


def losses(design: Design) -> dict[str, float]:
    """The most that each sort of thing takes when one of it breaks: of all of them, by classes."""
    found: dict[str, float] = {}
    for place in degrade(design, failures=1, samples=2).places:
        assert place.covered == place.single == sum(of.members for of in place.classes)
        for of in place.classes:
            lost = max(1 - left.least for left in of.served.values())
            found[of.name] = max(found.get(of.name, 0.0), lost)
    return found


def test_a_limit_buys_a_third_spine_and_every_failure_keeps_it() -> None:
    """48 hosts on 8 leaves, jobs of a host: 4,800 Gb/s a leaf. Two spines of 6 links: one is half of what is needed.

    With three of 5 links of 400 two are left: 1 - 2 x 5 x 400 / 4,800.
    """
    two = {"scale_out_shapes": ["tree"], "scale_out_stages": [2]}
    free, before = solved(asked("two-leaf-pod", 384, 8, 100.0, choose=two))
    tight, after = solved(asked("two-leaf-pod", 384, 8, 100.0, choose=two, risk={"max_single_failure_share": 0.3}))
    assert losses(free)["spine"] == pytest.approx(0.5)
    assert losses(tight)["spine"] == pytest.approx(1 / 6)
    assert max(losses(tight).values()) <= 0.3
    assert (free.fabric.spines_per_pod, tight.fabric.spines_per_pod) == (2, 3)
    assert before.objective_usd is not None
    assert after.objective_usd is not None
    assert after.objective_usd > before.objective_usd


def test_a_limit_on_leaves_is_kept_by_every_failure() -> None:
    """42 jobs of a host: 3 % leave one to a leaf."""
    tight, _ = solved(changed("qwen3-235b", risk={"max_single_failure_share": 0.03}))
    found = losses(tight)
    assert found["leaf"] == found["chat host"] == max(found.values()) == pytest.approx(1 / 42)


def test_what_the_rule_misses_the_check_finds() -> None:
    """docs/rules.md section 11: a leaf of 48 cuts the second of three jobs of 32 and takes two; the rule counts one."""
    design, _ = solved(asked("two-leaf-pod", 96, 32, 100.0, risk={"max_single_failure_share": 0.5}))
    assert losses(design)["leaf"] == pytest.approx(2 / 3)
