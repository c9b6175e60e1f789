"""Trees whose highest boundary is striped unevenly: right ones pass, and what is wrong in one is named."""

from __future__ import annotations

from fractions import Fraction

import pytest
from test_verify import named, put, rules, said
from verify_designs import pod_instance, rack_instance, round_catalogue
from verify_striped_designs import (
    striped_four_design,
    striped_four_instance,
    striped_pod_design,
    striped_rack_design,
)
from verify_upper_designs import upper_catalogue

from designer.verify import verify
from designer.verify.boundaries import Wiring, ends_of
from designer.verify.tree import Stripe

ROUND = round_catalogue()
CASES = {
    "two": (striped_rack_design(), ROUND, rack_instance()),
    "three": (striped_pod_design(), ROUND, pod_instance()),
    "four": (striped_four_design(), upper_catalogue(), striped_four_instance()),
}
BROKEN = {
    "two": [
        # 4 to each of 3 would be 12, and 8 uplinks with at most 4 to one need 2 spines.
        ("striping", "fabric.links_per_leaf_spine", 4),
        # 8 = 2 + 2 + 2 + 2 over four, not 3 to one.
        ("striping", "fabric.spines_per_pod", 4),
        ("striping", "fabric.stages.0.up_ports", 10),
        # 7 = 3 + 2 + 2 is a striping as well, of other links.
        ("leaf_spine_links", "fabric.stages.0.up_ports", 7),
        ("leaf_spine_upper_ends", "fabric.boundaries.0.upper_ends", 189),
        ("leaf_spine_cables", "fabric.boundaries.0.cables", 189),
        ("spine_down_ports", "fabric.stages.1.down_ports", 56),
        ("spine_count", "fabric.stages.1.count", 4),
    ],
    "three": [
        ("cores_per_spine", "fabric.cores_per_spine", 7),
        # 15 = 5 x 3 goes over five cores evenly, and six it would not need.
        ("cores_per_spine", "fabric.stages.1.up_ports", 15),
        ("core_count", "fabric.stages.2.count", 80),
        ("core_down_ports", "fabric.stages.2.down_ports", 8),
        # Below the highest boundary links are even.
        ("leaf_up_ports", "fabric.stages.0.up_ports", 15),
    ],
    "four": [
        ("tops_per_core", "fabric.tops_per_core", 4),
        ("core_top_links", "fabric.boundaries.2.links", 192),
        ("top_down_ports", "fabric.stages.3.down_ports", 7),
        ("spine_up_ports", "fabric.stages.1.up_ports", 5),
        # 9 = 3 + 3 + 3 is not all that the taper gives, with 4 to one.
        ("tops_per_core", "fabric.stages.2.up_ports", 9),
    ],
}


@pytest.mark.parametrize("name", CASES)
def test_a_striped_design_is_right(name: str) -> None:
    result = verify(*CASES[name])
    assert result.ok, said(result)


@pytest.mark.parametrize(
    ("name", "rule", "path", "value"), [(n, *row.values) for n in BROKEN for row in named(BROKEN[n])]
)
def test_one_broken_thing(name: str, rule: str, path: str, value: object) -> None:
    design, *asked = CASES[name]
    result = verify(put(design, path, value), *asked)
    assert rule in rules(result), said(result)


def test_cables_and_cages_of_full_and_lean_boxes_by_hand() -> None:
    """64 uplinks of 200 Gb/s over 22 spines, 20 x 3 + 2 x 2, from 5 leaves, on rows of 800 and 1,600 Gb/s."""
    stripe = Stripe(3, 20, 2)
    assert (stripe.up, stripe.boxes) == (64, 22)
    wiring = Wiring(5 * 64, stripe.tally(5), {64: 5}, stripe.tally(1, 5))

    def ends(*, module: bool, lower: int, upper: int) -> tuple[int, int, int]:
        rows = Fraction(lower), Fraction(upper)
        return ends_of(wiring, module=module, backplane=False, rate=Fraction(200), lower=rows[0], upper=rows[1])

    # Modules: 64 links fill 16 of 800 at a leaf; 15 links of a full spine take 2 of 1,600, 10 of a lean one 2 as well.
    assert ends(module=True, lower=800, upper=1600) == (320, 5 * 16, 20 * 2 + 2 * 2)
    # 15 links take 4 of 800, 10 take 3.
    assert ends(module=True, lower=800, upper=800) == (320, 5 * 16, 20 * 4 + 2 * 3)
    # Cables of 400: two for three links, one for two.
    assert ends(module=False, lower=400, upper=400) == (5 * (20 * 2 + 2),) * 3
    assert ends(module=False, lower=800, upper=800) == (5 * 22,) * 3
