"""`caspers up`."""

from typing import Annotated

import typer
from caspers.clock import SystemClock
from caspers.settings import parameters_from

from admin.cli.bring_up import Wish, bring_up
from admin.cli.home import Home
from admin.cli.options import (
    DEFAULT_HOME,
    CatalogOption,
    HomeOption,
    ParametersOption,
    exit_codes,
    named_values,
)
from admin.stages.targets import DEFAULT_TARGET, TARGETS


def register(cli: typer.Typer) -> None:
    cli.command()(up)


def up(  # noqa: PLR0913  the options of the command are its parameters
    *,
    target: Annotated[
        str | None,
        typer.Option(
            help=f"What to bring up: {', '.join(TARGETS)}; else as last time, at first {DEFAULT_TARGET}."
        ),
    ] = None,
    catalog: CatalogOption = None,
    days: Annotated[int | None, typer.Option(help="Days in the dataset; fewer for a quick look.")] = None,
    speed: Annotated[float | None, typer.Option(help="Virtual seconds per real second.")] = None,
    start_day: Annotated[int | None, typer.Option(help="The day of the dataset to start live at.")] = None,
    schedule_minutes: Annotated[float | None, typer.Option(help="Minutes between replay ticks.")] = None,
    parameter: ParametersOption = None,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running in the background.")] = False,
    port: Annotated[int | None, typer.Option(help="Port of the local workspace.", min=0, max=65_535)] = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Start the local workspace, provision the demo, replay, and keep running live."""
    given = {
        "days": days,
        "speed_multiplier": speed,
        "start_day": start_day,
        "schedule_minutes": schedule_minutes,
    }
    if target is not None and target not in TARGETS:
        raise typer.BadParameter(f"there is no target {target!r}; there are: {', '.join(TARGETS)}")
    with exit_codes():
        chosen = named_values(parameter) | {name: value for name, value in given.items() if value is not None}
        parameters_from(chosen | ({"catalog": catalog} if catalog else {}))
        bring_up(Home(home.absolute()), Wish(catalog, target, chosen, port, detach), SystemClock())
