"""Question, answer and checks -> one `Result`."""

from __future__ import annotations

from designer.answer import Answer, Question, SolveOptions, scaled
from designer.design.types import Design
from designer.fabric import FlowReport
from designer.report.figures import boundaries_of, counts, key_figures, margins
from designer.report.result import (
    SCHEMA_VERSION,
    FileSource,
    InstanceSource,
    LinkRow,
    Proof,
    Recount,
    Result,
)


def make_result(
    question: Question,
    options: SolveOptions,
    answer: Answer,
    recount: Recount | None,
    flow: FlowReport | None,
) -> Result:
    """Put an answer and what the checks say of it into the form that is stored and shown."""
    design, account = answer.design, answer.account
    # What the design serves: the demand asked for, or the most that the limits allow.
    instance = scaled(question.instance, answer.tokens.multiplier) if answer.tokens else question.instance
    known = design is not None and account is not None
    return Result(
        schema_version=SCHEMA_VERSION,
        status=answer.status,
        instance=InstanceSource(
            name=instance.name,
            title=instance.title,
            file=question.instance_file,
            sha256=question.instance_sha256,
            text=question.instance_text,
        ),
        catalogue_sha256=question.catalogue.sha256,
        overlay=_source(question.overlay_file, question.catalogue.overlay_sha256),
        measured_points=_source(
            None if question.measured_points is None else str(question.measured_points), question.measured_sha256
        ),
        seed=options.seed,
        options=_plain(answer.options),
        versions=answer.versions,
        proof=_proof(answer) if known else None,
        goals=answer.goals,
        tokens=answer.tokens,
        key_figures=key_figures(design, account, instance) if design and account else None,
        counts=counts(design, account.racks) if design and account else None,
        links=_links(question, design) if design else {},
        margins=margins(design, account, instance) if design and account else (),
        design=design,
        account=account,
        recount=recount,
        flow=flow,
        what_ifs=answer.what_ifs,
        assumptions=answer.assumptions,
        not_offered=answer.not_offered,
        clash=answer.clash,
        model=answer.model,
        phases=answer.phases,
        trace=answer.trace,
    )


def _proof(answer: Answer) -> Proof | None:
    if answer.objective_usd is None or answer.account is None:
        return None
    missing = None if answer.bound_usd is None else answer.objective_usd - answer.bound_usd
    fabric = answer.account.fabric_usd
    return Proof(
        objective_usd=answer.objective_usd,
        bound_usd=answer.bound_usd,
        gap=answer.gap,
        gap_usd=missing,
        gap_share_of_fabric=None if missing is None or fabric <= 0 else max(missing, 0.0) / fabric,
    )


def _links(question: Question, design: Design) -> dict[str, LinkRow]:
    used = {name for _, boundary in boundaries_of(design) for name in (boundary.lower_link, boundary.upper_link)}
    rows = {name: question.catalogue.links[name] for name in sorted(used)}
    return {
        name: LinkRow(tech=row.tech, construction=row.construction, rate_gbps=row.rate_gbps)
        for name, row in rows.items()
    }


def _source(file: str | None, sha256: str | None) -> FileSource | None:
    return None if file is None or sha256 is None else FileSource(file=file, sha256=sha256)


def _plain(options: dict[str, object]) -> dict[str, object]:
    """Options as JSON knows them; a path becomes its text."""
    return {
        name: value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
        for name, value in options.items()
    }
