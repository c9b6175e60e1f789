"""One stage of switches: every endpoint has ports on every switch, and no switch knows another."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from designer.families.family import BundleCount, Family, Misfit, Rate, StageCount, Structure
from designer.network.graph import Bundle, Ints, Kind, Network

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Endpoints = Annotated[int, Field(ge=2, le=10_000_000)]
Gbps = Annotated[float, Field(ge=1e-6, le=1e9, allow_inf_nan=False)]


def dealt(ports: int, planes: int) -> Ints:
    """Ports of an endpoint on each plane: dealt out as evenly as can be, the first planes take the rest."""
    return np.asarray(ports // planes + (np.arange(planes) < ports % planes))


class SingleStage(Family):
    """Endpoints on ``planes`` switches side by side, such as the NVSwitches of an HGX board or of an NVL72 rack.

    Parameters
    ----------
    endpoints
        Endpoints of the stage.
    ports
        Ports of an endpoint, over all switches.
    port_gbps
        Gb/s of a port, one direction.
    planes
        Switches. Every endpoint has ``ports / planes`` ports on each, rounded up on the first ones if uneven.
    radix
        Ports of a switch at that rate.

    Examples
    --------
    >>> hgx = SingleStage(endpoints=8, ports=18, port_gbps=200.0, planes=4, radix=64)
    >>> hgx.structure().capacity["all_to_all"].least, hgx.even_striping_gbps()
    (3600.0, 3200.0)
    """

    family: Literal["single_stage"] = "single_stage"
    endpoints: Endpoints
    ports: Count
    port_gbps: Gbps
    planes: Count
    radix: Count

    def misfits(self) -> list[Misfit]:
        """More switches than ports, or more ports on a switch than its radix."""
        if self.planes > self.ports:
            return [
                Misfit("planes", str(self.planes), f"at most ports, {self.ports}: each endpoint is on every switch")
            ]
        need = self.endpoints * int(dealt(self.ports, self.planes)[0])
        if need > self.radix:
            return [Misfit("radix", str(self.radix), f"at least {need}: {self.endpoints} endpoints on every switch")]
        return []

    def even_striping_gbps(self) -> float:
        """Gb/s of an endpoint that puts the same on every switch, so that the smallest share decides."""
        return float(self.planes * dealt(self.ports, self.planes)[-1] * self.port_gbps)

    def structure(self) -> Structure:
        """One copy, which holds all planes: they may be unequal."""
        rate, even = self.ports * self.port_gbps, self.even_striping_gbps()
        source = "exact: every switch is non-blocking, so the ports of an endpoint are the only limit (fluid traffic)"
        if even < rate:
            source += f"; traffic put evenly on the {self.planes} switches gets {even:g} Gb/s"
        share = int(dealt(self.ports, self.planes)[0])
        group = self.endpoints if self.planes == 1 else 0
        return Structure(
            endpoints=self.endpoints,
            endpoints_per_copy=self.endpoints,
            copies=1,
            stages=(StageCount("switch", self.planes, self.endpoints * share, group),),
            bundles=(
                BundleCount("endpoint-switch", "endpoint", "switch", self.endpoints * self.ports, self.port_gbps),
            ),
            capacity={key: Rate(rate, rate, source) for key in ("all_to_all", "permutation", "all_reduce")},
        )

    def network(self) -> Network:
        """All planes."""
        n, p = self.endpoints, self.planes
        return Network(
            (Kind("endpoint", n), Kind("switch", p)),
            (Bundle("endpoint-switch", self.port_gbps),),
            lower=np.repeat(np.arange(n), p),
            upper=np.tile(n + np.arange(p), n),
            links=np.tile(dealt(self.ports, p), n),
            bundle=np.zeros(n * p, np.int64),
            block=np.zeros(n + p, np.int64),
        )
