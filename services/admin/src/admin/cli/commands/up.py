"""`caspers up`."""

from typing import Annotated

import typer
from caspers.clock import SystemClock
from caspers.settings import parameters_from

from admin import stages
from admin.cli.bring_up import Wish, bring_up
from admin.cli.home import Home
from admin.cli.options import DEFAULT_HOME, CatalogOption, HomeOption, exit_codes


def register(cli: typer.Typer) -> None:
    cli.command()(up)


def up(  # noqa: PLR0913  the options of the command are its parameters
    *,
    target: Annotated[str | None, typer.Option(help="What to bring up: " + ", ".join(stages.TARGETS))] = None,
    catalog: CatalogOption = None,
    days: Annotated[int | None, typer.Option(help="Days in the dataset; fewer for a quick look.")] = None,
    speed: Annotated[float | None, typer.Option(help="Virtual seconds per real second.")] = None,
    start_day: Annotated[int | None, typer.Option(help="The day of the dataset to start live at.")] = None,
    schedule_minutes: Annotated[float | None, typer.Option(help="Minutes between replay ticks.")] = None,
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
    chosen = {name: value for name, value in given.items() if value is not None}
    if target is not None and target not in stages.TARGETS:
        raise typer.BadParameter(f"there is no target {target!r}; there are: {', '.join(stages.TARGETS)}")
    with exit_codes():
        parameters_from(chosen | ({"catalog": catalog} if catalog else {}))
        bring_up(Home(home.absolute()), Wish(catalog, target, chosen, port, detach), SystemClock())
