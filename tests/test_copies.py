"""Rails and planes: counts by closed form, rooms and ports they need, and reductions that stay exact with them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle.breadth import breadth
from oracle.convert import question_of
from oracle.generate import random_case

import designer
from designer.answer import Answer, Question, SolveOptions
from designer.candidates.attach import attach, leaving_share
from designer.candidates.cables import ceil_div, edge_load
from designer.candidates.choices import Choices
from designer.candidates.copies import Copies
from designer.candidates.option_table import OptionTable
from designer.candidates.scale_up import box_load
from designer.candidates.terms import NET_WATTS, Load, evaluate
from designer.design.types import Boundary, Design
from designer.instance.pools import pools_of
from designer.solve.stock import Stock, stock_of
from designer.verify import verify

INSTANCES = Path(__file__).parent.parent / "instances"


def asked(name: str, tokens: float = 1.0, pin: dict[str, Any] | None = None, **choose: Any) -> Question:
    """A shipped question with another demand and other choices."""
    question = designer.load(INSTANCES / f"{name}.toml")
    instance = question.instance
    works = tuple(
        work.model_copy(update={"output_tokens_per_s": work.output_tokens_per_s * tokens})
        for work in instance.workloads
    )
    instance = instance.model_copy(
        update={
            "workloads": works,
            "choose": instance.choose.model_copy(update=choose),
            "pin": instance.pin.model_copy(update=pin or {}),
        }
    )
    return replace(question, instance=instance)


def design_of(question: Question) -> tuple[Design, Answer]:
    answer = designer.solve(question)
    assert answer.status == "optimal" and answer.design is not None
    assert not verify(answer.design, question.catalogue, question.instance).findings
    return answer.design, answer


def boundaries(design: Design) -> dict[str, Boundary]:
    found = {one.name: one for one in design.fabric.boundaries}
    return {**found, "nic_leaf": design.pools[0].nic_leaf}


def test_eight_rails_of_one_switch_each() -> None:
    """One switch per rail; every host has one accelerator, with one NIC, on each."""
    plain, _ = design_of(asked("hgx-h100-pinned"))
    design, _ = design_of(asked("hgx-h100-pinned", scale_out_rails=(8,)))
    pool, fabric = design.pools[0], design.fabric
    assert (fabric.rails, fabric.planes, len(fabric.stages)) == (8, 1, 1)
    assert pool.accelerators == plain.pools[0].accelerators
    per_accelerator = pool.nics // pool.accelerators
    assert fabric.stages[0].count == 1
    assert fabric.stages[0].down_ports == pool.hosts * per_accelerator
    assert pool.attachment.group == pool.hosts
    assert pool.nic_leaf.links == plain.pools[0].nic_leaf.links == pool.nics


def test_more_rails_than_one_switch_has_ports_for_are_its_chance() -> None:
    """A demand that one switch is too small for fits eight switches, one for each rail."""
    alone = designer.solve(asked("hgx-h100-pinned", tokens=8))
    assert alone.status == "infeasible"
    design, _ = design_of(asked("hgx-h100-pinned", tokens=8, scale_out_rails=(1, 2, 4, 8)))
    pool = design.pools[0]
    ports = pool.nics // design.fabric.rails
    assert design.fabric.rails > 1 and design.fabric.stages[0].down_ports == ports <= 64 < pool.nics // 4


def test_eight_rails_of_two_stages() -> None:
    """As DeepSeek built its H800 clusters: every rail a two-stage network of its own."""
    question = asked(
        "hgx-h100-pinned", tokens=200, pin={"scale_out_stages": 2}, scale_out_rails=(8,), scale_out_stages=(2,)
    )
    design, _ = design_of(question)
    pool, fabric = design.pools[0], design.fabric
    leaf, spine = fabric.stages
    attachment = pool.attachment
    assert (fabric.rails, attachment.leaves_per_domain) == (8, 1)
    assert attachment.group == attachment.domains_per_leaf * pool.domain_size // 8
    assert leaf.count == attachment.leaves == ceil(pool.domains / attachment.domains_per_leaf)
    assert spine.count == fabric.spines_per_pod
    assert ceil(leaf.up_ports / spine.count) == fabric.links_per_leaf_spine
    assert ceil(leaf.up_ports / fabric.links_per_leaf_spine) == spine.count
    up = boundaries(design)["leaf_spine"]
    assert up.links == 8 * leaf.count * leaf.up_ports
    assert pool.nic_leaf.links == pool.nics
    watts = question.catalogue.switches["qm9700"].power_w.at("mid")
    boxes = 8 * (leaf.count + spine.count)
    account = verify(design, question.catalogue, question.instance).account
    assert sum(line.watts for line in account.lines if line.item == "scale_out_switches") == pytest.approx(
        boxes * watts
    )


def test_two_planes_of_400g_nics() -> None:
    """Every NIC becomes two ports of 200 Gb/s, each to a fabric of its own."""
    nics = {"scale_out_stages": (2,), "nics": ("nic_400",), "scale_out_switches": None}
    pin = {"scale_out_stages": 2, "leaf_switch": None}
    design, _ = design_of(asked("hgx-h100-pinned", tokens=40, pin=pin, scale_out_planes=(2,), **nics))
    pool, fabric = design.pools[0], design.fabric
    assert (fabric.rails, fabric.planes) == (1, 2)
    assert pool.nic_leaf.rate_gbps == 200
    assert pool.nic_leaf.links == 2 * pool.nics
    leaf = fabric.stages[0]
    assert leaf.down_ports == pool.attachment.group * pool.nics // pool.accelerators
    assert boundaries(design)["leaf_spine"].links == 2 * leaf.count * leaf.up_ports


def test_no_nic_splits_into_what_it_does_not_offer() -> None:
    answer = designer.solve(asked("hgx-h100-pinned", scale_out_planes=(8,)))
    assert answer.status == "infeasible"


def stock(name: str, **choose: Any) -> tuple[Question, Stock]:
    question = asked(name, **choose)
    return question, stock_of(question, SolveOptions())


def test_rails_need_room_inside_the_domain() -> None:
    question, found = stock("hgx-h100-pinned")
    option = found.options(pools_of(question.instance))[0][0]
    usable, out = option.domain.usable_gbps, Fraction(3, 4) * 100
    plan = replace(option.plan, scale_out_ep_need_gbps=60.0, scale_out_other_need_gbps=40.0)
    tight = replace(option, plan=replace(plan, scale_up_need_gbps=float(usable - out)))
    assert Copies(4).bear(tight) and Copies(1).bear(tight)
    assert not Copies(8).bear(tight), "7/8 of the traffic is forwarded, not 3/4"
    over = replace(option, plan=replace(plan, scale_up_need_gbps=float(usable - out) + 0.001))
    assert not Copies(4).bear(over)
    assert not Copies(3).bear(option), "3 does not divide the 8 accelerators of a host"


def one_by_one(choices: Choices, row: int, found: Stock) -> Any:
    """The term vector of one choice, from single parts and events (one copy)."""
    item, economy = choices.items[row], found.offer.economy
    option, domain = item.option, item.option.domain
    replica = np.array([float(option.plan.accelerators_per_replica)])
    hour = np.array([domain.accelerator.hour_usd])
    rest = option.domains % item.domains_per_leaf * domain.size if item.leaves_per_domain == 1 else 0
    groups = [item.group] * (item.leaves - (rest > 0)) + [rest] * (rest > 0)
    box = Load()
    for group in groups:
        box += box_load(item.leaf, group, economy.box_mttr_h, economy.box_swap_usd, economy)
    behind = [max(1, end.rate_gbps // item.rate_gbps // domain.nics) for end in (item.pair.lower, item.pair.upper)]
    if not item.pair.module:
        behind[0] = min(domain.accelerator.per_host, behind[0])
    cables = edge_load(
        item.pair, item.counts, item.rate_gbps, item.length_m, (behind[0], behind[1]), domain.size, economy
    )
    terms = option.terms + evaluate(box + cables, replica, hour, economy.restart_h)[0]
    ends = 0 if item.pair.upper.cpo else item.counts.upper_ends
    terms[NET_WATTS] += item.leaves * item.leaf.watts + ends * item.pair.upper.end_watts
    return terms


def test_arrays_say_what_single_parts_add_up_to() -> None:
    question, found = stock("scale-out-cpo-dsp-lpo")
    options = found.options(pools_of(question.instance))[0]
    table = OptionTable(options[:: max(1, len(options) // 40)])
    rng, compared, cpo = np.random.default_rng(1), 0, 0
    for leaf in found.offer.leaves:
        choices = attach("decode", table, leaf, Copies(), found.offer.links, found.offer.economy, one_stage=False)
        if choices is None:
            continue
        for row in rng.choice(choices.down.size, min(12, choices.down.size), replace=False).tolist():
            item = choices.items[row]
            assert item.leaves == choices.leaves[row]
            assert item.group * item.option.domain.nics == choices.down[row]
            np.testing.assert_allclose(choices.terms[row], one_by_one(choices, row, found), rtol=1e-12)
            compared, cpo = compared + 1, cpo + leaf.cpo
    assert compared > 20 and cpo > 0


@pytest.mark.parametrize("copies", [Copies(2, 1), Copies(1, 2), Copies(4, 2)])
def test_ends_and_cables_of_copies_by_closed_form(copies: Copies) -> None:
    question, found = stock("deepseek-v3-decode-hgx-vs-nvl72")
    options = [o for o in found.options(pools_of(question.instance))[0] if copies.bear(o)]
    table = OptionTable(options[:: max(1, len(options) // 20)])
    seen = set()
    for leaf in found.offer.leaves:
        choices = attach("decode", table, leaf, copies, found.offer.links, found.offer.economy, one_stage=False)
        if choices is None:
            continue
        for item in choices.items[:: max(1, choices.down.size // 10)]:
            domain, rate = item.option.domain, item.rate_gbps
            assert rate * copies.planes == domain.nic.rate_gbps
            host, hosts = domain.accelerator.per_host, item.option.accelerators // domain.accelerator.per_host
            counts, ports = item.counts, domain.size // copies.rails * domain.nics
            assert counts.links == item.option.accelerators * domain.nics * copies.planes
            if item.pair.module:
                sizes = [ports // item.leaves_per_domain] * (item.option.domains * item.leaves_per_domain)
                if item.leaves_per_domain == 1:
                    full, rest = divmod(item.option.domains, item.domains_per_leaf)
                    sizes = [item.domains_per_leaf * ports] * full + [rest * ports]
                upper = copies.count * sum(ceil_div(size * rate, item.pair.upper.rate_gbps) for size in sizes)
                lower = hosts * ceil_div(host * domain.nics * copies.planes * rate, item.pair.lower.rate_gbps)
            else:
                each = ceil_div(host // copies.rails * domain.nics * rate, item.pair.lower.rate_gbps)
                lower = upper = hosts * copies.count * each
                assert counts.cables == lower
            assert (counts.lower_ends, counts.upper_ends) == (lower, upper)
            seen.add((item.pair.module, item.leaves_per_domain > 1))
    assert {module for module, _ in seen} == {True, False}


def test_share_that_leaves_a_leaf() -> None:
    assert leaving_share(np.array([1, 2, 3, 4, 8]), np.array([4, 4, 4, 4, 4])).tolist() == [1.0, 2 / 3, 1.0, 0.0, 0.0]
    assert leaving_share(np.array([1, 5]), np.array([1, 1])).tolist() == [0.0, 0.0]


def test_one_copy_on_offer_beside_others_is_never_dearer(tmp_path: Path) -> None:
    """Copies are alternatives: with 1 among them the answer is the least of all fixed numbers of copies."""
    choices = [(x, p) for x in (1, 2) for p in (1, 2)]
    single = {}
    for x, p in choices:
        answer = designer.solve(asked("one-rack-at-20-m", scale_out_rails=(x,), scale_out_planes=(p,)))
        single[x, p] = answer.objective_usd if answer.objective_usd is not None else float("inf")
    free = designer.solve(asked("one-rack-at-20-m", scale_out_rails=(2, 1), scale_out_planes=(1, 2)))
    assert single[1, 1] < float("inf")
    assert free.objective_usd == pytest.approx(min(single.values()), rel=1e-9)


def test_reductions_are_exact_with_copies(tmp_path: Path) -> None:
    """Small random questions that offer rails or planes, until some answers have had either."""
    rails, planes, compared = 0, 0, 0
    for seed in range(9027, 9127):
        case = random_case(seed)
        choose = case.instance.choose
        if (choose.scale_out_rails, choose.scale_out_planes) == ((1,), (1,)):
            continue
        if not 0 < breadth(case.parts, case.instance, 1500) < 1500:
            continue
        question = question_of(case.parts, case.instance, tmp_path)
        pruned, whole = (designer.solve(question, SolveOptions(gap=0.0, prune=prune)) for prune in (True, False))
        assert pruned.status == whole.status, f"seed {seed}"
        if pruned.design is None or whole.objective_usd is None:
            continue
        assert pruned.objective_usd == pytest.approx(whole.objective_usd, rel=1e-9), f"seed {seed}"
        rails += pruned.design.fabric.rails > 1
        planes += pruned.design.fabric.planes > 1
        compared += 1
        if rails and planes and compared >= 4:
            return
    pytest.fail(f"of {compared} answers {rails} had rails and {planes} had planes")
