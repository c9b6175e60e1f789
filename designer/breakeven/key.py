"""The figure that is varied: found by its name, and set to a value in memory."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from designer.answer import Question
from designer.breakeven.result import Span
from designer.catalogue import Catalogue, Figure, catalogue_with
from designer.instance.contradictions import contradictions
from designer.instance.load import read_instance
from designer.problems import InputError, Problem
from designer.reading import described, nearest, parse_toml

FLAG = "--vary"
ROWS = ("accelerators", "switches", "links", "nics", "llms", "racks")
_ONE_OFFS = ("components", "facility", "blast_radius")
_PART = re.compile(r"([^.\[\]]+)((?:\[\d+\])*)")
# Where an instance is silent, the catalogue speaks: these figures.
_DEFAULTS = {
    "site.electricity_usd_per_kwh": "facility.cooling_and_power.electricity_usd_per_kwh",
    "site.pue": "facility.cooling_and_power.pue_liquid",
    "site.utilisation": "facility.cooling_and_power.utilisation_of_tdp",
    "site.facility_capex_usd_per_w": "facility.cooling_and_power.facility_capex_usd_per_w",
    "money.wacc": "facility.finance.wacc",
    "money.it_years": "facility.finance.depreciation_it_years",
    "money.building_years": "facility.finance.depreciation_building_years",
}
_OPENED = {table: instance for instance, table in _DEFAULTS.items()}


@dataclass(frozen=True)
class Fixed:
    """A figure that is set to a number and stays there; its place as that of a `Variable`."""

    path: tuple[str | int, ...]
    of_catalogue: bool
    number: float


@dataclass(frozen=True)
class Variable:
    """A figure with its place; ``whole`` where only whole numbers are taken, ``of_catalogue`` or of the instance.

    ``fixed`` are the other figures that are set, whatever value this one takes.
    """

    key: str
    path: tuple[str | int, ...]
    of_catalogue: bool
    whole: bool
    span: Span
    fixed: tuple[Fixed, ...] = ()

    def number(self, value: float) -> float | int:
        """The value as it is written into a file."""
        return round(value) if self.whole else value


def find_variable(question: Question, key: str, flag: str = FLAG) -> Variable:
    """Find a figure by its name, or say which names are near.

    Parameters
    ----------
    question
        What `designer.load` returned.
    key
        ``table.id.figure`` of the catalogue, or a key of the instance, such as ``site.electricity_usd_per_kwh``.
    flag
        What stands in messages for the file.

    Raises
    ------
    InputError
        When there is no such figure, or it is no number.
    """
    path = _path(key, flag)
    tables = {name: getattr(question.catalogue, name) for name in (*ROWS, *_ONE_OFFS)}
    in_instance = type(question.instance).model_fields
    top = path[0] if path else key
    if top not in tables and top not in in_instance:
        raise _wrong(flag, key, repr(key[:60]), nearest(str(top), [*tables, *in_instance]))
    of_catalogue = top in tables
    here: Any = tables[top] if of_catalogue else getattr(question.instance, str(top))
    owner: BaseModel | None = None if of_catalogue else question.instance
    for place, part in enumerate(path[1:], start=1):
        written = _written(path[: place + 1])
        if isinstance(here, Mapping):
            if part not in here:
                raise _wrong(flag, written, "no such name", nearest(str(part), [str(name) for name in here]))
            owner, here = None, here[part]
        elif isinstance(here, tuple) and isinstance(part, int):
            if part >= len(here):
                raise _wrong(flag, written, f"place {part}", f"allowed: below {len(here)}")
            owner, here = None, here[part]
        elif isinstance(here, BaseModel) and not isinstance(here, Figure):
            fields = type(here).model_fields
            if part not in fields:
                raise _wrong(flag, written, "no such key", nearest(str(part), _numbers_of(here) or list(fields)))
            owner, here = here, getattr(here, str(part))
        else:
            raise _wrong(flag, written, "a name below a value", "stop at the figure before it")
    # An unset number is None: its type says whether a number may stand there.
    unset = here is None and owner is not None and str(path[-1]) in _numbers_of(owner)
    if not (unset or isinstance(here, Figure | int | float)) or isinstance(here, bool):
        names = _numbers_of(here) if isinstance(here, BaseModel) else []
        raise _wrong(flag, key, described(here), f"a figure is needed; {nearest('', names)}" if names else "no number")
    return Variable(key, path, of_catalogue, False, _span(question.catalogue, key, here))


def at_value(question: Question, variable: Variable, value: float) -> Question:
    """The same question with the figure set to a value, checked as if it had been written in a file.

    Raises
    ------
    InputError
        When the value is not allowed there.
    """
    varied = Fixed(variable.path, variable.of_catalogue, variable.number(value))
    # What is set in the other file is in the question already: it is read anew on this side only.
    rows = [row for row in variable.fixed if row.of_catalogue == variable.of_catalogue]
    return with_fixed(question, [*rows, varied], FLAG)


def with_fixed(question: Question, fixed: Sequence[Fixed], file: str) -> Question:
    """The same question with some figures set, checked as if they had been written in its files.

    ``file`` stands in messages. The files of the question are read anew, those that a figure is set in.

    Raises
    ------
    InputError
        When a number is not allowed in its place.
    """
    if any(row.of_catalogue for row in fixed):
        changes: dict[str, Any] = {}
        for row in fixed:
            if row.of_catalogue:
                _put(changes, row)
        overlay = None if question.overlay_file is None else Path(question.overlay_file)
        question = replace(question, catalogue=catalogue_with(file, changes, overlay))
    if any(not row.of_catalogue for row in fixed):
        data = parse_toml(question.instance_file, question.instance_text.encode())
        for row in fixed:
            if not row.of_catalogue:
                _put(data, row)
        instance, parts, problems = read_instance(file, data)
        problems += contradictions(parts)
        if problems or instance is None:
            raise InputError(problems)
        question = replace(question, instance=instance)
    return question


def _put(data: Any, row: Fixed) -> None:
    """Write a number into nested tables; a place in a list is there already."""
    *before, last = row.path
    for part in before:
        data = data[part] if isinstance(part, int) else data.setdefault(part, {})
    data[last] = row.number


def with_wholeness(question: Question, variable: Variable, start: float, end: float) -> Variable:
    """The same figure, marked as whole where whole ends are taken as whole numbers only."""
    if not (start.is_integer() and end.is_integer()):
        return variable
    whole = replace(variable, whole=True)
    fits = [_fits(question, variable, start + 0.5), _fits(question, whole, start), _fits(question, whole, end)]
    return whole if fits == [False, True, True] else variable


def _fits(question: Question, variable: Variable, value: float) -> bool:
    try:
        at_value(question, variable, value)
    except InputError:
        return False
    return True


def opened_by_instance(question: Question, variable: Variable) -> str | None:
    """Name the key of the instance that stands before this figure of the catalogue, if it is set."""
    instance = _OPENED.get(variable.key)
    if instance is None:
        return None
    table, _, name = instance.partition(".")
    return instance if getattr(getattr(question.instance, table), name) is not None else None


def _path(key: str, flag: str) -> tuple[str | int, ...]:
    found: list[str | int] = []
    for part in key.split("."):
        match = _PART.fullmatch(part)
        if match is None:
            raise _wrong(flag, key, repr(key[:60]), "allowed: table.id.figure, or table.key of the instance")
        found.append(match[1])
        found += [int(place) for place in re.findall(r"\d+", match[2])]
    return tuple(found)


def _written(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]


def _numbers_of(model: BaseModel) -> list[str]:
    """Names of a row that hold, or may hold, a number."""
    found = []
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        text = str(field.annotation)
        if isinstance(value, bool) or "Literal" in text:
            continue
        if isinstance(value, Figure | int | float) or (value is None and re.search(r"Figure|float|int\b", text)):
            found.append(name)
    return found


def _span(catalogue: Catalogue, key: str, here: object) -> Span:
    if isinstance(here, Figure):
        return Span(here.at("low"), here.mid, here.at("high"), here.basis, here.source)
    if isinstance(here, int | float):
        return Span(None, float(here), None, "instance", None)
    figure: Any = catalogue
    for part in _DEFAULTS.get(key, "").split("."):
        figure = getattr(figure, part, None)
    return _span(catalogue, "", figure) if isinstance(figure, Figure) else Span(None, None, None, None, None)


def _wrong(flag: str, key: str, read: str, allowed: str) -> InputError:
    return InputError([Problem(flag, key[:80], read, allowed)])
