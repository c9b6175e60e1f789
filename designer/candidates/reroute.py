"""Events of boxes and links that traffic is led around: two switch stages up (``docs/rules.md`` section 9).

Such an event kills a job only with the probability of a transient and otherwise takes away bandwidth. The second stage
of a scale-up domain and everything above the leaves are charged by these.
"""

from __future__ import annotations

from designer.candidates.cables import LinkPair, ceil_div
from designer.candidates.parts import Economy, SwitchPart


def box_events(switch: SwitchPart) -> float:
    """Events a year of one box: outages, swaps of the box for its engines, lasers."""
    return switch.outage + switch.box_swaps + switch.lasers * switch.laser_rate


def box_hours(switch: SwitchPart, mttr_h: float) -> float:
    """Hours a year that one box's bandwidth is missing; one of its lasers is its share of the box."""
    hours = switch.afr_hard * mttr_h + switch.box_swaps * switch.box_mttr_h
    return hours + switch.laser_rate * switch.laser_mttr_h


def link_events(pair: LinkPair, rate_gbps: int, per_pair: int, economy: Economy) -> float:
    """Hard, dirty and transient events a year per link, in shares of row-rate ends.

    ``per_pair`` links join the same two boxes and share their cables.
    """
    if not pair.module:
        row = pair.lower
        return ceil_div(per_pair * rate_gbps, row.rate_gbps) / per_pair * (2 * row.afr_end + row.transient)
    total = 0.0
    for row in (pair.lower, pair.upper):
        afr = 0.0 if row.cpo else row.afr_end
        total += rate_gbps / row.rate_gbps * (afr + row.transient / 2 + economy.contamination_per_link / 2)
    return total


def link_hours(pair: LinkPair, economy: Economy) -> float:
    """Hours a year that one accelerator loses to all links of a boundary together."""
    if not pair.module:
        return 2 * pair.lower.afr_end * pair.lower.mttr_h
    hours = sum(row.afr_end * row.mttr_h for row in (pair.lower, pair.upper) if not row.cpo)
    return hours + economy.contamination_per_link * economy.connector_mttr_h
