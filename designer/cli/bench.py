"""``designer bench --flow``: flows of large networks, with networkx beside them."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from designer.cli.guard import say
from designer.problems import InputError, Problem


def time_flows(folder: Path | None, *, flow: bool, as_json: bool) -> None:
    """Measure and show; exactly one of folder and ``--flow`` is wanted."""
    if not flow or folder is not None:
        read = "both a folder and --flow" if flow else "neither a folder nor --flow"
        raise InputError([Problem("bench", "", read, "give a folder of instances, or --flow")])
    from designer.bench_flow import bench_flow, flow_table

    rows = bench_flow(on_row=say)
    sys.stdout.write(json.dumps([asdict(row) for row in rows], indent=1) + "\n" if as_json else flow_table(rows))
