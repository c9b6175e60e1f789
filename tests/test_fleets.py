"""Fleets: accelerators instead of tokens, the goal "capex", accelerators that stand alone (docs/rules.md 6.2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import designer
from designer.answer import Answer, Question, scaled
from designer.catalogue import load_catalogue
from designer.catalogue.checks import check_catalogue
from designer.cli.show import show_question
from designer.design.types import Design
from designer.instance.load import load
from designer.instance.pools import pools_of
from designer.problems import InputError
from designer.runs import solve_and_store, verify_stored
from designer.verify import verify

ENDPOINTS = Path(__file__).parent / "data" / "bare_endpoints.toml"
HEAD = 'schema_version = 1\nname = "f"\ntitle = "a fleet"\n'
WORK = """[[workloads]]
name = "chat"
llm = "llama31_70b"
serve = "decode"
prompt_tokens = 1000
output_tokens = 500
output_tokens_per_s = 20000
tpot_ms = 50
"""
SUPERPOD = """
[pin]
accelerator = "h100_sxm"
nic = "nic_400"
leaf_switch = "qm9700"
spine_switch = "qm9700"
core_switch = "qm9700"
taper = 1
"""
PAPER = """
[choose]
accelerators = ["endpoint"]
scale_out_switches = ["box_64"]
links = ["paper_dac", "paper_aoc"]
nics = ["ports_16"]
[objective]
minimise = ["capex"]
[pin]
planes = 16
[site.lengths]
nic_leaf_m = 5
"""


FEW = """
[choose]
accelerators = ["h100_sxm"]
scale_out_switches = ["qm9700"]
links = ["pcb_baseboard_800eq", "dac_400", "aec_400", "aoc_800", "lpo_800"]
scale_out_stages = [2]
"""


def fleet(accelerators: int, job: int = 1, inside: float = 0.0, outside: float = 0.0, name: str = "train") -> str:
    return (
        f'[[fleets]]\nname = "{name}"\naccelerators = {accelerators}\njob_accelerators = {job}\n'
        f"scale_up_gbps = {inside}\nscale_out_gbps = {outside}\n"
    )


def asked(folder: Path, text: str, overlay: Path | None = None) -> Question:
    file = folder / "f.toml"
    file.write_text(HEAD + text)
    return load(file, overlay)


def answered(folder: Path, text: str, overlay: Path | None = None) -> tuple[Question, Answer]:
    question = asked(folder, text, overlay)
    return question, designer.solve(question)


def designed(answer: Answer) -> Design:
    assert answer.status == "optimal", answer.clash
    assert answer.design is not None
    return answer.design


def counts(design: Design) -> list[int]:
    return [stage.count for stage in design.fabric.stages]


# ----------------------------------------------------------------------------- real systems


@pytest.mark.parametrize(("units", "switches"), [(4, [32, 16]), (16, [128, 128, 64])])
def test_superpod_of_h100(units: int, switches: list[int], tmp_path: Path) -> None:
    """DGX SuperPOD H100 reference architecture: scalable units of 32 nodes on 64-port NDR switches, full bisection."""
    number = units * 32 * 8
    question, answer = answered(tmp_path, fleet(number, number, outside=400) + SUPERPOD)
    design = designed(answer)
    assert counts(design) == switches
    assert design.fabric.family == "InfiniBand"
    (pool,) = design.pools
    assert (pool.accelerators, pool.domains, pool.replicas, pool.phase) == (number, number // 8, 1, "fleet")
    assert verify(design, question.catalogue, question.instance).ok
    assert designer.flow_check(design).ok


def test_small_fat_tree_of_the_hammingmesh_paper(tmp_path: Path) -> None:
    """arXiv:2209.01346, Table II, small cluster: 16 planes of 48 switches, 25.3 M$, not blocking."""
    _, answer = answered(tmp_path, fleet(1024, outside=6400) + PAPER, ENDPOINTS)
    design = designed(answer)
    assert counts(design) == [32, 16]
    assert (design.pools[0].domain_size, design.fabric.planes) == (1, 16)
    assert answer.account is not None
    assert answer.account.capex_usd == 16 * (48 * 14280 + 1024 * (272 + 603)) == 25_303_040
    assert [row.goal for row in answer.goals] == ["capex"]
    assert answer.goals[0].bound == pytest.approx(25_303_040)
    assert answer.bound_usd is None, "cost is no goal"


def test_tapered_fat_tree_of_the_hammingmesh_paper(tmp_path: Path) -> None:
    """The same table, 1,050 endpoints at 42 down and 22 up: 17.6 M$ with 9 spines on a plane.

    The published 22 are dealt out in turn: nine spines with three or two of each leaf's. With the same spines getting
    more from all 25 leaves, three would be 75 of 64 ports. Ten times two and one are the 21 that half of 42 asks for.
    """
    _, answer = answered(tmp_path, fleet(1050, outside=3200) + PAPER, ENDPOINTS)
    design = designed(answer)
    stage = design.fabric.stages[0]
    assert (stage.count, stage.down_ports, stage.up_ports) == (25, 42, 21)
    assert counts(design) == [25, 11]
    assert answer.account is not None
    published = 16 * (34 * 14280 + 1050 * 272 + 550 * 603)
    assert answer.account.capex_usd == published + 16 * (2 * 14280 - 25 * 603)


# ----------------------------------------------------------------------------- what a fleet means


def test_jobs_and_domains_are_whole(tmp_path: Path) -> None:
    text = '[pin]\naccelerator = "h100_sxm"\n'
    for number, job, domains, jobs in ((17, 1, 3, 17), (17, 3, 3, 6), (17, 5, 4, 4), (20, 20, 3, 1), (20, 12, 4, 2)):
        _, answer = answered(tmp_path, fleet(number, job) + text)
        (pool,) = designed(answer).pools
        assert (pool.domains, pool.replicas) == (domains, jobs), (number, job)


def test_larger_jobs_lose_more_to_failures(tmp_path: Path) -> None:
    text = '[pin]\naccelerator = "h100_sxm"\n'
    hours = []
    for job in (1, 64):
        _, answer = answered(tmp_path, fleet(64, job) + text)
        assert answer.account is not None
        hours.append(answer.account.accelerator_hours_lost_per_year)
    assert hours[1] > 4 * hours[0]


def test_bandwidth_asked_is_bandwidth_bought(tmp_path: Path) -> None:
    """1,600 Gb/s in the domain leaves out what has less; any-to-any traffic leaves the leaf whole."""
    _, answer = answered(tmp_path, fleet(64, inside=3600, outside=350) + '[choose]\naccelerators = ["h100_sxm"]\n')
    assert answer.status == "infeasible"
    text = "\n".join(answer.clash)
    assert "fleet train has no domain with the bandwidth asked for" in text
    assert "scale_up_gbps = 3600 Gb/s is asked per accelerator, the most on offer is 3200 Gb/s" in text
    _, answer = answered(tmp_path, fleet(64, inside=3200, outside=350) + '[choose]\naccelerators = ["h100_sxm"]\n')
    (pool,) = designed(answer).pools
    assert pool.plan.scale_up_need_gbps == 3200
    assert pool.attachment.need_gbps == 350


def test_fleets_beside_workloads_and_each_other(tmp_path: Path) -> None:
    text = WORK + fleet(16, 8, outside=100) + fleet(24, outside=50, name="batch")
    question, answer = answered(tmp_path, text + '[choose]\naccelerators = ["h100_sxm"]\n')
    design = designed(answer)
    assert [pool.name for pool in design.pools] == ["chat", "train", "batch"]
    assert [pool.phase for pool in design.pools] == ["decode", "fleet", "fleet"]
    assert [pool.workload for pool in design.pools] == ["chat", "train", "batch"]
    assert verify(design, question.catalogue, question.instance).ok
    assert designer.flow_check(design).ok


def test_least_capital_is_no_dearer_to_buy_and_no_cheaper_to_run(tmp_path: Path) -> None:
    text = fleet(256, outside=200) + '[choose]\naccelerators = ["h100_sxm", "b200_hgx"]\n'
    _, least = answered(tmp_path, text + '[objective]\nminimise = ["capex", "cost"]\n')
    _, cheap = answered(tmp_path, text)
    assert least.account is not None and cheap.account is not None
    assert least.account.capex_usd <= cheap.account.capex_usd * (1 + 1e-9)
    assert least.account.objective_usd >= cheap.account.objective_usd * (1 - 1e-9)
    assert least.goals[0].value == least.account.capex_usd


# ----------------------------------------------------------------------------- most, infeasible, forced


def test_the_most_accelerators_within_a_limit(tmp_path: Path) -> None:
    text = fleet(100, outside=100) + FEW + "[site]\nit_power_mw = 1.0\n"
    question, answer = answered(tmp_path, text + "[objective]\nmaximise_tokens = true\n")
    tokens = answer.tokens
    assert tokens is not None and tokens.bound is not None
    number = designed(answer).pools[0].accelerators
    assert tokens.accelerators == {"train": number} and tokens.tokens_per_s == {}
    assert answer.account is not None and answer.account.it_watts <= 1e6
    more = scaled(question.instance, tokens.bound * 1.001)
    assert more.fleets[0].accelerators > number
    objective = more.objective.model_copy(update={"maximise_tokens": False})
    again = designer.solve(replace(question, instance=more.model_copy(update={"objective": objective})))
    assert again.status == "infeasible"


def test_scaling_rounds_up_to_whole_accelerators(tmp_path: Path) -> None:
    instance = asked(tmp_path, fleet(10, 4)).instance
    assert [scaled(instance, m).fleets[0].accelerators for m in (1.0, 0.3, 0.30001, 1.01, 1e-6)] == [10, 3, 4, 11, 1]
    assert pools_of(scaled(instance, 2.0))[0].peak_tokens_per_s == 20.0


def test_what_stands_in_the_way_is_said_in_accelerators(tmp_path: Path) -> None:
    text = fleet(64) + FEW + "[site]\nit_power_mw = 0.05\n"
    _, answer = answered(tmp_path, text)
    assert answer.status == "infeasible"
    words = "\n".join(answer.clash)
    assert "the demand of fleet train" in words
    assert "% fewer accelerators" in words
    assert "token" not in words
    _, answer = answered(tmp_path, WORK + text)
    words = "\n".join(answer.clash)
    assert "fewer tokens and fewer accelerators" in words
    assert "every workload and fleet" in words


def test_why_not_prices_a_choice_of_a_fleet(tmp_path: Path) -> None:
    question = asked(tmp_path, fleet(64, outside=100) + '[choose]\naccelerators = ["h100_sxm"]\n')
    found = designer.why_not(question, ["stages=2"])
    assert len(designed(found.forced).fabric.stages) == 2
    gained = {row.what: row.difference for row in found.differences}
    assert gained["cost"] >= 0


# ----------------------------------------------------------------------------- what is stored and shown


def test_run_folder_and_screen_speak_of_accelerators(tmp_path: Path) -> None:
    (tmp_path / "f.toml").write_text(HEAD + fleet(60, 30, outside=100) + '[choose]\naccelerators = ["h100_sxm"]\n')
    run = solve_and_store(tmp_path / "f.toml", out=tmp_path / "run")
    assert run.agrees
    shown = " ".join(run.screen.split())
    assert "fleet: 60 accelerators asked, 64 bought; 2 jobs of 30 accelerators" in shown
    assert "token" not in shown.lower()
    stored = json.loads((tmp_path / "run" / "result.json").read_text())
    figures = stored["key_figures"]
    assert (figures["tokens"], figures["tokens_per_s"], figures["usd_per_million_tokens"]) == (None, None, None)
    assert verify_stored(tmp_path / "run").ok


def test_tokens_beside_a_fleet_have_no_price_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "f.toml").write_text(HEAD + WORK + fleet(16) + '[choose]\naccelerators = ["h100_sxm"]\n')
    figures = solve_and_store(tmp_path / "f.toml", out=tmp_path / "run").result.key_figures
    assert figures is not None
    assert (figures.tokens, figures.tokens_per_s) == ("output", 20000.0)
    assert figures.usd_per_million_tokens is None


# ----------------------------------------------------------------------------- refused by the verifier

Change = Callable[[Design], Design]


def of_plan(**values: object) -> Change:
    def change(design: Design) -> Design:
        pool = design.pools[0]
        plan = replace(pool.plan, **values)  # type: ignore[arg-type]
        return replace(design, pools=(replace(pool, plan=plan), *design.pools[1:]))

    return change


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Question, Design]:
    text = fleet(32, 16, inside=800, outside=100) + '[choose]\naccelerators = ["h100_sxm"]\n'
    question, answer = answered(tmp_path_factory.mktemp("small"), text)
    return question, designed(answer)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (of_plan(tokens_per_s_per_accelerator=2.0), "plan_fleet"),
        (of_plan(accelerators_per_replica=8, dp=8), "plan_fleet"),
        (of_plan(scale_out_other_need_gbps=50.0), "plan_fleet"),
        (of_plan(scale_up_need_gbps=0.0), "plan_fleet"),
        (of_plan(scale_out_ep_need_gbps=10.0), "plan_fleet"),
        (of_plan(latency_allowance_us=16.0), "plan_fleet"),
        (of_plan(measured=True), "plan_fleet"),
        (of_plan(memory_bytes=1e9), "plan_fleet"),
        (of_plan(llm="llama31_70b"), "plan_hardware"),
        (of_plan(phase="decode"), "plan_hardware"),
        (of_plan(replicas_per_domain=2), "plan_placement"),
    ],
)
def test_a_fleets_plan_is_checked(change: Change, rule: str, small: tuple[Question, Design]) -> None:
    question, design = small
    found = verify(change(design), question.catalogue, question.instance).findings
    assert rule in {finding.rule for finding in found}


def test_too_few_accelerators_are_refused(small: tuple[Question, Design]) -> None:
    question, design = small
    more = question.instance.model_copy(
        update={"fleets": (question.instance.fleets[0].model_copy(update={"accelerators": 33}),)}
    )
    rules = {finding.rule for finding in verify(design, question.catalogue, more).findings}
    assert {"replicas", "domains"} <= rules


def test_a_fleet_on_nics_too_slow_is_refused(small: tuple[Question, Design]) -> None:
    question, design = small
    fast = question.instance.fleets[0].model_copy(update={"scale_out_gbps": 800.0})
    instance = question.instance.model_copy(update={"fleets": (fast,)})
    changed = of_plan(scale_out_other_need_gbps=800.0)(design)
    assert "fleet_scale_out" in {row.rule for row in verify(changed, question.catalogue, instance).findings}


def test_an_accelerator_alone_carries_nothing_in_a_domain(tmp_path: Path) -> None:
    question, answer = answered(tmp_path, fleet(64, outside=6400) + PAPER, ENDPOINTS)
    design = designed(answer)
    assert designer.flow_check(design).ok
    wrong = of_plan(scale_up_need_gbps=1.0)(design)
    assert "scale_up_need" in {row.rule for row in verify(wrong, question.catalogue, question.instance).findings}
    assert not designer.flow_check(wrong).ok
    pool = design.pools[0]
    wired = replace(design, pools=(replace(pool, scale_up=replace(pool.scale_up, ports_per_accelerator=4)),))
    assert not verify(wired, question.catalogue, question.instance).ok
    _, none = answered(tmp_path, fleet(64, inside=1) + PAPER, ENDPOINTS)
    assert none.status == "infeasible"


# ----------------------------------------------------------------------------- mistakes in the file


def mistakes(folder: Path, text: str, overlay: Path | None = None) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        asked(folder, text, overlay)
    return {problem.key: problem.allowed for problem in caught.value.problems}


def test_mistakes_of_fleets_are_named(tmp_path: Path) -> None:
    assert mistakes(tmp_path, fleet(10, 12)) == {
        "fleets[0].job_accelerators": "allowed: at most the accelerators of the fleet (10)"
    }
    assert "a name of its own" in mistakes(tmp_path, fleet(1) + fleet(2))["fleets[1].name"]
    assert "a name of its own" in mistakes(tmp_path, WORK + fleet(2, name="chat"))["fleets[0].name"]
    assert set(mistakes(tmp_path, fleet(0))) == {"fleets[0].accelerators"}
    assert set(mistakes(tmp_path, fleet(1).replace("= 1\n", "= 1.5\n", 1))) == {"fleets[0].accelerators"}
    assert "did you mean accelerators" in mistakes(tmp_path, fleet(1) + "accelerator = 3\n")["fleets[0].accelerator"]
    assert mistakes(tmp_path, "") == {"workloads": "allowed: at least one [[workloads]] or [[fleets]] table"}
    assert mistakes(tmp_path, "fleets = []\n") == {
        "workloads": "allowed: at least one [[workloads]] or [[fleets]] table"
    }


def test_a_lone_vendor_domain_must_make_sense(tmp_path: Path) -> None:
    text = ENDPOINTS.read_text()
    for old, new in (('direct = "mesh"', 'direct = "torus", dims = [1, 1]'), ("per_host = 1", "per_host = 4")):
        changed = tmp_path / "overlay.toml"
        assert old in text
        changed.write_text(text.replace(old, new))
        assert any("stands alone" in str(row) for row in check_catalogue(load_catalogue(changed))), new
        question, answer = answered(tmp_path, fleet(8) + PAPER, changed)
        assert answer.status == "infeasible", new
        assert "endpoint" in {row.part for row in answer.not_offered}, question.instance.name
    assert "at least 2" in mistakes(tmp_path, fleet(8) + "[pin]\ndomain_size = 1\n")["pin.domain_size"]
    assert asked(tmp_path, fleet(8) + "[pin]\ndomain_size = 1\n", ENDPOINTS).instance.pin.domain_size == 1


def test_check_says_what_a_fleet_asks_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    question = asked(tmp_path, WORK + fleet(64, 8, inside=200, outside=100))
    show_question(question, as_json=False)
    words = capsys.readouterr().out
    assert "pool chat: decode of llama31_70b" in words
    assert "fleet train: 64 accelerators in jobs of 8, 100 Gb/s each outside, 200 Gb/s inside the domain" in words
    show_question(question, as_json=True)
    stated = json.loads(capsys.readouterr().out)
    assert [pool["name"] for pool in stated["pools"]] == ["chat"]
    assert stated["fleets"][0]["accelerators"] == 64
