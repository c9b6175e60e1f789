"""The words and amounts of the screen."""

from __future__ import annotations

BOUNDARY_WORDS = {
    "scale_up": "scale-up",
    "scale_up_upper": "scale-up, second stage",
    "nic_leaf": "NIC-leaf",
    "leaf_spine": "leaf-spine",
    "spine_core": "spine-core",
    "core_top": "core-top",
    "leaf_leaf": "leaf-leaf",
    "group_group": "group-group",
}
TECH_WORDS = {
    "acc": "active copper",
    "aec": "retimed copper",
    "aoc": "active optical",
    "copper_backplane": "copper cartridge",
    "cpo": "co-packaged optics",
    "dac": "passive copper",
    "dr_dsp": "DSP optics",
    "fr_dsp": "FR optics, DSP",
    "lpo": "linear optics",
    "lro": "half-retimed optics",
    "npo": "near-packaged optics",
    "pcb_baseboard": "board traces",
    "pcb_midplane": "board midplane",
    "sr": "multimode optics",
}
GOAL_WORDS = {
    "cost": "cost",
    "capex": "IT capital",
    "power": "IT power",
    "hard_repairs": "hard repairs",
    "job_hits": "job hits",
    "accelerator_hours_lost": "accelerator-hours lost",
}
ITEM_WORDS = {
    "accelerators": "accelerators",
    "front_end": "front end",
    "nics": "NICs",
    "scale_up_switches": "scale-up switches",
    "scale_up_links": "scale-up links",
    "nic_leaf_links": "NIC-leaf links",
    "scale_out_switches": "scale-out switches",
    "scale_out_links": "links above the leaves",
}


def goal_text(goal: str, value: float) -> str:
    """Write the value of a goal with its unit.

    Examples
    --------
    >>> goal_text("power", 2_345_678.0), goal_text("cost", 1e6), goal_text("job_hits", 12.0)
    ('2.34568 MW', '$1.00M a year', '12 a year')
    """
    if goal == "cost":
        return f"{usd(value)} a year"
    if goal == "capex":
        return usd(value)
    return f"{value / 1e6:,.6g} MW" if goal == "power" else f"{value:,.6g} a year"


def many(count: int, noun: str, nouns: str | None = None) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> many(1, "leaf", "leaves"), many(2, "leaf", "leaves"), many(1200, "pod")
    ('1 leaf', '2 leaves', '1,200 pods')
    """
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def usd(value: float) -> str:
    """Write an amount of US dollars with three or four digits that matter.

    Examples
    --------
    >>> usd(612_345_678), usd(43_210), usd(12.3), usd(0), usd(2.5e9), usd(-1500)
    ('$612.3M', '$43.2k', '$12.3', '$0', '$2.50B', '-$1.50k')
    """
    if value < 0:
        return "-" + usd(-value)
    for scale, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= scale * 0.99995:
            scaled = value / scale
            return f"${scaled:,.{2 if scaled < 10 else 1}f}{letter}"
    return f"${value:.3g}"
