"""What the commands print: data on stdout, and the exit code a run ends with."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING

from designer.cli.codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from designer.answer import Question
    from designer.bench import BenchRow
    from designer.runs import Checked, Compared, Run


def exit_code(run: Run) -> ExitCode:
    """Say how a run ended."""
    status = run.result.status
    if status == "infeasible":
        return ExitCode.INFEASIBLE
    if status == "interrupted":
        return ExitCode.INTERRUPTED
    if run.result.design is None:
        return ExitCode.NO_ANSWER_IN_TIME
    return ExitCode.SOLVED if run.agrees else ExitCode.REFUTED


def show_run(run: Run, *, as_json: bool, quiet: bool) -> None:
    """Print a solved question: its screen, or ``result.json`` as it is stored."""
    if as_json:
        from designer.report.result import to_json

        sys.stdout.write(to_json(run.result))
    elif not quiet:
        sys.stdout.write(run.screen)


def show_compared(found: Compared, *, as_json: bool, quiet: bool) -> None:
    """Print a forced choice beside the optimum."""
    if as_json:
        why = found.why
        _write_json(
            {
                "forces": list(why.forces),
                "notes": list(why.notes),
                "differences": [dataclasses.asdict(row) for row in why.differences],
                "optimum": found.optimum.model_dump(mode="json"),
                "forced": found.forced.result.model_dump(mode="json"),
            }
        )
    elif not quiet:
        sys.stdout.write(found.forced.screen)


def show_question(question: Question, *, as_json: bool) -> None:
    """Print what was understood of a valid instance."""
    from designer.instance.pools import pools_of

    instance = question.instance
    pools = pools_of(instance)
    if as_json:
        _write_json(
            {
                "name": instance.name,
                "instance_sha256": question.instance_sha256,
                "catalogue_sha256": question.catalogue.sha256,
                "pools": [
                    {"name": pool.name, "phase": pool.phase, "peak_tokens_per_s": pool.peak_tokens_per_s}
                    for pool in pools
                    if pool.fleet is None
                ],
                "fleets": [fleet.model_dump() for fleet in instance.fleets],
            }
        )
        return
    lines = [f"{instance.name}: valid ({instance.title})"]
    lines += [
        f"  pool {pool.name}: {pool.phase} of {pool.workload.llm}, {pool.peak_tokens_per_s:,.0f} tokens/s at peak"
        for pool in pools
        if pool.fleet is None
    ]
    lines += [
        f"  fleet {fleet.name}: {fleet.accelerators:,} accelerators in jobs of {fleet.job_accelerators:,}, "
        f"{fleet.scale_out_gbps:g} Gb/s each outside, {fleet.scale_up_gbps:g} Gb/s inside the domain"
        for fleet in instance.fleets
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def show_checked(checked: Checked, *, as_json: bool) -> None:
    """Print what a second look at a stored result found."""
    if as_json:
        from pydantic import TypeAdapter

        _write_json({"ok": checked.ok, **TypeAdapter(type(checked)).dump_python(checked, mode="json")})
        return
    sys.stdout.write(checked_text(checked))


def checked_text(checked: Checked) -> str:
    """Say in words what a second look at a stored result found."""
    from designer.report.screen import flow_words

    word = "agrees with every count, rule and cost" if checked.recount.ok else "CONTRADICTS the result:"
    lines = [f"{checked.file}: {'holds' if checked.ok else 'REFUTED'}", f"recount     {word}"]
    lines += [f"  {finding}" for finding in checked.recount.findings]
    if checked.flow is not None:
        lines.append(f"flow check  {flow_words(checked.flow)}")
        lines += [f"  {violation}" for violation in checked.flow.violations[2:]]
    lines += [f"note        {note}" for note in checked.notes]
    return "\n".join(lines) + "\n"


def show_bench(rows: Sequence[BenchRow], *, as_json: bool) -> None:
    """Print the measurements as a table or as JSON."""
    from designer.bench import table

    if as_json:
        _write_json([dataclasses.asdict(row) for row in rows])
    else:
        sys.stdout.write(table(rows))


def _write_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=1, allow_nan=False) + "\n")
