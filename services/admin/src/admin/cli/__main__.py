"""Run the command line: `python -m admin.cli`."""

from admin.cli.commands import cli

cli(prog_name="caspers")
