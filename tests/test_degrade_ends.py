"""A broken link never leaves less than what is at either of its ends would, stopped as a whole: one may stop it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fabric_designs import SPECS, FabricSpec, PoolSpec, design_of
from test_degrade import TIGHT, TREE, flat_design, left

from designer.degrade import degrade
from designer.degrade.field import Broken, Field
from designer.degrade.universe import classes_of, groups_of
from designer.design.types import Design


def few_uplinks() -> Iterator[tuple[str, Design]]:
    """Leaves with two to four uplinks, one to four planes, that have room or none, or are short as they stand."""
    for (spines, m), planes, need in itertools.product(((2, 1), (2, 2), (3, 1)), (1, 2, 4), (100.0, 300.0, 800.0)):
        pool = replace(TIGHT, nic_rate=800, other_need=need, domains=4)
        spec = replace(TREE, spines=spines, m=m, planes=planes, pools=(pool,))
        yield f"{spines} spines of {m}, {planes} planes, {need:.0f} Gb/s", design_of(spec)
    small = replace(TIGHT, size=4, hosts_of=4, domains=6, shares=(1, 1))
    for cores, planes, need in itertools.product((1, 2), (1, 2), (100.0, 300.0)):
        pools = (replace(small, other_need=need),)
        numbers = {"stages": 3, "rate": 400, "spines": 2, "leaves_per_pod": 3}
        spec = FabricSpec(**numbers, cores_per_spine=cores, planes=planes, pools=pools)  # type: ignore[arg-type]
        yield f"{cores} cores, {planes} planes, {need:.0f} Gb/s", design_of(spec)
    for shape, dims, links, room in (
        ("mesh", (2,), (3,), 1200.0),
        ("mesh", (3,), (1,), 600.0),
        ("mesh", (6,), (2,), 2400.0),
        ("hyperx", (4, 3), (2, 3), 1600.0),
        ("dragonfly", (2, 3), (1, 2), 240.0),
    ):
        yield f"{shape} {dims}", flat_design(shape, dims, links, room / 8)


def clos_of_small_jobs() -> Design:
    """Domains of two scale-up stages with a replica on every host: what one host misses is not missed by others."""
    design = design_of(SPECS["two-stage domains"])
    (pool,) = design.pools
    plan = replace(pool.plan, accelerators_per_replica=2, replicas_per_domain=4)
    return replace(design, pools=(replace(pool, plan=plan, replicas=8),))


DESIGNS = {
    **{name: design_of(spec) for name, spec in SPECS.items()},
    **dict(few_uplinks()),
    "small jobs in domains of two stages": clos_of_small_jobs(),
}


def ends(field: Field, of: Broken) -> Iterator[Broken]:
    """What is at the two ends of a link: boxes, or the host of an accelerator, found by its number alone."""
    network = field.domains[of.owner] if of.area == "domain" else field.copies[of.owner].network
    assert network is not None
    for end in (int(network.lower[of.at]), int(network.upper[of.at])):
        if end >= network.endpoints:
            yield of._replace(part="box", at=end)
            continue
        if of.area == "domain":
            owner, accelerator = of.owner, of.unit * field.design.pools[of.owner].domain_size + end
        else:
            # Endpoints of a rail: every so many accelerators of all pools in their order.
            rails, planes = field.copies[of.owner].fabric.rails, field.copies[of.owner].fabric.planes
            accelerator = end * rails + of.unit // planes
            owner = 0
            while field.design.pools[owner].fabric != of.owner or accelerator >= field.design.pools[owner].accelerators:
                if field.design.pools[owner].fabric == of.owner:
                    accelerator -= field.design.pools[owner].accelerators
                owner += 1
        pool = field.design.pools[owner]
        yield Broken("host", owner, 0, "box", accelerator // (pool.accelerators // pool.hosts))


@pytest.mark.parametrize("name", DESIGNS)
def test_a_link_leaves_no_less_than_what_is_at_its_ends(name: str) -> None:
    field = Field(DESIGNS[name])
    stopped: dict[Broken, tuple[float, float]] = {}
    for place in classes_of(field):
        for of in place.classes:
            if of.broken.part != "link":
                continue
            network = field.domains[of.broken.owner]
            if of.broken.area == "fabric":
                network = field.copies[of.broken.owner].network
            assert network is not None
            links = int(network.links[of.broken.at])
            for end in ends(field, of.broken):
                low, high = stopped.setdefault(end, field.worst([end]))
                # One link of the row, all but one, all: the less is broken, the more is left.
                shares = [field.worst([of.broken] * count) for count in sorted({1, max(links - 1, 1), links})]
                for share in shares:
                    assert share.low >= low - 1e-9, (of.name, end)
                    assert share.high >= high - 1e-9, (of.name, end)
                    assert share.low <= share.high


def test_a_plane_that_is_worse_than_gone_is_left_out_by_hand() -> None:
    """Leaves with two uplinks of 400 on each of 4 planes, 8 accelerators of 300 Gb/s: 800 for the 600 of a plane.

    Without one uplink a plane has 400 for 600: spread evenly over four planes 2/3 would be left, over three of them,
    with room for 800, everything (3 x 800 of 2,400), as without the leaf on that plane.
    """
    pool = replace(TIGHT, nic_rate=800, other_need=300.0, domains=4)
    design = design_of(replace(TREE, spines=2, m=1, planes=4, pools=(pool,)))
    network = Field(design).copies[0].network
    uplink = int(network.links_of("nic_leaf"))
    assert left(design, Broken("fabric", 0, 0, "box", network.kind_range("leaf")[0])) == (1.0, 1.0)
    assert left(design, Broken("fabric", 0, 0, "link", uplink)) == (1.0, 1.0)


def test_a_design_that_is_short_as_it_stands_says_so() -> None:
    """Two uplinks of 400 for 8 accelerators of 400 Gb/s: a quarter, before anything is broken and after."""
    design = design_of(replace(TREE, spines=2, m=1, pools=(replace(TIGHT, domains=4),)))
    assert left(design) == pytest.approx((0.25, 0.25))
    assert left(design, Broken("host", 0, 0, "box", 0)) == pytest.approx((3 / 16, 3 / 16))
    assert any("already gives its pools less" in note for note in degrade(design, failures=1, samples=2).notes)
    inside = design_of(replace(TREE, pools=(replace(TIGHT, scale_up_need=2 * 12_800.0),)))
    assert left(inside) == pytest.approx((0.5, 0.5))


def test_designs_that_carry_their_need_keep_it_with_nothing_broken() -> None:
    for name, spec in SPECS.items():
        assert left(design_of(spec)) == (1.0, 1.0), name


def test_pairs_with_a_link_leave_no_less_than_with_its_ends() -> None:
    """Two failures at once: of all pairs with a link, in designs in which links cut leaves off each other."""
    for name in ("rails", "two stages, two pools", "2 spines of 1, 2 planes, 300 Gb/s", "mesh (3,)"):
        field = Field(DESIGNS[name])
        things = [group.pick(at) for group in groups_of(field) for at in {0, group.count // 2, group.count - 1}]
        for one, other in itertools.permutations(things, 2):
            if one.part != "link":
                continue
            share = field.worst([one, other])
            for end in ends(field, one):
                assert share.low >= field.worst([end, other]).low - 1e-9, (name, one, other)


def test_hosts_of_endpoints_are_those_of_their_accelerators() -> None:
    """The same end of a link, by the numbers of its accelerator and as it is stopped."""
    pool = PoolSpec(size=8, domains=2, hosts_of=4, leaves_per_domain=2, domains_per_replica=2)
    for spec in (*SPECS.values(), FabricSpec(stages=2, rails=2, pools=(pool,))):
        field = Field(design_of(spec))
        for number, copy in enumerate(field.copies):
            for at in range(copy.network.endpoints):
                rows = [of for of in range(len(copy.network.lower)) if copy.network.lower[of] == at][:1]
                for unit in range(copy.fabric.rails * copy.fabric.planes):
                    of = Broken("fabric", number, unit, "link", rows[0])
                    (host,) = (end for end in ends(field, of) if end.area == "host")
                    assert host in [way[-1] for way in field._stopping([of])]
