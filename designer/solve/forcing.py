"""Choices forced on a question: ``KEY=VALUE`` -> an instance and an offer that allow nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Any

from pydantic import ValidationError

from designer.answer import Question
from designer.candidates.offer import Offer
from designer.catalogue import Catalogue
from designer.instance.schema import Instance
from designer.problems import InputError, Problem
from designer.reading import nearest, problems_from_validation

SCALE_OUT_BOUNDARIES = ("nic_leaf", "leaf_spine", "spine_core", "core_top", "leaf_leaf", "group_group")
SHAPES = ("tree", "mesh", "hyperx", "dragonfly")
# Link rows by what people call their technology.
TECHNOLOGIES = {
    "copper": ("dac", "acc", "aec"),
    "dsp": ("dr_dsp", "fr_dsp"),
    "lpo": ("lpo",),
    "lro": ("lro",),
    "cpo": ("cpo",),
}
_PINS = ("scale_up_switch", "leaf_switch", "spine_switch", "core_switch", "top_switch")
_LINKS = {
    "link": SCALE_OUT_BOUNDARIES,
    "scale_up_link": ("scale_up",),
    "nic_leaf_link": ("nic_leaf",),
    "leaf_spine_link": ("leaf_spine",),
    "spine_core_link": ("spine_core",),
    "core_top_link": ("core_top",),
    "leaf_leaf_link": ("leaf_leaf",),
    "group_group_link": ("group_group",),
}
_NUMBERS = ("domain_size", "scale_up_planes", "stages", "rails", "planes")
_FABRICS = ("shape", "scale_out_stages", "fabrics")
KEYS = ("accelerator", "vendor", "nic", *_NUMBERS, *_FABRICS, "taper", *_PINS, *_LINKS, "technology", "without")
_FILE = "--force"


@dataclass(frozen=True)
class Forced:
    """A question with choices forced on it.

    ``notes`` say what was widened for it; ``parts`` are the catalogue ids forced; ``narrow`` takes out of the offer
    what is not to be used.
    """

    question: Question
    narrow: Callable[[Offer], Offer]
    parts: tuple[str, ...]
    notes: tuple[str, ...]


def force(question: Question, forces: Sequence[str]) -> Forced:
    """Turn ``KEY=VALUE`` into a question with those choices forced; every mistake is told at once."""
    work = _Forcing(question)
    for text in forces:
        work.add(text)
    if not forces:
        work.wrong("", "nothing", f"give at least one KEY=VALUE; keys: {', '.join(KEYS)}")
    return work.done()


class _Forcing:
    """Collects what forces change."""

    def __init__(self, question: Question) -> None:
        self.question, self.catalogue = question, question.catalogue
        self.choose = question.instance.choose.model_dump()
        self.pin = question.instance.pin.model_dump()
        self.only: dict[str, frozenset[str]] = {}
        self.without: set[str] = set()
        self.boxes: frozenset[str] | None = None
        self.shapes: list[str] = []
        self.trees = self.apart = False
        self.parts: list[str] = []
        self.notes: list[str] = []
        self.problems: list[Problem] = []

    def wrong(self, key: str, read: str, allowed: str) -> None:
        self.problems.append(Problem(_FILE, key, read, allowed))

    def add(self, text: str) -> None:
        key, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not value or key not in KEYS:
            self.wrong(key[:60], repr(text[:80]), f"allowed: KEY=VALUE with one of the keys {', '.join(KEYS)}")
        elif key in (*_NUMBERS, "scale_out_stages"):
            self._number("stages" if key == "scale_out_stages" else key, value)
        elif key in _FABRICS:
            self._fabrics(key, value)
        elif key == "vendor":
            self._vendor(value)
        elif key == "technology":
            self._technology(value)
        elif key == "taper":
            self._taper(value)
        elif key in _LINKS:
            self._link(key, value)
        elif key == "without":
            known = [name for table in _tables(self.catalogue).values() for name in table]
            if value in known:
                self.without.add(value)
            else:
                self.wrong(key, repr(value[:60]), nearest(value, known))
        else:
            self._part(key, value)

    def _part(self, key: str, value: str) -> None:
        """Pin a part; naming it offers it whatever its status, as an instance would."""
        roles = {"accelerator": "accelerators", "nic": "nics", "scale_up_switch": "scale_up_switches"}
        role = roles.get(key, "scale_out_switches")
        known = _tables(self.catalogue)[role]
        if value not in known:
            self.wrong(key, repr(value[:60]), nearest(value, known))
            return
        self.pin[key] = value
        self._list(role, (value,), only=key == "accelerator")
        self.parts.append(value)

    def _list(self, role: str, values: Sequence[str], *, only: bool) -> None:
        listed = self.choose[role]
        if only:
            self.choose[role] = tuple(values)
        elif listed is not None:
            self.choose[role] = tuple(dict.fromkeys((*listed, *values)))

    def _vendor(self, value: str) -> None:
        rows = self.catalogue.accelerators
        mine = [name for name, row in rows.items() if row.vendor.casefold() == value.casefold()]
        if not mine:
            self.wrong("vendor", repr(value[:60]), nearest(value, {row.vendor for row in rows.values()}))
            return
        self.pin["accelerator"] = None
        self._list("accelerators", mine, only=True)
        self.parts += mine

    def _number(self, key: str, value: str) -> None:
        try:
            number = int(value)
        except ValueError:
            number = 0
        if number < 1:
            self.wrong(key, repr(value[:60]), "allowed: a whole number of at least 1")
        elif key == "domain_size":
            self.pin["domain_size"] = number
            if self.choose["domain_sizes"] is not None:
                self.choose["domain_sizes"] = tuple(dict.fromkeys((*self.choose["domain_sizes"], number)))
        elif key == "scale_up_planes":
            self.pin[key] = number
        elif key == "stages":
            self.choose["scale_out_stages"] = (number,)
            self.pin["scale_out_stages"] = number
            self._tree()
        else:
            self.choose[f"scale_out_{key}"] = (number,)
            self.pin[key] = None

    def _taper(self, value: str) -> None:
        down, sign, up = value.partition(":")
        if not (sign and down.isdecimal() and up.isdecimal() and int(down) and int(up)):
            self.wrong("taper", repr(value[:60]), "allowed: DOWN:UP in whole numbers, such as 42:22")
            return
        self.pin["taper"] = value
        self._tree()
        if int(down) > self.choose["max_taper"] * int(up):
            self.notes.append(f"choose.max_taper = {self.choose['max_taper']:g} of the instance is set aside")
            self.choose["max_taper"] = float(ceil(Fraction(int(down), int(up))))

    def _tree(self) -> None:
        """Only trees have stages and a taper."""
        self.trees = True
        self.choose["scale_out_shapes"] = ("tree",)

    def _fabrics(self, key: str, value: str) -> None:
        """Another shape of the fabrics, or one for all workloads or for each."""
        allowed = SHAPES if key == "shape" else ("shared", "private")
        if value not in allowed:
            self.wrong(key, repr(value[:60]), f"allowed: one of {', '.join(allowed)}")
        elif key == "shape":
            self.shapes.append(value)
            self.choose["scale_out_shapes"] = (value,)
            if value != "tree" and not self.trees:
                self.pin["taper"] = self.pin["scale_out_stages"] = None
        else:
            self.apart = value == "private"
            if self.apart and not self.choose["private_fabrics"]:
                self.notes.append("choose.private_fabrics = false of the instance is set aside")
            self.choose["private_fabrics"] = self.apart

    def _pair(self, key: str, value: str) -> None:
        """Both ends of a boundary, in the words of a pin: co-packaged ends may be named."""
        lower, _, upper = value.partition("/")
        for row in (lower, upper):
            if row not in self.catalogue.links:
                self.wrong(key, repr(row[:60]), nearest(row, self.catalogue.links))
                return
        for boundary in _LINKS[key]:
            self.only.pop(boundary, None)
            self.pin[f"{boundary}_links"] = value
        bought = tuple(row for row in dict.fromkeys((lower, upper)) if self.catalogue.links[row].tech != "cpo")
        self._list("links", bought, only=False)
        self.parts += bought

    def _link(self, key: str, value: str) -> None:
        if "/" in value:
            self._pair(key, value)
            return
        known = [name for name, row in self.catalogue.links.items() if row.tech != "cpo"]
        if value not in known:
            self.wrong(key, repr(value[:60]), f"{nearest(value, known)} (co-packaged ends: technology=cpo)")
            return
        for boundary in _LINKS[key]:
            self._allow(boundary, frozenset({value}))
            self.pin[f"{boundary}_links"] = None
        self._list("links", (value,), only=False)
        self.parts.append(value)

    def _technology(self, value: str) -> None:
        if value not in TECHNOLOGIES:
            self.wrong("technology", repr(value[:60]), f"allowed: one of {', '.join(TECHNOLOGIES)}")
            return
        packaged, switches, links = value == "cpo", self.choose["scale_out_switches"], self.choose["links"]
        boxes = {
            name for name, row in self.catalogue.switches.items() if row.role == "scale_out" and row.cpo == packaged
        }
        self.boxes = frozenset(boxes) if self.boxes is None else self.boxes & boxes
        if packaged:
            if not boxes & set(switches or boxes):
                self._list("scale_out_switches", sorted(boxes), only=False)
            self.notes.append("every scale-out switch is a co-packaged one; NICs keep modules")
            return
        rows = {name for name, row in self.catalogue.links.items() if row.tech in TECHNOLOGIES[value]}
        if not rows & set(links or rows):
            self._list("links", sorted(rows), only=False)
        for boundary in SCALE_OUT_BOUNDARIES:
            self._allow(boundary, frozenset(rows))
            self.pin[f"{boundary}_links"] = None

    def _allow(self, boundary: str, rows: frozenset[str]) -> None:
        self.only[boundary] = self.only.get(boundary, rows) & rows

    def done(self) -> Forced:
        data: dict[str, Any] = self.question.instance.model_dump()
        data["choose"], data["pin"] = self.choose, self.pin
        if self.trees and set(self.shapes) - {"tree"}:
            self.wrong("shape", repr(self.shapes[-1]), "allowed: tree, for stages or taper are forced too")
        self._beyond_announced()
        try:
            instance = Instance.model_validate(data)
        except ValidationError as error:
            self.problems += problems_from_validation(_FILE, error, Instance)
        if self.problems:
            raise InputError(self.problems)
        self._widened(instance)
        question = replace(self.question, instance=instance)
        return Forced(question, self._narrow, tuple(dict.fromkeys(self.parts)), tuple(self.notes))

    def _widened(self, instance: Instance) -> None:
        """Say where a force sets aside what the instance itself allows: such a design is no answer to its question."""
        was = self.question.instance
        for name in type(was.choose).model_fields:
            before, now = getattr(was.choose, name), getattr(instance.choose, name)
            if name in ("beyond_announced", "rearranged") or before == now or not isinstance(before, tuple):
                continue
            if not set(now) <= set(before):
                added = ", ".join(str(value) for value in now if value not in before)
                self.notes.append(f"choose.{name} of the instance does not allow {added}: set aside")
        for name in type(was.pin).model_fields:
            before, now = getattr(was.pin, name), getattr(instance.pin, name)
            if before is not None and before != now:
                self.notes.append(f"pin.{name} = {before} of the instance is set aside")

    def _beyond_announced(self) -> None:
        """A forced size is a what-if for every accelerator that is announced for less."""
        size = self.pin["domain_size"]
        if size is None or size == self.question.instance.pin.domain_size:
            return
        level, listed = self.question.instance.level, self.choose["accelerators"]
        over, sold = [], []
        for name, row in self.catalogue.accelerators.items():
            if (listed is None or name in listed) and self.pin["accelerator"] in (None, name):
                most = row.scale_up.max_domain.at(level)
                if most is not None and size > most and name not in self.choose["beyond_announced"]:
                    over.append(name)
                if row.price_scope == "rack_share" and name not in self.choose["rearranged"]:
                    sold.append(name)
        if sold:
            # Racks are sold whole: another size of domain is a what-if that must be allowed by name.
            self.choose["rearranged"] = (*self.choose["rearranged"], *sold)
        if over:
            self.choose["beyond_announced"] = (*self.choose["beyond_announced"], *over)
            self.notes.append(f"a domain of {size} is beyond what is announced for {', '.join(over)}: a what-if")

    def _narrow(self, offer: Offer) -> Offer:
        out, boxes = self.without, self.boxes
        accelerators = []
        for part in offer.accelerators:
            nics = tuple((nic, count) for nic, count in part.nic_options if nic.id not in out)
            if part.id not in out and nics:
                accelerators.append(replace(part, nic_options=nics))

        def kept(switches: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(s for s in switches if s.id not in out and (boxes is None or s.id in boxes))

        return replace(
            offer,
            accelerators=tuple(accelerators),
            scale_up_switches={name: part for name, part in offer.scale_up_switches.items() if name not in out},
            leaves=kept(offer.leaves),
            spines=kept(offer.spines),
            cores=kept(offer.cores),
            tops=kept(offer.tops),
            apart=self.apart,
            links=tuple(link for link in offer.links if link.id not in out),
            only=dict(self.only),
        )


def _tables(catalogue: Catalogue) -> dict[str, Mapping[str, Any]]:
    switches = catalogue.switches.items()
    return {
        "accelerators": catalogue.accelerators,
        "scale_up_switches": {name: row for name, row in switches if row.role == "scale_up"},
        "scale_out_switches": {name: row for name, row in switches if row.role == "scale_out"},
        "links": catalogue.links,
        "nics": catalogue.nics,
    }
