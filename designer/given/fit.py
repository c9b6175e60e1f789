"""What in a given design does not fit together: names, ids, stages and bundles, numbers of endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from designer.catalogue import Catalogue
from designer.families.family import Structure
from designer.given.schema import GivenDesign, GivenLink, GivenNetwork
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
    if design.site.racks is not None:
        yield "site.racks", str(design.site.racks), "drop it: racks of a given design are not counted"
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
    if endpoints.per_host is not None and endpoints.accelerators % endpoints.per_host:
        yield "endpoints.accelerators", str(endpoints.accelerators), f"allowed: whole hosts of {endpoints.per_host}"
    if endpoints.job_accelerators > endpoints.accelerators:
        allowed = f"allowed: at most the {endpoints.accelerators} accelerators of the design"
        yield "endpoints.job_accelerators", str(endpoints.job_accelerators), allowed
    served = any(row.endpoints_are == "nics" for row in design.networks)
    if endpoints.nic is not None and not served:
        yield "endpoints.nic", "a NIC without a network", 'drop it, or give a network with endpoints_are = "nics"'


def _parts(place: str, row: GivenNetwork, catalogue: Catalogue) -> Iterator[_Row]:
    for stage, switch in row.switches.items():
        key = f"{place}.switches.{shortened(stage)}"
        yield from _id(key, switch.id, catalogue.switches)
        if switch.id is not None:
            yield from _one_or_other(key, switch, sorted(set(type(switch).model_fields) - {"id"}))
    for bundle, link in row.links.items():
        key = f"{place}.links.{shortened(bundle)}"
        yield from _id(f"{key}.lower", link.lower, catalogue.links)
        yield from _id(f"{key}.upper", link.upper, catalogue.links)
        yield from _link(key, link)


def _link(key: str, link: GivenLink) -> Iterator[_Row]:
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
        if bundle.upper == "ocs" and key is not None and row.links[key].upper is not None:
            yield f"{place}.links.{key}.upper", repr(row.links[key].upper), "drop it: light passes a circuit switch"
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
