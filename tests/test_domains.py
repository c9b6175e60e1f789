"""Scale-up domains of the optimiser: meshes, tori, one and two switch stages (``docs/rules.md`` section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import designer
from designer.answer import Answer, Question
from designer.candidates.clos import trunks
from designer.candidates.direct import mesh_gbps, torus_gbps, torus_sides
from designer.candidates.domains import build_domains, frames
from designer.candidates.dominance import reduce_domains
from designer.candidates.frame import Frame
from designer.candidates.offer import Offer, build_offer
from designer.candidates.scale_up import DomainDesign, second_box_load
from designer.candidates.shortlist import event_tails
from designer.candidates.terms import CAPEX, HOURS, WATTS, evaluate
from designer.candidates.weights import weights_of
from designer.catalogue import load_catalogue
from designer.instance.schema import Choose, Lengths, Pins, Risk, Site

INSTANCE = """
schema_version = 1
name = "domains"
title = "domains"
date = "{date}"
[[workloads]]
name = "decode"
llm = "deepseek_v3"
serve = "decode"
prompt_tokens = 4096
output_tokens = 1024
output_tokens_per_s = 100_000
precision = "bf16"
tpot_ms = 100.0
[choose]
scale_out_switches = ["sn5600"]
{choose}
"""
CPO_OVERLAY = '[[switches]]\nid = "nvlink7_cpo"\nels_modules = 18\nafr_hard = 0.02\n'


def ask(tmp_path: Path, choose: str, overlay: str = "", date: str = "2026-Q4") -> Question:
    file, extra = tmp_path / "domains.toml", tmp_path / "overlay.toml"
    file.write_text(INSTANCE.format(date=date, choose=choose))
    extra.write_text(overlay)
    return designer.load(file, extra if overlay else None)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Question:
    return ask(tmp_path_factory.mktemp("plain"), "")


def with_choice(question: Question, *, pin: Pins | None = None, site: Site | None = None, **choose: Any) -> Question:
    changed = {"choose": Choose(**choose), "pin": pin or Pins(), "site": site or Site()}
    return replace(question, instance=question.instance.model_copy(update=changed))


def offer_of(question: Question) -> Offer:
    return build_offer(question.catalogue, question.instance)


def domains_of(question: Question) -> list[DomainDesign]:
    offer, instance = offer_of(question), question.instance
    return [
        domain
        for one in offer.accelerators
        for domain in build_domains(
            one, offer.scale_up_switches, offer.links, instance.choose, instance.pin, offer.economy
        )
    ]


def frames_of(question: Question, offer: Offer | None = None) -> list[Frame]:
    offer, instance = offer or offer_of(question), question.instance
    return [
        frame
        for one in offer.accelerators
        for frame in frames(one, offer.scale_up_switches, instance.choose, instance.pin)
    ]


def direct_of(domains: Sequence[DomainDesign]) -> set[tuple[str, int, tuple[int, ...], float]]:
    nets = [d.network for d in domains if d.network.lower is None]
    return {(net.kind, net.size, net.dims, float(net.usable_gbps)) for net in nets}


# --- joined directly ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accelerator", "usable"), [("mi300x", 7 * 512.0), ("mi355x", 7 * 612.0), ("gaudi3", 7 * 3 * 200.0)]
)
def test_a_mesh_of_eight_has_equal_links_to_seven_others(plain: Question, accelerator: str, usable: float) -> None:
    found = domains_of(with_choice(plain, accelerators=(accelerator,)))
    assert direct_of(found) == {("mesh", 8, (), usable)}
    # Gaudi 3 may also be put behind switches; the two others speak to none.
    assert {d.network.kind for d in found} == ({"mesh", "switched"} if accelerator == "gaudi3" else {"mesh"})


def test_a_mesh_has_whole_links_only() -> None:
    assert mesh_gbps(8, 20, 200) == 7 * 2 * 200
    assert mesh_gbps(4, 20, 200) == 3 * 6 * 200


def test_tori_of_ironwood_grow_by_whole_cubes_with_the_shortest_sides(plain: Question) -> None:
    found = direct_of(domains_of(with_choice(plain, accelerators=("tpu_v7_ironwood",))))
    assert ("torus", 64, (4, 4, 4), 1575.0) in found
    assert ("torus", 512, (8, 8, 8), 798.4375) in found
    # 9,216 chips are announced; the next power of two after 8,192 is beyond them.
    assert {size for _, size, _, _ in found} == {64 * 2**i for i in range(8)}


def test_listed_sizes_of_a_torus_need_not_be_powers_of_two(plain: Question) -> None:
    listed = with_choice(plain, accelerators=("tpu_v7_ironwood",), domain_sizes=(100, 192, 384, 9216, 9280))
    assert {size: dims for _, size, dims, _ in direct_of(domains_of(listed))} == {
        192: (12, 4, 4),
        384: (12, 8, 4),
        9216: (24, 24, 16),
    }
    pinned = with_choice(plain, accelerators=("tpu_v7_ironwood",), pin=Pins(domain_size=256))
    assert {size for _, size, _, _ in direct_of(domains_of(pinned))} == {256}


@pytest.mark.parametrize("sides", [(4, 4), (5, 3), (2, 2), (6, 4), (3, 3, 2), (4, 4, 4), (1, 5)])
def test_bandwidth_of_a_torus_is_that_of_counted_shortest_paths(sides: tuple[int, ...]) -> None:
    size, rate = prod(sides), 100
    hops = [0] * len(sides)
    for target in product(*(range(a) for a in sides)):
        for i, (at, a) in enumerate(zip(target, sides, strict=True)):
            hops[i] += min(at, a - at)
    # Every node sends B/(S-1) to every other; direction i has two links per node in each direction of travel.
    limits = [Fraction(2 * rate * (size - 1), many) for many in hops if many]
    assert torus_gbps(sides, rate) == min(limits)


@pytest.mark.parametrize(("dims", "times"), [((4, 4, 4), 12), ((16, 16), 6), ((4, 4, 4), 60), ((6, 4, 2), 20)])
def test_sides_of_a_larger_torus_are_the_least(dims: tuple[int, ...], times: int) -> None:
    ways = [xs for xs in product(range(1, times + 1), repeat=len(dims)) if prod(xs) == times]
    sorted_sides = [tuple(sorted((a * x for a, x in zip(dims, xs, strict=True)), reverse=True)) for xs in ways]
    assert torus_sides(dims, times) == min(sorted_sides)


def test_a_pinned_scale_up_switch_excludes_direct_domains_but_stages_do_not(plain: Question) -> None:
    pinned = with_choice(plain, accelerators=("gaudi3",), pin=Pins(scale_up_switch="tomahawk_ultra"))
    assert {d.network.kind for d in domains_of(pinned)} == {"switched"}
    two = with_choice(plain, accelerators=("gaudi3", "mi300x"), scale_up_stages=(2,))
    assert {(d.accelerator.id, d.network.kind) for d in domains_of(two)} == {("gaudi3", "mesh"), ("mi300x", "mesh")}


@pytest.mark.parametrize(
    ("accelerator", "words"),
    [
        ("tpu_v5p", "torus of 64 reaches beyond its host of 4, and nobody pays for that wiring"),
        ("rubin_ultra_nvl576", "sold only in the vendor's own domain, whose switches are not known"),
        ("trainium2", "scale_up.port_gbps is not known"),
    ],
)
def test_an_accelerator_that_cannot_be_joined_says_why(plain: Question, accelerator: str, words: str) -> None:
    named = with_choice(plain, accelerators=(accelerator,), include_unreleased=True)
    reasons = {row.part: row.reason for row in offer_of(named).not_offered}
    assert words in reasons[accelerator]


def test_a_mesh_needs_a_port_for_every_other_and_a_torus_two_per_side(tmp_path: Path) -> None:
    overlay = '[[accelerators]]\nid = "mi300x"\nscale_up.ports = 6\n'
    overlay += '[[accelerators]]\nid = "tpu_v7_ironwood"\nscale_up.ports = 5\n'
    offer = offer_of(ask(tmp_path, 'accelerators = ["mi300x", "tpu_v7_ironwood"]', overlay))
    reasons = {row.part: row.reason for row in offer.not_offered}
    assert reasons["mi300x"] == "its mesh of 8 needs 7 scale-up ports, it has 6"
    assert reasons["tpu_v7_ironwood"] == "its torus of 64 needs 6 scale-up ports, it has 5"


def test_larger_tori_need_the_optical_switches_in_the_price(tmp_path: Path) -> None:
    overlay = '[[accelerators]]\nid = "tpu_v7_ironwood"\nprice_contains = ["host", "nic", "scale_up_link", "rack"]\n'
    question = ask(tmp_path, 'accelerators = ["tpu_v7_ironwood"]', overlay)
    assert {size for _, size, _, _ in direct_of(domains_of(question))} == {64}


# --- two stages --------------------------------------------------------------------------------------------------


def test_trunks_are_the_fewest_switches_that_do_not_block() -> None:
    tried = 0
    for groups, down, upper_radix in product(range(2, 13), range(1, 25), (4, 8, 12, 17)):
        found = trunks(groups, down, 64, upper_radix)
        fewest = next((n for n in range(1, down + 1) if n * (upper_radix // groups) >= down), None)
        if fewest is None or down + fewest * -(-down // fewest) > 64:
            assert found is None
            continue
        tried += 1
        assert found is not None
        tops, each = found
        assert tops == fewest
        assert tops * each >= down
        assert each * groups <= upper_radix
    assert tried > 200


def test_one_port_less_and_the_group_does_not_fit() -> None:
    assert trunks(16, 36, 72, 72) == (9, 4)
    assert trunks(16, 36, 71, 72) is None
    # Sixteen groups on 72 ports: four links each; on 63 ports three, so that twelve switches are needed.
    assert trunks(16, 36, 72, 63) == (12, 3)
    assert trunks(16, 36, 72, 15) is None


def test_nvl576_of_nvl72_parts_has_groups_of_at_most_36(plain: Question) -> None:
    name = "gb200_nvl72"
    asked = with_choice(plain, accelerators=(name,), beyond_announced=(name,), domain_sizes=(576,))
    found = frames_of(asked)
    assert found
    assert all(f.second is not None and f.second.id == "nvswitch4_chip" for f in found)
    assert max(f.group for f in found) == 36
    # Half of 72 ports face down: with every port on its own plane 36 accelerators, 16 groups, 4 links to each of 9.
    (widest,) = [f for f in found if f.group == 36]
    assert (widest.planes, widest.tops, widest.trunks) == (18, 9, 4)
    for f in found:
        share, groups = 18 // f.planes, 576 // f.group
        assert f.planes * share == 18
        assert f.group % 4 == 0 and 576 % f.group == 0
        assert f.group * share + f.tops * f.trunks <= 72
        assert f.tops * f.trunks >= f.group * share
        assert f.trunks * groups <= 72
        assert f.usable_gbps == 18 * 400


def test_cloudmatrix_384_comes_out_with_its_chips(plain: Question) -> None:
    """48 nodes with 7 first-stage chips each, 7 planes of 16 second-stage chips: arXiv:2506.12708."""
    asked = with_choice(plain, accelerators=("ascend_910c",), domain_sizes=(384,))
    built = {
        d.switch_counts
        for d in domains_of(asked)
        if (d.network.planes, d.network.group) == (7, 8) and d.switch_counts[0][0] == "huawei_ub_l1"
    }
    assert built == {(("huawei_ub_l1", 48 * 7), ("huawei_ub_l2", 7 * 16))}


def test_two_stages_only_where_one_does_not_do(plain: Question) -> None:
    name = "gb200_nvl72"
    asked = with_choice(plain, accelerators=(name,), rearranged=(name,), domain_sizes=(64, 72), scale_up_stages=(2,))
    found = frames_of(asked)
    # At 18 planes one switch takes 72 ports of 64 or 72 accelerators; 72 on this switch is what the vendor sells.
    assert {f.size for f in found} == {64}
    assert {f.planes for f in found} == {2, 3, 6, 9}
    offer = offer_of(asked)
    smaller = replace(offer.scale_up_switches["nvswitch4_chip"], radix={400: 63})
    with_less = replace(offer, scale_up_switches={smaller.id: smaller})
    assert 18 in {f.planes for f in frames_of(asked, with_less)}


def test_a_lone_second_stage_switch_is_not_offered(plain: Question) -> None:
    name = "gb200_nvl72"
    asked = with_choice(
        plain,
        accelerators=(name,),
        rearranged=(name,),
        domain_sizes=(12,),
        scale_up_shares=(0.1,),
        scale_up_stages=(2,),
    )
    offer = offer_of(asked)
    chip = offer.scale_up_switches["nvswitch4_chip"]
    (one,) = offer.accelerators

    def tops(upper_radix: int) -> set[int]:
        # One port each, so one plane; three groups of four behind eight ports.
        switches = {"small": replace(chip, id="small", radix={400: 8}), "top": replace(chip, id="top")}
        switches["top"] = replace(switches["top"], radix={400: upper_radix})
        parts = replace(offer, accelerators=(replace(one, switches=("small", "top")),), scale_up_switches=switches)
        return {f.tops for f in frames_of(asked, parts) if f.second is not None and f.second.id == "top"}

    assert tops(11) == {2}
    assert tops(12) == set()


def test_lists_pins_stages_and_sealing_hold_for_both_stages(plain: Question) -> None:
    def switches(**choose: Any) -> set[tuple[str, str]]:
        asked = with_choice(plain, beyond_announced=("gaudi3",), domain_sizes=(256, 512), **choose)
        return {(f.first.id, f.second.id if f.second is not None else "") for f in frames_of(asked)}

    both = {"tomahawk_ultra", "th6_scaleup"}
    everything = switches(accelerators=("gaudi3",))
    assert {pair for pair in everything if pair[1]} == set(product(both, both))
    listed = switches(accelerators=("gaudi3",), scale_up_switches=("tomahawk_ultra",), scale_up_stages=(2,))
    assert listed == {("tomahawk_ultra", "tomahawk_ultra")}
    assert all(upper == "" for _, upper in switches(accelerators=("gaudi3",), scale_up_stages=(1,)))
    pinned = with_choice(
        plain,
        accelerators=("gaudi3",),
        beyond_announced=("gaudi3",),
        domain_sizes=(512,),
        scale_up_stages=(2,),
        pin=Pins(scale_up_switch="th6_scaleup"),
    )
    assert {f.second.id for f in frames_of(pinned) if f.second is not None} == {"th6_scaleup"}
    sealed = with_choice(plain, accelerators=("mi455x_helios",), beyond_announced=("mi455x_helios",))
    assert {(f.size, f.planes, f.second) for f in frames_of(sealed)} == {(72, 12, None)}


def test_counts_of_two_stages_by_closed_form(plain: Question) -> None:
    asked = with_choice(
        plain,
        accelerators=("h100_sxm",),
        beyond_announced=("h100_sxm",),
        domain_sizes=(256,),
        links=("dr8_800", "aec_400"),
        site=Site(lengths=Lengths(scale_up_m=1.0, scale_up_upper_m=1.0)),
    )
    seen = set()
    for d in domains_of(asked):
        net, lower, upper = d.network, d.network.lower, d.network.upper
        if (net.planes, net.group) != (9, 16) or lower is None or upper is None:
            continue
        # Two ports per plane: 32 down, 32 up; 16 groups, so 4 links to each of 8 switches per plane.
        assert (upper.links_per_pair, upper.switches_per_plane, upper.uplinks) == (4, 8, 32)
        assert d.switch_counts == (("nvswitch3", 9 * 16), ("nvswitch3", 9 * 8))
        assert d.link_counts == (256 * 18, 9 * 16 * 32)
        if lower.pair.module:
            # A host has 8 x 18 ports of 200G in ends of 800G, a switch 32 of them.
            assert (lower.counts.lower_ends, lower.counts.upper_ends) == (32 * 36, 9 * 16 * 8)
        else:
            # A host sends 16 ports to every plane: 8 cables of 400G.
            assert lower.counts.cables == 32 * 9 * 8
        if upper.pair.module:
            assert (upper.counts.lower_ends, upper.counts.upper_ends) == (9 * 16 * 8, 9 * 8 * 16)
        else:
            # Four links between two switches: two cables of 400G.
            assert upper.counts.cables == 9 * 16 * 8 * 2
        seen.add((lower.pair.module, upper.pair.module))
    assert seen == set(product((True, False), repeat=2))


def test_a_group_may_have_a_backplane_where_the_domain_has_many_racks(plain: Question) -> None:
    name = "gb200_nvl72"
    asked = with_choice(plain, accelerators=(name,), beyond_announced=(name,), domain_sizes=(576,))
    on_cartridge = [
        d for d in domains_of(asked) if d.network.lower is not None and d.network.lower.pair.lower.placement == "rack"
    ]
    assert on_cartridge
    for d in on_cartridge:
        assert d.racks_per_domain > 1
        assert -(-d.network.group // 4 // d.hosts_per_rack) == 1
        assert d.lengths_m[0] < d.lengths_m[1]


def test_bandwidth_lost_above_the_groups_hangs_on_neither_replicas_nor_switches(plain: Question) -> None:
    offer = offer_of(plain)
    switch = offer.scale_up_switches["nvswitch4_chip"]
    replicas = np.array([1.0, 64.0, 5000.0])
    hours = [
        evaluate(second_box_load(switch, 576, boxes, offer.economy).times(boxes), replicas, replicas * 0, 1.0)[:, HOURS]
        for boxes in (9, 162)
    ]
    expected = 576 * switch.afr_hard * offer.economy.switch_tray_mttr_h
    assert np.concatenate(hours) == pytest.approx(expected)


# --- choosing ----------------------------------------------------------------------------------------------------


def print_of(d: DomainDesign) -> tuple[object, ...]:
    load = d.load
    return (
        *(d.size, d.usable_gbps, d.nic.id, d.nics, d.hosts_per_rack),
        *(round(value, 4) for value in (load.capex_usd, load.watts, load.repairs_usd, load.hours)),
    )


@pytest.mark.parametrize(
    ("accelerator", "size", "site", "risk"),
    [
        ("gb200_nvl72", (64, 72, 288), Site(), Risk()),
        ("gb200_nvl72", (64, 288), Site(racks=9000), Risk(max_job_hits_per_year=1e9, usd_per_hard_repair=50.0)),
        ("gaudi3", (8, 512), Site(lengths=Lengths(scale_up_m=3.0, scale_up_upper_m=30.0)), Risk()),
        ("b200_hgx", (8, 128), Site(it_power_mw=1e4), Risk()),
    ],
)
def test_the_shortlist_is_what_is_left_of_everything(
    plain: Question, accelerator: str, size: tuple[int, ...], site: Site, risk: Risk
) -> None:
    asked = with_choice(
        plain,
        accelerators=(accelerator,),
        beyond_announced=(accelerator,),
        domain_sizes=size,
        site=site,
        scale_up_shares=(1.0, 0.4),
    )
    asked = replace(asked, instance=asked.instance.model_copy(update={"risk": risk}))
    offer, instance = offer_of(asked), asked.instance
    weights = weights_of(instance, offer.economy)
    parts = (offer.scale_up_switches, offer.links, instance.choose, instance.pin, offer.economy)
    short = [d for one in offer.accelerators for d in build_domains(one, *parts, weights=weights)]
    every = domains_of(asked)
    assert len(short) < len(every) / 4
    left = reduce_domains(every, weights)
    assert sorted(map(print_of, reduce_domains(short, weights)), key=str) == sorted(map(print_of, left), key=str)
    assert {d.network.kind for d in left} >= {"switched", "clos"}


def test_tails_never_call_a_larger_blast_better() -> None:
    rng = np.random.default_rng(7)
    blasts, hits = rng.integers(0, 9, (40, 4)), rng.random((40, 4))
    tails = event_tails(blasts, hits, hits)
    no_worse = np.all(tails[:, None] <= tails[None], axis=2)
    assert no_worse.sum() > 40  # more than every row against itself
    for replica in (1, 3, 8, 20):
        weight = np.maximum(1, blasts // replica)
        money = (hits * weight).sum(axis=1) + (hits * np.maximum(blasts, replica)).sum(axis=1)
        assert np.all(money[:, None] <= money[None] + 1e-9, where=no_worse)


def test_the_front_end_adds_money_and_watts_but_no_racks(plain: Question) -> None:
    names = {"accelerators": ("b200_hgx",), "domain_sizes": (8,)}
    without = domains_of(with_choice(plain, **names))
    site = Site(front_end_usd_per_accelerator=1234.0, front_end_w_per_accelerator=56.0)
    added = domains_of(with_choice(plain, **names, site=site))
    replica = np.array([8.0])
    for before, after in zip(without, added, strict=True):
        more = evaluate(after.load, replica, replica, 1.0) - evaluate(before.load, replica, replica, 1.0)
        assert more[0, [CAPEX, WATTS]] == pytest.approx([8 * 1234.0, 8 * 56.0])
        assert np.abs(np.delete(more[0], [CAPEX, WATTS])).max() == 0.0
        assert before.hosts_per_rack == after.hosts_per_rack


def test_planes_of_a_nic_come_from_the_catalogue(plain: Question) -> None:
    options = {nic.id: nic.plane_options for one in offer_of(plain).accelerators for nic, _ in one.nic_options}
    assert options == {name: load_catalogue().nics[name].plane_options for name in options}
    assert any(len(planes) > 1 for planes in options.values())


# --- whole answers, recounted ------------------------------------------------------------------------------------


def solved(tmp_path: Path, choose: str, overlay: str = "", date: str = "2026-Q4") -> Answer:
    answer = designer.solve(ask(tmp_path, choose, overlay, date))
    assert answer.status == "optimal"
    return answer


@pytest.mark.parametrize(
    ("choose", "kind", "dims"),
    [
        ('accelerators = ["mi300x"]', "mesh", ()),
        ('accelerators = ["tpu_v7_ironwood"]\ndomain_sizes = [192]', "torus", (12, 4, 4)),
        ('accelerators = ["tpu_v7_ironwood"]\ndomain_sizes = [512]', "torus", (8, 8, 8)),
    ],
)
def test_a_direct_domain_is_bought_without_switches(tmp_path: Path, choose: str, kind: str, dims: Any) -> None:
    answer = solved(tmp_path, choose)
    assert answer.design is not None and answer.account is not None
    (pool,) = answer.design.pools
    up = pool.scale_up
    assert (up.kind, up.dims, up.switch, up.planes, up.switches, up.boundary, up.upper) == (
        *(kind, dims, None, 0, 0),
        *(None, None),
    )
    money = {line.item: line.capex_usd for line in answer.account.lines}
    assert money.get("scale_up_switches", 0) == money.get("scale_up_links", 0) == 0


@pytest.mark.parametrize(
    ("choose", "overlay", "date"),
    [
        ('accelerators = ["gb200_nvl72"]\nbeyond_announced = ["gb200_nvl72"]\ndomain_sizes = [144]', "", "2026-Q4"),
        ('accelerators = ["ascend_910c"]\ndomain_sizes = [384]', "", "2026-Q4"),
        (
            'accelerators = ["rubin_ultra_nvl144"]\nbeyond_announced = ["rubin_ultra_nvl144"]\ndomain_sizes = [288]\n'
            'scale_up_switches = ["nvlink7_cpo"]\ninclude_unreleased = true\nscale_up_stages = [2]',
            CPO_OVERLAY,
            "2027-Q4",
        ),
    ],
    ids=["copper and optics", "unified bus", "co-packaged"],
)
def test_two_stages_are_recounted_to_the_same_money(tmp_path: Path, choose: str, overlay: str, date: str) -> None:
    answer = solved(tmp_path, choose, overlay, date)
    assert answer.design is not None
    (pool,) = answer.design.pools
    up, upper = pool.scale_up, pool.scale_up.upper
    assert up.kind == "clos" and upper is not None and up.boundary is not None
    assert up.switches == pool.domains * up.planes * (pool.domain_size // upper.group)
    assert upper.switches == pool.domains * up.planes * upper.switches_per_plane
    assert up.boundary.links == pool.accelerators * up.ports_per_accelerator
    assert upper.boundary.links == up.switches * upper.uplinks
    assert upper.boundary.name == "scale_up_upper"


def test_the_answer_says_what_of_the_front_end_is_not_counted(tmp_path: Path) -> None:
    def told(site: str) -> list[str]:
        answer = solved(tmp_path, f'accelerators = ["b200_hgx"]\n[site]\n{site}')
        return [line for line in answer.assumptions if "front-end" in line]

    assert told("") == ["front-end, storage and management network not counted"]
    assert told("front_end_usd_per_accelerator = 900")[0].startswith("watts of the front-end")
    assert told("front_end_usd_per_accelerator = 900\nfront_end_w_per_accelerator = 40") == []
