"""One screen a person can act on: what to buy, what it costs and risks, what binds, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from designer.design.account import Account
from designer.design.types import Design, PoolDesign
from designer.fabric import FlowReport
from designer.report.figures import TAKES_ALL, KeyFigures, Margin, line_usd
from designer.report.networks import MAX_POOLS, scale_out, scale_up
from designer.report.page import WIDTH, Page
from designer.report.result import Result
from designer.report.words import GOAL_WORDS, ITEM_WORDS, goal_text, many, usd

__all__ = ["WIDTH", "Page", "flow_words", "screen", "usd"]

_MAX_SHARES = 3
_MAX_NAMES = 3
_CENT = 0.01
_ROUNDING = 1e-12


def screen(result: Result, folder: str | None = None) -> str:
    """Write the screen of one result as plain text of at most 100 columns.

    Parameters
    ----------
    result
        The solved question.
    folder
        Where the run was stored, to be named in the last line.
    """
    page = Page()
    page.wide(f"{result.instance.name}: {result.instance.title}")
    _status(page, result)
    _goals(page, result)
    if result.design is not None:
        _fleet(page, result, result.design)
        scale_up(page, result, result.design)
        scale_out(page, result, result.design)
        _money(page, result)
        _risk(page, result)
        _binds(page, result)
        _checked(page, result)
    _caveats(page, result)
    if folder is not None:
        page.row("STORED", folder)
    return "\n".join(page.lines) + "\n"


def _status(page: Page, result: Result) -> None:
    proof = result.proof
    if proof is None:
        words = {
            "infeasible": "NO DESIGN: these exclude each other",
            "limit": "NO ANSWER: the time limit came before any design was known",
            "interrupted": "NO ANSWER: interrupted before any design was known",
        }
        page.row("STATUS", words.get(result.status, result.status))
        if result.status == "infeasible":
            for line in result.clash or ("(no clash named)",):
                # Lines that start with blanks explain the one above.
                page.row("    -" if line.startswith(" ") else "  *", line.strip())
        return
    heads = {
        "optimal": "optimal",
        "limit": "time limit reached, best design known",
        "interrupted": "INTERRUPTED, best design known",
    }
    text = f"{heads.get(result.status, result.status)}: {usd(proof.objective_usd)} a year"
    ranks = [row.goal for row in result.goals]
    if ranks and ranks != ["cost"]:
        text = (
            f"{heads.get(result.status, result.status)}, least {', then '.join(GOAL_WORDS[goal] for goal in ranks)}: "
        )
        text += f"{usd(proof.objective_usd)} a year"
    figures = result.key_figures
    if figures is not None and abs(proof.objective_usd - figures.annual_usd) > 0.5:
        text += f" with the risk weights ({usd(figures.annual_usd)} without)"
    # With other goals every one has a row of its own.
    alone = ranks in ([], ["cost"])
    if not alone:
        text += "; each as the rows below say"
    elif proof.bound_usd is None or proof.gap is None or proof.gap_usd is None:
        text += "; no bound is proven yet"
    elif proof.gap_usd < _CENT:
        text += "; proven: no design of the model is cheaper (gap 0)"
    else:
        share = proof.gap_share_of_fabric or 0.0
        text += f"; proven: none below {usd(proof.bound_usd)}; gap {proof.gap:.2g} = {usd(proof.gap_usd)} a year"
        text += f" = {share:.2%} of the fabric's cost"
    if result.model is not None:
        size = result.model
        seen = f"{many(size.options_enumerated, 'pool option')} and {many(size.templates_enumerated, 'fabric')}"
        text += f"; {seen} considered"
    page.row("ANSWER", text)


def _goals(page: Page, result: Result) -> None:
    """The most tokens, and every goal where cost is not the only one."""
    tokens = result.tokens
    if tokens is not None:
        rates = [f"{name} {rate:,.0f} output tokens/s" for name, rate in tokens.tokens_per_s.items()]
        served = "; ".join(rates + [f"{name} {count:,} accelerators" for name, count in tokens.accelerators.items()])
        text = f"{tokens.multiplier:.6g} times the demand: {served}; "
        text += "no bound is proven yet" if tokens.bound is None else f"proven: {tokens.bound:.7g} times is too much"
        label = "MOST TOKENS" if tokens.tokens_per_s else "MOST ACCEL."
        page.row(label, f"{text} ({many(tokens.solves, 'demand')} tried)")
    if [row.goal for row in result.goals] == ["cost"]:
        return
    for rank, row in enumerate(result.goals, 1):
        text = f"{GOAL_WORDS[row.goal]}: {goal_text(row.goal, row.value)}"
        if row.bound is None:
            text += "; no bound is proven"
        elif row.gap is not None and row.gap <= _ROUNDING:
            text += "; proven least (gap 0)"
        else:
            text += f"; proven: none below {goal_text(row.goal, row.bound)}, gap {row.gap:.2g}"
        page.row(f"GOAL {rank}", text)


def _fleet(page: Page, result: Result, design: Design) -> None:
    pools = design.pools
    total = sum(pool.accelerators for pool in pools)
    parts = [
        f"{pool.accelerators:,} x {pool.accelerator} = {many(pool.domains, 'domain')} of {pool.domain_size}"
        + (f", {pool.spare_domains:,} of them spare" if pool.spare_domains else "")
        for pool in pools
    ]
    page.row("FLEET", f"{total:,} accelerators: " + "; ".join(parts[:MAX_POOLS]))
    limits = {margin.what: margin for margin in result.margins}
    for pool in pools[:MAX_POOLS]:
        page.row(f"  {pool.name}", _plan(pool, limits))
    if len(pools) > MAX_POOLS:
        page.row("", f"... and {len(pools) - MAX_POOLS} more pools (result.json)")


def _plan(pool: PoolDesign, limits: dict[str, Margin]) -> str:
    plan = pool.plan
    if plan.phase == "fleet":
        return _part(pool) + _fleet_of(pool, limits)
    unit = "prompt tokens a pass" if plan.phase == "prefill" else "sequences"
    words = [
        f"{_part(pool)}{plan.phase} of {plan.llm}: {many(pool.replicas, 'replica')} of "
        f"{plan.accelerators_per_replica} = TP {plan.tp} x attention DP {plan.dp} x PP {plan.pp}, EP {plan.ep}",
        f"{plan.batch:,} {unit} per rank" + (", two batches overlapped" if plan.two_batch_overlap else ""),
        f"{plan.tokens_per_s_per_accelerator:,.0f} tokens/s per accelerator" + (" (measured)" if plan.measured else ""),
    ]
    if plan.tpot_s is not None:
        limit = limits.get(f"{pool.name}: TPOT")
        words.append(f"TPOT {1e3 * plan.tpot_s:.1f} ms" + (f" (limit {limit.limit:g})" if limit else ""))
    if plan.ttft_estimate_s is not None:
        words.append(f"TTFT {1e3 * plan.ttft_estimate_s:,.0f} ms (unvalidated estimate)")
    return "; ".join(words)


def _part(pool: PoolDesign) -> str:
    """Say which part of a mixed pool this is."""
    served, whole = pool.share
    return "" if pool.share == (1, 1) else f"{served}/{whole} of {pool.pool}, "


def _fleet_of(pool: PoolDesign, limits: dict[str, Margin]) -> str:
    """Say what a fleet asks for and what it gets: accelerators, not tokens."""
    plan, asked = pool.plan, limits[f"{pool.name}: accelerators asked"]
    words = [
        f"fleet: {asked.used:,.0f} accelerators asked, {pool.accelerators:,} bought",
        f"{many(pool.replicas, 'job')} of {many(plan.accelerators_per_replica, 'accelerator')}",
    ]
    for what, asked_gbps in (
        ("any to any outside", plan.scale_out_other_need_gbps),
        ("in the domain", plan.scale_up_need_gbps),
    ):
        if asked_gbps:
            words.append(f"{asked_gbps:,.4g} Gb/s each asked {what}")
    return "; ".join(words)


def _money(page: Page, result: Result) -> None:
    figures, account = result.key_figures, result.account
    if figures is None or account is None:
        return
    page.row(
        "COST A YEAR",
        f"{usd(figures.annual_usd)} = IT capital {usd(figures.capital_usd_per_year)} + building "
        f"{usd(figures.facility_usd_per_year)} + energy {usd(figures.energy_usd_per_year)} + failures "
        f"{usd(figures.failures_usd_per_year)}; {usd(figures.usd_per_accelerator_year)} per accelerator; "
        f"{_per_tokens(figures)}{usd(account.horizon_usd)} in {account.it_years} years; "
        f"IT to buy {usd(account.capex_usd)}",
    )
    totals = {line.item: line_usd(line) for line in account.lines}
    split = ", ".join(
        f"{ITEM_WORDS[item]} {usd(value)}" for item, value in totals.items() if value and item != "accelerators"
    )
    page.row(
        "  networks",
        f"scale-out with NICs {usd(figures.scale_out_usd_per_year)} = {figures.scale_out_share:.1%} of the cost, "
        f"scale-up {usd(figures.scale_up_usd_per_year)} = {figures.scale_up_share:.1%}: {split}",
    )
    watts = sorted(((line.watts, line.item) for line in account.lines if line.watts), reverse=True)
    shares = ", ".join(f"{ITEM_WORDS[item]} {watt / account.it_watts:.1%}" for watt, item in watts[:_MAX_SHARES])
    page.row("POWER, SPACE", f"{account.it_watts / 1e6:,.4g} MW of IT ({shares}); {account.racks:,} racks")


def _per_tokens(figures: KeyFigures) -> str:
    """The cost of tokens, nothing where a fleet shares it."""
    if figures.usd_per_million_tokens is None:
        return ""
    return f"${figures.usd_per_million_tokens:.4g} per million {figures.tokens} tokens; "


def _risk(page: Page, result: Result) -> None:
    account = result.account
    if account is None:
        return
    worst = sorted(account.risks, key=lambda line: -line.accelerator_hours_lost_per_year)[:_MAX_SHARES]
    hours = account.accelerator_hours_lost_per_year
    by = ", ".join(
        f"{ITEM_WORDS[line.item]} {line.accelerator_hours_lost_per_year / (hours or 1):.1%}" for line in worst
    )
    page.row(
        "RISK A YEAR",
        f"{account.hard_repairs_per_year:,.0f} hard repairs; {account.job_hits_per_year:,.0f} job hits; "
        f"{hours:,.0f} accelerator-hours lost ({by}); {account.cleanings_per_year:,.0f} connector cleanings",
    )
    if result.design is not None:
        _uptime(page, account, result.design.pools)


def _uptime(page: Page, account: Account, pools: Sequence[PoolDesign]) -> None:
    """How long the domains that are up serve the whole peak of each pool."""
    by = [
        f"{up.pool} {_share(up.availability)}{'' if number else ' of the time'}"
        + (f" with {many(pool.spare_domains, 'spare domain')}" if pool.spare_domains else "")
        for number, (up, pool) in enumerate(zip(account.uptimes, pools, strict=False))
    ]
    if by:
        more = f"; ... and {len(by) - MAX_POOLS} more pools (result.json)" if len(by) > MAX_POOLS else ""
        page.row("UPTIME", f"domains for the whole peak: {'; '.join(by[:MAX_POOLS])}{more}")


def _share(value: float) -> str:
    """A share of the time with as many nines as it has.

    Examples
    --------
    >>> _share(0.5), _share(0.99954), _share(0.99999951), _share(1.0)
    ('50.0%', '99.95%', '99.99995%', '100%')
    """
    if value >= 1:
        return "100%"
    digits = max(1, math.ceil(-math.log10(1 - value)) - 2)
    return f"{100 * value:.{min(digits, 12)}f}%"


def _binds(page: Page, result: Result) -> None:
    rows = sorted(result.margins, key=lambda row: row.note == TAKES_ALL)
    named = [
        f"{row.what} {_number(row.used)} of {_number(row.limit)} {row.unit} ({row.share:.1%}"
        + (f", {row.note})" if row.note else ")")
        for row in rows[:_MAX_SHARES]
    ]
    page.row("TIGHTEST", "; ".join(named))


def _checked(page: Page, result: Result) -> None:
    if result.recount is not None:
        word = "agrees with every count, rule and cost"
        if not result.recount.ok:
            word = f"CONTRADICTS the design: {'; '.join(result.recount.findings[:2])}"
        page.row("RECOUNT", word)
    page.row("FLOW CHECK", "not run" if result.flow is None else flow_words(result.flow))


def flow_words(flow: FlowReport) -> str:
    """Say in one sentence what the flow check found."""
    if not flow.ok:
        return f"FAILS, {many(len(flow.violations), 'violation')}: " + "; ".join(
            str(row) for row in flow.violations[:2]
        )
    if flow.theta is None:
        return f"nothing leaves an accelerator ({flow.endpoints:,} endpoints)"
    tightest = next((row for row in flow.boundaries if row.binding), None)
    where = "" if tightest is None else f", tightest at {tightest.cut}"
    return (
        f"all-to-all fits {flow.theta:.3g} times with even striping{where}; "
        f"{many(len(flow.flows), 'max flow')} checked on {flow.endpoints:,} endpoints ({flow.engine} graph)"
        + (f"; {many(len(flow.lp), 'linear program')} agreed" if flow.lp else "")
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _caveats(page: Page, result: Result) -> None:
    if result.what_ifs:
        page.row("WHAT-IFS", _some(result.what_ifs, len(result.what_ifs)))
    if result.assumptions:
        page.row("ASSUMED", f"{many(len(result.assumptions), 'figure')}, e.g. {_some(result.assumptions, _MAX_NAMES)}")
    if result.not_offered:
        rows = [f"{row.part} ({row.reason})" for row in result.not_offered]
        page.row("NOT OFFERED", f"{many(len(rows), 'part')}, e.g. {_some(rows, _MAX_NAMES)}")


def _some(texts: Iterable[str], limit: int) -> str:
    rows = list(texts)
    return "; ".join(rows[:limit]) + (" ..." if len(rows) > limit else "")
