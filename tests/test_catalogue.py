"""The catalogue: what is in it, cross-checks, bare prices, commands."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from designer.catalogue import LEVELS, Figure, load_catalogue
from designer.catalogue.checks import check_catalogue
from designer.catalogue.prices import bare_accelerator_usd, bare_overhead_w
from designer.cli.catalog import app

OURS = {"pcb_baseboard_800eq", "pcb_baseboard_1600eq", "pcb_baseboard_448eq", "lpo_224_56g"}


def overlaid(folder: Path, text: str):
    file = folder / "own.toml"
    file.write_text(text, encoding="utf-8")
    return load_catalogue(file)


def all_figures(catalogue):
    parts = [row for table in catalogue.rows().values() for row in table.values()]
    for part in [*parts, catalogue.facility, catalogue.components]:
        yield from _figures_in(part)


def _figures_in(part):
    if isinstance(part, Figure):
        yield part
        return
    values = part.values() if isinstance(part, dict) else (getattr(part, name) for name in type(part).model_fields)
    for value in values:
        if isinstance(value, dict) or hasattr(type(value), "model_fields"):
            yield from _figures_in(value)


# --- what is in it


def test_all_rows_are_there():
    catalogue = load_catalogue()
    counts = {kind: len(rows) for kind, rows in catalogue.rows().items()}
    assert len(catalogue.links.keys() - OURS) == 32
    assert catalogue.links.keys() > OURS
    assert counts == {"accelerators": 30, "switches": 25, "links": 36, "nics": 5, "llms": 14, "racks": 10}
    assert (len(catalogue.evidence), len(catalogue.claims)) == (11, 8)
    assert next(iter(catalogue.accelerators)) == "h100_sxm"
    assert catalogue.as_of == "2026-11-22"


@pytest.mark.parametrize(
    ("path", "low", "mid", "high"),
    [
        ("accelerators.gb300_nvl72.price_usd", 51000, 57000, 60500),
        ("accelerators.mi355x.scale_up.gbs_per_dir", 535.5, 535.5, 535.5),
        ("switches.q3450_cpo.power_w", 3950, 3950, 4500),
        ("switches.nvswitch4_chip.tray_adders.price_factor", 1.3, 1.8, 2.5),
        ("links.cpo_1600.cpo_parts.oe_fit_per_end", 20, 90, 800),
        ("links.dac_400.afr_hard_per_end", 2.19e-5, 8.76e-5, 0.000438),
        ("nics.nic_800.price_usd", 1200, 1600, 2519),
        ("llms.kimi_k2.params_total_b", 1040, 1040, 1040),
        ("facility.cooling_and_power.electricity_usd_per_kwh", 0.045, 0.075, 0.13),
        ("facility.pcb.ai_pcb_market_usd_b.2027", 6.96, 6.96, 6.96),
        ("components.fibre_trunk.price_usd_per_m_per_mpo12", 0.5, 1.2, 2.6),
    ],
)
def test_figures_are_those_of_the_sources(path, low, mid, high):
    here = load_catalogue()
    for part in path.split("."):
        here = here[part] if isinstance(here, dict) else getattr(here, part)
    assert [here.at(level) for level in LEVELS] == [low, mid, high]


def test_unknown_stays_unknown():
    catalogue = load_catalogue()
    for figure in (
        catalogue.accelerators["trainium3"].scale_up.ports,
        catalogue.accelerators["tpu_8t"].dense_tflops.bf16,
        catalogue.switches["tpu_ocs_palomar"].capacity_tbps,
        catalogue.facility.pcb.m2_per_gpu,
    ):
        assert not figure.known
        assert [figure.at(level) for level in LEVELS] == [None, None, None]
        assert figure.exact("mid") is None


def test_every_figure_of_the_shipped_files_has_an_origin():
    catalogue = load_catalogue()
    figures = list(all_figures(catalogue))
    assert len(figures) > 1000
    for figure in figures:
        assert figure.basis != "user"
        assert set(figure.source.split("+")) <= catalogue.sources.keys()
        if figure.known:
            assert 0 <= figure.at("low") <= figure.mid <= figure.at("high") < math.inf


def test_what_we_added_is_marked_as_assumption():
    catalogue = load_catalogue()
    added = [catalogue.accelerators["mi455x_helios"].scale_up.ports]
    added += [row.host_price_usd for row in catalogue.accelerators.values() if row.host_price_usd]
    added += [row.scale_up.port_gbps for row in catalogue.accelerators.values()]
    added += [catalogue.links[name].price_usd_per_end for name in OURS]
    for figure in added:
        assert figure.basis == "memory_assumption"
        assert "assumption" in figure.source
        assert figure.note


def test_protocols_join_what_they_should():
    join = load_catalogue().compatibility.switches_for
    assert join("NVLink5/NVSwitch4") == ("nvswitch4_chip",)
    assert join("Unified Bus (UB)") == ("huawei_ub_l1", "huawei_ub_l2")
    assert join("UnifiedBus 2.0 (LingQu)") == join("no such protocol") == ()


# --- cross-checks


def test_the_shipped_data_agree_with_themselves():
    findings = check_catalogue(load_catalogue())
    assert [str(finding) for finding in findings if finding.broken] == []
    assert {finding.where for finding in findings} == {
        "accelerators.trainium2.scale_up.gbs_per_dir",
        "accelerators.maia_100",
        "switches.sn5600.radix_by_port_gbps.100",
    }


@pytest.mark.parametrize(
    ("text", "check", "where"),
    [
        ('[[accelerators]]\nid="h20"\nscale_up.lane_gbps=200', "lanes", "accelerators.h20.scale_up.port_gbps"),
        ('[[accelerators]]\nid="h20"\nscale_up.gbs_per_dir=500', "ports", "accelerators.h20.scale_up.gbs_per_dir"),
        (
            '[[accelerators]]\nid="h20"\nnic_options=[{nic="nic_800",count=1}]',
            "nic options",
            "accelerators.h20.nic_options[0]",
        ),
        ('[[accelerators]]\nid="h20"\nvendor_domain.planes=1', "vendor domain", "accelerators.h20.vendor_domain"),
        ('[[accelerators]]\nid="h20"\nvendor_domain.size=16', "vendor domain", "accelerators.h20.vendor_domain"),
        (
            '[[accelerators]]\nid="h20"\nvendor_domain.switch="nvswitch4_chip"',
            "protocol",
            "accelerators.h20.vendor_domain",
        ),
        ('[[accelerators]]\nid="mi300x"\nsealed=false', "protocol", "accelerators.mi300x"),
        ('[[accelerators]]\nid="h20"\nprice_usd=1000', "bare price", "accelerators.h20.price_usd"),
        (
            '[[accelerators]]\nid="h20"\nhost_overhead_w_per_accel=50',
            "bare watts",
            "accelerators.h20.host_overhead_w_per_accel",
        ),
        (
            '[[accelerators]]\nid="gb300_nvl72"\nhost_price_usd=1',
            "price contents",
            "accelerators.gb300_nvl72.host_price_usd",
        ),
        (
            '[[accelerators]]\nid="h100_sxm"\nprice_usd=30000',
            "price order",
            "accelerators.h100_sxm.system_price_usd_per_accel",
        ),
        ('[[accelerators]]\nid="h20"\nafr_hard=0.5', "failures", "accelerators.h20.afr_hard"),
        ('[[racks]]\nid="gb300_rack"\npower_limit_kw=130', "rack power", "accelerators.gb300_nvl72"),
        ('[[switches]]\nid="qm9700"\ncapacity_tbps=20', "radix", "switches.qm9700.radix_by_port_gbps.400"),
        ('[[switches]]\nid="qm9700"\nlanes=100', "lanes", "switches.qm9700.capacity_tbps"),
        ('[[switches]]\nid="qm9700"\nradix_by_port_gbps.250=8', "lanes", "switches.qm9700.radix_by_port_gbps.250"),
        ('[[switches]]\nid="qm9700"\nprice_scope="chip"', "price scope", "switches.qm9700"),
        ('[[switches]]\nid="qm9700"\ncpo=true', "cpo", "switches.qm9700"),
        ('[[switches]]\nid="q3450_cpo"\noe_box_swap_per_year=0.5', "cpo", "switches.q3450_cpo.oe_box_swap_per_year"),
        ('[[switches]]\nid="q3450_cpo"\ncpo_link="cpo_800"', "cpo", "switches.q3450_cpo.cpo_link"),
        ('[[links]]\nid="dac_400"\nlanes=8', "lanes", "links.dac_400.rate_gbps"),
        ('[[links]]\nid="dac_400"\nhost_lane_gbps=[50]', "lanes", "links.dac_400.host_lane_gbps"),
        ('[[links]]\nid="dac_400"\nfit_per_end=11', "derived", "links.dac_400.afr_hard_per_end"),
        ('[[links]]\nid="dac_400"\nprice_usd_per_cable=50', "derived", "links.dac_400.price_usd_per_end"),
        ('[[links]]\nid="cpo_800"\ncpo_parts.oe_fit_per_end=31', "cpo", "links.cpo_800.fit_per_end"),
        ('[[nics]]\nid="nic_800"\nlane_gbps_options=[300]', "lanes", "nics.nic_800.lane_gbps_options"),
        ('[[llms]]\nid="kimi_k2"\nparams_total_b=900', "parameters", "llms.kimi_k2"),
        ('[[llms]]\nid="kimi_k2"\nparams_active_b=36', "parameters", "llms.kimi_k2"),
        ('[[llms]]\nid="kimi_k2"\nkv_bytes_per_token_bf16=1', "payload", "llms.kimi_k2.kv_bytes_per_token_bf16"),
        ('[[llms]]\nid="kimi_k2"\nmoe_layers=59', "layers", "llms.kimi_k2.moe_layers"),
        ("[facility.repair]\nspares_share_modules=1.5", "share", "facility.repair.spares_share_modules"),
        ("[facility.cooling_and_power]\npue_liquid=0.9", "pue", "facility.cooling_and_power.pue_liquid"),
        ("[facility.distance_classes_m]\nrow=100", "distance order", "facility.distance_classes_m.row"),
        ("[facility.finance]\nwacc=0.15", "recovery factor", "facility.finance.crf_it.mid"),
        (
            "[facility.finance]\naccelerator_hour_usd_gb300=9",
            "lost hour",
            "facility.finance.lost_hour_usd_per_usd_of_accelerator",
        ),
    ],
)
def test_a_contradiction_is_found(tmp_path, text, check, where):
    findings = check_catalogue(overlaid(tmp_path, text))
    assert (check, where) in {(finding.check, finding.where) for finding in findings}


# --- bare prices


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        # 57,000 - 18 chips x 6,000 x 1.8 / 72 - 18 x 400/1600 x 2 x 54 - 1,600
        ("gb300_nvl72", 57000 - 2700 - 486 - 1600),
        ("gb200_nvl72", 43000 - 2700 - 486 - 1000),
        # 36 chips x 7,000 x 1.8 / 72; 36 x 400/1600 x 2 x 54; two NICs
        ("vr200_nvl72", 97000 - 6300 - 972 - 3200),
        # 4 chips x 2,000 x 1.8 / 8; 18 x 200/800 x 2 x 10; no NIC in a module price
        ("h100_sxm", 25000 - 1800 - 90),
        ("h800_sxm", 30000 - 1800 - 40),
        ("b200_hgx", 35000 - 2700 - 180),
        ("mi300x", 12500),
        ("gaudi3", 15600),
    ],
)
def test_bare_prices_by_hand(name, bare):
    catalogue = load_catalogue()
    assert bare_accelerator_usd(catalogue, catalogue.accelerators[name], "mid") == bare


def test_bare_watts_by_hand():
    catalogue = load_catalogue()
    watts = {
        name: bare_overhead_w(catalogue, catalogue.accelerators[name], "mid") for name in ("gb300_nvl72", "h100_sxm")
    }
    assert watts == {"gb300_nvl72": 500 - 18 * 400 * 1.25 / 72 - 40, "h100_sxm": 575 - 4 * 150 * 1.25 / 8 - 25}


@pytest.mark.parametrize("level", LEVELS)
def test_the_vendors_domain_rebuilt_costs_what_the_vendor_asks(level):
    catalogue = load_catalogue()
    rebuilt = 0
    for row in catalogue.accelerators.values():
        domain = row.vendor_domain
        if row.sealed or domain is None or domain.switch is None:
            continue
        bare = bare_accelerator_usd(catalogue, row, level)
        switch, link = catalogue.switches[domain.switch], catalogue.links[domain.link]
        chip = Fraction(str(switch.price_usd.at(level))) * Fraction(str(switch.tray_adders.price_factor.at(level)))
        gbps = (
            Fraction(str(row.scale_up.ports.at(level))) * Fraction(str(row.scale_up.port_gbps.at(level))) * domain.size
        )
        total = domain.size * bare + domain.planes * chip
        total += 2 * Fraction(str(link.price_usd_per_end.at(level))) * math.ceil(gbps / Fraction(link.rate_gbps))
        if "nic" in row.price_contains:
            option = row.nic_options[0]
            total += domain.size * option.count * Fraction(str(catalogue.nics[option.nic].price_usd.at(level)))
        assert total == domain.size * Fraction(str(row.price_usd.at(level))), row.id
        rebuilt += 1
    assert rebuilt == 10


def test_no_price_where_the_contents_are_not_known():
    catalogue = load_catalogue()
    assert catalogue.accelerators["rubin_ultra_nvl576"].sealed
    assert bare_accelerator_usd(catalogue, catalogue.accelerators["rubin_ultra_nvl576"], "mid") is None


def test_a_network_without_switches_stays_in_the_price():
    """The rack share of a TPU holds its torus and its optical switches; only the NIC comes off (21,000 - 300 USD)."""
    catalogue = load_catalogue()
    row = catalogue.accelerators["tpu_v7_ironwood"]
    assert {"nic", "scale_up_switch", "scale_up_link"} <= set(row.price_contains)
    assert bare_accelerator_usd(catalogue, row, "mid") == 20700


# --- commands

NEW_NIC = """[[nics]]
id = "nic_1600"
name = "own 1.6T NIC"
rate_gbps = 1600
lane_gbps_options = [200]
families = ["Ethernet"]
status = "shipping"
available_from = "2026-Q4"
price_usd = 3000
power_w = { low = 60, mid = 70, high = 80 }
afr_hard = 0.01
"""

RUN = CliRunner()


def test_list_prints_rows_and_json():
    shown = RUN.invoke(app, ["list", "nics"])
    assert shown.exit_code == 0
    assert "nic_800" in shown.stdout
    assert "gb300" not in shown.stdout
    rows = json.loads(RUN.invoke(app, ["list", "--json"]).stdout)
    assert len(rows["accelerators"]) == 30


def test_show_prints_every_figure_with_its_source(tmp_path):
    shown = RUN.invoke(app, ["show", "gb300_nvl72"])
    assert shown.exit_code == 0
    for text in ("60500", "press_estimate", "Morgan Stanley VR200 NVL72 BOM teardown", "vendor_domain.planes"):
        assert text in shown.stdout
    row = json.loads(RUN.invoke(app, ["show", "trainium3", "--json"]).stdout)
    assert row["scale_up"]["ports"]["mid"] is None
    (tmp_path / "own.toml").write_text(NEW_NIC, encoding="utf-8")
    own = RUN.invoke(app, ["show", "nic_1600", "--overlay", str(tmp_path / "own.toml")])
    assert (own.exit_code, "3000" in own.stdout) == (0, True)


def test_unknown_names_exit_with_2_and_the_nearest():
    for command in (["show", "gb300_nvl7"], ["list", "nic"]):
        ended = RUN.invoke(app, command)
        assert ended.exit_code == 2
        assert "did you mean" in ended.stderr
        assert ended.stdout == ""


def test_check_exits_with_2_when_something_is_broken(tmp_path):
    assert RUN.invoke(app, ["check"]).exit_code == 0
    (tmp_path / "own.toml").write_text('[[links]]\nid = "dac_400"\nlanes = 8\n', encoding="utf-8")
    ended = RUN.invoke(app, ["check", "--overlay", str(tmp_path / "own.toml")])
    assert (ended.exit_code, "BROKEN lanes" in ended.stdout) == (2, True)
    (tmp_path / "own.toml").write_text("x = 1", encoding="utf-8")
    ended = RUN.invoke(app, ["check", "--overlay", str(tmp_path / "own.toml")])
    assert (ended.exit_code, "an unknown key" in ended.stderr) == (2, True)
