"""The catalogue as rows of text: what ``designer catalog`` prints, and what a report may quote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from designer.catalogue.figures import Figure
from designer.catalogue.loading import Catalogue, Row
from designer.catalogue.schema import Accelerator, Link, Nic, Switch
from designer.catalogue.surroundings import Llm


@dataclass(frozen=True)
class Facts:
    """One row taken apart: plain values, figures, and the sources that the figures cite."""

    values: list[dict[str, str]]
    figures: list[dict[str, str]]
    sources: dict[str, str]


def overview(row: Row) -> dict[str, str]:
    """Chief figures of a row at mid, as text; "?" where unknown.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> overview(load_catalogue().nics["nic_800"])["usd"]
    '1600'
    """
    if isinstance(row, Accelerator):
        cells = {
            "status": f"{row.status} {row.available_from}",
            "access": row.access,
            "fp8_tflops": _mid(row.dense_tflops.fp8),
            "hbm_gb": _mid(row.hbm_gb),
            "hbm_gbs": _mid(row.hbm_gbs),
            "scale_up_gbs": _mid(row.scale_up.gbs_per_dir),
            "domain": _mid(row.scale_up.max_domain),
            "usd": _mid(row.price_usd),
            "contains": "+".join(row.price_contains) or "-",
            "sealed": _plain(row.sealed),
        }
    elif isinstance(row, Switch):
        cells = {
            "role": row.role,
            "status": f"{row.status} {row.available_from}",
            "protocol": row.protocol,
            "tbps": _mid(row.capacity_tbps),
            "radix": " ".join(f"{ports}x{rate}G" for rate, ports in row.radix_by_port_gbps.items()),
            "cpo": _plain(row.cpo),
            "w": _mid(row.power_w),
            "usd": _mid(row.price_usd),
            "price_scope": row.price_scope,
        }
    elif isinstance(row, Link):
        cells = {
            "tech": row.tech,
            "status": f"{row.status} {row.available_from}",
            "gbps": f"{row.rate_gbps:g}",
            "lanes": f"{row.lanes}x{row.lane_gbps:g}",
            "reach_m": _mid(row.reach_m),
            "w_per_end": _mid(row.power_w_per_end),
            "usd_per_end": _mid(row.price_usd_per_end),
            "afr_per_end": _mid(row.afr_hard_per_end),
            "flaps_per_year": _mid(row.transient_per_link_year),
            "interop": row.interop_class or "-",
        }
    elif isinstance(row, Nic):
        cells = {
            "status": f"{row.status} {row.available_from}",
            "gbps": f"{row.rate_gbps:g}",
            "families": "+".join(row.families),
            "planes": " ".join(str(ports) for ports in row.plane_options),
            "w": _mid(row.power_w),
            "usd": _mid(row.price_usd),
        }
    elif isinstance(row, Llm):
        cells = {
            "params_b": _mid(row.params_total_b),
            "active_b": _mid(row.params_active_b),
            "layers": str(row.layers),
            "attention": row.attention.kind,
            "experts": f"{row.moe.top_k}/{row.moe.experts}" if row.moe else "-",
            "dtype": row.dtype,
        }
    else:
        cells = {
            "kw": _mid(row.power_limit_kw),
            "accelerators": _mid(row.accelerators),
            "width_m": _mid(row.width_m),
        }
    return {"id": row.id, **{key: _clean(value) for key, value in cells.items()}}


def find(catalogue: Catalogue, name: str) -> dict[str, BaseModel]:
    """Rows of any kind with this id, or the part of the catalogue at a dotted path.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> list(find(load_catalogue(), "dr8_800")), list(find(load_catalogue(), "facility.finance"))
    (['links.dr8_800'], ['facility.finance'])
    """
    rows = catalogue.rows()
    found: dict[str, BaseModel] = {f"{kind}.{name}": table[name] for kind, table in rows.items() if name in table}
    if found:
        return found
    here: Any = {**rows, "facility": catalogue.facility, "components": catalogue.components}
    for part in name.split("."):
        if isinstance(here, Mapping):
            here = here.get(part)
        elif isinstance(here, BaseModel) and part in type(here).model_fields:
            here = getattr(here, part)
        else:
            return {}
    return {name: here} if isinstance(here, BaseModel) else {}


def facts(part: BaseModel, catalogue: Catalogue) -> Facts:
    """Take a row apart into values, figures and cited sources.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> catalogue = load_catalogue()
    >>> facts(catalogue.nics["nic_800"], catalogue).figures[0]["high"]
    '2519'
    """
    values: list[dict[str, str]] = []
    figures: list[dict[str, str]] = []
    cited: dict[str, str] = {}
    for key, value in [("", part)] if isinstance(part, Figure) else _leaves("", part):
        if not isinstance(value, Figure):
            values.append({"key": key, "value": _clean(_plain(value))})
            continue
        figures.append(
            {
                "key": key,
                "low": _number(value.at("low")),
                "mid": _number(value.mid),
                "high": _number(value.at("high")),
                "basis": value.basis,
                "source": _clean(value.source),
                "note": _clean(value.note or ""),
            }
        )
        for source in value.source.split("+"):
            if source in catalogue.sources:
                cited[source] = _clean(catalogue.sources[source].cite)
    return Facts(values, figures, dict(sorted(cited.items())))


def _leaves(prefix: str, part: Any) -> Iterator[tuple[str, Any]]:
    items = part.items() if isinstance(part, Mapping) else ((k, getattr(part, k)) for k in type(part).model_fields)
    for name, value in items:
        key = f"{prefix}{name}"
        if value is None:
            continue
        if isinstance(value, Figure) or not isinstance(value, BaseModel | Mapping):
            yield key, value
        else:
            yield from _leaves(f"{key}.", value)


def _mid(figure: Figure) -> str:
    return _number(figure.mid)


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.12g}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, tuple):
        return ", ".join(_plain(item) for item in value) or "-"
    if isinstance(value, BaseModel):
        return " ".join(_plain(getattr(value, name)) for name in type(value).model_fields)
    return str(value)


def _clean(text: str) -> str:
    """Keep line breaks and terminal escapes of a user's file out of the output."""
    return "".join(c if c.isprintable() else " " for c in text)
