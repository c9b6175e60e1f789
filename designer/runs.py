"""From an instance file to a stored run, and back: what ``designer solve`` and ``verify`` do, as library calls."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from designer.answer import Answer, Phase, Question, SolveOptions, scaled
from designer.beside.run import asked_alike
from designer.beside.run import beside as put_beside
from designer.design.account import Account, CostLine, PoolUptime, RiskLine
from designer.design.types import Design
from designer.evaluate import Evaluation, evaluate
from designer.fabric import FlowReport
from designer.fabric import flow_check as check_flow
from designer.given import Given, load_given
from designer.instance.load import load, load_text
from designer.instance.schema import Instance
from designer.problems import InputError, Problem
from designer.report.assemble import make_result
from designer.report.beside import beside_screen
from designer.report.compare import compare_screen
from designer.report.files import RESULT_NAME, check_target, write_folder
from designer.report.result import Recount, Result, read_result, to_json
from designer.report.screen import screen
from designer.risk import Risk, risk
from designer.simulate import Simulation, simulate
from designer.solve.run import solve
from designer.solve.why_not import WhyNot, why_not
from designer.verify import verify

# The recount is exact; only the account's conversion to floats is not.
_ACCOUNT_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Run:
    """A solved question: the result, its screen, and where it was stored (None: nothing worth storing)."""

    result: Result
    screen: str
    folder: Path | None

    @property
    def agrees(self) -> bool:
        """Whether neither the recount nor the flow check contradicts the design."""
        recount, flow = self.result.recount, self.result.flow
        return (recount is None or recount.ok) and (flow is None or flow.ok)


@dataclass(frozen=True)
class Compared:
    """The optimum of a question beside the best design with choices forced; ``forced.screen`` shows both."""

    why: WhyNot
    optimum: Result
    forced: Run


@dataclass(frozen=True)
class Checked:
    """A stored result looked at again: the new recount, the new flow report, and notes that refute nothing."""

    file: str
    recount: Recount
    flow: FlowReport | None
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the stored design and its account hold."""
        return self.recount.ok and (self.flow is None or self.flow.ok)


def solve_and_store(
    path: str | Path,
    options: SolveOptions | None = None,
    *,
    overlay: str | Path | None = None,
    out: str | Path | None = None,
    flow_check: bool = True,
    beside: str | Path | None = None,
) -> Run:
    """Read, solve, recount, check the flow and store.

    Parameters
    ----------
    path, overlay
        The instance and the price list of your own, as for `designer.load`.
    options
        How to solve.
    out
        The run folder; ``runs/<instance name>-<short hash>`` when left out. An earlier run of the same instance
        is replaced, anything else is refused before solving.
    flow_check
        Whether to run the flow check on the design.
    beside
        A design written by hand, to be put beside the optimum.

    Raises
    ------
    InputError
        When the instance, the overlay, an option, the design or the run folder is wrong; nothing is solved or written
        then.
    """
    options = options or SolveOptions()
    _check_options(options)
    clock = Clock()
    with clock.phase("read"):
        question = load(path, overlay)
    given: Given | None = None
    if beside is not None:
        with clock.phase("evaluate"):
            given = load_given(beside, overlay)
            found = evaluate(asked_alike(given, question))
    sha256 = None if given is None else given.sha256
    folder = Path(out) if out is not None else default_folder(question, options, sha256)
    check_target(folder, question.instance.name)
    answer = solve(question, options)
    result = answer_result(question, options, answer, flow_check=flow_check, clock=clock)
    if given is not None and result.status != "interrupted":
        result = _with_beside(result, question, options, given, answer, found)
    # An instance without any design is an answer too; a run that found nothing in time is not.
    stored = folder if result.design is not None or result.status == "infeasible" else None
    text = screen(result, None if stored is None else str(stored))
    if result.compared is not None:
        text += "\n" + beside_screen(result.compared)
    if stored is not None:
        files = {RESULT_NAME: to_json(result), "report.txt": text, "instance.toml": question.instance_text}
        write_folder(stored, files)
    return Run(result, text, stored)


def _with_beside(
    result: Result, question: Question, options: SolveOptions, given: Given, answer: Answer, found: Evaluation
) -> Result:
    """Put a given design beside an answer; Ctrl-C keeps the answer, which then says ``interrupted``."""
    clock = Clock()
    try:
        with clock.phase("beside"):
            compared = put_beside(question, options, given, answer, found)
    except KeyboardInterrupt:
        return result.model_copy(update={"status": "interrupted"})
    return result.model_copy(update={"compared": compared, "phases": (*result.phases, *clock.phases)})


def answer_result(
    question: Question,
    options: SolveOptions,
    answer: Answer,
    *,
    flow_check: bool = True,
    clock: Clock | None = None,
) -> Result:
    """Recount an answer, run the flow check on its design and put everything into one `Result`.

    Ctrl-C during the checks keeps the design: the result then says ``interrupted``.
    """
    clock = clock or Clock()
    before = len(clock.phases)
    recount: Recount | None = None
    flow: FlowReport | None = None
    if answer.design is not None:
        try:
            with clock.phase("recount"):
                instance = question.instance
                if answer.tokens is not None:
                    instance = scaled(instance, answer.tokens.multiplier)
                verified = verify(answer.design, question.catalogue, instance)
            recount = Recount(ok=verified.ok, findings=tuple(str(finding) for finding in verified.findings))
            if flow_check:
                with clock.phase("flow check"):
                    flow = check_flow(answer.design)
        except KeyboardInterrupt:
            answer = replace(answer, status="interrupted")
    phases = (*clock.phases[:before], *answer.phases, *clock.phases[before:])
    return make_result(question, options, replace(answer, phases=phases), recount, flow)


def compare(
    path: str | Path,
    forces: Sequence[str],
    options: SolveOptions | None = None,
    *,
    overlay: str | Path | None = None,
) -> Compared:
    """Read an instance, solve it, and solve it again with choices forced on it; nothing is stored.

    Parameters
    ----------
    path, overlay
        As for `designer.load`.
    forces
        Choices as ``KEY=VALUE`` (`designer.solve.why_not.KEYS`).
    options
        How to solve, both times.

    Raises
    ------
    InputError
        When the instance, the overlay, an option or a forced choice is wrong.
    """
    options = options or SolveOptions()
    _check_options(options)
    question = load(path, overlay)
    why = why_not(question, forces, options)
    optimum = answer_result(question, options, why.optimum, flow_check=False)
    forced = answer_result(why.question, options, why.forced, flow_check=False)
    text = compare_screen(why, optimum, forced)
    return Compared(why, optimum, Run(forced, text, None))


def default_folder(question: Question, options: SolveOptions, beside_sha256: str | None = None) -> Path:
    """Name the run folder after the instance and a hash of everything that decides the answer."""
    overlay = question.catalogue.overlay_sha256 or ""
    inputs = [question.instance_sha256, question.catalogue.sha256, overlay, question.measured_sha256 or ""]
    if beside_sha256 is not None:
        inputs.append(beside_sha256)
    choices = [options.gap, options.time_limit_s, options.seed, options.threads, options.prune]
    digest = hashlib.sha256(json.dumps([inputs, choices]).encode()).hexdigest()
    return Path("runs", f"{question.instance.name}-{digest[:8]}")


def verify_stored(run: str | Path, *, overlay: str | Path | None = None, flow_check: bool = True) -> Checked:
    """Recount a stored result from its design alone and run the flow check again.

    Parameters
    ----------
    run
        A run folder or its ``result.json``.
    overlay
        The overlay it was solved with, where it has moved since.

    Raises
    ------
    InputError
        When the result cannot be read, holds no design, or its overlay is missing or another one.
    """
    file, result, question = str(run), *_read_back(run, overlay)
    notes = []
    if question.catalogue.sha256 != result.catalogue_sha256:
        notes.append("the catalogue has changed since the run; differences may come from there")
    design, instance = _design_of(file, result), _asked_by(result, question)
    verified = verify(design, question.catalogue, instance)
    notes += verified.notes
    findings = [str(finding) for finding in verified.findings]
    findings += _account_differences(result.account, verified.account)
    recount = Recount(ok=verified.ok and not findings, findings=tuple(findings))
    return Checked(file, recount, check_flow(design) if flow_check else None, tuple(notes))


def simulate_stored(
    run: str | Path,
    *,
    overlay: str | Path | None = None,
    years: float = 10.0,
    runs: int = 20,
    seed: int = 0,
    workers: int = 1,
) -> Simulation:
    """Simulate the failures of a stored design (`designer.simulate.simulate`), read as by `verify_stored`.

    Raises
    ------
    InputError
        When the result cannot be read or simulated, or an option is wrong.
    """
    result, question = _read_back(run, overlay)
    design, instance = _design_of(str(run), result), _asked_by(result, question)
    return simulate(design, question.catalogue, instance, years=years, runs=runs, seed=seed, workers=workers)


def risk_stored(
    run: str | Path,
    *,
    overlay: str | Path | None = None,
    samples: int = 10_000,
    seed: int = 0,
    job_hours: float = 720.0,
    checkpoint_minutes: float = 60.0,
    write_minutes: float = 1.0,
) -> Risk:
    """Say what is known of the failures of a stored design (`designer.risk.risk`), read as by `verify_stored`.

    Raises
    ------
    InputError
        When the result cannot be read or counted, or an option is wrong.
    """
    result, question = _read_back(run, overlay)
    found = risk(
        _design_of(str(run), result),
        question.catalogue,
        _asked_by(result, question),
        samples=samples,
        seed=seed,
        job_hours=job_hours,
        checkpoint_minutes=checkpoint_minutes,
        write_minutes=write_minutes,
    )
    notes = found.notes
    if question.catalogue.sha256 != result.catalogue_sha256:
        notes = (*notes, "the catalogue has changed since the run; stated figures are those of now")
    return replace(found, instance_sha256=result.instance.sha256, notes=notes)


def _read_back(run: str | Path, overlay: str | Path | None) -> tuple[Result, Question]:
    """Read a stored result with a design, and its question with the overlay that it was solved with."""
    file = str(run)
    result = read_result(Path(run))
    _design_of(file, result)
    if overlay is None and result.overlay is not None:
        overlay = result.overlay.file
    question = load_text(f"{file}: instance", result.instance.text, overlay)
    stored_overlay = result.overlay.sha256 if result.overlay is not None else None
    if question.catalogue.overlay_sha256 != stored_overlay:
        allowed = "give the overlay that the run was solved with (--catalog)"
        raise InputError([Problem(str(overlay), "", "another overlay than the run's", allowed)])
    return result, question


def _design_of(file: str, result: Result) -> Design:
    if result.design is None:
        raise InputError([Problem(file, "design", "nothing", f"a run that ended {result.status!r} has no design")])
    return result.design


def _asked_by(result: Result, question: Question) -> Instance:
    """Return the question that a stored design answers: its demand may be that of the most tokens."""
    return question.instance if result.tokens is None else scaled(question.instance, result.tokens.multiplier)


def _account_differences(stored: Account | None, recounted: Account) -> list[str]:
    if stored is None:
        return ["account: the result states none"]
    found = []
    for name in stored.__dataclass_fields__:
        ours, theirs = getattr(recounted, name), getattr(stored, name)
        if isinstance(ours, (int, float)):
            if not math.isclose(ours, theirs, rel_tol=_ACCOUNT_TOLERANCE, abs_tol=1e-6):
                found.append(f"account.{name}: stated {theirs!r}, recounted {ours!r}")
        elif not _same_items(ours, theirs):
            found.append(f"account.{name}: the items differ from the recounted ones")
    return found


_Line = CostLine | RiskLine | PoolUptime


def _same_items(ours: Sequence[_Line], theirs: Sequence[_Line]) -> bool:
    return len(ours) == len(theirs) and all(
        value == vars(b)[name]
        if isinstance(value, str)
        else math.isclose(value, vars(b)[name], rel_tol=_ACCOUNT_TOLERANCE, abs_tol=1e-6)
        for a, b in zip(ours, theirs, strict=True)
        for name, value in vars(a).items()
    )


def _check_options(options: SolveOptions) -> None:
    problems = []

    def wrong(key: str, read: object, allowed: str) -> None:
        problems.append(Problem("options", key, repr(read), f"allowed: {allowed}"))

    if not (math.isfinite(options.gap) and 0 <= options.gap <= 1):
        wrong("gap", options.gap, "a number from 0 to 1")
    limit = options.time_limit_s
    if limit is not None and not (math.isfinite(limit) and limit > 0):
        wrong("time_limit", limit, "a positive number of seconds")
    if not (math.isfinite(options.explain_s) and options.explain_s >= 0):
        wrong("explain_time", options.explain_s, "a number of seconds, at least 0")
    mps = options.write_mps
    if mps is not None and mps.suffix != ".mps":
        wrong("write_mps", str(mps), "a file name that ends in .mps")
    elif mps is not None and not mps.parent.is_dir():
        wrong("write_mps", str(mps), "a file in a folder that exists")
    if problems:
        raise InputError(problems)


@dataclass
class Clock:
    """Wall and CPU seconds of the phases that lie outside the solver."""

    phases: list[Phase] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the body of a ``with`` statement as one phase."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.phases.append(Phase(name, time.perf_counter() - wall, time.process_time() - cpu))
