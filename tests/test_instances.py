"""The shipped instances: each is read without a complaint, says what it imitates, is solved, proven and recounted.

Two are held against published counts of the systems they imitate; one must have no design.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from solved_instances import FOLDER, solved
from test_known_machines import INSTANCES as KNOWN
from typer.testing import CliRunner

import designer
from designer.cli.app import app
from designer.instance.pools import pools_of
from designer.report.result import Result, read_result
from designer.runs import verify_stored

INSTANCES = sorted(path.stem for path in FOLDER.glob("*.toml"))
INFEASIBLE = "no-design"
# Those solved in test_known_machines.py are in neither list; the long ones take 10 s to some minutes each.
QUICK = (
    "cpo-or-pluggable-10k",
    "cpo-or-pluggable-1k",
    "deepseek-v3-blackwell",
    "deepseek-v3-h800",
    "llama-405b-chat",
    "mixed-fleet",
    "narrow-switches-16k",
    "qwen3-235b",
    "spare-racks",
    "two-leaf-pod",
)
LONG = (
    "budget-capped",
    "cpo-or-pluggable-100k",
    "gpt-oss-120b",
    "gpu-or-asic",
    "hundred-thousand",
    "kimi-k2",
    "power-capped",
    "three-workloads",
)


@pytest.mark.parametrize("name", INSTANCES)
def test_instance_is_read_and_says_where_it_comes_from(name: str) -> None:
    text = (FOLDER / f"{name}.toml").read_text()
    question = designer.load(FOLDER / f"{name}.toml")
    assert question.instance.name == name
    assert question.instance.imitates
    header = [line for line in text.splitlines() if line.startswith("#")]
    assert sum(map(len, header)) > 300
    checked = CliRunner().invoke(app, ["check", str(FOLDER / f"{name}.toml")])
    assert checked.exit_code == 0, checked.output
    assert "warning" not in checked.output.lower()


@pytest.mark.parametrize("path", sorted((FOLDER / "scale").glob("*.toml")), ids=lambda path: path.stem)
def test_question_of_scale_is_read(path: Path) -> None:
    instance = designer.load(path).instance
    assert instance.name == path.stem
    base = designer.load(path.with_name(f"{path.stem.removesuffix('-x100')}.toml")).instance
    times = 100 if path.stem.endswith("-x100") else 1
    for work, small in zip(instance.workloads, base.workloads, strict=True):
        assert work.output_tokens_per_s == pytest.approx(times * small.output_tokens_per_s)
    pools = {"one": 1, "three": 3, "ten": 10}[path.stem.split("-")[0]]
    assert len(pools_of(instance)) == pools


def test_every_instance_is_solved_by_some_test() -> None:
    assert {*QUICK, *LONG, INFEASIBLE, *KNOWN} == set(INSTANCES)


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in LONG)])
def test_instance_is_solved_proven_and_recounted(name: str) -> None:
    run = solved(name, flow_check=False)
    assert run.result.status == "optimal"
    assert run.agrees
    proof = run.result.proof
    assert proof is not None
    assert proof.gap is not None
    assert 0 <= proof.gap <= 1e-6
    assert run.folder is not None
    assert verify_stored(run.folder, flow_check=False).ok
    for pool in pools_served(run.result):
        assert pool >= 1


def pools_served(result: Result) -> list[float]:
    """Tokens (of a fleet: accelerators) each pool has over those asked at the peak, from the design alone."""
    design = result.design
    assert design is not None
    question = designer.load(FOLDER / f"{design.instance}.toml")
    asked: dict[str, float] = {fleet.name: float(fleet.accelerators) for fleet in question.instance.fleets}
    for load in question.instance.workloads:
        peak = load.output_tokens_per_s * load.peak_factor
        prompts = peak * load.prompt_tokens * (1 - load.prefix_hit_share) / load.output_tokens
        asked |= {f"{load.name}.prefill": prompts, f"{load.name}.decode": peak, load.name: peak}
        if load.serve == "prefill":
            asked[load.name] = prompts
    return [
        p.replicas
        * p.plan.accelerators_per_replica
        * p.plan.tokens_per_s_per_accelerator
        / (asked[p.pool] * p.share[0] / p.share[1])
        * (1 + 1e-9)
        for p in design.pools
    ]


def test_deepseeks_fleet_comes_out_as_published() -> None:
    """278 nodes of 8 H800 at the peak; 14.8k output tokens per node; 0.52 USD per million output tokens.

    The money is 2 USD per GPU-hour x 226.75 nodes x 8 x 24 h for 168 billion tokens, the page's own sum.
    """
    design = solved("deepseek-v3-h800", flow_check=False).result.design
    assert design is not None
    fleet = sum(pool.accelerators for pool in design.pools)
    assert fleet == pytest.approx(278 * 8, rel=0.15)
    (decode,) = [pool for pool in design.pools if pool.phase == "decode"]
    assert decode.plan.tokens_per_s_per_accelerator == pytest.approx(14_800 / 8, rel=0.3)
    account = solved("deepseek-v3-h800", flow_check=False).result.account
    assert account is not None
    tokens = 168e9 * 365.25
    assert account.objective_usd / tokens * 1e6 == pytest.approx(2 * 226.75 * 8 * 24 / 168e9 * 1e6, rel=0.3)
    leaf = design.fabric.stages[0]
    assert leaf.down_ports <= leaf.up_ports


def test_one_rack_gives_more_tokens_per_gpu_than_one_board() -> None:
    """The same FP8 LLM on GB200 in a rack of 72 beats DeepSeek's H800 in boards of 8 by two to five times per GPU.

    SGLang: 9,087 output tokens per second and GB200 against 2,785 per H100 at 2,000 tokens (3.3 times).
    """
    rates = []
    for name in ("deepseek-v3-blackwell", "deepseek-v3-h800"):
        design = solved(name, flow_check=False).result.design
        assert design is not None
        (decode,) = [pool for pool in design.pools if pool.phase == "decode"]
        rates.append(decode.plan.tokens_per_s_per_accelerator)
    assert 2 <= rates[0] / rates[1] <= 5


def test_no_design_names_the_clash_and_leaves_with_3(tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["solve", str(FOLDER / f"{INFEASIBLE}.toml"), "--out", str(tmp_path / "run")])
    assert run.exit_code == 3, run.output
    assert "site.it_power_mw" in run.output
    result = read_result(tmp_path / "run" / "result.json")
    assert result.status == "infeasible"
    assert result.design is None
    assert any("site.it_power_mw" in line for line in result.clash)
