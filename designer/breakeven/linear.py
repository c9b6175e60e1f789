"""Whether the cost of a fixed design is a straight line in a figure, by ``docs/rules.md``.

Where it is, and the set of allowed designs does not depend on the figure, the least cost is a minimum of straight
lines: concave, so that two optima and the crossing of their lines say everything about the range between them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from designer.answer import Question
from designer.breakeven.key import Variable

_PRICES = (
    r"price_usd(_per_end|_per_cable|_each|_fixed_per_mpo12|_per_m_per_mpo12)?|host_price_usd|install_usd_per_link|"
    r"os2_mpo12_\w+|facility_capex_usd_per_w|front_end_usd_per_accelerator"
)
_RATES = (
    r"afr_hard(_per_end)?|transient_per_link_year|outage_per_year|oe_box_swap_per_year|els_fit_per_module|"
    r"job_interrupt_per_year|event_per_link_year|p_transient_kills_job"
)
_TIMES = r"\w*mttr_h|backplane_swap_labour_h|job_restart_cost_h"
_MONEY = (
    r"electricity_usd_per_kwh|pue(_liquid)?|utilisation(_of_tdp)?|labour_usd_per_h|\w+_swap_event_usd|"
    r"lost_hour_usd_per_usd_of_accelerator|(replacement|box_swap)_part_share|usd_per_\w+"
)
_WATTS = r"power_w(_per_end)?|tdp_w|host_overhead_w_per_accel|front_end_w_per_accelerator"
_RISK_LIMITS = (
    "max_hard_repairs_per_year",
    "max_job_hits_per_year",
    "max_accelerator_hours_lost_per_year",
    "min_availability",
)


@dataclass(frozen=True)
class Entry:
    """How a figure enters the cost: in a straight line or not, and why in words."""

    straight: bool
    reason: str


def entry_of(question: Question, variable: Variable) -> Entry:
    """Say how a figure enters the cost of a fixed design, and whether it moves what is allowed."""
    instance, name = question.instance, str(variable.path[-1])
    if instance.objective.maximise_tokens or instance.objective.minimise != ("cost",):
        return Entry(False, "the instance has other goals than cost alone")
    if re.fullmatch(_PRICES, name):
        limit = "money.capex_usd" if instance.money.capex_usd is not None else None
        word = "a price enters every design's cost in a straight line"
    elif re.fullmatch(_RATES, name):
        limit = next((f"risk.{key}" for key in _RISK_LIMITS if getattr(instance.risk, key) is not None), None)
        word = "a failure rate enters every design's cost in a straight line"
    elif re.fullmatch(_TIMES, name):
        limit = next((f"risk.{key}" for key in _RISK_LIMITS[2:] if getattr(instance.risk, key) is not None), None)
        word = "a repair time enters every design's cost in a straight line"
    elif re.fullmatch(_MONEY, name):
        limit, word = None, "the figure enters every design's cost in a straight line"
    elif re.fullmatch(_WATTS, name):
        return _watts(question, variable)
    else:
        return Entry(False, "the figure is no price, watts, rate or repair time: cost may bend or jump in it")
    if limit is not None:
        return Entry(False, f"{limit} is set: the figure moves which designs are allowed")
    return Entry(True, word)


def _watts(question: Question, variable: Variable) -> Entry:
    site = question.instance.site
    limits = [f"site.{key}" for key in ("it_power_mw", "racks") if getattr(site, key) is not None]
    if limits:
        return Entry(False, f"{limits[0]} is set: the figure moves which designs are allowed")
    table, name = variable.path[0], str(variable.path[1])
    outside = table == "switches" and question.catalogue.switches[name].role == "scale_out"
    if outside or table == "site":
        return Entry(True, "watts outside the accelerators' racks enter every design's cost in a straight line")
    if table == "links" and not _may_be_scale_up(question, name):
        return Entry(True, "watts outside the accelerators' racks enter every design's cost in a straight line")
    return Entry(False, "watts in a rack decide how many accelerators it holds: counts and lengths jump")


def _may_be_scale_up(question: Question, link: str) -> bool:
    """Whether a link row may join accelerators, as far as pins and its own kind say."""
    pinned = question.instance.pin.scale_up_links
    return link in pinned.split("/") if pinned is not None else True
