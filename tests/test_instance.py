"""Instance files: right ones are read, and wrong ones answered with every mistake, its file and its key."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from designer.instance.contradictions import Parts, contradictions
from designer.instance.load import load, load_text, read_instance
from designer.instance.pools import pools_of
from designer.instance.schema import Instance, Workload
from designer.problems import InputError, Problem
from designer.reading import parse_toml

ROOT = Path(__file__).resolve().parent.parent
INSTANCES = sorted((ROOT / "instances").glob("*.toml"))

HEAD = 'schema_version = 1\nname = "a"\ntitle = "A"\n'
WORK = """[[workloads]]
name = "w"
llm = "deepseek_v3"
serve = "decode"
prompt_tokens = 4096
output_tokens = 1024
output_tokens_per_s = 1000
tpot_ms = 50
"""
GOOD = HEAD + WORK


def problems_of(tmp_path: Path, text: str | bytes) -> dict[str, Problem]:
    file = tmp_path / "a.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputError) as caught:
        load(file)
    assert all(problem.file == str(file) for problem in caught.value.problems)
    return {problem.key: problem for problem in caught.value.problems}


# ----------------------------------------------------------------------------- right files


@pytest.mark.parametrize("path", INSTANCES, ids=lambda path: path.stem)
def test_shipped_instances_are_valid_and_say_whom_they_imitate(path: Path) -> None:
    question = load(path)
    assert question.instance.name == path.stem
    assert question.instance.imitates
    assert path.read_text().startswith("# ")
    assert question.instance_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_question_carries_what_was_read(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    (tmp_path / "points.csv").write_text("x\n")
    file.write_text(HEAD.replace('"A"', '"Ü"') + 'measured_points = "points.csv"\n' + WORK)
    question = load(file)
    assert question.instance_text == file.read_text()
    assert question.measured_points == tmp_path / "points.csv"
    assert question.measured_sha256 == hashlib.sha256(b"x\n").hexdigest()
    assert question.overlay_file is None
    again = load_text("stored", question.instance_text)
    assert again.instance == question.instance
    assert again.instance_sha256 == question.instance_sha256


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_text_as_read_hashes_to_what_was_read(tmp_path: Path, prefix: bytes, newline: str) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(prefix + GOOD.replace("\n", newline).encode())
    question = load(file)
    assert hashlib.sha256(question.instance_text.encode()).hexdigest() == question.instance_sha256
    assert load_text("stored", question.instance_text).instance == question.instance


def test_whole_numbers_are_fine_where_numbers_are_asked(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(GOOD)
    assert load(file).instance.workloads[0].output_tokens_per_s == 1000.0


# ----------------------------------------------------------------------------- files that cannot be read


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.toml: read no such file"):
        load(tmp_path / "absent.toml")


def test_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="read a directory"):
        load(tmp_path)


def test_path_with_nul() -> None:
    with pytest.raises(InputError, match="a path that cannot exist"):
        load("a\0b.toml")


def test_device_is_not_opened() -> None:
    with pytest.raises(InputError, match="not a regular file"):
        load("/dev/zero")


def test_huge_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    with file.open("wb") as stream:
        stream.truncate(200_000_000)  # sparse: costs no disk
    with pytest.raises(InputError, match="read 200000000 bytes; allowed: at most"):
        load(file)


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)),
        b"\xff\xfe" + "schema_version = 1".encode("utf-16-le"),
        b"PK\x03\x04",
        b"\x00" * 100,
        b'{"json": 1}',
        b"a = 1\na = 2\n",
        b"= 3",
        b"a = " + b"9" * 5000,
        b"a = " + b"[" * 5000,
        b"a." * 9000 + b"a = 1",
        b"[[" + b"a." * 500 + b"a]]",
    ],
    ids=["elf", "utf16", "zip", "nul", "json", "duplicate", "no-key", "digits", "lists", "dots", "tables"],
)
def test_junk(tmp_path: Path, content: bytes) -> None:
    found = problems_of(tmp_path, content)
    assert len(found) == 1
    assert next(iter(found.values())).key == ""


def test_empty_file_names_what_is_required(tmp_path: Path) -> None:
    found = problems_of(tmp_path, b"")
    assert set(found) == {"schema_version", "name", "title", "workloads"}


# ----------------------------------------------------------------------------- single keys


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        ('tpot_ms = "50 ms"', "workloads[0].tpot_ms", "a valid number"),
        ("tpot_ms = nan", "workloads[0].tpot_ms", "a finite number"),
        ("tpot_ms = inf", "workloads[0].tpot_ms", "a finite number"),
        ("tpot_ms = -inf", "workloads[0].tpot_ms", "a finite number"),
        ("tpot_ms = -1", "workloads[0].tpot_ms", "greater than 0"),
        ("tpot_ms = 0", "workloads[0].tpot_ms", "greater than 0"),
        ("tpot_ms = true", "workloads[0].tpot_ms", "a valid number"),
        ("tpot_ms = [50]", "workloads[0].tpot_ms", "a valid number"),
        ("tpot_ms = 2026-01-01", "workloads[0].tpot_ms", "a valid number"),
        ("tpot_s = 0.05", "workloads[0].tpot_s", "did you mean tpot_ms"),
        ("ttft = 1", "workloads[0].ttft", "did you mean ttft_ms"),
    ],
)
def test_wrong_values_and_units(tmp_path: Path, change: str, key: str, words: str) -> None:
    found = problems_of(tmp_path, GOOD.replace("tpot_ms = 50", change))
    assert words in found[key].allowed


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        ("[sitee]\npue = 1", "sitee", "did you mean site"),
        ("[site]\nracks = 2.5", "site.racks", "a valid integer"),
        ("[site]\npue = 0.5", "site.pue", "greater than or equal to 1"),
        ("[site.lengths]\nscale_up = 20", "site.lengths.scale_up", "did you mean scale_up_m"),
        ("[site.lengths]\nscale_up_m = -20", "site.lengths.scale_up_m", "greater than 0"),
        ("[money]\nwacc = 9", "money.wacc", "less than 1"),
        ("[risk]\nusd_per_job_hit = -1", "risk.usd_per_job_hit", "greater than or equal to 0"),
        ("[choose]\nscale_out_stages = [5]", "choose.scale_out_stages[0]", "1, 2, 3 or 4"),
        ("[choose]\nlinks = 'dr8_800'", "choose.links", "a list"),
        ("[choose]\nlinks = []", "choose.links", "at least one"),
        ("[choose]\nlinks = ['dr8_800', 'dr8_800']", "choose.links", "each once"),
        ("[choose]\ndomain_sizes = [1, 8]", "choose.domain_sizes", "at least 2"),
        ("[choose]\nlinks = ['dr8_80']", "choose.links[0]", "did you mean dr8_800"),
        ("[choose]\naccelerators = ['gb200']", "choose.accelerators[0]", "gb200_nvl72"),
        ("[choose]\nnics = ['nic_80']", "choose.nics[0]", "nic_800"),
        ("[choose]\nbeyond_announced = ['gaudi4']", "choose.beyond_announced[0]", "gaudi3"),
        ("[choose]\nscale_up_switches = ['th5_64x800']", "choose.scale_up_switches[0]", "scale out switches"),
        ("[choose]\nscale_out_switches = ['th5']", "choose.scale_out_switches[0]", "th5_64x800"),
        ("[pin]\nleaf_switch = 'nvswitch3'", "pin.leaf_switch", "scale up switches"),
        ("[pin]\naccelerator = 'gb200_nvl27'", "pin.accelerator", "did you mean gb200_nvl72"),
        ("[pin]\ndomain_size = 0", "pin.domain_size", "greater than or equal to 1"),
        ("[pin]\ndomain_size = 1", "pin.domain_size", "at least 2"),
    ],
)
def test_wrong_tables(tmp_path: Path, table: str, key: str, words: str) -> None:
    assert words in problems_of(tmp_path, GOOD + table + "\n")[key].allowed


def test_unknown_llm_is_answered_with_the_nearest(tmp_path: Path) -> None:
    found = problems_of(tmp_path, GOOD.replace("deepseek_v3", "deepseek_v33"))
    assert "did you mean deepseek_v3?" in found["workloads[0].llm"].allowed


def test_schema_version_of_another_program(tmp_path: Path) -> None:
    assert (
        "1" in problems_of(tmp_path, GOOD.replace("schema_version = 1", "schema_version = 2"))["schema_version"].allowed
    )


def test_name_that_is_no_folder_name(tmp_path: Path) -> None:
    assert "name" in problems_of(tmp_path, GOOD.replace('"a"', '"../a"'))


def test_a_mistake_in_a_workload_is_one_mistake(tmp_path: Path) -> None:
    assert set(problems_of(tmp_path, GOOD.replace("= 50", '= "50 ms"'))) == {"workloads[0].tpot_ms"}
    assert "at least one [[workloads]]" in problems_of(tmp_path, HEAD + "workloads = []\n")["workloads"].allowed
    assert problems_of(tmp_path, HEAD + "workloads = 3\n").keys() == {"workloads"}


@pytest.mark.parametrize("title", [r"\u001b[31m", r"a\nb", "x" * 201])
def test_a_title_is_one_short_line_without_escapes(tmp_path: Path, title: str) -> None:
    problem = problems_of(tmp_path, GOOD.replace('"A"', f'"{title}"'))["title"]
    assert problem.allowed == "allowed: one line of at most 200 characters"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (GOOD.replace("_s = 1000", "_s = 1e308"), "workloads[0].output_tokens_per_s"),
        (GOOD.replace("_s = 1000", "_s = 1e-308"), "workloads[0].output_tokens_per_s"),
        (GOOD + "[risk]\nusd_per_job_hit = 1e300\n", "risk.usd_per_job_hit"),
        (GOOD + "[site]\nelectricity_usd_per_kwh = 1e308\n", "site.electricity_usd_per_kwh"),
        (GOOD + "[money]\nwacc = 1e-300\n", "money.wacc"),
    ],
)
def test_figures_that_would_overflow_are_refused(tmp_path: Path, text: str, key: str) -> None:
    assert set(problems_of(tmp_path, text)) == {key}


def test_terminal_escapes_do_not_reach_the_message(tmp_path: Path) -> None:
    found = problems_of(tmp_path, GOOD + '[choose]\nlinks = ["\\u001b[2J"]\n"\\u001b]0;x" = 1\n')
    assert "\x1b" not in "".join(str(problem) for problem in found.values())


# ----------------------------------------------------------------------------- contradictions


def workload(**changes: Any) -> Workload:
    base = {
        "name": "w",
        "llm": "deepseek_v3",
        "serve": "decode",
        "prompt_tokens": 10,
        "output_tokens": 10,
        "output_tokens_per_s": 1.0,
        "tpot_ms": 50.0,
    }
    return Workload.model_validate({**base, **changes})


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"tpot_ms": None}, "tpot_ms"),
        ({"serve": "together", "tpot_ms": None}, "tpot_ms"),
        ({"serve": "disaggregated", "tpot_ms": None}, "tpot_ms"),
        ({"serve": "prefill"}, "tpot_ms"),
        ({"ttft_ms": 100.0}, "ttft_ms"),
        ({"accepted_tokens": 1.0}, "accepted_tokens"),
        ({"accepted_tokens": 2.5, "draft_tokens": 2}, "accepted_tokens"),
        ({"serve": "prefill", "tpot_ms": None, "draft_tokens": 1}, "draft_tokens"),
        ({"serve": "prefill", "tpot_ms": None, "prefix_hit_share": 1.0}, "prefix_hit_share"),
        ({"serve": "disaggregated", "prefix_hit_share": 1.0}, "prefix_hit_share"),
    ],
)
def test_workloads_that_contradict_themselves(changes: dict[str, Any], key: str) -> None:
    found = contradictions(Parts("a.toml", ((0, workload(**changes)),), None, None))
    assert [problem.key for problem in found] == [f"workloads[0].{key}"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"serve": "prefill", "tpot_ms": None, "ttft_ms": 100.0},
        {"serve": "disaggregated", "ttft_ms": 100.0},
        {"serve": "together", "ttft_ms": 100.0, "accepted_tokens": 1.0, "draft_tokens": 1},
    ],
)
def test_workloads_that_do_not(changes: dict[str, Any]) -> None:
    assert not contradictions(Parts("a.toml", ((0, workload(**changes)),), None, None))


def test_duplicate_workload_names(tmp_path: Path) -> None:
    assert "a name of its own" in problems_of(tmp_path, HEAD + WORK + WORK)["workloads[1].name"].allowed


def test_names_that_collide_only_as_pools() -> None:
    both = workload(name="chat", serve="disaggregated")
    other = workload(name="chat.decode")
    found = contradictions(Parts("a.toml", ((0, both), (1, other)), None, None))
    assert [problem.key for problem in found] == ["workloads[1].name"]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("[choose]\naccelerators = ['b200_hgx']\n[pin]\naccelerator = 'gb200_nvl72'", "pin.accelerator"),
        (
            "[choose]\nscale_up_switches = ['nvswitch3']\n[pin]\nscale_up_switch = 'nvswitch4_chip'",
            "pin.scale_up_switch",
        ),
        ("[choose]\nscale_out_switches = ['qm9700']\n[pin]\nleaf_switch = 'q3400'", "pin.leaf_switch"),
        ("[choose]\nscale_out_switches = ['qm9700']\n[pin]\nspine_switch = 'q3400'", "pin.spine_switch"),
        ("[choose]\nscale_out_switches = ['qm9700']\n[pin]\ncore_switch = 'q3400'", "pin.core_switch"),
        ("[choose]\ndomain_sizes = [8, 16]\n[pin]\ndomain_size = 72", "pin.domain_size"),
        ("[choose]\nscale_out_stages = [1, 2]\n[pin]\nscale_out_stages = 3", "pin.scale_out_stages"),
        ("[pin]\nscale_out_stages = 1\nspine_switch = 'q3400'", "pin.spine_switch"),
        ("[choose]\nscale_out_stages = [1, 2]\n[pin]\ncore_switch = 'q3400'", "pin.core_switch"),
        ("[pin]\naccelerator = 'h100_sxm'\ndomain_size = 16", "pin.domain_size"),
        ("[pin]\naccelerator = 'h100_sxm'\ndomain_size = 7", "pin.domain_size"),
        ("[pin]\nleaf_switch = 'q3400'\nspine_switch = 'th5_64x800'", "pin.spine_switch"),
        ("[choose]\naccelerators = ['b200_hgx']\nbeyond_announced = ['gaudi3']", "choose.beyond_announced[0]"),
        ("[choose]\nscale_out_stages = [3]\nmax_taper = 1.0\nspine_tapers = [2.0]", "choose.spine_tapers"),
        ("[choose]\nscale_out_stages = [4]\nmax_taper = 1.0\ncore_tapers = [2.0]", "choose.core_tapers"),
        (
            "[choose]\nscale_out_switches = ['qm9700']\nscale_out_stages = [4]\n[pin]\ntop_switch = 'q3400'",
            "pin.top_switch",
        ),
        ("[pin]\ncore_top_links = 'aoc_800'", "pin.core_top_links"),
        ("[pin]\nleaf_leaf_links = 'aoc_800'", "pin.leaf_leaf_links"),
        ("[choose]\nscale_out_shapes = ['mesh']\n[pin]\ngroup_group_links = 'aoc_800'", "pin.group_group_links"),
        ("[choose]\nscale_out_shapes = ['mesh']\n[pin]\nscale_out_stages = 2", "pin.scale_out_stages"),
        ("[choose]\nscale_out_shapes = ['hyperx']\n[risk]\nmax_single_failure_share = 0.5", "choose.scale_out_shapes"),
        ("[choose]\nscale_out_shapes = ['mesh']\n[objective]\nmaximise_tokens = true", "objective.maximise_tokens"),
        ("[choose]\nspare_planes = [2]\n[pin]\nscale_up_planes = 2", "choose.spare_planes"),
        ("[choose]\nmixed_parts = 3\nmixed_steps = 2", "choose.mixed_parts"),
        ("[choose]\nmixed_steps = 2", "choose.mixed_steps"),
        ("measured_points = 'absent.csv'", "measured_points"),
        ("measured_points = '.'", "measured_points"),
        ("measured_points = ''", "measured_points"),
    ],
)
def test_limits_and_pins_that_exclude_each_other(tmp_path: Path, table: str, key: str) -> None:
    text = HEAD + table + "\n" + WORK if table.startswith("measured") else GOOD + table + "\n"
    assert list(problems_of(tmp_path, text)) == [key]


def test_a_larger_domain_may_be_asked_for_as_a_what_if(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(
        GOOD + "[choose]\nbeyond_announced = ['h100_sxm']\n[pin]\naccelerator = 'h100_sxm'\ndomain_size = 16\n"
    )
    assert load(file).instance.pin.domain_size == 16


def test_a_mistake_beside_a_name_does_not_hide_it(tmp_path: Path) -> None:
    text = GOOD.replace("deepseek_v3", "deepseek_v4").replace("tpot_ms = 50", "tpot_ms = -1")
    text += (
        "[choose]\naccelerators = ['h10']\nmax_taper = 0.5\n[pin]\nrails = 0\ncore_switch = 'q340'\n[stock]\nh10 = -1\n"
    )
    assert set(problems_of(tmp_path, text)) == {
        "workloads[0].tpot_ms",
        "workloads[0].llm",
        "choose.max_taper",
        "choose.accelerators[0]",
        "pin.rails",
        "pin.core_switch",
        "stock.h10",
    }


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    overlay = tmp_path / "prices.toml"
    overlay.write_text("[[accelerators]]\nid = 'h100_sxm'\nprice_usd = -1\n")
    file = tmp_path / "a.toml"
    file.write_text(
        HEAD
        + WORK.replace("tpot_ms = 50", "tpot_ms = 'x'\nspeed = 1")
        + WORK.replace("deepseek_v3", "gpt9")
        + "[choose]\naccelerators = []\n[pin]\naccelerator = 'h10'\n[site]\npue = nan\n"
    )
    with pytest.raises(InputError) as caught:
        load(file, overlay)
    found = {(Path(problem.file).name, problem.key) for problem in caught.value.problems}
    assert {
        ("a.toml", "workloads[0].tpot_ms"),
        ("a.toml", "workloads[0].speed"),
        ("a.toml", "choose.accelerators"),
        ("a.toml", "site.pue"),
    } <= found
    assert any(name == "prices.toml" for name, _ in found)
    # With the overlay repaired, the names can be looked up too.
    with pytest.raises(InputError) as caught:
        load(file)
    assert {"workloads[1].llm", "pin.accelerator", "site.pue"} <= {problem.key for problem in caught.value.problems}


def test_missing_instance_and_missing_overlay_are_both_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path / "a.toml", tmp_path / "b.toml")
    assert [Path(problem.file).name for problem in caught.value.problems] == ["a.toml", "b.toml"]


# ----------------------------------------------------------------------------- pools


def test_pools_of_every_way_to_serve() -> None:
    plain = {"schema_version": 1, "name": "a", "title": "A"}
    both = workload(name="b", serve="disaggregated", prompt_tokens=40, prefix_hit_share=0.5)
    alone = workload(name="p", serve="prefill", tpot_ms=None)
    together = workload(name="t", serve="together")
    instance = Instance.model_validate({**plain, "workloads": (both, alone, together, workload())})
    pools = {pool.name: pool for pool in pools_of(instance)}
    assert list(pools) == ["b.prefill", "b.decode", "p", "t", "w"]
    assert pools["b.prefill"].tokens_per_s == 2.0
    assert pools["b.prefill"].sends_kv
    assert pools["w"].receives_kv
    assert pools["w"].peak_tokens_per_s == 1.5


# ----------------------------------------------------------------------------- anything at all

KEYS = st.sampled_from(
    [
        "schema_version",
        "name",
        "title",
        "workloads",
        "choose",
        "pin",
        "site",
        "site.lengths",
        "money",
        "risk",
        "level",
        "tpot_ms",
        "serve",
        "llm",
        "links",
        "domain_sizes",
        "accelerator",
        "measured_points",
        "x",
        '""',
        '"a.b"',
    ]
)
VALUES = st.sampled_from(
    [
        "1",
        "0",
        "-1",
        "1e400",
        "nan",
        "-inf",
        "''",
        "'decode'",
        "'mid'",
        "[]",
        "[1, 'a']",
        "{}",
        "[[[]]]",
        "{a = {b = 1}}",
        "true",
        "1979-05-27T07:32:00Z",
        "07:32:00",
        "'\\'",
        '"\\u0000"',
        "9223372036854775808",
    ]
)
LINES = st.one_of(
    st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}"),
    KEYS.map(lambda key: f"[{key}]"),
    KEYS.map(lambda key: f"[[{key}]]"),
    st.text(max_size=20),
)


def read_or_refuse(text: str) -> None:
    try:
        data = parse_toml("a.toml", text.encode("utf-8", "surrogatepass"))
        instance, parts, problems = read_instance("a.toml", data)
        contradictions(parts)
    except InputError as error:
        assert error.problems
        return
    assert (instance is None) == bool(problems)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LINES, max_size=25).map("\n".join))
def test_any_text_is_an_instance_or_an_input_error(text: str) -> None:
    read_or_refuse(text)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 8), st.text(max_size=6)), max_size=4))
def test_a_damaged_instance_is_an_instance_or_an_input_error(cuts: list[tuple[int, int, str]]) -> None:
    text = GOOD + "[choose]\nlinks = ['dr8_800']\n[pin]\ndomain_size = 72\n[site.lengths]\nhall_m = 30\n"
    for place, length, new in cuts:
        text = text[:place] + new + text[place + length :]
    read_or_refuse(text)
