"""A real Postgres for the tests of the shared library."""

from collections.abc import Iterator

import pytest
from caspers.clients.postgres import Postgres
from caspers.worker.orders import SCHEMA

from tests.support.postgres import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running cluster, shared by the tests of a session."""
    running = Cluster().start(SCHEMA)
    yield running
    running.remove()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Postgres]:
    """A new control database, empty."""
    opened = cluster.open(cluster.new_database())
    yield opened
    opened.close()
