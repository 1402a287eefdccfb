"""Run the command line: `python -m admin.cli`."""

import sys
from importlib import import_module

import typer

MODULES = {
    "up": "up",
    "status": "status",
    "sql": "sql",
    "replay": "replay",
    "run": "run",
    "teardown": "run",
    "down": "down",
    "eval": "evaluate",
    "test": "work",
    "bench": "work",
    "check": "work",
}
"""Which module holds which command. Only that one is imported; for the help, all of them."""


def command_line(arguments: list[str]) -> typer.Typer:
    """The command line with the command that is asked for, or with all."""
    cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    cli.callback()(_caspers)
    asked = MODULES.get(arguments[0] if arguments else "")
    for module in [asked] if asked else dict.fromkeys(MODULES.values()):
        import_module(f"admin.cli.commands.{module}").register(cli)
    return cli


def _caspers() -> None:
    """Casper's Kitchens: a whole data platform at work, on your laptop.

    Exit codes: 0 fine, 1 something is not as desired, 2 wrong usage.
    """


if __name__ == "__main__":
    command_line(sys.argv[1:])(prog_name="caspers")
