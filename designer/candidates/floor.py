"""Lower bounds on what the choices of all pools cost below a fabric of given prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from designer.candidates.choices import Choices
from designer.candidates.mixing import Mix
from designer.candidates.mixing import least as least_of
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

    ``needs``, ``loads`` and ``kept`` are the distinct triples (least uplinks, Gb/s that leave a full leaf, those that
    must pass without one box) of the choices whose leaf has ports for them. ``lines[p]`` holds (uplinks, leaves, USD)
    of those of pool ``p`` that no other beats, which may be mixed by ``mixes[p]``.
    """

    needs: Ints
    loads: Floats
    kept: Floats
    lines: tuple[Floats, ...]
    mixes: tuple[Mix | None, ...]

    @staticmethod
    def of(
        choices: Sequence[Choices], rate_gbps: int, max_taper: float, objective: Callable[[Floats], Floats]
    ) -> Floor | None:
        """Build the floor (None: a pool has no choice that uplinks of this rate can serve)."""
        triples, lines, mixes = [], [], []
        for block in choices:
            least = least_uplinks(block, rate_gbps, max_taper)
            radix = block.leaf.radix
            # All choices of a block have NICs whose rate is a key of the radix; few distinct ones.
            down_radix = np.array([radix[r] for r in block.rate.tolist()])
            room = (radix[rate_gbps] * (down_radix - block.down)) // down_radix
            fits = (least <= room) & (block.rate <= rate_gbps)
            if not fits.any():
                return None
            triples.append(np.stack([least.astype(float), block.load_gbps, block.kept_gbps], axis=1)[fits])
            own = np.stack([least[fits], block.leaves[fits], objective(block.terms[fits])], axis=1).astype(float)
            mix = None if block.mixing is None else block.mixing.take(fits)
            if mix is None:
                own = own[pareto(own)]
            elif not mix.whole:
                return None
            lines.append(own)
            mixes.append(mix)
        distinct = np.unique(np.concatenate(triples), axis=0)
        needs, loads, kept = distinct.T
        return Floor(needs.astype(np.int64), loads, kept, tuple(lines), tuple(mixes))

    def least(self, link_usd: float, fewest: int) -> float:
        """USD per year when every uplink a choice needs (``fewest`` at least) costs ``link_usd``."""
        out = 0.0
        for line, mix in zip(self.lines, self.mixes, strict=True):
            uplinks, leaves, usd = line.T
            out += float(least_of(usd + leaves * np.maximum(uplinks, fewest) * link_usd, mix))
        return out

    def __call__(self, per_leaf_usd: Floats, uplinks: Ints | None) -> Floats:
        """USD per year when every leaf costs ``per_leaf_usd`` more and has ``uplinks``; arrays (n,)."""
        out = np.zeros(per_leaf_usd.size)
        for line, mix in zip(self.lines, self.mixes, strict=True):
            out += _least(line, mix, per_leaf_usd, uplinks)
        return out

    def with_pods(self, per_leaf_usd: Floats, per_pod_usd: Floats, pod: Ints, uplinks: Ints | None) -> Floats:
        """The same when, besides, every started pod of ``pod`` leaves costs ``per_pod_usd``; arrays (n,)."""
        if len(self.lines) == 1 and self.mixes[0] is None:
            return _least(self.lines[0], None, per_leaf_usd, uplinks, per_pod_usd, pod)
        spread = self(per_leaf_usd + per_pod_usd / pod, uplinks)
        least = sum(float(least_of(line[:, 1], mix)) for line, mix in zip(self.lines, self.mixes, strict=True))
        return np.maximum(spread, self(per_leaf_usd, uplinks) + np.ceil(least / pod) * per_pod_usd)


def least_uplinks(choices: Choices, rate_gbps: int, max_taper: float) -> Ints:
    """Uplinks of ``rate_gbps`` that the need and the taper of a full leaf ask for, at least 1.

    With a pinned taper exactly so many may be there; `NEVER` where no whole number of them keeps it.
    """
    least = np.maximum(
        np.ceil(choices.leaf_gbps / rate_gbps - EPS),
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
    line: Floats,
    mix: Mix | None,
    per_leaf: Floats,
    uplinks: Ints | None,
    per_pod: Floats | None = None,
    pod: Ints | None = None,
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
        out[rows] = least_of(table, mix)
    return out
