"""The shipped instances, solved: known machines come out as they are sold, and reach decides the medium."""

from __future__ import annotations

import pytest
from solved_instances import solved

from designer.catalogue import load_catalogue
from designer.design.types import Design, PoolDesign
from designer.report.screen import WIDTH
from designer.runs import verify_stored

# The other instances are solved in test_instances.py.
INSTANCES = (
    "deepseek-v3-decode-hgx-vs-nvl72",
    "deepseek-v3-decode-three-ways",
    "hgx-h100-pinned",
    "nvl72-pinned",
    "one-rack-at-20-m",
    "one-rack-copper-or-optics",
    "scale-out-cpo-dsp-lpo",
    "scale-out-cpo-dsp-lpo-infiniband",
)


def design_of(name: str) -> Design:
    design = solved(name).result.design
    assert design is not None
    return design


def pool_of(name: str) -> PoolDesign:
    (pool,) = design_of(name).pools
    return pool


def tech(link: str) -> str:
    return load_catalogue().links[link].tech


@pytest.mark.parametrize("name", INSTANCES)
def test_every_instance_is_solved_proven_checked_and_shown(name: str) -> None:
    run = solved(name)
    assert run.result.status == "optimal"
    assert run.agrees
    assert run.result.flow is not None
    proof = run.result.proof
    assert proof is not None
    assert proof.gap is not None
    assert 0 <= proof.gap <= 1e-6
    lines = run.screen.splitlines()
    assert len(lines) <= 45
    assert max(len(line) for line in lines) <= WIDTH
    assert run.folder is not None
    assert verify_stored(run.folder, flow_check=False).ok


def test_nvl72_comes_out_as_it_is_sold() -> None:
    pool = pool_of("nvl72-pinned")
    assert pool.domain_size == 72
    assert pool.scale_up.switches == 18 * pool.domains
    assert pool.scale_up.shares == (1,) * 18
    assert pool.scale_up.boundary.links == 1296 * pool.domains
    # 72 x 18 links of 4 pairs (2 lanes a direction) are the 5,184 pairs of the cartridge.
    assert pool.scale_up.boundary.links // pool.domains * 4 == 5184
    assert tech(pool.scale_up.boundary.lower_link) == "copper_backplane"


def test_hgx_h100_comes_out_as_it_is_sold() -> None:
    pool = pool_of("hgx-h100-pinned")
    assert pool.domain_size == 8
    assert pool.scale_up.switches == 4 * pool.domains
    assert sorted(pool.scale_up.shares) == [4, 4, 5, 5]
    assert pool.scale_up.ports_per_accelerator == 18
    # Even striping uses the smallest share on every switch: 16 of 18 ports of 200 Gb/s.
    assert pool.scale_up.usable_gbps == 3200


def test_copper_where_it_reaches_and_optics_where_it_does_not() -> None:
    near, far = pool_of("one-rack-copper-or-optics"), pool_of("one-rack-at-20-m")
    assert tech(near.scale_up.boundary.lower_link) == "copper_backplane"
    assert far.scale_up.boundary.length_m == 20.0
    catalogue = load_catalogue()
    for link in (far.scale_up.boundary.lower_link, far.scale_up.boundary.upper_link):
        assert catalogue.links[link].fibres.count > 0
        reach = catalogue.links[link].reach_m.at("mid")
        assert reach is not None
        assert reach >= 20
    accounts = [solved(name).result.account for name in ("one-rack-copper-or-optics", "one-rack-at-20-m")]
    assert accounts[0] is not None
    assert accounts[1] is not None
    assert accounts[0].annual_usd < accounts[1].annual_usd
    assert accounts[0].hard_repairs_per_year < accounts[1].hard_repairs_per_year


@pytest.mark.parametrize("name", ["scale-out-cpo-dsp-lpo", "scale-out-cpo-dsp-lpo-infiniband"])
def test_non_blocking_fabrics_of_two_stages(name: str) -> None:
    design = design_of(name)
    assert [stage.name for stage in design.fabric.stages] == ["leaf", "spine"]
    leaf = design.fabric.stages[0]
    rate = design.fabric.uplink_gbps
    (pool,) = design.pools
    assert leaf.up_ports * rate >= leaf.down_ports * pool.nic_leaf.rate_gbps
    flow = solved(name).result.flow
    assert flow is not None
    assert flow.bisection_at_nic_rate is not None
    assert flow.bisection_at_nic_rate.margin == pytest.approx(1.0)


def test_a_what_if_is_named_where_it_is_chosen() -> None:
    result = solved("deepseek-v3-decode-three-ways").result
    assert result.design is not None
    chosen = [pool for pool in result.design.pools if pool.beyond_announced]
    assert len(result.what_ifs) == len(chosen)
