"""Where boxes stand and how long cables are: small halls by hand, and what holds in every hall."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from designer.catalogue import load_catalogue
from designer.families.dragonfly import Dragonfly
from designer.families.slim_fly import SlimFly
from designer.network.floor import BEYOND, Floor, Placed, length_classes, lengths_m, place
from designer.network.graph import NOWHERE, Bundle, Kind, Network


def hall(endpoints: list[int], switches: list[int], joined: list[tuple[int, int, int]] | None = None) -> Network:
    """Network of endpoints and switches, by their blocks; ``joined`` rows of (box, box, links)."""
    rows = np.array(joined or [], np.int64).reshape(-1, 3)
    return Network(
        kinds=(Kind("endpoint", len(endpoints)), Kind("switch", len(switches))),
        bundles=(Bundle("a", 100.0),),
        lower=rows[:, 0],
        upper=rows[:, 1],
        links=rows[:, 2],
        bundle=np.zeros(len(rows), np.int64),
        block=np.array([*endpoints, *switches], np.int64),
    )


def racks(net: Network, **floor: int | str) -> list[int]:
    return place(net, Floor(**floor)).rack.tolist()  # type: ignore[arg-type]


# --- by hand -------------------------------------------------------------------------------------------------------


def test_switches_of_a_block_stand_in_its_middle() -> None:
    net = hall([0] * 8 + [1] * 4, [0, 0, 0, 1])
    # Block 0: endpoints, two racks of switches in the middle, endpoints; block 1: one rack each, its switches first.
    assert racks(net, endpoints_per_rack=4, boxes_per_rack=2) == [0] * 4 + [3] * 4 + [5] * 4 + [1, 1, 2, 4]


def test_switches_beside_endpoints_fill_the_middle_racks_first() -> None:
    net = hall([0] * 10, [0] * 7)
    assert racks(net, endpoints_per_rack=2, boxes_beside=2) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 2, 2, 1, 1, 3, 3, 0]
    # One each beside, and the two that are left in a rack of their own, in the middle.
    apart = racks(net, endpoints_per_rack=2, boxes_beside=1)
    assert apart == [0, 0, 1, 1, 3, 3, 4, 4, 5, 5, 3, 1, 4, 0, 5, 2, 2]


def test_small_blocks_share_a_rack_and_large_ones_do_not() -> None:
    net = hall([0] * 3 + [1] * 3 + [2] * 3 + [3] * 10 + [4] * 2 + [5] * 2, [])
    assert racks(net, endpoints_per_rack=8) == [0] * 6 + [1] * 3 + [2] * 8 + [3] * 2 + [4] * 4


def test_a_rack_is_shared_only_while_switches_fit_too() -> None:
    net = hall([0, 1, 2, 3], [0, 0, 1, 2, 3])
    assert racks(net, endpoints_per_rack=8, boxes_beside=3) == [0, 0, 1, 1, 0, 0, 0, 1, 1]


def test_blocks_of_switches_share_racks_of_switches() -> None:
    net = hall([0] * 2, [1, 1, 2, 3])
    assert racks(net, endpoints_per_rack=8, boxes_per_rack=3) == [0, 0, 1, 1, 1, 2]


def test_rows_run_to_and_fro() -> None:
    net = hall(list(range(6)), [])
    placed = place(net, Floor(endpoints_per_rack=1, racks_per_row=3, rows_across=1))
    assert placed.rack.tolist() == [0, 1, 2, 5, 4, 3]
    assert placed.x_m.tolist() == pytest.approx([0, 0.6, 1.2, 1.2, 0.6, 0])
    assert placed.y_m.tolist() == pytest.approx([0, 0, 0, 3, 3, 3])
    assert (placed.racks, placed.rows) == (6, 2)


@pytest.mark.parametrize(
    ("where", "network", "others"),
    [
        ("hall_middle", [4, 3, 5], [0, 1, 2, 8, 7, 6]),
        ("row_middle", [1, 4, 7], [0, 2, 5, 3, 6, 8]),
        ("row_end", [2, 5, 8], [0, 1, 4, 3, 6, 7]),
    ],
)
def test_switches_of_no_block_stand_in_network_racks(where: str, network: list[int], others: list[int]) -> None:
    net = hall(list(range(6)), [NOWHERE] * 3)
    floor = {"endpoints_per_rack": 1, "boxes_per_rack": 1, "racks_per_row": 3, "rows_across": 1}
    assert racks(net, **floor, network_racks=where) == others + network


def test_endpoints_of_no_block_follow_the_last_block() -> None:
    assert racks(hall([NOWHERE, 0, 0], []), endpoints_per_rack=2) == [1, 0, 0]


def test_rows_side_by_side_go_down_one_column_and_up_the_next() -> None:
    floor = Floor(racks_per_row=2, rows_across=2, aisle_m=1.0)
    x_m, y_m = floor.positions(5)
    assert x_m.tolist() == pytest.approx([0, 0.6] * 3 + [2.2, 2.8] * 2)
    assert y_m.tolist() == pytest.approx([0, 0, 3, 3, 6, 6, 6, 6, 3, 3])


def test_a_hall_is_nearly_square_if_nothing_is_said() -> None:
    floor = Floor()
    # Columns of 6 + 2.4 m, rows of 3 m: 24 rows 25.2 m by 24 m, 513 rows 117.6 m by 111 m.
    assert [floor.across(rows) for rows in (1, 2, 24, 513)] == [1, 1, 3, 14]
    for rows in (7, 100, 513):
        sides = {k: max(8.4 * k, 3 * -(-rows // k)) for k in range(1, rows + 1)}
        assert sides[floor.across(rows)] == pytest.approx(min(sides.values()))


def test_lengths_by_hand() -> None:
    joined = [(0, 1, 1), (0, 2, 1), (0, 5, 1), (0, 6, 1), (0, 7, 1), (0, 9, 4)]
    floor = Floor(endpoints_per_rack=2, racks_per_row=5)
    net = hall([b for b in range(5) for _ in range(2)], [], joined)
    placed = place(net, floor)
    assert placed.rack.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    over = 2 * 2.2 + 1.5
    assert lengths_m(net, placed).tolist() == pytest.approx(
        [1.2, 1.2 + 0.6 + 1.5, 1.2 + 1.2 + 1.5, 1.2 + 1.8 + 1.5, 1.2 + 1.8 + 1.5, 2.4 + over]
    )
    # The same racks in two rows: rack 3 stands behind rack 2, rack 4 behind rack 1.
    rows = place(net, Floor(endpoints_per_rack=2, racks_per_row=3, rows_across=1))
    assert lengths_m(net, rows)[3:].tolist() == pytest.approx([4.2 + over, 4.2 + over, 3.6 + over])


def test_classes_count_every_link_once() -> None:
    net = hall([0, 0, 1, 1], [2], [(0, 1, 3), (0, 2, 5), (0, 4, 7)])
    found = length_classes(net, np.array([1.2, 3.0, 99.0]), {"row": 20.0, "in_rack": 1.2, "next": 2.9})
    assert found == {"a": {"in_rack": 3, "next": 0, "row": 5, BEYOND: 7}}
    assert list(found["a"]) == ["in_rack", "next", "row", BEYOND]


def test_a_sum_of_pitches_stays_in_its_class() -> None:
    net = hall([0, 0], [], [(0, 1, 1)])
    assert length_classes(net, np.array([0.1 + 0.2]), {"near": 0.3}) == {"a": {"near": 1, BEYOND: 0}}


def test_defaults_are_those_of_the_catalogue() -> None:
    facility, floor = load_catalogue().facility, Floor()
    geometry = facility.geometry
    assert floor.racks_per_row == geometry.racks_per_row.mid
    assert floor.rack_pitch_m == geometry.rack_pitch_m.mid
    assert floor.row_pitch_m == geometry.row_pitch_m.mid
    assert floor.slack_m == geometry.cable_slack_m.mid
    assert floor.vertical_m == geometry.tray_vertical_m_each_end.mid
    assert floor.in_rack_m == facility.distance_classes_m.in_rack.mid
    assert floor.endpoints_per_rack == load_catalogue().racks["gb300_rack"].accelerators.mid


def test_straight_cables_fall_into_the_catalogues_near_classes() -> None:
    classes = load_catalogue().facility.distance_classes_m
    net = hall([0, 1, 2, 3], [], [(0, 0, 1), (0, 1, 1), (0, 3, 1)])
    lengths = lengths_m(net, place(net, Floor(endpoints_per_rack=1))).tolist()
    for length, figure in zip(lengths, (classes.in_rack, classes.adjacent_rack, classes.three_racks_away), strict=True):
        assert figure.low is not None and figure.high is not None
        assert figure.low <= length <= figure.high


@pytest.mark.parametrize("key", ["endpoints_per_rack", "boxes_per_rack", "racks_per_row", "rows_across"])
def test_an_empty_rack_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=f"{key}: read 0; allowed: at least 1"):
        Floor(**{key: 0})


@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf")])
def test_a_length_that_is_none_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=r"slack_m: read .*; allowed: at least 0"):
        Floor(slack_m=bad)


# --- in every hall -------------------------------------------------------------------------------------------------


def random_hall(seed: int) -> tuple[Network, Floor]:
    rng = np.random.default_rng(seed)
    blocks = int(rng.integers(1, 12))
    endpoints = rng.integers(-1, blocks, rng.integers(1, 80)).tolist()
    switches = rng.integers(-1, blocks + 2, rng.integers(0, 40)).tolist()
    n = len(endpoints) + len(switches)
    net = hall(endpoints, switches, [(*rng.integers(0, n, 2).tolist(), int(rng.integers(1, 9))) for _ in range(60)])
    floor = Floor(
        endpoints_per_rack=int(rng.integers(1, 20)),
        boxes_per_rack=int(rng.integers(1, 8)),
        boxes_beside=int(rng.integers(0, 4)),
        racks_per_row=int(rng.integers(1, 9)),
        direct_racks=int(rng.integers(0, 4)),
        rows_across=(None, 1, 2, 3)[seed % 4],
        network_racks=("hall_middle", "row_middle", "row_end")[seed % 3],
    )
    return net, floor


def built(seed: int) -> tuple[Network, Floor]:
    families = (Dragonfly(p=2, a=4, h=2, groups=9, port_gbps=1.0), SlimFly(q=4, port_gbps=1.0))
    return families[seed % 2].network(), random_hall(seed)[1]


HALLS = [*(random_hall(seed) for seed in range(60)), *(built(seed) for seed in range(12))]


def stands(net: Network, floor: Floor) -> Placed:
    placed = place(net, floor)
    again = place(net, floor)
    assert (placed.rack == again.rack).all()
    return placed


@pytest.mark.parametrize(("net", "floor"), HALLS)
def test_every_box_stands_somewhere_and_no_rack_is_overfull(net: Network, floor: Floor) -> None:
    placed = stands(net, floor)
    assert placed.rack.shape == placed.x_m.shape == placed.y_m.shape == (net.boxes,)
    assert placed.rack.min() >= 0
    assert placed.rack.max() < placed.rows * floor.racks_per_row
    assert np.unique(placed.rack).size == placed.racks
    places = placed.rows * floor.racks_per_row
    ends = np.bincount(placed.rack[: net.endpoints], minlength=places)
    others = np.bincount(placed.rack[net.endpoints :], minlength=places)
    assert (ends <= floor.endpoints_per_rack).all()
    assert (others <= np.where(ends > 0, floor.boxes_beside, floor.boxes_per_rack)).all()
    x_m, y_m = floor.positions(placed.rows)
    assert np.unique(np.round([x_m, y_m], 6), axis=1).shape == (2, places), "two racks on one spot"
    assert (placed.x_m == x_m[placed.rack]).all()
    assert (placed.y_m == y_m[placed.rack]).all()


@pytest.mark.parametrize(("net", "floor"), HALLS)
def test_blocks_stand_together_in_ascending_order(net: Network, floor: Floor) -> None:
    placed = stands(net, floor)
    nowhere = (net.block == NOWHERE) & (np.arange(net.boxes) >= net.endpoints)
    taken = set(placed.rack[nowhere].tolist())
    wide = floor.racks_per_row
    rows = [[r for r in range(row * wide, (row + 1) * wide) if r not in taken] for row in range(placed.rows)]
    order = [r for turn, row in enumerate(row for row in rows if row) for r in row[:: -1 if turn % 2 else 1]]
    at = {rack: k for k, rack in enumerate(order)}
    block = np.where((net.block == NOWHERE) & ~nowhere, net.block.max() + 1, net.block)
    last = 0
    for name in np.unique(block[~nowhere]):
        mine = sorted({at[int(rack)] for rack in placed.rack[(block == name) & ~nowhere]})
        assert mine == list(range(mine[0], mine[-1] + 1)), "a block with a gap"
        assert mine[0] in (last - 1, last), "racks in ascending order, at most one shared"
        last = mine[-1] + 1


@pytest.mark.parametrize(("net", "floor"), HALLS[::3])
def test_lengths_are_symmetric_and_no_way_is_shorter_than_the_distance(net: Network, floor: Floor) -> None:
    placed = stands(net, floor)
    lengths = lengths_m(net, placed)
    turned = Network(net.kinds, net.bundles, net.upper, net.lower, net.links, net.bundle, net.block)
    assert (lengths_m(turned, placed) == lengths).all()
    apart = np.abs(placed.x_m[net.lower] - placed.x_m[net.upper]) + np.abs(
        placed.y_m[net.lower] - placed.y_m[net.upper]
    )
    assert (lengths >= apart).all()
    same = placed.rack[net.lower] == placed.rack[net.upper]
    assert (lengths[same] == floor.in_rack_m).all()
    assert (lengths[~same] >= floor.in_rack_m + floor.slack_m).all()


@pytest.mark.parametrize("seed", range(6))
def test_over_the_trays_a_detour_is_never_shorter(seed: int) -> None:
    net, _ = random_hall(seed)
    placed = place(net, Floor(endpoints_per_rack=5, boxes_per_rack=2, racks_per_row=4, direct_racks=0))
    rng = np.random.default_rng(seed)
    three = rng.integers(0, net.boxes, (3, 300))

    def way(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        rows = np.ones(one.size, np.int64)
        return lengths_m(Network(net.kinds, net.bundles, one, other, rows, rows - 1, net.block), placed)

    a, b, c = three
    assert (way(a, c) <= way(a, b) + way(b, c) + 1e-9).all()


@pytest.mark.parametrize(("net", "floor"), HALLS[::3])
def test_totals_do_not_depend_on_the_order_of_rows(net: Network, floor: Floor) -> None:
    classes = {"in_rack": 1.2, "row": 9.0, "hall": 14.0}
    order = np.random.default_rng(1).permutation(net.links.size)
    mixed = Network(
        net.kinds, net.bundles, net.lower[order], net.upper[order], net.links[order], net.bundle[order], net.block
    )
    one, other = lengths_m(net, place(net, floor)), lengths_m(mixed, place(mixed, floor))
    assert (other == one[order]).all()
    counts = length_classes(net, one, classes)
    assert length_classes(mixed, other, classes) == counts
    assert {name: sum(row.values()) for name, row in counts.items()} == {
        b.name: net.links_of(b.name) for b in net.bundles
    }


def test_equal_blocks_in_another_order_need_the_same_cable() -> None:
    """Groups of a full dragonfly are all alike: renumbering them by a shift leaves the total length alone."""
    net = Dragonfly(p=2, a=4, h=2, groups=9, port_gbps=1.0).network()
    shifted = np.where(net.block >= 0, (net.block + 4) % 9, NOWHERE)
    other = Network(net.kinds, net.bundles, net.lower, net.upper, net.links, net.bundle, shifted)
    floor = Floor(endpoints_per_rack=8, boxes_per_rack=4, racks_per_row=100)
    total = [float((lengths_m(n, place(n, floor)) * n.links).sum()) for n in (net, other)]
    assert total[0] == pytest.approx(total[1])
    # A floor with wider rows is longer by what the rows are wider.
    wide = Floor(endpoints_per_rack=8, boxes_per_rack=4, racks_per_row=6, rows_across=1, row_pitch_m=4.0)
    narrow = Floor(endpoints_per_rack=8, boxes_per_rack=4, racks_per_row=6, rows_across=1)
    rows = place(net, narrow).rack // 6
    crossed = int((np.abs(rows[net.lower] - rows[net.upper]) * net.links).sum())
    lengths = [float((lengths_m(net, place(net, f)) * net.links).sum()) for f in (narrow, wide)]
    assert lengths[1] - lengths[0] == pytest.approx(crossed)
    assert crossed > 0


def test_all_directions_are_of_one_hall() -> None:
    for rows, where in product((1, 2, 5), ("hall_middle", "row_middle", "row_end")):
        net = hall([0], [NOWHERE] * (rows * 4 - 1))
        placed = place(net, Floor(boxes_per_rack=1, racks_per_row=4, network_racks=where))  # type: ignore[arg-type]
        assert sorted(placed.rack.tolist()) == list(range(rows * 4))
