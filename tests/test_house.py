"""The house rules of CONTRIBUTING.md, checked on the syntax trees: who may import whom, and how large a room may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (ROOT / "designer", ROOT / "models" / "designer_models")
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
MAX_LINES = 400

# A room imports from rooms of a lower floor, and from its own. Equal floors do not see each other.
FLOORS = {
    "designer.problems": 0,
    "designer.answer": 0,
    "designer.reading": 1,
    "designer.network": 1,
    "designer.catalogue": 2,
    "designer.families": 2,
    "designer.instance": 3,
    "designer.demand": 4,
    "designer.given": 4,
    "designer.design": 5,
    "designer.candidates": 6,
    "designer.verify": 6,
    "designer.fabric": 6,
    "designer.design.build": 7,
    "designer_models": 7,
    "designer.evaluate": 7,
    "designer.solve": 8,
    "designer.beside": 9,
    "designer.degrade": 9,
    "designer.risk": 9,
    "designer.simulate": 9,
    "designer.report": 10,
    "designer.breakeven": 11,
    "designer.runs": 11,
    "designer.validate": 12,
    "designer.bench": 12,
    "designer.bench_flow": 12,
    "designer.cli": 13,
}


def name_of(path: Path) -> str:
    base = ROOT / "models" if "models" in path.relative_to(ROOT).parts else ROOT
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str | None:
    parts = module.split(".")
    if parts[0] == "designer_models":
        return "designer_models"
    if parts[:2] == ["designer", "design"] and parts[2:3] in (["build"], ["fabrics"]):
        # These turn chosen candidates into a design: above them, unlike the plain data beside them.
        return "designer.design.build"
    return ".".join(parts[:2]) if parts[0] == "designer" and len(parts) > 1 else None


def imports(path: Path, *, for_types: bool = False) -> Iterator[str]:
    """Every imported module, ``from a import b`` as both ``a`` and ``a.b``; types-only imports are left out."""
    module = name_of(path) if path.is_relative_to(ROOT / "designer") or "models" in path.parts else path.stem

    def visit(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.If) and not for_types and "TYPE_CHECKING" in ast.dump(node.test):
            for child in node.orelse:
                yield from visit(child)
            return
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")[: -node.level]
                base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    yield from visit(ast.parse(path.read_text()))


def test_the_walk_sees_imports() -> None:
    # Without this, a broken walk would let every other test of this file pass.
    assert "pyomo.environ" in set(imports(ROOT / "designer" / "solve" / "compile.py"))
    assert "highspy" in set(imports(ROOT / "designer" / "solve" / "highs.py"))
    assert len(MODULES) > 30


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_is_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_has_a_name_that_says_nothing(path: Path) -> None:
    assert not {"utils", "util", "helpers", "helper", "common", "misc"} & set(
        path.relative_to(ROOT).with_suffix("").parts
    )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    own = room_of(name_of(path))
    if own is None or own == "designer.__main__":
        return
    assert own in FLOORS, f"{own} stands on no floor: add it to FLOORS and to the map in CONTRIBUTING.md"
    for module in imports(path):
        other = room_of(module)
        if other is None or other == own or other not in FLOORS:
            continue
        assert FLOORS[other] < FLOORS[own], f"{name_of(path)} imports {module}, which is not below it"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_solver_libraries_stay_in_their_rooms(path: Path) -> None:
    module = name_of(path)
    tops = {name.split(".")[0] for name in imports(path, for_types=True)}
    if "pyomo" in tops:
        assert module.startswith("designer_models") or module == "designer.solve.compile"
    if "highspy" in tops:
        assert module == "designer.solve.highs"
    assert "models" not in tops, "the models are imported as designer_models"


CHECKERS = sorted(
    path for place in ("designer/verify", "designer/fabric", "tests/oracle") for path in (ROOT / place).rglob("*.py")
)


@pytest.mark.parametrize("path", CHECKERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_checkers_share_nothing_with_the_optimiser(path: Path) -> None:
    for module in imports(path, for_types=True):
        assert room_of(module) not in {"designer.candidates", "designer_models", "designer.solve"}
        if "tests" in path.parts:
            # The oracle is a third implementation: it may not lean on the second one either.
            assert room_of(module) not in {"designer.verify", "designer.fabric"}


def test_the_map_of_the_house_names_every_room() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for room in FLOORS:
        assert f"`{room.replace('.', '/')}" in text or f"`models/{room}" in text, room


def test_nothing_of_this_machine_is_written_down() -> None:
    words = ("/work" + "/", "/ho" + "me/", "pypi" + ".org")
    for path in (*MODULES, *sorted((ROOT / "tests").rglob("*.py")), *sorted(ROOT.glob("*.md")), ROOT / ".ci" / "run"):
        text = path.read_text()
        assert not [word for word in words if word in text], path
