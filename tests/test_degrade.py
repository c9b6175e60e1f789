"""What failures leave of a design: by hand, against all failures one by one, and against linear programs."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from fabric_designs import CLOS, MESH, SPECS, TORUS, FabricSpec, PoolSpec, design_of
from scipy.optimize import linprog

from designer.degrade import degrade
from designer.degrade import search as search_room
from designer.degrade.above import reach_of
from designer.degrade.copy import copy_of
from designer.degrade.field import Broken, Field
from designer.degrade.search import Search, worst_of
from designer.degrade.universe import classes_of, groups_of, named
from designer.design.types import Design, Fabric, Stage
from designer.problems import InputError

TIGHT = PoolSpec(size=8, domains=8, shares=(4, 4, 4, 4), nic_rate=400, other_need=400.0, scale_up_need=12_800.0)
TREE = FabricSpec(stages=2, rate=400, m=1, spines=8, pools=(TIGHT,))


def left(design: Design, *broken: Broken) -> tuple[float, float]:
    return tuple(Field(design).worst(broken))  # type: ignore[return-value]


def in_copy(design: Design, kind: str, at: int = 0, *, unit: int = 0) -> Broken:
    return Broken("fabric", 0, unit, "box", Field(design).copies[0].network.kind_range(kind)[at])


def link(design: Design, bundle: str, at: int = 0, *, unit: int = 0) -> Broken:
    net = Field(design).copies[0].network
    place = [of.name for of in net.bundles].index(bundle)
    return Broken("fabric", 0, unit, "link", int(np.flatnonzero(net.bundle == place)[at]))


def test_copies_have_the_counts_that_the_design_states(spec: FabricSpec) -> None:
    design = design_of(spec)
    net, fabric = Field(design).copies[0].network, design.fabric
    ports = net.ports()
    for stage in fabric.stages:
        boxes = net.kind_range(stage.name)
        assert len(boxes) == stage.count
        if stage.name != "spine" or len(fabric.stages) == 2:
            # Pods are bought whole: a spine of a short pod has fewer links than it states.
            assert ports[boxes].max() == stage.down_ports + stage.up_ports
    copies = fabric.rails * fabric.planes
    for boundary in fabric.boundaries:
        assert net.links_of(boundary.name) * copies == boundary.links
    nic = sum(pool.nic_leaf.links for pool in design.pools)
    assert int(net.links[net.lower < net.endpoints].sum()) * copies == nic
    for pool, domain in zip(design.pools, Field(design).domains, strict=True):
        if domain is not None and pool.scale_up.boundary is not None:
            assert domain.links_of("scale_up") * pool.domains == pool.scale_up.boundary.links
        if domain is not None and pool.scale_up.upper is not None:
            assert domain.links_of("scale_up_upper") * pool.domains == pool.scale_up.upper.boundary.links


def test_classes_are_all_single_failures_of_a_design(spec: FabricSpec) -> None:
    see_all_single_failures_in_classes(design_of(spec))


def see_all_single_failures_in_classes(design: Design) -> None:
    """Break everything one by one: shares and members of the classes are those of what breaks alone."""
    field = Field(design)
    alone: dict[str, list[tuple[float, ...]]] = {}
    for group in groups_of(field):
        for at in range(group.count):
            shares = [round(bound, 9) for share in field.shares([group.pick(at)]) for bound in share]
            alone.setdefault(group.name, []).append(tuple(shares))
    classes: dict[str, list[tuple[float, ...]]] = {}
    for place in classes_of(field):
        assert place.tried == place.single == sum(of.members for of in place.classes)
        if place.certificate is not None:
            assert place.certificate.exact
            assert place.certificate.proven
        for of in place.classes:
            shares = [round(bound, 9) for share in field.shares([of.broken]) for bound in share]
            classes.setdefault(of.name, []).extend([tuple(shares)] * of.members)
    assert {name: sorted(rows) for name, rows in classes.items()} == {
        name: sorted(rows) for name, rows in alone.items()
    }


def test_spine_leaf_host_and_link_of_a_tight_tree_by_hand() -> None:
    design = design_of(TREE)
    assert left(design) == (1.0, 1.0)
    # docs/rules.md section 10: 1 - (n_s - 1) m r_u / (g need).
    assert left(design, in_copy(design, "spine")) == pytest.approx((7 / 8, 7 / 8))
    assert left(design, in_copy(design, "leaf", 3)) == pytest.approx((7 / 8, 7 / 8))
    assert left(design, Broken("host", 0, 0, "box", 5)) == pytest.approx((7 / 8, 7 / 8))
    # One uplink: everybody at 7/8 at worst, only the replica below that leaf at best.
    assert left(design, link(design, "leaf_spine")) == pytest.approx((7 / 8, 1 - 1 / 64))
    # A NIC's only link, and an accelerator's whole replica with it.
    assert left(design, link(design, "nic_leaf")) == pytest.approx((7 / 8, 7 / 8))
    assert left(design, in_copy(design, "spine"), in_copy(design, "spine", 1)) == pytest.approx((6 / 8, 6 / 8))
    every = [in_copy(design, "spine", at) for at in range(8)]
    assert left(design, *every) == (0.0, 0.0)


def test_of_leaves_that_share_no_spine_some_are_given_up() -> None:
    """Each leaf alone has half of its links, but they cannot reach each other: at least the others go on."""
    spec = replace(TREE, spines=2, m=4, pools=(replace(TIGHT, domains=2),))
    broken = [link(design_of(spec), "leaf_spine", row) for row in (0, 3) for _ in range(4)]
    assert left(design_of(spec), *broken) == pytest.approx((0.5 / 2, 0.5))
    # Two and two: giving up any one leaf helps nobody, but with one spine stopped those at the other meet.
    four = replace(spec, pools=(replace(TIGHT, domains=4),))
    broken = [link(design_of(four), "leaf_spine", row) for row in (0, 2, 5, 7) for _ in range(4)]
    assert left(design_of(four), *broken) == pytest.approx((0.5 / 2, 0.5))


def test_planes_carry_on_as_far_as_the_others_have_room() -> None:
    pool = replace(TIGHT, nic_rate=800, other_need=400.0)
    design = design_of(replace(TREE, spines=4, planes=2, pools=(pool,)))
    # 400 of 800 are needed: a NIC port is enough, and so are four uplinks of 400 for eight accelerators' 200 ...
    assert left(design, in_copy(design, "spine")) == pytest.approx((3 / 4, (1 + 3 / 4) / 2))
    # ... but of a plane alone only half.
    assert left(design, in_copy(design, "leaf")) == pytest.approx((1 - 1 / 16, 1 - 1 / 16))
    roomy = design_of(replace(TREE, spines=8, planes=2, pools=(pool,)))
    assert left(roomy, in_copy(roomy, "leaf")) == (1.0, 1.0)
    assert left(roomy, link(roomy, "nic_leaf")) == (1.0, 1.0)
    both = [in_copy(roomy, "leaf", unit=plane) for plane in (0, 1)]
    assert left(roomy, *both) == pytest.approx((7 / 8, 7 / 8))


def test_scale_up_planes_with_and_without_spares() -> None:
    design = design_of(TREE)
    switch = Broken("domain", 0, 2, "box", 8)
    cable = Broken("domain", 0, 2, "link", 0)
    # 16 ports of 800 are all needed; without spare planes the job may stop.
    assert left(design, switch) == pytest.approx((7 / 8, 7 / 8 + 3 / 4 / 8))
    assert left(design, cable) == pytest.approx((7 / 8, 7 / 8 + 15 / 16 / 8))
    spare = replace(design.pools[0].scale_up, spare_planes=1)
    plan = replace(design.pools[0].plan, scale_up_need_gbps=9600.0)
    sparing = replace(design, pools=(replace(design.pools[0], scale_up=spare, plan=plan),))
    assert left(sparing, switch) == (1.0, 1.0)
    assert left(sparing, cable) == (1.0, 1.0)
    assert left(sparing, switch, Broken("domain", 0, 2, "box", 9)) == pytest.approx((7 / 8 + 2 / 3 / 8,) * 2)


def test_two_scale_up_stages_by_hand() -> None:
    design = design_of(FabricSpec(stages=1, pools=(CLOS,)))
    net = Field(design).domains[0]
    assert net is not None
    # 2 planes x 2 links of 800 for a need of 2900; an upper switch is a quarter of the room between the stages.
    upper = Broken("domain", 0, 0, "box", net.kind_range("upper")[0])
    room = [2 * 4 * 800, 2 * 4 * 800 - 0.5 * 4 * 2 * 800]
    assert room[1] / (4 * 2900) < 1
    low, high = left(design, upper)
    assert low == pytest.approx(0.5 + 0.5 * 4 * 2 * 800 / (4 * 2900))
    assert high == pytest.approx(0.5 + 0.5 * (4 * 2 + 4) * 800 / (4 * 2900))
    first = Broken("domain", 0, 0, "box", net.kind_range("switch")[0])
    assert left(design, first) == pytest.approx((0.5, 0.5 + 0.5 * 1600 / 2900))


def test_a_spare_domain_may_stand_in() -> None:
    design = design_of(TREE)
    pool = replace(design.pools[0], spare_domains=1, replicas=7)
    sparing = replace(design, pools=(pool,))
    assert left(sparing, Broken("host", 0, 0, "box", 0)) == pytest.approx((6 / 7, 1.0))
    two = [Broken("host", 0, 0, "box", 0), Broken("host", 0, 0, "box", 4)]
    assert left(sparing, *two) == pytest.approx((5 / 7, 6 / 7))
    # The last domain serves nobody.
    assert left(sparing, Broken("host", 0, 0, "box", 15)) == (1.0, 1.0)


def test_domains_joined_directly_break_with_their_hosts_only() -> None:
    for spec in (MESH, TORUS):
        field = Field(design_of(FabricSpec(stages=1, pools=(spec,))))
        names = {group.name for group in groups_of(field)}
        assert names == {f"{spec.name} host", "leaf", "nic_leaf link"}
        assert field.domains[0] is not None
        assert (field.domains[0].ports() == field.domains[0].ports()[0]).all()


def flat_design(shape: str, dims: tuple[int, ...], links: tuple[int, ...], need: float) -> Design:
    """Leaves joined directly, eight accelerators on each."""
    leaves = int(np.prod(dims))
    design = design_of(FabricSpec(stages=1, pools=(replace(TIGHT, domains=leaves, other_need=need),)))
    pool = design.pools[0]
    stages = (Stage("leaf", "box", leaves, 8, 1),)
    fabric = Fabric(
        "Ethernet",
        1,
        1,
        stages,
        400,
        0,
        0,
        leaves,
        1,
        0,
        0,
        0.0,
        (),
        1,
        shape,
        dims,
        links,  # type: ignore[arg-type]
    )
    attachment = replace(pool.attachment, domains_per_leaf=1, group=8, leaves=leaves, need_gbps=need)
    plan = replace(pool.plan, nic_gbps=2 * need)
    return replace(design, pools=(replace(pool, attachment=attachment, plan=plan),), fabric=fabric)


@pytest.mark.parametrize(
    ("shape", "dims", "links", "room"),
    [
        ("mesh", (6,), (2,), 2 * 400 * 6 / 2),
        ("hyperx", (4, 3), (2, 3), min(2 * 4, 3 * 3) * 400 / 2),
        ("dragonfly", (3, 4), (2, 2), min(2 * 4 / (2 * 3), 2 * 3 * 4 / (2 * 7)) * 400),
    ],
)
def test_leaves_joined_directly_carry_what_the_rules_say(
    shape: str, dims: tuple[int, ...], links: tuple[int, ...], room: float
) -> None:
    """docs/rules.md 7.1: the least that is promised is its ``cap``, by linear programming instead of by its formula."""
    copy = copy_of(flat_design(shape, dims, links, room / 8), 0)
    uplinks = {
        "mesh": links[0] * (dims[0] - 1),
        "hyperx": sum(m * (a - 1) for m, a in zip(links, dims, strict=False)),
        "dragonfly": links[0] * (dims[0] - 1) + links[-1] * (dims[-1] - 1) // dims[0],
    }[shape]
    net = copy.network
    assert (net.ports()[copy.leaves] == 8 + uplinks).all()
    found = reach_of(copy, np.zeros(len(net.lower), np.int64), copy.demand, copy.demand)
    assert found.low == pytest.approx(np.ones(len(copy.leaves)), rel=1e-6)
    assert (found.high > 1).all()


def test_a_leaf_less_in_a_mesh_takes_what_the_rules_say() -> None:
    design = flat_design("mesh", (6,), (2,), 2 * 400 * 6 / 2 / 8)
    low, high = left(design, in_copy(design, "leaf"))
    # A sixth of the replicas stops; the others have m r (L - 1) / 2 of what they need at least.
    assert low == pytest.approx(5 / 6 * 5 / 6)
    assert high == pytest.approx(5 / 6)


def test_the_other_of_two_leaves_has_nobody_to_miss() -> None:
    """docs/rules.md section 10: a mesh of two loses with a leaf what is below it."""
    design = flat_design("mesh", (2,), (8,), 400.0)
    assert left(design, in_copy(design, "leaf")) == (0.5, 0.5)
    assert left(design, in_copy(design, "leaf"), in_copy(design, "leaf", 1)) == (0.0, 0.0)
    # Two leaves that stand and have lost their links: one of them is stopped.
    assert left(design, *[link(design, "leaf_leaf")] * 8) == (0.5, 0.5)
    assert left(design, *[link(design, "leaf_leaf")] * 2) == pytest.approx((0.75, 0.75))


def routable(copy_rows: tuple[np.ndarray, np.ndarray], traffic: np.ndarray) -> float:
    """Largest multiple of traffic between the leaves of a three-stage copy that its links carry, over any way up.

    ``copy_rows``: Gb/s (leaves, spines) and (pods, spines, cores).
    """
    up, core = copy_rows
    leaves, spines = up.shape
    pods, cores = core.shape[0], core.shape[2]
    pod = np.arange(leaves) // (leaves // pods)
    ways = [
        (one, two, spine, at)
        for one, two in itertools.permutations(range(leaves), 2)
        for spine in range(spines)
        for at in ([-1] if pod[one] == pod[two] else range(cores))
        if traffic[one, two] > 0
    ]
    pairs = sorted({way[:2] for way in ways})
    rows: list[tuple[int, int]] = []
    room = np.concatenate([up.ravel(), up.ravel(), core.ravel(), core.ravel()])
    base = [0, up.size, 2 * up.size, 2 * up.size + core.size]
    for column, (one, two, spine, at) in enumerate(ways):
        rows += [(base[0] + one * spines + spine, column), (base[1] + two * spines + spine, column)]
        if at >= 0:
            rows += [(base[2] + (pod[one] * spines + spine) * cores + at, column)]
            rows += [(base[3] + (pod[two] * spines + spine) * cores + at, column)]
    fits = np.zeros((len(room), len(ways) + 1))
    for row, column in rows:
        fits[row, column] += 1
    sent = np.zeros((len(pairs), len(ways) + 1))
    for column, way in enumerate(ways):
        sent[pairs.index(way[:2]), column] = 1
    sent[:, -1] = [-traffic[pair] for pair in pairs]
    goal = np.zeros(len(ways) + 1)
    goal[-1] = -1
    found = linprog(goal, A_ub=fits, b_ub=room, A_eq=sent, b_eq=np.zeros(len(pairs)))
    assert found.status == 0
    return float(found.x[-1])


@pytest.mark.parametrize("seed", range(6))
def test_what_is_promised_is_carried_whoever_talks_to_whom(seed: int) -> None:
    """Damaged trees: the least fits for every traffic tried; no leaf gets more up than the most."""
    draw = np.random.default_rng(seed)
    pool = replace(TIGHT, size=4, hosts_of=4, domains=6, shares=(1, 1), other_need=300.0)
    # Two seeds of three with a link less to one of the cores.
    spec = FabricSpec(
        stages=3, rate=400, m=1 + seed % 2, spines=4, leaves_per_pod=3, m2=2, cores_per_spine=2, lean=min(seed % 3, 1)
    )
    spec = replace(spec, pools=(pool,))
    copy = copy_of(design_of(spec), 0)
    net = copy.network
    above = np.flatnonzero(net.lower >= net.endpoints)
    lost = np.zeros(len(net.lower), np.int64)
    lost[draw.choice(above, 3, replace=False)] = 1
    found = reach_of(copy, lost, copy.demand, copy.demand)
    gbps = (net.links - lost) * 400.0
    up, core = (
        gbps[at : at + int(np.prod(shape))].reshape(shape) for at, shape in zip(copy.rows, copy.shapes, strict=True)
    )
    promised = copy.demand * found.low
    assert promised.any()
    for _ in range(6):
        partner = draw.permutation(len(promised))
        traffic = np.zeros((len(promised),) * 2)
        for one, two in enumerate(partner):
            if one != two:
                traffic[one, two] = min(promised[one], promised[two])
        if traffic.any():
            assert routable((up, core), traffic) >= 1 - 1e-6
    for leaf in range(len(promised)):
        alone = np.minimum(up[leaf], core[copy.pod[leaf]].sum(1)).sum()
        assert found.high[leaf] <= alone / copy.demand[leaf] + 1e-9
        assert found.high[leaf] >= found.low[leaf]


@pytest.mark.parametrize("name", ["two stages, replicas across leaves", "three stages"])
def test_the_worst_pair_is_the_worst_of_all_pairs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_room, "MOST_TRIED", 800)
    field = Field(design_of(SPECS[name]))
    every = [group.pick(at) for group in groups_of(field) for at in range(group.count)]
    found = degrade(field.design, failures=2, samples=2)
    draw = np.random.default_rng(0)
    pairs = list(itertools.combinations(range(len(every)), 2))
    if len(pairs) > 1000:
        pairs = [pairs[at] for at in draw.choice(len(pairs), 1000, replace=False)]
    shares = [field.worst([every[one], every[two]]) for one, two in pairs]
    for worst, least in zip(found.worst, (min(of.high for of in shares), min(of.low for of in shares)), strict=True):
        own = worst.left.most if worst.sure else worst.left.least
        assert own <= least + 1e-12
        if worst.exact and len(pairs) < 1000:
            assert own == pytest.approx(least)


def test_the_search_finds_a_planted_trio() -> None:
    """Three links that hurt together only: greedy steps alone are blind to them, what stands beside is looked at."""
    planted = {40, 41, 42}

    class Answer:
        def __init__(self, chosen: set[int]) -> None:
            hit = len(chosen & planted)
            self.most = 1 - 0.01 * hit - (0.5 if hit == 3 else 0)
            self.least = self.most

    search = Search([(200, lambda at: at)], lambda chosen: Answer(set(chosen)), 0)  # type: ignore[arg-type, return-value]
    found = worst_of(search, str, 3, [40], complete=False, symmetric=False)
    assert set(found[0].names) == {"40", "41", "42"}
    assert not found[0].exact
    assert found[0].tried < 3 * 3000


def test_samples_repeat_and_bound_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_room, "MOST_TRIED", 10)
    design = design_of(TREE)
    one, two, other = (degrade(design, failures=3, samples=20, seed=seed) for seed in (1, 1, 2))
    assert one == two
    assert one.random != other.random
    assert [of.of for of in one.random] == ["switches", "links", "hosts"]
    for of in one.random:
        assert of.worst_least <= of.least <= of.most <= 1
        assert of.least_low <= of.least <= of.least_high
        assert len(of.worst) == 3
        assert of.rarer == pytest.approx(1 - 0.05 ** (1 / 20))
    hosts = one.random[2]
    # Three of 16 hosts, two to a replica: on average 8 (1 - C(14, 3) / C(16, 3)) of 8 replicas stop.
    assert hosts.least_low <= (14 * 13 * 12) / (16 * 15 * 14) <= hosts.least_high


def test_names_say_where_things_stand() -> None:
    field = Field(design_of(SPECS["two stages, two pools"]))
    words = {named(field, group.pick(0)) for group in groups_of(field)}
    assert {"p/host0", "d/d0/switch4", "leaf0", "spine0", "leaf0 - spine0", "d/d0/endpoint0 - switch0"} - words <= {
        "d/d0/switch4"
    }


@pytest.mark.parametrize(("option", "value"), [("failures", 0), ("samples", 1), ("seed", -1)])
def test_wrong_options_are_refused(option: str, value: int) -> None:
    with pytest.raises(InputError, match=f"{option}: read {value}; a whole number"):
        degrade(design_of(TREE), **{option: value})


def test_a_design_that_cannot_be_wired_is_refused() -> None:
    design = design_of(TREE)
    broken = replace(design, fabric=replace(design.fabric, spines_per_pod=0))
    with pytest.raises(InputError, match="spines_per_pod = 0"):
        degrade(broken)
