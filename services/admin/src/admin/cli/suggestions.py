"""What the shell offers while a command is typed: names from the code, and ids of runs when the admin is quick.

Whatever goes wrong here stays silent: nobody should read an error in the middle of a line.
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from functools import cache

import typer
from caspers.errors import CaspersError
from caspers.settings import parameters_from

from admin.cli.home import Home
from admin.cli.options import DEFAULT_HOME
from admin.cli.session import connect
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
    home = Home((context.params.get("home") or DEFAULT_HOME).absolute())
    with suppress(CaspersError, OSError, KeyError, TypeError, ValueError):
        admin = connect(home, context.params.get("catalog")).admin(QUICK_S)
        return [
            (run["run_id"], f"{run['action']} {run['state']}")
            for run in admin.newest("/runs", SHOWN_RUNS)
            if run["run_id"].startswith(incomplete)
        ]
    return []


def _beginning(names: Sequence[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
