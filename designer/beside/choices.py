"""The choices of a given design and of an optimum in the words of ``designer why-not``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from designer.beside.hardware import Network, flat_shape, networks_of
from designer.beside.result import Apart
from designer.design.types import Boundary, Design, Fabric, PoolDesign
from designer.evaluate.result import Evaluation, NetworkReport
from designer.evaluate.rows import OWN
from designer.families.fat_tree import FatTree
from designer.families.scale_up_clos import ScaleUpClos
from designer.families.single_stage import SingleStage
from designer.given.load import Given
from designer.verify.exact import exact

NONE = "none"
"""What stands for the switches of domains without any, and for the taper of one stage."""

_MOST_STAGES = 4
_MOST_TAPER = 999_999
_WORDS = {"nic": "NIC", "scale_up_planes": "scale-up planes", "scale_up_switch": "scale-up switch"}
_OWN = "it has figures of its own: nothing in the catalogue stands for it"


@dataclass(frozen=True)
class Choice:
    """One choice of the given design, ``KEY=VALUE`` in the words of `designer.solve.why_not`."""

    key: str
    value: str

    @property
    def words(self) -> str:
        """The key as people say it."""
        return words_of(self.key)


def words_of(key: str) -> str:
    """A key of why-not as people say it.

    Examples
    --------
    >>> words_of("leaf_switch"), words_of("nic_leaf_link"), words_of("nic")
    ('leaf switch', 'NIC-leaf links', 'NIC')
    """
    if key.endswith("_link"):
        boundary = key.removesuffix("_link").replace("_", "-").replace("nic", "NIC")
        return f"{boundary} links"
    return _WORDS.get(key, key.replace("_", " "))


def shown(value: str) -> str:
    """A value as people say it: one id where both ends are the same.

    Examples
    --------
    >>> shown("dac_400/dac_400"), shown("lro_1600/lpo_1600")
    ('dac_400', 'lro_1600/lpo_1600')
    """
    lower, sign, upper = value.partition("/")
    return lower if sign and lower == upper else value


def choices_of(given: Given, found: Evaluation) -> tuple[list[Choice], list[Apart]]:
    """List the choices of a given design, and those for which why-not has no word."""
    rows = [*_at_accelerators(given), *_inside(given, found), *_outside(given, found)]
    return [row for row in rows if isinstance(row, Choice)], [row for row in rows if isinstance(row, Apart)]


_Rows = Iterator[Choice | Apart]


def _part(key: str, name: str | None) -> Choice | Apart:
    return Apart(words_of(key), _OWN) if name in (None, OWN) else Choice(key, str(name))


def _links(key: str, network: NetworkReport, name: str) -> Choice | Apart:
    """The type of the links of a boundary, where it is one."""
    types = dict.fromkeys((row.lower_part, row.upper_part) for row in network.bundles if row.whole == name)
    if len(types) > 1:
        return Apart(words_of(key), f"{len(types)} types by length: an optimum has one for a boundary")
    ((lower, upper),) = types
    return Apart(words_of(key), _OWN) if OWN in (lower, upper) else Choice(key, f"{lower}/{upper}")


def _at_accelerators(given: Given) -> _Rows:
    endpoints = given.design.endpoints
    if endpoints.accelerator is None:
        yield Apart("accelerator", "none is given")
    else:
        yield _part("accelerator", endpoints.accelerator.id)
    if endpoints.nic is None:
        yield Apart("NIC", "none is given")
        return
    yield _part("nic", endpoints.nic.id)
    row = None if endpoints.accelerator is None else given.catalogue.accelerators.get(endpoints.accelerator.id or "")
    if row is None or endpoints.nic.id is None:
        return
    counts = {option.count for option in row.nic_options if option.nic == endpoints.nic.id}
    if endpoints.nics not in counts:
        offered = ", ".join(f"{option.count} x {option.nic}" for option in row.nic_options) or "none"
        yield Apart(f"{endpoints.nics} x {endpoints.nic.id} per accelerator", f"{row.id} is offered with {offered}")


def _inside(given: Given, found: Evaluation) -> _Rows:
    inside = networks_of(given, found, "accelerators")
    if len(inside) != 1:
        yield Apart("scale-up domain", "none is given" if not inside else "several networks join accelerators")
        return
    if found.spare_domains:
        yield Apart("spare domains", "the number of spares is chosen with the demand: choose.spare_domains")
    network = inside[0]
    if network.report.spare_planes:
        yield Apart("spare planes", "they are chosen with the demand: choose.spare_planes")
    family, stages = network.read.family, network.report.stages
    yield Choice("domain_size", str(network.report.accelerators // network.report.repeat))
    if not isinstance(family, SingleStage | ScaleUpClos):
        yield Apart("scale-up switches and links", f"{network.report.family} is no family that is chosen from")
        return
    yield Choice("scale_up_planes", str(family.planes))
    types = {stage.part for stage in stages}
    if len(types) == 1:
        yield _part("scale_up_switch", types.pop())
    else:
        yield Apart("scale-up switches", f"two types in one domain, {' and '.join(sorted(types))}, cannot be forced")
    first, *upper = dict.fromkeys(bundle.whole for bundle in network.report.bundles)
    yield _links("scale_up_link", network.report, first)
    for name in upper:
        yield Apart(f"scale-up links {name}", "links between two scale-up stages cannot be forced")


def _outside(given: Given, found: Evaluation) -> _Rows:
    outside = networks_of(given, found, "nics")
    if len(outside) != 1 or outside[0].report.repeat > 1:
        many = "several networks of NICs: the networks of an optimum are chosen together"
        yield Apart("scale-out network", many if outside else "none is given")
        return
    network = outside[0]
    family, report = network.read.family, network.report
    if isinstance(family, SingleStage) and family.ports == family.planes:
        stages, planes = 1, family.planes
    elif isinstance(family, FatTree) and family.stages <= _MOST_STAGES:
        stages, planes = family.stages, report.planes
    elif (shape := flat_shape(family)) is not None:
        yield from _flat(shape, report)
        return
    else:
        yield Apart("scale-out network", f"{report.family} of {len(report.stages)} stages is not chosen from")
        return
    yield Choice("stages", str(stages))
    yield Choice("rails", str(report.rails))
    yield Choice("planes", str(planes))
    for key, stage in zip(("leaf_switch", "spine_switch", "core_switch", "top_switch"), report.stages, strict=False):
        yield _part(key, stage.part)
    bundles = [name for name in dict.fromkeys(row.whole for row in report.bundles) if not name.startswith("service-")]
    keys = ("nic_leaf_link", "leaf_spine_link", "spine_core_link", "core_top_link")
    for key, name in zip(keys, bundles, strict=False):
        yield _links(key, report, name)
    if isinstance(family, FatTree):
        yield from _tree(family, network)


_FLAT_LINKS = {
    "router-router": "leaf_leaf_link",
    "router-router.x": "leaf_leaf_link",
    "router-router.local": "leaf_leaf_link",
    "router-router.y": "group_group_link",
    "router-router.global": "group_group_link",
}


def _flat(shape: str, report: NetworkReport) -> _Rows:
    yield Choice("shape", shape)
    yield Choice("rails", str(report.rails))
    yield Choice("planes", str(report.planes))
    yield _part("leaf_switch", report.stages[0].part)
    for name in dict.fromkeys(row.whole for row in report.bundles):
        yield _links(_FLAT_LINKS.get(name, "nic_leaf_link"), report, name)


def _tree(family: FatTree, network: Network) -> _Rows:
    if family.rail_optimised:
        yield Apart("rail-optimised leaves", "an optimum has rails as fabrics of their own, or none")
    if family.striping not in ("even", "aligned"):
        yield Apart(f"striping {family.striping}", "in an optimum the same boxes have a link more from every box below")
    if family.stages == 1:
        return
    ports = set(family.shape.boundaries[0].up.tolist())
    down, rate = network.read.structure.stage("leaf").group, family.port_gbps
    ratio = Fraction(down) * exact(rate) / (max(ports) * exact(family.shape.boundaries[0].gbps))
    if len(ports) > 1 or max(ratio.numerator, ratio.denominator) > _MOST_TAPER:
        yield Apart("taper", "its leaves differ")
    else:
        yield Choice("taper", f"{ratio.numerator}:{ratio.denominator}")


def values_of(design: Design, key: str) -> tuple[str, ...]:
    """Everything that an optimum has for a key: one value per pool, or per fabric."""
    if key in ("stages", "shape", "rails", "planes") or key.startswith(("leaf_", "spine_", "core_", "top_", "group_")):
        rows: Iterable[str | None] = (_of_fabric(fabric, key) for fabric in design.fabrics)
    else:
        rows = (value for pool in design.pools for value in _of_pool(design, pool, key))
    return tuple(dict.fromkeys(row for row in rows if row is not None))


def _of_fabric(fabric: Fabric, key: str) -> str:
    if key == "stages":
        return str(len(fabric.stages)) if fabric.shape == "tree" else f"a {fabric.shape} of leaves"
    if key in ("shape", "rails", "planes"):
        return str(getattr(fabric, key))
    if key.endswith("_link"):
        name = key.removesuffix("_link")
        return _pair(next((boundary for boundary in fabric.boundaries if boundary.name == name), None))
    switches = {stage.name: stage.switch for stage in fabric.stages}
    return {f"{name}_switch": switch for name, switch in switches.items()}.get(key, NONE)


def _of_pool(design: Design, pool: PoolDesign, key: str) -> tuple[str, ...]:
    up = pool.scale_up
    if key == "scale_up_switch":
        above = () if up.upper is None else (up.upper.switch,)
        return tuple(dict.fromkeys((up.switch or NONE, *above)))
    if key == "taper":
        fabric = design.fabrics[pool.fabric]
        uplinks = fabric.stages[0].up_ports if fabric.shape == "tree" else 0
        if not uplinks:
            return (NONE,)
        at = pool.attachment
        # A leaf for more domains than there are is not full.
        group = at.group * min(at.domains_per_leaf, pool.domains) // at.domains_per_leaf
        below = group * pool.plan.nics * pool.nic_leaf.rate_gbps
        ratio = Fraction(below, uplinks * fabric.uplink_gbps)
        return (f"{ratio.numerator}:{ratio.denominator}",)
    one = {
        "accelerator": pool.accelerator,
        "nic": pool.nic,
        "domain_size": str(pool.domain_size),
        "scale_up_planes": str(up.planes) if up.switch is not None else NONE,
        "scale_up_link": _pair(up.boundary),
        "nic_leaf_link": _pair(pool.nic_leaf),
    }
    return (one[key],)


def _pair(boundary: Boundary | None) -> str:
    return NONE if boundary is None else f"{boundary.lower_link}/{boundary.upper_link}"
