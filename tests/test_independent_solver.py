"""The exported model, read and solved by a program that shares nothing with HiGHS or Pyomo.

OR-tools parses the MPS text with a reader of its own, and SCIP solves it. Both optima are of the same text, so what
this tests is the export and the solver, not the reductions before it: for those, the second half exports some questions
with every reduction switched off, thousands of columns instead of a few dozen, and asks for the same optimum.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import designer
from designer.answer import SolveOptions

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "tests" / "solve_mps_with_scip.py"
FOLDER = ROOT / "instances"
# Every shipped question, those of scale too: a new file is a new test.
INSTANCES = sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.toml"))
INFEASIBLE = "no-design"
# Pinned so far that the model without any reduction stays in reach.
UNREDUCED = ("hgx-h100-pinned", "nvl72-pinned", "one-rack-at-20-m")
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Independent:
    """What SCIP found, and the size of the model as OR-tools read it."""

    optimum: float
    columns: int
    rows: int


def solve_independently(path: Path) -> Independent:
    run = subprocess.run([sys.executable, PROGRAM, path], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["status"] == "OPTIMAL"
    return Independent(found["optimum"], found["columns"], found["rows"])


@pytest.mark.parametrize("name", INSTANCES)
def test_scip_finds_the_same_optimum(name: str, tmp_path: Path) -> None:
    path = tmp_path / "exported.mps"
    answer = designer.solve(designer.load(FOLDER / f"{name}.toml"), SolveOptions(write_mps=path))
    if name == INFEASIBLE:
        assert answer.status == "infeasible"
        assert answer.clash
        assert not path.exists()
        return
    assert answer.status == "optimal"
    assert answer.objective_usd is not None
    assert answer.model is not None
    theirs = solve_independently(path)
    # The answer is recounted exactly: text, solver and recount agree to the noise of floats.
    assert theirs.optimum == pytest.approx(answer.objective_usd, rel=1e-9)
    assert (theirs.columns, theirs.rows) == (answer.model.columns, answer.model.rows)


@pytest.mark.parametrize("name", UNREDUCED)
def test_scip_finds_the_optimum_among_all_candidates(name: str, tmp_path: Path) -> None:
    question = designer.load(FOLDER / f"{name}.toml")
    path = tmp_path / f"{name}.mps"
    reduced = designer.solve(question)
    full = designer.solve(question, SolveOptions(write_mps=path, prune=False))
    theirs = solve_independently(path)
    assert reduced.model is not None
    assert theirs.columns > 10 * reduced.model.columns
    assert theirs.optimum == pytest.approx(full.objective_usd, rel=1e-6)
    assert theirs.optimum == pytest.approx(reduced.objective_usd, rel=1e-6)


def test_a_changed_model_is_noticed(tmp_path: Path) -> None:
    """The comparison can fail: one objective coefficient of the text raised by a tenth moves SCIP's optimum."""
    path = tmp_path / "changed.mps"
    answer = designer.solve(designer.load(FOLDER / "nvl72-pinned.toml"), SolveOptions(write_mps=path))
    text = path.read_text().splitlines()
    dear = [line for line in text if " Obj " in f"{line} " and len(line.split()) >= 3 and line.split()[1] == "Obj"]
    assert dear
    raised = {line: line.replace(line.split()[2], repr(1.1 * float(line.split()[2])), 1) for line in dear}
    path.write_text("\n".join(raised.get(line, line) for line in text) + "\n")
    theirs = solve_independently(path)
    assert theirs.optimum != pytest.approx(answer.objective_usd, rel=1e-6)
