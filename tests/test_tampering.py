"""A cable gone, a cable in a wrong box, a plane short: caught in every family and shape, and called by its name.

Twice: in the graph of a design, cable by cable (`flow_check(design, graph=...)`), and in the design of a stored result,
which holds counts (`verify`, `designer verify`).
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, get_args

import networkx as nx
import pytest
from fabric_designs import SPECS, FabricSpec, design_of, take_one_link
from fabric_flat_designs import FLAT
from simulated_designs import CASES, OFF, SPARES, Case
from solved_instances import FOLDER, solved, with_design
from typer.testing import CliRunner
from verify_tampering import put

from designer.answer import scaled
from designer.cli.app import app
from designer.cli.codes import ExitCode
from designer.design.types import BoundaryName, Design, FabricShape, ScaleUpKind
from designer.fabric import fabric_graph, flow_check, recount
from designer.instance.load import load
from designer.verify import verify

Seen = set[tuple[str, str]]
GRAPHS: dict[str, FabricSpec] = {**SPECS, **{f"{name} of leaves": spec for name, spec in FLAT.items()}}


MOST_CABLES = 300_000
"""Joined pairs up to which a design is drawn cable by cable."""


def in_graph(name: str) -> Design:
    """A design of the tests, or of a shipped instance, to be drawn."""
    if name in GRAPHS:
        return design_of(GRAPHS[name])
    design, *_ = shipped(name)
    cables = sum(
        pool.accelerators * (pool.scale_up.planes + 1) * design.fabrics[pool.fabric].planes for pool in design.pools
    )
    if cables > MOST_CABLES:
        pytest.skip(f"{cables:,} joined pairs and more: its counts are tampered with, not its graph")
    return design


def look(design: Design, graph: nx.Graph[str], *, flows: bool = False) -> tuple[Seen, str]:
    """Rules and places that the flow check names, and all of its words; without flows its recount alone."""
    rows = flow_check(design, graph=graph).violations if flows else recount(design, graph)
    return {(row.rule, row.place) for row in rows}, "\n".join(map(str, rows))


def first_of_each_boundary(graph: nx.Graph[str]) -> Iterator[tuple[str, str, str]]:
    """One cable of every boundary of every pool, lower box first: its boundary and both boxes."""
    seen = set()
    for one, two, name in graph.edges(data="boundary"):
        lower, upper = (one, two) if rank(graph, one) <= rank(graph, two) else (two, one)
        key = name, graph.nodes[lower].get("pool")
        if key not in seen:
            seen.add(key)
            yield name, lower, upper


def rank(graph: nx.Graph[str], box: str) -> int:
    """How far up a box stands."""
    return ("accelerator", "plane", "upper", "leaf", "spine", "core", "top").index(graph.nodes[box]["kind"])


def test_no_family_and_no_shape_is_forgotten() -> None:
    """Every kind of domain and every shape of fabric that a design can have, cable by cable and as stored counts."""
    graphs = [design_of(spec) for spec in GRAPHS.values()]
    for designs in (graphs, [case[0] for case in STORED.values()]):
        fabrics = [fabric for design in designs for fabric in design.fabrics]
        pools = [pool for design in designs for pool in design.pools]
        assert {fabric.shape for fabric in fabrics} == set(get_args(FabricShape))
        assert {pool.scale_up.kind for pool in pools} == set(get_args(ScaleUpKind))
        assert {len(fabric.stages) for fabric in fabrics if fabric.shape == "tree"} == {1, 2, 3, 4}
        assert max(fabric.rails for fabric in fabrics) > 1
        assert max(fabric.planes for fabric in fabrics) > 1
        assert max(pool.scale_up.spare_planes for pool in pools) == 1
        assert max(pool.attachment.leaves_per_domain for pool in pools) > 1
    names = {boundary for design in graphs for boundary, *_ in first_of_each_boundary(fabric_graph(design))}
    assert names == set(get_args(BoundaryName))


@pytest.mark.parametrize("name", [*GRAPHS, *with_design()])
def test_a_cable_gone_is_named_at_every_boundary(name: str) -> None:
    design = in_graph(name)
    whole = fabric_graph(design)
    assert not recount(design, whole)
    for boundary, one, two in first_of_each_boundary(whole):
        graph = whole.copy()
        take_one_link(graph, one, two)
        seen, _ = look(design, graph)
        # The network and the stage by the count of the boundary, the cable by the boxes at its ends.
        inside = boundary in ("scale_up", "scale_up_upper", "nic_leaf")
        owner = f"pool {one.split('/')[0]}" if inside else (re.match(r"fabric\d+", one) or ["fabric"])[0]
        assert (f"links_{boundary}", owner) in seen, boundary
        ends = {("missing_links", f"{one} - {two}"), ("box_without_links", one), ("box_without_links", two)}
        assert ends & seen, boundary


@pytest.mark.parametrize("name", [*GRAPHS, *with_design()])
def test_a_cable_in_a_wrong_box_is_named_at_every_boundary(name: str) -> None:
    design = in_graph(name)
    whole = fabric_graph(design)
    moved = 0
    for boundary, one, two in first_of_each_boundary(whole):
        other = wrong_box(whole, one, two)
        if other is None:
            continue
        moved += 1
        graph = whole.copy()
        edge = {**whole.edges[one, two], "links": 1}
        edge["capacity_gbps"] = edge["rate_gbps"]
        take_one_link(graph, one, two)
        if graph.has_edge(one, other):
            edge["links"] += graph.edges[one, other]["links"]
            edge["capacity_gbps"] = edge["links"] * edge["rate_gbps"]
        graph.add_edge(one, other, **edge)
        seen, words = look(design, graph, flows=moved == 1 and name in GRAPHS)
        astray = {
            (rule, place) for rule in ("miswired", "extra_links") for place in (f"{one} - {other}", f"{other} - {one}")
        }
        assert seen & {("miswired", one), *astray}, boundary
        assert boundary in words
        assert two in words
        assert other in words
    assert moved


def wrong_box(graph: nx.Graph[str], one: str, two: str) -> str | None:
    """Another box of the kind of ``two``: one that ``one`` never meets if there is any, else the last that it does."""
    alike = [name for name, kind in graph.nodes(data="kind") if kind == graph.nodes[two]["kind"]]
    others = [name for name in alike if name not in (one, two)]
    strangers = [name for name in others if not graph.has_edge(one, name)]
    return (strangers or others or [None])[-1]


@pytest.mark.parametrize("name", [name for name, spec in GRAPHS.items() if any(pool.shares for pool in spec.pools)])
def test_a_scale_up_plane_short_is_named(name: str) -> None:
    design = design_of(GRAPHS[name])
    graph = fabric_graph(design)
    pool = next(pool for pool in design.pools if pool.scale_up.switch)
    short = [box for box in graph if box.startswith(f"{pool.name}/d1/plane{pool.scale_up.planes - 1}")]
    assert short
    for box in short:
        graph.remove_edges_from([(box, other) for other in list(graph[box])])
    seen, _ = look(design, graph)
    assert {("box_without_links", box) for box in short} <= seen
    assert ("accelerator_ports", f"{pool.name}/d1/a0") in seen
    assert ("links_scale_up", f"pool {pool.name}") in seen
    graph.remove_nodes_from(short)
    assert {("missing_box", box) for box in short} <= look(design, graph)[0]


@pytest.mark.parametrize("name", [name for name, spec in GRAPHS.items() if spec.planes > 1 or spec.rails > 1])
def test_a_plane_or_rail_of_the_fabric_short_is_named(name: str) -> None:
    spec = GRAPHS[name]
    design, short_copy = design_of(spec), f"plane{spec.planes - 1}/"
    if spec.planes == 1:
        short_copy = f"rail{spec.rails - 1}/"
    elif spec.rails > 1:
        short_copy = f"rail0/{short_copy}"
    graph = fabric_graph(design)
    short = [box for box in graph if box.startswith(short_copy)]
    graph.remove_nodes_from(short)
    seen, words = look(design, graph)
    assert {("missing_box", box) for box in short} <= seen
    first = f"d0/a{spec.rails - 1 if spec.planes == 1 else 0}"
    assert any(("nic_ports", f"{pool.name}/{first}") in seen for pool in spec.pools)
    assert "links_nic_leaf" in words


# --- Stored results --------------------------------------------------------------------------------------------------

STORED: dict[str, Case] = {**CASES, **OFF, **SPARES}
NAMES = {
    "nic_leaf": "NIC-leaf boundary",
    "scale_up": "scale-up boundary",
    "scale_up_upper": "boundary between scale-up",
}


def boundaries_of(design: Design) -> Iterator[tuple[str, str, str]]:
    """Every boundary of a design: its name, its path, and words of the place that a finding names."""
    for number, pool in enumerate(design.pools):
        for name, path, there in (
            ("nic_leaf", "nic_leaf", True),
            ("scale_up", "scale_up.boundary", pool.scale_up.boundary),
            ("scale_up_upper", "scale_up.upper.boundary", pool.scale_up.upper),
        ):
            if there:
                yield name, f"pools.{number}.{path}", f"pool {pool.name}, {NAMES[name]}"
    for path, fabric, words in fabrics_of(design):
        for number, boundary in enumerate(fabric.boundaries):
            yield boundary.name, f"{path}.boundaries.{number}", f"{words}, {boundary.name.replace('_', '-')} boundary"


def fabrics_of(design: Design) -> Iterator[tuple[str, Any, str]]:
    """Every fabric with its path and the words for it."""
    for number, fabric in enumerate(design.fabrics):
        path = f"more_fabrics.{number - 1}" if number else "fabric"
        yield path, fabric, f"scale-out fabrics[{number}]" if len(design.fabrics) > 1 else "scale-out fabric"


def findings(case: Case, *changes: tuple[str, Any]) -> dict[str, str]:
    """Rules that a changed design breaks and the whole one does not, each with its places."""
    design, catalogue, instance = case
    for path, value in changes:
        design = put(design, path, value)
    # Some designs of the tests break a rule as they stand: co-packaged switches in the place of others keep the cables.
    before = set(verify(*case).findings)
    found: dict[str, str] = {}
    for row in verify(design, catalogue, instance).findings:
        if row not in before:
            found[row.rule] = f"{found.get(row.rule, '')}\n{row.place}"
    return found


def shipped(name: str) -> Case:
    """The optimum of a shipped instance, and what it was solved from."""
    result, question = solved(name, flow_check=False).result, load(FOLDER / f"{name}.toml")
    assert result.design is not None
    instance = question.instance if result.tokens is None else scaled(question.instance, result.tokens.multiplier)
    assert verify(result.design, question.catalogue, instance).ok
    return result.design, question.catalogue, instance


def in_store(name: str) -> Case:
    """A design of the tests, or of a shipped instance."""
    return STORED[name] if name in STORED else shipped(name)


NAMED = [*STORED, *with_design()]


def less(value: int) -> int:
    return value - 1


def more(value: int) -> int:
    return value + 1


@pytest.mark.parametrize("name", NAMED)
def test_a_stored_design_a_cable_short_names_its_boundary(name: str) -> None:
    case = in_store(name)
    for boundary, path, words in boundaries_of(case[0]):
        for what in ("links", "cables"):
            found = findings(case, (f"{path}.{what}", less))
            assert words in found[f"{boundary}_{what}"], (boundary, what)


@pytest.mark.parametrize("name", NAMED)
def test_a_stored_switch_miswired_or_missing_names_its_stage(name: str) -> None:
    """A cable that enters a switch from below instead of above shows in the ports of its stage."""
    case = in_store(name)
    for path, fabric, words in fabrics_of(case[0]):
        for number, stage in enumerate(fabric.stages):
            at, own = f"{path}.stages.{number}", f"{words}, {stage.name}"
            assert own in findings(case, (f"{at}.count", less))[f"{stage.name}_count"]
            if not stage.up_ports:
                assert own in findings(case, (f"{at}.down_ports", less))[f"{stage.name}_down_ports"]
                continue
            found = findings(case, (f"{at}.up_ports", less), (f"{at}.down_ports", more))
            if fabric.shape == "tree" and number == len(fabric.stages) - 2 and f"{stage.name}_up_ports" not in found:
                # A link fewer may go over the boxes above as well, and leave a port down: it shows in the cables.
                boundary = fabric.boundaries[number].name
                assert f"{words}, {boundary.replace('_', '-')} boundary" in found[f"{boundary}_links"]
                assert {f"{stage.name}_down_ports", "cores_per_spine", "tops_per_core"} & set(found)
            else:
                assert own in found[f"{stage.name}_up_ports"]
                assert own in found[f"{stage.name}_down_ports"]


@pytest.mark.parametrize("name", NAMED)
def test_a_stored_design_a_plane_short_is_named(name: str) -> None:
    case = in_store(name)
    for number, pool in enumerate(case[0].pools):
        at, place = f"pools.{number}.scale_up", f"pool {pool.name}"
        if not pool.scale_up.planes:
            continue
        fewer = pool.scale_up.switches - pool.scale_up.switches // pool.scale_up.planes
        found = findings(case, (f"{at}.planes", less), (f"{at}.shares", pool.scale_up.shares[:-1]))
        assert f"{place}, scale-up" in found["shares"]
        assert place in findings(case, (f"{at}.switches", fewer))["scale_up_switches"]
    for path, fabric, words in fabrics_of(case[0]):
        if fabric.planes > 1:
            found = findings(case, (f"{path}.planes", less))
            assert "NIC-leaf boundary" in found["nic_leaf_links"]
            assert words in found["leaf_spine_links"]


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    """A stored result as data."""
    return json.loads(solved("hgx-h100-pinned", flow_check=False).result.model_dump_json())  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        # A cable less, with and without the count of it; a cable that enters the leaf from above; a plane less.
        ({"pools.0.nic_leaf.links": -1}, ("nic_leaf_links: pool chat, NIC-leaf boundary", "links_nic_leaf: pool chat")),
        (
            {"pools.0.scale_up.boundary.links": -1, "pools.0.scale_up.boundary.cables": -1},
            ("scale_up_links: pool chat, scale-up boundary", "links_scale_up: pool chat"),
        ),
        (
            {"fabric.stages.0.down_ports": -1, "fabric.stages.0.up_ports": 1},
            ("leaf_down_ports: scale-out fabric, leaf", "leaf_up_ports: scale-out fabric, leaf", "leaf_ports: leaf0"),
        ),
        (
            {"pools.0.scale_up.switches": -6},
            ("scale_up_switches: pool chat", "plane switches: the design states 18, counted 24"),
        ),
    ],
)
def test_the_command_refutes_a_stored_result_and_says_where(
    stored: dict[str, Any], changes: dict[str, int], said: tuple[str, ...], tmp_path: Path
) -> None:
    data, file = copy.deepcopy(stored), tmp_path / "result.json"
    for path, by in changes.items():
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
        reduce(getitem, steps, data["design"])[last] += by
    file.write_text(json.dumps(data))
    found = CliRunner().invoke(app, ["verify", str(file)])
    assert found.exit_code == ExitCode.REFUTED
    for words in said:
        assert words in found.stdout
