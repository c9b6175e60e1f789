"""Finite fields GF(p^n) as tables: elements are numbers 0 .. q-1, the base-p digits their polynomial's coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from designer.network.graph import Ints


@dataclass(frozen=True, eq=False)
class Field:
    """A finite field of ``q`` elements.

    Parameters
    ----------
    q
        Number of elements; 0 is the zero and 1 the one.
    add, minus
        (q, q): sum, and first minus second element.
    power
        (q - 1,): powers 0 .. q-2 of a primitive element; every non-zero element once.
    """

    q: int
    add: Ints
    minus: Ints
    power: Ints

    def times(self) -> Ints:
        """Products (q, q) of all pairs of elements."""
        log = np.zeros(self.q, np.int64)
        log[self.power] = np.arange(self.q - 1)
        out: Ints = self.power[(log[:, None] + log[None, :]) % (self.q - 1)]
        out[0, :] = out[:, 0] = 0
        return out


def prime_power(q: int) -> tuple[int, int] | None:
    """Prime and exponent of ``q``, or None where it is no power of a prime.

    Examples
    --------
    >>> prime_power(27), prime_power(28), prime_power(1)
    ((3, 3), None, None)
    """
    if q < 2:
        return None
    prime = next((d for d in range(2, int(q**0.5) + 1) if q % d == 0), q)
    exponent = 0
    while q % prime == 0:
        q //= prime
        exponent += 1
    return (prime, exponent) if q == 1 else None


@lru_cache(maxsize=32)
def field(q: int) -> Field:
    """Build GF(q) on the first primitive polynomial in lexicographic order.

    Raises
    ------
    ValueError
        When ``q`` is no power of a prime.

    Examples
    --------
    >>> gf4 = field(4)
    >>> gf4.power.tolist(), gf4.times()[2].tolist(), gf4.add[2, 3]
    ([1, 2, 3], [0, 2, 3, 1], np.int64(1))
    """
    parts = prime_power(q)
    if parts is None:
        raise ValueError(f"{q} is no power of a prime: no field has so many elements")
    prime, exponent = parts
    place = prime ** np.arange(exponent)
    digits = np.arange(q)[:, None] // place % prime
    add = ((digits[:, None, :] + digits[None, :, :]) % prime) @ place
    minus = ((digits[:, None, :] - digits[None, :, :]) % prime) @ place
    return Field(q, add, minus, np.array(_powers(prime, exponent), np.int64))


def _powers(prime: int, exponent: int) -> list[int]:
    """Powers of a primitive element: of a primitive root, or of x modulo a primitive polynomial."""
    q = prime**exponent
    if exponent == 1:
        return next(
            run for root in range(1, prime) if len(set(run := [pow(root, k, prime) for k in range(q - 1)])) == q - 1
        )
    for low in range(1, q):
        # x^n = the polynomial whose coefficients are the digits of ``low``.
        tail = [low // prime**k % prime for k in range(exponent)]
        run, seen, now = [], set(), [1] + [0] * (exponent - 1)
        while tuple(now) not in seen:
            seen.add(tuple(now))
            run.append(sum(digit * prime**k for k, digit in enumerate(now)))
            top = now[-1]
            now = [(a + top * b) % prime for a, b in zip([0, *now[:-1]], tail, strict=True)]
        if len(run) == q - 1:
            return run
    raise AssertionError("every finite field has a primitive element")
