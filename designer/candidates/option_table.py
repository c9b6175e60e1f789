"""The options of one pool as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from designer.candidates.choices import Ints, Option
from designer.candidates.copies import Copies
from designer.candidates.mixing import mix_of
from designer.candidates.parts import NicPart
from designer.candidates.terms import Floats


class OptionTable:
    """The options of one pool as arrays (n,); ``mix`` says how they may be mixed (None: each is all of the pool)."""

    def __init__(self, options: Sequence[Option], most_parts: int = 1) -> None:
        self.options = tuple(options)
        self.mix = mix_of(options, most_parts)

    def _whole(self, values: list[int]) -> Ints:
        return np.array(values, np.int64)

    @cached_property
    def nics(self) -> dict[str, tuple[NicPart, Ints]]:
        """Options by type of NIC."""
        found: dict[str, tuple[NicPart, list[int]]] = {}
        for index, option in enumerate(self.options):
            found.setdefault(option.domain.nic.id, (option.domain.nic, []))[1].append(index)
        return {name: (nic, self._whole(rows)) for name, (nic, rows) in found.items()}

    @cached_property
    def whole(self) -> dict[str, Ints]:
        """Whole numbers of options: domain size, accelerators of a host, NICs, domains, replica sizes, rack density."""
        rows = np.array(
            [
                (
                    o.domain.size,
                    o.domain.accelerator.per_host,
                    o.domain.nics,
                    o.domains,
                    o.plan.accelerators_per_replica,
                    o.plan.domains_per_replica,
                    o.domain.hosts_per_rack,
                    o.replicas,
                )
                for o in self.options
            ],
            np.int64,
        )
        names = ("size", "per_host", "nics", "domains", "replica", "replica_domains", "hosts_per_rack", "replicas")
        return dict(zip(names, rows.T, strict=True))

    @cached_property
    def real(self) -> dict[str, Floats]:
        """Needs and rates in Gb/s per accelerator, the value of a lost hour, and the allowance for the path in us."""
        rows = np.array(
            [
                (
                    o.domain.nic_gbps,
                    o.plan.scale_out_ep_need_gbps,
                    o.plan.scale_out_other_need_gbps,
                    o.domain.accelerator.hour_usd,
                    np.inf if o.plan.latency_allowance_us is None else o.plan.latency_allowance_us,
                )
                for o in self.options
            ],
            float,
        )
        return dict(zip(("nic_gbps", "ep", "other", "hour_usd", "allowance_us"), rows.T, strict=True))

    @cached_property
    def terms(self) -> Floats:
        """Term vectors (n, len(TERMS))."""
        return np.stack([o.terms for o in self.options])

    def bearing(self, copies: Copies) -> npt.NDArray[np.bool_]:
        """Which options can run with so many rails."""
        if copies.rails == 1:
            return np.ones(len(self.options), bool)
        return np.array([copies.bear(o) for o in self.options], bool)
