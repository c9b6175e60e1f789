"""Lower bounds on what the choices of all pools cost below a fabric of given prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from designer.candidates.choices import Choices
from designer.candidates.reduce import pareto
from designer.candidates.shape import Ints
from designer.candidates.terms import Floats

# Guards a ceiling or floor of a quotient of decimal figures against the last bit of its float.
EPS = 1e-9
# More uplinks than any leaf has ports.
NEVER = 2**31
# Entries of a table made at a time: bounds memory, of no influence on the result.
_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Floor:
    """Least objective of the pools' choices when leaves cost something more, for one uplink rate.

    ``needs`` and ``loads`` are the distinct pairs (least uplinks, Gb/s that leave a full leaf) of the choices whose
    leaf has ports for them, ``keep`` the share of the latter that must pass without one box. ``lines[p]``
    holds (uplinks, leaves, USD) of those of pool ``p`` that no other beats.
    """

    needs: Ints
    loads: Floats
    keep: float
    lines: tuple[Floats, ...]

    @staticmethod
    def of(
        choices: Sequence[Choices], rate_gbps: int, max_taper: float, objective: Callable[[Floats], Floats]
    ) -> Floor | None:
        """Build the floor (None: a pool has no choice that uplinks of this rate can serve)."""
        pairs, lines = [], []
        for block in choices:
            least = least_uplinks(block, rate_gbps, max_taper)
            radix = block.leaf.radix
            # All choices of a block have NICs whose rate is a key of the radix; few distinct ones.
            down_radix = np.array([radix[r] for r in block.rate.tolist()])
            room = (radix[rate_gbps] * (down_radix - block.down)) // down_radix
            fits = (least <= room) & (block.rate <= rate_gbps)
            if not fits.any():
                return None
            pairs.append(np.stack([least[fits].astype(float), block.load_gbps[fits]], axis=1))
            own = np.stack([least[fits], block.leaves[fits], objective(block.terms[fits])], axis=1).astype(float)
            lines.append(own[pareto(own)])
        distinct = np.unique(np.concatenate(pairs), axis=0)
        return Floor(distinct[:, 0].astype(np.int64), distinct[:, 1], choices[0].keep, tuple(lines))

    def least(self, link_usd: float, fewest: int) -> float:
        """USD per year when every uplink a choice needs (``fewest`` at least) costs ``link_usd``."""
        return sum(
            float((usd + leaves * np.maximum(uplinks, fewest) * link_usd).min())
            for uplinks, leaves, usd in (line.T for line in self.lines)
        )

    def __call__(self, per_leaf_usd: Floats, uplinks: Ints | None) -> Floats:
        """USD per year when every leaf costs ``per_leaf_usd`` more and has ``uplinks``; arrays (n,)."""
        out = np.zeros(per_leaf_usd.size)
        for line in self.lines:
            out += _least(line, per_leaf_usd, uplinks)
        return out

    def with_pods(self, per_leaf_usd: Floats, per_pod_usd: Floats, pod: Ints, uplinks: Ints | None) -> Floats:
        """The same when, besides, every started pod of ``pod`` leaves costs ``per_pod_usd``; arrays (n,)."""
        if len(self.lines) == 1:
            return _least(self.lines[0], per_leaf_usd, uplinks, per_pod_usd, pod)
        spread = self(per_leaf_usd + per_pod_usd / pod, uplinks)
        least = sum(float(line[:, 1].min()) for line in self.lines)
        return np.maximum(spread, self(per_leaf_usd, uplinks) + np.ceil(least / pod) * per_pod_usd)


def least_uplinks(choices: Choices, rate_gbps: int, max_taper: float) -> Ints:
    """Uplinks of ``rate_gbps`` that the need and the taper of a full leaf ask for, at least 1.

    With a pinned taper exactly so many may be there; `NEVER` where no whole number of them keeps it.
    """
    least = np.maximum(
        np.ceil(choices.load_gbps / rate_gbps - EPS),
        np.ceil(choices.down * choices.rate / (max_taper * rate_gbps) - EPS),
    )
    if choices.taper is None:
        return np.maximum(least, 1).astype(np.int64)
    if not attainable(choices.taper):
        return np.full(choices.down.size, NEVER, np.int64)
    down, per_uplink = choices.down * choices.rate * choices.taper.denominator, choices.taper.numerator * rate_gbps
    exact = down // per_uplink
    return np.where((exact * per_uplink == down) & (exact >= least) & (exact >= 1), exact, NEVER)


def attainable(taper: Fraction) -> bool:
    """Whether ports of any leaf could have a taper: in lowest terms its numbers are no larger than Gb/s of a leaf.

    Larger ones would not fit the whole numbers of arrays.

    Examples
    --------
    >>> attainable(Fraction(42, 22)), attainable(Fraction("1.9090909090909092"))
    (True, False)
    """
    return max(taper.numerator, taper.denominator) < NEVER


def _least(
    line: Floats, per_leaf: Floats, uplinks: Ints | None, per_pod: Floats | None = None, pod: Ints | None = None
) -> Floats:
    """Least USD over one pool's choices for every entry (infinite where no choice does with the uplinks)."""
    needs, leaves, usd = line.T
    out = np.empty(per_leaf.size)
    step = max(1, _AT_ONCE // usd.size)
    for start in range(0, out.size, step):
        rows = slice(start, start + step)
        table = usd + leaves * per_leaf[rows, None]
        if per_pod is not None and pod is not None:
            table += np.ceil(leaves / pod[rows, None]) * per_pod[rows, None]
        if uplinks is not None:
            table[needs > uplinks[rows, None]] = np.inf
        out[rows] = table.min(axis=1)
    return out
