"""A real Postgres with the complaint console's tables for the tests of its console."""

from collections.abc import Iterator

import pytest
from caspers.clients.postgres import Postgres

from tests.support.complaints import complaint_cluster
from tests.support.postgres import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running cluster, shared by the tests of a session."""
    running = complaint_cluster()
    yield running
    running.remove()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Postgres]:
    """A new database: the synced table and the schema reviews, both empty."""
    opened = cluster.open(cluster.new_database())
    yield opened
    opened.close()
