"""A solved design of one pool written down as the file a person would write: the same choices in other words."""

from __future__ import annotations

from designer.catalogue import Catalogue
from designer.design.types import Boundary, Design, Fabric, PoolDesign
from designer.instance.schema import Instance


def given_text(design: Design, instance: Instance, catalogue: Catalogue) -> str:
    """The DESIGN.toml of a design with one pool and one fabric."""
    (pool,) = design.pools
    lines = [
        "schema_version = 1",
        f'name = "{design.instance}"',
        'title = "The answer, written down"',
        f'level = "{instance.level}"',
        "[endpoints]",
        f"accelerators = {pool.accelerators}",
        f'accelerator = "{pool.accelerator}"',
        f'nic = "{pool.nic}"',
        f"nics = {pool.plan.nics}",
        f"job_accelerators = {pool.plan.accelerators_per_replica}",
        f"spare_domains = {pool.spare_domains}",
    ]
    for name, table in (("site", instance.site), ("money", instance.money)):
        lines.append(f"[{name}]")
        given = table.model_dump(exclude_none=True, exclude_defaults=True)
        lines += [f"{key} = {value}" for key, value in given.items() if key != "lengths"]
    lines += _scale_up(pool, catalogue)
    lines += _scale_out(design, pool, catalogue)
    return "\n".join(lines) + "\n"


def _link(boundary: Boundary) -> str:
    return (
        f'{{ lower = "{boundary.lower_link}", upper = "{boundary.upper_link}", length_m = {float(boundary.length_m)} }}'
    )


def _scale_up(pool: PoolDesign, catalogue: Catalogue) -> list[str]:
    up = pool.scale_up
    if up.switch is None or up.boundary is None:
        return []
    head = ["[[networks]]", 'name = "scale_up"', 'endpoints_are = "accelerators"', f"repeat = {pool.domains}"]
    head.append(f"spare_planes = {up.spare_planes}")
    radix = catalogue.switches[up.switch].radix_by_port_gbps[up.port_gbps]
    ports = f"ports = {up.ports_per_accelerator}, port_gbps = {up.port_gbps}, planes = {up.planes}, radix = {radix}"
    if up.upper is None:
        return [
            *head,
            f'topology = {{ family = "single_stage", endpoints = {pool.domain_size}, {ports} }}',
            f'switches = {{ switch = "{up.switch}" }}',
            f"links = {{ endpoint-switch = {_link(up.boundary)} }}",
        ]
    upper = up.upper
    above = catalogue.switches[upper.switch].radix_by_port_gbps[up.port_gbps]
    stages = f"uplinks = {upper.uplinks}, uppers = {upper.switches_per_plane}, upper_radix = {above}"
    groups = f"groups = {pool.domain_size // upper.group}, endpoints_per_group = {upper.group}"
    return [
        *head,
        f'topology = {{ family = "scale_up_clos", {groups}, {ports}, {stages} }}',
        f'switches = {{ switch = "{up.switch}", upper = "{upper.switch}" }}',
        f"links = {{ endpoint-switch = {_link(up.boundary)}, switch-upper = {_link(upper.boundary)} }}",
    ]


def _mesh(fabric: Fabric, pool: PoolDesign) -> list[str]:
    """Leaves joined directly, all of them full."""
    (leaves,), (links,), (boundary,) = fabric.dims, fabric.links_per_pair, fabric.boundaries
    return [
        "[[networks]]",
        'name = "scale_out"',
        'endpoints_are = "nics"',
        "[networks.topology]",
        'family = "full_mesh"',
        f"size = {leaves}",
        f"links_per_pair = {links}",
        f"port_gbps = {fabric.uplink_gbps}",
        f"concentration = {pool.nics // leaves}",
        f"endpoint_gbps = {pool.nic_leaf.rate_gbps}",
        f"planes = {fabric.planes}",
        "[networks.switches]",
        f'router = "{fabric.stages[0].switch}"',
        "[networks.links]",
        f"endpoint-router = {_link(pool.nic_leaf)}",
        f"router-router = {_link(boundary)}",
    ]


def _scale_out(design: Design, pool: PoolDesign, catalogue: Catalogue) -> list[str]:
    fabric = design.fabric
    if fabric.shape == "mesh":
        return _mesh(fabric, pool)
    rate = pool.nic_leaf.rate_gbps
    rates = [rate] + [fabric.uplink_gbps] * (len(fabric.stages) - 1)
    switches = [catalogue.switches[stage.switch].radix_by_port_gbps for stage in fabric.stages]
    # Ports of a stage are counted at the rate of the links below it.
    radix = [ports[below] for ports, below in zip(switches, rates, strict=True)]
    keys = {
        "endpoints": pool.nics,
        "stages": len(fabric.stages),
        "radix": radix,
        "port_gbps": rate,
        "rails": fabric.rails,
        "planes": fabric.planes,
        "down": fabric.stages[0].down_ports,
    }
    if len(fabric.stages) > 1:
        keys |= {"uplink_gbps": fabric.uplink_gbps, "up": fabric.stages[0].up_ports}
        keys |= {"spines_per_pod": fabric.spines_per_pod}
    if len(fabric.stages) > 2:
        keys |= {"leaves_per_pod": fabric.leaves_per_pod, "spine_up": fabric.stages[1].up_ports}
        keys |= {"cores_per_group": fabric.cores_per_spine}
    if len(fabric.stages) > 1:
        above = {2: fabric.spines_per_pod, 3: fabric.cores_per_spine, 4: fabric.tops_per_core}[len(fabric.stages)]
        keys["striping"] = '"aligned"' if fabric.stages[-2].up_ports % above else '"even"'
    links = {"endpoint-leaf": pool.nic_leaf}
    for boundary in fabric.boundaries:
        links[boundary.name.replace("_", "-")] = boundary
    return [
        "[[networks]]",
        'name = "scale_out"',
        'endpoints_are = "nics"',
        "[networks.topology]",
        'family = "fat_tree"',
        *(f"{key} = {value}" for key, value in keys.items()),
        "[networks.switches]",
        *(f'{stage.name} = "{stage.switch}"' for stage in fabric.stages),
        "[networks.links]",
        *(f"{name} = {_link(boundary)}" for name, boundary in links.items()),
    ]
