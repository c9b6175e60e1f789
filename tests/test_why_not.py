"""A forced choice is in the design, is priced against the optimum item by item, and what blocks it is named."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import designer
from designer.answer import Question
from designer.design.types import Design
from designer.problems import InputError
from designer.solve.why_not import KEYS, WhyNot, force

INSTANCES = Path(__file__).parent.parent / "instances"


@pytest.fixture(scope="module")
def question() -> Question:
    """CPO against modules: two scale-out switches and most links to choose from."""
    return designer.load(INSTANCES / "scale-out-cpo-dsp-lpo.toml")


def links_of(design: Design) -> dict[str, set[str]]:
    found = {boundary.name: {boundary.lower_link, boundary.upper_link} for boundary in design.fabric.boundaries}
    found["nic_leaf"] = {name for pool in design.pools for name in (pool.nic_leaf.lower_link, pool.nic_leaf.upper_link)}
    return found


def forced_design(why: WhyNot) -> Design:
    assert why.forced.status == "optimal", why.forced.clash
    assert why.forced.design is not None and why.optimum.objective_usd is not None
    return why.forced.design


def test_keys_of_the_fabric(question: Question) -> None:
    design = forced_design(designer.why_not(question, ["technology=cpo"]))
    assert all(question.catalogue.switches[stage.switch].cpo for stage in design.fabric.stages)
    design = forced_design(designer.why_not(question, ["technology=dsp"]))
    techs = {question.catalogue.links[name].tech for names in links_of(design).values() for name in names}
    assert techs <= {"dr_dsp", "fr_dsp"}
    design = forced_design(designer.why_not(question, ["stages=3"]))
    assert len(design.fabric.stages) == 3


def test_a_link_is_forced_only_at_its_boundary(question: Question) -> None:
    optimum = designer.solve(question)
    assert optimum.design is not None
    assert "dr8_1600" not in links_of(optimum.design)["nic_leaf"], "the force would change nothing"
    why = designer.why_not(question, ["nic_leaf_link=dr8_1600"])
    links = links_of(forced_design(why))
    assert links["nic_leaf"] == {"dr8_1600"}
    assert links["leaf_spine"] == links_of(optimum.design)["leaf_spine"]
    assert why.forced.objective_usd is not None and optimum.objective_usd is not None
    assert why.forced.objective_usd > optimum.objective_usd


def test_without_a_part_of_the_optimum(question: Question) -> None:
    optimum = designer.solve(question)
    assert optimum.design is not None
    leaf = optimum.design.fabric.stages[0].switch
    design = forced_design(designer.why_not(question, [f"without={leaf}"]))
    assert leaf not in {stage.switch for stage in design.fabric.stages}


def test_differences_add_up_and_match_the_accounts(question: Question) -> None:
    why = designer.why_not(question, ["technology=cpo"])
    one, two = why.optimum.account, why.forced.account
    assert one is not None and two is not None
    rows = {row.what: row for row in why.differences}
    items = [row for row in why.differences if ": " in row.what]
    assert sum(row.difference for row in items) == pytest.approx(two.annual_usd - one.annual_usd, rel=1e-9)
    assert rows["cost"].difference == two.annual_usd - one.annual_usd
    assert rows["IT power"].forced == two.it_watts and rows["racks"].optimum == one.racks
    # Freed of the force, the forced question is the question: the optimum is no dearer.
    assert rows["cost with risk weights"].difference > 0


def test_a_force_the_optimum_obeys_changes_nothing(question: Question) -> None:
    optimum = designer.solve(question)
    assert optimum.design is not None
    why = designer.why_not(question, [f"leaf_switch={optimum.design.fabric.stages[0].switch}"])
    assert why.forced.design == why.optimum.design
    assert all(row.difference == 0 for row in why.differences)


def test_domain_beyond_the_announced_size_is_said(question: Question) -> None:
    accelerator = question.catalogue.accelerators["b300_hgx"]
    most = accelerator.scale_up.max_domain.at("mid")
    assert most is not None
    why = designer.why_not(question, [f"domain_size={2 * round(most)}"])
    assert any("beyond what is announced" in note for note in why.notes)
    assert forced_design(why).pools[0].beyond_announced


@pytest.mark.parametrize(
    ("text", "stands_in_the_way"),
    [
        ("link=dac_3200", r"available from 20\d\d-Q\d"),
        ("leaf_link=x", None),
        ("accelerator=maia_100", "none of its NICs is offered"),
    ],
)
def test_what_stands_in_the_way_is_named(question: Question, text: str, stands_in_the_way: str | None) -> None:
    if stands_in_the_way is None:
        with pytest.raises(InputError, match="nic_leaf_link"):
            designer.why_not(question, [text])
        return
    why = designer.why_not(question, [text])
    assert why.forced.status == "infeasible"
    part = text.split("=")[1]
    assert any(part in note and re.search(stands_in_the_way, note) for note in why.notes), why.notes
    assert any("not for sale" in line for line in why.forced.clash)


def test_what_the_instance_does_not_allow_is_said(question: Question) -> None:
    assert question.instance.pin.accelerator == "b300_hgx"
    why = designer.why_not(question, ["accelerator=mi355x", "leaf_switch=th5_64x800"])
    assert any("pin.accelerator = b300_hgx" in note for note in why.notes)
    assert any("choose.scale_out_switches" in note and "th5_64x800" in note for note in why.notes)


def test_every_mistake_is_told_at_once(question: Question) -> None:
    with pytest.raises(InputError) as caught:
        force(
            question,
            ["accelerator=h10", "stages=9", "stages=x", "nonsense", "technology=magic", "without=z", "link=z"],
        )
    keys = [problem.key for problem in caught.value.problems]
    assert {"accelerator", "stages", "nonsense", "technology", "without", "link"} <= set(keys)
    with pytest.raises(InputError, match="at least one"):
        force(question, [])


def test_numbers_reach_the_instance(question: Question) -> None:
    asked = force(question, ["rails=8", "planes=2", "domain_size=16", "vendor=amd"]).question.instance
    assert asked.choose.scale_out_rails == (8,)
    assert asked.choose.scale_out_planes == (2,)
    assert asked.pin.domain_size == 16
    vendors = {question.catalogue.accelerators[name].vendor for name in asked.choose.accelerators or ()}
    assert vendors == {"AMD"}
    assert set(asked.choose.beyond_announced) <= set(question.catalogue.accelerators)


def test_an_infeasible_force_says_why_as_solve_does(question: Question) -> None:
    limited = question.instance.model_copy(
        update={"site": question.instance.site.model_copy(update={"it_power_mw": 10.89})}
    )
    tight = replace(question, instance=limited)
    assert designer.solve(tight).status == "optimal"
    why = designer.why_not(tight, ["technology=dsp"])
    assert why.forced.status == "infeasible"
    assert any("site.it_power_mw" in line for line in why.forced.clash)
    assert why.differences == ()


def test_every_key_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    from designer.cli.app import app

    with pytest.raises(SystemExit):
        app(["why-not", "--help"], prog_name="designer")
    text = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert all(key in text for key in KEYS)


def test_the_command_ends_as_solve_does(capsys: pytest.CaptureFixture[str]) -> None:
    from designer.cli.app import app

    file = str(INSTANCES / "scale-out-cpo-dsp-lpo.toml")
    for text, code in (("technology=cpo", 0), ("link=dac_3200", 3), ("stages=7", 2)):
        with pytest.raises(SystemExit) as end:
            app(["why-not", file, "--force", text, "--json"], prog_name="designer")
        assert end.value.code == code, text
        out = capsys.readouterr().out
        if code != 2:
            data = json.loads(out)
            assert data["forces"] == [text]
            assert data["optimum"]["status"] == "optimal"
            assert bool(data["differences"]) == (code == 0)
    with pytest.raises(SystemExit):
        app(["why-not", file, "--force", "technology=cpo", "-q"], prog_name="designer")
    assert capsys.readouterr().out == ""


def test_what_an_impossible_force_breaks_is_named_and_priced() -> None:
    question = designer.load(INSTANCES / "nvl72-pinned.toml")
    why = designer.why_not(question, ["technology=cpo"])
    assert why.forced.status == "infeasible"
    (line,) = [line for line in why.forced.clash if "it breaks" in line]
    assert line.startswith("it breaks pin.leaf_switch = th5_64x800: without that it costs ")
    pin = question.instance.pin.model_copy(update={"leaf_switch": None})
    freed = replace(question, instance=question.instance.model_copy(update={"pin": pin}))
    cost = designer.why_not(freed, ["technology=cpo"]).forced.objective_usd
    assert cost is not None
    assert f"{cost:,.0f} USD" in line


def test_of_several_pins_in_the_way_only_those_are_named() -> None:
    question = designer.load(INSTANCES / "nvl72-pinned.toml")
    (line,) = [line for line in designer.why_not(question, ["vendor=AMD"]).forced.clash if "it breaks" in line]
    assert "pin.scale_up_switch = nvswitch4_chip" in line and "without these together" in line
    assert "pin.domain_size" not in line and "pin.scale_out_stages" not in line


def test_a_force_on_a_place_that_is_not_there_says_so(question: Question) -> None:
    why = designer.why_not(question, ["core_switch=qm9700"])
    assert why.idle
    assert "core_switch=qm9700 asks for nothing: no fabric of the forced design has a core" in why.notes
    assert not designer.why_not(question, ["spine_switch=th6_64x1600"]).idle
