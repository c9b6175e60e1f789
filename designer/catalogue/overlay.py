"""A user's own figures laid over the catalogue: one TOML file with the same tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from designer.catalogue.figures import UNKNOWN, USER_BASIS, USER_SOURCE
from designer.problems import Problem
from designer.reading import described

ROW_TABLES = ("accelerators", "switches", "links", "nics", "llms", "racks")

# Lists of rows that have another key than id.
_KEYED_LISTS = {
    ("compatibility", "scale_up"): "accelerator_protocol",
    ("compatibility", "scale_out"): "switch_protocol",
    ("reliability_evidence",): "id",
    ("failure_tests",): "id",
    ("opposing_or_contextual_claims",): "claim",
}


def rows_by_id(file: str, tables: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Turn every list of rows into a table by id, and report rows without id and ids that occur twice.

    Examples
    --------
    >>> rows_by_id("a.toml", {"nics": [{"id": "nic_9", "rate_gbps": 9}]})
    ({'nics': {'nic_9': {'id': 'nic_9', 'rate_gbps': 9}}}, [])
    """
    result = dict(tables)
    problems: list[Problem] = []
    for name in ROW_TABLES:
        if name not in tables:
            continue
        rows = tables[name]
        found: dict[str, Any] = {}
        if not isinstance(rows, list):
            problems.append(Problem(file, name, described(rows), f"allowed: rows written as [[{name}]]"))
            rows = []
        for place, row in enumerate(rows):
            key = f"{name}[{place}]"
            if not isinstance(row, dict):
                problems.append(Problem(file, key, described(row), f"allowed: a row written as [[{name}]]"))
            elif not isinstance(row.get("id"), str):
                read = described(row["id"]) if "id" in row else "nothing"
                problems.append(Problem(file, f"{key}.id", read, "allowed: the id of the row, a text"))
            elif row["id"] in found:
                problems.append(Problem(file, f"{key}.id", described(row["id"]), "each id may occur once"))
            else:
                found[row["id"]] = row
        result[name] = found
    return result, problems


def laid_over(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Lay an overlay (rows by id) over the tables of the catalogue; neither argument is changed.

    Keys given in the overlay replace or refine those of the base. A figure that is touched counts as the
    user's: its basis becomes "user" unless the overlay states another.

    Examples
    --------
    >>> base = {"nics": {"n": {"price_usd": {"low": 1, "mid": 2, "basis": "paper", "source": "x"}}}}
    >>> laid_over(base, {"nics": {"n": {"price_usd": {"low": 1.5}}}})["nics"]["n"]["price_usd"]
    {'low': 1.5, 'mid': 2, 'basis': 'user', 'source': 'overlay'}
    """
    return _merged(base, overlay, ())


def _merged(base: Mapping[str, Any], over: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    result = dict(base)
    if "basis" in base and "source" in base:
        # The note explains the replaced value, so it goes with it.
        result = {**base, "basis": USER_BASIS, "source": USER_SOURCE}
        result.pop("note", None)
        if over.get("mid") == UNKNOWN:
            result.pop("low", None)
            result.pop("high", None)
    for name, value in over.items():
        here = (*path, name)
        old = result.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            result[name] = _merged(old, value, here)
        elif isinstance(old, list) and isinstance(value, list) and here in _KEYED_LISTS:
            result[name] = _rows_replaced(old, value, _KEYED_LISTS[here])
        else:
            result[name] = value
    return result


def _rows_replaced(old: list[Any], new: list[Any], key: str) -> list[Any]:
    """Replace the rows whose key occurs in ``new`` where they stand, and append the others."""
    by_key = {row[key]: row for row in new if isinstance(row, dict) and isinstance(row.get(key), str)}
    kept = [by_key.pop(row[key], row) for row in old]
    # Rows without a usable key stay in the result, so that validation reports them.
    odd = [row for row in new if not (isinstance(row, dict) and isinstance(row.get(key), str))]
    return kept + list(by_key.values()) + odd
