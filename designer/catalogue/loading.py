"""Reads the shipped catalogue and an optional overlay into one frozen `Catalogue`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from designer.catalogue.facility import Facility, Rack
from designer.catalogue.overlay import ROW_TABLES, laid_over, rows_by_id
from designer.catalogue.references import uncited, unknown_names, wrong_families
from designer.catalogue.schema import Accelerator, Link, Nic, Switch
from designer.catalogue.surroundings import (
    BlastRadius,
    Claim,
    Compatibility,
    Components,
    Content,
    Evidence,
    FailureTest,
    Llm,
    Notes,
    Source,
)
from designer.problems import InputError, Problem
from designer.reading import nearest, problems_from_validation, read_toml

DATA_FOLDER = Path(__file__).parent / "data"
FILES = ("sources", "accelerators", "switches", "links", "nics", "facility", "llms", "compatibility")

Row = Accelerator | Switch | Link | Nic | Llm | Rack


@dataclass(frozen=True, eq=False, slots=True)
class Catalogue:
    """The data about parts; rows by id in the order of the files.

    ``sha256`` identifies the whole content, the overlay included; ``overlay_sha256`` the bytes of the overlay.

    Examples
    --------
    >>> catalogue = load_catalogue()
    >>> catalogue.accelerators["gb300_nvl72"].price_usd.at("mid")
    57000.0
    >>> catalogue.facility.cooling_and_power.pue_liquid.at("high")
    1.28
    """

    as_of: str
    accelerators: Mapping[str, Accelerator]
    switches: Mapping[str, Switch]
    links: Mapping[str, Link]
    nics: Mapping[str, Nic]
    llms: Mapping[str, Llm]
    racks: Mapping[str, Rack]
    components: Components
    facility: Facility
    compatibility: Compatibility
    blast_radius: BlastRadius
    evidence: tuple[Evidence, ...]
    claims: tuple[Claim, ...]
    sources: Mapping[str, Source]
    conventions: Notes
    field_notes: Mapping[str, Notes]
    sha256: str
    overlay_sha256: str | None
    failure_tests: tuple[FailureTest, ...] = ()

    def rows(self) -> dict[str, Mapping[str, Row]]:
        """All tables of rows by kind."""
        return {
            "accelerators": self.accelerators,
            "switches": self.switches,
            "links": self.links,
            "nics": self.nics,
            "llms": self.llms,
            "racks": self.racks,
        }


def load_catalogue(overlay: Path | None = None) -> Catalogue:
    """Load the shipped catalogue, with a user's file laid over it.

    Parameters
    ----------
    overlay
        One TOML file with the same tables. A row with a known id changes the given keys only; a row with
        a new id must be complete. A bare number stands for a figure with basis "user".

    Raises
    ------
    InputError
        With all mistakes of the overlay at once.

    Examples
    --------
    >>> load_catalogue().nics["nic_800"].rate_gbps
    800.0
    """
    shipped = _shipped(DATA_FOLDER)
    if overlay is None:
        return shipped.catalogue
    file = str(overlay)
    given, overlay_sha256 = read_toml(overlay)
    tables, problems = rows_by_id(file, given)
    merged = laid_over(shipped.tables, tables)
    content = _validated({}, file, merged, problems)
    return _catalogue(content, overlay_sha256)


def catalogue_with(file: str, changes: Mapping[str, Any], overlay: Path | None = None) -> Catalogue:
    """Load the catalogue with a user's file and, over that, changes held in memory (rows by id).

    ``file`` stands in messages about the changes.

    Examples
    --------
    >>> changed = catalogue_with("--vary", {"links": {"dac_800": {"mttr_h": 3.0}}})
    >>> changed.links["dac_800"].mttr_h.at("high"), changed.overlay_sha256
    (3.0, None)
    """
    tables, problems, overlay_sha256 = _shipped(DATA_FOLDER).tables, list[Problem](), None
    if overlay is not None:
        given, overlay_sha256 = read_toml(overlay)
        rows, problems = rows_by_id(str(overlay), given)
        tables = laid_over(tables, rows)
    return _catalogue(_validated({}, file, laid_over(tables, changes), problems), overlay_sha256)


def catalogue_from_folder(folder: Path) -> Catalogue:
    """Load a complete catalogue from a folder of files named like the shipped ones.

    Examples
    --------
    >>> catalogue_from_folder(DATA_FOLDER).sha256 == load_catalogue().sha256
    True
    """
    return _read(folder).catalogue


@dataclass(frozen=True)
class _Shipped:
    tables: Mapping[str, Any]
    catalogue: Catalogue


@cache
def _shipped(folder: Path) -> _Shipped:
    return _read(folder)


def _read(folder: Path) -> _Shipped:
    tables: dict[str, Any] = {}
    file_of: dict[str, str] = {}
    problems: list[Problem] = []
    for name in FILES:
        file = f"catalogue/{name}.toml"
        try:
            given, _ = read_toml(folder / f"{name}.toml")
        except InputError as error:
            problems.extend(error.problems)
            continue
        notes = given.pop("field_notes", {})
        tables.setdefault("field_notes", {}).update(notes)
        for key in given.keys() & tables.keys():
            problems.append(Problem(file, key, "a table that another file has too", "name each table once"))
        found, wrong = rows_by_id(file, given)
        problems.extend(wrong)
        tables.update(found)
        file_of.update(dict.fromkeys(given, file))
    problems.extend(uncited(file_of, tables))
    content = _validated(file_of, "catalogue", tables, problems)
    return _Shipped(tables, _catalogue(content, None))


def _validated(file_of: Mapping[str, str], file: str, tables: Mapping[str, Any], problems: list[Problem]) -> Content:
    """Check types, ranges, names; raise everything that is wrong as one error."""
    found = [*problems, *unknown_names(file, tables), *wrong_families(file, tables)]
    content = None
    try:
        content = Content.model_validate(tables)
    except ValidationError as error:
        found.extend(problems_from_validation(file, error, Content))
    if content is None or found:
        raise InputError([_in_file(problem, file_of) for problem in found])
    return content


def _in_file(problem: Problem, file_of: Mapping[str, str]) -> Problem:
    top = problem.key.split(".")[0].split("[")[0]
    return Problem(file_of.get(top, problem.file), problem.key, problem.read, problem.allowed)


def _catalogue(content: Content, overlay_sha256: str | None) -> Catalogue:
    text = json.dumps(content.model_dump(mode="json", exclude_none=True), sort_keys=True, separators=(",", ":"))
    return Catalogue(
        as_of=content.as_of,
        accelerators=content.accelerators,
        switches=content.switches,
        links=content.links,
        nics=content.nics,
        llms=content.llms,
        racks=content.racks,
        components=content.components,
        facility=content.facility,
        compatibility=content.compatibility,
        blast_radius=content.blast_radius,
        evidence=content.reliability_evidence,
        claims=content.opposing_or_contextual_claims,
        sources=content.sources,
        conventions=content.conventions,
        field_notes=content.field_notes,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        overlay_sha256=overlay_sha256,
        failure_tests=content.failure_tests,
    )


def nearest_rows(catalogue: Catalogue, name: str) -> str:
    """Say which ids of any kind are close to ``name``.

    Examples
    --------
    >>> nearest_rows(load_catalogue(), "gb300_nvl7").startswith("did you mean gb300_nvl72")
    True
    """
    return nearest(name, [key for kind in ROW_TABLES for key in catalogue.rows()[kind]])
