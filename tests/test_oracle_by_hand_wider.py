"""The brute force against hand counts: spares, mixed parts, four stages, leaves joined directly, mended failures."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from oracle.attach import hang, whole_domains
from oracle.cables import Pair
from oracle.domain import bases
from oracle.enumerate import search
from oracle.fabric import Cabling, Shape, far, uplinks
from oracle.flat import Flat, flats
from oracle.latency import path_us
from oracle.layers import cablings, layers, length_between
from oracle.mixing import Slot, ways_to_run
from oracle.outage import share_below, share_of_leaf, shares_above, worst_share
from oracle.parts import Parts, exact
from oracle.plain import search_plainly
from oracle.sample import BOX, ENGINE, MODULE, PARTS, SHORT, SPINE, UP
from oracle.spares import at_most_down, uncovered
from oracle.task import ONE_COPY, task_of
from test_oracle_by_hand import NEAR, asked, changed, instance_for, within

from designer.instance.schema import Instance

LONG = replace(SHORT, id="long", reach=Fraction(100))
LONG_PAIR = Pair(LONG, LONG, True, True)


def test_rails_without_planes() -> None:
    """Hosts of 2; 2 copies of a single leaf of 2 accelerators each: whichever fails stops all 4.

    =================  =======  =================================  ===============================
    part               repairs  hits                               hours
    =================  =======  =================================  ===============================
    accelerators       0.4      2                                  0.4 x 2 h x 2 = 1.6
    NICs               0.04     0.04                               0.04 x 2 h x 2 = 0.16
    scale-up switches  0.1      0.2                                0.1 x 2 h x 2 = 0.4
    leaves             0.04     2 x 0.3 x 4 // 2 = 1.2             0.04 x 4 h x 4 = 0.64
    scale-up cables    0.02     0.02 + 0.5 x 2 x 0.2 = 0.22        0.02 x 3 h x 2 = 0.12
    NIC cables         0.04     0.04 + 0.5 x 4 x 0.2 = 0.44        0.04 x 3 h x 2 = 0.24
    sum                0.64     4.1                                3.16
    =================  =======  =================================  ===============================
    """
    parts = changed(PARTS, point={"scale_up_need": Fraction(100)}, host=2)
    found = asked(parts, 1, scale_out_rails=(2,))
    assert found is not None
    sums = found.priced.sums
    assert (sums.repairs, sums.hits, sums.hours) == (exact("0.64"), exact("4.1"), exact("3.16"))


def test_ends_at_a_leaf_with_rails_lead_to_other_hosts() -> None:
    """An end of 800 Gb/s at the leaf joins 4 accelerators of one rail; on 2 rails their hosts hold 8."""
    wide = replace(MODULE, id="wide", rate=800, interop="dr")
    parts = changed(PARTS, point={"scale_up_need": Fraction(100), "replica": 1}, host=2, max_domain=8)
    parts = replace(parts, links=(SHORT, wide), points=(replace(parts.points[0], size=8, tokens=Fraction(5)),))
    task = task_of(parts, instance_for(1, scale_out_rails=(2,)))
    base = next(bases(task, Slot("chat"), Fraction(35)))
    hung = list(hang(task, base, BOX, whole_domains(base, task.copies[0], 1), alone=True))
    item = next(one for one in hung if one.pair.upper.id == "wide")
    # 8 accelerators: 4 host ends of 800 Gb/s (2 NICs of both rails), a leaf end of each rail takes 4 links.
    assert (item.count.lower, item.count.upper) == (4, 2)
    # Hits: 2 leaves of 8 jobs; host ends reach max(1, 800 // 200) = 4 accelerators, leaf ends 4 x 2.
    ends = exact("0.03") * (4 * 4 + 2 * 8)
    flaps = exact("0.5") * 6 * exact("0.2")
    assert item.sums.hits == 2 * exact("0.3") * 8 + ends + flaps + exact("0.2") * 3 * 4
    hours = 2 * exact("0.02") * 4 * 8 + exact("0.03") * 2 * (4 * 4 + 2 * 8) + exact("0.2") * 3 * exact("0.5") * 4
    assert item.sums.hours == hours


def test_last_leaf_counts_with_what_it_holds() -> None:
    """12 tokens/s a replica: 3 domains of 2; two on the first leaf, one on the last: 2 jobs and 1, 4 and 2 lost."""
    task = task_of(changed(PARTS, point={"tokens": Fraction(6)}), instance_for(2))
    base = next(one for one in bases(task, Slot("chat"), Fraction(35)) if one.domains == 3)
    item = next(one for one in hang(task, base, BOX, whole_domains(base, ONE_COPY, 2), alone=False))
    assert (item.pair.lower.id, item.group.leaves, item.count.cables) == ("short", 2, 6)
    assert item.sums.hits == exact("0.3") * (2 + 1) + exact("0.06") + exact("0.5") * 6 * exact("0.2")
    assert item.sums.hours == exact("0.02") * 4 * (4 + 2) + exact("0.06") * 3 * 2


def test_swapped_boxes_may_cost_another_share() -> None:
    """The co-packaged spine of the two-stage design has 0.1 swaps a year of 800 USD."""
    plain = asked(PARTS, 2)
    repaired = within(2, money={"box_swap_part_share": 0.25})
    assert plain is not None and repaired is not None
    assert plain.priced.sums.failures - repaired.priced.sums.failures == exact("0.1") * 800 * exact("0.75")
    # The share of other parts does not touch it where it has its own.
    assert within(2, money={"box_swap_part_share": 1.0, "replacement_part_share": 0.0}) is not None


def test_a_spare_domain() -> None:
    """3 domains, of which 2 serve: the hits of 2 domains, and of the hours what happens while two are down at once.

    A domain is down for 2 x 0.1 x 2 h + 2 x 0.01 x 2 h + 0.05 x 2 h + 2 cables x 0.01 x 3 h = 0.6 hours a year.
    Of D down of 3, D - 1 are not covered: (3 u^2 (1 - u) + 2 u^3) / (3 u) = u - u^2 / 3.
    """
    found = within(1, choose={"spare_domains": (1,)}, risk={"min_pool_availability": 0.9999999}, site=NEAR)
    assert found is not None
    item, sums = found.plan.items[0], found.priced.sums
    assert (item.base.domains, item.base.spares, item.base.replicas, item.group.size) == (3, 1, 2, 6)
    x = exact("0.6") / 8760
    u = x / (1 + x)
    assert item.base.available == (1 - u) ** 3 + 3 * u * (1 - u) ** 2
    phi = u - u**2 / 3
    assert abs(uncovered(3, 1, u) - phi) < Fraction(1, 10**39)
    # 6 accelerators, 6 NICs, 3 switches, 6 + 6 cables, the leaf.
    assert sums.repairs == exact("0.6") + exact("0.06") + exact("0.15") + exact("0.06") + exact("0.06") + exact("0.02")
    inside = 3 + exact("0.06") + exact("0.3") + exact("0.06") + exact("0.6")
    outside = exact("0.3") * 3 + exact("0.06") + exact("0.6")
    assert sums.hits == inside * Fraction(2, 3) + outside
    hours = exact("2.4") + exact("0.24") + exact("0.6") + exact("0.36")
    assert abs(sums.hours - (hours * phi + exact("0.02") * 4 * 6 + exact("0.36"))) < Fraction(1, 10**30)


def test_availability_of_a_pool() -> None:
    """Without spares both domains must be up: (1 - u)^2 = 0.99986302; with one, 1 - 3 u^2 or so."""
    for least, spares in ((0.999863, (0,)), (0.99987, (1,)), (0.99999998, (1,)), (0.99999999, (2,))):
        able = [
            s for s in (0, 1, 2) if within(1, choose={"spare_domains": (s,)}, risk={"min_pool_availability": least})
        ]
        assert able[0] == spares[0], (least, able)
    assert within(1, risk={"min_pool_availability": 0.9999}) is None


def test_units_of_replicas_over_several_domains() -> None:
    """A replica of 4 takes 2 domains of 2: a spare unit is 2 domains, and down if either is."""
    parts = changed(PARTS, point={"replica": 4})
    found = within(1, parts, {"spare_domains": (1,)}, risk={"min_pool_availability": 0.0})
    assert found is not None
    base = found.plan.items[0].base
    assert (base.replicas, base.domains, base.spares) == (1, 4, 1)
    x = exact("0.6") / 8760
    u = 1 - (1 - x / (1 + x)) ** 2
    assert base.available == at_most_down(2, 1, u) == 1 - u**2


def test_a_spare_plane() -> None:
    """2 ports on 2 planes, one to spare: half the bandwidth, and switches make no job fail but by chance.

    A switch is out for 0.05 x 2 h = 0.1 hours a year; both at once for u^2 of 2 u.
    """
    parts = changed(PARTS, ports=2, point={"scale_up_need": Fraction(200)})
    found = asked(parts, 1, spare_planes=(1,), scale_up_shares=(1.0,))
    assert found is not None
    base, sums = found.plan.items[0].base, found.priced.sums
    assert (base.wiring.planes, base.wiring.spare, base.wiring.usable_gbps) == (2, 1, 200)
    x = exact("0.1") / 8760
    u = x / (1 + x)
    # 4 switches and 8 cables; each host has a cable to either switch of its domain.
    assert sums.repairs == exact("0.4") + exact("0.04") + exact("0.2") + exact("0.08") + exact("0.04") + exact("0.02")
    kills = exact("0.5") * (exact("0.4") + exact("0.08") + 8 * exact("0.2"))
    assert sums.hits == 2 + exact("0.04") + kills + exact("0.6") + exact("0.44")
    few = (exact("0.2") * 2 * 2 + exact("0.08") * 3 * 2) * u / 2
    assert abs(sums.hours - (exact("1.76") + few + exact("0.32") + exact("0.24"))) < Fraction(1, 10**30)
    assert asked(changed(PARTS, ports=2, point={"scale_up_need": Fraction(201)}), 1, spare_planes=(1,)) is None
    # Domains without planes have none to spare.
    mesh = changed(PARTS, direct="mesh", vendor_size=2, sealed=True, price_contains=("host", "scale_up_link"))
    assert asked(mesh, 1) is not None and asked(mesh, 1, spare_planes=(1,)) is None
    # A switch of many takes no replica: what is left to fail is the host of one.
    one_each = changed(PARTS, ports=2, point={"replica": 1, "scale_up_need": Fraction(0), "tokens": Fraction(10)})
    for planes, share in (((0,), Fraction(1, 2)), ((1,), Fraction(1, 4))):
        found = asked(one_each, 2, spare_planes=planes, scale_up_shares=(1.0,), max_taper=64.0)
        assert found is not None
        shape = replace(found.plan.shape, spines=9)
        alone = replace(found.plan.items[0].group, size=1)
        assert worst_share(shape, replace(found.plan.items[0], group=alone)) == share


def test_mixed_parts() -> None:
    """A chip and its dearer twin, 2 in stock of either: half of the 35 tokens/s on each, a domain of its own."""
    twin = replace(PARTS.accelerators[0], id="twin", vendor="bolt", price=Fraction(1100))
    points = (PARTS.points[0], replace(PARTS.points[0], accelerator="twin"))
    parts = replace(PARTS, accelerators=(twin, PARTS.accelerators[0]), points=points)
    stock = {"chip": 2, "twin": 2}
    assert within(1, parts, stock=stock) is None
    assert within(1, parts, {"mixed_parts": 2, "mixed_steps": 1}, stock=stock) is None
    found = within(1, parts, {"mixed_parts": 2}, stock=stock)
    assert found is not None
    assert [(i.base.slot, i.base.replicas, i.base.domains) for i in found.items] == [
        (Slot("chat", "chip", 2, 4), 1, 1),
        (Slot("chat", "twin", 2, 4), 1, 1),
    ]
    # 4980 USD as with one accelerator, and twice 100 more.
    assert found.priced.sums.capex == 5180
    plain = search_plainly(
        parts, Instance.model_validate(instance_for(1, mixed_parts=2).model_dump() | {"stock": stock})
    )
    assert plain is not None and plain.priced.objective == found.priced.objective
    # Of a part its only replica: half of the pool. The one switch takes both parts.
    only = found.items[0].base
    assert share_below(only) * only.slot.share == Fraction(1, 2)
    assert worst_share(found.plan.shape, found.items[0]) == 1
    for share, possible in ((1.0, True), (0.99, False)):
        one = within(1, parts, {"mixed_parts": 2}, stock=stock, risk={"max_single_failure_share": share})
        assert (one is not None) == possible
    # A mix is not taken for its own sake.
    alone = within(1, parts, {"mixed_parts": 2})
    assert alone is not None and [item.base.slot for item in alone.items] == [Slot("chat")]
    instance = instance_for(1, mixed_parts=3, mixed_steps=4)
    assert len(ways_to_run("chat", instance, ["c", "a", "b"])) == 1 + 3 * 3 + 3


def tall() -> Shape:
    """One link everywhere, every box half up and half down: 4 of 8 ports up."""
    return Shape(
        BOX,
        BOX,
        BOX,
        200,
        m=1,
        spines=4,
        taper=Fraction(1),
        m2=1,
        cores=4,
        top=BOX,
        core_taper=Fraction(1),
        m3=1,
        tops=4,
    )


def test_four_stages() -> None:
    """Radix 8: 4 leaves and 4 spines a pod, 4 pods and 16 cores a zone, 64 tops of 8 zones: 8 x 64 leaves at most."""
    shape = tall()
    assert (shape.stages, shape.pod, shape.zone) == (4, 4, 4)
    task = task_of(replace(PARTS, links=(SHORT, LONG, MODULE, ENGINE)), instance_for(4))
    found = layers(task, shape, Cabling((LONG_PAIR,) * 3), leaves=18)
    # 18 leaves: 5 pods, 2 zones.
    assert [(layer.name, layer.number) for layer in found] == [("leaf_spine", 20), ("spine_core", 32), ("core_top", 64)]
    assert [layer.count.links for layer in found] == [18 * 4, 20 * 4, 32 * 4]
    assert [layer.length for layer in found] == [20, 50, 50]
    # Modules of 400 Gb/s take two ports: cages for 4 leaves at spines, for 4 pods at cores, for 2 zones at tops.
    pair = Pair(MODULE, MODULE, True, True)
    counts = [(x.count.lower, x.count.upper) for x in layers(task, shape, Cabling((pair,) * 3), leaves=18)]
    assert counts == [(18 * 2, 20 * 2), (20 * 2, 32 * 2), (32 * 2, 64 * 1)]


def test_events_above_the_leaf_with_four_stages() -> None:
    """A leaf has one spine (4 over 4 leaves), one core (16 over 16), 4 links up to cores, and 4 to tops: half a top."""
    task = task_of(replace(PARTS, links=(SHORT, LONG, MODULE, ENGINE)), instance_for(4))
    above = far(task, tall(), Cabling((LONG_PAIR,) * 3))
    link = 2 * exact("0.005") + exact("0.2")
    assert above.hits_per_leaf == (exact("0.3") * (1 + 1 + Fraction(1, 2)) + 12 * link) / 2
    assert above.hours_per_accelerator == 3 * (exact("0.02") * 4 + exact("0.01") * 3)


def test_top_of_four_stages_and_the_way_over_it() -> None:
    """64 links from the cores of a zone carry 16 leaves: without one, 63/64 are left of what they just carry."""
    point = replace(PARTS.points[0], other_need=Fraction(400), expert_need=Fraction(0))
    nic = replace(PARTS.nics[0], rate=400)
    parts = replace(PARTS, links=(replace(LONG, latency=Fraction(7)),), nics=(nic,), points=(point,))
    parts = replace(parts, switches=(UP, replace(BOX, radix=((200, 8), (400, 8)), latency=Fraction(1000))))
    task = task_of(parts, instance_for(4))
    base = next(bases(task, Slot("chat"), Fraction(35)))
    item = next(hang(task, base, parts.switches[1], whole_domains(base, ONE_COPY, 1), alone=False))
    shape = replace(
        tall(), leaf=parts.switches[1], spine=parts.switches[1], core=parts.switches[1], top=parts.switches[1]
    )
    # A leaf sends 2 x 400 Gb/s, its 4 links of 200 Gb/s carry just that, and so all the way up.
    assert shares_above(shape, item) == [Fraction(1, 4), Fraction(1, 16), Fraction(1, 64)]
    pair = cablings(task, shape)[0].pairs[0]
    way = path_us(task, shape, Cabling((pair,) * 3), item)
    # Seven boxes; 8 cables of two ends; twice 2 + 20 + 50 + 50 m.
    assert way == (7 * 1000 + 8 * 2 * 7 + 2 * 122 * 5) / Fraction(1000)


def test_uplinks_are_whole() -> None:
    """8 ports: half or a quarter of them up, in bundles of whole links; 10: half of them, two bundles a link larger."""
    even = {(1, 4, 4), (2, 2, 4), (3, 1, 3), (4, 1, 4), (1, 2, 2), (2, 1, 2)}
    assert {way[1:] for way in uplinks(8, (1.0, 3.0), uneven=False)} == even
    assert {way[1:] for way in uplinks(8, (1.0, 3.0), uneven=True)} == even
    more = {(3, 2, 5), (2, 3, 5)}
    assert {way[1:] for way in uplinks(10, (1.0,), uneven=True)} == more | {
        (1, 5, 5), (2, 2, 4), (3, 1, 3), (4, 1, 4), (5, 1, 5)
    }  # fmt: skip


def neighbours(flat: Flat) -> dict[tuple[tuple[int, ...], tuple[int, ...]], Fraction]:
    """Links between every two leaves of a mesh or a grid."""
    places = [(i,) for i in range(flat.leaves)] if flat.kind == "mesh" else list(product(*map(range, flat.dims)))
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], Fraction] = {}
    for one, other in product(places, places):
        differ = [at for at in range(len(one)) if one[at] != other[at]]
        if len(differ) == 1:
            found[one, other] = Fraction(flat.links[differ[0]])
    return found


@pytest.mark.parametrize("kind", ["mesh", "hyperx"])
def test_traffic_by_way_of_random_leaves_fits_just(kind: str) -> None:
    """Every leaf sends what the rules say it may, to all leaves evenly and on: the fullest link is just full."""
    tried = 0
    for flat in list(flats(kind, 9, 40))[:: 1 if kind == "mesh" else 7]:
        links = neighbours(flat)
        places = {place for pair in links for place in pair}
        load: Counter[tuple[tuple[int, ...], tuple[int, ...]]] = Counter()
        for one, other in product(places, places):
            here = one
            for at in range(len(one)):
                there = (*here[:at], other[at], *here[at + 1 :])
                if there != here:
                    load[here, there] += Fraction(2, flat.leaves) * flat.carried
                here = there
        assert max(load[pair] / links[pair] for pair in load) == 1, flat
        tried += 1
    assert tried > 5


def test_traffic_by_way_of_random_leaves_fits_just_between_groups() -> None:
    """Traffic for another group leaves evenly over all links to it; links inside a group carry first and last hops."""
    tried = 0
    for flat in list(flats("dragonfly", 9, 60))[::7]:
        (a, groups), (m, m2) = flat.dims, flat.links
        each = flat.bundles[1].each
        # Ends of links to other groups, dealt out to the leaves of a group in turn.
        ends: Counter[tuple[int, int]] = Counter()
        for at, other in enumerate(group for group in range(1, groups) for _ in range(m2)):
            ends[at // each, other] += 1
        assert all(sum(ends[leaf, other] for other in range(1, groups)) == each for leaf in range(a))
        sent = 2 * flat.carried / flat.leaves
        crossing = a * a * sent
        assert crossing <= m2
        local: Counter[tuple[int, int]] = Counter()
        for one, other in product(range(a), range(a)):
            local[one, other] += sent
            for gateway in range(a):
                for group in range(1, groups):
                    share = sent * Fraction(ends[gateway, group], m2)
                    local[one, gateway] += share
                    local[gateway, other] += share
        pairs = [local[one, other] for one, other in product(range(a), range(a)) if one != other]
        mean = sum(pairs) / len(pairs)
        assert mean <= m and (crossing == m2 or mean == m), flat
        tried += 1
    assert tried > 5


def test_flat_fabrics_have_the_links_they_say() -> None:
    for kind in ("mesh", "hyperx", "dragonfly"):
        for flat in flats(kind, 8, 30):
            for bundle in flat.bundles:
                assert 2 * bundle.links == flat.leaves * bundle.each, flat
            assert flat.up < 8
    assert Flat("hyperx", (4, 2), (1, 3)).holds(7) and not Flat("hyperx", (4, 2), (1, 3)).holds(6)
    assert Flat("dragonfly", (3, 4), (1, 1)).holds(10) and not Flat("dragonfly", (3, 4), (1, 1)).holds(9)
    assert not Flat("mesh", (3,), (1,)).holds(2)


def flat_parts() -> Parts:
    """Leaves of 8 ports, 50 Gb/s of other traffic, and a cable that reaches from one to the other."""
    return replace(changed(PARTS, point={"other_need": Fraction(50)}), links=(SHORT, LONG, MODULE, ENGINE))


def test_two_leaves_back_to_back() -> None:
    """Two leaves of a domain each, joined by one cable: no spine.

    Need 100 of 200 Gb/s by the cap m x 200 x 2 / 2 = 200 Gb/s of one link; 2 x 200 Gb/s of ports on 7 to 1.
    In addition to accelerators, NICs, switches and scale-up cables of `test_one_switch_for_everything`:

    * capital: 2 leaves 1000, 4 NIC cables 40, 1 cable 10; watts 100 + 8 + 2
    * repairs: leaves 0.04, NIC cables 0.04, cable 0.01
    * hits: leaves 2 x 0.3, NIC cables 0.44, above 2 x 0.5 x (1/8 x 0.3 + 1/2 x 0.21) = 0.1425
    * hours: leaves 0.04 x 4 h x 2, NIC cables 0.24, above 4 x (0.02 x 4 + 0.01 x 3)
    """
    instance = instance_for(1, scale_out_shapes=("mesh",), max_taper=7.0)
    found = search(
        flat_parts(), instance.model_copy(update={"pin": instance.pin.model_copy(update={"leaf_switch": "box"})})
    )
    assert found is not None
    shape, sums = found.plan.shape, found.priced.sums
    assert shape.flat == Flat("mesh", (2,), (1,)) and (shape.stages, shape.up) == (1, 1)
    assert (sums.capex, sums.watts) == (4440 + 1000 + 40 + 10, 528 + 100 + 8 + 2)
    assert sums.repairs == exact("0.4") + exact("0.04") + exact("0.1") + exact("0.04") + exact("0.09")
    assert sums.hits == 2 + exact("0.04") + exact("0.2") + exact("0.44") + exact("0.6") + exact("0.44") + exact(
        "0.1425"
    )
    assert sums.hours == exact("1.6") + exact("0.16") + exact("0.4") + exact("0.24") + exact("0.56") + 4 * exact("0.11")
    # Without one of two leaves nobody is left to send by way of it: half the jobs, no more.
    assert [worst_share(shape, item) for item in found.items] == [Fraction(1, 2)]


def test_flat_fabrics_and_what_excludes_them() -> None:
    parts = flat_parts()

    def ask(shape: str, pin: dict[str, object] | None = None, **tables: object) -> bool:
        instance = instance_for(2, scale_out_shapes=(shape,), max_taper=7.0, scale_out_rails=(1,)).model_dump() | tables
        return search(parts, type(instance_for(2)).model_validate(instance | {"pin": pin or {}})) is not None

    assert ask("mesh") and ask("mesh", {"leaf_leaf_links": "long"})
    assert not ask("mesh", {"leaf_leaf_links": "short"})
    assert not ask("mesh", {"scale_out_stages": 2}) and not ask("mesh", {"taper": 2.0})
    assert ask("mesh", risk={"max_single_failure_share": 0.5})
    # Two domains over two leaves each: four leaves, in a grid of 2 x 2.
    small = changed(parts, point={"size": 2}, host=1)
    assert search(small, instance_for(2, scale_out_shapes=("hyperx",), max_taper=7.0)) is not None
    assert ask("hyperx") and not ask("hyperx", risk={"max_single_failure_share": 1.0})
    assert ask("hyperx", {"group_group_links": "long"}) and not ask("hyperx", {"group_group_links": "short"})


def test_way_through_flat_fabrics() -> None:
    """Leaves of 100 ns and cables of 2 x 7 ns and 20 m: over the random leaf, and by way of groups and lines."""
    box = replace(BOX, latency=Fraction(100))
    parts = replace(flat_parts(), links=(replace(LONG, latency=Fraction(7)),), switches=(UP, box))
    task = task_of(parts, instance_for(2, scale_out_shapes=("mesh",)))
    base = next(bases(task, Slot("chat"), Fraction(35)))
    item = next(hang(task, base, box, whole_domains(base, ONE_COPY, 1), alone=False))
    pair = cablings(task, Shape(box, rate=200, flat=Flat("mesh", (2,), (1,))))[0].pairs[0]
    assert length_between(task, "leaf_leaf") == length_between(task, "group_group") == 20
    up, hop = 14 + 5 * 2, 14 + 5 * 20
    for flat, leaves, hops in (
        (Flat("mesh", (2,), (1,)), 2, 1),
        (Flat("mesh", (3,), (1,)), 3, 2),
        (Flat("hyperx", (2, 2), (1, 1)), 5, 4),
        (Flat("dragonfly", (2, 3), (1, 1)), 7, 6),
    ):
        shape = Shape(box, rate=200, flat=flat)
        way = path_us(task, shape, Cabling((pair,) * len(flat.bundles)), item)
        assert way == Fraction(2 * up + leaves * 100 + hops * hop, 1000)


def test_mesh_without_one_leaf() -> None:
    """Three leaves, one link a pair: a leaf may send 300 Gb/s, without one of the others 200. On each half the jobs."""
    task = task_of(flat_parts(), instance_for(2, scale_out_shapes=("mesh",)))
    base = next(bases(task, Slot("chat"), Fraction(35)))
    item = next(hang(task, base, BOX, whole_domains(base, ONE_COPY, 1), alone=False))
    for need, taken in ((100, Fraction(1, 2)), (150, Fraction(2, 3)), (0, Fraction(1, 2))):
        shape = Shape(BOX, rate=200, flat=Flat("mesh", (3,), (1,)))
        hung = replace(item, group=replace(item.group, need=Fraction(need)))
        assert (share_of_leaf(shape, hung), shares_above(shape, hung)) == (taken, [])


def test_idle_leaves_are_bought_cabled_and_repaired() -> None:
    """A grid of 2 x 2 for 3 leaves, in two copies: one idle leaf each, 2 links a leaf, 4 pairs."""
    task = task_of(flat_parts(), instance_for(2))
    shape = Shape(BOX, rate=200, flat=Flat("hyperx", (2, 2), (2, 1)))
    near, across = layers(task, shape, Cabling((LONG_PAIR, LONG_PAIR)), leaves=3)
    assert (near.name, near.number, near.count.links, near.count.cables) == ("leaf_leaf", 1, 4, 2)
    assert (across.name, across.number, across.count.links, across.count.cables) == ("group_group", 0, 2, 2)
    assert near.sums.capex == 500 + 20 and near.watts == 50 + 4
    assert near.sums.repairs == exact("0.02") + 2 * exact("0.01")
    # Module ends of 400 Gb/s: one for the two links of a line, one for the link across; halves count above and below.
    pair = Pair(MODULE, MODULE, True, True)
    counts = [layer.count for layer in layers(task, shape, Cabling((pair, pair)), leaves=3)]
    assert [(c.links, c.lower, c.upper) for c in counts] == [(4, 2, 2), (2, 2, 2)]
    odd = Shape(BOX, rate=200, flat=Flat("mesh", (3,), (1,)))
    (mesh,) = layers(task, odd, Cabling((pair,)), leaves=3)
    assert (mesh.count.links, mesh.count.lower, mesh.count.upper) == (3, 2, 1)


def test_co_packaged_leaves_are_joined_by_their_engines() -> None:
    leaf = replace(SPINE, id="leaf")
    task = task_of(replace(flat_parts(), switches=(UP, leaf)), instance_for(2, scale_out_shapes=("mesh",)))
    found = cablings(task, Shape(leaf, rate=200, flat=Flat("mesh", (2,), (1,))))
    assert [(c.pairs[0].lower.id, c.pairs[0].buy_lower, c.pairs[0].buy_upper) for c in found] == [
        ("engine", False, False)
    ]
