"""A real Postgres with the refund manager's tables for the tests of its console."""

from collections.abc import Iterator

import pytest
from caspers.clients.postgres import Postgres

from tests.support.postgres import Cluster
from tests.support.refunds import refund_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running cluster, shared by the tests of a session."""
    running = refund_cluster()
    yield running
    running.remove()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Postgres]:
    """A new database: the synced table and the schema refunds, both empty."""
    opened = cluster.open(cluster.new_database())
    yield opened
    opened.close()
