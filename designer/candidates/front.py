"""Sums of complete selections that no other known one beats."""

from __future__ import annotations

import numpy as np

from designer.candidates.reduce import Mask, beaten
from designer.candidates.terms import Floats


class Front:
    """Vectors (k,), of which the smaller is the better in every place.

    Examples
    --------
    >>> front = Front()
    >>> for vector in ((2.0, 2.0), (3.0, 1.0), (3.0, 3.0)):
    ...     front.add(np.array(vector))
    >>> front.beaten(np.array([[2.0, 3.0], [2.5, 1.0]])).tolist()
    [True, False]
    """

    def __init__(self) -> None:
        self._rows: Floats = np.empty((0, 0))

    def add(self, vector: Floats) -> None:
        """Take a vector up, unless it is beaten, and drop those that it beats."""
        if not self.beaten(vector[None, :])[0]:
            rows = self._rows.reshape(-1, vector.size)
            self._rows = np.vstack([rows[~(vector <= rows).all(axis=1)], vector])

    def beaten(self, rows: Floats) -> Mask:
        """Which rows (n, k) have a vector here that is nowhere above them; of no places: none."""
        if not rows.shape[1] or not len(self._rows):
            return np.zeros(len(rows), np.bool_)
        return beaten(self._rows, rows)
