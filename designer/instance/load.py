"""Instance file -> `Question`: everything that can be said about a wrong file is said at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from designer.answer import Question
from designer.instance.contradictions import (
    Known,
    Parts,
    contradictions,
    pins_against_catalogue,
)
from designer.instance.names import unknown_names
from designer.instance.schema import (
    NO_DEMAND,
    Choose,
    Fleet,
    Instance,
    Level,
    Objective,
    Pins,
    Risk,
    Workload,
)
from designer.problems import InputError, Problem
from designer.reading import allowed_in_words, parse_toml, plain_tables, problems_from_validation, read_bytes

if TYPE_CHECKING:
    from designer.catalogue import Catalogue

MAX_INSTANCE_BYTES = 20_000_000


def load(path: str | Path, overlay: str | Path | None = None) -> Question:
    """Read a planning question and the catalogue it is asked against.

    Parameters
    ----------
    path
        The instance, a TOML file.
    overlay
        A TOML file with prices and figures of your own that replace those of the catalogue.

    Returns
    -------
    Question
        The valid instance, the catalogue, and the hashes of what was read.

    Raises
    ------
    InputError
        With *all* mistakes of the instance, the overlay and the measured points, each with its file and key.

    Examples
    --------
    >>> load("absent.toml")
    Traceback (most recent call last):
    designer.problems.InputError: absent.toml: read no such file; give the path of a TOML file
    """
    file = Path(path)
    problems: list[Problem] = []
    content: bytes | None = None
    try:
        content = read_bytes(file, MAX_INSTANCE_BYTES)
    except InputError as error:
        problems += error.problems
    catalogue: Catalogue | None = None
    try:
        catalogue = _catalogue(overlay)
    except InputError as error:
        problems += error.problems
    if content is None:
        raise InputError(problems)
    return _question(_Read(str(path), content, file.parent, overlay), catalogue, problems)


def load_text(file: str, text: str, overlay: str | Path | None = None) -> Question:
    """Read a planning question from the text of its file, as a stored result carries it.

    The measured points are not looked up: a finished design no longer needs them.

    Examples
    --------
    >>> load_text("a.toml", "schema_version = 1 = 2")
    Traceback (most recent call last):
    designer.problems.InputError: a.toml: read no valid TOML: ...
    """
    return _question(_Read(file, text.encode(), None, overlay), _catalogue(overlay), [])


def read_instance(file: str, data: dict[str, Any]) -> tuple[Instance | None, Parts, list[Problem]]:
    """Validate the tables of an instance; with mistakes, say which parts are usable all the same.

    Examples
    --------
    >>> instance, parts, problems = read_instance("a.toml", {"schema_version": 1, "pin": {"domain_size": -1}})
    >>> instance is None, [problem.key for problem in problems]
    (True, ['workloads', 'name', 'title', 'pin.domain_size'])
    """
    plain = plain_tables(file, data)
    if "networks" in plain and "workloads" not in plain and "fleets" not in plain:
        wrong = Problem(file, "", "a design written by hand", "give a planning question, or use `designer evaluate`")
        raise InputError([wrong])
    try:
        instance = Instance.model_validate(plain)
    except ValidationError as error:
        found = _in_plain_words(problems_from_validation(file, error, Instance))
        return None, _parts(file, plain), [*_no_demand(file, plain), *(row for row in found if row.key)]
    workloads, fleets = tuple(enumerate(instance.workloads)), tuple(enumerate(instance.fleets))
    tables = (instance.choose, instance.pin, instance.objective, instance.risk)
    return instance, Parts(file, workloads, *tables, fleets=fleets), []


def _no_demand(file: str, plain: dict[str, Any]) -> list[Problem]:
    """Say that neither tokens nor accelerators are asked for; also where other mistakes hide that from the schema."""
    listed = [plain.get(key, ()) for key in ("workloads", "fleets")]
    if any(not isinstance(rows, tuple) or rows for rows in listed):
        return []
    read = "an empty list" if "workloads" in plain else "nothing"
    return [Problem(file, "workloads", read, f"allowed: {NO_DEMAND}")]


@dataclass(frozen=True)
class _Read:
    """What was read; ``folder`` is where the paths inside an instance start, None if they are not looked up."""

    file: str
    content: bytes
    folder: Path | None
    overlay: str | Path | None


def _question(read: _Read, catalogue: Catalogue | None, problems: list[Problem]) -> Question:
    measured = _Measured(None, None)
    instance: Instance | None = None
    try:
        tables = parse_toml(read.file, read.content)
        instance, parts, wrong = read_instance(read.file, tables)
        problems += wrong
        problems += contradictions(parts)
        if catalogue is not None:
            known = _known(catalogue, "mid" if instance is None else instance.level)
            said = {problem.key for problem in problems}
            problems += (row for row in unknown_names(read.file, tables, known.names) if row.key not in said)
            problems += pins_against_catalogue(parts, known)
        if instance is not None and instance.measured_points is not None and read.folder is not None:
            measured = _measured_points(read.file, read.folder, instance.measured_points)
    except InputError as error:
        problems += error.problems
    if problems or instance is None or catalogue is None:
        raise InputError(problems)
    return Question(
        instance=instance,
        catalogue=catalogue,
        instance_file=read.file,
        instance_sha256=hashlib.sha256(read.content).hexdigest(),
        # Not utf-8-sig: the text must hash to what was read, byte-order mark included.
        instance_text=read.content.decode("utf-8"),
        overlay_file=None if read.overlay is None else str(read.overlay),
        measured_points=measured.path,
        measured_sha256=measured.sha256,
    )


def _in_plain_words(problems: list[Problem]) -> list[Problem]:
    """Say mistakes as a writer of TOML sees them; drop those that only follow from others."""
    plain = []
    for problem in problems:
        if problem.key in ("workloads", "fleets") and "tuple" in problem.allowed:
            plain.append(replace(problem, allowed=f"allowed: [[{problem.key}]] tables"))
        else:
            plain.append(replace(problem, allowed=allowed_in_words(problem)))
    return plain


def _parts(file: str, plain: dict[str, Any]) -> Parts:
    def usable(model: Any, value: Any) -> Any:
        try:
            return model.model_validate(value)
        except ValidationError:
            return None

    def rows(model: Any, key: str) -> tuple[tuple[int, Any], ...]:
        listed = plain.get(key, ())
        read = [(i, usable(model, row)) for i, row in enumerate(listed if isinstance(listed, tuple) else ())]
        return tuple((index, row) for index, row in read if row is not None)

    return Parts(
        file,
        rows(Workload, "workloads"),
        usable(Choose, plain.get("choose", {})),
        usable(Pins, plain.get("pin", {})),
        usable(Objective, plain.get("objective", {})),
        usable(Risk, plain.get("risk", {})),
        rows(Fleet, "fleets"),
    )


@dataclass(frozen=True)
class _Measured:
    path: Path | None
    sha256: str | None


def _measured_points(file: str, folder: Path, name: str) -> _Measured:
    path = folder / name
    try:
        content = read_bytes(path)
    except InputError as error:
        here = "allowed: the path of a CSV file, relative to the instance file"
        raise InputError(
            [Problem(file, "measured_points", f"{name!r} ({row.read})", here) for row in error.problems]
        ) from None
    return _Measured(path, hashlib.sha256(content).hexdigest())


def _catalogue(overlay: str | Path | None) -> Catalogue:
    from designer.catalogue import load_catalogue

    return load_catalogue(None if overlay is None else Path(overlay))


def _known(catalogue: Catalogue, level: Level) -> Known:
    switches = catalogue.switches.items()
    return Known(
        names={
            "llms": list(catalogue.llms),
            "accelerators": list(catalogue.accelerators),
            "scale_up_switches": [name for name, row in switches if row.role == "scale_up"],
            "scale_out_switches": [name for name, row in switches if row.role == "scale_out"],
            "links": list(catalogue.links),
            "nics": list(catalogue.nics),
            "vendors": sorted({row.vendor for row in catalogue.accelerators.values()}),
        },
        domains={
            name: (row.accelerators_per_host, row.scale_up.max_domain.at(level))
            for name, row in catalogue.accelerators.items()
        },
        families={name: row.family for name, row in switches if row.family is not None},
        packaged=frozenset(name for name, row in catalogue.links.items() if row.tech == "cpo"),
        alone=frozenset(
            name
            for name, row in catalogue.accelerators.items()
            if row.vendor_domain is not None and row.vendor_domain.size == 1
        ),
    )
