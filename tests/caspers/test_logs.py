"""Logs are JSON lines with fields, and hold no secret."""

import json
import subprocess
import sys

import pytest
from caspers.web.logs import hide_secrets

PROGRAM = """
import logging, structlog
from caspers.web.logs import configure
configure("replayer", "info")
log = structlog.get_logger("x")
with structlog.contextvars.bound_contextvars(request_id="r-1"):
    log.info("window written", files=3, token="abc", url="postgres://u:p@h/?password=hunter2hunter2")
    logging.getLogger("some.library").warning("Authorization: Bearer eyJhbGciOi.abcdefghij and %s", "dapi0123456789abcdef")
try:
    raise ValueError("secret=topsecretvalue1")
except ValueError:
    log.exception("step failed")
log.debug("never seen")
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, object]]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_line_is_an_event_with_its_service_level_and_time(lines: list[dict[str, object]]):
    assert next(line["event"] for line in lines) == "window written"
    assert all({"event", "level", "timestamp", "service"} <= set(line) for line in lines)
    assert [line["level"] for line in lines] == ["info", "warning", "error"]


def test_the_request_id_travels_with_ours_and_the_libraries_lines(lines: list[dict[str, object]]):
    assert [line.get("request_id") for line in lines] == ["r-1", "r-1", None]


@pytest.mark.parametrize(
    "secret", ["hunter2hunter2", "eyJhbGciOi", "dapi0123456789", "topsecretvalue1", '"abc"']
)
def test_no_secret_reaches_the_log(lines: list[dict[str, object]], secret: str):
    assert secret not in json.dumps(lines)


def test_secrets_are_hidden_at_any_depth_and_the_rest_is_kept():
    event = hide_secrets(
        None, "info", {"event": "x", "a": {"client_secret": "s", "b": ["Bearer abcdefghijkl", 1]}}
    )
    assert event == {"event": "x", "a": {"client_secret": "[hidden]", "b": ["Bearer [hidden]", 1]}}
