"""The topology of a network as a file names it: a family and its parameters."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from designer.families import AnyFamily
from designer.families.family import Family
from designer.problems import InputError, Problem
from designer.reading import described, nearest, problems_from_validation


def families() -> dict[str, type[Family]]:
    """Every family by the name that files use.

    Examples
    --------
    >>> "fat_tree" in families()
    True
    """
    found: dict[str, type[Family]] = {}
    for kind in _models(AnyFamily):
        for name in typing.get_args(kind.model_fields["family"].annotation):
            found[name] = kind
    return found


def _models(annotation: Any) -> list[type[Family]]:
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, Family) else []
    return [kind for part in typing.get_args(annotation) for kind in _models(part)]


def _plain(text: str) -> str:
    """Say what is allowed as a writer of TOML sees it: lists, not tuples."""
    text = re.sub(r"Tuple should have (at \w+) (\d+) items? after validation, not \d+", r"a list of \1 \2", text)
    return text.replace("a valid tuple", "a list")


def _allowed(text: str) -> str:
    return text if text.startswith("allowed") else f"allowed: {text}"


def family_at(file: str, key: str, data: Mapping[str, Any]) -> Family:
    """Read a topology table, or raise `InputError` with everything in it that is wrong.

    Parameters
    ----------
    file, key
        The file, and the place of the table in it.
    data
        The table: ``family`` and the parameters of that family.
    """
    known = families()
    name = data.get("family")
    if not isinstance(name, str) or name not in known:
        read = described(name) if "family" in data else "nothing"
        raise InputError([Problem(file, f"{key}.family", read, nearest(str(name)[:100], known))])
    model = known[name]
    try:
        family = model.model_validate(data)
    except ValidationError as error:
        rows = problems_from_validation(file, error, model, key)
        # A list with a wrong figure is also no single figure: the figure says it.
        told = [row for row in rows if not any(other.key.startswith(f"{row.key}[") for other in rows)]
        raise InputError([Problem(row.file, row.key, row.read, _plain(row.allowed)) for row in told]) from None
    misfits = family.misfits()
    if misfits:
        raise InputError([Problem(file, f"{key}.{row.key}", row.read, _allowed(row.allowed)) for row in misfits])
    return family
