"""Reading files that people write: TOML in, plain data or one list of mistakes out.

The catalogue, its overlays and the instance share these two functions, so that every wrong file is
answered in the same words and never with a traceback.
"""

from __future__ import annotations

import difflib
import hashlib
import stat
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from designer.problems import InputError, Problem

MAX_INPUT_BYTES = 20_000_000
_SHOWN_CHARACTERS = 60
# No honest file nests deeper; pydantic and repr() would run out of stack on a hostile one.
_MAX_DEPTH = 12
# A dotted key of thousands of parts costs tomllib quadratic time; no honest file has one.
_MAX_DOTS_IN_LINE = 20_000


def read_toml(path: Path, max_bytes: int = MAX_INPUT_BYTES) -> tuple[dict[str, Any], str]:
    """Read one TOML file.

    Parameters
    ----------
    path
        The file, as the user named it.
    max_bytes
        A larger file is refused unread.

    Returns
    -------
    tuple
        The tables as plain data, and the SHA-256 of the bytes read (64 hex digits).

    Raises
    ------
    InputError
        When the file is missing, not a regular file, too large, not UTF-8 or not TOML.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "a.toml")
    ...     _ = file.write_text("pue = 1.1")
    ...     read_toml(file)[0]
    {'pue': 1.1}
    >>> read_toml(Path("absent.toml"))
    Traceback (most recent call last):
    designer.problems.InputError: absent.toml: read no such file; give the path of a TOML file
    """
    content = read_bytes(path, max_bytes)
    return parse_toml(str(path), content), hashlib.sha256(content).hexdigest()


def read_bytes(path: Path, max_bytes: int = MAX_INPUT_BYTES) -> bytes:
    """Read a regular file of at most ``max_bytes``, or raise `InputError` with the reason.

    Examples
    --------
    >>> read_bytes(Path("."))
    Traceback (most recent call last):
    designer.problems.InputError: .: read a directory; give the path of a file
    """
    name = str(path)
    try:
        # stat first: opening a pipe or a device could wait for ever.
        state = path.stat()
        if stat.S_ISDIR(state.st_mode):
            raise _one(name, "a directory", "give the path of a file")
        if not stat.S_ISREG(state.st_mode):
            raise _one(name, "something that is not a regular file", "give the path of a file")
        if state.st_size > max_bytes:
            raise _one(name, f"{state.st_size} bytes", f"allowed: at most {max_bytes} bytes")
        with path.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except FileNotFoundError:
        raise _one(name, "no such file", "give the path of a TOML file") from None
    except OSError as error:
        raise _one(name, error.strerror or type(error).__name__, "give the path of a readable file") from None
    except ValueError:  # a NUL character in the path
        raise _one(name, "a path that cannot exist", "give the path of a readable file") from None
    if len(content) > max_bytes:
        raise _one(name, f"more than {max_bytes} bytes", f"allowed: at most {max_bytes} bytes")
    return content


def parse_toml(file: str, content: bytes) -> dict[str, Any]:
    """Turn the bytes of a TOML file into plain data, or raise `InputError` naming line and column.

    Examples
    --------
    >>> parse_toml("a.toml", b"racks = 4")
    {'racks': 4}
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _one(
            file, f"bytes that are not UTF-8 text (at byte {error.start})", "give a TOML file in UTF-8"
        ) from None
    if any(line.count(".") > _MAX_DOTS_IN_LINE for line in text.splitlines()):
        raise _one(file, f"a line with more than {_MAX_DOTS_IN_LINE} dots", "give shorter lines")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _one(file, "tables or lists nested too deeply", "give a flatter TOML file") from None
    except ValueError as error:  # TOMLDecodeError, and integers of too many digits
        # What tomllib says may quote the file; the place stands at its end.
        said, _, place = str(error).rpartition(" (at ")
        text = f"{shortened(said)} (at {shortened(place)}" if said else shortened(place)
        raise _one(file, f"no valid TOML: {text}", "correct this place") from None


def plain_tables(file: str, data: dict[str, Any]) -> dict[str, Any]:
    """Lists as tuples (strict frozen models take no lists), and no deeper than an honest file nests.

    Examples
    --------
    >>> plain_tables("a.toml", {"sizes": [8, 72]})
    {'sizes': (8, 72)}
    """

    def convert(value: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise _one(file, f"more than {_MAX_DEPTH} levels of tables", "give a flatter file")
        if isinstance(value, dict):
            return {key: convert(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return tuple(convert(item, depth + 1) for item in value)
        return value

    return {key: convert(value, 1) for key, value in data.items()}


_LINE = "one line of at most 200 characters"
_IN_WORDS = {
    "name": "letters, digits, '.', '_' and '-', at most 64, the first a letter or digit",
    "date": "a quarter such as 2026-Q4",
    "title": _LINE,
    "imitates": _LINE,
    "source": _LINE,
}


def allowed_in_words(problem: Problem) -> str:
    """Say what may stand at a key as a writer of TOML sees it, where pydantic quotes a pattern or speaks of tuples.

    Examples
    --------
    >>> allowed_in_words(Problem("a.toml", "date", "'x'", "allowed: String should match pattern '^20'"))
    'allowed: a quarter such as 2026-Q4'
    """
    last = problem.key.rpartition(".")[2]
    if last in _IN_WORDS and "String should" in problem.allowed:
        return f"allowed: {_IN_WORDS[last]}"
    return problem.allowed.replace("a valid tuple", "a list")


def problems_from_validation(
    file: str,
    error: ValidationError,
    model: type[BaseModel] | None = None,
    prefix: str = "",
) -> list[Problem]:
    """Translate pydantic's mistakes into `Problem` rows, one per key.

    Parameters
    ----------
    file
        The file as the user named it.
    error
        What pydantic raised.
    model
        The model that was validated; with it, an unknown key is answered with the nearest known names.
    prefix
        Dotted path put before every key, for a part of a file that was validated alone.

    Examples
    --------
    >>> class Site(BaseModel, extra="forbid"):
    ...     racks: int
    >>> try:
    ...     Site.model_validate({"rakcs": 3})
    ... except ValidationError as error:
    ...     for problem in problems_from_validation("a.toml", error, Site):
    ...         print(problem)
    a.toml: racks: read nothing; this key is required
    a.toml: rakcs: read an unknown key; did you mean racks? allowed here: racks
    """
    found: dict[str, Problem] = {}
    for row in error.errors(include_url=False):
        location = _without_union_tags(row["loc"])
        key = ".".join(part for part in (prefix, dotted(location)) if part)
        if row["type"] == "extra_forbidden":
            known = _known_keys(model, location[:-1])
            problem = Problem(file, key, "an unknown key", nearest(str(location[-1]), known))
        elif row["type"] == "missing":
            problem = Problem(file, key, "nothing", "this key is required")
        else:
            message = row["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            problem = Problem(file, key, described(row["input"]), f"allowed: {message}")
        if key in found and found[key].allowed != problem.allowed:
            # Several branches of one union failed: one row that lists what each would take.
            more = problem.allowed.removeprefix("allowed: ")
            problem = Problem(file, key, found[key].read, f"{found[key].allowed}, or {more}")
        found[key] = problem
    return list(found.values())


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known names are close to ``name``, and list them all when they are few.

    Examples
    --------
    >>> nearest("h10", ["h100", "b200"])
    'did you mean h100? allowed here: b200, h100'
    """
    names = sorted(set(known))
    close = difflib.get_close_matches(name[:100], names, n=3, cutoff=0.6)
    listed = ", ".join(names[:40]) + (", ..." if len(names) > 40 else "")
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return f"{hint}allowed here: {listed or 'nothing'}"


def dotted(location: Iterable[str | int]) -> str:
    """Write a place in nested data as a dotted path.

    Examples
    --------
    >>> dotted(("workloads", 0, "tpot_ms"))
    'workloads[0].tpot_ms'
    """
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{shortened(part)}" if text else shortened(part)
    return text


def described(value: object) -> str:
    """Name a value in a message; tables and lists by their kind, so that deep nesting cannot hurt.

    Examples
    --------
    >>> described({"a": 1}), described([1, 2]), described(-1)
    ('a table', 'a list of 2', '-1')
    """
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > 200:
        return "an integer of too many digits"
    return shortened(repr(value))


def shortened(text: str) -> str:
    """Cut a text that a message quotes, and show control characters as escapes.

    Examples
    --------
    >>> shortened("x" * 70) == "x" * 57 + "..."
    True
    """
    # A hostile file must not be able to write terminal escapes through an error message.
    clean = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: 4 * _SHOWN_CHARACTERS])
    return clean if len(clean) <= _SHOWN_CHARACTERS else clean[: _SHOWN_CHARACTERS - 3] + "..."


def _one(file: str, read: str, allowed: str) -> InputError:
    return InputError([Problem(file, "", read, allowed)])


_UNION_TAGS = frozenset({"float", "int", "str", "bool", "none", "decimal", "date", "datetime"}) | {
    "constrained-float",
    "constrained-int",
    "constrained-str",
}


def _without_union_tags(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Drop the names of union branches that pydantic puts into a location."""
    parts = [part for part in location if not (isinstance(part, str) and part.startswith("tuple[constrained-"))]
    while len(parts) > 1 and isinstance(parts[-1], str) and (parts[-1] in _UNION_TAGS or "[" in parts[-1]):
        parts.pop()
    return tuple(parts)


def _known_keys(model: type[BaseModel] | None, location: tuple[str | int, ...]) -> list[str]:
    """List the keys that the model allows at a location."""
    here: Any = model
    for part in location:
        here = _inside(here, part)
    owner = _model_of(here)
    if owner is None:
        return []
    return [field.alias or name for name, field in owner.model_fields.items()]


def _inside(annotation: Any, part: str | int) -> Any:
    owner = _model_of(annotation)
    if owner is not None and isinstance(part, str):
        field = owner.model_fields.get(part)
        return field.annotation if field else None
    for candidate in _branches(annotation):
        origin, arguments = typing.get_origin(candidate), typing.get_args(candidate)
        if isinstance(origin, type) and arguments:
            if issubclass(origin, Mapping):
                return arguments[1]
            if origin in (tuple, list):
                return arguments[0]
    return None


def _branches(annotation: Any) -> list[Any]:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _branches(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [found for part in typing.get_args(annotation) for found in _branches(part)]
    return [annotation]


def _model_of(annotation: Any) -> type[BaseModel] | None:
    for candidate in _branches(annotation):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
