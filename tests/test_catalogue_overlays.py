"""Overlays of the catalogue: what they change, every kind of mistake, and inputs made to break the reader."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from designer.catalogue import LEVELS, catalogue_from_folder, load_catalogue
from designer.catalogue.checks import check_catalogue
from designer.catalogue.loading import DATA_FOLDER
from designer.catalogue.prices import bare_accelerator_usd, bare_overhead_w
from designer.catalogue.views import facts
from designer.problems import InputError


def overlaid(folder: Path, text: str):
    file = folder / "own.toml"
    file.write_text(text, encoding="utf-8")
    return load_catalogue(file)


def mistakes(folder: Path, text: str) -> dict[str, str]:
    """Key -> message of every mistake that an overlay has."""
    with pytest.raises(InputError) as caught:
        overlaid(folder, text)
    assert all(problem.file.endswith("own.toml") for problem in caught.value.problems)
    return {problem.key: f"read {problem.read}; {problem.allowed}" for problem in caught.value.problems}


def test_a_bare_number_is_the_users_exact_figure(tmp_path):
    catalogue = overlaid(tmp_path, '[[accelerators]]\nid = "h100_sxm"\nprice_usd = 18000.5\n')
    price = catalogue.accelerators["h100_sxm"].price_usd
    assert [price.at(level) for level in LEVELS] == [18000.5] * 3
    assert (price.basis, price.source, price.note) == ("user", "overlay", None)
    assert catalogue.accelerators["h100_sxm"].tdp_w.mid == 700
    assert catalogue.accelerators["h200_sxm"] == load_catalogue().accelerators["h200_sxm"]


def test_a_table_refines_a_figure_and_makes_it_the_users(tmp_path):
    catalogue = overlaid(tmp_path, "[facility.finance]\nwacc = { mid = 0.1 }\n")
    wacc = catalogue.facility.finance.wacc
    assert [wacc.at(level) for level in LEVELS] == [0.07, 0.1, 0.12]
    assert wacc.basis == "user"
    price = overlaid(tmp_path, '[[nics]]\nid = "nic_800"\nprice_usd = { low = 1 }\n').nics["nic_800"].price_usd
    assert (price.mid, price.note) == (1600, None), "the old note speaks of the old figure"
    stated = '[facility.finance]\nwacc = { mid = 0.1, basis = "paper", source = "my bank" }\n'
    assert overlaid(tmp_path, stated).facility.finance.wacc.source == "my bank"


def test_a_figure_can_be_made_unknown(tmp_path):
    catalogue = overlaid(tmp_path, '[[nics]]\nid = "nic_800"\nprice_usd = { mid = "unknown" }\npower_w = "unknown"\n')
    assert not catalogue.nics["nic_800"].price_usd.known
    assert not catalogue.nics["nic_800"].power_w.known
    assert bare_accelerator_usd(catalogue, catalogue.accelerators["gb300_nvl72"], "mid") is None
    assert bare_overhead_w(catalogue, catalogue.accelerators["gb300_nvl72"], "mid") is None


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


def test_a_new_row_must_be_complete(tmp_path):
    catalogue = overlaid(tmp_path, NEW_NIC)
    assert list(catalogue.nics)[-1] == "nic_1600"
    assert catalogue.nics["nic_1600"].power_w.basis == "user"
    found = mistakes(tmp_path, NEW_NIC.replace('status = "shipping"\n', "").replace("rate_gbps = 1600\n", ""))
    assert found == dict.fromkeys(
        ["nics.nic_1600.status", "nics.nic_1600.rate_gbps"], "read nothing; this key is required"
    )


def test_a_protocol_can_be_joined_to_a_switch(tmp_path):
    text = '[[compatibility.scale_up]]\naccelerator_protocol = "HCCS"\nswitches = ["huawei_ub_l1"]\n'
    catalogue = overlaid(tmp_path, text)
    assert catalogue.compatibility.switches_for("HCCS") == ("huawei_ub_l1",)
    assert len(catalogue.compatibility.scale_up) == len(load_catalogue().compatibility.scale_up)


def test_hashes_follow_the_content_not_the_writing(tmp_path):
    plain = load_catalogue()
    empty = overlaid(tmp_path, "# nothing\n")
    assert plain.overlay_sha256 is None
    assert empty.sha256 == plain.sha256
    assert empty.overlay_sha256 is not None
    cheaper = overlaid(tmp_path, '[[nics]]\nid = "nic_800"\nprice_usd = 1\n')
    same = overlaid(tmp_path, '[[nics]]\nid = "nic_800"\nprice_usd = 1.0 # one\n')
    assert cheaper.sha256 == same.sha256 != plain.sha256
    assert cheaper.overlay_sha256 != same.overlay_sha256
    assert load_catalogue().sha256 == plain.sha256, "an overlay must not leak into the shipped catalogue"


# --- mistakes


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("accelerator = 1", "accelerator", "did you mean accelerators?"),
        ('[[nics]]\nid = "nic_800"\nprice_us = 1', "nics.nic_800.price_us", "did you mean price_usd?"),
        ("[facility.finances]\nwacc = 0.1", "facility.finances", "did you mean finance?"),
        ('[[nics]]\nid = "nic_800"\nprice_usd = "cheap"', "nics.nic_800.price_usd", "read 'cheap'"),
        ('[[nics]]\nid = "nic_800"\nprice_usd = true', "nics.nic_800.price_usd", "read true"),
        ('[[nics]]\nid = "nic_800"\nprice_usd = -1', "nics.nic_800.price_usd.mid", "greater than or equal to 0"),
        ('[[nics]]\nid = "nic_800"\nprice_usd = nan', "nics.nic_800.price_usd.mid", "read nan"),
        ('[[nics]]\nid = "nic_800"\nprice_usd = inf', "nics.nic_800.price_usd.mid", "read inf"),
        ('[[nics]]\nid = "nic_800"\nprice_usd = 1e300', "nics.nic_800.price_usd.mid", "less than or equal to"),
        ('[[nics]]\nid = "nic_800"\nprice_usd = {low=9,mid=5,high=10}', "nics.nic_800.price_usd", "low <= mid <= high"),
        ('[[nics]]\nid = "nic_800"\nprice_usd = {mid=99999}', "nics.nic_800.price_usd", "low <= mid <= high"),
        ('[[nics]]\nid = "nic_800"\nrate_gbps = 0', "nics.nic_800.rate_gbps", "greater than 0"),
        (
            '[[nics]]\nid = "nic_800"\nfamilies = ["Token Ring"]',
            "nics.nic_800.families[0]",
            "'Ethernet' or 'InfiniBand'",
        ),
        ('[[nics]]\nid = "nic_800"\n[[nics]]\nid = "nic_800"', "nics[1].id", "each id may occur once"),
        ("[[nics]]\nprice_usd = 1", "nics[0].id", "read nothing"),
        ("[[nics]]\nid = 7", "nics[0].id", "read 7"),
        ("nics = [1]", "nics[0]", "a row written as [[nics]]"),
        ("[nics.nic_800]\nprice_usd = 1", "nics", "rows written as [[nics]]"),
        ('[[accelerators]]\nid = "h20"\nrack = "air_41kW"', "accelerators.h20.rack", "did you mean air_41kw"),
        (
            '[[accelerators]]\nid = "h20"\nscale_up.protocol = "NVLink"',
            "accelerators.h20.scale_up.protocol",
            "did you mean",
        ),
        ('[[accelerators]]\nid = "h20"\nvendor_domain.link = "x"', "accelerators.h20.vendor_domain.link", "read 'x'"),
        (
            '[[accelerators]]\nid = "h20"\nnic_options = [{nic="n",count=1}]',
            "accelerators.h20.nic_options[0].nic",
            "read 'n'",
        ),
        ('[[switches]]\nid = "qm9700"\nfamily = "Ethernet"', "switches.qm9700.family", "allowed: InfiniBand"),
        ('[[switches]]\nid = "qm9700"\nprotocol = "IB"', "switches.qm9700.protocol", "read 'IB'"),
        ('[[switches]]\nid = "sn5600"\ncpo_link = "cpo"', "switches.sn5600.cpo_link", "did you mean cpo_800"),
        (
            '[[switches]]\nid = "qm9700"\nradix_by_port_gbps.x = 1',
            "switches.qm9700.radix_by_port_gbps.x",
            "valid integer",
        ),
        ('[[links]]\nid = "dac_400"\nhot_swappable = "no"', "links.dac_400.hot_swappable", "'els_only'"),
        ('[[accelerators]]\nid = "h20"\navailable_from = "2026"', "accelerators.h20.available_from", "pattern"),
        ("facility = 3", "facility", "read 3"),
        ("compatibility = []", "compatibility", "read a list of 0"),
        ("as_of = 2026-11-22", "as_of", "valid string"),
    ],
)
def test_each_mistake_is_named_with_its_place(tmp_path, text, key, says):
    found = mistakes(tmp_path, text)
    assert says in found[key]


def test_all_mistakes_are_reported_at_once(tmp_path):
    text = """
[[nics]]
id = "nic_800"
price_usd = -1
power = 3
[[accelerators]]
id = "h20"
rack = "x"
[facility.repair]
labor = 1
"""
    assert mistakes(tmp_path, text).keys() == {
        "nics.nic_800.price_usd.mid",
        "nics.nic_800.power",
        "accelerators.h20.rack",
        "facility.repair.labor",
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x00\xff\xfe\x80 binary", "not UTF-8"),
        (b"price = = 1", "no valid TOML"),
        (b"a = 1\na = 2", "no valid TOML"),
        (b"a = " + b"[" * 5000, "nested too deeply"),
        (b"a = " + b"9" * 5000, "no valid TOML"),
        (b".".join([b"a"] * 30_000) + b" = 1", "dots"),
        (b".".join([b"a"] * 15_000) + b" = 1", "unknown key"),
    ],
)
def test_junk_is_refused(tmp_path, content, says):
    file = tmp_path / "junk.toml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=says):
        load_catalogue(file)


def test_what_is_not_a_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_catalogue(tmp_path / "absent.toml")
    with pytest.raises(InputError, match="a directory"):
        load_catalogue(tmp_path)
    with pytest.raises(InputError, match="cannot exist"):
        load_catalogue(Path("a\0b"))
    huge = tmp_path / "huge.toml"
    with huge.open("wb") as stream:
        stream.truncate(21_000_000)
    with pytest.raises(InputError, match="21000000 bytes; allowed: at most 20000000"):
        load_catalogue(huge)


def test_shipped_files_must_cite_known_sources(tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(DATA_FOLDER, folder)
    nics = folder / "nics.toml"
    text = nics.read_text(encoding="utf-8")
    nics.write_text(text.replace('source = "assumption"', 'source = "asumption"', 1), encoding="utf-8")
    (folder / "facility.toml").unlink()
    with pytest.raises(InputError) as caught:
        catalogue_from_folder(folder)
    found = {(problem.file, problem.key): problem.allowed for problem in caught.value.problems}
    assert "did you mean assumption" in found["catalogue/nics.toml", "nics.nic_100.price_usd.source"]
    assert any(file.endswith("facility.toml") for file, _ in found)
    nics.write_text(text.replace(', basis = "memory_assumption", source = "assumption"', "", 1), encoding="utf-8")
    with pytest.raises(InputError, match="without origin"):
        catalogue_from_folder(folder)


SCALARS = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.floats().map(lambda x: repr(x).replace("e+", "e")),
    st.booleans().map(lambda x: str(x).lower()),
    st.text(max_size=12).map(json.dumps),
    st.sampled_from(['"unknown"', '"user"', "2026-11-22", "[]", "{}", "07:30:00"]),
)
KEYS = st.sampled_from(
    [
        "id",
        "mid",
        "low",
        "high",
        "basis",
        "source",
        "note",
        "price_usd",
        "scale_up",
        "ports",
        "rack",
        "nic_options",
        "nic",
        "count",
        "vendor_domain",
        "switch",
        "size",
        "families",
        "lane_gbps_options",
        "attention",
        "kind",
        "moe",
        "radix_by_port_gbps",
        "400",
        "protocol",
        "switches",
        "family",
        "role",
        "cpo_link",
    ]
) | st.text("ab_", min_size=1, max_size=4)
TABLES = st.sampled_from(
    [
        "accelerators",
        "switches",
        "links",
        "nics",
        "llms",
        "racks",
        "facility",
        "components",
        "compatibility",
        "sources",
        "field_notes",
        "conventions",
        "reliability_evidence",
        "blast_radius",
        "schema_version",
        "new_table",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda xs: f"[{', '.join(xs)}]")
        | st.dictionaries(KEYS, inner, max_size=3).map(
            lambda d: "{" + ", ".join(f'"{k}" = {v}' for k, v in d.items()) + "}"
        )
    ),
    max_leaves=8,
)
ROWS = st.tuples(
    st.sampled_from(["h100_sxm", "qm9700", "dac_400", "nic_800", "kimi_k2", "kyber", "new"]),
    st.dictionaries(KEYS.filter(lambda key: key != "id"), VALUES, max_size=4),
).map(lambda row: "{" + f'id = "{row[0]}"' + "".join(f', "{k}" = {v}' for k, v in row[1].items()) + "}")
OVERLAYS = st.dictionaries(
    TABLES, VALUES | st.lists(ROWS, max_size=3).map(lambda rows: f"[{', '.join(rows)}]"), max_size=4
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OVERLAYS)
def test_no_overlay_ends_in_a_traceback(tmp_path, tables):
    file = tmp_path / "fuzz.toml"
    file.write_bytes("\n".join(f"{k} = {v}" for k, v in tables.items()).encode("utf-8", "surrogatepass"))
    try:
        catalogue = load_catalogue(file)
    except InputError as error:
        assert error.problems
        assert all(str(problem).isprintable() for problem in error.problems)
        return
    check_catalogue(catalogue)
    for row in catalogue.rows().values():
        for part in row.values():
            facts(part, catalogue)


FIGURE_PATHS = st.sampled_from(
    [
        "accelerators.h100_sxm.scale_up.ports",
        "accelerators.h100_sxm.scale_up.gbs_per_dir",
        "accelerators.h100_sxm.scale_up.port_gbps",
        "accelerators.h100_sxm.scale_up.lane_gbps",
        "accelerators.gb300_nvl72.price_usd",
        "accelerators.gb300_nvl72.host_overhead_w_per_accel",
        "accelerators.gb300_nvl72.scale_out_nic_gbps",
        "accelerators.gb300_nvl72.scale_up.max_domain",
        "switches.nvswitch4_chip.price_usd",
        "switches.nvswitch4_chip.tray_adders.price_factor",
        "switches.nvswitch4_chip.planes_per_domain",
        "switches.q3450_cpo.lane_gbps",
        "switches.q3450_cpo.capacity_tbps",
        "switches.q3450_cpo.lanes",
        "links.cu_cartridge_1600eq.price_usd_per_end",
        "links.cpo_1600.cpo_parts.els_modules_per_end",
        "nics.nic_800.price_usd",
        "racks.gb300_rack.power_limit_kw",
        "llms.kimi_k2.params_total_b",
        "facility.finance.wacc",
        "facility.finance.depreciation_it_years",
        "facility.finance.accelerator_hour_usd_gb300",
        "facility.distance_classes_m.row",
    ]
)
FIGURES = st.sampled_from(["0", "1e-300", "1e18", '"unknown"']) | st.floats(0, 1e18).map(repr)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FIGURE_PATHS, FIGURES)
def test_any_figure_of_the_right_type_can_be_checked_and_shown(tmp_path, path, value):
    table, row, key = path.split(".", 2)
    of_row = f'[[{table}]]\nid = "{row}"\n{key} = {value}\n'
    catalogue = overlaid(tmp_path, f"[{table}]\n{row}.{key} = {value}\n" if table == "facility" else of_row)
    check_catalogue(catalogue)
    for accelerator in catalogue.accelerators.values():
        facts(accelerator, catalogue)
        for level in LEVELS:
            bare = bare_accelerator_usd(catalogue, accelerator, level)
            assert bare is None or 0 <= bare <= accelerator.price_usd.exact(level)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_end_in_a_traceback(tmp_path, content):
    file = tmp_path / "fuzz.toml"
    file.write_bytes(content)
    try:
        load_catalogue(file)
    except InputError as error:
        assert error.problems
