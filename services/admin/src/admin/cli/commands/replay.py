"""`caspers replay …`: watch and steer the replay, as a thin client of the replayer app."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from admin.cli import show
from admin.cli.app_client import AppClient
from admin.cli.home import Home
from admin.cli.options import DEFAULT_HOME, CatalogOption, HomeOption, JsonOption, exit_codes
from admin.cli.session import connect

replay = typer.Typer(help="Watch and steer the replay.", no_args_is_help=True)


def register(cli: typer.Typer) -> None:
    cli.add_typer(replay, name="replay")


PlaceArgument = Annotated[
    str,
    typer.Argument(
        help="A day of the dataset (70, 70.5), a time of today (12:30) or a moment as events carry it (2026-03-11T12:30)."
    ),
]


class StepKind(StrEnum):
    """How far a single step goes."""

    EVENT = "event"
    ORDER = "order"
    MINUTES = "minutes"


@replay.command()
def status(
    *, home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None, json: JsonOption = False
) -> None:
    """Where the replay is and how fast it goes."""
    _read(home, catalog, "/status", json=json)


@replay.command()
def digest(
    *, home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None, json: JsonOption = False
) -> None:
    """A checksum of everything emitted: equal for equal inputs, whatever was killed or paused in between."""
    _read(home, catalog, "/digest", json=json)


@replay.command()
def windows(
    *, home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None, json: JsonOption = False
) -> None:
    """The windows written last."""
    _read(home, catalog, "/windows", json=json)


@replay.command()
def start(home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None) -> None:
    """Let it run."""
    _act(home, catalog, "/start")


@replay.command()
def stop(home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None) -> None:
    """Stop it; it stays stopped until it is started."""
    _act(home, catalog, "/stop")


@replay.command()
def pause(home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None) -> None:
    """Hold the virtual clock."""
    _act(home, catalog, "/pause")


@replay.command()
def resume(home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None) -> None:
    """Let the virtual clock go on from where it was held."""
    _act(home, catalog, "/resume")


@replay.command()
def tick(home: HomeOption = DEFAULT_HOME, catalog: CatalogOption = None) -> None:
    """Write what is due now instead of at the next interval."""
    _act(home, catalog, "/tick")


@replay.command()
def speed(
    multiplier: Annotated[float, typer.Argument(min=0.001, help="Virtual seconds per real second.")],
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
) -> None:
    """Change the speed; the position never jumps."""
    _act(home, catalog, "/speed", multiplier=multiplier)


@replay.command()
def step(
    kind: Annotated[StepKind, typer.Argument(help="How far to go.")],
    minutes: Annotated[float | None, typer.Option(help="Virtual minutes, for `step minutes`.", min=0)] = None,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
) -> None:
    """Go to the next event, to the next order, or some minutes further."""
    if (kind is StepKind.MINUTES) != (minutes is not None):
        raise typer.BadParameter("--minutes goes with `step minutes`, and only with it")
    body: dict[str, Any] = (
        {"kind": kind.value} if minutes is None else {"kind": kind.value, "minutes": minutes}
    )
    _act(home, catalog, "/step", **body)


@replay.command()
def seek(
    to: PlaceArgument,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
) -> None:
    """Jump: forward catches up at once, backward opens the next loop."""
    _act(home, catalog, "/seek", **_place(to))


@replay.command("run-until")
def run_until(
    to: PlaceArgument,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
) -> None:
    """Run until a virtual time, then pause."""
    _act(home, catalog, "/run-until", **_place(to))


def _place(text: str) -> dict[str, Any]:
    return {"day": float(text)} if text.replace(".", "", 1).isdecimal() else {"time": text}


def _replayer(home: Path, catalog: str | None) -> AppClient:
    current = connect(Home(home.absolute()), catalog)
    return current.app(current.names.replayer_app)


def _read(home: Path, catalog: str | None, path: str, *, json: bool) -> None:
    with exit_codes():
        _say(_replayer(home, catalog).get(path), json=json)


def _act(home: Path, catalog: str | None, path: str, **body: Any) -> None:
    with exit_codes():
        _say(_replayer(home, catalog).post(path, body), json=False)


def _say(answer: Any, *, json: bool) -> None:
    if json:
        show.plain(show.as_json(answer))
    elif isinstance(answer, list):
        rows: list[dict[str, Any]] = answer
        show.console.print(show.rows_as_table(list(rows[0]) if rows else ["nothing"], rows))
    else:
        plain = {name: value for name, value in answer.items() if not isinstance(value, list | dict)}
        for name, value in plain.items():
            show.plain(f"{name:<16} {'–' if value is None else value}")
