"""The shipped study: co-packaged switches against 1.6T modules (DSP, LRO, LPO), at three sizes (``docs/breakeven.md``).

``python -m designer.breakeven.study FOLDER [PART ...]`` prints the tables of the page, `PARTS` or some of them;
``FOLDER`` holds the instances. Every cell is a call of `breakeven`, with what it sets and forces written here.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from designer.answer import Question, SolveOptions
from designer.breakeven.result import BreakEven
from designer.breakeven.run import breakeven
from designer.instance.load import load

OPTIONS = SolveOptions(1e-9, explain_s=0.0)
LEVELS = ("low", "mid", "high")
MODULES = {"DSP": "dr8_1600", "LRO": "lro_1600", "LPO": "lpo_1600"}
TWIN, LARGE = "th6_davisson_cpo", "sn6800_cpo"
REPAIRED = "money.box_swap_part_share=0"
ENGINES = "links.cpo_1600"
RATES = (
    f"switches.{TWIN}.oe_box_swap_per_year",
    f"switches.{LARGE}.oe_box_swap_per_year",
    f"{ENGINES}.cpo_parts.els_fit_per_module",
    f"{ENGINES}.transient_per_link_year",
)
TIMES = (f"{ENGINES}.cpo_parts.oe_mttr_h", f"{ENGINES}.cpo_parts.els_mttr_h")
NEVER, ALWAYS = "never", "always"


@dataclass(frozen=True)
class Case:
    """One size and its stages: ``co_packaged`` is what is forced for it, ``stages`` those of the modules beside it."""

    accelerators: int
    words: str
    file: str
    co_packaged: str
    stages: int
    box: str
    highest_usd: float

    @property
    def name(self) -> str:
        """As it stands in the tables."""
        return f"{self.accelerators:,}, {self.words}"


def _twin(accelerators: int, file: str, stages: int) -> Case:
    places = ("leaf", "spine", "core")[:stages]
    forced = ",".join(["technology=cpo", f"stages={stages}", *(f"{place}_switch={TWIN}" for place in places)])
    words = {2: "two stages", 3: "three stages"}[stages]
    return Case(accelerators, words, f"cpo-or-pluggable-{file}.toml", forced, stages, TWIN, 400_000.0)


def _fewer(accelerators: int, file: str) -> Case:
    """Two stages with the large co-packaged switch, where switches with modules need three."""
    name = f"cpo-or-pluggable-{file}.toml"
    return Case(accelerators, "two for three", name, "technology=cpo,stages=2", 3, LARGE, 3_000_000.0)


CASES = (
    _twin(1024, "1k", 2),
    _twin(1024, "1k", 3),
    _twin(10_240, "10k", 3),
    _twin(102_400, "100k", 3),
    _fewer(10_240, "10k"),
    _fewer(102_400, "100k"),
)
MAIN = (CASES[0], CASES[2], CASES[3], CASES[4])
# What the rest of the page varies at mid: figure, range solved, and what a flip below (or above) it means.
SWEPT = (
    ("money.box_swap_part_share", 0.0, 1.0, tuple(MODULES)),
    (f"switches.{TWIN}.oe_box_swap_per_year", 0.0, 5.0, tuple(MODULES)),
    (f"switches.{TWIN}.power_w", 0.0, 6000.0, tuple(MODULES)),
    (f"{ENGINES}.cpo_parts.oe_mttr_h", 0.0, 500.0, tuple(MODULES)),
    (f"{ENGINES}.cpo_parts.els_fit_per_module", 0.0, 20_000.0, tuple(MODULES)),
    ("links.dr8_1600.price_usd_per_end", 0.0, 4000.0, ("DSP",)),
    ("links.dr8_1600.power_w_per_end", 0.0, 400.0, ("DSP",)),
    ("links.dr8_1600.afr_hard_per_end", 0.0, 0.5, ("DSP",)),
    ("links.dr8_1600.mttr_h", 0.0, 500.0, ("DSP",)),
    ("facility.repair.job_restart_cost_h", 0.0, 50.0, ("DSP",)),
    ("site.electricity_usd_per_kwh", 0.0, 3.0, ("DSP",)),
)
# Assumptions of the price at which the co-packaged box wins against DSP, each alone at its low and its high.
ASSUMPTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("engine failures: box swaps a year", RATES[:2]),
    ("laser modules: FIT", RATES[2:3]),
    ("co-packaged links: transients", RATES[3:]),
    ("hours to swap a box for its engine", TIMES[:1]),
    ("hours to swap a laser module", TIMES[1:]),
    ("co-packaged box: watts", tuple(f"switches.{box}.power_w" for box in (TWIN, LARGE))),
    ("bare switch: price", ("switches.th6_64x1600.price_usd",)),
    ("bare switch: watts", ("switches.th6_64x1600.power_w",)),
    ("DSP module: price", ("links.dr8_1600.price_usd_per_end",)),
    ("DSP module: watts", ("links.dr8_1600.power_w_per_end",)),
    ("DSP module: hard failures", ("links.dr8_1600.afr_hard_per_end",)),
    ("DSP module: transients", ("links.dr8_1600.transient_per_link_year",)),
    ("DSP module: hours to repair", ("links.dr8_1600.mttr_h",)),
    ("restart of a job: hours", ("facility.repair.job_restart_cost_h",)),
    ("a transient kills the job", ("facility.repair.p_transient_kills_job",)),
    ("electricity", ("site.electricity_usd_per_kwh",)),
    ("interest (wacc)", ("money.wacc",)),
)


def duel(folder: Path, case: Case, module: str, key: str, start: float, end: float, *settings: str) -> BreakEven:
    """Solve one cell: the co-packaged side of a case against one kind of modules, along one figure."""
    sides = (case.co_packaged, f"technology={module.lower()},link={MODULES[module]},stages={case.stages}")
    question = _question(folder / case.file)
    return breakeven(question, key, start, end, between=sides, settings=settings, options=OPTIONS)


def price(folder: Path, case: Case, module: str, *settings: str) -> float | str:
    """Return the price of the box below which the co-packaged side is cheaper."""
    return below(duel(folder, case, module, f"switches.{case.box}.price_usd", 0.0, case.highest_usd, *settings))


def below(found: BreakEven) -> float | str:
    """Return the value below which the first side wins; it wins `ALWAYS` or `NEVER` in the range without a flip.

    Raises
    ------
    ValueError
        When there are several flips, when it wins above instead, or when a side has no design.
    """
    if len(found.flips) > 1 or not found.proven or "neither" in (found.start.name, found.end.name):
        raise ValueError(f"{found.key}: no single flip of two proven designs")
    if not found.flips:
        return ALWAYS if found.start.name == found.between[0] else NEVER
    if found.start.name != found.between[0]:
        raise ValueError(f"{found.key}: the first side wins above, not below")
    return found.flips[0].value


def either(found: BreakEven) -> str:
    """Write where the first side wins, whichever side of the flip that is."""
    if found.flips and found.start.name != found.between[0] and len(found.flips) == 1:
        return f"above {_short(found.flips[0].value)}"
    value = below(found)
    return value if isinstance(value, str) else f"below {_short(value)}"


@cache
def _question(path: Path) -> Question:
    return load(path)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _dollars(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.0f}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _head(cells: Sequence[str]) -> Iterator[str]:
    yield _row(cells)
    yield "|" + "---|" * len(cells)


def at_levels(rates: str, times: str, *more: str) -> tuple[str, ...]:
    """Settings of the co-packaged parts: their failure rates at one level, their repair times at another."""
    return (*(f"{key}={rates}" for key in RATES), *(f"{key}={times}" for key in TIMES), *more)


def prices(folder: Path, *more: str) -> Iterator[str]:
    """Every case, kind of module, level of rates and level of repair times."""
    yield from _head(["accelerators, stages", "rates", *(f"repair times {level}" for level in LEVELS)])
    for case in CASES:
        for rates in LEVELS:
            cells = []
            for times in LEVELS:
                found = [price(folder, case, module, *at_levels(rates, times, *more)) for module in MODULES]
                cells.append(" / ".join(_dollars(value) for value in found))
            yield _row([case.name, rates, *cells])


def swept(folder: Path, *more: str) -> Iterator[str]:
    """Where other figures flip, everything else at mid."""
    cases = MAIN[:3]
    yield from _head(["figure", "from, to", "against", *(case.name for case in cases)])
    for key, start, end, modules in SWEPT:
        if any(row.startswith(f"{key}=") for row in more):
            continue
        for module in modules:
            found = [duel(folder, case, module, key, start, end, *more) for case in cases]
            yield _row([f"`{key}`", f"{start:g}, {end:g}", module, *(either(row) for row in found)])


def assumptions(folder: Path) -> Iterator[str]:
    """How far the price against DSP moves with every assumption, alone, at its low and at its high."""
    yield from _head(["assumption, low / high", *(case.name for case in MAIN)])
    base = [price(folder, case, "DSP") for case in MAIN]
    yield _row(["all at mid", *(_dollars(value) for value in base)])
    rows = []
    for words, keys in ASSUMPTIONS:
        found = [
            [price(folder, case, "DSP", *(f"{key}={level}" for key in keys)) for case in MAIN]
            for level in ("low", "high")
        ]
        cells = [" / ".join(_moved(value, mid) for value, mid in zip(pair, [mid] * 2, strict=True))
                 for *pair, mid in zip(*found, base, strict=True)]  # fmt: skip
        rows.append((_spread([row[1] for row in found], base[1]), _row([words, *cells])))
    found = [[price(folder, case, "DSP", f"money.box_swap_part_share={share}") for case in MAIN] for share in (0, 0.5)]
    cells = [" / ".join(_moved(value, mid) for value in pair) for *pair, mid in zip(*found, base, strict=True)]
    rows.append((_spread([row[1] for row in found], base[1]), _row(["a swap buys 0 / 0.5 of a box, not 1", *cells])))
    for _, text in sorted(rows, key=lambda row: -row[0]):
        yield text


def _moved(value: float | str, mid: float | str) -> str:
    if isinstance(value, str) or isinstance(mid, str):
        return _dollars(value)
    return f"{value - mid:+,.0f}"


def _spread(values: Sequence[float | str], mid: float | str) -> float:
    """The largest move; one beyond the range is the largest of all."""
    moves = [abs(value - mid) for value in values if not isinstance(value, str) and not isinstance(mid, str)]
    return max(moves) if len(moves) == len(values) else float("inf")


def _published(folder: Path) -> Iterator[str]:
    from designer.breakeven.published import published

    return published(folder)


PARTS: dict[str, Callable[[Path], Iterator[str]]] = {
    "prices": prices,
    "prices-repaired": lambda folder: prices(folder, REPAIRED),
    "swept": swept,
    "swept-repaired": lambda folder: swept(folder, REPAIRED),
    "assumptions": assumptions,
    "published": _published,
}


def main(words: Sequence[str]) -> None:
    """Print the parts asked for, all without any."""
    if not words or not Path(words[0]).is_dir() or not set(words[1:]) <= set(PARTS):
        sys.exit(f"usage: python -m designer.breakeven.study FOLDER [PART ...]; parts: {', '.join(PARTS)}")
    for name in words[1:] or PARTS:
        sys.stdout.write(f"{name}\n\n")
        for line in PARTS[name](Path(words[0])):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        sys.stdout.write(f"\n{time.process_time():.0f} CPU seconds so far\n\n")


if __name__ == "__main__":
    main(sys.argv[1:])
