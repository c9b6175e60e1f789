"""A spare of a job that spans racks: whoever reads ``spare_domains`` takes it for domains, not for units (6.3).

Jobs of 144 on racks of 72: two racks are a unit. The instance asks for spare units, a design states domains.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import comb

import pytest

import designer
from designer.answer import Answer, Question
from designer.degrade.field import Broken, Field
from designer.design.types import Design, PoolDesign
from designer.fabric.check import flow_check
from designer.instance.load import load
from designer.risk.counted import Recount
from designer.simulate.placement import Placement
from designer.verify import verify

JOBS, SPARES, SPAN, RACK = 5, 2, 2, 72
INSTANCE = f"""
schema_version = 1
name = "jobs-over-racks"
title = "jobs of two racks"

[[fleets]]
name = "train"
accelerators = {JOBS * SPAN * RACK}
job_accelerators = {SPAN * RACK}
scale_up_gbps = 2000
scale_out_gbps = 200

[choose]
accelerators = ["gb200_nvl72"]
scale_out_switches = ["qm9700"]
nics = ["nic_400"]
scale_out_stages = [2]
spare_domains = [{SPARES}]

[risk]
min_pool_availability = 0.5
"""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Question, Answer]:
    file = tmp_path_factory.mktemp("spares") / "jobs.toml"
    file.write_text(INSTANCE)
    question = load(file)
    return question, designer.solve(question)


@pytest.fixture(scope="module")
def design(case: tuple[Question, Answer]) -> Design:
    answer = case[1]
    assert answer.status == "optimal", answer.clash
    assert answer.design is not None
    return answer.design


@pytest.fixture(scope="module")
def pool(design: Design) -> PoolDesign:
    (only,) = design.pools
    return only


def test_the_design_states_domains(pool: PoolDesign) -> None:
    assert pool.plan.domains_per_replica == SPAN
    assert (pool.spare_domains, pool.domains) == (SPARES * SPAN, (JOBS + SPARES) * SPAN)
    assert (pool.replicas, pool.accelerators) == (JOBS, (JOBS + SPARES) * SPAN * RACK)


def test_verifier_and_flow_check_read_the_same(case: tuple[Question, Answer], design: Design) -> None:
    question, _ = case
    checked = verify(design, question.catalogue, question.instance)
    assert checked.ok, checked.findings
    report = flow_check(design)
    assert report.ok, report.violations


def test_the_pool_is_up_while_no_more_units_are_down_than_are_spare(case: tuple[Question, Answer]) -> None:
    """From the availability without spares, (1 - u)^7 by the verifier, follows the one with two of seven to spare."""
    question, answer = case
    assert answer.design is not None and answer.account is not None
    (bare,) = answer.design.pools
    units = JOBS + SPARES
    # The same racks, all needed: seven jobs and no spare.
    fleet = question.instance.fleets[0].model_copy(update={"accelerators": bare.accelerators})
    choose = question.instance.choose.model_copy(update={"spare_domains": (0,)})
    whole = question.instance.model_copy(update={"fleets": (fleet,), "choose": choose})
    every = designer.solve(replace(question, instance=whole))
    assert every.design is not None and every.account is not None
    down = 1 - every.account.uptimes[0].availability ** (1 / units)
    expected = sum(comb(units, k) * down**k * (1 - down) ** (units - k) for k in range(SPARES + 1))
    found = answer.account.uptimes[0].availability
    assert 1 - found == pytest.approx(1 - expected, rel=1e-6)
    assert every.account.uptimes[0].availability < found < 1


def test_simulation_keeps_whole_units_free(pool: PoolDesign) -> None:
    placed = Placement.of(pool)
    assert (placed.units, placed.unit_size, placed.spares) == (JOBS + SPARES, SPAN * RACK, SPARES)


def test_jobs_run_on_all_but_the_spare_domains(case: tuple[Question, Answer], design: Design) -> None:
    question, _ = case
    counted = Recount(design, question.catalogue, question.instance).count(lambda _, stated: stated)
    assert counted.pools[0].running == JOBS * SPAN * RACK
    assert counted.pools[0].replica == SPAN * RACK


def test_degraded_as_many_jobs_are_saved_as_there_are_spare_units(design: Design) -> None:
    field, hosts = Field(design), SPAN * RACK // 4
    for broken in range(1, SPARES + 2):
        low, high = field.worst([Broken("host", 0, 0, "box", job * hosts) for job in range(broken)])
        assert low == pytest.approx(float(1 - Fraction(broken, JOBS)))
        assert high == pytest.approx(float(1 - Fraction(max(0, broken - SPARES), JOBS)))
