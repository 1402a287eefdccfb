"""Run the command line: `python -m admin.cli`."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.completion import completion_init
from typer.core import TyperGroup
from typer.main import get_group

MODULES = {
    "up": "up",
    "status": "status",
    "sql": "sql",
    "replay": "replay",
    "plan": "run",
    "run": "run",
    "repair": "run",
    "cancel": "run",
    "stop": "teardown",
    "teardown": "teardown",
    "runs": "runs",
    "stages": "stages",
    "parameters": "stages",
    "resources": "resources",
    "verify": "resources",
    "workers": "workers",
    "activity": "activity",
    "roles": "roles",
    "token": "access",
    "down": "down",
    "eval": "evaluate",
    "completion": "completion",
    "test": "work",
    "bench": "work",
    "check": "work",
}
"""Which module holds which command. Only that one is imported; for the help, all of them."""


@dataclass(frozen=True)
class Suggestion:
    """What a shell offers for a word that is being typed."""

    value: str
    help: str | None = None


class Commands(TyperGroup):
    """The commands by name; the module of one is imported when somebody asks for it."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  the base class calls it so
        return list(MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  the base class calls it so
        # An unknown name is answered with those that look like it: for that, all have to be there.
        for name in [cmd_name] if cmd_name in MODULES else MODULES:
            if name not in self.commands:
                self.commands.update(_commands_of(MODULES[name]))
        return self.commands.get(cmd_name)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:  # noqa: ARG002  the base class calls it so
        """The names alone, so that nothing has to be imported while somebody waits at the prompt."""
        return [Suggestion(name) for name in MODULES if name.startswith(incomplete)]


def command_line() -> typer.Typer:
    """The whole command line."""
    cli = typer.Typer(
        cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    cli.callback()(_caspers)
    return cli


def _commands_of(module: str) -> dict[str, Any]:
    part = typer.Typer()
    import_module(f"admin.cli.commands.{module}").register(part)
    return dict(get_group(part).commands)


def _caspers() -> None:
    """Casper's Kitchens: a whole data platform at work, on your laptop.

    Exit codes: 0 fine, 1 something is not as desired, 2 wrong usage.
    """


if __name__ == "__main__":
    completion_init()
    command_line()(prog_name="caspers")
