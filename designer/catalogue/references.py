"""Names in the catalogue that must exist elsewhere in it: ids, protocols, sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from designer.catalogue.figures import USER_BASIS
from designer.problems import Problem
from designer.reading import described, nearest


def unknown_names(file: str, tables: Mapping[str, Any]) -> list[Problem]:
    """Report every id or protocol that is used but has no row.

    Works on the plain tables (rows by id), so that it also runs where other values are still wrong.

    Examples
    --------
    >>> rows = {"accelerators": {"x": {"rack": "kybr"}}, "racks": {"kyber": {}}}
    >>> print(unknown_names("a.toml", rows)[0])
    a.toml: accelerators.x.rack: read 'kybr'; did you mean kyber? allowed here: kyber
    """
    problems: list[Problem] = []
    for key, name, known in _uses(tables):
        if isinstance(name, str) and name not in known:
            problems.append(Problem(file, key, described(name), nearest(name, known)))
    return problems


def _uses(tables: Mapping[str, Any]) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    switches, links = _table(tables, "switches"), _table(tables, "links")
    nics, racks = _table(tables, "nics"), _table(tables, "racks")
    compatibility = _table(tables, "compatibility")
    spoken = _by_text(_rows(compatibility, "scale_up"), "accelerator_protocol")
    families = _by_text(_rows(compatibility, "scale_out"), "switch_protocol")
    for name, row in _row_items(tables, "accelerators"):
        key = f"accelerators.{name}"
        yield f"{key}.rack", row.get("rack"), racks
        yield f"{key}.scale_up.protocol", _table(row, "scale_up").get("protocol"), spoken
        domain = _table(row, "vendor_domain")
        yield f"{key}.vendor_domain.switch", domain.get("switch"), switches
        yield f"{key}.vendor_domain.link", domain.get("link"), links
        for place, option in enumerate(_rows(row, "nic_options")):
            yield f"{key}.nic_options[{place}].nic", option.get("nic"), nics
    for name, row in _row_items(tables, "switches"):
        yield f"switches.{name}.cpo_link", row.get("cpo_link"), links
        if row.get("role") == "scale_out":
            yield f"switches.{name}.protocol", row.get("protocol"), families
    for place, row in enumerate(_rows(compatibility, "scale_up")):
        listed = row.get("switches")
        for at, name in enumerate(listed if isinstance(listed, list) else ()):
            yield f"compatibility.scale_up[{place}].switches[{at}]", name, switches
    for place, row in enumerate(_rows(tables, "failure_tests")):
        for figure in _table(row, "figures"):
            kind, _, name = figure.partition(".")
            yield f"failure_tests[{place}].figures.{figure}", name.rpartition(".")[0], _table(tables, kind)


def wrong_families(file: str, tables: Mapping[str, Any]) -> list[Problem]:
    """Report scale-out switches whose family is not that of their protocol: they would mix two fabrics.

    Examples
    --------
    >>> match = {"switch_protocol": "InfiniBand NDR", "family": "InfiniBand"}
    >>> row = {"role": "scale_out", "protocol": "InfiniBand NDR", "family": "Ethernet"}
    >>> tables = {"compatibility": {"scale_out": [match]}, "switches": {"x": row}}
    >>> print(wrong_families("a.toml", tables)[0])
    a.toml: switches.x.family: read 'Ethernet'; allowed: InfiniBand
    """
    families = _by_text(_rows(_table(tables, "compatibility"), "scale_out"), "switch_protocol")
    problems = []
    for name, row in _row_items(tables, "switches"):
        protocol = row.get("protocol")
        match = families.get(protocol) if isinstance(protocol, str) else None
        if row.get("role") == "scale_out" and match and row.get("family") != match.get("family"):
            read, allowed = described(row.get("family")), match.get("family")
            problems.append(Problem(file, f"switches.{name}.family", read, f"allowed: {allowed}"))
    return problems


def _by_text(rows: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in rows if isinstance(row.get(key), str)}


def _table(tables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = tables.get(name)
    return found if isinstance(found, dict) else {}


def _rows(tables: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = tables.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _row_items(tables: Mapping[str, Any], name: str) -> list[tuple[str, dict[str, Any]]]:
    return [(key, row) for key, row in _table(tables, name).items() if isinstance(row, dict)]


def uncited(file_of: Mapping[str, str], tables: Mapping[str, Any]) -> list[Problem]:
    """Report figures of the shipped files whose source has no entry, or that have no origin at all.

    Examples
    --------
    >>> tables = {"sources": {}, "nics": {"n": {"price_usd": {"mid": 1, "basis": "paper", "source": "x"}}}}
    >>> [problem.key for problem in uncited({"nics": "nics.toml"}, tables)]
    ['nics.n.price_usd.source']
    """
    problems: list[Problem] = []
    known = _table(tables, "sources")
    for top, table in tables.items():
        for key, found in _origins(top, table):
            file = file_of.get(top, top)
            source, basis = found.get("source"), found.get("basis")
            if not isinstance(source, str) or not isinstance(basis, str) or basis == USER_BASIS:
                read = "a figure without origin"
                problems.append(Problem(file, key, read, "allowed: a basis and the key of a source"))
                continue
            for part in source.split("+"):
                if part not in known:
                    problems.append(Problem(file, f"{key}.source", described(part), nearest(part, known)))
    return problems


def _origins(key: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        if "basis" in value or "mid" in value:
            yield key, value
        for name, inner in value.items():
            if isinstance(inner, dict | list):
                yield from _origins(f"{key}.{name}", inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _origins(f"{key}[{place}]", inner)
