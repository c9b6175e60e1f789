"""Vendors that alone may serve a workload or fleet: kept by the optimiser, the verifier and brute force."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from oracle.compare import disagreement, found_for, verdict_on_search
from oracle.draw import Draw
from oracle.generate import RandomCase, random_case
from oracle.limited import VENDORS, with_two_vendors

import designer
from designer.answer import Question, SolveOptions
from designer.instance.schema import Instance
from designer.problems import InputError
from designer.solve.assumptions import assumptions_of

INSTANCES = Path(designer.__file__).parents[1] / "instances"
SEEDS = (1, 4, 6, 8, 11, 13, 14, 18)


def only(case: RandomCase, vendor: str) -> RandomCase:
    """The first workload on accelerators of one vendor alone."""
    data = case.instance.model_dump()
    data["workloads"][0]["vendors"] = (vendor,)
    return replace(case, instance=Instance.model_validate(data))


def test_brute_force_finds_the_same(tmp_path: Path) -> None:
    changed = 0
    for seed in SEEDS:
        free = with_two_vendors(random_case(seed), Draw(seed))
        best = found_for(free)
        for vendor in VENDORS:
            case = only(free, vendor)
            found = found_for(case)
            wrong = disagreement(case, found, tmp_path, prune=True, time_limit_s=30.0)
            assert wrong is None, wrong
            if found is None or best is None:
                changed += found is not best
                continue
            assert verdict_on_search(case, found) is None
            assert found.priced.objective >= best.priced.objective
            changed += found.priced.objective > best.priced.objective
    assert changed >= 4


def pinned(**values: object) -> Question:
    question = designer.load(INSTANCES / "deepseek-v3-decode-hgx-vs-nvl72.toml")
    work = question.instance.workloads[0].model_copy(update=values)
    return replace(question, instance=question.instance.model_copy(update={"workloads": (work,)}))


def test_a_design_of_another_vendor_is_refused() -> None:
    answer = designer.solve(pinned(), SolveOptions())
    assert answer.design is not None
    asked = pinned(vendors=("AMD",))
    rules = {f.rule for f in designer.verify(answer.design, asked.catalogue, asked.instance).findings}
    assert rules == {"vendors"}
    none = designer.solve(asked, SolveOptions(explain_s=0.0))
    assert none.status == "infeasible"
    assert any("made by NVIDIA, and vendors of" in line and line.endswith("is AMD") for line in none.clash)


def test_a_vendor_that_makes_no_accelerator_is_told(tmp_path: Path) -> None:
    text = (INSTANCES / "deepseek-v3-decode-hgx-vs-nvl72.toml").read_text()
    place = tmp_path / "a.toml"
    place.write_text(text.replace("[[workloads]]\n", '[[workloads]]\nvendors = ["NVIDA", "Broadcom"]\n', 1))
    with pytest.raises(InputError) as wrong:
        designer.load(place)
    keys = {problem.key: str(problem) for problem in wrong.value.problems}
    assert set(keys) == {"workloads[0].vendors[0]", "workloads[0].vendors[1]"}
    assert "did you mean NVIDIA?" in keys["workloads[0].vendors[0]"]


def test_caches_between_vendors_are_named() -> None:
    question = designer.load(INSTANCES / "deepseek-v3-blackwell.toml")
    answer = designer.solve(question, SolveOptions())
    assert answer.design is not None
    pools = answer.design.pools
    given = [pool for pool in pools if pool.phase in ("prefill", "decode")]
    # The accelerator of one phase stands for one of another maker: nothing else of the design is looked at.
    mixed = replace(
        answer.design,
        pools=(
            replace(given[0], phase="prefill", workload="w", accelerator="h100_sxm"),
            replace(given[0], phase="decode", workload="w", accelerator="mi300x"),
        ),
    )
    said = assumptions_of(mixed, question.catalogue, question.instance)
    assert [line for line in said if line.startswith("KV caches of w cross from NVIDIA to AMD accelerators")]
    alike = replace(mixed, pools=(mixed.pools[0], replace(mixed.pools[1], accelerator="h200_sxm")))
    said = assumptions_of(alike, question.catalogue, question.instance)
    assert not [line for line in said if line.startswith("KV caches")]
