"""Names in an instance that the catalogue lacks.

They are looked up in the tables as read, so that another mistake beside a name does not hide it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from designer.problems import Problem
from designer.reading import nearest

_KINDS = {
    "choose.accelerators": "accelerators",
    "choose.beyond_announced": "accelerators",
    "choose.rearranged": "accelerators",
    "choose.scale_up_switches": "scale_up_switches",
    "choose.scale_out_switches": "scale_out_switches",
    "choose.links": "links",
    "choose.nics": "nics",
    "pin.accelerator": "accelerators",
    "pin.scale_up_switch": "scale_up_switches",
    "pin.leaf_switch": "scale_out_switches",
    "pin.spine_switch": "scale_out_switches",
    "pin.core_switch": "scale_out_switches",
    "pin.top_switch": "scale_out_switches",
    "pin.nic": "nics",
}
LINK_PINS = (
    "scale_up_links",
    "nic_leaf_links",
    "leaf_spine_links",
    "spine_core_links",
    "core_top_links",
    "leaf_leaf_links",
    "group_group_links",
)
_STOCKED = ("accelerators", "nics", "scale_up_switches", "scale_out_switches", "links")


def linked(pin: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and id of every link row that a pin names.

    Examples
    --------
    >>> list(linked({"nic_leaf_links": "dac_400/aoc_400"}))
    [('pin.nic_leaf_links', 'dac_400'), ('pin.nic_leaf_links', 'aoc_400')]
    """
    for name in LINK_PINS:
        text = pin.get(name)
        for row in text.split("/") if isinstance(text, str) else ():
            if row:
                yield f"pin.{name}", row


def unknown_names(file: str, tables: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> list[Problem]:
    """Find the names that the catalogue lacks, with the nearest that it has.

    Parameters
    ----------
    file, tables
        The instance, as read; what has another type than a name is passed over.
    known
        Names by kind: ``llms``, ``accelerators``, ``scale_up_switches``, ``scale_out_switches``, ``links``, ``nics``,
        ``vendors`` of accelerators.

    Examples
    --------
    >>> known = {"accelerators": ["gb200", "h100"]}
    >>> for problem in unknown_names("a.toml", {"pin": {"accelerator": "h10"}}, known):
    ...     print(problem)
    a.toml: pin.accelerator: read 'h10'; did you mean h100? allowed here: gb200, h100
    """
    found = []
    stocked = [name for kind in _STOCKED for name in known.get(kind, ())]
    for name in _table(tables, "stock"):
        if name not in stocked:
            allowed = f"a part that is bought: {nearest(name, stocked)}"
            found.append(Problem(file, f"stock.{name[:60]}", repr(name[:60]), allowed))
    for key, kind, name in _named(tables):
        if name in known.get(kind, ()):
            continue
        elsewhere = [other for other in known if other != kind and name in known[other]]
        hint = f"that is one of the {elsewhere[0].replace('_', ' ')}; " if elsewhere else ""
        found.append(Problem(file, key, repr(name[:60]), hint + nearest(name, known.get(kind, ()))))
    return found


def _named(tables: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Key, kind and name of every part that an instance names."""
    works = tables.get("workloads")
    for index, work in enumerate(works if isinstance(works, (tuple, list)) else ()):
        name = work.get("llm") if isinstance(work, dict) else None
        if isinstance(name, str):
            yield f"workloads[{index}].llm", "llms", name
    for owners in ("workloads", "fleets"):
        rows = tables.get(owners)
        for index, row in enumerate(rows if isinstance(rows, (tuple, list)) else ()):
            names = row.get("vendors") if isinstance(row, dict) else None
            for at, name in enumerate(names if isinstance(names, (tuple, list)) else ()):
                if isinstance(name, str):
                    yield f"{owners}[{index}].vendors[{at}]", "vendors", name
    for key, kind in _KINDS.items():
        table, field = key.split(".")
        value = _table(tables, table).get(field)
        if isinstance(value, str):
            yield key, kind, value
        elif isinstance(value, (tuple, list)):
            yield from ((f"{key}[{index}]", kind, name) for index, name in enumerate(value) if isinstance(name, str))
    for key, row in linked(_table(tables, "pin")):
        yield key, "links", row
    shares = _table(tables, "choose").get("max_vendor_share")
    for name in shares if isinstance(shares, dict) else ():
        yield f"choose.max_vendor_share.{name}", "vendors", name


def _table(tables: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name)
    return table if isinstance(table, dict) else {}
