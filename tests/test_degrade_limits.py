"""No single failure may cost more than so much: the optimiser designs for it, and every failure, tried, proves it."""

from __future__ import annotations

import pytest
from test_flat_fabrics import asked
from test_limits import changed

import designer
from designer.answer import Answer, Question, SolveOptions
from designer.degrade import degrade
from designer.design.types import Design

TAPERED = {"scale_out_shapes": ["tree"], "spine_tapers": [2.0], "core_tapers": [2.0], "max_taper": 8.0}


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

    Over three 14 links go as 5, 5 and 4. Without a full one 9 are left: 1 - 9 x 400 / 4,800. Of 13 only 8 would be.
    """
    two = {"scale_out_shapes": ["tree"], "scale_out_stages": [2]}
    free, before = solved(asked("two-leaf-pod", 384, 8, 100.0, choose=two))
    tight, after = solved(asked("two-leaf-pod", 384, 8, 100.0, choose=two, risk={"max_single_failure_share": 0.3}))
    assert losses(free)["spine"] == pytest.approx(0.5)
    assert losses(tight)["spine"] == pytest.approx(1 / 4)
    assert tight.fabric.stages[0].up_ports == 14
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


def test_jobs_that_leaves_cut_and_leaves_that_others_send_by_way_of() -> None:
    """A leaf of 48 takes two of three jobs of 32; one of three leaves its own, and what others send by way of it."""
    free, _ = solved(asked("two-leaf-pod", 96, 32, 100.0))
    assert losses(free)["leaf"] == pytest.approx(2 / 3)
    for most, links in ((0.5, 6), (0.4, 8)):
        tight, _ = solved(asked("two-leaf-pod", 96, 32, 100.0, risk={"max_single_failure_share": most}))
        assert (tight.fabric.dims, tight.fabric.links_per_pair) == ((3,), (links,))
        # 32 x 100 Gb/s of a leaf, over `links` of 400 when two are left.
        lost = 1 / 3 + 2 / 3 * max(0.0, 1 - links * 400 / 3200)
        assert lost <= most
        assert losses(tight)["leaf"] == pytest.approx(lost)


@pytest.mark.parametrize(
    ("accelerators", "job", "most", "choose"),
    [
        (144, 18, 0.24, {}),
        (384, 8, 0.2, {"scale_out_planes": [2], "scale_out_shapes": ["tree"], "scale_out_stages": [2]}),
        (384, 8, 0.1, {"scale_out_planes": [2], "scale_out_shapes": ["tree"], "scale_out_stages": [2]}),
        (1024, 8, 0.1, TAPERED | {"scale_out_stages": [3]}),
        (1024, 8, 0.2, TAPERED | {"scale_out_stages": [4]}),
    ],
)
def test_no_failure_takes_more_than_the_limit(
    accelerators: int, job: int, most: float, choose: dict[str, object]
) -> None:
    """Jobs that hosts cut; planes, whose leaves take over from each other as far as their links go; pods and zones that
    lose a spine of few links upwards."""
    tight, _ = solved(
        asked("two-leaf-pod", accelerators, job, 100.0, choose=choose, risk={"max_single_failure_share": most})
    )
    assert max(losses(tight).values()) <= most
