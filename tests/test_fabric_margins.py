"""Margins: who passes, who fails, and how margins move with needs."""

from __future__ import annotations

import pytest
from fabric_designs import (
    SPECS,
    FabricSpec,
    PoolSpec,
    design_of,
    rules_of,
    with_needs,
)
from fabric_random import any_spec
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.fabric import (
    flow_check,
)


def test_a_design_with_room_passes(spec: FabricSpec) -> None:
    report = flow_check(design_of(spec))
    assert report.ok, report.violations
    assert report.theta is not None
    assert report.theta >= 1
    assert sum(row.binding for row in report.boundaries) >= 1
    assert {row.boundary for row in report.boundaries} == {
        "scale_up",
        "nic_leaf",
        *(("leaf_spine", "spine_core", "core_top")[: spec.stages - 1]),
        *("scale_up_upper" for pool in spec.pools if pool.kind == "clos"),
    }


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (1.0, set()),
        (1.2, {"oversubscribed_leaf_spine"}),
        (4.0, {"oversubscribed_leaf_spine", "oversubscribed_scale_up"}),
    ],
)
def test_growing_needs_are_found(factor: float, expected: set[str]) -> None:
    pool = PoolSpec(domains_per_replica=2, ep_need=300.0, other_need=100.0)
    design = with_needs(design_of(FabricSpec(pools=(pool,))), factor)
    rules = rules_of(design)
    assert expected == {rule for rule in rules if rule.startswith("oversubscribed")}
    assert flow_check(design).ok == (factor == 1.0)


def test_even_striping_decides_not_the_fluid_figure() -> None:
    # Sixteen of eighteen links count: 14,000 Gb/s fit the fluid 14,400 but not the striped 12,800.
    pool = PoolSpec(shares=(5, 4, 4, 5), scale_up_need=14_000.0)
    report = flow_check(design_of(FabricSpec(pools=(pool,))))
    assert {violation.rule for violation in report.violations} == {"oversubscribed_scale_up"}
    row = report.boundaries[0]
    assert (row.capacity_gbps, row.fluid_gbps) == (12_800, 14_400)
    assert "12800 of 14400 Gb/s usable" in row.cut
    assert report.theta == pytest.approx(128 / 140)
    assert report.theta_fluid == pytest.approx(144 / 140)


def test_the_core_can_be_the_bottleneck() -> None:
    pool = PoolSpec(size=4, hosts_of=4, domains=6, domains_per_replica=6, ep_need=600.0, other_need=50.0)
    report = flow_check(design_of(FabricSpec(stages=3, spines=4, leaves_per_pod=3, cores_per_spine=1, pools=(pool,))))
    # 12 accelerators x (600 x 3/5 + 50) leave a pod of 4 core uplinks.
    row = report.boundaries[-1]
    assert (row.boundary, row.demand_gbps, row.capacity_gbps) == ("spine_core", pytest.approx(4920), 3200)
    assert {"oversubscribed_spine_core"} <= {violation.rule for violation in report.violations}
    assert row.binding


def test_no_traffic_no_margin() -> None:
    report = flow_check(with_needs(design_of(SPECS["three stages"]), 0.0))
    assert report.ok
    assert (report.theta, report.theta_fluid, report.bisection, report.flows, report.lp) == (None, None, None, (), ())
    assert {row.margin for row in report.boundaries} == {None}
    assert report.bisection_at_nic_rate is not None


def test_bisection_at_nic_rate_is_one_over_the_oversubscription() -> None:
    for spines, expected in ((8, 1.0), (4, 0.5), (2, 0.25), (16, 1.0)):
        report = flow_check(design_of(FabricSpec(spines=spines)))
        assert report.bisection_at_nic_rate is not None
        assert report.bisection_at_nic_rate.margin == expected


@given(any_spec(), st.floats(0.05, 1.0))
@settings(max_examples=25, deadline=None)
def test_margins_scale_inversely_with_needs(spec: FabricSpec, factor: float) -> None:
    design = design_of(spec)
    whole, part = flow_check(design), flow_check(with_needs(design, factor))
    for one, two in zip(whole.boundaries, part.boundaries, strict=True):
        assert one.margin is not None
        assert two.margin == pytest.approx(one.margin / factor, rel=1e-9)
        assert one.capacity_gbps == two.capacity_gbps
    for one, two in zip(whole.flows, part.flows, strict=True):
        assert two.margin == pytest.approx(one.margin / factor, rel=1e-9)
