"""Trees of four stages: every shape that may be best is looked at, none that breaks a rule, and counts are whole."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import designer
from designer.answer import Answer, Question, SolveOptions
from designer.candidates.ceiling import Ceiling
from designer.candidates.floor import Floor
from designer.candidates.parts import SwitchPart
from designer.candidates.shape import Boxes
from designer.candidates.zones import FourStages
from designer.design.types import Boundary, Fabric
from designer.instance.schema import Choose, Instance

INSTANCES = Path(designer.__file__).parents[1] / "instances"
RATE = 400


def box(name: str, radix: int) -> SwitchPart:
    """A switch of which nothing counts but its ports."""
    return SwitchPart(name, "Ethernet", {RATE: radix}, 100.0, *[0.0] * 4, False, None, 0.0, 0.0, 0, 0.0, 0.0)


def shapes_found(
    choose: Choose, radices: tuple[int, ...], choices: list[tuple[int, float]], keep: float, leaves: int
) -> set[tuple[int, ...]]:
    """(m, n_s, L, m2, c_g, Z, m3, t_g, U_c) of every shape that the search lists when no answer is known."""
    leaf, spine, core, top = (box(name, radix) for name, radix in zip("lsct", radices, strict=True))
    needs, loads = np.array([n for n, _ in choices], np.int64), np.array([load for _, load in choices])
    line = np.array([[float(n), float(leaves), 1.0] for n, _ in choices])
    ceiling = Ceiling(lambda: math.inf, lambda _: 1.0, lambda *_: (1.0, 0.0), lambda _: False)
    search = FourStages(
        Boxes(leaf, spine, core, top, RATE),
        leaves,
        choose,
        ((1.0, 0.0),) * 3,
        ceiling,
        Floor(needs, loads, keep * loads, (line,), (None,)),
    )
    names = (
        "links_per_pair", "spines", "leaves_per_pod", "links_per_core", "cores_per_spine", "pods_per_zone",
        "links_per_top", "tops_per_core", "core_up",
    )  # fmt: skip
    rows = [np.stack([getattr(found, name) for name in names], axis=1) for found in search.run()]
    return {tuple(row) for row in np.concatenate(rows).tolist()}


def shapes_by_the_rules(
    choose: Choose, radices: tuple[int, ...], choices: list[tuple[int, float]], keep: float, leaves: int
) -> set[tuple[int, ...]]:
    """The same by trying every number of section 7, with the fewest spines that carry each choice."""
    leaf, spine, core, top = radices
    out = set()
    for (x, y), m2, m3, m, even in product(
        *(product(choose.spine_tapers, choose.core_tapers), range(1, core + 1), range(1, top + 1), range(1, spine)),
        (True, False),
    ):
        most = math.ceil(core / (1 + y))
        groups, tops = math.ceil(spine / (1 + x)) // m2, most // m3 if even else math.ceil(most / m3)
        if groups < 1 or tops < 1 or (not even and math.ceil(most / tops) != m3):
            continue
        up, core_up = m2 * groups, m3 * tops if even else most
        pod, zone = (spine - up) // m, (core - core_up) // m2
        if pod < 1 or zone < 1 or choose.max_taper * up < pod * m or choose.max_taper * core_up < zone * m2:
            continue
        if m3 * math.ceil(math.ceil(leaves / pod) / zone) > top:
            continue
        for need, load in choices:
            for spines in range(choose.min_spines, (leaf - 1) // m + 1):
                kept = keep * load
                carried = (
                    m * spines >= need
                    and spines * up * RATE >= pod * load
                    and spines * groups * core_up * RATE >= zone * pod * load
                    and (spines - 1) * m * RATE >= kept
                    and (spines - 1) * up * RATE >= pod * kept
                    and (spines - 1) * groups * core_up * RATE >= zone * pod * kept
                )
                if carried:
                    out.add((m, spines, pod, m2, groups, zone, m3, tops, core_up))
                    break
    return out


@pytest.mark.parametrize(
    ("radices", "choices", "keep", "leaves", "given"),
    [
        ((12, 8, 8, 8), [(2, 800.0), (4, 1500.0)], 0.0, 20, {}),
        ((10, 6, 12, 4), [(1, 0.0), (3, 1100.0)], 0.0, 30, {"max_taper": 2.0}),
        ((16, 10, 8, 12), [(3, 1200.0), (5, 2000.0)], 0.6, 9, {"min_spines": 3}),
        ((12, 8, 9, 7), [(2, 700.0)], 0.9, 3, {"min_spines": 1, "spine_tapers": (1.0, 3.0), "core_tapers": (2.0,)}),
    ],
)
def test_the_search_lists_the_shapes_of_the_rules(
    radices: tuple[int, ...], choices: list[tuple[int, float]], keep: float, leaves: int, given: dict[str, Any]
) -> None:
    choose = Choose(**given)
    found = shapes_found(choose, radices, choices, keep, leaves)
    assert found == shapes_by_the_rules(choose, radices, choices, keep, leaves)
    assert len(found) > 5


def asked(**choose: Any) -> Question:
    """2,048 GPUs of the shipped question on narrow switches."""
    question = designer.load(INSTANCES / "narrow-switches-16k.toml")
    data = json.loads(question.instance.model_dump_json())
    data["fleets"][0] |= {"accelerators": 2048, "job_accelerators": 512}
    data["choose"] |= {"scale_out_shapes": ["tree"], "spine_tapers": [1.0], "core_tapers": [1.0]} | choose
    return replace(question, instance=Instance.model_validate_json(json.dumps(data)))


@cache
def four_stages() -> Answer:
    return designer.solve(asked(scale_out_stages=[4]))


def test_a_tree_of_four_stages_counts_as_the_rules_say() -> None:
    """Everything is counted here again from the six numbers that fix the tree."""
    design = four_stages().design
    assert design is not None
    fabric, pool = design.fabric, design.pools[0]
    m, spines, m2, groups = (
        fabric.links_per_leaf_spine, fabric.spines_per_pod, fabric.links_per_spine_core, fabric.cores_per_spine
    )  # fmt: skip
    m3, tops = fabric.links_per_core_top, fabric.tops_per_core
    leaves = pool.attachment.leaves
    core_up = {stage.name: stage.up_ports for stage in fabric.stages}["core"]
    assert fabric.leaves_per_pod == (64 - m2 * groups) // m
    assert fabric.pods_per_zone == (64 - core_up) // m2
    assert groups * m2 <= math.ceil(64 / (1 + fabric.spine_taper))
    most = math.ceil(64 / (1 + fabric.core_taper))
    assert (core_up == m3 * tops and tops == most // m3) or (core_up == most and tops == math.ceil(most / m3))
    assert fabric.pods == math.ceil(leaves / fabric.leaves_per_pod)
    assert fabric.zones == math.ceil(fabric.pods / fabric.pods_per_zone)
    boxes = [leaves, fabric.pods * spines, fabric.zones * spines * groups, spines * groups * tops]
    assert [stage.count for stage in fabric.stages] == boxes
    assert [stage.up_ports for stage in fabric.stages] == [m * spines, m2 * groups, core_up, 0]
    assert [stage.down_ports for stage in fabric.stages[1:]] == [
        fabric.leaves_per_pod * m, fabric.pods_per_zone * m2, fabric.zones * m3
    ]  # fmt: skip
    assert fabric.zones * m3 <= 64
    links = [leaves * m * spines, boxes[1] * m2 * groups, boxes[2] * core_up]
    assert [(b.name, b.links) for b in fabric.boundaries] == list(
        zip(("leaf_spine", "spine_core", "core_top"), links, strict=True)
    )
    # What 100 Gb/s of every GPU of a full group asks for passes every stage.
    load = pool.attachment.group * 100
    assert m * spines * 400 >= load
    assert spines * m2 * groups * 400 >= fabric.leaves_per_pod * load
    assert spines * groups * core_up * 400 >= fabric.pods_per_zone * fabric.leaves_per_pod * load
    full = core_up - (m3 - 1) * tops
    assert ends_of(fabric, "core_top") == [
        math.ceil(core_up / 2) * boxes[2],
        (math.ceil(fabric.zones * m3 / 2) * full + math.ceil(fabric.zones * (m3 - 1) / 2) * (tops - full))
        * (boxes[3] // tops),
    ]


def ends_of(fabric: Fabric, name: str) -> list[int]:
    """Ends of 800G of a boundary; of a cable both ends are one."""
    (one,) = [b for b in fabric.boundaries if b.name == name]
    assert one.lower_link != one.upper_link or one.lower_link.endswith("_800"), one
    return [one.lower_ends, one.upper_ends]


def test_a_fourth_stage_is_built_only_where_it_pays() -> None:
    """With 64 ports two thousand GPUs need three stages at most: a fourth is dearer, and both are no dearer than it."""
    both, three = (designer.solve(asked(scale_out_stages=stages)) for stages in ([2, 3, 4], [2, 3]))
    assert both.objective_usd == three.objective_usd
    assert three.objective_usd is not None and four_stages().objective_usd is not None
    assert three.objective_usd < four_stages().objective_usd


def test_a_pinned_top_is_the_top(tmp_path: Path) -> None:
    question = asked(
        scale_out_stages=[4], scale_out_switches=["qm9700", "q3400"], spine_tapers=[1.0], core_tapers=[1.0]
    )
    pinned = question.instance.pin.model_copy(update={"top_switch": "q3400", "leaf_switch": "qm9700"})
    answer = designer.solve(replace(question, instance=question.instance.model_copy(update={"pin": pinned})))
    assert answer.design is not None
    switches = {stage.name: stage.switch for stage in answer.design.fabric.stages}
    assert switches["top"] == "q3400" and switches["leaf"] == "qm9700"


def lengths(boundaries: tuple[Boundary, ...]) -> dict[str, float]:
    return {b.name: b.length_m for b in boundaries}


def test_lengths_of_the_top_boundary_are_the_building_or_what_the_site_says() -> None:
    design = four_stages().design
    assert design is not None
    assert lengths(design.fabric.boundaries)["core_top"] == lengths(design.fabric.boundaries)["spine_core"]
    question = asked(scale_out_stages=[4])
    site = question.instance.site.model_copy(
        update={"lengths": question.instance.site.lengths.model_copy(update={"core_top_m": 33.0})}
    )
    answer = designer.solve(replace(question, instance=question.instance.model_copy(update={"site": site})))
    assert answer.design is not None
    assert lengths(answer.design.fabric.boundaries)["core_top"] == 33.0


def test_no_reduction_loses_the_best_tree_of_four_stages() -> None:
    few = {"scale_out_stages": [4], "spine_tapers": [7.0], "core_tapers": [7.0], "max_taper": 7.0, "min_spines": 7}
    few["links"] = ["pcb_baseboard_800eq", "aec_400", "lpo_800"]
    question = asked(**few)
    small = {"accelerators": 64, "job_accelerators": 64, "scale_out_gbps": 0.0}
    fleet = question.instance.fleets[0].model_copy(update=small)
    question = replace(question, instance=question.instance.model_copy(update={"fleets": (fleet,)}))
    found = [designer.solve(question, SolveOptions(gap=0.0, prune=prune)) for prune in (True, False)]
    assert found[0].objective_usd == pytest.approx(found[1].objective_usd, rel=1e-9)
    assert found[0].design is not None and found[1].model is not None and found[1].model.templates > 20
