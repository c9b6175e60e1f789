"""A design written by hand, as its file states it: frozen pydantic models, units in the names.

Every box and every link is either a row of the catalogue (its id) or a table of figures of its own. A figure that is
not given is not known, never zero; a figure given as 0 is a figure.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from designer.instance.schema import Level, Line, Money, Name, NonNegative, Positive, Site

Count = Annotated[int, Field(ge=1, le=100_000_000)]
Figure = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
EndpointKind = Literal["accelerators", "nics"]


def _id_alone(value: Any) -> Any:
    """A text alone is the id of a catalogue row."""
    return {"id": value} if isinstance(value, str) else value


def _row_alone(value: Any) -> Any:
    """A text alone is the link row of both ends."""
    return {"lower": value} if isinstance(value, str) else value


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class GivenAccelerator(_Frozen):
    """A row of the catalogue (``id`` alone), or figures of one's own."""

    id: str | None = Field(default=None, description="row of the catalogue; excludes the other keys")
    price_usd: Figure | None = Field(
        default=None, description="installed: with its share of the host, without networks"
    )
    power_w: Figure | None = Field(default=None, description="with its share of the host, without NIC and networks")
    afr_hard: Figure | None = Field(default=None, description="hard failures per year")
    job_interrupt_per_year: Figure | None = None


class GivenNic(_Frozen):
    """A row of the catalogue (``id`` alone), or figures of one's own."""

    id: str | None = None
    price_usd: Figure | None = None
    power_w: Figure | None = None
    afr_hard: Figure | None = Field(default=None, description="hard failures per year")
    rate_gbps: Positive | None = Field(default=None, description="of one NIC, one direction")


class GivenSwitch(_Frozen):
    """A row of the catalogue (``id`` alone), or figures of one's own."""

    id: str | None = None
    price_usd: Figure | None = Field(default=None, description="as bought, per box")
    power_w: Figure | None = Field(default=None, description="nameplate, per box")
    ports: Count | None = Field(default=None, description="ports of a box, whatever their rate")
    afr_hard: Figure | None = Field(default=None, description="hard failures per year")
    outage_per_year: Figure | None = Field(default=None, description="outages per year, hard ones included")


class _Cable(_Frozen):
    """Two rows of the catalogue, or the figures of one link with everything at both its ends."""

    lower: str | None = Field(default=None, description="link row at the lower end")
    upper: str | None = Field(default=None, description="link row at the upper end; absent: that of the lower end")
    price_usd_per_link: Figure | None = None
    power_w_per_link: Figure | None = None
    afr_hard_per_link: Figure | None = Field(default=None, description="hard failures per year, both ends")
    transient_per_link_year: Figure | None = None
    mttr_h: Figure | None = Field(default=None, description="hours until a failed link carries again")
    reach_m: Positive | None = None


class GivenCableUpTo(_Cable):
    """The type of the links of a bundle up to some length."""

    up_to_m: Positive | None = Field(default=None, description="absent, in the last row: all longer ones")


class GivenLink(_Cable):
    """The links of a bundle: of one type, or of several by their length on the floor."""

    length_m: Positive | None = Field(default=None, description="route length; absent: from the floor")
    by_length: tuple[GivenCableUpTo, ...] = Field(
        default=(), description="types by length, the shortest first; excludes the other keys"
    )


class GivenEndpoints(_Frozen):
    """The accelerators, and what stands with each of them."""

    accelerators: Count
    accelerator: Annotated[GivenAccelerator, BeforeValidator(_id_alone)] | None = Field(
        default=None, description="absent: the networks alone are counted"
    )
    per_host: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        default=None, description="accelerators of a host; absent: those of the catalogue row, or 1"
    )
    nic: Annotated[GivenNic, BeforeValidator(_id_alone)] | None = Field(default=None, description="absent: not counted")
    nics: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="NICs per accelerator")
    job_accelerators: Count = Field(
        default=1, description="accelerators of one job: what a failure stops; 1 = jobs as small as can be"
    )
    spare_domains: Annotated[int, Field(ge=0, le=10_000_000)] = Field(
        default=0, description="domains that run no job and stand in for others (docs/rules.md 6.3)"
    )


class GivenNetwork(_Frozen):
    """One network, or ``repeat`` equal ones that share nothing."""

    name: Name
    repeat: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        default=1, description="equal networks of this kind, each for its share of the endpoints"
    )
    endpoints_are: EndpointKind = Field(description="what the topology's endpoints are")
    spare_planes: Annotated[int, Field(ge=0, le=1024)] = Field(
        default=0, description="switches of a domain that may be out: the others are counted on (docs/rules.md 3.1)"
    )
    topology: dict[str, Any] = Field(description="the family and its parameters")
    switches: dict[str, Annotated[GivenSwitch, BeforeValidator(_id_alone)]] = Field(
        default_factory=dict, description="key = stage"
    )
    links: dict[str, Annotated[GivenLink, BeforeValidator(_row_alone)]] = Field(
        default_factory=dict, description="key = bundle, such as leaf-spine; a-b also answers for a-b.x"
    )


class GivenDemand(_Frozen):
    """Gb/s per accelerator, one direction, that a network must carry, all accelerators at once."""

    all_to_all_gbps: NonNegative | None = Field(default=None, description="evenly to all others of the network")
    permutation_gbps: NonNegative | None = Field(default=None, description="each to one partner, whichever they are")
    all_reduce_gbps: NonNegative | None = Field(default=None, description="to the neighbours of rings through all")


class GivenFloor(_Frozen):
    """The hall, for lengths that the design does not state; what is absent is as designer/network/floor.py says."""

    accelerators_per_rack: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="absent: those of the accelerator's rack in the catalogue, or 72"
    )
    boxes_per_rack: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="switches of a network rack"
    )
    boxes_beside: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="scale-out switches that stand in a rack of accelerators; scale-up ones always do"
    )
    racks_per_row: Annotated[int, Field(ge=1, le=10_000)] | None = None
    rack_pitch_m: Positive | None = None
    row_pitch_m: Positive | None = None
    rows_across: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="rows side by side; absent: as square a hall as can be"
    )
    aisle_m: NonNegative | None = Field(default=None, description="between rows side by side")
    vertical_m: NonNegative | None = Field(default=None, description="from a box up to the trays, at each end")
    slack_m: NonNegative | None = None
    in_rack_m: Positive | None = Field(default=None, description="length of a cable inside a rack")
    direct_racks: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="racks in one row at most so far apart are cabled straight, not over the trays"
    )
    network_racks: Literal["hall_middle", "row_middle", "row_end"] | None = None


class GivenDesign(_Frozen):
    """One design."""

    schema_version: Literal[1]
    name: Name
    title: Line
    source: Line = Field(default="", description="where the design and its figures are published")
    level: Level = Field(default="mid", description="which of low / mid / high every catalogue figure takes")
    date: Annotated[str, StringConstraints(pattern=r"^20\d\d-Q[1-4]$")] = Field(
        default="2026-Q4", description="quarter of purchase; parts not on sale by then are named in a note"
    )
    endpoints: GivenEndpoints
    networks: Annotated[tuple[GivenNetwork, ...], Field(min_length=1)]
    demand: dict[str, GivenDemand] = Field(default_factory=dict, description="key = name of a network")
    site: Site = Site()
    money: Money = Money()
    floor: GivenFloor = GivenFloor()
