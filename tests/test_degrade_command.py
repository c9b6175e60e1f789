"""``designer degrade``: screen, data, designs written by hand, and mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import solved_instances
from fabric_designs import SPECS, design_of
from typer.testing import CliRunner

from designer.cli.app import app
from designer.degrade import degrade
from designer.degrade import search as search_room
from designer.degrade.given import degrade_given
from designer.given.load import given_from_text
from designer.network.max_flow import bisection
from designer.problems import InputError
from designer.report.degraded import degraded_data, degraded_from_json, degraded_screen

POD = """
schema_version = 1
name = "pod"
title = "Two stages, tapered"
source = "this test"
[endpoints]
accelerators = 32
[[networks]]
name = "net"
endpoints_are = "accelerators"
topology = { family = "fat_tree", endpoints = 32, stages = 2, radix = 12, port_gbps = 100, up = 4, planes = 2 }
[demand.net]
all_to_all_gbps = 100
"""


def run(*arguments: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["degrade", *arguments])
    return found.exit_code, found.stdout, found.stderr


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_room, "MOST_TRIED", 200)
    monkeypatch.setattr(search_room, "MOST_PAIRS", 200)


def test_a_stored_run_on_the_screen_and_as_data() -> None:
    folder = solved_instances.solved("hgx-h100-pinned", flow_check=False).folder
    code, text, _ = run(str(folder), "--samples", "10")
    assert code == 0
    assert "chat host" in text
    assert "1 x leaf (leaf0)" in text
    assert "surely lost 100.00% by leaf0; left 0.00% (no 2 do worse)" in text
    code, text, _ = run(str(folder), "--samples", "10", "--json")
    assert code == 0
    found = degraded_from_json("here", text)
    assert degraded_data(found) == json.loads(text)
    assert found.samples == 10


def test_a_design_by_hand_keeps_the_other_plane() -> None:
    found = degrade_given(given_from_text("pod.toml", POD), samples=5)
    (place,) = found.places
    rows = {of.name: of for of in place.classes}
    assert place.covered == place.single
    # One of two spines of one of two planes; 24 of 31 others are behind other leaves.
    assert rows["spine"].bisection == pytest.approx(1 / 2)
    assert rows["spine"].all_to_all is not None
    assert rows["spine"].all_to_all.most == pytest.approx(1 / 2)
    even = 31 / 24 * 4 * 100 / 8
    assert rows["spine"].served["net"].least == pytest.approx(min(even * (1 + 1 / 2) / 100, 1))
    assert rows["leaf"].served["net"].least < 1
    assert len(found.worst) == 1
    network = given_from_text("pod.toml", POD).networks[0].family.network()
    assert bisection(network).gbps == 16 * 100 / 2


def test_a_design_without_demand_says_so() -> None:
    text = POD[: POD.index("[demand")]
    shown = degraded_screen(degrade_given(given_from_text("pod.toml", text), samples=3))
    assert "no demand is stated" in shown
    assert "one of 2 equal copies" in shown


def test_intervals_are_shown_as_intervals_and_wholes_as_all() -> None:
    shown = degraded_screen(degrade(design_of(SPECS["three stages"]), samples=3))
    assert " to " in shown
    assert "% (a lower bound:" in shown or "do worse)" in shown


def test_mistakes_are_named(tmp_path: Path) -> None:
    code, _, text = run(str(tmp_path / "nothing"))
    assert code == 2
    assert "no such file" in text
    (tmp_path / "a.toml").write_text("schema_version = 1\n")
    code, _, text = run(str(tmp_path / "a.toml"))
    assert code == 2
    assert "networks" in text
    folder = solved_instances.solved("hgx-h100-pinned", flow_check=False).folder
    code, _, text = run(str(folder), "--catalog", "prices.toml")
    assert code == 2
    assert "prices.toml" in text
    with pytest.raises(InputError, match="measure"):
        degraded_from_json("here", "{}")
