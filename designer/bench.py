"""How long and how large: every instance of a folder, each run in a fresh process.

A fresh process per run keeps peak memory honest (a process never gives it back) and caches cold.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from designer.answer import Phase, SolveOptions
from designer.problems import InputError, Problem

# Linux counts ru_maxrss in kibibytes, macOS in bytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class BenchRow:
    """Measurements of one instance.

    ``phases`` holds the least wall time of each phase over the runs and the least CPU time; ``peak_memory_mb`` the most
    over the runs. ``root_gap`` = (objective - bound before branching) / objective. ``error`` says why a run ended
    without an answer.
    """

    instance: str
    file: str
    runs: int
    status: str
    phases: tuple[Phase, ...] = ()
    peak_memory_mb: float | None = None
    rows: int | None = None
    columns: int | None = None
    nonzeros: int | None = None
    integers: int | None = None
    nodes: int | None = None
    objective_usd: float | None = None
    gap: float | None = None
    root_gap: float | None = None
    error: str | None = None

    @property
    def wall_s(self) -> float:
        """Seconds of all phases together."""
        return sum(phase.wall_s for phase in self.phases)


def bench_folder(
    folder: str | Path,
    *,
    repeat: int = 1,
    time_limit_s: float | None = None,
    on_row: Callable[[str], None] | None = None,
) -> tuple[BenchRow, ...]:
    """Measure every ``*.toml`` of a folder, in the order of their names.

    Parameters
    ----------
    folder
        Folder of instances.
    repeat
        Runs of each instance.
    time_limit_s
        Solver time limit of each run.
    on_row
        Called with one line of text after each instance.
    """
    place = Path(folder)
    files = sorted(place.glob("*.toml")) if place.is_dir() else []
    if not files:
        raise InputError([Problem(str(folder), "", "no *.toml files", "give a folder of instances")])
    rows = []
    for file in files:
        rows.append(_best([_run(file, time_limit_s) for _ in range(repeat)], file))
        if on_row is not None:
            row = rows[-1]
            on_row(f"{row.instance}: {row.error or row.status}, {row.wall_s:.2f} s")
    return tuple(rows)


def measure(file: Path, time_limit_s: float | None) -> dict[str, Any]:
    """Solve one instance in this process and return its measurements as plain data."""
    from designer.instance.load import load
    from designer.runs import Clock, answer_result
    from designer.solve.run import solve

    clock, options = Clock(), SolveOptions(time_limit_s=time_limit_s)
    with clock.phase("read"):
        question = load(file)
    answer = solve(question, options)
    result = answer_result(question, options, answer, clock=clock)
    model, objective = answer.model, answer.objective_usd
    root = None if model is None else model.root_bound_usd
    return {
        "instance": question.instance.name,
        "status": result.status,
        "phases": [asdict(phase) for phase in result.phases],
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / 1e6,
        "rows": None if model is None else model.rows,
        "columns": None if model is None else model.columns,
        "nonzeros": None if model is None else model.nonzeros,
        "integers": None if model is None else model.integers,
        "nodes": None if model is None else model.nodes,
        "objective_usd": objective,
        "gap": answer.gap,
        "root_gap": None if root is None or not objective else (objective - root) / objective,
    }


def table(rows: Sequence[BenchRow]) -> str:
    """Write the measurements as a text table: seconds of wall time per phase.

    Examples
    --------
    >>> print(table([BenchRow("a", "a.toml", 1, "optimal", (Phase("read", 0.5, 0.4),), 90.0, 7, 8, 9, 4, 1)]), end="")
    instance  status   read  total    cpu  peak MB  rows  columns  nonzeros  nodes  root gap
    a         optimal  0.50   0.50   0.40       90     7        8         9      1         -
    """
    names = list(dict.fromkeys(phase.name for row in rows for phase in row.phases))
    head = ["instance", "status", *names, "total", "cpu", "peak MB", "rows", "columns", "nonzeros", "nodes", "root gap"]
    lines = [head]
    for row in rows:
        wall = {phase.name: phase.wall_s for phase in row.phases}
        lines.append(
            [
                row.instance,
                row.status,
                *(f"{wall[name]:.2f}" if name in wall else "-" for name in names),
                f"{row.wall_s:.2f}",
                f"{sum(phase.cpu_s for phase in row.phases):.2f}",
                "-" if row.peak_memory_mb is None else f"{row.peak_memory_mb:.0f}",
                *("-" if n is None else f"{n:,}" for n in (row.rows, row.columns, row.nonzeros, row.nodes)),
                "-" if row.root_gap is None else f"{row.root_gap:.1e}",
            ]
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = ""
    for line in lines:
        cells = [
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text += "  ".join(cells).rstrip() + "\n"
    return text + "".join(f"{row.instance}: {row.error}\n" for row in rows if row.error)


def _run(file: Path, time_limit_s: float | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "designer.bench", str(file), json.dumps(time_limit_s)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        return dict(json.loads(done.stdout))
    last = done.stderr.strip().splitlines()[-1:] or [f"ended with code {done.returncode}"]
    return {"instance": file.stem, "status": "failed", "error": last[0]}


def _best(runs: Sequence[dict[str, Any]], file: Path) -> BenchRow:
    failed = next((run for run in runs if "error" in run), None)
    if failed is not None:
        return BenchRow(file=str(file), runs=len(runs), **failed)
    phases = []
    for index, phase in enumerate(runs[0]["phases"]):
        same = [run["phases"][index] for run in runs]
        phases.append(Phase(phase["name"], min(each["wall_s"] for each in same), min(each["cpu_s"] for each in same)))
    peak = max(run["peak_memory_mb"] for run in runs)
    first = {**runs[0], "phases": tuple(phases), "peak_memory_mb": peak}
    return BenchRow(file=str(file), runs=len(runs), **first)


def _worker(arguments: Sequence[str]) -> None:
    try:
        sys.stdout.write(json.dumps(measure(Path(arguments[0]), json.loads(arguments[1]))))
    except InputError as error:
        sys.stderr.write("; ".join(str(problem) for problem in error.problems) + "\n")
        raise SystemExit(2) from None


if __name__ == "__main__":
    _worker(sys.argv[1:])
