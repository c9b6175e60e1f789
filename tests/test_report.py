"""The screen and ``result.json``: what a user reads says what the design holds, and reads back exactly."""

from __future__ import annotations

import json
import math
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import verify_designs
from hypothesis import given
from hypothesis import strategies as st

from designer.answer import Answer, ModelSize, NotOffered, Phase, Progress, Question, SolveOptions
from designer.design.types import Design
from designer.fabric import FlowReport, flow_check
from designer.problems import InputError
from designer.report.assemble import make_result
from designer.report.figures import TAKES_ALL, boundaries_of, counts, key_figures, margins
from designer.report.files import RESULT_NAME, check_target, write_folder, write_text
from designer.report.result import (
    SCHEMA_FILE,
    Recount,
    Result,
    design_from_json,
    design_to_json,
    from_json,
    json_schema,
    read_result,
    to_json,
)
from designer.report.screen import WIDTH, screen, usd
from designer.runs import answer_result
from designer.verify import verify

TEXT = "title = 1\n"
ANSWER = Answer(
    status="optimal",
    design=None,
    account=None,
    objective_usd=None,
    bound_usd=None,
    gap=None,
    model=ModelSize(10, 20, 30, 5, 1, 100.0, 7, 70, 3, 30),
    not_offered=(NotOffered("dac_3200", "link", "available from 2029-Q1"),) * 20,
    what_ifs=("pool w: a domain of 16 h100_sxm; its vendor has announced 8 at most",),
    assumptions=tuple(f"part_{i}.figure = {i}" for i in range(40)),
    clash=(),
    trace=(Progress(0.1, None, 1.0, None), Progress(0.2, 2.0, 1.0, 0.5)),
    phases=(Phase("solve", 1.0, 0.5),),
    options={"gap": 1e-6, "write_mps": Path("a.mps")},
    versions={"python": "3"},
)


def question_of(catalogue: Any, instance: Any) -> Question:
    import hashlib

    return Question(
        instance=instance,
        catalogue=catalogue,
        instance_file="a.toml",
        instance_sha256=hashlib.sha256(TEXT.encode()).hexdigest(),
        instance_text=TEXT,
    )


def solved(design: Design, catalogue: Any, instance: Any, **changes: Any) -> Result:
    account = verify(design, catalogue, instance).account
    answer = replace(
        ANSWER,
        design=design,
        account=account,
        objective_usd=account.objective_usd,
        bound_usd=account.objective_usd * 0.99,
        gap=0.01,
        **changes,
    )
    return answer_result(question_of(catalogue, instance), SolveOptions(seed=7), answer)


@pytest.fixture(scope="module", params=["rack", "pod"])
def case(request: pytest.FixtureRequest) -> tuple[Design, Any, Any]:
    catalogue = verify_designs.round_catalogue()
    if request.param == "rack":
        return verify_designs.rack_design(), catalogue, verify_designs.rack_instance()
    return verify_designs.pod_design(), catalogue, verify_designs.pod_instance()


@pytest.fixture(scope="module")
def result(case: tuple[Design, Any, Any]) -> Result:
    return solved(*case)


# ----------------------------------------------------------------------------- result.json


def test_design_reads_back_exactly(case: tuple[Design, Any, Any]) -> None:
    design = case[0]
    assert design_from_json("d.json", design_to_json(design)) == design


def test_result_reads_back_exactly(result: Result, tmp_path: Path) -> None:
    assert from_json("r.json", to_json(result)) == result
    (tmp_path / RESULT_NAME).write_text(to_json(result))
    assert read_result(tmp_path) == read_result(tmp_path / RESULT_NAME) == result
    assert to_json(from_json("r.json", to_json(result))) == to_json(result)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(min_value=5e-324, allow_infinity=False))
def test_every_float_reads_back_exactly(need: float, length: float) -> None:
    design = verify_designs.rack_design()
    pool = design.pools[0]
    changed = replace(
        design,
        pools=(
            replace(
                pool,
                attachment=replace(pool.attachment, need_gbps=need),
                nic_leaf=replace(pool.nic_leaf, length_m=length),
            ),
        ),
    )
    assert design_from_json("d.json", design_to_json(changed)) == changed


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_json_does_not_have_are_never_written(value: float) -> None:
    design = verify_designs.rack_design()
    pool = replace(design.pools[0], attachment=replace(design.pools[0].attachment, need_gbps=value))
    with pytest.raises(ValueError, match="not JSON compliant"):
        design_to_json(replace(design, pools=(pool,)))


def test_result_carries_the_question_and_the_proof(result: Result) -> None:
    assert result.instance.text == TEXT
    assert result.seed == 7
    assert result.options["write_mps"] == "a.mps"
    proof, account = result.proof, result.account
    assert proof is not None
    assert account is not None
    assert proof.gap_usd == pytest.approx(0.01 * account.objective_usd)
    assert proof.gap_share_of_fabric == pytest.approx(0.01 * account.objective_usd / account.fabric_usd)
    assert result.recount == Recount(ok=True, findings=())
    assert isinstance(result.flow, FlowReport)
    assert [phase.name for phase in result.phases] == ["solve", "recount", "flow check"]


def damaged(result: Result, *path: str | int, value: object = None, drop: bool = False) -> str:
    data = json.loads(to_json(result))
    at: Any = data
    for step in path[:-1]:
        at = at[step]
    if drop:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("schema_version",), 1, "schema_version"),
        (("schema_version",), None, "schema_version"),
        (("status",), "fine", "status"),
        (("surprise",), 1, "surprise"),
        (("design", "surprise"), 1, "design.surprise"),
        (("design", "pools", 0, "plan", "surprise"), 1, "design.pools[0].plan.surprise"),
        (("design", "pools", 0, "domains"), "16", "design.pools[0].domains"),
        (("design", "pools", 0, "domains"), 1.5, "design.pools[0].domains"),
        (("design", "pools", 0, "phase"), "train", "design.pools[0].phase"),
        (("instance", "text"), "other", "instance.text"),
        (("instance", "sha256"), "xyz", "instance.sha256"),
    ],
)
def test_a_damaged_result_is_named_by_its_key(
    result: Result, path: tuple[str | int, ...], value: object, key: str
) -> None:
    with pytest.raises(InputError) as caught:
        from_json("r.json", damaged(result, *path, value=value))
    assert key in [problem.key for problem in caught.value.problems]


def test_a_missing_key_is_named(result: Result) -> None:
    with pytest.raises(InputError, match=r"design\.fabric: read nothing"):
        from_json("r.json", damaged(result, "design", "fabric", drop=True))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, "\x00", '{"schema_version": NaN}', '"\\ud800"'])
def test_junk_is_no_result(text: str) -> None:
    with pytest.raises(InputError):
        from_json("r.json", text)


def test_bytes_that_are_no_text_are_no_result(tmp_path: Path) -> None:
    (tmp_path / RESULT_NAME).write_bytes(b"\xff\xfe\x00junk")
    with pytest.raises(InputError):
        read_result(tmp_path)


def test_the_schema_file_is_that_of_the_program() -> None:
    # After a change: python -c "from designer.report.result import *; SCHEMA_FILE.write_text(json_schema())"
    assert SCHEMA_FILE.read_text() == json_schema()
    schema = json.loads(json_schema())
    assert schema["properties"]["schema_version"] == {"const": 2, "title": "Schema Version", "type": "integer"}


# ----------------------------------------------------------------------------- figures


def test_counts_are_those_of_the_design(case: tuple[Design, Any, Any]) -> None:
    design = case[0]
    found = counts(design, racks=12)
    assert sum(found.accelerators.values()) == sum(pool.accelerators for pool in design.pools)
    assert sum(found.scale_out_switches.values()) == sum(stage.count for stage in design.fabric.stages)
    ends = sum(boundary.lower_ends + boundary.upper_ends for _, boundary in boundaries_of(design))
    assert sum(found.link_ends.values()) == ends
    assert found.racks == 12


def test_key_figures_add_up(case: tuple[Design, Any, Any]) -> None:
    design, catalogue, instance = case
    account = verify(design, catalogue, instance).account
    figures = key_figures(design, account, instance)
    parts = (
        figures.capital_usd_per_year,
        figures.facility_usd_per_year,
        figures.energy_usd_per_year,
        figures.failures_usd_per_year,
    )
    assert sum(parts) == pytest.approx(account.annual_usd, rel=1e-9)
    tokens_a_year = figures.tokens_per_s * 365 * 24 * 3600
    assert figures.usd_per_million_tokens * tokens_a_year / 1e6 == pytest.approx(account.annual_usd)


def test_margins_are_sorted_and_within_their_limits(case: tuple[Design, Any, Any]) -> None:
    design, catalogue, instance = case
    rows = margins(design, verify(design, catalogue, instance).account, instance)
    assert [row.share for row in rows] == sorted((row.share for row in rows), reverse=True)
    assert all(row.share <= 1 + 1e-9 for row in rows if row.note != "unvalidated estimate")
    for pool in design.pools:
        assert any(row.what == f"{pool.name}: scale-up bandwidth" for row in rows)


# ----------------------------------------------------------------------------- the screen


def test_the_screen_is_one_screen(result: Result) -> None:
    lines = screen(result, "runs/a").splitlines()
    assert len(lines) <= 46
    assert max(len(line) for line in lines) <= WIDTH


def test_the_screen_says_what_to_buy_and_how_sure_it_is(result: Result, case: tuple[Design, Any, Any]) -> None:
    design = case[0]
    text = " ".join(screen(result, "runs/a").split())
    for pool in design.pools:
        assert f"{pool.accelerators:,} x {pool.accelerator}" in text
        assert pool.scale_up.switch in text
        assert pool.nic_leaf.lower_link in text
    for stage in design.fabric.stages:
        assert f"{stage.count:,} {stage.name} {stage.switch}" in text
    for words in (
        "proven: none below",
        "gap 0.01",
        "per million",
        "hard repairs",
        "job hits",
        "hours lost",
        "cleanings",
    ):
        assert words in text
    for label in (
        "WHAT-IFS",
        "ASSUMED 40 figures",
        "NOT OFFERED 20 parts",
        "RECOUNT agrees",
        "FLOW CHECK",
        "STORED runs/a",
    ):
        assert label in text
    assert text.count("TTFT") == text.count("(unvalidated estimate)")


def test_the_screen_of_an_instance_without_a_design() -> None:
    catalogue = verify_designs.round_catalogue()
    question = question_of(catalogue, verify_designs.rack_instance())
    answer = replace(ANSWER, status="infeasible", clash=("site.racks = 1", "least change: 12 racks"), not_offered=())
    text = screen(make_result(question, SolveOptions(), answer, None, None))
    status = ["STATUS       NO DESIGN: these exclude each other", "  *          site.racks = 1"]
    assert "\n".join([*status, "  *          least change: 12 racks", ""]) in text
    for status in ("limit", "interrupted"):
        text = screen(make_result(question, SolveOptions(), replace(answer, status=status, clash=()), None, None))
        assert "NO ANSWER" in text


@pytest.mark.parametrize(("status", "word"), [("interrupted", "INTERRUPTED"), ("limit", "time limit reached")])
def test_the_screen_marks_an_answer_that_is_not_final(case: tuple[Design, Any, Any], status: str, word: str) -> None:
    assert word in screen(solved(*case, status=status))


def test_the_screen_shows_a_failed_check(result: Result, case: tuple[Design, Any, Any]) -> None:
    design = case[0]
    fabric = design.fabric
    broken = replace(fabric, boundaries=tuple(replace(row, links=row.links + 1) for row in fabric.boundaries))
    flow = flow_check(replace(design, fabric=broken))
    assert not flow.ok
    text = screen(
        result.model_copy(update={"flow": flow, "recount": Recount(ok=False, findings=("cables: 3, not 4",))})
    )
    assert "FLOW CHECK   FAILS" in text
    assert "CONTRADICTS the design: cables: 3, not 4" in text


@given(st.floats(min_value=0.01, max_value=1e15))
def test_amounts_are_written_within_one_percent(value: float) -> None:
    text = usd(value)
    scale = {"k": 1e3, "M": 1e6, "B": 1e9}.get(text[-1], 1.0)
    assert float(text.strip("$kMB").replace(",", "")) * scale == pytest.approx(value, rel=0.01)


# ----------------------------------------------------------------------------- files


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text(tmp_path / "a.txt", "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_text(tmp_path / "a.txt", "new")
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


@pytest.mark.parametrize("error", [OSError("disk"), KeyboardInterrupt()])
@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("moment", [1, 2, 3])
def test_a_failed_folder_leaves_the_old_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, existing: bool, moment: int
) -> None:
    run = tmp_path / "run"
    if existing:
        write_folder(run, {"a.txt": "old"})
    rename, calls = Path.rename, 0

    def fail(self: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == moment:
            raise error
        return rename(self, target)

    def fail_write(path: Path, text: str) -> None:
        raise error

    if moment == 3:
        monkeypatch.setattr("designer.report.files.write_text", fail_write)
    monkeypatch.setattr(Path, "rename", fail)
    renames = 2 if existing else 1
    if moment == 3 or moment <= renames:
        with pytest.raises(type(error)):
            write_folder(run, {"a.txt": "new", "b.txt": "new"})
        assert names(tmp_path) == (["run", "run/a.txt"] if existing else [])
        if existing:
            assert (run / "a.txt").read_text() == "old"


def test_only_a_run_of_the_same_instance_is_replaced(tmp_path: Path) -> None:
    run = tmp_path / "deep" / "run"
    check_target(run, "a")
    write_folder(run, {RESULT_NAME: json.dumps({"instance": {"name": "a"}})})
    check_target(run, "a")
    with pytest.raises(InputError, match="no run of the instance 'b'"):
        check_target(run, "b")
    (run / RESULT_NAME).write_text("{")
    with pytest.raises(InputError, match="no run of the instance 'a'"):
        check_target(run, "a")
    (run / RESULT_NAME).unlink()
    check_target(run, "a")  # an empty folder may be used
    file = tmp_path / "file"
    file.write_text("")
    for place in (file, file / "below"):
        with pytest.raises(InputError):
            check_target(place, "a")
    link = tmp_path / "link"
    link.symlink_to(run)
    with pytest.raises(InputError, match="not a folder"):
        check_target(link, "a")
    assert names(tmp_path) == ["deep", "deep/run", "file", "link"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written_is_refused_before_solving() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o500)
        with pytest.raises(InputError):
            check_target(Path(folder, "run"), "a")


def test_what_the_token_model_uses_up_by_itself_is_not_called_tight(result: Result) -> None:
    """Exchanges run at the rate of the links: that is no limit near, and stands behind whatever is."""
    assert result.design is not None
    shares = {row.what: row for row in result.margins}
    for pool in result.design.pools:
        row = shares[f"{pool.name}: scale-up bandwidth"]
        assert (row.note == TAKES_ALL) == (row.share >= 1 - 1e-9 and not pool.plan.measured)
    told = replace(row, share=1.0, used=row.limit, note=TAKES_ALL)
    others = tuple(other for other in result.margins if "scale-up bandwidth" not in other.what)
    text = screen(result.model_copy(update={"margins": (told, *others)}))
    line = " ".join(text.partition("TIGHTEST")[2].partition("RECOUNT")[0].split())
    assert line.startswith(others[0].what) and "scale-up" not in line
