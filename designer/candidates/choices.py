"""Pool choices: serving plan, domain, NIC cable and attachment to one leaf type, as arrays.

A choice is everything of a pool up to and including its leaves. What lies above the leaf depends on a choice
only through the few numbers kept beside its term vector (``docs/rules.md`` sections 6, 7 and 9).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from designer.candidates.cables import Counts, LinkPair, ceil_div
from designer.candidates.copies import Copies
from designer.candidates.mixing import WHOLE, Mix
from designer.candidates.parts import Economy, SwitchPart
from designer.candidates.scale_up import DomainDesign
from designer.candidates.spares import lacks, uncovered, unit_down
from designer.candidates.terms import RACKS, Floats, evaluate
from designer.demand.plan import ServingPlan

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Option:
    """One plan on one domain design; ``terms`` (len(TERMS),) is all of the pool below its NIC cables.

    ``domains`` are all, with those of ``spares`` units: domains, or the domains of a replica that spans some. ``share``
    (i, K): it serves i / K of the pool.
    """

    plan: ServingPlan
    domain: DomainDesign
    replicas: int
    domains: int
    terms: Floats
    spares: int = 0
    share: tuple[int, int] = WHOLE

    @property
    def serving(self) -> int:
        """Domains that tokens are counted on: the others are spare."""
        return self.domains - self.spares * self.plan.domains_per_replica

    @property
    def accelerators(self) -> int:
        """Accelerators of the pool."""
        return self.domains * self.domain.size

    @property
    def racks(self) -> int:
        """Racks of the pool's accelerators."""
        if self.domain.racks_per_domain > 1:
            return self.domains * self.domain.racks_per_domain
        return ceil_div(self.domains, self.domain.domains_per_rack)


def make_options(
    plans: Sequence[ServingPlan],
    sizes: Sequence[tuple[int, int]],
    domain: DomainDesign,
    economy: Economy,
    spares: Sequence[int] = (0,),
    share: tuple[int, int] = WHOLE,
) -> list[Option]:
    """Price plans, with their (replicas, domains), on one domain design, with every number of spare units."""
    replica = np.array([float(plan.accelerators_per_replica) for plan in plans])
    hour = np.full(replica.size, domain.accelerator.hour_usd)
    out: list[Option] = []
    for spare in spares:
        serving = np.array([domains for _, domains in sizes], np.int64)
        count, shares = serving, None
        if spare:
            spanned = np.array([plan.domains_per_replica for plan in plans], np.int64)
            count = serving + spare * spanned
            down = unit_down(np.full(count.size, domain.out_h), spanned)
            shares = serving / count, uncovered(np.full(count.size, spare), count // spanned, down)
        terms = evaluate(domain.load, replica, hour, economy.restart_h, economy.counted, shares)
        terms *= count[:, None].astype(float)
        made = [
            Option(plan, domain, replicas, domains, row, spare, share)
            for plan, (replicas, _), domains, row in zip(plans, sizes, count.tolist(), terms, strict=True)
        ]
        terms[:, RACKS] = [option.racks for option in made]
        out += made
    if economy.pool_availability is None or not out:
        return out
    # Exact in the decimals of the limit; what is only just short of it in floats may be within, and is looked at.
    most = float(1 - Fraction(repr(economy.pool_availability))) * (1 + 1e-12)
    return [option for option, lack in zip(out, lacks(out).tolist(), strict=True) if lack <= most]


@dataclass(frozen=True)
class Attached:
    """How one choice meets its leaves; ``group`` and ``leaves`` of one copy of the fabric, ``counts`` of all."""

    option: Option
    leaf: SwitchPart
    copies: Copies
    pair: LinkPair
    rate_gbps: int
    length_m: float
    domains_per_leaf: int
    leaves_per_domain: int
    leaves: int
    need_gbps: float
    one_stage: bool

    @property
    def group(self) -> int:
        """Accelerators below one full leaf."""
        return self.domains_per_leaf * self.option.domain.size // self.copies.rails // self.leaves_per_domain

    @property
    def counts(self) -> Counts:
        """Links, cables and ends from the NICs to the leaves of all copies."""
        option, one = self.option, np.ones(1, np.int64)
        domain = option.domain
        cables, lower, upper = count_ends(
            self.pair,
            self.rate_gbps,
            self.copies,
            domain.accelerator.per_host * domain.nics * one,
            domain.size * domain.nics * one,
            option.accelerators // domain.accelerator.per_host * one,
            option.domains * one,
            self.domains_per_leaf * one,
            self.leaves_per_domain * one,
        )
        links = option.accelerators * domain.nics * self.copies.planes
        return Counts(links, links if self.pair.module else int(cables[0]), int(lower[0]), int(upper[0]))


def count_ends(
    pair: LinkPair,
    rate: int,
    copies: Copies,
    host_nics: Ints,
    domain_nics: Ints,
    hosts: Ints,
    domains: Ints,
    per_leaf: Ints,
    parts: Ints,
) -> tuple[Ints, Ints, Ints]:
    """Cables, ends at hosts and ends at leaves of all copies (``docs/rules.md`` section 7); arrays of equal shape.

    Parameters
    ----------
    pair, rate, copies
        Link rows, Gb/s of a NIC's port, rails and planes.
    host_nics, domain_nics
        NICs of one host and of one domain.
    hosts, domains
        Of the pool.
    per_leaf, parts
        Whole domains per leaf, or leaves per domain of one copy; one of the two is 1.
    """
    if not pair.module:
        # The ports of a host on one copy go to one leaf and share its cables.
        cables = hosts * copies.count * -(host_nics // copies.rails * rate // -pair.lower.rate_gbps)
        return cables, cables, cables
    lower = hosts * -(host_nics * copies.planes * rate // -pair.lower.rate_gbps)
    ports = domain_nics // copies.rails
    full, rest = domains // per_leaf, domains % per_leaf
    whole = full * -(per_leaf * ports * rate // -pair.upper.rate_gbps) - (rest * ports * rate // -pair.upper.rate_gbps)
    split = domains * parts * -(ports // parts * rate // -pair.upper.rate_gbps)
    upper = copies.count * np.where(parts > 1, split, whole)
    return lower, lower, upper


class _Items(Sequence[Attached]):
    """The choices one by one, each made when it is looked at."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices

    def __len__(self) -> int:
        return self._choices.down.size

    @overload
    def __getitem__(self, index: int) -> Attached: ...
    @overload
    def __getitem__(self, index: slice) -> list[Attached]: ...
    def __getitem__(self, index: int | slice) -> Attached | list[Attached]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        c = self._choices
        return Attached(
            option=c.options[int(c.option[index])],
            leaf=c.leaf,
            copies=c.copies,
            pair=c.pairs[int(c.pair[index])],
            rate_gbps=int(c.rate[index]),
            length_m=float(c.length_m[index]),
            domains_per_leaf=int(c.per_leaf[index]),
            leaves_per_domain=int(c.parts[index]),
            leaves=int(c.leaves[index]),
            need_gbps=float(c.need_gbps[index]),
            one_stage=c.one_stage,
        )

    def __iter__(self) -> Iterator[Attached]:
        return (self[i] for i in range(len(self)))


@dataclass(frozen=True)
class Choices:
    """Choices of one pool for one leaf type and number of copies, structure of arrays of length n.

    ``terms`` (n, len(TERMS)), all copies; ``down`` leaf ports at ``rate`` Gb/s; ``load_gbps`` traffic that leaves a
    full leaf, ``leaf_gbps`` what its uplinks must carry, more where they take over from a leaf that is out;
    ``leaves`` of one copy; ``accelerators``; ``hit_usd`` and ``hour_usd`` the money of a job hit and a lost
    hour; ``keep`` the share of ``load_gbps`` that must pass when a box above the leaves is out; ``relayed_gbps`` what
    leaves joined directly must pass when another is out (infinite: only two of them will do);
    ``mix`` how the options may be mixed; ``taper`` what the Gb/s
    below over those above a full leaf must be exactly (None: no such pin); ``path_ns`` the longest way through switches
    and above the NIC cables that the plan bears (infinite: any);
    ``option`` and ``pair`` are places in ``options`` and ``pairs``, ``per_leaf`` whole domains on a leaf, ``parts``
    leaves of a domain.
    """

    pool: str
    leaf: SwitchPart
    copies: Copies
    one_stage: bool
    keep: float
    taper: Fraction | None
    options: tuple[Option, ...]
    pairs: tuple[LinkPair, ...]
    option: Ints
    pair: Ints
    per_leaf: Ints
    parts: Ints
    length_m: Floats
    need_gbps: Floats
    terms: Floats
    down: Ints
    rate: Ints
    load_gbps: Floats
    leaf_gbps: Floats
    relayed_gbps: Floats
    leaves: Ints
    accelerators: Ints
    hit_usd: Floats
    hour_usd: Floats
    path_ns: Floats
    mix: Mix | None = None

    @cached_property
    def mixing(self) -> Mix | None:
        """How the choices may be mixed (None: each is all of the pool)."""
        return None if self.mix is None else self.mix.take(self.option)

    @property
    def kept_gbps(self) -> Floats:
        """What of ``load_gbps`` must pass when a box above the leaves is out."""
        return self.keep * self.load_gbps

    @property
    def items(self) -> Sequence[Attached]:
        """The choices as single records."""
        return _Items(self)

    def take(self, keep: Ints | npt.NDArray[np.bool_]) -> Choices:
        """Return the chosen rows."""
        return self.with_columns({name: getattr(self, name)[keep] for name in _COLUMNS})

    def with_columns(self, columns: dict[str, Any]) -> Choices:
        """Return other rows of the same pool, leaf type and copies."""
        return replace(self, **columns)


_COLUMNS = (
    "option",
    "pair",
    "per_leaf",
    "parts",
    "length_m",
    "need_gbps",
    "terms",
    "down",
    "rate",
    "load_gbps",
    "leaf_gbps",
    "relayed_gbps",
    "leaves",
    "accelerators",
    "hit_usd",
    "hour_usd",
    "path_ns",
)


def joined(blocks: Sequence[Choices]) -> Choices:
    """Choices of the same pool, leaf type and copies as one; pairs are renumbered."""
    if len(blocks) == 1:
        return blocks[0]
    pairs = tuple(dict.fromkeys(pair for block in blocks for pair in block.pairs))
    number = {pair: index for index, pair in enumerate(pairs)}
    columns: dict[str, Any] = {name: np.concatenate([getattr(block, name) for block in blocks]) for name in _COLUMNS}
    columns["pair"] = np.concatenate(
        [np.array([number[pair] for pair in block.pairs], np.int64)[block.pair] for block in blocks]
    )
    return replace(blocks[0].with_columns(columns), pairs=pairs)
