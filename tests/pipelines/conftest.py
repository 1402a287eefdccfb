"""The engine, one per session, and a pipeline in a folder of its own per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pipelines import PipelineFolder, running_engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running SQL engine."""
    with running_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running.address


@pytest.fixture
def pipeline(tmp_path: Path, engine: str) -> PipelineFolder:
    """The order items pipeline, with nothing in its volume."""
    return PipelineFolder(tmp_path / "pipeline", engine)
