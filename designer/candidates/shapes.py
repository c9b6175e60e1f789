"""Which fabric shapes are worth considering for given pool choices (``docs/rules.md`` section 7).

Two exact arguments keep the list short. For given choices and links per pair only the fewest spines that carry
them can be optimal, because every coefficient of a template grows with its spines: so spines run over the least
numbers some choice needs. And a shape whose boxes and links alone, at their cheapest, lift the cheapest choices
above a known answer cannot be in a better one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from designer.candidates.choices import Choices
from designer.candidates.parts import SwitchPart
from designer.candidates.templates import EPS, Shape
from designer.instance.schema import Choose

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ceiling:
    """A known answer to beat, and prices that no shape undercuts.

    ``best_usd`` is the known objective (infinite when nothing is known). ``box_usd(switch)`` is what one box above the
    leaf adds at least, ``link_usd(lower, upper, rate, name)`` what a link adds per link and once, None when no cable
    joins the two switches.
    """

    best_usd: float
    box_usd: Callable[[SwitchPart], float]
    link_usd: Callable[[SwitchPart, SwitchPart, int, str], tuple[float, float] | None]


@dataclass(frozen=True)
class Envelope:
    """Least objective of the pools' choices when every leaf costs ``x`` more: a concave broken line per pool.

    ``lines[p]`` holds ``(leaves, USD)`` of the choices of pool ``p`` that are cheapest for their number of leaves.
    """

    lines: tuple[tuple[Floats, Floats], ...]

    def __call__(self, per_leaf_usd: Floats) -> Floats:
        """USD per year, same shape as ``per_leaf_usd``."""
        flat = np.asarray(per_leaf_usd, float).ravel()
        out = np.zeros_like(flat)
        for leaves, usd in self.lines:
            out += (usd[None, :] + leaves[None, :] * flat[:, None]).min(axis=1)
        return out.reshape(np.shape(per_leaf_usd))

    def with_pods(self, per_leaf_usd: Floats, per_pod_usd: Floats, pod: Ints) -> Floats:
        """The same when, besides, every started pod of ``pod`` leaves costs ``per_pod_usd``; equal shapes."""
        spread = self(per_leaf_usd + per_pod_usd / pod)
        if len(self.lines) > 1:
            least = sum(float(leaves.min()) for leaves, _ in self.lines)
            return np.maximum(spread, self(per_leaf_usd) + np.ceil(least / pod) * per_pod_usd)
        leaves, usd = self.lines[0]
        flat, pods, size = per_leaf_usd.ravel(), per_pod_usd.ravel(), pod.ravel()
        exact = usd[:, None] + leaves[:, None] * flat + np.ceil(leaves[:, None] / size) * pods
        return np.asarray(exact.min(axis=0)).reshape(np.shape(per_leaf_usd))


def envelope(choices: Sequence[Choices], objective: Callable[[Floats], Floats]) -> Envelope:
    """Build the envelope of all pools (several blocks of one pool are merged)."""
    pools: dict[str, dict[int, float]] = {}
    for block in choices:
        best = pools.setdefault(block.pool, {})
        for leaves, usd in zip(block.leaves.tolist(), objective(block.terms).tolist(), strict=True):
            best[leaves] = min(best.get(leaves, math.inf), usd)
    return Envelope(tuple((np.array(list(best), float), np.array(list(best.values()))) for best in pools.values()))


@dataclass(frozen=True)
class Bounded:
    """A shape, and a lower bound on the objective of any design that has it (USD per year)."""

    least_usd: float
    shape: Shape


def uplink_needs(choices: Sequence[Choices], rate_gbps: int, max_taper: float) -> tuple[Ints, Floats]:
    """Distinct pairs (least uplinks, Gb/s leaving a full leaf) of the choices whose leaf has ports for them."""
    needs: list[Floats] = []
    for block in choices:
        radix = block.leaf.radix
        down_radix = np.array([radix[r] for r in block.rate.tolist()])
        least = np.maximum(
            np.ceil(block.load_gbps / rate_gbps - EPS),
            np.ceil(block.down * block.rate / (max_taper * rate_gbps) - EPS),
        )
        least = np.maximum(least, 1)
        room = (radix[rate_gbps] * (down_radix - block.down)) // down_radix
        fits = (least <= room) & (block.rate <= rate_gbps)
        needs.append(np.stack([least[fits], block.load_gbps[fits]], axis=1))
    pairs = np.unique(np.concatenate(needs), axis=0)
    return pairs[:, 0].astype(np.int64), pairs[:, 1]


def shapes(
    choices: Sequence[Choices],
    spines: Sequence[SwitchPart],
    cores: Sequence[SwitchPart],
    stages: int,
    choose: Choose,
    ceiling: Ceiling,
    floor: Envelope,
) -> Iterator[Bounded]:
    """Yield the shapes of one number of stages for the choices (of all pools) on one leaf type.

    Each comes with a lower bound: its boxes and links at their cheapest, and the choices that are cheapest with them
    (``floor``).
    """
    leaf = choices[0].leaf
    if stages == 1:
        yield Bounded(float(floor(np.zeros(1))[0]) + ceiling.box_usd(leaf), Shape(1, leaf))
        return
    per_pool: dict[str, int] = {}
    for block in choices:
        per_pool[block.pool] = min(per_pool.get(block.pool, 10**12), int(block.leaves.min()))
    leaves = sum(per_pool.values())
    for spine in spines:
        if spine.family != leaf.family:
            continue
        for rate in sorted(set(leaf.radix) & set(spine.radix)):
            link = ceiling.link_usd(leaf, spine, rate, "leaf_spine")
            if link is None:
                continue
            needs, loads = uplink_needs(choices, rate, choose.max_taper)
            if needs.size == 0:
                continue
            if stages == 2:
                yield from _two_stages(
                    leaf, spine, rate, np.unique(needs), leaves, link, choose.min_spines, ceiling, floor
                )
                continue
            for core in cores:
                if core.family != leaf.family or rate not in core.radix:
                    continue
                upper = ceiling.link_usd(spine, core, rate, "spine_core")
                if upper is not None:
                    search = _ThreeStages(leaf, spine, core, rate, leaves, choose, (link, upper), ceiling, floor)
                    yield from search.run(needs, loads)


def _two_stages(
    leaf: SwitchPart,
    spine: SwitchPart,
    rate: int,
    needs: Ints,
    leaves: int,
    link: tuple[float, float],
    min_spines: int,
    ceiling: Ceiling,
    floor: Envelope,
) -> Iterator[Bounded]:
    most = min(spine.radix[rate] // leaves, int(needs.max()))
    if most < 1:
        return
    m, need = np.meshgrid(np.arange(1, most + 1), needs, indexing="ij")
    spines = np.maximum(-(need // -m), min_spines)
    pairs = np.unique(np.stack([m.ravel(), spines.ravel()], axis=1), axis=0)
    up = pairs[:, 0] * pairs[:, 1]
    least = pairs[:, 1] * ceiling.box_usd(spine) + floor(up * link[0]) + link[1]
    keep = (up < leaf.radix[rate]) & (least <= ceiling.best_usd)
    for (links, count), usd in zip(pairs[keep].tolist(), least[keep].tolist(), strict=True):
        yield Bounded(usd, Shape(2, leaf, spine, None, rate, links, count))


@dataclass(frozen=True)
class _ThreeStages:
    leaf: SwitchPart
    spine: SwitchPart
    core: SwitchPart
    rate: int
    leaves: int
    choose: Choose
    links_usd: tuple[tuple[float, float], tuple[float, float]]
    ceiling: Ceiling
    floor: Envelope

    def run(self, needs: Ints, loads: Floats) -> Iterator[Bounded]:
        radix = self.spine.radix[self.rate]
        spine_usd, core_usd = self.ceiling.box_usd(self.spine), self.ceiling.box_usd(self.core)
        (leaf_link, leaf_once), (core_link, core_once) = self.links_usd
        fewest = self.choose.min_spines
        # The cheapest choices, the fewest uplinks on every leaf, one pod of the fewest spines and one core for each.
        base = float(self.floor(np.array([fewest * leaf_link]))[0]) + leaf_once + core_once + fewest * spine_usd
        if base + fewest * core_usd > self.ceiling.best_usd:
            return
        seen: set[tuple[int, ...]] = set()
        for taper in self.choose.spine_tapers:
            most = math.ceil(radix / (1 + taper) - EPS)
            for m2 in range(1, min(most, self.core.radix[self.rate]) + 1):
                groups = most // m2
                if base + fewest * groups * (core_usd + m2 * core_link) > self.ceiling.best_usd:
                    continue
                rows = self._rows(m2, groups, radix, needs, loads, (spine_usd, core_usd))
                for (links, count, pod), usd in zip(rows[0].tolist(), rows[1].tolist(), strict=True):
                    key = (links, count, m2, groups, pod)
                    if key not in seen:
                        seen.add(key)
                        shape = Shape(
                            3, self.leaf, self.spine, self.core, self.rate, links, count, taper, pod, m2, groups
                        )
                        yield Bounded(usd, shape)

    def _rows(
        self, m2: int, groups: int, radix: int, needs: Ints, loads: Floats, boxes_usd: tuple[float, float]
    ) -> tuple[Ints, Floats]:
        """Return (links per pair, spines, leaves per pod) rows and their least objectives, for one way up."""
        up = m2 * groups
        m: Ints = np.arange(1, radix - up + 1, dtype=np.int64)
        pod = (radix - up) // np.maximum(m, 1)
        pods = -(self.leaves // -np.maximum(pod, 1))
        ok = (pods * m2 <= self.core.radix[self.rate]) & (self.choose.max_taper * up * (1 + EPS) >= pod * m)
        (leaf_link, leaf_once), (core_link, core_once) = self.links_usd
        member_usd = boxes_usd[0] + up * core_link
        once = leaf_once + core_once
        # The fewest spines already cost too much: no need to look at more.
        fewest, sized = self.choose.min_spines, np.maximum(pod, 1)
        least = self.floor.with_pods(
            np.asarray(fewest * m * leaf_link, float), np.full(m.size, fewest * member_usd), sized
        )
        ok &= least + fewest * boxes_usd[1] * groups + once <= self.ceiling.best_usd
        m, pod = m[ok], pod[ok]
        if m.size == 0:
            return np.empty((0, 3), np.int64), np.empty(0)
        # For every choice: the spines its uplinks and its traffic out of the pod need.
        count = np.maximum(
            -(needs[None, :] // -m[:, None]),
            np.ceil(pod[:, None] * loads[None, :] / (up * self.rate) - EPS).astype(np.int64),
        )
        count = np.maximum(count, self.choose.min_spines)
        m_all = np.broadcast_to(m[:, None], count.shape)
        pod_all = np.broadcast_to(pod[:, None], count.shape)
        least_all = self.floor.with_pods(count * m_all * leaf_link, count * member_usd, pod_all)
        least_all = least_all + count * boxes_usd[1] * groups + once
        keep = (m_all * count < self.leaf.radix[self.rate]) & (least_all <= self.ceiling.best_usd)
        rows, first = np.unique(np.stack([m_all[keep], count[keep], pod_all[keep]], axis=1), axis=0, return_index=True)
        return rows, least_all[keep][first]
