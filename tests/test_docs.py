"""What the documents say is what the program does: examples, commands, snippets, links, the run in the README.

After a change of model or catalogue, paste the real run again: ``.venv/bin/python tests/test_docs.py``. That also
writes docs/instance.md from the schema and docs/published_cases.md from the published cases.
"""

from __future__ import annotations

import doctest
import importlib
import json
import os
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import designer
import designer_models
from designer.instance.load import load
from designer.instance.schema import Instance
from designer.runs import solve_and_store
from designer.validate import validate
from designer.validate.table import page

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SHOWN_RUN = "deepseek-v3-decode-hgx-vs-nvl72"
MODULES = sorted(
    {designer.__name__, designer_models.__name__}
    | {
        module.name
        for package in (designer, designer_models)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not module.name.endswith("__main__")
    }
)


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


# ----------------------------------------------------------------------------- examples in the code


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_the_code_run(name: str) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(importlib.import_module(name), optionflags=flags).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    found = sum(len(test.examples) for name in MODULES for test in finder.find(importlib.import_module(name)))
    assert found > 150


# ----------------------------------------------------------------------------- README


def test_both_commands_stand_in_the_readme_and_work_from_this_folder() -> None:
    solve, tests, evaluate = (block.strip() for block in blocks("console"))
    setup = "python3 -m venv .venv && .venv/bin/pip install "
    assert solve == f"{setup}. && .venv/bin/designer solve instances/{SHOWN_RUN}.toml"
    assert tests == f"{setup}-e '.[dev]' && .venv/bin/pytest"
    assert (ROOT / "instances" / f"{SHOWN_RUN}.toml").is_file()
    assert evaluate.startswith(".venv/bin/designer evaluate designs/")
    assert designer.evaluate(ROOT / evaluate.split()[-1]).ok


def test_ci_installs_as_the_readme_says() -> None:
    text = (ROOT / ".ci" / "run").read_text()
    assert "install --quiet --disable-pip-version-check -e '.[dev]'" in text
    for step in ("ruff", "mypy", "pytest"):
        assert f'"$venv/bin/{step}"' in text
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def without_hash(text: str) -> str:
    return re.sub(r"STORED +runs/.*", "STORED", text)


def real_run(folder: Path) -> str:
    here = Path.cwd()
    os.chdir(folder)
    try:
        return solve_and_store(ROOT / "instances" / f"{SHOWN_RUN}.toml").screen
    finally:
        os.chdir(here)


def test_the_run_in_the_readme_is_real(tmp_path: Path) -> None:
    shown = next(block for block in blocks("text") if block.startswith(f"{SHOWN_RUN}: "))
    assert without_hash(shown).splitlines() == without_hash(real_run(tmp_path)).splitlines(), (
        "paste the real run again: python tests/test_docs.py"
    )


def test_the_question_of_the_readme_has_an_answer(tmp_path: Path) -> None:
    question, fleet, overlay = blocks("toml")
    (tmp_path / "prices.toml").write_text(overlay)
    for name, text in (("my-fleet", fleet), ("my-chat", question)):
        (tmp_path / f"{name}.toml").write_text(text)
        run = solve_and_store(tmp_path / f"{name}.toml", overlay=tmp_path / "prices.toml", out=tmp_path / name)
        assert run.result.status == "optimal"
        assert run.agrees
    assert str(tomllib.loads(overlay)["accelerators"][0]["price_usd"]) not in run.result.instance.text


def test_the_library_snippet_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (snippet,) = blocks("python")
    monkeypatch.chdir(ROOT)
    exec(compile(snippet, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("72 gb200_nvl72 behind 18 switches\n1296 scale-up links, gap ")


def test_the_readme_lists_every_instance_with_its_title() -> None:
    for path in sorted((ROOT / "instances").glob("*.toml")):
        assert f"| [{path.stem}](instances/{path.name}) | {load(path).instance.title} |" in README


# ----------------------------------------------------------------------------- keys of an instance

KEYS = ROOT / "docs" / "instance.md"
CASES = ROOT / "docs" / "published_cases.md"
INTRODUCTION = """# Every key of an instance

Written from [schema.py](../designer/instance/schema.py) by `python tests/test_docs.py`; a test compares them.

Units stand in the names: `_ms` milliseconds, `_s` seconds, `_m` metres, `_mw` megawatts, `_usd` US dollars, `_w` watts,
`_kwh` kilowatt-hours. Shares run from 0 to 1. Bandwidth is one direction. "none" as a default is no limit, no choice
made beforehand, or (in `site` and `money`) the catalogue's figure: `designer catalog show facility.finance` and
`designer catalog show facility.cooling_and_power`.
Names of parts and LLMs are those of `designer catalog list`.
"""


def allowed_values(node: dict[str, Any]) -> str:
    """Say a node of the JSON Schema in words."""
    if "anyOf" in node:
        return " or ".join(allowed_values(branch) for branch in node["anyOf"] if branch.get("type") != "null")
    if "const" in node:
        return f"`{json.dumps(node['const'])}`"
    if "enum" in node:
        return ", ".join(f"`{json.dumps(value)}`" for value in node["enum"])
    if node["type"] == "array":
        return f"list of: {allowed_values(node['items'])}"
    if node["type"] == "object":
        return f"table of: {allowed_values(node['additionalProperties'])}"
    text = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true`, `false`"}[node["type"]]
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "maximum": "at most",
        "exclusiveMaximum": "less than",
    }
    ends = [f"{word} {node[key]:g}" for key, word in words.items() if key in node]
    if "maxLength" in node:
        ends.append(f"one line of at most {node['maxLength']} characters")
    elif "pattern" in node:
        ends.append(f"pattern `{node['pattern']}`")
    return ", ".join([text, *ends])


def keys_page() -> str:
    schema = Instance.model_json_schema()
    tables: list[str] = []

    def table(title: str, owner: dict[str, Any]) -> None:
        rows, inner = [], []
        for key, node in owner["properties"].items():
            reference = (node["items"] if node.get("type") == "array" else node).get("$ref")
            if reference is not None:
                path = key if title == "(top)" else f"{title.strip('[]')}.{key}"
                heading = f"[[{path}]]" if "items" in node else f"[{path}]"
                inner.append((heading, schema["$defs"][reference.rpartition("/")[2]]))
                continue
            default = "**required**" if key in owner.get("required", ()) else "none"
            if node.get("default") is not None:
                default = f"`{json.dumps(node['default'])}`"
            rows.append(f"| `{key}` | {allowed_values(node)} | {default} | {node.get('description', '')} |")
        heading = "Top of the file" if title == "(top)" else f"`{title}`"
        about = owner.get("description", "").split("\n")[0]
        tables.append(
            f"\n## {heading}\n\n{about}\n\n| key | allowed | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows)
        )
        for name, below in inner:
            table(name, below)

    table("(top)", schema)
    return INTRODUCTION + "\n".join(tables) + "\n"


def test_the_page_of_keys_is_what_the_schema_says() -> None:
    assert KEYS.read_text() == keys_page(), "write it again: python tests/test_docs.py"


# ----------------------------------------------------------------------------- links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def paste_real_run() -> None:
    """Replace the run shown in the README by a real one."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        screen = real_run(Path(folder))
    shown = next(block for block in blocks("text") if block.startswith(f"{SHOWN_RUN}: "))
    (ROOT / "README.md").write_text(README.replace(shown, screen))
    KEYS.write_text(keys_page())
    CASES.write_text(page(validate()))


if __name__ == "__main__":
    paste_real_run()
