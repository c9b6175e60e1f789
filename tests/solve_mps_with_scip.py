"""A program of its own: read an MPS file with OR-tools, solve it with SCIP, print the optimum and the size as JSON.

It runs in a process without the designer: the OR-tools wheel carries a HiGHS of another version, whose symbols take the
place of highspy's in a process that loads both.
"""

from __future__ import annotations

import json
import sys

from ortools.linear_solver.python import model_builder

# A relative gap left open would compare two gaps instead of two optima.
EXACT = "limits/gap = 0\nlimits/absgap = 0\n"


def main(path: str) -> int:
    model = model_builder.Model()
    if not model.import_from_mps_file(path):
        sys.stderr.write(f"{path}: OR-tools cannot read this file\n")
        return 1
    solver = model_builder.Solver("scip")
    solver.set_solver_specific_parameters(EXACT)
    status = solver.solve(model)
    optimum = solver.objective_value if status == model_builder.SolveStatus.OPTIMAL else None
    sizes = {"columns": model.num_variables, "rows": model.num_constraints}
    sys.stdout.write(json.dumps({"status": status.name, "optimum": optimum} | sizes) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
