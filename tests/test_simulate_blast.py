"""What one failure of each part takes down, by hand: its port, its lanes, its plane, its rack (docs/failures.md)."""

from __future__ import annotations

import pytest
from simulated_designs import CASES

from designer.catalogue import load_catalogue
from designer.simulate.kind import Kind
from designer.simulate.run import components

# Accelerators that stand still, and the bandwidth that is missing as accelerators' worth of it.
RADIUS: dict[str, dict[str, tuple[float, float]]] = {
    # 21 racks of 72 in hosts of 4, a leaf each, 4 spines; both kinds of boxes co-packaged, with 9 laser modules.
    "CPO leaves": {
        "accelerator": (4, 0),  # its host is drained
        "NIC": (4, 0),
        "scale-up switch": (72, 0),  # without spare planes all of its domain
        "scale-up cable": (72, 0),  # a cartridge: the rack is drained
        "NIC-leaf cable": (1, 0),  # a port
        "leaf": (72, 0),
        "leaf, engine swap": (72, 0),  # the whole box, for one engine
        "leaf, laser module": (8, 0),  # a ninth of the lanes
        "spine": (0, 1512 / 4),
        "spine, engine swap": (0, 1512 / 4),
        "spine, laser module": (0, 1512 / 4 / 9),
        "leaf-spine end": (0, 72 / 8),  # one of 8 uplinks
        "spine-leaf end": (0, 72 / 8),
        "leaf-spine fibre": (0, 72 / 8),  # dirt: while it is cleaned
    },
    # The same on two planes, with modules of 4 NIC ports: the other plane carries on, except for the NIC's own end.
    "planes on modules": {
        "NIC-leaf lower end": (2, 0),  # both ports of two NICs
        "NIC-leaf upper end": (0, 4 / 2),
        "NIC-leaf fibre": (0, 2 / 2),
        "leaf": (0, 72 / 2),
        "spine": (0, 1512 / 2 / 4),
        "leaf-spine end": (0, 72 / 2 / 4),
    },
    # Domains of 144 in groups of 36, 18 planes; 2 second-stage switches on each, 36 uplinks of 400 on ends of 1,600.
    "clos": {
        "scale-up switch": (36, 0),
        "scale-up cable": (36, 0),
        "second-stage scale-up switch": (0, 144 / 36),
        "scale-up stages end": (0, 36 / 18 / 9),
    },
    # One accelerator of each of 8 hosts on a leaf of each rail; ends of two links.
    "CPO leaves on rails": {
        "accelerator": (8, 0),
        "NIC-leaf lower end": (2, 0),
        "NIC-leaf upper end": (2, 0),
        "leaf": (8, 0),
        "leaf, laser module": (1, 0),
        "spine": (0, 296 / 8 / 2),
    },
    # Leaves joined directly stop what is below them, and are one of 21 ways for all; an end takes its link, of 210.
    "mesh of leaves": {"leaf": (72, 1512 / 21), "leaf-leaf end": (0, 1512 / 210)},
}


def radius(kind: Kind) -> tuple[float, float]:
    """The most that any member takes down."""
    stops = (
        max(sum(span.width for span in kind.stops.spans(member, 0.0)) for member in range(kind.members))
        if kind.stops
        else 0
    )
    slows = (
        max(sum(most for _, most in kind.slows.slowed(member)) for member in range(kind.members)) if kind.slows else 0
    )
    return stops, slows


@pytest.mark.parametrize("name", RADIUS)
def test_what_each_part_takes_down(name: str) -> None:
    kinds = {kind.name: kind for kind in components(*CASES[name])}
    for part, expected in RADIUS[name].items():
        assert radius(kinds[part]) == pytest.approx(expected), part
        # What stops something interrupts every job there; what slows something only now and then.
        assert kinds[part].chance == (1.0 if expected[0] else 0.1), part


def test_what_can_be_swapped_while_the_rest_runs_stops_its_own_lanes_alone() -> None:
    """The catalogue's word on hot swapping is that of the rules on what a repair takes out."""
    links = load_catalogue().links.values()
    # Cartridges and boards are part of their rack, which is drained; of a co-packaged switch the lasers alone are hot.
    assert {row.hot_swappable for row in links if row.construction == "backplane"} == {False}
    assert {row.hot_swappable for row in links if row.construction == "engine+els+fibre"} == {"els_only"}
    assert load_catalogue().components.els_module.hot_swappable
    # Modules and cables are, but for one that is announced, whose box the rules leave running (docs/failures.md).
    others = [row for row in links if row.construction not in ("backplane", "engine+els+fibre")]
    assert {row.id for row in others if row.hot_swappable is not True} == {"npo_1600"}
