"""`caspers completion SHELL`: what makes a shell complete our commands, stages and runs."""

from enum import StrEnum
from typing import Annotated

import typer

from admin.cli import show
from admin.cli.options import REPOSITORY

LAUNCHER = REPOSITORY / "caspers"


class Shell(StrEnum):
    """The shells we have words for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


SCRIPTS = {
    Shell.BASH: """\
_caspers_completion() {
    local IFS=$'\\n'
    COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _CASPERS_COMPLETE=complete_bash 'LAUNCHER'))
}
complete -o nosort -F _caspers_completion caspers ./caspers""",
    Shell.ZSH: """\
_caspers_completion() {
    eval "$(_TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _CASPERS_COMPLETE=complete_zsh 'LAUNCHER')"
}
compdef _caspers_completion caspers""",
    Shell.FISH: """\
complete --command caspers --no-files --arguments "(env _CASPERS_COMPLETE=complete_fish \
_TYPER_COMPLETE_FISH_ACTION=get-args _TYPER_COMPLETE_ARGS=(commandline -cp) 'LAUNCHER')\"""",
}
"""What a shell has to be told. The protocol (the variables and their values) is typer's."""


def register(cli: typer.Typer) -> None:
    cli.command()(completion)


def completion(shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish.")]) -> None:
    """Print the words that make a shell complete commands, stages, parameters and runs.

    bash and zsh: eval "$(./caspers completion bash)". fish: ./caspers completion fish | source.
    """
    show.plain(SCRIPTS[shell].replace("LAUNCHER", str(LAUNCHER)))
