"""Pins of links, tapers, rails, planes and NICs: kept by the optimiser, demanded by the verifier (docs/rules.md 1)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest

import designer
from designer.answer import Answer, Question
from designer.design.types import Design
from designer.instance.load import load
from designer.instance.schema import Instance, Pins
from designer.problems import InputError
from designer.verify import verify

HEAD = """schema_version = 1
name = "p"
title = "pins"
[[fleets]]
name = "train"
accelerators = 256
job_accelerators = 32
scale_up_gbps = 400
scale_out_gbps = 100
[choose]
accelerators = ["h100_sxm"]
scale_out_switches = ["qm9700", "sn5600"]
links = ["pcb_baseboard_800eq", "dac_400", "aec_400", "aec_800", "aoc_800", "lpo_400", "lpo_800", "dr8_800"]
"""


def asked(folder: Path, pins: str = "", text: str = HEAD) -> Question:
    file = folder / "p.toml"
    file.write_text(f"{text}[pin]\n{pins}\n")
    return load(file)


def with_pin(question: Question, **pins: object) -> Question:
    data = question.instance.model_dump()
    data["pin"] = {**data["pin"], **pins}
    return Question(
        Instance.model_validate(data),
        question.catalogue,
        question.instance_file,
        question.instance_sha256,
        question.instance_text,
    )


def designed(answer: Answer) -> Design:
    assert answer.status == "optimal", answer.clash
    assert answer.design is not None
    return answer.design


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> tuple[Question, Answer]:
    question = asked(tmp_path_factory.mktemp("pins"), "scale_out_stages = 2")
    return question, designer.solve(question)


def ends(design: Design, boundary: str) -> tuple[str, str]:
    if boundary == "nic_leaf":
        found = design.pools[0].nic_leaf
    else:
        (found,) = (row for row in design.fabric.boundaries if row.name == boundary)
    return found.lower_link, found.upper_link


def taper_of(design: Design) -> Fraction:
    leaf, nic = design.fabric.stages[0], design.pools[0].nic_leaf.rate_gbps
    return Fraction(leaf.down_ports * nic, leaf.up_ports * design.fabric.uplink_gbps)


# ----------------------------------------------------------------------------- kept by the answer


PINNED = (
    {"nic_leaf_links": "lpo_800"},
    {"nic_leaf_links": "lpo_400/lpo_800"},
    {"leaf_spine_links": "dr8_800"},
    {"taper": 1.0},
    {"taper": "3:1"},
    {"taper": 1.5},
    {"rails": 4},
    {"planes": 2},
    {"rails": 2, "planes": 2, "taper": 1.0},
)


@pytest.mark.parametrize("pins", PINNED, ids=str)
def test_a_pin_is_kept_and_costs_no_less(pins: dict[str, object], free: tuple[Question, Answer]) -> None:
    question, best = free
    pinned = with_pin(question, **pins)
    answer = designer.solve(pinned)
    design = designed(answer)
    assert verify(design, pinned.catalogue, pinned.instance).ok
    assert answer.objective_usd is not None and best.objective_usd is not None
    assert answer.objective_usd >= best.objective_usd * (1 - 1e-9)
    if "nic_leaf_links" in pins:
        lower, _, upper = str(pins["nic_leaf_links"]).partition("/")
        stated = ends(design, "nic_leaf")
        assert stated == (lower, upper) if upper else lower in stated
    if "leaf_spine_links" in pins:
        assert pins["leaf_spine_links"] in ends(design, "leaf_spine")
    if "taper" in pins:
        assert taper_of(design) == Fraction(3) if pins["taper"] == "3:1" else taper_of(design) == pins["taper"]
    assert design.fabric.rails == pins.get("rails", 1)
    assert design.fabric.planes == pins.get("planes", 1)


def test_pins_of_the_domain(tmp_path: Path) -> None:
    """GB200 in domains that are not the vendor's may have other planes and links; the cheapest has not these."""
    text = HEAD.replace("h100_sxm", "gb200_nvl72").replace("accelerators = 256", "accelerators = 72")
    text = text.replace(
        "links = [", 'rearranged = ["gb200_nvl72"]\ndomain_sizes = [36]\nlinks = ["cu_cartridge_1600eq", "aec_1600", '
    )
    free = designed(designer.solve(asked(tmp_path, text=text))).pools[0].scale_up
    for planes in (9, 18):
        pinned = asked(tmp_path, f"scale_up_planes = {planes}", text)
        design = designed(designer.solve(pinned))
        assert design.pools[0].scale_up.planes == planes
        assert verify(design, pinned.catalogue, pinned.instance).ok
    assert free.boundary is not None
    other = "aec_1600" if free.boundary.lower_link != "aec_1600" else "cu_cartridge_1600eq"
    pinned = asked(tmp_path, f'scale_up_links = "{other}"', text)
    boundary = designed(designer.solve(pinned)).pools[0].scale_up.boundary
    assert boundary is not None and boundary.lower_link == other


def test_a_pinned_link_leaves_no_domain_without_switches(tmp_path: Path) -> None:
    text = HEAD.replace("h100_sxm", "gaudi3").replace("scale_up_gbps = 400", "scale_up_gbps = 0")
    assert designed(designer.solve(asked(tmp_path, text=text))).pools[0].scale_up.switch is None
    for pin in ('scale_up_links = "aec_800"', "scale_up_planes = 3"):
        answer = designer.solve(asked(tmp_path, pin, text))
        assert answer.design is None or answer.design.pools[0].scale_up.switch is not None, pin


def test_a_taper_that_no_leaf_keeps_has_no_design(free: tuple[Question, Answer]) -> None:
    """97:89 would need leaves of 97 ports and more."""
    for taper in ("97:89", 1.9090909090909092, 0.001, "999999:999998"):
        answer = designer.solve(with_pin(free[0], taper=taper))
        assert answer.status == "infeasible", taper
        assert answer.clash


def test_a_number_and_a_ratio_pin_the_same_taper() -> None:
    assert Pins(taper=2).taper_ratio == Pins(taper=2.0).taper_ratio == Pins(taper="84:42").taper_ratio == 2
    assert Pins(taper=1.1).taper_ratio == Fraction(11, 10)
    assert Pins().taper_ratio is None


def test_co_packaged_ends_can_be_pinned(tmp_path: Path) -> None:
    """They come with their switch and stand in no list."""
    text = HEAD.replace('"sn5600"]', '"sn6810_cpo"]').replace('"dr8_800"]', '"dr8_1600", "dr4_800"]')
    text = text.replace("h100_sxm", "b300_hgx")
    question = asked(tmp_path, 'nic_leaf_links = "cpo_1600"', text)
    answer = designer.solve(question)
    assert ends(designed(answer), "nic_leaf")[1] == "cpo_1600"


# ----------------------------------------------------------------------------- demanded by the verifier


@pytest.mark.parametrize(
    ("pins", "rule"),
    [
        ({"nic": "nic_800"}, "not_pinned"),
        ({"scale_up_planes": 3}, "pinned_planes"),
        ({"scale_up_links": "aec_800"}, "pinned_links"),
        ({"nic_leaf_links": "dac_400"}, "pinned_links"),
        ({"leaf_spine_links": "dac_400"}, "pinned_links"),
        ({"rails": 2}, "rails"),
        ({"planes": 2}, "nic_planes"),
        ({"taper": "7:3"}, "pinned_taper"),
    ],
    ids=str,
)
def test_a_design_that_breaks_a_pin_is_refused(
    pins: dict[str, object], rule: str, free: tuple[Question, Answer]
) -> None:
    question, answer = free
    design = designed(answer)
    assert verify(design, question.catalogue, question.instance).ok
    instance = with_pin(question, **pins).instance
    found = verify(design, question.catalogue, instance).findings
    assert [finding.rule for finding in found] == [rule], [str(finding) for finding in found]
    assert found[0].place


def test_pairs_are_held_in_their_order(free: tuple[Question, Answer]) -> None:
    question, answer = free
    lower, upper = ends(designed(answer), "nic_leaf")
    other = "dr8_800" if "dr8_800" not in (lower, upper) else "lpo_400"
    for pin, held in (
        (lower, True),
        (upper, True),
        (f"{lower}/{upper}", True),
        (f"{lower}/{other}", False),
        (f"{other}/{upper}", False),
        (other, False),
    ):
        instance = with_pin(question, nic_leaf_links=pin).instance
        assert verify(designed(answer), question.catalogue, instance).ok == held, pin


# ----------------------------------------------------------------------------- mistakes, and choices forced


def mistakes(folder: Path, pins: str, text: str = HEAD) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        asked(folder, pins, text)
    return {problem.key: problem.allowed for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("pins", "key", "words"),
    [
        ('nic = "nic_4000"', "pin.nic", "did you mean nic_400"),
        ('nic_leaf_links = "aoc_80"', "pin.nic_leaf_links", "did you mean aoc_800"),
        ('leaf_spine_links = "aoc_800/nic_400"', "pin.leaf_spine_links", "that is one of the nics"),
        ('leaf_spine_links = "lpo_1600"', "pin.leaf_spine_links", "one of choose.links"),
        ('leaf_spine_links = "a/b/c"', "pin.leaf_spine_links", "allowed"),
        ("taper = 8", "pin.taper", "at most choose.max_taper (7)"),
        ('taper = "3:0"', "pin.taper", "allowed"),
        ("taper = 0", "pin.taper", "allowed"),
        ("taper = 2\nscale_out_stages = 1", "pin.taper", "a fabric of 1 stage has none"),
        ('leaf_spine_links = "aoc_800"\nscale_out_stages = 1', "pin.leaf_spine_links", "allow 2 stages"),
        ('spine_core_links = "aoc_800"\nscale_out_stages = 2', "pin.spine_core_links", "allow 3 stages"),
        ("rails = 0", "pin.rails", "allowed"),
        ("planes = 17", "pin.planes", "allowed"),
        ("scale_up_planes = 1.5", "pin.scale_up_planes", "allowed"),
    ],
)
def test_mistakes_of_pins_are_named(pins: str, key: str, words: str, tmp_path: Path) -> None:
    found = mistakes(tmp_path, pins)
    assert set(found) == {key}
    assert words in found[key]


def test_a_pin_needs_no_list_but_keeps_to_one(tmp_path: Path) -> None:
    assert asked(tmp_path, "rails = 4\nplanes = 2").instance.pin.rails == 4
    listed = HEAD + "scale_out_rails = [1, 2]\n"
    assert "one of choose.scale_out_rails (1, 2)" in mistakes(tmp_path, "rails = 4", listed)["pin.rails"]


def test_a_pinned_taper_has_no_largest_demand(tmp_path: Path) -> None:
    text = HEAD.replace("[choose]", "[site]\nit_power_mw = 1\n[objective]\nmaximise_tokens = true\n[choose]")
    assert "pin.taper" in mistakes(tmp_path, "taper = 2", text)["objective.maximise_tokens"]


@pytest.mark.parametrize(
    ("pins", "forces"),
    [
        ({"rails": 2}, ["rails=1"]),
        ({"planes": 2}, ["planes=1"]),
        ({"nic_leaf_links": "dr8_800"}, ["nic_leaf_link=lpo_800"]),
        ({"leaf_spine_links": "aoc_800"}, ["technology=lpo"]),
    ],
    ids=str,
)
def test_a_forced_choice_sets_a_pin_aside(
    pins: dict[str, object], forces: Sequence[str], free: tuple[Question, Answer]
) -> None:
    found = designer.why_not(with_pin(free[0], **pins), forces)
    designed(found.forced)
    assert any(note.startswith(f"pin.{next(iter(pins))} = ") and "set aside" in note for note in found.notes)
