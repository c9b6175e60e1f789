"""The brute force itself, against two questions worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from oracle.enumerate import Found, search
from oracle.parts import Accelerator, Facility, Link, Nic, Parts, Point, Rack, Switch, exact

from designer.instance.schema import Instance

SHORT = Link(
    id="short",
    construction="cable",
    placement="cable",
    rate=400,
    lane_gbps=100,
    host_lanes=(100,),
    reach=Fraction(3),
    fibres=0,
    fibre_kind="none",
    interop=None,
    price_end=Fraction(6),
    price_cable=Fraction(10),
    watts_end=Fraction(1),
    afr_end=exact("0.005"),
    transient=exact("0.2"),
    mttr=Fraction(3),
    status="shipping",
    available_from="2025-Q1",
)
MODULE = replace(
    SHORT,
    id="module",
    construction="module+fibre",
    reach=Fraction(500),
    fibres=8,
    fibre_kind="OS2 MPO",
    interop="dr",
    price_end=Fraction(100),
    price_cable=None,
    watts_end=Fraction(4),
    afr_end=exact("0.03"),
    transient=exact("0.4"),
    mttr=Fraction(2),
)
ENGINE = replace(
    MODULE,
    id="engine",
    construction="engine+els+fibre",
    rate=800,
    transient=exact("0.08"),
    cpo=True,
    oe_mttr=Fraction(5),
    els_mttr=Fraction(1),
    els_fit=Fraction(50_000),
)
UP = Switch(
    id="up",
    role="scale_up",
    protocol="up",
    speaks=("wire",),
    radix=((200, 8),),
    lane_gbps=100,
    price=Fraction(100),
    power=Fraction(10),
    price_factor=Fraction(1),
    power_factor=Fraction(1),
    afr=exact("0.05"),
    outage=exact("0.1"),
    status="shipping",
    available_from="2025-Q1",
)
BOX = replace(
    UP,
    id="box",
    role="scale_out",
    protocol="Ethernet",
    speaks=(),
    price=Fraction(500),
    power=Fraction(50),
    afr=exact("0.02"),
    outage=exact("0.3"),
)
SPINE = replace(
    BOX,
    id="spine",
    price=Fraction(800),
    power=Fraction(60),
    afr=exact("0.04"),
    outage=exact("0.2"),
    cpo_link="engine",
    box_swaps=exact("0.1"),
    lasers=2,
)
PARTS = Parts(
    accelerators=(
        Accelerator(
            id="chip",
            access="merchant",
            host=1,
            price=Fraction(1000),
            price_contains=("host",),
            host_price=None,
            tdp=Fraction(100),
            overhead=Fraction(20),
            power_contains=(),
            afr=exact("0.1"),
            interrupts=exact("0.5"),
            protocol="wire",
            ports=1,
            port_gbps=200,
            lane_gbps=100,
            max_domain=2,
            rack="rack",
            nics=(("nic", 1),),
            status="shipping",
            available_from="2025-Q1",
        ),
    ),
    switches=(UP, BOX, SPINE),
    links=(SHORT, MODULE, ENGINE),
    nics=(
        Nic(
            id="nic",
            families=("Ethernet",),
            rate=200,
            lanes=(100,),
            price=Fraction(50),
            power=Fraction(5),
            afr=exact("0.01"),
            status="shipping",
            available_from="2025-Q1",
        ),
    ),
    facility=Facility(
        racks={"rack": Rack(Fraction(1), 4), "network": Rack(exact("0.05"), 0)},
        lengths={
            "board": Fraction(0),
            "in_rack": Fraction(1),
            "adjacent_rack": Fraction(2),
            "three_racks_away": Fraction(4),
            "row": Fraction(10),
            "hall": Fraction(20),
            "building": Fraction(50),
        },
        racks_per_row=Fraction(5),
        pue=Fraction(1),
        electricity=exact("0.1"),
        utilisation=Fraction(1),
        capex_per_w=Fraction(1),
        wacc=exact("0.5"),
        it_years=1,
        building_years=1,
        labour=Fraction(10),
        module_swap=Fraction(6),
        cable_swap=Fraction(5),
        box_swap=Fraction(30),
        backplane_hours=Fraction(8),
        switch_tray_h=Fraction(2),
        compute_tray_h=Fraction(2),
        switch_box_h=Fraction(4),
        restart_h=Fraction(1),
        p_kill=exact("0.5"),
        lost_hour=exact("0.001"),
        dirty=exact("0.2"),
        clean_h=exact("0.5"),
        laser_price=Fraction(40),
        cord_price=Fraction(4),
        fibre_fixed=Fraction(10),
        fibre_per_m=Fraction(1),
        install=Fraction(7),
    ),
    # 10 tokens/s per accelerator, replicas of 2 in domains of 2.
    points=(Point("chat", "chip", 2, 2, Fraction(10), Fraction(200), Fraction(50), Fraction(0)),),
)


def ask(stages: int) -> Found:
    """35 tokens/s: 2 replicas of 20 tokens/s, so 2 domains, 4 accelerators."""
    instance = Instance.model_validate(
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
            "choose": {"scale_out_stages": (stages,), "min_spines": 1},
            "pin": {"leaf_switch": "box", "spine_switch": "spine"},
        }
    )
    found = search(PARTS, instance)
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
