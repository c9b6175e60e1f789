"""Fixtures of several test modules."""

from __future__ import annotations

import pytest
import solved_instances
from fabric_designs import SPECS, FabricSpec


@pytest.fixture(params=SPECS.values(), ids=SPECS.keys())
def spec(request: pytest.FixtureRequest) -> FabricSpec:
    """Every design of the fabric tests, as a specification."""
    return request.param


@pytest.fixture(scope="session", autouse=True)
def stored_runs(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give the solved instances a folder."""
    solved_instances.RUNS.append(tmp_path_factory.mktemp("instances"))
