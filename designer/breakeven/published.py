"""The shipped study beside the published savings of co-packaged networks, and the prices that reproduce them.

Published: SemiAnalysis, CPO Book (January 2026): GB300 NVL72 on InfiniBand, DSP modules against co-packaged switches
(CPO_CLUSTER_DELTA of ``docs/published_cases.md``). There as here engines count with their switch, NICs keep modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from designer.answer import Answer, SolveOptions
from designer.breakeven.key import with_fixed
from designer.breakeven.settings import fixed_of
from designer.instance.load import load
from designer.solve.why_not import force, solve_forced

Printed = Mapping[str, tuple[float | None, float | None]]
_OPTIONS = SolveOptions(1e-9, explain_s=0.0)
_OPTICS, _SWITCHES = ("nic_leaf_links", "scale_out_links"), ("scale_out_switches",)
# Changes in %, as printed: cost and power of optics, switches, network, cluster.
THREE: Printed = {
    "optics": (-86, -84),
    "switches": (81, None),
    "network": (-31, -23),
    "cluster": (-3, -2),
}
TWO: Printed = {
    "optics": (-86, -84),
    "switches": (None, -21),
    "network": (-46, -48),
    "cluster": (-7, -4),
}
GROUPS = ("optics", "switches", "network", "cluster")
MODULE = "links.dr8_1600.price_usd_per_end"
LINEAR: Printed = {
    "optics": (None, -36),
    "switches": (None, None),
    "network": (None, -16),
    "cluster": (None, None),
}
_STEPS = 24


@dataclass(frozen=True)
class Compared:
    """Two designs of one instance: DSP modules in three stages, and co-packaged switches in ``stages``.

    ``box`` is what is priced; empty where linear modules stand in place of co-packaged switches.
    """

    name: str
    file: str
    stages: int
    box: str
    published: Printed

    def sides(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is forced on both: NICs keep the DSP module, as in the publication."""
        dsp = ("technology=dsp", "link=dr8_1600", "stages=3")
        if not self.box:
            return dsp, ("technology=lpo", "link=lpo_1600", f"stages={self.stages}")
        return dsp, (
            "technology=cpo",
            f"stages={self.stages}",
            "nic_leaf_link=dr8_1600",
        )


_IB, _10K, _100K = "scale-out-cpo-dsp-lpo-infiniband.toml", "cpo-or-pluggable-10k.toml", "cpo-or-pluggable-100k.toml"
COMPARED = (
    Compared("5,040 InfiniBand, three stages", _IB, 3, "q3450_cpo", THREE),
    Compared("10,240, three stages", _10K, 3, "th6_davisson_cpo", THREE),
    Compared("102,400, three stages", _100K, 3, "th6_davisson_cpo", THREE),
    Compared("5,040 InfiniBand, three to two", _IB, 2, "q3450_cpo", TWO),
    Compared("10,240, three to two", _10K, 2, "sn6800_cpo", TWO),
    Compared("102,400, three to two", _100K, 2, "sn6800_cpo", TWO),
    Compared("5,040 InfiniBand, LPO", _IB, 3, "", LINEAR),
)


def savings(folder: Path, compared: Compared, *settings: str) -> dict[str, tuple[float, float]]:
    """Change of capital and of watts in %, from DSP modules to co-packaged switches, by group; last the annual cost.

    "network" is everything above the NICs, NICs left out; "network a year" its annual cost, the second figure without
    failures.
    """
    one, other = (_solved(folder / compared.file, side, settings) for side in compared.sides())
    found = {}
    for group in GROUPS:
        pairs = [_sums(answer, group) for answer in (one, other)]
        found[group] = (_change(pairs[0][0], pairs[1][0]), _change(pairs[0][1], pairs[1][1]))
    years = [_sums(answer, "network")[2:] for answer in (one, other)]
    found["network a year"] = (_change(years[0][0], years[1][0]), _change(years[0][1], years[1][1]))
    return found


def price_for(folder: Path, compared: Compared, key: str, high: float) -> float | None:
    """Return the price of a part at which the network's capital changes by as much as published; None if none does.

    Bisection of solved designs; the change must be beyond the published one at one end of 0 to ``high``.
    """
    wanted = compared.published["network"][0]
    if wanted is None:
        return None

    def more(value: float) -> bool:
        return savings(folder, compared, f"{key}={value!r}")["network"][0] > wanted

    return _bisected(more, 0.0, high)


def published(folder: Path) -> Iterator[str]:
    """Both tables as text."""
    yield "| | cost: optics, switches, network, cluster | watts: the same | network a year, without failures |"
    yield "|---|---|---|---|"
    for words, row in (("three stages", THREE), ("three to two", TWO), ("LPO", LINEAR)):
        cells = [", ".join(_percent(row[group][place]) for group in GROUPS) for place in (0, 1)]
        yield f"| SemiAnalysis, {words} | {cells[0]} | {cells[1]} | |"
    for compared in COMPARED:
        ours = savings(folder, compared)
        cells = [", ".join(_percent(ours[group][place]) for group in GROUPS) for place in (0, 1)]
        year = ", ".join(_percent(value) for value in ours["network a year"])
        yield f"| {compared.name} | {cells[0]} | {cells[1]} | {year} |"
    yield ""
    yield "| network cost as published | module at its high | module price for it | box price for it | box at mid |"
    yield "|---|---|---|---|---|"
    for compared in (row for row in COMPARED if row.box):
        box = f"switches.{compared.box}.price_usd"
        dear = _percent(savings(folder, compared, f"{MODULE}=high")["network"][0])
        module, price = price_for(folder, compared, MODULE, 20_000.0), price_for(folder, compared, box, 2_000_000.0)
        mid = fixed_of(load(folder / compared.file), (f"{box}=mid",))[0].number
        cells = [dear, *("none" if value is None else f"{value:,.0f}" for value in (module, price)), f"{mid:,.0f}"]
        yield f"| {compared.name}, {_percent(compared.published['network'][0])} | " + " | ".join(cells) + " |"


@cache
def _solved(path: Path, forces: tuple[str, ...], settings: tuple[str, ...]) -> Answer:
    question = load(path)
    question = with_fixed(question, fixed_of(question, settings), "--set")
    answer, blocked = solve_forced(force(question, forces), _OPTIONS)
    if answer.account is None or answer.status != "optimal":
        raise ValueError(f"{path.name}: {', '.join(forces)}: {'; '.join((*blocked, *answer.clash)) or answer.status}")
    return answer


def _sums(answer: Answer, group: str) -> tuple[float, float, float, float]:
    """Capital, watts, annual cost, and annual cost without failures of a group of items."""
    assert answer.account is not None
    items = {"optics": _OPTICS, "switches": _SWITCHES, "network": (*_OPTICS, *_SWITCHES)}.get(group)
    rows = [line for line in answer.account.lines if items is None or line.item in items]
    bare = sum(row.capital_usd_per_year + row.facility_usd_per_year + row.energy_usd_per_year for row in rows)
    failures = sum(row.failures_usd_per_year for row in rows)
    return sum(row.capex_usd for row in rows), sum(row.watts for row in rows), bare + failures, bare


def _change(one: float, other: float) -> float:
    return 100 * (other / one - 1)


def _percent(value: float | None) -> str:
    return "not stated" if value is None else f"{value:+.0f} %"


def _bisected(above: Callable[[float], bool], low: float, high: float) -> float | None:
    first = above(low)
    if first == above(high):
        return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle) == first else (low, middle)
    return (low + high) / 2
