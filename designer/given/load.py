"""Design file -> `Given`: everything that can be said about a wrong file is said at once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from designer.catalogue import Catalogue, load_catalogue
from designer.families.family import Family, Structure
from designer.given.fit import link_key, misfits_of, places_of
from designer.given.schema import GivenDesign, GivenLink, GivenNetwork, GivenSwitch
from designer.given.topology import family_at
from designer.problems import InputError, Problem
from designer.reading import allowed_in_words, parse_toml, plain_tables, problems_from_validation, read_bytes

MAX_DESIGN_BYTES = 5_000_000
_CLASS = re.compile(r"a valid dictionary or instance of \w+")


@dataclass(frozen=True)
class GivenTopology:
    """One network of the file with its family, ready to be counted."""

    row: GivenNetwork
    family: Family
    structure: Structure


@dataclass(frozen=True)
class Given:
    """A design as read, the catalogue it is read against, and the hash of its file."""

    design: GivenDesign
    networks: tuple[GivenTopology, ...]
    catalogue: Catalogue
    file: str
    sha256: str
    overlay_file: str | None

    @property
    def per_host(self) -> int:
        """Accelerators of a host: as given, else those of the catalogue row, else 1."""
        endpoints = self.design.endpoints
        if endpoints.per_host is not None:
            return endpoints.per_host
        if endpoints.accelerator is not None and endpoints.accelerator.id is not None:
            return self.catalogue.accelerators[endpoints.accelerator.id].accelerators_per_host
        return 1

    @property
    def per_rack(self) -> int | None:
        """Accelerators of a rack: as the floor states, else those of the catalogue's rack; None where nobody says."""
        return places_of(self.design, self.catalogue)


def load_given(path: str | Path, overlay: str | Path | None = None) -> Given:
    """Read a design written by hand and the catalogue that its parts come from.

    Parameters
    ----------
    path
        The design, a TOML file (docs/families.md, "A given design").
    overlay
        A TOML file with prices and figures of your own that replace those of the catalogue.

    Raises
    ------
    InputError
        With *all* mistakes of the design and the overlay, each with its file and key.

    Examples
    --------
    >>> load_given("absent.toml")
    Traceback (most recent call last):
    designer.problems.InputError: absent.toml: read no such file; give the path of a TOML file
    """
    file = str(path)
    problems: list[Problem] = []
    content: bytes | None = None
    catalogue: Catalogue | None = None
    try:
        content = read_bytes(Path(path), MAX_DESIGN_BYTES)
    except InputError as error:
        problems += error.problems
    try:
        catalogue = load_catalogue(None if overlay is None else Path(overlay))
    except InputError as error:
        problems += error.problems
    if content is None:
        raise InputError(problems)
    return _given(file, content, catalogue, problems, overlay)


def given_from_text(file: str, text: str, overlay: str | Path | None = None) -> Given:
    """Read a design from the text of its file.

    Examples
    --------
    >>> given_from_text("a.toml", "schema_version = 1 = 2")
    Traceback (most recent call last):
    designer.problems.InputError: a.toml: read no valid TOML: ...
    """
    catalogue = load_catalogue(None if overlay is None else Path(overlay))
    return _given(file, text.encode(), catalogue, [], overlay)


def _given(
    file: str, content: bytes, catalogue: Catalogue | None, problems: list[Problem], overlay: str | Path | None
) -> Given:
    try:
        data = plain_tables(file, parse_toml(file, content))
    except InputError as error:
        raise InputError([*problems, *error.problems]) from None
    if "networks" not in data and ("workloads" in data or "fleets" in data):
        problems.append(Problem(file, "", "a planning question", "give a design, or ask with `designer solve`"))
        raise InputError(problems)
    design: GivenDesign | None = None
    try:
        design = GivenDesign.model_validate(data)
    except ValidationError as error:
        problems += _in_plain_words(problems_from_validation(file, error, GivenDesign))
    families, wrong = _families(file, data)
    problems += wrong
    if design is None or catalogue is None:
        raise InputError(problems)
    structures = {at: family.structure() for at, family in families.items()}
    problems += misfits_of(file, design, structures, catalogue)
    if problems:
        raise InputError(problems)
    rows = tuple(_completed(row, structures[at]) for at, row in enumerate(design.networks))
    design = design.model_copy(update={"networks": rows})
    networks = tuple(GivenTopology(row, families[at], structures[at]) for at, row in enumerate(rows))
    digest = hashlib.sha256(content).hexdigest()
    return Given(design, networks, catalogue, file, digest, None if overlay is None else str(overlay))


def _completed(row: GivenNetwork, structure: Structure) -> GivenNetwork:
    """Give every stage and bundle that the file leaves out a part without figures: it is counted, and not known."""
    switches = {stage.name: row.switches.get(stage.name, GivenSwitch()) for stage in structure.stages}
    missing = [bundle.name for bundle in structure.bundles if link_key(row, bundle.name) is None]
    links = {**row.links, **{name: GivenLink() for name in missing}}
    return row.model_copy(update={"switches": switches, "links": links})


def _families(file: str, data: dict[str, Any]) -> tuple[dict[int, Family], list[Problem]]:
    """Read every topology by itself, so that a slip elsewhere hides none of their mistakes."""
    found: dict[int, Family] = {}
    problems: list[Problem] = []
    listed = data.get("networks")
    for at, row in enumerate(listed if isinstance(listed, tuple) else ()):
        topology = row.get("topology") if isinstance(row, dict) else None
        if isinstance(topology, dict):
            try:
                found[at] = family_at(file, f"networks[{at}].topology", topology)
            except InputError as error:
                problems += error.problems
    return found, problems


def _in_plain_words(problems: list[Problem]) -> list[Problem]:
    """Say mistakes as a writer of TOML sees them."""
    plain = []
    for problem in problems:
        allowed = allowed_in_words(problem)
        if problem.key == "networks" and problem.read != "nothing":
            if any(other.key.startswith("networks[") for other in problems):
                # A list whose rows are all broken counts as empty too.
                continue
            allowed = "allowed: at least one [[networks]] table"
        allowed = _CLASS.sub("an id or a table", allowed)
        plain.append(Problem(problem.file, problem.key, problem.read, allowed.replace("a valid dictionary", "a table")))
    return plain
