"""The commands of ``designer catalog``: list, show and check the data about parts.

Data goes to stdout, prose to stderr. Heavy modules load inside the commands, so that ``--help`` is quick.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from designer.cli.codes import ExitCode
from designer.cli.guard import guarded, say
from designer.cli.tables import print_table

if TYPE_CHECKING:
    from designer.catalogue import Catalogue

app = typer.Typer(
    help="List, show and check the data about accelerators, switches, links, NICs, LLMs and racks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Data as JSON on stdout.")]
Overlay = Annotated[
    Path | None,
    typer.Option("--overlay", "--catalog", metavar="FILE", help="TOML file with figures of your own."),
]


@app.command("list")
def list_rows(
    kind: Annotated[
        str | None,
        typer.Argument(help="accelerators, switches, links, nics, llms or racks; all without it."),
    ] = None,
    as_json: AsJson = False,
    overlay: Overlay = None,
) -> None:
    """List the rows of the catalogue with their chief figures."""
    with guarded():
        from designer.catalogue.views import overview

        catalogue = _load(overlay)
        kinds = catalogue.rows()
        if kind is not None and kind not in kinds:
            from designer.reading import nearest, shortened

            _refuse(f"error: no kind {shortened(kind)!r}; {nearest(kind, kinds)}")
        chosen = list(kinds) if kind is None else [kind]
        tables = {name: [overview(row) for row in kinds[name].values()] for name in chosen}
        if as_json:
            _write_json(tables)
        else:
            for name, rows in tables.items():
                print_table(f"{name} ({len(rows)})", rows)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="The id of a row, or a path such as facility.finance.")],
    as_json: AsJson = False,
    overlay: Overlay = None,
) -> None:
    """Show one row: every figure with low, mid, high, basis, source and note."""
    with guarded():
        from designer.catalogue.views import facts, find

        catalogue = _load(overlay)
        found = find(catalogue, name)
        if not found:
            from designer.catalogue import nearest_rows
            from designer.reading import shortened

            _refuse(f"error: no row {shortened(name)!r}; {nearest_rows(catalogue, name)}")
        if as_json:
            shown = {key: part.model_dump(mode="json") for key, part in found.items()}
            _write_json(next(iter(shown.values())) if len(shown) == 1 else shown)
            return
        for key, part in found.items():
            table = facts(part, catalogue)
            print_table(key, table.values)
            if table.figures:
                print_table("figures", table.figures)
            for source, cite in table.sources.items():
                print(f"[{source}] {cite}")


@app.command()
def check(overlay: Overlay = None, as_json: AsJson = False) -> None:
    """Cross-check the catalogue, an overlay included: exit code 2 when something is broken."""
    with guarded():
        import dataclasses

        from designer.catalogue.checks import check_catalogue

        findings = check_catalogue(_load(overlay))
        broken = [finding for finding in findings if finding.broken]
        if as_json:
            _write_json([dataclasses.asdict(finding) for finding in findings])
        else:
            for finding in findings:
                print(finding)
        say(f"{len(broken)} broken, {len(findings) - len(broken)} remarks")
        if broken:
            raise SystemExit(ExitCode.BAD_INPUT)


def _load(overlay: Path | None) -> Catalogue:
    from designer.catalogue import load_catalogue

    return load_catalogue(overlay)


def _refuse(message: str) -> NoReturn:
    say(message)
    raise SystemExit(ExitCode.BAD_INPUT)


def _write_json(data: Any) -> None:
    import json

    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
