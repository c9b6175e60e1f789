"""A given design evaluated: the same account as the verifier's where both apply, by hand where they do not."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from given_designs import given_text
from typer.testing import CliRunner
from verify_designs import rack_design, rack_instance, round_catalogue
from verify_spare_designs import spare_design, spare_instance, spare_planes_design, spare_replica_design
from verify_upper_designs import flat_instance, mesh_fabric
from verify_wide_designs import (
    clos_design,
    clos_instance,
    planes_design,
    planes_instance,
    planes_on_modules_design,
    rails_design,
    rails_instance,
    split_design,
    split_instance,
)

import designer
from designer.answer import SolveOptions
from designer.catalogue import Catalogue
from designer.cli.app import app
from designer.design.account import Account
from designer.design.types import Design
from designer.evaluate import Evaluation, evaluate, flow
from designer.evaluate.amounts import Amount
from designer.evaluate.count import count_network, grouping_of
from designer.evaluate.flow import capacities_of, carried_by, check_flow
from designer.families import family_from
from designer.given.load import Given, given_from_text
from designer.given.schema import GivenDemand
from designer.instance.load import load
from designer.instance.schema import Instance
from designer.network import throughput
from designer.network.core import Core
from designer.network.orbits import Orbits, orbits_of
from designer.problems import InputError
from designer.report.evaluation import evaluation_screen
from designer.verify import verify

ROOT = Path(__file__).resolve().parent.parent
EXACT = pytest.approx


def same(mine: Amount | float | None, theirs: float) -> bool:
    value = mine.value if isinstance(mine, Amount) else mine
    return value is not None and value == pytest.approx(theirs, rel=1e-9, abs=1e-9)


def given_of(design: Design, instance: Instance, catalogue: Catalogue) -> Given:
    return replace(given_from_text("answer.toml", given_text(design, instance, catalogue)), catalogue=catalogue)


def holds_beside(found: Evaluation, design: Design, account: Account, *, hits: bool) -> None:
    """Money, watts, repairs, hours and counts of an evaluation equal those of the verifier, item by item."""
    for line in account.lines:
        mine = [row for row in found.lines if row.item == line.item]
        assert sum(row.capex_usd.known for row in mine) == pytest.approx(line.capex_usd, rel=1e-9), line.item
        assert sum(row.watts.known for row in mine) == pytest.approx(line.watts, rel=1e-9, abs=1e-9), line.item
    for risk in account.risks:
        mine = [row for row in found.lines if row.item == risk.item]
        hard = sum(row.hard_repairs_per_year.known for row in mine)
        assert hard == pytest.approx(risk.hard_repairs_per_year, rel=1e-9, abs=1e-12), risk.item
        hours = sum(row.accelerator_hours_lost_per_year.known for row in mine)
        assert hours == pytest.approx(risk.accelerator_hours_lost_per_year, rel=1e-9, abs=1e-12), risk.item
        if hits or risk.item != "scale_out_switches":
            jobs = sum(row.job_hits_per_year.known for row in mine)
            assert jobs == pytest.approx(risk.job_hits_per_year, rel=1e-9, abs=1e-12), risk.item
    totals = found.totals
    assert same(totals.capex_usd, account.capex_usd)
    assert same(totals.watts, account.it_watts)
    assert same(totals.hard_repairs_per_year, account.hard_repairs_per_year)
    assert same(totals.accelerator_hours_lost_per_year, account.accelerator_hours_lost_per_year)
    assert same(totals.cleanings_per_year, account.cleanings_per_year)
    if hits:
        assert same(totals.annual_usd, account.annual_usd)
    (pool,) = design.pools
    copies = design.fabric.rails * design.fabric.planes
    upper = 0 if pool.scale_up.upper is None else pool.scale_up.upper.switches
    scale_out = copies * sum(stage.count for stage in design.fabric.stages)
    assert found.switches == pool.scale_up.switches + upper + scale_out
    names = {"nic_leaf": "endpoint-leaf"}
    if design.fabric.shape == "mesh":
        names = {"nic_leaf": "endpoint-router", "leaf_leaf": "router-router"}
    for boundary in (pool.nic_leaf, *design.fabric.boundaries):
        name = names.get(boundary.name, boundary.name.replace("_", "-"))
        bundle = found.bundle("scale_out", name)
        counted = (bundle.links, bundle.cables, bundle.lower_ends, bundle.upper_ends)
        assert counted == (boundary.links, boundary.cables, boundary.lower_ends, boundary.upper_ends)
    assert found.ok


# ------------------------------------------------------------------ beside the verifier, on designs counted by hand


# Where spines have free ports the rules charge the leaves for the ports they use; evaluate counts whole boxes.
BY_HAND = {
    "rack": (rack_design, rack_instance, False),
    "planes": (planes_design, planes_instance, False),
    "planes on modules": (planes_on_modules_design, planes_instance, False),
    "split": (split_design, split_instance, False),
    "rails": (rails_design, rails_instance, False),
    "clos": (clos_design, clos_instance, False),
    "spare racks": (spare_design, spare_instance, False),
    "spare racks, two to a job": (spare_replica_design, spare_instance, False),
    "spare planes": (spare_planes_design, spare_instance, False),
    "leaves joined directly": (mesh_fabric, lambda: flat_instance("mesh"), True),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_designs_counted_by_hand_have_the_account_of_the_verifier(name: str) -> None:
    build, ask, hits = BY_HAND[name]
    design, instance, catalogue = build(), ask(), round_catalogue()
    theirs = verify(design, catalogue, instance)
    assert theirs.ok, theirs.findings
    found = evaluate(given_of(design, instance, catalogue))
    holds_beside(found, design, theirs.account, hits=hits)
    (theirs_up,) = theirs.account.uptimes
    assert found.uptime is not None and found.uptime.value == pytest.approx(theirs_up.availability, rel=1e-12)


# ------------------------------------------------------------------ beside the optimiser

FLEET = """schema_version = 1
name = "fleet"
title = "A fleet"
[[fleets]]
name = "train"
accelerators = {accelerators}
job_accelerators = 64
scale_up_gbps = 3200
scale_out_gbps = 400
[choose]
accelerators = ["h100_sxm"]
scale_out_switches = ["qm9700"]
[pin]
scale_out_stages = {stages}
"""


CO_PACKAGED = """schema_version = 1
name = "fleet"
title = "A fleet on co-packaged switches"
[[fleets]]
name = "train"
accelerators = 5184
job_accelerators = 72
scale_out_gbps = 800
[choose]
accelerators = ["gb300_nvl72"]
scale_out_switches = ["q3450_cpo"]
[pin]
scale_out_stages = 2
"""

# Their switches and pods are full, so that hits are equal too.
QUESTIONS = {
    "one domain on a leaf": "nvl72-pinned",
    "boards of eight": "hgx-h100-pinned",
    "two stages": FLEET.format(accelerators=1024, stages=2),
    "three stages": FLEET.format(accelerators=2048, stages=3),
    "co-packaged": CO_PACKAGED,
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_of_the_optimiser_written_down_costs_the_same(name: str, tmp_path: Path) -> None:
    question = QUESTIONS[name]
    if "\n" in question:
        file = tmp_path / "fleet.toml"
        file.write_text(question)
    else:
        file = ROOT / "instances" / f"{question}.toml"
    asked = load(file)
    answer = designer.solve(asked, SolveOptions())
    assert answer.design is not None
    theirs = verify(answer.design, asked.catalogue, asked.instance)
    assert theirs.ok
    found = evaluate(given_of(answer.design, asked.instance, asked.catalogue))
    holds_beside(found, answer.design, theirs.account, hits=True)


# ------------------------------------------------------------------ counted by hand

SMALL = """schema_version = 1
name = "small"
title = "Eight accelerators on two leaves and two spines"
[endpoints]
accelerators = 8
per_host = 2
job_accelerators = 4
[[networks]]
name = "net"
endpoints_are = "nics"
switches.leaf = { price_usd = 1000, power_w = 100, ports = 8, afr_hard = 0.1, outage_per_year = 0.2 }
switches.spine = { price_usd = 2000, power_w = 0, ports = 4, afr_hard = 0.1, outage_per_year = 0.2 }
[networks.topology]
family = "fat_tree"
endpoints = 8
stages = 2
radix = 8
port_gbps = 100
down = 4
up = 4
spines_per_pod = 2
[networks.links.endpoint-leaf]
price_usd_per_link = 10
power_w_per_link = 1
afr_hard_per_link = 0.01
transient_per_link_year = 0.5
mttr_h = 3
length_m = 2
[networks.links.leaf-spine]
price_usd_per_link = 20
power_w_per_link = 2
afr_hard_per_link = 0.02
transient_per_link_year = 0.25
mttr_h = 3
length_m = 9
"""


def text_of(text: str) -> Evaluation:
    return evaluate(given_from_text("a.toml", text))


def refused(text: str) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        text_of(text)
    found: dict[str, str] = {}
    for problem in caught.value.problems:
        found[problem.key] = found.get(problem.key, "") + f"{problem.read}; {problem.allowed}. "
    return found


def test_own_prices_add_up_as_on_paper() -> None:
    found = text_of(SMALL)
    # 2 leaves, 2 spines; 8 links below, 8 above.
    assert found.totals.capex_usd.value == 2 * 1000 + 2 * 2000 + 8 * 10 + 8 * 20
    assert found.totals.watts.value == 2 * 100 + 8 * 1 + 8 * 2
    assert found.totals.hard_repairs_per_year.value == EXACT(4 * 0.1 + 8 * 0.01 + 8 * 0.02)
    assert found.switches == 4
    assert [(row.name, row.links, row.cables) for row in found.networks[0].bundles] == [
        ("endpoint-leaf", 8, 8),
        ("leaf-spine", 8, 8),
    ]


def test_hits_and_hours_follow_the_rules_by_hand() -> None:
    found = text_of(SMALL)
    catalogue = designer.catalogue.load_catalogue()
    repair = catalogue.facility.repair
    kill, box_h = repair.p_transient_kills_job.mid, repair.switch_box_mttr_h.mid
    assert kill is not None and box_h is not None
    lines = {row.place: row for row in found.lines}
    # A leaf of 4 accelerators is one job of 4; a spine is gone round, and takes half of the bandwidth of all 8.
    assert same(lines["leaf"].job_hits_per_year, 2 * 0.2 * 1)
    assert same(lines["leaf"].accelerator_hours_lost_per_year, 2 * 0.1 * box_h * 4)
    assert same(lines["spine"].job_hits_per_year, 2 * 0.2 * kill)
    assert same(lines["spine"].accelerator_hours_lost_per_year, 8 * 0.1 * box_h)
    # A NIC's cable stops the job of its accelerator; a cable further up one time in 1 / kill.
    assert same(lines["endpoint-leaf"].job_hits_per_year, 8 * 0.01 + kill * 8 * 0.5)
    assert same(lines["endpoint-leaf"].accelerator_hours_lost_per_year, 8 * 0.01 * 3 * 4)
    assert same(lines["leaf-spine"].job_hits_per_year, kill * 8 * (0.02 + 0.25))
    assert same(lines["leaf-spine"].accelerator_hours_lost_per_year, 8 * 0.02 * 3)
    hours = found.totals.accelerator_hours_lost_per_year.value
    assert hours is not None
    assert same(found.totals.availability, 1 - hours / (8760 * 8))


# ------------------------------------------------------------------ what is not known


@pytest.mark.parametrize(
    ("taken", "lacking", "unknown", "still_known"),
    [
        ("price_usd = 1000, ", "net leaf: price_usd", {"capex_usd", "annual_usd"}, {"watts", "job_hits_per_year"}),
        ("power_w = 100, ", "net leaf: power_w", {"watts", "energy_usd_per_year", "annual_usd"}, {"capex_usd"}),
        (
            "afr_hard_per_link = 0.02\n",
            "net leaf-spine: afr_hard_per_link",
            {"hard_repairs_per_year", "job_hits_per_year", "accelerator_hours_lost_per_year", "availability"},
            {"capex_usd", "watts"},
        ),
        (
            "transient_per_link_year = 0.25\n",
            "net leaf-spine: transient_per_link_year",
            {"job_hits_per_year"},
            {"hard_repairs_per_year", "accelerator_hours_lost_per_year", "capex_usd"},
        ),
    ],
)
def test_an_unknown_figure_makes_unknown_what_hangs_on_it_and_nothing_else(
    taken: str, lacking: str, unknown: set[str], still_known: set[str]
) -> None:
    assert taken in SMALL
    totals = text_of(SMALL.replace(taken, "", 1)).totals
    for name in unknown:
        amount = getattr(totals, name)
        assert amount.value is None, name
        assert lacking in amount.missing, name
    for name in still_known:
        amount = getattr(totals, name)
        assert amount.value is not None, name
        assert lacking not in amount.missing
        assert amount.value == getattr(text_of(SMALL).totals, name).value


def test_what_is_known_of_an_unknown_sum_is_the_sum_of_the_rest() -> None:
    capex = text_of(SMALL.replace("price_usd = 1000, ", "")).totals.capex_usd
    assert capex.known == 2 * 2000 + 8 * 10 + 8 * 20


def test_a_figure_of_zero_is_a_figure() -> None:
    zero = SMALL.replace("price_usd = 1000", "price_usd = 0").replace(
        "afr_hard_per_link = 0.02", "afr_hard_per_link = 0"
    )
    totals = text_of(zero).totals
    assert totals.capex_usd.value == 2 * 2000 + 8 * 10 + 8 * 20
    assert totals.hard_repairs_per_year.value == EXACT(4 * 0.1 + 8 * 0.01)


def test_without_an_accelerator_no_lost_hour_has_a_value() -> None:
    totals = text_of(SMALL).totals
    assert totals.failures_usd_per_year.value is None
    assert any("no accelerator is given" in name for name in totals.failures_usd_per_year.missing)
    priced = SMALL.replace("per_host = 2", "accelerator = { price_usd = 30_000 }\nper_host = 2")
    own = text_of(priced).totals
    # Its own failures are not given, so the sum is still unknown, but for another reason.
    assert own.failures_usd_per_year.value is None
    assert not any("no accelerator is given" in name for name in own.failures_usd_per_year.missing)
    assert own.capex_usd.value == 6240 + 8 * 30_000


# ------------------------------------------------------------------ what cannot be built

SUPERPOD = (ROOT / "designs" / "dgx-superpod-h100-4su.toml").read_text()
NVL72 = (ROOT / "designs" / "nvl72-pod.toml").read_text()


@pytest.mark.parametrize(
    ("text", "old", "new", "key", "words"),
    [
        (SMALL, "ports = 8", "ports = 7", "networks[0].switches.leaf", "8 ports in use; allowed: at most the 7"),
        (SUPERPOD, 'spine = "qm9700"', 'spine = "q3400"', "networks[1].links.leaf-spine", "200.0 above"),
        (NVL72, '"th5_64x800"', '"th5_bailly_cpo"', "networks[1].links.endpoint-switch", "module and fibre"),
        (NVL72, '"th5_64x800"', '"qm9700"', "networks[1].switches.switch", "72 ports of 400 Gb/s in use"),
        (NVL72, '"nvswitch4_chip"', '"nvswitch3"', "networks[0].switches.switch", "port rates it offers, 200 Gb/s"),
        (NVL72, 'lower = "acc_800", length_m = 2.7', 'lower = "acc_800", length_m = 3.1',
         "networks[1].links.endpoint-switch.length_m", "at most 3 m, the reach of acc_800"),
        (NVL72, 'lower = "acc_800"', 'lower = "dr8_800", upper = "lpo_800"', "networks[1].links.endpoint-switch",
         "dr-100g below, dr-100g-lpo above"),
        (NVL72, '"nic_400"', '"nic_100"', "networks[1].topology", "400 Gb/s of links at a NIC; allowed: its 100"),
        (SUPERPOD, '"nic_400"', '"integrated_200"', "networks[1].topology", "allowed: its 200"),
        (NVL72, '"th5_64x800"', '"q3400"', "networks[1].links.endpoint-switch", "200"),
        (SUPERPOD, "per_host = 8", "per_host = 4", "networks[1].topology.per_host", "allowed: 8"),
        (NVL72, "planes = 18, radix = 72", "planes = 17, radix = 144", "networks[0].switches.switch", "144 ports"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_refused_with_its_place(text: str, old: str, new: str, key: str, words: str) -> None:
    assert old in text
    found = refused(text.replace(old, new))
    assert words in found.get(key, ""), found


def test_the_longest_link_on_the_floor_is_held_against_the_reach() -> None:
    near = NVL72.replace('"acc_800", length_m = 2.7', '"aec_800"')
    assert text_of(near).bundle("leaf", "endpoint-switch").longest_m <= 5
    far = SUPERPOD.replace('leaf-spine = { lower = "sr8_800", length_m = 30 }', 'leaf-spine = "dac_800"')
    assert "the longest on the floor" in refused(far)["networks[1].links.leaf-spine.length_m"]


def test_lengths_of_the_floor_are_those_of_its_links_and_longer_where_rows_are_wider() -> None:
    here = SUPERPOD.replace('{ lower = "sr8_800", length_m = 30 }', '"dr8_800"')
    found, wide = text_of(here), text_of(here + "[floor]\nrow_pitch_m = 30\n")
    for name in ("endpoint-leaf", "leaf-spine"):
        bundle, other = found.bundle("compute", name), wide.bundle("compute", name)
        assert 0 < bundle.mean_m < bundle.longest_m
        assert sum(bundle.links_by_class.values()) == bundle.links
        assert other.longest_m > bundle.longest_m
        # Fibre is paid by the metre.
    assert (found.totals.capex_usd.value or 0) < (wide.totals.capex_usd.value or 0)


# ------------------------------------------------------------------ flows


def test_capacities_are_held_against_the_demand() -> None:
    tapered = SMALL.replace("up = 4", "up = 2") + "[demand.net]\nall_to_all_gbps = "
    enough, too_much = text_of(tapered + "80\n"), text_of(tapered + "95\n")
    (row, *_) = enough.networks[0].capacities
    # 4 x T x 4/7 leave a leaf over 200 Gb/s: T = 87.5.
    assert row.least_gbps == row.most_gbps == EXACT(87.5)
    assert row.verdict == "carried" and enough.ok
    assert row.share_used == EXACT(80 / 87.5)
    assert enough.bundle("net", "leaf-spine").fullest_share == EXACT(80 / 87.5)
    assert too_much.networks[0].capacities[0].verdict == "not carried" and not too_much.ok


def test_a_network_that_is_not_what_is_counted_is_found() -> None:
    family = family_from(
        {"family": "fat_tree", "endpoints": 8, "stages": 2, "radix": 8, "port_gbps": 100.0, "down": 4, "up": 2,
         "spines_per_pod": 1}
    )  # fmt: skip
    structure, network = family.structure(), family.network()
    whole = check_flow(structure, network, carried_by(network), 1)
    assert not whole.violations
    links = network.links.copy()
    above = np.flatnonzero(network.bundle == 1)
    links[above[0]] -= 1
    short = replace(network, links=links)
    rows = check_flow(structure, short, carried_by(short), 1).violations
    assert any("3 links of leaf-spine are built, 4 counted" in row for row in rows)
    assert any("all-to-all" in row for row in rows)
    kept = np.arange(network.links.size) != 0
    cut = replace(network, **{name: getattr(network, name)[kept] for name in ("lower", "upper", "links", "bundle")})
    rows = check_flow(structure, cut, carried_by(cut), 1).violations
    assert "1 boxes are cut off from the others: endpoint0" in rows


def test_an_interval_of_the_closed_form_is_narrowed_by_the_built_network() -> None:
    family = family_from({"family": "dragonfly", "p": 2, "a": 4, "h": 2, "groups": 9, "port_gbps": 100.0})
    structure, network = family.structure(), family.network()
    carried = carried_by(network)
    grouping = grouping_of(structure, 1, 1, 1)
    row = capacities_of(structure, carried, GivenDemand(all_to_all_gbps=1.0), grouping)[0]
    stated = structure.capacity["all_to_all"]
    assert row.most_gbps is not None
    assert stated.least <= row.least_gbps <= row.most_gbps <= stated.most
    assert row.least_gbps >= carried.rate.least or row.least_gbps == EXACT(stated.least)


def test_circuit_switches_have_no_ends_to_buy() -> None:
    text = """schema_version = 1
name = "pod"
title = "Four cubes of 2 x 2 x 2"
[endpoints]
accelerators = 32
per_host = 4
[[networks]]
name = "torus"
endpoints_are = "accelerators"
topology = { family = "torus", sides = [8, 2, 2], port_gbps = [400], cube = [2, 2, 2] }
switches.ocs = "tpu_ocs_palomar"
[networks.links]
endpoint-endpoint = { price_usd_per_link = 0 }
endpoint-ocs = { lower = "dr4_400", length_m = 40 }
"""
    found = text_of(text)
    line = {row.place: row for row in found.lines}["endpoint-ocs.x"]
    bundle = found.bundle("torus", "endpoint-ocs.x")
    # Four faces of 4 on either side of the ring's 4 joints: 32 fibres, modules at endpoints only.
    assert bundle.links == 32
    modules = designer.catalogue.load_catalogue().links["dr4_400"].price_usd_per_end.mid
    assert modules is not None
    assert line.capex_usd.known > 32 * modules
    two_ended = found.bundle("torus", "endpoint-ocs.x")
    assert (two_ended.lower_part, two_ended.upper_part) == ("dr4_400", "connector")
    assert line.capex_usd.known < 2 * 32 * modules
    assert not any(row.flow.violations for row in found.networks)
    upper = text.replace('lower = "dr4_400"', 'lower = "dr4_400", upper = "dr4_400"')
    assert "circuit switch" in refused(upper)["networks[0].links.endpoint-ocs.upper"]


# ------------------------------------------------------------------ the shipped designs, and the command

DESIGNS = sorted((ROOT / "designs").glob("*.toml"))


@pytest.mark.parametrize("path", DESIGNS, ids=lambda path: path.stem)
def test_shipped_designs_are_sound_and_name_their_source(path: Path) -> None:
    found = designer.evaluate(path)
    assert found.ok
    assert found.name == path.stem
    assert found.source
    assert path.read_text().startswith("# ")


def test_published_counts_and_prices_of_the_shipped_designs() -> None:
    pod = designer.evaluate(ROOT / "designs" / "dgx-superpod-h100-4su.toml")
    stages = {stage.name: stage.boxes for stage in pod.networks[1].stages}
    assert (stages["leaf"], stages["spine"]) == (32, 16)
    links = {bundle.name: bundle.links for bundle in pod.networks[1].bundles}
    assert (links["endpoint-leaf"] + links["service-leaf"], links["leaf-spine"]) == (1020, 1024)
    mesh = designer.evaluate(ROOT / "designs" / "hammingmesh-small.toml")
    assert mesh.totals.capex_usd.value == 4 * (32 * 14_280 + 1024 * 272 + 1024 * 603)
    assert mesh.totals.watts.value is None
    tree = designer.evaluate(ROOT / "designs" / "fat-tree-16384.toml")
    assert [stage.boxes for stage in tree.networks[0].stages] == [512, 512, 256]


def test_the_command_prints_a_screen_or_json_and_says_by_its_code_how_it_went(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(SMALL)
    run = CliRunner().invoke
    shown = run(app, ["evaluate", str(file)])
    assert shown.exit_code == 0
    assert "2 leaf own figures (8 of 8 ports)" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 100
    data = json.loads(run(app, ["evaluate", str(file), "--json"]).stdout)
    assert (data["schema_version"], data["ok"]) == (1, True)
    assert data["totals"]["capex_usd"] == {"value": 6240.0, "known": 6240.0, "missing": []}
    assert data["design"]["sha256"] == given_from_text("a", SMALL).sha256
    assert set(data["versions"]) == {"tokenfabric", "numpy", "scipy", "python"}
    file.write_text(SMALL + "[demand.net]\nall_to_all_gbps = 1e6\n")
    assert run(app, ["evaluate", str(file)]).exit_code == 5
    file.write_text(SMALL.replace("ports = 8", "ports = 7"))
    broken = run(app, ["evaluate", str(file)])
    assert broken.exit_code == 2
    assert "networks[0].switches.leaf" in broken.stderr


def test_an_overlay_changes_prices_of_catalogue_rows(tmp_path: Path) -> None:
    overlay = tmp_path / "prices.toml"
    overlay.write_text('[[switches]]\nid = "qm9700"\nprice_usd = 1\n')
    design = ROOT / "designs" / "dgx-superpod-h100-4su.toml"
    bare, cheap = designer.evaluate(design), designer.evaluate(design, overlay)
    listed = designer.catalogue.load_catalogue().switches["qm9700"].price_usd.mid
    assert bare.totals.capex_usd.value is not None and cheap.totals.capex_usd.value is not None and listed is not None
    assert bare.totals.capex_usd.value - cheap.totals.capex_usd.value == EXACT(48 * (listed - 1))
    assert cheap.overlay is not None and cheap.overlay.file == str(overlay)
    assert cheap.catalogue_sha256 != bare.catalogue_sha256


# ------------------------------------------------------------------ counting


BY_LENGTH = """schema_version = 1
name = "by-length"
title = "Copper where it reaches"
[endpoints]
accelerators = 512
per_host = 8
[[networks]]
name = "net"
endpoints_are = "nics"
topology = { family = "fat_tree", endpoints = 512, stages = 2, radix = 64, port_gbps = 400 }
[networks.links]
endpoint-leaf = LEAF
leaf-spine = { price_usd_per_link = 7, length_m = 30 }
[floor]
accelerators_per_rack = 8
racks_per_row = 20
"""


def test_links_of_a_boundary_may_be_of_several_types_by_length() -> None:
    one = text_of(BY_LENGTH.replace("LEAF", "{ price_usd_per_link = 1 }"))
    whole = one.bundle("net", "endpoint-leaf")
    pieces = "{ by_length = [{ up_to_m = 3.3, price_usd_per_link = 1 }, { price_usd_per_link = 10 }] }"
    two = text_of(BY_LENGTH.replace("LEAF", pieces))
    short, long = (two.bundle("net", f"endpoint-leaf.by_length[{at}]") for at in (0, 1))
    # A leaf stands between two racks of eight accelerators on either side; the next is 0.6 m + 1.2 m + 1.5 m away.
    assert (short.links, short.longest_m, long.links, long.longest_m > 3.3) == (256, 3.3, 256, True)
    assert two.totals.capex_usd.known == short.links + 10 * long.links + 7 * 512
    assert short.mean_m * short.links + long.mean_m * long.links == pytest.approx(whole.mean_m * whole.links)
    # Behind a leaf and its links stands what stood there, and traffic sees one boundary.
    assert [row.accelerators_behind for row in two.networks[0].stages] == [32, 0]
    assert two.networks[0].capacities == one.networks[0].capacities and two.ok


def test_types_that_are_alike_cost_and_fail_like_one() -> None:
    figures = (
        "price_usd_per_link = 3, power_w_per_link = 1, afr_hard_per_link = 0.1, mttr_h = 2, transient_per_link_year = 1"
    )
    one = text_of(BY_LENGTH.replace("LEAF", f"{{ {figures} }}"))
    two = text_of(BY_LENGTH.replace("LEAF", f"{{ by_length = [{{ up_to_m = 3.5, {figures} }}, {{ {figures} }}] }}"))
    assert len(two.networks[0].bundles) == len(one.networks[0].bundles) + 1
    for name in ("capex_usd", "watts", "hard_repairs_per_year", "job_hits_per_year", "accelerator_hours_lost_per_year"):
        known = [getattr(found.totals, name).known for found in (one, two)]
        assert known[0] == pytest.approx(known[1], rel=1e-12) and known[0] > 0


def test_a_type_that_does_not_reach_is_named_by_its_place() -> None:
    wrong = BY_LENGTH.replace("LEAF", '{ by_length = [{ up_to_m = 20, lower = "dac_400" }, { lower = "sr8_800" }] }')
    assert "the reach of dac_400" in refused(wrong)["networks[0].links.endpoint-leaf.by_length[0].length_m"]


def test_racks_are_counted_where_somebody_says_what_one_holds() -> None:
    found = text_of(BY_LENGTH.replace("LEAF", "{ price_usd_per_link = 1 }"))
    # 512 / 8; 16 leaves and 8 spines at 16 to a rack
    assert found.racks is not None and (found.racks.accelerators, found.racks.network) == (64, 2)
    beside = text_of(BY_LENGTH.replace("LEAF", "{ price_usd_per_link = 1 }") + "boxes_beside = 1\n[site]\nracks = 60\n")
    assert beside.racks is not None and (beside.racks.accelerators, beside.racks.network) == (64, 0)
    assert [(use.used, use.of) for use in beside.uses if use.what == "racks"] == [(64, 60)]
    assert text_of(SMALL).racks is None


def test_switches_of_a_domain_that_stand_in_no_rack_of_it_have_racks_of_their_own() -> None:
    head = 'schema_version = 1\nname = "a"\ntitle = "A"\n[floor]\naccelerators_per_rack = 64\n[endpoints]\n'
    scale_up = 'accelerators = 512\n[[networks]]\nname = "up"\nendpoints_are = "accelerators"\n'
    cubes = 'topology = { family = "torus", sides = [8, 8, 8], port_gbps = [400], cube = [4, 4, 4] }\n'
    clos = (
        'repeat = 4\ntopology = { family = "scale_up_clos", groups = 16, endpoints_per_group = 8, ports = 2, '
        "port_gbps = 400, planes = 2, uplinks = 8, uppers = 2, radix = 16, upper_radix = 64 }\n"
    )
    # 48 circuit switches, three racks of 16; two second-stage switches in each of two planes of four domains: one rack.
    for topology, alone in ((cubes, 3), (clos, 1)):
        racks = text_of(head + scale_up + topology).racks
        assert racks is not None and (racks.accelerators, racks.network) == (8, alone)


def test_spare_planes_are_not_counted_on() -> None:
    text = """schema_version = 1
name = "rack"
title = "A rack with a plane to spare"
[endpoints]
accelerators = 64
[[networks]]
name = "up"
endpoints_are = "accelerators"
spare_planes = 1
topology = { family = "single_stage", endpoints = 64, ports = 18, port_gbps = 400, planes = 4, radix = 320 }
[demand.up]
all_to_all_gbps = 4800.0
"""
    # Shares 5, 5, 4, 4: three of the four planes, four ports on each.
    found = text_of(text)
    assert {row.least_gbps for row in found.networks[0].capacities} == {3 * 4 * 400}
    assert found.ok and not text_of(text.replace("4800.0", "4801.0")).ok
    assert text_of(text.replace("spare_planes = 1\n", "")).networks[0].capacities[0].least_gbps == 7200
    assert "at most 3" in refused(text.replace("spare_planes = 1", "spare_planes = 4"))["networks[0].spare_planes"]
    spare = text.replace("accelerators = 64", "accelerators = 192\njob_accelerators = 128\nspare_domains = 2")
    assert "multiples of 2" in refused(spare.replace('"up"\n', '"up"\nrepeat = 3\n', 1))["endpoints.spare_domains"]


def test_ports_of_a_host_share_cables_and_ends() -> None:
    # Two hosts of 4, 8 ports each on 2 planes: per plane 4 links of a host to one leaf.
    family = family_from(
        {"family": "fat_tree", "endpoints": 8, "stages": 1, "radix": 8, "port_gbps": 200.0, "planes": 2}
    )
    structure = family.structure()
    tally = count_network(structure, family.network(), grouping_of(structure, 1, 4, 3))
    (bundle,) = tally.bundles
    assert bundle.wiring.links == 8 * 2 * 3
    assert dict(bundle.wiring.pairs) == {4: 2 * 2 * 3}
    assert dict(bundle.wiring.lower) == {8: 2 * 3}
    assert dict(bundle.wiring.upper) == {8: 2 * 3}
    assert (bundle.behind, bundle.cuts) == (8, True)
    assert bundle.rate == Fraction(200)


def test_traffic_that_would_take_too_long_to_route_is_not_routed_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    family = family_from({"family": "hamming_mesh", "board": [2, 2], "grid": [3, 2], "port_gbps": 400.0, "radix": 64})
    structure, network = family.structure(), family.network()
    assert not carried_by(network).skipped
    for limit in ("MOST_WORK", "MOST_ROWS"):
        with monkeypatch.context() as patch:
            patch.setattr(flow, limit, 10)
            carried = carried_by(network)
        assert "at most 10" in carried.skipped
        found = check_flow(structure, network, carried, 1)
        assert not found.violations
        assert any("NOT routed" in text for text in found.checks)
        # The closed form stands.
        row = capacities_of(structure, carried, None, grouping_of(structure, 1, 1, 1))[0]
        assert row.least_gbps == structure.capacity["all_to_all"].least


def test_modules_between_routers_are_rounded_up_per_router_whichever_end_it_is() -> None:
    """Four global links of a router in two twin modules, though it is the lower end of any number of them."""
    text = """schema_version = 1
name = "fly"
title = "a canonical dragonfly"
[endpoints]
accelerators = 72
[[networks]]
name = "fly"
endpoints_are = "nics"
topology = { family = "dragonfly", p = 2, a = 4, h = 2, groups = 9, port_gbps = 400.0, planes = PLANES }
switches.router = "qm9700"
[networks.links]
endpoint-router = { price_usd_per_link = 0 }
"router-router.local" = { price_usd_per_link = 0 }
"router-router.global" = { lower = "dr8_800", length_m = 100 }
"""
    for planes in (1, 3):
        found = text_of(text.replace("PLANES", str(planes)))
        bundle = found.bundle("fly", "router-router.global")
        # 36 routers of two links each, which share a module of 800G.
        assert (bundle.links, bundle.lower_ends, bundle.upper_ends) == (36 * planes, 18 * planes, 18 * planes)
        line = {row.place: row for row in found.lines}["router-router.global"]
        modules = designer.catalogue.load_catalogue().links["dr8_800"].power_w_per_end.mid
        assert modules is not None and same(line.watts, 36 * planes * modules)


def test_ports_that_two_networks_take_up_together_are_refused() -> None:
    superpod = SUPERPOD[SUPERPOD.index('[[networks]]\nname = "compute"') : SUPERPOD.index("[demand.compute]")]
    twice = SUPERPOD.replace("[demand.compute]", superpod.replace('"compute"', '"storage"') + "[demand.compute]")
    found = refused(twice)
    assert set(found) == {"networks[2].topology"}
    assert "400 Gb/s of links at a NIC, 400 in the networks above; allowed: its 400" in found["networks[2].topology"]


def test_nobody_says_how_often_domains_without_accelerators_are_up() -> None:
    mesh = (ROOT / "designs" / "hammingmesh-small.toml").read_text()
    assert text_of(mesh).uptime is None
    up = text_of(mesh.replace("per_host = 4", "per_host = 4\naccelerator = { afr_hard = 0.1 }")).uptime
    assert up is not None and up.value is not None and 0 < up.value < 1
    part = text_of(mesh.replace("per_host = 4", "per_host = 4\naccelerator = { price_usd = 1 }")).uptime
    assert part is not None and part.value is None and part.missing == ("accelerators: afr_hard",)


def test_the_screen_says_that_rails_do_not_meet() -> None:
    rails = SMALL.replace("port_gbps = 100", "port_gbps = 100\nrails = 2").replace("down = 4", "down = 2")
    rails = rails.replace("up = 4", "up = 2")
    found = text_of(rails)
    assert "each among those of its rail" in " ".join(evaluation_screen(found).split())
    assert "all-to-all routed: 100 Gb/s per endpoint, as in closed form" in found.networks[0].flow.checks
    assert "rail" not in evaluation_screen(text_of(SMALL))


def test_symmetries_are_looked_for_once_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(core: Core, *generators: Any, **more: Any) -> Orbits:
        asked.append(core)
        return orbits_of(core, *generators, **more)

    for room in (flow, throughput):
        monkeypatch.setattr(room, "orbits_of", counted, raising=False)
    family = family_from({"family": "hamming_mesh", "board": [2, 2], "grid": [3, 2], "port_gbps": 400.0, "radix": 64})
    assert not carried_by(family.network()).skipped
    assert len(asked) == 1


def test_a_routing_that_is_not_the_best_overloads_nothing() -> None:
    """Even splitting carries 307 of 400 Gb/s of this dragonfly; that all 390 asked fit is known otherwise."""
    text = """schema_version = 1
name = "fly"
title = "a canonical dragonfly"
[endpoints]
accelerators = 72
[[networks]]
name = "fly"
endpoints_are = "accelerators"
[networks.topology]
family = "dragonfly"
p = 2
a = 4
h = 2
groups = 9
port_gbps = 400.0
[demand.fly]
all_to_all_gbps = ASKED
"""
    for asked, known in (("390.0", False), ("300.0", True)):
        found = evaluate(given_from_text("a.toml", text.replace("ASKED", asked)))
        assert found.ok
        assert all((row.fullest_share is not None) == known for row in found.networks[0].bundles)
        assert all(use.share <= 1 for use in found.uses)


def test_the_only_spine_stops_everybody_below_it() -> None:
    """A lone spine is a single point of failure: it is not gone round, but where other planes carry on."""
    lone = SMALL.replace("spines_per_pod = 2", "spines_per_pod = 1").replace("ports = 4", "ports = 8")
    found = text_of(lone)
    catalogue = designer.catalogue.load_catalogue()
    repair = catalogue.facility.repair
    kill, box_h = repair.p_transient_kills_job.mid, repair.switch_box_mttr_h.mid
    assert kill is not None and box_h is not None
    line = {row.place: row for row in found.lines}["spine"]
    # Two jobs of four accelerators, and all eight of them.
    assert same(line.job_hits_per_year, 0.2 * 2)
    assert same(line.accelerator_hours_lost_per_year, 0.1 * box_h * 8)
    assert [stage.accelerators_behind for stage in found.networks[0].stages] == [4, 8]
    planes = text_of(lone.replace("port_gbps = 100", "port_gbps = 50\nplanes = 2"))
    line = {row.place: row for row in planes.lines}["spine"]
    assert same(line.job_hits_per_year, 2 * 0.2 * kill)
    pods = SMALL.replace("stages = 2", "stages = 3\nleaves_per_pod = 1\nspine_up = 4").replace("= 2\n[net", "= 1\n[net")
    pods = pods.replace("ports = 4", "ports = 8").replace("endpoints = 8", "endpoints = 6")
    found = text_of(pods.replace("accelerators = 8", "accelerators = 6"))
    # One spine in each pod of one leaf, the second of two accelerators; one core above both.
    assert [stage.accelerators_behind for stage in found.networks[0].stages] == [4, 4, 6]
    line = {row.place: row for row in found.lines}["spine"]
    assert same(line.accelerator_hours_lost_per_year, 0.1 * box_h * (4 + 4))


def test_ports_of_accelerators_and_nics_that_lie_idle_are_shown() -> None:
    found = text_of(NVL72.replace('"nic_400"', '"nic_800"'))
    uses = {use.what: (use.used, use.of) for use in found.uses}
    assert uses["links at a NIC"] == (400, 800)
    assert uses["links at an accelerator"] == (7200, 7200)
    assert "links at a NIC 400 of 800 Gb/s (50.0%)" in " ".join(evaluation_screen(found).split())
    assert not {"links at a NIC", "links at an accelerator"} & {use.what for use in text_of(SMALL).uses}
    torus = text_of(
        """schema_version = 1
name = "t"
title = "a torus of an accelerator with ports to spare"
[endpoints]
accelerators = 27
accelerator = "h100_sxm"
per_host = 27
[[networks]]
name = "t"
endpoints_are = "accelerators"
topology = { family = "torus", sides = [3, 3, 3], port_gbps = [200] }
"""
    )
    # Six links of 200 Gb/s at each, of 18 ports.
    assert [(use.used, use.of) for use in torus.uses] == [(1200, 3600)]


def test_an_accelerator_whose_price_holds_parts_that_nobody_counts_has_no_known_price() -> None:
    """Of this rack-scale part the switches inside its price are not published: what is left of it cannot be told."""
    lacking = "accelerator rubin_ultra_nvl576: the switches that its figures contain"
    found = text_of(SMALL.replace("per_host = 2", 'accelerator = "rubin_ultra_nvl576"\nper_host = 2'))
    (line,) = (row for row in found.lines if row.item == "accelerators")
    for amount in (line.capex_usd, line.watts, line.failures_usd_per_year, found.totals.annual_usd):
        assert amount.value is None and lacking in amount.missing
    # The chip's own watts are known, and how often it fails.
    row = designer.catalogue.load_catalogue().accelerators["rubin_ultra_nvl576"]
    assert line.watts.known == 8 * (row.tdp_w.mid or 0) > 0
    assert same(line.hard_repairs_per_year, 8 * (row.afr_hard.mid or 0))


def test_ports_of_several_rates_are_a_share_of_the_switch() -> None:
    """128 ports of 200G and 60 of 400G on a switch of 51.2 Tb/s: 49.6 of 51.2."""
    text = """schema_version = 1
name = "pod"
title = "Leaves of two rates"
[endpoints]
accelerators = 1024
per_host = 8
[[networks]]
name = "out"
endpoints_are = "nics"
[networks.topology]
family = "fat_tree"
endpoints = 1024
stages = 2
radix = [256, 128]
port_gbps = 200
uplink_gbps = 400
down = 128
up = 60
[networks.switches]
leaf = "th5_64x800"
spine = "th5_64x800"
"""
    leaf, spine = text_of(text).networks[0].stages
    assert (leaf.ports, leaf.ports_offered, leaf.share_used) == (188, None, 0.96875)
    assert (spine.ports_offered, spine.share_used) == (128, spine.ports / 128)
    shown = " ".join(evaluation_screen(text_of(text)).split())
    assert "ports of a leaf at several rates 96.88 of 100 % (96.9%)" in shown


def test_ports_without_a_rate_of_their_own_are_what_the_accelerator_sends_in_all() -> None:
    """Trainium2 has four links of 128 GB/s and two of 64: no rate of a port, 640 GB/s in all."""
    text = """schema_version = 1
name = "t"
title = "a torus of an accelerator whose ports differ"
[endpoints]
accelerators = 64
accelerator = "trainium2"
[[networks]]
name = "t"
endpoints_are = "accelerators"
topology = { family = "torus", sides = [4, 4, 4], port_gbps = [RATE] }
links.endpoint-endpoint = { price_usd_per_link = 100, power_w_per_link = 1, length_m = 3 }
"""
    found = text_of(text.replace("RATE", "800"))
    assert [(use.used, use.of) for use in found.uses if use.what == "links at an accelerator"] == [(4800, 5120)]
    assert "5120 Gb/s of trainium2" in refused(text.replace("RATE", "900"))["networks[0].topology"]


def test_a_board_trace_between_hosts_is_refused_with_the_hosts() -> None:
    text = SMALL.replace("price_usd_per_link = 10\n", 'lower = "pcb_baseboard_800eq"\n')
    text = "\n".join(line for line in text.split("\n") if "_per_link = 1" not in line and "0.5" not in line)
    text = text.replace("afr_hard_per_link = 0.01\n", "").replace("mttr_h = 3\nlength_m = 2", "length_m = 0.2")
    told = refused(text)["networks[0].links.endpoint-leaf"]
    assert "pcb_baseboard_800eq (board); allowed: only for links inside hosts, here of 2" in told


def test_the_flow_check_of_several_networks_says_which_and_watts_have_one_unit() -> None:
    head, network = SMALL.split("[[networks]]")
    other = network.replace('"net"', '"other"').replace("port_gbps = 100", "port_gbps = 200")
    shown = " ".join(evaluation_screen(text_of(f"{head}[[networks]]{network}[[networks]]{other}")).split())
    assert "net: all-to-all routed: 100 Gb/s per endpoint" in shown
    assert "other: all-to-all routed: 200 Gb/s per endpoint" in shown
    assert "; boxes, links and ports are as counted in closed form" in shown
    assert "POWER 0.448 kW of IT: " in shown
