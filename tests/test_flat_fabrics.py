"""Leaves joined directly: every grid that may be best is looked at; what comes out counts as the rules say (7.1)."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import designer
from designer.answer import Answer, Question, SolveOptions
from designer.candidates.flat import ShapeKind, cap_gbps, fewest_leaves, grids, least_links, lines, shapes_offered, size
from designer.instance.schema import Instance
from designer.problems import InputError
from designer.solve.clash import nothing_fits
from designer.solve.stock import stock_of

INSTANCES = Path(designer.__file__).parents[1] / "instances"
RATE = 400


def uplinks(kind: ShapeKind, dims: tuple[int, ...], links: tuple[int, ...]) -> Fraction:
    """Links of a leaf, by the rules (not whole where a dragonfly cannot be wired)."""
    if kind == "mesh":
        return Fraction(links[0] * (dims[0] - 1))
    if kind == "hyperx":
        return Fraction(links[0] * (dims[0] - 1) + links[1] * (dims[1] - 1))
    return links[0] * (dims[0] - 1) + Fraction(links[1] * (dims[1] - 1), dims[0])


def cap(kind: ShapeKind, dims: tuple[int, ...], links: tuple[int, ...]) -> Fraction:
    """Gb/s of a leaf, by the rules."""
    if kind == "mesh":
        return Fraction(links[0] * RATE * dims[0], 2)
    if kind == "hyperx":
        return min(Fraction(m * RATE * side, 2) for m, side in zip(links, dims, strict=True))
    (a, groups), (m1, m2) = dims, links
    return min(Fraction(m2 * RATE * groups, 2 * a), Fraction(m1 * RATE * a * groups, 2 * (2 * groups - 1)))


def grids_by_the_rules(kind: ShapeKind, total: int, ports: int) -> set[tuple[int, ...]]:
    """Every grid for so many leaves whose pairs can have a link each."""
    if kind == "mesh":
        return {(total,)} if 2 <= total <= ports else set()
    out = set()
    for one, two in product(range(2, total + ports), repeat=2):
        idle = two if kind == "hyperx" else one
        whole = kind == "hyperx" or any((m * (two - 1)) % one == 0 for m in range(1, one + 1))
        if (kind == "hyperx" and one < two) or not one * two - idle < total <= one * two or not whole:
            continue
        step = 1 if kind == "hyperx" else next(m for m in range(1, one + 1) if (m * (two - 1)) % one == 0)
        if uplinks(kind, (one, two), (1, step)) <= ports - 1:
            out.add((one, two))
    return out


@pytest.mark.parametrize("kind", ["mesh", "hyperx", "dragonfly"])
@pytest.mark.parametrize("total", [2, 3, 5, 12, 17, 30])
def test_grids_are_those_of_the_rules(kind: ShapeKind, total: int) -> None:
    for ports in (4, 9, 16):
        found = grids(kind, np.array([total]), ports)
        rows = list(zip(*(side.tolist() for side in found), strict=True))
        assert len(rows) == len(set(rows))
        assert set(rows) == grids_by_the_rules(kind, total, ports)
        for dims in rows:
            assert fewest_leaves(kind, dims) <= total <= size(dims)


@pytest.mark.parametrize("kind", ["hyperx", "dragonfly"])
def test_links_are_the_fewest_that_carry(kind: ShapeKind) -> None:
    """No link fewer at either boundary carries as much, and the fewest do."""
    for dims in grids_by_the_rules(kind, 20, 24):
        arrays = tuple(np.array([side]) for side in dims)
        for gbps in (0.0, 399.0, 400.0, 2500.0, 2500.5):
            links = tuple(int(m[0]) for m in least_links(kind, arrays, RATE, np.array([gbps]), np.zeros(1)))
            assert cap(kind, dims, links) >= Fraction(gbps)
            assert uplinks(kind, dims, links).denominator == 1
            step = 1 if kind == "hyperx" else dims[0] // math.gcd(dims[0], dims[1] - 1)
            for fewer in ((links[0] - 1, links[1]), (links[0], links[1] - step)):
                assert min(fewer) < 1 or cap(kind, dims, fewer) < Fraction(gbps)
            found = cap_gbps(kind, arrays, tuple(np.array([m]) for m in links), RATE)
            assert found[0] == pytest.approx(float(cap(kind, dims, links)))
            assert sum(line.links for line in lines(kind, dims, links)) == uplinks(kind, dims, links)


def test_a_mesh_keeps_what_must_pass_when_a_leaf_is_out() -> None:
    """Of 5 leaves with m links: m x 400 x 4 / 2 Gb/s are left; of two leaves nothing is lost with one."""
    dims, load = np.array([2, 5]), np.array([1600.0, 1600.0])
    (links,) = least_links("mesh", (dims,), RATE, load, 0.9 * load)
    assert links.tolist() == [4, 2]
    (links,) = least_links("mesh", (dims,), RATE, load, 1.01 * load)
    assert links.tolist() == [4, 3]


# ------------------------------------------------------------------ questions


@cache
def loaded(name: str) -> Question:
    return designer.load(INSTANCES / f"{name}.toml")


def asked(name: str, accelerators: int, job: int, gbps: float, **tables: dict[str, Any]) -> Question:
    """A shipped fleet in another number, with some keys changed."""
    question = loaded(name)
    data = json.loads(question.instance.model_dump_json())
    data["fleets"][0] |= {"accelerators": accelerators, "job_accelerators": job, "scale_out_gbps": gbps}
    for table, keys in tables.items():
        data[table] |= keys
    return replace(question, instance=Instance.model_validate_json(json.dumps(data)))


@cache
def pod() -> Answer:
    return designer.solve(loaded("two-leaf-pod"))


def test_two_leaves_back_to_back_by_hand() -> None:
    """48 GPUs a leaf send 100 Gb/s each: 4,800 Gb/s; m links carry m x 400 x 2 / 2, so 12; 48 + 12 of 64 ports."""
    design = pod().design
    assert design is not None
    fabric = design.fabric
    assert (fabric.shape, fabric.dims, fabric.links_per_pair, fabric.uplink_gbps) == ("mesh", (2,), (12,), 400)
    (leaf,) = fabric.stages
    assert (leaf.name, leaf.count, leaf.down_ports, leaf.up_ports) == ("leaf", 2, 48, 12)
    (links,) = fabric.boundaries
    # Two 400G links share a cable of 800G.
    assert (links.name, links.links, links.lower_link) == ("leaf_leaf", 12, links.upper_link)
    assert (links.cables, links.lower_ends, links.upper_ends) == (6, 6, 6)
    assert (fabric.pods, fabric.leaves_per_pod, fabric.spines_per_pod, fabric.zones) == (1, 2, 0, 0)


def test_spines_in_place_of_links_between_leaves_are_dearer() -> None:
    why = designer.why_not(loaded("two-leaf-pod"), ["shape=tree"])
    assert why.forced.design is not None and why.forced.objective_usd is not None
    assert [stage.name for stage in why.forced.design.fabric.stages] == ["leaf", "spine"]
    assert (
        pod().objective_usd is not None and pod().objective_usd < why.forced.objective_usd < 1.03 * pod().objective_usd
    )


@pytest.mark.parametrize(
    ("shape", "fleet", "idle"),
    [("hyperx", (2048, 256, 50.0), True), ("dragonfly", (2048, 256, 50.0), True), ("mesh", (512, 64, 100.0), False)],
)
def test_no_reduction_loses_the_best_grid(shape: ShapeKind, fleet: tuple[int, int, float], idle: bool) -> None:
    few = {"links": ["pcb_baseboard_800eq", "aec_400", "lpo_800", "sr4_400"], "scale_out_shapes": [shape]}
    question = asked("narrow-switches-16k", *fleet, choose=few)
    found = [designer.solve(question, SolveOptions(gap=0.0, prune=prune)) for prune in (True, False)]
    assert found[0].objective_usd == pytest.approx(found[1].objective_usd, rel=1e-9)
    assert found[1].model is not None and found[1].model.templates > 5
    design = found[0].design
    assert design is not None
    fabric, used = design.fabric, sum(pool.attachment.leaves for pool in design.pools)
    (leaf,) = fabric.stages
    assert leaf.count == size(fabric.dims)
    assert fewest_leaves(shape, fabric.dims) <= used <= leaf.count
    rho = max(Fraction(pool.attachment.group) * Fraction(pool.attachment.need_gbps) for pool in design.pools)
    assert cap(shape, fabric.dims, fabric.links_per_pair) >= rho
    assert leaf.up_ports == uplinks(shape, fabric.dims, fabric.links_per_pair)
    assert sum(b.links for b in fabric.boundaries) * 2 == leaf.count * leaf.up_ports
    assert idle or used == leaf.count


def test_idle_leaves_are_bought() -> None:
    """257 hosts fill no grid: the leaves beyond are boxes like the others, in the model and in the recount."""
    question = asked("narrow-switches-16k", 257 * 8, 8, 100.0, choose={"scale_out_shapes": ["dragonfly"]})
    design = designer.solve(question).design
    assert design is not None
    (leaf,) = design.fabric.stages
    assert leaf.count > design.pools[0].attachment.leaves


def test_fleets_share_a_mesh_or_have_one_each() -> None:
    """Leaves of both fleets together are those of the mesh; private fabrics are never dearer than a shared one."""
    question = asked("two-leaf-pod", 96, 32, 100.0, choose={"scale_out_shapes": ["mesh"]})
    first = question.instance.fleets[0]
    fleets = (first, first.model_copy(update={"name": "other", "accelerators": 160, "scale_out_gbps": 50.0}))
    question = replace(question, instance=question.instance.model_copy(update={"fleets": fleets}))
    shared, private = (designer.why_not(question, [f"fabrics={how}"]).forced for how in ("shared", "private"))
    free = designer.solve(question)
    assert shared.design is not None and private.design is not None
    assert len(shared.design.fabrics) == 1 and len(private.design.fabrics) == 2
    leaves = sum(pool.attachment.leaves for pool in shared.design.pools)
    assert shared.design.fabric.dims == (leaves,)
    cost = [answer.objective_usd for answer in (free, shared, private)]
    assert cost[0] == pytest.approx(min(cost[1:]), rel=2e-6)


# ------------------------------------------------------------------ what excludes them


@pytest.mark.parametrize(
    ("tables", "left"),
    [
        ({}, ("tree", "mesh", "hyperx", "dragonfly")),
        ({"pin": {"taper": 2.0}}, ("tree",)),
        ({"pin": {"scale_out_stages": 2}}, ("tree",)),
        ({"risk": {"max_single_failure_share": 0.5}}, ("tree", "mesh")),
    ],
)
def test_pins_and_limits_that_ask_for_a_tree(tables: dict[str, Any], left: tuple[str, ...]) -> None:
    every = {"scale_out_shapes": ["tree", "mesh", "hyperx", "dragonfly"]}
    question = asked("two-leaf-pod", 96, 32, 100.0, choose=every, **tables)
    assert shapes_offered(question.instance) == left


def test_without_trees_no_stage_is_offered_and_the_answer_says_so() -> None:
    question = asked("two-leaf-pod", 4096, 32, 400.0, choose={"scale_out_shapes": ["mesh"]})
    offer = stock_of(question, SolveOptions()).offer
    assert offer.stages == ()
    assert "no fabric of mesh joins the pools" in nothing_fits(offer, question.instance)[0]
    answer = designer.solve(question)
    assert answer.status == "infeasible"
    assert any("no fabric of mesh" in line for line in answer.clash)


@pytest.mark.parametrize(
    ("force", "what"),
    [
        (["shape=ring"], "tree, mesh, hyperx, dragonfly"),
        (["fabrics=three"], "shared, private"),
        (["shape=mesh", "stages=2"], "stages or taper are forced too"),
        (["leaf_leaf_link=none_such"], "leaf_leaf_link"),
    ],
)
def test_forces_that_cannot_be_are_told(force: list[str], what: str) -> None:
    with pytest.raises(InputError, match=what):
        designer.why_not(loaded("two-leaf-pod"), force)


def test_links_between_leaves_can_be_forced_and_lengths_given() -> None:
    why = designer.why_not(loaded("two-leaf-pod"), ["leaf_leaf_link=sr4_400", "shape=mesh"])
    assert why.forced.design is not None
    (links,) = why.forced.design.fabric.boundaries
    assert (links.lower_link, links.upper_link, links.length_m) == ("sr4_400", "sr4_400", 50.0)
    near = designer.solve(asked("two-leaf-pod", 96, 32, 100.0, site={"lengths": {"leaf_leaf_m": 2.0}})).design
    assert near is not None
    assert near.fabric.boundaries[0].length_m == 2.0
