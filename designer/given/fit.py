"""What in a given design does not fit together: names, ids, stages and bundles, numbers of endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from designer.catalogue import Catalogue
from designer.families.family import Structure
from designer.given.schema import GivenCableUpTo, GivenDesign, GivenLink, GivenNetwork
from designer.problems import Problem
from designer.reading import nearest, shortened

LINK_FIGURES = (
    "price_usd_per_link",
    "power_w_per_link",
    "afr_hard_per_link",
    "transient_per_link_year",
    "mttr_h",
    "reach_m",
)


def link_key(row: GivenNetwork, bundle: str) -> str | None:
    """The key of ``links`` that answers for a bundle: its own name, or the part before the first point.

    Examples
    --------
    >>> row = GivenNetwork.model_validate(
    ...     {"name": "a", "endpoints_are": "nics", "topology": {}, "links": {"router-router": "dac_400"}}
    ... )
    >>> link_key(row, "router-router.global"), link_key(row, "endpoint-router")
    ('router-router', None)
    """
    for key in (bundle, bundle.partition(".")[0]):
        if key in row.links:
            return key
    return None


def places_of(design: GivenDesign, catalogue: Catalogue) -> int | None:
    """Accelerators of a rack: as the floor states, else those of the catalogue's rack; None where nobody says."""
    if design.floor.accelerators_per_rack is not None:
        return design.floor.accelerators_per_rack
    part = design.endpoints.accelerator
    row = None if part is None else catalogue.accelerators.get(part.id or "")
    places = None if row is None else catalogue.racks[row.rack].accelerators.at(design.level)
    return None if places is None else int(places)


def misfits_of(
    file: str, design: GivenDesign, structures: Mapping[int, Structure], catalogue: Catalogue
) -> list[Problem]:
    """Everything in a design that contradicts the rest of it or the catalogue.

    Parameters
    ----------
    file
        The file as the user named it.
    design
        The design, each value valid by itself.
    structures
        Closed-form counts of the networks whose topology is right, by their place in the file.
    catalogue
        Where ids are looked up.
    """
    return [Problem(file, key, read, allowed) for key, read, allowed in _all(design, structures, catalogue)]


_Row = tuple[str, str, str]


def _all(design: GivenDesign, structures: Mapping[int, Structure], catalogue: Catalogue) -> Iterator[_Row]:
    yield from _endpoints(design, catalogue)
    for name in sorted(design.site.lengths.model_fields_set):
        yield f"site.lengths.{name}", "a length of the site", "give length_m at the links, or the hall in [floor]"
    if design.site.racks is not None and places_of(design, catalogue) is None:
        yield "site.racks", str(design.site.racks), "give floor.accelerators_per_rack, or drop it"
    yield from _spares(design, structures)
    names: set[str] = set()
    for at, row in enumerate(design.networks):
        place = f"networks[{at}]"
        if row.name in names:
            yield f"{place}.name", repr(row.name), "each network has a name of its own"
        names.add(row.name)
        yield from _parts(place, row, catalogue)
        structure = structures.get(at)
        if structure is not None:
            yield from _stages(place, row, structure)
            yield from _numbers(place, row, structure, design)
    for name, demand in design.demand.items():
        if name not in names:
            yield f"demand.{shortened(name)}", "a network that is not there", nearest(name, names)
        elif not demand.model_fields_set:
            yield f"demand.{name}", "an empty table", "give all_to_all_gbps, permutation_gbps or all_reduce_gbps"


def _one_or_other(place: str, part: object, own: Iterable[str]) -> Iterator[_Row]:
    """An id excludes figures of one's own: an overlay changes figures of a catalogue row."""
    given = [name for name in own if getattr(part, name) is not None]
    if given:
        yield f"{place}.{given[0]}", "a figure beside an id", "give either; --catalog OVERLAY changes figures of a row"


def _id(place: str, name: str | None, known: Iterable[str]) -> Iterator[_Row]:
    if name is not None and name not in known:
        yield place, shortened(repr(name)), nearest(name, known)


def _endpoints(design: GivenDesign, catalogue: Catalogue) -> Iterator[_Row]:
    endpoints = design.endpoints
    for key, part, rows in (
        ("accelerator", endpoints.accelerator, catalogue.accelerators),
        ("nic", endpoints.nic, catalogue.nics),
    ):
        if part is not None and part.id is not None:
            yield from _id(f"endpoints.{key}", part.id, rows)
            yield from _one_or_other(f"endpoints.{key}", part, sorted(set(type(part).model_fields) - {"id"}))
    per_host, whose = endpoints.per_host, ""
    row = None if endpoints.accelerator is None else catalogue.accelerators.get(endpoints.accelerator.id or "")
    if per_host is None and row is not None:
        per_host, whose = row.accelerators_per_host, f", as {row.id} has, or give per_host"
    if per_host is not None and endpoints.accelerators % per_host:
        yield "endpoints.accelerators", str(endpoints.accelerators), f"allowed: whole hosts of {per_host}{whose}"
    places = design.floor.accelerators_per_rack
    if per_host is not None and places is not None and places < per_host:
        yield "floor.accelerators_per_rack", str(places), f"allowed: at least a host, {per_host}{whose}"
    if endpoints.job_accelerators > endpoints.accelerators:
        allowed = f"allowed: at most the {endpoints.accelerators} accelerators of the design"
        yield "endpoints.job_accelerators", str(endpoints.job_accelerators), allowed
    served = any(row.endpoints_are == "nics" for row in design.networks)
    if endpoints.nic is not None and not served:
        yield "endpoints.nic", "a NIC without a network", 'drop it, or give a network with endpoints_are = "nics"'


def _spares(design: GivenDesign, structures: Mapping[int, Structure]) -> Iterator[_Row]:
    """Spare planes are switches side by side; spare domains need a scale-up network that says what a domain is."""
    inside = [(at, row) for at, row in enumerate(design.networks) if row.endpoints_are == "accelerators"]
    for at, row in enumerate(design.networks):
        if not row.spare_planes:
            continue
        place, planes = f"networks[{at}].spare_planes", row.topology.get("planes")
        if (at, row) not in inside or row.topology.get("family") != "single_stage":
            yield place, str(row.spare_planes), 'allowed: 0, but for a "single_stage" whose endpoints are accelerators'
        elif isinstance(planes, int) and row.spare_planes >= planes:
            yield place, str(row.spare_planes), f"allowed: at most {planes - 1}, one of {planes} planes is in use"
    spare, place = design.endpoints.spare_domains, "endpoints.spare_domains"
    if not spare:
        return
    if len(inside) != 1:
        yield place, str(spare), "give one network whose endpoints are accelerators: each of its `repeat` is a domain"
        return
    at, row = inside[0]
    structure = structures.get(at)
    if structure is None:
        return
    together = -(-design.endpoints.job_accelerators // structure.endpoints)
    if spare >= row.repeat:
        yield place, str(spare), f"allowed: at most {row.repeat - 1}, some of {row.repeat} domains are at work"
    elif spare % together or row.repeat % together:
        yield place, f"{spare} of {row.repeat}", f"allowed: multiples of {together}, the domains of a job"


def _parts(place: str, row: GivenNetwork, catalogue: Catalogue) -> Iterator[_Row]:
    for stage, switch in row.switches.items():
        key = f"{place}.switches.{shortened(stage)}"
        yield from _id(key, switch.id, catalogue.switches)
        if switch.id is not None:
            yield from _one_or_other(key, switch, sorted(set(type(switch).model_fields) - {"id"}))
    for bundle, link in row.links.items():
        key = f"{place}.links.{shortened(bundle)}"
        if not link.by_length:
            yield from _link(key, link, catalogue)
            continue
        others = sorted(link.model_fields_set - {"by_length"})
        if others:
            yield f"{key}.{others[0]}", "a key beside by_length", "give it in the rows of by_length, or drop them"
        for number, piece in enumerate(link.by_length):
            yield from _link(f"{key}.by_length[{number}]", piece, catalogue)
        yield from _up_to(key, link.by_length)


def _up_to(key: str, pieces: Sequence[GivenCableUpTo]) -> Iterator[_Row]:
    """Lengths rise, and the last type takes all longer links."""
    last = pieces[-1].up_to_m
    if last is not None:
        yield f"{key}.by_length[{len(pieces) - 1}].up_to_m", f"{last:g}", "drop it: the last takes the rest"
    before = 0.0
    for number, piece in enumerate(pieces[:-1]):
        if piece.up_to_m is None:
            yield f"{key}.by_length[{number}].up_to_m", "nothing", "give the length that this type is for, at most"
        elif piece.up_to_m <= before:
            yield f"{key}.by_length[{number}].up_to_m", f"{piece.up_to_m:g}", f"allowed: above {before:g}"
        before = max(before, piece.up_to_m or 0.0)


def _link(key: str, link: GivenLink | GivenCableUpTo, catalogue: Catalogue) -> Iterator[_Row]:
    yield from _id(f"{key}.lower", link.lower, catalogue.links)
    yield from _id(f"{key}.upper", link.upper, catalogue.links)
    if link.lower is not None:
        yield from _one_or_other(key, link, LINK_FIGURES)
    elif link.upper is not None:
        yield f"{key}.upper", repr(link.upper), "give the row of the lower end too"
    elif not any(getattr(link, name) is not None for name in LINK_FIGURES):
        yield key, "neither a row nor figures", f"give lower = ID, or some of {', '.join(LINK_FIGURES)}"


def _stages(place: str, row: GivenNetwork, structure: Structure) -> Iterator[_Row]:
    """Nothing is given for a stage or a bundle that the topology lacks; what is left out is not known."""
    stages = [stage.name for stage in structure.stages]
    for name in row.switches:
        if name not in stages:
            yield f"{place}.switches.{shortened(name)}", "a stage that this topology lacks", nearest(name, stages)
    bundles = [bundle.name for bundle in structure.bundles]
    for bundle in structure.bundles:
        key = link_key(row, bundle.name)
        uppers = () if key is None else (row.links[key].upper, *(piece.upper for piece in row.links[key].by_length))
        if bundle.upper == "ocs" and any(upper is not None for upper in uppers):
            named = next(upper for upper in uppers if upper is not None)
            yield f"{place}.links.{key}.upper", repr(named), "drop it: light passes a circuit switch"
    used = {link_key(row, name) for name in bundles}
    for name in row.links:
        if name not in used:
            yield f"{place}.links.{shortened(name)}", "a bundle that this topology lacks", nearest(name, bundles)


def _numbers(place: str, row: GivenNetwork, structure: Structure, design: GivenDesign) -> Iterator[_Row]:
    endpoints = design.endpoints
    each = endpoints.nics if row.endpoints_are == "nics" else 1
    wanted, has = endpoints.accelerators * each, row.repeat * structure.endpoints
    if wanted != has:
        what = f"{endpoints.accelerators} accelerators" + (f" x {each} NICs = {wanted}" if each > 1 else "")
        times = f"{row.repeat} x {structure.endpoints} = {has}" if row.repeat > 1 else str(has)
        yield f"{place}.topology", f"{times} endpoints", f"allowed: as many as endpoints, {what}"
