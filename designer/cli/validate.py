"""``designer validate``: the published cases, recomputed."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from designer.cli.codes import ExitCode
from designer.cli.guard import guarded, say

if TYPE_CHECKING:
    from designer.validate.run import Row

AsJson = Annotated[bool, typer.Option("--json", help="Data as JSON on stdout; prose stays on stderr.")]


def validate(
    case: Annotated[list[str] | None, typer.Argument(metavar="[CASE]...", help="Ids of cases; all without it.")] = None,
    *,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Recompute the published cases and set them beside what was printed."""
    with guarded():
        from designer.validate import validate as validated
        from designer.validate.table import summary

        rows = validated(case or (), None if quiet else lambda name: say(f"{name} ..."))
        if as_json:
            data = {"summary": summary(rows), "rows": [dataclasses.asdict(row) for row in rows]}
            sys.stdout.write(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        else:
            _print(rows)
        raise SystemExit(ExitCode.REFUTED if any(row.verdict == "differs" for row in rows) else ExitCode.SOLVED)


def _print(rows: tuple[Row, ...]) -> None:
    from designer.cli.tables import print_table
    from designer.validate.table import HEADER, cells, notes, summary

    print_table("published cases", [dict(zip(HEADER, row, strict=True)) for row in cells(rows)])
    for note in notes(rows):
        print(note)
    print(summary(rows))
