"""The flow bench: its answers are right and proven, whatever it takes."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from designer import bench_flow
from designer.bench_flow import FlowRow, flow_table, measure
from designer.cli.app import app


def test_steps_of_a_small_tree_are_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_flow, "TREES", {"64k": (128, 8)})
    rows = {row.what: row for row in measure("64k")}
    assert list(rows) == [
        "network and its symmetries", "bisection", "all-to-all", "single failures", "100 x 10 random failures"
    ]  # fmt: skip
    assert rows["bisection"].answer == "25,600 Gb/s: flow and cut are equal, checked row by row"
    assert rows["all-to-all"].answer.startswith("400 Gb/s per endpoint, routing and bound agree")
    # 80 switches, 128 links of endpoints and 256 above.
    assert rows["single failures"].answer.startswith("464 of 464 in ")
    assert all(row.peak_memory_mb > 1 and row.cpu_s >= 0 for row in rows.values())
    assert "128  bisection" in flow_table(tuple(rows.values()))


def test_networkx_gives_the_same_and_is_not_asked_beyond_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_flow, "ASKED_OF_NETWORKX", (16, 54, 128))
    rows = measure("networkx")
    assert [row.endpoints for row in rows] == [16, 16, 54, 54, 128, 128]
    assert [row.answer for row in rows[::2]] == ["3,200 Gb/s", "10,800 Gb/s", "25,600 Gb/s"]
    assert all(row.answer.startswith("the same; networkx takes ") for row in rows[1::2])
    assert {row.endpoints for row in measure("networkx", -1.0)} == set()


def test_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    rows = bench_flow.bench_flow(names=("networkx",), networkx_s=0.0, on_row=told.append)
    assert rows[0] == FlowRow("bisection by networkx", 128, rows[0].cpu_s, rows[0].peak_memory_mb, "25,600 Gb/s")
    assert told[0].startswith("bisection by networkx, 128 endpoints: ")


def test_bench_wants_a_folder_or_flows() -> None:
    for arguments, read in ((["bench"], "neither a folder"), (["bench", "here", "--flow"], "both a folder")):
        found = CliRunner().invoke(app, arguments)
        assert found.exit_code == 2
        assert read in found.stderr
