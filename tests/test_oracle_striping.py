"""Links over boxes that cannot all have as many: the oracle against sums by hand (docs/rules.md, "Striping")."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from oracle.cables import Pair
from oracle.fabric import Cabling, Shape, far, shapes
from oracle.layers import layers
from oracle.outage import climbing
from oracle.parts import exact
from oracle.sample import BOX, ENGINE, MODULE, PARTS, SHORT
from oracle.task import ONE_COPY, task_of
from test_oracle_by_hand import instance_for
from test_oracle_by_hand_wider import LONG, LONG_PAIR, tall

FOUR = replace(PARTS, links=(SHORT, LONG, MODULE, ENGINE))
# Seven uplinks over three spines: 3 + 2 + 2.
TWO = Shape(BOX, BOX, rate=200, m=3, spines=3, missing=2)


def counts(shape: Shape, pair: Pair, leaves: int) -> list[tuple[int, int, int, int]]:
    task = task_of(FOUR, instance_for(shape.stages))
    found = layers(task, shape, Cabling((pair,) * (shape.stages - 1)), leaves)
    return [(row.count.links, row.count.cables, row.count.lower, row.count.upper) for row in found]


def test_two_stages() -> None:
    assert (TWO.up, TWO.strands(0)) == (7, [(1, 3), (2, 2)])
    pair = Pair(MODULE, MODULE, True, True)
    # Modules of 400 Gb/s hold two links: 4 for the 7 of a leaf; a spine with 3 x 3 links has 5, one with 3 x 2 has 3.
    assert counts(TWO, pair, 3) == [(21, 21, 3 * 4, 5 + 2 * 3)]
    assert counts(TWO, LONG_PAIR, 3)[0][0] == 21
    # Without the full spine 4 of 7 links are left.
    assert (climbing(TWO), climbing(TWO, 1)) == (7, 4)


def test_events_of_cables_that_links_share() -> None:
    """A cable for two links: two of them to the spine with three, one to each of the others, 4 for 7 links."""
    wide = replace(LONG, rate=400)
    task = task_of(replace(FOUR, links=(SHORT, wide, MODULE, ENGINE)), instance_for(2))
    found = far(task, TWO, Cabling((Pair(wide, wide, True, True),)))
    cable = 2 * exact("0.005") + exact("0.2")
    # Seven of a spine's eight ports.
    assert found.hits_per_leaf == (exact("0.3") * Fraction(7, 8) + 4 * cable) / 2


def test_three_and_four_stages() -> None:
    """Four links up over three boxes: 2 + 1 + 1 would need two to one, and two boxes take as many; 5 go 2 + 2 + 1."""
    three = Shape(BOX, BOX, BOX, 200, m=1, spines=3, taper=exact("0.6"), m2=2, cores=3, missing=1)
    assert (three.spine_up, three.strands(0), three.strands(1)) == (5, [(3, 1)], [(2, 2), (1, 1)])
    # 8 - 5 leaves to a pod; a leaf sends 3 over spines, a core of the two larger ones takes 2/3 of a link of it.
    assert (three.pod, climbing(three), climbing(three, 1)) == (3, 3, 2)
    assert climbing(three, 0, 1) == 2 + min(1, Fraction(3, 3))
    pair = Pair(MODULE, MODULE, True, True)
    # 7 leaves are 3 pods of 3 spines: cages for 3 leaves; cores of 3 x 2 and 3 x 1 links, 3 of each group.
    assert counts(three, pair, 7) == [(21, 21, 7 * 2, 9 * 2), (45, 45, 9 * 3, 3 * (3 + 3 + 2))]
    four = replace(tall(), core_taper=exact("0.6"), m3=2, tops=3, missing=1)
    assert (four.core_up, four.zone, four.strands(2)) == (5, 3, [(2, 2), (1, 1)])
    # 18 leaves: 5 pods, 2 zones of 16 cores, 48 tops: 32 of 2 x 2 links in 2 cages, 16 of 2 x 1 in one.
    assert counts(four, pair, 18)[2] == (32 * 5, 32 * 5, 32 * 3, 32 * 2 + 16 * 1)


@pytest.mark.parametrize("fewest", [1, 2, 3])
def test_every_striping_is_tried_once(fewest: int) -> None:
    """By dealing links out one at a time: the fullest spine gets as many as few spines as possible would."""
    task = task_of(FOUR, instance_for(2, min_spines=fewest))
    found = [(s.up, s.spines, s.m) for s in shapes(task, 2, ONE_COPY, 0) if s.leaf == BOX and s.rate == 200]
    wanted = set()
    for up in range(1, 9):
        for spines in range(max(fewest, 1), up + 1):
            dealt = [len(range(spine, up, spines)) for spine in range(spines)]
            fewer = [len(range(spine, up, spines - 1)) for spine in range(spines - 1)]
            if spines == 1 or max(fewer) > max(dealt):
                wanted.add((up, spines, max(dealt)))
    assert len(found) == len(set(found))
    assert set(found) == wanted
