"""A real Postgres with the workers' tables for the tests of the control plane."""

from collections.abc import Iterator

import pytest
from caspers.clients.postgres import Postgres

from tests.support.admin import admin_cluster
from tests.support.postgres import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running cluster, shared by the tests of a session."""
    with admin_cluster() as running:
        yield running


@pytest.fixture
def control(cluster: Cluster) -> Iterator[Postgres]:
    """A new control database, as the stage Canonical_Data leaves it."""
    opened = cluster.open(cluster.new_database())
    yield opened
    opened.close()
