"""The brute force itself, against questions worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from oracle.cables import Pair
from oracle.enumerate import Found, amount, best, search
from oracle.fabric import Cabling, Shape, far
from oracle.parts import Parts, exact
from oracle.sale import for_sale
from oracle.sample import BOX, ENGINE, MODULE, PARTS, SPINE, UP
from oracle.task import task_of
from oracle.wiring import wirings

from designer.instance.schema import Instance, Pins


def instance_for(stages: int, site: dict[str, Any] | None = None, **choose: Any) -> Instance:
    """A question for 35 tokens/s."""
    return Instance.model_validate(
        {
            "schema_version": 1,
            "name": "by-hand",
            "title": "worked out by hand",
            "workloads": (
                {
                    "name": "chat",
                    "llm": "none",
                    "serve": "together",
                    "prompt_tokens": 100,
                    "output_tokens": 100,
                    "output_tokens_per_s": 28.0,
                    "peak_factor": 1.25,
                },
            ),
            "choose": {"scale_out_stages": (stages,), "min_spines": 1, **choose},
            "site": site or {},
            "pin": {"leaf_switch": "box", "spine_switch": "spine"},
        }
    )


def asked(parts: Parts, stages: int, site: dict[str, Any] | None = None, **choose: Any) -> Found | None:
    """The best design for 35 tokens/s."""
    return search(parts, instance_for(stages, site, **choose))


def ask(stages: int) -> Found:
    """35 tokens/s: 2 replicas of 20 tokens/s, so 2 domains, 4 accelerators."""
    found = asked(PARTS, stages)
    assert found is not None
    return found


def test_one_switch_for_everything() -> None:
    """crf(0.5, 1 year) = 1.5 for both lives; a watt costs 1.5 x 1 + 8.76 x 0.1 = 2.376 USD a year.

    =================  =======  =====  ==============================================
    part               capital  watts  count
    =================  =======  =====  ==============================================
    accelerators          4000    480  4
    NICs                   200     20  4
    scale-up switches      200     20  1 plane x 2 domains
    scale-up cables         40      8  ceil(200 / 400) per accelerator: 4
    NIC cables              40      8  4
    leaf                   500     50  1
    sum                   4980    586
    =================  =======  =====  ==============================================

    A lost accelerator-hour is worth 0.001 x 1000 = 1 USD, a hit 1 x 1 h x 2 accelerators = 2 USD.

    =================  =====================  ==================================  ============================
    part               repairs                hits                                hours
    =================  =====================  ==================================  ============================
    accelerators       0.4 x (1000 + 20)      4 x 0.5 = 2                         0.4 x 2 h x 2 = 1.6
    NICs               0.04 x (50 + 20)       0.04                                0.04 x 2 h x 2 = 0.16
    scale-up switches  0.1 x (100 + 20)       2 x 0.1 x 1 = 0.2                   0.1 x 2 h x 2 = 0.4
    leaf               0.02 x (500 + 30)      0.3 x 4 // 2 = 0.6                  0.02 x 4 h x 4 = 0.32
    scale-up cables    0.04 x (10 + 5)        0.04 + 0.5 x 4 x 0.2 = 0.44         0.04 x 3 h x 2 = 0.24
    NIC cables         0.04 x (10 + 5)        0.04 + 0.4 = 0.44                   0.04 x 3 h x 2 = 0.24
    sum                0.64, 434.6 USD        3.72, 7.44 USD                      2.96, 2.96 USD
    =================  =====================  ==================================  ============================
    """
    priced = ask(stages=1).priced
    assert priced.sums.capex == 4980
    assert priced.sums.watts == 586
    assert priced.sums.repairs == exact("0.64")
    assert priced.sums.hits == exact("3.72")
    assert priced.sums.hours == exact("2.96")
    assert priced.sums.failures == 445
    assert priced.sums.cleanings == 0
    assert priced.objective == priced.annual == exact("1.5") * 4980 + 586 * exact("2.376") + 445
    # 132 W per accelerator: 4 of them in a rack of 1 kW; 54 W in network racks of 50 W.
    assert (priced.racks, priced.network_racks) == (3, 2)


def test_leaf_and_co_packaged_spine() -> None:
    """One leaf for both domains, one uplink (4 to 1 at most 7 to 1), one co-packaged spine; rows in addition to above.

    Capital: spine 800; the leaf's module end 100, half a fibre channel 0.5 x (10 + 20 m x 1), installation 7.
    Watts: 60 + 4.

    Lasers fail 50,000 x 8.76e-6 = 0.438 times a year.

    * repairs: spine 0.04 x 830, its engines 0.1 x 830, 2 lasers 0.876 x 46, module 0.03 x 106
    * cleanings: 0.2 x (1 + 1) / 2 = 0.2, each 0.5 h x 10 USD
    * hits: 0.5 x [1/8 x (0.2 + 0.1 + 0.876) + 1/2 x (0.03 + 0.2 + 0.1) + 1/4 x (0.04 + 0.1)] = 0.1735
    * hours: 4 x [0.04 x 4 + 0.1 x 5 + 0.438 x 1] + 4 x [0.03 x 2 + 0.2 x 0.5] = 5.032
    """
    found = ask(stages=2)
    shape, priced = found.plan.shape, found.priced
    assert (shape.m, shape.spines, found.plan.items[0].group.whole) == (1, 1, 2)
    assert priced.sums.capex == 4980 + 800 + 122
    assert priced.sums.watts == 586 + 64
    assert priced.sums.repairs == exact("0.64") + exact("1.016") + exact("0.03")
    assert priced.sums.cleanings == exact("0.2")
    assert priced.sums.hits == exact("3.72") + exact("0.1735")
    assert priced.sums.hours == exact("2.96") + exact("5.032")
    repairs = 33 + exact("0.2") + 83 + exact("40.296") + exact("3.18") + 1
    assert priced.sums.failures == 445 + repairs + 2 * exact("0.1735") + exact("5.032")
    # 54 + 60 + 4 W in network racks of 50 W.
    assert (priced.racks, priced.network_racks) == (4, 3)


def test_events_above_the_leaf_with_three_stages() -> None:
    """Two spines of 8 ports in a pod, each with 2 links to each of 2 cores: 4 up, 4 left for its leaves.

    A link has 1/2 x (0.03 + 0.2 + 0.1) events at the module and 1/4 x (0.04 + 0.1) at the engine: 0.2, on both
    boundaries. A co-packaged spine has 0.2 + 0.1 + 0.876, a core 0.3.

    * one link to each spine, so 4 leaves in a pod: half a spine, 2 links, 4 x 2 / 4 = 2 links to cores: 2/8 of a core
    * three links, so one leaf and a port to spare: both spines, 6 links, 8 links to cores: a whole core
    """
    task = task_of(PARTS, instance_for(3))
    cabling = Cabling((Pair(MODULE, ENGINE, True, False), Pair(ENGINE, MODULE, False, True)))
    wide, narrow = (
        far(task, Shape(BOX, SPINE, BOX, 200, m=m, spines=2, taper=Fraction(1), m2=2, cores=2), cabling) for m in (1, 3)
    )
    spine, link = exact("1.176"), exact("0.2")
    assert wide.hits_per_leaf == (spine / 2 + 2 * link + 2 * link + exact("0.3") / 4) / 2
    assert narrow.hits_per_leaf == (2 * spine + 6 * link + 8 * link + exact("0.3")) / 2
    # A spine 0.04 x 4 + 0.1 x 5 + 0.438 x 1, a core 0.02 x 4, a link 0.03 x 2 + 0.2 x 0.5, whatever their number.
    assert wide.hours_per_accelerator == narrow.hours_per_accelerator == exact("1.498")


# A leaf of two racks would be out of reach of the cable.
NEAR = {"lengths": {"nic_leaf_m": 2.0}}


def changed(parts: Parts, point: dict[str, Any] | None = None, nic: dict[str, Any] | None = None, **a: Any) -> Parts:
    """The parts with other figures of the one accelerator, its plan and its NIC."""
    return replace(
        parts,
        accelerators=(replace(parts.accelerators[0], **a),),
        points=(replace(parts.points[0], **(point or {})),),
        nics=(replace(parts.nics[0], **(nic or {})),),
    )


def test_two_scale_up_stages() -> None:
    """One domain of 8 with 2 ports each, one plane: 16 ports, but a switch has 8.

    Groups of 2 (4 links down, 4 up) behind 4 switches; above them 8 // 4 = 2 links a pair, so ceil(4 / 2) = 2 more.
    Groups of 1 would take 8 + 2 switches, groups of 4 leave no ports for uplinks.

    =================  =======  =====  =================================================
    part               capital  watts  count
    =================  =======  =====  =================================================
    accelerators          8000    960  8
    NICs                   400     40  8
    scale-up switches      600     60  4 + 2
    scale-up cables        160     32  ceil(2 x 200 / 400) a host: 8; a pair: 4 x 2 = 8
    NIC cables              80     16  8
    leaf                   500     50  1
    sum                   9740   1158
    =================  =======  =====  =================================================

    =================  =======  ==================================  ==================================
    part               repairs  hits                                hours
    =================  =======  ==================================  ==================================
    accelerators       0.8      8 x 0.5 = 4                         0.8 x 2 h x 8 = 12.8
    NICs               0.08     0.08                                0.08 x 2 h x 8 = 1.28
    first stage        0.2      4 x 0.1 x max(1, 2 // 8) = 0.4      0.2 x 2 h x 8 = 3.2
    second stage       0.1      2 x 0.5 x 0.1 x 8 // 8 = 0.1        2 x 0.05 x 2 h x 8 / 2 = 0.8
    leaf               0.02     0.3                                 0.02 x 4 h x 8 = 0.64
    first cables       0.08     0.08 + 0.5 x 8 x 0.2 = 0.88         0.08 x 3 h x 8 = 1.92
    second cables      0.08     0.5 x 16 x 1/2 x 0.21 = 0.84        8 x 0.01 x 3 h = 0.24
    NIC cables         0.08     0.88                                1.92
    sum                1.44     7.48, each 8 USD                    22.8, each 1 USD
    =================  =======  ==================================  ==================================
    """
    parts = changed(PARTS, point={"size": 8, "replica": 8}, ports=2, max_domain=8)
    assert asked(parts, 1, scale_up_stages=(1,), scale_up_shares=(1.0,)) is not None
    found = asked(parts, 1, NEAR, scale_up_stages=(2,))
    assert found is not None
    base, sums = found.plan.items[0].base, found.priced.sums
    assert base.wiring.upper is not None
    assert (base.wiring.planes, base.wiring.switches, base.wiring.uppers) == (1, 4, 2)
    assert (base.wiring.upper.group, base.wiring.upper.m, base.wiring.upper.uplinks) == (2, 2, 4)
    assert (sums.capex, sums.watts) == (9740, 1158)
    assert (sums.repairs, sums.hits, sums.hours) == (exact("1.44"), exact("7.48"), exact("22.8"))
    repairs = 816 + exact("5.6") + 24 + 12 + exact("10.6") + exact("3.6")
    assert sums.failures == repairs + 8 * exact("7.48") + exact("22.8")
    # 136.5 W per accelerator, 4 in a rack; 58 W in network racks of 50 W.
    assert (base.hall.racks_per_domain, found.priced.racks) == (2, 4)


def test_second_stage_counts_lasers_and_fibres_of_its_own() -> None:
    """The same domain with a co-packaged switch as the only one: lasers of both stages, module ends of neither."""
    engines = replace(UP, id="up_cpo", cpo_link="engine", box_swaps=exact("0.1"), lasers=2)
    parts = changed(PARTS, point={"size": 8, "replica": 8}, ports=2, max_domain=8)
    found = asked(replace(parts, switches=(engines, BOX)), 1, NEAR, scale_up_stages=(2,))
    assert found is not None
    base, sums = found.plan.items[0].base, found.priced.sums
    assert base.lower is not None and base.upper is not None
    assert (base.lower.pair.lower.id, base.lower.pair.upper.id) == ("module", "engine")
    assert (base.upper.pair.lower.id, base.upper.pair.upper.id) == ("engine", "engine")
    # Host ends 8 x ceil(400 / 400); 8 x 2 fibres of 1 m and 4 x 4 of 2 m (two racks) at 1/2 and 1/4 of a channel of 12.
    fibres = 16 * (Fraction(1, 2) * 11 + 7) + 16 * (Fraction(1, 4) * 12 + 7)
    assert sums.capex == 8000 + 400 + 600 + 80 + 500 + 8 * 100 + fibres
    # Accelerators, NICs, leaf and NIC cables as above; 6 switches, their engines and 12 lasers; 8 host ends.
    lasers = exact("0.438")
    assert sums.repairs == exact("0.98") + 6 * (exact("0.05") + exact("0.1") + 2 * lasers) + 8 * exact("0.03")
    # Ends below: 8 modules, 4 engines; between: 4 x ceil(800 / 800) and 2 x ceil(8 x 200 / 800).
    assert sums.cleanings == exact("0.2") * Fraction(8 + 4 + 4 + 4, 2)
    first = 4 * (exact("0.1") + exact("0.1") + 2 * lasers)
    second = exact("0.5") * 2 * (exact("0.1") + exact("0.1") + 2 * lasers)
    below = 8 * exact("0.03") + exact("0.5") * (8 * exact("0.2") + 4 * exact("0.04")) + exact("0.2") * 6
    between = exact("0.5") * 16 * 2 * Fraction(1, 4) * (exact("0.04") + exact("0.1"))
    assert sums.hits == exact("5.26") + first + second + below + between
    first = 4 * 8 * (exact("0.05") * 2 + exact("0.1") * 5 + 2 * lasers)
    second = 8 * (exact("0.05") * 2 + exact("0.1") * 5 + lasers)
    below = 8 * (8 * exact("0.03") * 2 + exact("0.2") * 6 * exact("0.5"))
    assert sums.hours == exact("16.64") + first + second + below + 8 * exact("0.2") * exact("0.5")


def test_chips_joined_directly_and_a_front_end() -> None:
    """No switch, no cable, no lane rate needed: accelerators, NICs, their cables, the leaf; 100 USD and 10 W extra."""
    mesh = {"direct": "mesh", "vendor_size": 2, "lane_gbps": None, "sealed": True}
    paid = ("host", "scale_up_link")
    assert asked(changed(PARTS, **mesh), 1) is None
    site = {"front_end_usd_per_accelerator": 100.0, "front_end_w_per_accelerator": 10.0}
    found = asked(changed(PARTS, price_contains=paid, **mesh), 1, site=site)
    assert found is not None
    base, sums = found.plan.items[0].base, found.priced.sums
    assert (base.wiring.kind, base.wiring.usable_gbps, base.lower, base.upper) == ("mesh", 200, None, None)
    assert (sums.capex, sums.watts) == (4000 + 200 + 40 + 500 + 400, 480 + 20 + 8 + 50 + 40)
    assert (sums.repairs, sums.hits, sums.hours) == (exact("0.5"), exact("3.08"), exact("2.32"))
    assert found.priced.racks == 3


def test_bandwidth_of_a_torus() -> None:
    """8 x 8 x 8: a mean of 2 hops on every ring, 0.998 of one port of six."""
    chip = replace(
        PARTS.accelerators[0],
        host=4,
        ports=6,
        direct="torus",
        sides=(4, 4, 4),
        vendor_size=64,
        larger=True,
        max_domain=512,
        price_contains=("host", "scale_up_link", "scale_up_switch"),
        sealed=True,
    )
    sale = for_sale(replace(PARTS, accelerators=(chip,)), instance_for(1))
    tori = {wiring.size: wiring for wiring in wirings(sale, instance_for(1))}
    assert {size: wiring.sides for size, wiring in tori.items()} == {
        64: (4, 4, 4),
        128: (8, 4, 4),
        256: (8, 8, 4),
        512: (8, 8, 8),
    }
    assert tori[512].usable_gbps == Fraction(511, 512) * 200
    assert tori[128].usable_gbps == Fraction(127, 128) * 200
    assert tori[64].usable_gbps == Fraction(63, 64) * 400
    without = replace(chip, price_contains=("host", "scale_up_link"))
    sale = for_sale(replace(PARTS, accelerators=(without,)), instance_for(1))
    assert [wiring.size for wiring in wirings(sale, instance_for(1))] == [64]


def test_two_rails_of_two_planes() -> None:
    """Hosts of 2; 4 copies of a single leaf, each with a port of 100 Gb/s of one accelerator of every host.

    =================  =======  =====  =================================================
    part               capital  watts  count
    =================  =======  =====  =================================================
    accelerators          4000    480  4
    NICs                   200     20  4
    scale-up switches      200     20  2
    scale-up cables         20      4  ceil(2 x 200 / 400) a host: 2
    NIC cables              80     16  2 hosts x 4 copies
    leaves                2000    200  4
    sum                   6500    740
    =================  =======  =====  =================================================

    Behind a cable: min(2 of a host / 2 rails, 400 // 100) = 1 accelerator; below a leaf 2, on both rails 4.

    =================  =======  =====================================  ===============================
    part               repairs  hits                                   hours
    =================  =======  =====================================  ===============================
    accelerators       0.4      2                                      0.4 x 2 h x 2 = 1.6
    NICs               0.04     0.04                                   0.04 x 2 h x 2 = 0.16
    scale-up switches  0.1      0.2                                    0.1 x 2 h x 2 = 0.4
    leaves             0.08     0.5 x 4 x 0.3 x 4 // 2 = 1.2           0.08 x 4 h x 2 / 2 = 0.32
    scale-up cables    0.02     0.02 + 0.5 x 2 x 0.2 = 0.22            0.02 x 3 h x 2 = 0.12
    NIC cables         0.08     0.5 x 0.08 + 0.5 x 8 x 0.2 = 0.84      0.08 x 3 h x 1 / 2 = 0.12
    sum                0.72     4.50                                   2.72
    =================  =======  =====================================  ===============================
    """
    box = replace(BOX, radix=((100, 8), (200, 8)))

    def of(need: int) -> Found | None:
        parts = changed(PARTS, point={"scale_up_need": Fraction(need)}, nic={"planes": (1, 2)}, host=2)
        parts = replace(parts, switches=(UP, box, SPINE))
        return asked(parts, 1, scale_out_rails=(2,), scale_out_planes=(2,))

    # 50 Gb/s leave an accelerator, half of them by way of the other rail: 175 + 25 of 200 Gb/s.
    assert of(176) is None
    found = of(175)
    assert found is not None
    sums = found.priced.sums
    assert (sums.capex, sums.watts) == (6500, 740)
    assert (sums.repairs, sums.hits, sums.hours) == (exact("0.72"), exact("4.50"), exact("2.72"))
    repairs = 408 + exact("2.8") + 12 + exact("42.4") + exact("1.5")
    assert sums.failures == repairs + 2 * exact("4.50") + exact("2.72")
    # 208 W in network racks of 50 W.
    assert (found.priced.racks, found.priced.network_racks) == (6, 5)
    assert asked(changed(PARTS, host=2), 1, scale_out_planes=(2,)) is None


def test_goals_in_order_of_rank() -> None:
    """The cheapest way to the least of another goal: with a thriftier, dearer leaf on offer the watts decide."""
    thrifty = replace(BOX, id="thrifty", price=Fraction(900), power=Fraction(45), afr=exact("0.02"))
    parts = replace(PARTS, switches=(UP, BOX, thrifty))
    instance = instance_for(1).model_copy(update={"pin": Pins()})
    leaves = {}
    for goals in (("cost",), ("power",), ("hard_repairs",), ("hard_repairs", "cost"), ("hard_repairs", "power")):
        found = best(parts, instance, goals)
        assert found is not None
        leaves[goals] = found.plan.shape.leaf.id
        if goals == ("power",):
            assert amount(parts, instance, found, "power") == 581
    assert leaves["cost",] == leaves["hard_repairs", "cost"] == "box"
    assert leaves["power",] == leaves["hard_repairs", "power"] == "thrifty"


def within(stages: int, parts: Parts = PARTS, choose: dict[str, Any] | None = None, **tables: Any) -> Found | None:
    """The best design for 35 tokens/s with further limits."""
    instance = instance_for(stages, **(choose or {})).model_dump() | tables
    return search(parts, Instance.model_validate(instance))


def test_stock_of_switches_and_cables() -> None:
    """One switch for everything takes 1 box and 4 + 4 cables: with 7, modules join some accelerators instead."""
    assert within(1, stock={"box": 1, "short": 8, "chip": 4, "nic": 4, "up": 2, "module": 0}) is not None
    for part, units in {"box": 0, "chip": 3, "nic": 3, "up": 1}.items():
        assert within(1, stock={part: units}) is None, part
    # 4 ends at the NICs; at the leaf an end of 400 Gb/s takes two of the links.
    assert within(1, stock={"short": 7, "module": 5}) is None
    found = within(1, stock={"short": 7, "module": 6})
    assert found is not None and (found.priced.sums.units["short"], found.priced.sums.units["module"]) == (4, 6)


def test_share_of_one_vendor() -> None:
    """One pool takes its accelerators of one vendor; with a dearer twin of another the share decides."""
    twin = replace(PARTS.accelerators[0], id="twin", vendor="bolt", price=Fraction(1100))
    points = (PARTS.points[0], replace(PARTS.points[0], accelerator="twin"))
    parts = replace(PARTS, accelerators=(PARTS.accelerators[0], twin), points=points)
    for shares, chosen in (({"acme": 1.0}, "chip"), ({"acme": 0.99}, "twin"), ({"bolt": 0.0}, "chip")):
        found = within(1, parts, {"max_vendor_share": shares})
        assert found is not None and found.plan.items[0].base.wiring.accelerator.id == chosen
    assert within(1, parts, {"max_vendor_share": {"acme": 0.5, "bolt": 0.5}}) is None


def test_availability() -> None:
    """2.96 of 4 x 8760 accelerator-hours: 0.999915525 and a little are left."""
    for least, possible in ((0.999915525, True), (0.999915526, False)):
        found = within(1, risk={"min_availability": least})
        assert (found is not None and found.priced.sums.hours == exact("2.96")) == possible


def test_single_failure() -> None:
    """Two replicas: a host or a switch takes half; a leaf for both, or a lone spine, takes all."""
    for stages, share, possible in ((1, 1.0, True), (1, 0.9999, False), (2, 0.5, True), (2, 0.4999, False)):
        assert (within(stages, risk={"max_single_failure_share": share}) is not None) == possible
    # Leaves of one domain each keep the experts' traffic below; 50 Gb/s of other traffic need another way than a spine.
    for other, spines in ((0, 1), (50, 2)):
        found = within(2, changed(PARTS, point={"other_need": Fraction(other)}), risk={"max_single_failure_share": 0.5})
        assert found is not None
        assert (found.plan.items[0].group.leaves, found.plan.shape.spines) == (2, spines)


def test_latency_of_the_path() -> None:
    """A box of 1600 ns, twice 2 ends of 20 ns and 2 m of 5 ns: the reference of 1.7 us to the nanosecond."""
    quick = replace(PARTS.links[0], latency=Fraction(20))
    slow = tuple(replace(row, latency=Fraction(9000)) for row in PARTS.links[1:])
    for nanoseconds, allowance, possible in ((1600, 0, True), (1601, 0, False), (3600, 2, True), (3601, 2, False)):
        box = replace(BOX, latency=Fraction(nanoseconds))
        parts = changed(PARTS, point={"allowance": Fraction(allowance)})
        parts = replace(parts, links=(quick, *slow), switches=(UP, box, SPINE))
        assert (within(1, parts) is not None) == possible
        assert within(1, replace(parts, points=(replace(parts.points[0], allowance=None),))) is not None
