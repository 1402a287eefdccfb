"""What a button does as a line for a shell: `caspers …` and `curl …`. Pure."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HEADER = '-H "Authorization: Bearer $(./caspers token)"'


@dataclass(frozen=True)
class Lines:
    """The same request by the command line and by REST."""

    caspers: str
    curl: str


def requested(
    words: Sequence[str], method: str, address: str, body: Mapping[str, Any] | None = None
) -> Lines:
    """`caspers` with its words, and the request they make to `address`."""
    parts = ["curl", "-sS", *(["-X", method] if method != "GET" else []), HEADER]
    if body is not None:
        parts += ["-H 'Content-Type: application/json'", "-d", shlex.quote(json.dumps(body))]
    return Lines(f"./caspers {shlex.join(words)}", " ".join([*parts, shlex.quote(address)]))


def started(action: str, body: Mapping[str, Any], base: str) -> Lines:
    """What starts a run with this body of `POST /runs`."""
    verb = {"provision": "run"}.get(action, action)
    wanted = [str(body["target"])] if body.get("target") else [str(name) for name in body.get("stages") or ()]
    parameters = [
        word for name, value in body.get("parameters", {}).items() for word in ("-p", f"{name}={value}")
    ]
    yes = ["--yes"] if action == "teardown" else []
    return requested([verb, *wanted, *parameters, *yes], "POST", f"{base}/api/v1/runs", body)
