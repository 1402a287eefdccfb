"""Fixtures for every test: one workspace per session, a catalog of a random name per test."""

import os
import secrets
from collections.abc import Iterator

import pytest
from local_workspace.api.pipelines.update_process import pyspark_directory

from tests.support.workspace import LocalWorkspace

# PySpark's client does not load without it in a process that runs no file, as those that run tests side by side.
os.environ.setdefault("SPARK_HOME", pyspark_directory())


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """A running local workspace, shared by the tests of a session."""
    running = LocalWorkspace(tmp_path_factory.mktemp("workspace") / "home").start()
    yield running
    running.stop()


@pytest.fixture
def catalog(workspace: LocalWorkspace) -> Iterator[str]:
    """The name of a new catalog, dropped with all it holds after the test."""
    name = f"test_{secrets.token_hex(4)}"
    client = workspace.client
    client.catalogs.create(name)
    yield name
    client.catalogs.delete(name, force=True)
