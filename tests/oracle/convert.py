"""The oracle's random parts as the product's catalogue, question and CSV of measured points."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from dataclasses import replace as changed
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from designer.answer import Question
from designer.catalogue import Accelerator, Catalogue, Compatibility, Level, Link, Nic, Rack, Switch, load_catalogue
from designer.instance.pools import pools_of
from designer.instance.schema import Instance
from oracle import parts as own

Row = TypeVar("Row", bound=BaseModel)

# Rows of the shipped catalogue that lend the fields which no rule reads.
ACCELERATOR, SCALE_UP, SCALE_OUT = "h100_sxm", "nvswitch4_chip", "th6_64x1600"
CABLE, MODULE, ENGINE, NIC, RACK = "dac_800", "dr8_1600", "cpo_1600", "nic_800", "network"


@dataclass(frozen=True)
class Levels:
    """Writes figures so that only one level holds the true value."""

    level: Level

    def figure(self, value: Fraction | int | None) -> dict[str, Any]:
        """One figure of the catalogue; the other levels are far off."""
        origin = {"basis": "user", "source": "test"}
        if value is None:
            return {"mid": None, **origin}
        true = float(value)
        if self.level == "mid":
            return {"low": true / 2, "mid": true, "high": 2 * true + 1, **origin}
        if self.level == "low":
            return {"low": true, "mid": 2 * true + 1, "high": 3 * true + 2, **origin}
        return {"low": true / 4, "mid": true / 2, "high": true, **origin}


def catalogue_of(parts: own.Parts, level: Level) -> Catalogue:
    """Put the random parts in the place of the shipped ones; every row passes the catalogue's own checks."""
    shipped, levels = load_catalogue(), Levels(level)
    facility = parts.facility
    f = levels.figure
    return changed(
        shipped,
        accelerators={a.id: _accelerator(shipped, levels, a) for a in parts.accelerators},
        switches={w.id: _switch(shipped, levels, w) for w in parts.switches},
        links={x.id: _link(shipped, levels, x) for x in parts.links},
        nics={x.id: _nic(shipped, levels, x) for x in parts.nics},
        racks={
            name: _like(
                shipped.racks[RACK],
                {"id": name, "power_limit_kw": f(rack.power_kw), "accelerators": f(rack.accelerators)},
                Rack,
            )
            for name, rack in facility.racks.items()
        },
        components=_nested(
            shipped.components,
            {
                "fibre_trunk.price_usd_fixed_per_mpo12": f(facility.fibre_fixed),
                "fibre_trunk.price_usd_per_m_per_mpo12": f(facility.fibre_per_m),
                "fibre_trunk.install_usd_per_link": f(facility.install),
                "duplex_patch_cord.price_usd_each": f(facility.cord_price),
                "fibre_connector.event_per_link_year": f(facility.dirty),
                "fibre_connector.mttr_h": f(facility.clean_h),
                "els_module.price_usd": f(facility.laser_price),
            },
        ),
        facility=_nested(shipped.facility, _facility(facility, levels)),
        compatibility=_compatibility(parts),
    )


def question_of(parts: own.Parts, instance: Instance, folder: Path) -> Question:
    """The question as `designer.solve` takes it; writes the measured points into ``folder``."""
    return question_with(catalogue_of(parts, instance.level), parts, instance, folder)


def question_with(catalogue: Catalogue, parts: own.Parts, instance: Instance, folder: Path) -> Question:
    """The question against a given catalogue; fleets alone have no measured points."""
    points = folder / "points.csv" if instance.workloads else None
    if points is not None:
        write_points(parts, instance, points)
    return Question(
        instance=instance,
        catalogue=catalogue,
        instance_file=f"{instance.name}.toml",
        instance_sha256="0" * 64,
        instance_text="",
        measured_points=points,
        measured_sha256=None if points is None else "0" * 64,
    )


def write_points(parts: own.Parts, instance: Instance, file: Path) -> None:
    """Write the measured points as the CSV that the product reads (`designer/demand/measured.py`)."""
    phases = {pool.name: pool.phase for pool in pools_of(instance)}
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = None
        for point in parts.points:
            row = {
                "pool": point.pool,
                "accelerator": point.accelerator,
                "domain_size": point.size,
                "tp": 1,
                "dp": point.replica,
                "ep": point.replica,
                "pp": 1,
                "batch": point.serial,
                "two_batch_overlap": "false",
                "all_to_all": "direct",
                "tokens_per_s_per_accelerator": repr(float(point.tokens)),
                "step_ms": 1,
                "tpot_ms": "" if phases[point.pool] == "prefill" else 1,
                "ttft_ms": "" if phases[point.pool] == "decode" else 1,
                "memory_gb": 1,
                "scale_up_need_gbps": repr(float(point.scale_up_need)),
                "scale_out_ep_need_gbps": repr(float(point.expert_need)),
                "scale_out_other_need_gbps": repr(float(point.other_need)),
            }
            if writer is None:
                writer = csv.DictWriter(stream, list(row))
                writer.writeheader()
            writer.writerow(row)


def _accelerator(shipped: Catalogue, levels: Levels, a: own.Accelerator) -> Accelerator:
    f = levels.figure
    template = shipped.accelerators[ACCELERATOR]
    domain = None
    if a.vendor_size is not None:
        domain = {
            "size": a.vendor_size,
            "switch": a.vendor_switch,
            "planes": a.vendor_planes,
            "link": a.vendor_link,
            "direct": a.direct,
            "dims": a.sides,
            "larger_by_ocs": a.larger,
            "basis": "user",
            "source": "test",
        }
    scale_up = template.scale_up.model_dump() | {
        "protocol": a.protocol,
        "gbs_per_dir": f(Fraction(a.ports * a.port_gbps, 8)),
        "ports": f(a.ports),
        "lanes_per_port": f(None if a.lane_gbps is None else Fraction(a.port_gbps, a.lane_gbps)),
        "lane_gbps": f(a.lane_gbps),
        "port_gbps": f(a.port_gbps),
        "max_domain": f(a.max_domain),
    }
    values = {
        "id": a.id,
        "vendor": a.vendor,
        "status": a.status,
        "available_from": a.available_from,
        "access": a.access,
        "scale_up": scale_up,
        "nic_options": [{"nic": name, "count": count} for name, count in a.nics],
        "tdp_w": f(a.tdp),
        "host_overhead_w_per_accel": f(a.overhead),
        "power_contains": a.power_contains,
        "price_usd": f(a.price),
        "price_contains": a.price_contains,
        "price_scope": "rack_share" if a.rack_share else "module",
        "host_price_usd": None if "host" in a.price_contains else f(a.host_price),
        "accelerators_per_host": a.host,
        "rack": a.rack,
        "vendor_domain": domain,
        "sealed": a.sealed,
        "afr_hard": f(a.afr),
        "job_interrupt_per_year": f(a.interrupts),
    }
    return _like(template, values, Accelerator)


def _switch(shipped: Catalogue, levels: Levels, w: own.Switch) -> Switch:
    f = levels.figure
    chip = w.price_factor != 1 or w.power_factor != 1
    adders = {"price_factor": f(w.price_factor), "power_factor": f(w.power_factor)} if chip else None
    scope = "chip" if chip else "system incl. CPO optics" if w.cpo_link else "system w/o optics"
    values = {
        "id": w.id,
        "role": w.role,
        "status": w.status,
        "available_from": w.available_from,
        "protocol": w.protocol,
        "family": w.protocol if w.role == "scale_out" else None,
        "radix_by_port_gbps": dict(w.radix),
        "lane_gbps": f(w.lane_gbps),
        "power_w": f(w.power),
        "price_usd": f(w.price),
        "price_scope": scope,
        "tray_adders": adders,
        "afr_hard": f(w.afr),
        "outage_per_year": f(w.outage),
        "latency_ns": f(w.latency),
        "cpo": w.cpo_link is not None,
        "cpo_link": w.cpo_link,
        "els_modules": f(w.lasers) if w.cpo_link else None,
        "oe_box_swap_per_year": f(w.box_swaps) if w.cpo_link else None,
        "planes_per_domain": None,
    }
    return _like(shipped.switches[SCALE_UP if w.role == "scale_up" else SCALE_OUT], values, Switch)


def _link(shipped: Catalogue, levels: Levels, x: own.Link) -> Link:
    f = levels.figure
    template = shipped.links[ENGINE if x.cpo else MODULE if x.is_module else CABLE]
    values: dict[str, Any] = {
        "id": x.id,
        "rate_gbps": x.rate,
        "lanes": x.rate // x.lane_gbps,
        "lane_gbps": x.lane_gbps,
        "host_lane_gbps": x.host_lanes,
        "construction": x.construction,
        "placement": x.placement,
        "status": x.status,
        "available_from": x.available_from,
        "reach_m": f(x.reach),
        "power_w_per_end": f(x.watts_end),
        "price_usd_per_cable": None if x.price_cable is None else f(x.price_cable),
        "price_usd_per_end": f(x.price_end),
        "fibres": {"count": x.fibres, "kind": x.fibre_kind},
        "afr_hard_per_end": f(x.afr_end),
        "transient_per_link_year": f(x.transient),
        "mttr_h": f(x.mttr),
        "latency_ns_per_end": f(x.latency),
        "interop_class": x.interop,
    }
    if x.cpo:
        assert template.cpo_parts is not None
        values["cpo_parts"] = template.cpo_parts.model_dump() | {
            "oe_mttr_h": f(x.oe_mttr),
            "els_mttr_h": f(x.els_mttr),
            "els_fit_per_module": f(x.els_fit),
        }
    return _like(template, values, Link)


def _nic(shipped: Catalogue, levels: Levels, x: own.Nic) -> Nic:
    f = levels.figure
    values = {
        "id": x.id,
        "rate_gbps": x.rate,
        "lane_gbps_options": x.lanes,
        "families": x.families,
        "plane_options": x.planes,
        "status": x.status,
        "available_from": x.available_from,
        "price_usd": f(x.price),
        "power_w": f(x.power),
        "afr_hard": f(x.afr),
    }
    return _like(shipped.nics[NIC], values, Nic)


def _facility(facility: own.Facility, levels: Levels) -> dict[str, Any]:
    f = levels.figure
    return {
        **{f"distance_classes_m.{name}": f(metres) for name, metres in facility.lengths.items()},
        "geometry.racks_per_row": f(facility.racks_per_row),
        "fibre.os2_mpo12_fixed_usd": f(facility.fibre_fixed),
        "fibre.os2_mpo12_usd_per_m": f(facility.fibre_per_m),
        "cooling_and_power.pue_liquid": f(facility.pue),
        "cooling_and_power.electricity_usd_per_kwh": f(facility.electricity),
        "cooling_and_power.utilisation_of_tdp": f(facility.utilisation),
        "cooling_and_power.facility_capex_usd_per_w": f(facility.capex_per_w),
        "finance.wacc": f(facility.wacc),
        "finance.depreciation_it_years": f(facility.it_years),
        "finance.depreciation_building_years": f(facility.building_years),
        "finance.lost_hour_usd_per_usd_of_accelerator": f(facility.lost_hour),
        "repair.labour_usd_per_h": f(facility.labour),
        "repair.module_swap_event_usd": f(facility.module_swap),
        "repair.cable_swap_event_usd": f(facility.cable_swap),
        "repair.ocs_or_switch_swap_event_usd": f(facility.box_swap),
        "repair.backplane_swap_labour_h": f(facility.backplane_hours),
        "repair.switch_tray_mttr_h": f(facility.switch_tray_h),
        "repair.compute_tray_mttr_h": f(facility.compute_tray_h),
        "repair.switch_box_mttr_h": f(facility.switch_box_h),
        "repair.job_restart_cost_h": f(facility.restart_h),
        "repair.p_transient_kills_job": f(facility.p_kill),
    }


def _compatibility(parts: own.Parts) -> Compatibility:
    protocols = sorted({a.protocol for a in parts.accelerators})
    return Compatibility.model_validate(
        {
            "scale_up": [
                {"accelerator_protocol": name, "switches": [w.id for w in parts.switches if name in w.speaks]}
                for name in protocols
            ],
            "scale_out": [{"switch_protocol": name, "family": name} for name in ("Ethernet", "InfiniBand")],
        }
    )


def _like(template: Row, values: dict[str, Any], kind: type[Row]) -> Row:
    return kind.model_validate(template.model_dump() | values)


def _nested(model: Row, changes: dict[str, Any]) -> Row:
    data = model.model_dump()
    for path, value in changes.items():
        *above, last = path.split(".")
        table = data
        for name in above:
            table = table[name]
        assert last in table, path
        table[last] = value
    return type(model).model_validate(data)
