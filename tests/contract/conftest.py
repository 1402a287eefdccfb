"""Every contract test tells which calls it makes; the coverage of the workspace rests on it."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.call_record import CallRecord
from tests.support.workspace import LocalWorkspace

RECORD = pytest.StashKey[CallRecord]()
FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-calls", metavar="DIR", help="write here which calls each contract test makes")


def pytest_configure(config: pytest.Config) -> None:
    folder = config.getoption("--record-calls", default=None)
    worker = getattr(config, "workerinput", {}).get("workerid", "main")
    config.stash[RECORD] = CallRecord(Path(folder) / f"{worker}.jsonl" if folder else None)


@pytest.fixture(scope="module")
def workspace(workspace: LocalWorkspace, pytestconfig: pytest.Config) -> LocalWorkspace:
    """The session's local workspace, whose calls are on record from here on."""
    pytestconfig.stash[RECORD].follow(workspace)
    return workspace


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not report.passed:
        item.stash[FAILED] = True
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What the test before left to be tidied up is not this test's doing."""
    item.config.stash[RECORD].begin()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Note the test's calls while its workspace is there; a test that the coverage names must have made them."""
    workspace = getattr(item, "funcargs", {}).get("workspace")
    if not isinstance(workspace, LocalWorkspace) or FAILED in item.stash:
        return
    record = item.config.stash[RECORD]
    test = item.nodeid.partition("[")[0]
    record.note(test)
    untrue = record.untrue(test) if "[" not in item.nodeid else []
    assert not untrue, (
        f"local_workspace/coverage says that this test makes calls that it did not make: {untrue}"
    )
