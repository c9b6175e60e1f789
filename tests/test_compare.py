"""A given design beside the optimum: what it serves, where it differs, what its choices are worth."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from given_designs import given_text
from typer.testing import CliRunner

import designer
import designer.runs
from designer.answer import Answer, Question, SolveOptions
from designer.beside.hardware import Hardware, hardware_of, networks_of, path_us
from designer.beside.result import Beside, Row
from designer.beside.run import asked_alike, beside
from designer.beside.serve import serving_of
from designer.beside.worth import told_apart
from designer.cli.app import app
from designer.evaluate import evaluate
from designer.given.load import Given, given_from_text
from designer.instance.load import load_text
from designer.report.beside import beside_screen
from designer.report.result import from_json, to_json
from designer.runs import solve_and_store
from designer.solve.why_not import force
from designer.validate.folder import FOLDER

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = SolveOptions()

FLEETS = """schema_version = 1
name = "fleets"
title = "Fleets"
{fleets}
[choose]
accelerators = ["h100_sxm"]
"""
FLEET = """[[fleets]]
name = "{name}"
accelerators = {accelerators}
job_accelerators = {job}
scale_out_gbps = {gbps}
"""

# 128 H100 in 16 hosts on four leaves of 32 NICs; uplinks are `up` times 400 Gb/s.
POD = """schema_version = 1
name = "pod"
title = "A pod of 128"
{top}
[endpoints]
accelerators = 128
accelerator = "h100_sxm"
nic = "nic_400"
job_accelerators = 8
[[networks]]
name = "nvlink"
repeat = 16
endpoints_are = "accelerators"
topology = {{ family = "single_stage", endpoints = 8, ports = 18, port_gbps = 200, planes = 4, radix = 64 }}
switches.switch = "nvswitch3"
links.endpoint-switch = {{ lower = "pcb_baseboard_800eq", length_m = 0.2 }}
[[networks]]
name = "compute"
endpoints_are = "nics"
switches = {{ leaf = {leaf}, spine = "qm9700" }}
links.endpoint-leaf = {{ lower = "sr8_800", length_m = 20 }}
links.leaf-spine = {{ lower = "sr8_800", length_m = 30 }}
[networks.topology]
family = "fat_tree"
endpoints = 128
stages = 2
radix = 64
port_gbps = 400
down = 32
up = {up}
spines_per_pod = 2
"""


def pod(up: int = 32, leaf: str = '"qm9700"', top: str = "") -> str:
    return POD.format(up=up, leaf=leaf, top=top)


def fleets(*rows: tuple[str, int, int, float]) -> Question:
    text = "".join(FLEET.format(name=n, accelerators=a, job=j, gbps=g) for n, a, j, g in rows)
    return load_text("fleets.toml", FLEETS.format(fleets=text))


def hardware(text: str) -> Hardware:
    given = given_from_text("a.toml", text)
    return hardware_of(given, evaluate(given))


def row(found: Beside, what: str) -> Row:
    return {each.what: each for each in found.rows}[what]


def itself(question: Question, answer: Answer, *changes: tuple[str, str]) -> Given:
    assert answer.design is not None
    text = given_text(answer.design, question.instance, question.catalogue)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return given_from_text("answer.toml", text)


@pytest.fixture(scope="module")
def rack() -> tuple[Question, Answer]:
    question = designer.load(ROOT / "instances" / "nvl72-pinned.toml")
    return question, designer.solve(question, OPTIONS)


# ------------------------------------------------------------------ the optimum itself


@pytest.mark.parametrize(
    ("name", "stages", "same"),
    [
        ("nvl72-pinned", 1, True),
        ("hgx-h100-pinned", 1, True),
        # Two stages with spines that have free ports: the rules charge ports in use, an evaluation whole boxes.
        ("deepseek-v3-decode-hgx-vs-nvl72", 2, False),
        ("scale-out-cpo-dsp-lpo", 2, False),
    ],
)
def test_an_optimum_beside_itself_differs_in_nothing(name: str, stages: int, same: bool) -> None:
    question = designer.load(ROOT / "instances" / f"{name}.toml")
    answer = designer.solve(question, OPTIONS)
    assert answer.design is not None and len(answer.design.fabric.stages) == stages
    found = beside(question, OPTIONS, itself(question, answer), answer)
    assert found.worth == () and found.apart == ()
    assert {"accelerator", "domain size", "leaf switch", "NIC-leaf links", "stages", "scale-up planes"} <= set(
        found.shared
    )
    assert ("taper" in found.shared) == (stages > 1)
    assert found.together is not None and found.together.more_usd == 0 and found.together.proven
    unlike = {each.what for each in found.rows if each.difference != 0}
    assert unlike <= (set() if same else {"cost", "cost with risk weights", "cost: scale-out switches", "job hits"})
    assert all(abs(each.relative or 0) < 1e-4 for each in found.rows)
    # What the optimum serves, the demand model finds again: with other words for the same hardware.
    assert found.serving.share is not None and found.serving.share >= 1
    (pool,) = answer.design.pools
    mine = found.serving
    assert (mine.domain_size, mine.domains, mine.scale_up_gbps, mine.nic_gbps) == (
        pool.domain_size,
        pool.domains,
        pool.scale_up.usable_gbps,
        pool.plan.nic_gbps,
    )


def test_a_design_with_fewer_domains_serves_its_share_of_them(rack: tuple[Question, Answer]) -> None:
    question = designer.load(ROOT / "instances" / "deepseek-v3-decode-hgx-vs-nvl72.toml")
    answer = designer.solve(question, OPTIONS)
    assert answer.design is not None
    (pool,) = answer.design.pools
    given = given_from_text("a.toml", (ROOT / "designs" / "nvl72-pod.toml").read_text())
    served = serving_of(question, hardware_of(given, evaluate(given)))
    # One rack of the 56 that the optimum buys, with the same plan: 72 x 5,968 tokens/s of the peak.
    assert pool.domains == 56 and pool.plan.accelerators_per_replica == 72
    rate = pool.plan.tokens_per_s_per_accelerator
    (work,) = question.instance.workloads
    assert served.share == pytest.approx(72 * rate / (work.output_tokens_per_s * work.peak_factor), rel=1e-12)
    assert {each.what: each.used for each in served.uses}["accelerators for the demand"] == 56 * 72


# ------------------------------------------------------------------ what is served, by hand


def test_a_fleet_of_twice_the_size_is_served_by_half() -> None:
    served = serving_of(fleets(("train", 256, 8, 400)), hardware(pod()))
    assert served.share == 0.5
    (use,) = [each for each in served.uses if each.what == "accelerators for the demand"]
    assert (use.used, use.of, use.share) == (256, 128, 2.0)


def test_spares_serve_nothing_and_cover_what_fails(rack: tuple[Question, Answer]) -> None:
    question, answer = rack
    assert answer.design is not None
    text = given_text(answer.design, question.instance, question.catalogue)
    # The racks alone: their leaf has no room for three of them.
    text = text[: text.rindex("[[networks]]")]
    text = text.replace("repeat = 1", "repeat = 3").replace("\naccelerators = 72", "\naccelerators = 216")
    text = text.replace('nic = "nic_400"\nnics = 1\n', "")
    plain, spared = hardware(text), hardware(text.replace("spare_domains = 0", "spare_domains = 1"))
    assert (plain.domains, spared.domains) == (3, 2)
    kept = hardware(text.replace("spare_planes = 0", "spare_planes = 2"))
    assert plain.offer.scale_up_gbps == 7200
    assert kept.offer.scale_up_gbps == pytest.approx(7200 * 16 / 18)


def test_jobs_take_whole_domains() -> None:
    # A job of 12 takes two hosts of 8: eight jobs fit on 16 hosts, 96 of 120 accelerators asked for.
    assert serving_of(fleets(("train", 120, 12, 0)), hardware(pod())).share == 96 / 120


def test_pools_share_the_domains_so_that_the_least_share_is_largest() -> None:
    # 8 + 24 hosts asked for, 16 there: 4 and 12 serve half of both.
    served = serving_of(fleets(("a", 64, 1, 0), ("b", 192, 1, 0)), hardware(pod()))
    assert [each.domains for each in served.pools] == [4, 12] and served.share == 0.5
    # Three hosts asked for by each of six: two get three hosts, the others two.
    six = serving_of(fleets(*((f"f{i}", 24, 1, 0) for i in range(6))), hardware(pod()))
    assert six.share == pytest.approx(2 / 3) and sum(each.domains for each in six.pools) <= 16
    # More pools than domains: one at least goes without.
    many = serving_of(fleets(*((f"f{i}", 8, 1, 0) for i in range(17))), hardware(pod()))
    assert many.share == 0


def test_what_leaves_a_leaf_is_held_against_its_uplinks() -> None:
    # 16 uplinks of 400 for 32 NICs of 400: any permutation gets 200 Gb/s per accelerator.
    narrow = hardware(pod(up=16))
    assert narrow.any_gbps == 200 and narrow.domains_per_leaf == 4
    fits, too_much = (serving_of(fleets(("train", 128, 1, gbps)), narrow) for gbps in (200, 201))
    assert fits.share == 1 and too_much.share == 0
    assert "carries 200 Gb/s of any permutation" in too_much.pools[0].why_not
    (use,) = [each for each in fits.uses if each.what == "train: scale-out"]
    assert use.share == 1


def test_traffic_to_other_rails_takes_room_in_the_domain() -> None:
    asked = FLEETS.format(
        fleets=FLEET.format(name="train", accelerators=128, job=8, gbps=400) + "scale_up_gbps = 2850\n"
    )
    question, parts = load_text("fleets.toml", asked), hardware(pod())
    # Of 400 Gb/s seven eighths go to the other rails: 2,850 + 350 are the 3,200 there are.
    assert serving_of(question, replace(parts, rails=8)).share == 1
    more = load_text("fleets.toml", asked.replace("2850", "2851"))
    assert serving_of(more, parts).share == 1
    served = serving_of(more, replace(parts, rails=8))
    assert served.share == 0 and "350 of them for other rails" in served.pools[0].why_not


def test_accelerators_joined_directly_need_no_scale_up_network() -> None:
    question = load_text(
        "fleets.toml",
        FLEETS.format(fleets=FLEET.format(name="train", accelerators=64, job=8, gbps=100)).replace(
            "h100_sxm", "gaudi3"
        ),
    )
    answer = designer.solve(question, OPTIONS)
    assert answer.design is not None and answer.design.pools[0].scale_up.kind == "mesh"
    found = beside(question, OPTIONS, itself(question, answer), answer)
    assert found.serving.share == 1 and found.serving.scale_up_gbps == answer.design.pools[0].scale_up.usable_gbps
    assert all(each.difference == 0 for each in found.rows) and found.worth == ()


def test_experts_within_a_leaf_do_not_leave_it() -> None:
    question = designer.load(ROOT / "instances" / "deepseek-v3-h800.toml")
    given = given_from_text("a.toml", pod(up=16))
    parts = hardware_of(given, evaluate(given))
    together = serving_of(question, parts)
    apart = serving_of(question, replace(parts, domains_per_leaf=0))
    assert together.share is not None and apart.share is not None
    assert together.share > apart.share


def test_a_way_that_takes_too_long_carries_no_plan_across_domains() -> None:
    question = designer.load(ROOT / "instances" / "deepseek-v3-h800.toml")
    given = given_from_text("a.toml", pod())
    parts = hardware_of(given, evaluate(given))
    assert parts.path_us is not None and parts.path_us < 20
    quick, slow, unknown = (
        serving_of(question, replace(parts, path_us=way)) for way in (parts.path_us, Fraction(1000), None)
    )
    assert quick.share is not None and slow.share is not None and unknown.share is not None
    assert quick.share > unknown.share >= slow.share
    assert all(each.plan is None or each.plan.latency_allowance_us is None for each in slow.pools)
    assert any("latency of the way" in note for note in unknown.notes) and not quick.notes


def test_the_way_through_the_network_by_hand(rack: tuple[Question, Answer]) -> None:
    given = given_from_text("a.toml", (ROOT / "designs" / "nvl72-pod.toml").read_text())
    (leaf,) = networks_of(given, evaluate(given), "nics")
    box = given.catalogue.switches["th5_64x800"].latency_ns.mid
    end = given.catalogue.links["acc_800"].latency_ns_per_end.mid
    assert box is not None and end is not None
    assert path_us(given, leaf) == (Fraction(repr(box)) + 4 * Fraction(repr(end)) + 2 * 5 * Fraction("2.7")) / 1000


def test_without_a_scale_up_network_the_vendors_domain_is_assumed_and_not_counted(
    rack: tuple[Question, Answer],
) -> None:
    text = pod()
    start, end = text.index('[[networks]]\nname = "nvlink"'), text.index('[[networks]]\nname = "compute"')
    parts = hardware(text[:start] + text[end:])
    # 18 ports on 4 switches: even striping counts on 4 x 4 x 200 Gb/s.
    assert (parts.offer.domain_size, parts.offer.scale_up_gbps) == (8, 3200)
    assert any("vendor's domain of 8" in note for note in parts.notes)
    assert parts.uncounted == ("scale_up_switches", "scale_up_links")
    question, answer = rack
    found = beside(
        question, OPTIONS, given_from_text("a.toml", text[:start] + text[end:]), replace(answer, design=None)
    )
    assert row(found, "cost: scale-up switches").given is None and row(found, "IT capital").given is None
    assert row(found, "IT capital").known > 0


def test_figures_of_ones_own_serve_what_cannot_be_said() -> None:
    text = pod().replace('accelerator = "h100_sxm"', "accelerator = { price_usd = 1000 }\nper_host = 8")
    served = serving_of(fleets(("train", 8, 1, 0)), hardware(text))
    assert served.share is None and "figures of its own" in served.why_not


# ------------------------------------------------------------------ what choices are worth


def test_a_dearer_switch_costs_what_why_not_says(rack: tuple[Question, Answer]) -> None:
    question, answer = rack
    given = itself(question, answer, ('leaf = "th5_64x800"', 'leaf = "sn5600"'))
    found = beside(question, OPTIONS, given, answer)
    (worth,) = found.worth
    why = designer.why_not(question, ["leaf_switch=sn5600"], OPTIONS)
    assert why.forced.objective_usd is not None and answer.objective_usd is not None
    more = why.forced.objective_usd - answer.objective_usd
    assert more > 0
    assert worth.forces == ("leaf_switch=sn5600",) and worth.more_usd == pytest.approx(more, rel=1e-12)
    assert any("choose.scale_out_switches" in note for note in worth.notes)
    assert (worth.given, worth.optimum, worth.proven) == ("sn5600", "th5_64x800", True)
    # The rest is the optimum's: all choices together are this one, and so is the whole difference of the designs.
    assert found.together is not None and found.together.more_usd == pytest.approx(more, rel=1e-9)
    assert row(found, "cost").difference == pytest.approx(more, rel=1e-6)
    assert row(found, "leaf switches sn5600").difference == 1
    assert row(found, "leaf switches th5_64x800").difference == -1


def test_a_choice_that_cannot_be_says_its_clash(rack: tuple[Question, Answer]) -> None:
    question, answer = rack
    # Passive copper of 800G reaches no leaf of the next rack.
    given = itself(question, answer, ('"acc_800"', '"dac_800"'), ("length_m = 2.7", "length_m = 1.0"))
    found = beside(question, OPTIONS, given, answer)
    (worth,) = found.worth
    assert (worth.what, worth.outcome, worth.more_usd) == ("NIC-leaf links", "impossible", None)
    assert worth.clash and found.together is not None and found.together.outcome == "impossible"
    assert "impossible" in beside_screen(found)
    # What is said twice of one choice is shown once.
    twice = replace(found, worth=(), together=replace(found.worth[0], what="all", clash=("no",), notes=("no",)))
    assert "no (all)" in beside_screen(twice)
    # Of a sum that is not known in full there is more, of a share of the time at most what the known part leaves.
    lacking = (Row("up", "share", 0.99, None, None, None, 0.9875), Row("hits", "1/year", 3.0, None, None, None, 2.5))
    shown = " ".join(beside_screen(replace(found, rows=lacking)).split())
    assert "at most 0.9875" in shown and "2.5 + ?" in shown


def test_stages_above_the_optimum_are_forced_with_their_switches() -> None:
    question = fleets(("train", 16, 8, 100))
    answer = designer.solve(question, OPTIONS)
    assert answer.design is not None and len(answer.design.fabric.stages) == 1
    found = beside(question, OPTIONS, given_from_text("a.toml", pod()), answer)
    worth = {each.what: each for each in found.worth}
    assert worth["spine switch, with 2 stages"].forces == ("stages=2", "spine_switch=qm9700")
    assert worth["taper, with 2 stages"].forces == ("stages=2", "taper=1:1")
    stages, taper = worth["stages"].more_usd, worth["taper, with 2 stages"].more_usd
    assert stages is not None and taper is not None and 0 < stages <= taper
    assert found.together is not None and found.together.more_usd is not None
    assert found.together.more_usd >= max(each.more_usd or 0 for each in found.worth) - 1e-6


FLAT = """schema_version = 1
name = "flat"
title = "Leaves joined directly"
[endpoints]
accelerators = 1056
accelerator = "endpoint"
nic = "port"
[[networks]]
name = "net"
endpoints_are = "nics"
switches.router = "box"
links.endpoint-router = { lower = "cable_leaf", length_m = 5 }
links.router-router = { lower = "cable_up", length_m = 50 }
topology = { family = "full_mesh", size = 33, port_gbps = 400, concentration = 32, endpoint_gbps = 400, planes = 16 }
"""


def test_leaves_joined_directly_are_a_shape_that_is_priced() -> None:
    """A full mesh that the optimum has too, and does not have once trees alone are asked for."""
    overlay = FOLDER / "overlays" / "hammingmesh.toml"
    question = designer.load(FOLDER / "instances" / "hm-s-ft-50.toml", overlay)
    given = given_from_text("a.toml", FLAT, overlay)
    found = beside(question, OPTIONS, given, designer.solve(question, OPTIONS))
    assert {"shape", "leaf switch", "NIC-leaf links", "leaf-leaf links", "planes"} <= set(found.shared)
    assert found.together is not None and found.together.more_usd == 0
    assert row(found, "leaf switches box").difference == 0
    assert row(found, "leaf-leaf links cable_up").difference == 0
    # Every permutation by way of random leaves: 33 / 2 x 400 Gb/s of a leaf, 16 planes, 32 accelerators.
    assert found.serving.network_gbps == pytest.approx(16 * 33 * 400 / 2 / 32)
    choose = question.instance.choose.model_copy(update={"scale_out_shapes": ("tree",)})
    trees = replace(question, instance=question.instance.model_copy(update={"choose": choose}))
    other = beside(trees, OPTIONS, given, designer.solve(trees, OPTIONS))
    (shape,) = (worth for worth in other.worth if worth.what == "shape")
    assert (shape.given, shape.optimum) == ("mesh", "tree")
    assert shape.more_of_goal == pytest.approx(17_203_584 - 18_101_280)
    assert any("does not allow mesh" in note for note in shape.notes)


@pytest.mark.parametrize(
    ("topology", "switches", "inner", "outer"),
    [
        ('"full_mesh", size = 4, concentration = 2, endpoint_gbps = 400', 3, 2, 0),
        ('"full_mesh", size = 2, concentration = 4, endpoint_gbps = 400', 2, 1, 0),
        ('"hyperx", sides = [2, 2], concentration = 2, endpoint_gbps = 400', 5, 2, 2),
        ('"dragonfly", a = 2, p = 2, h = 1, groups = 2', 7, 4, 2),
    ],
)
def test_the_way_by_random_leaves_by_hand(topology: str, switches: int, inner: int, outer: int) -> None:
    two = ".x" if "hyperx" in topology else ".local" if "dragonfly" in topology else ""
    links = f'links."router-router{two}" = {{ lower = "dac_400", length_m = 1 }}\n'
    if outer:
        name = "y" if two == ".x" else "global"
        links += f'links."router-router.{name}" = {{ lower = "dac_400", length_m = 2 }}\n'
    text = f"""schema_version = 1
name = "flat"
title = "flat"
[endpoints]
accelerators = 8
accelerator = "h100_sxm"
nic = "nic_400"
[[networks]]
name = "net"
endpoints_are = "nics"
switches.router = "qm9700"
links.endpoint-router = {{ lower = "dac_400", length_m = 1 }}
{links}topology = {{ family = {topology}, port_gbps = {"[400]" if "hyperx" in topology else 400} }}
"""
    catalogue = given_from_text("a.toml", text).catalogue
    box, end = (
        catalogue.switches["qm9700"].latency_ns.at("mid"),
        catalogue.links["dac_400"].latency_ns_per_end.at("mid"),
    )
    assert box is not None and end is not None
    expected = switches * box + (2 + inner) * (2 * end + 5) + outer * (2 * end + 10)
    assert hardware(text).path_us == pytest.approx(expected / 1000)


def test_parts_with_figures_of_their_own_are_named_not_guessed() -> None:
    question = fleets(("train", 128, 8, 400))
    answer = designer.solve(question, OPTIONS)
    given = given_from_text("a.toml", pod(leaf="{ price_usd = 9_000, ports = 64 }"))
    found = beside(question, OPTIONS, given, answer)
    assert "figures of its own" in {each.what: each.reason for each in found.apart}["leaf switch"]
    assert not any("leaf_switch" in force for each in found.worth for force in each.forces)
    power = row(found, "IT power")
    assert power.given is None and power.difference is None and any("power_w" in name for name in power.missing)


def test_new_words_of_why_not_reach_the_instance(rack: tuple[Question, Answer]) -> None:
    question, _ = rack
    asked = force(question, ["nic=nic_800", "scale_up_planes=9", "taper=22:1", "leaf_spine_link=dr4_800/lro_1600"])
    instance = asked.question.instance
    assert (instance.pin.nic, instance.pin.scale_up_planes, instance.pin.taper) == ("nic_800", 9, "22:1")
    assert instance.pin.leaf_spine_links == "dr4_800/lro_1600"
    assert instance.choose.max_taper == 22 and any("max_taper" in note for note in asked.notes)
    with pytest.raises(designer.problems.InputError) as caught:
        force(question, ["nic=x", "taper=2", "taper=0:1", "leaf_spine_link=a/lro_1600", "scale_up_planes=0"])
    assert [problem.key for problem in caught.value.problems] == [
        "nic",
        "taper",
        "taper",
        "leaf_spine_link",
        "scale_up_planes",
    ]


def test_choices_are_shared_only_where_all_pools_have_them(rack: tuple[Question, Answer]) -> None:
    from designer.beside.choices import Choice

    _, answer = rack
    assert answer.design is not None
    (pool,) = answer.design.pools
    two = replace(answer, design=replace(answer.design, pools=(pool, replace(pool, nic="nic_800"))))
    assert told_apart(answer, [Choice("nic", "nic_400")])[1] == []
    assert told_apart(two, [Choice("nic", "nic_400")])[0] == []


# ------------------------------------------------------------------ the question's figures, files and commands


def test_the_questions_figures_stand_for_those_of_the_file(rack: tuple[Question, Answer]) -> None:
    question, answer = rack
    text = (ROOT / "designs" / "nvl72-pod.toml").read_text()
    other = text.replace('name = "nvl72-pod"', 'name = "nvl72-pod"\nlevel = "high"\ndate = "2027-Q2"') + (
        "\n[site]\npue = 2.5\n[money]\nwacc = 0.5\n"
    )
    found = beside(question, OPTIONS, given_from_text("a.toml", other), answer)
    assert found.replaced == ("level", "date", "site", "money")
    assert all(each.difference == 0 for each in found.rows)
    given = given_from_text("a.toml", text)
    assert asked_alike(given, question).design.endpoints == given.design.endpoints


def test_without_an_optimum_the_design_is_still_shown() -> None:
    question = designer.load(ROOT / "instances" / "no-design.toml")
    answer = designer.solve(question, replace(OPTIONS, explain_s=0.0))
    assert answer.design is None
    given = given_from_text("a.toml", (ROOT / "designs" / "nvl72-pod.toml").read_text())
    found = beside(question, OPTIONS, given, answer)
    assert found.worth == () and found.together is None
    assert row(found, "IT capital").optimum is None and row(found, "IT capital").given
    assert "no optimum" in beside_screen(found)


def test_a_wrong_design_is_refused_as_by_evaluate_before_anything_is_solved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(pod(leaf='"qm970"').replace("per_host", "per_hosts").replace("length_m = 20", "length_m = -1"))

    def never(*_: object) -> Answer:
        raise AssertionError("solved")

    monkeypatch.setattr(designer.runs, "solve", never)
    instance, out = str(ROOT / "instances" / "nvl72-pinned.toml"), tmp_path / "run"
    for text in (wrong.read_text(), pod().replace('"sr8_800", length_m = 30', '"sr8_800", length_m = 3000')):
        wrong.write_text(text)
        told = CliRunner().invoke(app, ["evaluate", str(wrong)])
        here = CliRunner().invoke(app, ["solve", instance, "--compare", str(wrong), "--out", str(out), "-q"])
        assert told.exit_code == here.exit_code == 2
        assert told.stderr == here.stderr and str(wrong) in here.stderr
        assert not out.exists()


def test_the_command_shows_and_stores_the_comparison(tmp_path: Path) -> None:
    instance, design = ROOT / "instances" / "nvl72-pinned.toml", ROOT / "designs" / "nvl72-pod.toml"
    out = tmp_path / "run"
    args = ["solve", str(instance), "--compare", str(design), "--out", str(out), "--json"]
    told = CliRunner().invoke(app, args)
    assert told.exit_code == 0, told.stderr
    data = json.loads(told.stdout)
    assert data["compared"]["name"] == "nvl72-pod" and data["compared"]["together"]["more_usd"] == 0
    screen = (out / "report.txt").read_text()
    assert screen.index("ANSWER") < screen.index("BESIDE") < screen.index("WORTH")
    result = from_json("r", (out / "result.json").read_text())
    assert result.compared is not None and from_json("r", to_json(result)) == result
    assert any(phase.name == "beside" for phase in result.phases)
    plain = solve_and_store(instance, OPTIONS, out=tmp_path / "plain")
    assert plain.result.compared is None and "BESIDE" not in plain.screen
    assert designer.runs.default_folder(designer.load(instance), OPTIONS) != designer.runs.default_folder(
        designer.load(instance), OPTIONS, result.compared.design.sha256
    )
