"""How long and how large flow questions are: fat trees at size, and the same question to networkx while it ends.

Every network is measured in a fresh process; its peak memory is that of all steps so far.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from designer.families.fat_tree import FatTree
from designer.network.faults import random_failures, single_failures
from designer.network.graph import Network
from designer.network.max_flow import bisection, cut_by_networkx, cut_faults, halves
from designer.network.throughput import Throughput, all_to_all

TREES = {"64k": (65_536, 64), "1M": (1_024_000, 160)}
"""Endpoints and radix of three-stage fat trees, as large as the radix takes."""

ASKED_OF_NETWORKX = (128, 1024, 3456, 8192, 16_000, 27_648, 65_536, 221_184)
"""Endpoints that networkx is asked about, one after the other, until it takes longer than it may."""

NETWORKX_SECONDS = 60.0

# Linux counts ru_maxrss in kibibytes, macOS in bytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class FlowRow:
    """One step: CPU seconds, the most memory of the process up to its end, and the answer with its proof in words."""

    what: str
    endpoints: int
    cpu_s: float
    peak_memory_mb: float
    answer: str


def bench_flow(
    *,
    names: Sequence[str] = ("64k", "1M", "networkx"),
    networkx_s: float = NETWORKX_SECONDS,
    on_row: Callable[[str], None] | None = None,
) -> tuple[FlowRow, ...]:
    """Measure the networks of `TREES` and networkx, each in a process of its own.

    Parameters
    ----------
    names
        Which of them.
    networkx_s
        CPU seconds after which networkx is asked about no larger network.
    on_row
        Called with one line of text after each step.
    """
    rows = []
    for name in names:
        command = [sys.executable, "-m", "designer.bench_flow", name, str(networkx_s)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"the flow bench of {name} ended with code {done.returncode}: {done.stderr[-500:]}")
        for row in (FlowRow(**data) for data in json.loads(done.stdout)):
            rows.append(row)
            if on_row is not None:
                on_row(f"{row.what}, {row.endpoints:,} endpoints: {row.cpu_s:.2f} s")
    return tuple(rows)


def flow_table(rows: Sequence[FlowRow]) -> str:
    """Write the measurements as a text table.

    Examples
    --------
    >>> print(flow_table([FlowRow("bisection", 65536, 0.25, 230.0, "proven")]), end="")
    endpoints  step          CPU s  peak MB  answer
       65,536  bisection      0.25      230  proven
    """
    width = max([len(row.what) for row in rows] + [12])
    text = f"endpoints  {'step'.ljust(width)}  CPU s  peak MB  answer\n"
    for row in rows:
        figures = f"{row.cpu_s:>5.2f}  {row.peak_memory_mb:>7.0f}"
        text += f"{row.endpoints:>9,}  {row.what.ljust(width)}  {figures}  {row.answer}\n"
    return text


def measure(name: str, networkx_s: float = NETWORKX_SECONDS) -> tuple[FlowRow, ...]:
    """Measure one of `TREES`, or networkx, in this process."""
    if name == "networkx":
        return tuple(_networkx(networkx_s))
    endpoints, radix = TREES[name]
    return tuple(_tree(endpoints, radix, faults=name == "64k"))


def _tree(endpoints: int, radix: int, *, faults: bool) -> Iterator[FlowRow]:
    family = FatTree(endpoints=endpoints, stages=3, radix=radix, port_gbps=400.0)
    start = time.process_time()
    network, generators = family.network(), family.symmetries()
    yield _row("network and its symmetries", endpoints, start, f"{len(network.lower):,} joined pairs")
    start = time.process_time()
    half = bisection(network)
    wrong = cut_faults(network, half)
    words = "; ".join(wrong) or "flow and cut are equal, checked row by row"
    yield _row("bisection", endpoints, start, f"{half.gbps:,.0f} Gb/s: {words}")
    start = time.process_time()
    even = all_to_all(network, generators=generators)
    yield _row("all-to-all", endpoints, start, _interval(even))
    if not faults:
        return
    start = time.process_time()
    single = single_failures(network, generators=generators)
    told = f"{single.tried:,} of {single.single:,} in {len(single.failures)} classes"
    yield _row("single failures", endpoints, start, told)
    start = time.process_time()
    several = random_failures(network, 10, samples=100)
    told = f"mean {several.mean:.4%}, worst {several.worst:.4%} of the bisection"
    yield _row("100 x 10 random failures", endpoints, start, told)


def _networkx(seconds: float) -> Iterator[FlowRow]:
    """Max flow between the same halves by networkx and by us, larger and larger; the last one gives the ratio."""
    taken = 0.0
    for endpoints in ASKED_OF_NETWORKX:
        # Doubling the size takes it more than twice as long.
        if 2 * taken > seconds:
            return
        network = _full_tree(endpoints)
        near, far = halves(network)
        start = time.process_time()
        theirs = cut_by_networkx(network, near, far)
        row = _row("bisection by networkx", endpoints, start, f"{float(theirs):,.0f} Gb/s")
        taken = row.cpu_s
        yield row
        start = time.process_time()
        ours = bisection(network)
        mine = time.process_time() - start
        agrees = "the same" if ours.gbps == float(theirs) else f"{ours.gbps:,.0f} Gb/s, NOT the same"
        told = f"{agrees}; networkx takes {taken / mine:,.0f} times as long"
        yield _row("bisection by tokenfabric", endpoints, start, told)


def _full_tree(endpoints: int) -> Network:
    radix = round((4 * endpoints) ** (1 / 3))
    return FatTree(endpoints=endpoints, stages=3, radix=radix + radix % 2, port_gbps=400.0).network()


def _interval(found: Throughput) -> str:
    gap = (found.most - found.least) / found.most
    if found.exact:
        return f"{found.most:,.6g} Gb/s per endpoint, routing and bound agree to {gap:.0e}"
    return f"{found.least:,.6g} to {found.most:,.6g} Gb/s per endpoint"


def _row(what: str, endpoints: int, start: float, answer: str) -> FlowRow:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / 1e6
    return FlowRow(what, endpoints, time.process_time() - start, peak, answer)


if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(row) for row in measure(sys.argv[1], float(sys.argv[2]))]))
