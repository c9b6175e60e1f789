"""Proven optima along a figure, each solved once, and designs priced at other values of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from designer.answer import Answer, Question, SolveOptions
from designer.breakeven.choices import Choices, Watch, choices_of
from designer.breakeven.key import Variable, at_value
from designer.breakeven.result import Side
from designer.design.types import Design
from designer.solve.run import solve
from designer.solve.why_not import force, solve_forced
from designer.verify import verify

_RACK_COUNTS = frozenset({"network_racks", "pool_racks"})


@dataclass(frozen=True)
class Point:
    """The answer at one value; ``seen`` is what is watched of its design."""

    value: float
    answer: Answer
    seen: Choices
    all_choices: Choices

    @property
    def cost(self) -> float | None:
        """The recounted first goal, None without a design."""
        if self.answer.design is None:
            return None
        return self.answer.goals[0].value if self.answer.goals else self.answer.objective_usd

    @property
    def design(self) -> Design:
        """The design; only where there is one."""
        assert self.answer.design is not None
        return self.answer.design

    @property
    def proven(self) -> bool:
        """Whether this is an optimum within the gap, or proven to have no design."""
        return self.answer.status in ("optimal", "infeasible")

    def side(self, name: str = "") -> Side:
        """The answer in plain data."""
        goal = self.answer.goals[0] if self.answer.goals else None
        return Side(
            self.value,
            self.answer.status,
            self.cost,
            None if goal is None else goal.bound,
            None if goal is None else goal.gap,
            self.all_choices,
            self.answer.clash,
            name,
        )


@dataclass
class Asker:
    """Asks one question, perhaps with a choice forced on it, at any value of the figure."""

    question: Question
    variable: Variable
    watch: Watch
    options: SolveOptions
    forces: tuple[str, ...] = ()
    on_solve: Callable[[float], None] | None = None
    points: dict[float, Point] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    _questions: dict[float, Question] = field(default_factory=dict)

    def at(self, value: float) -> Point:
        """The proven optimum at a value; solved once."""
        value = float(self.variable.number(value))
        if value not in self.points:
            if self.on_solve is not None:
                self.on_solve(value)
            question = self._question(value)
            if self.forces:
                forced = force(question, self.forces)
                answer, blocked = solve_forced(forced, self.options)
                self.notes |= dict.fromkeys((*forced.notes, *blocked))
            else:
                answer = solve(question, self.options)
            if answer.status == "interrupted":
                # The solver ends well on Ctrl-C; a search of many solves must end with it.
                raise KeyboardInterrupt
            catalogue = question.catalogue
            seen = choices_of(answer.design, catalogue, self.watch)
            everything = choices_of(answer.design, catalogue, "design" if self.watch == "design" else "any")
            self.points[value] = Point(value, answer, seen, everything)
        return self.points[value]

    def price(self, design: Design, value: float) -> Fraction | None:
        """What a design costs at a value of the figure, exactly; None if it breaks a rule there.

        Watts decide into how many racks the same boxes go; where racks are not limited that is the same design.
        """
        question = self._question(float(self.variable.number(value)))
        if self.forces:
            question = force(question, self.forces).question
        checked = verify(design, question.catalogue, question.instance)
        freely = _RACK_COUNTS if question.instance.site.racks is None else frozenset[str]()
        broken = [finding for finding in checked.findings if finding.rule not in freely]
        return None if broken or checked.totals is None else checked.exact_objective

    def offered_differs(self, one: Point, other: Point) -> bool:
        """Whether other parts are for sale at two values."""
        return {row.part for row in one.answer.not_offered} != {row.part for row in other.answer.not_offered}

    def _question(self, value: float) -> Question:
        if value not in self._questions:
            self._questions[value] = at_value(self.question, self.variable, value)
        return self._questions[value]
