"""The floor: racks in rows, which rack every box of a built network stands in, and how long its cables are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np
import numpy.typing as npt

from designer.network.graph import NOWHERE, Ints, Network

Floats = npt.NDArray[np.float64]

BEYOND = "beyond"
"""Class of cables that are longer than every distance class."""


@dataclass(frozen=True)
class Floor:
    """A hall of equal rows of racks, and what a rack holds.

    Defaults are the mid figures of the catalogue's ``facility.geometry`` and ``distance_classes_m.in_rack`` (basis
    there: assumption, ``racks_per_row`` press estimate) and of its liquid-cooled racks. Assumptions made here: 16
    switches are a network rack's 40 kW at 2.5 kW each; the aisle between rows side by side is 2.4 m.

    Parameters
    ----------
    endpoints_per_rack
        Endpoints that one rack holds.
    boxes_per_rack
        Switches that one rack without endpoints holds.
    boxes_beside
        Switches that a rack of endpoints holds besides them (top of rack, switch trays).
    racks_per_row, rack_pitch_m, row_pitch_m
        Racks in a row, and the distances from rack to rack and from row to row.
    rows_across, aisle_m
        Rows side by side, and the aisle between them; if left out as many as make the hall nearest to a square.
    vertical_m
        Way from a box up to the trays, or down, at each end.
    slack_m
        Spare length of a cable between racks.
    in_rack_m
        Length of a cable inside a rack.
    direct_racks
        Racks in one row at most so far apart are cabled straight, not over the trays.
    network_racks
        Where the racks of switches of no block stand: around the middle of the hall, at the middle of the rows, or at
        their ends.
    """

    endpoints_per_rack: int = 72
    boxes_per_rack: int = 16
    boxes_beside: int = 0
    racks_per_row: int = 10
    rack_pitch_m: float = 0.6
    row_pitch_m: float = 3.0
    rows_across: int | None = None
    aisle_m: float = 2.4
    vertical_m: float = 2.2
    slack_m: float = 1.5
    in_rack_m: float = 1.2
    direct_racks: int = 3
    network_racks: Literal["hall_middle", "row_middle", "row_end"] = "hall_middle"

    def __post_init__(self) -> None:
        whole = {"endpoints_per_rack": 1, "boxes_per_rack": 1, "racks_per_row": 1, "boxes_beside": 0, "direct_racks": 0}
        lengths = ("rack_pitch_m", "row_pitch_m", "aisle_m", "vertical_m", "slack_m", "in_rack_m")
        for name, least in {**whole, "rows_across": 1, **dict.fromkeys(lengths, 0)}.items():
            value = getattr(self, name)
            if value is not None and not least <= value < inf:
                raise ValueError(f"{name}: read {value}; allowed: at least {least}")

    def across(self, rows: int) -> int:
        """Rows side by side in a hall of so many rows."""
        if self.rows_across is not None:
            return self.rows_across
        aside = np.arange(1, rows + 1)
        width = aside * (self.racks_per_row * self.rack_pitch_m + self.aisle_m)
        depth = -(-rows // aside) * self.row_pitch_m
        # Rounded, so that equal shapes are equal; the first of them.
        return int(np.argmin(np.round(np.maximum(width, depth), 6))) + 1

    def positions(self, rows: int) -> tuple[Floats, Floats]:
        """Positions x and y (rows * racks_per_row,) of all places: down one column of rows, up the next."""
        lines = -(-rows // self.across(rows))
        column, line = np.divmod(np.arange(rows), lines)
        line = np.where(column % 2 == 1, lines - 1 - line, line)
        start = column * (self.racks_per_row * self.rack_pitch_m + self.aisle_m)
        x_m = start[:, None] + np.arange(self.racks_per_row) * self.rack_pitch_m
        return x_m.ravel(), np.repeat(line * self.row_pitch_m, self.racks_per_row)


@dataclass(frozen=True, eq=False)
class Placed:
    """Where the boxes of a network stand.

    Parameters
    ----------
    rack
        (boxes,): place of the box's rack in the hall, row by row: row ``rack // racks_per_row``.
    x_m, y_m
        (boxes,): position of that rack along its row, and of the row.
    racks, rows
        Racks in use, and rows of the hall (the last one may have empty places).
    floor
        The floor they stand on.
    """

    rack: Ints
    x_m: Floats
    y_m: Floats
    racks: int
    rows: int
    floor: Floor


def place(network: Network, floor: Floor) -> Placed:
    """Put every box of a network into a rack.

    Blocks stand in ascending order in consecutive racks, along the rows to and fro (so that a block at the end of a
    row goes on beside it in the next). A block that fits into one rack together with the one before shares it; a
    larger one takes racks of its own: endpoints fill them in order, its switches stand beside them (``boxes_beside``,
    the middle racks first) and then in racks of their own in the middle of the block. Endpoints of no block follow
    the last block. Switches of no block fill the network racks. Boxes of one kind keep their order.
    """
    along, count = _along_the_blocks(network, floor)
    rooming = np.flatnonzero(along < 0)
    for_network = -(-rooming.size // floor.boxes_per_rack)
    rows = max(1, -(-(count + for_network) // floor.racks_per_row))
    reserved = _nearest(floor, rows)[:for_network]
    free = _to_and_fro(np.setdiff1d(np.arange(rows * floor.racks_per_row), reserved), floor)
    rack = np.empty(network.boxes, np.int64)
    rack[along >= 0] = free[along[along >= 0]]
    rack[rooming] = reserved[np.arange(rooming.size) // floor.boxes_per_rack]
    x_m, y_m = floor.positions(rows)
    return Placed(rack, x_m[rack], y_m[rack], count + for_network, rows, floor)


def lengths_m(network: Network, placed: Placed) -> Floats:
    """Length (rows,) in metres of one cable of every joined pair.

    Inside a rack ``in_rack_m``. Up to ``direct_racks`` apart in a row: straight across, ``in_rack_m`` and slack added.
    Further: up to the trays, along the row and across the rows (Manhattan distance: trays run both ways above every
    rack), down again, and slack.
    """
    floor, low, high = placed.floor, network.lower, network.upper
    one, other = placed.rack[low], placed.rack[high]
    apart = np.abs(placed.x_m[low] - placed.x_m[high]) + np.abs(placed.y_m[low] - placed.y_m[high])
    over = apart + 2 * floor.vertical_m + floor.slack_m
    near = (one // floor.racks_per_row == other // floor.racks_per_row) & (np.abs(one - other) <= floor.direct_racks)
    out = np.where(near, np.minimum(over, apart + floor.in_rack_m + floor.slack_m), over)
    return np.where(one == other, floor.in_rack_m, out)


def length_classes(network: Network, lengths: Floats, classes: Mapping[str, float]) -> dict[str, dict[str, int]]:
    """Links of every bundle by distance class: the shortest class whose length is enough.

    Parameters
    ----------
    network, lengths
        A network and the length (rows,) of its cables, as `lengths_m` gives them.
    classes
        Longest route of each class in metres, for example the high figures of the catalogue's ``distance_classes_m``.

    Returns
    -------
    dict
        By bundle, then by class in ascending order of length: links. `BEYOND` comes last: longer than every class.
    """
    names = sorted(classes, key=lambda name: classes[name])
    # Sums of pitches differ from the same figure written as decimals in the last bits.
    tops = np.array([classes[name] for name in names]) + 1e-9
    found = np.searchsorted(tops, lengths, side="left")
    width = len(names) + 1
    links = np.zeros(len(network.bundles) * width, np.int64)
    np.add.at(links, network.bundle * width + found, network.links)
    table = links.reshape(-1, width).tolist()
    return {
        bundle.name: dict(zip([*names, BEYOND], row, strict=True))
        for bundle, row in zip(network.bundles, table, strict=True)
    }


def _along_the_blocks(network: Network, floor: Floor) -> tuple[Ints, int]:
    """Rack (boxes,) of every box in the order of the blocks, -1 for switches of no block; and the number of racks."""
    block = network.block.astype(np.int64, copy=True)
    ends = np.arange(network.boxes) < network.endpoints
    block[ends & (block == NOWHERE)] = int(block.max(initial=0)) + 1
    seated = np.flatnonzero(block != NOWHERE)
    names, group = np.unique(block[seated], return_inverse=True)
    hosts = np.bincount(group[ends[seated]], minlength=names.size)
    switches = np.bincount(group[~ends[seated]], minlength=names.size)
    first, shared, count = _first_racks(hosts, switches, floor)
    along = np.full(network.boxes, -1, np.int64)
    for mine, sizes in ((ends[seated], hosts), (~ends[seated], switches)):
        order = np.flatnonzero(mine)[np.argsort(group[mine], kind="stable")]
        of = group[order]
        # Number of each box among those of its kind (endpoint or switch) in its block.
        number = np.arange(order.size) - (np.cumsum(sizes) - sizes)[of]
        endpoint = bool(sizes is hosts)
        along[seated[order]] = first[of] + np.where(
            shared[of], 0, _inside(number, hosts[of], switches[of], floor, endpoint=endpoint)
        )
    return along, count


def _first_racks(hosts: Ints, switches: Ints, floor: Floor) -> tuple[Ints, npt.NDArray[np.bool_], int]:
    """First rack of every block, whether it shares that one rack, and the racks of all blocks."""
    host_racks, own = _racks(hosts, switches, floor)
    # Switches alone may share a rack of switches; beside endpoints only as many as stand beside.
    small = np.where(
        hosts > 0,
        (hosts <= floor.endpoints_per_rack) & (switches <= floor.boxes_beside),
        switches <= floor.boxes_per_rack,
    )
    first = np.empty(hosts.size, np.int64)
    following, open_hosts, open_switches, kind = 0, 0, 0, False
    for at, (ends, boxes, needs, alone) in enumerate(
        zip(hosts.tolist(), switches.tolist(), (host_racks + own).tolist(), small.tolist(), strict=True)
    ):
        if alone and kind == (ends > 0) and ends <= open_hosts and boxes <= open_switches:
            first[at] = following - 1
            open_hosts, open_switches = open_hosts - ends, open_switches - boxes
            continue
        first[at] = following
        following += needs
        kind = ends > 0
        open_hosts = floor.endpoints_per_rack - ends if alone and kind else 0
        open_switches = ((floor.boxes_beside if kind else floor.boxes_per_rack) - boxes) if alone else -1
    return first, small, following


def _racks(hosts: Ints, switches: Ints, floor: Floor) -> tuple[Ints, Ints]:
    """Racks with endpoints, and racks of switches only, that a block fills on its own."""
    with_hosts = -(-hosts // floor.endpoints_per_rack)
    left = np.maximum(switches - with_hosts * floor.boxes_beside, 0)
    return with_hosts, -(-left // floor.boxes_per_rack)


def _inside(number: Ints, hosts: Ints, switches: Ints, floor: Floor, *, endpoint: bool) -> Ints:
    """Rack within its block of the endpoint or switch of that number (all arrays of one shape)."""
    with_hosts, own = _racks(hosts, switches, floor)
    before = with_hosts // 2
    if endpoint:
        rack = number // floor.endpoints_per_rack
        return np.where(rack < before, rack, rack + own)
    beside = with_hosts * floor.boxes_beside
    # Racks of endpoints from the middle outwards: before - 0, before - 1, before + 1, ...
    step = number // max(1, floor.boxes_beside)
    rack = before + np.where(step % 2 == 1, -(step + 1) // 2, step // 2)
    near = np.where(rack < before, rack, rack + own)
    return np.where(number < beside, near, before + (number - beside) // floor.boxes_per_rack)


def _to_and_fro(places: Ints, floor: Floor) -> Ints:
    """Places of the hall in the order of the blocks: every other row backwards, rows without any left out."""
    turn = np.unique(places // floor.racks_per_row, return_inverse=True)[1]
    return places[np.lexsort((np.where(turn % 2 == 1, -places, places), turn))]


def _nearest(floor: Floor, rows: int) -> Ints:
    """All places of the hall, the best for network racks first."""
    row, rack = np.divmod(np.arange(rows * floor.racks_per_row), floor.racks_per_row)
    if floor.network_racks == "row_middle":
        # Twice the distance from the middle, in whole pitches, so that equal ones are equal.
        return np.lexsort((rack, row, np.abs(2 * rack - (floor.racks_per_row - 1))))
    if floor.network_racks == "row_end":
        return np.lexsort((row, -rack))
    x_m, y_m = floor.positions(rows)
    far = np.abs(2 * x_m - x_m.max() - x_m.min()) + np.abs(2 * y_m - y_m.max() - y_m.min())
    return np.argsort(np.round(far, 6), kind="stable")
