"""Whether a selection keeps the limits: by its float sums where these are sure, else by the recount."""

from __future__ import annotations

from collections.abc import Callable

from designer.answer import Question
from designer.candidates.offer import Offer
from designer.candidates.parting import within
from designer.candidates.weights import Weights
from designer.design.build import build_design
from designer.instance.pools import pools_of
from designer.solve.selection import Selection
from designer.verify import verify


def holds(question: Question, offer: Offer, selection: Selection) -> bool:
    """Whether a selection is a design within the limits in exact arithmetic."""
    instance = question.instance
    design = build_design(instance.name, pools_of(instance), selection.items, selection.fabrics, offer.economy)
    return verify(design, question.catalogue, instance).ok


def keeping(question: Question, offer: Offer, weights: Weights) -> Callable[[Selection], bool]:
    """A test of selections: a sum just at a limit, which floats cannot tell from one beyond it, is recounted."""
    racks = offer.economy.network_rack_watts

    def keeps(selection: Selection) -> bool:
        if within(weights, selection.each, racks):
            return True
        return within(weights, selection.each, racks, surely=False) and holds(question, offer, selection)

    return keeps
