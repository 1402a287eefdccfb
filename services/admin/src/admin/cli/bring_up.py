"""`caspers up`: from nothing, from a crash or from a running system to a live demo.

Every step finds what is there and does the rest, so it may be interrupted anywhere and simply called again.
"""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from types import FrameType
from typing import Any

from caspers.clock import Clock
from caspers.errors import CaspersError, Unavailable
from caspers.settings import Parameters, parameters_from

from admin.bootstrap import RELEASE
from admin.cli import show, workspace_process
from admin.cli.app_client import AppClient
from admin.cli.following import follow_run
from admin.cli.home import LOCAL_PARAMETERS, Home, RememberedDemo
from admin.cli.options import REPOSITORY
from admin.cli.session import Session, session
from admin.cli.workspace_process import Connection
from admin.engine.registry import FileRegistry
from admin.overview.verify import troubles
from admin.sources import ADMIN, Sources
from admin.stages.targets import DEFAULT_TARGET, target

DEFAULT_CATALOG: str = Parameters.model_fields["catalog"].default

LIVE_LINE_S = 2.0
PLAIN_LINE_S = 30.0
"""How often a line is printed where nobody sees it being rewritten."""


@dataclass(frozen=True)
class Wish:
    """What the person at the keyboard asked for; None and absent mean: as before, else the default."""

    catalog: str | None
    target: str | None
    chosen: dict[str, Any]
    """Parameters by name."""
    port: int | None
    detach: bool


class Interrupted(KeyboardInterrupt):
    """SIGINT, SIGTERM or SIGHUP."""


def bring_up(home: Home, wish: Wish, clock: Clock) -> None:
    """Bring the demo up and, unless detached, keep it running until interrupted. Raises `CaspersError`."""
    catalog = home.catalog(wish.catalog) if home.is_ours else wish.catalog or DEFAULT_CATALOG
    remembered = home.demos().get(catalog) if home.is_ours else None
    demo = settle(wish, catalog, remembered)
    home.prepare()
    attempt = Attempt(home, clock)
    with _interruptible():
        try:
            with home.lock():
                live = attempt.bring_up(demo, remembered, wish.port)
            if live is not None and not wish.detach:
                _live(live)
        except Interrupted:
            show.console.print("interrupted")
            attempt.undo()
        except CaspersError:
            attempt.undo()
            raise


class Attempt:
    """One call of `caspers up`, which stops at its end what it started and nothing else."""

    def __init__(self, home: Home, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._started: Connection | None = None

    def bring_up(
        self, demo: RememberedDemo, remembered: RememberedDemo | None, port: int | None
    ) -> Session | None:
        """Do what is not done yet; None when there was nothing to do."""
        connection = workspace_process.running(self._home)
        if (
            connection is not None
            and demo == remembered
            and _is_up(session(connection, demo.catalog), self._home)
        ):
            show.console.print("already running, and all is as desired")
            _say_addresses(session(connection, demo.catalog))
            return None
        if connection is None:
            connection = self._started = _start(self._home, port, self._clock)
        # Remembered from the start: what interrupts this is followed by an `up` that means the same.
        self._home.remember(demo)
        current = session(connection, demo.catalog)
        # With all that it takes to deploy: nobody should wait for that to hear that all is as desired.
        from admin.cli.deploy_admin import deploy_admin  # noqa: PLC0415  see above

        deploy_admin(current, self._home, self._clock)
        _run_target(current, demo, self._clock)
        _say_addresses(current)
        return current

    def undo(self) -> None:
        """Stop the workspace if this call started it; leave no half state behind."""
        if self._started is not None:
            show.console.print("stopping the local workspace")
            show.step(f"local workspace {workspace_process.stop(self._started)}", None)


def settle(wish: Wish, catalog: str, remembered: RememberedDemo | None) -> RememberedDemo:
    """The demo to bring up: what is asked for now on top of what was last time.

    Raises:
        Invalid: the target or a parameter is refused.
    """
    before = remembered or RememberedDemo(catalog, DEFAULT_TARGET, {})
    chosen = before.parameters | wish.chosen
    if "days" in wish.chosen and "start_day" not in wish.chosen:
        # A shorter dataset is meant for a quick look: replay all of it but the last day, not loop after loop.
        chosen["start_day"] = min(
            int(Parameters.model_fields["start_day"].default), max(wish.chosen["days"] - 1, 0)
        )
    asked = wish.target or before.target
    parameters_from({**target(asked).parameters, **LOCAL_PARAMETERS, **chosen, "catalog": catalog})
    return RememberedDemo(catalog, asked, chosen)


def _start(home: Home, port: int | None, clock: Clock) -> Connection:
    began = clock.monotonic()
    with show.console.status("starting the local workspace"):
        connection = workspace_process.start(home, port, clock)
    show.step("local workspace", clock.monotonic() - began, detail=connection.url)
    return connection


def _run_target(current: Session, demo: RememberedDemo, clock: Clock) -> None:
    began = clock.monotonic()
    admin = current.admin()
    _let_finish(admin)
    started = admin.post("/runs", {"target": demo.target, "parameters": demo.values})
    run = follow_run(admin, started["run_id"])
    if run["state"] != "succeeded":
        raise Unavailable(
            f"target {demo.target} {run['state']}: {run['error']}",
            what_now=run["what_now"] or "Put it right, then call `caspers up` again: it goes on from here.",
        )
    unchanged = sum(step["state"] == "unchanged" for step in run["steps"])
    show.step(
        f"target {demo.target}: {len(run['steps'])} resources, {unchanged} unchanged",
        clock.monotonic() - began,
    )


def _let_finish(admin: AppClient) -> None:
    """Wait for a run that goes on, perhaps begun by an `up` that was killed: two at once work against each other."""
    latest = next(admin.newest("/runs", 1), None)
    if latest is not None and latest["state"] in show.UNDER_WAY:
        show.console.print("a run goes on already; waiting for its end")
        follow_run(admin, latest["run_id"])


def _is_up(current: Session, home: Home) -> bool:
    """Whether there is nothing to do: all as desired, the last run a success, our own sources as deployed."""
    if not _is_deployed(current, home):
        return False
    try:
        admin = current.admin()
        latest = next(admin.newest("/runs", 1), None)
        return (
            latest is not None
            and (latest["action"], latest["state"]) == ("provision", "succeeded")
            and not troubles(admin.get("/status", versions=False))
        )
    except CaspersError:
        return False


def _is_deployed(current: Session, home: Home) -> bool:
    """Whether the sources of the admin that were deployed last are those of this checkout."""
    deployed = FileRegistry(home.bootstrap_registry(current.names.catalog)).entries().get(RELEASE)
    return deployed is not None and deployed.spec.get("digest") == Sources(REPOSITORY).digest(ADMIN)


def _say_addresses(current: Session) -> None:
    show.console.print(f"\nworkspace  {current.connection.url}")
    for name, app in current.admin().get("/status", versions=False)["apps"].items():
        show.console.print(f"{name}  {app['url']}")
    show.console.print("")


def _live(current: Session) -> None:
    """Show figures until interrupted. Raises `Unavailable` if the workspace ends without us."""
    show.console.print("Live. Ctrl-C stops everything; `caspers up --detach` would leave it running.")
    admin = current.admin()
    pause = Event()
    every_s = LIVE_LINE_S if show.console.is_terminal else PLAIN_LINE_S
    with show.console.status("") as line:
        while workspace_process.process_of(current.connection) is not None:
            said = _live_line(admin.get)
            line.update(said)
            if not show.console.is_terminal:
                show.console.print(said)
            pause.wait(every_s)
    raise Unavailable(
        "the local workspace ended", what_now="If you did not stop it, `caspers up` brings it back."
    )


def _live_line(get: Callable[..., Any]) -> str:
    try:
        return show.live_line(get("/status", versions=False))
    except CaspersError as error:
        return error.message


@contextmanager
def _interruptible() -> Generator[None]:
    """Turn the signals that ask a program to end into `Interrupted`, so that everything is stopped in order."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
