"""Designs whose links are striped unevenly under failures: full and lean boxes, and the links to each, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fabric_designs import FabricSpec, design_of
from fabric_random import any_spec
from hypothesis import given, settings
from test_degrade import TIGHT, in_copy, left, link, see_all_single_failures_in_classes

from designer.degrade import degrade
from designer.degrade.copy import copy_of
from designer.design.types import Design
from designer.fabric import fabric_graph
from designer.problems import InputError

# Pods of 3 leaves, 8 spines each with 3 links up, 2 to the first of two cores and 1 to the second: nothing left over.
THREE = FabricSpec(
    stages=3, rate=400, m=1, spines=8, leaves_per_pod=3, m2=2, cores_per_spine=2, lean=1,
    pools=(replace(TIGHT, domains=6),),
)  # fmt: skip
# Zones of 3 pods of 2 leaves, two cores to a spine, each with 3 links up, 2 and 1: nothing left over.
FOUR = FabricSpec(
    stages=4, rate=400, m=1, spines=8, leaves_per_pod=2, m2=1, cores_per_spine=2, pods_per_zone=3, m3=2,
    tops_per_core=2, lean=1, pools=(replace(TIGHT, domains=12),),
)  # fmt: skip


def test_full_and_lean_boxes_are_looked_at_apart() -> None:
    """Ten uplinks over four spines, 3 3 2 2: a full one takes three tenths, a lean one two, a link of either one."""
    spec = FabricSpec(
        stages=2, rate=400, m=3, spines=4, lean=2, pools=(replace(TIGHT, other_need=500.0, nic_rate=500),)
    )
    design = design_of(spec)
    # 8 accelerators of 500 Gb/s bring 4,000 up on 10 links of 400: nothing is left over.
    for spine, share in ((0, 0.7), (1, 0.7), (2, 0.8), (3, 0.8)):
        assert left(design, in_copy(design, "spine", spine)) == pytest.approx((share, share))
    # All can go on at the pace of the leaf that is short, which has 9 of 10: at best it alone is short.
    for spine in (0, 2):
        least, most = left(design, link(design, "leaf_spine", spine))
        assert 0.9 - 1e-12 <= least <= most == pytest.approx(1 - 0.1 / 8)
    classes = [of for place in degrade(design, failures=1, samples=2).places for of in place.classes]
    members = {of.example: of.members for of in classes}
    assert (members["spine0"], members["spine2"]) == (2, 2)
    # The last half of the leaves is a class apart.
    assert (members["leaf0 - spine0"], members["leaf0 - spine2"]) == (4 * 2 * 3, 4 * 2 * 2)


@pytest.mark.parametrize(
    ("spec", "box", "boundary", "full", "groups"),
    [(THREE, "core", "spine_core", 1 / 12, 2), (FOUR, "top", "core_top", 1 / 24, 2)],
    ids=["three stages", "four stages"],
)
def test_a_full_box_at_the_highest_boundary_takes_twice_a_lean_one(
    spec: FabricSpec, box: str, boundary: str, full: float, groups: int
) -> None:
    """docs/rules.md section 10: without a core 7 + 1 / 3 of 8 are left, without a top 7 + (1 + 1 / 3) / 2."""
    design = design_of(spec)
    assert left(design) == (1.0, 1.0)
    for at, lost in ((0, full), (1, full / 2), (6, full), (7, full / 2)):
        assert left(design, in_copy(design, box, at)) == pytest.approx((1 - lost, 1 - lost))
    # A link either way: everybody at the pace of the group below it, or that group alone is short.
    for at in (0, 1):
        assert left(design, link(design, boundary, at)) == pytest.approx((1 - full / 2, 1 - full / 2 / groups))
    # Both links of a full pair; the other group's full pair goes without its partner.
    both = [link(design, boundary)] * 2
    assert left(design, *both) == pytest.approx((1 - full, 1 - full / groups))


@pytest.mark.parametrize(
    ("spec", "box", "boundary"), [(THREE, "core", "spine_core"), (FOUR, "top", "core_top")], ids=["three", "four"]
)
def test_no_class_has_full_and_lean_ones(spec: FabricSpec, box: str, boundary: str) -> None:
    design = design_of(spec)
    net = copy_of(design, 0).network
    classes = [of for place in degrade(design, failures=1, samples=2).places for of in place.classes]
    boxes, links = [0, 0], [0, 0]
    for of in classes:
        if of.name in (box, f"{boundary} link"):
            # Two boxes above each: the second is lean.
            at = int(of.example.rpartition(box)[2]) % 2
            (boxes if of.name == box else links)[at] += of.members
    count = len(net.kind_range(box))
    pairs = net.links_of(boundary) // 3
    assert boxes == [count // 2, count // 2]
    assert links == [2 * pairs, pairs]


@given(any_spec())
@settings(max_examples=30, deadline=None)
def test_a_copy_is_joined_as_the_fabric_graph_is(spec: FabricSpec) -> None:
    """Two rooms that share no code: as many pairs of boxes with as many links at every boundary above the leaves."""
    design = design_of(spec)
    net = copy_of(design, 0).network
    joined: dict[str, list[int]] = {}
    for _, _, edge in fabric_graph(design).edges(data=True):
        joined.setdefault(edge["boundary"], []).append(edge["links"])
    copies = design.fabric.rails * design.fabric.planes
    for boundary in design.fabric.boundaries:
        own = np.flatnonzero(net.bundle == [of.name for of in net.bundles].index(boundary.name))
        assert sorted(np.tile(net.links[own], copies).tolist()) == sorted(joined[boundary.name])
    for stage in design.fabric.stages[1:]:
        ports = np.zeros(net.boxes, np.int64)
        np.add.at(ports, net.upper, net.links)
        below = ports[list(net.kind_range(stage.name))]
        assert below.max() <= stage.down_ports


@given(any_spec(striped=True))
@settings(max_examples=12, deadline=None)
def test_classes_of_any_striped_design_are_all_its_single_failures(spec: FabricSpec) -> None:
    see_all_single_failures_in_classes(design_of(spec))


def with_ports_up(design: Design, level: int, up: int) -> Design:
    stages = list(design.fabric.stages)
    stages[level] = replace(stages[level], up_ports=up)
    return replace(design, fabric=replace(design.fabric, stages=tuple(stages)))


@pytest.mark.parametrize(
    ("spec", "level", "up"),
    [
        # Below the highest boundary all boxes get the same.
        (THREE, 0, 7),
        (FOUR, 0, 7),
        (FOUR, 1, 1),
        # Fewer links or fewer boxes would do, and more than there are.
        (THREE, 1, 2),
        (THREE, 1, 5),
        (FOUR, 2, 2),
        (replace(THREE, m2=2, cores_per_spine=4, lean=1), 1, 6),
    ],
)
def test_ports_up_that_no_striping_has_are_refused(spec: FabricSpec, level: int, up: int) -> None:
    with pytest.raises(InputError, match=f"{('leaf', 'spine', 'core')[level]}: {up} ports up for"):
        degrade(with_ports_up(design_of(spec), level, up))
