"""What the shell offers while a command is typed: names from the code, and ids of runs when the admin is quick.

Whatever goes wrong here stays silent: nobody should read an error in the middle of a line.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import httpx
import typer
from caspers.names import Names
from caspers.settings import parameters_from

from admin.cli.home import Home
from admin.cli.options import DEFAULT_HOME
from admin.cli.workspace_process import Connection, running
from admin.stages import Demo, all_stages
from admin.stages.targets import TARGETS

QUICK_S = 0.5
"""How long a person waits at the prompt without noticing."""

SHOWN_RUNS = 20


@cache
def stage_names() -> tuple[str, ...]:
    """Every stage of this checkout, in the order of their needs."""
    nothing_deployed: defaultdict[str, str] = defaultdict(str)
    demo = Demo(parameters_from({}), nothing_deployed, nothing_deployed)
    return tuple(stage.name for stage in all_stages(demo))


def stages(incomplete: str) -> list[str]:
    return _beginning(stage_names(), incomplete)


def targets_and_stages(incomplete: str) -> list[str]:
    return _beginning((*TARGETS, *stage_names()), incomplete)


def runs(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Ids of the newest runs, each with what it was."""
    with suppress(httpx.HTTPError, OSError, KeyError, TypeError, ValueError):
        return [
            (run["run_id"], f"{run['action']} {run['state']}")
            for run in _newest_runs(Home((context.params.get("home") or DEFAULT_HOME).absolute()), context)
            if run["run_id"].startswith(incomplete)
        ]
    return []


def _newest_runs(home: Home, context: typer.Context) -> Iterator[dict[str, Any]]:
    connection = running(home)
    if connection is not None:
        catalog = home.catalog(context.params.get("catalog"))
        yield from _entries(connection, Names(catalog).admin_app)


def _entries(connection: Connection, admin_app: str) -> Sequence[dict[str, Any]]:
    # Two plain requests: to import the platform's SDK takes longer than the answer is worth.
    with httpx.Client(
        headers={"Authorization": f"Bearer {connection.token}"}, timeout=QUICK_S, trust_env=False
    ) as http:
        admin = http.get(f"{connection.url}/api/2.0/apps/{admin_app}").raise_for_status().json()
        newest = http.get(f"{admin['url']}/api/v1/runs", params={"limit": SHOWN_RUNS})
        return newest.raise_for_status().json()["entries"]


def _beginning(names: Sequence[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
