"""Design files: right ones are read, and wrong ones answered with every mistake, its file and its key."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from designer.evaluate import evaluate
from designer.families.family import Family
from designer.given import load_given
from designer.given.load import given_from_text
from designer.given.topology import families, family_at
from designer.instance.load import load
from designer.problems import InputError, Problem

ROOT = Path(__file__).resolve().parent.parent

GOOD = """schema_version = 1
name = "a"
title = "A"
[endpoints]
accelerators = 16
accelerator = "h100_sxm"
nic = "nic_400"
[[networks]]
name = "net"
endpoints_are = "nics"
[networks.topology]
family = "fat_tree"
endpoints = 16
stages = 2
radix = 8
port_gbps = 400
[networks.switches]
leaf = { price_usd = 1 }
spine = { price_usd = 1 }
[networks.links]
endpoint-leaf = "aec_400"
leaf-spine = { price_usd_per_link = 1 }
"""


def problems_of(text: str) -> dict[str, Problem]:
    with pytest.raises(InputError) as caught:
        evaluate(given_from_text("a.toml", text))
    assert all(problem.file == "a.toml" for problem in caught.value.problems)
    return {problem.key: problem for problem in caught.value.problems}


def changed(old: str, new: str) -> dict[str, Problem]:
    assert old in GOOD
    return problems_of(GOOD.replace(old, new))


def test_a_right_file_is_read_with_its_defaults() -> None:
    found = given_from_text("a.toml", GOOD)
    assert found.design.level == "mid"
    assert found.design.endpoints.job_accelerators == 1
    assert found.per_host == found.catalogue.accelerators["h100_sxm"].accelerators_per_host == 8
    assert found.networks[0].structure.endpoints == 16
    assert found.networks[0].row.links["endpoint-leaf"].lower == "aec_400"
    assert evaluate(found).ok


def test_families_are_found_by_their_names() -> None:
    known = families()
    assert {"fat_tree", "single_stage", "torus", "hamming_mesh", "dragonfly", "slim_fly"} <= known.keys()
    assert all(issubclass(kind, Family) for kind in known.values())
    with pytest.raises(InputError) as caught:
        family_at("a.toml", "networks[0].topology", {"family": "fat_three"})
    assert "did you mean fat_tree" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('title = "A"', 'titel = "A"', "titel", "did you mean title"),
        ('name = "a"', 'name = "a b"', "name", "letters, digits"),
        ('"h100_sxm"', '"h100"', "endpoints.accelerator", "did you mean h100_sxm"),
        ('"nic_400"', '"nic_40"', "endpoints.nic", "did you mean nic_400"),
        ('"aec_400"', '"aec_40"', "networks[0].links.endpoint-leaf.lower", "did you mean aec_400"),
        ("leaf = { price_usd = 1 }", 'leaf = "qm970"', "networks[0].switches.leaf", "did you mean qm9700"),
        ("leaf = { price", "leef = { price", "networks[0].switches.leef", "did you mean leaf"),
        ('endpoint-leaf = "aec', 'endpoint-lef = "aec', "networks[0].links.endpoint-lef", "did you mean endpoint-leaf"),
        ('"aec_400"', '{ upper = "aec_400" }', "networks[0].links.endpoint-leaf.upper", "lower end too"),
        ('"aec_400"', "3", "networks[0].links.endpoint-leaf", "allowed: an id or a table"),
        ('"aec_400"', "{ length_m = 1 }", "networks[0].links.endpoint-leaf", "give lower = ID"),
        (
            '"aec_400"',
            '{ lower = "aec_400", mttr_h = 1 }',
            "networks[0].links.endpoint-leaf.mttr_h",
            "give either",
        ),
        (
            "leaf = { price_usd = 1 }",
            'leaf = { id = "qm9700", price_usd = 1 }',
            "networks[0].switches.leaf.price_usd",
            "give either",
        ),
        ("accelerators = 16", "accelerators = 24", "networks[0].topology", "as many as endpoints, 24 accelerators"),
        ("accelerators = 16", "accelerators = 17\nper_host = 4", "endpoints.accelerators", "whole hosts of 4"),
        ("accelerators = 16", "accelerators = 12", "endpoints.accelerators", "hosts of 8, as h100_sxm has, or give"),
        ("accelerators = 16", "accelerators = 16\njob_accelerators = 17", "endpoints.job_accelerators", "at most"),
        ("accelerators = 16", "accelerators = -16", "endpoints.accelerators", "allowed: greater than or equal to 1"),
        ('endpoints_are = "nics"', 'endpoints_are = "nic"', "networks[0].endpoints_are", "'nics'"),
        ('endpoints_are = "nics"', 'endpoints_are = "accelerators"', "endpoints.nic", "drop it"),
        ('"fat_tree"', '"fat_three"', "networks[0].topology.family", "did you mean fat_tree"),
        ("stages = 2", "stages = 5", "networks[0].topology.stages", "less than or equal to 4"),
        ("stages = 2", "stage = 2", "networks[0].topology.stage", "did you mean stages"),
        ("radix = 8", "radix = 2", "networks[0].topology.endpoints", "at most 2 with this radix"),
        ("[endpoints]", "[site.lengths]\nrow_m = 3\n[endpoints]", "site.lengths.row_m", "[floor]"),
        (
            '[endpoints]\naccelerators = 16\naccelerator = "h100_sxm"',
            "[site]\nracks = 3\n[endpoints]\naccelerators = 16",
            "site.racks",
            "give floor.accelerators_per_rack",
        ),
        ("[endpoints]", "[endpoints]\nspare_domains = 1", "endpoints.spare_domains", "give one network"),
        ('"nics"\n', '"nics"\nspare_planes = 1\n', "networks[0].spare_planes", "allowed: 0"),
        (
            '"aec_400"',
            '{ by_length = [{ lower = "aec_400", up_to_m = 3 }] }',
            "networks[0].links.endpoint-leaf.by_length[0].up_to_m",
            "the last takes the rest",
        ),
        (
            '"aec_400"',
            '{ by_length = [{ lower = "aec_400" }, { lower = "sr8_800" }] }',
            "networks[0].links.endpoint-leaf.by_length[0].up_to_m",
            "give the length",
        ),
        (
            '"aec_400"',
            '{ length_m = 3, by_length = [{ lower = "aec_400" }] }',
            "networks[0].links.endpoint-leaf.length_m",
            "in the rows of by_length",
        ),
        (
            '"aec_400"',
            '{ by_length = [{ lower = "aec_40" }] }',
            "networks[0].links.endpoint-leaf.by_length[0].lower",
            "did you mean",
        ),
        (
            '"aec_400"',
            '{ by_length = [{ up_to_m = 3, lower = "aec_400" }, { up_to_m = 2, lower = "aec_400" }, '
            '{ lower = "aec_400" }] }',
            "networks[0].links.endpoint-leaf.by_length[1].up_to_m",
            "above 3",
        ),
        ("[endpoints]", "[demand.nett]\nall_to_all_gbps = 3\n[endpoints]", "demand.nett", "did you mean net"),
        ("[endpoints]", "[demand.net]\n[endpoints]", "demand.net", "give all_to_all_gbps"),
        ("[endpoints]", "[floor]\nracks_per_row = 0\n[endpoints]", "floor.racks_per_row", "greater than or equal"),
        ("[endpoints]", "[floor]\naccelerators_per_rack = 4\n[endpoints]", "floor.accelerators_per_rack", "a host, 8"),
        ("price_usd_per_link = 1", "price_usd_per_link = -1", "networks[0].links.leaf-spine.price_usd_per_link", "0"),
        ("price_usd_per_link = 1", "price_usd_per_link = inf", "networks[0].links.leaf-spine.price_usd_per_link", ""),
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, key: str, words: str) -> None:
    found = changed(old, new)
    assert key in found, found
    assert words in found[key].allowed and "Given" not in found[key].allowed, found[key]


def test_parts_left_out_are_counted_and_not_known() -> None:
    text = GOOD.replace("leaf = { price_usd = 1 }\n", "").replace('endpoint-leaf = "aec_400"\n', "")
    assert text != GOOD
    found = evaluate(given_from_text("a.toml", text))
    whole = evaluate(given_from_text("a.toml", GOOD))
    assert found.switches == whole.switches > 0
    assert [b.links for n in found.networks for b in n.bundles] == [b.links for n in whole.networks for b in n.bundles]
    assert found.totals.capex_usd.value is None
    missing = found.totals.capex_usd.missing
    assert any("leaf: price_usd" in name for name in missing), missing
    assert found.totals.capex_usd.known < whole.totals.capex_usd.known


def test_a_question_is_not_taken_for_a_design_nor_the_other_way_round() -> None:
    question = ROOT / "instances" / "nvl72-pinned.toml"
    with pytest.raises(InputError, match=r"read a planning question; give a design, or ask with `designer solve`"):
        load_given(question)
    design = ROOT / "designs" / "nvl72-pod.toml"
    with pytest.raises(InputError, match=r"read a design written by hand; .* use `designer evaluate`") as caught:
        load(design)
    assert len(caught.value.problems) == 1


def test_all_mistakes_are_said_at_once() -> None:
    text = (
        GOOD.replace('"h100_sxm"', '"h10"')
        .replace('"aec_400"', '"aec"')
        .replace("accelerators = 16", "accelerators = 8")
    )
    assert set(problems_of(text)) == {
        "endpoints.accelerator",
        "networks[0].links.endpoint-leaf.lower",
        "networks[0].topology",
    }
    # A slip in the topology is said beside one elsewhere.
    both = GOOD.replace('title = "A"\n', "").replace("stages = 2", "stages = 9")
    assert set(problems_of(both)) == {"title", "networks[0].topology.stages"}


def test_a_missing_file_and_a_wrong_overlay_are_said_together(tmp_path: Path) -> None:
    overlay = tmp_path / "o.toml"
    overlay.write_text("x = 1 = 2")
    with pytest.raises(InputError) as caught:
        load_given(tmp_path / "absent.toml", overlay)
    assert {problem.file for problem in caught.value.problems} == {str(tmp_path / "absent.toml"), str(overlay)}


def test_names_of_networks_are_their_own() -> None:
    block = GOOD[GOOD.index("[[networks]]") :]
    assert "networks[1].name" in problems_of(GOOD + block)


def test_too_many_links_are_refused_not_counted_half() -> None:
    text = GOOD.replace("= 16", "= 4_000_000").replace("stages = 2", "stages = 4").replace("radix = 8", "radix = 256")
    extra = 'core = { price_usd = 1 }\ntop = { price_usd = 1 }\n[networks.links]\n"spine-core" = { mttr_h = 1 }\n'
    text = text.replace("[networks.links]\n", extra + '"core-top" = { mttr_h = 1 }\n')
    assert "links in one copy" in problems_of(text)["networks[0].topology"].read


def test_a_formula_without_a_graph_says_so() -> None:
    text = """schema_version = 1
name = "a"
title = "A"
[endpoints]
accelerators = 32928
[[networks]]
name = "net"
endpoints_are = "nics"
topology = { family = "slim_fly", q = 28, p = 21, port_gbps = 400, counts_only = true }
switches.router = { price_usd = 1 }
links.endpoint-router = { price_usd_per_link = 1 }
links.router-router = { price_usd_per_link = 1 }
"""
    found = problems_of(text)
    assert list(found) == ["networks[0].topology"], found
    assert found["networks[0].topology"].read == "counts without a network"


# ------------------------------------------------------------------ no file ends in a traceback

LEAVES = st.one_of(
    st.none().map(lambda _: ""),
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=True),
    st.text(max_size=10),
    st.booleans(),
    st.sampled_from(["qm9700", "aec_400", "fat_tree", "torus", "nics", "accelerators", "own", 1, 2, 8, 16, 64, 400]),
)
PLACES = (
    ("endpoints", "accelerators"),
    ("endpoints", "accelerator"),
    ("endpoints", "per_host"),
    ("endpoints", "nics"),
    ("endpoints", "nic"),
    ("endpoints", "job_accelerators"),
    ("networks", 0, "name"),
    ("networks", 0, "repeat"),
    ("networks", 0, "endpoints_are"),
    ("networks", 0, "topology"),
    ("networks", 0, "topology", "family"),
    ("networks", 0, "topology", "endpoints"),
    ("networks", 0, "topology", "stages"),
    ("networks", 0, "topology", "radix"),
    ("networks", 0, "topology", "planes"),
    ("networks", 0, "topology", "rails"),
    ("networks", 0, "topology", "rail_optimised"),
    ("networks", 0, "topology", "per_host"),
    ("networks", 0, "switches", "leaf"),
    ("networks", 0, "switches", "core"),
    ("networks", 0, "links", "endpoint-leaf"),
    ("networks", 0, "links", "leaf-spine", "price_usd_per_link"),
    ("networks", 0, "links", "leaf-spine", "length_m"),
    ("networks", 0, "links", "leaf-spine", "lower"),
    ("networks", 0, "links", "leaf-spine", "by_length"),
    ("networks", 0, "spare_planes"),
    ("endpoints", "spare_domains"),
    ("demand", "net", "all_to_all_gbps"),
    ("floor", "racks_per_row"),
    ("floor", "row_pitch_m"),
    ("floor", "network_racks"),
    ("site", "it_power_mw"),
    ("money", "it_years"),
    ("level",),
    ("date",),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


def toml_of(value: object) -> str:
    """Plain data as one TOML value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{toml_of(str(key))} = {toml_of(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_of, value)) + "]"
    if isinstance(value, str):
        return (
            '"'
            + "".join(
                c if c.isalnum() and c.isascii() else f"\\u{ord(c):04x}" if ord(c) < 0xD800 else "?" for c in value
            )
            + '"'
        )
    return repr(value)


def plain() -> dict[str, object]:
    return tomllib.loads(GOOD)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3))
def test_no_design_ends_in_a_traceback(changes: list[tuple[tuple[str | int, ...], object]]) -> None:
    data = plain()
    for place, value in changes:
        here: object = data
        for part, following in pairwise(place):
            if isinstance(here, dict):
                here = here.setdefault(part, [] if isinstance(following, int) else {})
            elif isinstance(here, list) and isinstance(part, int) and part < len(here):
                here = here[part]
        if isinstance(here, dict):
            here[place[-1]] = value
    text = "\n".join(f"{toml_of(str(key))} = {toml_of(value)}" for key, value in data.items())
    try:
        found = evaluate(given_from_text("a.toml", text))
    except InputError as error:
        assert error.problems
        assert all(problem.file == "a.toml" and problem.read and problem.allowed for problem in error.problems)
    else:
        assert found.totals.capex_usd.known >= 0


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_end_in_a_traceback(content: bytes) -> None:
    with pytest.raises(InputError):
        given_from_text("a.toml", content.decode("utf-8", "replace"))


# ------------------------------------------------------------------ hostile topologies

TOO_LARGE = {
    "h": {"family": "dragonfly", "p": 1, "a": 1, "h": 100_000_000, "groups": 2, "port_gbps": 1.0},
    "groups": {"family": "dragonfly", "p": 1, "a": 2, "h": 1, "groups": 10**9, "port_gbps": 1.0},
    "spines": {"family": "dragonfly_plus", "p": 1, "leaves": 1, "spines": 10**8, "h": 1, "groups": 2, "port_gbps": 1.0},
    "q": {"family": "slim_fly", "q": 65_537, "port_gbps": 1.0},
    "port_gbps": {"family": "slim_fly", "q": 5, "port_gbps": 1e300},
    "planes": {"family": "single_stage", "endpoints": 2, "ports": 2, "port_gbps": 1.0, "planes": 10**8, "radix": 4},
    "endpoints": {"family": "fat_tree", "endpoints": 10**8, "stages": 2, "radix": 64, "port_gbps": 1.0},
    "taper": {"family": "fat_tree", "endpoints": 64, "stages": 2, "radix": 64, "port_gbps": 1.0, "taper": 1e-320},
}


@pytest.mark.parametrize("key", TOO_LARGE)
def test_a_figure_beyond_all_reason_is_refused_before_anything_is_counted(key: str) -> None:
    with pytest.raises(InputError) as caught:
        family_at("a.toml", "t", TOO_LARGE[key])
    assert f"t.{key}" in {problem.key for problem in caught.value.problems}


@pytest.mark.parametrize("family", ["dragonfly", "dragonfly_plus"])
def test_global_links_of_a_group_have_a_limit_of_their_own(family: str) -> None:
    sizes = {"a": 2_000} if family == "dragonfly" else {"leaves": 1, "spines": 2_000}
    table = {"family": family, "p": 1, "groups": 2, "port_gbps": 1.0, **sizes}
    assert family_at("a.toml", "t", {**table, "h": 500}).structure().endpoints > 1
    with pytest.raises(InputError) as caught:
        family_at("a.toml", "t", {**table, "h": 501})
    assert [problem.key for problem in caught.value.problems] == ["t.h"]


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"endpoints": "few"}, "endpoints", "allowed: a valid integer, or 'max'"),
        ({"radix": (64, "a")}, "radix[1]", "allowed: a valid integer"),
        ({"radix": ()}, "radix", "allowed: a valid integer, or a list of at least 1"),
        ({"taper": (1.0, "y")}, "taper[1]", "allowed: a valid number"),
    ],
)
def test_a_key_that_takes_one_figure_or_a_list_is_named_once_as_it_is_written(
    changes: dict[str, object], key: str, allowed: str
) -> None:
    table = {"family": "fat_tree", "endpoints": 64, "stages": 2, "radix": 64, "port_gbps": 1.0, **changes}
    with pytest.raises(InputError) as caught:
        family_at("a.toml", "t", table)
    assert [(problem.key, problem.allowed) for problem in caught.value.problems] == [(f"t.{key}", allowed)]
